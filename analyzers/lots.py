"""Sessions put together until each lot holds k people, so that whatever is summed over lots may leave: PURE.

A page about sessions has many views: a year, a path, a path in a year, everything. Suppressing each by itself
would leave differences: all less the others. Here the sessions are cut once, before any view: a category
under k people joins the other small ones of its level, and where these are still under k together, the
smallest of the others joins them. Every figure of every view is then a sum over whole lots, so that no
difference of two views is about fewer than k people. What a lot mixes is said of no one category: it counts
in the levels above.

Source: Hundepool et al., *Statistical Disclosure Control* (2012), 4.2 (global recoding, hierarchical tables).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lots:
    """Lots of sessions; each has k people at least."""

    #: (sessions,) place of its lot, −1: in none.
    of_session: NDArray[np.int32]
    #: (lots, levels) value of each level, `MIXED` where the lot holds several.
    keys: Ints

    def __len__(self) -> int:
        return len(self.keys)

    def total(self, session: NDArray[Any], values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of `values` by lot; `session` is that of each value."""
        lot = self.of_session[session]
        kept = lot >= 0
        weights = values[kept].astype(np.float64)
        return np.bincount(lot[kept], weights=weights, minlength=len(self)).astype(np.float64)

    def people(self, session: NDArray[Any], person: NDArray[Any]) -> Ints:
        """Return how many different people the rows of each lot are about."""
        lot = self.of_session[session]
        kept = lot >= 0
        if not kept.any():
            return np.zeros(len(self), dtype=np.int64)
        span = int(person.max()) + 1
        pairs = np.unique(lot[kept].astype(np.int64) * span + person[kept])
        return np.bincount(pairs // span, minlength=len(self)).astype(np.int64)

    def enough(self, session: NDArray[Any], person: NDArray[Any], k: int) -> NDArray[np.bool_]:
        """Return which lots have k different people in these rows; a person stands once a session at most.

        A session of k rows is enough by itself: people are told apart in the other lots alone.
        """
        sizes = np.bincount(session, minlength=len(self.of_session))
        largest = np.zeros(len(self), dtype=np.int64)
        inside = self.of_session >= 0
        np.maximum.at(largest, self.of_session[inside], sizes[inside])
        found: NDArray[np.bool_] = largest >= k
        unsure = np.append(~found, False)[self.of_session[session]]
        if unsure.any():
            found |= self.people(session[unsure], person[unsure]) >= k
        return found


#: Key of a level that a lot holds several values of; values themselves are 0 or more, −1 for unknown.
MIXED = -2


def divide(
    levels: Sequence[NDArray[Any]],
    session: NDArray[Any],
    person: NDArray[Any],
    *,
    wanted: NDArray[np.bool_],
    k: int,
) -> Lots:
    """Cut the wanted sessions into lots of k people at least, by levels from the widest to the narrowest.

    `levels`: a value a session each (a session's own number, for the last); `session`, `person`: a row an
    enrolment, a person once a session. Sessions without any enrolment are in no lot; under k people in all,
    none is.
    """
    cutting = _Cutting(levels, session, person, k, len(wanted))
    some = np.flatnonzero(wanted & (cutting.sizes > 0))
    if len(some) and cutting.size(some)[0] >= k:
        cutting.cut(some, 0, ())
    keys = np.array(cutting.keys, dtype=np.int64).reshape(-1, len(levels))
    return Lots(cutting.of_session, keys)


class _Cutting:
    def __init__(
        self,
        levels: Sequence[NDArray[Any]],
        session: NDArray[Any],
        person: NDArray[Any],
        k: int,
        sessions: int,
    ) -> None:
        self.levels, self.k = levels, k
        order = np.argsort(session, kind="stable")
        self._people = person[order]
        self.sizes = np.bincount(session, minlength=sessions)
        self._ends = np.cumsum(self.sizes)
        self.of_session = np.full(sessions, -1, dtype=np.int32)
        self.keys: list[tuple[int, ...]] = []

    def size(self, sessions: NDArray[Any]) -> tuple[int, int]:
        """Return at least how many different people some sessions have, exactly under k; and their rows."""
        sizes = self.sizes[sessions]
        rows, largest = int(sizes.sum()), int(sizes.max())
        if largest >= self.k or len(sessions) == 1:
            return largest, rows
        parts = [self._people[self._ends[one] - self.sizes[one] : self._ends[one]] for one in sessions]
        return len(np.unique(np.concatenate(parts))), rows

    def cut(self, sessions: NDArray[Any], level: int, key: tuple[int, ...]) -> None:
        """Cut sessions of k people at least by a level, then each part by the next."""
        if level == len(self.levels):
            self._make(sessions, key)
            return
        values = self.levels[level][sessions]
        groups = {int(value): sessions[values == value] for value in np.unique(values)}
        sizes = {value: self.size(some) for value, some in groups.items()}
        ranked = sorted(groups, key=lambda value: (sizes[value][1], value))
        small = [value for value in ranked if sizes[value][0] < self.k]
        large = [value for value in ranked if sizes[value][0] >= self.k]
        while small and large and self._distinct(groups, small) < self.k:
            small.append(large.pop(0))
        for value in sorted(large):
            self.cut(groups[value], level + 1, (*key, value))
        if small:
            mixed = key + (MIXED,) * (len(self.levels) - level)
            self._make(np.concatenate([groups[value] for value in small]), mixed)

    def _distinct(self, groups: dict[int, NDArray[Any]], some: Sequence[int]) -> int:
        return self.size(np.concatenate([groups[value] for value in some]))[0]

    def _make(self, sessions: NDArray[Any], key: tuple[int, ...]) -> None:
        self.of_session[sessions] = len(self.keys)
        self.keys.append(key)
