"""A course's roster as its platform gives it (LTI Names and Role Provisioning Services 2.0)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from lti_tool.launch import clean
from lti_tool.services.client import ROSTER, Client, ServiceError, read_json
from tool_config import roles
from tool_config.families import family
from tool_config.platforms import Platform

MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

#: Members asked for on each page, and what a platform may make the tool read.
PAGE = 500
MOST_PAGES = 400
MOST_MEMBERS = 50_000
_MOST_BYTES = 8_000_000

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\"?\s*(?:[;,]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Member:
    """Somebody of the roster. ``role``: trainee, tutor, admin or "" (no right here); texts are cleaned."""

    sub: str
    role: str
    active: bool
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    username: str | None = None


@dataclass(frozen=True)
class Roster:
    """All the pages of a roster. ``whole``: every entry was understood, so that who is missing has left."""

    members: tuple[Member, ...]
    pages: int
    whole: bool


def fetch(client: Client, url: str, context_id: str, progress: Callable[[int], None]) -> Roster:
    """Read a course's roster to its last page; ServiceError when one page fails, and none is then believed.

    ``progress`` is told the members read so far.
    """
    found: dict[str, Member] = {}
    whole, pages, seen = True, 0, set[str]()
    here: str | None = _with_limit(url)
    while here is not None:
        if here in seen or pages >= MOST_PAGES or len(found) > MOST_MEMBERS:
            raise ServiceError("nonsense", "pages without end")
        seen.add(here)
        answer = client.ask("GET", here, scopes=[ROSTER], accept=MEDIA_TYPE, most_bytes=_MOST_BYTES)
        listed = _members(read_json(answer, Mapping), context_id)
        for entry in listed:
            member = read_member(entry, client.platform)
            whole = whole and member is not None
            if member is not None:
                found[member.sub] = member
        pages += 1
        progress(len(found))
        # Moodle announces another page after a last one that is just full: it is empty.
        here = next_page(answer.headers.get("link", ""), here) if listed else None
    return Roster(tuple(found.values()), pages, whole)


def _with_limit(url: str) -> str:
    """Ask for pages of a size that neither side minds; a limit that the address holds already is kept."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "limit" for name, _ in asked):
        return url
    return urlunsplit(parts._replace(query=urlencode([*asked, ("limit", str(PAGE))])))


def next_page(link: str, here: str) -> str | None:
    """Return the address of the next page that a Link header names (RFC 8288), or None."""
    for address, parameters in _LINK.findall(link):
        if _NEXT.search(parameters):
            return urljoin(here, html.unescape(address))
    return None


def _members(content: Mapping[str, Any], context_id: str) -> list[Any]:
    context, members = content.get("context"), content.get("members")
    if not isinstance(context, Mapping) or context.get("id") != context_id:
        raise ServiceError("nonsense", "roster of another course")
    if not isinstance(members, list):
        raise ServiceError("nonsense", "members missing")
    return members


def read_member(entry: Any, platform: Platform) -> Member | None:
    """Return one entry of a roster, or None when it does not say whom it is about."""
    if not isinstance(entry, Mapping):
        return None
    sub, said = entry.get("user_id"), entry.get("roles")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or not sub.isprintable() or sub != sub.strip():
        return None
    if not isinstance(said, list) or not all(isinstance(item, str) for item in said):
        return None
    email = clean(entry.get("email"), 255)
    return Member(
        sub=sub,
        role=roles.role(_uris(said), platform.role_map),
        active=str(entry.get("status") or "Active").lower() == "active",
        name=clean(entry.get("name")),
        given_name=clean(entry.get("given_name")),
        family_name=clean(entry.get("family_name")),
        email=email if email and email.isascii() and email.count("@") == 1 and " " not in email else None,
        username=clean(entry.get(family(platform.family).member_username or "")),
    )


def _uris(said: Iterable[str]) -> list[str]:
    """Return roles as URIs: a roster may give those of the course by their short names (NRPS 2.0, 2.2)."""
    return [item if ":" in item else f"{_MEMBERSHIP}{item}" for item in said]
