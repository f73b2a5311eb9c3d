"""The only door that writes statements: validate, complete, insert, link, void, draw events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Connection

from tool_config.database import Rows, write_together
from xapi import answers, cutting, debriefs, events, fresh, json_text, statement, store, tombstones, values
from xapi.errors import Conflict, XapiError
from xapi.identity import TOOL

#: Actor key -> (agent, timestamp of the statement that names it).
People = dict[str, tuple[Mapping[str, Any], datetime]]


@dataclass(frozen=True)
class Written:
    """What became of a batch."""

    #: In the order of the batch.
    ids: list[str]
    #: Those that were not there yet.
    new: frozenset[str]
    #: Statements of people who were erased: answered like the others, of which nothing is kept.
    buried: int = 0


def ingest(
    conn: Connection,
    silo_id: int,
    batch: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    key_id: str = "",
    authority: Mapping[str, Any] | None = None,
    version: str = "1.0.3",
    announced: bool = False,
    beside: Sequence[Rows] = (),
    known: store.Known | None = None,
    ending: bool = False,
) -> list[str]:
    """Validate and store statements; return their ids in order.

    `now` is read just before the call; in a transaction that announced itself (`store.announced`), since
    it began. `beside`: rows of the caller's own that go to the server with those of the batch; `known`:
    what the caller has looked up in this transaction of those who speak and of their course; `ending`:
    what it still does depends on none of these rows, which may go with the end of it. Without
    `authority` a statement keeps its own (a trusted source: an import, the tool itself). Raises XapiError
    with the position and the path of the faulty property, Conflict when an id is taken by a different
    statement; the transaction is then to be rolled back.
    """
    parsed = statement.parse(list(batch), version)
    naming = refers(parsed)
    if not announced:
        store.announce(conn, silo_id, now, alone=naming)
    elif naming:
        raise ValueError("a statement about another is to be announced alone")
    moment = store.stored_at(conn, silo_id, now)
    if len(parsed) <= fresh.MOST and not naming and not any("id" in item for item in parsed):
        # Nobody can have sent or named what gets its id here: nothing is compared, nothing voided.
        ids = _ids(parsed)
        made = _made(silo_id, parsed, ids, moment, key_id, authority, version)
        agents, activities, people = _named(made)
        if fresh.write(conn, silo_id, made, agents, activities, people, beside, known, ending=ending):
            return ids
        parsed = [{"id": key, **item} for key, item in zip(ids, parsed, strict=True)]
    write_together(conn, beside)
    return write(
        conn, silo_id, parsed, stored=moment, key_id=key_id, authority=authority, version=version
    ).ids


def begin(
    conn: Connection, silo_id: int, batch: Iterable[Mapping[str, Any]], clock: Callable[[], datetime]
) -> datetime:
    """Announce a batch in its fresh transaction and return the instant to store it at."""
    return store.begin(conn, silo_id, clock, alone=refers(batch))


def refers(batch: Iterable[Mapping[str, Any]]) -> bool:
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
    attempted: bool = False,
) -> Written:
    """Store statements that `statement.parse` has validated, at an instant that `begin` gave.

    `attempted`: the caller does nothing more in its transaction, and does the whole of it again after a
    unique violation. Few statements that seem to be new may then go all at once, with its end.
    """
    if attempted and len(parsed) <= fresh.MOST and not refers(parsed):
        ids = _ids(parsed)
        made = _made(silo_id, parsed, ids, stored, key_id, authority, version)
        # In the order of their ids, so that two batches never deadlock.
        made.sort(key=lambda one: one[0]["id"])
        given = [key for key, item in zip(ids, parsed, strict=True) if "id" in item]
        if fresh.write(conn, silo_id, made, *_named(made), given=given, ending=True):
            return Written(ids, frozenset(ids))
    return write_lots(
        conn, silo_id, [parsed], stored=stored, key_id=key_id, authority=authority, version=version
    )


def write_lots(
    conn: Connection,
    silo_id: int,
    lots: Iterable[Sequence[Mapping[str, Any]]],
    *,
    stored: datetime,
    key_id: str = "",
    authority: Mapping[str, Any] | None = None,
    version: str = "1.0.3",
) -> Written:
    """Store the validated statements of one batch, which is read a lot at a time; no id comes twice."""
    ids: list[str] = []
    new: set[str] = set()
    people: People = {}
    buried = 0
    for lot in lots:
        try:
            written = _write_lot(conn, silo_id, lot, people, stored, key_id, authority, version)
        except XapiError as fault:
            if fault.index is not None:
                fault.index += len(ids)
            raise
        ids += written.ids
        new |= written.new
        buried += written.buried
    # All at once, in the order of their keys, so that two batches never deadlock.
    store.know(conn, silo_id, people)
    return Written(ids, frozenset(new), buried)


def _write_lot(
    conn: Connection,
    silo_id: int,
    parsed: Sequence[Mapping[str, Any]],
    people: People,
    stored: datetime,
    key_id: str,
    authority: Mapping[str, Any] | None,
    version: str,
) -> Written:
    """Store one lot; adds whom it names to `people`."""
    every = _ids(parsed)
    left = tombstones.filtered(conn, silo_id, parsed)
    places = [place for place, item in enumerate(left) if item is not None]
    parsed = [item for item in left if item is not None]
    ids = [every[place] for place in places]
    tombstones.count(conn, silo_id, key_id, len(every) - len(ids), stored)
    try:
        made = _made(silo_id, parsed, ids, stored, key_id, authority, version)
    except XapiError as fault:
        if fault.index is not None:
            fault.index = places[fault.index]
        raise
    order = sorted(range(len(ids)), key=ids.__getitem__)
    new = store.add(conn, [made[place][0] for place in order])
    _compare(conn, silo_id, {ids[place]: parsed[place] for place in order if ids[place] not in new}, every)
    fresh = {ids[place]: made[place][0] for place in order if ids[place] in new}
    if fresh:
        _link(conn, silo_id, [made[place] for place in order if ids[place] in new], people)
        # What got its id just now has been named by nobody yet.
        named = [ids[place] for place, item in enumerate(parsed) if "id" in item and ids[place] in new]
        said = {row["id"]: whole for row, whole in made}
        _void_and_draw(conn, silo_id, fresh, named, said)
    return Written(every, frozenset(new), len(every) - len(ids))


def _ids(parsed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the id of each statement, made where none is given; refuse two equal ones."""
    refuse_twice(parsed, set())
    return [str(uuid4()) if "id" not in item else item["id"].lower() for item in parsed]


