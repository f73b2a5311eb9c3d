"""A questionnaire closed before its day, without showing anybody's answer alone.

Whoever closes chooses the moment, perhaps just after an answer that they saw coming. So closing early
publishes nothing of fewer than a threshold of people: of a pseudonymous questionnaire the figures stay
those of its last step; of an anonymous one the lot still held leaves, which is of `k` people at least.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, update

from analyzers import disclosure
from lti_tool import surveys
from lti_tool.surveys import rows
from lti_tool.surveys.rows import SurveyError
from lti_tool.tables import survey
from tool_config.surveys import Survey
from xapi import publication
from xapi.survey_tables import survey_step


def close(conn: Connection, asked: Survey, *, now: datetime, key: bytes, k: int) -> None:
    """Close an open questionnaire now; `key`: `box.key(…)`.

    Raises SurveyError: not_open_yet (it is to be cancelled instead), closed.
    """
    current = rows.locked(conn, asked)
    state = current.state(now)
    if state != "open":
        raise SurveyError("not_open_yet" if state == "scheduled" else "closed")
    conn.execute(update(survey).where(*rows.same(survey, current)).values(closes_at=now))
    if current.mode == "anonymous":
        surveys.settle_due(conn, current.silo_id, now=now, key=key, k=k)
        return
    _freeze(conn, current, now=now, k=k)
    conn.execute(update(survey).where(*rows.same(survey, current)).values(settled_at=now))


def left_out(conn: Connection, asked: Survey, *, k: int) -> int:
    """Return how many answers would stay out of the figures if a questionnaire were closed now.

    None of an anonymous one, unless fewer than `k` answered in all.
    """
    if asked.mode == "anonymous":
        return 0
    there = rows.count_received(conn, asked)
    where = (asked.silo_id, asked.course_id, asked.survey_id)
    shown = publication.published(conn, *where)
    return there - shown if disclosure.enough(shown, k) else there


def _freeze(conn: Connection, asked: Survey, *, now: datetime, k: int) -> None:
    """Say that the figures published are the last; without any, that there will be none."""
    where = (asked.silo_id, asked.course_id, asked.survey_id)
    received = rows.count_received(conn, asked)
    if disclosure.enough(publication.published(conn, *where), k):
        conn.execute(
            update(survey_step).where(*rows.same(survey_step, asked)).values(closed=True, received=received)
        )
        return
    publication.publish(
        conn,
        *where,
        overall=asked.template.overall.id,
        anonymous=False,
        n=0,
        received=received,
        closed=True,
        day=now.astimezone(UTC).date(),
        multiple=asked.template.multiple,
    )
