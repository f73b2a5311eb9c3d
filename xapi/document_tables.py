"""Tables beside the statements: documents, attachments, and what repairs did and could not do."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, Uuid

from tool_config.database import Instant, metadata

#: Documents of activity state, activity profile and agent profile (Communication 2.3, 2.6, 2.7).
document = Table(
    "document",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: state, activity-profile or agent-profile.
    Column("kind", Text, primary_key=True),
    #: IRI of the activity; "" for an agent profile.
    Column("activity", Text, primary_key=True),
    #: Hash of the agent's identifier; "" for an activity profile.
    Column("agent", Text, primary_key=True),
    #: Registration in lower case; "" without one.
    Column("registration", Text, primary_key=True),
    #: stateId or profileId.
    Column("name", Text, primary_key=True),
    Column("content_type", Text, nullable=False),
    #: SHA-1 of the content, 40 hexadecimal digits: the ETag without its quotes.
    Column("sha1", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

#: Data of attachments, once a content and a silo (Communication 1.5.2).
attachment = Table(
    "attachment",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: Digits of the SHA-2 hash, in lower case.
    Column("sha2", Text, primary_key=True),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("stored", Instant, nullable=False),
)

#: What was repaired, counted by key and by rule.
key_repair = Table(
    "key_repair",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("key_id", Text, primary_key=True),
    #: null, version, id, scaled or quarantined.
    Column("rule", Text, primary_key=True),
    #: Statements that the rule touched.
    Column("statements", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
)

#: Statements that no repair made acceptable, until somebody replays or deletes them.
quarantine = Table(
    "quarantine",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: Drawn from the key and the content: the same again is the same row.
    Column("quarantine_id", Uuid(as_uuid=False), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    #: Version of xAPI that it was sent in.
    Column("version", Text, nullable=False),
    #: Id that the sender was answered.
    Column("statement_id", Uuid(as_uuid=False), nullable=False),
    Column("reason", Text, nullable=False),
    #: The JSON as received.
    Column("body", Text, nullable=False),
)
Index("ix_quarantine_received", quarantine.c.silo_id, quarantine.c.received_at)
