"""In person and at a distance: hours planned and followed, completion, marks, satisfaction: PURE.

Figures are sums over the lots of ended sessions of `analyzers.sizing`. What fewer than k people of a lot
followed in a kind of activity, or what marks fewer than k of them have, counts nowhere.

Hours of a person: those of the gatherings where they were present, and their estimated time in activities of
each kind. Planned: the hours of each gathering and of the modules, times the enrolled. Completion is known
of the sessions where somebody finished. Comparisons are observational: a path is held in person or at a
distance for reasons of its own, so that the plain difference stands beside that within the paths which have
both (Mantel–Haenszel, `analyzers.stratified`), and how many these are.

Sources: Newcombe (1998), see `analyzers.intervals`; Cohen, *Statistical Power Analysis* (2nd ed.), 6.2 (h).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import asin, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure, intervals, stratified
from analyzers.community import MODALITIES, Community
from analyzers.lots import Lots
from analyzers.results import Share
from analyzers.shapes import Columns
from analyzers.sizing import MODALITY, PATH, YEAR, Flags, cut, placed
from analyzers.stratified import Marks, Pair, Pooled
from tool_config.activity_kinds import KINDS, Kind

Reals = NDArray[np.float64]
Name = Literal["completion", "satisfaction", "marks"]
#: Pairs compared, by places in `MODALITIES`: the first less the second.
PAIRS = ((1, 0), (2, 0), (2, 1))


@dataclass(frozen=True, eq=False)
class Following:
    """What was followed, as `analyzers.frames.following` reads it.

    hours: course_id, person (numbers of its own), kind (place in `KINDS`), hours, a row each. marks:
    course_id, person, mark (0 to 1). planned: course_id, kind, hours of the gatherings. unsaid: presences at
    gatherings whose hours nobody wrote. received: course_id -> (favourable, answers) published of its closed
    questionnaires.
    """

    hours: Columns
    marks: Columns
    planned: Columns
    unsaid: int
    received: Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Hours:
    """Hours of one kind of activity, all people together."""

    kind: Kind
    followed: float
    #: None: the outline plans no hours of that kind alone.
    planned: float | None


@dataclass(frozen=True)
class Comparison:
    """The difference of two modalities, first less second."""

    first: int
    second: int
    value: float
    low: float
    high: float
    #: Cohen's h of shares, Hedges's g of means.
    effect: float
    #: Within the paths that have both; None without any.
    pooled: Pooled | None
    #: Paths that have both, of those that have one of the two.
    both: int
    paths: int


@dataclass(frozen=True)
class Outcome:
    """One outcome by modality, in the order of `MODALITIES`; None where nothing may be said."""

    name: Name
    shares: tuple[Share | None, ...] = ()
    means: tuple[Marks | None, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, eq=False)
class Modality:
    """Everything that the page shows of some lots."""

    #: Ended sessions and people enrolled in them, by modality; then those of which it is not known.
    sessions: tuple[int, ...]
    enrolled: tuple[int, ...]
    unknown: int
    hours: tuple[Hours, ...]
    #: Hours planned at a distance outside gatherings, and in person outside them.
    planned_online: float
    planned_aside: float
    outcomes: tuple[Outcome, ...]

    @property
    def distance_share(self) -> float | None:
        """Return the share of the hours followed that were at a distance."""
        total = sum(one.followed for one in self.hours)
        here = sum(one.followed for one in self.hours if one.kind == "in_person")
        return (total - here) / total if total else None


def study(
    community: Community,
    following: Following,
    *,
    k: int,
    year: int | None = None,
    path: int | None = None,
) -> Modality:
    """Compare the modalities of a year, of a path (place in `paths`), of everything."""
    study_ = _Study(community, following, cut(community, k), k)
    kept = np.ones(len(study_.lots), dtype=bool)
    keys = study_.lots.keys
    if year is not None:
        kept &= keys[:, YEAR] == year
    if path is not None:
        kept &= keys[:, PATH] == path
    return study_.of(kept)


class _Study:
    def __init__(
        self,
        community: Community,
        following: Following,
        lots: Lots,
        k: int,
    ) -> None:
        self.community, self.following = community, following
        self.lots, self.k = lots, k
        held = placed(community)
        self.rows = {name: column[held] for name, column in community.enrolments.items()}
        self.count = np.bincount(self.rows["session"], minlength=len(lots.of_session)).astype(np.float64)
        known = community.sessions["course_id"]
        self._order = np.argsort(known, kind="stable")
        self._sorted = known[self._order]

    def of(self, kept: Flags) -> Modality:
        keys = self.lots.keys[:, MODALITY]
        enrolled = self.lots.total(np.arange(len(self.count)), self.count)
        sessions = np.bincount(self.lots.of_session[self.lots.of_session >= 0], minlength=len(self.lots))
        places = range(len(MODALITIES))
        hours, online, aside = self._hours(kept)
        return Modality(
            sessions=tuple(int(sessions[kept & (keys == place)].sum()) for place in places),
            enrolled=tuple(round(float(enrolled[kept & (keys == place)].sum())) for place in places),
            unknown=int(sessions[kept & (keys < 0)].sum()),
            hours=hours,
            planned_online=online,
            planned_aside=aside,
            outcomes=(
                self._shares("completion", kept, *self._finished()),
                self._shares("satisfaction", kept, *self._favourable()),
                self._marked(kept),
            ),
        )

    def _sessions_of(self, course_ids: NDArray[Any]) -> NDArray[np.int64]:
        """Return the place of the session of each course; a course that is gone has none: −1."""
        if not len(self._sorted):
            return np.full(len(course_ids), -1)
        at = np.clip(np.searchsorted(self._sorted, course_ids), 0, len(self._sorted) - 1)
        return np.where(self._sorted[at] == course_ids, self._order[at], -1)

    # --- hours --------------------------------------------------------------------------------------

    def _hours(self, kept: Flags) -> tuple[tuple[Hours, ...], float, float]:
        rows = self._inside(self.following.hours)
        followed = np.zeros((len(KINDS), len(self.lots)))
        for place in range(len(KINDS)):
            mine = rows["kind"] == place
            enough = self.lots.enough(rows["session"][mine], rows["person"][mine], self.k)
            sums = self.lots.total(rows["session"][mine], rows["hours"][mine])
            followed[place] = np.where(enough, sums, 0)
        gathered = self._inside(self.following.planned)
        planned = np.zeros((len(KINDS), len(self.count)))
        np.add.at(planned, (gathered["kind"], gathered["session"]), gathered["hours"])
        table = self.community.sessions
        in_person, distance = (np.nan_to_num(table[f"hours_{name}"]) for name in ("in_person", "distance"))
        # What was followed is known of the platform's sessions alone.
        traced = table["course_id"] > 0
        aside = np.where(traced, np.maximum(in_person - planned[0], 0), 0)
        online = np.where(traced, np.maximum(distance - planned[1] - planned[2], 0), 0)
        everywhere = np.arange(len(self.count))

        def of_people(hours: Reals) -> float:
            return float(self.lots.total(everywhere, hours * self.count)[kept].sum())

        made = tuple(
            Hours(name, float(followed[place][kept].sum()), of_people(planned[place]) if place < 3 else None)
            for place, name in enumerate(KINDS)
        )
        return made, of_people(online), of_people(aside)

    def _inside(self, columns: Columns) -> dict[str, NDArray[Any]]:
        """Return the rows of courses that are still known, with their session."""
        session = self._sessions_of(columns["course_id"])
        return {name: column[session >= 0] for name, column in columns.items()} | {
            "session": session[session >= 0]
        }

    # --- outcomes -----------------------------------------------------------------------------------

    def _finished(self) -> tuple[Reals, Reals]:
        """Return those who finished and the enrolled, by lot, of sessions where somebody finished."""
        finished = np.bincount(
            self.rows["session"], weights=self.rows["finished"], minlength=len(self.count)
        ).astype(np.float64)
        known = finished > 0
        some = known[self.rows["session"]]
        enough = self.lots.enough(self.rows["session"][some], self.rows["person"][some], self.k)
        sessions = np.flatnonzero(known)
        counted, total = (self.lots.total(sessions, column[known]) for column in (finished, self.count))
        return np.where(enough, counted, 0), np.where(enough, total, 0)

    def _favourable(self) -> tuple[Reals, Reals]:
        """Return the favourable answers and all, by lot: published already, each session by itself."""
        received = self.following.received
        ids = np.array(sorted(received), dtype=np.int64)
        session = self._sessions_of(ids)
        inside = session >= 0
        values = np.array([received[int(one)] for one in ids], dtype=np.float64).reshape(-1, 2)
        return (
            self.lots.total(session[inside], values[inside, 0]),
            self.lots.total(session[inside], values[inside, 1]),
        )

    def _shares(self, name: Name, kept: Flags, counts: Reals, totals: Reals) -> Outcome:
        def pair(some: Flags) -> tuple[int, int]:
            return round(float(counts[some].sum())), round(float(totals[some].sum()))

        whole = [pair(kept & (self.lots.keys[:, MODALITY] == place)) for place in range(len(MODALITIES))]
        shares = [None if not n else disclosure.share(count, n, k=self.k) for count, n in whole]
        made = []
        for first, second in PAIRS:
            if not all(shares[place] is not None and shares[place].n for place in (first, second)):  # type: ignore[union-attr]
                continue
            strata: dict[object, Pair] = {
                path: (one, other) for path, (one, other) in self._by_path(kept, first, second, pair).items()
            }
            value, low, high = intervals.difference(whole[first], whole[second])
            p, q = (count / n for count, n in (whole[first], whole[second]))
            made.append(
                Comparison(
                    first, second, value, low, high, 2 * asin(sqrt(p)) - 2 * asin(sqrt(q)),
                    stratified.risk_difference(strata), *_overlap([(a[1], b[1]) for a, b in strata.values()]),
                )
            )  # fmt: skip
        return Outcome(name, shares=tuple(shares), comparisons=tuple(made))

    def _by_path(
        self, kept: Flags, first: int, second: int, read: Callable[[Flags], Any]
    ) -> dict[int, tuple[Any, Any]]:
        """Return what `read` gives of each path under the two modalities."""
        keys = self.lots.keys
        made = {}
        for path in np.unique(keys[kept & (keys[:, PATH] >= 0), PATH]):
            mine = kept & (keys[:, PATH] == path)
            made[int(path)] = tuple(read(mine & (keys[:, MODALITY] == place)) for place in (first, second))
        return made

    def _marked(self, kept: Flags) -> Outcome:
        rows = self._inside(self.following.marks)
        enough = self.lots.enough(rows["session"], rows["person"], self.k)
        full = np.append(enough, False)[self.lots.of_session[rows["session"]]]
        session, mark = rows["session"][full], rows["mark"][full]
        sums = [self.lots.total(session, column) for column in (np.ones(len(mark)), mark, mark * mark)]

        def read(some: Flags) -> Marks | None:
            n, total, squared = (float(column[some].sum()) for column in sums)
            return Marks.of_sums(round(n), total, squared) if n else None

        means = [read(kept & (self.lots.keys[:, MODALITY] == place)) for place in range(len(MODALITIES))]
        made = []
        for first, second in PAIRS:
            one, other = means[first], means[second]
            effect = stratified.means(one, other) if one is not None and other is not None else None
            if effect is None:
                continue
            paths = list(self._by_path(kept, first, second, read).values())
            pairs = [(a, b) for a, b in paths if a is not None and b is not None]
            made.append(
                Comparison(
                    first, second, effect.value, effect.low, effect.high, effect.g,
                    stratified.mean_difference(pairs),
                    *_overlap([(0 if a is None else a.n, 0 if b is None else b.n) for a, b in paths]),
                )
            )  # fmt: skip
        return Outcome("marks", means=tuple(means), comparisons=tuple(made))


def _overlap(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return how many paths have both modalities, and how many have one at least."""
    return sum(bool(a and b) for a, b in sizes), sum(bool(a or b) for a, b in sizes)
