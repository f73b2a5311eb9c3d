"""Sessions as files name them, said by an administrator."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_name",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "name", name=op.f("pk_session_name")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "session_name")
