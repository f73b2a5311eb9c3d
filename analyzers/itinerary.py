"""One learner's path: steps, days, what is next and what is planned: PURE."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from analyzers import standing as standings
from analyzers.engagement import basis
from analyzers.results import LearnerPath, Step, StepActivity, TimelineDay
from analyzers.shapes import ActivityTrace, CourseFrames, DayTrace, Item, LearnerFrames
from analyzers.standing import FINISHED, Standing

Status = Literal["done", "current", "reached", "todo", "later"]


def path(frames: LearnerFrames) -> LearnerPath:
    """Return a learner's path; for somebody who is not enrolled, every step is still to do."""
    group = frames.course
    standing = standings.of(group)
    steps = _steps(frames, standing)
    goal = standing.goal.tolist()
    counted = [step for step, counts in zip(steps, goal, strict=True) if counts]
    finished = frames.row is not None and int(standing.state[frames.row]) == FINISHED
    next_step = None if finished else _next_step(steps, counted)
    return LearnerPath(
        basis=basis(group, "learner_path"),
        steps=steps,
        days=_timeline(frames),
        done=sum(step.status == "done" for step in counted),
        required=len(counted),
        next_step=next_step,
        next_activity=_next_activity(next_step, frames),
        planned=_planned(group),
        finished=finished,
    )


@dataclass(frozen=True)
class _Entered:
    """A learner's row in one module."""

    done: int
    total: int
    seconds: int
    score: float | None
    first_on: date | None
    completed_on: date | None


def _steps(frames: LearnerFrames, standing: Standing) -> tuple[Step, ...]:
    group = frames.course
    entered = _entered(group, frames.row)
    traces = {trace.activity: trace for trace in frames.activities}
    inside: dict[str, list[Item]] = defaultdict(list)
    for item in group.activities:
        inside[item.module].append(item)
    steps = []
    for rank, item in enumerate(group.outline_modules):
        activities = tuple(_activity(part, traces.get(part.iri)) for part in inside[item.iri])
        counted = [part for part in activities if part.required] or activities
        mine = entered.get(rank, _Entered(0, len(counted), 0, None, None, None))
        status = _status(group, standing, frames.row, rank)
        steps.append(
            Step(
                iri=item.iri,
                title=item.title,
                position=item.position,
                required=item.required,
                status=status,
                done=mine.done,
                total=mine.total,
                seconds=mine.seconds,
                score=mine.score,
                first_on=mine.first_on,
                completed_on=mine.completed_on if status == "done" else None,
                opens_on=item.opens_on,
                closes_on=item.closes_on,
                hours_in_person=item.hours_in_person,
                hours_distance=item.hours_distance,
                activities=activities,
            )
        )
    return tuple(steps)


def _entered(group: CourseFrames, row: int | None) -> dict[int, _Entered]:
    if row is None:
        return {}
    table = group.module_columns
    mine = table["learner"] == row
    rows = {name: column[mine] for name, column in table.items()}
    first, completed = (rows[name].tolist() for name in ("first_on", "completed_on"))
    numbers: list[tuple[Any, ...]] = list(
        zip(
            *(rows[name].tolist() for name in ("module", "done", "required", "seconds", "score")), strict=True
        )
    )
    return {
        module: _Entered(done, total, seconds, None if score != score else score, first[i], completed[i])
        for i, (module, done, total, seconds, score) in enumerate(numbers)
    }


def _activity(item: Item, trace: ActivityTrace | None) -> StepActivity:
    return StepActivity(
        iri=item.iri,
        title=item.title,
        required=item.required,
        activity_type=item.activity_type,
        gathering=item.gathering,
        planned_on=item.opens_on,
        reached_on=trace.first_on if trace else None,
        completed_on=trace.completed_on if trace else None,
        attended=trace.attended if trace else False,
        score=trace.score if trace else None,
        seconds=trace.seconds if trace else 0,
    )


def _status(group: CourseFrames, standing: Standing, row: int | None, rank: int) -> Status:
    opens_on = group.outline_modules[rank].opens_on
    if row is not None:
        if standing.done[row, rank]:
            return "done"
        if standing.reached[row, rank]:
            return "current" if standing.current[row] == rank else "reached"
    if opens_on is not None and opens_on > group.today:
        return "later"
    return "current" if row is not None and standing.current[row] == rank else "todo"


def _next_step(steps: tuple[Step, ...], counted: list[Step]) -> Step | None:
    """Return the step in progress, else the first open goal, else the first that opens later."""
    for step in steps:
        if step.status == "current":
            return step
    for wanted in (("reached", "todo"), ("later",)):
        for step in counted:
            if step.status in wanted:
                return step
    return None


def _next_activity(step: Step | None, frames: LearnerFrames) -> StepActivity | None:
    """Return the first required activity of a step that is not completed, gatherings to come included."""
    if step is None:
        return None
    today = frames.course.today
    left = [part for part in step.activities if not _is_done(part, frames.tracked)]
    # A gathering that is over cannot be done any more.
    possible = [part for part in left if not (part.gathering and part.planned_on and part.planned_on < today)]
    for wanted in (True, False):
        for part in possible:
            if part.required is wanted:
                return part
    return None


def _is_done(part: StepActivity, tracked: frozenset[str]) -> bool:
    if part.completed_on is not None or part.attended:
        return True
    return part.gathering is None and part.iri not in tracked and part.reached_on is not None


def _planned(group: CourseFrames) -> tuple[tuple[date, str, str], ...]:
    found = [
        (item.opens_on, item.title, item.gathering)
        for item in group.gatherings()
        if item.opens_on and item.gathering
    ]
    found += [
        (item.opens_on, item.title, "opens")
        for item in group.outline_modules
        if item.opens_on and item.opens_on >= group.today and item.gathering is None
    ]
    return tuple(sorted(found))


def _timeline(frames: LearnerFrames) -> tuple[TimelineDay, ...]:
    """Return the learner's days, earliest first, with what was touched, most used first."""
    titles = {item.iri: item.title for item in frames.course.activities}
    parts: dict[date, list[DayTrace]] = defaultdict(list)
    for part in frames.activity_days:
        if part.activity in titles:
            parts[part.day].append(part)
    whole = {trace.day: trace for trace in frames.days}
    days = []
    for day in sorted(whole.keys() | parts.keys()):
        seen = sorted(parts[day], key=lambda part: (-part.events, titles[part.activity]))
        total = whole.get(day)
        days.append(
            TimelineDay(
                day=day,
                events=total.events if total else sum(part.events for part in seen),
                seconds=total.seconds if total else sum(part.seconds for part in seen),
                activities=tuple(titles[part.activity] for part in seen),
                completed=tuple(titles[part.activity] for part in seen if part.completed),
                attended=tuple(titles[part.activity] for part in seen if part.attended),
            )
        )
    return tuple(days)
