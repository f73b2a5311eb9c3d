"""Intervals of estimates: PURE."""

from __future__ import annotations

from math import sqrt

#: Quantile of the normal law for 95 %, two-sided.
Z95 = 1.959963984540054


def wilson(count: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of ``count`` successes among ``n``.

    Raises ValueError for n = 0 or a count outside 0…n. Source: Wilson, JASA 22 (1927), 209–212.
    """
    if n <= 0 or not 0 <= count <= n:
        raise ValueError(f"no interval for {count} among {n}")
    p = count / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return low, high
