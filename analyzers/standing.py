"""Where each learner stands in the outline, by the rules of rules.yaml: PURE.

A module is finished when all its required activities are (all its activities, reached, where none is
required). The goals of a course are its required modules that have an activity: one without any can never
be finished and would keep everybody from the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analyzers.results import STATES
from analyzers.shapes import CourseFrames

#: Rank of each state in results.STATES.
NOT_CONNECTED, INACTIVE, SLOW, ON_TRACK, FINISHED = range(len(STATES))

#: An age that no rule reaches: nothing is known.
_UNKNOWN = -1

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Standing:
    """Arrays over the learners (rows of frames.learners), or learners × modules of the outline."""

    #: learners × modules: entered; finished.
    reached: Flags
    done: Flags
    #: modules: required and able to be finished.
    goal: Flags
    #: learners: goals finished, expected by today, behind.
    modules_done: Counts
    expected: Counts
    behind: Counts
    #: Rank in results.STATES.
    state: Counts
    connected: Flags
    #: The state "finished" comes from a statement on the course.
    declared: Flags
    #: Everything that is open is finished and the rest opens later.
    waiting: Flags
    #: Rank of the module to do next or in progress; -1: none.
    current: Counts
    #: Days since the last trace or presence, else since the enrolment; -1: not known.
    since: Counts
    needs_word: Flags


#: A page asks several questions of the same frames; they die with them.
_found: WeakKeyDictionary[CourseFrames, Standing] = WeakKeyDictionary()


def of(frames: CourseFrames) -> Standing:
    """Return where everybody stands today."""
    known = _found.get(frames)
    if known is None:
        known = _found[frames] = _standing(frames)
    return known


def _standing(frames: CourseFrames) -> Standing:
    rules = frames.rules.states
    reached, done = _matrices(frames)
    goal = goals(frames)
    modules_done = (done & goal).sum(axis=1)
    connected = _present(frames)
    declared = ~np.isnat(frames.learner_columns["completed_on"])
    finished = declared | (bool(goal.any()) & (modules_done == goal.sum()))
    expected, behind = _pace(frames, done, goal, modules_done, connected)
    opened = _known(frames, "opens_on", lambda day: day <= frames.today, unknown=True)
    waiting = (goal & ~opened).any() & (done | ~(goal & opened)).all(axis=1)
    since = _since(frames, connected)
    inactive = (since >= rules.inactive_days) & ~waiting
    slow = behind >= rules.slow_modules_behind
    state = np.select(
        [finished, ~connected, inactive, slow], [FINISHED, NOT_CONNECTED, INACTIVE, SLOW], default=ON_TRACK
    )
    # Of who objects, nothing is concluded from what they did: neither a state nor a lag.
    unsaid = frames.objectors & ~finished
    state, behind = np.where(unsaid, ON_TRACK, state), np.where(unsaid, 0, behind)
    begun = frames.starts_on is None or frames.starts_on <= frames.today
    late = (state == NOT_CONNECTED) & (since >= rules.not_connected_days)
    return Standing(
        reached=reached,
        done=done,
        goal=goal,
        modules_done=modules_done,
        expected=expected,
        behind=behind,
        state=state,
        connected=connected,
        declared=declared,
        waiting=waiting & connected,
        current=_current(frames, done, goal, opened, state),
        since=since,
        needs_word=(late | (state == INACTIVE) | (state == SLOW)) & (begun and not frames.ended),
    )


def goals(frames: CourseFrames) -> Flags:
    """Return, for each module of the outline, whether it counts for finishing."""
    able = {item.module for item in frames.activities}
    return np.array([item.required and item.iri in able for item in frames.outline_modules], dtype=bool)


def _matrices(frames: CourseFrames) -> tuple[Flags, Flags]:
    rows = frames.module_columns
    shape = (frames.enrolled, len(frames.outline_modules))
    reached, done = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    at = rows["learner"], rows["module"]
    required = rows["required"]
    complete = (required > 0) & (rows["done"] >= required)
    reached[at] = True
    done[at] = complete | ~np.isnat(rows["completed_on"])
    return reached, done


def _present(frames: CourseFrames) -> Flags:
    learners = frames.learner_columns
    seen: Flags = (learners["events"] > 0) | (learners["attended"] > 0)
    return seen | ~np.isnat(learners["first_on"])


def _since(frames: CourseFrames, connected: Flags) -> Counts:
    """Return the age of the last trace, or of the enrolment (of the session's start when later)."""
    enrolled_on = frames.learner_columns["enrolled_on"]
    if frames.starts_on is not None:
        enrolled_on = np.fmax(enrolled_on, np.datetime64(frames.starts_on, "D"))
    last = np.where(connected, frames.learner_columns["last_on"], enrolled_on)
    days = (np.datetime64(frames.today, "D") - last).astype(np.int64)
    return np.where(np.isnat(last), _UNKNOWN, np.maximum(days, 0))


def _known(frames: CourseFrames, name: str, test: object, *, unknown: bool) -> Flags:
    """Return a test of a date of each module; ``unknown`` where it has none."""
    assert callable(test)
    days = [getattr(item, name) for item in frames.outline_modules]
    return np.array([unknown if day is None else test(day) for day in days], dtype=bool)


def _pace(
    frames: CourseFrames, done: Flags, goal: Flags, modules_done: Counts, connected: Flags
) -> tuple[Counts, Counts]:
    """Return how many goals each should have finished by today, and how many are missing.

    By the calendar where a goal has a closing date; else by the median of those who have connected.
    """
    closed = goal & _known(frames, "closes_on", lambda day: day < frames.today, unknown=False)
    dated = goal & _known(frames, "closes_on", lambda _: True, unknown=False)
    if dated.any():
        expected = np.full(len(modules_done), closed.sum(), dtype=np.int64)
        return expected, (closed & ~done).sum(axis=1)
    median = int(np.median(modules_done[connected])) if connected.any() else 0
    expected = np.full(len(modules_done), median, dtype=np.int64)
    return expected, np.maximum(expected - modules_done, 0)


def _current(frames: CourseFrames, done: Flags, goal: Flags, opened: Flags, state: Counts) -> Counts:
    """Return the module of the last act when it is still to be finished, else the first that is.

    Open modules come before those that open later; without goals, the module of the last act.
    """
    rank = {item.iri: i for i, item in enumerate(frames.outline_modules)}
    last = np.array(
        [rank.get(iri, -1) for iri in frames.learner_columns["last_module"].tolist()], dtype=np.int64
    )
    if not len(last) or not rank:
        return np.full(len(last), -1, dtype=np.int64)
    if not goal.any():
        return np.where(state == FINISHED, -1, last)
    left = goal & ~done
    first_open = np.where((left & opened).any(axis=1), (left & opened).argmax(axis=1), left.argmax(axis=1))
    in_it = (last >= 0) & left[np.arange(len(last)), last]
    current = np.where(in_it, last, first_open)
    return np.where((state == FINISHED) | ~left.any(axis=1), -1, current)


def deadlines(frames: CourseFrames, standing: Standing) -> list[tuple[date, str, str] | None]:
    """Return, for each learner, the soonest thing to come: (day, title, kind of gathering or "closes")."""
    gatherings = frames.gatherings()
    shared: tuple[date, str, str] | None = None
    if gatherings and gatherings[0].opens_on and gatherings[0].gathering:
        shared = (gatherings[0].opens_on, gatherings[0].title, gatherings[0].gathering)
    found = [shared] * frames.enrolled
    closings = sorted(
        (item.closes_on, rank, item.title)
        for rank, item in enumerate(frames.outline_modules)
        if standing.goal[rank] and item.closes_on is not None and item.closes_on >= frames.today
    )
    for closes_on, rank, title in reversed(closings):  # the soonest is written last
        if shared is None or closes_on < shared[0]:
            for row in np.flatnonzero(~standing.done[:, rank]):
                found[row] = (closes_on, title, "closes")
    return found
