"""Audit: the role of who launched; lines are added, and never changed nor taken away."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import append_only

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("role", sa.Text(), nullable=True))
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        append_only(conn, "audit")
