"""`python -m bench.satisfaction_pages`: every page of satisfaction with 200,000 answers behind it.

A course of 300 enrolled people; in one closed questionnaire 200,000 answers, written straight into their
table and published by the tool; two small ones, and twelve sessions of the same path beside. Each page is
asked for through the WSGI application: warm, in turn; cold, as the first page of a process of its own,
as a server's is when it begins to answer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from rich.console import Console
from sqlalchemy import Engine

from bench import satisfaction
from bench.pages import measure
from lti_tool import app as application
from lti_tool import depth, migrations, paths, sessions
from lti_tool.app import create_app
from lti_tool.surveys import late
from tests.factories.surveys import ISSUER, SECRET, Classroom, K
from tool_config import rules, silos
from tool_config.database import administration, open_engine, transaction
from tool_config.settings import Settings
from tool_config.surveys import Survey
from xapi.statement import account_key
from xapi.tables import course, outline_item

_WARM_MS, _COLD_MS = 100, 500
_SESSIONS = 12
console = Console(width=110)


def main() -> None:
    """Build, measure, print; with ``--first``, be the process whose first page is asked for."""
    parser = argparse.ArgumentParser(prog="bench.satisfaction_pages")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--answers", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--first", nargs=4, metavar=("STORE", "LAUNCH", "SECRET", "PAGE"))
    options = parser.parse_args()
    if options.first:
        print(*_first(*options.first))
        return
    with satisfaction.store(options.engine) as url:
        run(url, options.answers, options.rounds)


def run(url: str, answers: int, rounds: int) -> None:
    """Measure on the store at ``url``."""
    engine = open_engine(url)
    migrations.upgrade(engine)
    room, asked = _build(engine, answers)
    pages = {}
    for role in ("tutor", "admin"):
        opened = _launch(engine, room, role)
        app = create_app(Settings(**_settings(url)), engine=engine, clock=lambda: room.now)
        urls = [
            (f"{role}, {name}", f"/c/{opened.launch_id}{path}") for name, path in _pages(room, asked, role)
        ]
        timings = measure([_client(app, opened.launch_id, opened.secret)], urls, rounds)
        for name, path in urls:
            pages[name] = (timings[name][0], _cold(url, opened.launch_id, opened.secret, path))
    console.print(f"{engine.dialect.name}, {answers:,} answers in one closed questionnaire:")
    for name, (warm, (cold, cpu)) in pages.items():
        verdict = "yes" if warm.p95 < _WARM_MS and cold < _COLD_MS else "NO"
        console.print(
            f"{name}: p50 {warm.p50:.1f} ms, p95 {warm.p95:.1f} ms, processor {warm.cpu:.1f} ms, "
            f"first of a process {cold:.0f} ms, processor {cpu:.0f}; "
            f"under {_WARM_MS} and {_COLD_MS}: {verdict}"
        )
    engine.dispose()


def _build(engine: Engine, answers: int) -> tuple[Classroom, list[Survey]]:
    with administration(engine) as conn:
        silo_id = silos.add(conn, "bench", now=satisfaction.NOW)
    room = Classroom(engine, silo_id, satisfaction.NOW).build(300, modules=5)
    asked = [room.open(module=rank) for rank in (1, 2, 3)]
    respondents = answers // len(asked[0].template.questions)
    for survey, people in zip(asked, (respondents, 120, 90), strict=True):
        satisfaction.fill(room, survey, people)
    others = [
        Classroom(engine, silo_id, satisfaction.NOW, iri=f"{room.iri}{number}") for number in range(_SESSIONS)
    ]
    for number, other in enumerate(others):
        with transaction(engine, silo_id) as conn:
            key = {"silo_id": silo_id, "course_id": other.course_id}
            start = satisfaction.NOW.date() - timedelta(days=30 * number)
            label = f"2026-{number + 1}"
            conn.execute(
                course.insert().values(
                    **key, iri=other.iri, title="Piloter", label=label, starts_on=start, created_at=other.now
                )
            )
            for rank in (1, 2, 3):
                iri = f"{other.iri}#section-{rank}"
                row = {"iri": iri, "level": "module", "module": iri, "position": rank, "required": True}
                conn.execute(outline_item.insert().values(**key, **row, title=f"Module {rank}"))
        for rank in (1, 2, 3):
            satisfaction.fill(other, other.open(module=rank), 60)
    with transaction(engine, silo_id) as conn:
        path_id = paths.create(conn, silo_id, "Piloter")
        paths.assign(conn, silo_id, [room.course_id, *(other.course_id for other in others)], path_id)
    room.now = asked[0].closes_at + timedelta(minutes=1)
    began = time.perf_counter()
    with transaction(engine, silo_id) as conn:
        late.publish(conn, silo_id, now=room.now, k=K)
    room.close(asked[0])
    published = time.perf_counter()
    with transaction(engine, silo_id) as conn:
        for one in depth.due(conn, silo_id):
            depth.seal(conn, one, now=room.now, rules=rules.load())
    console.print(
        f"published in {published - began:.1f} s, groups counted in {time.perf_counter() - published:.1f} s"
    )
    if engine.dialect.name == "postgresql":
        with administration(engine) as conn:
            conn.exec_driver_sql("ANALYZE")
    return room, asked


def _launch(engine: Engine, room: Classroom, role: str) -> sessions.Opened:
    values = {
        "issuer": ISSUER, "client_id": "bench", "deployment_id": "1", "actor": account_key(ISSUER, "tutor"),
        "role": role, "course_id": room.course_id, "resource_link_id": "1", "locale": "fr", "services": {},
    }  # fmt: skip
    with transaction(engine, room.silo_id) as conn:
        return sessions.open_launch(conn, room.silo_id, values, now=room.now)


def _settings(url: str) -> dict[str, Any]:
    return {"database_url": url, "secret_key": SECRET, "public_url": "https://localhost"}


def _client(app: Flask, launch_id: str, secret: str) -> FlaskClient:
    client = app.test_client()
    client.set_cookie(sessions.cookie_name(launch_id), secret, domain="localhost", secure=True)
    return client


def _pages(room: Classroom, asked: list[Survey], role: str) -> list[tuple[str, str]]:
    base = f"/courses/{room.course_id}/satisfaction"
    module = quote(asked[0].module, safe="")
    pages = [
        ("the course", base),
        ("one questionnaire", f"{base}/{asked[0].survey_id}"),
        ("one module from all sides", f"{base}/module?module={module}"),
        ("session after session", f"{base}/sessions"),
        ("the table of the course", f"{base}.csv"),
        ("the groups of a questionnaire", f"{base}/{asked[0].survey_id}/groups.csv"),
    ]
    return pages if role == "tutor" else pages[1:4]


def _cold(url: str, launch_id: str, secret: str, path: str) -> tuple[float, float]:
    """Return the time of a page that is the first of its process, of the clock and of the processor (ms)."""
    command = [sys.executable, "-m", "bench.satisfaction_pages", "--first", url, launch_id, secret, path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, processor = done.stdout.strip().splitlines()[-1].split()
    return float(wall), float(processor)


def _first(url: str, launch_id: str, secret: str, path: str) -> tuple[float, float]:
    engine = open_engine(url)
    now = satisfaction.NOW + timedelta(days=14, minutes=1)
    app = create_app(Settings(**_settings(url)), engine=engine, clock=lambda: now)
    application.warm(app)
    client = _client(app, launch_id, secret)
    began, worked = time.perf_counter(), time.process_time()
    answer = client.get(path, base_url="https://localhost")
    spent = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status} for {path}")
    return spent


if __name__ == "__main__":
    main()
