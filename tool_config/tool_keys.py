"""Rotation of the tool's own key pairs: a new one is published long before it signs, the old one long after.

A platform keeps the tool's public keys for a while: what it has not seen yet must not sign, and what it may
still have to verify must stay published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select, update

from tool_config import platforms
from tool_config.platforms import PlatformError
from tool_config.tables import tool_key

#: A new key signs once published for so long.
PUBLISHED_FIRST = timedelta(days=1)
#: Shortest overlap: the old key stays published for some time after its last signature.
LEAST_OVERLAP = timedelta(days=2)
#: Retired keys are forgotten after so long.
FORGOTTEN = timedelta(days=90)


@dataclass(frozen=True)
class ToolKey:
    """A key pair as an administrator sees it. ``state``: signs, published, leaving, retired."""

    kid: str
    state: str
    created_at: datetime
    signs_at: datetime | None
    retired_at: datetime | None


def listing(conn: Connection, silo_id: int, *, now: datetime) -> list[ToolKey]:
    """Return a silo's key pairs, the oldest first."""
    rows = conn.execute(
        select(tool_key.c.kid, tool_key.c.created_at, tool_key.c.signs_at, tool_key.c.retired_at)
        .where(tool_key.c.silo_id == silo_id)
        .order_by(tool_key.c.created_at, tool_key.c.kid)
    ).all()
    held = [row for row in rows if row.retired_at is None or row.retired_at > now]
    signing = [row.kid for row in held if row.signs_at is None or row.signs_at <= now][-1:]

    def state(row: Any) -> str:
        if row not in held:
            return "retired"
        if row.kid in signing:
            return "signs"
        return "published" if row.signs_at is not None and row.signs_at > now else "leaving"

    return [ToolKey(row.kid, state(row), row.created_at, row.signs_at, row.retired_at) for row in rows]


def rotate(conn: Connection, silo_id: int, secret_key: str, *, now: datetime, overlap: timedelta) -> str:
    """Make a new key pair beside the present one, which leaves after ``overlap``; return the new kid.

    Raises PlatformError on an overlap too short, and while a rotation is under way.
    """
    if overlap < LEAST_OVERLAP:
        raise PlatformError(f"the overlap must be {LEAST_OVERLAP.days} days at least")
    if any(key.state == "published" for key in listing(conn, silo_id, now=now)):
        raise PlatformError("a rotation is under way: the new key does not sign yet")
    _retire(conn, silo_id, now + overlap)
    forget(conn, silo_id, now=now)
    first = not any(key.state != "retired" for key in listing(conn, silo_id, now=now))
    signs_at = None if first else now + PUBLISHED_FIRST
    return platforms.make_key(conn, silo_id, secret_key, now, signs_at)


def replace(conn: Connection, silo_id: int, secret_key: str, *, now: datetime) -> str:
    """Retire every key pair at once and make a new one: for a key that others know; return the new kid."""
    conn.execute(
        update(tool_key)
        .where(
            tool_key.c.silo_id == silo_id, or_(tool_key.c.retired_at.is_(None), tool_key.c.retired_at > now)
        )
        .values(retired_at=now)
    )
    return platforms.make_key(conn, silo_id, secret_key, now)


def _retire(conn: Connection, silo_id: int, at: datetime) -> None:
    conn.execute(
        update(tool_key)
        .where(tool_key.c.silo_id == silo_id, tool_key.c.retired_at.is_(None))
        .values(retired_at=at)
    )


def forget(conn: Connection, silo_id: int, *, now: datetime) -> None:
    """Delete the key pairs retired long ago."""
    conn.execute(
        delete(tool_key).where(and_(tool_key.c.silo_id == silo_id, tool_key.c.retired_at < now - FORGOTTEN))
    )
