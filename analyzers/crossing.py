"""Two dimensions crossed: who, by what; table, shares, association, cells that stand out. PURE.

What is shown obeys `disclosure`: categories gathered, cells hidden. Every statistic is computed from what
is shown alone, so that none gives a hidden cell back: residuals of the cells shown, and the test of
association on the table in which the rows (or the columns) that hold hidden cells are taken together,
whose counts anybody can work out from the margins.

Sources: Agresti, *Categorical Data Analysis* (3rd ed., 2013), 3.3 (adjusted residuals); Bergsma, "A
bias-correction for Cramér's V and Tschuprow's T", J. Korean Stat. Soc. 42 (2013); Smithson, *Confidence
Intervals* (2003), chapter 4 (interval by the noncentral χ²); Cochran, Biometrics 10 (1954) (expected
counts under 5); Holm, Scand. J. Statist. 6 (1979); Phipson and Smyth, SAGMB 9 (2010) (p of permutations).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure, linkage
from analyzers.disclosure import FEW, LINKED

Counts = NDArray[np.int64]
Reals = NDArray[np.float64]

# scipy is imported where it is used: most processes never cross anything, and it is large.

#: Share of expected counts under 5 beyond which χ² is not trusted, and tables drawn instead (Cochran).
_THIN, _EXPECTED = 0.2, 5.0
#: Tables drawn under independence: the smallest p is 1/10,000.
_DRAWN = 9_999
_SEED = 20_170_901
#: Level of the cells that stand out, after Holm.
LEVEL = 0.05


@dataclass(frozen=True)
class Association:
    """Whether two dimensions go together, and how strongly: effect size first."""

    #: Cramér's V, corrected for bias (Bergsma), 0 to 1, with its 95 % interval.
    v: float
    low: float
    high: float
    chi2: float
    df: int
    p: float
    method: Literal["chi2", "permutation"]
    n: int
    #: Rows and columns of the table tested; fewer than shown when those with hidden cells were gathered.
    shape: tuple[int, int]


@dataclass(frozen=True)
class CrossCell:
    """One pair of categories; `suppressed` says why there is nothing in it."""

    count: int | None
    #: Of the row's people.
    share: float | None = None
    #: Count that independence would give.
    expected: float | None = None
    #: (O − E) / √(E (1 − row/n) (1 − column/n)).
    residual: float | None = None
    #: Two-sided p of the residual, after Holm over the cells shown.
    p: float | None = None
    suppressed: str | None = None

    @property
    def ratio(self) -> float | None:
        """Count against the expected one: 1.8 is "1.8 times as often as expected"."""
        return self.count / self.expected if self.count is not None and self.expected else None

    @property
    def stands_out(self) -> bool:
        return self.p is not None and self.p < LEVEL


@dataclass(frozen=True)
class Crossing:
    """A table of two dimensions as it may leave; empty when `suppressed` says why."""

    n: int | None
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[CrossCell, ...], ...]
    row_totals: tuple[int, ...]
    column_totals: tuple[int, ...]
    #: None: not enough is shown to test (fewer than two rows or columns left).
    association: Association | None
    #: One a column when people may have several columns (None where not enough is shown): p after Holm.
    by_column: tuple[Association | None, ...] = ()
    suppressed: str | None = None

    @property
    def strongest(self) -> tuple[tuple[int, int], ...]:
        """Return the places of the cells that stand out, the largest residual first."""
        places = [
            (i, j) for i, line in enumerate(self.cells) for j, cell in enumerate(line) if cell.stands_out
        ]
        return tuple(sorted(places, key=lambda at: (-abs(self.cells[at[0]][at[1]].residual or 0.0), at)))


_NOTHING = Crossing(None, (), (), (), (), (), None, suppressed=FEW)


def cross(
    pairs: Sequence[tuple[str, str]],
    *,
    k: int,
    other: str = disclosure.OTHER,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> Crossing:
    """Return the crossing of independent units, a (row, column) pair each, under the threshold k.

    Small categories are gathered into `other`, dimension by dimension; then cells are hidden. `beside`:
    every other dimension that may be crossed with these two, a value a unit: cells are hidden until those
    crossings together do not give one back either (`analyzers.linkage`).
    """
    if not disclosure.enough(len(pairs), k):
        return _NOTHING
    row_of = disclosure.grouped(Counter(row for row, _ in pairs), k=k, other=other)
    column_of = disclosure.grouped(Counter(column for _, column in pairs), k=k, other=other)
    units = [(row_of[row], column_of[column]) for row, column in pairs]
    while True:
        rows = _ordered({row for row, _ in units}, other)
        columns = _ordered({column for _, column in units}, other)
        cube = linkage.Cube.of(units, rows, columns, beside or {})
        table = cube.table
        hidden = linkage.protect(cube, k)
        if hidden is not None:
            break
        # No set of cells protects this table: its smallest category joins the others.
        units = _coarser(units, other)
    return Crossing(
        n=len(pairs),
        rows=rows,
        columns=columns,
        cells=_cells(table, hidden, k),
        row_totals=tuple(int(total) for total in table.sum(axis=1)),
        column_totals=tuple(int(total) for total in table.sum(axis=0)),
        association=association(_derivable(table, hidden)),
    )


def _coarser(units: Sequence[tuple[str, str]], other: str) -> list[tuple[str, str]]:
    """Gather the smallest category of the dimension that has most of them."""
    rows, columns = Counter(row for row, _ in units), Counter(column for _, column in units)
    longest = rows if len(rows) >= len(columns) else columns
    least = sorted((name for name in longest if name != other), key=lambda name: (longest[name], name))
    # One alone would be known by difference from the total: two go together.
    gone = set(least[: 1 if other in longest else 2])
    if longest is rows:
        return [(other if row in gone else row, column) for row, column in units]
    return [(row, other if column in gone else column) for row, column in units]


def cross_choices(
    people: Sequence[tuple[str, frozenset[str]]],
    *,
    k: int,
    other: str = disclosure.OTHER,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> Crossing:
    """Return the crossing of a category with choices of which one person may have several.

    One (category, choices) a person. Lines are then not independent, so that each choice is a table of
    its own: category × chosen or not, with its own hidden cells and its own test, Holm over the choices.
    Choices of fewer than k people, or of all but fewer than k, are not shown, nor those that no set of hidden
    cells protects from the crossings with `beside` (as in `cross`). `column_totals` sum to more than `n`.
    """
    if not disclosure.enough(len(people), k):
        return _NOTHING
    row_of = disclosure.grouped(Counter(row for row, _ in people), k=k, other=other)
    rows = _ordered({row_of[row] for row, _ in people}, other)
    totals = Counter(row_of[row] for row, _ in people)
    chosen: dict[str, Counter[str]] = defaultdict(Counter)
    for row, choices in people:
        for choice in choices:
            chosen[choice][row_of[row]] += 1
    columns = tuple(
        name
        for name in sorted(chosen)
        if k <= chosen[name].total() and len(people) - chosen[name].total() >= k
    )
    cubes = {
        name: linkage.Cube.of(
            [(row_of[row], "1" if name in choices else "0") for row, choices in people],
            rows,
            ("1", "0"),
            beside or {},
        )
        for name in columns
    }
    return cross_cubes(rows, tuple(totals[row] for row in rows), cubes, k=k)


def cross_cubes(
    rows: tuple[str, ...], totals: tuple[int, ...], cubes: Mapping[str, linkage.Cube], *, k: int
) -> Crossing:
    """Return what `cross_choices` does, from a table (rows × chosen or not) a choice, counted already.

    `totals`: the people of each row. Choices that no set of hidden cells protects are left out.
    """
    lines: list[list[CrossCell]] = [[] for _ in rows]
    tests: list[Association | None] = []
    shown = []
    for name, cube in cubes.items():
        table, hidden = cube.table, linkage.protect(cube, k)
        if hidden is None:
            continue
        shown.append(name)
        for line, cells in zip(lines, _cells(table, hidden, k), strict=True):
            line.append(cells[0])
        tests.append(association(_derivable(table, hidden)))
    return Crossing(
        n=sum(totals),
        rows=rows,
        columns=tuple(shown),
        cells=tuple(map(tuple, _holm_cells(lines))),
        row_totals=totals,
        column_totals=tuple(int(cubes[name].table[:, 0].sum()) for name in shown),
        association=None,
        by_column=_holm_tests(tests),
    )


def association(table: Counts | None) -> Association | None:
    """Test the independence of the rows and columns of a table; None under two rows or columns.

    χ² without Yates's correction; where more than a fifth of the expected counts are under 5, p comes
    from 9,999 tables drawn with the same margins (Patefield), seeded.
    """
    from scipy import stats

    if table is None:
        return None
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return None
    n = int(table.sum())
    expected = _expected(table)
    chi2 = float(((table - expected) ** 2 / expected).sum())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    thin = bool((expected < _EXPECTED).mean() > _THIN)
    p = _drawn_p(table, expected, chi2) if thin else float(stats.chi2.sf(chi2, df))
    low, high = _v_interval(chi2, df, table.shape, n)
    v = cramers_v(chi2, table.shape, n)
    method: Literal["chi2", "permutation"] = "permutation" if thin else "chi2"
    return Association(v, min(low, v), max(high, v), chi2, df, p, method, n, (table.shape[0], table.shape[1]))


def cramers_v(chi2: float, shape: tuple[int, ...], n: int) -> float:
    """Return Cramér's V corrected for bias (Bergsma 2013), 0 to 1; 0 where the correction leaves nothing."""
    rows, columns = shape[0], shape[1]
    if n < 2:
        return 0.0
    phi2 = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    side = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi2 / side))) if side > 0 else 0.0


