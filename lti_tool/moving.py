"""A whole silo from one store to another, on either engine, verified by counts and digests.

Every table of `metadata` is moved: a new one cannot be forgotten. Rows are read and written in the order
of their primary keys, so that the target's physical order says nothing of when they came; the box of an
anonymous questionnaire is one row and stays sealed. The number of the silo is kept, because the keys of
courses and the names of launches hold it. What is encrypted travels as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Engine, Table, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from lti_tool import invited_tables as _invited_tables
from lti_tool import migrations
from lti_tool import profile_tables as _profile_tables
from lti_tool import tables as _lti_tables
from lti_tool.surveys import box as survey_box
from tool_config import platforms, sealing
from tool_config import tables as _config_tables
from tool_config.database import administration, metadata
from tool_config.silos import Silo, by_name, list_all
from xapi import forward_tables as _forward_tables
from xapi import tables as _xapi_tables

#: Rows of one statement of SQL, and of one step of the progress.
BATCH = 1000
_MODULUS = 1 << 256

#: Every table that holds rows of a silo; parents before children.
TABLES: tuple[Table, ...] = tuple(table for table in metadata.sorted_tables if "silo_id" in table.c)
SEALED = (_config_tables.tool_key, _lti_tables.survey_box)
#: Columns sealed for one use (`tool_config.sealing`), and the name of that use, made of the row's.
SECRETS: tuple[tuple[Column[Any], str], ...] = (
    (_forward_tables.forward.c.sealed_secret, "forward {silo_id} {name}"),
    (_profile_tables.profile_provider.c.client_secret, "profile provider {silo_id}"),
    (_profile_tables.profile_grant.c.address, "profile {silo_id}"),
    (_invited_tables.invited.c.address, "invited {silo_id}"),
)

Progress = Callable[[str, int, int], None]


class MoveError(Exception):
    """A silo that cannot be moved; the message says why. Nothing of it is in the target."""


@dataclass(frozen=True)
class Count:
    """Rows of one table, and what they hold: the sum of the rows' SHA-256, in hexadecimal digits."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Moved:
    """One silo, as read in the source and read again in the target."""

    silo_id: int
    name: str
    tables: dict[str, Count]
    #: Rows that only the source's secret key opens.
    sealed: int
    #: The secret key at hand opens them; None when there is none at hand, or nothing sealed.
    opened: bool | None


def move(
    source: Engine,
    target: Engine,
    name: str | None = None,
    *,
    secret_key: str = "",
    progress: Progress = lambda _silo, _done, _total: None,
) -> list[Moved]:
    """Copy one silo, or every one, into a store of the same revision; one transaction of the target each.

    The source is read in one snapshot (on SQLite its writers wait meanwhile) and left as it is. Raises
    MoveError, SiloError when there is no such silo. What can be refused is, before anything is written.
    """
    _require_same_schema(source, target)
    moved: list[Moved] = []
    with administration(_snapshot(source)) as reading:
        chosen = [by_name(reading, name)] if name else list_all(reading)
        if not chosen:
            raise MoveError("there is no silo in the source")
        sealed = {one.silo_id: _sealed(reading, one, secret_key) for one in chosen}
        with administration(target) as conn:
            for one in chosen:
                _require_room(conn, reading, one)
        for one in chosen:
            try:
                with administration(target) as writing:
                    tables = _copy(reading, writing, one, progress)
            except DBAPIError as error:
                done = ", ".join(item.name for item in moved) or "none"
                reason = str(error.orig).strip().splitlines()[0]
                raise MoveError(f"the target refuses rows of {one.name}: {reason} (moved: {done})") from error
            moved.append(Moved(one.silo_id, one.name, tables, *sealed[one.silo_id]))
    return moved


# --- before ------------------------------------------------------------------------------------------------


def _snapshot(engine: Engine) -> Engine:
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def _revision(engine: Engine) -> str:
    with administration(engine) as conn:
        return ",".join(sorted(MigrationContext.configure(conn).get_current_heads()))


def _require_same_schema(source: Engine, target: Engine) -> None:
    """Refuse two revisions, one that is not this version's, and tables that this version does not know."""
    found = {"source": _revision(source), "target": _revision(target)}
    for where, revision in found.items():
        if not revision:
            raise MoveError(f"the {where} has no schema: run `estime db upgrade` on it")
    if found["source"] != found["target"]:
        raise MoveError(
            f"the source is at revision {found['source']}, the target at {found['target']}: "
            "run `estime db upgrade` on both"
        )
    for where, engine in (("source", source), ("target", target)):
        if not migrations.is_current(engine):
            raise MoveError(f"the schema of the {where} is not that of this version: run `estime db upgrade`")
        unknown = set(inspect(engine).get_table_names()) - {table.name for table in TABLES}
        if where == "source" and unknown - {"alembic_version"}:
            raise MoveError(f"the source has tables that would be left behind: {', '.join(sorted(unknown))}")


