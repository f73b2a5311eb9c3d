"""Import files of statements: JSON array, JSON Lines, either in gzip, or a zip archive of them.

The file is read in order and written in batches, each in one transaction with its place in
`statement_import`: an import that was interrupted goes on where its last commit left it, and a file that
was imported is not imported again. A statement without id gets one drawn from the file and its position.

A file says nothing of who may be believed: what it says of `stored` and `authority` is replaced, as a
store does with what it receives. `as_exported` keeps both, for the export of a store that is trusted.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, select

from tool_config.database import insert, spare_memory, transaction
from xapi import attachments, forward, ingest, json_text, multipart, repair, statement, store, values
from xapi.errors import XapiError
from xapi.multipart import Part
from xapi.sources.statement_files import ImportFault, Item, StatementFile, opened
from xapi.tables import statement_import

__all__ = ["AUTHORITY", "ImportFault", "ImportReport", "Refused", "import_file"]

#: Statements of one transaction, and bytes of their texts and of their attachments.
BATCH = 500
BATCH_BYTES = 4_000_000
#: Refusals kept with their reason; the others are counted only.
REPORTED = 1_000
#: Who vouches for what a file says.
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "urn:estime", "name": "import"}}

Progress = Callable[[int, int], None]


class Refused(NamedTuple):
    """A statement that the store does not take."""

    #: Name within the archive; empty when the file is no archive.
    member: str
    line: int
    reason: str


@dataclass
class ImportReport:
    """What became of a file, this run and those before it."""

    #: Statements read so far, accepted or not.
    read: int = 0
    #: New in the store, this run.
    accepted: int = 0
    #: In the store before this run.
    already: int = 0
    #: Of people who were erased: nothing of them is kept.
    erased: int = 0
    refused_count: int = 0
    #: The first ones of this run.
    refused: list[Refused] = field(default_factory=list)
    #: Members of an archive that are neither statements nor attachments.
    passed_over: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    """One import under way."""

    engine: Engine
    silo_id: int
    #: Names the import: of the file's bytes, and of how they are taken.
    digest: str
    #: Ids of statements that have none are drawn from it.
    namespace: UUID
    as_exported: bool
    #: Known faults are mended first.
    repaired: bool
    clock: Callable[[], datetime]
    attachment: Callable[[str], bytes | None]
    report: ImportReport


@dataclass(frozen=True)
class _Ready:
    """A statement that is good by itself, with the data of its attachments."""

    item: Item
    given: dict[str, Any]
    #: Version of the data model that it follows.
    version: str
    #: When another store received it; None: now.
    stored: datetime | None
    parts: Mapping[str, Part]


def import_file(
    engine: Engine,
    silo_id: int,
    path: Path | str,
    *,
    now: datetime,
    as_exported: bool = False,
    repaired: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Store the statements of a file and return what became of them.

    `repaired`: known faults of Moodle's plugin are mended, as for the keys that ask for it (`xapi.repair`).
    `now` is the present instant; the time that the import takes is added to it. `progress` is called with
    (bytes read of the file, size of the file) after each batch. A statement that is refused costs the
    others nothing. Raises ImportFault when the file itself cannot be read further; what came before it
    is kept.
    """
    file = Path(path)
    started = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    with file.open("rb") as source:
        content = hashlib.file_digest(source, "sha256").hexdigest()
    digest = f"{content} as exported" if as_exported else f"{content} repaired" if repaired else content
    report = ImportReport()
    with transaction(engine, silo_id) as conn:
        place = _resume(conn, silo_id, digest, file.name, now)
    report.read, report.already = place.position, place.accepted
    if place.finished:
        return report
    with opened(file) as found:
        report.passed_over = found.passed_over
        job = _Job(
            engine, silo_id, digest, UUID(content[:32]), as_exported, repaired, clock, found.attachment,
            report,
        )  # fmt: skip
        _take(job, found, place.position, progress)
    return report


def _take(job: _Job, found: StatementFile, position: int, progress: Progress | None) -> None:
    """Write what comes from a position on, batch after batch."""
    pending: list[Item] = []
    size = 0
    for item in found.items:
        if item.position < position:
            continue
        pending.append(item)
        size += len(item.text)
        if len(pending) == BATCH or size >= BATCH_BYTES:
            _write(job, pending)
            pending, size = [], 0
            if progress:
                progress(*found.progress())
    _write(job, pending, last=True)
    if progress:
        whole = found.progress()[1]
        progress(whole, whole)


# --- place -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    position: int
    accepted: int
    finished: bool


def _resume(conn: Connection, silo_id: int, digest: str, name: str, now: datetime) -> _Place:
    """Return where the import of this file stands, after making its row if there is none."""
    columns = statement_import.c
    beginning = insert(conn, statement_import).values(
        silo_id=silo_id,
        digest=digest,
        name=name,
        position=0,
        accepted=0,
        refused=0,
        updated_at=now,
    )
    conn.execute(beginning.on_conflict_do_nothing())
    row = conn.execute(
        select(columns.position, columns.accepted, columns.finished_at).where(
            columns.silo_id == silo_id, columns.digest == digest
        )
    ).one()
    return _Place(row.position, row.accepted, row.finished_at is not None)


# --- writing ---------------------------------------------------------------------------------------------


