"""Other names of somebody found by whose they are: each launch asks, and walked through all of the silo's."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_actor_alias_actor", "actor_alias", ["silo_id", "actor"])
