"""What the next value of a short series of counts may be, and how wrong such forecasts were: PURE.

Five ways are tried on the past: the last value, the value a season before, the mean (a constant Poisson
level), simple exponential smoothing, Holt's linear trend. Each forecasts every later point from the points
before it alone (rolling origin); the one whose mean absolute error is least is kept, the simplest when they
are equal, and the error of the last value always stands beside it. The interval comes from those errors: a
negative binomial law (Poisson where it is not wider) with the forecast as mean and the mean squared error as
variance, times m/(m − 2) as that of a Student law of m errors, since so few tell it badly.

Sources: Hyndman and Athanasopoulos, *Forecasting: Principles and Practice* (3rd ed.), 5.2, 5.10, 8.1, 8.2;
Tashman, Int. J. Forecasting 16 (2000), 437–450 (rolling origin); Cameron and Trivedi, *Regression Analysis of
Count Data* (2nd ed.), 3.3 (negative binomial).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Method = Literal["last", "seasonal", "level", "smoothing", "trend"]
#: From the simplest.
METHODS: tuple[Method, ...] = ("last", "seasonal", "level", "smoothing", "trend")

#: Points from which the first forecast is made, forecasts that must be comparable, hence the fewest points.
_FIRST, _ORIGINS = 3, 3
LEAST = _FIRST + _ORIGINS
#: Points that a trend needs before it is tried.
_TREND_FIRST = 4
_LEVELS = np.linspace(0, 1, 101)
_TREND_LEVELS, _TREND_SLOPES = (
    grid.ravel() for grid in np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 11), indexing="ij")
)


@dataclass(frozen=True)
class Forecast:
    """The forecast of a value `horizon` steps after the last one known."""

    method: Method
    value: float
    #: 95 % interval of the value itself, not of its mean.
    low: int
    high: int
    horizon: int
    #: Points known, and forecasts of the past that were compared with what came.
    points: int
    origins: int
    #: Mean absolute error of each way tried.
    errors: Mapping[Method, float]
    variance: float

    @property
    def error(self) -> float:
        return self.errors[self.method]

    @property
    def naive_error(self) -> float:
        """Mean absolute error of "as the last time"."""
        return self.errors["last"]

    def quantile(self, share: float) -> int:
        """Return the count that the value does not pass with that probability."""
        return quantile(self.value, self.variance, share)


def least(horizon: int = 1) -> int:
    """Return how many points a forecast so far ahead needs."""
    return LEAST + horizon - 1


def forecast(series: Sequence[float], *, horizon: int = 1, period: int = 0) -> Forecast | None:
    """Forecast a series of counts, the oldest first; None under `least(horizon)` points.

    `period`: points a season, 0 or 1 for none.
    """
    values = np.asarray(series, dtype=np.float64)
    if len(values) < least(horizon):
        return None
    first = max(_FIRST, min(len(values) // 2, len(values) - _ORIGINS - horizon + 1))
    made = _ways(values, horizon, period, first)
    # Row t: what was said after t + 1 points of the value `horizon` steps later.
    places = np.arange(first - 1, len(values) - horizon)
    missed = {name: values[places + horizon] - said[places] for name, said in made.items()}
    errors = {name: float(np.abs(missed[name]).mean()) for name in made}
    kept = min(made, key=lambda name: (round(errors[name], 9), METHODS.index(name)))
    value = max(0.0, float(made[kept][-1]))
    count = len(places)
    variance = float((missed[kept] ** 2).mean()) * count / (count - 2)
    return Forecast(
        method=kept,
        value=value,
        low=quantile(value, variance, 0.025),
        high=quantile(value, variance, 0.975),
        horizon=horizon,
        points=len(values),
        origins=count,
        errors=errors,
        variance=variance,
    )


def quantile(mean: float, variance: float, share: float) -> int:
    """Return a quantile of the count that has this mean and variance, Poisson where it would be narrower."""
    if mean <= 0:
        # Nobody is expected: as many may come as the errors of the past tell.
        mean = min(0.5, variance)
        if mean <= 0:
            return 0
    most = np.arange(1, ceil(mean + 40 * sqrt(max(variance, mean))) + 20, dtype=np.float64)
    if variance <= mean * (1 + 1e-9):
        steps, start = np.log(mean / most), -mean
    else:
        size = mean * mean / (variance - mean)
        steps = np.log((most - 1 + size) / most * (mean / (size + mean)))
        start = size * log(size / (size + mean))
    # The chances of 0, 1, 2… by their logarithms: the first ones may be too small for a number.
    chances = np.exp(start + np.concatenate([[0.0], np.cumsum(steps)]))
    return int(np.searchsorted(np.cumsum(chances), share * (1 - 1e-12)))


# --- the ways -----------------------------------------------------------------------------------------


def _ways(values: Reals, horizon: int, period: int, first: int) -> dict[Method, Reals]:
    """Return what each way says after each point; places before it can say anything hold NaN."""
    counts = np.arange(1, len(values) + 1)
    made: dict[Method, Reals] = {
        "last": values.copy(),
        "level": np.cumsum(values) / counts,
        "smoothing": smoothed(values),
    }
    if period > 1 and first >= period:
        back = period * ceil(horizon / period) - horizon
        made["seasonal"] = np.concatenate([np.full(back, np.nan), values[: len(values) - back]])
    if first >= _TREND_FIRST:
        made["trend"] = trended(values, horizon)
    return made


def smoothed(values: Reals) -> Reals:
    """Return the forecasts of simple exponential smoothing after each point.

    Its parameter (by hundredths) and first level minimise the squared errors of the points so far: the errors
    are linear in the first level, which is thus exact.
    """
    level, start = np.zeros_like(_LEVELS), np.ones_like(_LEVELS)
    square, cross, own = (np.zeros_like(_LEVELS) for _ in range(3))
    said = np.empty(len(values))
    for place, value in enumerate(values):
        left = value - level
        square, cross, own = square + left * left, cross + start * left, own + start * start
        level, start = level + _LEVELS * left, start * (1 - _LEVELS)
        best = int(np.argmin(np.round(square - cross * cross / own, 9)))
        said[place] = level[best] + start[best] * cross[best] / own[best]
    return said


def trended(values: Reals, horizon: int) -> Reals:
    """Return the forecasts of Holt's linear trend after each point, NaN before the third.

    Both parameters come from a grid; first level and slope minimise the squared errors, exactly.
    """
    shape = (3, len(_TREND_LEVELS))
    # Rows: what does not depend on the start, what the first level brings, what the first slope brings.
    level, slope = np.zeros(shape), np.zeros(shape)
    level[1], slope[2] = 1.0, 1.0
    sums = np.zeros((3, 3, shape[1]))
    said = np.full(len(values), np.nan)
    for place, value in enumerate(values):
        error = -(level + slope)
        error[0] += value
        sums += error[:, None, :] * error[None, :, :]
        level, slope = level + slope + _TREND_LEVELS * error, slope + _TREND_LEVELS * _TREND_SLOPES * error
        if place >= 2:
            said[place] = _solved(sums, level + horizon * slope)
    return said


def _solved(sums: NDArray[np.float64], ahead: Reals) -> float:
    """Return the forecast of the start and parameters whose squared errors are least."""
    determinant = sums[1, 1] * sums[2, 2] - sums[1, 2] ** 2
    safe = np.where(determinant > 1e-9, determinant, np.nan)
    first = -(sums[0, 1] * sums[2, 2] - sums[0, 2] * sums[1, 2]) / safe
    slope = -(sums[0, 2] * sums[1, 1] - sums[0, 1] * sums[1, 2]) / safe
    missed = sums[0, 0] + first * sums[0, 1] + slope * sums[0, 2]
    best = int(np.nanargmin(np.round(missed, 9)))
    return float(ahead[0, best] + ahead[1, best] * first[best] + ahead[2, best] * slope[best])
