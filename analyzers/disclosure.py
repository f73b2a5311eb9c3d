"""The one guard of counts, shares and comments that leave: PURE.

- `enough`, `share`: the threshold. A group under k people is not spoken of, not even by 0 % or 100 %.
- `step`: publication in time, by blocks of k people until the closing.
- `grouped`, `guard`: tables of counts with their margins, over a fixed lattice of filters; cells under k
  are suppressed, then others so that no margin gives them back (`analyzers.suppression`).

Sources: Hundepool et al., *Statistical Disclosure Control* (Wiley, 2012), chapters 4 and 5;
Fischetti and Salazar, "Models and algorithms for the 2-dimensional cell suppression problem" (1999).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from analyzers.intervals import wilson
from analyzers.results import Share
from analyzers.suppression import protect

#: Reason given with a suppressed value: the group is under the threshold.
FEW = "few"
#: The value is not small, but would give back one that is.
LINKED = "linked"
#: The category into which `grouped` gathers the small ones.
OTHER = "other"

T = TypeVar("T", bound=Hashable)


class NotOffered(Exception):  # noqa: N818
    """A combination of filters that the page did not declare."""


def enough(n: int, k: int) -> bool:
    """Say whether a group of ``n`` people may be spoken of under the threshold ``k``.

    An empty group says nothing of anybody, but "nobody" is itself a cell: it is not enough either.
    """
    return n >= k


def share(count: int, n: int, *, k: int, population: int | None = None) -> Share:
    """Return ``count`` among ``n`` with its 95 % Wilson interval, or a suppressed share where n < k.

    `population`: how many people the n are of, where it is known: the interval is that of a finite group.
    0 % and 100 % of a small group are suppressed like any other value of it.
    Raises ValueError unless 0 <= count <= n.
    """
    if not 0 <= count <= n:
        raise ValueError(f"a share of {count} among {n}")
    if n == 0 or not enough(n, k):
        return Share(count=None, n=None, suppressed=FEW)
    low, high = wilson(count, n, population=population)
    return Share(count=count, n=n, low=low, high=high)


def step(there: int, published: int, *, closed: bool, k: int) -> int:
    """Return how many respondents the published figures may hold, of those who are there.

    While the questionnaire is open: whole blocks of ``k``, never fewer than before. Once closed: all, or
    none under ``k``. The figures are taken as a whole when this grows and stay sealed in between, so that
    two successive states differ by ``k`` people at least until the closing.
    """
    if closed:
        return there if enough(there, k) else 0
    return max(published, there // k * k)


def late_step(there: int, published: int, k: int) -> int:
    """Return how many respondents figures made some time after the answers hold: all who are there.

    Or those published already, when that would add fewer than ``k`` people: two successive states differ
    by ``k`` at least, though not by whole blocks.
    """
    return there if there - published >= k and enough(there, k) else published


def due(there: int, k: int) -> int:
    """Return how many more answers make the next block complete."""
    return k - there % k


# --- tables -------------------------------------------------------------------------------------------


def grouped(counts: Mapping[T, int], *, k: int, other: T) -> dict[T, T]:
    """Return the category under which each is shown: the small ones gathered into ``other``.

    When the gathered ones are still under k the smallest of those kept joins them; ties by name. Empty
    categories are gathered too: "nobody" is a value. One whole under k gathers everything.
    """
    ranked = sorted((name for name in counts if name != other), key=lambda name: (counts[name], str(name)))
    gathered = {name for name in ranked if counts[name] < k}
    total = sum(counts[name] for name in gathered) + counts.get(other, 0)
    for name in ranked:
        if not (gathered or total) or enough(total, k):
            break
        if name not in gathered:
            gathered.add(name)
            total += counts[name]
    return {name: other if name in gathered or name == other else name for name in counts}


@dataclass(frozen=True)
class Lattice:
    """The combinations of filters that a page offers; no other is answered.

    Each view is a set of at most two dimensions, the total (no dimension) and single dimensions included
    where they are offered. Pairs must not close a circle (origin × mode, mode × month, month × origin):
    without circles the views tell no more together than each with its margins (running intersection,
    Lauritzen 1996, section 3.1), so that suppressing in each is enough. Raises ValueError otherwise.
    """

    page: str
    dimensions: tuple[str, ...]
    views: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        known = set(self.dimensions)
        group = {name: name for name in self.dimensions}

        def root(name: str) -> str:
            while group[name] != name:
                name = group[name]
            return name

        for view in self.views:
            if len(view) > 2 or len(set(view)) != len(view) or not set(view) <= known:
                raise ValueError(f"{self.page}: {view} is not a view of one or two of {self.dimensions}")
        for first, second in sorted({tuple(sorted(view)) for view in self.views if len(view) == 2}):
            if root(first) == root(second):
                raise ValueError(f"{self.page}: {first} × {second} closes a circle of views")
            group[root(first)] = root(second)


@dataclass(frozen=True)
class Cell:
    """A count as it may be shown; `suppressed` says why not: few, linked."""

    count: int | None
    suppressed: str | None = None


@dataclass(frozen=True)
class Guarded:
    """The counts of a lattice as they may leave; every page and export reads the same."""

    lattice: Lattice
    k: int
    cells: Mapping[tuple[str, ...], Mapping[tuple[str, ...], Cell]]
    #: Category of each dimension -> the one under which it is shown.
    groups: Mapping[str, Mapping[str, str]]

    def view(self, *dimensions: str) -> Mapping[tuple[str, ...], Cell]:
        """Return the cells of a declared view, by values in the order of `dimensions`; else NotOffered."""
        for order in (dimensions, dimensions[::-1]):
            if order in self.cells:
                found = self.cells[order]
                return found if order == dimensions else {key[::-1]: cell for key, cell in found.items()}
        raise NotOffered(f"{self.lattice.page}: {' × '.join(dimensions) or 'total'} is not offered")

    def show(self, dimensions: Sequence[str], values: Sequence[str]) -> Cell:
        """Return one cell, by the categories asked for; a category gathered answers as its group."""
        cells = self.view(*dimensions)
        asked = tuple(
            self.groups[name].get(value, value) for name, value in zip(dimensions, values, strict=True)
        )
        return cells.get(asked, Cell(None, FEW))

    def share(self, count: int, dimensions: Sequence[str], values: Sequence[str]) -> Share:
        """Return a share of the people of a cell, suppressed whenever the cell is."""
        cell = self.show(dimensions, values)
        if cell.count is None:
            return Share(count=None, n=None, suppressed=cell.suppressed)
        return share(count, cell.count, k=self.k)


def guard(lattice: Lattice, people: Iterable[Mapping[str, str]], *, k: int, other: str = OTHER) -> Guarded:
    """Return the counts of a lattice, one mapping (dimension -> category) a person, ready to leave.

    Under k people in all nothing is shown. Small categories are gathered first, each dimension by itself,
    the same in every view; then cells of pairs are suppressed, so that from all that is shown no
    suppressed cell is known to better than k people.
    """
    rows = [tuple(person[name] for name in lattice.dimensions) for person in people]
    groups: dict[str, Mapping[str, str]] = {}
    for place, name in enumerate(lattice.dimensions):
        groups[name] = grouped(Counter(row[place] for row in rows), k=k, other=other)
    shown = [
        {name: groups[name][value] for name, value in zip(lattice.dimensions, row, strict=True)}
        for row in rows
    ]
    cells: dict[tuple[str, ...], Mapping[tuple[str, ...], Cell]] = {}
    for view in lattice.views:
        counts = Counter(tuple(person[name] for name in view) for person in shown)
        if not enough(len(rows), k):
            cells[view] = {key: Cell(None, FEW) for key in counts}
        elif len(view) < 2:
            cells[view] = {key: Cell(n) for key, n in sorted(counts.items())}
        else:
            cells[view] = _crossed({(key[0], key[1]): n for key, n in counts.items()}, k)
    return Guarded(lattice, k, cells, groups)


def _crossed(counts: Mapping[tuple[str, str], int], k: int) -> Mapping[tuple[str, ...], Cell]:
    """Return the cells of two dimensions whose margins are shown, all of k people or more."""
    rows, columns = sorted({key[0] for key in counts}), sorted({key[1] for key in counts})
    table = [[counts.get((row, column), 0) for column in columns] for row in rows]
    hidden = protect(table, k)
    made: dict[tuple[str, ...], Cell] = {}
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            n = table[i][j]
            if (i, j) not in hidden:
                made[row, column] = Cell(n)
            else:
                made[row, column] = Cell(None, FEW if n < k else LINKED)
    return made
