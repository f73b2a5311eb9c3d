"""What is known of who answered: from the traces of the course, and from the answers themselves. PURE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analyzers import depth, standing
from analyzers.shapes import CourseFrames
from tool_config.surveys import Survey

#: Minutes to which the time that parts the two groups is rounded.
_ROUND = 10


def of(
    course: CourseFrames, asked: Survey, said: Mapping[str, Mapping[str, int]]
) -> tuple[dict[str, dict[str, str]], int | None]:
    """Return the category of each respondent in each cut, and the minutes that part those of the time.

    `said`: person -> question -> value. Traces are those of the module asked about, of the session when it
    is the whole; presences are those of the session. Of somebody who has left, or objects, only answers are
    known.
    """
    stood = standing.of(course)
    modules = [item.iri for item in course.outline_modules]
    rank = modules.index(asked.module) if asked.module in modules else None
    seconds, attended = _seconds(course, rank), course.learner_columns["attended"]
    done = stood.state == standing.FINISHED if rank is None else stood.done[:, rank]
    row_of = {who: row for row, who in enumerate(course.learner_columns["actor"].tolist())}
    minutes = _middle([float(seconds[row_of[who]]) for who in said if who in row_of])
    gathered = bool((attended > 0).any())
    found: dict[str, dict[str, str]] = {}
    for who, answers in said.items():
        own = found[who] = {}
        straight = is_straight(asked, answers)
        if straight is not None:
            own[depth.STRAIGHT] = "straight" if straight else "varied"
        row = row_of.get(who)
        if row is None or who in course.objecting:
            continue
        own[depth.DONE] = "done" if done[row] else "not_done"
        if minutes is not None:
            own[depth.TIME] = "over" if seconds[row] >= 60 * minutes else "under"
        if gathered:
            own[depth.PRESENCE] = "present" if attended[row] > 0 else "distance"
    return found, minutes


def _seconds(course: CourseFrames, module: int | None) -> NDArray[np.float64]:
    """Return the estimated seconds of each learner, in a module or in all."""
    rows = course.module_columns
    inside = np.ones(len(rows["learner"]), dtype=bool) if module is None else rows["module"] == module
    weights = rows["seconds"][inside].astype(float)
    made: NDArray[np.float64] = np.bincount(
        rows["learner"][inside], weights=weights, minlength=course.enrolled
    ).astype(np.float64)
    return made


def _middle(spent: Sequence[float]) -> int | None:
    """Return the median time in minutes, rounded so that it is nobody's own; None when no time is known."""
    if not spent or max(spent) <= 0:
        return None
    return max(_ROUND, _ROUND * round(float(np.median(spent)) / 60 / _ROUND))


def is_straight(asked: Survey, answers: Mapping[str, int]) -> bool | None:
    """Say whether somebody gave one and the same point all along; None under four items of one scale.

    The overall question counts with the items of its scale, whose points all go from the worst to the best.
    """
    scales: dict[tuple[int, ...], list[int]] = {}
    for question in asked.template.closed:
        if question.kind in ("overall", "item") and question.id in answers:
            scales.setdefault(question.values, []).append(answers[question.id])
    longest = max(scales.values(), key=len, default=[])
    return len(set(longest)) == 1 if len(longest) >= depth.LEAST_ITEMS else None
