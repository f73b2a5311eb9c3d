"""`estime forward`: copies of a silo kept by other stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from lti_tool import forwarding
from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, instant_option, open_store, read_settings
from tool_config import silos
from tool_config.database import administration, transaction
from xapi import forward
from xapi.delivery import PeerError
from xapi.forward import Forward

_silo_option = click.option("--silo", "silo", required=True, help="Name or number of the silo.")


@click.group("forward")
def forwards() -> None:
    """Copies of a silo kept by other stores (LRS)."""


@contextmanager
def _opened(silo: str, data_dir: Path | None) -> Iterator[tuple[Connection, int]]:
    """Yield a connection confined to a silo, and the silo's number."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        silo_id = silos.by_name(conn, silo).silo_id
    with transaction(engine, silo_id) as conn:
        yield conn, silo_id


@forwards.command("add")
@click.argument("name")
@_silo_option
@click.option(
    "--url", required=True, help="Endpoint of the other store, such as https://lrs.example.fr/xapi."
)
@click.option("--key", "username", required=True, help="Name (key) that the other store gave.")
@click.option(
    "--secret-file",
    type=click.File(),
    help="File that holds the secret, - for standard input; asked for otherwise.",
)
@click.option("--version", type=click.Choice(forward.VERSIONS), default="auto", show_default=True)
@click.option("--with-answers", is_flag=True, help="Answers to questionnaires too.")
@click.option("--allow-private", is_flag=True, help="The store is on a private network (http allowed there).")
@instant_option("--since", "Only what is stored after this instant (default: everything).")
@data_dir_option
def forward_add(name: str, silo: str, secret_file: Any, data_dir: Path | None, **wanted: Any) -> None:
    """Keep a copy of the statements of a silo in another store, from now on."""
    settings = read_settings(data_dir).with_secret()
    secret = secret_file.read().strip() if secret_file else click.prompt("Secret", hide_input=True, err=True)
    if not secret:
        raise forward.ForwardFault("the secret is empty")
    with _opened(silo, data_dir) as (conn, silo_id):
        sealed = forwarding.sealed(settings.secret_key, silo_id, name, secret)
        forward.add(conn, silo_id, name, sealed_secret=sealed, now=utcnow(), **wanted)
        one = forward.get(conn, silo_id, name)
    content = _shown(one)
    try:
        forwarding.Peers(settings.secret_key).about(one)
    except PeerError as error:
        content["warning"] = str(error)
    answer({"silo": silo, **content})


@forwards.command("list")
@_silo_option
@data_dir_option
def forward_list(silo: str, data_dir: Path | None) -> None:
    """List the copies of a silo and how far they are."""
    with _opened(silo, data_dir) as (conn, silo_id):
        found = [_described(conn, one) for one in forward.list_all(conn, silo_id)]
    answer({"silo": silo, "forwards": found})


@forwards.command("show")
@click.argument("name")
@_silo_option
@data_dir_option
def forward_show(name: str, silo: str, data_dir: Path | None) -> None:
    """Show one copy and how far it is."""
    with _opened(silo, data_dir) as (conn, silo_id):
        content = _described(conn, forward.get(conn, silo_id, name))
    answer({"silo": silo, **content})


@forwards.command("pause")
@click.argument("name")
@_silo_option
@data_dir_option
def forward_pause(name: str, silo: str, data_dir: Path | None) -> None:
    """Send nothing until it is resumed; nothing is lost meanwhile."""
    with _opened(silo, data_dir) as (conn, silo_id):
        forward.pause(conn, silo_id, name)
    answer({"silo": silo, "name": name, "paused": True})


@forwards.command("resume")
@click.argument("name")
@_silo_option
@data_dir_option
def forward_resume(name: str, silo: str, data_dir: Path | None) -> None:
    """Go on from where the copy is, without waiting for the next attempt."""
    with _opened(silo, data_dir) as (conn, silo_id):
        forward.resume(conn, silo_id, name)
    answer({"silo": silo, "name": name, "paused": False})


@forwards.command("remove")
@click.argument("name")
@_silo_option
@data_dir_option
def forward_remove(name: str, silo: str, data_dir: Path | None) -> None:
    """Stop a copy and forget it; the other store keeps what it has."""
    with _opened(silo, data_dir) as (conn, silo_id):
        forward.remove(conn, silo_id, name)
    answer({"silo": silo, "name": name, "removed": True})


@forwards.command("dead")
@click.argument("name")
@_silo_option
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
@data_dir_option
def forward_dead(name: str, silo: str, limit: int, data_dir: Path | None) -> None:
    """List the statements that the other store refused, with its reason."""
    with _opened(silo, data_dir) as (conn, silo_id):
        forward.get(conn, silo_id, name)
        count = forward.count_dead(conn, silo_id, name)
        rows = forward.dead(conn, silo_id, name, limit=limit)
    answer({"silo": silo, "name": name, "count": count, "dead": [row._asdict() for row in rows]})


@forwards.command("retry")
@click.argument("name")
@click.argument("ids", nargs=-1, type=click.UUID)
@click.option("--all", "every", is_flag=True, help="All that were refused.")
@_silo_option
@data_dir_option
def forward_retry(name: str, ids: tuple[Any, ...], every: bool, silo: str, data_dir: Path | None) -> None:
    """Send refused statements again."""
    if every == bool(ids):
        raise click.UsageError("give the ids of refused statements, or --all")
    with _opened(silo, data_dir) as (conn, silo_id):
        count = forward.retry(conn, silo_id, name, None if every else [str(one) for one in ids])
    answer({"silo": silo, "name": name, "again": count})


def _described(conn: Connection, one: Forward) -> dict[str, Any]:
    content = _shown(one)
    content["waiting"] = forward.waiting(conn, one)
    content["dead"] = forward.count_dead(conn, one.silo_id, one.name)
    return content


def _shown(one: Forward) -> dict[str, Any]:
    """Return what may be shown of a copy: never its secret."""
    return {
        "name": one.name,
        "url": one.url,
        "key": one.username,
        "version": one.version,
        "with_answers": one.with_answers,
        "allow_private": one.allow_private,
        "paused": one.paused,
        "created_at": one.created_at,
        "sent": one.sent,
        "left_out": one.left_out,
        "last_sent_at": one.last_sent_at,
        "failures": one.failures,
        "next_at": one.next_at,
        "last_error": one.last_error,
    }
