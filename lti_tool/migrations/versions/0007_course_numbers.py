"""Numbers of people whose platform withholds their name, given once in each course."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "course_number",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "course_id", "actor", name=op.f("pk_course_number")),
        sa.UniqueConstraint(
            "silo_id", "course_id", "number", name=op.f("uq_course_number_silo_id_course_id_number")
        ),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        confine(conn, "course_number")
