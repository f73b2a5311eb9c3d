"""The same figures by other people's code, scipy and pandas, to set those of the tool against.

Nothing here is shown on a page. Each takes plain values, and returns what the library says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def rows_of(path: str, *, encoding: str, separator: str, header: int) -> int:
    """Return how many rows pandas reads under the headings of a CSV file, empty lines left out."""
    import pandas as pd

    frame = pd.read_csv(
        path, encoding=encoding, sep=separator, header=0, skiprows=header - 1, dtype=str,
        keep_default_na=False, engine="python", on_bad_lines="error", skip_blank_lines=True,
    )  # fmt: skip
    return int((frame != "").any(axis=1).sum())


def mean_of(values: Sequence[float]) -> float:
    """Return a mean, by pandas."""
    import pandas as pd

    return float(pd.Series(values, dtype=float).mean())


def chi2(pairs: Sequence[tuple[str, str]]) -> float:
    """Return Pearson's χ² of pairs of categories, by pandas and scipy."""
    import pandas as pd
    from scipy import stats

    frame = pd.DataFrame(list(pairs), columns=["row", "column"])
    table = pd.crosstab(frame["row"], frame["column"])
    return float(stats.chi2_contingency(table, correction=False).statistic)


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share, by scipy."""
    from scipy import stats

    found = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def still_there(times: Sequence[float], ended: Sequence[bool]) -> float:
    """Return the share still there after the last end, by scipy's Kaplan–Meier estimate."""
    from scipy import stats

    when, over = np.asarray(times, dtype=float), np.asarray(ended, dtype=bool)
    data = stats.CensoredData(uncensored=when[over], right=when[~over])
    curve = stats.ecdf(data).sf
    return float(curve.evaluate(np.array([when[over].max()]))[0])


def log_rank(first: tuple[Any, Any], second: tuple[Any, Any]) -> float:
    """Return the χ² of the log-rank test of two groups, (times, ended) each, by scipy."""
    from scipy import stats

    def censored(group: tuple[Any, Any]) -> Any:
        when, over = np.asarray(group[0], dtype=float), np.asarray(group[1], dtype=bool)
        return stats.CensoredData(uncensored=when[over], right=when[~over])

    return float(stats.logrank(censored(first), censored(second)).statistic) ** 2


def accuracy(said: Sequence[str], labelled: Sequence[str]) -> float:
    """Return the share of labels found, by scikit-learn."""
    from sklearn.metrics import accuracy_score  # type: ignore[import-untyped]

    return float(accuracy_score(list(labelled), list(said)))
