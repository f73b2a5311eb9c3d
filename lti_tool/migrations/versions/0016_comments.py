"""Comments as they were read: masked, in themes, with their polarity."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COMMENT = ["silo_id", "course_id", "survey_id", "comment_id"]


def upgrade() -> None:
    op.create_table(
        "comment_reading",
        *_comment(),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("polarity", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*_COMMENT, name=op.f("pk_comment_reading")),
        _goes_with("comment_reading", "survey_comment"),
    )
    op.create_table(
        "comment_member",
        *_comment(),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("theme_id", sa.Text(), nullable=False),
        sa.Column("closeness", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(*_COMMENT, "scope", name=op.f("pk_comment_member")),
        _goes_with("comment_member", "comment_reading"),
    )
    op.create_index(
        "ix_comment_member_scope", "comment_member", ["silo_id", "scope", "course_id"], unique=False
    )
    op.create_table(
        "comment_theme",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("theme_id", sa.Text(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("profiles", sa.JSON(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=True),
        sa.Column("edited_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "scope", "theme_id", name=op.f("pk_comment_theme")),
    )
    op.create_table(
        "comment_analysis",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.Column("stability", sa.JSON(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "scope", name=op.f("pk_comment_analysis")),
    )
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in ("comment_reading", "comment_member", "comment_theme", "comment_analysis"):
            confine(conn, table)


def _comment() -> list[sa.Column[object]]:
    return [
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.Uuid(as_uuid=False), nullable=False),
    ]


def _goes_with(table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        _COMMENT,
        [f"{other}.{name}" for name in _COMMENT],
        name=op.f(f"fk_{table}_{other}"),
        ondelete="CASCADE",
    )
