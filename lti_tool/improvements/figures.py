"""Figures that an improvement starts from: named by a reference, read again on the server, then frozen.

A page passes `kind` and `reference`, never a value. Each kind says how its figure is read, under the same
guard as the page that shows it; what is measured after an improvement is the same reference read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

import orjson
from sqlalchemy import Connection

from analyzers import engagement, frames
from analyzers.results import Overview
from analyzers.shapes import CourseFrames
from tool_config.rules import Rules


@dataclass(frozen=True)
class Seen:
    """A figure as a page shows it, in the words of the reader's language; `value` None: not shown."""

    #: What it is about: "3. Pour réfléchir".
    subject: str
    #: What is counted: "Avis favorables".
    measure: str
    #: The value with its n and interval, or why it is not shown.
    words: str
    definition: str
    #: Day that the figure is of, in the course's time zone.
    day: date
    value: float | None = None
    #: share (of 1), count, score
    unit: str = "share"
    n: int | None = None
    low: float | None = None
    high: float | None = None
    #: IRI of the module that it is about.
    module: str = ""

    def stored(self) -> dict[str, Any]:
        """Return what is frozen."""
        return {**asdict(self), "day": self.day.isoformat()}

    @classmethod
    def from_stored(cls, kept: Mapping[str, Any]) -> Seen:
        """Return a frozen figure."""
        return cls(**{**kept, "day": date.fromisoformat(kept["day"])})

    def digest(self) -> str:
        """Return what tells this figure from another one: a form shows the one and freezes no other."""
        return hashlib.sha256(orjson.dumps(self.stored(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


@dataclass
class Reading:
    """Where figures are read: a course (0: the whole silo), in the caller's transaction."""

    conn: Connection
    silo_id: int
    course_id: int
    now: datetime
    rules: Rules
    #: What several kinds read once.
    kept: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def frames(self) -> CourseFrames:
        return frames.course(self.conn, self.silo_id, self.course_id, as_of=self.now, rules=self.rules)

    @cached_property
    def overview(self) -> Overview:
        return engagement.overview(self.frames)


@dataclass(frozen=True)
class Kind:
    """A kind of figure: where it is read, what it is called, how a reference is read."""

    scope: Literal["course", "silo"]
    #: Called in the reader's language.
    label: Callable[[], str]
    #: None when the reference names nothing there.
    read: Callable[[Reading, str], Seen | None]
    #: The reference to be read again later: without the questionnaire, say, whose figures will not move.
    later: Callable[[str], str] = lambda reference: reference
