"""`python -m bench`: pages of a tutor while the store grows, and the weight of a first load."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import course, others, pages
from lti_tool import migrations
from lti_tool.app import Tool, create_app
from tests import services
from tool_config.settings import Settings

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET_MS = {"sqlite": 80, "postgresql": 60}
_RATIO = 1.3
_WEIGHT = 450_000
console = Console(width=110)


def main() -> None:
    """Build the store, measure, make it grow, measure again, print."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--learners", type=int, default=300)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--others", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder, _store(options.engine, folder) as url:
        run(Path(folder), url, options)


@contextmanager
def _store(engine: str, folder: str) -> Iterator[str]:
    if engine == "postgresql":
        with services.postgresql(durable=True) as url:
            yield url
    else:
        yield f"sqlite:///{folder}/estime.db"


def run(folder: Path, url: str, options: argparse.Namespace) -> None:
    """Measure on the store at ``url``."""
    settings = Settings(
        data_dir=folder, database_url=url, public_url="https://localhost", secret_key=os.urandom(32).hex()
    )
    app = create_app(settings, clock=lambda: _NOW)
    tool: Tool = app.extensions["estime"]
    migrations.upgrade(tool.engine)
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {options.engine}"
    )
    measured = course.build(tool.engine, learners=options.learners, statements=options.events, now=_NOW)
    console.print(
        f"Measured course: {len(measured.learners)} learners, {measured.statements:,} statements ingested "
        f"in {measured.ingested_in:.0f} s ({measured.statements / measured.ingested_in:,.0f}/s, batches of "
        f"500, one thread), refreshed in {measured.refreshed_in:.0f} s"
    )
    client, base = pages.tutor_client(app, measured, _NOW)
    urls = pages.tutor_urls(app, measured, base)
    results: list[tuple[int, list[pages.Timing]]] = []
    copies = 0
    for wanted in options.others:
        began = time.perf_counter()
        while copies * measured.statements < wanted:
            copies += 1
            others.copy(tool.engine, measured, copies)
        others.settle(tool.engine)
        stored = others.count(tool.engine, measured) - measured.statements
        console.print(
            f"Other courses: {copies}, {stored:,} statements with their events and rollups, copied inside "
            f"the database in {time.perf_counter() - began:.0f} s (not ingested; JSON cut to 200 characters)"
        )
        results.append((stored, pages.measure(client, urls, options.rounds)))
    _print_timings(results, options)
    _print_weight(pages.first_load(client, urls[0][1]))


def _print_timings(results: list[tuple[int, list[pages.Timing]]], options: argparse.Namespace) -> None:
    limit = _TARGET_MS[options.engine]
    table = Table(title=f"Server time of a tutor's page, ms ({options.rounds} requests each)")
    table.add_column("page")
    for stored, _ in results:
        table.add_column(f"p50, {stored / 1e6:.1f} M others", justify="right")
        table.add_column(f"p95, {stored / 1e6:.1f} M others", justify="right")
    table.add_column(f"p95 under {limit}", justify="right")
    table.add_column(f"ratio p50 (< {_RATIO})", justify="right")
    table.add_column("ratio p95", justify="right")
    first, last = results[0][1], results[-1][1]
    for rank, timing in enumerate(last):
        cells = [timing.name]
        for _, timings in results:
            cells += [f"{timings[rank].p50:.1f}", f"{timings[rank].p95:.1f}"]
        worst = max(timings[rank].p95 for _, timings in results)
        cells.append("yes" if worst < limit else "NO")
        cells.append(f"{timing.p50 / first[rank].p50:.2f}")
        cells.append(f"{timing.p95 / first[rank].p95:.2f}")
        table.add_row(*cells)
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
