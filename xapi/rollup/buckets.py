"""PURE: from the events of a learner to days, activities, modules and the whole course.

Time spent is the sum of the gaps between consecutive acts of one learner in one course, each counted for
the earlier act's activity and day when it is no longer than a cap (10, 30 and 60 minutes), else not at
all; the last act counts nothing, and neither does a presence, whose hour is not that of a click.
Instants are cut to the second first, so that seconds add up exactly from one table to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from xapi.events import PASSIVE
from xapi.outline.items import Member
from xapi.reading import COMPLETING

CAPS = (600, 1800, 3600)
#: The longest gap that can count: what is read after a day to close it.
LONGEST_GAP = timedelta(seconds=max(CAPS))
SECONDS = ("seconds_10", "seconds_30", "seconds_60")

Row = dict[str, Any]


class EventRow(Protocol):
    """What is read of an event; rows come sorted by (at, statement_id)."""

    kind: str
    at: datetime
    activity: str
    score: float | None


@dataclass(slots=True)
class _Cell:
    """What one learner did in one place (course or activity) on one day."""

    events: int = 0
    seconds_10: int = 0
    seconds_30: int = 0
    seconds_60: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    #: First and last event of any kind, for a cell without an act.
    from_at: datetime | None = None
    until_at: datetime | None = None
    attempts: int = 0
    completed_at: datetime | None = None
    uncompleted_at: datetime | None = None
    attended_at: datetime | None = None
    score: float | None = None
    score_at: datetime | None = None

    def act(self, at: datetime) -> None:
        self.events += 1
        self.first_at = self.first_at or at
        self.last_at = at

    def spend(self, gap: int) -> None:
        if gap <= CAPS[0]:
            self.seconds_10 += gap
        if gap <= CAPS[1]:
            self.seconds_30 += gap
        if gap <= CAPS[2]:
            self.seconds_60 += gap

    def note(self, row: EventRow) -> None:
        """Keep what the event says beside being an act; rows come in order."""
        kind, at = row.kind, row.at
        self.from_at = self.from_at or at
        self.until_at = at
        if kind == "started":
            self.attempts += 1
        elif kind == "attended":
            self.attended_at = self.attended_at or at
        elif kind == "uncompleted":
            self.completed_at = None
            self.uncompleted_at = at
        elif kind in COMPLETING:
            self.completed_at = self.completed_at or at
        if row.score is not None:
            self.score, self.score_at = row.score, at


def is_act(kind: str, activity: str) -> bool:
    """Tell whether the learner did something; a course's completion is computed by the platform."""
    return kind not in PASSIVE and (activity != "" or kind not in COMPLETING)


def days(
    rows: Iterable[EventRow], wanted: set[date] | None, zone: ZoneInfo, key: Mapping[str, Any]
) -> tuple[list[Row], list[Row]]:
    """Return the rows of rollup_actor_day and rollup_activity_day of one learner in one course.

    `rows` hold every event of the wanted local days (None: every day) and, after each of them, those of
    the next hour at least; `key` is (silo_id, course_id, actor).
    """
    whole: dict[date, _Cell] = {}
    cells: dict[tuple[date, str], _Cell] = {}
    before: tuple[int, _Cell | None, _Cell | None] | None = None
    # At the same instant the completion wins: platforms send both when they compute a state.
    for row in sorted(rows, key=lambda row: (row.at, row.kind != "uncompleted")):
        day = row.at.astimezone(zone).date()
        inside = wanted is None or day in wanted
        act = is_act(row.kind, row.activity)
        cell = spot = None
        if inside and row.kind not in ("enrolled", "left", "notified"):
            spot = cells.setdefault((day, row.activity), _Cell())
            spot.note(row)
            if act:
                cell = whole.setdefault(day, _Cell())
                cell.act(row.at)
                spot.act(row.at)
        if act and row.kind != "attended":
            second = int(row.at.timestamp())
            if before is not None and before[1] is not None and before[2] is not None:
                before[1].spend(second - before[0])
                before[2].spend(second - before[0])
            before = (second, cell, spot)
    return _day_rows(whole, key), _activity_day_rows(cells, key)


