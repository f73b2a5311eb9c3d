"""The sandbox: a small LTI 1.3 platform that looks and behaves like a Moodle (mod/lti), for the demo only.

Nobody logs in: the address says as whom one looks (`as`). What passes between platform and tool is the real
thing: registration (`registering`), launches and content selection (`launching`), services (`services`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Flask, abort, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.sandbox import launching, registering, services
from lti_tool.sandbox.campus import Campus
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session

__all__ = ["Campus", "create_platform"]

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


def create_platform(campus: Campus) -> Flask:
    """Return the Flask application of the sandbox; it opens no database and no connection."""
    app = Flask("lti_tool.sandbox", static_url_path="/campus")
    app.extensions["campus"] = campus
    app.jinja_env.filters["day"] = _day
    app.jinja_env.globals.update(type_names=_TYPE_NAMES)
    app.register_blueprint(_pages(campus))
    for room in (launching, registering, services):
        app.register_blueprint(room.blueprint(campus), url_prefix="/<site>/mod/lti")
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
        link = campus.link(site, request.args.get("id", type=int) or 0)
        session = campus.session(site, link.course_id)
        person = campus.member(session, request.args.get("as", "2"))
        if "Mobi" in request.headers.get("User-Agent", ""):  # Moodle gives telephones the full window
            return redirect(f"launch.php?id={link.cmid}&as={person.user_id}&window=window")
        return _framed(campus, "sandbox/activity.html", session, person, link=link)

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
    links = campus.registry.of_course(session.site.key, session.course_id)
    return render_template(
        template,
        session=session,
        person=person,
        members=campus.members(session),
        site=session.site,
        today=campus.today,
        week=week,
        weeks=weeks,
        links=links,
        entry=links[0] if links else None,
        tools=[t for t in campus.registry.tools if (t.site, t.state) == (session.site.key, "active")],
        **more,
    )
