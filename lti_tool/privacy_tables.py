"""Tables of privacy: erasures asked for, how long things are kept, what is sealed, who is kept from whom."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: An erasure asked for, and what was decided of it.
erasure_request = Table(
    "erasure_request",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("request_id", Text, primary_key=True),
    #: Who asks; "" once erased: what stays says that somebody was, not who.
    Column("actor", Text, nullable=False),
    #: asked, withdrawn, refused, erased
    Column("state", Text, nullable=False),
    #: person (from their page), administrator (on their behalf: a letter, a message)
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    #: One month later (art. 12.3).
    Column("due_on", Date, nullable=False),
    Column("decided_at", Instant),
    #: Actor of the administrator who decided; "" from the command line.
    Column("decided_by", Text),
    #: Why it was refused, as the person reads it.
    Column("reason", Text, nullable=False, server_default=""),
    #: Kind of data -> how many things went: of an erasure, numbers only.
    Column("counts", JSON, nullable=False, default=dict),
)
Index("ix_erasure_request_actor", erasure_request.c.silo_id, erasure_request.c.actor)

#: How long a silo keeps a kind of data; a kind without a row is kept for as long as by default.
retention_rule = Table(
    "retention_rule",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: lti_tool.privacy.retention.KINDS
    Column("kind", Text, primary_key=True),
    Column("days", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)

#: A course whose people are shown to nobody one by one, not even to its tutors.
course_privacy = Table(
    "course_privacy",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("aggregates_only", Boolean, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
)

#: A tutor from whom a person is kept: they inspect them, or advise on their tenure.
exclusion = Table(
    "exclusion",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("tutor", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    #: person, administrator
    Column("asked_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
)
Index("ix_exclusion_actor", exclusion.c.silo_id, exclusion.c.actor)

#: Somebody whose course is paused, whatever the reason: no alert speaks of them meanwhile.
pause = Table(
    "pause",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    #: The person themself, or a tutor.
    Column("set_by", Text, nullable=False),
)
