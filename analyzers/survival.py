"""How many are still there, step after step or week after week, and whether groups differ: PURE.

Sources: Kaplan and Meier, JASA 53 (1958), 457–481; Greenwood, *The natural duration of cancer* (1926), for
the variance; Kalbfleisch and Prentice, *The Statistical Analysis of Failure Time Data* (2nd ed., 2002), 1.4
and 1.5, for the interval of log(−log S) and the log-rank test; Mantel, Cancer Chemother. Rep. 50 (1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.intervals import Z95

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tally:
    """People of one group by time, all (times,): `ended` had the event then, `left` were lost to view then.

    Those lost at a time were still at risk of its events.
    """

    times: Reals
    ended: Reals
    left: Reals

    @property
    def n(self) -> float:
        """Return how many people there are."""
        return float(self.ended.sum() + self.left.sum())

    @property
    def at_risk(self) -> Reals:
        """Return how many were still there just before each time."""
        gone = self.ended + self.left
        made: Reals = gone[::-1].cumsum()[::-1]
        return made


@dataclass(frozen=True, eq=False)
class Curve:
    """A Kaplan–Meier curve: the share still there after each time, with its 95 % interval."""

    tally: Tally
    share: Reals
    low: Reals
    high: Reals

    @property
    def median(self) -> float | None:
        """Return the first time after which half or fewer are still there; None when it never comes."""
        under = np.flatnonzero(self.share <= 0.5)
        return float(self.tally.times[under[0]]) if len(under) else None


@dataclass(frozen=True)
class LogRank:
    """Whether groups differ in when they end: χ² with `df` degrees of freedom."""

    chi2: float
    df: int
    p: float
    #: Of each group, events there were and would have been without a difference.
    observed: tuple[float, ...]
    expected: tuple[float, ...]


def tally(times: NDArray[np.float64], ended: NDArray[np.bool_], weights: Reals | None = None) -> Tally:
    """Count people, one row each (or `weights`), by the time at which they ended or were lost to view."""
    weights = np.ones(len(times)) if weights is None else weights
    found, place = np.unique(times, return_inverse=True)

    def counted(some: NDArray[np.bool_]) -> Reals:
        return np.bincount(place, weights=weights * some, minlength=len(found)).astype(np.float64)

    return Tally(found.astype(np.float64), counted(ended), counted(~ended))


def kaplan_meier(found: Tally, z: float = Z95) -> Curve:
    """Return the curve of a group, with the interval exp(−exp(log(−log S) ± z σ)).

    σ² = Σ d/(n (n − d)) / (log S)², the sum being Greenwood's. Where nobody has ended yet, or nobody is left,
    the interval is the value itself.
    """
    n, d = found.at_risk, found.ended
    share = np.cumprod(np.divide(n - d, n, out=np.ones_like(n), where=n > 0)).astype(np.float64)
    terms = np.divide(d, n * (n - d), out=np.zeros_like(n), where=(n > d) & (d > 0))
    inner = (share > 0) & (share < 1)
    log = np.log(share, out=np.full_like(share, -1.0), where=inner)
    spread = z * np.sqrt(np.cumsum(terms)) / np.abs(log)
    centre = np.log(-log)
    low = np.where(inner, np.exp(-np.exp(centre + spread)), share)
    high = np.where(inner, np.exp(-np.exp(centre - spread)), share)
    return Curve(found, share, low, high)


def log_rank(groups: Sequence[Tally]) -> LogRank | None:
    """Test whether groups end at the same pace; None with fewer than two groups, or nothing to compare."""
    if len(groups) < 2:
        return None
    from scipy import linalg, stats  # here: most pages test nothing

    times = np.unique(np.concatenate([one.times for one in groups]))
    d = np.stack([_spread(one, one.ended, times) for one in groups])
    gone = d + np.stack([_spread(one, one.left, times) for one in groups])
    n = gone[:, ::-1].cumsum(axis=1)[:, ::-1]
    all_n, all_d = n.sum(axis=0), d.sum(axis=0)
    kept = all_d > 0
    n, all_n, all_d = n[:, kept], all_n[kept], all_d[kept]
    observed = d.sum(axis=1)
    expected = (n * all_d / all_n).sum(axis=1)
    # Variance of the hypergeometric law at each time; nothing is uncertain where one alone is at risk.
    factor = np.divide(all_d * (all_n - all_d), all_n - 1, out=np.zeros_like(all_n), where=all_n > 1)
    share = n / all_n
    variance = np.diag((factor * share).sum(axis=1)) - (factor * share) @ share.T
    difference = (observed - expected)[:-1]
    within = variance[:-1, :-1]
    if not kept.any() or np.linalg.matrix_rank(within) < len(within):
        return None
    chi2 = float(difference @ linalg.solve(within, difference))
    df = len(groups) - 1
    p = float(stats.chi2.sf(chi2, df))
    return LogRank(chi2, df, p, tuple(observed.tolist()), tuple(expected.tolist()))


def _spread(one: Tally, values: Reals, times: Reals) -> Reals:
    """Return the values of a group at the times of all groups."""
    made = np.zeros(len(times))
    made[np.searchsorted(times, one.times)] = values
    return made
