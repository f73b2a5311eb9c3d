"""Keys of the store: HTTP Basic credentials, one silo each, with xAPI scopes.

Secrets are kept as argon2 hashes. Verifying one takes tens of milliseconds by design, so a process
remembers which (key, secret, hash) it has verified, as an HMAC under a random key of its own: memory
never holds a secret, and a changed hash (rotation) or a revoked row is seen at the very next request,
since the row is read every time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine

from tool_config import silos
from tool_config.database import insert, locating
from tool_config.settings import Settings
from tool_config.tables import lrs_key
from xapi.errors import Forbidden, Unauthorized, XapiError

#: xAPI 1.0.3 Communication 4.2, without the OAuth-only ones.
SCOPES = (
    "statements/write",
    "statements/read/mine",
    "statements/read",
    "state",
    "define",
    "profile",
    "all/read",
    "all",
)

#: OWASP's second choice: 19 MiB, so that several at once stay within a worker's memory.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_PROCESS_KEY = secrets.token_bytes(32)
_CACHE_SIZE = 4_096
_verified: dict[bytes, None] = {}


@dataclass(frozen=True)
class Credential:
    """Who asks: a key, its silo and what it may do."""

    silo_id: int
    key_id: str
    scopes: frozenset[str]
    #: Name of the set of repairs that the key asked for ("moodle"); None: strict.
    repair: str | None = None

    def may_write(self) -> bool:
        """Tell whether the key may store statements."""
        return not self.scopes.isdisjoint(("all", "statements/write"))

    def may_read(self) -> bool:
        """Tell whether the key may read every statement of its silo."""
        return not self.scopes.isdisjoint(("all", "all/read", "statements/read"))

    def may_read_mine(self) -> bool:
        """Tell whether the key may read the statements that it wrote."""
        return self.may_read() or "statements/read/mine" in self.scopes

    def may_use(self, kind: str, *, writing: bool) -> bool:
        """Tell whether the key may read or change documents; `kind` is their scope: state or profile."""
        allowed = ("all", kind) if writing else ("all", "all/read", kind)
        return not self.scopes.isdisjoint(allowed)


def issue_key(
    conn: Connection,
    silo_id: int,
    scopes: Iterable[str],
    *,
    now: datetime,
    label: str = "",
    repair: str | None = None,
) -> tuple[str, str]:
    """Make a key and return (key id, secret); the secret is not kept and cannot be shown again.

    Raises XapiError on an unknown scope or none.
    """
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        given = ", ".join(unknown) or "none"
        raise XapiError(f"unknown scope: {given}; the scopes are {', '.join(SCOPES)}")
    key_id, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
    values: dict[str, Any] = {
        "silo_id": silo_id,
        "key_id": key_id,
        "secret_hash": _HASHER.hash(secret),
        "scopes": " ".join(wanted),
        "repair": repair,
        "label": label,
        "created_at": now,
    }
    conn.execute(insert(conn, lrs_key).values(values))
    return key_id, secret


def authenticate(engine: Engine, authorization: str | None, settings: Settings) -> Credential:
    """Return whom an Authorization header names; raises Unauthorized.

    `settings` is not read today; it is where OAuth's would come from.
    """
    key_id, secret = _basic(authorization)
    with locating(engine) as conn:
        found = silos.find_key(conn, key_id)
    if found is None or found.revoked_at is not None or not _is_secret(key_id, secret, found.secret_hash):
        raise Unauthorized("the key is unknown, revoked, or its secret is wrong")
    return Credential(
        silo_id=found.silo_id,
        key_id=key_id,
        scopes=frozenset(found.scopes.split()),
        repair=found.repair,
    )


def require(allowed: bool, scope: str) -> None:
    """Raise Forbidden unless `allowed`; `scope` names what is missing."""
    if not allowed:
        raise Forbidden(f"this key lacks the scope {scope}")


def authority(public_url: str, key_id: str) -> dict[str, Any]:
    """Return the Agent that stands for a key in `authority` (Data 2.4.9)."""
    return {"objectType": "Agent", "account": {"homePage": public_url, "name": key_id}}


def _basic(header: str | None) -> tuple[str, str]:
    """Read HTTP Basic credentials (RFC 7617); raises Unauthorized."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized("HTTP Basic credentials are needed")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise Unauthorized("the HTTP Basic credentials cannot be read") from None
    key_id, colon, secret = text.partition(":")
    if not colon or not key_id or not secret or len(text) > 500 or "\x00" in text:
        raise Unauthorized("the HTTP Basic credentials cannot be read")
    return key_id, secret


def _is_secret(key_id: str, secret: str, secret_hash: str) -> bool:
    message = "\0".join((key_id, secret_hash, secret)).encode()
    mark = hmac.digest(_PROCESS_KEY, message, "sha256")
    if mark in _verified:
        return True
    try:
        _HASHER.verify(secret_hash, secret)
    except (VerificationError, InvalidHashError):
        return False
    if len(_verified) >= _CACHE_SIZE:
        _verified.clear()
    _verified[mark] = None
    return True
