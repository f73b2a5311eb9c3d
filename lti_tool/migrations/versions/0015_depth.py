"""What questionnaires say further: groups of respondents, sealed; feedback heard together."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey_depth",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "survey_id", name=op.f("pk_survey_depth")),
    )
    op.create_table(
        "debrief",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("module", sa.Text(), server_default="", nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "statement_id", name=op.f("pk_debrief")),
    )
    op.create_index("ix_debrief_statement", "debrief", ["silo_id", "statement_id"], unique=False)
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("survey_depth", "debrief"):
            confine(conn, table)
