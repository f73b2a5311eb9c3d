"""Keys of the store: HTTP Basic credentials, one silo each, with xAPI scopes.

Secrets are kept as argon2 hashes. Verifying one takes tens of milliseconds by design, so a process
remembers which (key, secret, hash) it has judged, as an HMAC under a random key of its own: memory
never holds a secret. The row of a key is read again after two seconds: a changed hash (rotation) or a
revocation is seen then by every process. A secret that was replaced may go on for a while beside the new
one: it is looked for only when the new one is not what was sent.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine

from tool_config import silos
from tool_config.database import asking, insert, transaction
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

_ANYTHING = frozenset(("all",))
#: A key with one of these changes what the store answers of an activity.
DEFINING = frozenset(("all", "define"))
_READING = frozenset(("all", "all/read"))

#: (resource, method) -> scopes of which a key needs one; a route without its line here cannot be mounted.
#: HEAD is GET. The resource "about" answers anybody.
RIGHTS: Mapping[tuple[str, str], frozenset[str]] = {
    ("about", "GET"): frozenset(SCOPES),
    ("statements", "GET"): _READING | {"statements/read", "statements/read/mine"},
    ("statements", "POST"): _ANYTHING | {"statements/write"},
    ("statements", "PUT"): _ANYTHING | {"statements/write"},
    ("activities", "GET"): _READING | {"statements/read"},
    ("agents", "GET"): _READING | {"statements/read"},
    **{
        (resource, method): (_READING if method == "GET" else _ANYTHING) | {scope}
        for resource, scope in (
            ("activities/state", "state"),
            ("activities/profile", "profile"),
            ("agents/profile", "profile"),
        )
        for method in ("GET", "PUT", "POST", "DELETE")
    },
}

#: OWASP's second choice: 19 MiB, so that several at once stay within a worker's memory.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_PROCESS_KEY = secrets.token_bytes(32)
_CACHE_SIZE = 4_096
_REFUSED = "the key is unknown, revoked, or its secret is wrong"
#: Mark of (key, hash, secret) -> whether the secret is the one of the hash. Two, so that a flood of wrong
#: secrets does not push the right ones out.
_right: dict[bytes, None] = {}
_wrong: dict[bytes, None] = {}

#: For how long a key that was found is taken to be as it was.
FRESH = timedelta(seconds=2)
#: Engine -> key -> when its row was read, and what it said; of those in use.
_known: WeakKeyDictionary[Engine, dict[str, tuple[datetime, silos.FoundKey]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Credential:
    """Who asks: a key, its silo and what it may do."""

    silo_id: int
    key_id: str
    scopes: frozenset[str]
    #: Name of the set of repairs that the key asked for ("moodle"); None: strict.
    repair: str | None = None

    def may(self, resource: str, method: str) -> bool:
        """Tell whether the key may ask a resource with a method (HEAD is GET)."""
        needed = RIGHTS[resource, "GET" if method == "HEAD" else method]
        return not self.scopes.isdisjoint(needed)

    def may_read(self) -> bool:
        """Tell whether the key may read the statements that others wrote."""
        return not self.scopes.isdisjoint(("all", "all/read", "statements/read"))

    def may_read_answers(self) -> bool:
        """Tell whether the key may read what people answered to questionnaires."""
        return not self.scopes.isdisjoint(_READING)


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
    key_id, (secret, secret_hash) = secrets.token_hex(16), _new_secret()
    values: dict[str, Any] = {
        "silo_id": silo_id,
        "key_id": key_id,
        "secret_hash": secret_hash,
        "scopes": " ".join(wanted),
        "repair": repair,
        "label": label,
        "created_at": now,
    }
    conn.execute(insert(conn, lrs_key).values(values))
    return key_id, secret


def rotate_key(
    conn: Connection, silo_id: int, key_id: str, *, now: datetime, overlap: timedelta = timedelta(0)
) -> str:
    """Give a key a new secret and return it; the one before is refused at once, or after `overlap`.

    A secret replaced earlier stops in any case. Raises SiloError when the silo has no such key in use.
    """
    secret, secret_hash = _new_secret()
    silos.replace_secret(conn, silo_id, key_id, secret_hash, until=now + overlap if overlap else None)
    return secret


def _new_secret() -> tuple[str, str]:
    """Return a secret and its hash."""
    secret = secrets.token_urlsafe(32)
    return secret, _HASHER.hash(secret)


def authenticate(engine: Engine, authorization: str | None, settings: Settings, now: datetime) -> Credential:
    """Return whom an Authorization header names; raises Unauthorized.

    `settings` is not read today; it is where OAuth's would come from. `now` ends the life of a secret that
    was replaced.
    """
    key_id, secret = _basic(authorization)
    read_at, found = _known.setdefault(engine, {}).get(key_id, (None, None))
    is_fresh = read_at is not None and timedelta() <= now - read_at < FRESH
    # A secret that is not the one known may be newer: the row is read again before it is refused.
    if not is_fresh or found is None or not _is_secret(key_id, secret, found.secret_hash):
        found = _looked_up(engine, key_id, secret, now)
    return Credential(
        silo_id=found.silo_id,
        key_id=key_id,
        scopes=frozenset(found.scopes.split()),
        repair=found.repair,
    )


def _looked_up(engine: Engine, key_id: str, secret: str, now: datetime) -> silos.FoundKey:
    """Return the row of a key that this secret opens now; raises Unauthorized."""
    with asking(engine) as conn:
        found = silos.find_key(conn, key_id)
    known = _known[engine]
    if found is None or found.revoked_at is not None:
        known.pop(key_id, None)
        raise Unauthorized(_REFUSED)
    known[key_id] = (now, found)
    if _is_secret(key_id, secret, found.secret_hash):
        return found
    with transaction(engine, found.silo_id, write=False) as conn:
        before = silos.previous_secret(conn, found.silo_id, key_id, now=now)
    if before is None or not _is_secret(key_id, secret, before):
        raise Unauthorized(_REFUSED)
    return found


def require(credential: Credential, resource: str, method: str) -> None:
    """Raise Forbidden, naming the scopes of which one is needed, when the key has none of them."""
    if not credential.may(resource, method):
        needed = RIGHTS[resource, "GET" if method == "HEAD" else method]
        raise Forbidden(f"this key lacks the scope: it needs one of {', '.join(sorted(needed))}")


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
    if mark in _right or mark in _wrong:
        return mark in _right
    try:
        _HASHER.verify(secret_hash, secret)
        judged = _right
    except (VerificationError, InvalidHashError):
        judged = _wrong
    if len(judged) >= _CACHE_SIZE:
        judged.clear()
    judged[mark] = None
    return judged is _right
