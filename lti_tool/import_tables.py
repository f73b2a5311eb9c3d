"""Tables of imports: the file while it waits, what became of it, its lines to be mended, saved mappings."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, Table, Text

from tool_config.database import Instant, metadata

#: A file given for import: how it is read, where it stands, what became of it.
import_file = Table(
    "import_file",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("file_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    #: SHA-256 of the bytes, and how many they are.
    Column("digest", Text, nullable=False),
    Column("size", Integer, nullable=False),
    #: Name of the standard; empty until somebody says.
    Column("kind", Text, nullable=False),
    #: draft, running, done, refused
    Column("state", Text, nullable=False),
    #: How it is read (xapi.sources.tabular.Reading), [heading, field] of each column,
    #: values of the whole file.
    Column("reading", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("constants", JSON, nullable=False),
    #: Rows read and committed so far, of `total` (0: not known yet).
    Column("position", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("added", Integer, nullable=False, server_default="0"),
    Column("changed", Integer, nullable=False, server_default="0"),
    Column("same", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    #: What else is to be said: code -> number, or the fault that stopped it.
    Column("notes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    #: Actor who gave it; empty: the command line, or the watched folder.
    Column("created_by", Text, nullable=False, server_default=""),
    Column("finished_at", Instant),
)
Index("ix_import_file_created", import_file.c.silo_id, import_file.c.created_at)

#: The bytes of a file until it is imported; then they go.
import_chunk = Table(
    "import_chunk",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("file_id", Text, primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

#: A line that could not go in, and why; gone when the file is replayed, forgotten or old.
import_refusal = Table(
    "import_refusal",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("file_id", Text, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    #: The cells as texts, and the faults: [column, code, text found].
    Column("cells", JSON, nullable=False),
    Column("faults", JSON, nullable=False),
)

#: How files of one header are read, saved under a name.
import_mapping = Table(
    "import_mapping",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    #: Hash of the header that it fits.
    Column("header", Text, nullable=False),
    Column("reading", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("constants", JSON, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("ix_import_mapping_header", import_mapping.c.silo_id, import_mapping.c.header)
