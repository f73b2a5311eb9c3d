"""The sessions of one path read for the ways people took through it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, exists, func, or_, select

from analyzers.frames.enrolment import enrolled, micros
from xapi import tables as t


def courses(conn: Connection, silo_id: int, path_id: int) -> list[Any]:
    """Return the sessions of a path, the first one first: course_id, title, starts_on, ends_on."""
    c = t.course.c
    query = (
        select(c.course_id, c.title, c.starts_on, c.ends_on)
        .where(c.silo_id == silo_id, c.path_id == path_id, c.course_id >= 0)
        .order_by(c.starts_on.is_not(None), c.starts_on, c.course_id)
    )
    return list(conn.execute(query))


def modules(conn: Connection, silo_id: int, course_ids: Sequence[int]) -> list[Any]:
    """Return the modules that hold something, in their order: course_id, iri, title, required."""
    m, inside = t.outline_item, t.outline_item.alias("inside")
    some = exists().where(
        inside.c.silo_id == silo_id,
        inside.c.course_id == m.c.course_id,
        inside.c.level == "activity",
        inside.c.module == m.c.iri,
    )
    query = (
        select(m.c.course_id, m.c.iri, m.c.title, m.c.required)
        .where(m.c.silo_id == silo_id, m.c.course_id.in_(course_ids), m.c.level == "module", some)
        .order_by(m.c.course_id, m.c.position, m.c.iri)
    )
    return list(conn.execute(query))


def people(conn: Connection, silo_id: int, course_id: int, *, as_of: datetime) -> list[Any]:
    """Return the enrolled of a session: actor, then microseconds of enrolment, first, last, completion."""
    e = enrolled(one_course=True).c
    query = select(
        e.actor, micros(e.enrolled_at), micros(e.first_at), micros(e.last_at), micros(e.completed_at)
    )
    return list(conn.execute(query, {"silo": silo_id, "course": course_id, "as_of": as_of}))


def gone(conn: Connection, silo_id: int, course_id: int) -> list[Any]:
    """Return learners who did something in a session and whom it knows to have left: as `people`."""
    a, m = t.rollup_actor, t.membership
    same = and_(m.c.silo_id == a.c.silo_id, m.c.course_id == a.c.course_id, m.c.actor == a.c.actor)
    query = (
        select(
            a.c.actor, micros(a.c.enrolled_at), micros(a.c.first_at), micros(a.c.last_at),
            micros(a.c.completed_at),
        )
        .select_from(a.outerjoin(m, same))
        .where(
            a.c.silo_id == silo_id,
            a.c.course_id == course_id,
            or_(m.c.role.is_(None), m.c.role == "trainee"),
            or_(a.c.left_at.is_not(None), m.c.until.is_not(None)),
            a.c.first_at.is_not(None),
        )
    )  # fmt: skip
    return list(conn.execute(query))


def entries(conn: Connection, silo_id: int, course_id: int) -> list[Any]:
    """Return who entered which module of a session.

    actor, module, microseconds of the first and the last trace, 1 where it is done, those of its completion.
    """
    r = t.rollup_module.c
    over = or_(r.completed_at.is_not(None), and_(r.required > 0, r.done >= r.required))
    query = select(
        r.actor,
        r.module,
        micros(r.first_at),
        micros(r.last_at),
        case((over, 1), else_=0),
        micros(r.completed_at),
    ).where(r.silo_id == silo_id, r.course_id == course_id)
    return list(conn.execute(query))


def state(conn: Connection, silo_id: int, course_ids: Sequence[int]) -> tuple[Any, ...]:
    """Return figures that change whenever one of the others would answer something else."""
    s, m, o = t.rollup_state.c, t.membership.c, t.outline_item.c
    asked = (
        select(func.count(), func.sum(s.version)).where(s.silo_id == silo_id, s.course_id.in_(course_ids)),
        select(func.count(), func.max(m.since), func.max(m.until)).where(
            m.silo_id == silo_id, m.course_id.in_(course_ids)
        ),
        select(func.count(), func.sum(o.position)).where(o.silo_id == silo_id, o.course_id.in_(course_ids)),
    )
    return tuple(value for query in asked for value in conn.execute(query).one())
