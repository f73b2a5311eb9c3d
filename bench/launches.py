"""`python -m bench.launches`: launches of a class, over HTTP, on PostgreSQL and Redis.

The tool runs under gunicorn, the platform's keys are known to it, and its answers are signed beforehand.
First, eight answers at a time are posted to /lti/launch, without a pause: the requests are written
beforehand and go through bare sockets, one thread for all, since they share the processors with what is
measured.
Then a class opens together: every twentieth of a second a browser logs in, passes the check of cookies and
posts its answer, whatever became of those before it.
"""

from __future__ import annotations

import argparse
import http.client
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from bench import ingestion, load
from lti_tool import migrations
from tests import services
from tests.factories.platform import FakePlatform, jwks_server
from tool_config import silos
from tool_config.database import administration, open_engine

_BROWSERS = 8
#: Launches of each process before the first that is measured.
_WARM = 100
_P95_MS = 40
_CLASS, _CLASS_SECONDS = 200, 10.0
_HOST = "estime.test"
#: As deploy/ runs it.
_WORKER = "lti_tool.listening.Worker"
console = Console(width=110)


@dataclass(frozen=True)
class Answer:
    """What a platform posts for one person, and the cookie of the browser that it goes through."""

    body: str
    cookie: str


@dataclass
class Found:
    """Milliseconds of each POST /lti/launch, and what went wrong."""

    people: int
    processes: int
    #: Eight at a time: people who come for the first time, then the same ones again.
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    per_second: float = 0.0
    #: A class within ten seconds: the launch itself, and the whole way from the first click.
    together: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: Milliseconds of processor a launch, by who comes and by what spends them.
    spent: dict[str, dict[str, float]] = field(default_factory=dict)


def main() -> None:
    """Launch, print."""
    parser = argparse.ArgumentParser(prog="bench.launches")
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--processes", type=int, default=2, help="of gunicorn")
    parser.add_argument("--threads", type=int, default=4, help="of each process")
    options = parser.parse_args()
    with services.postgresql(durable=True) as url, services.redis() as redis_url:
        report(run(url, redis_url, options.people, options.processes, options.threads))


def run(server: str, redis_url: str, people: int = 400, processes: int = 2, threads: int = 4) -> Found:
    """Measure on a server of PostgreSQL and one of Redis."""
    engine = open_engine(ingestion.database(server, "bench_launches"))
    migrations.upgrade(engine)
    found = Found(people, processes)
    with _site(engine, redis_url, processes, threads) as (port, platform):
        # What is done once a process, and once a connection to the database, is done: as many at a time.
        first = [_Browser(port, platform).login(str(1_000_000 + rank)) for rank in range(_WARM * processes)]
        _all_at_once(port, first, [], found.errors)
        for label, times in (("newcomers", found.first), ("known people", found.again)):
            waiting = [_Browser(port, platform).login(str(rank)) for rank in range(people)]
            with administration(engine) as conn:  # as a database in service is by its own doing
                conn.exec_driver_sql("ANALYZE")
            with load.watched(engine, port) as spent:
                seconds = _all_at_once(port, waiting, times, found.errors)
            found.per_second = people / seconds
            found.spent[label] = {name: 1000 * value / people for name, value in spent.items()}
        _class(port, platform, found)
    engine.dispose()
    return found


def report(found: Found) -> None:
    """Print how long launches took."""
    table = Table(title=f"POST /lti/launch, ms: PostgreSQL with fsync, Redis, {found.processes} processes")
    for name in ("", "launches", "p50", "p95", "longest", "aim"):
        table.add_column(name, justify="left" if not name else "right")
    label = f"{_BROWSERS} at a time"
    rows = [(f"{label}, newcomers", found.first), (f"{label}, known people", found.again)]
    for name, times in rows:
        table.add_row(name, *_row(times), _verdict(_at(times, 95) < _P95_MS, f"p95 < {_P95_MS}"))
    quiet = _verdict(not found.errors, "no error")
    table.add_row(f"{_CLASS} within {_CLASS_SECONDS:.0f} s", *_row(found.together), quiet)
    table.add_row("… from the first click (3 requests)", *_row(found.whole), "")
    console.print(table)
    console.print(
        f"{found.per_second:.0f} launches/s of known people; {len(found.errors)} errors "
        + "; ".join(sorted(set(found.errors))[:3])
    )
    for label, spent in found.spent.items():
        told = ", ".join(f"{name} {value:.1f}" for name, value in spent.items())
        console.print(f"Milliseconds of processor a launch, {label}: {told}")


def _row(times: list[float]) -> tuple[str, ...]:
    longest = f"{max(times):.1f}" if times else "–"
    return str(len(times)), f"{_at(times, 50):.1f}", f"{_at(times, 95):.1f}", longest