def refuse_twice(parsed: Sequence[Mapping[str, Any]], seen: set[str]) -> None:
    """Refuse a statement that has the id of another, or one of those `seen` before; adds to them."""
    for position, item in enumerate(parsed):
        given = item.get("id")
        if given is None:
            continue
        if given.lower() in seen:
            raise XapiError("two statements of the batch have the same id", index=position)
        seen.add(given.lower())


def _made(
    silo_id: int,
    parsed: Sequence[Mapping[str, Any]],
    ids: Sequence[str],
    stored: datetime,
    key_id: str,
    authority: Mapping[str, Any] | None,
    version: str,
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return (row, completed statement) of each statement."""
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
    return made


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
        if not statement.equivalent(again[key], orjson.loads(raw)) and cutting.ERASED not in raw:
            raise Conflict(f"the id {key} is taken by a different statement", index=ids.index(key))


def _link(
    conn: Connection,
    silo_id: int,
    some: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    people: People,
) -> None:
    """Write whom and what new statements name; `some`: (row, completed statement)."""
    # A part at a time: the links of a large batch would take more memory than its statements.
    for start in range(0, len(some), store.CHUNK):
        agents, activities, _ = _named(some[start : start + store.CHUNK], people)
        store.add_links(conn, agents, activities)


def _named(
    made: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], people: People | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], People]:
    """Return rows of agents, rows of activities, and `people` with those whom these statements name."""
    people = {} if people is None else people
    agents: list[dict[str, Any]] = []
    activities: list[dict[str, Any]] = []
    for row, whole in made:
        found = statement.links(whole)
        shared = {
            "silo_id": row["silo_id"],
            "statement_id": row["id"],
            "stored": row["stored"],
            "verb": row["verb"],
        }
        agents += ({**shared, "agent": agent, "place": place} for agent, place in sorted(found.agents))
        activities += ({**shared, "activity": iri, "place": place} for iri, place in sorted(found.activities))
        for who, agent in found.people.items():
            known = people.get(who)
            named = "name" in agent
            if known is None or (named and ("name" not in known[0] or known[1] <= row["timestamp"])):
                people[who] = (agent, row["timestamp"])
    return agents, activities, people


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
    debriefs.record(conn, silo_id, standing)
    gone = sorted(voided - fresh.keys())
    if gone:
        events.forget(conn, silo_id, gone)
        answers.forget(conn, silo_id, gone)
        debriefs.forget(conn, silo_id, gone)
