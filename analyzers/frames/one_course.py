"""One course as it stands on one day, with the previous sessions of its path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, case, func, select

from analyzers.frames.enrolment import (
    COURSE,
    SILO,
    columns,
    days,
    enrolled,
    from_micros,
    local,
    micros,
)
from analyzers.shapes import Columns, CourseFrames, Item, Reference, zone
from tool_config.rules import Rules
from tool_config.tables import silo as silo_table
from xapi import tables as t

#: Previous sessions that the reference averages, at most.
_REFERENCES = 2
#: Previous sessions tried: some may be empty or too small.
_CANDIDATES = 5


def course(conn: Connection, silo_id: int, course_id: int, *, as_of: datetime, rules: Rules) -> CourseFrames:
    """Read a course as it stands at ``as_of``; LookupError when the silo has no such course."""
    found = _course_row(conn, silo_id, course_id)
    tz = zone(found.time_zone, found.silo_zone)
    today = as_of.astimezone(tz).date()
    modules, activities = _outline(conn, silo_id, course_id)
    learners, texts = _learners(conn, silo_id, course_id, as_of, tz, rules)
    rows = {actor: row for row, actor in enumerate(learners["actor"].tolist())}
    seen = days(texts, today)
    _mend_future(learners, seen, today)
    frames = CourseFrames(
        silo_id=silo_id,
        course_id=course_id,
        title=found.title,
        label=found.label,
        time_zone=tz.key,
        today=today,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        partial=found.roster_at is None,
        fresh_at=found.refreshed_at,
        version=found.version or 0,
        rules=rules,
        outline_modules=modules,
        activities=activities,
        learner_columns=learners,
        module_columns={},
        day_columns=seen,
    )
    path = found.path_id
    return replace(
        frames,
        module_columns=_modules(conn, frames, rows, tz),
        references=() if path is None else _references(conn, frames, path, as_of),
    )


def _course_row(conn: Connection, silo_id: int, course_id: int) -> Any:
    found = conn.execute(_course_statement(), {"silo": silo_id, "course": course_id}).first()
    if found is None:
        raise LookupError(f"silo {silo_id} has no course {course_id}")
    return found


@cache
def _course_statement() -> Select[Any]:
    c, s, r = t.course, silo_table, t.rollup_state
    state = and_(r.c.silo_id == c.c.silo_id, r.c.course_id == c.c.course_id)
    names = ("title", "label", "path_id", "time_zone", "starts_on", "ends_on", "roster_at")
    return (
        select(
            *(c.c[name] for name in names),
            s.c.time_zone.label("silo_zone"),
            r.c.version,
            r.c.refreshed_at,
        )
        .select_from(c.join(s, s.c.silo_id == c.c.silo_id).outerjoin(r, state))
        .where(c.c.silo_id == SILO, c.c.course_id == COURSE)
    )


def _outline(conn: Connection, silo_id: int, course_id: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return the modules and the activities, each in the order of the outline."""
    found = conn.execute(_outline_statement(), {"silo": silo_id, "course": course_id}).all()
    items = [Item(*row) for row in found]
    modules = sorted((i for i in items if i.level == "module"), key=lambda i: (i.position, i.iri))
    order = {item.iri: rank for rank, item in enumerate(modules)}
    activities = [i for i in items if i.level == "activity" and i.module in order]
    activities.sort(key=lambda i: (order[i.module], i.position, i.iri))
    return tuple(modules), tuple(activities)


@cache
def _outline_statement() -> Select[Any]:
    o = t.outline_item
    columns = (o.c[name] for name in Item.__dataclass_fields__)
    return select(*columns).where(o.c.silo_id == SILO, o.c.course_id == COURSE)


def _learners(
    conn: Connection, silo_id: int, course_id: int, as_of: datetime, tz: ZoneInfo, rules: Rules
) -> tuple[dict[str, NDArray[Any]], Sequence[str]]:
    """Return the columns of the enrolled, and the text of the days of each."""
    statement = _learners_statement(rules.time_spent.cap_minutes)
    rows = conn.execute(statement, {"silo": silo_id, "course": course_id, "as_of": as_of}).all()
    read = columns(rows, 11)
    dates = local(read[1:5], tz)
    numbers = [np.array(column, dtype=np.int64) for column in read[5:9]]
    found = {
        "actor": np.array(read[0], dtype=object),
        "enrolled_on": dates[0],
        "first_on": dates[1],
        "last_on": dates[2],
        "completed_on": dates[3],
        "events": numbers[0],
        "days": numbers[1],
        "seconds": numbers[2],
        "attended": numbers[3],
        "last_module": np.array(read[9], dtype=object),
    }
    return found, read[10]


