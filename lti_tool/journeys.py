"""The ways through each path, kept by the worker: read from rollups, with the traits of the people."""

from __future__ import annotations

import zlib
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select

from analyzers import census, journeys
from analyzers.frames import pathways as reading
from analyzers.journeys import Journeys
from analyzers.shapes import zone
from analyzers.travels import Design, Known, Rows, framed
from lti_tool import matching
from lti_tool.community.keeping import Source, read, result
from lti_tool.matching_tables import person_link
from lti_tool.tables import person
from tool_config import references, silos
from xapi import datasets
from xapi.dataset_tables import dataset_row
from xapi.tables import course

_TRAITS = ("text", "choice", "yes_no")


def load(conn: Connection, silo_id: int, path_id: int, *, now: datetime) -> Journeys:
    """Return the ways through a path as they are kept."""
    return read(conn, silo_id, source(path_id), now=now)


def source(path_id: int) -> Source[Journeys]:
    """Return the frame of a path."""
    return Source(
        f"pathways/{path_id}",
        partial(gather, path_id=path_id),
        journeys.pack,
        journeys.unpack,
        partial(state, path_id=path_id),
    )


def sources(conn: Connection, silo_id: int) -> tuple[Source[Journeys], ...]:
    """Return the frames of the paths that have a session."""
    return tuple(source(path_id) for path_id in paths(conn, silo_id))


def paths(conn: Connection, silo_id: int) -> list[int]:
    """Return the paths that have a session."""
    c = course.c
    query = select(c.path_id).where(c.silo_id == silo_id, c.path_id.is_not(None), c.course_id >= 0)
    return list(conn.scalars(query.distinct().order_by(c.path_id)))


def state(conn: Connection, silo_id: int, now: datetime, *, path_id: int) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    owner = silos.get(conn, silo_id)
    runs = reading.courses(conn, silo_id, path_id)
    return (
        now.astimezone(zone(owner.time_zone, "UTC")).date(),
        owner.time_zone,
        zlib.crc32(repr([tuple(run) for run in runs]).encode()),
        *reading.state(conn, silo_id, [run.course_id for run in runs]),
        *_people_state(conn, silo_id),
    )


def gather(conn: Connection, silo_id: int, now: datetime, *, path_id: int) -> Journeys:
    """Read the ways through a path."""
    tz = zone(silos.get(conn, silo_id).time_zone, "UTC")
    runs = reading.courses(conn, silo_id, path_id)
    design = Design.of(reading.modules(conn, silo_id, [run.course_id for run in runs]), runs)
    rows = Rows()
    for rank, run in enumerate(runs):
        rows.add(
            rank,
            run.course_id,
            design,
            reading.people(conn, silo_id, run.course_id, as_of=now),
            reading.gone(conn, silo_id, run.course_id),
            reading.entries(conn, silo_id, run.course_id),
        )
    today = now.astimezone(tz).date()
    return framed(rows, design, runs, today, tz, now, _traits(conn, silo_id))


def _traits(conn: Connection, silo_id: int) -> Known:
    """Read the traits of a silo's people, once for all of its paths."""

    def compute() -> Known:
        identity = matching.actors(conn, silo_id)
        fields = [one.id for one in datasets.known(conn, silo_id)["people"].dimensions if one.type in _TRAITS]
        academies = references.load()["academies"].entries.values()
        zones = {entry.id: entry.attributes["zone"] for entry in academies if "zone" in entry.attributes}
        lines = datasets.stream(conn, silo_id, "people", ("person_key", "session", "course_id", "data"))
        people: dict[str, int] = {}
        return Known(people, census.traits(lines, fields, zones, people, identity))

    return result(("traits", str(conn.engine.url), silo_id, *_people_state(conn, silo_id)), compute)


def _people_state(conn: Connection, silo_id: int) -> tuple[Any, ...]:
    d, p, k = dataset_row.c, person.c, person_link.c
    asked = (
        select(func.count(), func.max(d.updated_at)).where(d.silo_id == silo_id, d.kind == "people"),
        select(func.count(p.email)).where(p.silo_id == silo_id),
        select(func.count(), func.max(k.made_at)).where(k.silo_id == silo_id),
    )
    return tuple(value for query in asked for value in conn.execute(query).one())
