"""What analyses work on: frames read by ``analyzers.frames``, or made by hand in tests.

Days are those of the course's time zone: ``datetime64[D]`` in columns, naive midnights (``datetime64[s]``)
in pandas frames, ``date`` elsewhere; no clock hour of a person goes further than the reading of a frame.

Tables are kept as columns of numpy: every page reads them, and a pandas frame of so few rows costs more to
make and to look into than what is computed from it. The frames are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from tool_config.rules import Rules

if TYPE_CHECKING:
    import pandas as pd

#: Columns of one length, by name.
Columns = Mapping[str, NDArray[Any]]

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
    day_columns: Columns

    @cached_property
    def days(self) -> pd.DataFrame:
        return _frame(self.day_columns)


@dataclass(frozen=True, eq=False)
class CourseFrames:
    """One course and its enrolled learners on one day: the same three tables as columns and as frames.

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
    learner_columns: Columns
    module_columns: Columns
    day_columns: Columns
    references: tuple[Reference, ...] = ()
    #: Learners of whom no alert speaks, whatever their traces: paused, or they object.
    quiet: frozenset[str] = frozenset()
    #: Learners who object (RGPD, art. 21): enrolment, presences and modules finished are all that is said.
    objecting: frozenset[str] = frozenset()

    @cached_property
    def objectors(self) -> NDArray[np.bool_]:
        """Say, row by row of `learner_columns`, who objects."""
        return np.isin(self.learner_columns["actor"].astype(str), sorted(self.objecting))

    @cached_property
    def learners(self) -> pd.DataFrame:
        return _frame(self.learner_columns)

    @cached_property
    def modules(self) -> pd.DataFrame:
        return _frame(self.module_columns)

    @cached_property
    def days(self) -> pd.DataFrame:
        return _frame(self.day_columns)

    @property
    def enrolled(self) -> int:
        return len(self.learner_columns["actor"])

    @property
    def start(self) -> date | None:
        """Return the first day to look at: the session's, or the first trace when it is not known."""
        if self.starts_on is not None and self.starts_on <= self.today:
            return self.starts_on
        days = self.day_columns["day"]
        if not len(days):
            return None
        first: date = days.min().item()
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
        found = np.flatnonzero(self.learner_columns["actor"] == actor)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True, eq=False)
class ModuleActivities:
    """Traces of the enrolled in the activities of one module, as columns and as a frame.

    traces: activity (IRI), learner (row number), completed (bool, presence included), seconds, score.
    """

    module: str
    trace_columns: Columns
    #: Activities whose completion the platform tells.
    tracked: frozenset[str]

    @cached_property
    def traces(self) -> pd.DataFrame:
        return _frame(self.trace_columns)


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

    sessions: course_id, title, label, path_id, path_title, starts_on, ends_on (dates or None), enrolled,
    active, finished (learners), last_on, fresh_at, partial, active_before (bool), by name.
    """

    today: date
    sessions: tuple[Mapping[str, Any], ...]
    #: Distinct enrolled learners.
    people: int


def _frame(columns: Columns) -> pd.DataFrame:
    """Return columns as a frame; pandas takes 40 MB, which a process that shows no such analysis spares."""
    import pandas as pd

    return pd.DataFrame(dict(columns))


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
    days = raw // _DAY
    known, place = np.unique(days, return_inverse=True)
    offsets = [_offset(tz, day) for day in known.tolist()]
    if None in offsets:  # days when clocks change: instant by instant
        odd = np.array([offset is None for offset in offsets])[place]
        moved = np.array([offset or 0 for offset in offsets], dtype=np.int64)[place]
        moved[odd] = [_offset_at(tz, value) for value in raw[odd].tolist()]
    else:
        moved = np.array(offsets, dtype=np.int64)[place]
    found: NDArray[np.datetime64] = ((raw + moved) // _DAY).astype("datetime64[D]")
    found[raw == _NAT] = np.datetime64("NaT", "D")
    return found


_NAT = int(np.iinfo(np.int64).min)
_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: First and last days for which a zone is asked: a day inside what a datetime can hold.
_DAYS = (-719_161, 2_932_894)


@lru_cache(maxsize=65536)
def _offset(tz: ZoneInfo, day: int) -> int | None:
    """Return the offset from UTC, in microseconds, all along a UTC day; None when it changes."""
    first = min(max(day, _DAYS[0]), _DAYS[1]) * _DAY
    begun = _offset_at(tz, first)
    return begun if begun == _offset_at(tz, first + _DAY) else None


def _offset_at(tz: ZoneInfo, micros: int) -> int:
    offset = (_EPOCH + timedelta(microseconds=micros)).astimezone(tz).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def day_column(days: NDArray[np.datetime64] | Sequence[date | None]) -> NDArray[np.datetime64]:
    """Return days as a column keeps them."""
    return np.asarray(days, dtype="datetime64[D]")


def as_days(column: pd.Series[Any]) -> NDArray[np.datetime64]:
    """Return a pandas column of days as ``datetime64[D]``; ``.tolist()`` of it gives dates and None."""
    return column.to_numpy().astype("datetime64[D]")


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_ranks(days: NDArray[np.datetime64], first_monday: date) -> NDArray[np.int64]:
    """Return the rank, from 0, of each day's week (Monday to Sunday) from a first Monday."""
    since = (days - np.datetime64(first_monday, "D")).astype(np.int64)
    return since // 7
