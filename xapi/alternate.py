"""PURE: the alternate request syntax: any request inside a POST (xAPI 1.0.3 Communication 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from xapi.errors import XapiError

FORM = "application/x-www-form-urlencoded"
METHODS = ("GET", "PUT", "POST", "DELETE")
#: Form parameters that stand for headers, in lower case; the others are parameters of the request.
_HEADERS = frozenset(
    (
        *("authorization", "x-experience-api-version", "content-type", "content-length"),
        *("if-match", "if-none-match", "accept", "accept-language"),
    )
)
_MOST_FIELDS = 100


@dataclass(frozen=True)
class Inner:
    """The request that a form says."""

    method: str
    parameters: Mapping[str, list[str]]
    #: By name in lower case.
    headers: Mapping[str, str]
    content: bytes


def method(query: Mapping[str, list[str]], media_type: str) -> str:
    """Return the method that a POST stands for; raises XapiError on anything else beside it."""
    if set(query) != {"method"}:
        raise XapiError("with the parameter method, the others belong in the form")
    if len(query["method"]) != 1 or query["method"][0] not in METHODS:
        raise XapiError(f"method must be one of {', '.join(METHODS)}, once")
    if media_type != FORM:
        raise XapiError(f"with the parameter method, the content type must be {FORM}")
    return query["method"][0]


def read(wanted: str, body: bytes) -> Inner:
    """Read a form; `wanted` is what `method` returned. Raises XapiError."""
    parameters: dict[str, list[str]] = {}
    headers: dict[str, str] = {}
    content: bytes | None = None
    for name, text in _fields(body):
        if name == "content":
            if content is not None:
                raise XapiError("the form says its content twice")
            content = text.encode()
        elif name.lower() in _HEADERS:
            if name.lower() in headers:
                raise XapiError(f"the form says {name[:100]!r} twice")
            headers[name.lower()] = text.strip()
        else:
            parameters.setdefault(name, []).append(text)
    if (content is not None) != (wanted in ("PUT", "POST")):
        raise XapiError(f"the form of {wanted} must have {'no' if content is not None else 'a'} content")
    headers.setdefault("content-type", "application/json")
    return Inner(wanted, parameters, headers, content or b"")


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise XapiError("the body is not a form in UTF-8, percent-encoded") from None
