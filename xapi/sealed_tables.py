"""Table of sessions whose traces were purged: what was counted of them then, which nothing counts again."""

from sqlalchemy import BigInteger, Column, Integer, Table

from tool_config.database import Instant, metadata

#: A rebuild leaves these sessions alone: what they were drawn from is gone.
sealed_course = Table(
    "sealed_course",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed_at", Instant, nullable=False),
    Column("enrolled", Integer, nullable=False),
    Column("finished", Integer, nullable=False),
    #: Last trace, before they went.
    Column("last_at", Instant),
)
