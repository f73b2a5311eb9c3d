"""Lines of an imported log that the plugin says again later: theirs are voided, so that nothing counts twice.

The import itself leaves out what the plugin had sent before it. Afterwards each statement that comes for the
same person, activity and minute answers for one line of the log, as `moodle_log.unmatched` counts them: it
is the more precise of the two, and stays. The voiding statement's id is drawn from that of the statement
that overtook the line, so that one never answers for two.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, func, select

from lti_tool.import_tables import import_file
from lti_tool.imports import files, logs
from xapi import ingest, tables
from xapi.identity import CHUNK, TOOL
from xapi.statement import VOIDED

_NAMES = UUID("6f0d3a52-7e0b-5a0a-8a44-0b8f6f3f5d2e")
_KIND = "moodle_logs"
#: People looked at in one go; the others wait for the next.
_PEOPLE = 300

#: What a statement counts for: actor, kind, activity, minute.
_Key = tuple[str, str, str, datetime]


def concerned(conn: Connection, silo_id: int) -> bool:
    """Tell whether a silo took a log in: for the others nothing is looked at."""
    f = import_file.c
    query = select(f.file_id).where(f.silo_id == silo_id, f.kind == _KIND, f.state == files.DONE).limit(1)
    return conn.execute(query).first() is not None


def void(conn: Connection, silo_id: int, *, now: datetime) -> int:
    """Void the lines overtaken by what waits to be rolled up; return how many. Before the roll-up."""
    pending = tables.rollup_pending.c
    waiting = conn.execute(
        select(pending.course_id, pending.actor, func.min(pending.day), func.max(pending.day))
        .where(
            pending.silo_id == silo_id,
            pending.course_id >= 0,
            pending.actor != "",
            pending.day.is_not(None),
        )
        .group_by(pending.course_id, pending.actor)
        .limit(_PEOPLE)
    ).all()
    by_course: dict[int, list[Any]] = defaultdict(list)
    for row in waiting:
        by_course[row[0]].append(row)
    batch: list[dict[str, Any]] = []
    for course_id, some in sorted(by_course.items()):
        first = datetime.combine(min(row[2] for row in some), time(), UTC) - timedelta(days=1)
        until = datetime.combine(max(row[3] for row in some), time(), UTC) + timedelta(days=2)
        pairs = _pairs(conn, silo_id, course_id, [row[1] for row in some], first, until)
        batch += [_voiding(overtaking, line) for overtaking, line in pairs]
    if batch:
        ingest.ingest(conn, silo_id, batch, now=now)
    return len(batch)


def _pairs(
    conn: Connection, silo_id: int, course_id: int, actors: list[str], first: datetime, until: datetime
) -> list[tuple[str, str]]:
    """Return (statement that overtakes, line of a log), each once."""
    e, s = tables.event.c, tables.statement.c
    query = (
        select(e.statement_id, e.actor, e.kind, e.activity, e.at, s.key_id, s.stored)
        .select_from(tables.event.join(tables.statement, (s.silo_id == e.silo_id) & (s.id == e.statement_id)))
        .where(e.silo_id == silo_id, e.course_id == course_id, e.at >= first, e.at < until)
        .where(e.actor.in_(actors))
        .order_by(s.stored, e.statement_id)
    )
    lines: dict[_Key, list[tuple[datetime, str]]] = defaultdict(list)
    others: list[tuple[datetime, str, _Key]] = []
    for row in conn.execute(query):
        minute = row.at.replace(second=0, microsecond=0)
        key = (row.actor, row.kind, row.activity, minute)
        if row.key_id == logs.KEY:
            lines[key].append((row.stored, str(row.statement_id)))
        else:
            others.append((row.stored, str(row.statement_id), key))
    later = [(name, key) for stored, name, key in others if key in lines and lines[key][0][0] < stored]
    spent = _spent(conn, silo_id, [name for name, _ in later])
    pairs = []
    for name, key in later:
        if name not in spent and lines[key]:
            pairs.append((name, lines[key].pop(0)[1]))
    return pairs


def _voiding(overtaking: str, line: str) -> dict[str, Any]:
    return {
        "id": str(uuid5(_NAMES, overtaking)),
        "actor": TOOL,
        "verb": {"id": VOIDED, "display": {"en": "voided"}},
        "object": {"objectType": "StatementRef", "id": line},
    }


def _spent(conn: Connection, silo_id: int, names: list[str]) -> set[str]:
    """Return those of some statements that have answered for a line already."""
    marks = {str(uuid5(_NAMES, name)): name for name in names}
    found: set[str] = set()
    table, wanted = tables.statement.c, sorted(marks)
    for start in range(0, len(wanted), CHUNK):
        some = table.id.in_(wanted[start : start + CHUNK])
        found |= {
            marks[str(key)] for key in conn.scalars(select(table.id).where(table.silo_id == silo_id, some))
        }
    return found
