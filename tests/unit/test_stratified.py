"""Comparisons within strata: equal statsmodels and scipy, and hold their level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from analyzers import stratified
from analyzers.stratified import Marks, Pair

STRATA: dict[object, Pair] = {
    "a": ((18, 30), (40, 50)),
    "b": ((9, 40), (12, 25)),
    "c": ((30, 33), (21, 22)),
    "d": ((5, 12), (0, 0)),
}


def tables(strata: dict[object, Pair]) -> list[np.ndarray]:
    return [
        np.array([[a, n1 - a], [b, n0 - b]], dtype=float) for (a, n1), (b, n0) in strata.values() if n1 and n0
    ]


def test_odds_ratio_is_statsmodels() -> None:
    model = StratifiedTable(tables(STRATA))
    found = stratified.odds_ratio(STRATA)
    assert found is not None
    assert found == pytest.approx((model.oddsratio_pooled, *model.oddsratio_pooled_confint()), rel=1e-9)
    assert stratified.odds_ratio({"a": ((0, 3), (3, 3))}) is None


def test_risk_difference() -> None:
    found = stratified.risk_difference(STRATA)
    assert found is not None
    # The stratum of one group alone says nothing of the two.
    assert (found.strata, found.first, found.second) == (3, 103, 97)
    weights = [30 * 50 / 80, 40 * 25 / 65, 33 * 22 / 55]
    differences = [18 / 30 - 40 / 50, 9 / 40 - 12 / 25, 30 / 33 - 21 / 22]
    assert found.value == pytest.approx(np.average(differences, weights=weights), abs=1e-12)
    # Its numerator over its null variance is the Mantel–Haenszel test of statsmodels.
    numerator = found.value * sum(weights)
    null = sum(
        t.sum(1)[0] * t.sum(1)[1] * t.sum(0)[0] * t.sum(0)[1] / (t.sum() ** 2 * (t.sum() - 1))
        for t in tables(STRATA)
    )
    assert numerator**2 / null == pytest.approx(
        StratifiedTable(tables(STRATA)).test_null_odds(correction=False).statistic, rel=1e-9
    )
    assert stratified.risk_difference({"d": ((5, 12), (0, 0))}) is None


def test_risk_difference_of_one_large_stratum_is_the_plain_one() -> None:
    found = stratified.risk_difference({"a": ((600, 1000), (1600, 2000))})
    assert found is not None
    low, high = confint_proportions_2indep(600, 1000, 1600, 2000, method="wald", compare="diff")
    assert (found.low, found.high) == (pytest.approx(low, abs=2e-4), pytest.approx(high, abs=2e-4))
    assert proportions_ztest([600, 1600], [1000, 2000])[1] < 1e-9
    assert found.high < 0


def test_interval_holds_the_difference() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        strata: dict[object, Pair] = {}
        for place in range(12):
            base = rng.uniform(0.2, 0.6)
            n1, n0 = int(rng.integers(4, 15)), int(rng.integers(4, 15))
            strata[place] = ((int(rng.binomial(n1, base + 0.15)), n1), (int(rng.binomial(n0, base)), n0))
        found = stratified.risk_difference(strata)
        assert found is not None
        held += found.low <= 0.15 <= found.high
    assert 368 <= held <= 394


def test_means_are_scipys() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(0.7, 0.1, 40), rng.normal(0.6, 0.2, 25)
    a, b = (Marks.of_sums(len(x), float(x.sum()), float((x * x).sum())) for x in (first, second))
    found = stratified.means(a, b)
    assert found is not None
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == (
        pytest.approx(interval.low, abs=1e-9), pytest.approx(interval.high, abs=1e-9),
    )  # fmt: skip
    smd, _ = effectsize_smd(first.mean(), first.std(ddof=1), 40, second.mean(), second.std(ddof=1), 25)
    assert found.g == pytest.approx(smd, rel=1e-3)
    assert stratified.means(Marks(1, 0.5, 0), b) is None
    pooled = stratified.mean_difference([(a, b), (Marks(1, 0.9, 0), b)])
    assert pooled is not None
    normal = CompareMeans(DescrStatsW(first), DescrStatsW(second)).zconfint_diff(usevar="unequal")
    assert (pooled.strata, pooled.value) == (1, pytest.approx(found.value))
    assert (pooled.low, pooled.high) == (
        pytest.approx(normal[0], abs=1e-3),
        pytest.approx(normal[1], abs=1e-3),
    )