def _day_rows(whole: Mapping[date, _Cell], key: Mapping[str, Any]) -> list[Row]:
    return [
        {
            **key,
            "day": day,
            "events": cell.events,
            "seconds_10": cell.seconds_10,
            "seconds_30": cell.seconds_30,
            "seconds_60": cell.seconds_60,
            "first_at": cell.first_at,
            "last_at": cell.last_at,
        }
        for day, cell in sorted(whole.items())
    ]


def _activity_day_rows(cells: Mapping[tuple[date, str], _Cell], key: Mapping[str, Any]) -> list[Row]:
    return [
        {
            **key,
            "day": day,
            "activity": activity,
            "events": cell.events,
            "seconds_10": cell.seconds_10,
            "seconds_30": cell.seconds_30,
            "seconds_60": cell.seconds_60,
            "first_at": cell.first_at or cell.from_at,
            "last_at": cell.last_at or cell.until_at,
            "attempts": cell.attempts,
            "completed_at": cell.completed_at,
            "uncompleted_at": cell.uncompleted_at,
            "attended_at": cell.attended_at,
            "score": cell.score,
            "score_at": cell.score_at,
        }
        for (day, activity), cell in sorted(cells.items())
    ]


def activity(rows: Sequence[Any], key: Mapping[str, Any]) -> Row | None:
    """Return the row of rollup_activity from the days of one learner in one activity, in order.

    None when nothing was reached: a completion undone, and nothing else, says nothing of the learner.
    A completion's instant is the first after the last undoing.
    """
    acts = [row for row in rows if row.events]
    completed = attended = score = None
    for row in rows:
        if row.uncompleted_at is not None:
            completed = None
        completed = completed or row.completed_at
        attended = attended or row.attended_at
        if row.score_at is not None:
            score = row.score
    if not acts and completed is None and attended is None and score is None:
        return None
    shown = acts or rows
    return {
        **key,
        "events": sum(row.events for row in rows),
        **{name: sum(getattr(row, name) for row in rows) for name in SECONDS},
        "first_at": shown[0].first_at,
        "last_at": max(row.last_at for row in shown),
        "attempts": sum(row.attempts for row in rows),
        "completed_at": completed,
        "attended_at": attended,
        "score": score,
    }


def module(members: Sequence[Member], rows: Mapping[str, Any], key: Mapping[str, Any]) -> Row | None:
    """Return the row of rollup_module of one learner, None when no activity of the module was reached.

    Done and required count the required activities; in a module without any they count all of them,
    reached and in all. The score is the mean of the latest scores.
    """
    reached = [rows[member.iri] for member in members if member.iri in rows]
    if not reached:
        return None
    counted = [member for member in members if member.required]
    if counted:
        instants = [member.done_at(rows.get(member.iri)) for member in counted]
    else:
        counted = list(members)
        instants = [rows[member.iri].first_at if member.iri in rows else None for member in counted]
    done = [at for at in instants if at is not None]
    scores = [row.score for row in reached if row.score is not None]
    return {
        **key,
        **{name: sum(getattr(row, name) for row in reached) for name in SECONDS},
        "first_at": min(row.first_at for row in reached),
        "last_at": max(row.last_at for row in reached),
        "progress_at": max(row.completed_at or row.first_at for row in reached),
        "done": len(done),
        "required": len(counted),
        "completed_at": max(done) if len(done) == len(counted) else None,
        "score": math.fsum(scores) / len(scores) if scores else None,
    }


def enrolment(rows: Iterable[Any]) -> tuple[datetime | None, datetime | None]:
    """Return (enrolled, left) from the events of enrolment, in order; left is None once enrolled again."""
    enrolled = left = None
    for row in rows:
        if row.kind == "left":
            left = row.at
        elif enrolled is None or left is not None:
            enrolled, left = row.at, None
    return enrolled, left


def last_module(rows: Mapping[str, Any], modules: Mapping[str, str]) -> str:
    """Return the module of the last act among activities of the outline; "" when there is none."""
    found = [(row.last_at, iri) for iri, row in rows.items() if row.events and iri in modules]
    return modules[max(found)[1]] if found else ""
