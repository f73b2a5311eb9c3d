"""Table of the people of files whom somebody recognised by hand."""

from sqlalchemy import Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: A person as files name them (keyed hash of an address), and whose traces are theirs.
person_link = Table(
    "person_link",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("person_key", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    #: Actor who said so, and when.
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
Index("ix_person_link_actor", person_link.c.silo_id, person_link.c.actor)
