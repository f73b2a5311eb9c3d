"""Imports as background work: a file that a page confirmed, and what comes back every night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lti_tool import jobs, programme
from lti_tool.imports import files, opinions, presences, running
from lti_tool.jobs import JobRun
from tool_config.database import transaction

KIND = "import"
NIGHTLY = "imports-nightly"


def ask(conn: Connection, silo_id: int, file_id: str, *, now: datetime) -> None:
    """Ask for a file to be taken in; asked twice, it is done once."""
    files.change(conn, silo_id, file_id, state=files.RUNNING)
    jobs.enqueue(conn, silo_id, KIND, {"file": file_id}, now=now, key=f"{KIND} {file_id}")


def ask_again(conn: Connection, silo_id: int, *, now: datetime) -> None:
    """Ask for what rests on rows whose session was just said: presences, opinions, dates of sessions."""
    jobs.enqueue(conn, silo_id, NIGHTLY, {}, now=now, key="imports named")


def take(run: JobRun) -> Mapping[str, Any]:
    """Take a file in; started again after a stop, it goes on from where it was."""
    file_id = str(run.payload["file"])
    with transaction(run.engine, run.silo_id, write=False) as conn:
        file = files.read(conn, run.silo_id, file_id)
    if file is None or file.finished_at is not None:
        return {}
    try:
        done = running.run(
            run.engine, run.silo_id, file_id, clock=run.clock, home=run.settings.public_url,
            progress=lambda read, total: run.progress(read, total, ""),
        )  # fmt: skip
    except running.NotReady as error:
        with transaction(run.engine, run.silo_id) as conn:
            files.change(conn, run.silo_id, file_id, state=files.DRAFT)
        raise jobs.Failed("not_ready") from error
    return {"state": done.state, "rows": done.position}


def tidy(run: JobRun) -> Mapping[str, Any]:
    """Forget old drafts and refused lines; mark present those whom the tool came to know since."""
    with transaction(run.engine, run.silo_id) as conn:
        files.clear(conn, run.silo_id, now=run.clock())
        programme.settle(conn, run.silo_id)
    opinions.publish(run.engine, run.silo_id, file_id=None, by="", now=run.clock())
    return presences.publish(
        run.engine, run.silo_id, file_id=None, by="", now=run.clock(), authority_home=run.settings.public_url
    )
