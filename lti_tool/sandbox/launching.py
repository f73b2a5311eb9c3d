"""Launches and content selection, as Moodle's mod/lti does them: launch.php, auth.php, contentitem.php…"""

from __future__ import annotations

import json
import secrets
import threading
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.sandbox.campus import Campus, Pending, refuse
from lti_tool.sandbox.claims import id_token, placing_token
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session
from lti_tool.sandbox.tools import Link, Tool

_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_MESSAGE = "https://purl.imsglobal.org/spec/lti/claim/message_type"


def blueprint(campus: Campus) -> Blueprint:
    """Return what is under /mod/lti of each site for launches and content."""
    lti = Blueprint("lti", __name__)
    _launches(lti, campus)
    _contents(lti, campus)
    return lti


def _launches(lti: Blueprint, campus: Campus) -> None:
    @lti.get("/launch.php")
    def launch(site: str) -> str:
        """Announce a launch to the tool: an auto-posted form, as Moodle's login initiation."""
        link = campus.link(site, request.args.get("id", type=int) or 0)
        session = campus.session(site, link.course_id)
        person = campus.member(session, request.args.get("as", "2"))
        tool = _active(campus, site, link.type_id)
        window = "window" if request.args.get("window") == "window" else "iframe"
        launch_id = campus.launches.announce(Pending(person, session, tool, link, window))
        hint = {"cmid": link.cmid, "launchid": launch_id}
        return _initiate(session, person, tool, tool.launch_url, hint)

    @lti.route("/auth.php", methods=["GET", "POST"])
    def auth(site: str) -> str:
        """Answer an authentication request: an id_token, or `error` and `state`, posted to the tool."""
        asked = request.values
        campus.site(site)
        tool, target = campus.registry.client(site, asked.get("client_id", "")), asked.get("redirect_uri", "")
        if tool is None or target not in tool.redirect_uris:
            refuse("La demande ne vient pas de l’outil inscrit dans ce site.")
        pending = campus.launches.take(_launch_id(asked.get("lti_message_hint", "")))
        if pending is None or pending.tool.client_id != tool.client_id or pending.session.site.key != site:
            refuse(
                "Cette demande d’ouverture a déjà servi. "
                "Revenez à la page du parcours, puis ouvrez l’outil de nouveau."
            )
        fault = _fault(asked, pending)
        if fault:
            fields = {"error": fault[0], "error_description": fault[1], "state": asked.get("state", "")}
            return render_template("sandbox/post.html", action=target, fields=fields)
        fields = {
            "id_token": campus.key.sign(_claims(campus, pending, asked["nonce"])),
            "state": asked.get("state", ""),
        }
        return render_template("sandbox/post.html", action=target, fields=fields)

    @lti.get("/certs.php")
    def certs(site: str) -> Response:
        campus.site(site)
        return jsonify(campus.key.jwks())

    @lti.get("/return.php")
    def back(site: str) -> AnyResponse:
        return redirect(f"/{campus.site(site).key}/course/view.php?id={request.args.get('course', type=int)}")


def _active(campus: Campus, site: str, type_id: str) -> Tool:
    tool = campus.registry.tool(site, type_id)
    if tool is None or tool.state != "active":
        refuse("Cet outil n’est pas activé : l’administration du site doit d’abord l’accepter.")
    return tool


def _initiate(session: Session, person: Person, tool: Tool, target: str, hint: dict[str, Any]) -> str:
    fields = {
        "iss": session.site.issuer,
        "target_link_uri": target,
        "login_hint": person.user_id,
        "lti_message_hint": json.dumps(hint, separators=(",", ":")),
        "client_id": tool.client_id,
        "lti_deployment_id": tool.type_id,
    }
    return render_template("sandbox/post.html", action=tool.login_url, fields=fields)


