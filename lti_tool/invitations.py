"""Invitations: links by which a platform registers itself, good once, for some days.

The secret of a link is kept as a hash. A registration holds its invitation while it asks the network,
outside any transaction, and spends it only when it has succeeded.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from lti_tool.registration_tables import invitation

#: Days that an invitation lasts unless told otherwise, and at most.
USUAL_DAYS = 7
MOST_DAYS = 30
#: A registration whose process died lets another try after so long.
HELD = timedelta(minutes=2)
#: Used and expired invitations are listed for so long.
KEPT = timedelta(days=60)

_LINK = re.compile(r"([1-9][0-9]{0,9})\.([A-Za-z0-9_-]{12})\.([A-Za-z0-9_-]{32})")


class RegistrationError(Exception):
    """A registration that does not come about.

    ``code`` chooses the page's words; ``reason`` is for the audit, in the tool's own words.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Invitation:
    """A link as it is listed; ``state``: waiting, used, expired."""

    invitation_id: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    issuer: str | None

    def state(self, now: datetime) -> str:
        if self.used_at is not None:
            return "used"
        return "waiting" if now < self.expires_at else "expired"


@dataclass(frozen=True)
class Held:
    """An invitation held for one registration."""

    silo_id: int
    invitation_id: str


def invite(
    conn: Connection, silo_id: int, *, days: int, public_url: str, now: datetime
) -> tuple[str, datetime]:
    """Make an invitation; return its link, shown once, and when it expires.

    Raises RegistrationError("days") out of 1 to 30.
    """
    if not 1 <= days <= MOST_DAYS:
        raise RegistrationError("days", f"an invitation lasts 1 to {MOST_DAYS} days")
    name, secret = secrets.token_urlsafe(9), secrets.token_urlsafe(24)
    expires_at = now + timedelta(days=days)
    conn.execute(
        delete(invitation).where(invitation.c.silo_id == silo_id, invitation.c.expires_at < now - KEPT)
    )
    conn.execute(
        insert(invitation).values(
            silo_id=silo_id,
            invitation_id=name,
            secret_hash=_digest(secret),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return f"{public_url}/lti/register/{silo_id}.{name}.{secret}", expires_at


def invitations(conn: Connection, silo_id: int) -> list[Invitation]:
    """Return the invitations of a silo, the latest first."""
    columns = (
        invitation.c.invitation_id,
        invitation.c.created_at,
        invitation.c.expires_at,
        invitation.c.used_at,
        invitation.c.issuer,
    )
    wanted = select(*columns).where(invitation.c.silo_id == silo_id)
    ordered = wanted.order_by(invitation.c.created_at.desc(), invitation.c.invitation_id)
    return [Invitation(*row) for row in conn.execute(ordered)]


def withdraw(conn: Connection, silo_id: int, invitation_id: str) -> bool:
    """Take back an invitation that waits; return False when there is none."""
    found = conn.execute(
        delete(invitation)
        .where(
            invitation.c.silo_id == silo_id,
            invitation.c.invitation_id == invitation_id,
            invitation.c.used_at.is_(None),
        )
        .returning(invitation.c.invitation_id)
    )
    return found.first() is not None


def silo_of(link: str) -> int | None:
    """Return the silo that an invitation's link names, or None when it is not one."""
    found = _LINK.fullmatch(link)
    return int(found[1]) if found and int(found[1]) < 2**31 else None


def check(conn: Connection, link: str, now: datetime) -> Held:
    """Return the invitation of a link if it may serve; RegistrationError: unknown, used, expired."""
    found = _LINK.fullmatch(link)
    if found is None:
        raise RegistrationError("unknown", "registration: invitation malformed")
    silo_id, name, secret = int(found[1]), found[2], found[3]
    row = conn.execute(
        select(invitation).where(invitation.c.silo_id == silo_id, invitation.c.invitation_id == name)
    ).first()
    if row is None or not hmac.compare_digest(row.secret_hash, _digest(secret)):
        raise RegistrationError("unknown", "registration: invitation unknown")
    if row.used_at is not None:
        raise RegistrationError("used", "registration: invitation already used")
    if row.expires_at <= now:
        raise RegistrationError("expired", "registration: invitation expired")
    return Held(silo_id, name)


def hold(conn: Connection, link: str, now: datetime) -> Held:
    """Hold an invitation for the registration that begins; the errors of ``check``, and "held"."""
    held = check(conn, link, now)
    free = or_(invitation.c.held_until.is_(None), invitation.c.held_until <= now)
    taken = conn.execute(
        update(invitation)
        .where(*_same(held), invitation.c.used_at.is_(None), free)
        .values(held_until=now + HELD)
        .returning(invitation.c.invitation_id)
    ).first()
    if taken is None:
        raise RegistrationError("held", "registration: another is under way with this invitation")
    return held


def release(conn: Connection, held: Held) -> None:
    """Let an invitation serve again: what it was held for did not come about."""
    conn.execute(update(invitation).where(*_same(held)).values(held_until=None))


def spend(conn: Connection, held: Held, issuer: str, now: datetime) -> None:
    """Spend an invitation on a platform; RegistrationError: used, withdrawn when it is gone meanwhile."""
    spent = conn.execute(
        update(invitation)
        .where(*_same(held), invitation.c.used_at.is_(None))
        .values(used_at=now, held_until=None, issuer=issuer)
        .returning(invitation.c.invitation_id)
    ).first()
    if spent is None:
        there = conn.execute(select(invitation.c.invitation_id).where(*_same(held))).first()
        if there is None:
            raise RegistrationError("withdrawn", "registration: invitation withdrawn meanwhile")
        raise RegistrationError("used", "registration: invitation used meanwhile")


def _same(held: Held) -> tuple[Any, Any]:
    return invitation.c.silo_id == held.silo_id, invitation.c.invitation_id == held.invitation_id


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
