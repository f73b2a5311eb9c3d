"""Files made in the background, kept for who asked until they expire."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "export_id", name=op.f("pk_export")),
    )
    op.create_index("ix_export_owner", "export", ["silo_id", "owner", "kind", "created_at"], unique=False)
    op.create_table(
        "export_file",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "export_id", "form", name=op.f("pk_export_file")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "export")
        confine(conn, "export_file")
