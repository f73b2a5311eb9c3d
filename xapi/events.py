"""Event rows beside the statements, written in their transaction, and what is to be rolled up.

What a statement says is drawn by `xapi.reading`. Rows of `rollup_pending` are appended and taken, never
updated, so that none is lost whatever the order of commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, or_, select, update

from tool_config import vocabulary as vocabularies
from tool_config.database import insert, insert_rows
from xapi import answers
from xapi.identity import CHUNK, course_id, resolve
from xapi.reading import Event, from_statement
from xapi.tables import actor_alias, course, event, rollup_pending

#: Actor of a pending row that asks for the outline of the course to be drawn again, facts included.
OUTLINE = ""
#: Actor of a pending row that asks for every bucket of the course (change of time zone, rebuild).
EVERYONE = "*"

#: Kinds that are said of a learner without being an act of theirs: no visit, no time, no day.
PASSIVE = frozenset({"scored", "enrolled", "left", "notified", "uncompleted"})

#: Instants outside are faults of a clock; their local day could not even be written.
_PLAUSIBLE_YEARS = range(1990, 2101)


# --- writing: called in the transaction of the statements ---------------------------------------------


def record(
    conn: Connection,
    silo_id: int,
    rows: Iterable[Mapping[str, Any]],
    said: Mapping[str, Mapping[str, Any]] | None = None,
) -> int:
    """Insert the event rows of statements just stored and queue their buckets; return how many events.

    `rows`: rows of the table `statement` (id, stored, timestamp, actor are read; raw too, unless `said`
    has the statements by id). Voided statements are not to be given. Safe to call again: what is there
    stays.
    """
    found = event_rows(conn, silo_id, rows, said)
    insert_rows(conn, event, found, conflicts=True)
    insert_rows(conn, rollup_pending, pending_rows(silo_id, touched(found)))
    return len(found)


def touched(found: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str, date | None]]:
    """Yield what is to be rolled up for event rows."""
    return ((row["course_id"], row["actor"], utc_day(row["at"])) for row in found)


def event_rows(
    conn: Connection,
    silo_id: int,
    rows: Iterable[Mapping[str, Any]],
    said: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return the event rows of these statements, sorted by key; makes the rows of courses not yet known."""
    found, courses = drawn_rows(silo_id, rows, said)
    _add_courses(conn, silo_id, courses)
    return counted(found, resolve(conn, silo_id, {row["spoken_by"] for row in found}))


def drawn_rows(
    silo_id: int, rows: Iterable[Mapping[str, Any]], said: Mapping[str, Mapping[str, Any]] | None
) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]]]:
    """Return the event rows of these statements, not yet counted for anybody, and the rows of courses."""
    words = vocabularies.load()
    found: list[dict[str, Any]] = []
    keys: dict[str, int] = {}
    courses: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row["timestamp"].year not in _PLAUSIBLE_YEARS:
            continue
        drawn = from_statement(orjson.loads(row["raw"]) if said is None else said[row["id"]], words)
        if drawn is None:
            continue
        key = -silo_id
        if drawn.course_iri is not None:
            key = keys.get(drawn.course_iri) or course_id(silo_id, drawn.course_iri)
            keys[drawn.course_iri] = key
            courses[key] = {
                "silo_id": silo_id,
                "course_id": key,
                "iri": drawn.course_iri,
                "created_at": row["stored"],
            }
        found.append(_event_row(silo_id, key, row, drawn))
    return found, courses


def counted(found: list[dict[str, Any]], aliases: Mapping[str, str]) -> list[dict[str, Any]]:
    """Count event rows for those who spoke, or whom these are aliases of; return them sorted by key."""
    for values in found:
        values["actor"] = aliases.get(values["spoken_by"], values["spoken_by"])
    found.sort(key=lambda values: (values["course_id"], values["statement_id"]))
    return found


def _event_row(silo_id: int, key: int, row: Mapping[str, Any], drawn: Event) -> dict[str, Any]:
    return {
        "silo_id": silo_id,
        "course_id": key,
        "statement_id": str(row["id"]),
        "actor": row["actor"],
        "spoken_by": row["actor"],
        "kind": drawn.kind,
        "at": row["timestamp"],
        "activity": drawn.activity,
        "activity_type": drawn.activity_type,
        "activity_title": drawn.activity_title,
        "section": drawn.section,
        "section_title": drawn.section_title,
        "course_title": drawn.course_title,
        "score": drawn.score,
        "success": drawn.success,
        "duration": drawn.duration,
        "registration": drawn.registration,
    }


_COURSES = select(course.c.course_id).where(
    course.c.silo_id == bindparam("silo"), course.c.course_id.in_(bindparam("keys", expanding=True))
)


