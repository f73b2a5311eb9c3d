"""One line for who came in, and for who was refused and why: no token, no name, no address."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime

from sqlalchemy import Connection, insert

from lti_tool.tables import audit

_log = logging.getLogger("estime.audit")


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
) -> str:
    """Write one line and return its reference, which a person may quote when asking for help.

    ``reason`` is made of the tool's own words, never of what was received.
    """
    reference = uuid.uuid4().hex[:12]
    row = {
        "silo_id": silo_id,
        "audit_id": reference,
        "at": at,
        "action": action,
        "accepted": accepted,
        "actor": actor,
        "subject": subject,
        "course_id": course_id,
        "reason": reason,
    }
    conn.execute(_LINE, row)
    return reference


_LINE = insert(audit)


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
