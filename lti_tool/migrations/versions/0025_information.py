"""What people were told and when they read it; those who object."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0025"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "information_version",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "role", "version", name=op.f("pk_information_version")),
    )
    op.create_table(
        "information_seen",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seen_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "actor", "role", "version", name=op.f("pk_information_seen")),
    )
    op.create_table(
        "objection",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "actor", name=op.f("pk_objection")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("information_version", "information_seen", "objection"):
            confine(conn, table)
