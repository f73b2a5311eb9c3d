"""People of files recognised by hand."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_link",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "person_key", name=op.f("pk_person_link")),
    )
    op.create_index("ix_person_link_actor", "person_link", ["silo_id", "actor"], unique=False)
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "person_link")
