"""Choices: equal to statsmodels and scipy, on real outcomes too; attacked with everything that is shown."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linprog
from statsmodels.stats.contingency_tables import Table, Table2x2
from statsmodels.stats.multitest import multipletests

from analyzers import crossing, free_choices
from analyzers.community import encode
from analyzers.free_choices import Chosen, Wishes

OPTIONS = ("projet", "paie", "climat")


def chosen(people: Sequence[tuple[Sequence[str], int]], **traits: Sequence[str | None]) -> Chosen:
    """Return choices, (options, year) a person, with their traits."""
    rows = [(who, OPTIONS.index(name), year) for who, (own, year) in enumerate(people) for name in own]
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Chosen(
        traits={name: encode(values) for name, values in traits.items()},
        options=OPTIONS,
        person=table[:, 0].astype(np.int32),
        option=table[:, 1].astype(np.int32),
        year=table[:, 2].astype(np.int16),
    )


def wished(rows: Sequence[tuple[int, int, int, int, int]], **traits: Sequence[str | None]) -> Wishes:
    """Return wishes: (person, rank, option, obtained, year)."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Wishes(
        traits={name: encode(values) for name, values in traits.items()},
        options=OPTIONS,
        person=table[:, 0].astype(np.int32),
        rank=table[:, 1].astype(np.int16),
        option=table[:, 2].astype(np.int32),
        obtained=table[:, 3].astype(np.int8),
        year=table[:, 4].astype(np.int16),
    )


PEOPLE: list[tuple[Sequence[str], int]] = [
    *[(("projet", "paie"), 2024)] * 40, *[(("projet",), 2024)] * 20, *[(("paie",), 2025)] * 15,
    *[(("climat",), 2025)] * 45,
]  # fmt: skip


def test_who_chose_what_with_what_and_when() -> None:
    base = free_choices.base(chosen([*PEOPLE, *PEOPLE]), k=11)
    assert base is not None
    said = free_choices.options(base)
    assert [(one.name, one.share.count, one.share.n) for one in said] == [
        ("projet", 120, 240), ("paie", 110, 240), ("climat", 90, 240),
    ]  # fmt: skip
    assert base.years == (2024, 2025)
    assert [share.count for share in said[0].years] == [120, 0]
    pairs = {(one.first, one.second): one for one in free_choices.together(base)}
    one = pairs["projet", "paie"]
    table = np.array([[80, 40], [30, 90]])
    assert one.count == 80
    assert one.expected == pytest.approx(55)
    assert one.lift == pytest.approx(80 * 240 / 120 / 110)
    raw = [
        Table2x2(np.array(cells)).test_nominal_association().pvalue
        for cells in (table, [[0, 120], [90, 30]], [[0, 110], [90, 40]])
    ]
    assert [pairs[name].p for name in (("projet", "paie"), ("projet", "climat"), ("paie", "climat"))] == (
        pytest.approx(list(multipletests(raw, method="holm")[1]))
    )
    assert pairs["projet", "climat"].lift == 0.0
    assert 0 < pairs["projet", "climat"].high < 1


def test_the_interval_of_a_lift_is_that_of_the_delta_method() -> None:
    n, cells = 500, np.array([90.0, 110.0, 60.0, 240.0])
    p = cells / n

    def logarithm(q: np.ndarray) -> float:
        return float(np.log(q[0] / (q[0] + q[1]) / (q[0] + q[2])))

    slope = np.array([(logarithm(p + h) - logarithm(p - h)) / 2e-6 for h in 1e-6 * np.eye(4)])
    spread = np.sqrt(slope @ (np.diag(p) - np.outer(p, p)) @ slope / n)
    value, low, high = free_choices.lift(90, 200, 150, n)
    z = stats.norm.ppf(0.975)
    assert np.log([value, low, high]) == pytest.approx(
        [logarithm(p), logarithm(p) - z * spread, logarithm(p) + z * spread], abs=1e-6
    )


def test_origin_against_choices_is_that_of_each_choice_alone() -> None:
    corps = ["aae"] * 60 + ["ien"] * 60
    found = chosen([*PEOPLE, *PEOPLE], corps=[*corps, *corps])
    base = free_choices.base(found, k=11)
    assert base is not None
    made = free_choices.by_origin(base, found.traits, "corps")
    whole = crossing.cross_choices(
        [(name, frozenset(own)) for name, (own, _) in zip([*corps, *corps], [*PEOPLE, *PEOPLE], strict=True)],
        k=11,
    )
    assert set(made.columns) <= set(whole.columns)
    for name in made.columns:
        here, there = made.columns.index(name), whole.columns.index(name)
        assert [line[here].count for line in made.cells] == [line[there].count for line in whole.cells]
        assert [line[here].residual for line in made.cells] == [line[there].residual for line in whole.cells]


