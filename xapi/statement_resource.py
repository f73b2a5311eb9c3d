"""The resource /statements: POST, PUT, GET (xAPI 1.0.3 Communication 2.1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection

from tool_config.database import transaction
from xapi import (
    attachments,
    auth,
    filters,
    formats,
    ingest,
    json_text,
    multipart,
    quarantine,
    query,
    statement,
    store,
    values,
)
from xapi import batch as batches
from xapi.batch import Batch
from xapi.errors import XapiError
from xapi.exchange import Answer, Exchange
from xapi.multipart import Part
from xapi.quarantine import Received

#: A page is planned for the names and the instants that it asks for: a plan for any would walk, for each,
#: all that refers to something else in those instants.
_PLANNED = "SET LOCAL plan_cache_mode = force_custom_plan"


def post(asked: Exchange) -> Answer:
    """Store a statement or an array of them; answered only once committed (2.1.2)."""
    asked.flat()
    body = _read(asked)
    with batches.room_for(body.size):
        return Answer(body=orjson.dumps(_store(asked, body)))


def put(asked: Exchange) -> Answer:
    """Store one statement under the id of the parameter (2.1.1)."""
    wanted = _put_id(asked)
    body = _read(asked)
    if json_text.is_array(body.text):
        raise XapiError("PUT takes one statement, not an array")
    with batches.room_for(body.size):
        _store(asked, body, wanted)
    return Answer(status=204)


def get(asked: Exchange) -> Answer:
    """Answer one statement, or a page of them (2.1.3)."""
    credential = asked.credential
    authority = None
    if not credential.may_read():
        authority = statement.actor_key(auth.authority(asked.settings.public_url, credential.key_id))
    with transaction(asked.engine, credential.silo_id, write=False, opening=_PLANNED) as conn:
        asked.consistent = store.consistent_through(conn, credential.silo_id, asked.clock())
        said = filters.read({name: list(given) for name, given in asked.parameters.items()})
        wanted = replace(said, with_answers=credential.may_read_answers())
        if isinstance(wanted, filters.Single):
            raw = [query.one(conn, credential.silo_id, wanted, authority=authority)]
            page = query.Page(raw, None)
        else:
            page = query.page(
                conn,
                credential.silo_id,
                wanted,
                through=asked.consistent,
                authority=authority,
                most=asked.settings.max_body,
            )
        parts = None
        if wanted.attachments:
            page, parts = _with_attachments(asked, conn, page)
    languages = formats.accepted_languages(asked.header("Accept-Language"))
    found = [formats.formatted(raw, wanted.format, languages) for raw in page.raw]
    if isinstance(wanted, filters.Single):
        return _answered(found[0], parts, {"Last-Modified": _http_date(page.raw[0])})
    prefix = urlsplit(asked.settings.public_url).path.rstrip("/")
    more = f"{prefix}/xapi/statements?more={filters.cursor(wanted, page.after)}" if page.after else ""
    return _answered(
        '{"statements":[' + ",".join(found) + '],"more":' + orjson.dumps(more).decode() + "}", parts
    )


def _http_date(raw: str) -> str:
    return format_datetime(datetime.fromisoformat(orjson.loads(raw)["stored"]), usegmt=True)


def _answered(text: str, parts: list[Part] | None, headers: dict[str, str] | None = None) -> Answer:
    if parts is None:
        return Answer(body=text.encode(), headers=headers or {})
    boundary = secrets.token_hex(20)
    body = multipart.pieces(boundary, text.encode(), parts)
    return Answer(200, body, f"multipart/mixed; boundary={boundary}", headers or {})


def _with_attachments(asked: Exchange, conn: Connection, page: query.Page) -> tuple[query.Page, list[Part]]:
    """Return a page and the data of its attachments; what would be too much data is left to the next page."""
    silo_id, most = asked.credential.silo_id, asked.settings.max_body
    whole = [orjson.loads(raw) for raw in page.raw]
    hashes = [[item["sha2"].lower() for item, _ in attachments.of(one)] for one in whole]
    sizes = attachments.sizes(conn, silo_id, sorted({sha2 for some in hashes for sha2 in some}))
    chosen: dict[str, None] = {}
    total = 0
    for given, some in enumerate(hashes):
        fresh = dict.fromkeys(sha2 for sha2 in some if sha2 not in chosen)
        total += sum(sizes.get(sha2, 0) for sha2 in fresh)
        if given and total > most:
            last = whole[given - 1]
            page = query.Page(page.raw[:given], (datetime.fromisoformat(last["stored"]), last["id"]))
            break
        chosen.update(fresh)
    return page, attachments.read(conn, silo_id, list(chosen))


# --- writing ---------------------------------------------------------------------------------------------


def _put_id(asked: Exchange) -> str:
    given = asked.flat("statementId")
    if "statementId" not in given:
        raise XapiError("the parameter statementId is needed, once")
    try:
        values.uuid(given["statementId"])
    except XapiError as fault:
        raise XapiError(f"the parameter statementId {fault.reason}") from None
    return given["statementId"].lower()


@dataclass(frozen=True)
class _Body:
    """What a body says: the JSON of statements, and the data of attachments by hash."""

    text: bytes
    parts: Mapping[str, Part]

    @property
    def size(self) -> int:
        return len(self.text) + sum(len(part.body) for part in self.parts.values())


def _read(asked: Exchange) -> _Body:
    """Read the body of a request that may write; raises XapiError when it cannot be read."""
    kind = asked.content_type()
    if kind == "application/json":
        return _Body(asked.body(), {})
    if kind != "multipart/mixed":
        raise XapiError(f"the content type must be application/json or multipart/mixed, not {kind[:100]!r}")
    text, parts = multipart.read(asked.header("Content-Type") or "", asked.body())
    return _Body(text, parts)


def _store(asked: Exchange, body: _Body, wanted: str | None = None) -> list[str]:
    """Store what a body says and return the ids; everything that needs no transaction is done before.

    `wanted`: the id that its one statement is to have.
    """
    if asked.credential.repair is not None:
        return _store_repaired(asked, body, wanted)
    seen: set[str] = set()

    def look(value: Any) -> list[dict[str, Any]]:
        parsed = statement.parse(_identified(value, wanted), asked.version)
        for position, item in enumerate(parsed):
            try:
                attachments.check(item, body.parts, asked.version)
            except XapiError as fault:
                fault.index = position
                raise
        ingest.refuse_twice(parsed, seen)
        return parsed

    batch = Batch(body.text, look=look, again=lambda items: items, refers=ingest.refers)
    attachments.require_used(batch, body.parts)

    def work(conn: Connection, stored: datetime) -> list[str]:
        attachments.keep(conn, asked.credential.silo_id, batch, body.parts, stored)
        silo_id, said = asked.credential.silo_id, {"stored": stored, **_said_by(asked)}
        if batch.only is not None:
            return ingest.write(conn, silo_id, batch.only, attempted=True, **said).ids
        return ingest.write_lots(conn, silo_id, batch.lots(), **said).ids

    return _written(asked, work, alone=batch.refers)


def _identified(value: Any, wanted: str | None) -> Any:
    """Give a statement the id wanted of it; raises XapiError when it has another."""
    if wanted is None or not isinstance(value, dict):
        return value
    given = value.get("id")
    if given is not None and (not isinstance(given, str) or given.lower() != wanted):
        raise XapiError("the id of the statement is not the parameter statementId")
    return {**value, "id": wanted if given is None else given}


def _store_repaired(asked: Exchange, body: _Body, wanted: str | None) -> list[str]:
    """Store what can be of a batch, keep the rest apart (keys with repairs)."""
    silo_id = asked.credential.silo_id

    def look(value: Any) -> list[Received]:
        value = _identified(value, wanted)
        return quarantine.prepare(
            value if isinstance(value, list) else [value],
            asked.version,
            check=lambda item: attachments.check(item, body.parts, asked.version),
        )

    def good(lot: Iterable[Received]) -> Iterator[dict[str, Any]]:
        return (one.statement for one in lot if one.statement is not None)

    batch = Batch(body.text, look=look, again=look, refers=lambda lot: ingest.refers(good(lot)))

    def work(conn: Connection, stored: datetime) -> list[str]:
        # Those of the statements kept apart too: they may be replayed.
        attachments.keep(conn, silo_id, good(batch), body.parts, stored)
        # Decided again at every attempt: what is set aside depends on what the store holds.
        fresh = ([replace(one) for one in lot] for lot in batch.lots())
        return quarantine.take(conn, silo_id, fresh, stored=stored, **_said_by(asked))

    return _written(asked, work, alone=batch.refers)


def _written(asked: Exchange, work: Callable[[Connection, datetime], list[str]], *, alone: bool) -> list[str]:
    """Do the work of a write, given the instant to store at, in a transaction that announced itself."""
    silo_id = asked.credential.silo_id

    def announced(conn: Connection) -> list[str]:
        stored = store.stored_at(conn, silo_id, asked.clock())
        asked.consistent = store.lately_consistent(conn, silo_id, stored)
        return work(conn, stored)

    return asked.written(announced, opening=lambda: store.announcement(silo_id, asked.clock(), alone=alone))


def _said_by(asked: Exchange) -> dict[str, Any]:
    key_id = asked.credential.key_id
    return {
        "key_id": key_id,
        "authority": auth.authority(asked.settings.public_url, key_id),
        "version": asked.version,
    }
