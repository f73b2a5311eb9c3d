"""What a process gives back of the memory that it no longer uses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def release() -> None:
    """Give free memory back to the system: the C library keeps it by itself, scattered as it is.

    A few milliseconds; nothing where the library has no such call (it is glibc's).
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return found