def holm(values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number by Holm's step-down method, in the order given."""
    adjusted = [0.0] * len(values)
    running = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        running = max(running, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = running
    return adjusted


# --- the parts ----------------------------------------------------------------------------------------


def _ordered(names: set[str], other: str) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (name == other, name)))


def _expected(table: Counts) -> Reals:
    made: Reals = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return made


def _residuals(table: Counts) -> Reals:
    """Return the adjusted residuals; 0 where a margin holds everybody, so that nothing can deviate."""
    n = table.sum()
    rows, columns = table.sum(axis=1) / n, table.sum(axis=0) / n
    expected = _expected(table)
    spread = np.sqrt(expected * np.outer(1 - rows, 1 - columns))
    made: Reals = np.divide(table - expected, spread, out=np.zeros_like(expected), where=spread > 0)
    return made


def _cells(table: Counts, hidden: frozenset[tuple[int, int]], k: int) -> tuple[tuple[CrossCell, ...], ...]:
    """Return the cells, hidden ones without anything that depends on their count."""
    from scipy import stats

    expected, residuals = _expected(table), _residuals(table)
    shown = [place for place in np.ndindex(*table.shape) if place not in hidden]
    thin = bool((expected < _EXPECTED).mean() > _THIN)
    raw = _drawn_cells(table, residuals) if thin else 2 * stats.norm.sf(np.abs(residuals))
    adjusted = dict(zip(shown, holm([float(raw[place]) for place in shown]), strict=True))
    totals = table.sum(axis=1)

    def cell(i: int, j: int) -> CrossCell:
        count = int(table[i, j])
        if (i, j) in hidden:
            return CrossCell(None, suppressed=FEW if count < k else LINKED)
        return CrossCell(
            count=count,
            share=count / int(totals[i]),
            expected=float(expected[i, j]),
            residual=float(residuals[i, j]),
            p=adjusted[i, j],
        )

    return tuple(tuple(cell(i, j) for j in range(table.shape[1])) for i in range(table.shape[0]))


