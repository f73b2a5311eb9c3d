"""One behaviour for the two caches, and Redis away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import cast
from uuid import uuid4

import pytest

from tests import services
from xapi.cache import Cache, MemoryCache, RedisCache, open_cache


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        yield MemoryCache()
        return
    # A prefix for each test: what another one left is not seen.
    yield RedisCache(request.getfixturevalue("redis_url"), prefix=f"{uuid4().hex}:", timeout=5)


def test_a_value_is_kept_until_it_is_deleted(cache: Cache) -> None:
    assert cache.get("a") is None
    cache.set("a", b"\x00\xff", 60)
    assert cache.get("a") == b"\x00\xff"
    cache.set("a", b"2", 60)
    assert cache.get("a") == b"2"
    cache.delete("a")
    cache.delete("a")
    assert cache.get("a") is None


def test_a_value_ends_with_its_time(cache: Cache) -> None:
    cache.set("a", b"1", 0.05)
    cache.set("b", b"1", 60)
    time.sleep(0.1)
    assert cache.get("a") is None
    assert cache.get("b") == b"1"


def test_add_keeps_the_first(cache: Cache) -> None:
    assert cache.add("a", b"1", 1)
    assert not cache.add("a", b"2", 60)
    assert cache.get("a") == b"1"
    time.sleep(1.1)
    assert cache.add("a", b"3", 60)
    assert cache.get("a") == b"3"


def test_increment_counts_in_a_window_that_does_not_slide(cache: Cache) -> None:
    # A window that slid would still count at the end: the margins are for a machine that is busy.
    began = time.monotonic()
    assert [cache.increment("a", 2) for _ in range(3)] == [1, 2, 3]
    assert cache.get("a") == b"3"
    time.sleep(1)
    assert cache.increment("a", 2) == 4
    time.sleep(max(0.0, began + 2.3 - time.monotonic()))
    assert cache.increment("a", 2) == 1


def test_increments_at_once_are_all_counted(cache: Cache) -> None:
    def count() -> None:
        for _ in range(50):
            cache.increment("a", 60)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.increment("a", 60) == 201


def test_memory_is_bounded_and_drops_what_was_used_longest_ago() -> None:
    cache = MemoryCache(size=3)
    for name in "abc":
        cache.set(name, name.encode(), 60)
    assert cache.get("a") == b"a"
    cache.set("d", b"d", 60)
    assert [cache.get(name) for name in "abcd"] == [b"a", None, b"c", b"d"]


def test_redis_away_is_a_miss_said_once(caplog: pytest.LogCaptureFixture) -> None:
    cache = cast(RedisCache, open_cache(f"redis://127.0.0.1:{services.free_port()}/0"))
    cache.pause = 0
    with caplog.at_level(logging.WARNING):
        cache.set("a", b"1", 60)
        assert cache.get("a") is None
        assert cache.add("a", b"1", 60)
        assert cache.increment("a", 60) == 0
        cache.delete("a")
    assert [record.message.split(",")[0] for record in caplog.records] == ["Redis is out of reach"]


def test_a_failure_pauses_the_tries() -> None:
    cache = RedisCache(f"redis://127.0.0.1:{services.free_port()}/0")
    cache.get("a")
    began = time.perf_counter()
    for _ in range(1000):
        assert cache.get("a") is None
    assert time.perf_counter() - began < 0.5
