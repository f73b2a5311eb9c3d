"""What people choose when the choice is theirs: how often, with what else, who chooses what. PURE.

Free choices alone: what was mandatory or given to a designated public is set aside and counted. The unit is a
person, once, in the school year of their first choice. Wishes are apart from the places obtained (`wishes`).

Sources: Brin et al., "Beyond market baskets", SIGMOD 1997 (lift); Agresti, *Categorical Data Analysis* (3rd
ed., 2013), 16.1 (delta method for a function of multinomial proportions); Holm (1979).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers import crossing, disclosure, intervals, linkage, suppression
from analyzers.community import FREE, MODES, Community, Dimension, school_years
from analyzers.crossing import Association, Crossing
from analyzers.disclosure import FEW, LINKED, OTHER
from analyzers.results import Share

#: Options looked at: the most chosen.
MOST = 20
#: Row of those whose trait nobody knows: no category is an empty text.
UNKNOWN = ""
#: Year of the years gathered, and of choices without a date.
OTHER_YEARS = 0
_FREE = tuple(MODES.index(mode) for mode in FREE)

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Chosen:
    """Free choices of one kind: a row a person and option, in the school year of the choice (0: no date)."""

    traits: Mapping[str, Dimension]
    options: tuple[str, ...]
    person: NDArray[np.int32]
    option: NDArray[np.int32]
    year: NDArray[np.int16]
    #: Choices set aside: given rather than made, and made nobody knows how.
    given: int = 0
    unsaid: int = 0


@dataclass(frozen=True, eq=False)
class Wishes:
    """Ranked wishes: person, rank, option, obtained (1, 0, −1 not said), school year (0: no date)."""

    traits: Mapping[str, Dimension]
    options: tuple[str, ...]
    person: NDArray[np.int32]
    rank: NDArray[np.int16]
    option: NDArray[np.int32]
    obtained: NDArray[np.int8]
    year: NDArray[np.int16]


@dataclass(frozen=True)
class Option:
    """What may be chosen: how many of the choosers did, in all and by year (in the order of the years)."""

    name: str
    share: Share
    years: tuple[Share, ...]


@dataclass(frozen=True)
class Pair:
    """Two options chosen by the same people, against what chance would give: lift with its 95 % interval."""

    first: str
    second: str
    count: int
    expected: float
    lift: float
    low: float
    high: float
    #: p of the 2 × 2 table, after Holm over the pairs shown.
    p: float

    @property
    def stands_out(self) -> bool:
        return self.p < crossing.LEVEL


@dataclass(frozen=True, eq=False)
class Base:
    """The choosers, what each chose among the options that may be shown, the year of each."""

    k: int
    people: NDArray[np.int32]
    names: tuple[str, ...]
    #: (people, names)
    made: Flags
    years: tuple[int, ...]
    #: Place in `years` of each.
    year: NDArray[np.int64]
    #: Options chosen by too few, or by all but too few, and those beyond the most chosen.
    few: int
    nearly_all: int
    beyond: int
    given: int
    unsaid: int


def of_enrolments(community: Community, kind: str) -> Chosen:
    """Return the sessions ("session") or paths ("path") that people chose, asked for and not obtained too."""
    parts = (
        (community.enrolments, community.enrolments["year"]),
        (community.applications, school_years(community.applications["asked_on"])),
    )
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate([rows[name] for rows, _ in parts]) for name in ("person", "session", "mode")
    }
    year = np.concatenate([when for _, when in parts])
    free = np.isin(columns["mode"], _FREE)
    option = columns["session"] if kind == "session" else community.sessions["path"][columns["session"]]
    kept = free & (option >= 0)
    named = community.names if kind == "session" else tuple(path.title for path in community.paths)
    return Chosen(
        traits=community.traits,
        options=named,
        person=columns["person"][kept],
        option=option[kept].astype(np.int32),
        year=year[kept].astype(np.int16),
        given=int((~free & (columns["mode"] >= 0)).sum()),
        unsaid=int((columns["mode"] < 0).sum()),
    )


def of_wishes(found: Wishes) -> Chosen:
    """Return what was wished for, whatever the rank and whether it was obtained."""
    return Chosen(found.traits, found.options, found.person, found.option, found.year)


def base(found: Chosen, *, k: int) -> Base | None:
    """Return the choosers and what may be shown of their choices; None under k of them."""
    people = distinct(found.person)
    if not disclosure.enough(len(people), k):
        return None
    who = np.searchsorted(people, found.person)
    pairs = distinct(who.astype(np.int64) * len(found.options) + found.option)
    who_of, option_of = pairs // len(found.options), pairs % len(found.options)
    counts = np.bincount(option_of, minlength=len(found.options))
    fit = [
        place
        for place in np.argsort(-counts, kind="stable").tolist()
        if k <= counts[place] and len(people) - counts[place] >= k
    ]
    shown = fit[:MOST]
    place = np.full(len(found.options), -1)
    place[shown] = np.arange(len(shown))
    made = np.zeros((len(people), len(shown)), dtype=bool)
    kept = place[option_of] >= 0
    made[who_of[kept], place[option_of[kept]]] = True
    first = np.full(len(people), np.iinfo(np.int64).max)
    dated = found.year > 0
    np.minimum.at(first, who[dated], found.year[dated].astype(np.int64))
    first[first == np.iinfo(np.int64).max] = OTHER_YEARS
    together = disclosure.grouped(Counter(first.tolist()), k=k, other=OTHER_YEARS)
    years = tuple(sorted(set(together.values())))
    return Base(
        k=k,
        people=people,
        names=tuple(found.options[one] for one in shown),
        made=made,
        years=years,
        year=_places(first, {one: years.index(name) for one, name in together.items()}),
        few=int(((counts > 0) & (counts < k)).sum()),
        nearly_all=int(((counts > 0) & (counts >= k) & (len(people) - counts < k)).sum()),
        beyond=len(fit) - len(shown),
        given=found.given,
        unsaid=found.unsaid,
    )


def options(found: Base) -> tuple[Option, ...]:
    """Return the options, the most chosen first, over the years."""
    n, of_year = len(found.people), np.bincount(found.year, minlength=len(found.years))
    made = []
    for place, name in enumerate(found.names):
        own = np.bincount(found.year[found.made[:, place]], minlength=len(found.years))
        table = np.stack([own, of_year - own], axis=1)
        hidden = suppression.protect(table.tolist(), found.k)
        years = tuple(
            _hidden(int(table[row].min()), found.k)
            if (row, 0) in hidden
            else disclosure.share(int(own[row]), int(of_year[row]), k=found.k)
            for row in range(len(found.years))
        )
        made.append(Option(name, disclosure.share(int(own.sum()), n, k=found.k), years))
    return tuple(made)


def _hidden(least: int, k: int) -> Share:
    return Share(None, None, suppressed=FEW if least < k else LINKED)


def together(found: Base) -> tuple[Pair, ...]:
    """Return the pairs of options that may be shown, the largest lift first.

    A pair is shown when each of the four groups (both, one, the other, neither) holds nobody or k people.
    """
    from scipy import stats

    n = len(found.people)
    chosen = found.made.sum(axis=0)
    both = found.made.T.astype(np.float32) @ found.made.astype(np.float32)
    made, values = [], []
    for i, j in zip(*np.triu_indices(len(found.names), 1), strict=True):
        a = round(float(both[i, j]))
        cells = (a, int(chosen[i]) - a, int(chosen[j]) - a, n - int(chosen[i]) - int(chosen[j]) + a)
        if any(0 < cell < found.k for cell in cells):
            continue
        value, low, high = lift(a, int(chosen[i]), int(chosen[j]), n)
        table = np.array(cells).reshape(2, 2)
        values.append(float(stats.chi2_contingency(table, correction=False).pvalue))
        made.append((found.names[i], found.names[j], a, chosen[i] * chosen[j] / n, value, low, high))
    adjusted = crossing.holm(values)
    pairs = [Pair(*one, p) for one, p in zip(made, adjusted, strict=True)]
    return tuple(sorted(pairs, key=lambda one: (-one.lift, one.first, one.second)))


def lift(both: int, first: int, second: int, n: int) -> tuple[float, float, float]:
    """Return how often two options go together against chance, n·both/(first·second), with its 95 % interval.

    The logarithm's variance by the delta method on the multinomial of the four groups:
    (1/p₁₂ − 1/p₁ − 1/p₂ + 2·lift − 1)/n. When nobody chose both the upper end is that of Wilson's interval.
    """
    value = n * both / (first * second)
    if not both:
        return 0.0, 0.0, intervals.wilson(0, n)[1] * n * n / (first * second)
    spread = n / both - n / first - n / second + 2 * value - 1
    half = intervals.Z95 * sqrt(max(0.0, spread) / n)
    return value, exp(log(value) - half), exp(log(value) + half)


# --- who chooses what -----------------------------------------------------------------------------------


def by_origin(found: Base, traits: Mapping[str, Dimension], dimension: str) -> Crossing:
    """Return the crossing of a trait with the options, each tested by itself (`crossing.cross_cubes`).

    Cells are hidden so that neither the years, nor the other options, nor the other traits give one back:
    the same tables are shown for each of them. Rows: categories, `OTHER`, `UNKNOWN`.
    """
    names, row = _rows(traits[dimension], found.people, found.k)
    totals = np.bincount(row, minlength=len(names))
    beside = [(len(found.years), found.year)]
    for name, trait in sorted(traits.items()):
        if name != dimension:
            labels, codes = _rows(trait, found.people, found.k)
            beside.append((len(labels), codes))
    cubes = dict(zip(found.names, _cubes(found.made, row, len(names), beside), strict=True))
    return crossing.cross_cubes(names, tuple(totals.tolist()), cubes, k=found.k)


def _rows(trait: Dimension, people: NDArray[np.int32], k: int) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the rows of a trait, small categories gathered, and the row of each person."""
    codes = trait.codes[people] + 1
    known = (UNKNOWN, *trait.values)
    counts = Counter({known[code]: int(count) for code, count in enumerate(np.bincount(codes)) if count})
    kept = {name for name, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[: 2 * MOST]}
    merged: Counter[str] = Counter()
    for name, count in counts.items():
        merged[name if name in kept else OTHER] += count
    shown = disclosure.grouped(merged, k=k, other=OTHER)
    names = tuple(sorted(set(shown.values()), key=lambda name: (name in (OTHER, UNKNOWN), name)))
    place = {name: rank for rank, name in enumerate(names)}
    leads = np.array([place[shown.get(name, OTHER)] if name in counts else 0 for name in known])
    return names, leads[codes].astype(np.int64)


