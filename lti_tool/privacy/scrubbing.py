"""What an erasure leaves in the pages of the file itself: an SQLite file is written anew the night after.

A row deleted stays readable in the file until its page is used again. PostgreSQL frees such rows by itself
(autovacuum), and what its disk still holds is out of reach of the tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from sqlalchemy import Connection, Engine

from lti_tool import jobs
from lti_tool.jobs import JobRun

KIND = "privacy_scrub"
#: Hour (UTC) of the night at which the file is written anew: writers wait meanwhile.
_HOUR = time(2, 50)


def ask(conn: Connection, silo_id: int, *, now: datetime) -> None:
    """Ask for the file to be written anew the following night; asked twice, it is once."""
    due = datetime.combine(now.date(), _HOUR, now.tzinfo)
    jobs.enqueue(
        conn, silo_id, KIND, {}, now=now, due=due if due > now else due + timedelta(days=1), key=KIND
    )


def run(job: JobRun) -> Mapping[str, int]:
    """Write the file anew: the job of the night after an erasure."""
    return {"written": int(scrub(job.engine))}


def scrub(engine: Engine) -> bool:
    """Write an SQLite file anew, without what was deleted; False on a server, which sees to it itself."""
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as conn:
        conn.exec_driver_sql("VACUUM")
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return True
