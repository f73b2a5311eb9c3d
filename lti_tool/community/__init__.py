"""The whole community on one page: who comes, from where, in which sessions. See `analyzers.community`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from analyzers.community import Community, pack, unpack
from lti_tool.community import gathering, keeping
from lti_tool.community.keeping import Source, forget, read, refresh, result
from lti_tool.jobs import JobRun
from tool_config.database import transaction

__all__ = ["KIND", "Source", "forget", "load", "read", "refresh", "result", "sources"]

#: Job that makes again the frames of a silo whose sources have changed.
KIND = "community"

ENROLMENTS: Source[Community] = Source("enrolments", gathering.gather, pack, unpack, gathering.state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Community:
    """Return the community of a silo as it is kept; its `made_at` says of when."""
    return read(conn, silo_id, ENROLMENTS, now=now)


def sources(conn: Connection, silo_id: int) -> tuple[Source[Any], ...]:
    """Return every frame that the worker keeps for a silo."""
    return (ENROLMENTS,)


def is_due(conn: Connection, silo_id: int, *, now: datetime) -> bool:
    """Say whether a frame of the silo is older than what it was drawn from."""
    return any(keeping.is_stale(conn, silo_id, source, now=now) for source in sources(conn, silo_id))


def run(job: JobRun) -> Mapping[str, Any]:
    """Make again what has changed."""
    with transaction(job.engine, job.silo_id, write=False) as conn:
        wanted = sources(conn, job.silo_id)
    made = 0
    for rank, source in enumerate(wanted):
        made += refresh(job.engine, job.silo_id, source, now=job.clock())
        job.progress(rank + 1, len(wanted), "")
    return {"made": made}
