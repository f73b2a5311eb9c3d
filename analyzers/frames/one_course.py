"""One course as it stands on one day, with the previous sessions of its path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import Connection, and_, case, func, select

from analyzers.frames.enrolment import columns, days, enrolled, from_micros, local, micros
from analyzers.shapes import (
    CourseFrames,
    Item,
    Reference,
    as_days,
    day_column,
    zone,
)
from tool_config.rules import Rules
from tool_config.tables import silo as silo_table
from xapi import tables as t

#: Previous sessions that the reference averages, at most.
_REFERENCES = 2


def course(conn: Connection, silo_id: int, course_id: int, *, as_of: datetime, rules: Rules) -> CourseFrames:
    """Read a course as it stands at ``as_of``; LookupError when the silo has no such course."""
    found = _course_row(conn, silo_id, course_id)
    tz = zone(found.time_zone, found.silo_zone)
    today = as_of.astimezone(tz).date()
    modules, activities = _outline(conn, silo_id, course_id)
    learners = _learners(conn, silo_id, course_id, as_of, tz, rules)
    rows = {actor: row for row, actor in enumerate(learners["actor"])}
    seen = days(conn, silo_id, course_id, rows, today)
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
        learners=learners,
        modules=_modules(conn, silo_id, course_id, rows, modules, tz, rules),
        days=seen,
    )
    if found.path_id is None or frames.start is None:
        return frames
    references = _references(conn, silo_id, course_id, found.path_id, frames.start, as_of, rules)
    return replace(frames, references=references)


def _course_row(conn: Connection, silo_id: int, course_id: int) -> Any:
    c, s, r = t.course, silo_table, t.rollup_state
    state = and_(r.c.silo_id == c.c.silo_id, r.c.course_id == c.c.course_id)
    wanted = (
        select(
            c.c.title,
            c.c.label,
            c.c.path_id,
            c.c.time_zone,
            s.c.time_zone.label("silo_zone"),
            c.c.starts_on,
            c.c.ends_on,
            c.c.roster_at,
            r.c.version,
            r.c.refreshed_at,
        )
        .select_from(c.join(s, s.c.silo_id == c.c.silo_id).outerjoin(r, state))
        .where(c.c.silo_id == silo_id, c.c.course_id == course_id)
    )
    found = conn.execute(wanted).first()
    if found is None:
        raise LookupError(f"silo {silo_id} has no course {course_id}")
    return found


def _outline(conn: Connection, silo_id: int, course_id: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return the modules and the activities, each in the order of the outline."""
    o = t.outline_item
    wanted = select(*(o.c[name] for name in Item.__dataclass_fields__)).where(
        o.c.silo_id == silo_id, o.c.course_id == course_id
    )
    items = [Item(*row) for row in conn.execute(wanted)]
    modules = sorted((i for i in items if i.level == "module"), key=lambda i: (i.position, i.iri))
    order = {item.iri: rank for rank, item in enumerate(modules)}
    activities = [i for i in items if i.level == "activity" and i.module in order]
    activities.sort(key=lambda i: (order[i.module], i.position, i.iri))
    return tuple(modules), tuple(activities)


def _learners(
    conn: Connection, silo_id: int, course_id: int, as_of: datetime, tz: ZoneInfo, rules: Rules
) -> pd.DataFrame:
    e = enrolled(silo_id, as_of, course_id)
    instants = ("enrolled_at", "first_at", "last_at", "completed_at")
    wanted = select(
        e.c.actor,
        *(micros(e.c[name]) for name in instants),
        e.c.events,
        e.c.days,
        e.c[f"seconds_{rules.time_spent.cap_minutes}"],
        e.c.attended,
        e.c.last_module,
    ).order_by(e.c.actor)
    read = columns(conn, wanted, 10)
    dates = local(read[1:5], tz)
    numbers = [np.array(column, dtype=np.int64) for column in read[5:9]]
    return pd.DataFrame(
        {
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
        },
        copy=False,
    )


