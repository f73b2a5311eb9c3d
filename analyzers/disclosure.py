"""The one guard of counts, shares and comments that leave: PURE.

Sources: Hundepool et al., *Statistical Disclosure Control* (Wiley, 2012), chapters 4 and 5.
"""

from __future__ import annotations

from analyzers.intervals import wilson
from analyzers.results import Share

#: Reason given with a suppressed value: the group is under the threshold.
FEW = "few"


def enough(n: int, k: int) -> bool:
    """Say whether a group of ``n`` people may be spoken of under the threshold ``k``.

    An empty group says nothing of anybody, but "nobody" is itself a cell: it is not enough either.
    """
    return n >= k


def share(count: int, n: int, *, k: int) -> Share:
    """Return ``count`` among ``n`` with its 95 % Wilson interval, or a suppressed share where n < k.

    0 % and 100 % of a small group are suppressed like any other value of it.
    Raises ValueError unless 0 <= count <= n.
    """
    if not 0 <= count <= n:
        raise ValueError(f"a share of {count} among {n}")
    if n == 0 or not enough(n, k):
        return Share(count=None, n=None, suppressed=FEW)
    low, high = wilson(count, n)
    return Share(count=count, n=n, low=low, high=high)
