"""What is told of the ways through a path: order, variants, what follows what, where people stop. PURE.

Everything that counts people is a sum over lots (`analyzers.branching`): people known to have stopped or
not, to have followed the design or not, to have entered so many modules, and as many of the first modules as
keeps k people together. What a lot does not say ("another way") is not told of its people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2, sqrt

import numpy as np
from numpy.typing import NDArray

from analyzers import branching, disclosure
from analyzers.branching import MIXED, Branch, Levels
from analyzers.intervals import Z95
from analyzers.journeys import FINISHED, INTERRUPTED, UNDER_WAY, Ints, Journeys
from analyzers.results import Share

#: Levels of the tree: stopped or not, what became of it, order, modules entered, then each module.
_ENDED, _STATE, _ORDER, _ENTERED, _FIRST = range(5)
_STEPS = Levels(
    ordered=frozenset({_ENTERED}),
    joined=frozenset({_ENDED, _ORDER}),
    absorbing=frozenset({_STATE}),
    divided=_FIRST,
)
_WEEKS = Levels(ordered=frozenset({1}), divided=2)
#: Lots of one path at most: a way that one person in so many takes is not told apart.
_MOST_LOTS = 400
#: What may come after a module in a flow, beside another module.
STOP, END, STILL, ELSEWHERE = -1, -2, -3, -4
#: Steps of the flow.
FLOW_STEPS = 4
YEAR = "year"


@dataclass(frozen=True)
class Lot:
    """What is known of the people of a lot; None: it is not known."""

    ended: bool | None
    state: int | None
    #: No module was taken before one that the design has first.
    straight: bool | None
    #: Modules entered, from and to.
    low: int
    high: int
    prefix: tuple[int, ...]

    @property
    def whole(self) -> bool:
        """Say whether the way is known to its end."""
        return self.low == self.high == len(self.prefix)


@dataclass(frozen=True, eq=False)
class People:
    """The people of a group, or all: how many of each lot."""

    name: str
    lots: tuple[Lot, ...]
    counts: Ints
    #: Last traces by week: (first week, last week, stopped) and people; None: not told of this group.
    weeks: tuple[tuple[tuple[int, int, bool], int], ...] | None

    @cached_property
    def n(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def straight(self) -> Share:
        """Return the share that follows the design, of who entered two modules and whose order is told."""
        told = [(lot, n) for lot, n in self._each if lot.low >= 2 and lot.straight is not None]
        total = sum(n for _, n in told)
        count = sum(n for lot, n in told if lot.straight)
        return Share(None, None, suppressed=disclosure.FEW) if not total else _share(count, total)

    @cached_property
    def untold(self) -> int:
        """Return how many entered two modules or more, or may have, and are in no share of `straight`."""
        return sum(n for lot, n in self._each if lot.high >= 2 and (lot.low < 2 or lot.straight is None))

    @cached_property
    def states(self) -> Mapping[int, int]:
        """Return how many stopped, go on and finished; without those of whom it is not told."""
        found = {INTERRUPTED: 0, UNDER_WAY: 0, FINISHED: 0}
        for lot, n in self._each:
            if lot.state is not None:
                found[lot.state] += n
        return found

    @cached_property
    def variants(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """Return the ways that are known to their end and their people, the most followed first."""
        found: dict[tuple[int, ...], int] = {}
        for lot, n in self._each:
            if lot.whole and n:
                found[lot.prefix] = found.get(lot.prefix, 0) + n
        return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @cached_property
    def variety(self) -> float | None:
        """Return how many ways, each as much followed, would be as varied: 2 to the entropy, in bits.

        The people of other ways count as one more: it is a lower bound. None where no way is known.
        """
        known = [n for _, n in self.variants]
        rest = self.n - sum(known)
        shares = [n / self.n for n in (*known, rest) if n]
        return float(2 ** -sum(p * log2(p) for p in shares)) if known else None

    @cached_property
    def follows(self) -> Mapping[tuple[int, int], int]:
        """Return n_ab: people who entered module b right after a."""
        found: dict[tuple[int, int], int] = {}
        for lot, n in self._each:
            for pair in zip(lot.prefix, lot.prefix[1:], strict=False):
                if n:
                    found[pair] = found.get(pair, 0) + n
        return found

    @cached_property
    def stops(self) -> Mapping[int, int]:
        """Return, by last module entered, how many stopped there, of those whose way is known to its end."""
        found: dict[int, int] = {}
        for lot, n in self._each:
            if lot.ended and lot.whole and lot.prefix and n:
                found[lot.prefix[-1]] = found.get(lot.prefix[-1], 0) + n
        return found

    def flow(self, steps: int = FLOW_STEPS) -> Mapping[tuple[int, int, int], int]:
        """Return (step from 0, module, what comes next) -> people, over the first steps.

        Next: a module, or STOP, END, STILL (under way), ELSEWHERE (not told).
        """
        found: dict[tuple[int, int, int], int] = {}
        for lot, n in self._each:
            for place, module in enumerate(lot.prefix[:steps]):
                if n:
                    key = (place, module, _next(lot, place))
                    found[key] = found.get(key, 0) + n
        return found

    @property
    def _each(self) -> list[tuple[Lot, int]]:
        return list(zip(self.lots, self.counts.tolist(), strict=True))


@dataclass(frozen=True)
class Placed:
    """A module against its design: by how many places it is taken later (earlier: under 0), on average."""

    module: int
    n: int
    #: Mean, and its 95 % interval.
    shift: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Kendall's τ of each person's order with the design: its mean over `n` people, with its interval."""

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Picture:
    """What a page tells of a path; `groups` are those of the breakdown, all else is of everybody."""

    people: People
    #: What the breakdown is of: "year", a trait; "" without any.
    by: str
    groups: tuple[People, ...]
    #: Lot of each person, place in those of `people`.
    member: NDArray[np.int32]
    agreement: Agreement | None
    placed: tuple[Placed, ...]
    #: Module -> share who came back to it a later day, of those who went on to another.
    returns: Mapping[int, Share]

    def group(self, name: str) -> People | None:
        """Return a group of the breakdown; None when it is not told apart."""
        return next((one for one in self.groups if one.name == name), None)


