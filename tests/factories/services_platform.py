"""A fake Moodle over HTTP: access tokens, rosters, columns of marks, answering as Moodle 4.5.6 did."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.factories.platform import FakePlatform, JwksServer, jwks_server
from tool_config.platforms import Platform

NRPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM = "application/vnd.ims.lis.v2.lineitem+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
ROSTER_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
GRADE_SCOPES = [f"{_AGS}{name}" for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")]
_ROOT = "/mod/lti/services.php"
_ROLE = re.compile(r".*[#/]")


def member(sub: str, name: str, role: str = "Learner", **more: Any) -> dict[str, Any]:
    """Return an entry of a roster, as Moodle writes it when names and addresses are shared."""
    given, _, family = name.partition(" ")
    return {
        "status": "Active",
        "roles": [role],
        "user_id": sub,
        "lis_person_sourcedid": f"ID-{sub}",
        "name": name,
        "given_name": given,
        "family_name": family,
        "email": f"{given.lower()}@example.test",
        "ext_user_username": f"user.{given.lower()}",
        **more,
    }


@dataclass
class Asked:
    """A request that the platform received."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Answer = tuple[int, str, Any, dict[str, str]]


@dataclass
class Moodle:
    """The services of one course. Everything that it holds may be changed by a test."""

    members: list[dict[str, Any]] = field(default_factory=list)
    items: dict[int, dict[str, Any]] = field(default_factory=dict)
    #: (column, user) -> what it holds
    grades: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    context: dict[str, str] = field(
        default_factory=lambda: {"id": "2", "label": "LTI101", "title": "LTI Course 101"}
    )
    #: Public keys of the tool, as the platform fetches them.
    tool_keys: Callable[[], list[dict[str, Any]]] = list
    client_id: str = "estime-client"
    granted: tuple[str, ...] = (ROSTER_SCOPE, *GRADE_SCOPES)
    #: Most members of a page, whatever the tool asks for.
    page: int | None = None
    #: Called before each answer of a service: may answer instead, or sleep, or change what follows.
    before: Callable[[Asked], Answer | None] = lambda asked: None
    life: int = 3600
    next_item: int = 4
    tokens: dict[str, set[str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    #: Assertions received, verified.
    assertions: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def calls(self, method: str, ending: str) -> list[Asked]:
        """Return the requests received whose path, without its parameters, ends so."""
        return [one for one in self.asked if one.method == method and one.path.split("?")[0].endswith(ending)]

    # --- answers -----------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        parts = urlsplit(asked.path)
        if parts.path == "/mod/lti/token.php":
            return self.before(asked) or self._token(asked.body)
        told = self.before(asked)
        if told is not None:
            return told
        scopes = self.tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if scopes is None:
            return self._error(asked, 401, "Unauthorized")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(_ROOT)
        if path.endswith("/memberships"):
            return self._roster(asked, path, query, scopes)
        return self._grades(asked, path, query, scopes)

    def _error(self, asked: Asked, status: int, reason: str) -> Answer:
        request = {
            "method": asked.method,
            # With a media type that nobody handles, the address is told with its parameters.
            "url": asked.path,
            "accept": asked.headers.get("accept", ""),
            "contentType": asked.headers.get("content-type", ""),
        }
        said = {"status": status, "reason": reason, "request": request}
        return status, "application/json; charset=utf-8", said, {}

    def _token(self, form: dict[str, str]) -> Answer:
        kind = "application/json; charset=utf-8"
        try:
            header = jwt.get_unverified_header(form["client_assertion"])
            key = next(jwk for jwk in self.tool_keys() if jwk["kid"] == header["kid"])
            claims = jwt.decode(
                form["client_assertion"],
                jwt.PyJWK(key).key,
                algorithms=["RS256"],
                audience=f"{self.url}/mod/lti/token.php",
                options={"verify_iat": False, "verify_exp": False, "require": ["exp", "iat", "jti", "sub"]},
            )
        except (KeyError, StopIteration, jwt.PyJWTError):
            return 400, kind, {"error": "invalid_client"}, {}
        if claims["iss"] != self.client_id or claims["sub"] != self.client_id:
            return 400, kind, {"error": "invalid_client"}, {}
        self.assertions.append(claims)
        scopes = set(form.get("scope", "").split()) & set(self.granted)
        if form.get("grant_type") != "client_credentials" or not scopes:
            return 400, kind, {"error": "invalid_scope"}, {}
        token = f"token{len(self.tokens) + 1}"
        self.tokens[token] = scopes
        said = {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
        return 200, kind, {**said, "scope": " ".join(sorted(scopes))}, {}

    def _roster(self, asked: Asked, path: str, query: dict[str, str], scopes: set[str]) -> Answer:
        if ROSTER_SCOPE not in scopes:
            return self._error(asked, 401, "Unauthorized")
        accept = asked.headers.get("accept", "*/*")
        if accept not in (NRPS, "*/*"):
            return self._error(asked, 400, f"No handler found for {path} {accept} ")
        found = self.members
        if "role" in query:
            role = _ROLE.sub("", query["role"])
            found = [one for one in found if role in one["roles"]]
        here = f"{self.url}{_ROOT}{path}"
        headers = {}
        limit, start = int(query.get("limit", 0)), int(query.get("from", 0))
        limit = min(limit or self.page, self.page) if self.page else limit
        if limit:
            found = found[start : start + limit]
            if len(found) == limit:  # Moodle announces a next page whenever this one is full
                headers["Link"] = f'<{here}?limit={limit}&from={start + limit}>; rel="next"'
        if "rlid" in query:
            found = [{**one, "message": [self._message(one, query["rlid"])]} for one in found]
        return 200, f"{NRPS}; charset=utf-8", {"id": here, "context": self.context, "members": found}, headers

    def _message(self, one: dict[str, Any], link: str) -> dict[str, Any]:
        data = {"instanceid": link, "userid": one["user_id"], "typeid": "1", "launchid": 0}
        outcome = {
            "lis_result_sourcedid": json.dumps({"data": data, "hash": "0"}),
            "lis_outcome_service_url": f"{self.url}/mod/lti/service.php",
        }
        return {
            "https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiResourceLinkRequest",
            "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome": outcome,
        }

    # --- marks -------------------------------------------------------------------------------------------

    def _grades(self, asked: Asked, path: str, query: dict[str, str], scopes: set[str]) -> Answer:
        found = re.fullmatch(r"/(\d+)/lineitems(?:/(\d+)/lineitem(/scores|/results)?)?", path)
        if found is None or found[1] != self.context["id"]:
            return self._error(asked, 404, "Not found")
        kind = asked.headers.get("content-type", "")
        accept = asked.headers.get("accept", "")
        if not scopes & set(GRADE_SCOPES):
            return self._error(asked, 401, "Unauthorized")
        if found[2] is None:
            if asked.method == "POST":
                return self._make(asked.body) if kind == ITEM else self._unhandled(asked, path, "", kind)
            return (
                self._list(path, query)
                if accept in (ITEMS, "*/*")
                else self._unhandled(asked, path, accept, kind)
            )
        number = int(found[2])
        if number not in self.items:
            return self._error(asked, 404, "Not found")
        if found[3] == "/scores":
            if kind != SCORE:
                return self._unhandled(asked, path, "", kind)
            return self._score(number, asked.body)
        if found[3] == "/results":
            return 200, f"{RESULTS}; charset=utf-8", self._results(number), {}
        if asked.method == "DELETE":
            del self.items[number]
            return 204, "text/html; charset=utf-8", None, {}
        if asked.method == "PUT":
            kept = {name: asked.body[name] for name in ("label", "scoreMaximum", "resourceId", "tag")}
            self.items[number].update(kept)
            return 200, f"{ITEM}; charset=utf-8", {**kept, "id": self.item_url(number)}, {}
        return 200, f"{ITEM}; charset=utf-8", self._item(number), {}

    def _unhandled(self, asked: Asked, path: str, accept: str, kind: str) -> Answer:
        return self._error(asked, 400, f"No handler found for {path} {accept} {kind}")

    def item_url(self, number: int) -> str:
        return f"{self.url}{_ROOT}/{self.context['id']}/lineitems/{number}/lineitem?type_id=1"

    def _item(self, number: int) -> dict[str, Any]:
        return {"id": self.item_url(number), **self.items[number]}

    def _make(self, said: dict[str, Any]) -> Answer:
        number, self.next_item = self.next_item, self.next_item + 1
        kept = {name: said[name] for name in ("label", "scoreMaximum")}
        kept |= {name: said.get(name, "") for name in ("resourceId", "tag")}
        if said.get("resourceLinkId"):
            kept |= {"resourceLinkId": said["resourceLinkId"], "ltiLinkId": said["resourceLinkId"]}
        self.items[number] = kept
        return 201, f"{ITEM}; charset=utf-8", {**said, "id": self.item_url(number)}, {}

    def _list(self, path: str, query: dict[str, str]) -> Answer:
        found = [self._item(number) for number in sorted(self.items)]
        for parameter, name in (("tag", "tag"), ("resource_id", "resourceId")):
            if parameter in query:
                found = [one for one in found if one[name] == query[parameter]]
        headers = {}
        if "limit" in query:
            limit, total = int(query["limit"]), len(found)
            pages = [("first", 0), ("canonical", 0), ("next", limit), ("last", total)]
            here = html.escape(f"{self.url}{_ROOT}{path}?type_id=1&limit={limit}&from=")
            # As Moodle writes it: entities in the address, curly quotes around the relation.
            links = ", ".join(f"<{here}{start}>; rel=“{name}”" for name, start in pages)
            headers["Link"] = links.encode().decode("latin-1")
            found = found[:limit]
        return 200, f"{ITEMS}; charset=utf-8", found, headers

    def _score(self, number: int, said: dict[str, Any]) -> Answer:
        kind = f"{SCORE}; charset=utf-8"
        learners = {one["user_id"] for one in self.members if one["roles"] == ["Learner"]}
        if said["userId"] not in learners:
            return 400, kind, [], {}
        at = datetime.fromisoformat(said["timestamp"])
        key = (number, said["userId"])
        before = self.grades.get(key)
        # Moodle keeps whole seconds, and refuses what is not later than what it holds.
        if before is not None and int(at.timestamp()) <= int(before["at"].timestamp()):
            return 409, kind, [], {}
        if said["gradingProgress"] != "FullyGraded" or "scoreGiven" not in said:
            self.grades.pop(key, None)
            return 200, kind, "", {}
        most = self.items[number]["scoreMaximum"]
        score = min(most, said["scoreGiven"] * most / said["scoreMaximum"])
        score = int(score) if score == int(score) else score
        self.grades[key] = {"score": score, "at": at, "comment": said.get("comment"), "said": said}
        return 200, kind, "", {}

    def _results(self, number: int) -> list[dict[str, Any]]:
        here = self.item_url(number)
        return [
            {
                "id": f"{here.replace('/lineitem?', '/lineitem/results?')}&user_id={user}",
                "userId": user,
                "resultScore": grade["score"],
                "resultMaximum": self.items[number]["scoreMaximum"],
                "comment": grade["comment"],
                "scoreOf": here,
                "timestamp": grade["at"].isoformat(),
            }
            for (item, user), grade in self.grades.items()
            if item == number
        ]

    def claims(self) -> dict[str, Any]:
        """Return the claims of a launch that tell where the services are."""
        root = f"{self.url}{_ROOT}"
        course = self.context["id"]
        return {
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "lineitem": self.item_url(2),
                "lineitems": f"{root}/{course}/lineitems?type_id=1",
                "scope": GRADE_SCOPES,
            },
            "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {
                "context_memberships_url": f"{root}/CourseSection/{course}/bindings/1/memberships",
                "service_versions": ["1.0", "2.0"],
            },
        }


class _Handler(BaseHTTPRequestHandler):
    moodle: Moodle

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        content: Any = None
        if headers.get("content-type") == "application/x-www-form-urlencoded":
            content = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        elif body:
            content = json.loads(body)
        try:
            self._send(*self.moodle.answer(Asked(self.command, self.path, headers, content)))
        except OSError:
            self.close_connection = True  # the client hung up

    def _send(self, status: int, kind: str, content: Any, headers: dict[str, str]) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if content in (None, ""):
            body = b""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815  (names of the library)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def moodle(**changes: Any) -> Iterator[Moodle]:
    """Serve a fake Moodle on a free port of loopback."""
    made = Moodle(**changes)
    handler = type("Handler", (_Handler,), {"moodle": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def slow(seconds: float) -> Callable[[Asked], Answer | None]:
    """Return what makes a platform think before each answer."""

    def before(asked: Asked) -> Answer | None:
        time.sleep(seconds)
        return None

    return before


@contextmanager
def launching(services: Moodle, clock: Any, public_url: str) -> Iterator[FakePlatform]:
    """Yield the platform that launches into the course of these services."""
    with jwks_server() as server:
        yield _platform(server, services, clock, public_url)


def _platform(server: JwksServer, services: Moodle, clock: Any, public_url: str) -> FakePlatform:
    return FakePlatform(
        server, clock, public_url, issuer=services.url, client_id=services.client_id,
        context={**services.context, "type": ["CourseSection"]},
    )  # fmt: skip


def registration(services: Moodle, silo_id: int) -> Platform:
    """Return the registration of the fake platform, as the store gives it."""
    return Platform(
        silo_id=silo_id,
        issuer=services.url,
        client_id=services.client_id,
        auth_url=f"{services.url}/mod/lti/auth.php",
        token_url=f"{services.url}/mod/lti/token.php",
        jwks_url=f"{services.url}/mod/lti/certs.php",
        family="moodle",
        frame_origins=(),
        trusted_audiences=frozenset(),
        role_map={},
        active=True,
    )
