"""One line for who came in, who looked at a person or took a file away, who was refused and why.

No token, no name, no address: people are keys, courses are numbers, reasons are the tool's own words. Lines
are added and never changed; on PostgreSQL the tool does not even have the right to.
"""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from lti_tool.tables import audit

_log = logging.getLogger("estime.audit")

#: What lines tell: a login or a launch, a platform that registers itself, a person's page looked at, a file
#: taken away, something changed, a page or a form refused.
ACTIONS = ("launch", "login", "registration", "look", "export", "edit", "page")
#: Beside them, a kind for all that was refused.
REFUSAL = "refusal"


@dataclass(frozen=True)
class Line:
    """One line; ``actor`` did it, ``subject`` is whom it was about (keys of people, or None)."""

    audit_id: str
    at: datetime
    action: str
    accepted: bool
    actor: str | None
    subject: str | None
    course_id: int | None
    reason: str | None
    role: str | None


@dataclass(frozen=True)
class Wanted:
    """Which lines: a kind (``ACTIONS``, ``refusal`` or "" for all), from an instant, before another."""

    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None


def write(
    conn: Connection,
    silo_id: int,
    *,
    at: datetime,
    action: str,
    accepted: bool,
    actor: str | None = None,
    subject: str | None = None,
    course_id: int | None = None,
    reason: str | None = None,
    role: str | None = None,
) -> str:
    """Write one line and return its reference, which a person may quote when asking for help.

    ``reason`` is made of the tool's own words, never of what was received.
    """
    row = line(
        silo_id,
        at=at,
        action=action,
        accepted=accepted,
        actor=actor,
        subject=subject,
        course_id=course_id,
        reason=reason,
        role=role,
    )
    conn.execute(_LINE, row)
    return str(row["audit_id"])


_LINE = insert(audit)


def line(
    silo_id: int,
    *,
    at: datetime,
    action: str,
    accepted: bool,
    actor: str | None = None,
    subject: str | None = None,
    course_id: int | None = None,
    reason: str | None = None,
    role: str | None = None,
) -> dict[str, Any]:
    """Return the row of one line, for those who write it with others."""
    return {
        "silo_id": silo_id,
        "audit_id": uuid.uuid4().hex[:12],
        "at": at,
        "action": action,
        "accepted": accepted,
        "actor": actor,
        "subject": subject,
        "course_id": course_id,
        "reason": reason,
        "role": role,
    }


def log(*, at: datetime, action: str, reason: str) -> str:
    """Log a refusal that belongs to no silo, as one line of JSON; return its reference."""
    reference = uuid.uuid4().hex[:12]
    line = {
        "at": at.isoformat(timespec="milliseconds"),
        "audit": reference,
        "action": action,
        "reason": reason,
    }
    _log.warning("%s", json.dumps(line, ensure_ascii=False))
    return reference


def lines(conn: Connection, silo_id: int, wanted: Wanted, *, limit: int, offset: int = 0) -> list[Line]:
    """Return lines of a silo, the latest first."""
    columns = [audit.c[name] for name in Line.__dataclass_fields__]
    query: Select[Any] = select(*columns).where(audit.c.silo_id == silo_id)
    if wanted.kind == REFUSAL:
        query = query.where(audit.c.accepted.is_(False))
    elif wanted.kind:
        query = query.where(audit.c.action == wanted.kind, audit.c.accepted.is_(True))
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    query = query.order_by(audit.c.at.desc(), audit.c.audit_id).limit(limit).offset(offset)
    return [Line(*row) for row in conn.execute(query)]
