"""What analyses give back: frozen values with their n, definition, period and freshness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

State = Literal["not_connected", "inactive", "slow", "on_track", "finished"]
#: In the order in which people are to be contacted.
STATES: tuple[State, ...] = ("not_connected", "inactive", "slow", "on_track", "finished")


@dataclass(frozen=True)
class Basis:
    """What an indicator rests on; shown beside it."""

    #: People counted (the enrolled learners, unless the definition says otherwise).
    n: int
    #: Key of the definition shown under "comment lire" (lti_tool/wording.py has the words).
    definition: str
    #: First and last day looked at, both included, in the course's time zone.
    period: tuple[date, date] | None
    #: When the derived rows were last refreshed (UTC); None: nothing received yet.
    fresh_at: datetime | None
    #: The roster is unknown: `n` counts only the people seen or launched.
    partial: bool = False


@dataclass(frozen=True)
class Share:
    """A count among n, with its 95 % Wilson interval; `suppressed` says why nothing may be shown."""

    count: int | None
    n: int | None
    low: float | None = None
    high: float | None = None
    suppressed: str | None = None

    @property
    def value(self) -> float | None:
        return self.count / self.n if self.count is not None and self.n else None


@dataclass(frozen=True)
class Week:
    """Learners active in one week (Monday to Sunday)."""

    monday: date
    active: int
    #: The week is not over.
    current: bool
    #: Mean of the same week of the path's previous sessions, as a count scaled to this session's
    #: enrolled; None when there is none.
    reference: float | None = None


@dataclass(frozen=True)
class Overview:
    """The state of a course today."""

    basis: Basis
    enrolled: int
    #: Distinct learners with a trace or a presence in the last seven days, and in the seven before.
    active_now: int
    active_before: int
    by_state: dict[State, int]
    weeks: tuple[Week, ...]
    #: IRI of the module with the most learners active in the last seven days, or None.
    busiest_module: str | None
    #: No presence is known at all in this course.
    online_only: bool
    #: Rank of the current week from the session's start, and their number when its end is known.
    week_number: int | None
    week_count: int | None
    #: Previous sessions of the path that the reference of `weeks` averages: 0, 1 or 2.
    reference_sessions: int = 0
    #: Learners with a trace or a presence since the beginning.
    connected: int = 0


@dataclass(frozen=True)
class Learner:
    """One enrolled learner: the state, the rule that fired and the facts behind it."""

    actor: str
    state: State
    #: What gave the state: a key of tool_config/rules.yaml (not_connected_days, inactive_days,
    #: slow_modules_behind), or course_completed, modules_completed, up_to_date (all that is open is
    #: finished, the rest opens later), on_track.
    rule: str
    enrolled_on: date | None
    #: Days in the course's time zone; no clock hours of a person leave the analyses.
    #: `days_since` counts from the last one, or from the enrolment (at the earliest the start of the
    #: session) for somebody not connected.
    first_on: date | None
    last_on: date | None
    days_since: int | None
    active_weeks: int
    active_days: int
    #: Seconds, capped-gap estimate at 30 min.
    seconds: int
    attended: int
    modules_done: int
    modules_required: int
    #: Modules that the calendar (else the group's median) would have finished by today.
    modules_expected: int
    #: IRI of the module to do next or in progress; None when finished or without outline.
    current_module: str | None
    #: Other learners whose current module is the same.
    others_here: int
    completed_on: date | None
    needs_word: bool
    #: Modules closed and not finished; without calendar, modules behind the group's median.
    modules_behind: int = 0
    #: The soonest that concerns this person from today on: a gathering, or the closing of a module
    #: not yet finished ("closes").
    deadline_on: date | None = None
    deadline_title: str | None = None
    deadline_kind: str | None = None
    #: They object: only what the training requires is said of them.
    objects: bool = False


@dataclass(frozen=True)
class ActivityProgress:
    """One activity of a module among the enrolled."""

    iri: str
    title: str
    position: int
    required: bool
    activity_type: str
    gathering: str | None
    #: Learners who reached it, completed it (never more than reached), out of the enrolled.
    reached: int
    completed: int
    tracked: bool
    #: Median of the time spent by those who reached it, seconds; None when nobody did.
    median_seconds: float | None
    #: Median of the latest scores, 0 to 1, and how many have one.
    median_score: float | None
    scored: int


@dataclass(frozen=True)
class ModuleProgress:
    """One module of the outline among the enrolled."""

    iri: str
    title: str
    position: int
    required: bool
    opens_on: date | None
    closes_on: date | None
    hours_in_person: float | None
    hours_distance: float | None
    finished: int
    in_progress: int
    not_started: int
    #: Medians over learners who reached it, seconds, at caps of 30 (shown), 10 and 60 minutes.
    median_seconds: float | None
    median_seconds_10: float | None
    median_seconds_60: float | None
    median_score: float | None
    scored: int
    #: Whose current module it is, entered and not finished, without any activity of it entered or
    #: completed for `stuck_days` or more.
    stuck: int


@dataclass(frozen=True)
class CourseProgress:
    """All modules, in order; `blocking` is the IRI of the one that stands out, if any."""

    basis: Basis
    modules: tuple[ModuleProgress, ...]
    blocking: str | None


@dataclass(frozen=True)
class Step:
    """One module on a learner's path."""

    iri: str
    title: str
    position: int
    required: bool
    status: Literal["done", "current", "reached", "todo", "later"]
    done: int
    total: int
    seconds: int
    score: float | None
    first_on: date | None
    completed_on: date | None
    opens_on: date | None
    closes_on: date | None
    hours_in_person: float | None
    hours_distance: float | None
    activities: tuple[StepActivity, ...] = ()


