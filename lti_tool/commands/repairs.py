"""`estime quarantine`, `estime key show`: what a key with repairs sent, and what no repair made good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson
from sqlalchemy import Engine

from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from tool_config import silos
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from tool_config.silos import SiloError
from xapi import auth, quarantine
from xapi.errors import XapiError

_silo_option = click.option("--silo", "name", required=True, help="Name or number of the silo.")


@click.command("show")
@click.argument("key_id")
@_silo_option
@data_dir_option
def key_show(key_id: str, name: str, data_dir: Path | None) -> None:
    """Show a key, and how many of its statements each rule repaired."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        found = next((row for row in silos.list_keys(conn, owner.silo_id) if row.key_id == key_id), None)
        if found is None:
            raise SiloError(f"this silo has no key {key_id!r}")
        content = found._asdict()
        repaired = quarantine.repairs(conn, owner.silo_id, key_id)
        content["previous_secret_until"] = silos.previous_secret_ends(conn, owner.silo_id, key_id)
    content["scopes"] = found.scopes.split()
    content["key"] = content.pop("key_id")
    answer({"silo": owner.name, **content, "repaired": repaired})


@click.group("quarantine")
def quarantines() -> None:
    """Statements that no repair made acceptable."""


@quarantines.command("list")
@_silo_option
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
@data_dir_option
def quarantine_list(name: str, limit: int, data_dir: Path | None) -> None:
    """List them, the oldest first, with the reason."""
    engine, _, silo_id = _opened(name, data_dir)
    with transaction(engine, silo_id, write=False) as conn:
        count = quarantine.count(conn, silo_id)
        rows = quarantine.listed(conn, silo_id, limit=limit)
    answer({"silo": name, "count": count, "statements": [_shown(row) for row in rows]})


@quarantines.command("show")
@click.argument("place")
@_silo_option
@data_dir_option
def quarantine_show(place: str, name: str, data_dir: Path | None) -> None:
    """Show one as it was received."""
    engine, _, silo_id = _opened(name, data_dir)
    with transaction(engine, silo_id, write=False) as conn:
        row = quarantine.one(conn, silo_id, place)
    answer({"silo": name, **_shown(row), "version": row.version, "body": orjson.loads(row.body)})


@quarantines.command("replay")
@click.argument("places", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of the silo.")
@_silo_option
@data_dir_option
def quarantine_replay(places: tuple[str, ...], every: bool, name: str, data_dir: Path | None) -> None:
    """Take statements again by the rules of this version; those that are refused again stay."""
    engine, settings, silo_id = _opened(name, data_dir)
    stored: list[str] = []
    refused: list[dict[str, str]] = []
    for place in _chosen(engine, silo_id, places, every):
        try:
            with transaction(engine, silo_id) as conn:
                stored.append(
                    quarantine.replay(
                        conn,
                        silo_id,
                        place,
                        clock=utcnow,
                        authority=lambda key_id: auth.authority(settings.public_url, key_id),
                    )
                )
        except XapiError as fault:
            refused.append({"id": place, "reason": str(fault)})
    answer({"silo": name, "stored": stored, "refused": refused})


@quarantines.command("delete")
@click.argument("places", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of the silo.")
@_silo_option
@data_dir_option
def quarantine_delete(places: tuple[str, ...], every: bool, name: str, data_dir: Path | None) -> None:
    """Delete statements from quarantine, for good."""
    engine, _, silo_id = _opened(name, data_dir)
    chosen = _chosen(engine, silo_id, places, every)
    with transaction(engine, silo_id) as conn:
        for place in chosen:
            quarantine.remove(conn, silo_id, place)
    answer({"silo": name, "deleted": chosen})


def _opened(name: str, data_dir: Path | None) -> tuple[Engine, Settings, int]:
    settings = read_settings(data_dir)
    engine = open_store(settings)
    with administration(engine) as conn:
        return engine, settings, silos.by_name(conn, name).silo_id


def _chosen(engine: Engine, silo_id: int, places: tuple[str, ...], every: bool) -> list[str]:
    if every == bool(places):
        raise click.UsageError("give the ids of what is in quarantine, or --all")
    if places:
        return list(dict.fromkeys(places))
    with transaction(engine, silo_id, write=False) as conn:
        limit = quarantine.count(conn, silo_id)
        return [row.quarantine_id for row in quarantine.listed(conn, silo_id, limit=limit)]


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.quarantine_id,
        "statement_id": row.statement_id,
        "key": row.key_id,
        "received_at": row.received_at,
        "reason": row.reason,
    }
