"""`python -m bench.imports`: 20,000 rows of ten columns from a file to the store, and again unchanged.

A CSV and a workbook, each prepared and taken in as the page does, in a process of its own whose largest
memory is told.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import xlsxwriter  # type: ignore[import-untyped]
from rich.console import Console

from lti_tool import csv_export, migrations
from lti_tool.imports import files, preparation, running
from tests import services
from tool_config import silos
from tool_config.database import administration, open_engine, transaction

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET_SECONDS, _TARGET_MB = 60, 300
_HEADER = (
    "Adresse mail", "Session", "Parcours", "Mode d’inscription", "Statut", "Inscrit le", "Rang", "Nom",
    "Remarque", "Parti le",
)  # fmt: skip
console = Console(width=110)


def main() -> None:
    """Take the files in, print."""
    parser = argparse.ArgumentParser(prog="bench.imports")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--one", nargs=2, metavar=("URL", "FORM"), help="one measure, in this process")
    options = parser.parse_args()
    if options.one:
        print(orjson.dumps(_measure(*options.one, options.rows)).decode())
        return
    with _store(options.engine) as url:
        run(url, options.rows)


@contextmanager
def _store(engine: str) -> Iterator[str]:
    if engine == "postgresql":
        with services.postgresql(durable=True) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        yield f"sqlite:///{folder}/estime.db"


def run(url: str, rows: int) -> None:
    """Measure each form in a process of its own, print, and say whether the targets are met."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    engine.dispose()
    for form in ("csv", "xlsx"):
        command = [sys.executable, "-m", "bench.imports", "--rows", str(rows), "--one", url, form]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = orjson.loads(done.stdout)
        met = found["seconds"] < _TARGET_SECONDS and found["megabytes"] < _TARGET_MB
        console.print(
            f"import of {rows:,} rows × {len(_HEADER)} columns ({form}): {found['seconds']:.1f} s "
            f"({found['cpu']:.1f} s of CPU), again unchanged {found['again']:.1f} s, "
            f"at most {found['megabytes']:.0f} MB; target {_TARGET_SECONDS} s, {_TARGET_MB} MB: "
            + ("met" if met else "[red]not met[/red]")
        )


def _measure(url: str, form: str, rows: int) -> dict[str, float]:
    """Take one file in twice; seconds, seconds of CPU, megabytes at most."""
    engine = open_engine(url)
    with administration(engine) as conn:
        silo_id = silos.add(conn, f"imports {form}", now=_NOW)
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        path = Path(folder) / f"inscriptions.{form}"
        _write(path, form, rows)
        found: dict[str, float] = {}
        for name in ("seconds", "again"):
            started, cpu = time.perf_counter(), time.process_time()
            with path.open("rb") as source, transaction(engine, silo_id) as conn:
                file_id = files.keep(conn, silo_id, path.name, source, now=_NOW)
            preparation.prepare(engine, silo_id, file_id, now=_NOW, kind="enrolments")
            done = running.run(engine, silo_id, file_id, clock=lambda: _NOW, home="https://localhost")
            if (done.added, done.same, done.refused) != ((rows, 0, 0) if name == "seconds" else (0, rows, 0)):
                raise SystemExit(f"the import went wrong: {done}")
            found[name] = time.perf_counter() - started
            found.setdefault("cpu", time.process_time() - cpu)
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return found


def _write(path: Path, form: str, count: int) -> None:
    """Write the same rows as a CSV or as a workbook."""
    draw = random.Random(7)
    modes = ("obligatoire", "public désigné", "candidature individuelle", "accès libre")
    rows = [
        (
            f"agent{rank}@ac-lille.fr", f"S-{rank % 300}", f"Parcours {rank % 40}", draw.choice(modes),
            "retenu", f"{1 + rank % 28:02d}/09/2026", str(1 + rank % 5), f"Nom{rank}",
            "à revoir " * draw.randint(0, 5), "",
        )
        for rank in range(count)
    ]  # fmt: skip
    if form == "csv":
        path.write_bytes(csv_export.write(_HEADER, rows))
        return
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for rank, row in enumerate([_HEADER, *rows]):
            sheet.write_row(rank, 0, row)
    path.write_bytes(out.getvalue())


if __name__ == "__main__":
    main()
