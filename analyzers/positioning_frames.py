"""Self-positioning of each person at each moment, as rows: what the analysis of change starts from.

A sibling of `frames`: SQL here, pure analyses elsewhere. Only for what is under the guard, or one's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tool_config.survey_model import Phase, Survey
from xapi.survey_tables import answer


@dataclass(frozen=True)
class Positioned:
    """Where one person placed themselves in one competency, at one moment."""

    respondent: str
    #: Code of the competency.
    competency: str
    survey_id: str
    phase: Phase
    #: When the questionnaire opened: moments are in this order.
    moment: datetime
    #: When they answered.
    at: datetime
    #: Point of the scale.
    value: int
    #: Points of the scale: 4 or 5.
    points: int


def rows(
    conn: Connection, silo_id: int, course_id: int, asked: Iterable[Survey], *, respondent: str | None = None
) -> tuple[Positioned, ...]:
    """Return the latest answer of each person to each positioning question of some questionnaires.

    `asked`: pseudonymous questionnaires of the course (others are left out); `respondent`: one person only.
    By moment, then respondent and competency.
    """
    surveys = {one.survey_id: one for one in asked if one.mode == "pseudonymous" and one.template.positioning}
    if not surveys:
        return ()
    query = select(
        answer.c.survey_id,
        answer.c.question,
        answer.c.respondent,
        answer.c.at,
        answer.c.attempt,
        answer.c.value,
    ).where(
        answer.c.silo_id == silo_id,
        answer.c.course_id == course_id,
        answer.c.survey_id.in_(sorted(surveys)),
        # The overall question of each attempt tells the latest, where positioning was left blank too.
        answer.c.question.in_(sorted(_names(surveys.values()))),
    )
    if respondent is not None:
        query = query.where(answer.c.respondent == respondent)
    said = conn.execute(query).all()
    latest: dict[tuple[str, str], tuple[datetime, str]] = {}
    for row in said:
        key = (row.survey_id, row.respondent)
        latest[key] = max(latest.get(key, (row.at, row.attempt)), (row.at, row.attempt))
    found = []
    for row in said:
        survey = surveys[row.survey_id]
        question = survey.template.question(row.question)
        if question is None or question.kind != "positioning" or row.value is None:
            continue
        if (row.at, row.attempt) != latest[row.survey_id, row.respondent]:
            continue
        found.append(
            Positioned(
                respondent=row.respondent,
                competency=question.competency,
                survey_id=row.survey_id,
                phase=survey.template.phase,
                moment=survey.opens_at,
                at=row.at,
                value=row.value,
                points=len(question.scale),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.moment, one.survey_id, one.respondent, one.competency)))


def _names(surveys: Iterable[Survey]) -> set[str]:
    return {
        question.id
        for survey in surveys
        for question in (survey.template.overall, *survey.template.positioning)
    }


def paired(found: Sequence[Positioned]) -> dict[tuple[str, str], tuple[Positioned, ...]]:
    """Return what each person said of each competency at two moments or more, in order of the moments.

    Where scales differ (never within a session that the tool opened), only the moments on the last one.
    """
    groups: dict[tuple[str, str], list[Positioned]] = {}
    for one in found:
        groups.setdefault((one.respondent, one.competency), []).append(one)
    kept = {
        key: tuple(one for one in group if one.points == group[-1].points) for key, group in groups.items()
    }
    return {key: group for key, group in kept.items() if len(group) > 1}
