"""Questionnaires that an institution writes, and reminders."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey_template",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.Column("withdrawn_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "template_id", name=op.f("pk_survey_template")),
    )
    op.create_index("ix_survey_template_course", "survey_template", ["silo_id", "course_id"], unique=False)
    op.create_table(
        "survey_template_version",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("published_at", Instant(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "template_id", "version", name=op.f("pk_survey_template_version")),
    )
    op.create_table(
        "survey_reminder",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "survey_id", "at", name=op.f("pk_survey_reminder")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("survey_template", "survey_template_version", "survey_reminder"):
            confine(conn, table)
