"""A community over two school years, from files: two paths, their sessions, who comes from where."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, update

from lti_tool import paths
from lti_tool.improvements import entries
from lti_tool.improvements.entries import Author
from tests.conftest import Clock
from tests.factories.surveys import ISSUER, Classroom
from tool_config.database import transaction
from xapi.dataset_tables import dataset_row
from xapi.tables import course

#: Sessions: path, first day, people (from, to), how many of them finished.
SESSIONS = (
    ("Piloter", date(2024, 10, 1), (0, 30), 12),
    ("Manager", date(2024, 11, 5), (30, 50), 15),
    ("Piloter", date(2025, 10, 1), (100, 150), 40),
    ("Manager", date(2025, 11, 5), (150, 180), 12),
)


def line(
    conn: Connection, silo: int, kind: str, key: str, person: str | None, now: datetime, **data: Any
) -> None:
    """Write a row of a dataset, as its file would have made it."""
    place = {name: data.pop(name) for name in ("session",) if name in data}
    conn.execute(
        insert(dataset_row).values(
            silo_id=silo, kind=kind, row_key=key, person_key=person, data=data, digest="", file_id="f",
            line=1, updated_at=now, **place,
        )
    )  # fmt: skip


def build(
    engine: Engine, silo: int, clock: Clock, *, opinions: bool = True, shift: int = 0
) -> dict[str, int]:
    """Fill a silo and return its paths by title; `shift`: people who finish less in each session."""
    with transaction(engine, silo) as conn:
        known = {title: paths.create(conn, silo, title) for title in ("Piloter", "Manager")}
        for rank, (path, began, (first, last), finished) in enumerate(SESSIONS):
            name = f"{path} {began.year}"
            line(
                conn, silo, "sessions", f"s{rank}", None, clock(), session=name, path=path,
                starts_on=began.isoformat(), ends_on=(began + timedelta(days=60)).isoformat(), capacity=60,
                modality="in_person" if path == "Piloter" else "distance", hours_in_person=12.0,
                hours_distance=6.0,
            )  # fmt: skip
            for n in range(first, last):
                status = "finished" if n - first < finished - shift else "unfinished"
                line(
                    conn, silo, "enrolments", f"e{n}", f"m:{n}", clock(), session=name, status=status,
                    mode="individual", enrolled_on=began.isoformat(),
                )  # fmt: skip
        for n in range(180):
            place = "poitiers" if n < 50 or n % 3 else "lille"
            line(conn, silo, "people", f"p{n}", f"m:{n}", clock(), academie=place)
    if opinions:
        _opinions(engine, silo, clock, known["Piloter"])
    return known


def _opinions(engine: Engine, silo: int, clock: Clock, path_id: int) -> None:
    """Add a session of the platform, its closed questionnaire and what was decided of it."""
    now = clock.now
    clock.now = now - timedelta(days=300)
    room = Classroom(engine, silo, clock(), iri=f"{ISSUER}/course/view.php?id=77").build(14)
    survey = room.open()
    for rank in range(13):
        room.answer(survey, rank, overall=5 if rank < 10 else 2)
    room.close(survey)
    with transaction(engine, silo) as conn:
        paths.assign(conn, silo, [room.course_id], path_id)
        one = course.c.silo_id == silo, course.c.course_id == room.course_id
        days = {"starts_on": date(2026, 1, 12), "ends_on": date(2026, 3, 12)}
        conn.execute(update(course).where(*one).values(title="Piloter en ligne", **days))
        _decided(conn, silo, room.course_id, room.now)
    clock.now = now


def _decided(conn: Connection, silo: int, number: int, now: datetime) -> None:
    said: dict[str, Any] = {"by": Author("x" * 32, "tutor"), "now": now, "today": now.date()}
    entry = entries.open_entry(
        conn, silo, number, improvement_id=str(uuid4()), kind="observation", noticed="Trop tard", **said
    )
    entries.decide(
        conn, entry, entry.version, decision="Décaler la classe virtuelle", owner=None,
        owner_name="La responsable", due_on=now.date() + timedelta(days=30), **said,
    )  # fmt: skip
    entries.complain(
        conn, silo, number, improvement_id=str(uuid4()), text="Trop de courriels", about="", module="",
        author=None, reserved=False, today=now.date(),
    )  # fmt: skip
