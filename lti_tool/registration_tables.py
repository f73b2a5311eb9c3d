"""Table of invitations: the one-time links by which a platform registers itself."""

from sqlalchemy import Column, Integer, Table, Text

from tool_config.database import Instant, metadata

#: A link handed to a platform's administrator; its secret is kept as a hash.
invitation = Table(
    "invitation",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("invitation_id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    #: A registration is under way until then: two at once would leave one of them half made.
    Column("held_until", Instant),
    Column("used_at", Instant),
    #: The platform that used it.
    Column("issuer", Text),
)
