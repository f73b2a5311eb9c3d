"""PURE: the store described for programs (OpenAPI 3.1), served to anybody at /xapi/openapi.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xapi import alternate, auth, versions
from xapi.description_schemas import INSTANT, IRI, SCHEMAS, UUID, array, ref
from xapi.filters import FORMATS, MAX_LIMIT

Json = dict[str, Any]

_JSON = "application/json"
_ABOUT = """Learning record store: xAPI 1.0.3 and 2.0.0 (IEEE 9274.1.1).

The header X-Experience-API-Version chooses the version, and every answer carries its own. HEAD is GET
without its body. In 1.0.3 any request may be a POST of a form (`?method=GET`, alternate request syntax).
Each key opens one community; `security` names the scopes of which it needs one.
"""
_REASONS = {
    "400": "Something is not as the specification says; the reason, and where.",
    "401": "No key, an unknown or revoked one, or a wrong secret.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing, for this key.",
    "405": "The resource has no such method; Allow names those it has.",
    "409": "The id is taken by a different statement, or the document exists and no precondition was sent.",
    "412": "The document is not the one of If-Match, or is one of If-None-Match.",
    "413": "The body is over the limit.",
}


def _header(text: str, **schema: Any) -> Json:
    return {"description": text, "schema": {"type": "string", **schema}}


_VERSION_SAID = {versions.HEADER: _header("Version of the answer.", enum=["1.0.3", "2.0.0"])}
_CONSISTENT = {
    "X-Experience-API-Consistent-Through": _header(
        "Every statement stored before this instant is visible.", format="date-time"
    )
}
_CHANGED = {"Last-Modified": _header("When it last changed.")}
_TAGGED = {"ETag": _header("Tag of this state of the document."), **_CHANGED}


def _parameter(name: str, schema: Json, text: str, *, where: str = "query", required: bool = False) -> Json:
    return {"name": name, "in": where, "required": required, "schema": schema, "description": text}


def _json_parameter(name: str, schema: Json, text: str, *, required: bool = False) -> Json:
    content = {_JSON: {"schema": schema}}
    return {"name": name, "in": "query", "required": required, "content": content, "description": text}


_VERSION = _parameter(
    versions.HEADER,
    {"type": "string", "pattern": r"^(1\.0(\.[0-9]+)?|2\.0(\.[0-9]+)?)$", "examples": ["1.0.3", "2.0.0"]},
    "Version of the request.",
    where="header",
    required=True,
)
_TRUTH: Json = {"type": "string", "enum": ["true", "false"]}
_ACTIVITY = _parameter("activityId", IRI, "Activity that it is about.", required=True)
_AGENT = _json_parameter("agent", ref("Actor"), "Agent or identified Group that it is about.", required=True)
_REGISTRATION = _parameter("registration", UUID, "Registration that it is about.")
_SINCE = _parameter(
    "since", INSTANT, "Only what changed after this instant; not with the name of a document."
)
_CONDITIONS = [
    _parameter("If-Match", {"type": "string"}, "ETags, or *: only on these.", where="header"),
    _parameter("If-None-Match", {"type": "string"}, "ETags, or *: not on these.", where="header"),
]
_LANGUAGES = _parameter(
    "Accept-Language", {"type": "string"}, "Languages of the format canonical.", where="header"
)
_METHOD = {"type": "string", "enum": list(alternate.METHODS)}
_FORM = {alternate.FORM: {"schema": {"type": "object"}}}


def _said(status: str, text: str, content: Json | None = None, headers: Json | None = None) -> Json:
    made: Json = {"description": text, "headers": {**_VERSION_SAID, **(headers or {})}}
    return {status: {**made, **({"content": content} if content else {})}}


def _refusals(*codes: str, headers: Json | None = None) -> Json:
    """Return the answers of failure: those that any request may have, and `codes`."""
    found: Json = {}
    for code in sorted({"400", "401", "403", *codes}):
        named = {"WWW-Authenticate": _header("Basic")} if code == "401" else headers
        found |= _said(code, _REASONS[code], {_JSON: {"schema": ref("Error")}}, named)
    return found


def _operation(
    resource: str, method: str, summary: str, parameters: list[Json], answers: Json, **more: Any
) -> Json:
    """Return one operation; `security` has an alternative a scope."""
    needed = sorted(auth.RIGHTS[resource, method])
    return {
        "operationId": f"{method.lower()} {resource}",
        "summary": summary,
        "parameters": [_VERSION, *parameters],
        "security": [{"key": [scope]} for scope in needed],
        "responses": answers,
        **more,
    }


def _body(content: Json) -> Json:
    return {"required": True, "content": content}


# --- statements -------------------------------------------------------------------------------------------


def _statements() -> Json:
    both = {"schema": {"anyOf": [ref("Statement"), array(ref("Statement"))]}}
    mixed_text = "The JSON first, then a part for each attachment, with its X-Experience-API-Hash."
    filters = [
        _parameter("statementId", UUID, "One statement; goes with attachments and format alone."),
        _parameter("voidedStatementId", UUID, "One voided statement; likewise."),
        _json_parameter("agent", ref("Actor"), "Statements of this Agent or identified Group."),
        _parameter("verb", IRI, "Statements of this verb."),
        _parameter("activity", IRI, "Statements about this activity."),
        _REGISTRATION,
        _parameter("related_activities", _TRUTH, "Wherever the activity is named."),
        _parameter("related_agents", _TRUTH, "Wherever the agent is named."),
        _parameter("since", INSTANT, "Stored after this instant."),
        _parameter("until", INSTANT, "Stored at this instant or before."),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 0, "maximum": 999_999_999},
            f"Statements of a page, {MAX_LIMIT} at most; 0: the most.",
        ),
        _parameter("format", {"type": "string", "enum": list(FORMATS)}, "exact unless said."),
        _parameter("attachments", _TRUTH, "With their data, as multipart/mixed."),
        _parameter("ascending", _TRUTH, "The oldest first."),
        _parameter("more", {"type": "string"}, "What a page gave; goes alone."),
        _LANGUAGES,
    ]
    found = {
        _JSON: {"schema": {"anyOf": [ref("Statement"), ref("StatementResult")]}},
        "multipart/mixed": {"schema": {"type": "string"}},
    }
    read = _said("200", "A statement, or a page of them.", found, {**_CONSISTENT, **_CHANGED})
    read |= _refusals("404")
    ids = {_JSON: {"schema": ref("Ids")}}
    write = _said("200", "The ids, in order; all are stored, or none.", ids, _CONSISTENT)
    sent = {_JSON: both, "multipart/mixed": {"schema": {"type": "string", "description": mixed_text}}}
    one = {**sent, _JSON: {"schema": ref("Statement")}}
    named = _parameter("statementId", UUID, "Id under which it is stored.", required=True)
    stored = _said("204", "Stored, or there already.", headers=_CONSISTENT)
    return {
        **_reading("statements", "Read statements", filters, read),
        "put": _operation(
            *("statements", "PUT", "Store one statement", [named], stored | _refusals("409", "413")),
            requestBody=_body(one),
        ),
        "post": _posting("statements", "Store statements", [], write | _refusals("409", "413"), sent),
    }


def _reading(resource: str, summary: str, parameters: list[Json], answers: Json) -> Json:
    """Return GET and HEAD."""
    get = _operation(resource, "GET", summary, parameters, answers)
    without = {
        code: {name: part for name, part in answer.items() if name != "content"}
        for code, answer in answers.items()
    }
    head = {**get, "operationId": f"head {resource}", "summary": f"{summary}: headers", "responses": without}
    return {"get": get, "head": head}


def _posting(resource: str, summary: str, parameters: list[Json], answers: Json, sent: Json) -> Json:
    """Return POST, which also carries the alternate request syntax."""
    form = _parameter("method", _METHOD, "1.0.3, alone, with a form: the method that this stands for.")
    answers = _said("200", "What the method of the form answers.") | _said("204", "Done.") | answers
    return _operation(
        *(resource, "POST", summary, [*parameters, form], answers | _refusals("404", "409", "412", "413")),
        requestBody=_body({**sent, **_FORM}),
    )


# --- documents, activities, agents -----------------------------------------------------------------------


def _documents(resource: str, what: str, about: list[Json], named: str, optional: list[Json]) -> Json:
    any_name: Json = {"type": "string", "minLength": 1, "maxLength": 250}
    name = _parameter(named, any_name, f"Name of the {what}.", required=True)
    maybe = {**name, "required": False, "description": f"Name of the {what}; without it, their names."}
    any_body: Json = {"*/*": {"schema": {}}}
    found = _said("200", f"The {what}, as it was stored; or names.", any_body, _TAGGED) | _refusals("404")
    done = _said("204", "Done.")
    which = [*about, *optional]
    sent = {_JSON: {"schema": {"type": "object"}}, "application/octet-stream": {"schema": {"type": "string"}}}
    changed = done | _refusals("409", "412", "413")
    gone = [maybe if resource == "activities/state" else name]
    return {
        **_reading(resource, f"Read a {what} or list them", [*which, maybe, _SINCE], found),
        "put": _operation(
            *(
                resource,
                "PUT",
                f"Store a {what} in the place of another",
                [*which, name, *_CONDITIONS],
                changed,
            ),
            requestBody=_body(sent),
        ),
        "post": _posting(
            *(resource, f"Store a {what}, or merge it into the one there", [*which, name, *_CONDITIONS]),
            *(changed, sent),
        ),
        "delete": _operation(
            resource, "DELETE", f"Delete a {what}", [*which, *gone, *_CONDITIONS], done | _refusals("412")
        ),
    }


def _looking_up(resource: str, summary: str, parameter: Json, found: str) -> Json:
    answers = _said("200", found, {_JSON: {"schema": ref(found)}}) | _refusals()
    return _reading(resource, summary, [parameter], answers)


def _about() -> Json:
    answers = _said("200", "The versions of xAPI.", {_JSON: {"schema": ref("About")}})
    shared: Json = {"parameters": [], "security": []}
    made = _reading("about", "Say which versions are spoken", [], answers)
    return {method: {**operation, **shared} for method, operation in made.items()}


def describe(public_url: str, release: str) -> Mapping[str, Any]:
    """Return the OpenAPI document of a store reached at `public_url`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Estime", "version": release, "description": _ABOUT},
        "servers": [{"url": f"{public_url}/xapi"}],
        "paths": {
            "/about": _about(),
            "/statements": _statements(),
            "/activities": _looking_up("activities", "Say what an activity is", _ACTIVITY, "Activity"),
            "/activities/state": _documents(
                "activities/state", "state", [_ACTIVITY, _AGENT], "stateId", [_REGISTRATION]
            ),
            "/activities/profile": _documents("activities/profile", "profile", [_ACTIVITY], "profileId", []),
            "/agents": _looking_up("agents", "Say who an agent is", _AGENT, "Person"),
            "/agents/profile": _documents("agents/profile", "profile", [_AGENT], "profileId", []),
        },
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A key of the store and its secret.",
                }
            },
        },
    }
