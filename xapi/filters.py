"""PURE: the parameters of GET /statements -> what is asked for; the text of a cursor, and back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from xapi import json_text, values
from xapi import statement as statements
from xapi.errors import XapiError

DEFAULT_LIMIT = 100
#: What `limit=0` means, and the most that any limit gives.
MAX_LIMIT = 1_000

FORMATS = ("exact", "ids", "canonical")
#: Parameters that may go with statementId and voidedStatementId (Communication 2.1.3).
_WITH_ID = frozenset(("attachments", "format"))
FILTERS = (
    *("agent", "verb", "activity", "registration", "related_activities", "related_agents"),
    *("since", "until", "limit", "ascending", "format", "attachments", "more"),
)


@dataclass(frozen=True)
class Single:
    """One statement asked for by its id."""

    statement_id: str
    voided: bool
    format: str
    attachments: bool = False
    #: The asker may read answers to questionnaires.
    with_answers: bool = True


@dataclass(frozen=True)
class Listing:
    """A list of statements asked for by filters."""

    agent: str | None = None
    related_agents: bool = False
    verb: str | None = None
    activity: str | None = None
    related_activities: bool = False
    registration: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ascending: bool = False
    limit: int = DEFAULT_LIMIT
    format: str = "exact"
    attachments: bool = False
    #: The asker may read answers to questionnaires; of the key, never of the cursor.
    with_answers: bool = True
    #: (stored, id) of the last row already given.
    after: tuple[datetime, str] | None = None


# --- parameters -----------------------------------------------------------------------------------------


def read(parameters: Mapping[str, list[str]]) -> Single | Listing:
    """Read the parameters of GET /statements; raises XapiError on one that is unknown or not usable."""
    for name, given in parameters.items():
        if name not in FILTERS and name not in ("statementId", "voidedStatementId"):
            raise XapiError(f"unknown parameter {name[:100]!r}")
        if len(given) != 1:
            raise XapiError(f"the parameter {name!r} is given {len(given)} times")
        if "\x00" in given[0]:
            raise XapiError(f"the parameter {name!r} holds the character NUL")
    flat = {name: given[0] for name, given in parameters.items()}
    wanted = [name for name in ("statementId", "voidedStatementId") if name in flat]
    if wanted:
        others = sorted(flat.keys() - _WITH_ID - {wanted[0]})
        if others:
            raise XapiError(f"{wanted[0]} does not go with {', '.join(others)}")
        statement_id, is_voided = _uuid(flat, wanted[0]), wanted[0] == "voidedStatementId"
        return Single(statement_id, is_voided, _format(flat), _boolean(flat, "attachments"))
    if "more" in flat:
        if len(flat) > 1:
            raise XapiError("more goes alone")
        return _from_cursor(flat["more"])
    return _listing(flat)


def _listing(flat: Mapping[str, str]) -> Listing:
    limit = DEFAULT_LIMIT
    if "limit" in flat:
        text = flat["limit"]
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise XapiError("limit must be a whole number, 0 for the most that is given")
        limit = min(int(text) or MAX_LIMIT, MAX_LIMIT)
    agent = None
    if "agent" in flat:
        agent = statements.actor_key(_named("agent", statements.parse_agent, flat["agent"]))
    return Listing(
        agent=agent,
        related_agents=_boolean(flat, "related_agents"),
        verb=_iri(flat, "verb"),
        activity=_iri(flat, "activity"),
        related_activities=_boolean(flat, "related_activities"),
        registration=_uuid(flat, "registration") if "registration" in flat else None,
        since=_named("since", _instant, flat["since"]) if "since" in flat else None,
        until=_named("until", _instant, flat["until"]) if "until" in flat else None,
        ascending=_boolean(flat, "ascending"),
        limit=limit,
        format=_format(flat),
        attachments=_boolean(flat, "attachments"),
    )


def _named(name: str, reading: Any, text: str) -> Any:
    try:
        return reading(text)
    except (XapiError, UnicodeEncodeError) as fault:
        raise XapiError(f"the parameter {name!r} is not usable: {fault}") from None


def _instant(text: str) -> datetime:
    values.timestamp(text)
    return values.instant(text)


def _iri(flat: Mapping[str, str], name: str) -> str | None:
    if name in flat:
        _named(name, values.iri, flat[name])
    return flat.get(name)


def _uuid(flat: Mapping[str, str], name: str) -> str:
    _named(name, values.uuid, flat[name])
    return flat[name].lower()


def _boolean(flat: Mapping[str, str], name: str) -> bool:
    text = flat.get(name, "false")
    if text not in ("true", "false"):
        raise XapiError(f"{name} must be true or false")
    return text == "true"


def _format(flat: Mapping[str, str]) -> str:
    text = flat.get("format", "exact")
    if text not in FORMATS:
        raise XapiError(f"format must be one of {', '.join(FORMATS)}")
    return text


# --- cursor -----------------------------------------------------------------------------------------------


def cursor(listing: Listing, after: tuple[datetime, str]) -> str:
    """Return the text that asks for what comes after a row; valid as long as the store is.

    It holds the filter and the place, nothing else: no right goes with it (the key is checked again).
    """
    moment, statement_id = after
    content = {
        "a": listing.agent,
        "ra": listing.related_agents,
        "v": listing.verb,
        "i": listing.activity,
        "ri": listing.related_activities,
        "r": listing.registration,
        "s": listing.since.isoformat() if listing.since else None,
        "u": listing.until.isoformat() if listing.until else None,
        "up": listing.ascending,
        "l": listing.limit,
        "f": listing.format,
        "at": listing.attachments,
        "t": moment.isoformat(),
        "id": statement_id,
    }
    short = {name: value for name, value in content.items() if value not in (None, False)}
    return base64.urlsafe_b64encode(orjson.dumps(short)).rstrip(b"=").decode()


def _from_cursor(text: str) -> Listing:
    try:
        content = json_text.load(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        listing = Listing(
            agent=_optional_text(content, "a"),
            related_agents=content.get("ra") is True,
            verb=_optional_text(content, "v"),
            activity=_optional_text(content, "i"),
            related_activities=content.get("ri") is True,
            registration=str(UUID(content["r"])) if "r" in content else None,
            since=_aware(content["s"]) if "s" in content else None,
            until=_aware(content["u"]) if "u" in content else None,
            ascending=content.get("up") is True,
            limit=min(max(int(content["l"]), 1), MAX_LIMIT),
            format=_format({"format": content["f"]}),
            attachments=content.get("at") is True,
        )
        return replace(listing, after=(_aware(content["t"]), str(UUID(content["id"]))))
    except (XapiError, binascii.Error, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise XapiError("more is not a link that this store gave") from None


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return values.instant(moment.isoformat())


def _optional_text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is not None and (not isinstance(value, str) or "\x00" in value):
        raise ValueError(name)
    return value
