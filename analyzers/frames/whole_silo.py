"""Every session of a silo, counted in SQL."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
)

from analyzers.frames.enrolment import enrolled
from analyzers.shapes import SiloFrames, zone
from tool_config.tables import silo as silo_table
from xapi import tables as t
from xapi.sealed_tables import sealed_course

_COLUMNS = (
    "course_id",
    "title",
    "label",
    "path_id",
    "path_title",
    "starts_on",
    "ends_on",
    "partial",
    "fresh_at",
    "enrolled",
    "active",
    "finished",
    "last_at",
    "active_before",
)


def silo(conn: Connection, silo_id: int, *, as_of: datetime) -> SiloFrames:
    """Read the sessions of a silo at ``as_of``; LookupError when the connection sees no such silo.

    "Active" counts from the first of the last seven days in the silo's time zone.
    """
    name = conn.execute(select(silo_table.c.time_zone).where(silo_table.c.silo_id == silo_id)).scalar()
    if name is None:
        raise LookupError(f"there is no silo {silo_id}")
    tz = zone(name, "UTC")
    today = as_of.astimezone(tz).date()
    since = datetime.combine(today - timedelta(days=6), time(), tz)
    e = enrolled(one_course=False)
    values = {"silo": silo_id, "as_of": as_of}
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in conn.execute(_sessions(silo_id, since), values)]
    for row in rows:
        at = row.pop("last_at")
        row["last_on"] = None if at is None else min(at.astimezone(tz).date(), today)
    people = conn.execute(select(func.count(distinct(e.c.actor))), values).scalar_one()
    return SiloFrames(today, tuple(rows), people)


def _sessions(silo_id: int, since: datetime) -> Select[Any]:
    """Return one row a course with its counts."""
    c, p, s, d = t.course, t.path, t.rollup_state, t.rollup_actor_day
    # Counted once, before its traces went.
    sealed = sealed_course
    counts = _counts(silo_id, since)
    before = exists().where(
        d.c.silo_id == silo_id,
        d.c.course_id == c.c.course_id,
        d.c.day >= since.date() - timedelta(days=7),
        d.c.day < since.date(),
    )
    return (
        select(
            c.c.course_id,
            c.c.title,
            c.c.label,
            c.c.path_id,
            p.c.title,
            c.c.starts_on,
            c.c.ends_on,
            c.c.roster_at.is_(None),
            s.c.refreshed_at,
            func.coalesce(sealed.c.enrolled, counts.c.enrolled, 0),
            func.coalesce(counts.c.active, 0),
            func.coalesce(sealed.c.finished, counts.c.finished, 0),
            func.coalesce(sealed.c.last_at, counts.c.last_at),
            before,
        )
        .select_from(
            c.outerjoin(p, and_(p.c.silo_id == c.c.silo_id, p.c.path_id == c.c.path_id))
            .outerjoin(s, and_(s.c.silo_id == c.c.silo_id, s.c.course_id == c.c.course_id))
            .outerjoin(counts, counts.c.course_id == c.c.course_id)
            .outerjoin(sealed, and_(sealed.c.silo_id == c.c.silo_id, sealed.c.course_id == c.c.course_id))
        )
        .where(c.c.silo_id == silo_id, c.c.course_id >= 0)
        .order_by(c.c.course_id)
    )


def _counts(silo_id: int, since: datetime) -> Any:
    """Return, for each course, its enrolled, active and finished learners and the last trace."""
    e = enrolled(one_course=False)
    needed, reached = finishing(silo_id)
    finished = or_(e.c.completed_at.is_not(None), reached.c.n >= needed.c.n)
    return (
        select(
            e.c.course_id,
            func.count().label("enrolled"),
            _count_of(e.c.last_at >= since).label("active"),
            _count_of(finished).label("finished"),
            func.max(e.c.last_at).label("last_at"),
        )
        .select_from(
            e.outerjoin(needed, needed.c.course_id == e.c.course_id).outerjoin(
                reached, and_(reached.c.course_id == e.c.course_id, reached.c.actor == e.c.actor)
            )
        )
        .group_by(e.c.course_id)
        .subquery("counts")
    )


def finishing(silo_id: int) -> tuple[Subquery, Subquery]:
    """Return how many modules are to be finished (n) by course, then how many are by learner, since when."""
    goals = _goals(silo_id)
    needed = select(goals.c.course_id, func.count().label("n")).group_by(goals.c.course_id).subquery("needed")
    r = t.rollup_module
    over = or_(r.c.completed_at.is_not(None), and_(r.c.required > 0, r.c.done >= r.c.required))
    reached = (
        select(r.c.course_id, r.c.actor, func.count().label("n"), func.max(r.c.completed_at).label("last_at"))
        .select_from(r.join(goals, and_(goals.c.course_id == r.c.course_id, goals.c.iri == r.c.module)))
        .where(r.c.silo_id == silo_id, over)
        .group_by(r.c.course_id, r.c.actor)
        .subquery("reached")
    )
    return needed, reached


def _goals(silo_id: int) -> Any:
    """Return the modules to be finished: required, with at least one activity."""
    m, a = t.outline_item, t.outline_item.alias("inside")
    some = exists().where(
        a.c.silo_id == silo_id,
        a.c.course_id == m.c.course_id,
        a.c.level == "activity",
        a.c.module == m.c.iri,
    )
    wanted = select(m.c.course_id, m.c.iri).where(
        m.c.silo_id == silo_id, m.c.level == "module", m.c.required, some
    )
    return wanted.subquery("goals")


def _count_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
