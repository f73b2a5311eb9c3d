"""Export the statements of a silo as they are stored: one JSON text a line, in the order (stored, id).

Voided statements are in it, as are those that void them. The rows come through a cursor of the server
and go out as they come: memory stays flat. Three formats: ``jsonl``, ``jsonl.gz``, and ``zip``, which alone
carries the data of attachments (``statements.jsonl``, then ``attachments/<sha2>``).
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Protocol

import orjson
from sqlalchemy import ColumnElement, Connection, exists, func, select

from tool_config.database import spare_memory
from xapi import attachments, store
from xapi.document_tables import attachment
from xapi.tables import statement

FORMATS = ("jsonl", "jsonl.gz", "zip")
#: Rows fetched at a time: one may be as large as a request.
BATCH = 50
#: Archives do not say when they were made: the same statements are the same file.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_MILLISECOND = timedelta(milliseconds=1)

Progress = Callable[[int, int], None]


class ExportFault(Exception):  # noqa: N818 - a refusal, as those of the store
    """An export that would not be whole; the message says what to do."""


class _Sink(Protocol):
    def write(self, data: bytes, /) -> Any: ...


@dataclass
class ExportReport:
    """What went out."""

    statements: int = 0
    #: Contents of attachments; 0 when the format does not carry them.
    attachments: int = 0
    #: Every statement stored up to this instant is in this export or in those before: the next `since`.
    complete_through: datetime | None = None


def export(
    conn: Connection,
    silo_id: int,
    out: BinaryIO,
    *,
    kind: str,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    without_attachments: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write the statements stored after `since` and up to `until`, and return how many.

    `now` is read before the call. Statements that others are about to commit are left to the next export,
    with all that are stored later: `complete_through` says where. Raises ExportFault when the silo keeps
    data of attachments that the format does not carry, unless `without_attachments`.
    """
    if kind != "zip" and not without_attachments and _keeps_attachments(conn, silo_id):
        raise ExportFault(
            "this silo keeps data of attachments, which only the format zip carries: ask for it, "
            "or leave them out with --without-attachments"
        )
    spare_memory(conn)
    limit = store.consistent_through(conn, silo_id, now) - _MILLISECOND
    limit = limit if until is None else min(limit, until)
    chosen = [statement.c.silo_id == silo_id, statement.c.stored <= limit]
    if since is not None:
        chosen.append(statement.c.stored > since)
    report = ExportReport(complete_through=limit)
    wanted: set[bytes] = set()
    carried = None if kind != "zip" or without_attachments else wanted
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open(_member("statements.jsonl"), "w", force_zip64=True) as sink:
                _write(conn, chosen, sink, report, carried, progress)
            _write_attachments(conn, silo_id, archive, sorted(wanted), report)
    else:
        with _sink(out, kind) as plain:
            _write(conn, chosen, plain, report, carried, progress)
    return report


def _keeps_attachments(conn: Connection, silo_id: int) -> bool:
    return bool(conn.scalar(select(exists().where(attachment.c.silo_id == silo_id))))


def _member(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, _NO_DATE)
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


@contextmanager
def _sink(out: BinaryIO, kind: str) -> Iterator[_Sink]:
    if kind == "jsonl":
        yield out
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=6) as packed:
        yield packed


def _write(
    conn: Connection,
    chosen: Sequence[ColumnElement[bool]],
    out: _Sink,
    report: ExportReport,
    wanted: set[bytes] | None,
    progress: Progress | None,
) -> None:
    """Write the rows; `wanted` receives the hashes of their attachments, unless None."""
    total = int(conn.scalar(select(func.count()).select_from(statement).where(*chosen)) or 0)
    rows = select(statement.c.raw).where(*chosen).order_by(statement.c.stored, statement.c.id)
    streamed = conn.execute(rows.execution_options(yield_per=BATCH)).scalars()
    for some in streamed.partitions():
        out.write(("\n".join(some) + "\n").encode())
        report.statements += len(some)
        if wanted is not None:
            for raw in some:
                if '"attachments"' in raw:
                    found = attachments.of(orjson.loads(raw))
                    wanted.update(bytes.fromhex(item["sha2"]) for item, _ in found)
        if progress and report.statements % 1_000 < BATCH:
            progress(report.statements, total)
    if progress:
        progress(report.statements, total)


def _write_attachments(
    conn: Connection,
    silo_id: int,
    archive: zipfile.ZipFile,
    hashes: Sequence[bytes],
    report: ExportReport,
) -> None:
    """Write the data that is kept, one content in memory at a time."""
    for one in hashes:
        for part in attachments.read(conn, silo_id, [one.hex()]):
            archive.writestr(_member(f"attachments/{part.sha2}"), part.body)
            report.attachments += 1