def _write(job: _Job, items: list[Item], *, last: bool = False) -> None:
    """Store one batch and its place in one transaction; what is refused is reported."""
    silo_id, report = job.silo_id, job.report
    ready, refused, later = _prepare(job, items)
    with transaction(job.engine, silo_id) as conn:
        spare_memory(conn)
        now = ingest.begin(conn, silo_id, [one.given for one in ready], job.clock)
        accepted, already, erased = 0, 0, 0
        for group in _groups(ready):
            new, known, buried, conflicts = _store(conn, silo_id, group, now, trusted=job.as_exported)
            accepted, already, erased = accepted + new, already + known, erased + buried
            refused += conflicts
        moments = [one.stored for one in ready if one.stored is not None]
        if moments:
            # What is stored in the past would be behind those who follow the store.
            forward.rewind(conn, silo_id, min(moments))
        columns = statement_import.c
        done = len(items) - len(later)
        conn.execute(
            statement_import.update()
            .where(columns.silo_id == silo_id, columns.digest == job.digest)
            .values(
                position=columns.position + done,
                accepted=columns.accepted + accepted + already,
                refused=columns.refused + len(refused),
                updated_at=now,
                finished_at=now if last and not later else None,
            )
        )
    report.read += done
    report.accepted += accepted
    report.already += already
    report.erased += erased
    report.refused_count += len(refused)
    refused.sort(key=lambda one: one[0])
    report.refused += [fault for _, fault in refused[: REPORTED - len(report.refused)]]
    if later:
        _write(job, later, last=last)


_Refusals = list[tuple[int, Refused]]


def _prepare(job: _Job, items: list[Item]) -> tuple[list[_Ready], _Refusals, list[Item]]:
    """Return what is good by itself, what is refused by position, and what is left to the next batch."""
    refused: _Refusals = []
    ready: dict[str, _Ready] = {}
    size = 0
    for place, item in enumerate(items):
        try:
            one = _read(job, item)
        except XapiError as fault:
            refused.append(_refusal(item, fault))
            continue
        size += sum(len(part.body) for part in one.parts.values())
        if one.given["id"].lower() in ready or (ready and size > BATCH_BYTES):
            # The same id again is compared with the first once that one is stored.
            return list(ready.values()), refused, items[place:]
        ready[one.given["id"].lower()] = one
    return list(ready.values()), refused, []


def _refusal(item: Item, fault: XapiError) -> tuple[int, Refused]:
    fault.index = None
    return item.position, Refused(item.member, item.line, str(fault))


def _read(job: _Job, item: Item) -> _Ready:
    """Return the validated statement of an item, with an id; raises XapiError."""
    given = json_text.load(item.text)
    if job.repaired:
        given = repair.moodle(given).statement
    version = _validate(given, lenient=job.as_exported)
    if "id" not in given:
        given = {"id": str(uuid5(job.namespace, str(item.position))), **given}
    parts = _parts(job, given)
    if not job.as_exported:
        attachments.check(given, parts, version)
        return _Ready(item, given, version, None, parts)
    if "stored" not in given or "authority" not in given:
        raise XapiError("says not when it was stored nor by whom: it is no export of a store")
    stored = store.milliseconds(values.instant(given["stored"]))
    if stored > job.clock():
        raise XapiError("was stored in the future")
    return _Ready(item, given, version, stored, parts)


def _validate(given: Any, *, lenient: bool) -> str:
    """Validate a statement by the version that it names and return that version; raises XapiError.

    `lenient`: another store took it, maybe by the rules of 2.0 in spite of what it says.
    """
    named = given.get("version") if isinstance(given, dict) else None
    if isinstance(named, str) and named.startswith("2."):
        statement.validate(given, "2.0.0")
        return "2.0.0"
    try:
        statement.validate(given)
    except XapiError:
        if not lenient:
            raise
        statement.validate(given, "2.0.0")
        return "2.0.0"
    return "1.0.3"


def _parts(job: _Job, given: Mapping[str, Any]) -> dict[str, Part]:
    """Return the data that the file holds of a statement's attachments; raises XapiError."""
    found: dict[str, Part] = {}
    for item, _ in attachments.of(given):
        sha2 = item["sha2"].lower()
        body = job.attachment(sha2)
        if body is None:
            continue
        if multipart.digest(body, sha2) != sha2:
            raise XapiError(f"the data of the attachment {sha2} is another's")
        found[sha2] = Part(sha2, item["contentType"], body)
    return found


def _groups(ready: Iterable[_Ready]) -> list[list[_Ready]]:
    """Return the statements by when they were stored and by version, in that order."""
    found: dict[tuple[datetime | None, str], list[_Ready]] = defaultdict(list)
    for one in ready:
        found[one.stored, one.version].append(one)
    return list(found.values())


def _store(
    conn: Connection, silo_id: int, group: list[_Ready], now: datetime, *, trusted: bool
) -> tuple[int, int, int, _Refusals]:
    """Store what can be of a group; return how many are new, were there, are of people erased; conflicts."""
    left, conflicts = list(group), []
    while left:
        try:
            with conn.begin_nested():
                done = ingest.write(
                    conn,
                    silo_id,
                    [one.given for one in left],
                    stored=left[0].stored or now,
                    authority=None if trusted else AUTHORITY,
                    version=left[0].version,
                )
                parts = {sha2: part for one in left for sha2, part in one.parts.items()}
                attachments.keep(conn, silo_id, [one.given for one in left], parts, now)
        except XapiError as fault:
            if fault.index is None:
                raise
            conflicts.append(_refusal(left.pop(fault.index).item, fault))
        else:
            return len(done.new), len(left) - len(done.new) - done.buried, done.buried, conflicts
    return 0, 0, 0, conflicts