def _cubes(
    made: Flags, row: NDArray[np.int64], rows: int, beside: Sequence[tuple[int, NDArray[np.int64]]]
) -> list[linkage.Cube]:
    """Return, for each option, rows × chosen or not, and the same split by each other view of the people."""
    chosen = _sums(made, row, rows)
    sizes = np.bincount(row, minlength=rows)
    splits = []
    for size, codes in beside:
        cell = codes * rows + row
        own = _sums(made, cell, size * rows).reshape(size, rows, -1)
        splits.append((own, np.bincount(cell, minlength=size * rows).reshape(size, rows)))
    # (rows, options, options): who chose two.
    both = np.stack([made[row == one].T.astype(np.float32) @ made[row == one] for one in range(rows)])
    both = np.rint(both).astype(np.int64)
    cubes = []
    for place in range(made.shape[1]):
        table = np.stack([chosen[:, place], sizes - chosen[:, place]], axis=1)
        cuts = [np.stack([yes[:, :, place], n - yes[:, :, place]], axis=2) for yes, n in splits]
        for other in range(made.shape[1]):
            if other != place:
                yes = np.stack([both[:, place, other], chosen[:, other] - both[:, place, other]], axis=1)
                cuts.append(np.stack([yes, table - yes]))
        cubes.append(linkage.Cube(table, tuple(cuts)))
    return cubes


