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

_SERVER = """
import sys
import waitress
from flask import Flask
from lti_tool.app import utcnow
from tool_config.database import open_engine
from tool_config.settings import Settings
from xapi import api
app = Flask("killed")
settings = Settings(database_url=sys.argv[1], secret_key="not used here")
app.register_blueprint(api.blueprint(open_engine(sys.argv[1]), settings, utcnow), url_prefix="/xapi")
waitress.serve(app, host="127.0.0.1", port=int(sys.argv[2]), threads=6)
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


def _serve(database: str, port: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).parent.parent.parent
    server = subprocess.Popen([sys.executable, "-c", _SERVER, database, str(port)], cwd=root)
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/xapi/about")
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return server
    server.kill()
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

    acknowledged: set[str] = set()
    batches = 0
    for turn in range(KILLS):
        port = services.free_port()
        server = _serve(database, port)
        senders = [Sender(f"http://127.0.0.1:{port}/xapi/statements", key) for _ in range(THREADS)]
        for sender in senders:
            sender.start()
        time.sleep(0.3 + 0.07 * turn)
        os.kill(server.pid, signal.SIGKILL)
        server.wait(10)
        for sender in senders:
            sender.join(15)
            acknowledged.update(sender.acknowledged)
            batches += sender.batches
        stored, sizes = _state(database, silo_id)
        assert acknowledged <= stored
        assert set(sizes.values()) <= {BATCH}
    assert batches > KILLS, "the senders had time to write"
