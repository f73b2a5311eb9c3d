"""The queue of background work."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("due_at", Instant(timezone=True), nullable=False),
        sa.Column("again_at", Instant(timezone=True), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("lease_until", Instant(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("started_at", Instant(timezone=True), nullable=True),
        sa.Column("finished_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "job_id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_due", "job", ["silo_id", "finished_at", "due_at"])
    op.create_index("ix_job_key", "job", ["silo_id", "key", "created_at"])
    live = sa.text("finished_at IS NULL")
    op.create_index(
        "ux_job_live", "job", ["silo_id", "key"], unique=True, sqlite_where=live, postgresql_where=live
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "job")
