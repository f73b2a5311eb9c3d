"""The sandbox: a small LTI 1.3 platform that looks and behaves like a Moodle (mod/lti), for the demo only.

Nobody logs in: the address says as whom one looks (`as`). The launch itself is the real one: login
initiation by an auto-posted form, authentication endpoint, form_post of an RS256 id_token, key set.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, abort, g, jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.sandbox import programme
from lti_tool.sandbox.claims import SigningKey, id_token
from lti_tool.sandbox.people import Person, population
from lti_tool.sandbox.programme import Session, Site

_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_TYPE_NAMES = {
    "page": "Page",
    "url": "Vidéo",
    "scorm": "Contenu interactif",
    "quiz": "Test",
    "forum": "Forum",
    "assign": "Devoir",
    "feedback": "Avis",
    "lti": "Outil externe",
}


@dataclass(frozen=True)
class Pending:
    """A launch announced to the tool and not yet asked for: usable once."""

    person: Person
    session: Session
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


class Campus:
    """What the sandbox knows: its origin, the tool's address, people, signing key, launches under way."""

    def __init__(self, origin: str, tool_url: str, clock: Callable[[], datetime]) -> None:
        self.origin = origin
        self.tool_url = tool_url
        self.clock = clock
        self.key = SigningKey()
        self.launches = Launches()
        #: The day from which everything is dated: that of the start, also after midnight.
        self.today: date = clock().astimezone(ZoneInfo("Europe/Paris")).date()
        self.sites = programme.sites(origin)
        self.sessions = programme.sessions(origin, self.today)
        self.people = population(self.sessions)

    def site(self, key: str) -> Site:
        return next((site for site in self.sites if site.key == key), None) or abort(404)

    def session(self, site: str, course_id: int) -> Session:
        found = (s for s in self.sessions if s.site.key == site and s.course_id == course_id)
        return next(found, None) or abort(404)

    def session_of_activity(self, site: str, cmid: int) -> Session:
        found = (s for s in self.sessions if s.site.key == site and s.tool.cmid == cmid)
        return next(found, None) or abort(404)

    def members(self, session: Session) -> list[Person]:
        return [p for p in self.people if p.site == session.site.key and session.course_id in p.courses]

    def member(self, session: Session, user_id: str) -> Person:
        found = (p for p in self.members(session) if p.user_id == user_id)
        return next(found, None) or abort(404)


def create_platform(campus: Campus) -> Flask:
    """Return the Flask application of the sandbox; it opens no database and no connection."""
    app = Flask("lti_tool.sandbox", static_url_path="/campus")
    app.extensions["campus"] = campus
    app.jinja_env.filters["day"] = _day
    app.jinja_env.globals.update(type_names=_TYPE_NAMES)
    app.register_blueprint(_pages(campus))
    app.register_blueprint(_lti(campus), url_prefix="/<site>/mod/lti")
    app.register_error_handler(HTTPException, _refused)
    app.after_request(_headers)
    return app


def _day(day: date) -> str:
    number = "1ᵉʳ" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"


def _refused(error: HTTPException) -> tuple[str, int]:
    text = getattr(g, "why", None) or {
        404: "Cette page n’existe pas dans le bac à sable.",
        405: "Cette adresse ne s’ouvre pas ainsi.",
    }.get(error.code or 500, "La demande n’a pas pu être lue.")
    return render_template("sandbox/error.html", text=text), error.code or 500


