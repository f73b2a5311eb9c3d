"""Crossings of the same people attacked together: an exact search finds no hidden cell known too well."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analyzers import crossing, linkage

UNIT = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from("12"))


def reach(split: np.ndarray, hidden: frozenset[tuple[int, int]], cell: tuple[int, int]) -> float:
    """Return the width of what a hidden cell of A × B can be, knowing all of A × C and B × C.

    Linear programming over the three-way table: the attacker's best, integrality aside.
    """
    depth, rows, columns = split.shape
    shape = (depth, rows, columns)
    total = np.zeros(shape)
    lines, sums = [], []

    def known(mask: np.ndarray) -> None:
        lines.append(mask.ravel())
        sums.append(float((split * mask).sum()))

    for i in range(rows):
        for j in range(columns):
            if (i, j) not in hidden:
                known(_mask(shape, (slice(None), i, j)))
    for i in range(rows):
        known(_mask(shape, (slice(None), i, slice(None))))
        for c in range(depth):
            known(_mask(shape, (c, i, slice(None))))
    for j in range(columns):
        known(_mask(shape, (slice(None), slice(None), j)))
        for c in range(depth):
            known(_mask(shape, (c, slice(None), j)))
    total[:, cell[0], cell[1]] = 1
    ends = [
        linprog(sign * total.ravel(), A_eq=np.array(lines), b_eq=np.array(sums), bounds=(0, None)).fun * sign
        for sign in (1, -1)
    ]
    return float(ends[1] - ends[0])


def _mask(shape: tuple[int, ...], where: tuple[int | slice, ...]) -> np.ndarray:
    mask = np.zeros(shape)
    mask[where] = 1
    return mask


@settings(max_examples=25, deadline=None)
@given(st.lists(UNIT, min_size=20, max_size=120), st.integers(2, 5))
def test_no_hidden_cell_is_given_back(units: list[tuple[str, str, str]], k: int) -> None:
    rows, columns = sorted({u[0] for u in units}), sorted({u[1] for u in units})
    beside = {"third": [unit[2] for unit in units]}
    cube = linkage.Cube.of([(a, b) for a, b, _ in units], rows, columns, beside)
    hidden = linkage.protect(cube, k)
    if hidden is None:
        return
    for cell in sorted(hidden):
        assert reach(cube.splits[0], hidden, cell) >= k - 1e-6


def test_two_other_crossings_would_have_given_a_cell_back() -> None:
    """The whole of row a is in 1; column y has nobody in 1: so a × y is empty, and a × x is all of a."""
    split = np.array([[[4, 0], [3, 0], [9, 0]], [[0, 0], [2, 7], [6, 9]]])
    hidden = frozenset({(0, 0), (0, 1), (1, 0), (1, 1)})
    assert reach(split, hidden, (0, 0)) == pytest.approx(0)
    cube = linkage.Cube(split.sum(axis=0), (split,))
    assert linkage.protect(cube, 5) is None


@settings(max_examples=25, deadline=None)
@given(st.lists(UNIT, min_size=5, max_size=80), st.integers(2, 5))
def test_a_table_that_cannot_be_protected_is_made_coarser(units: list[tuple[str, str, str]], k: int) -> None:
    pairs = [(a, b) for a, b, _ in units]
    found = crossing.cross(pairs, k=k, beside={"third": [unit[2] for unit in units]})
    if found.suppressed:
        assert len(units) < k
        return
    assert found.n == len(units) == sum(found.row_totals) == sum(found.column_totals)
    shown = [cell.count for line in found.cells for cell in line if cell.count is not None]
    assert all(count == 0 or count >= k for count in shown)
