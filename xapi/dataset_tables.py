"""Tables of datasets: rows of imported files, in one shape whatever the dataset, and declared standards."""

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: One row of a dataset. What it says is in `data` (field of the standard -> value); the columns beside it
#: are what rows are found and crossed by.
dataset_row = Table(
    "dataset_row",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: Name of the standard.
    Column("kind", Text, primary_key=True),
    #: 32 hexadecimal digits: hash of the fields that name the row.
    Column("row_key", Text, primary_key=True),
    #: Keyed hash of the professional address ("m:…"), or key of an account ("a:…"); null: of nobody.
    Column("person_key", Text),
    #: The session as the file names it, and the course that it was found to be.
    Column("session", Text),
    Column("course_id", BigInteger),
    #: Day that the row is about, in the file's own words.
    Column("valid_on", Date),
    #: Field -> value: text, number, true or false, ISO day or instant, list. No address, no NUMEN.
    Column("data", JSON, nullable=False),
    #: Hash of everything above: a row that says the same again changes nothing.
    Column("digest", Text, nullable=False),
    #: File and line that said it last.
    Column("file_id", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("ix_dataset_row_person", dataset_row.c.silo_id, dataset_row.c.kind, dataset_row.c.person_key)
Index("ix_dataset_row_course", dataset_row.c.silo_id, dataset_row.c.kind, dataset_row.c.course_id)
Index("ix_dataset_row_whose", dataset_row.c.silo_id, dataset_row.c.person_key)
Index("ix_dataset_row_file", dataset_row.c.silo_id, dataset_row.c.file_id)

#: A standard that an institution declared, beside those that come with the tool.
dataset_standard = Table(
    "dataset_standard",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    #: The YAML, as given and checked.
    Column("text", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
