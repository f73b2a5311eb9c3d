"""OIDC third-party login: begun, bound to its browser, taken once by the launch that answers it.

Sources: IMS Security Framework 1.0 (5.1.1), OpenID Connect Core 1.0 (3.1.2.1). State, nonce and the
browser's secret are kept as hashes, ten minutes, and taken together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Connection, bindparam, delete, select

from lti_tool import sessions
from lti_tool.tables import login_state
from tool_config import database, platforms
from tool_config.platforms import Platform, origin
from tool_config.prepared import ask
from tool_config.tables import deployment
from tool_config.tables import platform as platform_table

LIFETIME = timedelta(minutes=10)
COOKIE_PREFIX = "__Host-estime-login-"


class Refused(Exception):  # noqa: N818
    """A login or a launch that is refused.

    ``status``: 400 malformed or parts missing, 401 not verified, 403 role, 502 keys cannot be had.
    ``code`` chooses the page's words; ``reason`` is for the audit, in the tool's own words, with who and
    where when a verified token said it.
    """

    def __init__(
        self, status: int, code: str, reason: str, *, actor: str | None = None, course_id: int | None = None
    ) -> None:
        super().__init__(reason)
        self.actor = actor
        self.course_id = course_id
        self.status = status
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class LoginRequest:
    """What a platform says when it opens the tool; nothing in it is proven."""

    issuer: str
    login_hint: str
    target_link_uri: str
    message_hint: str = ""
    client_id: str = ""
    deployment_id: str = ""


@dataclass(frozen=True)
class Started:
    """A login begun: the secret for the browser's cookie, and the signed ticket that comes back with it."""

    cookie: str
    secret: str
    ticket: str


@dataclass(frozen=True)
class Pending:
    """A login that waits for its token."""

    silo_id: int
    state_hash: str
    binding_hash: str
    platform: Platform
    deployments: frozenset[str]


def parse_login(parameters: Mapping[str, str], public_url: str) -> LoginRequest:
    """Read a login initiation; Refused (400) when a part is missing or the target is not the tool."""

    def text(name: str, *, needed: bool = False) -> str:
        value = parameters.get(name, "")
        if needed and not value:
            raise Refused(400, "malformed", f"login: {name} missing")
        if len(value) > 4000 or "\x00" in value:
            raise Refused(400, "malformed", f"login: {name} not usable")
        return value

    asked = LoginRequest(
        issuer=text("iss", needed=True),
        login_hint=text("login_hint", needed=True),
        target_link_uri=text("target_link_uri", needed=True),
        message_hint=text("lti_message_hint"),
        client_id=text("client_id"),
        deployment_id=text("lti_deployment_id"),
    )
    if not is_ours(asked.target_link_uri, public_url):
        raise Refused(400, "malformed", "login: target_link_uri is not this tool")
    return asked


def is_ours(url: str, public_url: str) -> bool:
    """Tell whether an address is one of the tool's."""
    prefix = urlsplit(public_url).path.rstrip("/")
    try:
        path = urlsplit(url).path
    except ValueError:
        return False
    under = path == prefix or path.startswith(prefix + "/")
    return bool(origin(url)) and origin(url) == origin(public_url) and under


def registration(
    candidates: Sequence[Platform], known: Mapping[int, frozenset[str]], asked: LoginRequest
) -> Platform:
    """Choose the registration that a login is for; ``known``: deployments by silo.

    Refused (401) when there is none, (400) when several could be meant.
    """
    if not candidates:
        raise Refused(401, "platform", "login: unknown issuer or client")
    if len(candidates) > 1:
        candidates = [each for each in candidates if asked.deployment_id in known[each.silo_id]]
    if len(candidates) != 1:
        raise Refused(400, "platform", "login: client_id and lti_deployment_id name no single registration")
    return candidates[0]


def start(platform: Platform, asked: LoginRequest, *, secret_key: str, now: datetime) -> Started:
    """Begin a login: nothing is stored before the browser has shown that it keeps cookies."""
    name, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    content = {
        "silo": platform.silo_id,
        "name": name,
        "binding": _hash(secret),
        "until": int((now + LIFETIME).timestamp()),
        "asked": [
            platform.issuer,
            asked.login_hint,
            asked.target_link_uri,
            asked.message_hint,
            platform.client_id,
            asked.deployment_id,
        ],
    }
    body = base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")
    return Started(cookie_name(name), secret, f"{body}.{_sign(body, secret_key)}")


def cookie_name(name: str) -> str:
    """Return the name of the cookie that binds one login to its browser."""
    return COOKIE_PREFIX + name


@dataclass(frozen=True)
class Ticket:
    """A login as it comes back from the check of cookies."""

    silo_id: int
    name: str
    binding_hash: str
    asked: LoginRequest


def read_ticket(text: str, *, secret_key: str, now: datetime) -> Ticket:
    """Read a ticket; Refused when it is not ours (401), or too old (401)."""
    body, _, signature = text.rpartition(".")
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), _sign(body, secret_key).encode()):
        raise Refused(401, "stale", "check: ticket altered")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if content["until"] < now.timestamp():
        raise Refused(401, "stale", "check: ticket expired")
    return Ticket(content["silo"], content["name"], content["binding"], LoginRequest(*content["asked"]))


def _sign(body: str, secret_key: str) -> str:
    return hmac.new(secret_key.encode(), b"login\n" + body.encode("utf-8", "replace"), "sha256").hexdigest()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def kept_by(ticket: Ticket, cookie: str | None) -> bool:
    """Tell whether the browser gave back the secret of this login."""
    return bool(cookie) and hmac.compare_digest(_hash(cookie or ""), ticket.binding_hash)


