"""Profiles granted by name, the provider of identities, sign-ins under way."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_grant",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paths", sa.JSON(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=True),
        sa.Column("used_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "grant_id", name=op.f("pk_profile_grant")),
    )
    op.create_index("ix_profile_grant_address", "profile_grant", ["silo_id", "address_hash"], unique=True)
    op.create_table(
        "profile_provider",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", name=op.f("pk_profile_provider")),
    )
    op.create_table(
        "profile_login",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("binding_hash", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "state_hash", name=op.f("pk_profile_login")),
    )
    op.create_index("ix_profile_login_expiry", "profile_login", ["silo_id", "expires_at"], unique=False)
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("profile_grant", "profile_provider", "profile_login"):
            confine(conn, table)
