"""Batches of the keys that ask for repairs: what is good goes in, what is not is kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, delete, func, select

from tool_config.database import insert
from xapi import ingest, repair, statement, store, tombstones
from xapi.document_tables import key_repair, quarantine
from xapi.errors import NotFound, XapiError

#: A reason is shown in a line of a terminal.
_LONGEST_REASON = 500


@dataclass
class Received:
    """One item of a batch: what came, and either the statement made of it or why there is none."""

    item: Any
    statement: dict[str, Any] | None = None
    rules: frozenset[str] = frozenset()
    reason: str = ""


def prepare(items: Sequence[Any], version: str, *, check: Callable[[dict[str, Any]], None]) -> list[Received]:
    """Repair and validate each item by itself, before any transaction is opened.

    `check` refuses what the request cannot carry (XapiError). Statements without id get theirs.
    """
    made: list[Received] = []
    for item in items:
        one = Received(item)
        try:
            repair.refuse_nul(item)
            repaired = repair.moodle(item, version)
            check(repaired.statement)
            one.statement, one.rules = repaired.statement, repaired.rules
            one.statement.setdefault("id", str(uuid4()))
        except XapiError as fault:
            one.reason = str(fault)[:_LONGEST_REASON]
        made.append(one)
    return made


def take(
    conn: Connection,
    silo_id: int,
    lots: Iterable[Sequence[Received]],
    *,
    stored: datetime,
    key_id: str,
    authority: Mapping[str, Any],
    version: str,
) -> list[str]:
    """Store what can be, keep the rest apart, count what was repaired; return the ids in order.

    `lots`: of one batch, in order, each seen here for the first time. `stored` is what `ingest.begin` gave
    for the statements of the batch.
    """
    ids: list[str] = []
    counts: Counter[str] = Counter()
    for lot in lots:
        ids += _take_lot(conn, silo_id, lot, counts, stored, key_id, authority, version)
    _count(conn, silo_id, key_id, counts, stored)
    return ids


def _take_lot(
    conn: Connection,
    silo_id: int,
    batch: Sequence[Received],
    counts: Counter[str],
    stored: datetime,
    key_id: str,
    authority: Mapping[str, Any],
    version: str,
) -> list[str]:
    """Take one lot and return its ids; adds to `counts`."""
    _refuse_different(conn, silo_id, batch)
    while True:
        first = _firsts(batch)
        good = list(first.values())
        try:
            with conn.begin_nested():
                written = ingest.write(
                    conn,
                    silo_id,
                    [one.statement for one in good if one.statement is not None],
                    stored=stored,
                    key_id=key_id,
                    authority=authority,
                    version=version,
                )
            break
        except XapiError as fault:
            if fault.index is None:
                raise
            # Taken meanwhile by another writer: that one is kept apart, and the others are written.
            bad = good[fault.index]
            bad.statement, bad.reason = None, fault.reason[:_LONGEST_REASON]
    counts.update(rule for name, one in first.items() if name in written.new for rule in one.rules)
    ids, apart = _keep_apart(conn, silo_id, batch, stored, key_id, version)
    if apart:
        counts["quarantined"] += apart
    return ids


def _firsts(batch: Iterable[Received]) -> dict[str, Received]:
    """Return the statements to be written, by id; what says the same as one before it is left out."""
    found: dict[str, Received] = {}
    for one in batch:
        if one.statement is None:
            continue
        known = found.setdefault(one.statement["id"].lower(), one)
        if known is one or known.statement is None:
            continue
        if not statement.equivalent(one.statement, known.statement):
            one.statement, one.reason = None, "another statement of the batch has the same id"
    return found


def _refuse_different(conn: Connection, silo_id: int, batch: Sequence[Received]) -> None:
    """Set aside the statements whose id is taken by a different one (Communication 2.1.2)."""
    given = {
        one.statement["id"].lower() for one in batch if one.statement is not None and "id" not in one.rules
    }
    if not given:
        return
    there = {key: orjson.loads(raw) for key, raw in store.kept(conn, silo_id, sorted(given)).items()}
    for one in batch:
        known = there.get(one.statement["id"].lower()) if one.statement is not None else None
        if one.statement is not None and known is not None and not statement.equivalent(one.statement, known):
            one.statement, one.reason = None, "its id is taken by a different statement"


def _keep_apart(
    conn: Connection,
    silo_id: int,
    batch: Sequence[Received],
    received_at: datetime,
    key_id: str,
    version: str,
) -> tuple[list[str], int]:
    """Return the id answered for each item, and how many were newly kept apart."""
    ids: list[str] = []
    rows: dict[str, dict[str, Any]] = {}
    for one in batch:
        if one.statement is not None:
            ids.append(one.statement["id"].lower())
            continue
        body = orjson.dumps(one.item)
        place = repair.quarantine_id(key_id, body)
        ids.append(_own_id(one.item) or place)
        if tombstones.speaks_of(conn, silo_id, one.item):
            continue  # of somebody erased: answered, and not kept
        rows[place] = {
            "silo_id": silo_id,
            "quarantine_id": place,
            "key_id": key_id,
            "received_at": received_at,
            "version": version,
            "statement_id": ids[-1],
            "reason": one.reason,
            "body": body.decode(),
        }
    if not rows:
        return ids, 0
    adding = insert(conn, quarantine).on_conflict_do_nothing().returning(quarantine.c.quarantine_id)
    return ids, len(conn.execute(adding, [rows[place] for place in sorted(rows)]).all())


def _own_id(item: Any) -> str | None:
    given = item.get("id") if isinstance(item, dict) else None
    try:
        return str(UUID(given)) if isinstance(given, str) else None
    except ValueError:
        return None


def _count(conn: Connection, silo_id: int, key_id: str, counts: Mapping[str, int], now: datetime) -> None:
    """Add to the counters of a key, in one order, last of the transaction: no deadlock."""
    rows = [
        {"silo_id": silo_id, "key_id": key_id, "rule": rule, "statements": number, "last_at": now}
        for rule, number in sorted(counts.items())
    ]
    if not rows:
        return
    adding = insert(conn, key_repair)
    adding = adding.on_conflict_do_update(
        index_elements=[key_repair.c.silo_id, key_repair.c.key_id, key_repair.c.rule],
        set_={
            "statements": key_repair.c.statements + adding.excluded.statements,
            "last_at": adding.excluded.last_at,
        },
    )
    conn.execute(adding, rows)


# --- what was kept apart, and what was counted ------------------------------------------------------------


def repairs(conn: Connection, silo_id: int, key_id: str) -> dict[str, int]:
    """Return the statements that each rule touched, for a key."""
    columns = key_repair.c
    wanted = select(columns.rule, columns.statements).where(
        columns.silo_id == silo_id, columns.key_id == key_id
    )
    return {row.rule: row.statements for row in conn.execute(wanted.order_by(columns.rule))}


def count(conn: Connection, silo_id: int) -> int:
    """Return how many statements are kept apart."""
    wanted = select(func.count()).select_from(quarantine).where(quarantine.c.silo_id == silo_id)
    return int(conn.execute(wanted).scalar_one())


def listed(conn: Connection, silo_id: int, *, limit: int = 100) -> list[Any]:
    """Return (quarantine_id, statement_id, key_id, received_at, reason), the oldest first."""
    columns = quarantine.c
    wanted = select(
        columns.quarantine_id, columns.statement_id, columns.key_id, columns.received_at, columns.reason
    ).where(columns.silo_id == silo_id)
    return list(conn.execute(wanted.order_by(columns.received_at, columns.quarantine_id).limit(limit)))


def one(conn: Connection, silo_id: int, place: str) -> Any:
    """Return the row of what is kept apart under an id; raises NotFound."""
    found = conn.execute(
        select(quarantine).where(quarantine.c.silo_id == silo_id, quarantine.c.quarantine_id == _uuid(place))
    ).first()
    if found is None:
        raise NotFound(f"nothing is in quarantine under {place[:100]!r}")
    return found


def remove(conn: Connection, silo_id: int, place: str) -> None:
    """Delete what is kept apart under an id; raises NotFound."""
    done = conn.execute(
        delete(quarantine).where(quarantine.c.silo_id == silo_id, quarantine.c.quarantine_id == _uuid(place))
    )
    if done.rowcount != 1:
        raise NotFound(f"nothing is in quarantine under {place[:100]!r}")


def replay(
    conn: Connection,
    silo_id: int,
    place: str,
    *,
    clock: Callable[[], datetime],
    authority: Callable[[str], Mapping[str, Any]],
) -> str:
    """Take again what was kept apart, by today's rules, and return its id.

    `authority`: of a key, by its id. It is stored under the id that its sender was answered. Raises
    XapiError when it is still refused: the transaction is then to be rolled back, and it stays.
    """
    row = one(conn, silo_id, place)
    repaired = repair.moodle(orjson.loads(row.body), row.version)
    said = {**repaired.statement, "id": row.statement_id}
    stored = ingest.begin(conn, silo_id, [said], clock)
    ingest.write(
        conn,
        silo_id,
        [said],
        stored=stored,
        key_id=row.key_id,
        authority=authority(row.key_id),
        version=row.version,
    )
    remove(conn, silo_id, place)
    _count(conn, silo_id, row.key_id, Counter(repaired.rules), stored)
    return str(row.statement_id)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound(f"nothing is in quarantine under {text[:100]!r}") from None