@dataclass(frozen=True)
class StepActivity:
    """One activity on a learner's path."""

    iri: str
    title: str
    required: bool
    activity_type: str
    gathering: str | None
    planned_on: date | None
    reached_on: date | None
    completed_on: date | None
    attended: bool
    score: float | None
    seconds: int


@dataclass(frozen=True)
class TimelineDay:
    """One day of a learner's activity."""

    day: date
    events: int
    seconds: int
    #: Titles of the activities touched, most used first.
    activities: tuple[str, ...]
    completed: tuple[str, ...]
    attended: tuple[str, ...]


@dataclass(frozen=True)
class Pace:
    """A learner's finished modules, week by week, beside the group's middle half.

    `band` is None, with the reason in `suppressed`, when the group is under the threshold.
    """

    weeks: tuple[date, ...]
    mine: tuple[int, ...]
    #: (first quartile, median, third quartile) of the other learners, a week each.
    band: tuple[tuple[float, float, float], ...] | None
    suppressed: str | None
    basis: Basis


@dataclass(frozen=True)
class LearnerPath:
    """A learner's path: steps, days, what is next."""

    basis: Basis
    steps: tuple[Step, ...]
    days: tuple[TimelineDay, ...]
    done: int
    required: int
    next_step: Step | None
    next_activity: StepActivity | None
    #: Planned gatherings and openings from today on, soonest first: (day, title, gathering or "opens").
    planned: tuple[tuple[date, str, str], ...]
    finished: bool


@dataclass(frozen=True)
class SessionSummary:
    """One session on the administrator's list."""

    course_id: int
    title: str
    path_id: int | None
    path_title: str | None
    starts_on: date | None
    ends_on: date | None
    enrolled: int
    active: Share
    completion: Share
    last_on: date | None
    fresh_at: datetime | None
    partial: bool


@dataclass(frozen=True)
class Sessions:
    """Every session of a silo, the latest started first."""

    basis: Basis
    sessions: tuple[SessionSummary, ...]
    #: Distinct enrolled learners over all sessions.
    people: int
    #: Sessions with activity in the last seven days, and in the seven before.
    active_now: int
    active_before: int


@dataclass(frozen=True)
class Table:
    """The data table that says the same as a figure; cells are ready to print, numbers stay numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]


@dataclass(frozen=True)
class Chart:
    """A plotly figure (JSON object for the browser) and the table that says the same."""

    figure: dict[str, object]
    table: Table
    #: Words for people who do not see the chart.
    description: str
