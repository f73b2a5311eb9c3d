"""Tables of what questionnaires say further: groups of respondents, sealed; feedback heard together."""

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, Table, Text, Uuid

from tool_config.database import Instant, metadata

#: What was counted of a closed pseudonymous questionnaire, once: `analyzers.depth.dump`.
survey_depth = Table(
    "survey_depth",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("survey_id", Text, primary_key=True),
    Column("made_on", Date, nullable=False),
    #: Empty: nothing can be counted of it.
    Column("content", JSON, nullable=False),
)

#: What a tutor heard in a collective debrief, drawn from statements; of the group, naming nobody.
debrief = Table(
    "debrief",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    Column("day", Date, nullable=False),
    #: IRI of the module; "" for the whole session.
    Column("module", Text, nullable=False, server_default=""),
    #: What it is about: `survey_model.OBJECTS`, or "".
    Column("object", Text, nullable=False, server_default=""),
    Column("said", Text, nullable=False),
    #: How many people were there.
    Column("present", Integer, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)
Index("ix_debrief_statement", debrief.c.silo_id, debrief.c.statement_id)
