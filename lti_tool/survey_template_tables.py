"""Tables of the questionnaires that an institution writes, and of the reminders sent for those opened."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: A questionnaire being written: of a course (its tutors'), or of the whole silo (its administrators').
survey_template = Table(
    "survey_template",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("template_id", Text, primary_key=True),
    #: The course whose tutors write it; null for the silo's.
    Column("course_id", BigInteger),
    #: What the editor holds, complete or not: see `surveys.drafts`.
    Column("draft", JSON, nullable=False),
    #: Grows at each saving: two tabs never overwrite each other unknowingly.
    Column("token", Integer, nullable=False),
    #: The latest version published; 0 when none is.
    Column("version", Integer, nullable=False),
    #: The draft says something else than that version.
    Column("changed", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    #: No longer offered; what was opened with it stays.
    Column("withdrawn_at", Instant),
)
Index("ix_survey_template_course", survey_template.c.silo_id, survey_template.c.course_id)

#: A version published: it never changes.
survey_template_version = Table(
    "survey_template_version",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("template_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("published_by", Text, nullable=False),
)

#: Times at which those who had not answered a questionnaire were reminded, by a tutor.
survey_reminder = Table(
    "survey_reminder",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("by", Text, nullable=False),
)
