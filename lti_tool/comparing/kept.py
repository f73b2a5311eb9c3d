"""The aggregates of other institutions that a silo keeps, until somebody takes them away."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from lti_tool.comparing import aggregates
from lti_tool.comparing.aggregates import Aggregates, FileError
from lti_tool.saved_tables import comparison_file

#: Files of one silo.
MOST = 50


@dataclass(frozen=True)
class Kept:
    """One file."""

    file_id: str
    created_at: datetime
    says: Aggregates


def add(conn: Connection, silo_id: int, content: bytes, *, by: str, k: int, now: datetime) -> str:
    """Read a file, keep it and return its id; FileError, whose code is also "full"."""
    found = aggregates.read(content, k=k)
    c = comparison_file.c
    if (conn.scalar(select(func.count()).where(c.silo_id == silo_id)) or 0) >= MOST:
        raise FileError("full")
    file_id = secrets.token_urlsafe(12)
    conn.execute(
        insert(comparison_file).values(
            silo_id=silo_id, file_id=file_id, institution=found.institution, made_on=found.made_on,
            content=aggregates.written(found), added_by=by, created_at=now,
        )
    )  # fmt: skip
    return file_id


def listing(conn: Connection, silo_id: int, *, k: int) -> tuple[Kept, ...]:
    """Return the files of a silo, the latest first; what a higher threshold refuses now is not shown."""
    c = comparison_file.c
    rows = conn.execute(
        select(comparison_file).where(c.silo_id == silo_id).order_by(c.created_at.desc(), c.file_id)
    )
    found = []
    for row in rows:
        try:
            found.append(Kept(row.file_id, row.created_at, aggregates.from_written(row.content, k=k)))
        except FileError:
            continue
    return tuple(found)


def remove(conn: Connection, silo_id: int, file_id: str) -> bool:
    """Take a file away; False when it is not there."""
    c = comparison_file.c
    gone = conn.execute(delete(comparison_file).where(c.silo_id == silo_id, c.file_id == file_id))
    return gone.rowcount == 1
