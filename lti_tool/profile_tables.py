"""Tables of profiles: who was granted one, the provider of identities of a silo, sign-ins under way."""

from sqlalchemy import JSON, Column, Index, Integer, Table, Text

from tool_config.database import Instant, metadata

#: Somebody without a course who may see aggregates. Withdrawn, the row goes, and every session with it.
profile_grant = Table(
    "profile_grant",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("grant_id", Text, primary_key=True),
    #: responsable, ingenieur, lecteur
    Column("profile", Text, nullable=False),
    #: Keyed hash of the professional address: what a sign-in is matched with.
    Column("address_hash", Text, nullable=False),
    #: The address and the name, sealed: to write to somebody, and to show the list.
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    #: Paths that an ingénieur may see; [] for the others.
    Column("paths", JSON, nullable=False, default=list),
    #: Actor of the administrator; "" for the command line.
    Column("granted_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
)
Index("ix_profile_grant_address", profile_grant.c.silo_id, profile_grant.c.address_hash, unique=True)

#: The one OpenID Connect provider of a silo.
profile_provider = Table(
    "profile_provider",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    #: Sealed; NULL: that of the environment, else none (a public client, with PKCE alone).
    Column("client_secret", Text),
    Column("created_at", Instant, nullable=False),
)

#: A sign-in under way: consumed once, by the browser that began it.
profile_login = Table(
    "profile_login",
    metadata,
    Column("silo_id", Integer, primary_key=True),
    #: Hash of the state; of a link, its number: its code needs the secret key.
    Column("state_hash", Text, primary_key=True),
    #: oidc, link
    Column("kind", Text, nullable=False),
    #: Hash of the secret that the browser keeps in its cookie.
    Column("binding_hash", Text, nullable=False),
    #: Of a link: the grant that it opens; NULL when the address has none, or for oidc.
    Column("grant_id", Text),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
Index("ix_profile_login_expiry", profile_login.c.silo_id, profile_login.c.expires_at)
