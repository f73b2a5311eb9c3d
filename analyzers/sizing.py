"""Sessions against their places: who enrolled, who came, days given, costs, and the next session: PURE.

Everything is a sum over lots of ended sessions (`analyzers.lots`), each of k people at least. Within a lot a
figure that is known of some of its sessions alone (places, presences, costs) counts only where those have k
people too.

Rules, all said on the page. Enrolled: a place was given, and not given back before the person was ever seen.
Came: present at a gathering, seen by a trace, or said by a file to have finished or not. Presence is unknown,
and out of the rate, where nothing at all was seen in a session, or where only people seen are known (no
list). A *journée-stagiaire* is one person for `hours_a_day` hours. Planned: planned days × places (× enrolled
where places are unknown). Given: planned days × people who came: in person those ticked present where a
presence was ticked at all, at a distance those with a trace where there is one at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure
from analyzers.community import STATUSES, Community
from analyzers.lots import MIXED, Lots, divide
from analyzers.results import Share
from tool_config.rules import SessionRules

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: Levels by which ended sessions are cut, the widest first.
YEAR, PATH, MODALITY, SESSION = range(4)
_WITHDRAWN = STATUSES.index("withdrawn")
_SEEN = (STATUSES.index("finished"), STATUSES.index("unfinished"))


@dataclass(frozen=True)
class Filled:
    """What some lots of ended sessions add up to; zeros where nothing is known."""

    sessions: int
    enrolled: int
    #: Places of the sessions that say how many, and people enrolled in those.
    capacity: float
    seated: int
    #: Enrolled whose coming can be known, and those who came.
    known: int
    came: int
    #: Journées-stagiaires planned and given where both are known.
    planned_in_person: float
    planned_distance: float
    given_in_person: float
    given_distance: float
    #: Cost of the sessions that say it, journées-stagiaires given and people who came in those.
    cost: float
    cost_days: float
    cost_people: int

    @property
    def fill(self) -> float | None:
        """Enrolled for a place."""
        return self.seated / self.capacity if self.capacity else None

    @property
    def cost_a_day(self) -> float | None:
        return self.cost / self.cost_days if self.cost_days else None

    @property
    def cost_a_person(self) -> float | None:
        return self.cost / self.cost_people if self.cost_people else None

    def presence(self, k: int) -> Share:
        """Return the share of the enrolled who came."""
        return disclosure.share(self.came, self.known, k=k)

    def absent(self, k: int) -> Share:
        """Return the share of the enrolled who never came."""
        return disclosure.share(self.known - self.came, self.known, k=k)


_NAMES = tuple(one.name for one in fields(Filled))
_WHOLE = ("sessions", "enrolled", "seated", "known", "came", "cost_people")


def _filled(values: Reals) -> Filled:
    """Return figures in the order of `Filled`; people and sessions are whole numbers."""
    named = zip(_NAMES, values.tolist(), strict=True)
    return Filled(**{name: round(value) if name in _WHOLE else value for name, value in named})


@dataclass(frozen=True, eq=False)
class Line:
    """One lot as a page lists it: a session, or several small ones together."""

    #: Place in the community's sessions, −1 for several.
    session: int
    path: int
    filled: Filled
    starts: date | None
    ends: date | None


@dataclass(frozen=True, eq=False)
class Sizing:
    """The ended sessions of a community, cut into lots, with what each adds up to."""

    community: Community
    lots: Lots
    k: int
    sums: Mapping[str, Reals]
    #: Ended sessions that are in no lot: nobody is known in them, or the whole is under k.
    left_out: int

    @property
    def years(self) -> tuple[int, ...]:
        return tuple(sorted({int(year) for year in self.lots.keys[:, YEAR] if year > 0}))

    @property
    def paths(self) -> tuple[int, ...]:
        """Return the paths that have a lot of their own, by place."""
        return tuple(sorted({int(path) for path in self.lots.keys[:, PATH] if path >= 0}))

    def within(self, *, year: int | None = None, path: int | None = None) -> Flags:
        """Return which lots are of a year, of a path; all of them without either."""
        keys = self.lots.keys
        kept: Flags = np.ones(len(self.lots), dtype=bool)
        if year is not None:
            kept &= keys[:, YEAR] == year
        if path is not None:
            kept &= keys[:, PATH] == path
        return kept

    def filled(self, some: Flags) -> Filled | None:
        """Return what some lots add up to; None for none."""
        if not some.any():
            return None
        return _filled(self._table[:, some].sum(axis=1))

    @cached_property
    def _table(self) -> Reals:
        """Return (figures, lots), the figures in the order of `Filled`."""
        made: Reals = np.stack([self.sums[name] for name in _NAMES])
        return made

    def lines(self, some: Flags) -> tuple[Line, ...]:
        """Return the lots one by one, the latest started first; several sessions together come last."""
        made = [self._line(int(lot)) for lot in np.flatnonzero(some)]
        made.sort(key=lambda line: line.starts or date.min, reverse=True)
        return tuple(sorted(made, key=lambda line: line.session < 0))

    def _line(self, lot: int) -> Line:
        session = int(self.lots.keys[lot, SESSION])
        filled = _filled(self._table[:, lot])
        table = self.community.sessions
        if session == MIXED:
            return Line(-1, int(self.lots.keys[lot, PATH]), filled, None, None)
        return Line(
            session, int(table["path"][session]), filled, day(table["starts"][session]),
            day(table["ends"][session]),
        )  # fmt: skip

    @cached_property
    def sessions_of(self) -> Mapping[int, tuple[Line, ...]]:
        """Return the sessions of each path that stand alone in their lot, the oldest first."""
        found: dict[int, list[Line]] = {}
        for line in self.lines(self.lots.keys[:, SESSION] >= 0):
            if line.path >= 0 and line.starts is not None:
                found.setdefault(line.path, []).append(line)
        return {path: tuple(reversed(lines)) for path, lines in found.items()}


def day(value: np.datetime64) -> date | None:
    """Return a day of a column, None for none."""
    found = value.item()
    return found if isinstance(found, date) else None


def ended(community: Community) -> Flags:
    """Return which sessions are over: their end is past, or they have none and began another school year."""
    table = community.sessions
    today = np.datetime64(community.today, "D")
    year = community.today.year - (community.today.month < 8)
    unsaid = np.isnat(table["ends"]) & (table["year"] > 0) & (table["year"] < year)
    made: Flags = (table["ends"] < today) | unsaid
    return made


def came(community: Community) -> Flags:
    """Return, for each enrolment, whether the person was ever seen in the session."""
    rows = community.enrolments
    traced = (rows["attended"] > 0) | (rows["active_days"] > 0) | ~np.isnat(rows["first_on"])
    made: Flags = traced | rows["finished"] | np.isin(rows["status"], _SEEN)
    return made


def placed(community: Community) -> Flags:
    """Return which enrolments hold a place: not withdrawn before the person was ever seen."""
    made: Flags = came(community) | (community.enrolments["status"] != _WITHDRAWN)
    return made


def cut(community: Community, k: int) -> Lots:
    """Cut the ended sessions into lots by year, path, modality, session."""
    rows, table = community.enrolments, community.sessions
    held = placed(community)
    levels = [table["year"], table["path"], table["modality"], np.arange(len(table["year"]))]
    return divide(levels, rows["session"][held], rows["person"][held], wanted=ended(community), k=k)


def size(community: Community, rules: SessionRules, *, k: int) -> Sizing:
    """Count the ended sessions of a community; nothing under k people in all."""
    lots = cut(community, k)
    counting = _Counting(community, lots, k)
    sums = {name: np.zeros(len(lots)) for name in _NAMES}
    counting.places(sums)
    counting.presences(sums, rules)
    over = int(ended(community).sum())
    return Sizing(community, lots, k, sums, over - int((lots.of_session >= 0).sum()))


class _Counting:
    """Sums by lot, each over the sessions of which it is known."""

    def __init__(self, community: Community, lots: Lots, k: int) -> None:
        held = placed(community)
        self.table = community.sessions
        self.rows = {name: column[held] for name, column in community.enrolments.items()}
        self.seen = came(community)[held]
        self.lots, self.k = lots, k
        self.count = self._by_session(np.ones(len(self.seen), dtype=bool))

    def _by_session(self, rows: Flags) -> Reals:
        return np.bincount(self.rows["session"][rows], minlength=len(self.table["year"])).astype(np.float64)

    def _enough(self, sessions: Flags) -> Flags:
        """Return the sessions, of some, whose lot has k people in those."""
        some = sessions[self.rows["session"]]
        enough = self.lots.enough(self.rows["session"][some], self.rows["person"][some], self.k)
        full = np.append(enough, False)
        made: Flags = sessions & full[self.lots.of_session]
        return made

    def _add(self, values: Reals, sessions: Flags) -> Reals:
        everywhere = np.arange(len(values))
        return self.lots.total(everywhere[sessions], values[sessions])

    def places(self, sums: dict[str, Reals]) -> None:
        everything = self.lots.of_session >= 0
        sums["sessions"] = self._add(np.ones(len(everything)), everything)
        sums["enrolled"] = self._add(self.count, everything)
        said = self._enough(self.table["capacity"] > 0)
        sums["capacity"] = self._add(self.table["capacity"], said)
        sums["seated"] = self._add(self.count, said)

    def presences(self, sums: dict[str, Reals], rules: SessionRules) -> None:
        """Add those who came, the days given, and what these cost."""
        seen = self._by_session(self.seen)
        listed = ~self.table["partial"] | (self._by_session(self._said()) > 0)
        known = self._enough((seen > 0) & listed)
        sums["known"], sums["came"] = self._add(self.count, known), self._add(seen, known)
        present, connected = self._by_modality(seen)
        days = planned_days(self.table, rules.hours_a_day)
        places = np.where(self.table["capacity"] > 0, self.table["capacity"], self.count)
        given = np.zeros(len(seen))
        for name, there, length in (("in_person", present, days[0]), ("distance", connected, days[1])):
            counted = self._enough(known & (length > 0))
            sums[f"planned_{name}"] = self._add(length * places, counted)
            sums[f"given_{name}"] = self._add(length * there, counted)
            given += np.where(counted, np.nan_to_num(length) * there, 0)
        cost = np.where(np.isnan(self.table["cost"]), self.table["cost_planned"], self.table["cost"])
        paid = self._enough(known & (cost > 0) & (given > 0))
        sums["cost"], sums["cost_days"] = self._add(cost, paid), self._add(given, paid)
        sums["cost_people"] = self._add(seen, paid)

    def _said(self) -> Flags:
        """Return the enrolments of which a file speaks."""
        made: Flags = (self.rows["status"] >= 0) | (self.rows["mode"] >= 0)
        return made

    def _by_modality(self, seen: Reals) -> tuple[Reals, Reals]:
        """Return those present in person and those connected, by session."""
        ticked = self._by_session(self.rows["attended"] > 0)
        traced = self._by_session((self.rows["active_days"] > 0) | ~np.isnat(self.rows["first_on"]))
        return np.where(ticked > 0, ticked, seen), np.where(traced > 0, traced, seen)


def planned_days(table: Mapping[str, NDArray[np.generic]], hours_a_day: int) -> tuple[Reals, Reals]:
    """Return the days planned of each session in person and at a distance, NaN unknown.

    Hours over the hours of a day; without hours the days that a file says, all of the session's modality when
    it has one alone.
    """
    known = {
        name: np.asarray(table[name], dtype=np.float64)
        for name in ("hours_in_person", "hours_distance", "days")
    }
    modality = np.asarray(table["modality"], dtype=np.int64)
    silent = np.isnan(known["hours_in_person"]) & np.isnan(known["hours_distance"])
    made = []
    for place, name in enumerate(("hours_in_person", "hours_distance")):
        days = np.where(modality == place, known["days"], np.nan)
        made.append(np.where(silent, days, known[name] / hours_a_day))
    return made[0], made[1]


def years_of(sizing: Sizing, some: Flags) -> Sequence[tuple[int, Filled]]:
    """Return what the lots of each school year add up to, the latest first."""
    keys = sizing.lots.keys[:, YEAR]
    found = []
    for year in sorted({int(one) for one in keys[some] if one > 0}, reverse=True):
        filled = sizing.filled(some & (keys == year))
        if filled is not None:
            found.append((year, filled))
    return found
