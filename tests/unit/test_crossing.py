"""Crossing: equal to scipy, statsmodels and published tables; nothing that depends on a hidden cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.multitest import multipletests

from analyzers import crossing, linkage
from analyzers.suppression import protect

#: Agresti, Categorical Data Analysis (2013), table 3.2: education × belief in God (General Social Survey),
#: printed there with X² = 76.1 and 10 degrees of freedom.
BELIEF = np.array([[9, 8, 27, 8, 47, 236], [23, 39, 88, 49, 179, 706], [28, 48, 89, 19, 104, 293]])


def pairs(table: np.ndarray) -> list[tuple[str, str]]:
    return [(f"r{i:02}", f"c{j:02}") for i, j in np.ndindex(*table.shape) for _ in range(int(table[i, j]))]


def test_a_published_table() -> None:
    found = crossing.cross(pairs(BELIEF), k=5)
    assert found.association is not None
    assert round(found.association.chi2, 1) == 76.1
    assert found.association.df == 10
    assert found.association.method == "chi2"


def test_equal_to_scipy_and_statsmodels() -> None:
    found = crossing.cross(pairs(BELIEF), k=2)
    chi2, p, df, expected = stats.chi2_contingency(BELIEF, correction=False)
    residuals = Table(BELIEF).standardized_resids
    assert found.association is not None
    assert found.association.chi2 == pytest.approx(chi2, abs=1e-9)
    assert found.association.p == pytest.approx(p, rel=1e-9)
    assert found.association.df == df
    raw = []
    for i, j in np.ndindex(*BELIEF.shape):
        cell = found.cells[i][j]
        assert cell.count == BELIEF[i, j]
        assert cell.share == pytest.approx(BELIEF[i, j] / BELIEF[i].sum(), abs=1e-12)
        assert cell.expected == pytest.approx(expected[i, j], abs=1e-9)
        assert cell.residual == pytest.approx(residuals[i, j], abs=1e-9)
        raw.append(2 * stats.norm.sf(abs(residuals[i, j])))
    adjusted = multipletests(raw, method="holm")[1]
    assert [cell.p for line in found.cells for cell in line] == pytest.approx(list(adjusted), abs=1e-12)
    assert found.strongest[0] == (2, 5)


def test_cramers_v_without_correction_in_a_large_table_is_scipys() -> None:
    large = BELIEF * 10_000
    chi2 = stats.chi2_contingency(large, correction=False)[0]
    assert crossing.cramers_v(chi2, large.shape, int(large.sum())) == pytest.approx(
        stats.contingency.association(large, method="cramer"), abs=1e-5
    )


def test_cramers_v_is_corrected_for_bias() -> None:
    """Under independence the raw V of small tables is far from 0 on average, Bergsma's is near it."""
    random = np.random.default_rng(4)
    raw, corrected = [], []
    for table in stats.random_table([20] * 5, [25] * 4).rvs(300, random_state=random):
        chi2 = stats.chi2_contingency(table, correction=False)[0]
        raw.append(np.sqrt(chi2 / 100 / 3))
        corrected.append(crossing.cramers_v(chi2, (5, 4), 100))
    assert np.mean(raw) > 0.18
    assert np.mean(corrected) < 0.07


def test_the_interval_of_v_is_that_of_the_noncentral_chi2() -> None:
    found = crossing.association(BELIEF)
    assert found is not None
    n, side = BELIEF.sum(), min(BELIEF.shape) - 1
    assert stats.ncx2.cdf(found.chi2, found.df, found.low**2 * n * side) == pytest.approx(0.975, abs=1e-6)
    assert stats.ncx2.cdf(found.chi2, found.df, found.high**2 * n * side) == pytest.approx(0.025, abs=1e-6)
    assert found.low <= found.v <= found.high


def test_a_thin_table_is_permuted() -> None:
    """Against Fisher's exact test: the p of 9,999 draws is within its own error of the exact one."""
    table = np.array([[3, 1], [1, 3]])
    found = crossing.association(table)
    assert found is not None
    assert found.method == "permutation"
    assert found.p == pytest.approx(stats.fisher_exact(table).pvalue, abs=0.015)
    assert crossing.association(table) == found


def test_holm_is_that_of_statsmodels() -> None:
    values = [0.04, 0.001, 0.03, 0.03, 0.9, 0.0002]
    assert crossing.holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]), abs=1e-12)
    assert crossing.holm([]) == []


def test_few_people_are_not_crossed() -> None:
    found = crossing.cross([("a", "x")] * 4, k=5)
    assert (found.suppressed, found.n, found.cells) == ("few", None, ())


def test_one_category_cannot_be_tested() -> None:
    found = crossing.cross([("a", "x")] * 40 + [("a", "y")] * 40, k=5)
    assert found.association is None
    assert found.cells[0][0].count == 40
    assert found.cells[0][0].residual == 0.0


