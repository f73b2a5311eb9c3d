"""Tombstones: what an erasure leaves behind so that a resend or an import does not bring somebody back.

A silo in which nobody was erased has no secret, which the look-ups of a batch ask for in the same exchange:
nothing more is done there. Elsewhere the names of a batch are asked for by one more query.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from tool_config.database import insert
from xapi import cutting, statement
from xapi.document_tables import key_repair
from xapi.tombstone_tables import tombstone, tombstone_secret

#: Rule under which statements left out are counted, among those of a key (`xapi.repair`).
RULE = "erased"
_CHUNK = 500


def mark(secret: str, name: str) -> str:
    """Return what stands for a name: an actor's key, a person of the files ("m:…", "a:…")."""
    return hmac.digest(bytes.fromhex(secret), name.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def secret_of(conn: Connection, silo_id: int) -> str:
    """Return the secret of a silo's tombstones; "" while it has none."""
    wanted = select(tombstone_secret.c.secret).where(tombstone_secret.c.silo_id == silo_id)
    return conn.scalar(wanted) or ""


def raise_for(
    conn: Connection, silo_id: int, names: Iterable[str], *, erasure_id: str, now: datetime
) -> None:
    """Put a tombstone on every name of somebody."""
    secret = secret_of(conn, silo_id)
    if not secret:
        secret = secrets.token_hex(32)
        conn.execute(insert(conn, tombstone_secret), {"silo_id": silo_id, "secret": secret})
    rows = [
        {"silo_id": silo_id, "mark": known, "erasure_id": erasure_id, "made_at": now}
        for known in sorted({mark(secret, name) for name in names})
    ]
    if rows:
        conn.execute(insert(conn, tombstone).on_conflict_do_nothing(), rows)


def buried(conn: Connection, silo_id: int, names: Iterable[str], *, secret: str | None = None) -> set[str]:
    """Return those of some names that have a tombstone. `secret`: what was looked up already."""
    secret = secret_of(conn, silo_id) if secret is None else secret
    if not secret:
        return set()
    marks = {mark(secret, name): name for name in names}
    wanted = sorted(marks)
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        query = select(tombstone.c.mark).where(
            tombstone.c.silo_id == silo_id, tombstone.c.mark.in_(wanted[start : start + _CHUNK])
        )
        found.update(marks[known] for known in conn.scalars(query))
    return found


def lift(conn: Connection, silo_id: int, name: str) -> bool:
    """Take the tombstones of a person away, known by one of their names; False when there is none."""
    secret = secret_of(conn, silo_id)
    if not secret:
        return False
    own = select(tombstone.c.erasure_id).where(
        tombstone.c.silo_id == silo_id, tombstone.c.mark == mark(secret, name)
    )
    erasures = conn.scalars(own).all()
    gone = delete(tombstone).where(tombstone.c.silo_id == silo_id, tombstone.c.erasure_id.in_(erasures))
    return bool(erasures) and conn.execute(gone).rowcount > 0


# --- of statements ----------------------------------------------------------------------------------------


def filtered(
    conn: Connection, silo_id: int, batch: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any] | None]:
    """Return valid statements without those who were erased; None in the place of what is theirs."""
    secret = secret_of(conn, silo_id)
    if not secret:
        return list(batch)
    named = [_names(said) for said in batch]
    gone = buried(conn, silo_id, set().union(*named) if named else (), secret=secret)
    if not gone:
        return list(batch)
    return [
        cutting.cut(said, lambda one: statement.actor_key(one) in gone) if names & gone else said
        for said, names in zip(batch, named, strict=True)
    ]


def theirs(conn: Connection, silo_id: int, batch: Sequence[Mapping[str, Any]]) -> int:
    """Count the valid statements of a batch of which nothing would be kept."""
    return sum(one is None for one in filtered(conn, silo_id, batch))


def _names(said: Mapping[str, Any]) -> set[str]:
    return {agent for agent, _ in statement.links(said).agents}


def speaks_of(conn: Connection, silo_id: int, said: Any) -> bool:
    """Tell whether something that is no valid statement names somebody who was erased."""
    secret = secret_of(conn, silo_id)
    if not secret:
        return False
    return bool(buried(conn, silo_id, agents(said), secret=secret))


def agents(said: Any) -> set[str]:
    """Return the keys of everything in a JSON value that looks like an Agent."""
    found: set[str] = set()
    if isinstance(said, Mapping):
        account = said.get("account")
        if isinstance(account, Mapping) and "homePage" in account and "name" in account:
            found.add(statement.account_key(str(account["homePage"]), str(account["name"])))
        for name in ("mbox", "mbox_sha1sum", "openid"):
            if isinstance(said.get(name), str):
                found.add(statement.actor_key({name: said[name]}))
        for item in said.values():
            found |= agents(item)
    elif isinstance(said, list):
        for item in said:
            found |= agents(item)
    return found


def count(conn: Connection, silo_id: int, key_id: str, number: int, now: datetime) -> None:
    """Count statements that were answered as taken, and of which nothing was kept."""
    if not number:
        return
    row = {"silo_id": silo_id, "key_id": key_id, "rule": RULE, "statements": number, "last_at": now}
    adding = insert(conn, key_repair).values(row)
    conn.execute(
        adding.on_conflict_do_update(
            index_elements=["silo_id", "key_id", "rule"],
            set_={"statements": key_repair.c.statements + adding.excluded.statements, "last_at": now},
        )
    )
