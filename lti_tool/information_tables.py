"""Tables of what people were told, of who read it when, and of those who object."""

from sqlalchemy import JSON, Column, Integer, Table, Text

from tool_config.database import Instant, metadata

#: The information of a role as it stood: another version whenever what it says changes.
information_version = Table(
    "information_version",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: trainee, tutor, admin
    Column("role", Text, primary_key=True),
    #: From 1.
    Column("version", Integer, primary_key=True, autoincrement=False),
    #: What was said, in French: [[title, [sentence…]]…].
    Column("text", JSON, nullable=False),
    Column("since", Instant, nullable=False),
)

#: Who read which version.
information_seen = Table(
    "information_seen",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("seen_at", Instant, nullable=False),
)

#: Somebody who objects (RGPD, art. 21): no alert, no profile, no comparison; until they change their mind.
objection = Table(
    "objection",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("since", Instant, nullable=False),
)
