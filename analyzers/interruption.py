"""Who left and when, from plain lists: what a table of registrations says of interruption. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzers import survival
from analyzers.survival import LogRank, Tally

#: Time of each person, and whether they left then (else they were still there).
Group = tuple[Sequence[float], Sequence[bool]]


@dataclass(frozen=True)
class Left:
    """How many are still there in the end, with the 95 % interval (Greenwood)."""

    n: int
    after: float
    share: float
    low: float
    high: float


def left(group: Group) -> Left | None:
    """Return the share still there after the last departure; None when nobody left."""
    counted = _tally(group)
    ends = np.flatnonzero(counted.ended)
    if not len(ends):
        return None
    curve, last = survival.kaplan_meier(counted), ends[-1]
    return Left(
        int(counted.n),
        float(counted.times[last]),
        float(curve.share[last]),
        float(curve.low[last]),
        float(curve.high[last]),
    )


def compare(groups: Sequence[Group]) -> LogRank | None:
    """Test whether groups leave at the same pace; None where there is nothing to compare."""
    return survival.log_rank([_tally(group) for group in groups])


def _tally(group: Group) -> Tally:
    return survival.tally(np.asarray(group[0], dtype=np.float64), np.asarray(group[1], dtype=np.bool_))
