"""Files of sessions told to the courses that they are: dates and path, now or when the course comes."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Engine, select

from lti_tool import paths, programme
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.imports import taken
from tool_config.database import transaction
from xapi.tables import course

FILE = """Parcours;Session;Début;Fin;Places
Diriger un EPLE;Piloter;05/10/2026;18/12/2026;60
Diriger un EPLE;Plus tard;11/01/2027;;30
""".encode()


def courses(engine: Engine, silo: int) -> dict[str, Any]:
    with transaction(engine, silo, write=False) as conn:
        return {row.title: row for row in conn.execute(select(course).where(course.c.silo_id == silo))}


def path_of(engine: Engine, silo: int) -> dict[str, tuple[str, str]]:
    with transaction(engine, silo, write=False) as conn:
        return {
            each.title: (one.title, each.tied_by)
            for one in paths.read(conn, silo).paths
            for each in one.sessions
        }


def test_a_file_gives_dates_and_path(engine: Engine, silo: int, clock: Clock) -> None:
    opened.add_course(engine, silo, 2, "Piloter")
    done = taken(engine, silo, FILE, clock, "sessions")
    assert (done.refused, done.notes) == (0, {"dated": 1, "tied": 1, "unknown_sessions": 1})
    found = courses(engine, silo)["Piloter"]
    assert (found.starts_on, found.ends_on) == (date(2026, 10, 5), date(2026, 12, 18))
    assert path_of(engine, silo) == {"Piloter": ("Diriger un EPLE", "file")}


def test_a_session_known_later_gets_them_then(engine: Engine, silo: int, clock: Clock) -> None:
    taken(engine, silo, FILE, clock, "sessions")
    opened.add_course(engine, silo, 3, "Plus tard")
    with transaction(engine, silo) as conn:
        assert programme.settle(conn, silo)["tied"] == 1
    with transaction(engine, silo) as conn:
        assert programme.settle(conn, silo) == {"dated": 0, "tied": 0, "unknown_sessions": 1}
    assert courses(engine, silo)["Plus tard"].starts_on == date(2027, 1, 11)


def test_a_tie_made_by_hand_stays(engine: Engine, silo: int, clock: Clock) -> None:
    key = opened.add_course(engine, silo, 2, "Piloter")
    with transaction(engine, silo) as conn:
        paths.assign(conn, silo, [key], paths.create(conn, silo, "Autre"))
    taken(engine, silo, FILE, clock, "sessions")
    assert path_of(engine, silo) == {"Piloter": ("Autre", "hand")}
