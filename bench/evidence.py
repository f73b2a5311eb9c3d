"""`python -m bench.evidence`: the pack of a path of 20 sessions, from the question to the two files.

Each session has its learners, a plan of ten modules, what they did, and a questionnaire by module with its
published figures. Rows are written straight into their tables: what is measured is the reading, the document
and the two files, by the very job that the page asks for. Seconds of the processor, then of the clock.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import Connection, Engine

from bench import satisfaction
from lti_tool import migrations, paths, surveys
from lti_tool.evidence import work
from lti_tool.export_tables import export_file
from lti_tool.tool import Tool
from tests.factories.jobs import drain, make_tool
from tests.factories.surveys import template
from tool_config import silos
from tool_config.database import administration, insert, open_engine, transaction
from tool_config.settings import Settings
from xapi import tables as t
from xapi.identity import course_id
from xapi.survey_tables import survey_figure, survey_step

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_TARGET_SECONDS = 60
_MODULES = 10
console = Console(width=110)


def main() -> None:
    """Build the path, make its pack, print."""
    parser = argparse.ArgumentParser(prog="bench.evidence")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--learners", type=int, default=500)
    options = parser.parse_args()
    with satisfaction.store(options.engine) as url:
        run(url, options.sessions, options.learners)


def run(url: str, sessions: int, learners: int) -> None:
    """Measure the pack of a path of ``sessions`` sessions of ``learners`` people, on the store at ``url``."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    with administration(engine) as conn:
        silo_id = silos.add(conn, "bench", now=_NOW)
    with transaction(engine, silo_id) as conn:
        path_id = paths.create(conn, silo_id, "Piloter un établissement")
        for rank in range(sessions):
            _session(conn, silo_id, path_id, rank, learners)
    if engine.dialect.name == "postgresql":
        with administration(engine) as conn:
            conn.exec_driver_sql("ANALYZE")
    with tempfile.TemporaryDirectory(prefix="estime-bench-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            database_url=url,
            public_url="https://localhost",
            secret_key=os.urandom(32).hex(),
        )
        _measure(make_tool(settings, engine, lambda: _NOW), engine, silo_id, path_id, sessions, learners)
    engine.dispose()


def _measure(tool: Tool, engine: Engine, silo_id: int, path_id: int, sessions: int, learners: int) -> None:
    for name in ("first", "again"):
        with transaction(engine, silo_id) as conn:
            work.ask(conn, silo_id, f"bench {name}", path_id, (2025, 2026), now=_NOW)
        cpu, clock = time.process_time(), time.perf_counter()
        drain(tool)
        cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
        with transaction(engine, silo_id, write=False) as conn:
            sizes = {row.form: row.size for row in conn.execute(export_file.select())}
        if set(sizes) != {"pdf", "xlsx"}:
            raise RuntimeError("the pack was not made")
        verdict = "ok" if clock < _TARGET_SECONDS else "too long"
        console.print(
            f"{engine.dialect.name}: pack of {sessions} sessions of {learners} people, {name} time: "
            f"{cpu:.1f} s of this "
            f"process's processor, {clock:.1f} s in all (< {_TARGET_SECONDS} s: {verdict}); PDF "
            f"{sizes['pdf'] / 1000:,.0f} kB, workbook {sizes['xlsx'] / 1000:,.0f} kB"
        )


def _session(conn: Connection, silo_id: int, path_id: int, rank: int, learners: int) -> None:
    iri = f"https://campus.test/course/view.php?id={rank}"
    number, rng = course_id(silo_id, iri), random.Random(rank)
    key = {"silo_id": silo_id, "course_id": number}
    began = date(2025, 9, 8) + timedelta(days=20 * rank)
    conn.execute(
        insert(conn, t.course),
        {
            **key, "iri": iri, "title": f"Piloter un établissement ({rank + 1})", "starts_on": began,
            "ends_on": began + timedelta(days=90), "created_at": _NOW, "path_id": path_id, "roster_at": _NOW,
        },
    )  # fmt: skip
    modules = [f"{iri}#section-{place}" for place in range(1, _MODULES + 1)]
    conn.execute(
        insert(conn, t.outline_item), [item for iri in modules for item in _items(key, iri, modules)]
    )
    people = [f"{rng.getrandbits(128):032x}" for _ in range(learners)]
    conn.execute(
        insert(conn, t.membership),
        [{**key, "actor": one, "role": "trainee", "source": "roster", "since": _NOW} for one in people],
    )
    _traces(conn, key, people, modules, began, rng)
    for module in modules:
        _asked(conn, key, module, rng.randint(learners // 2, learners), began)


def _items(key: dict[str, int], module: str, modules: list[str]) -> list[dict[str, Any]]:
    place = modules.index(module) + 1
    common = {**key, "module": module, "required": True, "position": place}
    page = {**common, "iri": f"{module}-page", "level": "activity", "title": f"Étape {place}", "position": 1}
    return [{**common, "iri": module, "level": "module", "title": f"Module {place}"}, page]


def _traces(
    conn: Connection,
    key: dict[str, int],
    people: list[str],
    modules: list[str],
    began: date,
    rng: random.Random,
) -> None:
    actors, reached = [], []
    for one in people:
        done = rng.randint(0, len(modules))
        at = datetime(began.year, began.month, began.day, 9, tzinfo=UTC) + timedelta(days=rng.randint(0, 60))
        seconds = {name: rng.randint(600, 30_000) for name in ("seconds_10", "seconds_30", "seconds_60")}
        seen = "".join((at.date() + timedelta(days=day)).isoformat() for day in range(done))
        actors.append(
            {
                **key, "actor": one, "events": 20 * done, "days": done, **seconds, "first_at": at,
                "last_at": at, "attended": done % 3, "days_seen": seen,
                "completed_at": at if done == len(modules) else None,
            }
        )  # fmt: skip
        reached += [
            {
                **key, "actor": one, "module": module, **seconds, "first_at": at, "last_at": at,
                "progress_at": at, "done": 1, "required": 1, "completed_at": at, "score": rng.random(),
            }
            for module in modules[:done]
        ]  # fmt: skip
    conn.execute(insert(conn, t.rollup_actor), actors)
    conn.execute(insert(conn, t.rollup_module), reached)


def _asked(conn: Connection, key: dict[str, int], module: str, n: int, began: date) -> None:
    opens = datetime(began.year, began.month, began.day, tzinfo=UTC)
    asked = surveys.open_survey(
        conn, key["silo_id"], key["course_id"], module=module, template=template(), mode="pseudonymous",
        opens_at=opens, closes_at=opens + timedelta(days=30), by="bench", now=opens,
    )  # fmt: skip
    named = {**key, "survey_id": asked.survey_id}
    conn.execute(
        insert(conn, survey_step),
        {
            **named,
            "n": n,
            "closed": True,
            "received": n,
            "comments": {},
            "day": (opens + timedelta(days=30)).date(),
        },
    )
    figures = []
    for question in asked.template.closed:
        left = n
        for value in question.values[:-1]:
            figures.append({**named, "question": question.id, "value": value, "count": left // 3})
            left -= left // 3
        figures.append({**named, "question": question.id, "value": question.values[-1], "count": left})
    conn.execute(insert(conn, survey_figure), figures)


if __name__ == "__main__":
    main()
