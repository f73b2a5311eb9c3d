"""Large questionnaires, published by the worker: counting them all again is too long for who answers."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select, update

from analyzers import disclosure
from lti_tool.surveys import rows
from lti_tool.surveys.box import DIGEST
from lti_tool.tables import survey, survey_box
from tool_config.surveys import Survey
from xapi import publication
from xapi.survey_tables import survey_step

#: Respondents up to whom an answer that completes a block publishes at once.
AT_ONCE = 500


def is_large(people: int) -> bool:
    """Say whether a questionnaire that so many people answered is published by the worker."""
    return people > AT_ONCE


def waiting(conn: Connection, silo_id: int, *, k: int) -> list[Survey]:
    """Return the large questionnaires still open that at least `k` people answered since the last step.

    Of an anonymous one a lot leaves when another stays: what is out is a block behind what came in.
    """
    return [rows.from_row(row) for row in conn.execute(_large(silo_id)).all() if _out(row, k) - row.n >= k]


def _out(row: Row[tuple[int, ...]], k: int) -> int:
    people = int(row.people or 0)
    return max(0, people // k * k - k) if row.mode == "anonymous" else people


def _large(silo_id: int) -> Select[tuple[int, ...]]:
    """Return the large questionnaires not settled, with how many answered and how many are published."""
    people = case(
        (survey.c.mode == "anonymous", func.length(survey_box.c.participants) / DIGEST),
        else_=survey.c.received,
    )
    boxes, steps = (
        and_(*(table.c[name] == survey.c[name] for name in ("silo_id", "course_id", "survey_id")))
        for table in (survey_box, survey_step)
    )
    return (
        select(survey, people.label("people"), func.coalesce(survey_step.c.n, 0).label("n"))
        .select_from(survey.outerjoin(survey_box, boxes).outerjoin(survey_step, steps))
        .where(survey.c.silo_id == silo_id, survey.c.settled_at.is_(None))
        .where(or_(survey.c.received > AT_ONCE, people > AT_ONCE))
        .order_by(survey.c.course_id, survey.c.survey_id)
    )


def publish(conn: Connection, silo_id: int, *, now: datetime, k: int) -> int:
    """Publish the next step of the large questionnaires that wait for it; return how many."""
    done = 0
    for asked in waiting(conn, silo_id, k=k):
        current = rows.locked(conn, asked)
        if current.settled_at is None:
            done += _publish(conn, current, now, k)
    return done


def _publish(conn: Connection, asked: Survey, now: datetime, k: int) -> bool:
    """Publish all who are there; False when they add too few to what is published."""
    where = (conn, asked.silo_id, asked.course_id, asked.survey_id)
    overall, anonymous = asked.template.overall.id, asked.mode == "anonymous"
    before, there = publication.published(*where), publication.respondents(*where, overall)
    if not anonymous:
        conn.execute(update(survey).where(*rows.same(survey, asked)).values(received=there))
    n = disclosure.late_step(there, before, k)
    if n == before:
        return False
    day = now.astimezone(UTC).date()
    publication.publish(
        *where, overall=overall, anonymous=anonymous, n=n, received=None, closed=False, day=day,
        multiple=asked.template.multiple,
    )  # fmt: skip
    return True
