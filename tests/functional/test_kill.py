"""A server killed in the middle of ingestion keeps all that it acknowledged, and no half batch."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import select

from tests import services
from tests.factories.statements import headers, statement
from tool_config import silos
from tool_config.database import administration, open_engine, transaction
from xapi import auth
from xapi.tables import event, statement_agent
from xapi.tables import statement as table

KILLS = int(os.environ.get("ESTIME_TEST_KILLS", "10"))
BATCH = 20
THREADS = 4
BATCH_IRI = "http://estime.test/batch"

#: Imports once, then forks a server for each port that it reads; says the server's process id.
_SERVERS = """
import os, sys
from datetime import UTC, datetime
import waitress
from flask import Flask
from tool_config import vocabulary
from tool_config.database import open_engine
from tool_config.settings import Settings
from xapi import api

def now():
    return datetime.now(UTC)

vocabulary.load()
for line in sys.stdin:
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        continue
    app = Flask("killed")
    settings = Settings(database_url=sys.argv[1], secret_key="not used here")
    app.register_blueprint(api.blueprint(open_engine(sys.argv[1]), settings, now), url_prefix="/xapi")
    waitress.serve(app, host="127.0.0.1", port=int(line), threads=6)
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
                batch = [statement(context={"extensions": {BATCH_IRI: mark}}) for _ in range(BATCH)]
                try:
                    answer = client.post(self.url, json=batch)
                except httpx.HTTPError:
                    return
                if answer.status_code != 200:
                    return
                self.acknowledged += answer.json()
                self.batches += 1


def _serve(servers: subprocess.Popen[str], port: int) -> int:
    """Have a server forked and return its process id once it answers."""
    assert servers.stdin is not None
    assert servers.stdout is not None
    servers.stdin.write(f"{port}\n")
    servers.stdin.flush()
    pid = int(servers.stdout.readline())
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/xapi/about")
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return pid
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the server does not listen")


def _state(database: str, silo_id: int) -> tuple[set[str], dict[str, int]]:
    """Return the ids that are stored and the number of statements of each batch."""
    engine = open_engine(database)
    with transaction(engine, silo_id, write=False) as conn:
        rows = conn.execute(select(table.c.id, table.c.raw).where(table.c.silo_id == silo_id)).all()
        linked = set(conn.execute(select(statement_agent.c.statement_id)).scalars())
        drawn = set(conn.execute(select(event.c.statement_id)).scalars())
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()
    ids = {row.id for row in rows}
    assert linked == ids
    assert drawn == ids
    sizes: dict[str, int] = {}
    for row in rows:
        mark = row.raw.split(BATCH_IRI)[1][3:39]
        sizes[mark] = sizes.get(mark, 0) + 1
    return ids, sizes


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, sqlite_template: Path, clock: Any) -> None:
    path = tmp_path / "estime.db"
    shutil.copy(sqlite_template, path)
    database = f"sqlite:///{path}"
    engine = open_engine(database)
    with administration(engine) as conn:
        silo_id = silos.add(conn, "essai", now=clock())
    with transaction(engine, silo_id) as conn:
        key = headers(auth.issue_key(conn, silo_id, ["statements/write"], now=clock()))
    engine.dispose()

    root = Path(__file__).parent.parent.parent
    servers = subprocess.Popen(
        [sys.executable, "-c", _SERVERS, database],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    acknowledged: set[str] = set()
    try:
        for turn in range(KILLS):
            port = services.free_port()
            pid = _serve(servers, port)
            senders = [Sender(f"http://127.0.0.1:{port}/xapi/statements", key) for _ in range(THREADS)]
            for sender in senders:
                sender.start()
            patience = time.monotonic() + 20
            while sum(sender.batches for sender in senders) < 4 and time.monotonic() < patience:
                time.sleep(0.01)
            # Elsewhere in the life of a batch at each turn.
            time.sleep(0.007 * turn)
            os.kill(pid, signal.SIGKILL)
            for sender in senders:
                sender.join(15)
                acknowledged.update(sender.acknowledged)
            stored, sizes = _state(database, silo_id)
            assert acknowledged <= stored
            assert set(sizes.values()) <= {BATCH}
    finally:
        servers.terminate()
        servers.wait(10)
    assert len(acknowledged) >= KILLS * BATCH
