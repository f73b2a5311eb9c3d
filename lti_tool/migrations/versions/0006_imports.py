"""Rows of imported datasets, declared standards, files given for import."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.isolation import confine
from tool_config.database import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _datasets()
    _files()
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        for table in (
            "dataset_row",
            "dataset_standard",
            "import_file",
            "import_chunk",
            "import_refusal",
            "import_mapping",
        ):
            confine(conn, table)


def _datasets() -> None:
    op.create_table(
        "dataset_row",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=True),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_on", sa.Date(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "kind", "row_key", name=op.f("pk_dataset_row")),
    )
    op.create_index("ix_dataset_row_person", "dataset_row", ["silo_id", "kind", "person_key"])
    op.create_index("ix_dataset_row_course", "dataset_row", ["silo_id", "kind", "course_id"])
    op.create_index("ix_dataset_row_whose", "dataset_row", ["silo_id", "person_key"])
    op.create_index("ix_dataset_row_file", "dataset_row", ["silo_id", "file_id"])
    op.create_table(
        "dataset_standard",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "kind", name=op.f("pk_dataset_standard")),
    )


def _files() -> None:
    op.create_table(
        "import_file",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("constants", sa.JSON(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default="0", nullable=False)
            for name in ("position", "total", "added", "changed", "same", "refused")
        ),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("finished_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("silo_id", "file_id", name=op.f("pk_import_file")),
    )
    op.create_index("ix_import_file_created", "import_file", ["silo_id", "created_at"])
    op.create_table(
        "import_chunk",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "file_id", "rank", name=op.f("pk_import_chunk")),
    )
    op.create_table(
        "import_refusal",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "file_id", "line", name=op.f("pk_import_refusal")),
    )
    op.create_table(
        "import_mapping",
        sa.Column("silo_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("constants", sa.JSON(), nullable=False),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("silo_id", "name", name=op.f("pk_import_mapping")),
    )
    op.create_index("ix_import_mapping_header", "import_mapping", ["silo_id", "header"])