def _headers(response: AnyResponse) -> AnyResponse:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer-when-downgrade")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _pages(campus: Campus) -> Blueprint:
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def home() -> str:
        rows = [(session, campus.members(session)) for session in campus.sessions]
        return render_template("sandbox/home.html", rows=rows, sites=campus.sites, today=campus.today)

    @pages.get("/<site>/course/view.php")
    def course(site: str) -> str:
        session = campus.session(site, request.args.get("id", type=int) or 0)
        person = campus.member(session, request.args.get("as", "2"))
        return _framed(campus, "sandbox/course.html", session, person)

    @pages.get("/<site>/mod/lti/view.php")
    def activity(site: str) -> AnyResponse | str:
        session = campus.session_of_activity(site, request.args.get("id", type=int) or 0)
        person = campus.member(session, request.args.get("as", "2"))
        if "Mobi" in request.headers.get("User-Agent", ""):  # Moodle gives telephones the full window
            return redirect(f"launch.php?id={session.tool.cmid}&as={person.user_id}&window=window")
        return _framed(campus, "sandbox/activity.html", session, person)

    @pages.get("/<site>/mod/<kind>/view.php")
    def other_activity(site: str, kind: str) -> str:
        cmid = request.args.get("id", type=int) or 0
        session = campus.session(site, cmid // 100)
        person = campus.member(session, request.args.get("as", "2"))
        found = (a for m in session.modules for a in m.activities if a.cmid == cmid and a.kind == kind)
        return _framed(
            campus, "sandbox/other.html", session, person, activity=next(found, None) or abort(404)
        )

    return pages


def _framed(campus: Campus, template: str, session: Session, person: Person, **more: Any) -> str:
    week, weeks = session.week(campus.today)
    return render_template(
        template,
        session=session,
        person=person,
        members=campus.members(session),
        site=session.site,
        today=campus.today,
        week=week,
        weeks=weeks,
        **more,
    )


def _lti(campus: Campus) -> Blueprint:
    lti = Blueprint("lti", __name__)
    target = f"{campus.tool_url}/lti/launch"

    @lti.get("/launch.php")
    def launch(site: str) -> str:
        """Announce a launch to the tool: an auto-posted form, as Moodle's login initiation."""
        session = campus.session_of_activity(site, request.args.get("id", type=int) or 0)
        person = campus.member(session, request.args.get("as", "2"))
        window = "window" if request.args.get("window") == "window" else "iframe"
        launch_id = campus.launches.announce(Pending(person, session, window))
        hint = {"cmid": session.tool.cmid, "launchid": launch_id}
        fields = {
            "iss": session.site.issuer,
            "target_link_uri": target,
            "login_hint": person.user_id,
            "lti_message_hint": json.dumps(hint, separators=(",", ":")),
            "client_id": session.site.client_id,
            "lti_deployment_id": session.site.deployment_id,
        }
        return render_template("sandbox/post.html", action=f"{campus.tool_url}/lti/login", fields=fields)

    @lti.route("/auth.php", methods=["GET", "POST"])
    def auth(site: str) -> str:
        """Answer an authentication request: an id_token, or `error` and `state`, posted to the tool."""
        asked = request.values
        if campus.site(site).client_id != asked.get("client_id") or asked.get("redirect_uri") != target:
            _refuse("La demande ne vient pas de l’outil inscrit dans ce site.")
        pending = campus.launches.take(_launch_id(asked.get("lti_message_hint", "")))
        if pending is None or pending.session.site.key != site:
            _refuse(
                "Cette demande d’ouverture a déjà servi. "
                "Revenez à la page du parcours, puis ouvrez l’outil de nouveau."
            )
        fault = _fault(asked, pending)
        if fault:
            fields = {"error": fault[0], "error_description": fault[1], "state": asked.get("state", "")}
            return render_template("sandbox/post.html", action=target, fields=fields)
        claims = id_token(
            pending.person,
            pending.session,
            nonce=asked["nonce"],
            target=target,
            window=pending.window,
            now=campus.clock(),
        )
        fields = {"id_token": campus.key.sign(claims), "state": asked.get("state", "")}
        return render_template("sandbox/post.html", action=target, fields=fields)

    @lti.get("/certs.php")
    def certs(site: str) -> Response:
        campus.site(site)
        return jsonify(campus.key.jwks())

    @lti.get("/return.php")
    def back(site: str) -> AnyResponse:
        return redirect(f"/{campus.site(site).key}/course/view.php?id={request.args.get('course', type=int)}")

    return lti


def _refuse(why: str) -> NoReturn:
    g.why = why
    abort(400)


def _launch_id(hint: str) -> str:
    try:
        found = json.loads(hint)
    except ValueError:
        return ""
    return str(found.get("launchid", "")) if isinstance(found, dict) else ""


def _fault(asked: Any, pending: Pending) -> tuple[str, str] | None:
    """Return the OIDC error of an authentication request, or None (OpenID Connect Core, 3.1.2.6)."""
    if not asked.get("nonce"):
        return "invalid_request", "No nonce"
    if asked.get("scope") != "openid":
        return "invalid_scope", "Only openid is known"
    if asked.get("response_type") != "id_token":
        return "unsupported_response_type", "Only id_token is known"
    if asked.get("response_mode") != "form_post":
        return "invalid_request", "Invalid response_mode"
    if asked.get("prompt") != "none":
        return "invalid_request", "Invalid prompt"
    if asked.get("login_hint") != pending.person.user_id:
        return "access_denied", "Another user is logged in"
    return None
