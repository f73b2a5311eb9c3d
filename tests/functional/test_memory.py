"""Memory of a process of the server stays bounded, whatever the body: a real one is sent the largest."""

from __future__ import annotations

import base64
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from tests import services
from tests.factories.statements import statement
from tool_config.database import transaction
from xapi import auth

_MOST = 250_000_000
_GUNICORN = Path(sys.executable).with_name("gunicorn")


@pytest.fixture
def port(engine: Engine) -> Iterator[int]:
    """Yield the port of one process of gunicorn on this store."""
    port = services.free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESTIME_")}
    environment |= {
        "ESTIME_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "ESTIME_PUBLIC_URL": "https://estime.test",
        "ESTIME_SECRET_KEY": os.urandom(32).hex(),
    }
    command = [str(_GUNICORN), "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"]
    process = subprocess.Popen(
        [*command, "lti_tool.app:create_app_from_environment()"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        return _ask(port, "GET", "/xapi/about")[0] == 200
    except OSError:
        return False


def _ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _held(port: int) -> int:
    """Return the most bytes that any of the processes that listen on a port has held."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f":{port}".encode() in (folder / "cmdline").read_bytes():
                told = (folder / "status").read_text()
                found.append(int(told.partition("VmHWM:")[2].split()[0]) * 1024)
        except OSError:
            continue  # it ended meanwhile
    return max(found)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_largest_bodies(engine: Engine, silo: int, clock: Any, port: int) -> None:
    with transaction(engine, silo) as conn:
        key = auth.issue_key(conn, silo, ["all"], now=clock())
    headers = {
        "Authorization": "Basic " + base64.b64encode(":".join(key).encode()).decode(),
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }
    # 20 MB of statements that are read but for the last, which is wrong: the most that one body may cost
    # but for the time of the database.
    many = [statement(id=None, result={"response": "x" * 600}) for _ in range(18_000)]
    body = orjson.dumps([*many, statement(id=None, result={"response": 7})])
    assert 15_000_000 < len(body) < 20_000_000
    status, said = _ask(port, "POST", "/xapi/statements", body, **headers)
    assert (status, orjson.loads(said)["path"]) == (400, "[18000].result.response")
    # Some that are written.
    status, said = _ask(port, "POST", "/xapi/statements", orjson.dumps(many[:2_000]), **headers)
    assert (status, len(set(orjson.loads(said)))) == (200, 2_000)
    large = orjson.dumps(statement(id=None, result={"response": "x" * 19_000_000}))
    assert _ask(port, "POST", "/xapi/statements", large, **headers)[0] == 413
    assert _held(port) < _MOST
