"""Moodle logs taken in as statements: once each, in French or English, beside what the plugin sent."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from lti_tool.imports import files, logs, running
from lti_tool.imports.files import File
from lti_tool.worker import Worker
from tests.factories.imports import HOME, prepared, taken
from tool_config.database import transaction
from xapi import tables as t
from xapi.identity import course_id
from xapi.ingest import ingest

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

SITE = {"site": "https://moodle.test"}
FRENCH = ["Heure", "Nom complet", "Utilisateur touché", "Contexte de l'événement", "Composant"]
FRENCH += ["Nom de l'événement", "Description", "Origine", "Adresse IP"]
COURSE = "https://moodle.test/course/view.php?id=12"


def log(*lines: tuple[str, str, str], encoding: str = "utf-8") -> bytes:
    """Return a log: (time, event, description) of each line."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(FRENCH)
    for at, event, description in lines:
        context = "Cours: Piloter l’établissement" if "course with" in description else "Page: À lire…"
        writer.writerow(
            [at, "Camille Durand", "-", context, "Système", event, description, "web", "10.0.0.7"]
        )
    return out.getvalue().encode(encoding)


def visit(who: int, at: str) -> tuple[str, str, str]:
    return at, "Cours consulté", f"The user with id '{who}' viewed the course with id '12'."


LINES = (
    visit(7, "27 juin 26, 10:05"),
    visit(7, "27 juin 26, 10:05"),
    ("27 juin 26, 10:04", "Module de cours consulté",
     "The user with id '7' viewed the 'page' activity with course module id '31'."),
    ("27 juin 26, 09:00", "Rapport de journal consulté",
     "The user with id '2' viewed the log report for the course with id '12'."),
    ("27 juin 26, 08:59", "Module de cours mis à jour",
     "The user with id '2' updated the 'page' activity with course module id '31'."),
    visit(2, "27 juin 26, 08:58"),
)  # fmt: skip


def count(engine: Engine, silo: int) -> int:
    with transaction(engine, silo, write=False) as conn:
        return int(conn.scalar(select(func.count()).where(t.statement.c.silo_id == silo)) or 0)


def test_a_log_becomes_statements_once(engine: Engine, silo: int, clock: Any) -> None:
    done = taken(engine, silo, log(*LINES, encoding="cp1252"), clock, "moodle_logs", SITE)
    assert (done.state, done.position, done.added, done.same, done.refused) == ("done", 6, 4, 0, 0)
    assert done.notes == {
        "staff": 1, "silent": 2, "silent Rapport de journal consulté": 1,
        "silent Module de cours mis à jour": 1,
    }  # fmt: skip
    with transaction(engine, silo, write=False) as conn:
        where = t.event.c.silo_id == silo
        events = conn.execute(select(t.event).where(where).order_by(t.event.c.at)).all()
        raw = repr(conn.scalars(select(t.statement.c.raw)).all())
    assert [one.kind for one in events] == ["viewed"] * 4
    assert events[-1].at == datetime(2026, 6, 27, 8, 5, tzinfo=UTC)
    assert events[-1].course_title == "Piloter l’établissement"
    assert events[1].activity_title == "À lire…"
    assert "Camille" not in raw
    assert "10.0.0.7" not in raw
    again = taken(engine, silo, log(*LINES, encoding="cp1252"), clock, "moodle_logs", SITE)
    assert (again.added, again.same) == (0, 4)
    assert count(engine, silo) == 4


def test_those_who_run_the_course_are_tutors(engine: Engine, silo: int, clock: Any) -> None:
    taken(engine, silo, log(*LINES), clock, "moodle_logs", SITE)
    with transaction(engine, silo, write=False) as conn:
        rows = conn.execute(select(t.membership).where(t.membership.c.silo_id == silo)).all()
    assert [(row.course_id, row.role, row.source) for row in rows] == [
        (course_id(silo, COURSE), "tutor", "log")
    ]


def sent(who: int, at: str) -> dict[str, Any]:
    """Return a visit of the course as the plugin sends it."""
    return {
        "actor": {"account": {"homePage": "https://moodle.test", "name": str(who)}},
        "verb": {"id": "http://id.tincanapi.com/verb/viewed"},
        "object": {"id": COURSE, "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course"}},
        "timestamp": at,
    }


