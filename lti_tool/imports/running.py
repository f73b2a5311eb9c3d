"""A file taken in, batch by batch: what is right is stored, what is not is kept with its reasons.

Each batch and the place reached are one transaction: an import that was interrupted goes on from there. The
rows before that place are read again, so that a line that says otherwise of the same thing is still told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from lti_tool.imports import files, tombstoned
from lti_tool.imports.destinations import DESTINATIONS
from lti_tool.imports.destined import Destined
from lti_tool.imports.files import File, Refusal
from tool_config import addresses, platforms, silos
from tool_config.database import transaction
from tool_config.standards import Standard
from xapi import datasets
from xapi.sources import tabular
from xapi.sources.cells import Row, Table, TableFault, text_of
from xapi.sources.checking import Checker, Fault, People, Record
from xapi.sources.mapping import faults as mapping_faults
from xapi.sources.reading import Manner
from xapi.statement import account_key

#: Rows of one transaction.
BATCH = 1000
#: Refused lines kept with their cells; the others are counted only.
MOST_REFUSED = 10_000
#: Name, among the constants, of the platform whose account numbers the file holds.
ISSUER = "@issuer"

Progress = Callable[[int, int], None]


class NotReady(Exception):  # noqa: N818 - a refusal, as those of the store
    """A file that cannot be taken in as it stands: no dataset chosen, a field missing, gone already."""


@dataclass
class _Batch:
    """Rows read since the last commit."""

    records: list[Record] = field(default_factory=list)
    #: Line -> row of each record, for a destination that cannot take it.
    rows: dict[int, Row] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    same: int = 0


def run(
    engine: Engine,
    silo_id: int,
    file_id: str,
    *,
    clock: Callable[[], datetime],
    home: str,
    progress: Progress | None = None,
) -> File:
    """Take a file in, from where it stands, and return it as it then is.

    `home`: address of the tool, under which it signs what it says itself. `progress` is called with (rows
    read, rows). Raises NotReady; a file that cannot be read further ends as refused, and what came before
    stays.
    """
    file, standard = _begin(engine, silo_id, file_id)
    try:
        with files.unpacked(engine, silo_id, file_id) as path:
            state = _look(engine, silo_id, file, standard, path, clock(), home)
            with tabular.opened(path, file.reading) as table:
                taking = _taking(engine, silo_id, file, standard, table, clock(), home)
                taking.destined = replace(taking.destined, state=state)
                _take(engine, taking, table, clock, progress)
    except TableFault as fault:
        notes: dict[str, Any] = {"fault": fault.code, "params": fault.said}
        with transaction(engine, silo_id) as conn:
            files.end(conn, silo_id, file_id, files.REFUSED, now=clock(), notes=notes)
    else:
        found = DESTINATIONS[standard.becomes].finish(engine, taking.destined)
        with transaction(engine, silo_id) as conn:
            said = {name: count for name, count in {**found, "erased": taking.erased}.items() if count}
            files.end(conn, silo_id, file_id, files.DONE, now=clock(), notes=said)
    with transaction(engine, silo_id, write=False) as conn:
        done = files.read(conn, silo_id, file_id)
    if done is None:
        raise NotReady("the file was taken away meanwhile")
    return done


def _begin(engine: Engine, silo_id: int, file_id: str) -> tuple[File, Standard]:
    with transaction(engine, silo_id) as conn:
        file = files.read(conn, silo_id, file_id)
        if file is None or file.state not in (files.DRAFT, files.RUNNING):
            raise NotReady("there is no such file waiting")
        standard = datasets.known(conn, silo_id).get(file.kind)
        if standard is None:
            raise NotReady("no dataset was chosen for the file")
        given = [name for name, text in file.constants.items() if text.strip()]
        missing = mapping_faults(file.columns, given, standard)
        if missing:
            names = ", ".join(f"{fault.field.id} ({fault.code})" for fault in missing)
            raise NotReady(f"the mapping cannot be used: {names}")
        files.change(conn, silo_id, file_id, state=files.RUNNING)
    return file, standard


@dataclass
class _Taking:
    """One file being taken in."""

    file: File
    checker: Checker
    destined: Destined
    #: Rows committed so far.
    position: int
    #: Refused lines kept so far.
    kept: int
    #: Records left out because somebody was erased.
    erased: int = 0
    #: Key of a row -> line and digest of the one that said it first in this file.
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)


def _taking(
    engine: Engine, silo_id: int, file: File, standard: Standard, table: Table, now: datetime, home: str
) -> _Taking:
    with transaction(engine, silo_id, write=False) as conn:
        owner = silos.get(conn, silo_id)
        issuer = file.constants.get(ISSUER) or _only_platform(conn, silo_id)
        courses = datasets.courses_by_name(conn, silo_id)
        kept = files.refused(conn, silo_id, file.file_id)
    manner = Manner(file.reading.decimal, file.reading.days, ZoneInfo(owner.time_zone))
    people = People(
        address_key=lambda address: addresses.digest(owner, address),
        account_key=lambda number: f"a:{account_key(issuer, number)}",
    )
    constants = {name: text for name, text in file.constants.items() if name != ISSUER}
    checker = Checker(standard, table.header, file.columns, manner, people, constants)
    destined = Destined(silo_id, file.file_id, standard, courses, now, file.created_by, home)
    return _Taking(file, checker, destined, file.position, kept)


def _look(
    engine: Engine, silo_id: int, file: File, standard: Standard, path: Path, now: datetime, home: str
) -> Any:
    """Let a destination that needs the whole file see it before its first row is written."""
    begin = DESTINATIONS[standard.becomes].begin
    if begin is None:
        return None
    with tabular.opened(path, file.reading) as table:
        taking = _taking(engine, silo_id, file, standard, table, now, home)
        checked = map(taking.checker.check, table.rows)
        return begin(engine, taking.destined, (one for one in checked if isinstance(one, Record)))


def _only_platform(conn: Connection, silo_id: int) -> str:
    """Return the platform of a silo that has one; "" when it has none, or several."""
    found = platforms.of_silo(conn, silo_id)
    return found[0].issuer if len(found) == 1 else ""


def _take(
    engine: Engine,
    taking: _Taking,
    table: Table,
    clock: Callable[[], datetime],
    progress: Progress | None,
) -> None:
    total, batch, read = taking.file.total, _Batch(), 0
    destination = DESTINATIONS[taking.destined.standard.becomes]
    earlier: list[Record] = []
    for row in table.rows:
        read += 1
        outcome: Record | list[Fault] | None = taking.checker.check(row)
        if not destination.repeats:
            outcome = _told_twice(taking, outcome)
        if read <= taking.position:
            if destination.again:
                earlier += [outcome] if isinstance(outcome, Record) else []
                if len(earlier) == BATCH or read == taking.position:
                    destination.again(engine, taking.destined, earlier)
                    earlier = []
            continue
        _sort(batch, row, outcome)
        if read - taking.position == BATCH:
            _commit(engine, taking, batch, read, clock())
            batch = _Batch()
            if progress:
                progress(read, max(total, read))
    _commit(engine, taking, batch, read, clock())
    if progress:
        progress(read, read)


def _told_twice(taking: _Taking, outcome: Record | list[Fault] | None) -> Record | list[Fault] | None:
    """Return a fault for a record that an earlier line contradicts, None for one that says the same again."""
    if not isinstance(outcome, Record):
        return outcome
    line, digest = taking.seen.setdefault(outcome.key, (outcome.line, outcome.digest))
    if line == outcome.line:
        return outcome
    return None if digest == outcome.digest else [Fault("", "twice", "", {"line": line})]


def _sort(batch: _Batch, row: Row, outcome: Record | list[Fault] | None) -> None:
    if outcome is None:
        batch.same += 1
    elif isinstance(outcome, Record):
        batch.records.append(outcome)
        batch.rows[row.line] = row
    else:
        batch.refusals.append(_refusal(row.line, row, outcome))


def _refusal(line: int, row: Row, faults: list[Fault]) -> Refusal:
    """Return what is kept of a refused line; a cell with a NUMEN is not."""
    cells = [tabular.NUMEN.sub("…", text_of(cell)) for cell in row.cells]
    return Refusal(line, cells, [[f.column, f.code, f.text, dict(f.params)] for f in faults])


def _commit(engine: Engine, taking: _Taking, batch: _Batch, read: int, now: datetime) -> None:
    """Store a batch, its refused lines and the place reached, in one transaction."""
    destined, file = replace(taking.destined, now=now), taking.file
    with transaction(engine, destined.silo_id) as conn:
        records = tombstoned.left(conn, destined.silo_id, batch.records)
        taking.erased += len(batch.records) - len(records)
        outcome = DESTINATIONS[destined.standard.becomes].write(conn, destined, records)
        taking.erased += outcome.erased
        refusals = batch.refusals + [
            _refusal(line, batch.rows[line], list(said)) for line, said in sorted(outcome.faults.items())
        ]
        room = max(MOST_REFUSED - taking.kept, 0)
        files.refuse(conn, destined.silo_id, file.file_id, refusals[:room])
        files.advance(
            conn,
            destined.silo_id,
            file.file_id,
            position=read,
            total=max(file.total, read),
            added=outcome.written.added,
            changed=outcome.written.changed,
            same=outcome.written.same + batch.same,
            refused=len(refusals),
        )
    taking.position = read
    taking.kept += min(len(refusals), room)
