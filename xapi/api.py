"""The store over HTTP, mounted at /xapi: who asks, in which version, and which resource answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from sqlalchemy import Engine
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from tool_config.settings import Settings
from xapi import auth, document_resource, knowledge_resource, statement_resource, values, versions
from xapi.errors import NotFound, Unauthorized, XapiError
from xapi.exchange import Answer, Exchange

VERSION_HEADER = versions.HEADER
CONSISTENT_HEADER = "X-Experience-API-Consistent-Through"

Clock = Callable[[], datetime]
Handler = Callable[[Exchange], Answer]

#: Resource -> method -> what answers; HEAD is GET without its body.
RESOURCES: Mapping[str, Mapping[str, Handler]] = {
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

    @rooms.before_request
    def check_request() -> None:
        g.xapi_version = settings.xapi_default_version
        if request.endpoint == "xapi.about":
            return
        g.exchange = _exchange(engine, settings, clock)

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
    def about() -> Response:
        return _response(Answer(body=orjson.dumps({"version": ["1.0.3", "2.0.0"]})))

    @rooms.route("/", defaults={"rest": ""}, methods=["GET", "POST", "PUT", "DELETE"])
    @rooms.route("/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def resource(rest: str) -> Response:
        asked: Exchange = g.exchange
        handlers = RESOURCES.get(rest)
        if handlers is None:
            raise NotFound(f"this store has no resource {rest[:100]!r}")
        handler = handlers.get("GET" if asked.method == "HEAD" else asked.method)
        if handler is None:
            raise MethodNotAllowed(valid_methods=sorted({*handlers, "HEAD"}))
        return _response(handler(asked))

    return rooms


def _exchange(engine: Engine, settings: Settings, clock: Clock) -> Exchange:
    credential = auth.authenticate(engine, request.headers.get("Authorization"), settings)
    g.xapi_version = versions.read(request.headers.get(VERSION_HEADER))
    return Exchange(
        engine=engine,
        settings=settings,
        clock=clock,
        credential=credential,
        version=g.xapi_version,
        method=request.method,
        parameters=request.args.to_dict(flat=False),
        header=lambda name: request.headers.get(name),
        read=request.stream.read,
    )


def _response(answer: Answer) -> Response:
    made = Response(answer.body, status=answer.status, content_type=answer.content_type)
    made.headers.update(answer.headers)
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
    return response
