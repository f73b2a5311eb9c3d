"""Servers killed in the middle of ingestion keep all that they acknowledged, and no half batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, select

from lti_tool import forwarding
from lti_tool.clock import utcnow
from tests import services
from tests.conftest import SECRET_KEY
from tests.contract.test_rebuild import same_as_rebuilt
from tests.factories import traces
from tests.factories.statements import headers
from tool_config.database import transaction
from xapi import auth, forward, ingest
from xapi.forward_tables import forward as forward_table
from xapi.tables import event, statement_agent
from xapi.tables import statement as table

BATCH = 20
THREADS = 4
BATCH_IRI = "http://estime.test/batch"

#: Imports once, then forks what each line that it reads tells, in a group of its own; says its number.
#: What runs is what the commands run: `estime serve`, `estime worker`, gunicorn.
_STARTER = """
import os, sys
import gunicorn.app.wsgiapp, waitress
import lti_tool.app
from lti_tool.background import Background
from lti_tool.cli import main

for line in sys.stdin:
    words = line.split()
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        continue
    os.setsid()
    sys.argv = words
    if words[0] == "gunicorn":
        gunicorn.app.wsgiapp.run()
    else:
        main(words[1:])
    os._exit(0)
"""


class Sender(threading.Thread):
    """Posts batches until the server is gone; remembers what was acknowledged."""

    def __init__(self, url: str, key: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.url, self.key = url, key
        self.acknowledged: list[str] = []
        self.batches = 0

    def run(self) -> None:
        with httpx.Client(headers=self.key, timeout=10) as client:
            while True:
                mark = str(uuid4())
                batch = [_said(mark, rank) for rank in range(BATCH)]
                try:
                    answer = client.post(self.url, json=batch)
                except httpx.HTTPError:
                    return
                if answer.status_code != 200:
                    return
                self.acknowledged += answer.json()
                self.batches += 1


def _said(mark: str, rank: int) -> dict[str, Any]:
    """Return a statement of a course, that names its batch."""
    at = f"2026-10-{rank % 5 + 1:02}T08:{rank:02}:00Z"
    verb = traces.COMPLETED if rank % 4 == 3 else traces.VIEWED
    parents = [traces.section(rank % 2), traces.course()]
    said = traces.statement(str(rank % 3), verb, traces.page(rank % 7), at, parents=parents)
    context = said["context"]
    return {**said, "id": str(uuid4()), "context": {**context, "extensions": {BATCH_IRI: mark}}}


class Starter:
    """Starts servers and kills them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._groups: list[int] = []

    def start(self, *words: str) -> None:
        """Start one process and those that it starts itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        self._groups.append(int(self._process.stdout.readline()))

    def kill(self) -> None:
        """Kill at once all that was started."""
        while self._groups:
            os.killpg(self._groups.pop(), signal.SIGKILL)


@contextmanager
def _starter(engine: Engine, log: Path) -> Iterator[Starter]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESTIME_")}
    environment |= {
        "ESTIME_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "ESTIME_DATA_DIR": str(log.parent / "data"),
        "ESTIME_SECRET_KEY": SECRET_KEY,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _STARTER],
            cwd=Path(__file__).parent.parent.parent,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    starter = Starter(process)
    try:
        yield starter
    finally:
        starter.kill()
        process.kill()
        process.wait(10)


def _await(url: str, log: Path) -> None:
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        try:
            httpx.get(f"{url}/about")
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server does not listen: {log.read_text()}")


def _state(engine: Engine, silo_id: int) -> tuple[set[str], dict[str, int]]:
    """Return the ids that are stored and the number of statements of each batch."""
    with transaction(engine, silo_id, write=False) as conn:
        rows = conn.execute(select(table.c.id, table.c.raw).where(table.c.silo_id == silo_id)).all()
        linked = set(conn.execute(select(statement_agent.c.statement_id)).scalars())
        drawn = set(conn.execute(select(event.c.statement_id)).scalars())
        if engine.dialect.name == "sqlite":
            assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    ids = {row.id for row in rows}
    assert linked == ids
    assert drawn == ids
    sizes: dict[str, int] = {}
    for row in rows:
        mark = row.raw.split(BATCH_IRI)[1][3:39]
        sizes[mark] = sizes.get(mark, 0) + 1
    return ids, sizes


def _commands(engine: Engine, port: int) -> list[list[str]]:
    """Return what runs: one process on SQLite; gunicorn's and the worker's on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        return [["estime", "serve", "--port", str(port)]]
    web = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    return [[*web, "lti_tool.app:create_app_from_environment()"], ["estime", "worker"]]


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_what_was_acknowledged_survives_kill_9(
    engine: Engine, silo: int, tmp_path: Path, clock: Any, kills: int
) -> None:
    with transaction(engine, silo) as conn:
        key = headers(auth.issue_key(conn, silo, ["statements/write"], now=clock()))
    acknowledged: set[str] = set()
    log = tmp_path / "log"
    with _starter(engine, log) as starter:
        for turn in range(kills):
            port = services.free_port()
            url = f"http://127.0.0.1:{port}/xapi"
            for words in _commands(engine, port):
                starter.start(*words)
            _await(url, log)
            senders = [Sender(f"{url}/statements", key) for _ in range(THREADS)]
            for sender in senders:
                sender.start()
            patience = time.monotonic() + 20
            while sum(sender.batches for sender in senders) < 4 and time.monotonic() < patience:
                time.sleep(0.01)
            # Elsewhere in the life of a batch at each turn.
            time.sleep(0.007 * (turn % 20))
            starter.kill()
            for sender in senders:
                sender.join(15)
                acknowledged.update(sender.acknowledged)
            stored, sizes = _state(engine, silo)
            assert acknowledged <= stored
            assert set(sizes.values()) <= {BATCH}
    assert len(acknowledged) >= kills * BATCH
    same_as_rebuilt(engine, silo)
    assert "Traceback" not in log.read_text()


