"""Tables of what is kept of pages across courses: saved views, aggregates of other institutions."""

from sqlalchemy import JSON, Boolean, Column, Date, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: A page with its filters, kept under a name by one person; its link opens the page with its reader's rights.
saved_view = Table(
    "saved_view",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: Random: what the link ends with.
    Column("view_id", Text, primary_key=True),
    #: Actor who saved it, and the role they had.
    Column("owner", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    #: The page's address after the launch ("/crossing"), and its parameters.
    Column("page", Text, nullable=False),
    Column("query", Text, nullable=False),
    #: Made every month, as files.
    Column("monthly", Boolean, nullable=False),
    #: Day on which the last monthly files were asked for.
    Column("made_on", Date),
    Column("created_at", Instant, nullable=False),
)
Index("ix_saved_view_owner", saved_view.c.silo_id, saved_view.c.owner)

#: The aggregates that another institution exported, as they were read.
comparison_file = Table(
    "comparison_file",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("file_id", Text, primary_key=True),
    #: What the institution calls itself in the file.
    Column("institution", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("content", JSON, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)
