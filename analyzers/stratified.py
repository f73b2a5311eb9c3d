"""Two groups compared within strata, so that what the strata are made of does not pass for the groups: PURE.

A stratum counts when both groups have somebody in it; what only one group has says nothing of the two.
The pooled difference of shares is Mantel and Haenszel's, Σ(aᵢn₀ᵢ − bᵢn₁ᵢ)/nᵢ over Σn₁ᵢn₀ᵢ/nᵢ, with Sato's
variance, right both when strata are few and large and when they are many and small; the difference of means
has the same weights. The odds ratio goes along with the interval of Robins, Breslow and Greenland.

Sources: Mantel and Haenszel, JNCI 22 (1959), 719–748; Sato, Biometrics 45 (1989), 1323–1324 (letter);
Greenland and Robins, Biometrics 41 (1985), 55–68; Robins et al., Biometrics 42 (1986), 311–323; Hedges
and Olkin, *Statistical Methods for Meta-Analysis* (1985), 5.A (g).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

from analyzers import beta
from analyzers.intervals import Z95

#: (count, n) of the first group, then of the second.
Pair = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Marks:
    """Values of a group: how many, their mean, the sum of squared distances to it."""

    n: int
    mean: float
    squares: float

    @classmethod
    def of_sums(cls, n: int, total: float, squared: float) -> Marks:
        """Return them from a count, a sum and a sum of squares; ValueError for n = 0."""
        if n <= 0:
            raise ValueError("no value")
        mean = total / n
        return cls(n, mean, max(0.0, squared - n * mean * mean))

    @property
    def variance(self) -> float:
        return self.squares / (self.n - 1) if self.n > 1 else 0.0


@dataclass(frozen=True)
class Pooled:
    """A difference, first group less second, over the strata that have both; with its 95 % interval."""

    value: float
    low: float
    high: float
    #: Strata that count, and how many people of each group stand in them.
    strata: int
    first: int
    second: int


@dataclass(frozen=True)
class Effect:
    """A difference of means with its interval (Welch), and in standard deviations (Hedges's g)."""

    value: float
    low: float
    high: float
    g: float


def _both(strata: Mapping[object, Pair]) -> list[Pair]:
    return [pair for pair in strata.values() if pair[0][1] > 0 and pair[1][1] > 0]


def risk_difference(strata: Mapping[object, Pair], z: float = Z95) -> Pooled | None:
    """Return the Mantel–Haenszel difference of shares; None where no stratum has both groups."""
    kept = _both(strata)
    if not kept:
        return None
    weight = value = p = q = 0.0
    for (a, n1), (b, n0) in kept:
        n = n1 + n0
        weight += n1 * n0 / n
        value += (a * n0 - b * n1) / n
        p += (n1 * n1 * b - n0 * n0 * a + n1 * n0 * (n0 - n1) / 2) / (n * n)
        q += (a * (n0 - b) + b * (n1 - a)) / (2 * n)
    value /= weight
    half = z * sqrt(max(0.0, value * p + q)) / weight
    return Pooled(
        value, max(-1.0, value - half), min(1.0, value + half), len(kept),
        sum(pair[0][1] for pair in kept), sum(pair[1][1] for pair in kept),
    )  # fmt: skip


def odds_ratio(strata: Mapping[object, Pair], z: float = Z95) -> tuple[float, float, float] | None:
    """Return the Mantel–Haenszel odds ratio: value, low, high; None where it is not finite or null."""
    parts = []
    for (a, n1), (c, n0) in _both(strata):
        b, d, n = n1 - a, n0 - c, n1 + n0
        parts.append(((a + d) / n, (b + c) / n, a * d / n, b * c / n))
    up, down = sum(one[2] for one in parts), sum(one[3] for one in parts)
    if not up or not down:
        return None
    variance = (
        sum(p * r for p, _, r, _ in parts) / (2 * up * up)
        + sum(p * s + q * r for p, q, r, s in parts) / (2 * up * down)
        + sum(q * s for _, q, _, s in parts) / (2 * down * down)
    )
    middle, half = log(up / down), z * sqrt(variance)
    return exp(middle), exp(middle - half), exp(middle + half)


def means(first: Marks, second: Marks) -> Effect | None:
    """Return the difference of two means, Welch's 95 % interval, and Hedges's g; None under two values."""
    if min(first.n, second.n) < 2:
        return None
    a, b = first.variance / first.n, second.variance / second.n
    value = first.mean - second.mean
    if a + b == 0:
        return Effect(value, value, value, 0.0)
    degrees = (a + b) ** 2 / (a * a / (first.n - 1) + b * b / (second.n - 1))
    half = _student(degrees) * sqrt(a + b)
    free = first.n + second.n - 2
    spread = sqrt((first.squares + second.squares) / free)
    exact = exp(lgamma(free / 2) - lgamma((free - 1) / 2)) / sqrt(free / 2)
    return Effect(value, value - half, value + half, exact * value / spread)


def _student(degrees: float) -> float:
    """Return the 97.5 % quantile of Student's law: t²/(t² + d) follows Beta(1/2, d/2)."""
    x = beta.quantile(0.95, 0.5, degrees / 2)
    return sqrt(degrees * x / (1 - x))


def mean_difference(strata: Sequence[tuple[Marks, Marks]], z: float = Z95) -> Pooled | None:
    """Return the difference of means within strata, weighted by n₁n₀/n; None without any."""
    kept = [pair for pair in strata if min(pair[0].n, pair[1].n) > 1]
    if not kept:
        return None
    weights = [a.n * b.n / (a.n + b.n) for a, b in kept]
    total = sum(weights)
    value = sum(w * (a.mean - b.mean) for w, (a, b) in zip(weights, kept, strict=True)) / total
    variance = sum(
        w * w * (a.variance / a.n + b.variance / b.n) for w, (a, b) in zip(weights, kept, strict=True)
    )
    half = z * sqrt(variance) / total
    first, second = sum(a.n for a, _ in kept), sum(b.n for _, b in kept)
    return Pooled(value, value - half, value + half, len(kept), first, second)
