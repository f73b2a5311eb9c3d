"""One learner's traces, and everybody's traces in one module."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from analyzers.frames.enrolment import local, micros
from analyzers.shapes import ActivityTrace, CourseFrames, DayTrace, LearnerFrames, ModuleActivities
from xapi import tables as t


def learner(conn: Connection, frames: CourseFrames, actor: str) -> LearnerFrames:
    """Read one learner's own traces within a course."""
    whole, parts = _days(conn, frames, actor)
    return LearnerFrames(
        course=frames,
        actor=actor,
        row=frames.row_of(actor),
        activities=_activities(conn, frames, actor),
        days=whole,
        activity_days=parts,
        tracked=_tracked(conn, frames),
    )


def _activities(conn: Connection, frames: CourseFrames, actor: str) -> tuple[ActivityTrace, ...]:
    a = t.rollup_activity
    wanted = select(
        a.c.activity,
        a.c.attended_at.is_not(None),
        a.c.score,
        a.c[_seconds(frames)],
        micros(a.c.first_at),
        micros(a.c.completed_at),
    ).where(a.c.silo_id == frames.silo_id, a.c.course_id == frames.course_id, a.c.actor == actor)
    rows = conn.execute(wanted.order_by(a.c.activity)).all()
    if not rows:
        return ()
    dates = local([[row[4] for row in rows], [row[5] for row in rows]], ZoneInfo(frames.time_zone))
    first, completed = (column.tolist() for column in dates)
    return tuple(
        ActivityTrace(row[0], first[i], completed[i], bool(row[1]), row[2], row[3])
        for i, row in enumerate(rows)
    )


def _days(
    conn: Connection, frames: CourseFrames, actor: str
) -> tuple[tuple[DayTrace, ...], tuple[DayTrace, ...]]:
    """Return the learner's days as wholes, and by activity; days to come are not believed."""
    d, a = t.rollup_actor_day, t.rollup_activity_day
    name = _seconds(frames)
    whole = select(d.c.day, d.c.events, d.c[name]).where(
        d.c.silo_id == frames.silo_id,
        d.c.course_id == frames.course_id,
        d.c.actor == actor,
        d.c.day <= frames.today,
    )
    parts = select(
        a.c.day,
        a.c.activity,
        a.c.events,
        a.c[name],
        a.c.completed_at.is_not(None),
        a.c.attended_at.is_not(None),
    ).where(
        a.c.silo_id == frames.silo_id,
        a.c.course_id == frames.course_id,
        a.c.actor == actor,
        a.c.day <= frames.today,
    )
    days = (
        DayTrace(day, "", events, seconds)
        for day, events, seconds in conn.execute(whole.order_by(d.c.day)).all()
    )
    activity_days = conn.execute(parts.order_by(a.c.day, a.c.activity)).all()
    return tuple(days), tuple(
        DayTrace(day, activity, events, seconds, bool(completed), bool(attended))
        for day, activity, events, seconds, completed, attended in activity_days
    )


def module(conn: Connection, frames: CourseFrames, iri: str) -> ModuleActivities:
    """Read the traces of the enrolled in a module's activities (none for an unknown module)."""
    a = t.rollup_activity
    inside = [item.iri for item in frames.activities if item.module == iri]
    wanted = select(
        a.c.activity,
        a.c.actor,
        a.c.completed_at.is_not(None) | a.c.attended_at.is_not(None),
        a.c[_seconds(frames)],
        a.c.score,
    ).where(a.c.silo_id == frames.silo_id, a.c.course_id == frames.course_id, a.c.activity.in_(inside))
    rows = {actor: row for row, actor in enumerate(frames.learner_columns["actor"].tolist())}
    kept: list[Any] = [row for row in conn.execute(wanted).all() if row[1] in rows]
    traces = {
        "activity": np.array([row[0] for row in kept], dtype=object),
        "learner": np.array([rows[row[1]] for row in kept], dtype=np.int64),
        "completed": np.array([row[2] for row in kept], dtype=bool),
        "seconds": np.array([row[3] for row in kept], dtype=np.int64),
        "score": np.array([row[4] for row in kept], dtype=np.float64),
    }
    return ModuleActivities(iri, traces, _tracked(conn, frames))


def _tracked(conn: Connection, frames: CourseFrames) -> frozenset[str]:
    """Return the activities whose completion the platform tells."""
    f = t.activity_fact
    wanted = select(f.c.activity).where(
        f.c.silo_id == frames.silo_id, f.c.course_id == frames.course_id, f.c.tracked
    )
    return frozenset(conn.execute(wanted).scalars())


def _seconds(frames: CourseFrames) -> str:
    return f"seconds_{frames.rules.time_spent.cap_minutes}"
