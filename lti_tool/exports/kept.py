"""Files made in the background, kept in SQL for who asked until they expire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, select

from lti_tool import jobs
from lti_tool.export_tables import export, export_file
from lti_tool.jobs import Job, JobRun
from tool_config.database import insert, transaction

#: Files are kept so long from the moment they were asked for; less than their job is.
KEPT = timedelta(days=7)
#: Of one kind, kept at once for one person: the oldest goes when another is asked for.
MOST = 20
NIGHTLY = "exports-tidy"


@dataclass(frozen=True)
class File:
    """One file that is ready."""

    form: str
    name: str
    size: int


@dataclass(frozen=True)
class Export:
    """What somebody asked for, and how far it is."""

    export_id: str
    kind: str
    owner: str
    asked: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime
    #: None: its job is forgotten.
    job: Job | None
    files: tuple[File, ...]


def ask(
    conn: Connection,
    silo_id: int,
    kind: str,
    owner: str,
    asked: Mapping[str, Any],
    *,
    now: datetime,
    key: str,
    days: timedelta = KEPT,
) -> str:
    """Ask for files and return the id of the export.

    The job's payload is ``asked`` and the id, ``export``. While one that was asked for under the same key
    is not over, its own id comes back.
    """
    live = jobs.latest(conn, silo_id, key)
    if live is not None and not live.is_over and isinstance(live.payload.get("export"), str):
        return str(live.payload["export"])
    for old in mine(conn, silo_id, kind, owner, now=now)[MOST - 1 :]:
        forget(conn, silo_id, old.export_id)
    export_id = uuid4().hex
    job_id = jobs.enqueue(conn, silo_id, kind, {**asked, "export": export_id}, now=now, key=key)
    row = {"kind": kind, "owner": owner, "asked": dict(asked), "job_id": job_id, "created_at": now}
    conn.execute(
        insert(conn, export).values(silo_id=silo_id, export_id=export_id, **row, expires_at=now + days)
    )
    return export_id


def keep(conn: Connection, silo_id: int, export_id: str, form: str, name: str, content: bytes) -> bool:
    """Keep a file of an export; False when it was forgotten meanwhile. Done twice, the later one stays."""
    known = select(export.c.export_id).where(*_one(export, silo_id, export_id))
    if conn.execute(known).first() is None:
        return False
    said = {"name": name, "size": len(content), "content": content}
    written = insert(conn, export_file).values(silo_id=silo_id, export_id=export_id, form=form, **said)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "export_id", "form"], set_=said))
    return True


def mine(conn: Connection, silo_id: int, kind: str, owner: str, *, now: datetime) -> list[Export]:
    """Return what somebody asked for and that has not expired, the latest first."""
    c = export.c
    query = (
        select(export)
        .where(c.silo_id == silo_id, c.owner == owner, c.kind == kind, c.expires_at > now)
        .order_by(c.created_at.desc(), c.export_id)
    )
    return [_export(conn, row) for row in conn.execute(query).all()]


def read(
    conn: Connection, silo_id: int, export_id: str, owner: str, form: str, *, now: datetime
) -> tuple[str, bytes] | None:
    """Return the name and the bytes of a file to who asked for it; None when it is not there for them."""
    c, f = export.c, export_file.c
    query = (
        select(f.name, f.content)
        .select_from(export.join(export_file, (f.silo_id == c.silo_id) & (f.export_id == c.export_id)))
        .where(*_one(export, silo_id, export_id), c.owner == owner, c.expires_at > now, f.form == form)
    )
    found = conn.execute(query).first()
    return None if found is None else (found.name, bytes(found.content))


def forget(conn: Connection, silo_id: int, export_id: str) -> None:
    """Take an export away, with its files."""
    for table in (export_file, export):
        conn.execute(delete(table).where(*_one(table, silo_id, export_id)))


def tidy(run: JobRun) -> None:
    """Take away what has expired, every night."""
    with transaction(run.engine, run.silo_id) as conn:
        c = export.c
        old = select(c.export_id).where(c.silo_id == run.silo_id, c.expires_at <= run.clock())
        for export_id in conn.scalars(old).all():
            forget(conn, run.silo_id, export_id)


def _one(table: Any, silo_id: int, export_id: str) -> tuple[Any, Any]:
    return table.c.silo_id == silo_id, table.c.export_id == export_id


def _export(conn: Connection, row: Any) -> Export:
    f = export_file.c
    files = conn.execute(
        select(f.form, f.name, f.size).where(*_one(export_file, row.silo_id, row.export_id)).order_by(f.form)
    )
    return Export(
        row.export_id, row.kind, row.owner, row.asked, row.created_at, row.expires_at,
        jobs.read(conn, row.silo_id, row.job_id), tuple(File(*one) for one in files),
    )  # fmt: skip