def _derivable(table: Counts, hidden: frozenset[tuple[int, int]]) -> Counts | None:
    """Return the finest table that margins and shown cells give: hidden rows, or columns, taken together."""
    if not hidden:
        return table
    by_row = _merged(table, {i for i, _ in hidden})
    by_column = _merged(table.T, {j for _, j in hidden}).T
    best = max(by_row, by_column, key=lambda made: (made.shape[0] - 1) * (made.shape[1] - 1))
    return best if min(best.shape) >= 2 else None


def _merged(table: Counts, together: set[int]) -> Counts:
    apart = [i for i in range(table.shape[0]) if i not in together]
    made: Counts = np.vstack([table[apart], table[sorted(together)].sum(axis=0, keepdims=True)])
    return made


def _drawn(table: Counts) -> Counts:
    """Draw tables with the same margins under independence: (draws, rows, columns)."""
    from scipy import stats

    drawn: Counts = (
        stats.random_table(table.sum(axis=1), table.sum(axis=0))
        .rvs(size=_DRAWN, random_state=np.random.default_rng(_SEED))
        .astype(np.int64)
    )
    return drawn


def _drawn_p(table: Counts, expected: Reals, chi2: float) -> float:
    found = ((_drawn(table) - expected) ** 2 / expected).sum(axis=(1, 2))
    # Ties are ties: sums in another order differ by rounding.
    return float((1 + np.count_nonzero(found >= chi2 * (1 - 1e-9))) / (_DRAWN + 1))


