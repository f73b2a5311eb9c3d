"""What analyses work on: frames read by ``analyzers.frames``, or made by hand in tests.

Days are those of the course's time zone: naive midnights (``datetime64[s]``) in frames, ``date`` elsewhere;
no clock hour of a person goes further than the reading of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tool_config.rules import Rules

#: Traces older than this many weeks before today are not charted: a wrong clock must not stretch it.
LONGEST_WEEKS = 156


@dataclass(frozen=True)
class Item:
    """One row of the outline: a module, or an activity of ``module``."""

    iri: str
    level: str
    module: str
    title: str
    position: int
    required: bool
    activity_type: str = ""
    hours_in_person: float | None = None
    hours_distance: float | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    gathering: str | None = None


@dataclass(frozen=True, eq=False)
class Reference:
    """A previous session of the same path: how many were enrolled, and their days."""

    enrolled: int
    starts_on: date
    #: Its last day: planned, else the last one with a trace.
    ends_on: date
    #: learner (row number), day.
    days: pd.DataFrame


@dataclass(frozen=True, eq=False)
class CourseFrames:
    """One course and its enrolled learners on one day.

    learners: actor, enrolled_on, first_on, last_on, completed_on, events, days, seconds, attended,
    last_module (IRI or ""); one row an enrolled learner, by actor.
    modules: learner and module (row numbers in ``learners`` and in ``outline_modules``), done, required,
    seconds, seconds_10, seconds_60, score, first_on, last_on, completed_on, progress_on (last completion
    or first sight of an activity of it).
    days: learner (row number), day; one row a learner and day with a trace or a presence, until today.
    """

    silo_id: int
    course_id: int
    title: str | None
    label: str | None
    time_zone: str
    today: date
    starts_on: date | None
    ends_on: date | None
    partial: bool
    fresh_at: datetime | None
    version: int
    rules: Rules
    outline_modules: tuple[Item, ...]
    activities: tuple[Item, ...]
    learners: pd.DataFrame
    modules: pd.DataFrame
    days: pd.DataFrame
    references: tuple[Reference, ...] = ()

    @property
    def enrolled(self) -> int:
        return len(self.learners)

    @property
    def start(self) -> date | None:
        """Return the first day to look at: the session's, or the first trace when it is not known."""
        if self.starts_on is not None and self.starts_on <= self.today:
            return self.starts_on
        if self.days.empty:
            return None
        first: date = as_days(self.days["day"]).min().item()
        return max(first, self.today - timedelta(weeks=LONGEST_WEEKS))

    @property
    def ended(self) -> bool:
        return self.ends_on is not None and self.ends_on < self.today

    def gatherings(self) -> tuple[Item, ...]:
        """Return the planned gatherings from today on, soonest first."""
        planned = [item for item in self.activities if item.gathering and item.opens_on]
        coming = [item for item in planned if item.opens_on and item.opens_on >= self.today]
        return tuple(sorted(coming, key=lambda item: (item.opens_on, item.title)))

    def row_of(self, actor: str) -> int | None:
        """Return the row number of a learner, or None for somebody who is not enrolled."""
        found = np.flatnonzero(self.learners["actor"].to_numpy() == actor)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True, eq=False)
class ModuleActivities:
    """Traces of the enrolled in the activities of one module.

    traces: activity (IRI), learner (row number), completed (bool, presence included), seconds, score.
    """

    module: str
    traces: pd.DataFrame
    #: Activities whose completion the platform tells.
    tracked: frozenset[str]


@dataclass(frozen=True)
class ActivityTrace:
    """What one learner did in one activity."""

    activity: str
    first_on: date | None
    completed_on: date | None
    attended: bool
    score: float | None
    seconds: int


@dataclass(frozen=True)
class DayTrace:
    """What one learner did on one day; activity is empty for the day as a whole."""

    day: date
    activity: str
    events: int
    seconds: int
    completed: bool = False
    attended: bool = False


@dataclass(frozen=True, eq=False)
class LearnerFrames:
    """One learner within the course; ``row`` is None for somebody who is not enrolled."""

    course: CourseFrames
    actor: str
    row: int | None
    activities: tuple[ActivityTrace, ...]
    days: tuple[DayTrace, ...]
    activity_days: tuple[DayTrace, ...]
    #: Activities whose completion the platform tells; the others are done once reached.
    tracked: frozenset[str]


@dataclass(frozen=True, eq=False)
class SiloFrames:
    """Every session of a silo.

    sessions: course_id, title, path_id, path_title, starts_on, ends_on (dates or None), enrolled, active,
    finished (learners), last_on, fresh_at, partial, active_now, active_before (bool).
    """

    silo_id: int
    today: date
    rules: Rules
    sessions: pd.DataFrame
    #: Distinct enrolled learners.
    people: int


def zone(wanted: str | None, default: str) -> ZoneInfo:
    """Return the course's time zone, else the silo's: platforms send nonsense such as "99"."""
    for name in (wanted, default):
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return ZoneInfo("UTC")


def local_days(micros: Sequence[int | None], tz: ZoneInfo) -> NDArray[np.datetime64]:
    """Return the days in ``tz`` of instants given in microseconds since 1970; None gives NaT."""
    raw = np.array([_NAT if value is None else value for value in micros], dtype=np.int64)
    moments = pd.DatetimeIndex(raw.view("datetime64[us]")).tz_localize("UTC")
    return moments.tz_convert(tz).tz_localize(None).to_numpy().astype("datetime64[D]")


_NAT = int(np.iinfo(np.int64).min)


def day_column(days: NDArray[np.datetime64] | Sequence[date | None]) -> NDArray[np.datetime64]:
    """Return days as a frame keeps them."""
    return np.asarray(days, dtype="datetime64[D]").astype("datetime64[s]")


def as_days(column: pd.Series[Any]) -> NDArray[np.datetime64]:
    """Return a frame's column of days as ``datetime64[D]``; ``.tolist()`` of it gives dates and None."""
    return column.to_numpy().astype("datetime64[D]")


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_ranks(days: NDArray[np.datetime64], first_monday: date) -> NDArray[np.int64]:
    """Return the rank, from 0, of each day's week (Monday to Sunday) from a first Monday."""
    since = (days - np.datetime64(first_monday, "D")).astype(np.int64)
    return since // 7
