"""Launches as a browser holds them: one secret a launch, kept as a hash, and one-time codes for new tabs.

Each launch has its own cookie, so that two courses, two people or two frames that open at the same moment
never overwrite each other. Nothing lives in memory: a restart changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from lti_tool.tables import handover, launch
from tool_config.database import Rows

LIFETIME = timedelta(hours=8)
#: An expired launch is kept for so long, to answer with a way back to its course.
KEPT = timedelta(days=7)
CODE_LIFETIME = timedelta(seconds=60)
#: Launch cookies that one browser keeps; older ones make room.
MOST_COOKIES = 15
_PREFIX = "__Host-estime-"
_ID = re.compile(r"([1-9][0-9]{0,9})-[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Opened:
    """A launch just opened: its id and the secret for the browser's cookie (never stored)."""

    launch_id: str
    secret: str


def silo_of(launch_id: str) -> int | None:
    """Return the silo that a launch id names, or None when it is not one."""
    found = _ID.fullmatch(launch_id)
    return int(found[1]) if found and int(found[1]) < 2**31 else None


def digest(secret: str) -> str:
    """Return the hash under which a secret is stored."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def cookie_name(launch_id: str) -> str:
    """Return the name of a launch's cookie."""
    return _PREFIX + launch_id


def surplus(cookies: Mapping[str, str]) -> list[str]:
    """Return the names of the oldest launch cookies of a browser, beyond those that it may keep."""

    def age(name: str) -> int:
        issued = cookies[name].partition(".")[0]
        return int(issued) if issued.isdigit() and len(issued) < 12 else 0

    names = [name for name in cookies if name.startswith(_PREFIX) and silo_of(name[len(_PREFIX) :])]
    return sorted(names, key=age, reverse=True)[MOST_COOKIES - 1 :]


def held(cookies: Mapping[str, str], silo_id: int) -> list[tuple[str, str]]:
    """Return the launches of a silo whose secrets a browser holds: (launch, secret), the latest first."""
    found = [
        (name[len(_PREFIX) :], secret)
        for name, secret in cookies.items()
        if name.startswith(_PREFIX) and silo_of(name[len(_PREFIX) :]) == silo_id
    ]
    return sorted(found, key=lambda one: one[1].partition(".")[0], reverse=True)[: 2 * MOST_COOKIES]


def new_secret(now: datetime) -> str:
    """Return a secret for a cookie, with its instant in front so that the oldest can make room."""
    return f"{int(now.timestamp())}.{secrets.token_urlsafe(32)}"


def open_launch(conn: Connection, silo_id: int, values: Mapping[str, Any], *, now: datetime) -> Opened:
    """Write a launch (columns of the table ``launch``) and return its id and secret."""
    opened, row = prepare(silo_id, values, now=now)
    conn.execute(_OPEN, list(row.rows))
    return opened


_OPEN = insert(launch)


def prepare(silo_id: int, values: Mapping[str, Any], *, now: datetime) -> tuple[Opened, Rows]:
    """Return a launch like ``open_launch``, and its row, which is to be written with others."""
    opened = Opened(f"{silo_id}-{secrets.token_urlsafe(16)}", new_secret(now))
    row = {
        "return_url": None,
        "created_at": now,
        "expires_at": now + LIFETIME,
        **values,
        "silo_id": silo_id,
        "launch_id": opened.launch_id,
        "session_hash": digest(opened.secret),
    }
    return opened, Rows(launch, [row])


def revive(
    conn: Connection,
    silo_id: int,
    cookies: Mapping[str, str],
    *,
    actor: str,
    role: str,
    course_id: int,
    now: datetime,
) -> int:
    """Give time again to the launches of this browser that are those of who has just come; return how many.

    Only those whose secret the browser holds, of the same person in the same course with the same role: a
    page left open with something in it can then still be sent.
    """
    held = [
        (launch.c.launch_id == name[len(_PREFIX) :]) & (launch.c.session_hash == digest(secret))
        for name, secret in cookies.items()
        if name.startswith(_PREFIX) and silo_of(name[len(_PREFIX) :]) == silo_id
    ]
    if not held:
        return 0
    mine = (
        launch.c.silo_id == silo_id,
        launch.c.actor == actor,
        launch.c.role == role,
        launch.c.course_id == course_id,
    )
    return conn.execute(
        update(launch).where(*mine, or_(*held[: 2 * MOST_COOKIES])).values(expires_at=now + LIFETIME)
    ).rowcount


def sweep(conn: Connection, silo_id: int, now: datetime) -> None:
    """Forget the launches that have been over for so long that nobody comes back to them."""
    conn.execute(delete(launch).where(launch.c.silo_id == silo_id, launch.c.expires_at < now - KEPT))


def make_code(conn: Connection, silo_id: int, launch_id: str, *, now: datetime) -> str:
    """Return a one-time code that opens the launch in another tab within a minute."""
    code = f"{silo_id}-{secrets.token_urlsafe(16)}"
    conn.execute(delete(handover).where(handover.c.silo_id == silo_id, handover.c.expires_at < now))
    conn.execute(
        insert(handover).values(
            silo_id=silo_id, code_hash=digest(code), launch_id=launch_id, expires_at=now + CODE_LIFETIME
        )
    )
    return code


def spend_code(conn: Connection, silo_id: int, code: str, *, now: datetime) -> Opened | None:
    """Take a code and return a launch for the new tab, like the first one; None when it is spent or late.

    A tab of its own is another partition of the cookies: it gets its own secret, hence its own launch,
    which ends when the first one does.
    """
    taken = conn.execute(
        delete(handover)
        .where(handover.c.silo_id == silo_id, handover.c.code_hash == digest(code))
        .returning(handover.c.launch_id, handover.c.expires_at)
    ).first()
    if taken is None or taken.expires_at <= now:
        return None
    wanted = select(launch).where(launch.c.silo_id == silo_id, launch.c.launch_id == taken.launch_id)
    row = conn.execute(wanted.where(launch.c.expires_at > now)).mappings().first()
    return open_launch(conn, silo_id, dict(row), now=now) if row else None
