"""Shares drawn towards their common one, against published values, scipy, and simulated groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analyzers import shrinkage
from analyzers.shrinkage import Prior

groups = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2),
    st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=3,
    max_size=9,
)


def test_the_published_example_of_rat_tumours() -> None:
    """Gelman et al., *Bayesian Data Analysis* (3rd ed.), 5.1: 4 of 14 under Beta(1.4, 8.6) is 0.223."""
    found = shrinkage.estimate("experiment 71", 4, 14, Prior(1.4 / 10, 10))
    assert found.value == pytest.approx(5.4 / 24, abs=1e-12)
    assert found.value == pytest.approx(0.223, abs=0.003)
    spread = stats.beta(5.4, 18.6)
    assert spread.std() == pytest.approx(0.083, abs=0.001)
    assert (found.low, found.high) == pytest.approx(spread.interval(0.95), abs=1e-9)


@given(groups)
def test_an_estimate_is_the_mean_and_quantiles_of_a_beta(found: dict[str, tuple[int, int]]) -> None:
    common = shrinkage.prior(found)
    assert 0 < common.mean < 1
    assert 2 <= common.strength <= max(2, sum(n for _, n in found.values()))
    for one in shrinkage.rank(found).estimates:
        law = stats.beta(
            common.mean * common.strength + one.count, (1 - common.mean) * common.strength + one.n - one.count
        )
        assert one.value == pytest.approx(law.mean(), abs=1e-9)
        assert (one.low, one.high) == pytest.approx(law.ppf([0.025, 0.975]), abs=1e-9)
        # Between one's own share and the common one, never beyond.
        own = one.count / one.n
        assert min(own, common.mean) - 1e-12 <= one.value <= max(own, common.mean) + 1e-12


def test_moments_find_the_law_again() -> None:
    rng = np.random.default_rng(7)
    shares = rng.beta(0.8 * 12, 0.2 * 12, 4000)
    sizes = rng.integers(5, 60, 4000)
    drawn = {
        str(i): (int(rng.binomial(n, p)), int(n)) for i, (p, n) in enumerate(zip(shares, sizes, strict=True))
    }
    found = shrinkage.prior(drawn)
    assert found.mean == pytest.approx(0.8, abs=0.01)
    assert found.strength == pytest.approx(12, rel=0.1)


def test_the_moments_in_closed_form() -> None:
    given = {"a": (18, 20), "b": (12, 20), "c": (15, 20)}
    p = 45 / 60
    squares = 20 * ((0.9 - p) ** 2 + (0.6 - p) ** 2 + (0.75 - p) ** 2)
    rho = (squares / (p * (1 - p)) - 2) / (3 * 19 * (2 / 3))
    found = shrinkage.prior(given)
    assert (found.mean, found.strength) == pytest.approx((p, 1 / rho - 1), abs=1e-9)


def test_few_answers_do_not_pass_before_many() -> None:
    found = shrinkage.rank({"few": (5, 5), "many": (92, 100), "some": (66, 80), "low": (50, 80)})
    assert [one.key for one in found.estimates] == ["many", "few", "some", "low"]
    assert found.told_apart
    apart = {one.key: one.high - one.low for one in found.estimates}
    assert apart["few"] == max(apart.values())


def test_a_group_that_nobody_complained_of_is_not_certain() -> None:
    found = shrinkage.rank({"all": (16, 16), "most": (12, 14), "none": (1, 14)})
    best = found.estimates[0]
    assert best.key == "all"
    assert best.low < best.value < best.high
    assert best.low < 0.92


def test_groups_alike_are_all_one() -> None:
    found = shrinkage.rank({"a": (8, 10), "b": (8, 10), "c": (8, 10)})
    assert {round(one.value, 9) for one in found.estimates} == {0.8}
    assert not found.told_apart
    everybody = shrinkage.rank({"a": (9, 9), "b": (5, 5), "c": (7, 7)})
    assert all(0.9 < one.value < 1 for one in everybody.estimates)
    assert shrinkage.rank({"a": (1, 2), "b": (2, 3)}).estimates == ()
    with pytest.raises(ValueError, match="no answer"):
        shrinkage.prior({})