def test_few_choosers_and_options_that_name_somebody_are_not_shown() -> None:
    assert free_choices.base(chosen(PEOPLE[:10]), k=11) is None
    base = free_choices.base(chosen([*[(("projet",), 2024)] * 30, *[(("paie",), 0)] * 4]), k=11)
    assert base is not None
    assert base.names == ()
    assert (base.few, base.nearly_all) == (1, 1)
    assert free_choices.options(base) == ()
    assert free_choices.together(base) == ()
    nothing = free_choices.by_origin(base, {"corps": encode(["aae"] * 34)}, "corps")
    assert (nothing.columns, nothing.row_totals) == ((), (34,))


def test_the_wish_is_apart_from_the_place() -> None:
    rows = [(who, 1, who % 2, int(who % 4 > 0), 2024 + who % 2) for who in range(80)]
    rows += [(who, 2, 2, 1, 2024) for who in range(80)]
    corps = ["aae" if who % 4 else "ien" for who in range(80)]
    said = free_choices.first_wishes(wished(rows, corps=corps), k=11, dimension="corps")
    assert said is not None
    assert (said.people, said.obtained.count, said.obtained.n) == (80, 60, 80)
    assert [(one.name, one.first, one.obtained.count) for one in said.wishes] == [
        ("paie", 40, 40), ("projet", 40, 20),
    ]  # fmt: skip
    assert [(year, share.count) for year, share in said.years] == [(2024, 20), (2025, 40)]
    assert [(name, share.count) for name, share in said.origins] == [("aae", 60), ("ien", 0)]
    assert said.test is not None
    assert said.test.chi2 == pytest.approx(80)
    few = free_choices.first_wishes(wished(rows[:12], corps=corps), k=11)
    assert few is not None
    assert few.obtained.suppressed == "few"


# --- real outcomes ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def oulad(shared_data: Path) -> list[tuple[str, str]]:
    """Return (region, outcome) of the first registration of each student in the Open University's data."""
    found: dict[str, tuple[str, str]] = {}
    with (shared_data / "oulad/studentInfo.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row["id_student"], (row["region"], row["final_result"]))
    return list(found.values())


def test_region_and_outcome_as_scipy_and_statsmodels_have_them(oulad: list[tuple[str, str]]) -> None:
    found = crossing.cross(oulad, k=11)
    table = np.array([[cell.count for cell in line] for line in found.cells])
    assert found.association is not None
    assert table.sum() == len(oulad) > 15_000
    reference = stats.chi2_contingency(table, correction=False)
    assert (found.association.chi2, found.association.p) == pytest.approx(
        (reference.statistic, reference.pvalue)
    )
    residuals = Table(table).standardized_resids
    assert [[cell.residual for cell in line] for line in found.cells] == [
        pytest.approx(list(line)) for line in residuals
    ]
    raw = (2 * stats.norm.sf(np.abs(residuals))).ravel()
    assert [cell.p for line in found.cells for cell in line] == pytest.approx(
        list(multipletests(raw, method="holm")[1])
    )
    # Bergsma's correction of scipy's V, worked out apart.
    n, (r, c) = table.sum(), table.shape
    phi2 = max(
        0,
        stats.contingency.association(table, method="cramer") ** 2 * min(r - 1, c - 1)
        - (r - 1) * (c - 1) / (n - 1),
    )
    side = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    assert found.association.v == pytest.approx(np.sqrt(phi2 / side))


def test_each_outcome_by_region_and_by_permutation(oulad: list[tuple[str, str]]) -> None:
    regions = [region for region, _ in oulad]
    names = tuple(sorted({outcome for _, outcome in oulad}))
    found = Chosen(
        {"region": encode(regions)}, names, np.arange(len(oulad), dtype=np.int32),
        np.array([names.index(outcome) for _, outcome in oulad], dtype=np.int32),
        np.full(len(oulad), 2013, dtype=np.int16),
    )  # fmt: skip
    base = free_choices.base(found, k=11)
    assert base is not None
    made = free_choices.by_origin(base, found.traits, "region")
    tests = []
    for name in made.columns:
        own = np.array([[sum(one == (region, name) for one in oulad)] for region in made.rows])
        table = np.hstack([own, np.array([[regions.count(region)] for region in made.rows]) - own])
        tests.append(stats.chi2_contingency(table, correction=False).pvalue)
    adjusted = multipletests(tests, method="holm")[1]
    assert [test.p for test in made.by_column if test] == pytest.approx(list(adjusted))
    # A few dozen of them make thin cells: p is then that of permutations, as scipy draws them.
    few = oulad[:60]
    rows, columns = ([one[side] for one in few] for side in (0, 1))
    table = stats.contingency.crosstab(rows, columns).count
    thin = crossing.association(table)
    assert thin is not None
    assert thin.method == "permutation"
    codes = [np.unique(side, return_inverse=True)[1] for side in (rows, columns)]

    def chi2(x: np.ndarray, axis: int = -1) -> np.ndarray:
        """χ² of each shuffle of the columns against the rows."""
        shuffled = np.moveaxis(x, axis, -1).reshape(-1, len(few)).astype(np.int64)
        width = table.shape[1]
        counts = np.stack([np.bincount(codes[0] * width + one, minlength=table.size) for one in shuffled])
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)).ravel() / len(few)
        made: np.ndarray = ((counts - expected) ** 2 / expected).sum(axis=1)
        return made if x.ndim > 1 else made[0]

    shuffled = stats.permutation_test(
        (codes[1],), chi2, permutation_type="pairings", alternative="greater", n_resamples=9_999, rng=3
    )
    assert thin.p == pytest.approx(shuffled.pvalue, abs=0.02)


