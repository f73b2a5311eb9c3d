"""The frame of what was followed of each session, kept beside that of the enrolments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from analyzers import answer_frames, satisfaction
from analyzers.frames import followed, following
from analyzers.modality import Following
from lti_tool import surveys
from lti_tool.community.keeping import Source, read
from tool_config import rules


def gather(conn: Connection, silo_id: int, now: datetime) -> Following:
    """Read what was followed in every session of a silo, and the marks."""
    return followed.gather(conn, silo_id, _received(conn, silo_id))


def _received(conn: Connection, silo_id: int) -> dict[int, tuple[int, int]]:
    """Return the favourable answers and all of the closed questionnaires of each session, where enough."""
    published = {name: one for name, one in answer_frames.silo(conn, silo_id).items() if one.closed}
    k = rules.load().disclosure.across
    found = satisfaction.by_session(surveys.in_silo(conn, silo_id), published, k=k)
    return {
        course_id: (one.favourable.count, one.favourable.n)
        for course_id, one in found.items()
        if one.favourable.count is not None and one.favourable.n is not None
    }


def state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    return following.state(conn, silo_id)


FOLLOWING: Source[Following] = Source("following", gather, followed.pack, followed.unpack, state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Following:
    """Return what was followed in the sessions of a silo, as it is kept."""
    return read(conn, silo_id, FOLLOWING, now=now)
