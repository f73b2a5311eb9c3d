"""`python -m bench.reads`: GET /statements by filter, in a store of a tenth of a million, then of a million.

A course of 10,000 statements comes in through the one door, then is copied inside the database, each copy
with people and activities of its own (statements and links; not what is drawn from them). Each request asks
for a hundred statements of a month, through the WSGI application. Two minutes to load a million on a quiet
machine, the indexes made again afterwards.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine
from sqlalchemy import Table as SqlTable
from sqlalchemy.schema import AddConstraint

from bench import course, ingestion
from lti_tool import migrations
from lti_tool.app import create_app, settle
from tests import services
from tool_config import silos
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from xapi import auth, tables
from xapi.ingest import ingest

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_COURSE, _LEARNERS, _BATCH, _DAYS = 10_000, 100, 500, 100
_WINDOW = timedelta(days=30)
_P95_MS, _RATIO = 15, 1.5
_TABLES = (tables.statement, tables.statement_agent, tables.statement_activity, tables.statement_reference)
_FILTERS = ("agent", "verb, often said", "verb, seldom said", "activity", "agent and activity", "none")
_VERBS = {
    "often": "http://id.tincanapi.com/verb/viewed",
    "seldom": "http://adlnet.gov/expapi/verbs/completed",
}
console = Console(width=110)


@dataclass(frozen=True)
class Store:
    """What is asked: the application's client, its key, and the names that may be asked for."""

    client: FlaskClient
    headers: dict[str, str]
    people: list[str]
    activities: list[str]


def main() -> None:
    """Load, ask, load more, ask again, print."""
    parser = argparse.ArgumentParser(prog="bench.reads")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--sizes", type=int, nargs=2, default=[100_000, 1_000_000])
    parser.add_argument("--requests", type=int, default=200, help="of each filter")
    options = parser.parse_args()
    with _server(options.engine) as url:
        run(url, options.sizes, options.requests)


@contextmanager
def _server(engine: str) -> Iterator[str]:
    if engine == "postgresql":
        with services.postgresql(durable=True) as url:
            yield ingestion.database(url, "bench_reads")
        return
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        yield f"sqlite:///{folder}/estime.db"


