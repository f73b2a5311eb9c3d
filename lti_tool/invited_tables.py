"""Tables of people who answer a questionnaire by a link: whom it was sent to, and the hashes of the links."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: A person invited to answer one questionnaire. Nothing is written here when they do.
invited = Table(
    "invited",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    Column("invited_id", Text, primary_key=True),
    #: Actor of the trainee chosen from the list; null for somebody outside the course.
    Column("actor", Text),
    #: Name drawn at random, under which somebody outside the course answers; null for a trainee.
    Column("respondent", Text),
    #: Sealed; null once forgotten, or where none was given.
    Column("address", Text),
    #: Sealed.
    Column("name", Text),
    #: Language of the message and of the page: fr, en.
    Column("locale", Text, nullable=False),
    #: new, copied, queued, sent, refused, failed
    Column("state", Text, nullable=False),
    #: What the server said, addresses masked.
    Column("said", Text, nullable=False),
    Column("sent_at", Instant),
    #: A reminder is to be sent, unless they have answered when its turn comes.
    Column("remind", Boolean, nullable=False),
    #: When a reminder was last asked for, of everybody alike.
    Column("reminded_at", Instant),
    Column("created_at", Instant, nullable=False),
)

#: A link that leads to an invitation: each message and each copy has its own. Its hash is keyed.
invited_link = Table(
    "invited_link",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("token_hash", Text, primary_key=True),
    Column("survey_id", Text, nullable=False),
    Column("invited_id", Text, nullable=False),
)
Index("ix_invited_link_hash", invited_link.c.silo_id, invited_link.c.token_hash)
Index(
    "ix_invited_link_of",
    invited_link.c.silo_id,
    invited_link.c.course_id,
    invited_link.c.survey_id,
    invited_link.c.invited_id,
)
