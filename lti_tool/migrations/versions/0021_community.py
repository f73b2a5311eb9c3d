"""Frames of a whole silo, kept packed."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "community_frame",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("made_at", Instant(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "name", name=op.f("pk_community_frame")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        # Packed already: compressing it again costs time at each reading.
        conn.exec_driver_sql("ALTER TABLE community_frame ALTER COLUMN data SET STORAGE EXTERNAL")
        confine(conn, "community_frame")
