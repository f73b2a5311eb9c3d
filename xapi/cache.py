"""A small cache, in the memory of the process or in Redis; never the only copy of anything."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

if TYPE_CHECKING:
    import redis

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Cache(Protocol):
    """What callers may ask; values are bytes, times to live are seconds and always given."""

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent, expired or out of reach."""

    def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep the value for ``ttl`` seconds at most."""

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Keep the value unless the key is there already; return True when it was kept.

        Out of reach answers True: whoever must be sure asks the database.
        """

    def increment(self, key: str, window: float) -> int:
        """Count one more and return the count since the window of that many seconds began.

        Out of reach answers 0: limits then stop nobody.
        """

    def delete(self, key: str) -> None:
        """Forget the key, if it is there."""


class MemoryCache:
    """Cache of one process, bounded: the keys used longest ago are dropped first."""

    def __init__(self, *, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        #: key -> (value or count, end)
        self._entries: OrderedDict[str, tuple[bytes | int, float]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            found = self._living(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            value = found[0]
            return str(value).encode() if isinstance(value, int) else value

    def set(self, key: str, value: bytes, ttl: float) -> None:
        with self._lock:
            self._put(key, value, self._clock() + ttl)

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        with self._lock:
            if self._living(key) is not None:
                return False
            self._put(key, value, self._clock() + ttl)
            return True

    def increment(self, key: str, window: float) -> int:
        with self._lock:
            found = self._living(key)
            if found is None:
                self._put(key, 1, self._clock() + window)
                return 1
            count = int(found[0]) + 1
            self._put(key, count, found[1])
            return count

    def delete(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def _living(self, key: str) -> tuple[bytes | int, float] | None:
        found = self._entries.get(key)
        if found is not None and found[1] <= self._clock():
            del self._entries[key]
            return None
        return found

    def _put(self, key: str, value: bytes | int, end: float) -> None:
        self._entries[key] = (value, end)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)


class RedisCache:
    """Cache shared by the processes of a server; a Redis out of reach is a miss, logged once."""

    #: Seconds without a try after a failure, so that pages do not wait for it one after the other.
    pause = 5.0

    def __init__(self, url: str, *, prefix: str = "estime:", timeout: float = 0.25) -> None:
        import redis  # here: it takes 14 MB, which a process that keeps its cache in its own memory spares

        self._fault = redis.RedisError
        self._client: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout
        )
        self._prefix = prefix
        self._down = False
        self._retry_at = 0.0

    def get(self, key: str) -> bytes | None:
        return self._ask(lambda name: cast("bytes | None", self._client.get(name)), key, None)

    def set(self, key: str, value: bytes, ttl: float) -> None:
        self._ask(lambda name: bool(self._client.set(name, value, px=_milliseconds(ttl))), key, False)

    def add(self, key: str, value: bytes, ttl: float) -> bool:
        return self._ask(
            lambda name: bool(self._client.set(name, value, px=_milliseconds(ttl), nx=True)), key, True
        )

    def increment(self, key: str, window: float) -> int:
        def count(name: str) -> int:
            # The key is made with its end in the same transaction: a count never stays for ever.
            with self._client.pipeline(transaction=True) as pipe:
                pipe.set(name, 0, px=_milliseconds(window), nx=True)
                pipe.incr(name)
                return int(pipe.execute()[1])

        return self._ask(count, key, 0)

    def delete(self, key: str) -> None:
        self._ask(lambda name: bool(self._client.delete(name)), key, False)

    def _ask(self, command: Callable[[str], T], key: str, missing: T) -> T:
        if self._down and time.monotonic() < self._retry_at:
            return missing
        try:
            answer = command(self._prefix + key)
        except self._fault as error:
            if not self._down:
                _log.warning("Redis is out of reach, going on without it: %s", type(error).__name__)
            self._down, self._retry_at = True, time.monotonic() + self.pause
            return missing
        if self._down:
            _log.warning("Redis is back")
            self._down = False
        return answer


def open_cache(redis_url: str) -> Cache:
    """Return the cache named by the settings: Redis when there is an address, else memory."""
    return RedisCache(redis_url) if redis_url else MemoryCache()


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
