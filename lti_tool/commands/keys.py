"""`estime keys`: the key pairs with which the tool signs what it sends to platforms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from tool_config import silos, tool_keys
from tool_config.database import administration
from tool_config.silos import Silo


@click.group()
def keys() -> None:
    """List and rotate the tool's own key pairs (those of `key` are for sending statements)."""


@contextmanager
def _chosen(data_dir: Path | None, name: str | None) -> Iterator[tuple[Connection, list[Silo], str]]:
    settings = read_settings(data_dir).with_secret()
    engine = open_store(settings)
    try:
        with administration(engine) as conn:
            owners = [silos.by_name(conn, name)] if name else silos.list_all(conn)
            yield conn, owners, settings.secret_key
    finally:
        engine.dispose()


def _said(conn: Connection, owner: Silo) -> dict[str, Any]:
    found = tool_keys.listing(conn, owner.silo_id, now=utcnow())
    return {"silo": owner.name, "keys": [vars(key) for key in found]}


@keys.command("list")
@click.option("--silo", help="Only this silo (name or number); every one otherwise.")
@data_dir_option
def list_keys(silo: str | None, data_dir: Path | None) -> None:
    """List the key pairs: which one signs, which are published, which are retired."""
    with _chosen(data_dir, silo) as (conn, owners, _):
        answer({"silos": [_said(conn, owner) for owner in owners]})


@keys.command()
@click.option("--silo", help="Only this silo (name or number); every one otherwise.")
@click.option(
    "--overlap", "days", default=7, show_default=True, type=click.IntRange(2, 365),
    help="Days for which the present key stays published.",
)  # fmt: skip
@click.option("--now", "at_once", is_flag=True, help="The present key is known to others: retire it at once.")
@data_dir_option
def rotate(silo: str | None, days: int, at_once: bool, data_dir: Path | None) -> None:
    """Make a new key pair: published at once, signing after a day; the present one leaves after the overlap.

    Nothing is to be done on the platforms: they read the keys at the tool's address.
    """
    with _chosen(data_dir, silo) as (conn, owners, secret_key):
        now = utcnow()
        for owner in owners:
            if at_once:
                tool_keys.replace(conn, owner.silo_id, secret_key, now=now)
            else:
                overlap = timedelta(days=days)
                tool_keys.rotate(conn, owner.silo_id, secret_key, now=now, overlap=overlap)
        answer({"silos": [_said(conn, owner) for owner in owners]})
