"""What was followed of each session, by kind of activity, and the marks: counted in SQL for a whole silo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select

from tool_config.activity_kinds import ASIDE, KINDS, ActivityKinds
from xapi import tables as t
from xapi.survey_tables import survey_step

#: Rows read at a time.
_CHUNK = 20_000


def online(conn: Connection, silo_id: int, kinds: ActivityKinds) -> Iterator[Sequence[Any]]:
    """Yield lots of (course_id, actor, place in `KINDS`, seconds) of activities that are no gathering."""
    r, o = t.rollup_activity.c, t.outline_item.c
    kind = _kind(kinds)
    query = (
        select(r.course_id, r.actor, kind.label("kind"), func.sum(r.seconds_30))
        .select_from(t.rollup_activity.join(t.outline_item, _same()))
        .where(
            r.silo_id == silo_id, r.course_id >= 0, o.level == "activity", o.gathering.is_(None),
            r.seconds_30 > 0, o.activity_type.not_in(_types(kinds, ASIDE)), ~_staff(r),
        )
        .group_by(r.course_id, r.actor, kind)
        .order_by(r.course_id)
    )  # fmt: skip
    yield from conn.execute(query, execution_options={"yield_per": _CHUNK}).partitions()


def attended(conn: Connection, silo_id: int) -> Iterator[Sequence[Any]]:
    """Yield lots of (course_id, actor, gathering, title, its hours or None), a presence each."""
    r, o = t.rollup_activity.c, t.outline_item.c
    query = (
        select(r.course_id, r.actor, o.gathering, o.title, func.coalesce(o.hours_in_person, o.hours_distance))
        .select_from(t.rollup_activity.join(t.outline_item, _same()))
        .where(
            r.silo_id == silo_id, r.course_id >= 0, o.level == "activity", o.gathering.is_not(None),
            r.attended_at.is_not(None), ~_staff(r),
        )
        .order_by(r.course_id)
    )  # fmt: skip
    yield from conn.execute(query, execution_options={"yield_per": _CHUNK}).partitions()


def gatherings(conn: Connection, silo_id: int) -> list[Any]:
    """Return (course_id, gathering, title, hours or None) of every gathering planned."""
    o = t.outline_item.c
    query = select(
        o.course_id, o.gathering, o.title, func.coalesce(o.hours_in_person, o.hours_distance)
    ).where(o.silo_id == silo_id, o.level == "activity", o.gathering.is_not(None))
    return list(conn.execute(query))


def marks(conn: Connection, silo_id: int) -> Iterator[Sequence[Any]]:
    """Yield lots of (course_id, actor, mean of the marks of the modules, 0 to 1)."""
    r = t.rollup_module.c
    query = (
        select(r.course_id, r.actor, func.avg(r.score))
        .where(r.silo_id == silo_id, r.course_id >= 0, r.score.is_not(None), ~_staff(r))
        .group_by(r.course_id, r.actor)
        .order_by(r.course_id)
    )
    yield from conn.execute(query, execution_options={"yield_per": _CHUNK}).partitions()


def state(conn: Connection, silo_id: int) -> tuple[Any, ...]:
    """Return figures that change whenever the rows above would."""
    s, m, o, p = t.rollup_state.c, t.membership.c, t.outline_item.c, survey_step.c
    asked = (
        select(func.count(), func.sum(s.version)).where(s.silo_id == silo_id),
        select(func.count(), func.max(m.since)).where(m.silo_id == silo_id),
        select(func.count(), func.sum(p.n), func.max(p.day)).where(p.silo_id == silo_id, p.closed),
        select(func.count(), func.count(o.gathering), func.sum(o.hours_in_person), func.sum(o.hours_distance))
        .where(o.silo_id == silo_id),
    )  # fmt: skip
    return tuple(value for query in asked for value in conn.execute(query).one())


def _same() -> ColumnElement[bool]:
    r, o = t.rollup_activity.c, t.outline_item.c
    return and_(o.silo_id == r.silo_id, o.course_id == r.course_id, o.iri == r.activity)


def _staff(r: Any) -> ColumnElement[bool]:
    """Say whether somebody is no trainee of the course."""
    m = t.membership.c
    return exists().where(
        m.silo_id == r.silo_id,
        m.course_id == r.course_id,
        m.actor == r.actor,
        or_(m.role != "trainee", m.aside_at.is_not(None)),
    )


def _types(kinds: ActivityKinds, name: str) -> list[str]:
    return sorted(one for one, kind in kinds.types.items() if kind == name)


def _kind(kinds: ActivityKinds) -> ColumnElement[int]:
    """Return the place in `KINDS` of an activity's type."""
    activity_type = t.outline_item.c.activity_type
    named = [(activity_type.in_(_types(kinds, name)), place) for place, name in enumerate(KINDS)]
    return case(*named, else_=KINDS.index("self_training"))
