"""The frame of a path put together from rows of its sessions: PURE.

The design first (modules by one name over the sessions), then the people of each session; `framed` closes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analyzers import journeys
from analyzers.community import Dimension, school_years
from analyzers.journeys import MOST_MODULES, Journeys
from analyzers.shapes import local_days
from tool_config.references import plain

#: Microseconds earlier than any.
_NEVER = -(2**62)


@dataclass(frozen=True, eq=False)
class Known:
    """The traits of everybody in the files of a silo, by actor."""

    people: Mapping[str, int]
    traits: Mapping[str, Dimension]

    def of(self, actors: Sequence[str]) -> dict[str, Dimension]:
        """Return the traits of some people."""
        at = np.array([self.people.get(actor, -1) for actor in actors], dtype=np.int64)
        made = {}
        for name, trait in self.traits.items():
            codes = np.where(at >= 0, trait.codes[np.maximum(at, 0)], -1).astype(np.int32)
            if (codes >= 0).any():
                made[name] = Dimension(trait.values, codes)
        return made


@dataclass(frozen=True)
class Design:
    """Modules of a path by one name over its sessions, and where each session has them."""

    names: tuple[str, ...]
    #: course -> module of the traces -> place in `names`
    place: Mapping[int, Mapping[str, int]]
    #: course -> modules to be done
    goals: Mapping[int, frozenset[str]]
    ranks: NDArray[np.int8]

    @classmethod
    def of(cls, modules: Sequence[Any], runs: Sequence[Any]) -> Design:
        """Name modules by their titles: each session has its own, those of one title are the same.

        A platform names sections that nobody named after the course: that part is taken off. Optional ones
        are left out where a session has others: a forum that is open all the time is no step.
        """
        asked: dict[int, list[Any]] = {}
        for module in modules:
            asked.setdefault(module.course_id, []).append(module)
        goals = {key: frozenset(one.iri for one in some if one.required) for key, some in asked.items()}
        kept = {key: [one for one in some if one.required or not goals[key]] for key, some in asked.items()}
        titles = {run.course_id: run.title or "" for run in runs}
        named = {key: [(one.iri, _own(one.title, titles[key])) for one in some] for key, some in kept.items()}
        written: dict[str, str] = {}
        for run in reversed(runs):
            for _, title in named.get(run.course_id, ()):
                written.setdefault(plain(title), title)
        at = {name: rank for rank, name in enumerate(list(written)[:MOST_MODULES])}
        place = {
            key: {iri: at[plain(title)] for iri, title in some if plain(title) in at}
            for key, some in named.items()
        }
        ranks = np.full((max(1, len(runs)), max(1, len(at))), -1, dtype=np.int8)
        for row, run in enumerate(runs):
            for rank, module in enumerate(dict.fromkeys(place.get(run.course_id, {}).values())):
                ranks[row, module] = rank
        return cls(tuple(list(written.values())[:MOST_MODULES]), place, goals, ranks)


def _own(title: str, course: str) -> str:
    """Return the title of a module without that of its session before it."""
    if course and title.casefold().startswith(course.casefold()):
        return title[len(course) :].strip(" –—-:·") or title
    return title


# --- rows ---------------------------------------------------------------------------------------------


@dataclass
class Rows:
    """A row a person and session, and a row a person, session and module entered."""

    actors: list[str] = field(default_factory=list)
    session: list[int] = field(default_factory=list)
    left: list[bool] = field(default_factory=list)
    #: (enrolled, first, last, completed), microseconds
    instants: list[tuple[int | None, ...]] = field(default_factory=list)
    #: (row, module, first, last, rank)
    entered: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    #: Goals reached by row, and the last instant at which one was.
    done: dict[int, int] = field(default_factory=dict)
    done_at: dict[int, int] = field(default_factory=dict)
    needed: list[int] = field(default_factory=list)

    def add(
        self,
        rank: int,
        course_id: int,
        design: Design,
        there: Iterable[Sequence[Any]],
        away: Iterable[Sequence[Any]],
        entries: Iterable[Sequence[Any]],
    ) -> None:
        """Add the people of a session: those enrolled, those who left it, the modules they entered.

        The rows of `frames.pathways`: `people`, `gone`, `entries`.
        """
        goals = design.goals.get(course_id, frozenset())
        at: dict[str, int] = {}
        for left, some in ((False, there), (True, away)):
            for actor, *instants in some:
                if actor in at:
                    continue
                at[actor] = len(self.actors)
                self.actors.append(actor)
                self.session.append(rank)
                self.left.append(left)
                self.instants.append(tuple(instants))
                self.needed.append(len(goals))
        place = design.place.get(course_id, {})
        for actor, module, first, last, over, when in entries:
            row = at.get(actor)
            if row is None:
                continue
            if over and module in goals:
                self.done[row] = self.done.get(row, 0) + 1
                self.done_at[row] = max(self.done_at.get(row, _NEVER), when or last)
            if module in place:
                own = place[module]
                self.entered.append((row, own, first, last, int(design.ranks[rank, own])))


def framed(
    rows: Rows,
    design: Design,
    runs: Sequence[Any],
    today: date,
    tz: ZoneInfo,
    now: datetime,
    traits: Known,
) -> Journeys:
    """Return the frame: each person once."""
    entered = np.array(rows.entered, dtype=np.int64).reshape(-1, 5)
    if len(entered):  # two modules of one title in a session are one
        entered = entered[np.lexsort((entered[:, 2], entered[:, 1], entered[:, 0]))]
        once = np.r_[True, (entered[1:, :2] != entered[:-1, :2]).any(axis=1)]
        entered = entered[once]
    modules = max(1, len(design.names))
    who, module, begun_at, seen_at, rank = entered.T
    steps, returned = journeys.ordered(who, module, begun_at, seen_at, rank, len(rows.actors), modules)
    kept = journeys.once_each(
        rows.actors,
        (steps[:, 0] >= 0) if len(steps) else np.zeros(0, bool),
        np.array(rows.session, dtype=np.int64),
    )
    actors = [rows.actors[row] for row in kept.tolist()]
    session = np.array(rows.session, dtype=np.int32)[kept]
    columns = [[rows.instants[row][part] for row in kept.tolist()] for part in range(4)]
    ended_at = [rows.done_at.get(row) for row in kept.tolist()]
    whole = np.array([0 < rows.needed[row] <= rows.done.get(row, 0) for row in kept.tolist()], dtype=bool)
    finished = whole | np.array([one is not None for one in columns[3]], dtype=bool)
    enrolled, first, last, completed, done = (local_days(list(one), tz) for one in (*columns, ended_at))
    day = np.datetime64(today, "D")
    starts = _days([run.starts_on for run in runs])[session] if len(kept) else enrolled
    ends = _days([run.ends_on for run in runs])[session] if len(kept) else enrolled
    begun = _first_known(starts, _first_known(enrolled, _first_known(first, np.full(len(kept), day))))
    seen = np.minimum(_first_known(last, begun), day)
    end = np.where(finished, _first_known(completed, _first_known(np.where(whole, done, _NAT), seen)), seen)
    return Journeys(
        version=uuid4().hex,
        made_at=now.astimezone(UTC),
        today=today,
        modules=design.names,
        ranks=design.ranks,
        steps=steps[kept],
        returned=returned[kept],
        session=session,
        finished=finished,
        over=np.array(rows.left, dtype=bool)[kept] | (~np.isnat(ends) & (ends < day)),
        silent=np.maximum((day - seen).astype(np.int64), 0).astype(np.int32),
        last_week=_weeks(begun, end),
        now_week=_weeks(begun, np.full(len(kept), day)),
        year=school_years(begun),
        traits=traits.of(actors),
    )


_NAT = np.datetime64("NaT", "D")


def _days(some: Sequence[date | None]) -> NDArray[np.datetime64]:
    return np.array([_NAT if one is None else np.datetime64(one, "D") for one in some], dtype="datetime64[D]")


def _first_known(one: NDArray[np.datetime64], other: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    return np.where(np.isnat(one), other, one)


def _weeks(start: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> NDArray[np.int16]:
    """Return the week of each end, counted from 0 at the start; before the start is its first week."""
    days = (end - start).astype("timedelta64[D]").astype(np.int64)
    return (np.clip(days, 0, 7 * 500) // 7).astype(np.int16)
