"""What analyses read of questionnaires: the published steps, and nothing of the answers beneath.

A sibling of `frames`: SQL here, pure analyses elsewhere. The cost follows the number of questionnaires
(tens of rows each), not that of answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, select

from analyzers.survey_results import Published
from xapi.survey_tables import answer, survey_comment, survey_figure, survey_step


def course(conn: Connection, silo_id: int, course_id: int) -> dict[str, Published]:
    """Return what is published in a course, by questionnaire."""
    return _read(conn, silo_id, course_id)


def silo(conn: Connection, silo_id: int) -> dict[str, Published]:
    """Return what is published in every course of a silo, by questionnaire."""
    return _read(conn, silo_id, None)


def survey(conn: Connection, silo_id: int, course_id: int, survey_id: str) -> Published | None:
    """Return what is published of one questionnaire; None before its first step."""
    return _read(conn, silo_id, course_id, survey_id).get(survey_id)


def _read(
    conn: Connection, silo_id: int, course_id: int | None, survey_id: str | None = None
) -> dict[str, Published]:
    counts: dict[str, dict[str, dict[int, int]]] = {}
    for row in conn.execute(_select(survey_figure, silo_id, course_id, survey_id)):
        counts.setdefault(row.survey_id, {}).setdefault(row.question, {})[row.value] = row._mapping["count"]
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
        for row in conn.execute(_select(survey_step, silo_id, course_id, survey_id))
    }


def _select(table: Any, silo_id: int, course_id: int | None, survey_id: str | None) -> Any:
    return select(*(item for item in table.c if item.name != "silo_id")).where(
        *_scope(table, silo_id, course_id, survey_id)
    )


def _scope(table: Any, silo_id: int, course_id: int | None, survey_id: str | None) -> Iterable[Any]:
    yield table.c.silo_id == silo_id
    if course_id is not None:
        yield table.c.course_id == course_id
    if survey_id is not None:
        yield table.c.survey_id == survey_id


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
            *_scope(survey_comment, silo_id, course_id, survey_id),
            survey_comment.c.question == question,
            survey_step.c.n >= k,
        )
        .order_by(survey_comment.c.comment_id)
        .limit(limit)
        .offset(offset)
    )
    return tuple(row.text for row in conn.execute(query))
