"""`python -m bench.ingestion`: statements over HTTP, against COPY of the same rows on the same server.

Four clients send batches of 50 to the tool under gunicorn; four connections copy the rows that came of
it (statement, links, events, what is pending), in commits of 50 statements, into an empty store with the
same indexes and the same durability. COPY is given text ready to be sent: nothing is validated, drawn or
looked up, so that its rate is a ceiling. The first of the same batches then go to Ralph. What the
application, the database and the clients take of the processors is told by batch.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import orjson
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, create_engine, func, make_url, select

from bench import course, load, ralph
from lti_tool import migrations
from tests import services
from tool_config import silos
from tool_config.database import administration, open_engine
from xapi import auth, tables

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_CLIENTS, _BATCH = 4, 50
#: Times that two batches a client are sent beforehand.
_WARMING = 5
_TARGET = 0.2
#: Statements sent to Ralph, which slows down as its file grows; how many times its rate is aimed at.
_PEER, _PEER_TARGET = 4_000, 3
#: Table -> column that names the statement; rows to be rolled up have none and are shared out.
_COPIED = {
    "statement": "id",
    "statement_agent": "statement_id",
    "statement_activity": "statement_id",
    "event": "statement_id",
    "rollup_pending": None,
}
console = Console(width=110)
Item = TypeVar("Item")

#: One commit: table -> lines in COPY's text format.
Commit = dict[str, bytes]


@dataclass(frozen=True)
class Found:
    """Statements a second, both ways."""

    statements: int
    processes: int
    sent: float
    copied: float
    #: Milliseconds of a request.
    p50: float
    p95: float
    #: Milliseconds of processor by batch: application, database, clients.
    spent: Mapping[str, float]
    #: What Ralph took, a second; 0 when it cannot be had; how, or why not.
    peer: float
    peer_said: str

    @property
    def ratio(self) -> float:
        return self.sent / self.copied


def main() -> None:
    """Send, copy, print."""
    parser = argparse.ArgumentParser(prog="bench.ingestion")
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2, help="of gunicorn")
    options = parser.parse_args()
    with services.postgresql(durable=True) as url:
        report(run(url, options.statements, options.processes))


def run(server: str, statements: int, processes: int) -> Found:
    """Measure on a server: a store for what is sent, another for what is copied."""
    engines = [_store(server, name) for name in ("sent", "copied")]
    with administration(engines[0]) as conn:
        silo_id = silos.add(conn, "mesure", now=_NOW)
        key = auth.issue_key(conn, silo_id, ["all"], now=_NOW)
    bodies = _bodies(statements)
    timed_bodies = bodies[_WARMING * 2 * _CLIENTS :]
    with serving(engines[0], processes) as port:
        for start in range(0, len(bodies) - len(timed_bodies), 2 * _CLIENTS):
            # By other connections each time: what is done once a process is done, whoever takes them.
            send(port, key, bodies[start : start + 2 * _CLIENTS])
        with load.watched(engines[0], port) as spent:
            times, elapsed = send(port, key, timed_bodies)
    timed = sum(body.count(b'"actor"') for body in timed_bodies)
    with administration(engines[0]) as conn:
        stored = conn.execute(select(func.count()).select_from(tables.statement)).scalar_one()
    if stored != statements:
        raise RuntimeError(f"{stored} statements stored of {statements}")
    commits = _commits(engines[0])
    copied = statements / _copy(engines[1], commits)
    for engine in engines:
        engine.dispose()
    peer, reason = _peer(bodies)
    times.sort()
    return Found(
        statements=statements,
        processes=processes,
        sent=timed / elapsed,
        copied=copied,
        p50=times[len(times) // 2],
        p95=times[len(times) * 95 // 100],
        spent={name: 1000 * seconds / len(timed_bodies) for name, seconds in spent.items()},
        peer=peer,
        peer_said=reason,
    )


def _peer(bodies: list[bytes]) -> tuple[float, str]:
    """Send the first batches to Ralph, by four clients, then by one; return its best rate, and what to say.

    Batches that it answers with an error (its history is a file, which requests at the same time spoil) are
    not counted.
    """
    some = bodies[: _PEER // _BATCH]
    found: dict[float, str] = {}
    for clients in (_CLIENTS, 1):
        refused: list[bytes] = []
        try:
            with ralph.serving() as port:
                send(port, ralph.KEY, some[:_CLIENTS], ralph.PATH, clients=1)
                _, elapsed = send(
                    port, ralph.KEY, some[_CLIENTS:], ralph.PATH, clients=clients, refused=refused
                )
        except ralph.NotInstalledError as error:
            return 0.0, str(error)
        taken = len(some) - _CLIENTS - len(refused)
        said = f"{clients} at a time" + (f", {len(refused)} batches lost" if refused else "")
        found[taken * _BATCH / elapsed] = said
    best = max(found)
    return best, found[best]


def report(found: Found) -> None:
    """Print both rates and their ratio."""
    table = Table(
        title=f"Ingestion: {found.statements:,} statements, {_CLIENTS} clients, batches of {_BATCH}, fsync"
    )
    for name in ("", "statements/s", "ratio", f"≥ {_TARGET} (Ralph: {_PEER_TARGET} times)"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row(f"COPY, {_CLIENTS} connections, commits of {_BATCH}", f"{found.copied:,.0f}", "1.00", "")
    table.add_row(
        f"HTTP, {found.processes} gunicorn processes (p50 {found.p50:.0f}, p95 {found.p95:.0f} ms)",
        f"{found.sent:,.0f}",
        f"{found.ratio:.2f}",
        "yes" if found.ratio >= _TARGET else "NO",
    )
    if found.peer:
        table.add_row(
            f"Ralph {ralph.VERSION}, file back end, first {_PEER:,} statements, {found.peer_said}",
            f"{found.peer:,.0f}",
            f"{found.sent / found.peer:.1f} times",
            "yes" if found.sent >= _PEER_TARGET * found.peer else "NO",
        )
    console.print(table)
    if not found.peer:
        console.print(f"Ralph cannot be had here: {found.peer_said}")
    spent = ", ".join(f"{name} {value:.1f}" for name, value in found.spent.items())
    console.print(f"Milliseconds of processor by batch: {spent}")


# --- the two stores, the application ------------------------------------------------------------------


def database(server: str, name: str) -> str:
    """Make an empty database on a server and return its address."""
    url = make_url(server)
    admin = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def _store(server: str, name: str) -> Engine:
    engine = open_engine(database(server, f"bench_{name}"))
    migrations.upgrade(engine)
    return engine


@contextmanager
def serving(
    engine: Engine,
    processes: int,
    threads: int = 4,
    worker: str = "lti_tool.listening.Worker",
    **settings: str,
) -> Iterator[int]:
    """Run the application as a server would, with more settings of its own, and yield its port."""
    port = services.free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESTIME_")}
    environment |= {
        "ESTIME_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "ESTIME_PUBLIC_URL": "https://estime.test",
        "ESTIME_SECRET_KEY": os.urandom(32).hex(),
        **settings,
    }
    command = [str(Path(sys.executable).with_name("gunicorn")), "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(processes), "--threads", str(threads), "--worker-class", worker]
    command.append("lti_tool.app:create_app_from_environment()")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _await(port, process)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/xapi/about")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the application did not start")


# --- sending -----------------------------------------------------------------------------------------------


def _bodies(statements: int) -> list[bytes]:
    said = list(course.traces(300, statements, _NOW))
    return [orjson.dumps(said[start : start + _BATCH]) for start in range(0, statements, _BATCH)]


def send(
    port: int,
    key: tuple[str, str],
    bodies: list[bytes],
    path: str = "/xapi/statements",
    *,
    clients: int = _CLIENTS,
    refused: list[bytes] | None = None,
) -> tuple[list[float], float]:
    """Send every body, each client the next one; return milliseconds of each, and seconds in all."""
    headers = {
        "Authorization": "Basic " + base64.b64encode(":".join(key).encode()).decode(),
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }
    times: list[float] = []

    def client(take: Callable[[], bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                body = take()
            except queue.Empty:
                return
            began = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200 and refused is not None:
                refused.append(content)
            elif answer.status != 200:
                raise RuntimeError(f"{answer.status}: {content[:500]!r}")
            times.append(1000 * (time.perf_counter() - began))

    return times, _all_at_once(client, bodies, clients)


def _all_at_once(
    work: Callable[[Callable[[], Item]], None], items: list[Item], clients: int = _CLIENTS
) -> float:
    """Let every client take items until none is left; return seconds. The first error is raised."""
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    faults: list[BaseException] = []

    def run_one() -> None:
        try:
            work(waiting.get_nowait)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run_one) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return time.perf_counter() - began


# --- copying -----------------------------------------------------------------------------------------------


def _commits(engine: Engine) -> list[Commit]:
    """Read the rows back as COPY writes them, in lots of 50 statements by order of arrival."""
    lines: dict[str, dict[int, list[bytes]]] = {name: defaultdict(list) for name in _COPIED}
    with _connected(engine) as conn:
        ids = conn.execute("SELECT id::text FROM statement ORDER BY stored, id").fetchall()
        place = {row[0].encode(): rank // _BATCH for rank, row in enumerate(ids)}
        lots = -(-len(ids) // _BATCH)
        for name, key in _COPIED.items():
            first = f"{key}::text" if key else "''"
            with conn.cursor().copy(f"COPY (SELECT {first}, * FROM {name}) TO STDOUT") as rows:
                for rank, line in enumerate(_lines(rows)):
                    told, _, rest = line.partition(b"\t")
                    lines[name][place[told] if key else rank % lots].append(rest)
    return [{name: b"".join(lines[name][lot]) for name in _COPIED} for lot in range(lots)]


def _lines(rows: psycopg.Copy) -> Iterator[bytes]:
    for block in rows:
        yield from bytes(block).splitlines(keepends=True)


def _copy(engine: Engine, commits: list[Commit]) -> float:
    """Copy every lot, one commit each; return seconds."""

    def client(take: Callable[[], Commit]) -> None:
        with _connected(engine) as conn:
            while True:
                try:
                    lot = take()
                except queue.Empty:
                    return
                with conn.transaction():
                    for name, text in lot.items():
                        with conn.cursor().copy(f"COPY {name} FROM STDIN") as copying:
                            copying.write(text)

    return _all_at_once(client, commits)


def _connected(engine: Engine) -> psycopg.Connection[tuple[str, ...]]:
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True)


if __name__ == "__main__":
    main()
