"""Profiles: who an administrator lets see aggregates without a course, by name, in one silo.

A grant is a row; a sign-in opens a row of `launch` that names the grant and no course, and every page asks
the grant again (`lti_tool.access`). Names and addresses are sealed with the secret key; a sign-in is matched
with a keyed hash of the address.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from lti_tool import mail, saved, sessions
from lti_tool.profile_tables import profile_grant, profile_login
from lti_tool.tables import launch
from tool_config import addresses, silos
from tool_config.roles import INGENIEUR, PROFILES
from tool_config.sealing import SealError, seal, unseal
from xapi.statement import account_key
from xapi.tables import path

#: What stands in a launch in the place of a platform.
ISSUER = "urn:estime:profile"
#: Grants of one silo at most, and letters of a name.
MOST = 500
_LONGEST_NAME = 120


class ProfileError(Exception):
    """A grant that cannot be made; `code`: profile, name, address, paths, expires, many."""

    def __init__(self, code: str) -> None:
        super().__init__(
            {
                "profile": f"the profile must be one of {', '.join(PROFILES)}",
                "name": "give the name of the person",
                "address": "give one professional address, such as prenom.nom@exemple.fr",
                "paths": "an ingenieur sees chosen paths: give one at least, that the silo has",
                "expires": "the last day is over already",
                "many": f"a silo has {MOST} grants at most",
            }[code]
        )
        self.code = code


@dataclass(frozen=True)
class Grant:
    """Somebody who may sign in; `name` and `address` are empty when another secret key sealed them."""

    silo_id: int
    grant_id: str
    profile: str
    name: str
    address: str
    paths: tuple[int, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None

    @property
    def actor(self) -> str:
        """Key under which the audit and what they save know them."""
        return actor_of(self.silo_id, self.grant_id)

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def actor_of(silo_id: int, grant_id: str) -> str:
    """Return the key of the person of a grant."""
    return account_key(f"{ISSUER}:{silo_id}", grant_id)


def _digest(conn: Connection, silo_id: int, address: str) -> str:
    """Return the keyed hash that files name the same person by, so that who erases one finds the other."""
    return addresses.digest(silos.get(conn, silo_id), address)


def grant(
    conn: Connection,
    silo_id: int,
    *,
    profile: str,
    name: str,
    address: str,
    paths: Iterable[int],
    expires_at: datetime | None,
    by: str,
    secret_key: str,
    now: datetime,
) -> Grant:
    """Grant a profile and return it; one that the address had is replaced, its sessions closed.

    Raises ProfileError.
    """
    chosen = tuple(sorted(set(paths))) if profile == INGENIEUR else ()
    name, address = " ".join(name.split()), address.strip()
    _check(conn, silo_id, profile, name, address, chosen, expires_at, now)
    hashed = _digest(conn, silo_id, address)
    c = profile_grant.c
    held = conn.scalar(select(c.grant_id).where(c.silo_id == silo_id, c.address_hash == hashed))
    if held is not None:
        close(conn, silo_id, held)
        conn.execute(delete(profile_grant).where(c.silo_id == silo_id, c.grant_id == held))
    grant_id = str(held or secrets.token_urlsafe(12))
    conn.execute(
        insert(profile_grant).values(
            silo_id=silo_id, grant_id=grant_id, profile=profile, address_hash=hashed,
            address=_sealed(secret_key, silo_id, address), name=_sealed(secret_key, silo_id, name),
            paths=list(chosen), granted_by=by, created_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    return Grant(silo_id, grant_id, profile, name, address, chosen, now, expires_at, None)


def _check(
    conn: Connection,
    silo_id: int,
    profile: str,
    name: str,
    address: str,
    paths: tuple[int, ...],
    expires_at: datetime | None,
    now: datetime,
) -> None:
    if profile not in PROFILES:
        raise ProfileError("profile")
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ProfileError("name")
    if not mail.usable(address):
        raise ProfileError("address")
    if profile == INGENIEUR:
        known = select(func.count()).where(path.c.silo_id == silo_id, path.c.path_id.in_(paths))
        if not paths or conn.scalar(known) != len(paths):
            raise ProfileError("paths")
    if expires_at is not None and expires_at <= now:
        raise ProfileError("expires")
    count = conn.scalar(
        select(func.count()).select_from(profile_grant).where(profile_grant.c.silo_id == silo_id)
    )
    if (count or 0) >= MOST:
        raise ProfileError("many")


def listing(conn: Connection, silo_id: int, *, secret_key: str) -> tuple[Grant, ...]:
    """Return the grants of a silo, by name."""
    rows = conn.execute(select(profile_grant).where(profile_grant.c.silo_id == silo_id)).all()
    found = [_from_row(row, secret_key) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.grant_id)))


def read(conn: Connection, silo_id: int, grant_id: str, *, secret_key: str) -> Grant | None:
    """Return a grant, or None when it was withdrawn."""
    c = profile_grant.c
    row = conn.execute(select(profile_grant).where(c.silo_id == silo_id, c.grant_id == grant_id)).first()
    return None if row is None else _from_row(row, secret_key)


def of_address(
    conn: Connection, silo_id: int, address: str, *, secret_key: str, now: datetime
) -> Grant | None:
    """Return the grant that an address has and that is not over, or None."""
    c = profile_grant.c
    hashed = _digest(conn, silo_id, address)
    row = conn.execute(select(profile_grant).where(c.silo_id == silo_id, c.address_hash == hashed)).first()
    found = None if row is None else _from_row(row, secret_key)
    return None if found is None or found.is_over(now) else found


def of_actor(conn: Connection, silo_id: int, actor: str, *, secret_key: str, now: datetime) -> Grant | None:
    """Return the grant of somebody whom the audit knows by that key, unless it is over; None without one."""
    found = next((one for one in listing(conn, silo_id, secret_key=secret_key) if one.actor == actor), None)
    return None if found is None or found.is_over(now) else found


def withdraw(conn: Connection, silo_id: int, grant_id: str) -> bool:
    """Take a grant back at once, with its sessions and the sign-ins under way; False when it is not there."""
    close(conn, silo_id, grant_id)
    saved.forget(conn, silo_id, actor_of(silo_id, grant_id))
    p, g = profile_login.c, profile_grant.c
    conn.execute(delete(profile_login).where(p.silo_id == silo_id, p.grant_id == grant_id))
    gone = conn.execute(delete(profile_grant).where(g.silo_id == silo_id, g.grant_id == grant_id))
    return gone.rowcount == 1


def close(conn: Connection, silo_id: int, grant_id: str, launch_id: str = "") -> int:
    """End the sessions of a grant, or one of them; return how many."""
    c = launch.c
    which = [c.silo_id == silo_id, c.issuer == ISSUER, c.client_id == grant_id]
    if launch_id:
        which.append(c.launch_id == launch_id)
    return conn.execute(delete(launch).where(*which)).rowcount


def enter(conn: Connection, found: Grant, *, locale: str, now: datetime) -> sessions.Opened:
    """Open the session of somebody who signed in: eight hours, no course."""
    c = profile_grant.c
    mine = c.silo_id == found.silo_id, c.grant_id == found.grant_id
    conn.execute(update(profile_grant).where(*mine).values(used_at=now))
    values = {
        "issuer": ISSUER, "client_id": found.grant_id, "deployment_id": "", "actor": found.actor,
        "role": found.profile, "course_id": 0, "locale": locale, "services": {},
    }  # fmt: skip
    return sessions.open_launch(conn, found.silo_id, values, now=now)


def _sealed(secret_key: str, silo_id: int, text: str) -> str:
    return seal(secret_key, f"profile {silo_id}", text)


def _from_row(row: Row[Any], secret_key: str) -> Grant:
    def opened(text: str) -> str:
        try:
            return unseal(secret_key, f"profile {row.silo_id}", text)
        except SealError:
            return ""

    return Grant(
        row.silo_id, row.grant_id, row.profile, opened(row.name), opened(row.address),
        tuple(int(one) for one in row.paths), row.created_at, row.expires_at, row.used_at,
    )  # fmt: skip
