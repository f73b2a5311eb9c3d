"""Memberships and grade columns of the sandbox, answered as Moodle answers (token.php, services.php).

Tokens, columns and marks are in memory: the sandbox forgets them when it stops.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from flask import Blueprint, Response, jsonify, make_response, request

from lti_tool.sandbox.campus import Campus
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session
from lti_tool.sandbox.tools import GRADES, NRPS, Tool

_MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_COLUMN = "application/vnd.ims.lis.v2.lineitem+json"
_COLUMNS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_SCORE = "application/vnd.ims.lis.v1.score+json"
_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_LIFETIME = timedelta(hours=1)
_LINE_ITEM, _LINE_ITEM_READ, _RESULT_READ, _SCORE_WRITE = GRADES


@dataclass
class Column:
    """A column of marks that a tool made; ``marks`` by person, each with its instant."""

    site: str
    course_id: int
    type_id: str
    said: dict[str, Any]
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Office:
    """Tokens given and columns made."""

    tokens: dict[str, tuple[Tool, frozenset[str], datetime]] = field(default_factory=dict)
    columns: dict[int, Column] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _No(Exception):  # noqa: N818
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def blueprint(campus: Campus) -> Blueprint:
    """Return what is under /mod/lti of each site for services."""
    rooms, office = Blueprint("services", __name__), Office()
    rooms.register_error_handler(_No, _refuse)
    _tokens(rooms, campus, office)
    _memberships(rooms, campus, office)
    _grades(rooms, campus, office)
    return rooms


def _refuse(error: _No) -> Response:
    asked = {"method": request.method, "url": request.path, "accept": request.headers.get("Accept", "")}
    return make_response(jsonify(status=error.status, reason=error.reason, request=asked), error.status)


def _tokens(rooms: Blueprint, campus: Campus, office: Office) -> None:
    @rooms.post("/token.php")
    def token(site: str) -> Response:
        """Give a token for the scopes granted, against an assertion that the tool signed (RFC 7523)."""
        issuer, form = campus.site(site).issuer, request.form
        tool = campus.registry.client(site, _issuer_of(form.get("client_assertion", "")))
        said = tool and campus.said_by(tool, form["client_assertion"], f"{issuer}/mod/lti/token.php")
        if form.get("grant_type") != "client_credentials" or not tool or not said:
            return make_response(jsonify(error="invalid_client"), 400)
        granted = [scope for scope in form.get("scope", "").split() if scope in tool.scopes]
        if not granted:
            return make_response(jsonify(error="invalid_scope"), 400)
        made = secrets.token_hex(16)
        with office.lock:
            office.tokens[made] = (tool, frozenset(granted), campus.clock() + _LIFETIME)
        return jsonify(
            access_token=made,
            token_type="Bearer",  # noqa: S106  (a kind, no secret)
            expires_in=int(_LIFETIME.total_seconds()),
            scope=" ".join(granted),
        )


def _issuer_of(assertion: str) -> str:
    try:
        return str(jwt.decode(assertion, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        return ""


def _authorized(campus: Campus, office: Office, site: str, *scopes: str) -> Tool:
    """Return the tool that asks, if its token allows one of the scopes."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    tool, granted, until = office.tokens.get(given, (None, frozenset[str](), campus.clock()))
    if tool is None or tool.site != site or until <= campus.clock() or not granted.intersection(scopes):
        raise _No(401, "Unauthorized")
    return tool


def _accepts(kind: str) -> None:
    asked = request.headers.get("Accept", "*/*")
    if kind not in asked and "*/*" not in asked:
        raise _No(400, f"No handler found for {request.path} {asked} ")


def _said(kind: str, content: Any, status: int = 200) -> Response:
    response = make_response(jsonify(content), status)
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    return response


# --- memberships ---------------------------------------------------------------------------------------


def _memberships(rooms: Blueprint, campus: Campus, office: Office) -> None:
    @rooms.get("/services.php/CourseSection/<int:course_id>/bindings/<type_id>/memberships")
    def members(site: str, course_id: int, type_id: str) -> Response:
        tool = _authorized(campus, office, site, NRPS)
        _accepts(_MEMBERS)
        session = campus.session(site, course_id)
        here = f"{session.site.issuer}/mod/lti/services.php/CourseSection/{course_id}/bindings/{type_id}"
        # Administrators open any course and are enrolled in none.
        people = [p for p in campus.members(session) if p.role != "admin"]
        role = request.args.get("role", "").rpartition("#")[2]
        people = [p for p in people if not role or _role(p) == role]
        start, limit = request.args.get("from", 0, type=int), request.args.get("limit", 0, type=int)
        shown = people[start : start + limit] if limit else people[start:]
        response = _said(
            _MEMBERS,
            {
                "id": f"{here}/memberships",
                "context": _context(session),
                "members": [_member(person, tool) for person in shown],
            },
        )
        if limit and start + limit < len(people):
            response.headers["Link"] = f'<{here}/memberships?limit={limit}&from={start + limit}>; rel="next"'
        return response


def _context(session: Session) -> dict[str, str]:
    return {"id": str(session.course_id), "label": session.short_name, "title": session.title}


def _role(person: Person) -> str:
    return "Instructor" if person.role == "tutor" else "Learner"


