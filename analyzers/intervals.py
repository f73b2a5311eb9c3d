"""Intervals of estimates: PURE."""

from __future__ import annotations

from math import exp, log, sqrt

#: Quantile of the normal law for 95 %, two-sided.
Z95 = 1.959963984540054


def finite(n: int, population: int | None) -> float:
    """Return (N − n)/(N − 1), by which a variance shrinks when n of N people were asked; 1 without N.

    0 when everybody answered: nothing is left to estimate. Raises ValueError when N < n. Source: Cochran,
    *Sampling Techniques* (3rd ed., 1977), 3.2 (variance of a proportion without replacement).
    """
    if population is None:
        return 1.0
    if population < n:
        raise ValueError(f"{n} people of {population}")
    return 0.0 if population <= 1 else (population - n) / (population - 1)


def wilson(count: int, n: int, z: float = Z95, population: int | None = None) -> tuple[float, float]:
    """Return the Wilson score interval of ``count`` successes among ``n``, of ``population`` people if known.

    The score inequality (p̂ − p)² ≤ z² p(1 − p)/n with the variance of a sample without replacement,
    p(1 − p)/n × (N − n)/(N − 1), is that of Wilson with z √((N − n)/(N − 1)) for z. Raises ValueError for
    n = 0 or a count outside 0…n. Sources: Wilson, JASA 22 (1927), 209–212; Burstein, JASA 70 (1975), 67–69
    (finite population in the limits of a proportion).
    """
    if n <= 0 or not 0 <= count <= n:
        raise ValueError(f"no interval for {count} among {n}")
    z *= sqrt(finite(n, population))
    p = count / n
    if z == 0:
        return p, p
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return low, high


def difference(first: tuple[int, int], second: tuple[int, int], z: float = Z95) -> tuple[float, float, float]:
    """Return p₁ − p₂ of two groups apart, (count, n) each, with its interval: value, low, high.

    Source: Newcombe, Statistics in Medicine 17 (1998), 873–890, method 10 (Wilson intervals combined).
    """
    p1, p2 = first[0] / first[1], second[0] / second[1]
    (low1, high1), (low2, high2) = wilson(*first, z), wilson(*second, z)
    value = p1 - p2
    return (
        value,
        value - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2),
        value + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2),
    )


def odds_ratio(first: tuple[int, int], second: tuple[int, int], z: float = Z95) -> tuple[float, float, float]:
    """Return the odds ratio of two groups apart, (count, n) each, with its interval: value, low, high.

    A half is added to each of the four cells, so that an empty one has a ratio too. Source: Gart, Biometrika
    53 (1966), 151–158; Agresti, *Categorical Data Analysis* (3rd ed.), 3.1.1.
    """
    a, b = first[0] + 0.5, first[1] - first[0] + 0.5
    c, d = second[0] + 0.5, second[1] - second[0] + 0.5
    middle, half = log(a * d / (b * c)), z * sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return exp(middle), exp(middle - half), exp(middle + half)