def _at(times: list[float], percent: int) -> float:
    """Return a percentile; without a time, none is met."""
    return sorted(times)[max(0, -(-len(times) * percent // 100) - 1)] if times else float("inf")


def _verdict(met: bool, aim: str) -> str:
    return f"{aim}: {'yes' if met else 'NO'}"


# --- the tool, its platform, a browser ----------------------------------------------------------------


@contextmanager
def _site(engine: Engine, redis_url: str, processes: int, threads: int) -> Iterator[tuple[int, FakePlatform]]:
    """Serve the tool, with one registered platform whose keys are on a socket of this process."""
    now = datetime.now(UTC)
    with jwks_server() as keys:
        platform = FakePlatform(keys, lambda: datetime.now(UTC), f"https://{_HOST}")
        with administration(engine) as conn:
            silo_id = silos.add(conn, "mesure", now=now)
        platform.register(engine, silo_id)
        more = {"ESTIME_REDIS_URL": redis_url, "ESTIME_ALLOW_LOCAL_NETWORK": "1"}
        with ingestion.serving(engine, processes, threads, _WORKER, **more) as port:
            yield port, platform


class _Browser:
    """A browser as a platform's page drives it: logs in, keeps the login's cookie, posts the answer."""

    def __init__(self, port: int, platform: FakePlatform) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._platform = platform

    def login(self, sub: str) -> Answer:
        """Go through the login and the check of cookies, and return what the platform answers."""
        form = urlencode(self._platform.login(login_hint=sub))
        begun = self._ask("POST", "/lti/login", form)
        cookie = str(_expect(begun, 302).headers["Set-Cookie"]).partition(";")[0]
        gone = _expect(self._ask("GET", str(begun.headers["Location"]), cookie=cookie), 302)
        asked = dict(parse_qsl(urlsplit(str(gone.headers["Location"])).query))
        person = {
            "sub": sub,
            "name": f"Personne {sub}",
            "given_name": "Personne",
            "family_name": sub,
            "email": f"personne{sub}@campus.test",
            "ext": {"user_username": f"personne{sub}", "lms": "moodle-2"},
        }
        token = self._platform.sign(self._platform.claims(asked["nonce"], **person))
        return Answer(urlencode({"state": asked["state"], "id_token": token}), cookie)

    def post(self, answer: Answer) -> http.client.HTTPResponse:
        return self._ask("POST", "/lti/launch", answer.body, answer.cookie)

    def _ask(self, method: str, path: str, body: str = "", cookie: str = "") -> http.client.HTTPResponse:
        headers = {"Host": _HOST, "Content-Type": "application/x-www-form-urlencoded"}
        if cookie:
            headers["Cookie"] = cookie
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        response.read()
        return response


def _expect(response: http.client.HTTPResponse, status: int) -> http.client.HTTPResponse:
    if response.status != status:
        raise RuntimeError(f"{response.status} where {status} was expected")
    return response


# --- many at once ------------------------------------------------------------------------------------------


def _all_at_once(port: int, answers: list[Answer], times: list[float], errors: list[str]) -> float:
    """Keep eight requests under way until every answer is posted; return seconds.

    Each goes through a connection of its own, as a server in front opens them (deploy/nginx.conf).
    """
    waiting = [_request(answer) for answer in reversed(answers)]
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        under_way = 0
        while waiting or under_way:
            while waiting and under_way < _BROWSERS:
                _send(selector, port, waiting.pop())
                under_way += 1
            for key, _ in selector.select(60):
                if _is_over(key, times, errors):
                    selector.unregister(key.fileobj)
                    key.data.socket.close()
                    under_way -= 1
        return time.perf_counter() - began


@dataclass
class _Post:
    """A request under way."""

    socket: socket.socket
    began: float
    received: bytes = b""


def _request(answer: Answer) -> bytes:
    return (
        f"POST /lti/launch HTTP/1.1\r\nHost: {_HOST}\r\nConnection: close\r\nCookie: {answer.cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(answer.body)}\r\n\r\n{answer.body}"
    ).encode()


def _send(selector: selectors.BaseSelector, port: int, request: bytes) -> None:
    began = time.perf_counter()
    made = socket.create_connection(("127.0.0.1", port), timeout=60)
    made.sendall(request)
    selector.register(made, selectors.EVENT_READ, _Post(made, began))


def _is_over(key: selectors.SelectorKey, times: list[float], errors: list[str]) -> bool:
    """Read what came; tell whether the whole answer is there, its time or its fault then noted."""
    post: _Post = key.data
    part = post.socket.recv(65536)
    post.received += part
    head, _, body = post.received.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    if part and not (length and len(body) >= int(length)):
        return False
    status = head[9:12].decode()
    if status == "303":
        times.append(1000 * (time.perf_counter() - post.began))
    else:
        errors.append(status or "the server hung up")
    return True


def _class(port: int, platform: FakePlatform, found: Found) -> None:
    """Open for everybody of a class within a few seconds, at a steady pace, nobody waiting for another."""

    def open_one(rank: int) -> None:
        began = time.perf_counter()
        try:
            browser = _Browser(port, platform)
            answer = browser.login(f"2{rank:05d}")
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            found.errors.append(f"login: {error}")
            return
        _timed(lambda answer: browser.post(answer).status, answer, found.together, found.errors)
        found.whole.append(1000 * (time.perf_counter() - began))

    threads = [threading.Thread(target=open_one, args=(rank,)) for rank in range(_CLASS)]
    began = time.perf_counter()
    for rank, thread in enumerate(threads):
        time.sleep(max(0.0, began + rank * _CLASS_SECONDS / _CLASS - time.perf_counter()))
        thread.start()
    for thread in threads:
        thread.join()


def _timed(post: Callable[[Answer], int], answer: Answer, times: list[float], errors: list[str]) -> None:
    began = time.perf_counter()
    try:
        status = post(answer)
    except (OSError, http.client.HTTPException) as error:
        errors.append(type(error).__name__)
        return
    if status == 303:
        times.append(1000 * (time.perf_counter() - began))
    else:
        errors.append(str(status))


if __name__ == "__main__":
    main()
