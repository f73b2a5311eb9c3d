"""The state of a course today and its activity by week: PURE."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analyzers import standing as standings
from analyzers.results import STATES, Basis, Overview, Week
from analyzers.shapes import CourseFrames, Reference, monday, week_ranks

_WEEK = timedelta(weeks=1)


def basis(frames: CourseFrames, definition: str) -> Basis:
    """Return what a figure over the enrolled of a course rests on."""
    start = frames.start
    return Basis(
        n=frames.enrolled,
        definition=definition,
        period=(start, frames.today) if start else None,
        fresh_at=frames.fresh_at,
        partial=frames.partial,
    )


def overview(frames: CourseFrames) -> Overview:
    """Return enrolled, active, states and weeks of a course."""
    standing = standings.of(frames)
    counts = np.bincount(standing.state, minlength=len(STATES)).tolist()
    today = frames.today
    return Overview(
        basis=basis(frames, "overview"),
        enrolled=frames.enrolled,
        active_now=_active(frames, today - timedelta(days=6), today),
        active_before=_active(frames, today - timedelta(days=13), today - timedelta(days=7)),
        by_state=dict(zip(STATES, counts, strict=True)),
        weeks=weeks(frames),
        busiest_module=_busiest(frames),
        online_only=not bool((frames.learner_columns["attended"] > 0).any()),
        week_number=_week_number(frames),
        week_count=_week_count(frames),
        reference_sessions=len(frames.references),
        connected=int(standing.connected.sum()),
    )


def _active(frames: CourseFrames, first: date, last: date) -> int:
    days = frames.day_columns["day"]
    inside = (days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D"))
    return len(np.unique(frames.day_columns["learner"][inside]))


def _busiest(frames: CourseFrames) -> str | None:
    """Return the module with the most learners in the last seven days; on a tie, the first in order."""
    since = np.datetime64(frames.today - timedelta(days=6), "D")
    recent = frames.module_columns["last_on"] >= since
    if not recent.any():
        return None
    people = np.bincount(frames.module_columns["module"][recent])
    return frames.outline_modules[int(people.argmax())].iri


def _week_number(frames: CourseFrames) -> int | None:
    """Return the rank of the current week, from 1; None before the start and after the end."""
    start = frames.starts_on or frames.start
    if start is None or start > frames.today or frames.ended:
        return None
    return _rank(start, frames.today) + 1


def _week_count(frames: CourseFrames) -> int | None:
    start = frames.starts_on or frames.start
    if start is None or frames.ends_on is None or frames.ends_on < start:
        return None
    return _rank(start, frames.ends_on) + 1


def _rank(start: date, day: date) -> int:
    return (monday(day) - monday(start)).days // 7


def weeks(frames: CourseFrames) -> tuple[Week, ...]:
    """Return the learners active each week, from the session's start (else the first trace).

    Until the current week; once the session is over, until its last week or the last with a trace.
    The reference is the mean, over the previous sessions still running at that rank, of the share of their
    enrolled who were active, times the enrolled of this one.
    """
    start = frames.start
    if start is None:
        return ()
    seen = frames.day_columns
    first, last = monday(start), monday(frames.today)
    if frames.ended and frames.ends_on is not None:
        latest = [frames.ends_on]
        if len(seen["day"]):
            latest.append(seen["day"].max().item())
        last = max(first, min(last, monday(max(latest))))
    count = (last - first).days // 7 + 1
    active = active_by_rank(seen["day"], seen["learner"], first, count)
    reference = _reference(frames.references, frames.enrolled, count)
    return tuple(
        Week(
            monday=first + rank * _WEEK,
            active=int(active[rank]),
            current=first + rank * _WEEK == monday(frames.today),
            reference=reference[rank],
        )
        for rank in range(count)
    )


def active_by_rank(
    days: NDArray[np.datetime64], who: NDArray[np.int64], first: date, count: int
) -> NDArray[np.int64]:
    """Return how many distinct people were there in each of ``count`` weeks from a first Monday."""
    ranks = week_ranks(days, first)
    inside = (ranks >= 0) & (ranks < count)
    if not inside.any():
        return np.zeros(count, dtype=np.int64)
    there = np.zeros((int(who.max()) + 1, count), dtype=bool)
    there[who[inside], ranks[inside]] = True
    found: NDArray[np.int64] = there.sum(axis=0)
    return found


def _reference(references: tuple[Reference, ...], enrolled: int, count: int) -> list[float | None]:
    shares: list[list[float]] = [[] for _ in range(count)]
    for session in references:
        first = monday(session.starts_on)
        length = min(count, _rank(session.starts_on, session.ends_on) + 1)
        if length <= 0 or not session.enrolled:
            continue
        days, who = session.day_columns["day"], session.day_columns["learner"]
        for rank, active in enumerate(active_by_rank(days, who, first, length)):
            shares[rank].append(int(active) / session.enrolled)
    return [enrolled * sum(found) / len(found) if found else None for found in shares]
