"""Counts shown at several levels, without one level giving back what another hides: PURE.

The rows are groups (zones), each split into categories (académies), or categories alone; the columns are
school years, and in each the paths that people are in, several at times. Three tables are shown: groups ×
years, categories × years, categories × paths of a year. Each is protected on its own
(`analyzers.suppression`), from the coarsest down:

- what is hidden in a coarse table hides everything below it;
- below, what stands under hidden cells is one line, taken together: its counts can be worked out from the
  margins, so that it is protected like the others, and shown to nobody;
- a path is a part of a year that may overlap with others: no count is over that of its year, and those who
  are not in the path are as few as those who are (`most`). Its rows are taken to add up to what they really
  do, which is more than anybody is told.

Nothing that is hidden is then known to better than k people from all the tables together. Take a solution of
the coarse table: whatever it is, the fine ones have one too, as a transportation table with any margins of
the same total has. A fine count of a line known between L and U (U − L ≥ k), in a column of which the lines
under hidden cells hold S (S ≥ k, or itself known to no better than k) of T, goes from max(0, L + S − T) to
min(U, S): never less than k apart. Other traits cross the same columns and nothing else: views that share one
axis alone make a tree, and tell no more together than each with its margins (Lauritzen 1996, 3.1).

Sources: Fischetti and Salazar (1999) on tables with a hierarchy; Gusfield (1988) on the intervals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers import suppression

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


def coarse(by_year: Counts, group_of: NDArray[np.int32], k: int) -> tuple[Flags, Flags]:
    """Return what to hide of groups × years and of categories × years, from (categories, years) counts.

    `group_of`: group of each category. Each year, and each category over the years, holds k people or more.
    """
    groups = int(group_of.max()) + 1
    above = _protected(sums(by_year.T, group_of, groups).T, k)
    hidden = np.zeros(by_year.shape, dtype=bool)
    for group in range(groups):
        own = np.flatnonzero(group_of == group)
        # The years in which the group is hidden are one line.
        hidden[own] = under(by_year[own].T, above[group], k).T
    return above, hidden


def sums(counts: Counts, part_of: NDArray[np.int32], parts: int) -> Counts:
    """Return (lines, parts): the columns of each part added up."""
    made: Counts = np.zeros((counts.shape[0], parts), dtype=np.int64)
    np.add.at(made.T, part_of, counts.T)
    return made


def under(counts: Counts, above: Flags, k: int) -> Flags:
    """Return the cells to hide of a table whose lines `above` are hidden one level up.

    Of categories × paths of one year: each column holds k people or more.
    """
    hidden = np.zeros(counts.shape, dtype=bool)
    hidden[above] = True
    shown = np.flatnonzero(~above)
    if not len(shown) or counts.shape[1] < 2:
        return hidden
    table = counts[shown]
    if above.any():
        table = np.vstack([table, counts[above].sum(axis=0, keepdims=True)])
    hidden[shown] = _protected(table, k)[: len(shown)]
    return hidden


def inside(counts: Counts, totals: NDArray[np.int64], above: Flags, k: int) -> Flags:
    """Return the cells to hide of categories × paths of a year; people may be in several paths.

    `totals`: people of each category in the year, `above`: those hidden there. The last column is who is in
    none of the paths shown: it is shown to nobody. Everything is hidden where no set of cells is enough.
    """
    hidden = np.zeros(counts.shape, dtype=bool)
    hidden[above] = True
    shown = np.flatnonzero(~above & (totals > 0))
    if not len(shown):
        return hidden
    table, most = counts[shown], totals[shown]
    if above.any():
        table = np.vstack([table, counts[above].sum(axis=0, keepdims=True)])
        most = np.append(most, totals[above].sum())
    rows, last = len(shown), counts.shape[1] - 1
    unpublished = {(i, j) for i in range(len(table)) for j in range(last + 1) if i >= rows or j == last}
    lines, limits = table.tolist(), most.tolist()
    found = suppression.protect(lines, k, most=limits, unpublished=unpublished)
    for i, j in found:
        if i < rows:
            hidden[shown[i], j] = True
    tried = {
        cell for cell in found if cell not in unpublished or suppression.is_small(lines, cell, k, limits)
    }
    if not all(suppression.is_safe(lines, found, cell, k, limits) for cell in tried):
        hidden[:] = True
    return hidden


def _protected(table: Counts, k: int) -> Flags:
    """Return the cells to hide of a table with its margins; lines and columns of nobody hide nothing."""
    hidden = np.zeros(table.shape, dtype=bool)
    rows, columns = np.flatnonzero(table.any(axis=1)), np.flatnonzero(table.any(axis=0))
    for i, j in suppression.protect(table[np.ix_(rows, columns)].tolist(), k):
        hidden[rows[i], columns[j]] = True
    return hidden
