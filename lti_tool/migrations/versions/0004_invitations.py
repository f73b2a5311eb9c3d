"""Invitations by which a platform registers itself."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("invitation_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("held_until", Instant(timezone=True), nullable=True),
        sa.Column("used_at", Instant(timezone=True), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "invitation_id", name=op.f("pk_invitation")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "invitation")
