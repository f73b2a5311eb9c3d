"""Table of people's numbers in a course."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text, UniqueConstraint

from tool_config.database import metadata

#: "Participant 12": given once, in the order in which people were first seen until then, never changed.
course_number = Table(
    "course_number",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("course_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    UniqueConstraint("silo_id", "course_id", "number"),
)