@dataclass(frozen=True, eq=False)
class Divided:
    """The lots of a path and of a breakdown, and who is in which leaf of the trees they were cut from."""

    leaf: NDArray[np.int32]
    lots: tuple[Branch, ...]
    counts: Ints
    week_leaf: NDArray[np.int32] | None
    weeks: tuple[Branch, ...]
    week_counts: Ints
    #: Group of each person, place in the names of `groups`; None without a breakdown.
    group: NDArray[np.int32] | None
    groups: branching.Groups | None
    groups_weeks: branching.Groups | None


def divided(journeys: Journeys, *, k: int, stopped_days: int, by: str = "") -> Divided | None:
    """Return the lots of everybody and those of a breakdown; None where everybody is one lot.

    Weeks are divided by year alone: told by two breakdowns, beside the ways, they would tell more than each.
    """
    state = journeys.state(stopped_days)
    ended = (state != INTERRUPTED).astype(np.int64)
    end = np.full(journeys.people, -1)
    keys = np.column_stack(
        [ended, state, journeys.inversions == 0, journeys.entered, journeys.steps, end]
    ).astype(np.int64)
    tree, leaf = branching.grow(keys, max(k, journeys.people // _MOST_LOTS), _STEPS)
    cut = branching.cut(tree, _counts(tree, leaf), k, _STEPS)
    if cut is None:
        return None
    lots = tuple(cut.lots())
    counts = branching.summed(_counts(tree, leaf), lots)[0]
    week_tree, week_leaf = branching.grow(np.column_stack([ended, journeys.weeks(stopped_days)]), k, _WEEKS)
    week_cut = branching.cut(week_tree, _counts(week_tree, week_leaf), k, _WEEKS)
    if week_cut is None or any(lot.known[0] == MIXED for lot in (*lots, *week_cut.lots())):
        week_cut = None
    weeks = tuple(week_cut.lots()) if week_cut else ()
    week_counts = (
        branching.summed(_counts(week_tree, week_leaf), weeks)[0] if weeks else np.zeros(0, np.int64)
    )
    group, groups, groups_weeks = None, None, None
    if by:
        names, codes = journeys.codes(by)
        found = branching.divide(cut, leaf, names, codes, k, levels=_STEPS, other=disclosure.OTHER)
        if found is not None:
            groups, of = found
            group = of[np.where(codes < 0, len(names), codes)]
            if by == YEAR and week_cut is not None:
                groups_weeks = branching.regroup(week_cut, week_leaf, groups.names, group, k, _WEEKS)
    return Divided(
        leaf, lots, counts, week_leaf if week_cut else None, weeks, week_counts, group, groups, groups_weeks
    )


def picture(journeys: Journeys, *, k: int, stopped_days: int, by: str = "") -> Picture | None:
    """Return what may be told of a path, with a breakdown by "year" or a trait; None under k people."""
    if journeys.people < k:
        return None
    found = divided(journeys, k=k, stopped_days=stopped_days, by=by)
    if found is None:
        return None
    lots = tuple(_lot(lot, journeys) for lot in found.lots)
    weeks = _by_week(found.weeks, found.week_counts) if found.week_leaf is not None else None
    people = People("", lots, found.counts, weeks)
    groups = _groups(found.groups, found.groups_weeks, journeys) if found.groups is not None else ()
    lot_of = np.empty(max(int(lot.leaves.max()) for lot in found.lots) + 1, dtype=np.int32)
    for place, lot in enumerate(found.lots):
        lot_of[lot.leaves] = place
    member = lot_of[found.leaf]
    return Picture(
        people,
        by if groups else "",
        groups,
        member,
        _agreement(journeys, people, member, k),
        _placed(journeys, people, member, k),
        _returns(journeys, people, member, k),
    )


def told_by_type(
    journeys: Journeys, picture: Picture, types: NDArray[np.int32], *, k: int
) -> dict[int, tuple[int, bool]]:
    """Return how many people each type has, and whether that is all of them.

    `types`: of each person, a function of their way; −1: none. A lot whose way is known to its end is of one
    type. The people of the other lots are told where those of a type are k, or none; types where they are
    fewer stay together with the smallest of the rest until they are k, and have that many at least.
    """
    whole = np.array([lot.whole for lot in picture.people.lots])[picture.member]
    names = [int(one) for one in np.unique(types)]
    known = {name: int((whole & (types == name)).sum()) for name in names}
    rest = {name: int((~whole & (types == name)).sum()) for name in names}
    small = [name for name in names if 0 < rest[name] < k]
    others = sorted((name for name in names if rest[name] >= k), key=lambda name: (rest[name], name))
    while small and sum(rest[name] for name in small) < k and others:
        small.append(others.pop(0))
    return {
        name: (known[name], False) if name in small else (known[name] + rest[name], True)
        for name in names
        if name >= 0
    }


# --- the parts ----------------------------------------------------------------------------------------


def _share(count: int, n: int) -> Share:
    return disclosure.share(count, n, k=1)


def _counts(tree: Branch, leaf: NDArray[np.int32]) -> Ints:
    return np.bincount(leaf, minlength=int(tree.leaves.max()) + 1)[None, :].astype(np.int64)


def _lot(branch: Branch, journeys: Journeys) -> Lot:
    known = dict(enumerate(branch.known))

    def value(level: int) -> int | None:
        return None if known.get(level, MIXED) == MIXED else known[level]

    ended, state, order = value(_ENDED), value(_STATE), value(_ORDER)
    low, high = 0, len(journeys.modules)
    if value(_ENTERED) is not None:
        low = high = branch.known[_ENTERED]
    elif len(branch.known) == _ENTERED + 1 and branch.span is not None:
        low, high = branch.span
    prefix: list[int] = []
    for module in branch.known[_FIRST:]:
        if module < 0:
            break
        prefix.append(module)
    return Lot(
        None if ended is None else ended == 0, state, None if order is None else bool(order), low, high,
        tuple(prefix),
    )  # fmt: skip


def _next(lot: Lot, place: int) -> int:
    if place + 1 < len(lot.prefix):
        return lot.prefix[place + 1]
    if not lot.whole or lot.state is None:
        return ELSEWHERE
    return {INTERRUPTED: STOP, FINISHED: END, UNDER_WAY: STILL}[lot.state]


def _by_week(lots: Sequence[Branch], counts: Ints) -> tuple[tuple[tuple[int, int, bool], int], ...]:
    made = []
    for lot, n in zip(lots, counts.tolist(), strict=True):
        low, high = lot.span if lot.span is not None else (lot.known[1], lot.known[1])
        made.append(((low, high, lot.known[0] == 0), n))
    return tuple(made)


def _groups(
    found: branching.Groups, weeks: branching.Groups | None, journeys: Journeys
) -> tuple[People, ...]:
    lots = tuple(_lot(lot, journeys) for lot in found.lots)
    return tuple(
        People(
            name,
            lots,
            found.counts[place],
            None if weeks is None else _by_week(weeks.lots, weeks.counts[place]),
        )
        for place, name in enumerate(found.names)
    )


def _compared(people: People, member: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return who is in a lot of people who all entered two modules or more."""
    made: NDArray[np.bool_] = np.array([lot.low >= 2 for lot in people.lots])[member]
    return made


def _agreement(journeys: Journeys, people: People, member: NDArray[np.int32], k: int) -> Agreement | None:
    tau = journeys.tau[_compared(people, member)]
    return None if len(tau) < k else Agreement(len(tau), *_mean(tau))


def _placed(journeys: Journeys, people: People, member: NDArray[np.int32], k: int) -> tuple[Placed, ...]:
    """Return the modules against their design, in its order.

    A module is left out when those who took it, beyond the lots that say so, are fewer than k or all but
    fewer than k.
    """
    rows = _compared(people, member)
    steps, shifts, lots = journeys.steps[rows], journeys.shifts[rows], member[rows]
    made = []
    for module in range(len(journeys.modules)):
        took = steps == module
        who = took.any(axis=1)
        said = np.array([module in lot.prefix or lot.whole for lot in people.lots])[lots]
        if not _fits(int((who & ~said).sum()), int((~said).sum()), k) or int(who.sum()) < k:
            continue
        made.append(Placed(module, int(who.sum()), *_mean(shifts[took].astype(np.float64))))
    return tuple(made)


def _returns(journeys: Journeys, people: People, member: NDArray[np.int32], k: int) -> dict[int, Share]:
    """Return who came back to each module, of the lots known to have gone on from it."""
    made = {}
    for module in range(len(journeys.modules)):
        went = np.array([module in lot.prefix[:-1] for lot in people.lots])[member]
        n, count = int(went.sum()), int(journeys.returned[went, module].sum())
        if n and _fits(count, n, k):
            made[module] = _share(count, n)
    return made


def _fits(count: int, n: int, k: int) -> bool:
    """Say whether some of n people may be counted: none, all, or k at least on both sides."""
    return count in (0, n) or (count >= k and n - count >= k)


def _mean(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return a mean with its 95 % interval."""
    mean = float(values.mean())
    half = Z95 * float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
    return mean, mean - half, mean + half
