"""LTI platforms registered in a silo, their deployments, and the tool's own keys."""

from __future__ import annotations

import base64
import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Text,
    and_,
    cast,
    column,
    delete,
    func,
    or_,
    select,
)

from tool_config import database
from tool_config.database import Instant, locating
from tool_config.tables import administrator, deployment, platform, tool_key

#: Names that never leave the machine.
_LOCAL_NAMES = ("localhost",)
_COLUMNS = (
    "silo_id",
    "issuer",
    "client_id",
    "auth_url",
    "token_url",
    "jwks_url",
    "family",
    "frame_origins",
    "trusted_audiences",
    "role_map",
    "active",
)
#: What a query of a registration selects, for ``from_row``.
COLUMNS = tuple(platform.c[name].label(f"platform_{name}") for name in _COLUMNS)


class PlatformError(Exception):
    """A registration that cannot be made; the message says why."""


@dataclass(frozen=True)
class Platform:
    """One registration: an issuer and the client id that it gave to the tool, in one silo."""

    silo_id: int
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str
    family: str
    frame_origins: tuple[str, ...]
    trusted_audiences: frozenset[str]
    #: Role URI -> trainee, tutor, admin or "" (no right), over the default list.
    role_map: dict[str, str]
    active: bool

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of the platform itself: those of its issuer and of its authorization address."""
        return tuple(dict.fromkeys(filter(None, (origin(self.issuer), origin(self.auth_url)))))

    @property
    def frames(self) -> tuple[str, ...]:
        """Origins that may frame the tool."""
        return tuple(dict.fromkeys((*self.origins, *self.frame_origins)))


@lru_cache(maxsize=1000)
def origin(url: str) -> str:
    """Return the origin of an http(s) address, lower-cased, or "" when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    if any(character in host for character in " ;,'\"\\") or not host.isascii():
        return ""
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")


def add(
    conn: Connection,
    silo_id: int,
    *,
    issuer: str,
    client_id: str,
    deployment_id: str | None,
    auth_url: str,
    token_url: str,
    jwks_url: str,
    family: str = "moodle",
    frame_origins: Sequence[str] = (),
    trusted_audiences: Sequence[str] = (),
    now: datetime,
    allow_local: bool = False,
) -> Platform:
    """Register a platform, or one more deployment of it; ``conn`` sees every silo (``administration``).

    Raises PlatformError on an address that cannot be used, on a second client of the same issuer in the
    silo, and on a deployment that another silo holds already. The same call again brings the addresses
    up to date. Without a deployment, the first launch that is verified tells it (``adopt_deployment``).
    """
    _check_name("client id", client_id)
    if deployment_id is not None:
        _check_name("deployment id", deployment_id)
    check_addresses(issuer, auth_url, token_url, jwks_url, allow_local=allow_local)
    if not all(origin(item) for item in frame_origins):
        raise PlatformError("a frame origin must look like https://moodle.example.fr")
    _refuse_taken(conn, silo_id, issuer, client_id, deployment_id)
    addresses: dict[str, Any] = {
        "auth_url": auth_url,
        "token_url": token_url,
        "jwks_url": jwks_url,
        "family": family,
    }
    # Another deployment added later leaves these as they were.
    if frame_origins:
        addresses["frame_origins"] = [origin(item) for item in frame_origins]
    if trusted_audiences:
        addresses["trusted_audiences"] = list(trusted_audiences)
    first = {"frame_origins": [], "trusted_audiences": [], "role_map": {}, "created_at": now, **addresses}
    written = database.insert(conn, platform).values(
        silo_id=silo_id, issuer=issuer, client_id=client_id, **first
    )
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "issuer"], set_=addresses))
    if deployment_id is not None:
        _add_deployment(conn, silo_id, issuer, deployment_id)
    found = get(conn, silo_id, issuer)
    assert found is not None
    return found


def adopt_deployment(conn: Connection, silo_id: int, issuer: str, deployment_id: str) -> bool:
    """Take the deployment of a verified launch as a platform's own, when it has told none yet.

    Of several first launches at once, one tells it: the others wait, and learn whether theirs is the one.
    """
    mine = platform.c.silo_id == silo_id, platform.c.issuer == issuer
    conn.execute(select(platform.c.issuer).where(*mine).with_for_update())
    known = deployments(conn, silo_id, issuer)
    if not known:
        _add_deployment(conn, silo_id, issuer, deployment_id)
    return not known or deployment_id in known


