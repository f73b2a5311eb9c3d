"""What the sandbox knows: its sites, sessions and people, the tools of its sites, launches under way."""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import httpx
import jwt
from flask import abort, g

from lti_tool.sandbox import programme
from lti_tool.sandbox.claims import SigningKey
from lti_tool.sandbox.people import Person, newcomers, population
from lti_tool.sandbox.programme import Session, Site
from lti_tool.sandbox.tools import GRADES, NRPS, SEEDED_PARAMETERS, Link, Registry, Tool

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Pending:
    """A launch announced to the tool and not yet asked for: usable once. Without link: content is chosen."""

    person: Person
    session: Session
    tool: Tool
    link: Link | None
    window: str


class Launches:
    """Launches under way, by the id that stands in lti_message_hint; each is taken once."""

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._lock = threading.Lock()

    def announce(self, pending: Pending) -> str:
        launch_id = f"ltilaunch{pending.session.course_id}_{secrets.randbelow(10**9)}"
        with self._lock:
            self._pending[launch_id] = pending
            while len(self._pending) > self._most:
                self._pending.popitem(last=False)
        return launch_id

    def take(self, launch_id: str) -> Pending | None:
        with self._lock:
            return self._pending.pop(launch_id, None)


def fetch(url: str) -> bytes:
    """Return what is at an address."""
    return httpx.get(url, timeout=5).raise_for_status().content


def today(now: datetime) -> date:
    """Return the day of an instant where the sandbox is."""
    return now.astimezone(ZoneInfo("Europe/Paris")).date()


class Campus:
    """The sandbox as a whole; `folder` keeps the tools of its sites, `fetch` reads tools' keys."""

    def __init__(
        self,
        origin: str,
        tool_url: str,
        clock: Callable[[], datetime],
        *,
        folder: Path | None = None,
        fetch: Fetch = fetch,
    ) -> None:
        self.origin = origin
        self.tool_url = tool_url
        self.clock = clock
        self.fetch = fetch
        self.key = SigningKey()
        self.launches = Launches()
        #: The day from which everything is dated: that of the start, also after midnight.
        self.today: date = today(clock())
        new = programme.new_site(origin)
        self.sites = (*programme.sites(origin), new)
        self.sessions = (*programme.sessions(origin, self.today), programme.new_session(new, self.today))
        self.people = (*population(self.sessions[:-1]), *newcomers(self.sessions[-1]))
        self.registry = Registry(folder / "campus.json" if folder else None)
        if not self.registry.tools:
            for site in self.sites:
                if site.connected:
                    self._install(site)

    def _install(self, site: Site) -> None:
        """Give a site the tool that it has from the start, and an activity in each of its sessions."""
        launch = f"{self.tool_url}/lti/launch"
        tool = self.registry.add_tool(
            Tool(
                site=site.key,
                type_id=site.deployment_id,
                client_id=site.client_id,
                name="Estime",
                login_url=f"{self.tool_url}/lti/login",
                launch_url=launch,
                placing_url=launch,
                redirect_uris=(launch,),
                jwks_url=f"{self.tool_url}/lti/jwks.json",
                icon=f"{self.tool_url}/lti/icon.png",
                scopes=(NRPS, *GRADES),
                emails=True,
                parameters=SEEDED_PARAMETERS,
            )
        )
        for session in self.sessions:
            if session.site == site:
                self.registry.links.append(
                    Link(
                        site=site.key,
                        course_id=session.course_id,
                        cmid=session.tool.cmid,
                        link_id=session.course_id * 10 + 1,
                        type_id=tool.type_id,
                        title=session.tool.title,
                        text="Ce que disent les traces de la session",
                    )
                )

    def site(self, key: str) -> Site:
        return next((site for site in self.sites if site.key == key), None) or abort(404)

    def session(self, site: str, course_id: int) -> Session:
        found = (s for s in self.sessions if s.site.key == site and s.course_id == course_id)
        return next(found, None) or abort(404)

    def link(self, site: str, cmid: int) -> Link:
        return self.registry.link(site, cmid) or abort(404)

    def members(self, session: Session) -> list[Person]:
        return [p for p in self.people if p.site == session.site.key and session.course_id in p.courses]

    def member(self, session: Session, user_id: str) -> Person:
        found = (p for p in self.members(session) if p.user_id == user_id)
        return next(found, None) or abort(404)

    def administrator(self, site: str, user_id: str) -> Person:
        """Return an administrator of a site; its tools are nobody else's business (403)."""
        self.site(site)
        found = (p for p in self.people if (p.site, p.user_id, p.role) == (site, user_id, "admin"))
        return next(found, None) or refuse("Cette page est réservée à l’administration du site.", 403)

    def said_by(self, tool: Tool, token: str, audience: str) -> dict[str, Any] | None:
        """Return the claims of a token that the tool signed for this platform, or None."""
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
            keys = jwt.PyJWKSet.from_dict(json.loads(self.fetch(tool.jwks_url)))
            claims: dict[str, Any] = jwt.decode(
                token,
                keys[kid],
                algorithms=["RS256"],
                audience=audience,
                issuer=tool.client_id,
                options={"require": ["exp", "iat"], "verify_iat": False, "verify_exp": False},
            )
        except (jwt.PyJWTError, httpx.HTTPError, KeyError, ValueError):
            return None
        return claims if claims["exp"] > self.clock().timestamp() else None


def refuse(why: str, status: int = 400) -> NoReturn:
    """End the request with a page that says why."""
    g.why = why
    abort(status)
