"""The frame of what was followed of each session, kept beside that of the enrolments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from analyzers.frames import followed, following
from analyzers.modality import Following
from lti_tool.community.keeping import Source, read


def gather(conn: Connection, silo_id: int, now: datetime) -> Following:
    """Read what was followed in every session of a silo, and the marks."""
    return followed.gather(conn, silo_id)


def state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    return following.state(conn, silo_id)


FOLLOWING: Source[Following] = Source("following", gather, followed.pack, followed.unpack, state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Following:
    """Return what was followed in the sessions of a silo, as it is kept."""
    return read(conn, silo_id, FOLLOWING, now=now)
