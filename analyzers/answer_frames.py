"""What analyses read of questionnaires: the published steps, and nothing of the answers beneath.

A sibling of `frames`: SQL here, pure analyses elsewhere. The cost follows the number of questionnaires
(tens of rows each), not that of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, bindparam, select

from analyzers import depth
from analyzers.depth import Depth
from analyzers.survey_results import Published
from xapi.depth_tables import survey_depth
from xapi.survey_tables import answer, survey_comment, survey_figure, survey_step


def course(conn: Connection, silo_id: int, course_id: int) -> dict[str, Published]:
    """Return what is published in a course, by questionnaire."""
    return _read(conn, silo_id, course_id)


def silo(conn: Connection, silo_id: int) -> dict[str, Published]:
    """Return what is published in every course of a silo, by questionnaire."""
    return _read(conn, silo_id, None)


def courses(conn: Connection, silo_id: int, course_ids: Sequence[int]) -> dict[str, Published]:
    """Return what is published in some courses of a silo, by questionnaire."""
    return _read(conn, silo_id, None, some=list(course_ids)) if course_ids else {}


def survey(conn: Connection, silo_id: int, course_id: int, survey_id: str) -> Published | None:
    """Return what is published of one questionnaire; None before its first step."""
    return _read(conn, silo_id, course_id, survey_id).get(survey_id)


def _read(
    conn: Connection,
    silo_id: int,
    course_id: int | None,
    survey_id: str | None = None,
    some: Sequence[int] | None = None,
) -> dict[str, Published]:
    shape = (course_id is not None, survey_id is not None, some is not None)
    values = {"silo": silo_id, "course": course_id, "survey": survey_id, "courses": some}
    steps = conn.execute(_select(survey_step, *shape), values).all()
    if not steps:
        return {}
    counts: dict[str, dict[str, dict[int, int]]] = {}
    for _, survey, question, value, count in conn.execute(_select(survey_figure, *shape), values).all():
        counts.setdefault(survey, {}).setdefault(question, {})[value] = count
    return {
        row.survey_id: Published(
            survey_id=row.survey_id,
            course_id=row.course_id,
            n=row.n,
            closed=row.closed,
            received=row.received,
            day=row.day,
            counts=counts.get(row.survey_id, {}),
            comments=dict(row.comments),
        )
        for row in steps
    }


@cache
def _select(table: Table, narrow: bool, one: bool, several: bool) -> Select[Any]:
    """Return the rows of a silo, of a course, of one questionnaire, of several courses: prepared once."""
    wanted = select(*(item for item in table.c if item.name != "silo_id"))
    wanted = wanted.where(table.c.silo_id == bindparam("silo"))
    if narrow:
        wanted = wanted.where(table.c.course_id == bindparam("course"))
    if several:
        wanted = wanted.where(table.c.course_id.in_(bindparam("courses", expanding=True)))
    return wanted.where(table.c.survey_id == bindparam("survey")) if one else wanted


def _text() -> Any:
    """Join a published comment with its text."""
    return survey_comment.join(
        answer,
        and_(
            answer.c.silo_id == survey_comment.c.silo_id,
            answer.c.course_id == survey_comment.c.course_id,
            answer.c.statement_id == survey_comment.c.statement_id,
        ),
    )


def comments(
    conn: Connection,
    silo_id: int,
    course_id: int,
    survey_id: str,
    question: str,
    *,
    k: int,
    limit: int = 50,
    offset: int = 0,
) -> tuple[str, ...]:
    """Return a page of the comments published on one question, in an order that says nothing.

    The order is drawn at random and differs from one question to the next. Nothing at all comes
    back while fewer than `k` respondents are published.
    """
    query = (
        select(answer.c.text)
        .select_from(
            _text().join(
                survey_step,
                and_(
                    survey_step.c.silo_id == survey_comment.c.silo_id,
                    survey_step.c.course_id == survey_comment.c.course_id,
                    survey_step.c.survey_id == survey_comment.c.survey_id,
                ),
            )
        )
        .where(
            survey_comment.c.silo_id == silo_id,
            survey_comment.c.course_id == course_id,
            survey_comment.c.survey_id == survey_id,
            survey_comment.c.question == question,
            survey_step.c.n >= k,
        )
        .order_by(survey_comment.c.comment_id)
        .limit(limit)
        .offset(offset)
    )
    return tuple(row.text for row in conn.execute(query))


def depths(conn: Connection, silo_id: int, course_id: int) -> dict[str, Depth]:
    """Return what is sealed of the closed questionnaires of a course, by questionnaire."""
    rows = conn.execute(_depths(), {"silo": silo_id, "course": course_id})
    return {name: depth.restore(content) for name, content in rows if content}


@cache
def _depths() -> Select[Any]:
    table = survey_depth.c
    return select(table.survey_id, table.content).where(
        table.silo_id == bindparam("silo"), table.course_id == bindparam("course")
    )


def respondents(
    conn: Connection, silo_id: int, course_id: int, survey_id: str, overall: str
) -> dict[str, dict[str, int]]:
    """Return the closed answers of each respondent's latest attempt, the one that is published.

    Of a pseudonymous questionnaire that is closed, to be counted once and sealed; never for a page. As in
    `xapi.publication`, every attempt answers the question `overall`.
    """
    query = select(
        answer.c.respondent, answer.c.attempt, answer.c.at, answer.c.question, answer.c.value
    ).where(
        answer.c.silo_id == silo_id,
        answer.c.course_id == course_id,
        answer.c.survey_id == survey_id,
        answer.c.value.is_not(None),
    )
    attempts: dict[str, dict[tuple[Any, str], dict[str, int]]] = {}
    for who, attempt, at, question, value in conn.execute(query.execution_options(yield_per=5000)):
        # The instant of an attempt is that of all its answers.
        attempts.setdefault(who, {}).setdefault((at, str(attempt)), {})[question] = value
    return {
        who: said[max(said, key=lambda one: (overall in said[one], one))] for who, said in attempts.items()
    }
