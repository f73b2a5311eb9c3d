"""Days of each learner kept in one text beside their totals: pages read them without touching each day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rollup_actor", sa.Column("days_seen", sa.Text(), server_default="", nullable=False))
    key = ("silo_id", "course_id", "actor")
    learner = sa.table("rollup_actor", *map(sa.column, key), sa.column("days_seen"))
    seen = sa.table("rollup_actor_day", *map(sa.column, key), sa.column("day", sa.Date()))
    days = (
        sa.select(sa.func.aggregate_strings(sa.cast(seen.c.day, sa.String), ""))
        .where(*(seen.c[name] == learner.c[name] for name in key))
        .scalar_subquery()
    )
    op.execute(sa.update(learner).values(days_seen=sa.func.coalesce(days, "")))
