"""What is used after the training, read in SQL: days in the spaces of ended sessions, the public site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from analyzers.aftermath import Seen
from xapi import tables as t
from xapi.dataset_tables import dataset_row

#: Rows read at a time.
_CHUNK = 20_000
#: Dataset of the public site's totals.
KIND = "consultations"
#: Pages read, the most seen first.
_MOST_PAGES = 50


def members(conn: Connection, silo_id: int, *, today: date) -> Iterator[Sequence[Any]]:
    """Yield lots of (course_id, actor, end of the session) of those seen in sessions that are over."""
    r, c = t.rollup_actor.c, t.course.c
    query = (
        select(r.course_id, r.actor, c.ends_on)
        .select_from(t.rollup_actor.join(t.course, _course(r)))
        .where(
            r.silo_id == silo_id, r.course_id >= 0, c.ends_on < today, ~_staff(r),
            or_(r.first_at.is_not(None), r.attended > 0),
        )
        .order_by(r.course_id)
    )  # fmt: skip
    yield from conn.execute(query, execution_options={"yield_per": _CHUNK}).partitions()


def visits(conn: Connection, silo_id: int, *, today: date) -> Iterator[Sequence[Any]]:
    """Yield lots of (course_id, actor, day) of traces left after the end of a session."""
    d, c = t.rollup_actor_day.c, t.course.c
    query = (
        select(d.course_id, d.actor, d.day)
        .select_from(t.rollup_actor_day.join(t.course, _course(d)))
        .where(d.silo_id == silo_id, d.course_id >= 0, c.ends_on < today, d.day > c.ends_on, ~_staff(d))
        .order_by(d.course_id)
    )
    yield from conn.execute(query, execution_options={"yield_per": _CHUNK}).partitions()


def state(conn: Connection, silo_id: int) -> tuple[Any, ...]:
    """Return figures that change whenever the rows above would."""
    s, c, m, d = t.rollup_state.c, t.course.c, t.membership.c, dataset_row.c
    asked = (
        select(func.count(), func.sum(s.version)).where(s.silo_id == silo_id),
        select(func.count(c.ends_on), func.min(c.ends_on), func.max(c.ends_on)).where(c.silo_id == silo_id),
        select(func.count(), func.max(m.since)).where(m.silo_id == silo_id),
        select(func.count(), func.max(d.updated_at)).where(d.silo_id == silo_id, d.kind == "people"),
    )
    return tuple(value for query in asked for value in conn.execute(query).one())


def _course(rows: Any) -> Any:
    return and_(t.course.c.silo_id == rows.silo_id, t.course.c.course_id == rows.course_id)


def _staff(rows: Any) -> Any:
    m = t.membership.c
    return exists().where(
        m.silo_id == rows.silo_id,
        m.course_id == rows.course_id,
        m.actor == rows.actor,
        or_(m.role != "trainee", m.aside_at.is_not(None)),
    )


# --- the public site --------------------------------------------------------------------------------------


def seen(conn: Connection, silo_id: int) -> list[Seen]:
    """Return the totals of the public site by month and by link."""
    d = dataset_row.c
    link = func.coalesce(d.data["promotion"].as_string(), "")
    query = (
        select(d.valid_on, link, *_sums("views", "visits", "robots"))
        .where(d.silo_id == silo_id, d.kind == KIND, d.valid_on.is_not(None))
        .group_by(d.valid_on, link)
        .order_by(d.valid_on, link)
    )
    return [
        Seen(day.replace(day=1), name, int(views), int(visits_), int(robots))
        for day, name, views, visits_, robots in conn.execute(query)
    ]


def pages(conn: Connection, silo_id: int, *, since: date) -> dict[str, tuple[int, int]]:
    """Return (views, visits) of the pages most seen since a day, by what the files call them."""
    d = dataset_row.c
    name = func.coalesce(d.data["resource"].as_string(), "")
    views, visited = _sums("views", "visits")
    query = (
        select(name, views, visited)
        .where(d.silo_id == silo_id, d.kind == KIND, d.valid_on >= since)
        .group_by(name)
        .order_by(views.desc(), visited.desc(), name)
        .limit(_MOST_PAGES)
    )
    return {page: (int(seen_), int(came)) for page, seen_, came in conn.execute(query) if page}


def audience_state(conn: Connection, silo_id: int) -> tuple[Any, ...]:
    """Return figures that change whenever the totals of the public site would."""
    d = dataset_row.c
    query = select(func.count(), func.max(d.updated_at)).where(d.silo_id == silo_id, d.kind == KIND)
    return tuple(conn.execute(query).one())


def _sums(*names: str) -> list[Any]:
    return [func.coalesce(func.sum(dataset_row.c.data[name].as_integer()), 0) for name in names]
