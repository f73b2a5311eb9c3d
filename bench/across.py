"""`python -m bench.across`: pages across courses with ten million events behind them, on PostgreSQL.

Two stores, the second ten times the first: 1 million events, 10,000 people, 200 sessions; then 10 million,
100,000 and 2,000. Rows are written inside the database (events, rollups, rosters, origins, enrolments,
choices, published figures); the frames of the community are then made by the worker's own function. Each page
is asked for through the WSGI application: cold, as the first page of a process of its own; warm, in turn.
Printed beside: the memory of such a process, what the worker spends on the frames, and the statement of SQL
that takes most of a cold page.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, event

from bench import ingestion
from bench.pages import measure
from lti_tool import app as application
from lti_tool import community, migrations, sessions
from lti_tool.app import create_app
from lti_tool.community import work
from tests import services
from tool_config import silos, surveys
from tool_config.database import administration, metadata, open_engine, transaction
from tool_config.settings import Settings
from xapi.statement import account_key

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ISSUER = "https://platform.example"
_SECRET = "for-the-bench-only-0123456789-abcdefghijklmnopqr"
_COLD_MS, _WARM_MS, _MEMORY_MB, _GROWTH = 1000, 100, 600, 12
_PATHS, _MODULES, _EACH = 20, 8, 3
#: Answers to each questionnaire.
_SAID = 60
#: Pages across courses, as an administrator opens them.
PAGES: tuple[tuple[str, str], ...] = (
    ("sessions", "/sessions"),
    ("origins", "/origins"),
    ("choices", "/choices"),
    ("pathways", "/pathways"),
    ("sizing", "/sizing"),
    ("modality", "/modality"),
    ("aftermath", "/aftermath"),
    ("what to adapt", "/adapt"),
    ("competencies", "/competencies"),
)
console = Console(width=120)


@dataclass(frozen=True)
class Size:
    """How much a store holds."""

    events: int
    people: int
    sessions: int


@dataclass(frozen=True)
class First:
    """The first page of a process: ms of the clock, of its processor, MB that it held at most, its SQL."""

    wall: float
    cpu: float
    memory: float
    statement: str


def main() -> None:
    """Build both stores, measure, print; with ``--first``, be the process whose first page is asked for."""
    parser = argparse.ArgumentParser(prog="bench.across")
    parser.add_argument("--events", type=int, nargs=2, default=[1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--first", nargs=4, metavar=("STORE", "LAUNCH", "SECRET", "PAGE"))
    options = parser.parse_args()
    if options.first:
        print(*_first(*options.first), sep="\t")
        return
    with services.postgresql(durable=True) as url:
        run(url, options.events, options.rounds)


def run(server: str, events: list[int], rounds: int) -> None:
    """Measure on a server of PostgreSQL."""
    found: dict[str, list[First]] = defaultdict(list)
    for number in events:
        size = Size(number, number // 100, number // 5000)
        url = ingestion.database(server, f"bench_across_{number}")
        engine = open_engine(url)
        silo_id = _build(engine, size)
        opened = _launch(engine, silo_id)
        for name, path in PAGES:
            found[name].append(_cold(url, opened, path))
    app = create_app(_settings(url), engine=engine, clock=lambda: NOW)
    client = app.test_client()
    client.set_cookie(sessions.cookie_name(opened.launch_id), opened.secret, domain="localhost", secure=True)
    urls = [(name, f"/c/{opened.launch_id}{path}") for name, path in PAGES]
    warm = measure([client], urls, rounds)
    _print({name: (found[name], warm[name][0].p95) for name, _ in PAGES}, events)
    engine.dispose()


def _print(found: dict[str, tuple[list[First], float]], events: list[int]) -> None:
    low, high = (f"{number / 1e6:g} M" for number in events)
    table = Table(title=f"Pages across courses, {low} then {high} events; ms of the clock")
    table.add_column("page", no_wrap=True)
    for name in (
        f"cold {low}", f"cold {high}", f"< {_COLD_MS}", "growth", f"< {_GROWTH}", "warm p95",
        f"< {_WARM_MS}", "MB", f"< {_MEMORY_MB}",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for name, ((small, large), p95) in found.items():
        growth = large.wall / small.wall
        table.add_row(
            name, f"{small.wall:.0f}", f"{large.wall:.0f}", _yes(large.wall < _COLD_MS), f"{growth:.1f}",
            _yes(growth < _GROWTH), f"{p95:.0f}", _yes(p95 < _WARM_MS), f"{large.memory:.0f}",
            _yes(large.memory < _MEMORY_MB),
        )  # fmt: skip
    console.print(table)
    for name, ((_, large), _) in found.items():
        console.print(f"{name}: most of its SQL is in {large.statement}")


def _yes(held: bool) -> str:
    return "yes" if held else "NO"


def _settings(url: str) -> Settings:
    return Settings(database_url=url, secret_key=_SECRET, public_url="https://localhost")


def _launch(engine: Engine, silo_id: int) -> sessions.Opened:
    values = {
        "issuer": ISSUER, "client_id": "bench", "deployment_id": "1", "actor": account_key(ISSUER, "admin"),
        "role": "admin", "course_id": 1, "resource_link_id": "1", "locale": "fr", "services": {},
    }  # fmt: skip
    with transaction(engine, silo_id) as conn:
        return sessions.open_launch(conn, silo_id, values, now=NOW)


def _cold(url: str, opened: sessions.Opened, path: str) -> First:
    command = [
        sys.executable, "-m", "bench.across", "--first", url, opened.launch_id, opened.secret,
        f"/c/{opened.launch_id}{path}",
    ]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, cpu, memory, statement = done.stdout.strip().splitlines()[-1].split("\t")
    return First(float(wall), float(cpu), float(memory), statement)


def _first(url: str, launch_id: str, secret: str, path: str) -> tuple[float, float, float, str]:
    engine = open_engine(url)
    app: Flask = create_app(_settings(url), engine=engine, clock=lambda: NOW)
    application.warm(app)
    spent: dict[str, float] = defaultdict(float)
    started: list[float] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _before(*_asked: Any) -> None:
        started.append(time.perf_counter())

    @event.listens_for(engine, "after_cursor_execute")
    def _after(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        spent[" ".join(statement.split())[:90]] += time.perf_counter() - started.pop()

    client = app.test_client()
    client.set_cookie(sessions.cookie_name(launch_id), secret, domain="localhost", secure=True)
    began, worked = time.perf_counter(), time.process_time()
    answer = client.get(path, base_url="https://localhost")
    wall, cpu = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status} for {path}")
    most = max(spent, key=lambda text: spent[text], default="")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return wall, cpu, memory, f"{1000 * spent.get(most, 0):.0f} ms of: {most}"


# --- the store ----------------------------------------------------------------------------------------


def _build(engine: Engine, size: Size) -> int:
    began = time.perf_counter()
    migrations.upgrade(engine)
    with administration(engine) as conn:
        silo_id = silos.add(conn, "bench", now=NOW)
    for step in (_courses, _people, _enrolments, _modules, _datasets, _satisfaction, _events):
        with administration(engine) as conn:
            step(conn, silo_id, size)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")
    built = time.perf_counter()
    worked = time.process_time()
    with transaction(engine, silo_id, write=False) as conn:
        wanted = work.sources(conn, silo_id)
    for source in wanted:
        community.refresh(engine, silo_id, source, now=NOW)
    console.print(
        f"{size.events:,} events, {size.people:,} people, {size.sessions:,} sessions written in "
        f"{built - began:.0f} s; {len(wanted)} frames made in {time.perf_counter() - built:.1f} s "
        f"({time.process_time() - worked:.1f} s of this process, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB at most)"
    )
    return silo_id


def _sql(conn: Connection, text: str, **values: Any) -> None:
    """Run a statement of this file; `:name` stands for a number."""
    for name, value in values.items():
        text = text.replace(f":{name}", str(int(value)))
    conn.exec_driver_sql(text)


def _courses(conn: Connection, silo: int, size: Size) -> None:
    _sql(conn, """
        INSERT INTO path (silo_id, path_id, title)
        SELECT :silo, p, 'Parcours ' || p FROM generate_series(1, :paths) p
    """, silo=silo, paths=_PATHS)  # fmt: skip
    _sql(conn, """
        INSERT INTO course (silo_id, course_id, iri, title, label, path_id, starts_on, ends_on,
                            created_at, roster_at)
        SELECT :silo, c, 'https://platform.example/course/view.php?id=' || c, 'Session ' || c, 'S' || c,
               1 + c % :paths, DATE '2020-09-10' + (c * 37 % 2200), DATE '2020-09-10' + (c * 37 % 2200) + 120,
               now(), now()
        FROM generate_series(1, :sessions) c
    """, silo=silo, paths=_PATHS, sessions=size.sessions)  # fmt: skip
    _sql(conn, """
        INSERT INTO outline_item (silo_id, course_id, iri, level, module, title, position, required,
                                  activity_type, hours_in_person, hours_distance)
        SELECT :silo, c, 'https://platform.example/course/' || c || '/section/' || m || suffix, level,
               'https://platform.example/course/' || c || '/section/' || m, 'Module ' || m,
               CASE level WHEN 'module' THEN m ELSE 1 END, true, '', m % 2 * 3, 2
        FROM generate_series(1, :sessions) c, generate_series(1, :modules) m,
             (VALUES ('module', ''), ('activity', '/a')) AS kind (level, suffix)
    """, silo=silo, sessions=size.sessions, modules=_MODULES)  # fmt: skip
    _sql(conn, """
        INSERT INTO rollup_state (silo_id, course_id, version, refreshed_at)
        SELECT :silo, c, 1, now() FROM generate_series(1, :sessions) c
    """, silo=silo, sessions=size.sessions)  # fmt: skip


def _people(conn: Connection, silo: int, size: Size) -> None:
    _sql(conn, """
        INSERT INTO actor (silo_id, actor, identifier) SELECT :silo, md5('p' || p), '{}'
        FROM generate_series(1, :people) p
    """, silo=silo, people=size.people)  # fmt: skip


#: Everybody `_EACH` times, in sessions far apart: person p, session c, days after its start that they came.
_ENROLLED = """
    SELECT p, 1 + (p * 7919::bigint + e * 104729) % :sessions AS c, p % 9 AS late
    FROM generate_series(1, :people) p, generate_series(1, :each) e
