"""Types of ways through a path: made in the background, told under the guard.

Two thousand variants take a few seconds and about 120 MB, in arrays that are given back at the end: no child
process is asked for. What is kept are variants and their types, and nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from analyzers import told_types
from analyzers.told_types import Kept
from lti_tool import jobs, journeys
from lti_tool.community.keeping import Source, refresh, result
from lti_tool.community_tables import community_frame
from lti_tool.jobs import Job, JobRun
from tool_config import rules
from tool_config.database import transaction

KIND = "typology"
NIGHTLY = "typology-nightly"

# --- looking ------------------------------------------------------------------------------------------


def read(conn: Connection, silo_id: int, path_id: int) -> Kept | None:
    """Return the types of a path as they were last made; None before."""
    t = community_frame.c
    where = t.silo_id == silo_id, t.name == _name(path_id)
    version = conn.scalar(select(t.version).where(*where))
    if version is None:
        return None

    def unpacked() -> Kept | None:
        data = conn.scalar(select(t.data).where(*where))
        return None if data is None else told_types.unpack(data)

    return result(("typology", str(conn.engine.url), silo_id, version), unpacked)


# --- making -------------------------------------------------------------------------------------------


def ask(conn: Connection, silo_id: int, path_id: int, *, now: datetime) -> None:
    """Ask for the types of a path to be made again, once however often it is asked."""
    jobs.enqueue(conn, silo_id, KIND, {"path": path_id}, now=now, key=_name(path_id))


def under_way(conn: Connection, silo_id: int, path_id: int) -> Job | None:
    """Return the last work on the types of a path."""
    return jobs.latest(conn, silo_id, _name(path_id))


def run(job: JobRun) -> Mapping[str, Any]:
    """Make the types of a path again, where its people have moved since."""
    path_id = int(job.payload["path"])
    made = refresh(job.engine, job.silo_id, _source(path_id, job), now=job.clock())
    return {"made": int(made)}


def ask_all(job: JobRun) -> Mapping[str, Any]:
    """Ask, every night, for the types of every path."""
    with transaction(job.engine, job.silo_id) as conn:
        found = journeys.paths(conn, job.silo_id)
        for path_id in found:
            ask(conn, job.silo_id, path_id, now=job.clock())
    return {"asked": len(found)}


def build(conn: Connection, silo_id: int, now: datetime, *, path_id: int, job: JobRun | None = None) -> Kept:
    """Put the ways of a path into types."""
    frame = journeys.load(conn, silo_id, path_id, now=now)
    k = (job.rules if job else rules.load()).disclosure.across

    def progress(done: int, total: int) -> None:
        if job is not None:
            job.progress(done, total, "")

    return told_types.make(frame, k=k, progress=progress)


def _source(path_id: int, job: JobRun | None = None) -> Source[Kept]:
    return Source(
        _name(path_id),
        partial(build, path_id=path_id, job=job),
        told_types.pack,
        told_types.unpack,
        partial(journeys.state, path_id=path_id),
    )


def _name(path_id: int) -> str:
    return f"typology/{path_id}"