# --- copies ----------------------------------------------------------------------------------------------


def _ids(engine: Engine, silo_id: int) -> set[str]:
    with transaction(engine, silo_id, write=False) as conn:
        return set(conn.scalars(select(table.c.id).where(table.c.silo_id == silo_id)))


def _until(done: Any, seconds: float = 60) -> None:
    patience = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < patience, "not in time"
        time.sleep(0.05)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_copy_loses_nothing_when_worker_and_peer_are_killed(
    engine: Engine, silo: int, second_silo: int, tmp_path: Path, clock: Any, kills: int
) -> None:
    port = services.free_port()
    with transaction(engine, second_silo) as conn:
        key, secret = auth.issue_key(conn, second_silo, ["statements/write"], now=clock())
    with transaction(engine, silo) as conn:
        forward.add(
            conn, silo, "copie", url=f"http://127.0.0.1:{port}/xapi", username=key, now=clock(),
            sealed_secret=forwarding.sealed(SECRET_KEY, silo, "copie", secret), allow_private=True,
        )  # fmt: skip
    web = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"]
    web.append("lti_tool.app:create_app_from_environment()")
    log, peer_log = tmp_path / "log", tmp_path / "peer.log"
    with _starter(engine, log) as workers, _starter(engine, peer_log) as peers:
        for turn in range(kills + 1):
            said = [_said(str(uuid4()), rank % BATCH) for rank in range(400)]
            for start in range(0, 400, 50):
                with transaction(engine, silo) as conn:
                    ingest.ingest(conn, silo, said[start : start + 50], now=utcnow())
            before = len(_ids(engine, second_silo))
            workers.start("estime", "worker")
            if turn % 2 == 0:  # the peer is down at first, every other time
                time.sleep(0.5)
            peers.start(*web)
            _until(lambda before=before: len(_ids(engine, second_silo)) > before)
            if turn < kills:
                workers.kill()
                peers.kill()
                with transaction(engine, silo) as conn:  # what a minute does, or an hour
                    conn.execute(forward_table.update().values(claimed_until=None, next_at=None))
        _until(lambda: _ids(engine, second_silo) == _ids(engine, silo))
    assert len(_ids(engine, silo)) == 400 * (kills + 1)
