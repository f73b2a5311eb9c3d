"""Progress of a group in the modules, and of one learner along the path: PURE."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure
from analyzers import standing as standings
from analyzers.engagement import basis
from analyzers.itinerary import path
from analyzers.results import ActivityProgress, CourseProgress, ModuleProgress, Pace
from analyzers.shapes import CourseFrames, LearnerFrames, ModuleActivities, monday, week_ranks
from analyzers.standing import FINISHED, Standing

__all__ = ["course", "median", "module", "pace", "path"]


def course(frames: CourseFrames) -> CourseProgress:
    """Return every module among the enrolled, and the one that blocks, if one stands out."""
    standing = standings.of(frames)
    finished = standing.done.sum(axis=0).tolist()
    started = (standing.reached | standing.done).sum(axis=0).tolist()
    stuck = _stuck(frames, standing).tolist()
    medians = _medians(frames)
    modules = tuple(
        ModuleProgress(
            iri=item.iri,
            title=item.title,
            position=item.position,
            required=item.required,
            opens_on=item.opens_on,
            closes_on=item.closes_on,
            hours_in_person=item.hours_in_person,
            hours_distance=item.hours_distance,
            finished=finished[rank],
            in_progress=started[rank] - finished[rank],
            not_started=frames.enrolled - started[rank],
            median_seconds=medians["seconds"][rank],
            median_seconds_10=medians["seconds_10"][rank],
            median_seconds_60=medians["seconds_60"][rank],
            median_score=medians["score"][rank],
            scored=int(medians["scored"][rank] or 0),
            stuck=stuck[rank],
        )
        for rank, item in enumerate(frames.outline_modules)
    )
    return CourseProgress(basis(frames, "course_progress"), modules, _blocking(frames, modules))


def _stuck(frames: CourseFrames, standing: Standing) -> NDArray[np.int64]:
    """Return, a module, the learners whose current one it is and who have not moved in it for long."""
    rows = frames.module_columns
    who, module = rows["learner"], rows["module"]
    limit = np.datetime64(frames.today - timedelta(days=frames.rules.states.stuck_days), "D")
    moved = np.fmax(rows["first_on"], rows["progress_on"])
    here = (
        (standing.current[who] == module)
        & (standing.state[who] != FINISHED)
        & ~standing.done[who, module]
        & (moved <= limit)
    )
    return np.bincount(module[here], minlength=len(frames.outline_modules))


def _blocking(frames: CourseFrames, modules: tuple[ModuleProgress, ...]) -> str | None:
    """Return the module with the most stuck people, at least the rule's number and more than any other."""
    ranked = sorted(modules, key=lambda module: module.stuck, reverse=True)
    if not ranked or ranked[0].stuck < frames.rules.states.stuck_people:
        return None
    if len(ranked) > 1 and ranked[1].stuck == ranked[0].stuck:
        return None
    return ranked[0].iri


def _medians(frames: CourseFrames) -> dict[str, list[float | None]]:
    """Return medians by module over the learners who entered it."""
    rows = frames.module_columns
    module = rows["module"]
    members = [np.flatnonzero(module == rank) for rank in range(len(frames.outline_modules))]
    found: dict[str, list[float | None]] = {}
    for name in ("seconds", "seconds_10", "seconds_60", "score"):
        values = rows[name].astype(np.float64)
        found[name] = [median(values[inside]) for inside in members]
    scored = ~np.isnan(rows["score"])
    found["scored"] = [float(scored[inside].sum()) for inside in members]
    return found


def median(values: NDArray[np.float64]) -> float | None:
    """Return the median of the values that are known, or None when none is."""
    known = np.sort(values[~np.isnan(values)])
    middle, odd = divmod(len(known), 2)
    if odd:
        return float(known[middle])
    return float((known[middle - 1] + known[middle]) / 2) if middle else None


def module(frames: CourseFrames, iri: str, rows: ModuleActivities) -> tuple[ActivityProgress, ...]:
    """Return the activities of one module among the enrolled, in order; none for an unknown module."""
    traces = rows.trace_columns
    known = {item.iri: rank for rank, item in enumerate(frames.activities)}
    ranks = np.array([known.get(activity, -1) for activity in traces["activity"].tolist()], dtype=np.int64)
    completed, score = traces["completed"], traces["score"]
    seconds = traces["seconds"].astype(np.float64)
    found = []
    for rank, item in enumerate(frames.activities):
        if item.module != iri:
            continue
        inside = np.flatnonzero(ranks == rank)
        found.append(
            ActivityProgress(
                iri=item.iri,
                title=item.title,
                position=item.position,
                required=item.required,
                activity_type=item.activity_type,
                gathering=item.gathering,
                reached=len(inside),
                completed=int(completed[inside].sum()),
                tracked=item.iri in rows.tracked or item.gathering is not None,
                median_seconds=median(seconds[inside]),
                median_score=median(score[inside]),
                scored=int((~np.isnan(score[inside])).sum()),
            )
        )
    return tuple(found)


# --- the learner beside the group -----------------------------------------------------------------


def pace(frames: LearnerFrames) -> Pace:
    """Return the goals a learner has finished, cumulated by week, beside the quartiles of the others.

    The band is given from k others on (rules.disclosure.course): under it, a quartile would be somebody.
    """
    group = frames.course
    start = group.start
    said = basis(group, "pace")
    if start is None:
        return Pace((), (), None, disclosure.FEW, said)
    first = monday(start)
    count = (monday(group.today) - first).days // 7 + 1
    table = _cumulated(group, first, count)
    mine = table[frames.row] if frames.row is not None else np.zeros(count, dtype=np.int64)
    compared = ~group.objectors
    if frames.row is not None:
        compared[frames.row] = False
    others = table[compared]
    weeks = tuple(first + timedelta(weeks=rank) for rank in range(count))
    objects = frames.row is not None and bool(group.objectors[frames.row])
    if objects or not disclosure.enough(len(others), group.rules.disclosure.course):
        return Pace(weeks, _whole(mine), None, disclosure.FEW, said)
    quartiles = np.percentile(others, (25, 50, 75), axis=0)
    band = tuple((float(low), float(middle), float(high)) for low, middle, high in quartiles.T)
    return Pace(weeks, _whole(mine), band, None, said)


def _whole(values: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _cumulated(frames: CourseFrames, first: date, count: int) -> NDArray[np.int64]:
    """Return learners × weeks: goals finished by the end of each week."""
    standing = standings.of(frames)
    rows = frames.module_columns
    who, rank = rows["learner"], rows["module"]
    counted = standing.done[who, rank] & standing.goal[rank]
    ended = rows["completed_on"]
    days = np.where(np.isnat(ended), rows["last_on"], ended)[counted]
    weeks = np.clip(week_ranks(days, first), 0, count - 1)  # before the start counts from the first week
    table = np.zeros((frames.enrolled, count), dtype=np.int64)
    np.add.at(table, (who[counted], weeks), 1)
    return table.cumsum(axis=1)
