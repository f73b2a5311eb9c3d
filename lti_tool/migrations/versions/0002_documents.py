"""Documents, attachments, repairs and quarantine, for the stores made before them."""

from alembic import op
from sqlalchemy import inspect

from lti_tool.migrations.isolation import confine
from xapi.document_tables import attachment, document, key_repair, quarantine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    conn = op.get_bind()
    there = set(inspect(conn).get_table_names())
    for table in (document, attachment, key_repair, quarantine):
        # The first migration makes every table that the tool knows of: nothing to do on a new store.
        if table.name not in there:
            table.create(conn)
            if conn.dialect.name == "postgresql":
                confine(conn, table)