def authorize(conn: Connection, ticket: Ticket, *, public_url: str, now: datetime) -> str:
    """Store state and nonce, and return the platform's address to go to (OIDC third-party login)."""
    platform = platforms.get(conn, ticket.silo_id, ticket.asked.issuer)
    if platform is None or not platform.active or platform.client_id != ticket.asked.client_id:
        raise Refused(401, "platform", "check: registration gone")
    state, nonce = f"{ticket.silo_id}.{ticket.name}", secrets.token_urlsafe(24)
    values = {
        "nonce_hash": _hash(nonce),
        "binding_hash": ticket.binding_hash,
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "expires_at": now + LIFETIME,
    }
    conn.execute(
        delete(login_state).where(login_state.c.silo_id == ticket.silo_id, login_state.c.expires_at < now)
    )
    sessions.sweep(conn, ticket.silo_id, now)
    stored = database.insert(conn, login_state).values(
        silo_id=ticket.silo_id, state_hash=_hash(state), **values
    )
    # The same check opened twice: the last nonce counts.
    conn.execute(stored.on_conflict_do_update(index_elements=["silo_id", "state_hash"], set_=values))
    parameters = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": f"{public_url}/lti/launch",
        "login_hint": ticket.asked.login_hint,
        "state": state,
        "nonce": nonce,
    }
    if ticket.asked.message_hint:
        parameters["lti_message_hint"] = ticket.asked.message_hint
    separator = "&" if urlsplit(platform.auth_url).query else "?"
    return f"{platform.auth_url}{separator}{urlencode(parameters)}"


def split_state(state: str) -> tuple[int, str]:
    """Return the silo and the name that a state carries; Refused when it is missing (400) or forged (401)."""
    if not state:
        raise Refused(400, "malformed", "launch: state missing")
    silo, _, name = state.partition(".")
    if not (silo.isascii() and silo.isdigit() and 0 < len(silo) < 10 and 20 <= len(name) <= 64):
        raise Refused(401, "stale", "launch: state forged")
    return int(silo), name


#: Made once: a launch is answered in little more time than it takes to build its statements.
_PENDING = (
    select(
        login_state.c.binding_hash,
        login_state.c.expires_at,
        login_state.c.issuer,
        login_state.c.client_id.label("asked_by"),
        *platforms.COLUMNS,
        deployment.c.deployment_id,
    )
    .select_from(
        login_state.outerjoin(
            platform_table,
            (platform_table.c.silo_id == login_state.c.silo_id)
            & (platform_table.c.issuer == login_state.c.issuer),
        ).outerjoin(
            deployment,
            (deployment.c.silo_id == login_state.c.silo_id) & (deployment.c.issuer == login_state.c.issuer),
        )
    )
    .where(login_state.c.silo_id == bindparam("silo"), login_state.c.state_hash == bindparam("state"))
)


_PENDING_NAMES = tuple(_PENDING.selected_columns.keys())


def pending(conn: Connection, silo_id: int, state: str, cookie: str | None, now: datetime) -> Pending:
    """Return the login that a state belongs to, without taking it; Refused (401) if not this browser's."""
    state_hash = _hash(state)
    found = ask(conn, _PENDING, {"silo": silo_id, "state": state_hash})
    rows = [SimpleNamespace(**dict(zip(_PENDING_NAMES, row, strict=True))) for row in found]
    if not rows:
        raise Refused(401, "stale", "launch: state unknown or already used")
    row = rows[0]
    if row.expires_at <= now:
        raise Refused(401, "stale", "launch: state expired")
    if not cookie or not hmac.compare_digest(_hash(cookie), row.binding_hash):
        raise Refused(401, "browser", "launch: login was begun in another browser")
    platform = platforms.from_row(row)
    if platform is None or not platform.active or platform.client_id != row.asked_by:
        raise Refused(401, "platform", "launch: registration gone")
    known = frozenset(each.deployment_id for each in rows if each.deployment_id is not None)
    return Pending(silo_id, state_hash, row.binding_hash, platform, known)


#: Takes a login: state, nonce, browser and platform together. The values are those of ``spending``.
TAKE = (
    delete(login_state)
    .where(
        *(
            login_state.c[name] == bindparam(f"the_{name}")
            for name in ("silo_id", "state_hash", "nonce_hash", "binding_hash", "issuer", "client_id")
        ),
        login_state.c.expires_at > bindparam("the_now"),
    )
    .returning(login_state.c.state_hash)
)


def spending(login: Pending, claims: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what ``TAKE`` needs to take a login; Refused (400) without a nonce.

    Called once the signature has passed.
    """
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise Refused(400, "malformed", "launch: nonce missing")
    return {
        "the_silo_id": login.silo_id,
        "the_state_hash": login.state_hash,
        "the_nonce_hash": _hash(nonce),
        "the_binding_hash": login.binding_hash,
        "the_issuer": login.platform.issuer,
        "the_client_id": login.platform.client_id,
        "the_now": now,
    }


def spend(conn: Connection, spent: Mapping[str, Any]) -> None:
    """Take a login, in one statement: of two that come at once, one wins; the other is Refused (401)."""
    if conn.execute(TAKE, spent).first() is None:
        raise already_spent()


def already_spent() -> Refused:
    """Return the refusal of a login that is not there to be taken."""
    return Refused(401, "stale", "launch: nonce unknown, or already used")
