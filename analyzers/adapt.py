"""Modules of every path, ranked by what says that they should be adapted: PURE.

Six kinds of evidence, each a share from 0 (nothing to mend) to 1 (the worst there can be):

- satisfaction: 1 − the favourable answers;
- stopping: of those who began the module, those who went no further than it;
- comments: those in themes where more is blamed than praised;
- expectations: how many expected its theme × the answers after it that are not favourable;
- employer: how many of the employer's objectives name its theme × those who went no further than it;
- review: days by which its review is overdue, of a year.

Shares observed are drawn towards what modules have in common (`shrinkage`) and taken at the unfavourable end
of their 95 % interval: a module of which little is known is not supposed good. The index is the mean of
what is known, by weight; what is missing counts neither as good nor as bad, and a module of which too
little is known is not ranked. How much the rank holds is found by drawing both the shares (from their law)
and the weights (log-normal, from half to double 95 times of 100).

Sources: Saisana, Saltelli and Tarantola, *J. R. Statist. Soc. A* 168 (2005), 307–323 (uncertainty of
composite indicators); `shrinkage` for the shares. Groups of answers and of traces, never trainers.

Stops and comments counted here are published nowhere else: from 1 to k − 1 of them are "fewer than k", and
weigh as half of k whatever they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import log

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure, shrinkage

CRITERIA = ("satisfaction", "stopping", "comments", "expectations", "employer", "review")
#: Why a piece of evidence is missing: nothing says it, or too few people.
UNKNOWN = "unknown"
#: Kinds of evidence from which a module is ranked (fewer where fewer are on).
LEAST_KNOWN = 2
#: Criteria whose counts are published nowhere else.
_COUNTED = ("stopping", "comments", "employer")
#: Days of delay of a review that count as the worst.
YEAR = 365
DRAWS = 200
#: Standard deviation of the logarithm of a weight: from half to double 95 times of 100.
_MOVE = log(2) / 1.959964


@dataclass(frozen=True)
class Counts:
    """What is known of one module of a path, over all its sessions; a pair is (count, n)."""

    path_id: int
    path: str
    key: str
    title: str
    sessions: int = 0
    #: People favourable to it, of those who answered.
    favourable: tuple[int, int] | None = None
    #: Those who say that it met what was expected, or reached its objectives.
    met: tuple[int, int] | None = None
    #: People who went no further, of those who began it.
    stopped: tuple[int, int] | None = None
    #: People who got through it, of those who did or who stopped there.
    through: tuple[int, int] | None = None
    #: Comments in themes where more is blamed than praised, of all; the people who wrote them, at least.
    blamed: tuple[int, int] | None = None
    authors: int = 0
    #: People who expected its theme, of those who said what they expected in the path.
    expected: tuple[int, int] | None = None
    #: Objectives of the employer that name its theme, of all of the path; the people whom they are about.
    employer: tuple[int, int] | None = None
    employees: int = 0
    guarantor: str = ""
    theme: str = ""
    release: str = ""
    review_on: date | None = None
    #: Hours planned; sum of the marks, from 0 to 1, and the people who have one.
    hours: float | None = None
    marks: tuple[float, int] | None = None


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence; only `suppressed` when it is missing: unknown, few."""

    #: From 0, nothing to mend, to 1, the worst; the unfavourable end of its interval.
    value: float | None
    count: int | None = None
    n: int | None = None
    #: The share of what goes wrong, drawn towards the common one, with its 95 % interval.
    share: float | None = None
    low: float | None = None
    high: float | None = None
    #: Law of that share, Beta(a, b), and what it is multiplied by.
    a: float = 0.0
    b: float = 0.0
    scale: float = 1.0
    #: Of what multiplies it: (count, n).
    stake: tuple[int, int] | None = None
    #: The count is not told: it is from 1 to k − 1.
    about: bool = False
    suppressed: str | None = None