def _modules(
    conn: Connection,
    silo_id: int,
    course_id: int,
    rows: dict[str, int],
    modules: tuple[Item, ...],
    tz: ZoneInfo,
    rules: Rules,
) -> pd.DataFrame:
    """Read the progress of the enrolled in the modules of the outline."""
    r = t.rollup_module
    numbers = ("done", "required", f"seconds_{rules.time_spent.cap_minutes}", "seconds_10", "seconds_60")
    wanted = select(
        r.c.actor,
        r.c.module,
        *(r.c[name] for name in numbers),
        r.c.score,
        micros(r.c.first_at),
        micros(r.c.last_at),
        micros(r.c.completed_at),
    ).where(r.c.silo_id == silo_id, r.c.course_id == course_id)
    order = {item.iri: rank for rank, item in enumerate(modules)}
    progressed = _progressed(conn, silo_id, course_id)
    kept = [
        (*row, progressed.get((row[0], row[1])))
        for row in conn.execute(wanted)
        if row[0] in rows and row[1] in order
    ]
    read: list[Sequence[Any]] = list(zip(*kept, strict=True)) if kept else [()] * 12
    dates = local(read[8:12], tz)
    names = ("done", "required", "seconds", "seconds_10", "seconds_60")
    return pd.DataFrame(
        {
            "learner": np.array([rows[actor] for actor in read[0]], dtype=np.int64),
            "module": np.array([order[iri] for iri in read[1]], dtype=np.int64),
            **{name: np.array(read[2 + i], dtype=np.int64) for i, name in enumerate(names)},
            "score": np.array(read[7], dtype=np.float64),
            "first_on": dates[0],
            "last_on": dates[1],
            "completed_on": dates[2],
            "progress_on": dates[3],
        },
        copy=False,
    )


def _progressed(conn: Connection, silo_id: int, course_id: int) -> dict[tuple[str, str], int]:
    """Return the last completion or entry of an activity in each (actor, module) that is under way."""
    r, o, a = t.rollup_module, t.outline_item, t.rollup_activity
    items = and_(
        o.c.silo_id == silo_id,
        o.c.course_id == course_id,
        o.c.level == "activity",
        o.c.module == r.c.module,
    )
    acts = and_(
        a.c.silo_id == silo_id,
        a.c.course_id == course_id,
        a.c.actor == r.c.actor,
        a.c.activity == o.c.iri,
    )
    wanted = (
        select(r.c.actor, r.c.module, micros(func.max(func.coalesce(a.c.completed_at, a.c.first_at))))
        .select_from(r.join(o, items).join(a, acts))
        .where(r.c.silo_id == silo_id, r.c.course_id == course_id, r.c.completed_at.is_(None))
        .group_by(r.c.actor, r.c.module)
    )
    return {(actor, module): at for actor, module, at in conn.execute(wanted)}


def _mend_future(learners: pd.DataFrame, seen: pd.DataFrame, today: date) -> None:
    """Bring days that are still to come back to the last one that is believed, at most today."""
    limit = np.datetime64(today, "D")
    for name in ("first_on", "last_on"):
        values = as_days(learners[name])
        late = values > limit
        if late.any():
            believed = np.full(len(values), np.datetime64("0001-01-01", "D"))
            np.maximum.at(believed, seen["learner"].to_numpy(), as_days(seen["day"]))
            believed[believed == np.datetime64("0001-01-01", "D")] = limit
            learners[name] = day_column(np.where(late, believed, values))


def _references(
    conn: Connection,
    silo_id: int,
    course_id: int,
    path_id: int,
    start: date,
    as_of: datetime,
    rules: Rules,
) -> tuple[Reference, ...]:
    """Read the sessions of the path that began before this one, the two latest that are large enough."""
    c, a = t.course, t.rollup_actor
    traced = (
        select(func.min(a.c.first_at))
        .where(a.c.silo_id == silo_id, a.c.course_id == c.c.course_id)
        .scalar_subquery()
    )
    begun = case((c.c.starts_on.is_(None), traced))  # looked for only where the start is not known
    wanted = select(c.c.course_id, c.c.starts_on, c.c.ends_on, micros(begun)).where(
        c.c.silo_id == silo_id, c.c.path_id == path_id, c.c.course_id != course_id
    )
    sessions: list[tuple[date, int, date | None]] = []
    for other, starts_on, ends_on, first_at in conn.execute(wanted):
        if starts_on is None and first_at is not None:
            starts_on = from_micros(first_at)
        if starts_on is not None and starts_on < start:
            sessions.append((starts_on, other, ends_on))
    found: list[Reference] = []
    for starts_on, other, ends_on in sorted(sessions, reverse=True):
        if len(found) == _REFERENCES:
            break
        reference = _reference(conn, silo_id, other, starts_on, ends_on, as_of)
        if reference is not None and reference.enrolled >= rules.disclosure.course:
            found.append(reference)
    return tuple(found)


def _reference(
    conn: Connection, silo_id: int, course_id: int, starts_on: date, ends_on: date | None, as_of: datetime
) -> Reference | None:
    """Read one previous session; None when it has no trace."""
    e = enrolled(silo_id, as_of, course_id)
    rows = {actor: row for row, actor in enumerate(conn.execute(select(e.c.actor)).scalars())}
    seen = days(conn, silo_id, course_id, rows, as_of.date())
    if seen.empty:
        return None
    last: date = ends_on or as_days(seen["day"]).max().item()
    return Reference(len(rows), starts_on, last, seen)