# --- attacks ----------------------------------------------------------------------------------------------

PERSON = st.tuples(
    st.sampled_from(["aae", "aae", "ien", "perdir"]),
    st.sampled_from(["A", "A", "B"]),
    st.sampled_from([2024, 2024, 2025]),
    st.sets(st.sampled_from(OPTIONS[:2] + OPTIONS[:1]), min_size=0, max_size=2),
)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PERSON, min_size=12, max_size=110))
def test_no_other_view_gives_a_hidden_cell_back(people: list[tuple[str, str, int, set[str]]]) -> None:
    """Solve over trait × option × each other view of the page: years, the other trait, the other options."""
    k = 4
    # Who chose neither of two chose the third: everybody here chose something.
    found = chosen(
        [(sorted(own) or ["climat"], year) for _, _, year, own in people],
        corps=[one[0] for one in people], zone=[one[1] for one in people],
    )  # fmt: skip
    base = free_choices.base(found, k=k)
    if base is None:
        return
    traits = {name: free_choices._rows(trait, base.people, k)[1] for name, trait in found.traits.items()}
    for name, other in (("corps", "zone"), ("zone", "corps")):
        shown = free_choices.by_origin(base, found.traits, name)
        for j, option in enumerate(shown.columns):
            place = base.names.index(option)
            rest = [base.made[:, at].astype(int) for at in range(len(base.names)) if at != place]
            for view in (base.year, traits[other], *rest):
                split = np.zeros((int(view.max()) + 1, len(shown.rows), 2))
                np.add.at(split, (view, traits[name], np.where(base.made[:, place], 0, 1)), 1)
                _attack(split, [line[j].count for line in shown.cells], k)


def _attack(split: np.ndarray, counts: Sequence[int | None], k: int) -> None:
    """Ask what each hidden cell can be, knowing A × C, B × C, the sums, and the cells shown of A × B."""
    known: list[np.ndarray] = []
    for axes in ((0, 1), (0, 2)):
        for values in np.ndindex(split.shape[axes[0]], split.shape[axes[1]]):
            mask = np.zeros(split.shape)
            where: list[slice | int] = [slice(None)] * 3
            where[axes[0]], where[axes[1]] = values
            mask[tuple(where)] = 1
            known.append(mask.ravel())
    cells = [np.zeros(split.shape) for _ in counts]
    for row, (cell, count) in enumerate(zip(cells, counts, strict=True)):
        cell[:, row, 0] = 1
        assert count in (None, split[:, row, 0].sum())
        if count is not None:
            known.append(cell.ravel())
    equations = np.array(known)
    for cell, count in zip(cells, counts, strict=True):
        if count is None:
            ends = [
                linprog(
                    sign * cell.ravel(), A_eq=equations, b_eq=equations @ split.ravel(), bounds=(0, None),
                    method="highs",
                )
                for sign in (1, -1)
            ]  # fmt: skip
            assert -ends[1].fun - ends[0].fun >= k - 1e-6
