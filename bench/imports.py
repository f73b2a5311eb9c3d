"""`python -m bench.imports`: 20,000 rows of ten columns from a file to the store, and again unchanged.

A CSV and a workbook of enrolments, a questionnaire of ten questions (200,000 answers) and a server's log of
ten times as many lines, each prepared and taken in as the page does, in a process of its own whose largest
memory is told. The questionnaire once of sessions that nobody knows, once of thirty that have their pages,
where its answers are published. Then what the page of data quality reads of all that.
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
from datetime import UTC, datetime
from pathlib import Path

import orjson
import xlsxwriter
from rich.console import Console
from sqlalchemy import Engine

from bench import satisfaction
from lti_tool import migrations, quality
from lti_tool.exports import csv_file
from lti_tool.imports import files, preparation, running
from tool_config import rules, silos
from tool_config.database import administration, insert, open_engine, transaction
from xapi.identity import course_id
from xapi.tables import course

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET_SECONDS, _TARGET_MB = 60, 300
#: Form -> what is said of it.
_FORMS = {
    "csv": "{rows:,} rows × 10 columns (csv)",
    "xlsx": "{rows:,} rows × 10 columns (xlsx)",
    "survey.csv": "{lines:,} answers, {rows:,} respondents (csv)",
    "placed.csv": "{lines:,} answers of known sessions, with their pages (csv)",
    "access.log": "{lines:,} lines of a server (log)",
}
_KINDS = {"survey.csv": "survey_answers", "placed.csv": "survey_answers", "access.log": "consultations"}
#: Sessions of a questionnaire, and seconds that the page of quality may read.
_SESSIONS, _QUALITY_SECONDS = 30, 1.0
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
        url, form = options.one
        print(orjson.dumps(_measure(url, form, options.rows)).decode())
        return
    with satisfaction.store(options.engine) as url:
        run(url, options.rows)


def run(url: str, rows: int) -> None:
    """Measure each form in a process of its own, print, and say whether the targets are met."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    engine.dispose()
    for form, what in _FORMS.items():
        command = [sys.executable, "-m", "bench.imports", "--rows", str(rows), "--one", url, form]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = orjson.loads(done.stdout)
        met = found["seconds"] < _TARGET_SECONDS and found["megabytes"] < _TARGET_MB
        console.print(
            f"import of {what.format(rows=rows, lines=10 * rows)}: {found['seconds']:.1f} s "
            f"({found['cpu']:.1f} s of CPU), again unchanged {found['again']:.1f} s, "
            f"at most {found['megabytes']:.0f} MB; target {_TARGET_SECONDS} s, {_TARGET_MB} MB: "
            + ("met" if met else "[red]not met[/red]")
        )
    _quality(url)


def _quality(url: str) -> None:
    """Measure what the page of data quality reads of the community that took most rows in."""
    engine = open_engine(url)
    with administration(engine) as conn:
        silo_id = silos.by_name(conn, "imports placed.csv").silo_id
    taken = []
    for _ in range(5):
        with transaction(engine, silo_id, write=False) as conn:
            started, cpu = time.perf_counter(), time.process_time()
            quality.read(conn, silo_id, today=_NOW.date(), rules=rules.load())
            taken.append((time.perf_counter() - started, time.process_time() - cpu))
    engine.dispose()
    seconds, cpu = min(taken)
    console.print(
        f"page of data quality, reading: {seconds:.2f} s ({cpu:.2f} s of CPU); "
        f"target {_QUALITY_SECONDS:.0f} s: " + ("met" if seconds < _QUALITY_SECONDS else "[red]not met[/red]")
    )


def _sessions(engine: Engine, silo_id: int) -> None:
    """Make the sessions that a questionnaire names."""
    with transaction(engine, silo_id) as conn:
        for rank in range(_SESSIONS):
            iri = f"https://campus.test/course/view.php?id={rank}"
            row = {
                "silo_id": silo_id,
                "course_id": course_id(silo_id, iri),
                "iri": iri,
                "title": f"Module {rank}",
            }
            conn.execute(insert(conn, course), {**row, "created_at": _NOW})


def _measure(url: str, form: str, rows: int) -> dict[str, float]:
    """Take one file in twice; seconds, seconds of CPU, megabytes at most."""
    engine = open_engine(url)
    with administration(engine) as conn:
        silo_id = silos.add(conn, f"imports {form}", now=_NOW)
    if form == "placed.csv":
        _sessions(engine, silo_id)
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        path = Path(folder) / f"inscriptions.{form}"
        kind = _KINDS.get(form, "enrolments")
        _write(path, form, rows)
        found: dict[str, float] = {}
        for name in ("seconds", "again"):
            started, cpu = time.perf_counter(), time.process_time()
            with path.open("rb") as source, transaction(engine, silo_id) as conn:
                file_id = files.keep(conn, silo_id, path.name, source, now=_NOW)
            preparation.prepare(engine, silo_id, file_id, now=_NOW, kind=kind)
            done = running.run(engine, silo_id, file_id, clock=lambda: _NOW, home="https://localhost")
            new, taken = (done.added, done.same)[:: 1 if name == "seconds" else -1], done.position
            if (*new, done.refused) != (taken, 0, 0) or (form != "access.log" and taken != rows):
                raise SystemExit(f"the import went wrong: {done}")
            found[name] = time.perf_counter() - started
            found.setdefault("cpu", time.process_time() - cpu)
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return found


def _write(path: Path, form: str, count: int) -> None:
    """Write the same rows as a CSV or as a workbook, a questionnaire, or a log."""
    draw = random.Random(7)
    if form in _KINDS:
        path.write_text(
            "\n".join(_hits(draw, 10 * count) if form == "access.log" else _answers(draw, count, form))
        )
        return
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
        path.write_bytes(csv_file.write(_HEADER, rows))
        return
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for rank, row in enumerate([_HEADER, *rows]):
            sheet.write_row(rank, 0, row)
    path.write_bytes(out.getvalue())


def _answers(draw: random.Random, count: int, form: str) -> Iterator[str]:
    """Yield an export of a questionnaire: eight closed questions, one of several choices, one open."""
    labels = ("Pas du tout d'accord", "Plutôt pas d'accord", "Plutôt d'accord", "Tout à fait d'accord")
    yield ";".join(
        [
            "Session" if form == "placed.csv" else "Module",
            *(f"G{rank}. Le module est [Point {rank}]" for rank in range(8)),
            "Vos usages ?",
            "Un commentaire ?",
        ]
    )
    for rank in range(count):
        closed = [draw.choice(labels) for _ in range(8)]
        yield ";".join([f"Module {rank % 30}", *closed, draw.choice(("Vidéo", "Forum")), f"Mot {rank}."])


def _hits(draw: random.Random, count: int) -> Iterator[str]:
    """Yield the lines of a server."""
    for rank in range(count):
        day = f"{1 + rank % 28:02d}/{draw.choice(('Oct', 'Nov', 'Dec'))}/2026"
        url = f"/film/{draw.randrange(3000)}?promo={2020 + rank % 6}"
        yield (
            f'192.0.2.{rank % 250} - - [{day}:10:05:03 +0100] "GET {url} HTTP/1.1" 200 203 "-" '
            '"Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"'
        )


if __name__ == "__main__":
    main()
