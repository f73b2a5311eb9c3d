"""Quantiles of the beta distribution, without scipy, whose loading takes half a second of a page: PURE.

I_x(a, b) by its continued fraction (modified Lentz), on the side where it converges fast; its inverse by
Newton's steps kept within a bracket that always holds the root. Equal to scipy within 1e-9, which the tests
prove over laws from Beta(0.02, …) to Beta(2e5, …).

Sources: Abramowitz and Stegun, 26.5.8 (continued fraction) and 26.5.22 (first guess); Lentz, *Applied
Optics* 15 (1976), 668–671; Press et al., *Numerical Recipes* (3rd ed.), 6.4.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

_SMALLEST = 1e-300
_EPSILON = 5e-16
#: The fraction takes about √max(a, b) turns: enough for a hundred million answers.
_TURNS = 10_000
_STEPS = 200


def cumulative(x: float, a: float, b: float) -> float:
    """Return I_x(a, b), the share of Beta(a, b) under x. Raises ValueError unless a, b > 0 and 0 ≤ x ≤ 1."""
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"no Beta({a}, {b}) at {x}")
    if x in (0.0, 1.0):
        return x
    height = exp(_log_height(x, a, b))
    if x < (a + 1) / (a + b + 2):
        return height * _fraction(x, a, b) / a
    return 1 - height * _fraction(1 - x, b, a) / b


def quantile(share: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = share. Raises ValueError unless a, b > 0 and 0 < share < 1."""
    if not 0 < share < 1:
        raise ValueError(f"no quantile {share}")
    low, high = 0.0, 1.0
    x = _guess(share, a, b)
    for _ in range(_STEPS):
        above = cumulative(x, a, b) - share
        if above > 0:
            high = x
        else:
            low = x
        density = exp(_log_height(x, a, b) - log(x) - log1p(-x))
        step = above / density if density > 0 else 0.0
        nearer = x - step
        if not low < nearer < high or step == 0:
            nearer = (low + high) / 2
        if abs(nearer - x) <= 1e-14 * x or nearer in (0.0, 1.0):
            return nearer
        x = nearer
    return x


def _log_height(x: float, a: float, b: float) -> float:
    """Return ln of x^a (1 − x)^b / B(a, b)."""
    return a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of I_x(a, b)."""
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _TURNS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for part in (even, odd):
            d = 1 / _off_zero(1 + part * d)
            c = _off_zero(1 + part / c)
            change = c * d
            found *= change
        if abs(change - 1) <= _EPSILON:
            return found
    raise ArithmeticError(f"Beta({a}, {b}) at {x} did not converge")


def _off_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST


def _guess(share: float, a: float, b: float) -> float:
    """Return a first x, in ]0, 1[: by the normal law where both are over 1, else by the tails."""
    if a > 1 and b > 1:
        z = -NormalDist().inv_cdf(share)
        shift = (z * z - 3) / 6
        left, right = 1 / (2 * a - 1), 1 / (2 * b - 1)
        mean = 2 / (left + right)
        w = z * sqrt(max(shift + mean, 0.0)) / mean - (right - left) * (shift + 5 / 6 - 2 / (3 * mean))
        x = a / (a + b * exp(min(2 * w, 700)))
    else:
        left, right = exp(a * log(a / (a + b))) / a, exp(b * log(b / (a + b))) / b
        both = left + right
        x = (a * both * share) ** (1 / a) if share < left / both else 1 - (b * both * (1 - share)) ** (1 / b)
    return min(max(x, 1e-300), 1 - 1e-16)
