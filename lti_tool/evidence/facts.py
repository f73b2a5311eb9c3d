"""What the pack counts, read once by the functions of the pages: nothing here is ready to be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, select

from analyzers import alerts, answer_frames, engagement, frames
from analyzers.paired import Change
from analyzers.survey_results import SurveySummary
from lti_tool.evidence.lots import school_year
from lti_tool.improvements import log
from lti_tool.surveys import reception
from tool_config import silos
from tool_config.rules import Rules
from xapi import datasets
from xapi.tables import course, path

#: Told of the session being read: (rank, how many).
Step = Callable[[int, int], None]


class UnknownPath(Exception):  # noqa: N818
    """There is no such path in the silo, or none of its sessions falls in the years asked for."""


@dataclass(frozen=True)
class Session:
    """One session: who is in it, how far they went, what was asked of them."""

    course_id: int
    title: str
    year: int
    starts_on: date | None
    ends_on: date | None
    #: The last day is past.
    over: bool
    #: The list of the enrolled is not known whole.
    partial: bool
    enrolled: int
    #: With a trace or a presence; finished; with a presence.
    connected: int
    finished: int
    present: int
    #: At least one presence is known.
    presences: bool
    #: Connected, not finished, and nothing for long (only while the session runs).
    idle: int
    surveys: tuple[SurveySummary, ...]
    #: (competency, points of its scale) -> how the same people moved from entry to the end, as sealed.
    changes: Mapping[tuple[str, int], Change] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """A category that a file gives to somebody of a session: mode of enrolment, theme expected."""

    year: int
    category: str
    person: str


@dataclass(frozen=True)
class Facts:
    """Everything read for one pack."""

    community: str
    path: str
    #: First and last school year asked for.
    years: tuple[int, int]
    made_at: datetime
    rules: Rules
    #: The first started first.
    sessions: tuple[Session, ...]
    modes: tuple[Said, ...]
    expected: tuple[Said, ...]
    wished_by: tuple[Said, ...]
    improvements: tuple[log.Line, ...]

    @property
    def k(self) -> int:
        return self.rules.disclosure.across


def every_year(conn: Connection, silo_id: int) -> dict[int, list[int]]:
    """Return the school years in which sessions of each path began, the latest first."""
    c = course.c
    rows = conn.execute(
        select(c.path_id, c.starts_on, c.created_at).where(c.silo_id == silo_id, c.path_id.is_not(None))
    )
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row.path_id, set()).add(school_year(row.starts_on or row.created_at.date()))
    return {path_id: sorted(years, reverse=True) for path_id, years in found.items()}


def read(
    conn: Connection,
    silo_id: int,
    path_id: int,
    asked: tuple[int, int],
    *,
    now: datetime,
    rules: Rules,
    step: Step = lambda _done, _total: None,
) -> Facts:
    """Read a path over some school years, both included; UnknownPath."""
    p = path.c
    title = conn.scalar(select(p.title).where(p.silo_id == silo_id, p.path_id == path_id))
    found = [(key, day) for key, day in _sessions(conn, silo_id, path_id) if _within(day, asked)]
    if title is None or not found:
        raise UnknownPath(str(path_id))
    sessions: list[Session] = []
    for rank, (course_id, began) in enumerate(found):
        step(rank, len(found))
        sessions.append(_session(conn, silo_id, course_id, began, now, rules))
    step(len(found), len(found))
    of_course = {one.course_id: one.year for one in sessions}
    wanted = log.Wanted(None, reserved=True, path_id=path_id)
    entries = log.lines(conn, silo_id, wanted, today=now.date())
    return Facts(
        community=silos.get(conn, silo_id).name,
        path=title,
        years=asked,
        made_at=now,
        rules=rules,
        sessions=tuple(sessions),
        modes=_said(conn, silo_id, "enrolments", "mode", of_course),
        expected=_said(conn, silo_id, "expectations", "theme", of_course),
        wished_by=_said(conn, silo_id, "expectations", "source", of_course),
        improvements=tuple(line for line in entries if line.entry.course_id in of_course),
    )


def _within(day: date, asked: tuple[int, int]) -> bool:
    return asked[0] <= school_year(day) <= asked[1]


def _sessions(conn: Connection, silo_id: int, path_id: int) -> list[tuple[int, date]]:
    """Return the sessions of a path with their first day, else that of their first opening."""
    c = course.c
    rows = conn.execute(
        select(c.course_id, c.starts_on, c.created_at).where(c.silo_id == silo_id, c.path_id == path_id)
    )
    found = [(row.course_id, row.starts_on or row.created_at.date()) for row in rows]
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def _session(
    conn: Connection, silo_id: int, course_id: int, began: date, now: datetime, rules: Rules
) -> Session:
    read = frames.course(conn, silo_id, course_id, as_of=now, rules=rules)
    overview, learners = engagement.overview(read), alerts.learners(read)
    surveys = reception.course(
        conn, silo_id, course_id, enrolled=overview.enrolled, now=now, k=rules.disclosure.course,
        partial=overview.basis.partial,
    )  # fmt: skip
    return Session(
        course_id=course_id,
        title=" · ".join(filter(None, [read.title or "Session sans titre", read.label])),
        year=school_year(began),
        starts_on=read.starts_on,
        ends_on=read.ends_on,
        over=read.ended,
        partial=overview.basis.partial,
        enrolled=overview.enrolled,
        connected=overview.connected,
        finished=overview.by_state["finished"],
        present=sum(learner.attended > 0 for learner in learners),
        presences=not overview.online_only,
        idle=0 if read.ended else overview.by_state["inactive"],
        surveys=surveys,
        changes=_changes(conn, silo_id, course_id, surveys),
    )


def _changes(
    conn: Connection, silo_id: int, course_id: int, surveys: Sequence[SurveySummary]
) -> dict[tuple[str, int], Change]:
    """Return what was sealed of each competency by the last questionnaire that asked it at the end."""
    sealed = answer_frames.depths(conn, silo_id, course_id)
    last = [one for one in surveys if one.is_satisfaction and one.phase == "a-chaud"]
    found: dict[tuple[str, int], Change] = {}
    for survey in sorted(last, key=lambda one: (one.closes_at, one.survey_id)):
        made = sealed.get(survey.survey_id)
        moved = {one.competency: one for one in made.changes} if made else {}
        for item in survey.positioning:
            change = moved.get(item.question.competency)
            if change is not None and change.suppressed is None:
                name = item.question.short.fr or item.question.text.fr
                found[name, len(item.question.values)] = change
    return found


def _said(
    conn: Connection, silo_id: int, kind: str, field: str, of_course: dict[int, int]
) -> tuple[Said, ...]:
    """Return what a dataset says of the people of some sessions, in the words of its standard."""
    standard = datasets.known(conn, silo_id).get(kind)
    chosen = next((one for one in standard.fields if one.id == field), None) if standard else None
    if chosen is None:
        return ()
    words = {value.id: value.label.fr for value in chosen.values}
    rows = datasets.rows(conn, silo_id, kind, ("course_id", "person_key", "row_key", "data"))
    return tuple(
        Said(
            of_course[row.course_id],
            words.get(value, value),
            f"{row.course_id} {row.person_key or row.row_key}",
        )
        for row in rows
        if row.course_id in of_course and isinstance(value := row.data.get(field), str)
    )
