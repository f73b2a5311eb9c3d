"""What ties sessions to their path."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "course_origin",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("idnumber", sa.Text(), server_default="", nullable=False),
        sa.Column("history", sa.Text(), server_default="", nullable=False),
        sa.Column("tied_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", name=op.f("pk_course_origin")),
    )
    op.create_table(
        "course_ancestor",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("rank", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("context_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "rank", name=op.f("pk_course_ancestor")),
    )
    op.create_index(
        "ix_course_ancestor_context", "course_ancestor", ["silo_id", "issuer", "context_id"], unique=False
    )
    op.create_table(
        "path_pattern",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("path_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "path_id", "pattern", name=op.f("pk_path_pattern")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("course_origin", "course_ancestor", "path_pattern"):
            confine(conn, table)
