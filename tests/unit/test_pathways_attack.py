"""What a page of paths tells, all its views together, gives nobody back: attacked by linear programmes.

The attacker knows every figure: the lots of everybody, each breakdown (by year, by trait), the weeks of
everybody and of each year, and which ways each lot holds; and looks for the least and the most that a count
which is not told can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from analyzers import pathways
from analyzers.branching import Branch
from analyzers.journeys import INTERRUPTED, Journeys
from analyzers.pathways import Divided
from tests.factories.journeys import drawn

K = 4
Mask = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]


def views(journeys: Journeys) -> list[Divided]:
    found = [pathways.divided(journeys, k=K, stopped_days=60, by=by) for by in ("", "year", "corps")]
    return [one for one in found if one is not None]


@settings(max_examples=40)
@given(st.integers(0, 100_000), st.integers(12, 90), st.integers(2, 5))
def test_every_figure_counts_k_people_or_none(seed: int, count: int, modules: int) -> None:
    journeys = drawn(seed, count, modules)
    for view in views(journeys):
        told = [view.counts, view.week_counts]
        told += [one.counts.ravel() for one in (view.groups, view.groups_weeks) if one is not None]
        assert all(n == 0 or n >= K for counts in told for n in counts.tolist())
        assert view.counts.sum() == count
        if view.groups is None:
            continue
        assert view.groups.counts.sum() == count
        # The lots of a breakdown are sums of the lots of everybody: a difference of views is such a sum too.
        whole = [set(lot.leaves.tolist()) for lot in view.lots]
        for lot in view.groups.lots:
            mine = set(lot.leaves.tolist())
            assert all(one <= mine or not one & mine for one in whole)
    picture = pathways.picture(journeys, k=K, stopped_days=60)
    if picture is not None:
        shares = [picture.people.straight, *picture.returns.values()]
        assert all(one.count is None or one.count == 0 or one.count >= K for one in shares)
        assert all(one.n is None or one.n >= K for one in shares)


class Attack:
    """Everything that is published, as equations over the table of year × trait × way × week."""

    def __init__(self, journeys: Journeys) -> None:
        self.year = np.unique(journeys.year, return_inverse=True)[1]
        self.trait = journeys.traits["corps"].codes + 1
        state = journeys.state(60)
        stopped = state == INTERRUPTED
        ways = np.column_stack([state, journeys.steps])
        self.ways, self.way = np.unique(ways, axis=0, return_inverse=True)
        weeks = np.column_stack([stopped, journeys.weeks(60)])
        self.weeks, self.week = np.unique(weeks, axis=0, return_inverse=True)
        sizes = [int(codes.max()) + 1 for codes in (self.year, self.trait, self.way, self.week)]
        self.grid = np.indices(sizes).reshape(4, -1)
        # Whoever stopped has a week of those who stopped.
        self.free = (self.ways[self.grid[2], 0] == INTERRUPTED) == (self.weeks[self.grid[3], 0] == 1)
        self.rows: list[Mask] = []
        self.values: list[int] = []

    def tell(self, view: Divided, axis: int, codes: Codes) -> None:
        """Write down what a view publishes; `axis`, `codes`: of its breakdown."""
        everybody = np.ones(self.grid.shape[1], dtype=bool)
        self._lots(view.leaf, 2, self.way, view.lots, view.counts, everybody)
        if view.week_leaf is not None:
            self._lots(view.week_leaf, 3, self.week, view.weeks, view.week_counts, everybody)
        if view.groups is None or view.group is None:
            return
        for place in range(len(view.groups.names)):
            where = np.isin(self.grid[axis], np.unique(codes[view.group == place]))
            self._lots(view.leaf, 2, self.way, view.groups.lots, view.groups.counts[place], where)
            if view.groups_weeks is not None and view.week_leaf is not None:
                weeks = view.groups_weeks
                self._lots(view.week_leaf, 3, self.week, weeks.lots, weeks.counts[place], where)

    def _lots(
        self,
        leaf: NDArray[np.int32],
        axis: int,
        codes: Codes,
        lots: Sequence[Branch],
        counts: NDArray[np.int64],
        where: Mask,
    ) -> None:
        for lot, n in zip(lots, counts.tolist(), strict=True):
            inside = np.unique(codes[np.isin(leaf, lot.leaves)])
            self.rows.append(where & np.isin(self.grid[axis], inside))
            self.values.append(n)

    def bounds(self, cell: Mask) -> tuple[float, float]:
        equations = csr_matrix(np.array(self.rows)[:, self.free].astype(float))
        goal = cell[self.free].astype(float)
        ends = []
        for sign in (1, -1):
            done = linprog(sign * goal, A_eq=equations, b_eq=self.values, bounds=(0, None), method="highs")
            assert done.status == 0, done.message
            ends.append(sign * float(done.fun))
        return ends[0], ends[1]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (3, 5, 8, 11))])
def test_no_hidden_count_is_known_better_than_k(seed: int) -> None:
    journeys = drawn(seed, 60, 3, groups=2, disorder=0.5)
    attack = Attack(journeys)
    _, by_year, by_corps = views(journeys)
    attack.tell(by_year, 0, attack.year)
    attack.tell(by_corps, 1, attack.trait)
    assert by_year.groups_weeks is not None
    assert by_corps.groups is not None
    attacked = 0
    for axis, codes in ((0, attack.year), (1, attack.trait), (None, None)):
        for other, own in ((2, attack.way), (3, attack.week)):
            for value in np.unique(own):
                for group in np.unique(codes) if codes is not None else [None]:
                    people = own == value if codes is None else (own == value) & (codes == group)
                    if not 0 < people.sum() < K:
                        continue
                    cell = attack.grid[other] == value
                    if axis is not None:
                        cell &= attack.grid[axis] == group
                    low, high = attack.bounds(cell)
                    assert high - low >= K - 1e-6, (axis, other, value, group, low, high)
                    attacked += 1
    assert attacked > 10
