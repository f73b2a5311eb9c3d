"""Background work of the community: its frames made again within minutes of a change.

A room that keeps a frame of its own adds it to `sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lti_tool import adapting, journeys, pix
from lti_tool.community import ENROLMENTS, keeping
from lti_tool.community.audience import AUDIENCE
from lti_tool.community.choosing import CHOICES
from lti_tool.community.following import FOLLOWING
from lti_tool.community.keeping import Source
from lti_tool.community.listing import SESSIONS
from lti_tool.community.returning import RETURNING
from lti_tool.jobs import JobRun
from tool_config import rules
from tool_config.database import transaction

#: Job that makes again the frames of a silo whose sources have changed.
KIND = "community"


def sources(conn: Connection, silo_id: int) -> tuple[Source[Any], ...]:
    """Return every frame that the worker keeps for a silo."""
    ways = journeys.sources(conn, silo_id)
    after = (FOLLOWING, RETURNING, AUDIENCE)
    return *ways, *after, ENROLMENTS, SESSIONS, CHOICES, adapting.source(rules.load()), pix.SOURCE


def is_due(conn: Connection, silo_id: int, *, now: datetime) -> bool:
    """Say whether a frame of the silo is older than what it was drawn from."""
    return any(keeping.is_stale(conn, silo_id, source, now=now) for source in sources(conn, silo_id))


def run(job: JobRun) -> Mapping[str, Any]:
    """Make again what has changed."""
    with transaction(job.engine, job.silo_id, write=False) as conn:
        wanted = sources(conn, job.silo_id)
    made = 0
    for rank, source in enumerate(wanted):
        made += keeping.refresh(job.engine, job.silo_id, source, now=job.clock())
        job.progress(rank + 1, len(wanted), "")
    return {"made": made}
