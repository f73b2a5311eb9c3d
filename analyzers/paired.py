"""The same people asked the same thing twice: how far the group moved. PURE.

Of each competency: the mean of the changes with its 95 % interval (Student), Cohen's d_z (their mean over
their standard deviation) and the p of Wilcoxon's signed-rank test, as points of a scale are not intervals.

A mean of changes is a sum that can be subtracted from the totals of the questionnaires themselves: what is
left is about those who answered one of them only. `admitted` asks that they be none or k, for one later
questionnaire and for two of them together.

Sources: Wilcoxon, Biometrics Bulletin 1 (1945), 80–83; Cohen, *Statistical Power Analysis* (2nd ed.), 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from analyzers.disclosure import FEW, LINKED


@dataclass(frozen=True)
class Change:
    """How a group moved on one competency; nothing in it when `suppressed` says why: few, linked."""

    competency: str
    n: int | None
    before: float | None = None
    after: float | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    #: Cohen's d_z; None when everybody moved alike.
    dz: float | None = None
    p: float | None = None
    suppressed: str | None = None


def change(competency: str, before: Sequence[int], after: Sequence[int]) -> Change:
    """Return the change of two people or more, `before` and `after` in the same order."""
    from scipy import stats

    first, last = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    moved: NDArray[np.float64] = last - first
    n, mean, spread = len(moved), float(moved.mean()), float(moved.std(ddof=1))
    half = float(stats.t.ppf(0.975, n - 1)) * spread / sqrt(n)
    p = float(stats.wilcoxon(moved).pvalue) if np.any(moved != 0) else 1.0
    return Change(
        competency=competency,
        n=n,
        before=float(first.mean()),
        after=float(last.mean()),
        mean=mean,
        low=mean - half,
        high=mean + half,
        dz=mean / spread if spread > 0 else None,
        p=p,
    )


@dataclass(frozen=True)
class Sums:
    """What changes add up by: people, their points before and after, the squares of their changes."""

    n: int
    before: int
    after: int
    squares: int


def sums(found: Change) -> Sums | None:
    """Return the sums behind a change, whole numbers as points are; None where nothing is shown."""
    from scipy import stats

    n = found.n
    if n is None or found.mean is None or found.before is None or found.after is None:
        return None
    half = ((found.high or 0.0) - (found.low or 0.0)) / 2
    spread = half * sqrt(n) / float(stats.t.ppf(0.975, n - 1))
    squares = spread**2 * (n - 1) + n * found.mean**2
    return Sums(n, round(n * found.before), round(n * found.after), round(squares))


def together(competency: str, parts: Sums) -> Change:
    """Return the change of people of several groups taken together; no p, which needs ranks."""
    from scipy import stats

    n, mean = parts.n, (parts.after - parts.before) / parts.n
    spread = sqrt(max(0.0, (parts.squares - n * mean**2) / (n - 1)))
    half = float(stats.t.ppf(0.975, n - 1)) * spread / sqrt(n)
    return Change(
        competency=competency,
        n=n,
        before=parts.before / n,
        after=parts.after / n,
        mean=mean,
        low=mean - half,
        high=mean + half,
        dz=mean / spread if spread > 0 else None,
    )


def changes(
    before: Mapping[str, Mapping[str, int]],
    after: Mapping[str, Mapping[str, int]],
    others: Sequence[Mapping[str, Mapping[str, int]]] = (),
    *,
    k: int,
) -> tuple[Change, ...]:
    """Return the change of each competency asked both times, under the threshold k.

    `before`, `after`: competency -> person -> point. `others`: the later questionnaires whose changes since
    `before` are shown already.
    """
    made = []
    for competency in sorted(before.keys() & after.keys()):
        start, end = before[competency], after[competency]
        both = sorted(start.keys() & end.keys())
        shown = [one[competency].keys() for one in others if competency in one]
        shown = [one for one in shown if admitted(start.keys(), one, (), k) is None]
        why = admitted(start.keys(), end.keys(), shown, k)
        if why is not None:
            made.append(Change(competency, None, suppressed=why))
        else:
            made.append(change(competency, [start[who] for who in both], [end[who] for who in both]))
    return tuple(made)


def admitted(start: Set[str], end: Set[str], shown: Sequence[Set[str]], k: int) -> str | None:
    """Say why the changes from `start` to `end` may not be shown beside those to `shown`; None: they may."""
    both = start & end
    if len(both) < k:
        return FEW
    if not _whole(start ^ end, k):
        return LINKED
    for other in shown:
        once, alone = start & other, (other - start) | (end - start)
        apart = (both ^ once) | alone
        rest = (both & once) | (start - both - once) | alone
        if not _whole(apart, k) or not _whole(rest, k):
            return LINKED
    return None


def _whole(people: Set[str], k: int) -> bool:
    return not people or len(people) >= k