def _add_deployment(conn: Connection, silo_id: int, issuer: str, deployment_id: str) -> None:
    conn.execute(
        database.insert(conn, deployment)
        .values(silo_id=silo_id, issuer=issuer, deployment_id=deployment_id)
        .on_conflict_do_nothing()
    )


def check_addresses(issuer: str, auth_url: str, token_url: str, jwks_url: str, *, allow_local: bool) -> None:
    """Raise PlatformError unless a registration may have these addresses."""
    _check_name("issuer", issuer)
    if not origin(issuer):
        raise PlatformError("the issuer must be an address such as https://moodle.example.fr")
    for name, url in (("auth URL", auth_url), ("token URL", token_url), ("JWKS URL", jwks_url)):
        _check_url(name, url, allow_local)


def _check_name(name: str, value: str) -> None:
    if not value or len(value) > 255 or not value.isprintable() or value != value.strip():
        raise PlatformError(f"the {name} must be 1 to 255 printable characters")


def _check_url(name: str, url: str, allow_local: bool) -> None:
    parts = urlsplit(url)
    if not origin(url) or parts.fragment or not url.isprintable() or " " in url:
        raise PlatformError(f"the {name} must be an address such as https://moodle.example.fr/…")
    if allow_local:
        return
    advice = " (ESTIME_ALLOW_LOCAL_NETWORK=1 allows it, for development)"
    if parts.scheme != "https":
        raise PlatformError(f"the {name} must begin with https://{advice}")
    host = (parts.hostname or "").rstrip(".")
    try:
        local = not ipaddress.ip_address(host).is_global
    except ValueError:
        local = host in _LOCAL_NAMES or host.endswith(".localhost")
    if local:
        raise PlatformError(f"the {name} is on this machine or on a private network{advice}")


def _refuse_taken(
    conn: Connection, silo_id: int, issuer: str, client_id: str, deployment_id: str | None
) -> None:
    rows = conn.execute(
        select(platform.c.silo_id, platform.c.client_id, deployment.c.deployment_id)
        .select_from(
            platform.outerjoin(
                deployment,
                (deployment.c.silo_id == platform.c.silo_id) & (deployment.c.issuer == platform.c.issuer),
            )
        )
        .where(platform.c.issuer == issuer)
    ).all()
    for row in rows:
        if row.silo_id == silo_id and row.client_id != client_id:
            raise PlatformError(
                "this issuer is already registered in this silo under another client id; one silo "
                "knows a platform once"
            )
        if row.silo_id != silo_id and (row.client_id, row.deployment_id) == (client_id, deployment_id):
            raise PlatformError("this deployment is already registered in another silo")


def remove(conn: Connection, silo_id: int, issuer: str) -> None:
    """Forget a registration and its deployments; raises PlatformError when there is none."""
    if get(conn, silo_id, issuer) is None:
        raise PlatformError(f"{issuer} is not a platform of this silo")
    for table in (deployment, platform):
        conn.execute(delete(table).where(table.c.silo_id == silo_id, table.c.issuer == issuer))


def find(conn: Connection, issuer: str, client_id: str | None = None) -> list[Platform]:
    """Return the active registrations of an issuer (and client), whatever their silo.

    ``conn`` is of ``locating``; on PostgreSQL the look-up is the function ``estime_find_platform``.
    """
    table: Any = platform
    if conn.dialect.name == "postgresql":
        shape = [column(name, platform.c[name].type) for name in platform.columns.keys()]  # noqa: SIM118
        table = func.estime_find_platform(issuer, cast(client_id, Text)).table_valued(*shape)
    wanted = select(*(table.c[name] for name in _COLUMNS)).where(
        table.c.issuer == issuer, table.c.active.is_(True)
    )
    if client_id is not None:
        wanted = wanted.where(table.c.client_id == client_id)
    return [_platform(row) for row in conn.execute(wanted.order_by(table.c.silo_id))]


def get(conn: Connection, silo_id: int, issuer: str) -> Platform | None:
    """Return the registration of an issuer in a silo, active or not."""
    wanted = _select().where(platform.c.silo_id == silo_id, platform.c.issuer == issuer)
    row = conn.execute(wanted).first()
    return _platform(row) if row else None


def of_silo(conn: Connection, silo_id: int) -> list[Platform]:
    """Return the active registrations of a silo."""
    wanted = _select().where(platform.c.silo_id == silo_id, platform.c.active.is_(True))
    return [_platform(row) for row in conn.execute(wanted.order_by(platform.c.issuer))]


def deployments(conn: Connection, silo_id: int, issuer: str) -> frozenset[str]:
    """Return the deployment ids known for an issuer in a silo."""
    wanted = select(deployment.c.deployment_id).where(
        deployment.c.silo_id == silo_id, deployment.c.issuer == issuer
    )
    return frozenset(conn.execute(wanted).scalars())


