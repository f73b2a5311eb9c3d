"""Entries of the improvement log found, listed and counted; their history; what is published of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, or_, select

from lti_tool.improvement_tables import improvement, improvement_change
from lti_tool.improvements.entries import COLUMNS, COMPLAINT, OPEN, STATES, Entry
from lti_tool.improvements.figures import Seen
from xapi.tables import course, path

#: What a filter asks of the state: one of them, or all that is still to be done.
TO_DO = "to_do"


@dataclass(frozen=True)
class Wanted:
    """Which entries: of a course (None: of the whole silo), and what each filter asks, "" for all."""

    course_id: int | None
    #: Those that only administrators see too.
    reserved: bool
    state: str = ""
    #: A kind of the registry, observation, complaint.
    kind: str = ""
    module: str = ""
    path_id: int | None = None
    late: bool = False


@dataclass(frozen=True)
class Line:
    """One entry with what is shown beside it in a list."""

    entry: Entry
    seen: Seen | None
    measured: Seen | None
    course_title: str
    path_title: str


@dataclass(frozen=True)
class Change:
    """One line of an entry's history."""

    version: int
    at: datetime
    by: str | None
    role: str
    step: str
    figure: Seen | None
    #: Column -> value before, value after.
    fields: dict[str, tuple[Any, Any]]
    reason: str


@dataclass(frozen=True)
class Told:
    """What trainees read: you said, we did."""

    told: str
    done: str
    published_on: date


def lines(
    conn: Connection, silo_id: int, wanted: Wanted, *, today: date, limit: int | None = None, offset: int = 0
) -> list[Line]:
    """Return entries, what is late first, then what is due the soonest, then the latest opened."""
    c = improvement.c
    query = _listed(silo_id).where(*_filters(wanted, today))
    rank = case((_late(today), 0), (c.state.in_(OPEN), 1), else_=2)
    query = query.order_by(rank, c.due_on.is_(None), c.due_on, c.opened_on.desc(), c.improvement_id)
    if limit is not None:
        query = query.limit(limit).offset(offset)
    return [_line(row) for row in conn.execute(query)]


def one(conn: Connection, entry: Entry) -> Line:
    """Return an entry with what is shown beside it."""
    c = improvement.c
    query = _listed(entry.silo_id).where(
        c.course_id == entry.course_id, c.improvement_id == entry.improvement_id
    )
    return _line(conn.execute(query).one())


def history(conn: Connection, entry: Entry) -> list[Change]:
    """Return the history of an entry, the latest change first."""
    c = improvement_change.c
    query = (
        select(c.version, c.at, c.by, c.role, c.step, c.figure, c.fields, c.reason)
        .where(
            c.silo_id == entry.silo_id,
            c.course_id == entry.course_id,
            c.improvement_id == entry.improvement_id,
        )
        .order_by(c.version.desc())
    )
    return [
        Change(
            row.version, row.at, row.by, row.role, row.step,
            Seen.from_stored(row.figure) if row.figure else None,
            {name: (values[0], values[1]) for name, values in row.fields.items()},
            row.reason,
        )
        for row in conn.execute(query)
    ]  # fmt: skip


def late_for(
    conn: Connection, silo_id: int, course_id: int | None, actor: str, *, reserved: bool, today: date
) -> list[Line]:
    """Return what is late and concerns somebody: theirs to do, or nobody's of the tool in particular.

    `course_id` None: an administrator's, of every course; there, only their own and complaints kept to
    administrators, and all that is about the silo.
    """
    found = lines(conn, silo_id, Wanted(course_id, reserved, late=True), today=today)
    return [line for line in found if _concerns(line.entry, actor, today, across=course_id is None)]


def _concerns(entry: Entry, actor: str, today: date, *, across: bool) -> bool:
    if entry.owner is not None and not entry.unanswered(today):
        return entry.owner == actor
    return not across or entry.reserved or not entry.course_id


def published(conn: Connection, silo_id: int, course_id: int, *, limit: int) -> list[Told]:
    """Return what is published on the trainees' page of a course, the latest first."""
    c = improvement.c
    query = (
        select(c.told, c.done, c.published_on)
        .where(c.silo_id == silo_id, c.course_id == course_id, c.published_on.is_not(None))
        .order_by(c.published_on.desc(), c.improvement_id)
        .limit(limit)
    )
    return [Told(*row) for row in conn.execute(query)]


def complaints_of(conn: Connection, silo_id: int, course_id: int, actor: str) -> list[Entry]:
    """Return the complaints that somebody sent under their name in a course, the latest first."""
    c = improvement.c
    query = (
        select(*COLUMNS)
        .where(c.silo_id == silo_id, c.course_id == course_id, c.kind == COMPLAINT, c.author == actor)
        .order_by(c.opened_on.desc(), c.improvement_id)
    )
    return [Entry(**row._mapping) for row in conn.execute(query)]


def count_states(found: Iterable[Line]) -> dict[str, int]:
    """Count entries by state, every state included."""
    counts = dict.fromkeys(STATES, 0)
    for line in found:
        counts[line.entry.state] += 1
    return counts


def _listed(silo_id: int) -> Select[Any]:
    c = improvement.c
    first, after = improvement_change.alias("first"), improvement_change.alias("after")

    def of(change: Any, version: Any) -> ColumnElement[bool]:
        return and_(
            change.c.silo_id == c.silo_id,
            change.c.course_id == c.course_id,
            change.c.improvement_id == c.improvement_id,
            change.c.version == version,
        )

    return (
        select(
            *COLUMNS,
            first.c.figure.label("seen"),
            after.c.figure.label("measured"),
            course.c.title.label("course_title"),
            path.c.title.label("path_title"),
        )
        .select_from(
            improvement.join(first, of(first, 1))
            .outerjoin(after, of(after, c.checked_version))
            .outerjoin(course, and_(course.c.silo_id == c.silo_id, course.c.course_id == c.course_id))
            .outerjoin(path, and_(path.c.silo_id == c.silo_id, path.c.path_id == course.c.path_id))
        )
        .where(c.silo_id == silo_id)
    )


def _late(today: date) -> ColumnElement[bool]:
    c = improvement.c
    return or_(
        and_(c.state.in_(("decided", "ongoing")), c.due_on < today),
        and_(c.answered_on.is_(None), c.state != "abandoned", c.answer_by < today),
    )


def _filters(wanted: Wanted, today: date) -> list[ColumnElement[bool]]:
    c = improvement.c
    found: list[ColumnElement[bool]] = []
    if wanted.course_id is not None:
        found.append(c.course_id == wanted.course_id)
    if not wanted.reserved:
        found.append(c.reserved.is_(False))
    if wanted.state:
        found.append(c.state.in_(OPEN) if wanted.state == TO_DO else c.state == wanted.state)
    if wanted.kind:
        found.append(c.kind == wanted.kind)
    if wanted.module:
        found.append(c.module == wanted.module)
    if wanted.path_id is not None:
        found.append(course.c.path_id == wanted.path_id)
    if wanted.late:
        found.append(_late(today))
    return found


def _line(row: Any) -> Line:
    values = dict(row._mapping)
    seen, measured = values.pop("seen"), values.pop("measured")
    title, path_title = values.pop("course_title"), values.pop("path_title")
    return Line(
        Entry(**values),
        Seen.from_stored(seen) if seen else None,
        Seen.from_stored(measured) if measured else None,
        title or "",
        path_title or "",
    )
