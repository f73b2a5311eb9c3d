"""`estime silo|key|platform|admin`: what is registered before a launch or a statement."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from lti_tool.clock import utcnow
from lti_tool.commands.common import Commands, answer, data_dir_option, open_store, read_settings
from tool_config import platforms, silos
from tool_config.database import administration
from xapi import auth
from xapi import repair as repair_rules


@click.group()
def silo() -> None:
    """Communities kept apart from one another."""


@silo.command("add")
@click.argument("name")
@click.option("--time-zone", default="Europe/Paris", show_default=True)
@data_dir_option
def silo_add(name: str, time_zone: str, data_dir: Path | None) -> None:
    """Make the silo NAME."""
    with administration(open_store(read_settings(data_dir))) as conn:
        silo_id = silos.add(conn, name, now=utcnow(), time_zone=time_zone)
        made = silos.get(conn, silo_id)
    answer({"silo": made.name, "id": made.silo_id, "time_zone": made.time_zone})


@silo.command("list")
@data_dir_option
def silo_list(data_dir: Path | None) -> None:
    """List the silos."""
    with administration(open_store(read_settings(data_dir))) as conn:
        found = silos.list_all(conn)
    answer({"silos": [{"silo": one.name, "id": one.silo_id, "time_zone": one.time_zone} for one in found]})


@click.group(cls=Commands, places={"show": "lti_tool.commands.repairs:key_show"})
def key() -> None:
    """Keys of the learning record store; each opens one silo."""


@key.command("add")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--scope", "scopes", required=True, multiple=True, help="One or several xAPI scopes.")
@click.argument("more_scopes", nargs=-1)
@click.option("--label", default="", help="What the key is for.")
@click.option("--repair", type=click.Choice(repair_rules.SOURCES), help="Mend this source’s known faults.")
@data_dir_option
def key_add(
    name: str,
    scopes: tuple[str, ...],
    more_scopes: tuple[str, ...],
    label: str,
    repair: str | None,
    data_dir: Path | None,
) -> None:
    """Make a key; its secret is shown once, here. `--scope statements/write statements/read` takes both."""
    wanted = _scopes((*scopes, *more_scopes))
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        key_id, secret = auth.issue_key(conn, owner.silo_id, wanted, now=utcnow(), label=label, repair=repair)
    answer({"key": key_id, "secret": secret, "silo": owner.name, "scopes": wanted})


def _scopes(given: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(scope for item in given for scope in item.replace(",", " ").split()))


@key.command("list")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def key_list(name: str, data_dir: Path | None) -> None:
    """List the keys of a silo, without their secrets."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        found = silos.list_keys(conn, owner.silo_id)
    keys = [
        {
            "key": row.key_id,
            "label": row.label,
            "scopes": row.scopes.split(),
            "repair": row.repair,
            "created_at": row.created_at,
            "revoked_at": row.revoked_at,
        }
        for row in found
    ]
    answer({"silo": owner.name, "keys": keys})


@key.command("rotate")
@click.argument("key_id")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option(
    "--overlap",
    default=0,
    show_default=True,
    type=click.IntRange(0, 43_200),
    help="Minutes for which the secret it had still opens (at most 30 days).",
)
@data_dir_option
def key_rotate(key_id: str, name: str, overlap: int, data_dir: Path | None) -> None:
    """Give a key a new secret, shown once, here; the one it had is refused at once, or after --overlap."""
    now, during = utcnow(), timedelta(minutes=overlap)
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        secret = auth.rotate_key(conn, owner.silo_id, key_id, now=now, overlap=during)
    answer({"key": key_id, "secret": secret, "silo": owner.name, "previous_until": now + during})


@key.command("revoke")
@click.argument("key_id")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def key_revoke(key_id: str, name: str, data_dir: Path | None) -> None:
    """Stop a key at once."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        silos.revoke_key(conn, owner.silo_id, key_id, now=utcnow())
    answer({"key": key_id, "silo": owner.name, "revoked": True})


@click.group(
    cls=Commands,
    places={
        "invite": "lti_tool.commands.invitations:invite",
        "remove": "lti_tool.commands.invitations:remove",
    },
)
def platform() -> None:
    """Moodle and other LTI platforms, each registered in a silo."""


@platform.command("add")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--issuer", required=True, help="Platform ID: the address of the Moodle site.")
@click.option("--client-id", required=True)
@click.option("--deployment-id", "deployment_ids", required=True, multiple=True, help="May be repeated.")
@click.option("--auth-url", required=True, help="Authentication request URL.")
@click.option("--token-url", required=True, help="Access token URL.")
@click.option("--jwks-url", required=True, help="Public keyset URL.")
@click.option("--family", default="moodle", show_default=True)
@click.option(
    "--frame-origin", "frame_origins", multiple=True, help="Another origin that may frame the tool."
)
@click.option(
    "--trusted-audience",
    "trusted_audiences",
    multiple=True,
    help="Another audience that tokens for the tool may name.",
)
@data_dir_option
def platform_add(
    name: str, deployment_ids: tuple[str, ...], data_dir: Path | None, **registration: Any
) -> None:
    """Register a platform, or another deployment of one that is registered already."""
    settings = read_settings(data_dir).with_secret()
    with administration(open_store(settings)) as conn:
        owner = silos.by_name(conn, name)
        issuer, client_id = registration["issuer"], registration["client_id"]
        known = platforms.deployments(conn, owner.silo_id, issuer)
        before = platforms.get(conn, owner.silo_id, issuer)
        if before and before.client_id == client_id and known.issuperset(deployment_ids):
            raise platforms.PlatformError("this platform is already registered in this silo")
        for deployment_id in deployment_ids:
            platforms.add(
                conn,
                owner.silo_id,
                deployment_id=deployment_id,
                now=utcnow(),
                allow_local=settings.allow_local_network,
                **registration,
            )
        platforms.ensure_key(conn, owner.silo_id, settings.secret_key, utcnow())
        known = platforms.deployments(conn, owner.silo_id, issuer)
    answer(
        {
            "platform": issuer,
            "silo": owner.name,
            "client_id": client_id,
            "deployment_ids": sorted(known),
            "login_url": f"{settings.public_url}/lti/login",
            "launch_url": f"{settings.public_url}/lti/launch",
            "jwks_url": f"{settings.public_url}/lti/jwks.json",
        }
    )


@platform.command("list")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def platform_list(name: str, data_dir: Path | None) -> None:
    """List the platforms of a silo."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        found = [
            {
                "platform": one.issuer,
                "client_id": one.client_id,
                "deployment_ids": sorted(platforms.deployments(conn, owner.silo_id, one.issuer)),
                "auth_url": one.auth_url,
                "token_url": one.token_url,
                "jwks_url": one.jwks_url,
                "family": one.family,
            }
            for one in platforms.of_silo(conn, owner.silo_id)
        ]
    answer({"silo": owner.name, "platforms": found})


@click.group()
def admin() -> None:
    """People who see every session of a silo, with pseudonyms."""


@admin.command("add")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--issuer", required=True, help="Platform on which the person has an account.")
@click.option("--sub", required=True, help="Number of the person's account there.")
@data_dir_option
def admin_add(name: str, issuer: str, sub: str, data_dir: Path | None) -> None:
    """Make a person of a platform an administrator of the silo."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        platforms.add_administrator(conn, owner.silo_id, issuer, sub, utcnow())
    answer({"admin": sub, "issuer": issuer, "silo": owner.name})
