"""The resource /statements: POST, PUT, GET (xAPI 1.0.3 Communication 2.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection

from tool_config.database import transaction
from xapi import auth, formats, ingest, json_text, quarantine, query, statement, store, values
from xapi.errors import XapiError
from xapi.exchange import Answer, Exchange


def post(asked: Exchange) -> Answer:
    """Store a statement or an array of them; answered only once committed (2.1.2)."""
    auth.require(asked.credential.may_write(), "statements/write")
    asked.flat()
    return Answer(body=orjson.dumps(_store(asked, _json(asked))))


def put(asked: Exchange) -> Answer:
    """Store one statement under the id of the parameter (2.1.1)."""
    auth.require(asked.credential.may_write(), "statements/write")
    wanted = _put_id(asked)
    item = _json(asked)
    if isinstance(item, list):
        raise XapiError("PUT takes one statement, not an array")
    if isinstance(item, dict):
        given = item.get("id")
        if given is not None and (not isinstance(given, str) or given.lower() != wanted):
            raise XapiError("the id of the statement is not the parameter statementId")
        item = {**item, "id": wanted if given is None else given}
    _store(asked, item)
    return Answer(status=204)


def get(asked: Exchange) -> Answer:
    """Answer one statement, or a page of them (2.1.3)."""
    credential = asked.credential
    auth.require(credential.may_read_mine(), "statements/read")
    authority = None
    if not credential.may_read():
        authority = statement.actor_key(auth.authority(asked.settings.public_url, credential.key_id))
    with transaction(asked.engine, credential.silo_id, write=False) as conn:
        asked.consistent = store.consistent_through(conn, credential.silo_id, asked.clock())
        wanted = query.read({name: list(given) for name, given in asked.parameters.items()})
        languages = formats.accepted_languages(asked.header("Accept-Language"))
        if isinstance(wanted, query.Single):
            raw = query.one(conn, credential.silo_id, wanted, authority=authority)
            return _single(formats.formatted(raw, wanted.format, languages))
        page = query.page(conn, credential.silo_id, wanted, through=asked.consistent, authority=authority)
    prefix = urlsplit(asked.settings.public_url).path.rstrip("/")
    more = f"{prefix}/xapi/statements?more={query.cursor(wanted, page.after)}" if page.after else ""
    found = [formats.formatted(raw, wanted.format, languages) for raw in page.raw]
    body = '{"statements":[' + ",".join(found) + '],"more":' + orjson.dumps(more).decode() + "}"
    return Answer(body=body.encode())


def _single(raw: str) -> Answer:
    stored = datetime.fromisoformat(orjson.loads(raw)["stored"])
    return Answer(body=raw.encode(), headers={"Last-Modified": format_datetime(stored, usegmt=True)})


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


def _json(asked: Exchange) -> Any:
    """Read the body of a request that may write; raises XapiError on what is not JSON as sent."""
    if asked.content_type() != "application/json":
        raise XapiError(f"the content type must be application/json, not {asked.content_type()[:100]!r}")
    return json_text.load(asked.body())


def _store(asked: Exchange, value: Any) -> list[str]:
    """Store what a body says and return the ids; everything that needs no transaction is done before."""
    if asked.credential.repair is not None:
        return _store_repaired(asked, value if isinstance(value, list) else [value])
    parsed = statement.parse(value, asked.version)
    for position, item in enumerate(parsed):
        try:
            _need_file_urls(item)
        except XapiError as fault:
            fault.index = position
            raise

    def work(conn: Connection) -> list[str]:
        stored = _begin(asked, conn, parsed)
        return ingest.write(conn, asked.credential.silo_id, parsed, stored=stored, **_said_by(asked)).ids

    return asked.written(work)


def _store_repaired(asked: Exchange, items: list[Any]) -> list[str]:
    """Store what can be of a batch, keep the rest apart (keys with repairs)."""
    batch = quarantine.prepare(items, asked.version, check=_need_file_urls)

    def work(conn: Connection) -> list[str]:
        # Decided again at every attempt: what is set aside depends on what the store holds.
        fresh = [replace(one) for one in batch]
        stored = _begin(asked, conn, [one.statement for one in fresh if one.statement is not None])
        return quarantine.take(conn, asked.credential.silo_id, fresh, stored=stored, **_said_by(asked))

    return asked.written(work)


def _begin(asked: Exchange, conn: Connection, parsed: list[dict[str, Any]]) -> datetime:
    silo_id = asked.credential.silo_id
    stored = ingest.begin(conn, silo_id, parsed, asked.clock)
    asked.consistent = store.consistent_through(conn, silo_id, stored)
    return stored


def _said_by(asked: Exchange) -> dict[str, Any]:
    key_id = asked.credential.key_id
    return {
        "key_id": key_id,
        "authority": auth.authority(asked.settings.public_url, key_id),
        "version": asked.version,
    }


def _need_file_urls(item: dict[str, Any]) -> None:
    """Refuse attachments whose data is nowhere: this body carries none (Communication 1.5.1)."""
    target = item["object"]
    inner = target.get("attachments", ()) if target.get("objectType") == "SubStatement" else ()
    for attachment in (*item.get("attachments", ()), *inner):
        if "fileUrl" not in attachment:
            fault = XapiError("needs a fileUrl, since no attachment data is sent")
            fault.steps.append("attachments")
            raise fault
