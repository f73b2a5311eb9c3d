"""Shares of several groups, each drawn towards their common one as far as its n is small: PURE.

A module that four of five people liked is not above one that seventy of a hundred did: what so few say is
mostly chance. Each share is taken as drawn from a Beta(pM, (1 − p)M) common to all, found from the shares
themselves by moments: p is the pooled share and ρ = 1/(M + 1) the correlation within a group, both from the
weighted sum of squares whose expectation under the beta-binomial law is
p(1 − p)[(m − 1) + ρ Σ(nᵢ − 1)(1 − nᵢ/N)]. The estimate of a group is then the mean of
Beta(pM + xᵢ, (1 − p)M + nᵢ − xᵢ), its interval the 2.5 % and 97.5 % quantiles of that law.

Sources: Kleinman, JASA 68 (1973), 46–54 (moments of the beta-binomial); Casella, *The American
Statistician* 39 (1985), 83–87 (empirical Bayes); Gelman et al., *Bayesian Data Analysis* (3rd ed.), 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyzers import beta

#: Fewer groups say nothing of what they have in common.
LEAST = 3
#: Answers that the common share weighs at least.
_WEAKEST = 2.0


@dataclass(frozen=True)
class Prior:
    """What groups have in common: the share, and how many answers it weighs."""

    mean: float
    strength: float


@dataclass(frozen=True)
class Estimate:
    """The share of one group, drawn towards the common one, with its 95 % interval."""

    key: str
    count: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Ranking:
    """Groups from the highest estimate to the lowest; empty when they are fewer than `LEAST`."""

    estimates: tuple[Estimate, ...]
    prior: Prior | None

    @property
    def told_apart(self) -> bool:
        """Say whether the first and the last have intervals that do not meet."""
        return bool(self.estimates) and self.estimates[0].low > self.estimates[-1].high


def prior(groups: Mapping[str, tuple[int, int]]) -> Prior:
    """Return what groups, (count, n) each, have in common.

    Its strength never passes the number of answers: shares that differ less than chance would ask for an
    endless one, and no group would then have a share of its own. Nor is it under two answers, the weight of
    a uniform prior: shares all near 0 and 1 would ask for none, and a group of which nobody complained would
    be known for certain. When all the answers are alike, half an
    answer of each kind is added. Raises ValueError without groups of one answer at least.
    """
    known = [group for group in groups.values() if group[1] > 0]
    total = sum(n for _, n in known)
    if not total:
        raise ValueError("no answer")
    mean = sum(count for count, _ in known) / total
    spread = sum((n - 1) * (1 - n / total) for _, n in known)
    if mean in (0.0, 1.0) or spread <= 0:
        return Prior((mean * total + 0.5) / (total + 1), float(total))
    squares = sum(n * (count / n - mean) ** 2 for count, n in known)
    within = (squares / (mean * (1 - mean)) - (len(known) - 1)) / spread
    strength = 1 / within - 1 if within > 0 else float(total)
    return Prior(mean, min(max(strength, _WEAKEST), max(float(total), _WEAKEST)))


def estimate(key: str, count: int, n: int, common: Prior) -> Estimate:
    """Return the estimate of one group under what it has in common with the others."""
    a = common.mean * common.strength + count
    b = (1 - common.mean) * common.strength + n - count
    low, high = (beta.quantile(level, a, b) for level in (0.025, 0.975))
    return Estimate(key, count, n, a / (a + b), low, high)


def rank(groups: Mapping[str, tuple[int, int]]) -> Ranking:
    """Rank groups, (count, n) each, by their estimates; ties by name. Never people: groups of answers."""
    known = {key: group for key, group in groups.items() if group[1] > 0}
    if len(known) < LEAST:
        return Ranking((), None)
    common = prior(known)
    made = [estimate(key, count, n, common) for key, (count, n) in known.items()]
    return Ranking(tuple(sorted(made, key=lambda one: (-one.value, one.key))), common)
