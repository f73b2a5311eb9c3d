"""Tables of what is known before a launch or a statement: silos, keys, platforms, administrators."""

from sqlalchemy import JSON, Boolean, Column, ForeignKeyConstraint, Integer, LargeBinary, Table, Text
from sqlalchemy import text as sql_text

from tool_config.database import Instant, metadata

silo = Table(
    "silo",
    metadata,
    Column("silo_id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("time_zone", Text, nullable=False, server_default="Europe/Paris"),
    #: Keys the addresses of this silo's files, and its pseudonyms until they are rotated; 32 random bytes.
    Column("pseudonym_key", LargeBinary, nullable=False),
    #: Keys the pseudonyms shown, once they were rotated; 32 random bytes.
    Column("display_key", LargeBinary),
    Column("created_at", Instant, nullable=False),
)

lrs_key = Table(
    "lrs_key",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    #: Space-separated xAPI scopes.
    Column("scopes", Text, nullable=False),
    #: Name of the set of repairs asked for ("moodle"), or null: strict.
    Column("repair", Text),
    Column("label", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

#: The secret that a key had before, while it still opens.
key_secret = Table(
    "key_secret",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    #: Refused from then on.
    Column("until", Instant, nullable=False),
)

platform = Table(
    "platform",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("auth_url", Text, nullable=False),
    Column("token_url", Text, nullable=False),
    Column("jwks_url", Text, nullable=False),
    Column("family", Text, nullable=False, server_default="moodle"),
    #: Origins allowed to frame the tool, beside those of the URLs above (JSON list).
    Column("frame_origins", JSON, nullable=False, default=list),
    #: Other audiences that a token for us may name (JSON list).
    Column("trusted_audiences", JSON, nullable=False, default=list),
    #: Role URI -> "trainee" | "tutor" | "admin" | "", over the default allow-list (JSON object).
    Column("role_map", JSON, nullable=False, default=dict),
    Column("active", Boolean, nullable=False, server_default=sql_text("true")),
    Column("created_at", Instant, nullable=False),
)

deployment = Table(
    "deployment",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("deployment_id", Text, primary_key=True),
    ForeignKeyConstraint(["silo_id", "issuer"], ["platform.silo_id", "platform.issuer"]),
)

administrator = Table(
    "administrator",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("sub", Text, primary_key=True),
    Column("created_at", Instant, nullable=False),
)

tool_key = Table(
    "tool_key",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("kid", Text, primary_key=True),
    #: PKCS#8, encrypted with the secret key of the settings.
    Column("private_pem", Text, nullable=False),
    Column("public_jwk", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    #: Signs from then on: platforms that keep the tool's keys for a while must have seen it. Null: at once.
    Column("signs_at", Instant),
    #: No longer published from then on; may lie ahead.
    Column("retired_at", Instant),
)
