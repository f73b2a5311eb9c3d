"""Attendance lists into statements: whoever is known in the session becomes present at the gathering."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from lti_tool import attendance
from lti_tool.tables import person
from tool_config import addresses, silos
from tool_config.database import transaction
from tool_config.references import plain
from xapi import outline
from xapi.dataset_tables import dataset_row
from xapi.tables import membership

KIND = "attendance"


def publish(
    engine: Engine, silo_id: int, *, file_id: str | None, by: str, now: datetime, authority_home: str
) -> Mapping[str, int]:
    """Mark present, in the outline of each session, the people of a file's rows; return what came of it.

    Without a file, of every row: people whom the tool came to know since.

    A gathering that the outline does not have is planned. Notes: presences (newly marked), gatherings
    (planned), unknown_people, unknown_sessions (rows without effect for now). Those already marked stay.
    """
    with transaction(engine, silo_id, write=False) as conn:
        rows = _rows(conn, silo_id, file_id)
    notes = {"presences": 0, "gatherings": 0, "unknown_people": 0, "unknown_sessions": 0}
    by_course: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        if row.course_id is None:
            notes["unknown_sessions"] += 1
        elif row.data.get("present") is not False:
            by_course[row.course_id].append(row)
    for course_id, some in sorted(by_course.items()):
        with transaction(engine, silo_id) as conn:
            for name, found in _course(conn, silo_id, course_id, some, by, now, authority_home).items():
                notes[name] += found
    return notes


def _rows(conn: Connection, silo_id: int, file_id: str | None) -> list[Any]:
    """Return the attendance rows that a file said last, or all."""
    table = dataset_row.c
    query = select(table.person_key, table.course_id, table.valid_on, table.data).where(
        table.silo_id == silo_id, table.kind == KIND
    )
    if file_id is not None:
        query = query.where(table.file_id == file_id)
    return list(conn.execute(query.order_by(table.row_key)))


def _course(
    conn: Connection,
    silo_id: int,
    course_id: int,
    rows: list[Any],
    by: str,
    now: datetime,
    authority_home: str,
) -> dict[str, int]:
    """Mark the people of one session; return the notes."""
    notes = {"presences": 0, "gatherings": 0, "unknown_people": 0}
    people = actors(conn, silo_id, course_id)
    present: dict[str, set[str]] = defaultdict(set)
    named: dict[tuple[str, date], str] = {}
    for row in rows:
        actor = people.get(row.person_key)
        if actor is None:
            notes["unknown_people"] += 1
            continue
        name = plain(row.data["gathering"]), row.valid_on
        if name not in named:
            title = row.data["gathering"]
            named[name], planned = _gathering(conn, silo_id, course_id, title, row.valid_on, by, now)
            notes["gatherings"] += planned
        present[named[name]].add(actor)
    before = attendance.read(conn, silo_id, course_id)
    for iri, some in sorted(present.items()):
        added, _ = attendance.mark(
            conn, silo_id, course_id, iri, before.get(iri, set()) | some, by=by or "import", now=now,
            authority_home=authority_home,
        )  # fmt: skip
        notes["presences"] += added
    return notes


def actors(conn: Connection, silo_id: int, course_id: int) -> dict[str, str]:
    """Return the people of a course by the keys that files name them with: address, account."""
    owner = silos.get(conn, silo_id)
    query = (
        select(person.c.actor, person.c.email)
        .join(membership, (membership.c.silo_id == person.c.silo_id) & (membership.c.actor == person.c.actor))
        .where(person.c.silo_id == silo_id, membership.c.course_id == course_id)
    )
    found: dict[str, str] = {}
    for actor, email in conn.execute(query):
        found[f"a:{actor}"] = actor
        if email:
            found[addresses.digest(owner, email)] = actor
    return found


def _gathering(
    conn: Connection, silo_id: int, course_id: int, title: str, day: date, by: str, now: datetime
) -> tuple[str, int]:
    """Return the gathering that a list names, and 1 when it had to be planned.

    By its title and its day, by its title when it has no day, else by its day when it is alone on it.
    """
    items = [i for i in outline.read(conn, silo_id, course_id, hidden=True) if i.gathering]
    titled = [item for item in items if plain(item.title) == plain(title)]
    dated = [item for item in items if item.opens_on == day]
    undated = [item for item in titled if item.opens_on is None]
    for some in ([item for item in titled if item in dated], undated, dated):
        if len(some) == 1:
            return some[0].iri, 0
    made = outline.add_gathering(
        conn, silo_id, course_id, title=title[:300], kind="virtual_class", day=day, module=None, hours=None,
        by=by or "import", now=now,
    )  # fmt: skip
    return made, 1