def _member(person: Person, tool: Tool) -> dict[str, Any]:
    said: dict[str, Any] = {
        "status": "Active",
        "roles": [_role(person)],
        "user_id": person.user_id,
        "lis_person_sourcedid": f"ID-{person.username}",
    }
    if tool.names:
        said |= {"name": person.name, "given_name": person.given_name, "family_name": person.family_name}
    if tool.emails:
        said["email"] = person.email
    return said | {"ext_user_username": person.username}


# --- grades --------------------------------------------------------------------------------------------


def _grades(rooms: Blueprint, campus: Campus, office: Office) -> None:
    def columns_of(site: str, course_id: int, tool: Tool) -> dict[int, Column]:
        key = (site, course_id, tool.type_id)
        return {n: c for n, c in office.columns.items() if (c.site, c.course_id, c.type_id) == key}

    def find(site: str, course_id: int, number: int, tool: Tool) -> Column:
        found = columns_of(site, course_id, tool).get(number)
        if found is None:
            raise _No(404, "Not found")
        return found

    def address(site: str, course_id: int, number: int, tool: Tool) -> str:
        base = f"{campus.site(site).issuer}/mod/lti/services.php/{course_id}/lineitems"
        return f"{base}/{number}/lineitem?type_id={tool.type_id}"

    @rooms.route("/services.php/<int:course_id>/lineitems", methods=["GET", "POST"])
    def line_items(site: str, course_id: int) -> Response:
        if request.method == "POST":
            tool = _authorized(campus, office, site, _LINE_ITEM)
            said = _body(_COLUMN)
            with office.lock:
                number = max(office.columns, default=1) + 1
                office.columns[number] = Column(site, course_id, tool.type_id, dict(said))
            return _said(_COLUMN, {**said, "id": address(site, course_id, number, tool)}, 201)
        tool = _authorized(campus, office, site, _LINE_ITEM, _LINE_ITEM_READ)
        _accepts(_COLUMNS)
        filters = {
            name: request.args[arg]
            for arg, name in (
                ("resource_id", "resourceId"),
                ("tag", "tag"),
                ("resource_link_id", "resourceLinkId"),
            )
            if arg in request.args
        }
        found = [
            {**column.said, "id": address(site, course_id, number, tool)}
            for number, column in columns_of(site, course_id, tool).items()
            if all(column.said.get(name) == value for name, value in filters.items())
        ]
        return _said(_COLUMNS, found)

    @rooms.route(
        "/services.php/<int:course_id>/lineitems/<int:number>/lineitem", methods=["GET", "PUT", "DELETE"]
    )
    def line_item(site: str, course_id: int, number: int) -> Response:
        reads = (_LINE_ITEM, _LINE_ITEM_READ) if request.method == "GET" else (_LINE_ITEM,)
        tool = _authorized(campus, office, site, *reads)
        column = find(site, course_id, number, tool)
        if request.method == "DELETE":
            del office.columns[number]
            return make_response("", 204)
        if request.method == "PUT":
            column.said = dict(_body(_COLUMN))
        return _said(_COLUMN, {**column.said, "id": address(site, course_id, number, tool)})

    @rooms.post("/services.php/<int:course_id>/lineitems/<int:number>/lineitem/scores")
    def score(site: str, course_id: int, number: int) -> Response:
        tool = _authorized(campus, office, site, _SCORE_WRITE)
        column, mark = find(site, course_id, number, tool), _body(_SCORE)
        people = {p.user_id: p for p in campus.members(campus.session(site, course_id))}
        person, at = people.get(str(mark.get("userId"))), _instant(mark.get("timestamp"))
        if person is None or person.role != "trainee" or at is None:
            return _said(_SCORE, [], 400)
        before = column.marks.get(person.user_id)
        if before is not None and at <= before["at"]:
            return _said(_SCORE, [], 409)
        kept = mark if mark.get("gradingProgress") == "FullyGraded" else {}
        column.marks[person.user_id] = {**kept, "at": at}
        return _said(_SCORE, None)

    @rooms.get("/services.php/<int:course_id>/lineitems/<int:number>/lineitem/results")
    def results(site: str, course_id: int, number: int) -> Response:
        tool = _authorized(campus, office, site, _RESULT_READ)
        column, scored = find(site, course_id, number, tool), address(site, course_id, number, tool)
        found = [
            {
                "id": f"{scored.replace('/lineitem?', '/lineitem/results?')}&user_id={user_id}",
                "userId": user_id,
                "resultScore": mark["scoreGiven"],
                "resultMaximum": mark.get("scoreMaximum"),
                "scoreOf": scored,
                "timestamp": mark["at"].isoformat(),
            }
            for user_id, mark in column.marks.items()
            if "scoreGiven" in mark
        ]
        return _said(_RESULTS, found)


def _body(kind: str) -> Mapping[str, Any]:
    """Return the object sent, if it is sent under the exact media type."""
    if request.mimetype != kind:
        raise _No(400, f"No handler found for {request.path}  {request.mimetype}")
    found = request.get_json(force=True, silent=True)
    if not isinstance(found, dict):
        raise _No(400, "Bad request")
    return found


def _instant(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
