"""`estime profile`: who sees aggregates without a course, and by which provider of identities."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from lti_tool import audit, profiles
from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from lti_tool.profiles import ProfileError, openid
from lti_tool.profiles.openid import ProviderError
from tool_config import silos
from tool_config.database import administration, transaction
from tool_config.roles import PROFILES

_silo_option = click.option("--silo", "name", required=True, help="Name or number of the silo.")
#: Variable that holds the secret while it is given, so that no list of processes shows it.
_SECRET = "ESTIME_OIDC_NEW_SECRET"  # noqa: S105  (a name)


@click.group("profile")
def profile() -> None:
    """Profiles: people who see aggregates without a course."""


@profile.command("grant")
@_silo_option
@click.option("--profile", "kind", required=True, type=click.Choice(PROFILES))
@click.option("--person", required=True, help="Name of the person.")
@click.option("--address", required=True, help="Professional address that they sign in with.")
@click.option("--path", "paths", multiple=True, type=int, help="Number of a path (ingenieur), repeatable.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day, in the zone of the silo.")
@data_dir_option
def grant(
    name: str,
    kind: str,
    person: str,
    address: str,
    paths: tuple[int, ...],
    until: datetime | None,
    data_dir: Path | None,
) -> None:
    """Grant a profile; the one that the address had is replaced."""
    settings = read_settings(data_dir).with_secret()
    engine, now = open_store(settings), utcnow()
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    zone = ZoneInfo(owner.time_zone)
    end = datetime.combine(until.date() + timedelta(days=1), time(), zone) if until else None
    try:
        with transaction(engine, owner.silo_id) as conn:
            made = profiles.grant(
                conn, owner.silo_id, profile=kind, name=person, address=address, paths=paths, expires_at=end,
                by="", secret_key=settings.secret_key, now=now,
            )  # fmt: skip
            _record(conn, owner.silo_id, f"profile: granted {kind}", made.actor, now)
    except ProfileError as error:
        raise click.ClickException(str(error)) from error
    door = f"{settings.public_url}/sign-in/{owner.silo_id}"
    answer({"grant": made.grant_id, "profile": kind, "silo": owner.name, "sign_in": door})


@profile.command("list")
@_silo_option
@data_dir_option
def listed(name: str, data_dir: Path | None) -> None:
    """List who has a profile, and when each was last used."""
    settings = read_settings(data_dir).with_secret()
    engine = open_store(settings)
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    with transaction(engine, owner.silo_id, write=False) as conn:
        found = profiles.listing(conn, owner.silo_id, secret_key=settings.secret_key)
    answer({"silo": owner.name, "profiles": [asdict(one) for one in found]})


@profile.command("withdraw")
@click.argument("grant_id")
@_silo_option
@data_dir_option
def withdraw(grant_id: str, name: str, data_dir: Path | None) -> None:
    """Take a profile back at once, with its sessions."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    with transaction(engine, owner.silo_id) as conn:
        if not profiles.withdraw(conn, owner.silo_id, grant_id):
            raise click.ClickException(f"there is no profile {grant_id} in {owner.name}")
        actor = profiles.actor_of(owner.silo_id, grant_id)
        _record(conn, owner.silo_id, "profile: withdrawn", actor, utcnow())
    answer({"grant": grant_id, "silo": owner.name, "withdrawn": True})


@profile.command("provider")
@_silo_option
@click.option("--issuer", default="", help="Issuer of the provider (OpenID Connect).")
@click.option("--client-id", default="", help="Client id that it gave to the tool.")
@click.option("--remove", is_flag=True, help="Forget the provider.")
@data_dir_option
def provider(name: str, issuer: str, client_id: str, remove: bool, data_dir: Path | None) -> None:
    """Set the provider of identities; its secret, if any, comes in ESTIME_OIDC_NEW_SECRET and is sealed.

    Without it, that of the setting ESTIME_OIDC_CLIENT_SECRET serves; without that one either, PKCE alone.
    """
    settings = read_settings(data_dir).with_secret()
    engine = open_store(settings)
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    try:
        with transaction(engine, owner.silo_id) as conn:
            if remove:
                openid.forget_provider(conn, owner.silo_id)
            else:
                openid.set_provider(
                    conn, owner.silo_id, issuer, client_id, os.environ.get(_SECRET, ""),
                    secret_key=settings.secret_key, allow_local=settings.allow_local_network, now=utcnow(),
                )  # fmt: skip
    except ProviderError as error:
        raise click.ClickException(str(error)) from error
    answer(
        {
            "silo": owner.name,
            "issuer": None if remove else issuer,
            "redirect_uri": openid.redirect_uri(settings.public_url),
        }
    )


def _record(conn: Connection, silo_id: int, reason: str, subject: str, now: datetime) -> None:
    audit.write(
        conn, silo_id, at=now, action="edit", accepted=True, subject=subject, reason=reason,
    )  # fmt: skip
