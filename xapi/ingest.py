"""The only door that writes statements: validate, complete, insert, link, void, draw events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Connection

from xapi import answers, events, json_text, statement, store, values
from xapi.errors import Conflict, XapiError
from xapi.identity import TOOL


@dataclass(frozen=True)
class Written:
    """What became of a batch."""

    #: In the order of the batch.
    ids: list[str]
    #: Those that were not there yet.
    new: frozenset[str]


def ingest(
    conn: Connection,
    silo_id: int,
    batch: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    key_id: str = "",
    authority: Mapping[str, Any] | None = None,
    version: str = "1.0.3",
) -> list[str]:
    """Validate and store statements; return their ids in order.

    `now` is read just before the call. Without `authority` a statement keeps its own (a trusted source:
    an import, the tool itself). Raises XapiError with the position and the path of the faulty property,
    Conflict when an id is taken by a different statement; the transaction is then to be rolled back.
    """
    parsed = statement.parse(list(batch), version)
    store.announce(conn, silo_id, now, alone=refers(parsed))
    moment = store.stored_at(conn, silo_id, now)
    return write(
        conn, silo_id, parsed, stored=moment, key_id=key_id, authority=authority, version=version
    ).ids


def begin(
    conn: Connection, silo_id: int, batch: Sequence[Mapping[str, Any]], clock: Callable[[], datetime]
) -> datetime:
    """Announce a batch in its fresh transaction and return the instant to store it at."""
    return store.begin(conn, silo_id, clock, alone=refers(batch))


def refers(batch: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a statement of the batch has another as its object."""
    return any(item["object"].get("objectType") == "StatementRef" for item in batch)


def write(
    conn: Connection,
    silo_id: int,
    parsed: Sequence[Mapping[str, Any]],
    *,
    stored: datetime,
    key_id: str = "",
    authority: Mapping[str, Any] | None = None,
    version: str = "1.0.3",
) -> Written:
    """Store statements that `statement.parse` has validated, at an instant that `begin` gave."""
    ids = _ids(parsed)
    text = values.utc_text(stored)
    made: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for position, (item, statement_id) in enumerate(zip(parsed, ids, strict=True)):
        whole = statement.completed(
            item,
            statement_id=statement_id,
            stored=text,
            authority=authority or item.get("authority") or TOOL,
            version=version,
        )
        made.append((_row(silo_id, statement_id, whole, stored, key_id, position), whole))
    order = sorted(range(len(ids)), key=ids.__getitem__)
    new = store.add(conn, [made[place][0] for place in order])
    _compare(conn, silo_id, {ids[place]: parsed[place] for place in order if ids[place] not in new}, ids)
    fresh = {ids[place]: made[place][0] for place in order if ids[place] in new}
    if fresh:
        _link(conn, silo_id, [made[place] for place in order if ids[place] in new])
        # What got its id just now has been named by nobody yet.
        named = [ids[place] for place, item in enumerate(parsed) if "id" in item and ids[place] in new]
        said = {row["id"]: whole for row, whole in made}
        _void_and_draw(conn, silo_id, fresh, named, said)
    return Written(ids, frozenset(new))


def _ids(parsed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the id of each statement, made where none is given; refuse two equal ones."""
    ids: list[str] = []
    seen: set[str] = set()
    for position, item in enumerate(parsed):
        given = item.get("id")
        statement_id = str(uuid4()) if given is None else given.lower()
        if statement_id in seen:
            raise XapiError("two statements of the batch have the same id", index=position)
        seen.add(statement_id)
        ids.append(statement_id)
    return ids


def _row(
    silo_id: int, statement_id: str, whole: dict[str, Any], stored: datetime, key_id: str, position: int
) -> dict[str, Any]:
    """Return the row of `statement` for a completed statement."""
    try:
        raw = orjson.dumps(whole)
    except TypeError as error:
        raise XapiError(f"cannot be written as JSON: {error}", index=position) from None
    if json_text.says_nul(raw):
        raise XapiError("holds the character NUL", index=position)
    target = whole["object"]
    kind = target.get("objectType", "Activity")
    registration = (whole.get("context") or {}).get("registration")
    return {
        "silo_id": silo_id,
        "id": statement_id,
        "stored": stored,
        "timestamp": statement.instant_of(whole),
        "verb": whole["verb"]["id"],
        "actor": statement.actor_key(whole["actor"]),
        "activity": target["id"] if kind == "Activity" else None,
        "registration": registration.lower() if registration else None,
        "refers_to": target["id"].lower() if kind == "StatementRef" else None,
        "voided": False,
        "key_id": key_id,
        "raw": raw.decode(),
    }


def _compare(
    conn: Connection, silo_id: int, again: Mapping[str, Mapping[str, Any]], ids: Sequence[str]
) -> None:
    """Refuse a statement that differs from the one kept under its id (Communication 2.1.1, 2.1.2)."""
    if not again:
        return
    for key, raw in store.kept(conn, silo_id, again).items():
        if not statement.equivalent(again[key], orjson.loads(raw)):
            raise Conflict(f"the id {key} is taken by a different statement", index=ids.index(key))


def _link(
    conn: Connection, silo_id: int, fresh: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Write whom and what new statements name; `fresh`: (row, completed statement)."""
    people: dict[str, tuple[Mapping[str, Any], datetime]] = {}
    # A part at a time: the links of a large batch would take more memory than its statements.
    for start in range(0, len(fresh), store.CHUNK):
        agents: list[dict[str, Any]] = []
        activities: list[dict[str, Any]] = []
        for row, whole in fresh[start : start + store.CHUNK]:
            found = statement.links(whole)
            shared = {
                "silo_id": silo_id,
                "statement_id": row["id"],
                "stored": row["stored"],
                "verb": row["verb"],
            }
            agents += ({**shared, "agent": agent, "place": place} for agent, place in sorted(found.agents))
            activities += (
                {**shared, "activity": iri, "place": place} for iri, place in sorted(found.activities)
            )
            for who, agent in found.people.items():
                known = people.get(who)
                named = "name" in agent
                if known is None or (named and ("name" not in known[0] or known[1] <= row["timestamp"])):
                    people[who] = (agent, row["timestamp"])
        store.add_links(conn, agents, activities)
    store.know(conn, silo_id, people)


def _void_and_draw(
    conn: Connection,
    silo_id: int,
    fresh: Mapping[str, Mapping[str, Any]],
    named: Sequence[str],
    said: Mapping[str, Mapping[str, Any]],
) -> None:
    """Apply references and voiding in both orders of arrival, then draw the events of what stands.

    `fresh`: rows by id; `named`: those whose id came with them, which statements that came before may
    name; `said`: completed statements by id.
    """
    targets: list[str] = []
    for key, row in fresh.items():
        if row["refers_to"] is not None:
            store.refer(conn, silo_id, key, row["refers_to"], row["stored"])
            if row["verb"] == statement.VOIDED:
                targets.append(row["refers_to"])
    voided = store.void(conn, silo_id, named, targets)
    standing = [row for key, row in fresh.items() if key not in voided]
    events.record(conn, silo_id, standing, said)
    answers.record(conn, silo_id, standing)
    gone = sorted(voided - fresh.keys())
    if gone:
        events.forget(conn, silo_id, gone)
        answers.forget(conn, silo_id, gone)
