"""Silos: watertight communities, found by name, by key, or one after the other."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    update,
)

from tool_config.database import locating
from tool_config.tables import key_secret, lrs_key, silo

_NAME = re.compile(r"[^\W_](?:[\w .'’()&/-]{0,98}[\w.)])?")


class SiloError(Exception):
    """A silo that cannot be made or found; the message says why."""


@dataclass(frozen=True)
class Silo:
    """One community. The keys are 32 random bytes each, never shown."""

    silo_id: int
    name: str
    time_zone: str
    pseudonym_key: bytes
    #: Keys the pseudonyms shown; None until they are rotated: the other one does.
    display_key: bytes | None = None


class FoundKey(NamedTuple):
    """An LRS key as the store keeps it; ``secret_hash`` is of argon2, ``scopes`` separated by spaces."""

    silo_id: int
    key_id: str
    secret_hash: str
    scopes: str
    repair: str | None
    revoked_at: datetime | None


def add(conn: Connection, name: str, *, now: datetime, time_zone: str = "Europe/Paris") -> int:
    """Make a silo and return its number; ``conn`` is of ``administration``.

    Raises SiloError on a name already taken or not usable, or on an unknown time zone.
    """
    name = name.strip()
    if not _NAME.fullmatch(name) or name.isdigit():
        raise SiloError(
            f"{name!r} cannot name a silo: 1 to 100 letters, digits, spaces and . ' ( ) & / -, "
            "not a number alone"
        )
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SiloError(f"{time_zone!r} is not a time zone such as Europe/Paris") from None
    if conn.execute(select(silo.c.silo_id).where(silo.c.name == name)).first():
        raise SiloError(f"a silo named {name!r} already exists")
    values = {
        "name": name,
        "time_zone": time_zone,
        "pseudonym_key": secrets.token_bytes(32),
        "created_at": now,
    }
    return int(conn.execute(insert(silo).values(values).returning(silo.c.silo_id)).scalar_one())


def by_name(conn: Connection, name: str) -> Silo:
    """Return the silo of that name, or of that number; SiloError when there is none."""
    found = conn.execute(_silos().where(silo.c.name == name)).first()
    if found is None and name.isascii() and name.isdigit() and len(name) < 10:
        found = conn.execute(_silos().where(silo.c.silo_id == int(name))).first()
    if found is None:
        raise SiloError(f"there is no silo {name!r}")
    return Silo(*found)


def get(conn: Connection, silo_id: int) -> Silo:
    """Return a silo by its number; SiloError when there is none (or the connection may not see it)."""
    found = conn.execute(_silos().where(silo.c.silo_id == silo_id)).first()
    if found is None:
        raise SiloError(f"there is no silo number {silo_id}")
    return Silo(*found)


def list_all(conn: Connection) -> list[Silo]:
    """Return every silo that the connection may see, by number."""
    return [Silo(*row) for row in conn.execute(_silos().order_by(silo.c.silo_id))]


def list_ids(engine: Engine) -> list[int]:
    """Return the numbers of all silos, for those who go from one to the next (workers)."""
    with locating(engine) as conn:
        if conn.dialect.name == "postgresql":
            source = func.estime_silos().table_valued(column("silo_id", Integer))
            return list(conn.execute(select(source.c.silo_id).order_by(source.c.silo_id)).scalars())
        return list(conn.execute(select(silo.c.silo_id).order_by(silo.c.silo_id)).scalars())


def find_key(conn: Connection, key_id: str) -> FoundKey | None:
    """Return an LRS key by its public half, before its silo is known.

    ``conn`` is of ``locating``; on PostgreSQL the look-up is the function ``estime_find_key``.
    """
    found = conn.execute(_key(conn.dialect.name == "postgresql"), {"wanted": key_id}).first()
    return FoundKey(*found) if found else None


@cache
def _key(is_server: bool) -> Any:
    """Return SELECT of a key, made once: every request to the store looks its own up."""
    table: Any = lrs_key
    wanted = bindparam("wanted", type_=Text)
    if is_server:
        shape = [column(name, lrs_key.c[name].type) for name in FoundKey._fields]
        table = func.estime_find_key(wanted).table_valued(*shape)
    return select(*(table.c[name] for name in FoundKey._fields)).where(table.c.key_id == wanted)


def list_keys(conn: Connection, silo_id: int) -> list[Any]:
    """Return (key_id, label, scopes, repair, created_at, revoked_at) of a silo's keys, oldest first."""
    table = lrs_key.c
    wanted = (
        select(table.key_id, table.label, table.scopes, table.repair, table.created_at, table.revoked_at)
        .where(table.silo_id == silo_id)
        .order_by(table.created_at, table.key_id)
    )
    return list(conn.execute(wanted))


