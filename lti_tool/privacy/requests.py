"""Erasures asked for: by the person, decided by an administrator within a month (RGPD, art. 12.3 and 17)."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from lti_tool.privacy import erasure, scrubbing
from lti_tool.privacy_tables import erasure_request
from tool_config import silos
from tool_config.database import insert

ASKED, WITHDRAWN, REFUSED, ERASED = "asked", "withdrawn", "refused", "erased"
#: Who asked: the person from their page, or an administrator who received a letter.
PERSON, ADMINISTRATOR = "person", "administrator"
LONGEST_REASON = 1000


class RequestError(Exception):
    """A decision that cannot be taken; `code`: not_found, decided, reason (missing), too_long."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Request:
    """An erasure asked for, and what became of it."""

    request_id: str
    #: "" once erased.
    actor: str
    state: str
    asked_by: str
    asked_at: datetime
    due_on: date
    decided_at: datetime | None
    reason: str
    counts: Mapping[str, int]


_COLUMNS = [erasure_request.c[name] for name in Request.__dataclass_fields__]


def ask(conn: Connection, silo_id: int, actor: str, *, now: datetime, by: str = PERSON) -> Request:
    """Ask for somebody's erasure; asked twice, it is the same request."""
    known = of(conn, silo_id, actor)
    if known is not None and known.state == ASKED:
        return known
    zone = ZoneInfo(silos.get(conn, silo_id).time_zone)
    row = {
        "silo_id": silo_id, "request_id": uuid4().hex, "actor": actor, "state": ASKED, "asked_by": by,
        "asked_at": now, "due_on": month_after(now.astimezone(zone).date()), "reason": "", "counts": {},
    }  # fmt: skip
    conn.execute(insert(conn, erasure_request).values(row))
    return find(conn, silo_id, str(row["request_id"]))


def month_after(day: date) -> date:
    """Return the same day of the next month, or its last where it has none such (Regulation 1182/71)."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def of(conn: Connection, silo_id: int, actor: str) -> Request | None:
    """Return somebody's latest request."""
    c = erasure_request.c
    query = select(*_COLUMNS).where(c.silo_id == silo_id, c.actor == actor)
    row = conn.execute(query.order_by(c.asked_at.desc(), c.request_id).limit(1)).first()
    return Request(*row) if row else None


def find(conn: Connection, silo_id: int, request_id: str) -> Request:
    """Return a request; raises RequestError("not_found")."""
    c = erasure_request.c
    query = select(*_COLUMNS).where(c.silo_id == silo_id, c.request_id == request_id)
    row = conn.execute(query).first()
    if row is None:
        raise RequestError("not_found")
    return Request(*row)


def listing(conn: Connection, silo_id: int) -> tuple[Request, ...]:
    """Return every request: those to decide first, the most urgent first, then the others, latest first."""
    c = erasure_request.c
    rows = conn.execute(select(*_COLUMNS).where(c.silo_id == silo_id).order_by(c.asked_at.desc()))
    found = [Request(*row) for row in rows]
    waiting = sorted((one for one in found if one.state == ASKED), key=lambda one: (one.due_on, one.asked_at))
    return (*waiting, *(one for one in found if one.state != ASKED))


def withdraw(conn: Connection, silo_id: int, actor: str, *, now: datetime) -> bool:
    """Take one's request back; False when there is none to decide."""
    c = erasure_request.c
    mine = c.silo_id == silo_id, c.actor == actor, c.state == ASKED
    said = {"state": WITHDRAWN, "decided_at": now}
    return bool(conn.execute(update(erasure_request).where(*mine).values(said)).rowcount)


def refuse(conn: Connection, silo_id: int, request_id: str, reason: str, *, by: str, now: datetime) -> None:
    """Refuse a request, with the reason that the person reads; raises RequestError."""
    reason = reason.strip()
    if not reason:
        raise RequestError("reason")
    if len(reason) > LONGEST_REASON:
        raise RequestError("too_long")
    _waiting(conn, silo_id, request_id)
    _decide(conn, silo_id, request_id, state=REFUSED, reason=reason, decided_by=by, decided_at=now)


def erase(
    conn: Connection, silo_id: int, request_id: str, *, by: str, secret_key: str, home: str, now: datetime
) -> Mapping[str, int]:
    """Erase the person of a request and return how many things went; raises RequestError.

    In a transaction of its own, in which nothing was read or written before; `erasure.forget_memory` is to
    be called afterwards.
    """
    erasure.announce(conn, silo_id, now)
    asked = _waiting(conn, silo_id, request_id)
    counts = erasure.erase(
        conn, silo_id, asked.actor, erasure_id=request_id, secret_key=secret_key, home=home, now=now
    )
    scrubbing.ask(conn, silo_id, now=now)
    _decide(
        conn, silo_id, request_id, state=ERASED, actor="", counts=dict(counts), decided_by=by, decided_at=now
    )  # fmt: skip
    return counts


def _waiting(conn: Connection, silo_id: int, request_id: str) -> Request:
    """Lock a request that is still to be decided, and return it."""
    c = erasure_request.c
    mine = select(c.state).where(c.silo_id == silo_id, c.request_id == request_id)
    state = conn.scalar(mine.with_for_update())
    if state is None:
        raise RequestError("not_found")
    if state != ASKED:
        raise RequestError("decided")
    return find(conn, silo_id, request_id)


def _decide(conn: Connection, silo_id: int, request_id: str, **said: object) -> None:
    c = erasure_request.c
    mine = c.silo_id == silo_id, c.request_id == request_id
    conn.execute(update(erasure_request).where(*mine).values(said))
