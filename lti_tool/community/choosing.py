"""The frame of choices: modules chosen and wishes of the files, with the traits of who made them.

Sessions and paths chosen are in the frame of the enrolments (`free_choices.of_enrolments`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, select

from analyzers import census, choice_rows
from analyzers.choice_rows import Choosing
from analyzers.frames import community as reading
from lti_tool import matching
from lti_tool.community.keeping import Source, read
from lti_tool.matching_tables import person_link
from lti_tool.tables import person
from tool_config import references
from xapi import datasets
from xapi.dataset_tables import dataset_row

_KINDS = ("people", "enrolments", "sessions", "module_choices", "wishes")
_TRAITS = ("text", "choice", "yes_no")


def load(conn: Connection, silo_id: int, *, now: datetime) -> Choosing:
    """Return the choices of a silo as they are kept; `made_at` says of when."""
    return read(conn, silo_id, CHOICES, now=now)


def gather(conn: Connection, silo_id: int, now: datetime) -> Choosing:
    """Read the choices and wishes of a silo, and who made them."""
    identity = matching.actors(conn, silo_id)
    people: dict[str, int] = {}
    rows, options, sessions = choice_rows.modules(
        _lines(conn, silo_id, "module_choices"), _years(conn, silo_id), people, identity
    )
    enrolments = _lines(conn, silo_id, "enrolments")
    modules = choice_rows.freely(rows, options, sessions, enrolments, people, identity)
    wishes = choice_rows.wishes(_lines(conn, silo_id, "wishes"), identity, people)
    fields = [one.id for one in datasets.known(conn, silo_id)["people"].dimensions if one.type in _TRAITS]
    academies = references.load()["academies"].entries.values()
    zones = {entry.id: entry.attributes["zone"] for entry in academies if "zone" in entry.attributes}
    traits = census.traits(_lines(conn, silo_id, "people"), fields, zones, people, identity)
    return Choosing(now, uuid4().hex, replace(modules, traits=traits), replace(wishes, traits=traits))


def _years(conn: Connection, silo_id: int) -> dict[str, int]:
    """Return the school year of each session, by what rows of files call it."""
    found = {
        choice_rows.session_name(row.title, row.course_id): row.starts_on
        for row in reading.sessions(conn, silo_id)
        if row.starts_on is not None
    }
    for _, session, course_id, data in _lines(conn, silo_id, "sessions"):
        if data.get("starts_on"):
            name = choice_rows.session_name(session, course_id)
            found.setdefault(name, date.fromisoformat(data["starts_on"]))
    return {name: choice_rows.year_of(day) for name, day in found.items()}


def _lines(conn: Connection, silo_id: int, kind: str) -> Iterable[Any]:
    return datasets.stream(conn, silo_id, kind, ("person_key", "session", "course_id", "data"))


def _state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    d, p, k = dataset_row.c, person.c, person_link.c
    files = conn.execute(
        select(d.kind, func.count(), func.max(d.updated_at), func.count(d.course_id))
        .where(d.silo_id == silo_id, d.kind.in_(_KINDS))
        .group_by(d.kind)
        .order_by(d.kind)
    )
    courses = [tuple(row) for row in reading.sessions(conn, silo_id)]
    links = select(func.count(), func.max(k.made_at)).where(k.silo_id == silo_id)
    return (
        [list(row) for row in files],
        zlib.crc32(repr(courses).encode()),
        conn.scalar(select(func.count(p.email)).where(p.silo_id == silo_id)),
        *conn.execute(links).one(),
    )


CHOICES: Source[Choosing] = Source("choices", gather, choice_rows.pack, choice_rows.unpack, _state)
