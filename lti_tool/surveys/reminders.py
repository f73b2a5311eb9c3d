"""Who has not answered a pseudonymous questionnaire, and when they were reminded of it.

Of an anonymous one nobody is told apart. What people may read (`listed`) moves with the figures, by steps:
were somebody to leave the list as soon as they answer, the next figures would tell their answer. And it is
never of fewer people than the threshold. What sends messages (`waiting`) knows who has answered by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from lti_tool.survey_template_tables import survey_reminder
from lti_tool.surveys import rows
from lti_tool.surveys.rows import SurveyError
from tool_config.database import insert
from tool_config.roles import TRAINEE
from tool_config.surveys import Survey
from xapi import publication
from xapi.survey_tables import answer
from xapi.tables import membership


@dataclass(frozen=True)
class Listed:
    """Who had not answered when the figures last moved, for those who accompany the session."""

    #: Canonical actors; () when they are fewer than the threshold, or nobody.
    actors: tuple[str, ...]
    #: Some have not answered, but too few to be named.
    few: bool


def waiting(conn: Connection, asked: Survey, *, now: datetime) -> tuple[str, ...]:
    """Return the actors of a session who have not answered yet, for what sends reminders; never to be shown.

    Raises SurveyError: anonymous, not_trainee (asked of others than trainees), closed, not_open_yet.
    """
    _require(asked, now)
    return _without(conn, asked, set(answered(conn, asked)))


def listed(conn: Connection, asked: Survey, *, now: datetime, k: int) -> Listed:
    """Return who may be named as not having answered at the last step published. Raises like `waiting`."""
    _require(asked, now)
    seen = publication.published(conn, asked.silo_id, asked.course_id, asked.survey_id)
    found = _without(conn, asked, set(answered(conn, asked)[:seen]))
    enough = len(found) >= k
    return Listed(found if enough else (), bool(found) and not enough)


def remind(conn: Connection, asked: Survey, *, by: str, now: datetime) -> None:
    """Note that who has not answered is reminded now: their own page says so. Raises like `waiting`."""
    _require(asked, now)
    key = {"silo_id": asked.silo_id, "course_id": asked.course_id, "survey_id": asked.survey_id, "at": now}
    conn.execute(insert(conn, survey_reminder).values(**key, by=by).on_conflict_do_nothing())


def sent(conn: Connection, asked: Survey) -> tuple[datetime, ...]:
    """Return when people were reminded of a questionnaire, the latest first."""
    query = select(survey_reminder.c.at).where(*rows.same(survey_reminder, asked))
    return tuple(conn.scalars(query.order_by(survey_reminder.c.at.desc())))


def reminded(conn: Connection, silo_id: int, course_id: int) -> frozenset[str]:
    """Return the questionnaires of a course of which people were reminded."""
    query = select(survey_reminder.c.survey_id).where(
        survey_reminder.c.silo_id == silo_id, survey_reminder.c.course_id == course_id
    )
    return frozenset(conn.scalars(query.distinct()))


def _require(asked: Survey, now: datetime) -> None:
    if asked.mode == "anonymous":
        raise SurveyError("anonymous")
    if asked.template.audience != "trainees":
        raise SurveyError("not_trainee")
    state = asked.state(now)
    if state != "open":
        raise SurveyError("closed" if state == "closed" else "not_open_yet")


def answered(conn: Connection, asked: Survey) -> Sequence[str]:
    """Return those who answered, the first to do so first."""
    first = func.min(answer.c.at)
    query = (
        select(answer.c.respondent)
        .where(*rows.same(answer, asked), answer.c.question == asked.template.overall.id)
        .group_by(answer.c.respondent)
        .order_by(first, answer.c.respondent)
    )
    return tuple(conn.scalars(query))


def _without(conn: Connection, asked: Survey, answered: set[str]) -> tuple[str, ...]:
    """Return the trainees still enrolled who are not among `answered`."""
    query = select(membership.c.actor).where(
        membership.c.silo_id == asked.silo_id,
        membership.c.course_id == asked.course_id,
        membership.c.role == TRAINEE,
        membership.c.aside_at.is_(None),
        membership.c.until.is_(None),
    )
    return tuple(sorted(set(conn.scalars(query)) - answered))
