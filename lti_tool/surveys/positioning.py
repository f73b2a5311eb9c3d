"""Self-positioning over a session, paired by person: the group's under the guard, one's own for oneself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from analyzers import positioning_frames
from analyzers.positioning_frames import Positioned
from lti_tool import surveys
from tool_config.surveys import Phase, Point, Question


def paired(
    conn: Connection, silo_id: int, course_id: int, *, now: datetime
) -> dict[tuple[str, str], tuple[Positioned, ...]]:
    """Return the positions of each person by competency, at two moments or more: for the guarded analysis.

    Of closed pseudonymous questionnaires only: nothing finer than what is published leaves while one is open.
    Nothing of it may be shown but under the guard.
    """
    listed = surveys.listing(conn, silo_id, course_id)
    closed = [one for one in listed if one.state(now) == "closed" and one.settled_at is not None]
    return positioning_frames.paired(positioning_frames.rows(conn, silo_id, course_id, closed))


@dataclass(frozen=True)
class Own:
    """What one person said of one competency, moment after moment."""

    question: Question
    #: (phase, when they answered, point of the scale), the first first.
    said: tuple[tuple[Phase, datetime, Point], ...]

    @property
    def change(self) -> int:
        """Points from the first moment to the last."""
        return self.said[-1][2].value - self.said[0][2].value


def own(conn: Connection, silo_id: int, course_id: int, actor: str) -> tuple[Own, ...]:
    """Return a person's own positions by competency, for that person only; open questionnaires count too."""
    listed = {one.survey_id: one for one in surveys.listing(conn, silo_id, course_id)}
    found = positioning_frames.rows(conn, silo_id, course_id, listed.values(), respondent=actor)
    groups: dict[str, list[tuple[Question, Phase, datetime, Point]]] = {}
    for one in found:
        asked = next(
            question
            for question in listed[one.survey_id].template.positioning
            if question.competency == one.competency
        )
        point = next(point for point in asked.scale if point.value == one.value)
        groups.setdefault(one.competency, []).append((asked, one.phase, one.at, point))
    return tuple(
        Own(group[-1][0], tuple((phase, at, point) for _, phase, at, point in group))
        for group in groups.values()
    )
