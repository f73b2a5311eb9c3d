"""What becomes of rows that are right: rows of a dataset, and what is drawn from them at the end.

A destination is chosen by `becomes` of the standard. To add one: a function `write` for each batch, in the
transaction that also keeps the place reached, and a function `finish` for the end of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine

from lti_tool.imports import presences
from tool_config.standards import Standard
from xapi import datasets
from xapi.datasets import Written
from xapi.sources.checking import Fault, Record


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


@dataclass(frozen=True)
class Outcome:
    """What became of a batch; `faults`: line -> what is wrong, for records that could not be taken."""

    written: Written
    faults: Mapping[int, Sequence[Fault]] = field(default_factory=dict)


@dataclass(frozen=True)
class Destination:
    """Where records go; `finish` returns notes for the report (code -> number)."""

    write: Callable[[Connection, Destined, Sequence[Record]], Outcome]
    finish: Callable[[Engine, Destined], Mapping[str, int]]


def write_rows(conn: Connection, destined: Destined, records: Sequence[Record]) -> Outcome:
    """Store records as rows of their dataset."""
    written = datasets.write(
        conn, destined.silo_id, destined.standard.name, records, file_id=destined.file_id,
        courses=destined.courses, now=destined.now,
    )  # fmt: skip
    return Outcome(written)


def _nothing(_engine: Engine, _destined: Destined) -> Mapping[str, int]:
    return {}


def _presences(engine: Engine, destined: Destined) -> Mapping[str, int]:
    return presences.publish(
        engine, destined.silo_id, file_id=destined.file_id, by=destined.by, now=destined.now,
        authority_home=destined.home,
    )  # fmt: skip


#: `becomes` of a standard -> where its rows go.
DESTINATIONS: Mapping[str, Destination] = {
    "rows": Destination(write_rows, _nothing),
    "presences": Destination(write_rows, _presences),
}
