"""Learners with their state, the rule that gave it and the facts behind it: PURE.

An alert advises; a person decides. States, in the order in which they are tried:

- finished: declared by a statement on the course, else every goal finished (see ``standing``);
- not_connected: no trace and no presence;
- inactive: nothing for ``inactive_days``, unless all that is open is finished and the rest opens later;
- slow: ``slow_modules_behind`` goals closed and not finished; where no goal has a closing date, as many
  fewer than the median of those who have connected;
- on_track.

``needs_word``: inactive, slow, or not connected ``not_connected_days`` after the enrolment (or the start of
the session when later); never before the session starts nor after it ends, nor of somebody ``quiet``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from analyzers import standing as standings
from analyzers.results import STATES, Learner
from analyzers.shapes import LONGEST_WEEKS, CourseFrames, monday, week_ranks
from analyzers.standing import FINISHED, INACTIVE, NOT_CONNECTED, ON_TRACK, SLOW, Standing


def learners(frames: CourseFrames) -> tuple[Learner, ...]:
    """Return every enrolled learner: those who need a word first, by deadline then by days since.

    The others follow by state, then by days since.
    """
    standing = standings.of(frames)
    found = _learners(frames, standing)
    return tuple(sorted(found, key=_order))


def _order(learner: Learner) -> tuple[bool, date, int, int, str]:
    deadline = learner.deadline_on if learner.needs_word and learner.deadline_on else date.max
    rank = 0 if learner.needs_word else STATES.index(learner.state)
    since = learner.days_since if learner.days_since is not None else 0
    return (not learner.needs_word, deadline, rank, -since, learner.actor)


def _learners(frames: CourseFrames, standing: Standing) -> list[Learner]:
    table = frames.learner_columns
    days = {name: table[name].tolist() for name in ("enrolled_on", "first_on", "last_on", "completed_on")}
    numbers = {name: table[name].tolist() for name in ("actor", "days", "seconds", "attended")}
    weeks = active_weeks(frames).tolist()
    here = _others_here(frames, standing).tolist()
    soonest = standings.deadlines(frames, standing)
    rules = _rules(standing)
    done, behind = standing.modules_done.tolist(), standing.behind.tolist()
    state, current = standing.state.tolist(), standing.current.tolist()
    since, expected = standing.since.tolist(), standing.expected.tolist()
    needs_word = standing.needs_word.tolist()
    required = int(standing.goal.sum())
    completed_on = _completed(frames, standing, days["completed_on"])
    found = [
        Learner(
            actor=actor,
            state=STATES[state[i]],
            rule=rules[i],
            enrolled_on=days["enrolled_on"][i],
            first_on=days["first_on"][i],
            last_on=days["last_on"][i],
            days_since=since[i] if since[i] >= 0 else None,
            active_weeks=weeks[i],
            active_days=numbers["days"][i],
            seconds=numbers["seconds"][i],
            attended=numbers["attended"][i],
            modules_done=done[i],
            modules_required=required,
            modules_expected=expected[i],
            current_module=frames.outline_modules[current[i]].iri if current[i] >= 0 else None,
            others_here=here[i],
            completed_on=completed_on[i],
            needs_word=needs_word[i] and actor not in frames.quiet,
            modules_behind=behind[i],
            deadline_on=soonest[i][0] if soonest[i] else None,  # type: ignore[index]
            deadline_title=soonest[i][1] if soonest[i] else None,  # type: ignore[index]
            deadline_kind=soonest[i][2] if soonest[i] else None,  # type: ignore[index]
        )
        for i, actor in enumerate(numbers["actor"])
    ]
    return [_unsaid(one) if one.actor in frames.objecting else one for one in found]


def _unsaid(learner: Learner) -> Learner:
    """Return of who objects what the training requires alone: enrolled, present, modules finished."""
    return replace(
        learner,
        objects=True,
        rule="on_track" if learner.state != "finished" else learner.rule,
        first_on=None,
        last_on=None,
        days_since=None,
        active_weeks=0,
        active_days=0,
        seconds=0,
        current_module=None,
        others_here=0,
        needs_word=False,
        modules_behind=0,
        deadline_on=None,
        deadline_title=None,
        deadline_kind=None,
    )


def _rules(standing: Standing) -> list[str]:
    names = {
        NOT_CONNECTED: "not_connected_days",
        INACTIVE: "inactive_days",
        SLOW: "slow_modules_behind",
        ON_TRACK: "on_track",
        FINISHED: "modules_completed",
    }
    found = [names[state] for state in standing.state.tolist()]
    for state, flags, name in (
        (FINISHED, standing.declared, "course_completed"),
        (ON_TRACK, standing.waiting, "up_to_date"),
    ):
        for row in np.flatnonzero(flags & (standing.state == state)).tolist():
            found[row] = name
    return found


def _completed(frames: CourseFrames, standing: Standing, declared: list[date | None]) -> list[date | None]:
    """Return the day each finished: the one declared, else that of the last goal."""
    last = np.full(frames.enrolled, np.datetime64("NaT", "D"))
    rows = frames.module_columns
    counted = standing.goal[rows["module"]]
    np.fmax.at(last, rows["learner"][counted], rows["completed_on"][counted])
    by_modules = last.tolist()
    return [
        (declared[i] or by_modules[i]) if state == FINISHED else None
        for i, state in enumerate(standing.state.tolist())
    ]


def active_weeks(frames: CourseFrames) -> np.typing.NDArray[np.int64]:
    """Return how many weeks, Monday to Sunday, each learner was there."""
    days = frames.day_columns["day"]
    if not len(days):
        return np.zeros(frames.enrolled, dtype=np.int64)
    latest = np.datetime64(frames.today - timedelta(weeks=LONGEST_WEEKS), "D")
    ranks = week_ranks(np.maximum(days, latest), monday(max(days.min(), latest).item()))
    there = np.zeros((frames.enrolled, int(ranks.max()) + 1), dtype=bool)
    there[frames.day_columns["learner"], ranks] = True
    found: np.typing.NDArray[np.int64] = there.sum(axis=1)
    return found


def _others_here(frames: CourseFrames, standing: Standing) -> np.typing.NDArray[np.int64]:
    """Return how many others, connected and not finished, have the same current module."""
    counted = standing.connected & (standing.current >= 0)
    people = np.bincount(standing.current[counted], minlength=len(frames.outline_modules) + 1)
    return np.where(standing.current >= 0, people[standing.current] - counted, 0)