@cache
def _learners_statement(cap: int) -> Select[Any]:
    e = enrolled(one_course=True)
    return select(
        e.c.actor,
        *(micros(e.c[name]) for name in ("enrolled_at", "first_at", "last_at", "completed_at")),
        e.c.events,
        e.c.days,
        e.c[f"seconds_{cap}"],
        e.c.attended,
        e.c.last_module,
        e.c.days_seen,
    ).order_by(e.c.actor)


def _modules(conn: Connection, frames: CourseFrames, rows: dict[str, int], tz: ZoneInfo) -> Columns:
    """Read the progress of the enrolled in the modules of the outline."""
    values = {"silo": frames.silo_id, "course": frames.course_id}
    order = {item.iri: rank for rank, item in enumerate(frames.outline_modules)}
    found = conn.execute(_modules_statement(frames.rules.time_spent.cap_minutes), values).all()
    read = columns([row for row in found if row[0] in rows and row[1] in order], 12)
    dates = local(read[8:12], tz)
    names = ("done", "required", "seconds", "seconds_10", "seconds_60")
    return {
        "learner": np.array([rows[actor] for actor in read[0]], dtype=np.int64),
        "module": np.array([order[iri] for iri in read[1]], dtype=np.int64),
        **{name: np.array(read[2 + i], dtype=np.int64) for i, name in enumerate(names)},
        "score": np.array(read[7], dtype=np.float64),
        "first_on": dates[0],
        "last_on": dates[1],
        "completed_on": dates[2],
        "progress_on": dates[3],
    }


@cache
def _modules_statement(cap: int) -> Select[Any]:
    r = t.rollup_module
    numbers = ("done", "required", f"seconds_{cap}", "seconds_10", "seconds_60", "score")
    return select(
        r.c.actor,
        r.c.module,
        *(r.c[name].label(f"value_{rank}") for rank, name in enumerate(numbers)),
        *(micros(r.c[name]) for name in ("first_at", "last_at", "completed_at", "progress_at")),
    ).where(r.c.silo_id == SILO, r.c.course_id == COURSE)


def _mend_future(learners: dict[str, NDArray[Any]], seen: Columns, today: date) -> None:
    """Bring days that are still to come back to the last one that is believed, at most today."""
    limit = np.datetime64(today, "D")
    for name in ("first_on", "last_on"):
        values = learners[name]
        late = values > limit
        if late.any():
            believed = np.full(len(values), np.datetime64("0001-01-01", "D"))
            np.maximum.at(believed, seen["learner"], seen["day"])
            believed[believed == np.datetime64("0001-01-01", "D")] = limit
            learners[name] = np.where(late, believed, values)


def _references(
    conn: Connection, frames: CourseFrames, path_id: int, as_of: datetime
) -> tuple[Reference, ...]:
    """Read the sessions of the path that began before this one, the two latest that are large enough."""
    values = {"silo": frames.silo_id, "course": frames.course_id, "path": path_id}
    sessions: list[tuple[date, int, date | None]] = []
    for other, starts_on, ends_on, first_at in conn.execute(_path_statement(), values).all():
        if starts_on is None and first_at is not None:
            starts_on = from_micros(first_at)
        if starts_on is not None and frames.start is not None and starts_on < frames.start:
            sessions.append((starts_on, other, ends_on))
    sessions.sort(key=lambda session: session[:2], reverse=True)
    found: list[Reference] = []
    for starts_on, other, ends_on in sessions[:_CANDIDATES]:
        reference = _reference(conn, frames.silo_id, other, starts_on, ends_on, as_of)
        if reference is not None and reference.enrolled >= frames.rules.disclosure.course:
            found.append(reference)
        if len(found) == _REFERENCES:
            break
    return tuple(found)


@cache
def _path_statement() -> Select[Any]:
    c, a = t.course, t.rollup_actor
    traced = (
        select(func.min(a.c.first_at))
        .where(a.c.silo_id == SILO, a.c.course_id == c.c.course_id)
        .scalar_subquery()
    )
    begun = case((c.c.starts_on.is_(None), traced))  # looked for only where the start is not known
    return select(c.c.course_id, c.c.starts_on, c.c.ends_on, micros(begun)).where(
        c.c.silo_id == SILO, c.c.path_id == bindparam("path", type_=BigInteger), c.c.course_id != COURSE
    )


def _reference(
    conn: Connection, silo_id: int, course_id: int, starts_on: date, ends_on: date | None, as_of: datetime
) -> Reference | None:
    """Read one previous session; None when it has no trace."""
    values = {"silo": silo_id, "course": course_id, "as_of": as_of}
    texts = conn.execute(_texts_statement(), values).scalars().all()
    seen = days(texts, as_of.date())
    if not len(seen["day"]):
        return None
    last: date = ends_on or seen["day"].max().item()
    return Reference(len(texts), starts_on, last, seen)


@cache
def _texts_statement() -> Select[Any]:
    e = enrolled(one_course=True)
    return select(e.c.days_seen)
