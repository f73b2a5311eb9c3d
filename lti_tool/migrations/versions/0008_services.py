"""Services of platforms: where a course's roster and marks are, groups, marks sent; rotation of tool keys."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("course_service", "course_group", "mark", "mark_sent")


def upgrade() -> None:
    op.add_column("tool_key", sa.Column("signs_at", Instant(timezone=True), nullable=True))
    op.create_table(
        "course_service",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("memberships_url", sa.Text(), nullable=True),
        sa.Column("lineitems_url", sa.Text(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("said_at", Instant(timezone=True), nullable=False),
        sa.Column("tried_at", Instant(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", name=op.f("pk_course_service")),
    )
    op.create_table(
        "course_group",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("group_ids", sa.JSON(), nullable=False),
        sa.Column("said_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", name=op.f("pk_course_group")),
    )
    op.create_table(
        "mark",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), server_default="", nullable=False),
        sa.Column("lineitem_url", sa.Text(), nullable=True),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("on_at", Instant(timezone=True), nullable=False),
        sa.Column("on_by", sa.Text(), nullable=False),
        sa.Column("off_at", Instant(timezone=True), nullable=True),
        sa.Column("tried_at", Instant(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "mark_id", name=op.f("pk_mark")),
    )
    op.create_table(
        "mark_sent",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("said_at", Instant(timezone=True), nullable=True),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "mark_id", "actor", name=op.f("pk_mark_sent")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in TABLES:
            confine(conn, table)
