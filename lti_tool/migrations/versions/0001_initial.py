"""Every table, and on PostgreSQL the walls between silos."""

from alembic import op

from lti_tool.migrations.isolation import confine, create_lookups, create_role
from tool_config.database import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    conn = op.get_bind()
    metadata.create_all(conn)
    if conn.dialect.name == "postgresql":
        create_role(conn)
        for table in metadata.sorted_tables:
            confine(conn, table)
        create_lookups(conn)