def _claims(campus: Campus, pending: Pending, nonce: str) -> dict[str, Any]:
    person, session, tool, now = pending.person, pending.session, pending.tool, campus.clock()
    if pending.link is not None:
        return id_token(person, session, tool, pending.link, nonce=nonce, window=pending.window, now=now)
    # Under the name by which the sandbox is looked at: forms of the tool come back to the frame's own site.
    back = f"{session.site.issuer}/mod/lti/contentitem_return.php"
    query = f"course={session.course_id}&id={tool.type_id}&as={person.user_id}&sesskey={secrets.token_hex(5)}"
    return placing_token(person, session, tool, nonce=nonce, return_url=f"{back}?{query}", now=now)


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


# --- content selection ---------------------------------------------------------------------------------


def _contents(lti: Blueprint, campus: Campus) -> None:
    drafts: dict[str, list[Link]] = {}
    lock = threading.Lock()

    @lti.get("/modedit.php")
    def add(site: str) -> str:
        """Show the form that adds an activity of a tool: its content is chosen in a frame."""
        session, person = _editor(campus, site)
        tool = _active(campus, site, request.args.get("type", ""))
        return render_template(
            "sandbox/modedit.html", session=session, site=session.site, person=person, tool=tool
        )

    @lti.get("/contentitem.php")
    def choose(site: str) -> str:
        """Ask the tool what is to be placed: login initiation towards its content selection."""
        session, person = _editor(campus, site)
        tool = _active(campus, site, request.args.get("id", ""))
        launch_id = campus.launches.announce(Pending(person, session, tool, None, "iframe"))
        hint = {"courseid": session.course_id, "launchid": launch_id}
        return _initiate(session, person, tool, tool.placing_url, hint)

    @lti.post("/contentitem_return.php")
    def returned(site: str) -> str:
        """Take the tool's choice, and hand it to the form that asked for it."""
        session, _ = _editor(campus, site)
        tool = _active(campus, site, request.args.get("id", ""))
        claims = campus.said_by(tool, request.form.get("JWT", ""), session.site.issuer)
        if claims is None or claims.get(_MESSAGE) != "LtiDeepLinkingResponse":
            refuse("La réponse de l’outil n’a pas pu être vérifiée.")
        links = _links(session, tool, claims.get(f"{_DL}content_items"))
        draft = secrets.token_urlsafe(8)
        with lock:
            drafts[draft] = links
        return render_template(
            "sandbox/chosen.html",
            draft=draft,
            titles=[link.title for link in links],
            message=claims.get(f"{_DL}errormsg") or claims.get(f"{_DL}msg") or "",
        )

    @lti.post("/modedit.php")
    def save(site: str) -> AnyResponse:
        """Add what was chosen, once."""
        session, person = _editor(campus, site)
        with lock:
            links = drafts.pop(request.form.get("draft", ""), None)
        if links is None:
            refuse("Ce choix a déjà été enregistré.")
        for link in links:
            campus.registry.add_link(link)
        return redirect(f"/{site}/course/view.php?id={session.course_id}&as={person.user_id}", 303)


def _editor(campus: Campus, site: str) -> tuple[Session, Person]:
    """Return the session and who edits it; a trainee may not."""
    session = campus.session(site, request.values.get("course", type=int) or 0)
    person = campus.member(session, request.values.get("as", "2"))
    if person.role == "trainee":
        refuse("Seules les personnes qui gèrent le parcours y ajoutent des activités.", 403)
    return session, person


def _links(session: Session, tool: Tool, items: Any) -> list[Link]:
    """Return the activities of a choice: links only; one with an address is matched to a tool by it."""
    made = []
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict) or item.get("type") != "ltiResourceLink":
            continue
        custom = item.get("custom")
        made.append(
            Link(
                site=session.site.key,
                course_id=session.course_id,
                cmid=0,
                link_id=0,
                type_id="0" if item.get("url") else tool.type_id,
                title=str(item.get("title") or tool.name),
                text=str(item.get("text") or ""),
                icon=str((item.get("icon") or {}).get("url") or ""),
                custom={str(k): str(v) for k, v in custom.items()} if isinstance(custom, dict) else {},
            )
        )
    return made
