"""GET /statements: what is asked for -> one SQL expression over the link tables -> a page.

A page is a walk of one index in (stored, id) order: the link table of the agent or of the activity when
one is asked for, else `statement`; the other filters are probes by primary key. Statements that refer to
one that meets the filter are a second walk, of `statement_reference`, merged with the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
)

from tool_config.database import Instant
from xapi import answers
from xapi.errors import NotFound
from xapi.filters import Listing, Single
from xapi.tables import statement, statement_activity, statement_agent, statement_reference

_DIRECT_AGENT = ("actor", "member", "object")


@dataclass(frozen=True)
class Page:
    """Stored JSON of statements in order, and where the next page begins (None: no more)."""

    raw: list[str]
    after: tuple[datetime, str] | None


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
    given = {name: value for name in _VALUES if (value := getattr(asked, name)) is not None}
    if asked.after is not None:
        given["moment"], given["last"] = asked.after
    if authority is not None:
        given["authority"] = authority
    shape = frozenset((*given, *(name for name in _FLAGS if getattr(asked, name))))
    if asked.ascending:
        given["through"] = through
    given |= {"silo": silo_id, "most": _UNBOUNDED if most is None else most}
    wanted = _page(shape, asked.limit, conn.dialect.name == "postgresql")
    rows = conn.execute(wanted, given).all()
    raw = [row.raw for row in rows[: asked.limit] if row.raw is not None]
    last = rows[len(raw) - 1] if len(rows) > len(raw) else None
    return Page(raw, None if last is None else (last.stored, str(last.id)))


#: What a filter gives to the SQL, each a parameter of it; and what changes the SQL itself.
_VALUES = ("agent", "verb", "activity", "registration", "since", "until")
_FLAGS = ("related_agents", "related_activities", "ascending", "with_answers")
_UNBOUNDED = 1 << 62


@lru_cache(maxsize=300)
def _page(shape: frozenset[str], limit: int, is_server: bool) -> Any:
    """Return SELECT stored, id, raw of the rows of one page and one more.

    Made once for all the listings that give the same parameters: to make it costs more than to answer it.
    Without its text: what is over `most` bytes, all before it included, but the first row. The limit is
    written out, so that a plan made for no value in particular still walks an index and stops.
    """
    asked, silo_id, authority = _template(shape, limit), bindparam("silo", type_=Integer), None
    if "authority" in shape:
        authority = bindparam("authority", type_=Text)
    keys = _keys(silo_id, asked, bindparam("through", type_=Instant()), authority).subquery()
    # PostgreSQL knows the bytes of a text without reading it.
    size = (func.octet_length if is_server else func.length)(statement.c.raw)
    order = (
        (keys.c.stored.asc(), keys.c.id.asc())
        if asked.ascending
        else (keys.c.stored.desc(), keys.c.id.desc())
    )
    total = func.sum(size).over(order_by=order, rows=(None, 0))
    # As text at once: to read a hundred UUIDs takes longer than all the rest of the rows.
    key = cast(keys.c.id, Text) if is_server else keys.c.id
    fits = or_(total == size, total <= bindparam("most", type_=BigInteger))
    return (
        select(keys.c.stored, key.label("id"), case((fits, statement.c.raw)).label("raw"))
        .join(statement, (statement.c.silo_id == silo_id) & (statement.c.id == keys.c.id))
        .order_by(*order)
    )


def _template(shape: frozenset[str], limit: int) -> Listing:
    """Return a listing with parameters of SQL for values."""
    types: dict[str, Any] = {"registration": Uuid(as_uuid=False), "since": Instant(), "until": Instant()}
    values: dict[str, Any] = {
        name: bindparam(name, type_=types.get(name, Text())) for name in _VALUES if name in shape
    }
    if "last" in shape:
        values["after"] = (
            bindparam("moment", type_=Instant()),
            bindparam("last", type_=Uuid(as_uuid=False)),
        )
    values |= {name: name in shape for name in _FLAGS}
    return Listing(**values, limit=limit)


def _keys(silo_id: Any, asked: Listing, through: Any, authority: Any) -> Any:
    """Return SELECT stored, id of the rows of one page and one more."""
    own = _own_keys(silo_id, asked, through, authority)
    if all(value is None for value in (asked.agent, asked.verb, asked.activity, asked.registration)):
        return own
    own = own.cte("own")
    # Of a person or an activity there are few: their statements are looked for, then what refers to them.
    edge = _edge(own, asked) if asked.agent is None and asked.activity is None else None
    through_targets = _target_keys(silo_id, asked, through, edge, authority)
    both = union(select(own), select(through_targets.subquery())).subquery()
    return _walk(select(both.c.stored, both.c.id), both.c.stored, both.c.id, asked, None)


def _edge(own: Any, asked: Listing) -> Any:
    """Return the instant beyond which no other walk is needed: the last of `own`, if it fills the page."""
    last: Any = func.max(own.c.stored) if asked.ascending else func.min(own.c.stored)
    never = (datetime.max if asked.ascending else datetime.min).replace(tzinfo=UTC)
    is_full = func.count() > literal_column(str(asked.limit))
    wanted = select(func.coalesce(case((is_full, last)), literal(never, Instant()))).select_from(own)
    return wanted.scalar_subquery()


def _own_keys(silo_id: Any, asked: Listing, through: Any, authority: Any) -> Any:
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


def _target_keys(silo_id: Any, asked: Listing, through: Any, edge: Any, authority: Any) -> Any:
    """Walk the statements that refer, from near or far, to one that meets the filter, voided or not.

    `edge`: what is stored beyond it is not looked at; None: all is.
    """
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
    if edge is not None:
        wanted = wanted.where(reference.c.stored <= edge if asked.ascending else reference.c.stored >= edge)
    return _walk(wanted, reference.c.stored, reference.c.statement_id, asked, through)


def _meets(silo_id: Any, asked: Listing, row: Any) -> list[ColumnElement[bool]]:
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


def _said_by(silo_id: Any, authority: Any, statement_id: Any) -> ColumnElement[bool]:
    said = statement_agent.alias("said")
    return exists().where(
        said.c.silo_id == silo_id,
        said.c.statement_id == statement_id,
        said.c.agent == authority,
        said.c.place == "authority",
    )


def _walk(wanted: Any, stored: Any, key: Any, asked: Listing, through: Any) -> Any:
    """Order by (stored, id) from where the last page ended, within since and until."""
    if asked.since is not None:
        wanted = wanted.where(stored > asked.since)
    if asked.until is not None:
        wanted = wanted.where(stored <= asked.until)
    if asked.ascending and through is not None:
        wanted = wanted.where(stored < through)
    if asked.after is not None:
        place = tuple_(*asked.after)
        row = tuple_(stored, key)
        wanted = wanted.where(row > place if asked.ascending else row < place)
    order = (stored.asc(), key.asc()) if asked.ascending else (stored.desc(), key.desc())
    return wanted.order_by(*order).limit(literal_column(str(asked.limit + 1)))