def _require_room(conn: Connection, reading: Connection, one: Silo) -> None:
    """Refuse a silo whose name, number, LRS key or platform the target already has."""
    silo, key, platform = _config_tables.silo, _config_tables.lrs_key, _config_tables.platform
    if conn.execute(select(silo.c.silo_id).where(silo.c.name == one.name)).first():
        raise MoveError(f"the target already has a silo named {one.name}")
    holder = conn.execute(select(silo.c.name).where(silo.c.silo_id == one.silo_id)).scalar()
    if holder is not None:
        raise MoveError(
            f"the number {one.silo_id} of {one.name} is that of the silo {holder} in the target, and cannot "
            "be changed: keys of courses are drawn from it; move it into a store where it is free"
        )
    for table, columns in ((key, ("key_id",)), (platform, ("issuer", "client_id"))):
        wanted = select(*(table.c[name] for name in columns)).where(table.c.silo_id == one.silo_id)
        for values in reading.execute(wanted):
            same = [table.c[name] == value for name, value in zip(columns, values, strict=True)]
            if conn.execute(select(table.c.silo_id).where(*same)).first():
                raise MoveError(f"another silo of the target already has the {table.name} {' '.join(values)}")


def _sealed(conn: Connection, one: Silo, secret_key: str) -> tuple[int, bool | None]:
    """Count what is encrypted, and try the secret key on it."""
    keys, boxes = SEALED
    pairs = conn.execute(select(keys).where(keys.c.silo_id == one.silo_id)).all()
    # A box that nobody has answered into yet is empty: there is nothing to open.
    held = conn.execute(select(boxes).where(boxes.c.silo_id == one.silo_id, boxes.c.held != b"")).all()
    secrets = list(_secrets(conn, one.silo_id))
    many = len(pairs) + len(held) + len(secrets)
    if not secret_key or not many:
        return many, None
    opened = True
    try:
        if any(pair.retired_at is None for pair in pairs):
            platforms.private_key(conn, one.silo_id, secret_key)
        for box in held:
            survey_box.unseal(survey_box.key(secret_key), box.survey_id, box.held)
        for use, sealed in secrets:
            sealing.unseal(secret_key, use, sealed)
    except (platforms.PlatformError, survey_box.BoxError, sealing.SealError):
        opened = False
    return many, opened


def _secrets(conn: Connection, silo_id: int) -> Iterator[tuple[str, str]]:
    """Yield (use, sealed text) of every secret of a silo that was sealed for one use."""
    for column, use in SECRETS:
        held = select(column.table).where(column.table.c.silo_id == silo_id, column.is_not(None))
        for row in conn.execute(held).mappings():
            yield use.format_map(row), row[column.name]


# --- rows --------------------------------------------------------------------------------------------------


def _copy(reading: Connection, writing: Connection, one: Silo, progress: Progress) -> dict[str, Count]:
    """Copy every table, then read the target again: the same counts and digests, or MoveError."""
    total = sum(_rows(reading, table, one.silo_id) for table in TABLES)
    done = 0
    sent: dict[str, Count] = {}
    for table in TABLES:
        digest = Digest()
        for rows in _batches(reading, table, one.silo_id):
            for row in rows:
                digest.add(row)
            names = table.columns.keys()
            writing.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
            done += len(rows)
            progress(one.name, done, total)
        sent[table.name] = digest.count()
    for table in TABLES:
        received = count(writing, table, one.silo_id)
        if received != sent[table.name]:
            raise MoveError(
                f"{table.name} of {one.name} is not the same in the target: {sent[table.name].rows} rows "
                f"read, {received.rows} read again; nothing of this silo was kept"
            )
    _reset_sequences(writing)
    return sent


def count(conn: Connection, table: Table, silo_id: int) -> Count:
    """Return how many rows of a silo a table holds, and their digest."""
    digest = Digest()
    for rows in _batches(conn, table, silo_id):
        for row in rows:
            digest.add(row)
    return digest.count()


def _rows(conn: Connection, table: Table, silo_id: int) -> int:
    wanted = select(func.count()).select_from(table).where(table.c.silo_id == silo_id)
    return int(conn.execute(wanted).scalar_one())


def _batches(conn: Connection, table: Table, silo_id: int) -> Iterator[Sequence[Any]]:
    """Yield the rows of a silo by primary key, `BATCH` at a time; they are never all in memory."""
    ordered = select(table).where(table.c.silo_id == silo_id).order_by(*table.primary_key.columns)
    yield from conn.execute(ordered.execution_options(yield_per=BATCH)).partitions()


class Digest:
    """The sum of the SHA-256 of rows: the same whatever their order and the engine that gives them."""

    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    def add(self, row: Sequence[Any]) -> None:
        """Add one row, its values in the order of the table's columns."""
        plain = orjson.dumps(
            [_canonical(value) for value in row], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
        )
        self._rows += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(plain).digest(), "big")) % _MODULUS

    def count(self) -> Count:
        """Return the rows added so far and their digest."""
        return Count(self._rows, f"{self._sum:064x}")


def _canonical(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, datetime | date):
        return {"date": value.isoformat()}
    return value


def _reset_sequences(conn: Connection) -> None:
    """Take PostgreSQL's sequences past the numbers just written (SQLite goes on from the largest)."""
    if conn.dialect.name != "postgresql":
        return
    for table in TABLES:
        column = table.autoincrement_column
        if column is not None:
            largest = select(func.max(column)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(select(func.setval(sequence, largest)))


#: Imported so that `metadata` knows every table.
_ = _xapi_tables
