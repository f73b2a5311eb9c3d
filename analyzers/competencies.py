"""Competencies of a path and what supports each, trainers' competencies, Pix levels, hours exchanged: PURE.

People are counted under the threshold and never ranked; institutions' hours name nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from analyzers import disclosure
from analyzers.adapt import Counts
from analyzers.community import school_years
from analyzers.disclosure import OTHER, Guarded, Lattice
from analyzers.intervals import Z95
from analyzers.paired import Change
from analyzers.results import Share


@dataclass(frozen=True)
class Competency:
    """One line of a framework."""

    framework: str
    code: str
    label: str
    domain: str = ""


@dataclass(frozen=True)
class Worked:
    """A module that works a competency, over the sessions of a path."""

    title: str
    key: str
    #: Hours of the module given to this competency; None unknown.
    hours: float | None
    #: People who got through it, of those who began it.
    finished: Share
    #: Mean of the marks, from 0 to 1, and how many people have one; None under the threshold.
    mark: float | None
    marked: int | None
    #: Answers that say that its objectives were reached (else: favourable answers).
    met: Share


@dataclass(frozen=True)
class Moved:
    """How groups moved on a competency, several sessions together, in points of the scale."""

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Support:
    """A competency and what supports it in a path; without a module it is a gap."""

    competency: Competency
    modules: tuple[Worked, ...]
    moved: Moved | None

    @property
    def hours(self) -> float | None:
        """Return the hours of the modules whose hours are known; None when none is."""
        known = [one.hours for one in self.modules if one.hours is not None]
        return sum(known) if known else None

    @property
    def kinds(self) -> int:
        """Count the kinds of evidence: modules, completions, marks, appraisals, positioning."""
        return sum(
            (
                bool(self.modules),
                any(one.finished.count for one in self.modules),
                any(one.mark is not None for one in self.modules),
                any(one.met.count is not None for one in self.modules),
                self.moved is not None,
            )
        )


@dataclass(frozen=True)
class Link:
    """A module works a competency; `weight`: the part of the module given to it, of 1."""

    module: str
    framework: str
    code: str
    weight: float | None = None


def supports(
    framework: Sequence[Competency],
    links: Iterable[Link],
    modules: Mapping[str, Counts],
    moved: Mapping[str, Moved],
    *,
    k: int,
) -> tuple[Support, ...]:
    """Return each competency of a framework with its modules of a path, in the framework's order.

    `modules`: by key; `moved`: by code. A link to a competency that the framework does not have is left out.
    """
    by_code: dict[tuple[str, str], list[Worked]] = defaultdict(list)
    for link in links:
        counts = modules.get(link.module)
        if counts is not None:
            by_code[link.framework, link.code].append(_worked(counts, link, k))
    return tuple(
        Support(one, tuple(by_code.get((one.framework, one.code), ())), moved.get(one.code))
        for one in framework
    )


def _worked(counts: Counts, link: Link, k: int) -> Worked:
    began = counts.stopped[1] if counts.stopped else 0
    through = counts.through[0] if counts.through else 0
    mark, marked = counts.marks or (0.0, 0)
    shown = disclosure.enough(marked, k)
    hours = counts.hours
    return Worked(
        title=counts.title,
        key=counts.key,
        hours=None if hours is None else hours * (1.0 if link.weight is None else link.weight),
        finished=disclosure.share(min(through, began), began, k=k),
        mark=mark / marked if shown else None,
        marked=marked if shown else None,
        met=disclosure.share(*(counts.met or counts.favourable or (0, 0)), k=k),
    )


def together(found: Sequence[Change], k: int) -> Moved | None:
    """Return the mean change of several groups, each weighing as many as it has; None under the threshold.

    The standard error of each comes back from its interval (Student); that of the mean is √Σ(nᵢ/N)²eᵢ².
    """
    from scipy import stats  # large, and few pages need it

    known = [one for one in found if one.n and one.mean is not None and one.low is not None and one.n > 1]
    total = sum(one.n or 0 for one in known)
    if not disclosure.enough(total, k):
        return None
    mean = sum((one.n or 0) * (one.mean or 0.0) for one in known) / total
    variance = 0.0
    for one in known:
        n = one.n or 0
        error = ((one.mean or 0.0) - (one.low or 0.0)) / float(stats.t.ppf(0.975, n - 1))
        variance += (n / total) ** 2 * error**2
    half = Z95 * sqrt(variance)
    return Moved(total, mean, mean - half, mean + half)


# --- trainers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Team:
    """Trainers who have a competency: how many, and at what level; None: too few to be told."""

    competency: str
    trainers: int | None
    levels: Mapping[str, int | None]


def teams(rows: Iterable[tuple[str, str, str]], levels: Sequence[str], *, k: int) -> tuple[Team, ...]:
    """Count trainers by competency and level, under the threshold; rows: (person, competency, level).

    Each trainer counts once a competency. A competency of fewer than ``k`` is named without its number; the
    levels of one that is shown are suppressed together so that none comes back by subtraction. By name.
    """
    stated: dict[str, dict[str, str]] = defaultdict(dict)
    for person, competency, level in rows:
        stated[competency][person] = level
    made = []
    for name in sorted(stated, key=str.casefold):
        counts = Counter(stated[name].values())
        people = len(stated[name])
        if not disclosure.enough(people, k):
            made.append(Team(name, None, dict.fromkeys(levels)))
            continue
        asked = [*levels, *sorted(set(counts) - set(levels))]
        shown = _protected([counts[level] for level in asked], k)
        made.append(Team(name, people, {level: shown[place] for place, level in enumerate(asked)}))
    return tuple(made)


def _protected(counts: Sequence[int], k: int) -> list[int | None]:
    """Hide the counts under ``k`` of a row whose total is shown, and the smallest until they are k together.

    One hidden count alone would be the total less the others; several that add up to less than ``k`` too.
    """
    hidden = {place for place, count in enumerate(counts) if 0 < count < k}
    while hidden and (len(hidden) < 2 or sum(counts[place] for place in hidden) < k):
        left = [place for place in range(len(counts)) if place not in hidden]
        if not left:
            break
        hidden.add(min(left, key=lambda place: (counts[place], place)))
    return [None if place in hidden else count for place, count in enumerate(counts)]


# --- Pix --------------------------------------------------------------------------------------------------

#: Bands of the levels, as Pix names them: first level of each.
BANDS = ((0, "none"), (1, "novice"), (3, "independent"), (5, "advanced"), (7, "expert"))


@dataclass(frozen=True)
class Result:
    """What one person obtained in a domain."""

    person: str
    domain: str
    level: float
    day: date | None


def band(level: float) -> str:
    """Return the band of a level, from 0 to 8."""
    return [name for first, name in BANDS if level >= first or first == 0][-1]


def levels(
    results: Iterable[Result], origins: Mapping[str, Mapping[str, str]], dimensions: Sequence[str], *, k: int
) -> dict[str, Guarded]:
    """Count the latest level of each person, domain by domain, whole and by one dimension at a time.

    `origins`: person -> dimension -> value. A person without a value in a dimension counts under "".
    """
    latest: dict[tuple[str, str], Result] = {}
    for one in results:
        kept = latest.get((one.domain, one.person))
        if kept is None or (one.day or date.min) >= (kept.day or date.min):
            latest[one.domain, one.person] = one
    people: dict[str, list[dict[str, str]]] = defaultdict(list)
    for (domain, person), one in latest.items():
        known = origins.get(person, {})
        people[domain].append({"band": band(one.level), **{name: known.get(name, "") for name in dimensions}})
    views = ((), ("band",), *((name,) for name in dimensions), *(("band", name) for name in dimensions))
    lattice = Lattice("pix", ("band", *dimensions), views)
    return {domain: disclosure.guard(lattice, there, k=k) for domain, there in sorted(people.items())}


def distribution(found: Guarded, dimension: str = "", value: str = "") -> dict[str, int | None]:
    """Return how many are in each band of a domain, of a group or of all; None: not shown."""
    groups = set(found.groups["band"].values())
    # Where small bands are gathered, an empty one is not told from them.
    names = [name for _, name in BANDS if OTHER not in groups or name in groups]
    there = found.view("band", dimension) if dimension else found.view("band")
    made: dict[str, int | None] = {}
    for name in [*names, *([OTHER] if OTHER in groups else [])]:
        cell = there.get((name, value) if dimension else (name,))
        made[name] = 0 if cell is None else cell.count
    return made


# --- hours ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchange:
    """Hours that an institution gave to another; the shares are of 1."""

    giver: str
    taker: str
    hours: float
    giver_share: float | None = None
    taker_share: float | None = None
    day: date | None = None

    @property
    def owed(self) -> float:
        """Return the hours that the taker owes: all of them where no share is written."""
        if self.taker_share is not None:
            return self.hours * self.taker_share
        return self.hours * (1.0 - (self.giver_share or 0.0))


@dataclass(frozen=True)
class Balance:
    """Two institutions: what each gave, what each owes; `balance` over 0: the second owes it to the first."""

    first: str
    second: str
    given: float
    received: float
    #: Owed to the first by the second, and to the second by the first.
    due: float
    owing: float
    lines: int
    #: Lines without a share, and lines whose two shares do not make a whole.
    without_share: int
    odd: int

    @property
    def balance(self) -> float:
        return self.due - self.owing


def balances(exchanges: Iterable[Exchange]) -> tuple[Balance, ...]:
    """Return the balance of each pair of institutions, the largest first; the first of a pair is owed."""
    pairs: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for one in exchanges:
        if one.giver != one.taker:
            pairs[min(one.giver, one.taker), max(one.giver, one.taker)].append(one)
    made = []
    for (first, second), there in pairs.items():
        forth = [one for one in there if one.giver == first]
        back = [one for one in there if one.giver == second]
        if sum(one.owed for one in forth) < sum(one.owed for one in back):
            first, second, forth, back = second, first, back, forth
        made.append(
            Balance(
                first, second, _hours(forth), _hours(back),
                sum(one.owed for one in forth), sum(one.owed for one in back), len(there),
                sum(one.taker_share is None and one.giver_share is None for one in there),
                sum(_is_odd(one) for one in there),
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda one: (-one.balance, one.first, one.second)))


def _hours(there: Iterable[Exchange]) -> float:
    return sum(one.hours for one in there)


def _is_odd(one: Exchange) -> bool:
    if one.giver_share is None or one.taker_share is None:
        return False
    return abs(one.giver_share + one.taker_share - 1.0) > 0.005


def years(exchanges: Iterable[Exchange]) -> tuple[int, ...]:
    """Return the school years of the exchanges that have a day, the latest first."""
    return tuple(sorted({school_year(one.day) for one in exchanges if one.day is not None}, reverse=True))


def school_year(day: date) -> int:
    """Return the first calendar year of the school year of a day."""
    import numpy as np

    return int(school_years(np.array([day], dtype="datetime64[D]"))[0])
