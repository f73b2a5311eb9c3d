"""Cells hidden so that crossings of the same people with other dimensions do not give them back: PURE.

Where any two dimensions may be crossed, A × B can be attacked by A × C and B × C. A hidden cell is safe when
other people than the real ones give the very same crossings: two people alike in C may exchange their B,
which changes four cells of A × B, the corners of a rectangle, and nothing of A × C nor of B × C. A cell that
such exchanges can move by k people in all is known to nobody better than that. Source of the exchanges: data
swapping, Dalenius and Reiss, J. Stat. Plan. Inference 6 (1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers import suppression
from analyzers.suppression import Place

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Cube:
    """A two-way table, and the same split by each other dimension: (values of C, rows, columns)."""

    table: Counts
    splits: tuple[Counts, ...]

    @classmethod
    def of(
        cls,
        units: Sequence[tuple[str, str]],
        rows: Sequence[str],
        columns: Sequence[str],
        beside: Mapping[str, Sequence[str]],
    ) -> Cube:
        """Count the units; every sequence of `beside` has a value for each of them."""
        row_at = {name: i for i, name in enumerate(rows)}
        column_at = {name: j for j, name in enumerate(columns)}
        at = np.array([(row_at[row], column_at[column]) for row, column in units], dtype=np.int64)
        table: Counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
        np.add.at(table, (at[:, 0], at[:, 1]), 1)
        splits = []
        for values in beside.values():
            names, codes = np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)
            split: Counts = np.zeros((len(names), *table.shape), dtype=np.int64)
            np.add.at(split, (codes, at[:, 0], at[:, 1]), 1)
            splits.append(split)
        return cls(table, tuple(splits))


def protect(cube: Cube, k: int) -> frozenset[Place] | None:
    """Return the cells to hide, those that margins ask for first; None when no set of them is enough."""
    hidden = set(suppression.protect(cube.table.tolist(), k))
    # What is safe stays so: more hidden cells leave more exchanges.
    safe: list[set[Place]] = [set() for _ in cube.splits]
    while True:
        before = len(hidden)
        for split, known in zip(cube.splits, safe, strict=True):
            while True:
                exposed = None
                for cell in sorted(hidden - known):
                    if not _safe(split, hidden, cell, k):
                        exposed = cell
                        break
                    known.add(cell)
                if exposed is None:
                    break
                more = _companions(cube.table, split, hidden, exposed, k)
                if not more:
                    return None
                hidden |= more
        # What one view asked for is looked at again with the views before it.
        if len(hidden) == before:
            return frozenset(hidden)


def widths(split: Counts, cell: Place) -> Counts:
    """Return, for each opposite corner, by how many people exchanges along the rectangle move a cell."""
    i, j = cell
    down = np.minimum(split[:, i, j][:, None, None], split).sum(axis=0)
    up = np.minimum(split[:, i, :][:, None, :], split[:, :, j][:, :, None]).sum(axis=0)
    moved: Counts = down + up
    moved[i, :] = 0
    moved[:, j] = 0
    return moved


def _safe(split: Counts, hidden: set[Place], cell: Place, k: int) -> bool:
    i, j = cell
    moved = widths(split, cell)
    return any(
        moved[r, c] >= k for r, c in hidden if r != i and c != j and (i, c) in hidden and (r, j) in hidden
    )


def _companions(table: Counts, split: Counts, hidden: set[Place], cell: Place, k: int) -> set[Place]:
    """Return the corners of the rectangle that protects a cell and hides the fewest people more."""
    i, j = cell
    choices = []
    for r, c in np.argwhere(widths(split, cell) >= k).tolist():
        new = {(i, c), (r, j), (r, c)} - hidden
        choices.append((sum(int(table[place]) for place in new), len(new), sorted(new)))
    return set(min(choices)[2]) if choices else set()
