"""Enrolments and sessions of a whole silo, for the frame of the community."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from analyzers.frames.enrolment import enrolled, micros
from analyzers.frames.whole_silo import finishing
from xapi import tables as t

#: Rows read at a time: hundreds of thousands of tuples at once would take the memory of the worker.
_CHUNK = 20_000


def enrolments(conn: Connection, silo_id: int, *, as_of: datetime) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield lots of the enrolled of every course, in the order of courses.

    course_id, actor, then microseconds since 1970 (None unknown): enrolled, first, last, completed; seconds,
    attended, days, 1 where finished, microseconds of the last module finished.
    """
    e = enrolled(one_course=False)
    needed, reached = finishing(silo_id)
    over = or_(e.c.completed_at.is_not(None), reached.c.n >= needed.c.n)
    query = (
        select(
            e.c.course_id,
            e.c.actor,
            *(micros(e.c[name]) for name in ("enrolled_at", "first_at", "last_at", "completed_at")),
            e.c.seconds_30,
            e.c.attended,
            e.c.days,
            over,
            micros(reached.c.last_at),
        )
        .select_from(
            e.outerjoin(needed, needed.c.course_id == e.c.course_id).outerjoin(
                reached, and_(reached.c.course_id == e.c.course_id, reached.c.actor == e.c.actor)
            )
        )
        .where(e.c.course_id >= 0)
    )
    found = conn.execute(query, {"silo": silo_id, "as_of": as_of}, execution_options={"yield_per": _CHUNK})
    yield from found.partitions()


def sessions(conn: Connection, silo_id: int) -> list[Any]:
    """Return every course: course_id, title, label, path_id, path's title, starts_on, ends_on, partial."""
    c, p = t.course, t.path
    query = (
        select(
            c.c.course_id, c.c.title, c.c.label, c.c.path_id, p.c.title.label("path_title"), c.c.starts_on,
            c.c.ends_on, c.c.roster_at.is_(None).label("partial"),
        )
        .select_from(c.outerjoin(p, and_(p.c.silo_id == c.c.silo_id, p.c.path_id == c.c.path_id)))
        .where(c.c.silo_id == silo_id, c.c.course_id >= 0)
        .order_by(c.c.course_id)
    )  # fmt: skip
    return list(conn.execute(query))


def planned_hours(conn: Connection, silo_id: int) -> dict[int, tuple[float | None, float | None]]:
    """Return the hours that the outline of each course plans, in person and at a distance."""
    o = t.outline_item.c
    query = (
        select(o.course_id, func.sum(o.hours_in_person), func.sum(o.hours_distance))
        .where(o.silo_id == silo_id, o.level == "module")
        .group_by(o.course_id)
    )
    return {course_id: (present, distance) for course_id, present, distance in conn.execute(query)}


def traces_state(conn: Connection, silo_id: int) -> tuple[Any, ...]:
    """Return figures that change whenever `enrolments` or `planned_hours` would."""
    s, m, o = t.rollup_state.c, t.membership.c, t.outline_item.c
    asked = (
        select(func.count(), func.sum(s.version)).where(s.silo_id == silo_id),
        select(func.count(), func.max(m.since), func.max(m.until)).where(m.silo_id == silo_id),
        select(func.count(), func.sum(o.hours_in_person), func.sum(o.hours_distance)).where(
            o.silo_id == silo_id
        ),
    )
    return tuple(value for query in asked for value in conn.execute(query).one())
