"""Server mode for real: gunicorn with two processes, the worker beside them, PostgreSQL and Redis."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from tests import services
from tests.conftest import SECRET_KEY
from tool_config.database import administration
from xapi import auth
from xapi.tables import event, rollup_actor

BIN = Path(sys.executable).parent
VERSION = {"X-Experience-API-Version": "1.0.3"}
STATEMENT = {
    "actor": {"account": {"homePage": "https://moodle.example.fr", "name": "7"}},
    "verb": {"id": "http://id.tincanapi.com/verb/viewed"},
    "object": {"id": "https://moodle.example.fr/course/view.php?id=9"},
    "context": {
        "contextActivities": {
            "parent": [
                {
                    "id": "https://moodle.example.fr/course/view.php?id=9",
                    "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course"},
                }
            ]
        }
    },
    "timestamp": "2026-10-01T08:00:00Z",
}


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _wait(seconds: float, done: Any) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_several_processes_behave_as_one(engine: Engine, redis_url: str, tmp_path: Path) -> None:
    port = services.free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ESTIME_")}
    environment |= {
        "ESTIME_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "ESTIME_REDIS_URL": redis_url,
        "ESTIME_PUBLIC_URL": "https://estime.test",
        "ESTIME_SECRET_KEY": SECRET_KEY,
    }

    def run(*arguments: str) -> Any:
        command = [str(BIN / "estime"), *arguments]
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, stdin=subprocess.DEVNULL
        )
        return json.loads(done.stdout)

    run("silo", "add", "a")
    key = run("key", "add", "--silo", "a", "--scope", "all")
    credentials = (key["key"], key["secret"])

    def read() -> int:
        # A new connection each time: either process may take it.
        return httpx.get(f"{url}/xapi/statements", auth=credentials, headers=VERSION, timeout=10).status_code

    web = [str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    web += ["--worker-class", "lti_tool.listening.Worker", "lti_tool.app:create_app_from_environment()"]
    with (
        _running(web, environment, tmp_path / "web.log"),
        _running([str(BIN / "estime"), "worker"], environment, tmp_path / "worker.log"),
    ):
        _wait(120, lambda: _ready(url))
        sent = httpx.post(
            f"{url}/xapi/statements", auth=credentials, headers=VERSION, json=[STATEMENT], timeout=30
        )
        assert sent.status_code == 200, sent.text

        def refreshed() -> bool:
            with administration(engine) as conn:
                counts = [
                    conn.execute(select(func.count()).select_from(table)).scalar_one()
                    for table in (event, rollup_actor)
                ]
            return counts == [1, 1]

        _wait(60, refreshed)
        # Clients that never finish what they ask keep nobody waiting.
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
        for number, one in enumerate(slow):
            one.sendall(
                b"GET / HTTP/1.1\r\n" if number % 2 else b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"
            )
        assert [read() for _ in range(6)] == [200] * 6
        run("key", "revoke", key["key"], "--silo", "a")
        time.sleep(auth.FRESH.total_seconds())
        assert [read() for _ in range(6)] == [401] * 6
        for one in slow:
            one.close()
    log = (tmp_path / "web.log").read_text() + (tmp_path / "worker.log").read_text()
    assert "Traceback" not in log
    assert key["secret"] not in log
