"""A platform's public keys: fetched with care, kept for an hour, fetched again when one is unknown."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from lti_tool.outbound import Outbound, OutboundError, Resolve, resolve
from tool_config.platforms import Platform
from xapi.cache import Cache

MOST_BYTES = 256_000
MOST_KEYS = 100
LEAST_BITS = 2048
#: Keys are taken as they are for so long; when the platform does not answer, for a day.
FRESH = timedelta(hours=1)
STALE = timedelta(hours=24)
#: Fetches allowed to one registration, whatever the tokens that arrive.
MOST_FETCHES = 4
WINDOW = timedelta(seconds=60)


class KeysUnavailableError(Exception):
    """The platform's keys cannot be had; the message says why, for the audit."""


class UnknownKeyError(Exception):
    """The platform does not publish that key."""


def fetch(url: str, *, allow_local: bool, resolve: Resolve = resolve) -> bytes:
    """Return the body of a guarded GET; KeysUnavailableError on anything but a plain answer 200."""
    http = Outbound(allow_local=allow_local, resolve=resolve)
    try:
        answer = http.request("GET", url, headers={"Accept": "application/json"}, most_bytes=MOST_BYTES)
    except OutboundError as error:
        raise KeysUnavailableError(str(error)) from None
    if answer.status != 200:
        raise KeysUnavailableError(f"answer {answer.status}")
    return answer.body


def read_keys(body: bytes) -> dict[str, RSAPublicKey]:
    """Return the RSA signature keys of a JWK set (RFC 7517) by kid; KeysUnavailableError without any."""
    try:
        content = json.loads(body)
        listed = content["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeysUnavailableError("not a JWK set") from None
    if not isinstance(listed, list):
        raise KeysUnavailableError("not a JWK set")
    found = {kid: key for item in listed[:MOST_KEYS] for kid, key in _key(item)}
    if not found:
        raise KeysUnavailableError("no usable key")
    return found


def _key(item: Any) -> list[tuple[str, RSAPublicKey]]:
    """Return the key of one entry, or nothing: an entry of another kind harms nobody (RFC 7517, 5)."""
    if not isinstance(item, dict) or item.get("kty") != "RSA" or not isinstance(item.get("kid"), str):
        return []
    if item.get("use", "sig") != "sig" or item.get("alg", "RS256") != "RS256":
        return []
    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": item["n"], "e": item["e"]})
    except Exception:  # whatever a foreign document makes the libraries raise, it is no key
        return []
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_BITS:
        return []
    return [(item["kid"], key)]


@dataclass
class _Entry:
    """What is known of one registration's keys."""

    keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    fetched_at: datetime | None = None
    fetches: deque[datetime] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has(self, kid: str, now: datetime, age: timedelta) -> bool:
        return self.fetched_at is not None and now - self.fetched_at < age and kid in self.keys


class KeyRing:
    """The keys of every platform, in the memory of the process.

    Through the cache, what one process fetched serves the others, and all of them together ask a platform
    no oftener than one would. Without the cache each does for itself.
    """

    def __init__(
        self, *, allow_local: bool, cache: Cache, secret_key: str, resolve: Resolve = resolve
    ) -> None:
        self._allow_local = allow_local
        self._cache = cache
        # What the cache holds is believed only under this seal: whoever writes there lets nobody in.
        self._sealing = hashlib.sha256(f"platform keys {secret_key}".encode()).digest()
        self.resolve = resolve
        self._entries: dict[tuple[int, str, str], _Entry] = {}
        self._lock = threading.Lock()

    def key(self, platform: Platform, kid: str, now: datetime) -> RSAPublicKey:
        """Return a platform's key; raises UnknownKeyError or KeysUnavailableError."""
        entry = self._entry(platform)
        if entry.has(kid, now, FRESH):
            return entry.keys[kid]
        with entry.lock:  # launches that wait find what the first of them fetched
            if not entry.has(kid, now, FRESH):
                self._refresh(entry, platform, kid, now)
            return entry.keys[kid]

    def at_hand(self, platform: Platform, kid: str, now: datetime) -> RSAPublicKey | None:
        """Return a platform's key if it is known and fresh, else None; asks nobody."""
        entry = self._entry(platform)
        return entry.keys.get(kid) if entry.has(kid, now, FRESH) else None

    def _entry(self, platform: Platform) -> _Entry:
        with self._lock:
            return self._entries.setdefault((platform.silo_id, platform.issuer, platform.jwks_url), _Entry())

    def _refresh(self, entry: _Entry, platform: Platform, kid: str, now: datetime) -> None:
        shared = f"jwks:{platform.silo_id}:{platform.issuer} {platform.jwks_url}"
        self._take(entry, shared, now)
        if entry.has(kid, now, FRESH):
            return
        try:
            self._count(entry, shared, kid, now)
            body = fetch(platform.jwks_url, allow_local=self._allow_local, resolve=self.resolve)
            entry.keys, entry.fetched_at = read_keys(body), now
            kept = int(now.timestamp()).to_bytes(8, "big") + body
            self._cache.set(shared, self._seal(shared, kept) + kept, FRESH.total_seconds())
        except KeysUnavailableError:
            if entry.has(kid, now, STALE):
                return  # the platform is out of reach and its key was good a moment ago
            raise
        if kid not in entry.keys:
            raise UnknownKeyError

    def _take(self, entry: _Entry, shared: str, now: datetime) -> None:
        """Take what another process fetched, when it is newer than what is known here."""
        found = self._cache.get(shared) or b""
        seal, kept = found[:32], found[32:]
        if not kept or not hmac.compare_digest(seal, self._seal(shared, kept)):
            return
        fetched_at = datetime.fromtimestamp(int.from_bytes(kept[:8], "big"), UTC)
        if fetched_at <= now and (entry.fetched_at is None or fetched_at > entry.fetched_at):
            entry.keys, entry.fetched_at = read_keys(kept[8:]), fetched_at

    def _seal(self, shared: str, kept: bytes) -> bytes:
        return hmac.digest(self._sealing, shared.encode() + b"\0" + kept, "sha256")

    def _count(self, entry: _Entry, shared: str, kid: str, now: datetime) -> None:
        minute = int(now.timestamp() // WINDOW.total_seconds())
        together = self._cache.increment(f"{shared} {minute}", WINDOW.total_seconds())
        while entry.fetches and now - entry.fetches[0] >= WINDOW:
            entry.fetches.popleft()
        if len(entry.fetches) >= MOST_FETCHES or together > MOST_FETCHES:
            if entry.keys and not entry.has(kid, now, STALE):
                raise UnknownKeyError
            raise KeysUnavailableError("asked too often")
        entry.fetches.append(now)