def _add_courses(conn: Connection, silo_id: int, courses: Mapping[int, dict[str, Any]]) -> None:
    """Insert the courses not yet known, in the order of their keys, so that two batches never deadlock."""
    wanted = sorted(courses)
    known: set[int] = set()
    for start in range(0, len(wanted), CHUNK):
        values = {"silo": silo_id, "keys": wanted[start : start + CHUNK]}
        known.update(conn.scalars(_COURSES, values))
    missing = [courses[key] for key in wanted if key not in known]
    if missing:
        conn.execute(insert(conn, course).on_conflict_do_nothing(), missing)


def utc_day(at: datetime) -> date:
    """Return the UTC day of an instant: what is queued, so that no time zone is needed to queue."""
    return at.astimezone(UTC).date()


def queue(conn: Connection, silo_id: int, buckets: Iterable[tuple[int, str, date | None]]) -> None:
    """Append (course, actor, UTC day) to what is to be rolled up, each once; no day: every day.

    Rolling up a UTC day covers the local days that it touches and the one before its first hour, in the
    time zone of that moment. Events without a course are not rolled up.
    """
    insert_rows(conn, rollup_pending, pending_rows(silo_id, buckets))


def pending_rows(silo_id: int, buckets: Iterable[tuple[int, str, date | None]]) -> list[dict[str, Any]]:
    """Return the rows that queue what `queue` describes."""
    return [
        {
            "silo_id": silo_id,
            "course_id": key,
            "pending_id": str(uuid.uuid4()),
            "actor": actor,
            "day": day,
        }
        for key, actor, day in dict.fromkeys(buckets)
        if key >= 0 or day is None
    ]


def forget(conn: Connection, silo_id: int, statement_ids: Sequence[str]) -> int:
    """Delete the event rows of voided statements and queue what they counted for; return how many."""
    ids = sorted({str(item) for item in statement_ids})
    gone: list[tuple[int, str, date | None]] = []
    for start in range(0, len(ids), CHUNK):
        where = (
            event.c.silo_id == silo_id,
            _any_course(silo_id),
            event.c.statement_id.in_(ids[start : start + CHUNK]),
        )
        for key, actor, at in conn.execute(
            select(event.c.course_id, event.c.actor, event.c.at).where(*where)
        ):
            gone.append((key, actor, utc_day(at)))
        conn.execute(delete(event).where(*where))
    outlines = [(key, OUTLINE, None) for key in dict.fromkeys(key for key, _, _ in gone) if key >= 0]
    queue(conn, silo_id, [*gone, *outlines])
    return len(gone)


def _any_course(silo_id: int) -> Any:
    """Name the courses of the silo: the event's key begins with the course."""
    known = select(course.c.course_id).where(course.c.silo_id == silo_id)
    return or_(event.c.course_id == -silo_id, event.c.course_id.in_(known))


def rename_actor(conn: Connection, silo_id: int, alias: str, actor: str) -> bool:
    """Count the events of `alias` (username, mbox…) for `actor`, now and later; False when known already.

    An event recorded at the same moment by another transaction is moved at a following refresh.
    """
    known = resolve(conn, silo_id, [alias, actor])
    target = known.get(actor, actor)
    if alias == target or known.get(alias) == target:
        return False
    followers = conn.scalars(
        select(actor_alias.c.alias).where(actor_alias.c.silo_id == silo_id, actor_alias.c.actor == alias)
    ).all()
    stored = insert(conn, actor_alias)
    conn.execute(
        stored.on_conflict_do_update(
            index_elements=["silo_id", "alias"], set_={"actor": stored.excluded.actor}
        ),
        [{"silo_id": silo_id, "alias": name, "actor": target} for name in sorted({alias, *followers})],
    )
    for name in sorted({alias, *followers}):
        answers.rename_actor(conn, silo_id, name, target)
    emptied = sorted({alias, known.get(alias, alias)})
    for name in emptied:
        settle(conn, silo_id, name)
    queue(conn, silo_id, [(-silo_id, name, None) for name in emptied])
    return True


def settle(conn: Connection, silo_id: int, actor: str) -> int:
    """Move the events counted for `actor` that its aliases no longer give to it; return how many.

    Queues every day of both.
    """
    where = (event.c.silo_id == silo_id, _any_course(silo_id), event.c.actor == actor)
    spoken = conn.execute(select(event.c.course_id, event.c.spoken_by).where(*where).distinct()).all()
    aliases = resolve(conn, silo_id, {name for _, name in spoken})
    moved = 0
    for key, name in sorted(spoken):
        target = aliases.get(name, name)
        if target == actor:
            continue
        change = update(event).where(*where, event.c.course_id == key, event.c.spoken_by == name)
        moved += conn.execute(change.values(actor=target)).rowcount
        if key >= 0:
            queue(conn, silo_id, [(key, actor, None), (key, target, None)])
    return moved
