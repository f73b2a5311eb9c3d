"""What a destination of imports is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tool_config.standards import Standard
from xapi.datasets import Written
from xapi.sources.checking import Fault


@dataclass(frozen=True)
class Destined:
    """What a destination works with: one file being taken in."""

    silo_id: int
    file_id: str
    standard: Standard
    #: Plain name of a session -> course.
    courses: Mapping[str, int]
    now: datetime
    #: Who gave the file (an actor; empty: the command line) and under which address authorities are named.
    by: str
    home: str
    #: What `begin` of the destination made.
    state: Any = None


@dataclass(frozen=True)
class Outcome:
    """What became of a batch; `faults`: line -> what is wrong, for records that could not be taken."""

    written: Written
    faults: Mapping[int, Sequence[Fault]] = field(default_factory=dict)
    #: Records of which nothing was kept, because somebody was erased (`xapi.tombstones`).
    erased: int = 0