def revoke_key(conn: Connection, silo_id: int, key_id: str, *, now: datetime) -> None:
    """Stop a key from the next request on; SiloError when it is unknown or stopped already."""
    done = conn.execute(
        update(lrs_key)
        .where(lrs_key.c.silo_id == silo_id, lrs_key.c.key_id == key_id, lrs_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if done.rowcount != 1:
        raise SiloError(f"this silo has no key {key_id!r} in use")


def replace_secret(
    conn: Connection, silo_id: int, key_id: str, secret_hash: str, *, until: datetime | None
) -> None:
    """Give a key another secret; the one it had opens `until` then, or no more (None).

    The one that was before it is forgotten. Raises SiloError on a key that is unknown or stopped.
    """
    key = lrs_key.c
    mine = (key.silo_id == silo_id, key.key_id == key_id, key.revoked_at.is_(None))
    before = conn.execute(select(key.secret_hash).where(*mine).with_for_update()).scalar()
    if before is None:
        raise SiloError(f"this silo has no key {key_id!r} in use")
    old = key_secret.c
    conn.execute(delete(key_secret).where(old.silo_id == silo_id, old.key_id == key_id))
    if until is not None:
        row = {"silo_id": silo_id, "key_id": key_id, "secret_hash": before, "until": until}
        conn.execute(insert(key_secret).values(row))
    conn.execute(update(lrs_key).where(*mine).values(secret_hash=secret_hash))


def previous_secret(conn: Connection, silo_id: int, key_id: str, *, now: datetime) -> str | None:
    """Return the hash of the secret that a key had before, while it still opens."""
    old = key_secret.c
    wanted = select(old.secret_hash).where(old.silo_id == silo_id, old.key_id == key_id, old.until > now)
    found: str | None = conn.execute(wanted).scalar()
    return found


def previous_secret_ends(conn: Connection, silo_id: int, key_id: str) -> datetime | None:
    """Return when the secret that a key had before stops opening; None when it has no such secret."""
    old = key_secret.c
    wanted = select(old.until).where(old.silo_id == silo_id, old.key_id == key_id)
    found: datetime | None = conn.execute(wanted).scalar()
    return found


def pseudonym(owner: Silo, actor: str) -> str:
    """Return the stable pseudonym of an actor in its silo: eight letters and digits, such as ``K7QF-2MXA``.

    Keyed by the silo's own secret: nobody without it can go from a known person to the pseudonym.
    """
    digest = hmac.digest(owner.display_key or owner.pseudonym_key, actor.encode(), "sha256")
    text = base64.b32encode(digest[:5]).decode()
    return f"{text[:4]}-{text[4:]}"


def _silos() -> Any:
    return select(silo.c.silo_id, silo.c.name, silo.c.time_zone, silo.c.pseudonym_key, silo.c.display_key)


def rotate_pseudonyms(conn: Connection, silo_id: int) -> None:
    """Draw another key for the pseudonyms shown; ``conn`` is of ``administration``.

    Nothing leads from the ones to the others. Addresses of files keep their own key, and go on matching.
    """
    drawn = {"display_key": secrets.token_bytes(32)}
    conn.execute(update(silo).where(silo.c.silo_id == silo_id).values(drawn))
