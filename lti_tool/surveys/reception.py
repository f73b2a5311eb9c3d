"""How modules are received: what pages read of questionnaires, in a handful of queries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, select

from analyzers import answer_frames, satisfaction
from analyzers.survey_results import SessionSatisfaction, SurveySummary
from lti_tool import surveys
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
    published = answer_frames.course(conn, silo_id, course_id)
    answered = received(conn, silo_id, course_id, now=now, k=k)
    return tuple(
        satisfaction.summary(
            asked,
            published.get(asked.survey_id),
            enrolled=enrolled,
            received=answered.get(asked.survey_id, 0),
            now=now,
            k=k,
            partial=partial,
        )
        for asked in surveys.listing(conn, silo_id, course_id)
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
    total = case(
        (survey.c.settled_at.is_not(None), survey_step.c.received),
        (survey.c.mode == "anonymous", func.length(survey_box.c.participants) / DIGEST),
        else_=survey.c.received,
    )
    query = (
        select(survey.c.survey_id, survey.c.mode, survey.c.settled_at, survey.c.closes_at, total.label("n"))
        .select_from(
            survey.outerjoin(survey_box, _same(survey_box)).outerjoin(survey_step, _same(survey_step))
        )
        .where(survey.c.silo_id == silo_id, survey.c.course_id == course_id)
    )
    found = {}
    for row in conn.execute(query):
        n = int(row.n or 0)
        still_open = row.settled_at is None and now < row.closes_at
        found[row.survey_id] = n // k * k if row.mode == "anonymous" and still_open else n
    return found


def _same(table: Table) -> ColumnElement[bool]:
    columns = table.c
    return and_(
        columns.silo_id == survey.c.silo_id,
        columns.course_id == survey.c.course_id,
        columns.survey_id == survey.c.survey_id,
    )