@given(
    st.tuples(st.integers(2, 5), st.integers(2, 4)).flatmap(
        lambda shape: st.lists(
            st.lists(st.integers(6, 30), min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    ),
    st.lists(st.integers(1, 4), min_size=4, max_size=4),
)
def test_nothing_depends_on_a_hidden_cell(lines: list[list[int]], small: list[int]) -> None:
    """Two tables alike in all that is shown give the same results, whatever their hidden cells hold."""
    table = np.array(lines)
    table[0, 0], table[1, 1], table[0, 1], table[1, 0] = small
    k = 5
    assume((table.sum(axis=1) >= k).all() and (table.sum(axis=0) >= k).all())
    hidden = protect(table.tolist(), k)
    twin = table.copy()
    twin[:2, :2] += [[1, -1], [-1, 1]]
    assume((twin >= 0).all() and protect(twin.tolist(), k) == hidden)
    first, second = crossing.cross(pairs(table), k=k), crossing.cross(pairs(twin), k=k)
    assert first.association == second.association
    assert first.row_totals == second.row_totals
    for one, other in zip(sum(first.cells, ()), sum(second.cells, ()), strict=True):
        assert (one.suppressed is None) == (other.suppressed is None)
        if one.suppressed is None:
            assert one == other
        else:
            assert (one.count, one.share, one.expected, one.residual, one.p) == (None,) * 5


def test_choices_of_one_person_are_tested_choice_by_choice() -> None:
    people = (
        [("AAE", frozenset({"projet", "paie"}))] * 40
        + [("AAE", frozenset({"paie"}))] * 20
        + [("perdir", frozenset({"projet"}))] * 15
        + [("perdir", frozenset({"paie"}))] * 45
    )
    found = crossing.cross_choices(people, k=5)
    assert found.n == 120
    assert found.columns == ("paie", "projet")
    assert found.column_totals == (105, 55)
    assert [cell.count for cell in found.cells[0]] == [60, 40]
    tests = [stats.chi2_contingency(t, correction=False) for t in ([[60, 0], [45, 15]], [[40, 20], [15, 45]])]
    adjusted = multipletests([test.pvalue for test in tests], method="holm")[1]
    for test, reference, p in zip(found.by_column, tests, adjusted, strict=True):
        assert test is not None
        assert test.chi2 == pytest.approx(reference.statistic, abs=1e-9)
        assert test.p == pytest.approx(p, rel=1e-9)
    assert found.cells[0][1].residual == pytest.approx(Table([[40, 20], [15, 45]]).standardized_resids[0, 0])


def test_choices_that_nearly_everybody_or_nobody_made_are_not_shown() -> None:
    people = (
        [("a", frozenset({"all", "few"}))] * 3 + [("a", frozenset({"all"}))] * 30 + [("b", frozenset())] * 4
    )
    people += [("b", frozenset({"all"}))] * 20
    assert crossing.cross_choices(people, k=5).columns == ()


def test_choices_are_not_given_back_by_a_third_dimension() -> None:
    """Corps × academie and academie × module would tell what a single corps of an academie chose."""
    people: list[tuple[str, frozenset[str]]] = []
    academie: list[str] = []
    for corps, place, chose, count in (
        ("perdir", "lille", True, 12), ("perdir", "lille", False, 1), ("ien", "lille", True, 9),
        ("ien", "lille", False, 8), ("perdir", "nice", False, 14), ("ien", "nice", False, 9),
        ("ien", "nice", True, 3), ("perdir", "nice", True, 7),
    ):  # fmt: skip
        people += [(corps, frozenset({"m1"} if chose else {"m2"}))] * count
        academie += [place] * count
    alone = crossing.cross_choices(people, k=5)
    together = crossing.cross_choices(people, k=5, beside={"academie": academie})
    for name in together.columns:
        cells = [line[together.columns.index(name)].count for line in together.cells]
        units = [(corps, "1" if name in chosen else "0") for corps, chosen in people]
        cube = linkage.Cube.of(units, together.rows, ("1", "0"), {"academie": academie})
        hidden = linkage.protect(cube, 5)
        assert hidden is not None
        assert [count is None for count in cells] == [(i, 0) in hidden for i in range(len(cells))]
    assert set(together.columns) <= set(alone.columns)


def test_a_choice_that_nothing_protects_is_left_out() -> None:
    people = [("a", frozenset({"m"}))] * 3 + [("a", frozenset[str]())] * 9 + [("b", frozenset({"m"}))] * 8
    people += [("b", frozenset[str]())] * 8
    everyone_apart = {"number": [str(rank) for rank in range(len(people))]}
    assert crossing.cross_choices(people, k=5).columns == ("m",)
    assert crossing.cross_choices(people, k=5, beside=everyone_apart).columns == ()
