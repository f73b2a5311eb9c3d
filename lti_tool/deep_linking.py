"""Deep linking: what a tutor places in a course, sent to the platform signed, and met again at each launch.

A link has no address of its own: with one, some platforms (Moodle) match the tool again by it. Its ``custom``
parameters carry the choice. Whoever edits the course may change them: they say what to open, never what may
be seen, which is decided for the object that they name. Source: IMS LTI Deep Linking 2.0 (4.5).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy import Connection, select, update

from lti_tool.tables import launch
from tool_config import platforms

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
#: A response is posted as soon as it is made.
LIFETIME = timedelta(minutes=5)
#: Longest title sent, characters: Moodle cuts longer ones.
MOST_TITLE = 250

#: Custom parameters of a link.
PAGE, SURVEY = "estime_page", "estime_survey"
DASHBOARD, PROGRESS, QUESTIONNAIRE = "dashboard", "progress", "survey"


@dataclass(frozen=True)
class Item:
    """A link to place; ``custom`` is its choice."""

    title: str
    text: str
    custom: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """What a platform asked: where the answer goes, and whether it may hold several links."""

    silo_id: int
    launch_id: str
    issuer: str
    client_id: str
    deployment_id: str
    return_url: str
    multiple: bool
    data: str | None
    #: What was sent already: sent again, it is the same.
    placed: tuple[Item, ...] | None


@dataclass(frozen=True)
class Choice:
    """What a link opens; ``survey_id`` is None unless it names one."""

    page: str
    survey_id: UUID | None = None


def dashboard(title: str, text: str) -> Item:
    return Item(title, text, {PAGE: DASHBOARD})


def progress(title: str, text: str) -> Item:
    return Item(title, text, {PAGE: PROGRESS})


def questionnaire(title: str, text: str, survey_id: str) -> Item:
    return Item(title, text, {PAGE: QUESTIONNAIRE, SURVEY: survey_id})


# --- a launch's own ------------------------------------------------------------------------------------


def asked(conn: Connection, silo_id: int, launch_id: str) -> Request | None:
    """Return what a deep linking launch asks, or None when it opens an activity."""
    columns = (launch.c.issuer, launch.c.client_id, launch.c.deployment_id, launch.c.services)
    row = conn.execute(select(*columns).where(*_same(silo_id, launch_id))).one()
    said = (row.services or {}).get("placing")
    if said is None:
        return None
    placed = said.get("placed")
    return Request(
        silo_id,
        launch_id,
        row.issuer,
        row.client_id,
        row.deployment_id,
        said["return_url"],
        said["multiple"],
        said.get("data"),
        None if placed is None else tuple(Item(**item) for item in placed),
    )


def chosen(conn: Connection, silo_id: int, launch_id: str) -> Choice | None:
    """Return the choice that the launched link carries, or None when it carries none that is known."""
    services = conn.execute(select(launch.c.services).where(*_same(silo_id, launch_id))).scalar_one()
    custom = (services or {}).get("choice") or {}
    page = custom.get(PAGE, "")
    if page in (DASHBOARD, PROGRESS):
        return Choice(page)
    if page != QUESTIONNAIRE:
        return None
    try:
        return Choice(page, UUID(custom.get(SURVEY, "")))
    except ValueError:
        return Choice(page)


def remember(conn: Connection, request: Request, items: Sequence[Item]) -> None:
    """Keep what is sent with the launch: a second sending makes nothing new."""
    where = _same(request.silo_id, request.launch_id)
    services = dict(conn.execute(select(launch.c.services).where(*where)).scalar_one())
    services["placing"] = {**services["placing"], "placed": [asdict(item) for item in items]}
    conn.execute(update(launch).where(*where).values(services=services))


def lock(conn: Connection, silo_id: int, launch_id: str) -> None:
    """Let two sendings of one launch take turns."""
    wanted = select(launch.c.launch_id).where(*_same(silo_id, launch_id))
    conn.execute(wanted.with_for_update()).one()


def _same(silo_id: int, launch_id: str) -> tuple[Any, Any]:
    return launch.c.silo_id == silo_id, launch.c.launch_id == launch_id


# --- the answer ----------------------------------------------------------------------------------------


def respond(
    conn: Connection,
    request: Request,
    items: Sequence[Item],
    *,
    secret_key: str,
    public_url: str,
    now: datetime,
) -> str:
    """Return the signed response (JWT) to a request; without items, the platform places nothing.

    Raises PlatformError when the silo has no key to sign with.
    """
    kid, pem = platforms.private_key(conn, request.silo_id, secret_key, now)
    claims: dict[str, Any] = {
        "iss": request.client_id,
        "aud": [request.issuer],
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "nonce": secrets.token_urlsafe(24),
        f"{_LTI}version": "1.3.0",
        f"{_LTI}message_type": "LtiDeepLinkingResponse",
        f"{_LTI}deployment_id": request.deployment_id,
        f"{_DL}content_items": [_content(item, public_url) for item in items],
    }
    if request.data is not None:
        claims[f"{_DL}data"] = request.data
    return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": kid})


def _content(item: Item, public_url: str) -> dict[str, Any]:
    return {
        "type": "ltiResourceLink",
        "title": item.title[:MOST_TITLE],
        "text": item.text,
        "icon": {"url": f"{public_url}/lti/icon.png", "width": 128, "height": 128},
        "custom": dict(item.custom),
    }
