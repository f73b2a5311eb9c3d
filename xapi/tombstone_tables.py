"""Tables of tombstones: whom an erasure took out of a silo, so that nothing brings them back unseen."""

from sqlalchemy import Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: Keys the tombstones of a silo; made with the first of them, so that a silo without a row has none.
tombstone_secret = Table(
    "tombstone_secret",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: 64 hexadecimal digits drawn at random.
    Column("secret", Text, nullable=False),
)

#: One name of somebody erased (an account, an address), as a keyed hash: it tells nothing of whom.
tombstone = Table(
    "tombstone",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: 32 hexadecimal digits (tombstones.mark).
    Column("mark", Text, primary_key=True),
    #: The names of one person have the same one: they are lifted together.
    Column("erasure_id", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
Index("ix_tombstone_erasure", tombstone.c.silo_id, tombstone.c.erasure_id)
