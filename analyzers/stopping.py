"""Where people of a path stop, by modules entered and by week, group beside group: PURE.

Curves are drawn from lots (`analyzers.pathways`), so that each step has k people who stopped or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzers import survival
from analyzers.pathways import People


@dataclass(frozen=True, eq=False)
class Course:
    """Curves of groups over the same intervals of modules entered, or of weeks.

    Each curve has a point more than there are spans: the start, where everybody is there.
    """

    spans: tuple[tuple[int, int], ...]
    curves: tuple[survival.Curve, ...]
    test: survival.LogRank | None

    @property
    def worst(self) -> int | None:
        """Return the span at which most stop, all groups together; None where there is one span alone."""
        if len(self.spans) < 2:
            return None
        stopped = np.sum([curve.tally.ended[1:] for curve in self.curves], axis=0)
        return int(stopped.argmax()) if stopped.any() else None


#: First, last, stopped or not, people.
Row = tuple[int, int, bool, float]


def by_step(groups: Sequence[People]) -> Course | None:
    """Return the share who go on after so many modules entered; None when stops are not told.

    Modules where stops are too few to be told apart are one interval. Who goes on or has finished leaves at
    the last module entered; of an interval, at its end.
    """
    if not groups or any(lot.ended is None for one in groups for lot in one.lots):
        return None
    return _course(
        [
            [
                (lot.low, lot.high, bool(lot.ended), float(n))
                for lot, n in zip(one.lots, one.counts, strict=True)
            ]
            for one in groups
        ]
    )


def by_week(groups: Sequence[People]) -> Course | None:
    """Return the share who go on week after week since the start; None when it is not told of each group."""
    if not groups or any(one.weeks is None for one in groups):
        return None
    return _course([[(*span, float(n)) for span, n in one.weeks or ()] for one in groups])


def _course(groups: Sequence[Sequence[Row]]) -> Course | None:
    spans = _spans([(low, high) for rows in groups for low, high, ended, _ in rows if ended])
    if not spans:
        return None
    tallies = [_tally(rows, spans) for rows in groups]
    return Course(
        tuple(spans), tuple(survival.kaplan_meier(one) for one in tallies), survival.log_rank(tallies)
    )


def _tally(rows: Sequence[Row], spans: Sequence[tuple[int, int]]) -> survival.Tally:
    """Count the rows at the ends of the spans, after a start.

    Who leaves between two spans was there for the one before.
    """
    ends = np.array([high for _, high in spans])
    ended, left = np.zeros(len(spans) + 1), np.zeros(len(spans) + 1)
    for _, high, stopped, n in rows:
        place = next((rank for rank, (low, top) in enumerate(spans, 1) if low <= high <= top), None)
        if place is None:
            place = int(np.searchsorted(ends, high))
        (ended if stopped else left)[place] += n
    return survival.Tally(np.r_[spans[0][0] - 1, ends].astype(np.float64), ended, left)


def _spans(some: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return disjoint intervals: those that overlap are one."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(set(some)):
        if made and low <= made[-1][1]:
            made[-1] = (made[-1][0], max(high, made[-1][1]))
        else:
            made.append((low, high))
    return made
