"""Secrets of keys that were replaced and may go on for a while."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_secret",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("until", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "key_id", name=op.f("pk_key_secret")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "key_secret")
