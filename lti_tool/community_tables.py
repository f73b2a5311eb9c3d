"""Table of the frames of a whole silo, packed so that a page opens without reading traces."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from tool_config.database import Instant, metadata

#: A frame: what it was made of, and its bytes. Made again at will; the row named "" only names the state that
#: processes may remember, and changes when everything must be forgotten at once.
community_frame = Table(
    "community_frame",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    #: Another at each writing.
    Column("version", Text, nullable=False),
    #: Figures of the tables that it was drawn from.
    Column("state", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
