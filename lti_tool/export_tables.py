"""Tables of files made in the background: who asked for what, until when it is kept, and its bytes."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, Table, Text

from tool_config.database import Instant, metadata

#: A file, or several of one making, asked for by one person. How far it is, is what its job says.
export = Table(
    "export",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("export_id", Text, primary_key=True),
    #: What makes it: evidence…
    Column("kind", Text, nullable=False),
    #: Actor who asked, and the only one who may take it away.
    Column("owner", Text, nullable=False),
    #: What was asked for, as its kind reads it.
    Column("asked", JSON, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    #: Then it goes, made or not.
    Column("expires_at", Instant, nullable=False),
)
Index("ix_export_owner", export.c.silo_id, export.c.owner, export.c.kind, export.c.created_at)

#: One file of it, whole: some hundreds of kilobytes.
export_file = Table(
    "export_file",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("export_id", Text, primary_key=True),
    #: pdf, xlsx…
    Column("form", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
