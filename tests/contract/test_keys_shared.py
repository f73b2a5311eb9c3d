"""The keys of a platform, shared between processes through the cache, on memory and on Redis."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lti_tool import keys
from lti_tool.keys import KeyRing, KeysUnavailableError, UnknownKeyError
from tests import services
from tool_config.platforms import Platform
from xapi.cache import Cache, MemoryCache, RedisCache

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECRET = "a-secret-key-0123456789-abcdefghijklmnop"


@pytest.fixture(params=["memory", "redis"])
def shared(request: pytest.FixtureRequest) -> Cache:
    if request.param == "memory":
        return MemoryCache()
    return RedisCache(request.getfixturevalue("redis_url"), prefix=f"test-{id(request)}:")


@pytest.fixture(scope="module")
def jwks() -> bytes:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(made.public_key()))
    return json.dumps({"keys": [{**jwk, "kid": "one", "alg": "RS256", "use": "sig"}]}).encode()


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, jwks: bytes) -> list[str]:
    asked: list[str] = []

    def fetch(url: str, **_: Any) -> bytes:
        asked.append(url)
        return jwks

    monkeypatch.setattr(keys, "fetch", fetch)
    return asked


def platform() -> Platform:
    return Platform(
        silo_id=1,
        issuer="https://moodle.test",
        client_id="c",
        auth_url="https://moodle.test/auth",
        token_url="https://moodle.test/token",
        jwks_url="https://moodle.test/certs",
        family="moodle",
        frame_origins=(),
        trusted_audiences=frozenset(),
        role_map={},
        active=True,
    )


def ring(cache: Cache, secret_key: str = SECRET) -> KeyRing:
    return KeyRing(allow_local=False, cache=cache, secret_key=secret_key)


def test_what_one_process_fetched_serves_the_others(shared: Cache, fetched: list[str]) -> None:
    ring(shared).key(platform(), "one", NOW)
    ring(shared).key(platform(), "one", NOW + timedelta(minutes=30))
    assert len(fetched) == 1
    ring(shared).key(platform(), "one", NOW + timedelta(hours=2))
    assert len(fetched) == 2


def test_all_processes_together_ask_no_oftener_than_one(shared: Cache, fetched: list[str]) -> None:
    for _ in range(10):
        with pytest.raises(UnknownKeyError):
            ring(shared).key(platform(), "forged", NOW)
    assert len(fetched) == keys.MOST_FETCHES


def test_known_keys_serve_a_whole_class_while_the_platform_is_out_of_reach(
    shared: Cache, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ring(shared)
    one.key(platform(), "one", NOW)

    def fetch(url: str, **_: Any) -> bytes:
        fetched.append(url)
        raise KeysUnavailableError("no answer")

    monkeypatch.setattr(keys, "fetch", fetch)
    later = NOW + timedelta(hours=2)
    for _ in range(30):
        one.key(platform(), "one", later)
    assert len(fetched) == 1 + keys.MOST_FETCHES
    with pytest.raises(UnknownKeyError):
        one.key(platform(), "forged", later)
    with pytest.raises((KeysUnavailableError, UnknownKeyError)):
        one.key(platform(), "one", NOW + timedelta(hours=25))


def test_keys_put_into_the_cache_by_somebody_else_are_not_believed(shared: Cache, fetched: list[str]) -> None:
    ring(shared, "another-secret-key-0123456789-abcdefghijk").key(platform(), "one", NOW)
    ring(shared).key(platform(), "one", NOW)
    assert len(fetched) == 2


def test_without_redis_each_process_does_for_itself(fetched: list[str]) -> None:
    gone = RedisCache(f"redis://127.0.0.1:{services.free_port()}/0")
    one = ring(gone)
    one.key(platform(), "one", NOW)
    one.key(platform(), "one", NOW)
    assert len(fetched) == 1


def test_a_platform_that_gives_no_keys_is_asked_seldom(
    shared: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(url: str, **_: Any) -> bytes:
        asked.append(url)
        raise KeysUnavailableError("no answer")

    monkeypatch.setattr(keys, "fetch", fetch)
    for _ in range(10):
        with pytest.raises(KeysUnavailableError):
            ring(shared).key(platform(), "one", NOW)
    assert len(asked) == keys.MOST_FETCHES
