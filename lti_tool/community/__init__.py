"""The whole community on one page: who comes, from where, in which sessions. See `analyzers.community`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from analyzers.community import Community, pack, unpack
from analyzers.shapes import SiloFrames
from lti_tool.community import gathering
from lti_tool.community.keeping import Source, forget, read, refresh, result
from lti_tool.community.listing import SESSIONS

__all__ = ["ENROLMENTS", "Source", "forget", "load", "read", "refresh", "result", "sessions"]

ENROLMENTS: Source[Community] = Source("enrolments", gathering.gather, pack, unpack, gathering.state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Community:
    """Return the community of a silo as it is kept; its `made_at` says of when."""
    return read(conn, silo_id, ENROLMENTS, now=now)


def sessions(conn: Connection, silo_id: int, *, now: datetime) -> SiloFrames:
    """Return every session of a silo with its counts, as they are kept."""
    return read(conn, silo_id, SESSIONS, now=now)
