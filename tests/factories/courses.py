"""Courses made by hand: frames with known answers for the analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from analyzers.shapes import Columns, CourseFrames, Item, Reference, day_column
from tool_config import rules

TODAY = date(2026, 11, 18)  # a Wednesday
START = date(2026, 10, 5)  # a Monday, six weeks before the current week


def ago(days: int) -> date:
    """Return the day that many days before today."""
    return TODAY - timedelta(days=days)


@dataclass(frozen=True)
class Entry:
    """Somebody's progress in one module."""

    done: int
    required: int = 2
    first_on: date = START
    last_on: date = START
    completed_on: date | None = None
    progress_on: date | None = None
    seconds: int = 600
    score: float | None = None


@dataclass(frozen=True)
class Person:
    """Somebody enrolled; `days` are those with a trace or a presence."""

    actor: str
    days: Sequence[date] = ()
    modules: Mapping[str, Entry] = field(default_factory=dict)
    enrolled_on: date | None = START
    completed_on: date | None = None
    attended: int = 0
    last_module: str = ""


def finished(on: date = START, seconds: int = 600, score: float | None = None) -> Entry:
    """Return a module finished on a day."""
    return Entry(2, last_on=on, completed_on=on, seconds=seconds, score=score)


def outline(count: int = 3, **changes: Mapping[str, object]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return modules m1…, with two required activities each; `changes` are by module."""
    modules = []
    activities = []
    for rank in range(1, count + 1):
        iri = f"m{rank}"
        values: dict[str, object] = {"required": True, **changes.get(iri, {})}
        modules.append(Item(iri, "module", iri, f"Module {rank}", rank, **values))  # type: ignore[arg-type]
        activities += [Item(f"{iri}a{n}", "activity", iri, f"Activité {rank}.{n}", n, True) for n in (1, 2)]
    return tuple(modules), tuple(activities)


def days_table(people: Sequence[Sequence[date]]) -> Columns:
    """Return the table of days of people given as lists of days."""
    pairs = [(row, day) for row, days in enumerate(people) for day in days]
    return {
        "learner": np.array([row for row, _ in pairs], dtype=np.int64),
        "day": day_column([day for _, day in pairs]),
    }


def reference(people: Sequence[Sequence[date]], starts_on: date, ends_on: date) -> Reference:
    """Return a previous session."""
    return Reference(len(people), starts_on, ends_on, days_table(people))


def course(
    people: Sequence[Person] = (),
    *,
    modules: tuple[Item, ...] | None = None,
    activities: tuple[Item, ...] | None = None,
    starts_on: date | None = START,
    ends_on: date | None = None,
    today: date = TODAY,
    references: tuple[Reference, ...] = (),
) -> CourseFrames:
    """Return the frames of a course of three modules (unless told otherwise)."""
    usual = outline()
    modules = usual[0] if modules is None else modules
    activities = usual[1] if activities is None else activities
    return CourseFrames(
        silo_id=1,
        course_id=7,
        title="Pilotage",
        label="P1",
        time_zone="Europe/Paris",
        today=today,
        starts_on=starts_on,
        ends_on=ends_on,
        partial=False,
        fresh_at=None,
        version=1,
        rules=rules.load(),
        outline_modules=modules,
        activities=activities,
        learner_columns=_learners(people),
        module_columns=_modules(people, modules),
        day_columns=days_table([person.days for person in people]),
        references=references,
    )


def _learners(people: Sequence[Person]) -> Columns:
    first = [min(person.days, default=None) for person in people]
    last = [max(person.days, default=None) for person in people]
    return {
        "actor": np.array([person.actor for person in people], dtype=object),
        "enrolled_on": day_column([person.enrolled_on for person in people]),
        "first_on": day_column(first),
        "last_on": day_column(last),
        "completed_on": day_column([person.completed_on for person in people]),
        "events": np.array([len(person.days) for person in people], dtype=np.int64),
        "days": np.array([len(set(person.days)) for person in people], dtype=np.int64),
        "seconds": np.array(
            [sum(entry.seconds for entry in person.modules.values()) for person in people], dtype=np.int64
        ),
        "attended": np.array([person.attended for person in people], dtype=np.int64),
        "last_module": np.array([person.last_module for person in people], dtype=object),
    }


def _modules(people: Sequence[Person], modules: Sequence[Item]) -> Columns:
    rank = {item.iri: place for place, item in enumerate(modules)}
    rows = [
        (row, rank[iri], entry)
        for row, person in enumerate(people)
        for iri, entry in person.modules.items()
        if iri in rank
    ]
    entries = [entry for _, _, entry in rows]
    days = {
        name: day_column([getattr(entry, name) for entry in entries])
        for name in ("first_on", "last_on", "completed_on", "progress_on")
    }
    seconds = np.array([entry.seconds for entry in entries], dtype=np.int64)
    return {
        "learner": np.array([row for row, _, _ in rows], dtype=np.int64),
        "module": np.array([place for _, place, _ in rows], dtype=np.int64),
        "done": np.array([entry.done for entry in entries], dtype=np.int64),
        "required": np.array([entry.required for entry in entries], dtype=np.int64),
        "seconds": seconds,
        "seconds_10": seconds // 2,
        "seconds_60": seconds * 2,
        "score": np.array([entry.score for entry in entries], dtype=np.float64),
        **days,
    }
