"""Tables of forwarding: where a silo's statements go, how far each copy is, what the peer refused."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, Uuid

from tool_config.database import Instant, metadata

#: A copy kept by another store.
forward = Table(
    "forward",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    #: Endpoint of the peer without a final slash; "/statements" is added.
    Column("url", Text, nullable=False),
    #: auto (that of each statement), 1.0.3 or 2.0.0: the version in which requests are made.
    Column("version", Text, nullable=False),
    Column("username", Text, nullable=False),
    #: Encrypted with the secret key of the settings.
    Column("sealed_secret", Text, nullable=False),
    #: Answers to questionnaires go too.
    Column("with_answers", Boolean, nullable=False),
    #: The peer may be at a private address, in plain http there.
    Column("allow_private", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    #: Everything up to this statement, in the order (stored, id), was taken by the peer or is dead.
    Column("after_stored", Instant, nullable=False),
    Column("after_id", Uuid(as_uuid=False), nullable=False),
    #: Statements that the peer took, one sent twice counted twice.
    Column("sent", BigInteger, nullable=False),
    #: Answers to questionnaires passed over.
    Column("left_out", BigInteger, nullable=False),
    #: One more at each failure, one less at each success: the wait and the size of a request follow it.
    Column("failures", Integer, nullable=False),
    #: Not before this.
    Column("next_at", Instant),
    Column("last_error", Text, nullable=False),
    Column("last_sent_at", Instant),
    #: Drawn at random by the worker that forwards, which holds it until `claimed_until`; "" when nobody.
    Column("claim", Text, nullable=False),
    Column("claimed_until", Instant),
)

#: Statements that the peer refused: the others went on without them.
forward_dead = Table(
    "forward_dead",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("statement_id", Uuid(as_uuid=False), primary_key=True),
    #: HTTP status of the refusal.
    Column("status", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("refused_at", Instant, nullable=False),
    #: To be sent again.
    Column("again", Boolean, nullable=False),
)
