"""The table of background work."""

from sqlalchemy import JSON, Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: A durable queue: one row a job, written in the transaction of whoever asks for it.
job = Table(
    "job",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("job_id", Text, primary_key=True),
    #: What is to be done: lti_tool/job_kinds.py names who does it.
    Column("kind", Text, nullable=False),
    Column("payload", JSON, nullable=False, default=dict),
    #: waiting, running, done, failed
    Column("state", Text, nullable=False),
    #: What the job is about; of jobs that are not over, one at most has a given key.
    Column("key", Text),
    Column("due_at", Instant, nullable=False),
    #: Asked again while it ran: done once more at its end.
    Column("again_at", Instant),
    #: Running: drawn anew by each worker that takes it, and until when it is believed to be alive.
    Column("claim", Text),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("done", Integer, nullable=False, server_default="0"),
    #: 0: not known yet.
    Column("total", Integer, nullable=False, server_default="0"),
    #: A word on the present step, or why it failed or waits; pages word it.
    Column("message", Text, nullable=False, server_default=""),
    Column("result", JSON(none_as_null=True)),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
)
Index("ix_job_due", job.c.silo_id, job.c.finished_at, job.c.due_at)
Index("ix_job_key", job.c.silo_id, job.c.key, job.c.created_at)
Index(
    "ux_job_live",
    job.c.silo_id,
    job.c.key,
    unique=True,
    sqlite_where=job.c.finished_at.is_(None),
    postgresql_where=job.c.finished_at.is_(None),
)
