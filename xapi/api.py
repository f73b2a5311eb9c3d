"""The store over HTTP, mounted at /xapi: who asks, in which version, and which resource answers.

Any page of the web may ask, with a key of its own (CORS): the browser sends no cookie here, and nothing is
answered without the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from tool_config.settings import Settings
from xapi import (
    alternate,
    auth,
    description,
    document_resource,
    knowledge_resource,
    statement_resource,
    values,
    versions,
)
from xapi.errors import NotFound, TooLarge, Unauthorized, XapiError
from xapi.exchange import Answer, Exchange

VERSION_HEADER = versions.HEADER
CONSISTENT_HEADER = "X-Experience-API-Consistent-Through"

Clock = Callable[[], datetime]
Handler = Callable[[Exchange], Answer]

#: What a browser lets another site's page send here, and read of the answers.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        f"ETag, Last-Modified, Content-Type, WWW-Authenticate, {VERSION_HEADER}, {CONSISTENT_HEADER}"
    ),
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        f"Authorization, Content-Type, Accept-Language, If-Match, If-None-Match, {VERSION_HEADER}"
    ),
    "Access-Control-Max-Age": "86400",
}
#: Endpoints that answer without a key.
PUBLIC = ("xapi.say_versions", "xapi.describe")
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


def about(_: Exchange | None) -> Answer:
    """Answer the versions that this store speaks (Communication 2.8)."""
    return Answer(body=orjson.dumps({"version": ["1.0.3", "2.0.0"]}))


#: Resource -> method -> what answers; HEAD is GET without its body.
RESOURCES: Mapping[str, Mapping[str, Handler]] = {
    "about": {"GET": about},
    "statements": {
        "GET": statement_resource.get,
        "POST": statement_resource.post,
        "PUT": statement_resource.put,
    },
    "activities": {"GET": knowledge_resource.activity},
    "activities/state": document_resource.handlers(document_resource.STATE),
    "activities/profile": document_resource.handlers(document_resource.ACTIVITY_PROFILE),
    "agents": {"GET": knowledge_resource.agent},
    "agents/profile": document_resource.handlers(document_resource.AGENT_PROFILE),
}


def blueprint(engine: Engine, settings: Settings, clock: Clock) -> Blueprint:
    """Return the blueprint to be mounted at /xapi."""
    rooms = Blueprint("xapi", __name__)
    described = orjson.dumps(description.describe(settings.public_url, version("estime")))

    @rooms.before_request
    def check_request() -> Response | None:
        g.xapi_version = settings.xapi_default_version
        if request.method == "OPTIONS":
            return _response(Answer(204, headers=PREFLIGHT))
        if request.endpoint not in PUBLIC:
            g.exchange = _exchange(engine, settings, clock)
        return None

    @rooms.after_request
    def say_version(response: Response) -> Response:
        return _with_headers(response, settings)

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
    def say_versions() -> Response:
        return _response(about(None))

    @rooms.get("/openapi.json")
    def describe() -> Response:
        return _response(Answer(body=described))

    @rooms.route("/", defaults={"rest": ""}, methods=METHODS)
    @rooms.route("/<path:rest>", methods=METHODS)
    def unknown(rest: str) -> Response:
        raise NotFound(f"this store has no resource {rest[:100]!r}")

    for name, handlers in RESOURCES.items():
        if not auth.RIGHTS.keys() >= {(name, method) for method in handlers}:
            raise LookupError(f"auth.RIGHTS does not say which keys may use {name}")
        # Anybody may GET what the store speaks, above; a form may ask for it too.
        methods = [method for method in METHODS if name != "about" or method != "GET"]
        view = partial(_answer, name, handlers)
        rooms.add_url_rule(f"/{name}", name.replace("/", "_"), view, methods=methods)
    return rooms


def _answer(resource: str, handlers: Mapping[str, Handler]) -> Response:
    asked: Exchange = g.exchange
    handler = handlers.get("GET" if asked.method == "HEAD" else asked.method)
    if handler is None:
        raise MethodNotAllowed(valid_methods=sorted({*handlers, "HEAD"}))
    auth.require(asked.credential, resource, asked.method)
    return _response(handler(asked))


def _exchange(engine: Engine, settings: Settings, clock: Clock) -> Exchange:
    """Return the request, its key found; raises XapiError.

    The alternate syntax puts a request into a form, its key and its version with it: it is read first.
    """
    parameters = request.args.to_dict(flat=False)
    is_form = request.method == "POST" and "method" in parameters
    inner = _inner(parameters, settings) if is_form else None

    def header(name: str) -> str | None:
        if inner is None:
            return request.headers.get(name)
        if name.lower() == "content-length":
            return None
        return inner.headers.get(name.lower(), request.headers.get(name))

    credential = auth.authenticate(engine, header("Authorization"), settings, clock())
    g.xapi_version = versions.read(header(VERSION_HEADER))
    if inner is not None and g.xapi_version != "1.0.3":
        raise XapiError("the alternate request syntax is not of xAPI 2.0")
    return Exchange(
        engine=engine,
        settings=settings,
        clock=clock,
        credential=credential,
        version=g.xapi_version,
        method=inner.method if inner else request.method,
        parameters=inner.parameters if inner else parameters,
        header=header,
        read=(lambda size: inner.content[:size]) if inner else _read,
    )


def _inner(query: Mapping[str, list[str]], settings: Settings) -> alternate.Inner:
    """Read the request that the form of this one says."""
    wanted = alternate.method(query, request.mimetype)
    body = _read(settings.max_body + 1)
    if len(body) > settings.max_body:
        raise TooLarge(f"the body is over {settings.max_body} bytes")
    return alternate.read(wanted, body)


def _read(size: int) -> bytes:
    """Read at most that many bytes of the body; without the copy that the framework's own stream makes."""
    announced = request.content_length
    if announced is None:
        return request.stream.read(size)
    read: bytes = request.environ["wsgi.input"].read(min(size, announced))
    return read


def _response(answer: Answer) -> Response:
    made = Response(answer.body, status=answer.status, content_type=answer.content_type)
    made.headers.update(answer.headers)
    if not isinstance(answer.body, bytes):
        made.content_length = sum(map(len, answer.body))
    return made


def _refusal(error: XapiError, settings: Settings) -> Response:
    content: dict[str, Any] = {"error": error.reason}
    if error.path:
        content["path"] = error.path
    answer = _response(Answer(error.status, orjson.dumps(content)))
    if isinstance(error, Unauthorized):
        answer.headers["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    return _with_headers(answer, settings)


def _with_headers(response: Response, settings: Settings) -> Response:
    response.headers[VERSION_HEADER] = g.get("xapi_version", settings.xapi_default_version)
    asked: Exchange | None = g.get("exchange")
    if asked is not None and asked.consistent is not None:
        response.headers[CONSISTENT_HEADER] = values.utc_text(asked.consistent)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(CORS)
    return response
