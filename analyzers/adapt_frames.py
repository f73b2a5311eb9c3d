"""What the ranking of modules reads: who began, got through and stopped, what was published. SQL only."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from analyzers.frames.enrolment import enrolled
from analyzers.survey_results import Published
from xapi import tables as t
from xapi.comment_tables import comment_analysis
from xapi.dataset_tables import dataset_row
from xapi.survey_tables import survey_figure, survey_step


class Held(NamedTuple):
    """A module of a session tied to a path."""

    course_id: int
    iri: str
    title: str
    path_id: int
    path: str
    #: Planned, in person and at a distance.
    hours: float | None


class Passed(NamedTuple):
    """People who began a module of a session, got through it, went no further than it."""

    course_id: int
    iri: str
    began: int
    through: int
    stopped: int
    #: Sum of the marks, from 0 to 1, and the people who have one.
    marks: float
    marked: int


def modules(conn: Connection, silo_id: int) -> list[Held]:
    """Return the modules of every session that has a path, in the order of the outlines."""
    c, p, o = t.course.c, t.path.c, t.outline_item.c
    planned = case(
        (and_(o.hours_in_person.is_(None), o.hours_distance.is_(None)), None),
        else_=func.coalesce(o.hours_in_person, 0) + func.coalesce(o.hours_distance, 0),
    )
    query = (
        select(o.course_id, o.iri, o.title, p.path_id, p.title, planned)
        .select_from(
            t.outline_item.join(t.course, and_(c.silo_id == o.silo_id, c.course_id == o.course_id)).join(
                t.path, and_(p.silo_id == c.silo_id, p.path_id == c.path_id)
            )
        )
        .where(o.silo_id == silo_id, o.level == "module", c.course_id >= 0)
        .order_by(c.starts_on.desc(), o.course_id, o.position, o.iri)
    )
    return [Held(*row) for row in conn.execute(query)]


def untied(conn: Connection, silo_id: int) -> int:
    """Count the sessions without a path."""
    c = t.course.c
    query = select(func.count()).where(c.silo_id == silo_id, c.course_id >= 0, c.path_id.is_(None))
    return int(conn.scalar(query) or 0)


def paths(conn: Connection, silo_id: int) -> list[Any]:
    """Return the paths of a silo: (path_id, title)."""
    p = t.path.c
    return list(conn.execute(select(p.path_id, p.title).where(p.silo_id == silo_id).order_by(p.path_id)))


def paths_of_courses(conn: Connection, silo_id: int) -> dict[int, int]:
    """Return the path of each course that has one."""
    c = t.course.c
    query = select(c.course_id, c.path_id).where(c.silo_id == silo_id, c.path_id.is_not(None))
    return {row.course_id: row.path_id for row in conn.execute(query)}


def passed(
    conn: Connection, silo_id: int, *, as_of: datetime, today: date, quiet_since: datetime
) -> list[Passed]:
    """Count, module by module of the sessions with a path, who began, got through, stopped.

    Only modules with something required. Somebody has stopped in the module of their last act when they did
    not get through it nor the course, and the session is over or they left no trace since `quiet_since`.
    """
    e, r, c = enrolled(one_course=False).c, t.rollup_module.c, t.course.c
    through = or_(r.completed_at.is_not(None), r.done >= r.required)
    over = or_(c.ends_on < today, e.last_at < quiet_since)
    stays = and_(~through, e.last_module == r.module, e.completed_at.is_(None), over)
    query = (
        select(
            r.course_id,
            r.module,
            func.count(),
            _sum(through),
            _sum(stays),
            func.sum(r.score),
            func.count(r.score),
        )
        .select_from(
            t.rollup_module.join(
                t.course, and_(c.silo_id == r.silo_id, c.course_id == r.course_id, c.path_id.is_not(None))
            ).join(enrolled(one_course=False), and_(e.course_id == r.course_id, e.actor == r.actor))
        )
        .where(r.silo_id == silo_id, r.required > 0)
        .group_by(r.course_id, r.module)
    )
    return [
        Passed(course_id, iri, int(began), int(done or 0), int(stopped or 0), float(marks or 0), int(marked))
        for course_id, iri, began, done, stopped, marks, marked in conn.execute(
            query, {"silo": silo_id, "as_of": as_of}
        )
    ]


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def published(conn: Connection, silo_id: int, questions: Collection[str]) -> dict[str, Published]:
    """Return what is published of some questions in the courses with a path, by questionnaire."""
    s, f, c = survey_step.c, survey_figure.c, t.course.c
    same = and_(c.silo_id == s.silo_id, c.course_id == s.course_id, c.path_id.is_not(None))
    steps = conn.execute(
        select(s.survey_id, s.course_id, s.n, s.closed, s.received, s.day)
        .select_from(survey_step.join(t.course, same))
        .where(s.silo_id == silo_id)
    ).all()
    counts: dict[str, dict[str, dict[int, int]]] = {}
    wanted = select(f.survey_id, f.question, f.value, f.count).where(
        f.silo_id == silo_id, f.question.in_(sorted(questions))
    )
    for survey_id, question, value, count in conn.execute(wanted):
        counts.setdefault(survey_id, {}).setdefault(question, {})[value] = count
    return {
        row.survey_id: Published(
            row.survey_id, row.course_id, row.n, row.closed, row.received, row.day,
            counts.get(row.survey_id, {}), {},
        )
        for row in steps
    }  # fmt: skip


def rows(conn: Connection, silo_id: int, kind: str) -> list[Any]:
    """Return the rows of a dataset: (person_key, session, course_id, data)."""
    d = dataset_row.c
    query = select(d.person_key, d.session, d.course_id, d.data).where(d.silo_id == silo_id, d.kind == kind)
    return list(conn.execute(query.order_by(d.row_key)))


def state(conn: Connection, silo_id: int, kinds: Collection[str]) -> tuple[Any, ...]:
    """Return figures that move with what is published, with the themes, the paths and the files."""
    s, a, c, p, d = survey_step.c, comment_analysis.c, t.course.c, t.path.c, dataset_row.c
    steps = select(func.count(), func.sum(s.n), func.max(s.day)).where(s.silo_id == silo_id)
    themes = select(func.count(), func.sum(a.version)).where(a.silo_id == silo_id)
    ties = select(func.count(c.path_id), func.sum(c.course_id % 9973 * (c.path_id % 9973))).where(
        c.silo_id == silo_id
    )
    titles = conn.scalars(select(p.title).where(p.silo_id == silo_id).order_by(p.path_id))
    files = (
        select(d.kind, func.count(), func.max(d.updated_at), func.count(d.course_id))
        .where(d.silo_id == silo_id, d.kind.in_(kinds))
        .group_by(d.kind)
        .order_by(d.kind)
    )
    return (
        *(tuple(conn.execute(query).one()) for query in (steps, themes, ties)),
        zlib.crc32("\n".join(titles).encode()),
        *(tuple(row) for row in conn.execute(files)),
    )
