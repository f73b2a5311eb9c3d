"""What is published of a questionnaire: sealed figures, replaced as a whole at each step.

Nothing else of the answers is read by pages. An answer that arrives, changes or goes between two steps
changes nothing here until the next step, which `analyzers.disclosure.step` decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    Uuid,
    and_,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from tool_config.database import insert
from tool_config.survey_model import ANSWERED_IT, ticked
from xapi.survey_tables import answer, survey_comment, survey_figure, survey_step

#: Rows of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500


def respondents(conn: Connection, silo_id: int, course_id: int, survey_id: str, overall: str) -> int:
    """Count the people who answered the question `overall` of a questionnaire, once each."""
    query = select(func.count(answer.c.respondent.distinct())).where(
        _of(silo_id, course_id, survey_id), answer.c.question == overall
    )
    return int(conn.execute(query).scalar_one())


def published(conn: Connection, silo_id: int, course_id: int, survey_id: str) -> int:
    """Return how many respondents the published figures hold; 0 when nothing is published."""
    query = select(survey_step.c.n).where(
        survey_step.c.silo_id == silo_id,
        survey_step.c.course_id == course_id,
        survey_step.c.survey_id == survey_id,
    )
    return int(conn.execute(query).scalar() or 0)


def publish(
    conn: Connection,
    silo_id: int,
    course_id: int,
    survey_id: str,
    *,
    overall: str,
    anonymous: bool,
    n: int,
    received: int | None,
    closed: bool,
    day: date,
    multiple: Collection[str] = (),
) -> None:
    """Replace what is published by the answers of now: the latest attempt of each respondent.

    ``n = 0`` publishes only that the questionnaire is over. `received` is known at closing. The sets of
    an `anonymous` questionnaire all count: one person never answers twice. `multiple`: the questions whose
    values are masks of options; they are published option by option, so that no combination shows.
    """
    key: dict[str, Any] = {"silo_id": silo_id, "course_id": course_id, "survey_id": survey_id}
    for table in (survey_step, survey_figure):
        conn.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
    step = {**key, "n": n, "closed": closed, "received": received, "comments": {}, "day": day}
    conn.execute(insert(conn, survey_step), step)
    if n == 0:
        return
    mine = _of(silo_id, course_id, survey_id)
    kept = select(answer).where(mine).subquery() if anonymous else _latest(mine, overall)
    counts = (
        select(
            literal(silo_id),
            literal(course_id, BigInteger),
            literal(survey_id),
            kept.c.question,
            kept.c.value,
            func.count(),
        )
        .where(kept.c.value.is_not(None), kept.c.question.not_in(multiple))
        .group_by(kept.c.question, kept.c.value)
    )
    conn.execute(
        survey_figure.insert().from_select(
            ["silo_id", "course_id", "survey_id", "question", "value", "count"], counts
        )
    )
    if multiple:
        _publish_options(conn, key, kept, multiple)
    _publish_comments(conn, key, kept)


def _publish_options(
    conn: Connection, key: Mapping[str, Any], kept: Subquery, multiple: Collection[str]
) -> None:
    """Publish how many ticked each option, and how many answered the question at all."""
    query = (
        select(kept.c.question, kept.c.value, func.count())
        .where(kept.c.value.is_not(None), kept.c.question.in_(multiple))
        .group_by(kept.c.question, kept.c.value)
    )
    counts: Counter[tuple[str, int]] = Counter()
    for question, value, count in conn.execute(query):
        for option in (ANSWERED_IT, *ticked(value)):
            counts[question, option] += count
    rows = [
        {**key, "question": question, "value": option, "count": count}
        for (question, option), count in sorted(counts.items())
    ]
    if rows:
        conn.execute(insert(conn, survey_figure), rows)


def _publish_comments(conn: Connection, key: Mapping[str, Any], kept: Subquery) -> None:
    """Take out the comments whose author answered again since, put in the new ones.

    Each keeps the place drawn for it, which differs from that of its author's other comments.
    """
    there = and_(*(survey_comment.c[name] == value for name, value in key.items()))
    texts = select(kept.c.statement_id).where(kept.c.text.is_not(None))
    conn.execute(delete(survey_comment).where(there, survey_comment.c.statement_id.not_in(texts)))
    known = select(survey_comment.c.statement_id).where(there)
    fresh = (
        texts.add_columns(kept.c.question, drawn_at_random().label("comment_id"))
        .where(kept.c.statement_id.not_in(known))
        .subquery()
    )
    # Written in the order drawn: that of the rows says nothing either.
    rows = select(
        literal(key["silo_id"]),
        literal(key["course_id"], BigInteger),
        literal(key["survey_id"]),
        fresh.c.comment_id,
        fresh.c.question,
        fresh.c.statement_id,
    ).order_by(fresh.c.comment_id)
    names = ["silo_id", "course_id", "survey_id", "comment_id", "question", "statement_id"]
    conn.execute(survey_comment.insert().from_select(names, rows))
    _count_comments(conn, key)


class drawn_at_random(FunctionElement[str]):  # noqa: N801
    """A version 4 UUID drawn by the database, one a row."""

    type = Uuid(as_uuid=False)
    inherit_cache = True


@compiles(drawn_at_random, "postgresql")
def _drawn_by_server(_element: drawn_at_random, _compiler: Any, **_asked: Any) -> str:
    return "gen_random_uuid()"


@compiles(drawn_at_random, "sqlite")
def _drawn_by_file(_element: drawn_at_random, _compiler: Any, **_asked: Any) -> str:
    # Written without hyphens, as SQLAlchemy keeps it; 4 for the version, 8 for the variant.
    parts = (
        "hex(randomblob(6))",
        "'4'",
        "substr(hex(randomblob(2)), 2)",
        "'8'",
        "substr(hex(randomblob(8)), 2)",
    )
    return f"lower({' || '.join(parts)})"


def _count_comments(conn: Connection, key: Mapping[str, Any]) -> None:
    query = (
        select(survey_comment.c.question, func.count())
        .where(*(survey_comment.c[name] == value for name, value in key.items()))
        .group_by(survey_comment.c.question)
    )
    counts = {row[0]: row[1] for row in conn.execute(query)}
    conn.execute(
        update(survey_step)
        .where(*(survey_step.c[name] == value for name, value in key.items()))
        .values(comments=counts)
    )


def forget(conn: Connection, silo_id: int, statement_ids: Sequence[str]) -> None:
    """Take out the comments published from voided statements; the figures stay until the next step."""
    for start in range(0, len(statement_ids), CHUNK):
        gone = and_(
            survey_comment.c.silo_id == silo_id,
            survey_comment.c.statement_id.in_(statement_ids[start : start + CHUNK]),
        )
        query = select(survey_comment.c.course_id, survey_comment.c.survey_id).where(gone).distinct()
        touched = conn.execute(query).all()
        if touched:
            conn.execute(delete(survey_comment).where(gone))
        for course_id, survey_id in touched:
            _count_comments(conn, {"silo_id": silo_id, "course_id": course_id, "survey_id": survey_id})


def _of(silo_id: int, course_id: int, survey_id: str) -> ColumnElement[bool]:
    return and_(answer.c.silo_id == silo_id, answer.c.course_id == course_id, answer.c.survey_id == survey_id)


def _latest(mine: ColumnElement[bool], overall: str) -> Subquery:
    """Return the answers of each respondent's latest attempt: by instant, then by identifier.

    Every attempt answers the overall question, which is required. One pass over the questionnaire: a join
    of the answers with themselves takes minutes while the server's statistics are those of an empty table.
    """
    latest = func.first_value(answer.c.attempt).over(
        partition_by=answer.c.respondent,
        order_by=((answer.c.question == overall).desc(), answer.c.at.desc(), answer.c.attempt.desc()),
    )
    ranked = (
        select(
            answer.c.statement_id,
            answer.c.question,
            answer.c.value,
            answer.c.text,
            answer.c.attempt,
            latest.label("latest"),
        )
        .where(mine)
        .subquery()
    )
    return select(ranked).where(ranked.c.attempt == ranked.c.latest).subquery()
