"""`estime platform invite|remove`: a platform that registers itself, and one that goes."""

from __future__ import annotations

from pathlib import Path

import click

from lti_tool import invitations
from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from tool_config import platforms, silos
from tool_config.database import administration


@click.command("invite")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option(
    "--days",
    default=invitations.USUAL_DAYS,
    show_default=True,
    type=click.IntRange(1, invitations.MOST_DAYS),
    help="How long the link may serve.",
)
@data_dir_option
def invite(name: str, days: int, data_dir: Path | None) -> None:
    """Make a link that an administrator pastes into a platform; it serves once and is shown once, here."""
    settings = read_settings(data_dir)
    with administration(open_store(settings)) as conn:
        owner = silos.by_name(conn, name)
        link, expires_at = invitations.invite(
            conn, owner.silo_id, days=days, public_url=settings.public_url, now=utcnow()
        )
    answer({"invitation": link, "silo": owner.name, "expires_at": expires_at})


@click.command("remove")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--issuer", required=True, help="Platform ID: the address of the Moodle site.")
@data_dir_option
def remove(name: str, issuer: str, data_dir: Path | None) -> None:
    """Forget a platform's registration, so that it may register anew; people and traces stay."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        platforms.remove(conn, owner.silo_id, issuer)
    answer({"platform": issuer, "silo": owner.name, "removed": True})
