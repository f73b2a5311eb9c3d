"""Erasures, tombstones, how long things are kept, who is kept from whom; another key for pseudonyms."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0022"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("silo", sa.Column("display_key", sa.LargeBinary(), nullable=True))
    op.create_table(
        "erasure_request",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decided_at", Instant(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "request_id", name=op.f("pk_erasure_request")),
    )
    op.create_index("ix_erasure_request_actor", "erasure_request", ["silo_id", "actor"], unique=False)
    op.create_table(
        "retention_rule",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "kind", name=op.f("pk_retention_rule")),
    )
    op.create_table(
        "sealed_course",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", Instant(timezone=True), nullable=False),
        sa.Column("enrolled", sa.Integer(), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "course_id", name=op.f("pk_sealed_course")),
    )
    op.create_table(
        "course_privacy",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("aggregates_only", sa.Boolean(), nullable=False),
        sa.Column("set_at", Instant(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", name=op.f("pk_course_privacy")),
    )
    op.create_table(
        "exclusion",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("tutor", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "tutor", "actor", name=op.f("pk_exclusion")),
    )
    op.create_index("ix_exclusion_actor", "exclusion", ["silo_id", "actor"], unique=False)
    op.create_table(
        "pause",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("since", Instant(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", name=op.f("pk_pause")),
    )
    op.create_table(
        "tombstone_secret",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", name=op.f("pk_tombstone_secret")),
    )
    op.create_table(
        "tombstone",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "mark", name=op.f("pk_tombstone")),
    )
    op.create_index("ix_tombstone_erasure", "tombstone", ["silo_id", "erasure_id"], unique=False)
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in (
            "erasure_request",
            "retention_rule",
            "sealed_course",
            "course_privacy",
            "exclusion",
            "pause",
            "tombstone_secret",
            "tombstone",
        ):
            confine(conn, table)
