"""`python -m bench`: the store alone, then a tutor's pages while it grows, a first load's weight, summaries.

On PostgreSQL, run here on loopback with fsync; `--engine sqlite` measures the pages of the embedded mode.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from bench import (
    comments,
    course,
    evidence,
    imports,
    ingestion,
    launches,
    memory,
    others,
    pages,
    reads,
    satisfaction,
    statement,
)
from lti_tool import migrations
from lti_tool.app import create_app, settle
from tests import services
from tool_config.settings import Settings

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET_MS = {"sqlite": 80, "postgresql": 60}
_RATIO = 1.3
_WEIGHT = 450_000
console = Console(width=120)


def main() -> None:
    """Build the store, make it grow, measure before and after in turn, print."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--learners", type=int, default=300)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--others", type=int, nargs=2, default=[200_000, 1_000_000])
    parser.add_argument("--full", action="store_true", help="others up to 2 million, minutes more")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--answers", type=int, default=50_000)
    parser.add_argument("--sent", type=int, default=20_000, help="statements sent over HTTP")
    parser.add_argument("--reads", type=int, nargs=2, default=[100_000, 1_000_000], help="stores read")
    options = parser.parse_args()
    if options.full:
        options.others = [200_000, 2_000_000]
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.engine}"
    )
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder, _store(options.engine, folder) as url:
        if options.engine == "postgresql":
            statement.run()
            ingestion.report(ingestion.run(url, options.sent, processes=2))
            memory.run(url)
            reads.run(ingestion.database(url, "bench_reads"), options.reads)
            with services.redis() as redis_url:
                launches.report(launches.run(url, redis_url))
            satisfaction.run(ingestion.database(url, "bench_summaries"), options.answers, options.rounds)
            comments.run(ingestion.database(url, "bench_comments"), 5000)
            imports.run(ingestion.database(url, "bench_imports"), 20_000)
            evidence.run(ingestion.database(url, "bench_evidence"), sessions=20, learners=500)
        _run(Path(folder), url, options)


@contextmanager
def _store(engine: str, folder: str) -> Iterator[str]:
    if engine == "postgresql":
        with services.postgresql(durable=True) as url:
            yield url
    else:
        yield f"sqlite:///{folder}/estime.db"


def _application(folder: Path, url: str) -> Flask:
    settings = Settings(
        data_dir=folder, database_url=url, public_url="https://localhost", secret_key=os.urandom(32).hex()
    )
    return create_app(settings, clock=lambda: _NOW)


def _run(folder: Path, url: str, options: argparse.Namespace) -> None:
    grown = _application(folder, url)
    engine = grown.extensions["estime"].engine
    migrations.upgrade(engine)
    measured = course.build(engine, learners=options.learners, statements=options.events, now=_NOW)
    console.print(
        f"Measured course: {len(measured.learners)} learners, {measured.statements:,} statements ingested "
        f"in {measured.ingested_in:.0f} s ({measured.statements / measured.ingested_in:,.0f}/s, batches of "
        f"500, one thread), refreshed in {measured.refreshed_in:.0f} s"
    )
    opened = pages.tutor_launch(grown, measured, _NOW)
    stored = [_grow(engine, measured, options.others[0], 0)]
    small = _application(folder, others.keep(engine, folder))
    stored.append(_grow(engine, measured, options.others[1], stored[0] // measured.statements))
    clients = [pages.tutor_client(app, opened) for app in (small, grown)]
    settle()
    urls = pages.tutor_urls(grown, measured, f"/c/{opened.launch_id}")
    _print_timings(pages.measure(clients, urls, options.rounds), stored, options)
    _print_weight(pages.first_load(clients[1], urls[0][1]))


def _grow(engine: Engine, measured: course.Measured, wanted: int, copies: int) -> int:
    """Add courses until the others hold as many statements; return how many they hold."""
    began = time.perf_counter()
    last = -(-wanted // measured.statements)
    # One writer at a time on SQLite; a server copies two courses side by side.
    with ThreadPoolExecutor(1 if engine.dialect.name == "sqlite" else 2) as pool:
        list(pool.map(partial(others.copy, engine, measured), range(copies + 1, last + 1)))
    copies = last
    others.settle(engine)
    stored = others.count(engine, measured) - measured.statements
    console.print(
        f"Other courses: {copies}, {stored:,} statements with their events and rollups, copied inside the "
        f"database in {time.perf_counter() - began:.0f} s (not ingested; JSON cut to 200 characters)"
    )
    return stored


def _print_timings(
    found: dict[str, list[pages.Timing]], stored: list[int], options: argparse.Namespace
) -> None:
    """Print a line a page. The ratio is of processor times: they hold on a machine that is busy."""
    limit = _TARGET_MS[options.engine]
    low, high = (f"{number / 1e6:.2g} M" for number in stored)
    console.print(
        f"\nServer time of the tutor's pages, ms: {options.rounds} requests a page, before ({low} statements "
        f"of other courses) and after ({high}), in turn; cpu: of the processor alone, this process"
    )
    table = Table()
    columns = (
        "p50 before",
        "after",
        "p95 before",
        "after",
        f"< {limit}",
        "cpu before",
        "after",
        "cpu p95 after",
    )
    table.add_column("page", no_wrap=True)
    for name in (*columns, "ratio", f"< {_RATIO}"):
        table.add_column(name, justify="right")
    for name, (small, grown) in found.items():
        ratio = grown.cpu / small.cpu
        if options.engine == "postgresql":  # the work is another process's
            ratio = grown.p50 / small.p50
        table.add_row(
            name,
            *(f"{value:.1f}" for value in (small.p50, grown.p50, small.p95, grown.p95)),
            "yes" if max(small.p95, grown.p95) < limit else "NO",
            *(f"{value:.1f}" for value in (small.cpu, grown.cpu, grown.cpu95)),
            f"{ratio:.2f}",
            "yes" if ratio < _RATIO else "NO",
        )
    console.print(table)


def _print_weight(parts: list[pages.Part]) -> None:
    table = Table(title="First load of Ce matin, bytes")
    table.add_column("file")
    table.add_column("plain", justify="right")
    table.add_column("brotli", justify="right")
    for part in parts:
        table.add_row(part.name, f"{part.plain:,}", f"{part.travelled:,}")
    total = sum(part.travelled for part in parts)
    verdict = "yes" if total < _WEIGHT else "NO"
    table.add_row("total", f"{sum(part.plain for part in parts):,}", f"{total:,}", end_section=True)
    table.add_row(f"under {_WEIGHT:,}", "", verdict)
    console.print(table)


if __name__ == "__main__":
    main()
