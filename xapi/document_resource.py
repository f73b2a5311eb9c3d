"""The resources /activities/state, /activities/profile and /agents/profile (Communication 2.3, 2.6, 2.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection

from tool_config.database import transaction
from xapi import documents, statement, values
from xapi.documents import Place, Preconditions
from xapi.errors import XapiError
from xapi.exchange import Answer, Exchange

#: Longest stateId, profileId or activityId, bytes: both are in the key of an index, which holds 2,700.
LONGEST_NAME = 1_000


@dataclass(frozen=True)
class Kind:
    """What tells one resource of documents from another."""

    name: str
    #: Parameters that say what a document is about.
    about: tuple[str, ...]
    #: Parameter that names the document.
    named: str
    #: Parameters that may be left out.
    optional: tuple[str, ...] = ()


STATE = Kind("state", ("activityId", "agent"), "stateId", ("registration",))
ACTIVITY_PROFILE = Kind("activity-profile", ("activityId",), "profileId")
AGENT_PROFILE = Kind("agent-profile", ("agent",), "profileId")


def handlers(kind: Kind) -> Mapping[str, Callable[[Exchange], Answer]]:
    """Return what answers each method of a resource."""
    return {
        "GET": lambda asked: _get(asked, kind),
        "PUT": lambda asked: _write(asked, kind, documents.put),
        "POST": lambda asked: _write(asked, kind, partial(documents.post, largest=asked.settings.max_body)),
        "DELETE": lambda asked: _delete(asked, kind),
    }


def _get(asked: Exchange, kind: Kind) -> Answer:
    given = asked.flat(*kind.about, kind.named, *kind.optional, "since")
    name = _name(given, kind)
    place = _place(given, kind, many=name is None)
    silo_id = asked.credential.silo_id
    if name is not None and "since" in given:
        raise XapiError(f"since does not go with {kind.named}")
    since = _instant(given["since"]) if "since" in given else None
    with transaction(asked.engine, silo_id, write=False) as conn:
        if name is not None:
            return _document(documents.get(conn, silo_id, place, name))
        changed = documents.latest(conn, silo_id, place)
        found = documents.names(conn, silo_id, place, since=since)
    return Answer(body=orjson.dumps(found), headers={"Last-Modified": _http_date(changed)} if changed else {})


def _document(found: documents.Document) -> Answer:
    headers = {"ETag": found.etag, "Last-Modified": _http_date(found.updated_at)}
    return Answer(200, found.body, found.content_type, headers)


def _http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def _write(asked: Exchange, kind: Kind, change: Callable[..., None]) -> Answer:
    given = asked.flat(*kind.about, kind.named, *kind.optional)
    name = _name(given, kind)
    if name is None:
        raise XapiError(f"the parameter {kind.named} is needed")
    place = _place(given, kind, many=False)
    sent: dict[str, Any] = {
        "content_type": _content_type(asked),
        "body": asked.body(),
        "preconditions": _preconditions(asked, kind),
    }

    def work(conn: Connection) -> None:
        change(conn, asked.credential.silo_id, place, name, now=asked.clock(), **sent)

    asked.written(work)
    return Answer(204)


def _delete(asked: Exchange, kind: Kind) -> Answer:
    given = asked.flat(*kind.about, kind.named, *kind.optional)
    name = _name(given, kind)
    place = _place(given, kind, many=name is None)
    preconditions = _preconditions(asked, kind)
    silo_id = asked.credential.silo_id
    if name is not None:
        asked.written(lambda conn: documents.remove(conn, silo_id, place, name, preconditions))
        return Answer(204)
    if kind is not STATE:
        raise XapiError(f"the parameter {kind.named} is needed")
    if preconditions.if_match is not None or preconditions.if_none_match is not None:
        raise XapiError("If-Match and If-None-Match speak of one document: stateId is needed")
    asked.written(lambda conn: documents.remove_all(conn, silo_id, place))
    return Answer(204)


def _preconditions(asked: Exchange, kind: Kind) -> Preconditions:
    """Read the preconditions; 1.0.3 wants one to put a profile, 2.0 to replace any document (3.1)."""
    return Preconditions(
        if_match=asked.header("If-Match"),
        if_none_match=asked.header("If-None-Match"),
        guarded=asked.is_modern or kind is not STATE,
        required=not asked.is_modern and kind is not STATE,
    )


def _content_type(asked: Exchange) -> str:
    text = (asked.header("Content-Type") or "application/octet-stream").strip()
    if len(text) > 255 or not text.isprintable() or not text.isascii():
        raise XapiError("the content type is not usable")
    return text


def _name(given: Mapping[str, str], kind: Kind) -> str | None:
    name = given.get(kind.named)
    if name is not None and not 0 < len(name.encode()) <= LONGEST_NAME:
        raise XapiError(f"{kind.named} must have 1 to {LONGEST_NAME} bytes")
    return name


def _place(given: Mapping[str, str], kind: Kind, *, many: bool) -> Place:
    """Read what a document is about; `many`: documents of any registration, unless one is given."""
    for name in kind.about:
        if name not in given:
            raise XapiError(f"the parameter {name} is needed")
    agent = ""
    if "agent" in kind.about:
        agent = statement.actor_key(_usable("agent", statement.parse_agent, given["agent"]))
    activity = ""
    if "activityId" in kind.about:
        activity = given["activityId"]
        _usable("activityId", values.iri, activity)
        if len(activity.encode()) > LONGEST_NAME:
            raise XapiError(f"activityId is over {LONGEST_NAME} bytes")
    registration: str | None = None if many and kind is STATE else ""
    if "registration" in given:
        _usable("registration", values.uuid, given["registration"])
        registration = given["registration"].lower()
    return Place(kind.name, activity, agent, registration)


def _instant(text: str) -> datetime:
    _usable("since", values.timestamp, text)
    return values.instant(text)


def _usable(name: str, reading: Callable[[str], Any], text: str) -> Any:
    try:
        return reading(text)
    except (XapiError, UnicodeEncodeError) as fault:
        raise XapiError(f"the parameter {name!r} is not usable: {fault}") from None
