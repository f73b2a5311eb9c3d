"""People whom the tutor sets aside: no trainees of the course, whatever the platform says."""

import sqlalchemy as sa
from alembic import op

from tool_config.database import Instant

revision = "0027"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("membership", sa.Column("aside_at", Instant(timezone=True), nullable=True))
