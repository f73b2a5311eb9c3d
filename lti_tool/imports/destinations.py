"""What becomes of rows that are right: rows of a dataset, and what is drawn from them at the end.

A destination is chosen by `becomes` of the standard. To add one: a function `write` for each batch, in the
transaction that also keeps the place reached, and a function `finish` for the end of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from lti_tool import programme
from lti_tool.imports import answers, logs, presences
from lti_tool.imports.destined import Destined, Outcome
from tool_config.database import transaction
from xapi import datasets
from xapi.sources.checking import Record


@dataclass(frozen=True)
class Destination:
    """Where records go; `finish` returns notes for the report (code -> number)."""

    write: Callable[[Connection, Destined, Sequence[Record]], Outcome]
    finish: Callable[[Engine, Destined], Mapping[str, int]]
    #: Reads every record of the file before the first is written; what it returns is `Destined.state`.
    begin: Callable[[Engine, Destined, Iterator[Record]], Any] | None = None
    #: Sees again the records that were written before an interruption.
    again: Callable[[Engine, Destined, Sequence[Record]], None] | None = None
    #: Two lines that say the same are two things, and lines have no key.
    repeats: bool = False


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


def _sessions(engine: Engine, destined: Destined) -> Mapping[str, int]:
    with transaction(engine, destined.silo_id) as conn:
        return programme.settle(conn, destined.silo_id)


def _robots(engine: Engine, destined: Destined) -> Mapping[str, int]:
    with transaction(engine, destined.silo_id, write=False) as conn:
        return {"robots": datasets.total(conn, destined.silo_id, destined.file_id, "robots")}


#: `becomes` of a standard -> where its rows go.
DESTINATIONS: Mapping[str, Destination] = {
    "rows": Destination(write_rows, _nothing),
    "audience": Destination(write_rows, _robots),
    "presences": Destination(write_rows, _presences),
    "answers": Destination(answers.write, answers.finish, answers.begin, answers.again, repeats=True),
    "statements": Destination(logs.write, logs.finish, logs.begin, logs.again, repeats=True),
    "sessions": Destination(write_rows, _sessions),
}
