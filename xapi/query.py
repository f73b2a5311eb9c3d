"""GET /statements: parameters -> one filter -> one SQL expression over the link tables; the cursor.

A page is a walk of one index in (stored, id) order: the link table of the agent or of the activity when
one is asked for, else `statement`; the other filters are probes by primary key. Statements that refer to
one that meets the filter are a second walk, of `statement_reference`, merged with the first.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Connection, Uuid, exists, func, literal, or_, select, tuple_, union

from tool_config.database import Instant
from xapi import answers, json_text, values
from xapi import statement as statements
from xapi.errors import NotFound, XapiError
from xapi.tables import statement, statement_activity, statement_agent, statement_reference

DEFAULT_LIMIT = 100
#: What `limit=0` means, and the most that any limit gives.
MAX_LIMIT = 1_000

FORMATS = ("exact", "ids", "canonical")
#: Parameters that may go with statementId and voidedStatementId (Communication 2.1.3).
_WITH_ID = frozenset(("attachments", "format"))
_FILTERS = (
    *("agent", "verb", "activity", "registration", "related_activities", "related_agents"),
    *("since", "until", "limit", "ascending", "format", "attachments", "more"),
)
_DIRECT_AGENT = ("actor", "member", "object")


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


@dataclass(frozen=True)
class Page:
    """Stored JSON of statements in order, and where the next page begins (None: no more)."""

    raw: list[str]
    after: tuple[datetime, str] | None


# --- parameters -----------------------------------------------------------------------------------------


def read(parameters: Mapping[str, list[str]]) -> Single | Listing:
    """Read the parameters of GET /statements; raises XapiError on one that is unknown or not usable."""
    for name, given in parameters.items():
        if name not in _FILTERS and name not in ("statementId", "voidedStatementId"):
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


# --- look-up ----------------------------------------------------------------------------------------------


def one(conn: Connection, silo_id: int, asked: Single, *, authority: str | None = None) -> str:
    """Return the stored JSON of one statement; raises NotFound.

    A voided statement answers to voidedStatementId only, the others to statementId only (2.1.3, 2.1.4).
    `authority`: actor key of the only authority that the asker may read.
    """
    wanted = select(statement.c.raw).where(
        statement.c.silo_id == silo_id,
        statement.c.id == asked.statement_id,
        statement.c.voided.is_(asked.voided),
    )
    if authority is not None:
        wanted = wanted.where(_said_by(silo_id, authority, statement.c.id))
    if not asked.with_answers:
        wanted = wanted.where(_is_no_answer(statement))
    raw = conn.execute(wanted).scalar()
    if raw is None:
        raise NotFound("no such statement" if not asked.voided else "no such voided statement")
    return str(raw)


def page(
    conn: Connection,
    silo_id: int,
    asked: Listing,
    *,
    through: datetime,
    authority: str | None = None,
    most: int | None = None,
) -> Page:
    """Return one page of statements, latest first unless ascending; shorter when it is over `most` bytes.

    `through`: the instant before which the store is consistent, asked before this call. A walk upwards
    stops there, since it would pass by rows that are committed late for ever; a walk downwards goes from
    the newest visible row and misses none that was visible when it began.
    `authority`: actor key of the only authority that the asker may read.
    """
    found = select(statement.c.stored, statement.c.id, func.length(statement.c.raw).label("size")).where(
        statement.c.silo_id == silo_id
    )
    keys = _keys(silo_id, asked, through, authority).subquery()
    found = found.join(keys, keys.c.id == statement.c.id)
    order = (
        (keys.c.stored.asc(), keys.c.id.asc())
        if asked.ascending
        else (keys.c.stored.desc(), keys.c.id.desc())
    )
    rows = conn.execute(found.order_by(*order).limit(asked.limit + 1)).all()
    # Sizes first: a thousand statements as large as a body may be would not fit in memory.
    total, count = 0, 0
    for row in rows[: asked.limit]:
        total += row.size
        if count and most is not None and total > most:
            break
        count += 1
    given = rows[:count]
    raw = _raw(conn, silo_id, [row.id for row in given])
    after = (given[-1].stored, given[-1].id) if len(rows) > count else None
    return Page([raw[row.id] for row in given], after)


def _raw(conn: Connection, silo_id: int, ids: list[str]) -> dict[str, str]:
    wanted = select(statement.c.id, statement.c.raw).where(
        statement.c.silo_id == silo_id, statement.c.id.in_(ids)
    )
    return {row.id: row.raw for row in conn.execute(wanted)} if ids else {}


def _keys(silo_id: int, asked: Listing, through: datetime, authority: str | None) -> Any:
    """Return SELECT stored, id of the rows of one page and one more."""
    own = _own_keys(silo_id, asked, through, authority)
    if not (asked.agent or asked.verb or asked.activity or asked.registration):
        return own
    through_targets = _target_keys(silo_id, asked, through, authority)
    both = union(select(own.subquery()), select(through_targets.subquery())).subquery()
    return _walk(select(both.c.stored, both.c.id), both.c.stored, both.c.id, asked, None)


def _own_keys(silo_id: int, asked: Listing, through: datetime, authority: str | None) -> Any:
    """Walk the statements that meet the filter themselves."""
    if asked.agent is not None:
        link: Any = statement_agent
        conditions = [link.c.agent == asked.agent]
        if not asked.related_agents:
            conditions.append(link.c.place.in_(_DIRECT_AGENT))
        rest = replace(asked, agent=None, verb=None)
    elif asked.activity is not None:
        link = statement_activity
        conditions = [link.c.activity == asked.activity]
        if not asked.related_activities:
            conditions.append(link.c.place == "object")
        rest = replace(asked, activity=None, verb=None)
    else:
        wanted = select(statement.c.stored, statement.c.id).where(
            statement.c.silo_id == silo_id, statement.c.voided.is_(False), *_meets(silo_id, asked, statement)
        )
        if authority is not None:
            wanted = wanted.where(_said_by(silo_id, authority, statement.c.id))
        return _walk(wanted, statement.c.stored, statement.c.id, asked, through)
    if asked.verb is not None:
        conditions.append(link.c.verb == asked.verb)
    # Distinct: an agent may stand at several places of one statement.
    wanted = (
        select(link.c.stored, link.c.statement_id.label("id"))
        .distinct()
        .join(
            statement,
            (statement.c.silo_id == link.c.silo_id) & (statement.c.id == link.c.statement_id),
        )
        .where(
            link.c.silo_id == silo_id,
            *conditions,
            statement.c.voided.is_(False),
            *_meets(silo_id, rest, statement),
        )
    )
    if authority is not None:
        wanted = wanted.where(_said_by(silo_id, authority, link.c.statement_id))
    return _walk(wanted, link.c.stored, link.c.statement_id, asked, through)


def _target_keys(silo_id: int, asked: Listing, through: datetime, authority: str | None) -> Any:
    """Walk the statements that refer, from near or far, to one that meets the filter, voided or not."""
    reference = statement_reference
    target = statement.alias("target")
    wanted = (
        select(reference.c.stored, reference.c.statement_id.label("id"))
        .distinct()
        .join(
            statement,
            (statement.c.silo_id == reference.c.silo_id) & (statement.c.id == reference.c.statement_id),
        )
        .join(target, (target.c.silo_id == reference.c.silo_id) & (target.c.id == reference.c.target_id))
        .where(
            reference.c.silo_id == silo_id,
            statement.c.voided.is_(False),
            *_meets(silo_id, asked, target),
        )
    )
    if not asked.with_answers:
        wanted = wanted.where(_is_no_answer(statement))
    if authority is not None:
        wanted = wanted.where(
            _said_by(silo_id, authority, reference.c.statement_id),
            _said_by(silo_id, authority, reference.c.target_id),
        )
    return _walk(wanted, reference.c.stored, reference.c.statement_id, asked, through)


def _meets(silo_id: int, asked: Listing, row: Any) -> list[ColumnElement[bool]]:
    """Return what a row of `statement` must meet, time apart; and that the asker may read it."""
    conditions: list[ColumnElement[bool]] = []
    if not asked.with_answers:
        conditions.append(_is_no_answer(row))
    if asked.verb is not None:
        conditions.append(row.c.verb == asked.verb)
    if asked.registration is not None:
        conditions.append(row.c.registration == asked.registration)
    if asked.activity is not None:
        link = statement_activity
        found = exists().where(
            link.c.silo_id == silo_id, link.c.statement_id == row.c.id, link.c.activity == asked.activity
        )
        conditions.append(found if asked.related_activities else found.where(link.c.place == "object"))
    if asked.agent is not None:
        agents = statement_agent
        found = exists().where(
            agents.c.silo_id == silo_id, agents.c.statement_id == row.c.id, agents.c.agent == asked.agent
        )
        conditions.append(found if asked.related_agents else found.where(agents.c.place.in_(_DIRECT_AGENT)))
    return conditions


def _is_no_answer(row: Any) -> ColumnElement[bool]:
    """Leave out what people answered to questionnaires, as `answers.record` recognises it."""
    return or_(row.c.verb != answers.ANSWERED, row.c.raw.not_like(f"%{answers.EXTENSION}%"))


def _said_by(silo_id: int, authority: str, statement_id: Any) -> ColumnElement[bool]:
    said = statement_agent.alias("said")
    return exists().where(
        said.c.silo_id == silo_id,
        said.c.statement_id == statement_id,
        said.c.agent == authority,
        said.c.place == "authority",
    )


def _walk(wanted: Any, stored: Any, key: Any, asked: Listing, through: datetime | None) -> Any:
    """Order by (stored, id) from where the last page ended, within since and until."""
    if asked.since is not None:
        wanted = wanted.where(stored > asked.since)
    if asked.until is not None:
        wanted = wanted.where(stored <= asked.until)
    if asked.ascending and through is not None:
        wanted = wanted.where(stored < through)
    if asked.after is not None:
        moment, statement_id = asked.after
        place = tuple_(literal(moment, Instant()), literal(statement_id, Uuid(as_uuid=False)))
        row = tuple_(stored, key)
        wanted = wanted.where(row > place if asked.ascending else row < place)
    order = (stored.asc(), key.asc()) if asked.ascending else (stored.desc(), key.desc())
    return wanted.order_by(*order).limit(asked.limit + 1)