def _drawn_cells(table: Counts, residuals: Reals) -> Reals:
    n = table.sum()
    expected = _expected(table)
    spread = np.sqrt(expected * np.outer(1 - table.sum(axis=1) / n, 1 - table.sum(axis=0) / n))
    distance = np.abs(_drawn(table) - expected) >= np.abs(residuals * spread) * (1 - 1e-9)
    made: Reals = (1 + np.count_nonzero(distance, axis=0)) / (_DRAWN + 1)
    return made


def _v_interval(chi2: float, df: int, shape: tuple[int, ...], n: int) -> tuple[float, float]:
    """Return the 95 % interval of V from that of the noncentrality of χ² (Smithson 2003, 4.2)."""
    from scipy import optimize, stats

    side = min(shape[0], shape[1]) - 1

    def bound(level: float) -> float:
        if stats.chi2.cdf(chi2, df) <= level:
            return 0.0
        top = chi2 + 10 * np.sqrt(2 * (df + 2 * chi2)) + 50
        return float(optimize.brentq(lambda nc: stats.ncx2.cdf(chi2, df, nc) - level, 1e-12, top))

    low, high = (min(1.0, float(np.sqrt(bound(level) / (n * side)))) for level in (0.975, 0.025))
    return low, high


def _holm_cells(lines: Sequence[Sequence[CrossCell]]) -> list[list[CrossCell]]:
    """Adjust the cells of several tables together; never under what each had within its own table."""
    from scipy import stats

    places = [(i, j) for i, line in enumerate(lines) for j, cell in enumerate(line) if cell.p is not None]
    values = [2 * float(stats.norm.sf(abs(lines[i][j].residual or 0.0))) for i, j in places]
    adjusted = dict(zip(places, holm(values), strict=True))
    return [
        [
            cell
            if (i, j) not in adjusted
            else CrossCell(
                cell.count, cell.share, cell.expected, cell.residual, max(adjusted[i, j], cell.p or 0.0)
            )
            for j, cell in enumerate(line)
        ]
        for i, line in enumerate(lines)
    ]


def _holm_tests(tests: Sequence[Association | None]) -> tuple[Association | None, ...]:
    places = [place for place, test in enumerate(tests) if test is not None]
    adjusted = dict(zip(places, holm([test.p for test in tests if test is not None]), strict=True))
    return tuple(
        None
        if test is None
        else Association(
            test.v, test.low, test.high, test.chi2, test.df, adjusted[place], test.method, test.n, test.shape
        )
        for place, test in enumerate(tests)
    )
