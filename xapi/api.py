"""The store over HTTP: /xapi/statements and /xapi/about (xAPI 1.0.3 Communication 1, 2.1, 2.8)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response, g, request
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from tool_config.database import transaction
from tool_config.settings import Settings
from xapi import auth, formats, ingest, query, statement, store, values
from xapi.errors import NotFound, TooLarge, Unauthorized, XapiError

_log = logging.getLogger(__name__)

#: Version of a header -> version of the data model and of the answer (Communication 3.3).
_VERSIONS = ((re.compile(r"1\.0(?:\.\d+)?"), "1.0.3"), (re.compile(r"2\.0(?:\.\d+)?"), "2.0.0"))
VERSION_HEADER = "X-Experience-API-Version"
CONSISTENT_HEADER = "X-Experience-API-Consistent-Through"
#: PostgreSQL's deadlock and serialization failure: the same request succeeds when sent again.
_TRANSIENT = ("40P01", "40001")

Clock = Callable[[], datetime]


def blueprint(engine: Engine, settings: Settings, clock: Clock) -> Blueprint:
    """Return the blueprint to be mounted at /xapi."""
    rooms = Blueprint("xapi", __name__)
    prefix = urlsplit(settings.public_url).path.rstrip("/")

    @rooms.before_request
    def check_request() -> None:
        g.xapi_version = settings.xapi_default_version
        if request.endpoint == "xapi.about":
            return
        g.credential = auth.authenticate(engine, request.headers.get("Authorization"), settings)
        g.xapi_version = _version(request.headers.get(VERSION_HEADER))

    @rooms.after_request
    def say_version(response: Response) -> Response:
        return _with_version(response, settings)

    @rooms.errorhandler(XapiError)
    def refuse(error: XapiError) -> Response:
        return _refusal(error, settings)

    @rooms.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        fault = XapiError(error.description or error.name)
        fault.status = error.code or 500
        answer = _refusal(fault, settings)
        for name, value in error.get_headers(request.environ):
            if name == "Allow":
                answer.headers[name] = value
        return answer

    @rooms.get("/about")
    def about() -> Response:
        return _json(orjson.dumps({"version": ["1.0.3", "2.0.0"]}))

    @rooms.get("/statements")
    def get_statements() -> Response:
        return _get(engine, clock, settings, prefix)

    @rooms.post("/statements")
    def post_statements() -> Response:
        _no_parameters()
        parsed = _parsed(_body(settings.max_body))
        return _json(orjson.dumps(_store(engine, clock, settings, parsed)))

    @rooms.put("/statements")
    def put_statement() -> Response:
        wanted = _put_id()
        body = _body(settings.max_body)
        parsed = _parsed(body)
        if body.lstrip()[:1] == b"[":
            raise XapiError("PUT takes one statement, not an array")
        given = parsed[0].get("id", wanted)
        if given.lower() != wanted:
            raise XapiError("the id of the statement is not the parameter statementId")
        _store(engine, clock, settings, [{**parsed[0], "id": given}])
        return Response(status=204)

    @rooms.route("/", defaults={"rest": ""}, methods=["GET", "POST", "PUT", "DELETE"])
    @rooms.route("/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def nothing(rest: str) -> Response:
        if rest == "statements":
            raise MethodNotAllowed(valid_methods=["GET", "HEAD", "POST", "PUT"])
        raise NotFound(f"this store has no resource {rest[:100]!r}")

    return rooms


# --- answers ---------------------------------------------------------------------------------------------


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")


def _refusal(error: XapiError, settings: Settings) -> Response:
    content: dict[str, Any] = {"error": error.reason}
    if error.path:
        content["path"] = error.path
    answer = _json(orjson.dumps(content))
    answer.status_code = error.status
    if isinstance(error, Unauthorized):
        answer.headers["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    return _with_version(answer, settings)


def _with_version(response: Response, settings: Settings) -> Response:
    response.headers[VERSION_HEADER] = g.get("xapi_version", settings.xapi_default_version)
    if "xapi_consistent" in g:
        response.headers[CONSISTENT_HEADER] = values.utc_text(g.xapi_consistent)
    response.headers["Cache-Control"] = "no-store"
    return response


# --- requests --------------------------------------------------------------------------------------------


def _version(header: str | None) -> str:
    """Return the version to answer in; refuse a request without one or with another (3.3)."""
    if header is None:
        raise XapiError(f"the header {VERSION_HEADER} is missing")
    for pattern, version in _VERSIONS:
        if pattern.fullmatch(header.strip()):
            return version
    raise XapiError(f"{VERSION_HEADER} must be 1.0.x or 2.0.x")


def _no_parameters() -> None:
    if request.args:
        raise XapiError(f"unknown parameter {next(iter(request.args))[:100]!r}")


def _put_id() -> str:
    others = sorted(set(request.args) - {"statementId"})
    if others:
        raise XapiError(f"unknown parameter {others[0][:100]!r}")
    given = request.args.getlist("statementId")
    if len(given) != 1:
        raise XapiError("the parameter statementId is needed, once")
    try:
        values.uuid(given[0])
    except XapiError as fault:
        raise XapiError(f"the parameter statementId {fault.reason}") from None
    return given[0].lower()


def _parsed(body: bytes) -> list[dict[str, Any]]:
    """Read and validate the statements of a body, before any transaction is opened."""
    parsed = statement.parse(body, g.xapi_version)
    for position, item in enumerate(parsed):
        _need_file_urls(item, position)
    return parsed


def _need_file_urls(item: dict[str, Any], position: int) -> None:
    """Refuse attachments whose data is nowhere: this body carries none (Communication 1.5.1)."""
    target = item["object"]
    inner = target.get("attachments", ()) if target.get("objectType") == "SubStatement" else ()
    for attachment in (*item.get("attachments", ()), *inner):
        if "fileUrl" not in attachment:
            fault = XapiError("needs a fileUrl, since no attachment data is sent", index=position)
            fault.steps.append("attachments")
            raise fault


def _body(limit: int) -> bytes:
    """Return the body of a request that may write; refuse what is not JSON as sent, or too large."""
    auth.require(g.credential.may_write(), "statements/write")
    if request.mimetype != "application/json":
        raise XapiError(f"the content type must be application/json, not {request.mimetype[:100]!r}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise XapiError("a compressed body is not accepted")
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(f"the body is over {limit} bytes")
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the body is over {limit} bytes")
    return body


# --- statements ------------------------------------------------------------------------------------------


def _store(engine: Engine, clock: Clock, settings: Settings, parsed: list[dict[str, Any]]) -> list[str]:
    """Store a batch in one transaction; answered only once it is committed."""
    for last in (False, True):
        try:
            return _store_once(engine, clock, settings, parsed)
        except OperationalError as error:
            if last or getattr(error.orig, "sqlstate", None) not in _TRANSIENT:
                raise
            _log.info("a batch is written again after %s", type(error.orig).__name__)
    raise AssertionError("unreachable")


def _store_once(engine: Engine, clock: Clock, settings: Settings, parsed: list[dict[str, Any]]) -> list[str]:
    credential: auth.Credential = g.credential
    with transaction(engine, credential.silo_id) as conn:
        stored = ingest.begin(conn, credential.silo_id, parsed, clock)
        g.xapi_consistent = _consistent(conn, stored)
        return ingest.write(
            conn,
            credential.silo_id,
            parsed,
            stored=stored,
            key_id=credential.key_id,
            authority=auth.authority(settings.public_url, credential.key_id),
            version=g.xapi_version,
        ).ids


def _consistent(conn: Connection, now: datetime) -> datetime:
    return store.consistent_through(conn, g.credential.silo_id, now)


def _get(engine: Engine, clock: Clock, settings: Settings, prefix: str) -> Response:
    """Answer GET and HEAD /statements (2.1.3)."""
    credential: auth.Credential = g.credential
    auth.require(credential.may_read_mine(), "statements/read")
    authority = None
    if not credential.may_read():
        authority = statement.actor_key(auth.authority(settings.public_url, credential.key_id))
    with transaction(engine, credential.silo_id, write=False) as conn:
        g.xapi_consistent = _consistent(conn, clock())
        asked = query.read(request.args.to_dict(flat=False))
        languages = formats.accepted_languages(request.headers.get("Accept-Language"))
        if isinstance(asked, query.Single):
            raw = query.one(conn, credential.silo_id, asked, authority=authority)
            return _single(formats.formatted(raw, asked.format, languages))
        page = query.page(conn, credential.silo_id, asked, through=g.xapi_consistent, authority=authority)
    more = f"{prefix}/xapi/statements?more={query.cursor(asked, page.after)}" if page.after else ""
    found = [formats.formatted(raw, asked.format, languages) for raw in page.raw]
    body = '{"statements":[' + ",".join(found) + '],"more":' + orjson.dumps(more).decode() + "}"
    return _json(body.encode())


def _single(raw: str) -> Response:
    answer = _json(raw.encode())
    answer.last_modified = datetime.fromisoformat(orjson.loads(raw)["stored"])
    return answer
