"""Feedback heard in a collective debrief, drawn from `commented` statements like answers.

The statement is the tutor's who wrote it down; it speaks of a group, names nobody and is no learning event.
Only the tool's own count: what a key writes is kept, and shown nowhere as a debrief.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select

from tool_config.database import insert
from xapi.depth_tables import debrief
from xapi.identity import CHUNK, TOOL, course_id
from xapi.tables import statement

COMMENTED = "http://adlnet.gov/expapi/verbs/commented"
#: Context extension: {"course", "module", "object", "day"} (texts) and "present" (a number).
EXTENSION = "urn:estime:debrief"


def is_debrief(said: Mapping[str, Any]) -> bool:
    """Say whether a validated statement writes down a debrief (and so is no event)."""
    if said["verb"]["id"] != COMMENTED:
        return False
    return EXTENSION in ((said.get("context") or {}).get("extensions") or {})


def record(conn: Connection, silo_id: int, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert the rows of statements just stored; return how many there were. What is there stays."""
    made = []
    for row in rows:
        if row["verb"] != COMMENTED or row["voided"] or EXTENSION not in row["raw"]:
            continue
        said = orjson.loads(row["raw"])
        if said.get("authority") == TOOL and is_debrief(said):
            found = _row(silo_id, row, said)
            if found is not None:
                made.append(found)
    for start in range(0, len(made), CHUNK):
        conn.execute(insert(conn, debrief).on_conflict_do_nothing(), made[start : start + CHUNK])
    return len(made)


def _row(silo_id: int, row: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any] | None:
    told, text = said["context"]["extensions"][EXTENSION], (said.get("result") or {}).get("response")
    if not isinstance(told, Mapping) or not isinstance(text, str):
        return None
    names = [told.get(key, "") for key in ("course", "module", "object", "day")]
    present = told.get("present")
    if not all(isinstance(name, str) for name in names) or not isinstance(present, int) or not names[0]:
        return None
    try:
        day = date.fromisoformat(names[3])
    except ValueError:
        return None
    return {
        "silo_id": silo_id,
        "course_id": course_id(silo_id, names[0]),
        "statement_id": row["id"],
        "day": day,
        "module": names[1],
        "object": names[2],
        "said": text,
        "present": present,
        "recorded_by": row["actor"],
        "recorded_at": row["timestamp"],
    }


def forget(conn: Connection, silo_id: int, statement_ids: Sequence[str]) -> None:
    """Delete the rows of voided statements."""
    for start in range(0, len(statement_ids), CHUNK):
        some = debrief.c.statement_id.in_(statement_ids[start : start + CHUNK])
        conn.execute(delete(debrief).where(debrief.c.silo_id == silo_id, some))


def rebuild(conn: Connection, silo_id: int) -> None:
    """Empty the rows of a silo and draw them again from its statements."""
    conn.execute(delete(debrief).where(debrief.c.silo_id == silo_id))
    query = (
        select(*(statement.c[name] for name in ("id", "timestamp", "verb", "actor", "voided", "raw")))
        .where(statement.c.silo_id == silo_id, statement.c.verb == COMMENTED, statement.c.voided.is_(False))
        .order_by(statement.c.id)
        .execution_options(yield_per=2000)
    )
    for batch in conn.execute(query).mappings().partitions():
        record(conn, silo_id, [dict(row) for row in batch])
