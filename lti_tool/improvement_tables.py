"""Tables of the improvement log: entries, and every change of them."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: What somebody saw and what comes of it. What was seen and what was measured after are frozen in
#: `improvement_change`, which nobody rewrites.
improvement = Table(
    "improvement",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: 0: an entry about the whole silo.
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("improvement_id", Text, primary_key=True),
    #: Kind of the figure (lti_tool.improvements.registry), or observation, complaint.
    Column("kind", Text, nullable=False),
    #: What the figure is about, as its kind reads it again; "" without figure.
    Column("reference", Text, nullable=False),
    #: IRI of the module; "" when it is about none.
    Column("module", Text, nullable=False),
    #: content, pedagogy, ergonomics, technique, access, organisation; "" when nobody said.
    Column("object", Text, nullable=False),
    #: observed, decided, ongoing, checked, abandoned
    Column("state", Text, nullable=False),
    #: Words of who opened it, or of the complaint; they do not change.
    Column("noticed", Text, nullable=False),
    Column("decision", Text, nullable=False),
    #: Who does it: an actor of the tool, or a name or function written by hand.
    Column("owner", Text),
    Column("owner_name", Text, nullable=False),
    Column("due_on", Date),
    Column("action", Text, nullable=False),
    #: What came of it; of an abandoned entry, why.
    Column("conclusion", Text, nullable=False),
    #: Version of the change that holds what was measured after.
    Column("checked_version", Integer),
    #: A complaint: whose, when they chose to be named; for administrators only; until when to answer it.
    Column("author", Text),
    Column("reserved", Boolean, nullable=False),
    Column("answer_by", Date),
    Column("answer", Text, nullable=False),
    Column("answered_on", Date),
    #: "Vous avez dit", "nous avons fait", on the trainees' page from that day on.
    Column("told", Text, nullable=False),
    Column("done", Text, nullable=False),
    Column("published_on", Date),
    Column("opened_on", Date, nullable=False),
    #: Actor; None for a trainee, whoever they are.
    Column("opened_by", Text),
    #: Raised by each change: a form that holds an older one is refused.
    Column("version", Integer, nullable=False),
)
Index("ix_improvement_due", improvement.c.silo_id, improvement.c.state, improvement.c.due_on)

#: Every change, added and never changed nor taken away. `figure`: what was seen, or measured after.
improvement_change = Table(
    "improvement_change",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("improvement_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    #: Actor; None for a trainee.
    Column("by", Text),
    Column("role", Text, nullable=False),
    #: opened, decided, acted, checked, abandoned, reopened, answered, published, withdrawn
    Column("step", Text, nullable=False),
    Column("figure", JSON),
    #: {column: [before, after]}
    Column("fields", JSON, nullable=False),
    Column("reason", Text, nullable=False),
)
