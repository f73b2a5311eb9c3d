"""The guard attacked: by margins (a linear programme), by every pair of filters, by repetition.

The attacker knows everything that is published, that no count is negative, and how the guard works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analyzers import disclosure
from analyzers.disclosure import Guarded, Lattice
from analyzers.suppression import bounds, protect

ORIGINS, MODES, MONTHS = "ABCD", "xyz", "123"
LATTICE = Lattice(
    "attacked",
    ("origin", "mode", "month"),
    ((), ("origin",), ("mode",), ("month",), ("origin", "mode"), ("mode", "month")),
)


@st.composite
def tables(draw: st.DrawFn, k: int) -> list[list[int]]:
    """Draw a table, small counts often; its margins are shown, so they hold k people each."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    count = st.one_of(st.integers(0, k), st.integers(0, 4 * k), st.just(0))
    table = [[draw(count) for _ in range(columns)] for _ in range(rows)]
    assume(all(sum(row) >= k for row in table))
    assume(all(sum(column) >= k for column in zip(*table, strict=True)))
    return table


def known_interval(
    table: Sequence[Sequence[int]], hidden: frozenset[tuple[int, int]], cell: tuple[int, int]
) -> tuple[float, float]:
    """Return what a linear programme deduces of a hidden cell from the margins and the cells shown."""
    rows, columns = len(table), len(table[0])
    equations, values = [], []
    for i in range(rows):
        equations.append([1.0 if r == i else 0.0 for r in range(rows) for _ in range(columns)])
        values.append(sum(table[i]))
    for j in range(columns):
        equations.append([1.0 if c == j else 0.0 for _ in range(rows) for c in range(columns)])
        values.append(sum(row[j] for row in table))
    limits = [
        (0, None) if (i, j) in hidden else (table[i][j], table[i][j])
        for i in range(rows)
        for j in range(columns)
    ]
    objective = np.zeros(rows * columns)
    objective[cell[0] * columns + cell[1]] = 1
    ends = [
        linprog(sign * objective, A_eq=equations, b_eq=values, bounds=limits, method="highs")
        for sign in (1, -1)
    ]
    assert all(end.success for end in ends)
    return ends[0].fun, -ends[1].fun


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.sampled_from([3, 5, 11]))
def test_margins_give_no_hidden_cell_back(data: st.DataObject, k: int) -> None:
    table = data.draw(tables(k))
    hidden = protect(table, k)
    small = {(i, j) for i, row in enumerate(table) for j, count in enumerate(row) if 0 < count < k}
    assert small <= hidden
    for cell in hidden:
        low, high = known_interval(table, hidden, cell)
        assert high - low >= k - 1e-6
        assert bounds(table, hidden, cell) == (round(low), round(high))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_row_nor_column_hides_one_cell_or_fewer_than_k_people(data: st.DataObject) -> None:
    table = data.draw(tables(5))
    hidden = protect(table, 5)
    for cells in [
        *({cell for cell in hidden if cell[0] == i} for i in range(len(table))),
        *({cell for cell in hidden if cell[1] == j} for j in range(len(table[0]))),
    ]:
        assert not cells or (len(cells) >= 2 and sum(table[i][j] for i, j in cells) >= 5)


def test_nothing_is_hidden_without_need() -> None:
    assert protect([[5, 9], [7, 0]], 5) == frozenset()
    assert protect([[1, 20, 20], [20, 20, 20], [20, 20, 20]], 5) == {(0, 0), (0, 1), (1, 0), (1, 1)}


@st.composite
def populations(draw: st.DrawFn) -> list[dict[str, str]]:
    person = st.tuples(st.sampled_from(ORIGINS), st.sampled_from(MODES), st.sampled_from(MONTHS))
    rare = st.tuples(st.sampled_from("AB"), st.sampled_from("x"), st.sampled_from("12"))
    people = draw(st.lists(st.one_of(person, rare), max_size=90))
    return [dict(zip(LATTICE.dimensions, one, strict=True)) for one in people]


def published(guarded: Guarded) -> list[tuple[tuple[str, ...], tuple[str, ...], int | None]]:
    return [
        (view, values, cell.count) for view in LATTICE.views for values, cell in guarded.view(*view).items()
    ]


def members(
    guarded: Guarded, people: list[dict[str, str]], view: Sequence[str], values: Sequence[str]
) -> frozenset[int]:
    """Return who is in a cell, by rank: what the attacker does not know."""
    return frozenset(
        rank
        for rank, person in enumerate(people)
        if all(guarded.groups[name][person[name]] == value for name, value in zip(view, values, strict=True))
    )


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations())
def test_every_pair_of_filters_differs_by_nobody_or_by_k_people(people: list[dict[str, str]]) -> None:
    guarded = disclosure.guard(LATTICE, people, k=5)
    shown = [
        members(guarded, people, view, values)
        for view, values, count in published(guarded)
        if count is not None
    ]
    for one, other in product(shown, shown):
        if one <= other:
            assert len(other - one) == 0 or len(other - one) >= 5


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations())
def test_all_the_views_together_give_no_hidden_cell_back(people: list[dict[str, str]]) -> None:
    """Solve over the whole cross of the three dimensions, with every published cell as an equation."""
    guarded = disclosure.guard(LATTICE, people, k=5)
    axes = [sorted(set(guarded.groups[name].values())) for name in LATTICE.dimensions]
    atoms = list(product(*axes))
    cells = published(guarded)
    if len(people) < 5:
        assert all(count is None for _, _, count in cells)
        return
    known = [(_row(atoms, view, values), count) for view, values, count in cells if count is not None]
    equations, totals = [row for row, _ in known], [count for _, count in known]
    for view, values, count in cells:
        if count is not None:
            assert count == 0 or count >= 5
            continue
        objective = np.array(_row(atoms, view, values))
        ends = [
            linprog(sign * objective, A_eq=equations, b_eq=totals, bounds=(0, None), method="highs")
            for sign in (1, -1)
        ]
        assert all(end.success for end in ends)
        assert -ends[1].fun - ends[0].fun >= 5 - 1e-6


def _row(atoms: list[tuple[str, ...]], view: Sequence[str], values: Sequence[str]) -> list[float]:
    wanted: Mapping[int, str] = {
        LATTICE.dimensions.index(name): value for name, value in zip(view, values, strict=True)
    }
    return [1.0 if all(atom[place] == value for place, value in wanted.items()) else 0.0 for atom in atoms]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_people_in_another_order_hide_the_same_cells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [
        {"origin": str(o), "mode": str(m), "month": str(d)}
        for o, m, d in zip(
            rng.choice(list(ORIGINS), 60, p=[0.6, 0.25, 0.1, 0.05]),
            rng.choice(list(MODES), 60),
            rng.choice(list(MONTHS), 60),
            strict=True,
        )
    ]
    shuffled = [people[rank] for rank in rng.permutation(60)]
    first, second = (disclosure.guard(LATTICE, them, k=5) for them in (people, shuffled))
    assert published(first) == published(second)
