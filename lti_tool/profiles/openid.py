"""Sign-in by OpenID Connect: discovery, authorization code with PKCE, the ID token verified, the address.

Sources: OpenID Connect Core 1.0 (3.1), Discovery 1.0 (4), RFC 6749, RFC 7636 (PKCE), RFC 9207 (iss).
The secret that the browser keeps stands behind everything: state is kept as a hash beside its hash, nonce and
verifier are drawn from it, so that an answer means nothing to another browser.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import jwt
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from sqlalchemy import Connection, delete, insert, select

from lti_tool import sessions
from lti_tool.keys import KeyRing, KeysUnavailableError, UnknownKeyError
from lti_tool.outbound import Outbound, OutboundError
from lti_tool.profile_tables import profile_login, profile_provider
from tool_config.platforms import Platform, origin
from tool_config.sealing import SealError, seal, unseal

#: From the sign-in to the provider's answer.
LIFETIME = timedelta(minutes=10)
#: Seconds by which two clocks may differ.
LEEWAY = 30
MOST_TOKEN = 20_000
_STATE = re.compile(r"([1-9][0-9]{0,9})\.[A-Za-z0-9_-]{43}")
_WELL_KNOWN = "/.well-known/openid-configuration"


class SignInError(Exception):
    """A sign-in that opens nothing.

    `status` of HTTP; `code` of the page: malformed, browser, stale, provider, token, address, unknown, many;
    `reason` in the tool's own words, for the audit.
    """

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Provider:
    """The provider of identities of a silo; `client_secret` "": a public client."""

    silo_id: int
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Endpoints:
    """What a provider says of itself."""

    authorization: str
    token: str
    userinfo: str
    jwks: str
    basic: bool


@dataclass(frozen=True)
class Begun:
    """A sign-in begun: where the browser goes, and what it keeps."""

    url: str
    cookie: str
    secret: str


# --- settings -------------------------------------------------------------------------------------------


class ProviderError(Exception):
    """A provider that cannot be kept; the message says why."""


def set_provider(
    conn: Connection,
    silo_id: int,
    issuer: str,
    client_id: str,
    client_secret: str,
    *,
    secret_key: str,
    allow_local: bool,
    now: datetime,
) -> None:
    """Keep the provider of a silo, in the place of the one it had; `client_secret` "" keeps none sealed."""
    issuer = issuer.strip()
    secure = issuer.startswith("https://") or (allow_local and issuer.startswith("http://"))
    if not (secure and origin(issuer)) or "?" in issuer or "#" in issuer:
        raise ProviderError("the issuer must be an address such as https://sso.example.fr/realms/agents")
    if not client_id.strip():
        raise ProviderError("give the client id")
    forget_provider(conn, silo_id)
    conn.execute(
        insert(profile_provider).values(
            silo_id=silo_id, issuer=issuer, client_id=client_id.strip(), created_at=now,
            client_secret=seal(secret_key, _use(silo_id), client_secret) if client_secret else None,
        )
    )  # fmt: skip


def forget_provider(conn: Connection, silo_id: int) -> None:
    """Forget the provider of a silo."""
    conn.execute(delete(profile_provider).where(profile_provider.c.silo_id == silo_id))


def provider(conn: Connection, silo_id: int, *, secret_key: str, usual_secret: str) -> Provider | None:
    """Return the provider of a silo; `usual_secret`: that of the environment, where none was sealed."""
    row = conn.execute(select(profile_provider).where(profile_provider.c.silo_id == silo_id)).first()
    if row is None:
        return None
    try:
        sealed = row.client_secret
        kept = unseal(secret_key, _use(silo_id), sealed) if sealed else usual_secret
    except SealError:
        raise SignInError(502, "provider", "profile: secret of the provider sealed otherwise") from None
    return Provider(silo_id, row.issuer, row.client_id, kept)


def _use(silo_id: int) -> str:
    return f"profile provider {silo_id}"


def discover(http: Outbound, issuer: str) -> Endpoints:
    """Read what a provider says of itself (Discovery 1.0, 4); SignInError (502) unless of that issuer."""
    said = _asked(http, "GET", issuer.rstrip("/") + _WELL_KNOWN, "discovery")
    if said.get("issuer") != issuer:
        raise SignInError(502, "provider", "profile: discovery of another issuer")
    named = {name: said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if not all(isinstance(value, str) and origin(value) for value in named.values()):
        raise SignInError(502, "provider", "profile: discovery not usable")
    if issuer.startswith("https://") and not all(str(url).startswith("https://") for url in named.values()):
        raise SignInError(502, "provider", "profile: discovery not usable")
    methods = said.get("token_endpoint_auth_methods_supported")
    userinfo = said.get("userinfo_endpoint")
    return Endpoints(
        str(named["authorization_endpoint"]), str(named["token_endpoint"]),
        userinfo if isinstance(userinfo, str) else "", str(named["jwks_uri"]),
        not isinstance(methods, list) or "client_secret_basic" in methods,
    )  # fmt: skip


# --- the sign-in ------------------------------------------------------------------------------------------


def begin(
    conn: Connection, who: Provider, to: Endpoints, *, public_url: str, secret_key: str, now: datetime
) -> Begun:
    """Begin a sign-in: keep the hashes of its state and of what the browser keeps."""
    state = f"{who.silo_id}.{secrets.token_urlsafe(32)}"
    secret = secrets.token_urlsafe(32)
    p = profile_login.c
    conn.execute(delete(profile_login).where(p.silo_id == who.silo_id, p.expires_at <= now))
    conn.execute(
        insert(profile_login).values(
            silo_id=who.silo_id, state_hash=sessions.digest(state), kind="oidc",
            binding_hash=sessions.digest(secret), created_at=now, expires_at=now + LIFETIME,
        )
    )  # fmt: skip
    asked = {
        "nonce": drawn(secret_key, "nonce", secret),
        "code_challenge": create_s256_code_challenge(drawn(secret_key, "verifier", secret)),
        "code_challenge_method": "S256",
    }
    uri = prepare_grant_uri(
        to.authorization, who.client_id, "code", redirect_uri=redirect_uri(public_url),
        scope="openid email", state=state, **asked,
    )  # fmt: skip
    return Begun(str(uri), cookie_name(state), secret)


def redirect_uri(public_url: str) -> str:
    """Return the address that the provider answers to, to be registered there."""
    return f"{public_url}/sign-in/callback"


def drawn(secret_key: str, what: str, secret: str) -> str:
    """Return a nonce or a verifier (RFC 7636, 4.1: 43 characters) drawn from what the browser keeps."""
    made = hmac.digest(secret_key.encode(), f"estime profile {what}\n{secret}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def cookie_name(state: str) -> str:
    """Return the name of the cookie of one sign-in: two that go on together never overwrite each other."""
    return f"__Host-estime-signin-{sessions.digest(state)[:16]}"


def silo_of(state: str) -> int:
    """Return the silo that a state names; SignInError when it is none."""
    found = _STATE.fullmatch(state)
    if not found or int(found[1]) >= 2**31:
        raise SignInError(400, "malformed", "profile: state missing or malformed")
    return int(found[1])


def spend(conn: Connection, silo_id: int, state: str, secret: str | None, now: datetime) -> None:
    """Take the sign-in that a state names, once and by its own browser; SignInError otherwise."""
    p = profile_login.c
    mine = p.silo_id == silo_id, p.state_hash == sessions.digest(state), p.kind == "oidc"
    row = conn.execute(select(p.binding_hash, p.expires_at).where(*mine)).first()
    if row is None:
        raise SignInError(401, "stale", "profile: state unknown or spent")
    if not secret or not hmac.compare_digest(row.binding_hash, sessions.digest(secret)):
        raise SignInError(401, "browser", "profile: state of another browser")
    if conn.execute(delete(profile_login).where(*mine)).rowcount != 1 or row.expires_at <= now:
        raise SignInError(401, "stale", "profile: state spent or late")


def redeem(
    http: Outbound, who: Provider, to: Endpoints, code: str, verifier: str, *, public_url: str
) -> tuple[str, str]:
    """Exchange a code for (ID token, access token), outside any transaction."""
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri(public_url),
        "code_verifier": verifier,
    }  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if who.client_secret and to.basic:
        pair = f"{quote(who.client_id, safe='')}:{quote(who.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = who.client_id
        if who.client_secret:
            form["client_secret"] = who.client_secret
    said = _asked(http, "POST", to.token, "token", headers=headers, body=urlencode(form).encode())
    token, access = said.get("id_token"), said.get("access_token")
    if not isinstance(token, str) or len(token) > MOST_TOKEN:
        raise SignInError(502, "provider", "profile: no ID token")
    return token, access if isinstance(access, str) else ""


def verified(
    token: str, access: str, who: Provider, to: Endpoints, keys: KeyRing, *, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """Return the claims of an ID token (Core 1.0, 3.1.3.7): RS256 by a key of the provider, ours, of now."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or "crit" in header or not isinstance(header.get("kid"), str):
            raise SignInError(401, "token", "profile: ID token not signed as it must be")
        key = keys.key(_as_platform(who, to), header["kid"], now)
        claims = jwt.decode(
            token, key, algorithms=["RS256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )  # fmt: skip
        asked = {"iss": who.issuer, "aud": who.client_id}
        said = CodeIDToken(
            claims,
            header,
            {name: {"essential": True, "value": value} for name, value in asked.items()},
            {"nonce": nonce, "client_id": who.client_id, "access_token": access},
        )
        said.validate(int(now.timestamp()), LEEWAY)
    except (KeysUnavailableError, UnknownKeyError):
        raise SignInError(502, "provider", "profile: keys cannot be had") from None
    except JoseError:
        raise SignInError(401, "token", "profile: ID token, claims") from None
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        raise SignInError(401, "token", "profile: ID token not valid") from None
    if not isinstance(claims.get("sub"), str) or not hmac.compare_digest(
        str(claims["nonce"]).encode(), nonce.encode()
    ):
        raise SignInError(401, "token", "profile: ID token, claims")
    return dict(claims)


def address(http: Outbound, claims: Mapping[str, Any], to: Endpoints, access: str) -> str:
    """Return the verified address of who signed in, from the ID token, else from userinfo (Core 1.0, 5.3)."""
    said = claims
    if "email" not in claims and to.userinfo and access:
        headers = {"Authorization": f"Bearer {access}"}
        said = _asked(http, "GET", to.userinfo, "userinfo", headers=headers)
        if said.get("sub") != claims["sub"]:
            raise SignInError(401, "token", "profile: userinfo of another sub")
    given = said.get("email")
    if not isinstance(given, str) or not given:
        raise SignInError(401, "address", "profile: no address given")
    if said.get("email_verified") is not True:
        raise SignInError(401, "address", "profile: address not verified")
    return given


def _as_platform(who: Provider, to: Endpoints) -> Platform:
    """Return a provider as the ring of keys knows who publishes some."""
    return Platform(
        silo_id=who.silo_id, issuer=who.issuer, client_id=who.client_id, auth_url=to.authorization,
        token_url=to.token, jwks_url=to.jwks, family="generic", frame_origins=(),
        trusted_audiences=frozenset(), role_map={}, active=True,
    )  # fmt: skip


def _asked(
    http: Outbound,
    method: str,
    url: str,
    what: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> dict[str, Any]:
    """Return the JSON object that an address of the provider answers with."""
    sent = {"Accept": "application/json", **(headers or {})}
    try:
        answer = http.request(method, url, headers=sent, body=body)
        said = json.loads(answer.body) if answer.status == 200 else None
    except (OutboundError, ValueError, RecursionError):
        raise SignInError(502, "provider", f"profile: {what}, no answer") from None
    if not isinstance(said, dict):
        raise SignInError(502, "provider", f"profile: {what}, refused by the provider")
    return said
