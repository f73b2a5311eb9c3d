"""The frame of who came back after the end of their sessions, kept beside that of the enrolments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from analyzers.aftermath import Returning
from analyzers.frames import afterwards, returned
from analyzers.shapes import zone
from lti_tool import matching
from lti_tool.community.keeping import Source, read
from lti_tool.privacy import objecting
from tool_config import silos
from xapi import datasets


def gather(conn: Connection, silo_id: int, now: datetime) -> Returning:
    """Read who was in ended sessions, and the days on which they came back."""
    identity = matching.actors(conn, silo_id)
    # No profile of who objects: they are counted, in no promotion.
    objects = objecting.of_silo(conn, silo_id)
    promotions = {}
    for key, data in datasets.stream(conn, silo_id, "people", ("person_key", "data")):
        actor = identity.get(key, key)
        if actor and actor not in objects and data.get("promotion"):
            promotions[actor] = str(data["promotion"])
    return returned.gather(conn, silo_id, promotions, today=_today(conn, silo_id, now))


def state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    return (_today(conn, silo_id, now), *afterwards.state(conn, silo_id))


def _today(conn: Connection, silo_id: int, now: datetime) -> date:
    return now.astimezone(zone(silos.get(conn, silo_id).time_zone, "UTC")).date()


RETURNING: Source[Returning] = Source("returning", gather, returned.pack, returned.unpack, state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Returning:
    """Return who came back after the end of their sessions, as it is kept."""
    return read(conn, silo_id, RETURNING, now=now)