"""


def _enrolments(conn: Connection, silo: int, size: Size) -> None:
    values = {"silo": silo, "people": size.people, "sessions": size.sessions, "each": _EACH}
    _sql(conn, f"""
        INSERT INTO membership (silo_id, course_id, actor, role, source, since)
        SELECT DISTINCT :silo, c, md5('p' || p), 'trainee', 'roster', now() FROM ({_ENROLLED}) e
    """, **values)  # fmt: skip
    _sql(conn, f"""
        INSERT INTO rollup_actor (silo_id, course_id, actor, events, days, seconds_10, seconds_30, seconds_60,
                                  first_at, last_at, attended, enrolled_at, completed_at, days_seen)
        SELECT DISTINCT :silo, e.c, md5('p' || p), 30, 5, 3000, 5000, 7000,
               course.starts_on + late * INTERVAL '1 day' + INTERVAL '9 hours',
               course.starts_on + (10 + p % 80) * INTERVAL '1 day', p % 3,
               course.starts_on - INTERVAL '20 days',
               CASE WHEN p % 10 < 6 THEN course.starts_on + (60 + p % 60) * INTERVAL '1 day' END, ''
        FROM ({_ENROLLED}) e JOIN course ON course.silo_id = :silo AND course.course_id = e.c WHERE p % 20 > 0
    """, **values)  # fmt: skip


def _modules(conn: Connection, silo: int, size: Size) -> None:
    _sql(conn, f"""
        INSERT INTO rollup_module (silo_id, course_id, actor, module, seconds_10, seconds_30, seconds_60,
                                   first_at, last_at, progress_at, done, required, completed_at)
        SELECT DISTINCT ON (e.c, p, m) :silo, e.c, md5('p' || p),
               'https://platform.example/course/' || e.c || '/section/' || m,
               300, 500, 700, at, at, at, 1, 1, at
        FROM (SELECT p, c, late, m, course.starts_on + (late + 7 * (m + (p + m) % 3 - 1)) * INTERVAL '1 day'
                     + m * INTERVAL '1 minute' AS at
              FROM ({_ENROLLED}) x JOIN course ON course.silo_id = :silo AND course.course_id = x.c,
                   generate_series(1, :modules) m WHERE p % 20 > 0 AND m <= 2 + p % :modules) e
    """, silo=silo, people=size.people, sessions=size.sessions, each=_EACH, modules=_MODULES)  # fmt: skip


def _datasets(conn: Connection, silo: int, size: Size) -> None:
    row = "INSERT INTO dataset_row (silo_id, kind, row_key, person_key, session, course_id, valid_on, data, digest, file_id, line, updated_at)"  # noqa: E501
    values = {"silo": silo, "people": size.people, "sessions": size.sessions, "each": _EACH}
    _sql(conn, f"""
        {row} SELECT :silo, 'people', md5('o' || p), 'a:' || md5('p' || p), NULL, NULL, NULL, json_build_object(
            'academie', (ARRAY['paris', 'aix_marseille', 'besancon', 'bordeaux', 'dijon', 'grenoble', 'lille', 'lyon',
                               'montpellier', 'nancy_metz', 'poitiers', 'rennes', 'strasbourg', 'toulouse'])[1 + p % 14],
            'corps', 'corps ' || p % 9, 'former_job', 'métier ' || p % 12, 'seniority', p % 25,
            'gender', (ARRAY['F', 'M'])[1 + p % 2], 'promotion', (2019 + p % 7) || '-' || (2021 + p % 7)), '', 'f', p, now()
        FROM generate_series(1, :people) p
    """, **values)  # fmt: skip  # noqa: E501
    _sql(conn, f"""
        {row} SELECT DISTINCT ON (c, p) :silo, 'enrolments', md5(p || '/' || c), 'a:' || md5('p' || p), 'S' || c, c, NULL,
            json_build_object('mode', (ARRAY['mandatory', 'designated', 'individual', 'open'])[1 + p % 4],
                              'status', 'accepted'), '', 'f', p, now()
        FROM ({_ENROLLED}) e
    """, **values)  # fmt: skip  # noqa: E501
    _sql(conn, f"""
        {row} SELECT :silo, 'sessions', md5('s' || c), NULL, 'S' || c, c, NULL, json_build_object(
            'modality', (ARRAY['in_person', 'distance', 'blended'])[1 + c % 3], 'capacity', 160, 'cost', 12000 + c % 500,
            'hours_in_person', 12, 'hours_distance', 16), '', 'f', c, now()
        FROM generate_series(1, :sessions) c
    """, **values)  # fmt: skip  # noqa: E501
    _sql(conn, f"""
        {row} SELECT :silo, 'module_choices', md5('c' || p || '/' || m), 'a:' || md5('p' || p), NULL, NULL,
            DATE '2020-10-01' + p % 2200, json_build_object('module', 'Module ' || (p * m + p % 14) % 15), '', 'f', p, now()
        FROM generate_series(1, :people) p, generate_series(1, 2) m
    """, **values)  # fmt: skip  # noqa: E501
    _sql(conn, f"""
        {row} SELECT :silo, 'consultations', md5('v' || d || '/' || m), NULL, NULL, NULL, DATE '2020-09-01' + d,
            json_build_object('resource', '/film-annuel', 'promotion', (2019 + m) || '-' || (2021 + m), 'visits', 20 + d % 30),
            '', 'f', d, now()
        FROM generate_series(1, 2000) d, generate_series(0, 6) m
    """, **values)  # fmt: skip  # noqa: E501


def _satisfaction(conn: Connection, silo: int, size: Size) -> None:
    """Publish one questionnaire a session, on its third module: what the publication itself would write."""
    template = surveys.load()["a-chaud-module"]
    survey, step, figure = (metadata.tables[name] for name in ("survey", "survey_step", "survey_figure"))
    opened = NOW - timedelta(days=40)
    for first in range(1, size.sessions + 1, 500):
        some = range(first, min(first + 500, size.sessions + 1))
        rows = [
            {
                "silo_id": silo, "course_id": c, "survey_id": str(UUID(int=c)),
                "module": f"{ISSUER}/course/{c}/section/3", "template": surveys.dump(template),
                "mode": "pseudonymous", "opens_at": opened, "closes_at": opened + timedelta(days=20),
                "created_at": opened, "created_by": "", "received": _SAID, "settled_at": NOW,
            }
            for c in some
        ]  # fmt: skip
        conn.execute(survey.insert(), rows)
        same = [{name: row[name] for name in ("silo_id", "course_id", "survey_id")} for row in rows]
        conn.execute(
            step.insert(),
            [
                row | {"n": _SAID, "closed": True, "received": _SAID, "comments": {}, "day": NOW.date()}
                for row in same
            ],
        )
        figures = [
            row
            | {
                "question": question.id,
                "value": value,
                "count": _share(rank, len(question.values), some[place]),
            }
            for place, row in enumerate(same)
            for question in template.closed
            for rank, value in enumerate(question.values)
        ]
        conn.execute(figure.insert(), figures)


def _share(rank: int, points: int, seed: int) -> int:
    """Return how many of `_SAID` gave the point of a rank, another split each session."""
    each = _SAID // points
    shift = seed % each
    return each - shift if rank == 0 else _SAID - each * (points - 1) + shift if rank == points - 1 else each


def _events(conn: Connection, silo: int, size: Size) -> None:
    """Write the events in lots: what a page must not read."""
    lot = 500_000
    for start in range(0, size.events, lot):
        _sql(conn, """
            INSERT INTO event (silo_id, course_id, statement_id, actor, spoken_by, kind, at, activity)
            SELECT :silo, 1 + n % :sessions, gen_random_uuid(), md5('p' || (1 + n % :people)),
                   md5('p' || (1 + n % :people)),
                   'viewed', TIMESTAMPTZ '2020-09-10 09:00+00' + (n % 2200) * INTERVAL '1 day', ''
            FROM generate_series(:first, :last) n
        """, silo=silo, sessions=size.sessions, people=size.people, first=start + 1,
             last=min(start + lot, size.events))  # fmt: skip


if __name__ == "__main__":
    main()