@dataclass(frozen=True)
class Module:
    """A module and the evidence about it, by criterion."""

    counts: Counts
    evidence: Mapping[str, Evidence]

    @property
    def reference(self) -> str:
        return f"{self.counts.path_id} {self.counts.key}"

    def known(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the criteria that count and are known."""
        return tuple(
            name for name in CRITERIA if weights.get(name, 0) > 0 and self.evidence[name].value is not None
        )


@dataclass(frozen=True)
class Ranked:
    """A module in its place; `rank` None where too little is known."""

    module: Module
    rank: int | None
    #: The index, from 0 to 1; None where nothing is known.
    index: float | None
    known: tuple[str, ...]
    #: Criterion -> what it adds to the index.
    parts: Mapping[str, float]
    #: Rank from the 5 % to the 95 % quantile of the draws.
    low_rank: int | None = None
    high_rank: int | None = None
    #: Share of the draws where it is among the first.
    among_first: float | None = None


@dataclass(frozen=True)
class Ranking:
    """Modules, the first to adapt first; those of which too little is known come last, unranked."""

    lines: tuple[Ranked, ...]
    #: How many are "the first".
    first: int
    weights: Mapping[str, float]
    draws: int = DRAWS

    @property
    def ranked(self) -> tuple[Ranked, ...]:
        return tuple(line for line in self.lines if line.rank is not None)


@dataclass(frozen=True)
class Drawn:
    """Shares of every module drawn once, whatever the weights: (draws, modules, criteria), NaN unknown."""

    values: NDArray[np.float64] = field(repr=False)


# --- evidence -------------------------------------------------------------------------------------------


def weigh(counts: Sequence[Counts], *, today: date, k: int) -> tuple[Module, ...]:
    """Return the evidence about each module under the threshold ``k``, those of one path together."""
    bad: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in CRITERIA}
    for place, one in enumerate(counts):
        for name, pair in _observed(one, k).items():
            if pair is not None:
                bad[name][place] = _coarse(pair, k) if name in _COUNTED else pair
    shares = {name: _shrunk(found) for name, found in bad.items()}
    made = []
    for place, one in enumerate(counts):
        told = _observed(one, k)
        about = {name: name in _COUNTED and _is_small(told.get(name), k) for name in CRITERIA}
        evidence = {
            name: _evidence(one, name, shares[name].get(place), about=about[name]) for name in CRITERIA
        }
        made.append(Module(one, {**evidence, "review": _review(one, today)}))
    return tuple(made)


def _observed(one: Counts, k: int) -> dict[str, tuple[int, int] | None]:
    """Return what goes wrong of each criterion, (count, n), where enough people say it."""
    after = one.met or one.favourable
    stakes = {"expectations": one.expected, "employer": one.employer}
    found = {
        "satisfaction": _rest(one.favourable),
        "stopping": one.stopped,
        "comments": one.blamed if disclosure.enough(one.authors, k) else None,
        "expectations": _rest(after) if one.expected else None,
        "employer": one.stopped if one.employer else None,
    }
    people = {"expectations": one.expected[0] if one.expected else 0, "employer": one.employees}
    for name, stake in stakes.items():
        hidden = name == "expectations" or one.employees
        if stake is None or (hidden and not disclosure.enough(people[name], k)):
            found[name] = None
    return {
        name: pair if pair is not None and disclosure.enough(pair[1], k) else None
        for name, pair in found.items()
    }


def _is_small(pair: tuple[int, int] | None, k: int) -> bool:
    return pair is not None and 0 < pair[0] < k


def _coarse(pair: tuple[int, int], k: int) -> tuple[int, int]:
    """Return a pair with the same count for all that are from 1 to k − 1."""
    return (k // 2, pair[1]) if _is_small(pair, k) else pair


def _rest(pair: tuple[int, int] | None) -> tuple[int, int] | None:
    return None if pair is None else (pair[1] - pair[0], pair[1])


def _shrunk(found: Mapping[int, tuple[int, int]]) -> dict[int, tuple[shrinkage.Estimate, float, float]]:
    """Return the estimate of each and its law, drawn towards the common share when they are enough."""
    groups = {str(place): pair for place, pair in found.items()}
    if not groups:
        return {}
    # Under three groups nothing says what they have in common: a uniform prior, of the weight of two answers.
    common = shrinkage.prior(groups) if len(groups) >= shrinkage.LEAST else shrinkage.Prior(0.5, 2.0)
    made = {}
    for place, (count, n) in found.items():
        a, b = common.mean * common.strength + count, (1 - common.mean) * common.strength + n - count
        made[place] = shrinkage.estimate(str(place), count, n, common), a, b
    return made


def _evidence(
    one: Counts, name: str, found: tuple[shrinkage.Estimate, float, float] | None, *, about: bool
) -> Evidence:
    if found is None:
        return Evidence(None, suppressed=_why(one, name))
    estimate, a, b = found
    stake = {"expectations": one.expected, "employer": one.employer}.get(name)
    scale = 1.0 if stake is None else stake[0] / stake[1]
    return Evidence(
        value=scale * estimate.high,
        count=None if about else estimate.count,
        n=estimate.n,
        share=estimate.value,
        low=estimate.low,
        high=estimate.high,
        a=a,
        b=b,
        scale=scale,
        stake=stake,
        about=about,
    )


def _why(one: Counts, name: str) -> str:
    """Say why a piece of evidence is missing: too few people said it, or nothing was said."""
    said = {
        "satisfaction": one.favourable,
        "stopping": one.stopped,
        "comments": one.blamed,
        "expectations": one.expected and (one.met or one.favourable),
        "employer": one.employer and one.stopped,
    }.get(name)
    return disclosure.FEW if said and said[1] else UNKNOWN


def _review(one: Counts, today: date) -> Evidence:
    if one.review_on is None:
        return Evidence(None, suppressed=UNKNOWN)
    late = max(0, (today - one.review_on).days)
    return Evidence(value=min(1.0, late / YEAR), count=late)


# --- ranking --------------------------------------------------------------------------------------------


def draw(modules: Sequence[Module], draws: int = DRAWS) -> Drawn:
    """Draw the shares of every module from their laws: the same draws every time."""
    chance = np.random.default_rng(2005)
    values = np.full((draws, len(modules), len(CRITERIA)), np.nan)
    for column, name in enumerate(CRITERIA):
        for row, module in enumerate(modules):
            found = module.evidence[name]
            if found.value is None:
                continue
            if found.a > 0:
                values[:, row, column] = found.scale * chance.beta(found.a, found.b, draws)
            else:
                values[:, row, column] = found.value
    return Drawn(values)


def rank(modules: Sequence[Module], weights: Mapping[str, float], drawn: Drawn | None = None) -> Ranking:
    """Rank modules under some weights (criterion -> 0 or more; 0: it does not count); ties by title.

    Raises ValueError on a weight that is negative, or of no criterion.
    """
    if set(weights) - set(CRITERIA) or any(weight < 0 for weight in weights.values()):
        raise ValueError(f"weights: {dict(weights)}")
    on = np.array([float(weights.get(name, 0)) for name in CRITERIA])
    values = np.array(
        [[_number(module.evidence[name].value) for name in CRITERIA] for module in modules]
    ).reshape(len(modules), len(CRITERIA))
    least = min(LEAST_KNOWN, int((on > 0).sum()))
    known = (~np.isnan(values)) & (on > 0)
    placed = (known.sum(axis=1) >= least) & (least > 0)
    index = _index(values, on)
    lines = [_line(module, weights, on, float(index[row])) for row, module in enumerate(modules)]
    order = sorted(
        np.flatnonzero(placed), key=lambda row: (-index[row], lines[row].module.counts.title.casefold(), row)
    )
    first = _first(len(order))
    moved = (drawn or draw(modules)).values[:, order, :]
    ranks = _ranks(moved, on)
    made = []
    for place, row in enumerate(order):
        low, high = np.quantile(ranks[:, place], (0.05, 0.95))
        made.append(
            replace(
                lines[row],
                rank=place + 1,
                low_rank=min(place + 1, int(low)),
                high_rank=max(place + 1, int(np.ceil(high))),
                among_first=float((ranks[:, place] <= first).mean()),
            )
        )
    rest = [lines[row] for row in np.flatnonzero(~placed)]
    rest.sort(key=lambda line: (-(line.index or 0), line.module.counts.title.casefold()))
    return Ranking((*made, *rest), first, dict(weights))


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _first(count: int) -> int:
    """Return how many are spoken of as the first: ten of many, three of some, one of few."""
    return 10 if count >= 30 else 3 if count >= 6 else 1


def _index(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of what is known by weight, over the last axis; NaN where nothing is."""
    known = ~np.isnan(values)
    total = (known * weights).sum(axis=-1)
    summed = (np.where(known, values, 0.0) * weights).sum(axis=-1)
    made: NDArray[np.float64] = np.divide(summed, total, out=np.full(total.shape, np.nan), where=total > 0)
    return made


def _ranks(drawn: NDArray[np.float64], on: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank, from 1, of each module in each draw of the shares and of the weights."""
    draws = len(drawn)
    moves = np.exp(np.random.default_rng(1919).normal(0.0, _MOVE, (draws, 1, len(on))))
    index = _index(drawn, on * moves)
    order = np.argsort(-index, axis=1, kind="stable")
    ranks = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, order.shape[1] + 1)[None, :], axis=1)
    return ranks


def _line(module: Module, weights: Mapping[str, float], on: NDArray[np.float64], index: float) -> Ranked:
    known = module.known(weights)
    total = sum(weights[name] for name in known)
    parts = {name: weights[name] * (module.evidence[name].value or 0.0) / total for name in known}
    return Ranked(module, None, None if not known else index, known, parts)