def _select() -> Any:
    return select(*(platform.c[name] for name in _COLUMNS))


def from_row(row: Any) -> Platform | None:
    """Return the registration of a row that has ``COLUMNS`` among its own; None when it has none."""
    if row.platform_silo_id is None:
        return None
    return _platform([getattr(row, f"platform_{name}") for name in _COLUMNS])


def _platform(row: Any) -> Platform:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["frame_origins"] = tuple(values["frame_origins"] or ())
    values["trusted_audiences"] = frozenset(values["trusted_audiences"] or ())
    values["role_map"] = dict(values["role_map"] or {})
    return Platform(**values)


# --- administrators named by the institution ---------------------------------------------------------


def add_administrator(conn: Connection, silo_id: int, issuer: str, sub: str, now: datetime) -> None:
    """Make a person of a registered platform an administrator of the silo; twice is once."""
    if not sub or len(sub) > 255 or not sub.isprintable():
        raise PlatformError("the sub must be 1 to 255 printable characters")
    if get(conn, silo_id, issuer) is None:
        raise PlatformError(f"{issuer} is not a platform of this silo")
    written = database.insert(conn, administrator).values(
        silo_id=silo_id, issuer=issuer, sub=sub, created_at=now
    )
    conn.execute(written.on_conflict_do_nothing())


# --- the tool's own keys -----------------------------------------------------------------------------


def ensure_key(conn: Connection, silo_id: int, secret_key: str, now: datetime) -> str:
    """Return the kid of the silo's current key pair (RSA 2048), making one when there is none."""
    wanted = select(tool_key.c.kid).where(tool_key.c.silo_id == silo_id, tool_key.c.retired_at.is_(None))
    found = conn.execute(wanted.order_by(tool_key.c.created_at.desc())).scalar()
    return str(found) if found else make_key(conn, silo_id, secret_key, now)


def make_key(
    conn: Connection, silo_id: int, secret_key: str, now: datetime, signs_at: datetime | None = None
) -> str:
    """Make a key pair that signs from ``signs_at`` on (None: at once) and return its kid."""
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = secrets.token_urlsafe(12)
    jwk = json.loads(RSAAlgorithm.to_jwk(pair.public_key()))
    public = {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": "RS256", "use": "sig"}
    pem = pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    conn.execute(
        tool_key.insert().values(
            silo_id=silo_id,
            kid=kid,
            private_pem=_cipher(secret_key).encrypt(pem).decode(),
            public_jwk=public,
            created_at=now,
            signs_at=signs_at,
        )
    )
    return kid


def private_key(
    conn: Connection, silo_id: int, secret_key: str, now: datetime | None = None
) -> tuple[str, bytes]:
    """Return kid and private key (PEM) with which the tool signs for a silo.

    That is the newest of those published for long enough, at ``now`` (None: of those that stay). Raises
    PlatformError when there is none, or when the secret key of the settings has changed.
    """
    held: ColumnElement[bool] = tool_key.c.retired_at.is_(None)
    if now is not None:
        held = and_(
            or_(held, tool_key.c.retired_at > now),
            or_(tool_key.c.signs_at.is_(None), tool_key.c.signs_at <= now),
        )
    wanted = select(tool_key.c.kid, tool_key.c.private_pem).where(tool_key.c.silo_id == silo_id, held)
    row = conn.execute(wanted.order_by(tool_key.c.created_at.desc())).first()
    if row is None:
        raise PlatformError("this silo has no key pair")
    try:
        return str(row.kid), _cipher(secret_key).decrypt(row.private_pem.encode())
    except InvalidToken:
        raise PlatformError("the key pair was made with another secret key") from None


def public_jwks(engine: Engine, now: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the public keys of every silo as a JWK set (RFC 7517), without those retired at ``now``."""
    table: Any = tool_key
    with locating(engine) as conn:
        if conn.dialect.name == "postgresql":
            table = func.estime_public_keys().table_valued(
                column("silo_id", Integer),
                column("kid", Text),
                column("public_jwk", JSON),
                column("created_at", Instant),
                column("retired_at", Instant),
            )
        held = table.c.retired_at.is_(None)
        if now is not None:
            held = or_(held, table.c.retired_at > now)
        wanted = select(table.c.public_jwk).where(held)
        return {"keys": list(conn.execute(wanted.order_by(table.c.silo_id, table.c.created_at)).scalars())}


def _cipher(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"estime tool key").derive(
        secret_key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
