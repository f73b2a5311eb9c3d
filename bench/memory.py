"""`python -m bench.memory`: what one process of the server holds after the largest bodies that it takes.

A single gunicorn process is sent, one after the other: thousands of statements in one batch, one statement
as large as a body may be, attachments up to that size, and reads of the largest pages. Printed: the most
memory that it ever held (VmHWM). Half a minute.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench import course, ingestion, load
from lti_tool import migrations
from tests import services
from tool_config import silos
from tool_config.database import administration, open_engine
from xapi import auth, multipart

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET = 250
_MOST = 19_900_000
console = Console(width=110)

#: What is sent: a name, a body, its content type.
Sent = tuple[str, bytes, str]


def main() -> None:
    """Serve, send, print."""
    with services.postgresql(durable=True) as url:
        run(url)


def run(server: str) -> None:
    """Measure on a server of PostgreSQL."""
    engine = open_engine(ingestion.database(server, "bench_memory"))
    migrations.upgrade(engine)
    with administration(engine) as conn:
        key = auth.issue_key(conn, silos.add(conn, "mesure", now=_NOW), ["all"], now=_NOW)
    table = Table(title=f"Memory of one process of the server (under {_TARGET} MB)")
    for name in ("after", "answer", "MB at most so far", f"< {_TARGET}"):
        table.add_column(name, justify="left" if name == "after" else "right")
    with ingestion.serving(engine, 1) as port:
        _row(table, port, "its start", "")
        for name, body, kind in _bodies():
            _row(table, port, name, str(_ask(port, key, "POST", body, kind)))
        for query in ("limit=0", "limit=0&format=canonical", "limit=0&attachments=true"):
            _row(table, port, f"GET {query}", str(_ask(port, key, "GET", b"", "application/json", query)))
    console.print(table)
    engine.dispose()


def _row(table: Table, port: int, name: str, answer: str) -> None:
    worker = max(load.resident(pid) for pid in load.children(load.listener(port)))
    table.add_row(name, answer, f"{worker / 1e6:.0f}", "yes" if worker < _TARGET * 1e6 else "NO")


def _ask(port: int, key: tuple[str, str], method: str, body: bytes, kind: str, query: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {
        "Authorization": "Basic " + base64.b64encode(":".join(key).encode()).decode(),
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": kind,
    }
    connection.request(method, f"/xapi/statements?{query}", body or None, headers)
    answer = connection.getresponse()
    while answer.read(1_000_000):
        pass
    return answer.status


def _bodies() -> list[Sent]:
    said = list(course.traces(300, 15_000, _NOW))
    json = "application/json"
    large = {**said[-1], "result": {"response": "x" * _MOST}}
    return [
        ("5,000 statements", orjson.dumps(said[:5_000]), json),
        ("10,000 statements", orjson.dumps(said[5_000:]), json),
        ("one statement of 20 MB", orjson.dumps(large | {"id": "0" * 8 + said[-1]["id"][8:]}), json),
        _with_attachments("one attachment of 20 MB", 1),
        _with_attachments("1,000 attachments, 20 MB", 1_000),
    ]


def _with_attachments(name: str, number: int) -> Sent:
    contents = [os.urandom((_MOST - 700 * number) // number) for _ in range(number)]
    parts = [
        multipart.Part(hashlib.sha256(body).hexdigest(), "application/octet-stream", body)
        for body in contents
    ]
    said: dict[str, Any] = {
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://example.org/sent"},
        "object": {"id": "http://example.org/x"},
        "attachments": [
            {
                "usageType": "http://example.org/usage",
                "display": {"fr": "Pièce"},
                "contentType": part.content_type,
                "length": len(part.body),
                "sha2": part.sha2,
            }
            for part in parts
        ],
    }
    body = multipart.write("limit0123456789", orjson.dumps(said), parts)
    return name, body, "multipart/mixed; boundary=limit0123456789"


if __name__ == "__main__":
    main()