def _sums(made: Flags, group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Return (groups, options): how many of each group chose each option."""
    found: NDArray[np.int64] = np.zeros((groups, made.shape[1]), dtype=np.int64)
    for place, column in enumerate(made.T):
        found[:, place] = np.bincount(group[column], minlength=groups)
    return found


def distinct(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return distinct numbers, sorted: faster than by hashing them."""
    found = np.sort(numbers)
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found


def _places(values: NDArray[np.int64], place: Mapping[int, int]) -> NDArray[np.int64]:
    known = np.array(sorted(place), dtype=np.int64)
    leads = np.array([place[one] for one in known.tolist()], dtype=np.int64)
    return leads[np.searchsorted(known, values)]


# --- wishes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """An option that people wished for first: how many of them obtained it."""

    name: str
    first: int
    obtained: Share


@dataclass(frozen=True)
class Outcome:
    """First wishes and what became of them."""

    #: People whose first wish is known.
    people: int
    #: Of those for whom it is said whether they obtained it.
    obtained: Share
    years: tuple[tuple[int, Share], ...]
    wishes: tuple[Wish, ...]
    #: Share of the first wish obtained by category of a trait.
    origins: tuple[tuple[str, Share], ...]
    test: Association | None


def first_wishes(found: Wishes, *, k: int, dimension: str | None = None) -> Outcome | None:
    """Return how often first wishes were obtained: in all, by year, by wish, by a trait; None under k people.

    People whose outcome is not said are left out, and stand in `people` only if they are none or k.
    """
    first = found.rank == 1
    said = first & (found.obtained >= 0)
    everybody, answered = np.unique(found.person[first]), int(said.sum())
    if not disclosure.enough(answered, k):
        return None
    won = found.obtained[said] == 1
    left = len(everybody) - answered
    shares = _shares(found.year[said].astype(np.int64), won, k)
    wishes = [
        Wish(found.options[option], share.n or 0, share)
        for option, share in _shares(found.option[said].astype(np.int64), won, k)
        if option >= 0 and share.n is not None
    ]
    origins: tuple[tuple[str, Share], ...] = ()
    test = None
    if dimension is not None and dimension in found.traits:
        names, row = _rows(found.traits[dimension], found.person[said], k)
        origins = tuple((names[code], share) for code, share in _shares(row, won, k))
        table = np.stack([np.bincount(row[w], minlength=len(names)) for w in (won, ~won)], axis=1)
        if not suppression.protect(table.tolist(), k):
            test = crossing.association(table)
    return Outcome(
        people=len(everybody) if left == 0 or left >= k else answered,
        obtained=_share(int(won.sum()), answered, k),
        years=tuple((int(year), share) for year, share in shares if year > 0),
        wishes=tuple(sorted(wishes, key=lambda one: (-one.first, one.name))),
        origins=origins,
        test=test,
    )


def _share(count: int, n: int, k: int) -> Share:
    if min(count, n - count) and min(count, n - count) < k:
        return Share(None, None, suppressed=FEW)
    return disclosure.share(count, n, k=k)


def _shares(group: NDArray[np.int64], won: Flags, k: int) -> list[tuple[int, Share]]:
    """Return the share of `won` in each group, small groups gathered (−1), cells hidden under the margins."""
    shown = disclosure.grouped(Counter(group.tolist()), k=k, other=-1)
    names = sorted(set(shown.values()))
    place = {name: rank for rank, name in enumerate(names)}
    row = np.array([place[shown[one]] for one in group.tolist()])
    table = np.stack([np.bincount(row[w], minlength=len(names)) for w in (won, ~won)], axis=1)
    hidden = suppression.protect(table.tolist(), k)
    return [
        (
            name,
            _hidden(int(table[rank].min()), k)
            if (rank, 0) in hidden
            else disclosure.share(int(table[rank, 0]), int(table[rank].sum()), k=k),
        )
        for rank, name in enumerate(names)
    ]
