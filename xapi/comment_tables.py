"""Tables of comments as they were read: masked, put into themes, their polarity estimated.

A row goes with the published comment that it was drawn from: the store takes it away by itself.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from tool_config.database import Instant, metadata

_COMMENT = ("silo_id", "course_id", "survey_id", "comment_id")


def _goes_with(other: str, table: str) -> ForeignKeyConstraint:
    names = [f"{other}.{name}" for name in _COMMENT]
    return ForeignKeyConstraint(list(_COMMENT), names, name=f"fk_{table}_{other}", ondelete="CASCADE")


comment_reading = Table(
    "comment_reading",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    Column("comment_id", Uuid(as_uuid=False), primary_key=True),
    #: The comment without names, addresses nor numbers; and again without accents nor capitals, for searches.
    Column("text", Text, nullable=False),
    Column("plain", Text, nullable=False),
    Column("language", Text, nullable=False),
    #: negative, neutral, positive
    Column("polarity", Text, nullable=False),
    #: Digest of the classifier that said so.
    Column("model", Text, nullable=False),
    _goes_with("survey_comment", "comment_reading"),
)

#: Where a comment is in the themes of a course, of a path ("path 7") or of the silo.
comment_member = Table(
    "comment_member",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    Column("comment_id", Uuid(as_uuid=False), primary_key=True),
    Column("scope", Text, primary_key=True),
    #: "" for none.
    Column("theme_id", Text, nullable=False),
    #: Cosine of its words and those of its theme.
    Column("closeness", Float, nullable=False),
    _goes_with("comment_reading", "comment_member"),
)
Index("ix_comment_member_scope", comment_member.c.silo_id, comment_member.c.scope, comment_member.c.course_id)

comment_theme = Table(
    "comment_theme",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("theme_id", Text, primary_key=True),
    #: A reader's: it stays when comments are read again.
    Column("kept", Boolean, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    #: content, pedagogy, ergonomics, technique, access, organisation, or "".
    Column("object", Text, nullable=False, server_default=""),
    #: Lemma -> weight, a list for each theme that it was made of.
    Column("profiles", JSON, nullable=False),
    Column("words", JSON, nullable=False),
    #: The reader who touched it last.
    Column("edited_by", Text),
    Column("edited_at", Instant),
)

comment_analysis = Table(
    "comment_analysis",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("scope", Text, primary_key=True),
    #: Grows with each analysis and each reader's change.
    Column("version", Integer, nullable=False),
    Column("comments", Integer, nullable=False),
    #: Number of themes -> agreement.
    Column("stability", JSON, nullable=False),
    Column("model", Text, nullable=False),
    Column("made_on", Date, nullable=False),
)
