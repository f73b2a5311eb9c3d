"""Files given for import: their bytes while they wait, how they are read, what became of them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from lti_tool.import_tables import import_chunk, import_file, import_mapping, import_refusal
from tool_config.database import insert as upsert
from tool_config.database import transaction
from xapi.sources.cells import Reading

DRAFT, RUNNING, DONE, REFUSED = "draft", "running", "done", "refused"
#: Bytes of one row of the table of chunks.
CHUNK = 1_000_000
#: A file that nobody has confirmed, and the lines that were refused, are kept so long.
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class File:
    """A file as it stands."""

    file_id: str
    name: str
    digest: str
    size: int
    kind: str
    state: str
    reading: Reading
    #: Headings, and the field of each column; empty until proposed.
    header: tuple[str, ...]
    columns: tuple[str, ...]
    #: Field -> text given once for the whole file; "@issuer": platform of the account numbers.
    constants: Mapping[str, str]
    position: int
    total: int
    added: int
    changed: int
    same: int
    refused: int
    notes: Mapping[str, Any]
    created_at: datetime
    created_by: str
    finished_at: datetime | None


def keep(conn: Connection, silo_id: int, name: str, source: IO[bytes], *, now: datetime, by: str = "") -> str:
    """Keep the bytes of a file and return its id."""
    file_id, digest, size, rank = uuid4().hex, hashlib.sha256(), 0, 0
    while (block := source.read(CHUNK)) or not rank:
        digest.update(block)
        size += len(block)
        conn.execute(insert(import_chunk).values(silo_id=silo_id, file_id=file_id, rank=rank, content=block))
        rank += 1
    conn.execute(
        insert(import_file).values(
            silo_id=silo_id, file_id=file_id, name=_name(name), digest=digest.hexdigest(), size=size, kind="",
            state=DRAFT, reading={}, columns=[], constants={}, notes={}, created_at=now, created_by=by,
        )
    )  # fmt: skip
    return file_id


def _name(name: str) -> str:
    """Return the last part of a file's name, without signs that lie about it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:200] or "?"


@contextmanager
def unpacked(engine: Engine, silo_id: int, file_id: str) -> Iterator[Path]:
    """Yield a file's bytes as a file that goes at the end; LookupError when they are gone."""
    with tempfile.NamedTemporaryFile(prefix="estime-import-") as out:
        rank = 0
        while True:
            with transaction(engine, silo_id, write=False) as conn:
                columns = import_chunk.c
                content = conn.scalar(
                    select(columns.content).where(
                        columns.silo_id == silo_id, columns.file_id == file_id, columns.rank == rank
                    )
                )
            if content is None:
                break
            out.write(content)
            rank += 1
        if not rank:
            raise LookupError(file_id)
        out.flush()
        yield Path(out.name)


def read(conn: Connection, silo_id: int, file_id: str) -> File | None:
    """Return a file; None when there is none of that id in the silo."""
    return _file(conn.execute(_files(silo_id).where(import_file.c.file_id == file_id)).first())


def latest(conn: Connection, silo_id: int, limit: int = 50) -> list[File]:
    """Return the files given last, newest first."""
    query = _files(silo_id).order_by(import_file.c.created_at.desc(), import_file.c.file_id).limit(limit)
    return [found for row in conn.execute(query) if (found := _file(row)) is not None]


def same(conn: Connection, silo_id: int, digest: str, kind: str) -> File | None:
    """Return the file of the same bytes that went in last as this kind."""
    query = _files(silo_id).where(
        import_file.c.digest == digest, import_file.c.kind == kind, import_file.c.state == DONE
    )
    return _file(conn.execute(query.order_by(import_file.c.created_at.desc()).limit(1)).first())


def _files(silo_id: int) -> Any:
    shown = [import_file.c[name] for name in File.__dataclass_fields__ if name != "header"]
    return select(*shown).where(import_file.c.silo_id == silo_id)


def _file(row: Row[Any] | None) -> File | None:
    if row is None:
        return None
    values = dict(row._mapping)
    values["reading"] = Reading(**values["reading"]) if values["reading"] else Reading("")
    pairs = values["columns"]
    values["header"] = tuple(heading for heading, _ in pairs)
    values["columns"] = tuple(field for _, field in pairs)
    return File(**values)


def change(conn: Connection, silo_id: int, file_id: str, **values: Any) -> None:
    """Write what is now known of a file; `reading` as a Reading, `columns` with the `header`."""
    if isinstance(values.get("reading"), Reading):
        values["reading"] = asdict(values["reading"])
    if "columns" in values:
        pairs = zip(values.pop("header"), values["columns"], strict=True)
        values["columns"] = [list(pair) for pair in pairs]
    conn.execute(update(import_file).where(*_one(silo_id, file_id)).values(**values))


