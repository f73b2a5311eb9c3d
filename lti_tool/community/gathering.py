"""What the frame of the community is drawn from: rollups, rosters, files of people, sessions, enrolments."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, select

from analyzers import census
from analyzers.community import Community
from analyzers.frames import community as reading
from analyzers.shapes import zone
from lti_tool import matching
from lti_tool.information_tables import objection
from lti_tool.matching_tables import person_link
from lti_tool.tables import person
from tool_config import references, silos
from xapi import datasets
from xapi.dataset_tables import dataset_row

#: Datasets that the frame is drawn from.
_KINDS = ("people", "enrolments", "sessions")
#: Types of the fields of people that are traits.
_TRAITS = ("text", "choice", "yes_no")


def gather(conn: Connection, silo_id: int, now: datetime) -> Community:
    """Read the whole of a silo; hundreds of thousands of enrolments take seconds, in the worker."""
    tz = zone(silos.get(conn, silo_id).time_zone, "UTC")
    identity = matching.actors(conn, silo_id)
    sessions = census.Sessions()
    sessions.of_platform(reading.sessions(conn, silo_id), reading.planned_hours(conn, silo_id))
    sessions.of_files(_lines(conn, silo_id, "sessions"))
    people: dict[str, int] = {}
    enrolments = census.Enrolments(sessions, people)
    enrolments.traced(reading.enrolments(conn, silo_id, as_of=now), tz)
    traced = len(people)
    enrolments.listed(_lines(conn, silo_id, "enrolments"), identity)
    fields = [one.id for one in datasets.known(conn, silo_id)["people"].dimensions if one.type in _TRAITS]
    academies = references.load()["academies"].entries.values()
    zones = {entry.id: entry.attributes["zone"] for entry in academies if "zone" in entry.attributes}
    # No profile of who objects: they are counted, their origin is not.
    objects = set(conn.scalars(select(objection.c.actor).where(objection.c.silo_id == silo_id)))
    origins = (
        line for line in _lines(conn, silo_id, "people") if identity.get(line[0], line[0]) not in objects
    )
    traits = census.traits(origins, fields, zones, people, identity)
    in_files = {identity.get(key, key) for key in _named(conn, silo_id)}
    return census.community(
        sessions,
        enrolments,
        traits,
        people=len(people),
        made_at=now,
        today=now.astimezone(tz).date(),
        version=uuid4().hex,
        in_files=len(in_files),
        matched=sum(people.get(who, traced) < traced for who in in_files),
    )


def state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    owner = silos.get(conn, silo_id)
    d, p, k = dataset_row.c, person.c, person_link.c
    files = conn.execute(
        select(d.kind, func.count(), func.max(d.updated_at), func.count(d.course_id))
        .where(d.silo_id == silo_id, d.kind.in_(_KINDS))
        .group_by(d.kind)
        .order_by(d.kind)
    )
    addresses = select(func.count(p.email)).where(p.silo_id == silo_id)
    links = select(func.count(), func.max(k.made_at)).where(k.silo_id == silo_id)
    courses = [tuple(row) for row in reading.sessions(conn, silo_id)]
    return (
        now.astimezone(zone(owner.time_zone, "UTC")).date(),
        owner.time_zone,
        zlib.crc32(repr(courses).encode()),
        *reading.traces_state(conn, silo_id),
        [list(row) for row in files],
        conn.scalar(addresses),
        *conn.execute(links).one(),
    )


def _lines(conn: Connection, silo_id: int, kind: str) -> Iterator[Any]:
    return datasets.stream(conn, silo_id, kind, ("person_key", "session", "course_id", "data"))


def _named(conn: Connection, silo_id: int) -> set[str]:
    """Return the people of the files of origins and enrolments, as these name them."""
    d = dataset_row.c
    named = select(d.person_key).where(
        d.silo_id == silo_id, d.kind.in_(("people", "enrolments")), d.person_key.is_not(None)
    )
    return set(conn.scalars(named.distinct()))
