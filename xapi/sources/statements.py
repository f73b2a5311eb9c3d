"""Import files of statements: a JSON array, JSON Lines (one a line), either of them in gzip.

The file is read in order and written in batches, each in one transaction with its place in
`statement_import`: an import that was interrupted goes on where its last commit left it, and a file that
was imported is not imported again. A statement without id gets one drawn from the file and its position.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, select

from tool_config.database import insert, transaction
from xapi import ingest, json_text, statement
from xapi.errors import XapiError
from xapi.tables import statement_import

#: Statements of one transaction.
BATCH = 500
#: Longest line of JSON Lines, and longest array, decompressed: bounds the memory.
LONGEST_LINE = 20_000_000
LONGEST_ARRAY = 400_000_000
#: A gzip file may say this many times its size; statements reach thirty.
INFLATION = 200
#: Refusals kept with their reason; the others are counted only.
REPORTED = 1_000

Progress = Callable[[int, int], None]


class ImportFault(Exception):  # noqa: N818 - a refusal, as those of the store
    """A file that cannot be read as statements; the message says where and why."""


@dataclass
class ImportReport:
    """What became of a file, this run and those before it."""

    #: Statements read so far, accepted or not.
    read: int = 0
    #: New in the store, this run.
    accepted: int = 0
    #: In the store before this run.
    already: int = 0
    refused_count: int = 0
    #: (line of the file, reason), the first ones of this run.
    refused: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Item:
    """One statement of a file: its position from 0, the line where it begins, its text."""

    position: int
    line: int
    text: bytes


def import_file(
    engine: Engine,
    silo_id: int,
    path: Path | str,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> ImportReport:
    """Store the statements of a file and return what became of them.

    `now` is the present instant; the time that the import takes is added to it. `progress` is called with
    (bytes read of the file, size of the file) after each batch. A statement that is refused costs the
    others nothing. Raises ImportFault when the file itself cannot be read further; what came before it
    is kept.
    """
    file = Path(path)
    started = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    size, digest = file.stat().st_size, _digest(file)
    report = ImportReport()
    with transaction(engine, silo_id) as conn:
        place = _resume(conn, silo_id, digest, file.name, now)
    report.read, report.already = place.position, place.accepted
    if place.finished:
        return report
    namespace = UUID(digest[:32])
    with file.open("rb") as source:
        pending: list[_Item] = []
        for item in _items(source, size):
            if item.position < place.position:
                continue
            pending.append(item)
            if len(pending) == BATCH:
                _write(engine, silo_id, digest, namespace, pending, report, clock)
                pending = []
                if progress:
                    progress(min(source.tell(), size), size)
        _write(engine, silo_id, digest, namespace, pending, report, clock, last=True)
    if progress:
        progress(size, size)
    return report


# --- writing -----------------------------------------------------------------------------------------------


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


def _write(
    engine: Engine,
    silo_id: int,
    digest: str,
    namespace: UUID,
    items: list[_Item],
    report: ImportReport,
    clock: Callable[[], datetime],
    *,
    last: bool = False,
) -> None:
    """Store one batch and its place in one transaction; what is refused is reported."""
    refused: list[tuple[int, str]] = []
    ready: dict[str, tuple[_Item, dict[str, Any]]] = {}
    later: list[_Item] = []
    for place, item in enumerate(items):
        try:
            given = _read(item, namespace)
        except XapiError as fault:
            refused.append((item.line, str(fault)))
            continue
        if given["id"].lower() in ready:
            # The same id again: compared with the first once that one is stored.
            later = items[place:]
            break
        ready[given["id"].lower()] = (item, given)
    with transaction(engine, silo_id) as conn:
        stored = ingest.begin(conn, silo_id, [given for _, given in ready.values()], clock)
        accepted, already, conflicts = _store(conn, silo_id, ready, stored)
        refused += conflicts
        columns = statement_import.c
        done = len(items) - len(later)
        conn.execute(
            statement_import.update()
            .where(columns.silo_id == silo_id, columns.digest == digest)
            .values(
                position=columns.position + done,
                accepted=columns.accepted + accepted + already,
                refused=columns.refused + len(refused),
                updated_at=stored,
                finished_at=stored if last and not later else None,
            )
        )
    report.read += done
    report.accepted += accepted
    report.already += already
    report.refused_count += len(refused)
    report.refused += sorted(refused)[: REPORTED - len(report.refused)]
    if later:
        _write(engine, silo_id, digest, namespace, later, report, clock, last=last)


def _store(
    conn: Connection, silo_id: int, ready: Mapping[str, tuple[_Item, dict[str, Any]]], stored: datetime
) -> tuple[int, int, list[tuple[int, str]]]:
    """Store what can be and return (new, already there, conflicts by line)."""
    left, conflicts = list(ready.values()), []
    while left:
        try:
            with conn.begin_nested():
                done = ingest.write(conn, silo_id, [given for _, given in left], stored=stored)
        except XapiError as fault:
            if fault.index is None:
                raise
            item, _ = left.pop(fault.index)
            fault.index = None
            conflicts.append((item.line, str(fault)))
        else:
            return len(done.new), len(left) - len(done.new), conflicts
    return 0, 0, conflicts


def _read(item: _Item, namespace: UUID) -> dict[str, Any]:
    """Return the validated statement of an item, with an id; raises XapiError."""
    given = json_text.load(item.text)
    statement.validate(given)
    if "id" not in given:
        given = {"id": str(uuid5(namespace, str(item.position))), **given}
    return given  # type: ignore[no-any-return]


# --- reading -----------------------------------------------------------------------------------------------


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _items(source: BinaryIO, size: int) -> Iterator[_Item]:
    """Yield the statements of an open file in order; raises ImportFault."""
    try:
        packed = source.read(2) == b"\x1f\x8b"
        source.seek(0)
        plain: Any = gzip.GzipFile(fileobj=source) if packed else source
        bound = max(size * INFLATION, LONGEST_LINE) if packed else None
        whole = _is_whole(plain)
        plain.seek(0)
        yield from _values(plain) if whole else _lines(plain, bound)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFault(f"the gzip file is damaged: {error}") from None


def _is_whole(plain: Any) -> bool:
    """Tell whether the file is one JSON value over several lines, or an array, rather than JSON Lines."""
    text = b""
    while not text:
        line = plain.readline(LONGEST_LINE)
        if not line:
            return False
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
    return bool(text.startswith(b"[") or (text.startswith(b"{") and not text.endswith(b"}")))


def _lines(plain: Any, bound: int | None) -> Iterator[_Item]:
    """Yield one statement a line; empty lines are passed over."""
    line, position, total = 0, 0, 0
    while text := plain.readline(LONGEST_LINE + 1):
        line += 1
        total += len(text)
        if len(text) > LONGEST_LINE:
            raise ImportFault(f"line {line} is over {LONGEST_LINE} bytes")
        if bound is not None and total > bound:
            raise ImportFault(f"line {line}: the file says over {INFLATION} times its compressed size")
        text = text.removeprefix(b"\xef\xbb\xbf").strip() if line == 1 else text.strip()
        if text:
            yield _Item(position, line, text)
            position += 1


def _values(plain: Any) -> Iterator[_Item]:
    """Yield the elements of one array, or one statement written over several lines; held in memory."""
    body = plain.read(LONGEST_ARRAY + 1)
    if len(body) > LONGEST_ARRAY:
        raise ImportFault(f"the array is over {LONGEST_ARRAY} bytes: give one statement a line instead")
    try:
        text = body.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ImportFault(f"line {line}: not UTF-8") from None
    del body
    decoder = json.JSONDecoder(object_pairs_hook=lambda pairs: None, parse_int=str, parse_float=str)
    line, counted, position = 1, 0, 0
    at = _next(text, 0)
    is_array = text[at] == "["
    if is_array:
        at = _next(text, at + 1)
    while text[at : at + 1] != ("]" if is_array else ""):
        line, counted = line + text.count("\n", counted, at), at
        try:
            _, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ImportFault(f"line {line}: not JSON from here on: {error}") from None
        yield _Item(position, line, text[at:end].encode())
        position += 1
        at = _after(text, end, line) if is_array else _next(text, end)
    if text[at + 1 :].strip():
        raise ImportFault(f"line {line}: something follows the array")


def _after(text: str, end: int, line: int) -> int:
    """Return the place of the next element of an array, or of its end; raises ImportFault."""
    at = _next(text, end)
    if text[at : at + 1] == "]":
        return at
    if text[at : at + 1] != ",":
        raise ImportFault(f"line {line}: the array is not closed")
    at = _next(text, at + 1)
    if text[at : at + 1] == "]":
        raise ImportFault(f"line {line}: a comma ends the array")
    return at


def _next(text: str, at: int) -> int:
    """Return the place of the next character that is no white space."""
    while text[at : at + 1] in (" ", "\n", "\r", "\t"):
        at += 1
    return at