def advance(
    conn: Connection, silo_id: int, file_id: str, *, position: int, total: int, **counted: int
) -> None:
    """Write the place reached, and add to what was counted (added, changed, same, refused)."""
    added = {name: import_file.c[name] + number for name, number in counted.items()}
    wanted = update(import_file).where(*_one(silo_id, file_id))
    conn.execute(wanted.values(position=position, total=total, **added))


def end(conn: Connection, silo_id: int, file_id: str, state: str, *, now: datetime, **values: Any) -> None:
    """End an import: its bytes go, what became of it stays."""
    change(conn, silo_id, file_id, state=state, finished_at=now, **values)
    conn.execute(
        delete(import_chunk).where(import_chunk.c.silo_id == silo_id, import_chunk.c.file_id == file_id)
    )


def forget(conn: Connection, silo_id: int, file_id: str) -> None:
    """Take a file away, with its refused lines; the rows that it brought stay."""
    for table in (import_chunk, import_refusal, import_file):
        conn.execute(delete(table).where(table.c.silo_id == silo_id, table.c.file_id == file_id))


def clear(conn: Connection, silo_id: int, *, now: datetime) -> None:
    """Take away drafts and refused lines that are old; the history stays."""
    old = select(import_file.c.file_id).where(
        import_file.c.silo_id == silo_id,
        import_file.c.created_at < now - KEPT,
        import_file.c.state != RUNNING,
    )
    for file_id in conn.scalars(old.limit(200)).all():
        for table in (import_chunk, import_refusal):
            conn.execute(delete(table).where(table.c.silo_id == silo_id, table.c.file_id == file_id))
    conn.execute(
        delete(import_file).where(
            import_file.c.silo_id == silo_id,
            import_file.c.created_at < now - KEPT,
            import_file.c.state == DRAFT,
        )
    )


def _one(silo_id: int, file_id: str) -> tuple[Any, Any]:
    return import_file.c.silo_id == silo_id, import_file.c.file_id == file_id


# --- lines refused -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refusal:
    """A line that could not go in: its cells as texts, and [column, code, text, params] of each fault."""

    line: int
    cells: list[str]
    faults: list[list[Any]]


def refuse(conn: Connection, silo_id: int, file_id: str, refusals: list[Refusal]) -> None:
    """Keep lines that could not go in."""
    if refusals:
        rows = [
            {
                "silo_id": silo_id,
                "file_id": file_id,
                "line": one.line,
                "cells": one.cells,
                "faults": one.faults,
            }
            for one in refusals
        ]
        conn.execute(upsert(conn, import_refusal).on_conflict_do_nothing(), rows)


def refusals(
    conn: Connection, silo_id: int, file_id: str, *, after: int = 0, limit: int = 1000
) -> list[Refusal]:
    """Return lines that could not go in, in the order of the file."""
    table = import_refusal.c
    query = (
        select(table.line, table.cells, table.faults)
        .where(table.silo_id == silo_id, table.file_id == file_id, table.line > after)
        .order_by(table.line)
        .limit(limit)
    )
    return [Refusal(row.line, row.cells, row.faults) for row in conn.execute(query)]


def refused(conn: Connection, silo_id: int, file_id: str) -> int:
    """Return how many refused lines are kept of a file."""
    table = import_refusal
    query = select(func.count()).where(table.c.silo_id == silo_id, table.c.file_id == file_id)
    return int(conn.execute(query).scalar_one())


# --- saved mappings ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """How files of one header are read, under a name."""

    name: str
    kind: str
    header: str
    reading: Mapping[str, Any]
    columns: tuple[str, ...]
    constants: Mapping[str, str]


def save(conn: Connection, silo_id: int, name: str, file: File, header: str, *, now: datetime) -> None:
    """Save how a file is read under a name; the same name again replaces it."""
    values = {
        "kind": file.kind,
        "header": header,
        "reading": asdict(file.reading),
        "columns": list(file.columns),
        "constants": dict(file.constants),
        "updated_at": now,
    }
    added = upsert(conn, import_mapping).values(silo_id=silo_id, name=name.strip()[:100], **values)
    conn.execute(added.on_conflict_do_update(index_elements=["silo_id", "name"], set_=values))


def saved(conn: Connection, silo_id: int, header: str | None = None) -> list[Saved]:
    """Return the saved mappings, those of one header or all, the last written first."""
    table = import_mapping.c
    query = select(table.name, table.kind, table.header, table.reading, table.columns, table.constants)
    query = query.where(table.silo_id == silo_id)
    if header is not None:
        query = query.where(table.header == header)
    found = conn.execute(query.order_by(table.updated_at.desc(), table.name))
    return [Saved(r.name, r.kind, r.header, r.reading, tuple(r.columns), r.constants) for r in found]