def test_what_the_plugin_sent_is_not_counted_twice(engine: Engine, silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        ingest(conn, silo, [sent(7, "2026-06-27T08:05:42Z"), sent(9, "2026-06-27T08:05:01Z")], now=clock())
    for added, same in ((3, 0), (0, 3)):
        done = taken(engine, silo, log(*LINES), clock, "moodle_logs", SITE)
        assert (done.added, done.same, done.notes["known_elsewhere"]) == (added, same, 1)
    assert count(engine, silo) == 5


def views(engine: Engine, silo: int) -> int:
    with transaction(engine, silo, write=False) as conn:
        query = select(func.count()).where(t.event.c.silo_id == silo, t.event.c.kind == "viewed")
        return int(conn.scalar(query) or 0)


def test_what_the_plugin_sends_later_is_not_counted_twice(engine: Engine, silo: int, clock: Any) -> None:
    worker = Worker(engine, clock)
    taken(engine, silo, log(*LINES), clock, "moodle_logs", SITE)
    assert views(engine, silo) == 4
    # Twice at 10:05 in the log: the plugin's first answers for one of the two, and only once.
    for second, expected in ((42, 4), (55, 4), (59, 5)):
        clock.now += timedelta(minutes=5)
        with transaction(engine, silo) as conn:
            ingest(conn, silo, [sent(7, f"2026-06-27T08:05:{second}Z")], now=clock())
        worker.turn()
        worker.turn()
        assert views(engine, silo) == expected
    again = taken(engine, silo, log(*LINES), clock, "moodle_logs", SITE)
    assert (again.added, views(engine, silo)) == (0, 5)


def test_an_interrupted_log_goes_on_without_doubles(
    engine: Engine, silo: int, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    with transaction(engine, silo) as conn:
        ingest(conn, silo, [sent(7, "2026-06-27T08:05:42Z")], now=clock())
    lines = [visit(7, "27 juin 26, 10:05")] * 3 + list(LINES[2:])
    ready = prepared(engine, silo, log(*lines), clock(), "moodle_logs", constants=SITE)

    def stop(_read: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME, progress=stop)
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    assert (done.state, done.added, done.notes["known_elsewhere"]) == ("done", 4, 1)
    assert count(engine, silo) == 5


@sqlite_only
def test_a_line_without_a_readable_time_is_told(engine: Engine, silo: int, clock: Any) -> None:
    content = log(visit(7, "un jour"), visit(7, "27 août 2026, 10:05"))
    done = taken(engine, silo, content, clock, "moodle_logs", SITE)
    assert (done.added, done.refused) == (1, 1)
    with transaction(engine, silo, write=False) as conn:
        [told] = files.refusals(conn, silo, done.file_id)
    assert (told.line, told.faults[0][:3]) == (2, ["Heure", "instant", "un jour"])


@sqlite_only
def test_a_log_waits_for_the_address_of_its_site(engine: Engine, silo: int, clock: Any) -> None:
    ready = prepared(engine, silo, log(*LINES), clock())
    assert ready.file.kind == "moodle_logs"
    assert [fault.field.id for fault in ready.faults] == ["site"]


def real(engine: Engine, silo: int, clock: Any, path: Path) -> File:
    ready = prepared(engine, silo, path, clock(), constants=SITE)
    assert ready.file.kind == "moodle_logs"
    assert ready.faults == ()
    return running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)


# Three lines of one file are of 29 February 2018, which never was.
@sqlite_only
@pytest.mark.parametrize(
    ("name", "lines", "refused", "added", "staff"),
    [
        ("moodle-logs-edify/Moodle Module 3 SP17.csv", 696, 0, 507, 0),
        ("moodle-logs-edify/Moodle Module 5 SP18.csv", 2140, 3, 1497, 0),
        pytest.param("moodle-logs-edify/Moodle Module 1 F19.csv", 7033, 0, 5584, 5, marks=pytest.mark.slow),
        ("moodle-logs-fr-derived/journaux_Module_3_SP17.csv", 696, 0, 507, 0),
    ],
)
def test_real_logs_go_in(
    engine: Engine, silo: int, clock: Any, shared_data: Path, name: str, lines: int, refused: int, added: int,
    staff: int,
) -> None:  # fmt: skip
    done = real(engine, silo, clock, shared_data / name)
    silent = done.notes["silent"]
    assert (done.state, done.position, done.refused) == ("done", lines, refused)
    assert (done.added, done.notes.get("staff", 0)) == (added, staff)
    assert done.added + silent + refused == lines


@sqlite_only
def test_a_log_is_the_same_in_both_languages(
    engine: Engine, silo: int, clock: Any, shared_data: Path
) -> None:
    first = real(engine, silo, clock, shared_data / "moodle-logs-edify/Moodle Module 3 SP17.csv")
    second = real(engine, silo, clock, shared_data / "moodle-logs-fr-derived/journaux_Module_3_SP17.csv")
    assert first.added > 500
    assert (second.added, second.same) == (0, first.added)


def test_statements_of_logs_are_told_from_the_others(engine: Engine, silo: int, clock: Any) -> None:
    taken(engine, silo, log(*LINES), clock, "moodle_logs", SITE)
    with transaction(engine, silo, write=False) as conn:
        keys = conn.scalars(select(t.statement.c.key_id).where(t.statement.c.silo_id == silo)).all()
    assert set(keys) == {logs.KEY}
