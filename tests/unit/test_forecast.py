"""Forecasts: the ways equal statsmodels, are chosen on the past alone, and say how wrong they were."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.tsa.api import Holt, SimpleExpSmoothing

from analyzers import forecast
from analyzers.forecast import smoothed, trended

SERIES = np.array([38.0, 41, 36, 44, 47, 43, 52, 49, 55, 51, 58, 60])


def test_smoothing_is_statsmodels() -> None:
    said = smoothed(SERIES)[-1]
    fitted = SimpleExpSmoothing(SERIES, initialization_method="estimated").fit()
    # Parameters by hundredths: the same least squares, to a thousandth.
    assert said == pytest.approx(fitted.forecast(1)[0], rel=2e-3)
    # With statsmodels' first level for each hundredth, exactly its best.
    near = round(fitted.params["smoothing_level"], 2)
    models = [
        SimpleExpSmoothing(SERIES, initialization_method="estimated").fit(smoothing_level=alpha)
        for alpha in (near - 0.02, near - 0.01, near, near + 0.01, near + 0.02)
    ]
    best = min(models, key=lambda model: model.sse)
    assert said == pytest.approx(best.forecast(1)[0], abs=1e-4)


def test_trend_is_statsmodels() -> None:
    for horizon in (1, 2):
        said = trended(SERIES, horizon)[-1]
        fitted = Holt(SERIES, initialization_method="estimated").fit()
        assert said == pytest.approx(fitted.forecast(horizon)[-1], rel=0.02)
    # A straight line is followed exactly: first level and slope are least squares.
    line = 10 + 3 * np.arange(12.0)
    assert trended(line, 2)[-1] == pytest.approx(10 + 3 * 13.0, abs=1e-3)


def test_constant_level_is_the_poisson_regression() -> None:
    noise = stats.poisson.rvs(30, size=15, random_state=4).astype(float)
    found = forecast.forecast(noise)
    assert found is not None
    model = sm.GLM(noise, np.ones((15, 1)), family=sm.families.Poisson()).fit()
    assert forecast._ways(noise, 1, 0, 7)["level"][-1] == pytest.approx(np.exp(model.params[0]), rel=1e-9)


def test_rolling_origin_never_sees_what_comes() -> None:
    found = forecast.forecast(SERIES)
    assert found is not None
    assert (found.points, found.origins) == (12, 6)
    by_hand: dict[str, list[float]] = {"last": [], "level": [], "smoothing": [], "trend": []}
    for origin in range(6, 12):
        past, came = SERIES[:origin], SERIES[origin]
        by_hand["last"].append(abs(came - past[-1]))
        by_hand["level"].append(abs(came - past.mean()))
        by_hand["smoothing"].append(abs(came - smoothed(past)[-1]))
        by_hand["trend"].append(abs(came - trended(past, 1)[-1]))
    for name, errors in by_hand.items():
        assert found.errors[name] == pytest.approx(np.mean(errors), abs=1e-9)  # type: ignore[index]
    assert found.error == min(found.errors.values()) <= found.naive_error


def test_simplest_when_equal_and_seasons() -> None:
    flat = forecast.forecast([20.0] * 8)
    assert flat is not None
    assert (flat.method, flat.value, flat.error) == ("last", 20.0, 0.0)
    seasons = forecast.forecast([40.0, 10] * 6, period=2)
    assert seasons is not None
    assert (seasons.method, seasons.value) == ("seasonal", 40.0)
    later = forecast.forecast([40.0, 10] * 6, period=2, horizon=2)
    assert later is not None
    assert later.value == 10.0


@pytest.mark.parametrize("horizon", [1, 2])
def test_too_few_points(horizon: int) -> None:
    enough = forecast.least(horizon)
    assert forecast.forecast([30.0] * (enough - 1), horizon=horizon) is None
    found = forecast.forecast([30.0, 31, 29] * 3, horizon=horizon)
    assert found is not None
    assert found.origins >= 3
    assert forecast.forecast([30.0] * enough, horizon=horizon) is not None


def test_quantiles_are_scipys() -> None:
    for mean, variance in ((0.3, 2.0), (40.0, 100.0), (37.2, 37.9), (2400.5, 90_000.0)):
        size = mean**2 / (variance - mean)
        for share in (0.025, 0.5, 0.8, 0.975):
            law = stats.nbinom(size, size / (size + mean))
            assert forecast.quantile(mean, variance, share) == law.ppf(share)
            assert forecast.quantile(mean, 0.1, share) == stats.poisson.ppf(share, mean)
    assert forecast.quantile(0.0, 0.0, 0.8) == 0


def test_intervals_hold_what_comes() -> None:
    draw = np.random.default_rng(11)
    held = 0
    for _ in range(200):
        level = draw.uniform(15, 60)
        values = draw.negative_binomial(12, 12 / (12 + level), size=11)
        found = forecast.forecast(values[:-1].tolist())
        assert found is not None
        held += found.low <= values[-1] <= found.high
    # 95 % of 200, less three standard errors.
    assert held >= 180
