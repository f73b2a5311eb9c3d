"""People who answer a questionnaire by a link."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invited",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("invited_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("respondent", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("sent_at", Instant(timezone=True), nullable=True),
        sa.Column("remind", sa.Boolean(), nullable=False),
        sa.Column("reminded_at", Instant(timezone=True), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "survey_id", "invited_id", name=op.f("pk_invited")),
    )
    op.create_table(
        "invited_link",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("invited_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "token_hash", name=op.f("pk_invited_link")),
    )
    op.create_index("ix_invited_link_hash", "invited_link", ["silo_id", "token_hash"], unique=False)
    op.create_index(
        "ix_invited_link_of",
        "invited_link",
        ["silo_id", "course_id", "survey_id", "invited_id"],
        unique=False,
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("invited", "invited_link"):
            confine(conn, table)
