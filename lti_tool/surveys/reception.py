"""How modules are received: what pages read of questionnaires, in a handful of queries."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    select,
)

from analyzers import answer_frames, satisfaction
from analyzers.survey_results import SessionSatisfaction, SurveySummary
from lti_tool import surveys
from lti_tool.surveys import rows
from lti_tool.surveys.box import DIGEST
from lti_tool.tables import survey, survey_box
from tool_config.surveys import Survey
from xapi.survey_tables import survey_step


def course(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    enrolled: int,
    now: datetime,
    k: int,
    partial: bool = False,
) -> tuple[SurveySummary, ...]:
    """Summarise every questionnaire of a course, the latest opened first.

    `enrolled`: its enrolled learners; `partial`: the roster is unknown; `k`: threshold of a course.
    """
    found = conn.execute(_with_received(), {"silo": silo_id, "course": course_id}).all()
    published = answer_frames.course(conn, silo_id, course_id) if found else {}
    return tuple(
        satisfaction.summary(
            rows.from_row(row),
            published.get(row.survey_id),
            enrolled=enrolled,
            received=_told(row, now, k),
            now=now,
            k=k,
            partial=partial,
        )
        for row in found
    )


def one(
    conn: Connection, asked: Survey, *, enrolled: int, now: datetime, k: int, partial: bool = False
) -> SurveySummary:
    """Summarise one questionnaire."""
    return satisfaction.summary(
        asked,
        answer_frames.survey(conn, asked.silo_id, asked.course_id, asked.survey_id),
        enrolled=enrolled,
        received=surveys.received(conn, asked, now=now, k=k),
        now=now,
        k=k,
        partial=partial,
    )


def sessions(conn: Connection, silo_id: int, *, k: int) -> dict[int, SessionSatisfaction]:
    """Return the satisfaction of each session of a silo that opened a questionnaire, by course."""
    return satisfaction.by_session(surveys.in_silo(conn, silo_id), answer_frames.silo(conn, silo_id), k=k)


def comments(
    conn: Connection, asked: Survey, question: str, *, k: int, limit: int = 50, offset: int = 0
) -> tuple[str, ...]:
    """Return some comments published on one question; `CommentGroup.count` is their number."""
    return answer_frames.comments(
        conn, asked.silo_id, asked.course_id, asked.survey_id, question, k=k, limit=limit, offset=offset
    )


def received(conn: Connection, silo_id: int, course_id: int, *, now: datetime, k: int) -> dict[str, int]:
    """Return how many people answered each questionnaire of a course, as `surveys.received` says it."""
    found = conn.execute(_with_received(), {"silo": silo_id, "course": course_id})
    return {row.survey_id: _told(row, now, k) for row in found}


def _told(row: Row[Any], now: datetime, k: int) -> int:
    n = int(row.people or 0)
    still_open = row.settled_at is None and now < row.closes_at
    return n // k * k if row.mode == "anonymous" and still_open else n


@cache
def _with_received() -> Select[Any]:
    """Return the questionnaires of a course, the latest opened first, each with how many people answered."""
    total = case(
        (survey.c.settled_at.is_not(None), survey_step.c.received),
        (survey.c.mode == "anonymous", func.length(survey_box.c.participants) / DIGEST),
        else_=survey.c.received,
    )
    return (
        select(survey, total.label("people"))
        .select_from(
            survey.outerjoin(survey_box, _same(survey_box)).outerjoin(survey_step, _same(survey_step))
        )
        .where(survey.c.silo_id == bindparam("silo"), survey.c.course_id == bindparam("course"))
        .order_by(survey.c.opens_at.desc(), survey.c.survey_id)
    )


def _same(table: Table) -> ColumnElement[bool]:
    columns = table.c
    return and_(
        columns.silo_id == survey.c.silo_id,
        columns.course_id == survey.c.course_id,
        columns.survey_id == survey.c.survey_id,
    )
