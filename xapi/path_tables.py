"""Tables of what ties sessions to their path."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: What the platform says of where a session comes from, and what tied it to its path.
course_origin = Table(
    "course_origin",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    #: Number that the institution gave to the course ("idnumber" of Moodle), or "".
    Column("idnumber", Text, nullable=False, server_default=""),
    #: Identifiers of the courses it was copied from, as the platform wrote them.
    Column("history", Text, nullable=False, server_default=""),
    #: hand, pattern, copy, file, or "": nothing yet. A tie made by hand is never undone by the others.
    Column("tied_by", Text, nullable=False, server_default=""),
)

#: One course that a session was copied from, the nearest first.
course_ancestor = Table(
    "course_ancestor",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("issuer", Text, nullable=False),
    Column("context_id", Text, nullable=False),
)
Index(
    "ix_course_ancestor_context",
    course_ancestor.c.silo_id,
    course_ancestor.c.issuer,
    course_ancestor.c.context_id,
)

#: Shape of the numbers of a path's sessions: "DIR-2026-*".
path_pattern = Table(
    "path_pattern",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("path_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pattern", Text, primary_key=True),
)

#: A session as files name it, and the course that an administrator says it is.
session_name = Table(
    "session_name",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: As `references.plain` writes it.
    Column("name", Text, primary_key=True),
    #: As the files write it.
    Column("written", Text, nullable=False),
    Column("course_id", BigInteger, nullable=False),
    #: Actor who said so, and when.
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
