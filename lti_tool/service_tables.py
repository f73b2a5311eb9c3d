"""Tables of what platforms offer to a course: its roster, its groups, the marks sent to its gradebook."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, Table, Text

from tool_config.database import Instant, metadata

#: Where the services of a course are, as the last tutor's launch said; an address once known is kept.
course_service = Table(
    "course_service",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("issuer", Text, nullable=False),
    Column("memberships_url", Text),
    Column("lineitems_url", Text),
    #: Scopes of the grade service granted to the tool (JSON list).
    Column("scopes", JSON, nullable=False, default=list),
    Column("said_at", Instant, nullable=False),
    #: The last time that the roster was asked for, and what kept it from coming ("": nothing).
    Column("tried_at", Instant),
    Column("problem", Text, nullable=False, server_default=""),
)

#: The groups in which the platform put somebody, as their last launch said.
course_group = Table(
    "course_group",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    #: The platform's own identifiers (JSON list of texts).
    Column("group_ids", JSON, nullable=False, default=list),
    Column("said_at", Instant, nullable=False),
)

#: A column of the gradebook that a tutor asked the tool to fill.
mark = Table(
    "mark",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    #: "progress", or the questionnaire's id.
    Column("mark_id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    #: Resource link whose own column it is; "" when the column was made for it.
    Column("link_id", Text, nullable=False, server_default=""),
    #: Null until the column is found or made.
    Column("lineitem_url", Text),
    #: The tool found or made the column: it may do so again when it is gone.
    Column("made", Boolean, nullable=False),
    Column("on_at", Instant, nullable=False),
    Column("on_by", Text, nullable=False),
    Column("off_at", Instant),
    Column("tried_at", Instant),
    #: What keeps every mark of the column from leaving ("": nothing).
    Column("problem", Text, nullable=False, server_default=""),
)

#: What was said of one person to the gradebook, or is to be.
mark_sent = Table(
    "mark_sent",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mark_id", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    #: Out of 100.
    Column("score", Integer, nullable=False),
    #: waiting, sent, refused
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    #: Timestamp of the last score sent: the next one must be later.
    Column("said_at", Instant),
    Column("changed_at", Instant, nullable=False),
)