def run(url: str, sizes: list[int], requests: int = 200) -> None:
    """Measure on an empty store at ``url``."""
    settings = Settings(
        data_dir=Path(tempfile.gettempdir()),
        database_url=url,
        public_url="https://localhost",
        secret_key=os.urandom(32).hex(),
    )
    app = create_app(settings, clock=lambda: _NOW)
    engine = app.extensions["estime"].engine
    migrations.upgrade(engine)
    with administration(engine) as conn:
        silo_id = silos.add(conn, "mesure", now=_NOW - timedelta(days=_DAYS + 1))
        key = auth.issue_key(conn, silo_id, ["all"], now=_NOW)
    said = _first_course(engine, silo_id)
    basic = base64.b64encode(":".join(key).encode()).decode()
    store = Store(
        app.test_client(),
        {"Authorization": f"Basic {basic}", "X-Experience-API-Version": "1.0.3"},
        sorted({item["actor"]["account"]["name"] for item in said}),
        sorted({item["object"]["id"] for item in said}),
    )
    settle()
    found: list[dict[str, list[float]]] = []
    copies = 1
    for size in sizes:
        began = time.perf_counter()
        copies = _grow(engine, copies, size // _COURSE)
        console.print(
            f"{engine.dialect.name}: {size:,} statements, loaded in {time.perf_counter() - began:.0f} s"
        )
        found.append(_ask(store, requests))
    _report(engine, sizes, found)
    engine.dispose()


# --- loading --------------------------------------------------------------------------------------------


def _first_course(engine: Engine, silo_id: int) -> list[dict[str, Any]]:
    """Take in one course, over a hundred days of the store's clock; one in a hundred is commented."""
    said = list(course.traces(_LEARNERS, _COURSE - _COURSE // 100, _NOW))
    random.Random(1).shuffle(said)
    for rank, item in enumerate(said[:: len(said) // (_COURSE // 100)][: _COURSE // 100]):
        said.append(_comment(item, rank))
    lots = -(-len(said) // _BATCH)
    for lot in range(lots):
        now = _NOW - timedelta(days=_DAYS * (lots - lot) / lots)
        with transaction(engine, silo_id) as conn:
            ingest(conn, silo_id, said[lot * _BATCH : (lot + 1) * _BATCH], now=now)
    with administration(engine) as conn:
        for table in _TABLES:
            conn.exec_driver_sql(f"CREATE TABLE first_{table.name} AS SELECT * FROM {table.name}")
    return said[: _COURSE - _COURSE // 100]


def _comment(item: dict[str, Any], rank: int) -> dict[str, Any]:
    return {
        "actor": {"account": {"homePage": course.SITE, "name": "tutor"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/commented"},
        "object": {"objectType": "StatementRef", "id": item["id"]},
        "result": {"response": f"Commentaire {rank}"},
        "timestamp": item["timestamp"],
    }


def _grow(engine: Engine, copies: int, wanted: int) -> int:
    """Copy the first course until there are as many as wanted; return how many there are."""
    with administration(engine) as conn:
        indexes = [index for table in _TABLES for index in table.indexes]
        for index in indexes:
            index.drop(conn)
        is_server = engine.dialect.name == "postgresql"
        for table in _TABLES if is_server else ():
            conn.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.primary_key.name}")
        for number in range(copies, wanted):
            for table in _TABLES:
                _copy(conn, table, number)
        if is_server:
            conn.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        for table in _TABLES if is_server else ():
            conn.execute(AddConstraint(table.primary_key))
        for index in indexes:
            index.create(conn)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if engine.dialect.name == "postgresql":
            conn.exec_driver_sql("VACUUM ANALYZE")
        else:
            conn.exec_driver_sql("ANALYZE")
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return wanted


def _copy(conn: Connection, table: SqlTable, number: int) -> None:
    """Copy the rows of the first course under other ids, people and activities."""
    is_server = conn.dialect.name == "postgresql"
    mark = f"{number:06x}"
    chosen = {column.name: column.name for column in table.columns}
    for name in ("id", "statement_id", "refers_to", "target_id"):
        if name in chosen and is_server:
            chosen[name] = f"(overlay({name}::text placing '{mark}' from 31))::uuid"
        elif name in chosen:
            chosen[name] = f"substr({name}, 1, 26) || '{mark}'"
    for name in ("agent", "actor"):
        if name in chosen:
            chosen[name] = f"substr({name}, 1, 26) || '{mark}'"
    if "activity" in chosen:
        chosen["activity"] = f"activity || '&copy={number}'"
    step = "interval '1 second'" if is_server else "1000000"
    chosen["stored"] = f"stored + {number} * {step}"
    conn.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(chosen)}) SELECT {', '.join(chosen.values())} "
        f"FROM first_{table.name}"
    )


# --- asking ---------------------------------------------------------------------------------------------


def _ask(store: Store, requests: int) -> dict[str, list[float]]:
    """Ask for a page of each filter in turn; return milliseconds."""
    chance = random.Random(3)
    times: dict[str, list[float]] = {name: [] for name in _FILTERS}
    for turn in range(requests + 5):
        for name in _FILTERS:
            query = _query(store, name, chance)
            began = time.perf_counter()
            answer = store.client.get("/xapi/statements", query_string=query, headers=store.headers)
            body = answer.get_data()
            if answer.status_code != 200:
                raise RuntimeError(f"{name}: {answer.status} {body[:500]!r}")
            if turn >= 5:  # what is done once is done
                times[name].append(1000 * (time.perf_counter() - began))
    return times


def _query(store: Store, name: str, chance: random.Random) -> dict[str, str]:
    since = _NOW - timedelta(days=chance.uniform(_WINDOW.days, _DAYS))
    asked = {"limit": "100", "since": since.isoformat(), "until": (since + _WINDOW).isoformat()}
    if name.startswith("agent"):
        person = {"account": {"homePage": course.SITE, "name": chance.choice(store.people)}}
        asked["agent"] = orjson.dumps(person).decode()
    if name.endswith("activity"):
        asked["activity"] = chance.choice(store.activities)
    if name.startswith("verb"):
        asked["verb"] = _VERBS["often" if "often" in name else "seldom"]
    return asked


def _report(engine: Engine, sizes: list[int], found: list[dict[str, list[float]]]) -> None:
    table = Table(
        title=f"GET /statements on {engine.dialect.name}, limit=100, since and until: ms, "
        f"{len(found[0]['none'])} requests a filter"
    )
    table.add_column("filter")
    for word in ("p50", "p95"):
        for size in sizes:
            table.add_column(f"{word} at {size / 1e6:g} M", justify="right")
    for word in (f"p95 < {_P95_MS}", "ratio of p50", f"< {_RATIO}"):
        table.add_column(word, justify="right")
    for name in _FILTERS:
        p50 = [statistics.median(times[name]) for times in found]
        p95 = [statistics.quantiles(times[name], n=20)[-1] for times in found]
        ratio = p50[1] / p50[0]
        table.add_row(
            name,
            *(f"{value:.1f}" for value in (*p50, *p95)),
            "yes" if max(p95) < _P95_MS else "NO",
            f"{ratio:.2f}",
            "yes" if ratio < _RATIO else "NO",
        )
    console.print(table)


if __name__ == "__main__":
    main()
