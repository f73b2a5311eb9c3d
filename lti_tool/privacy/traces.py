"""Statements of somebody erased: theirs deleted, those of others said again without them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, or_, select, update

from lti_tool.privacy import scanning
from lti_tool.privacy.whose import Person
from xapi import answers, cutting, debriefs, events, statement, store
from xapi.cutting import NOBODY
from xapi.document_tables import attachment
from xapi.forward_tables import forward_dead
from xapi.tables import statement as table
from xapi.tables import statement_activity, statement_agent, statement_reference

#: Statements of one look-up.
_CHUNK = 500


def erase(conn: Connection, person: Person, *, mark: str) -> tuple[int, int]:
    """Erase somebody from the statements; return how many went, and how many of others stay without them.

    Found by the links of statements to agents, whatever the number of statements of the silo.
    """
    link = statement_agent.c
    query = (
        select(link.statement_id)
        .distinct()
        .where(link.silo_id == person.silo_id, link.agent.in_(sorted(person.keys)))
    )
    ids = sorted(str(one) for one in conn.scalars(query))
    gone = cut = 0
    for start in range(0, len(ids), _CHUNK):
        here = table.c.silo_id == person.silo_id, table.c.id.in_(ids[start : start + _CHUNK])
        rows = [dict(row) for row in conn.execute(select(table).where(*here)).mappings()]
        theirs: list[str] = []
        for row in rows:
            left = _without(orjson.loads(row["raw"]), person, mark)
            if left is None:
                theirs.append(str(row["id"]))
            else:
                _say_again(conn, row, left)
                cut += 1
        forget(conn, person.silo_id, theirs)
        gone += len(theirs)
    return gone, cut


def _without(said: dict[str, Any], person: Person, mark: str) -> dict[str, Any] | None:
    """Return a statement without somebody, their names taken from its texts; None when it is theirs."""

    def erased(agent: Any) -> bool:
        return statement.actor_key(agent) in person.keys

    if debriefs.is_debrief(said) and erased(said["actor"]):
        # What a group said stays; nobody is told to have written it down.
        said = {**said, "actor": NOBODY}
    left = cutting.cut(said, erased)
    if left is None:
        return None
    for name in ("object", "result", "context"):
        if name in left:
            left[name] = scanning.without(left[name], person, mark=mark)
    return left


def _say_again(conn: Connection, row: dict[str, Any], left: dict[str, Any]) -> None:
    """Write a statement in its new words, with its links and what is drawn from it."""
    silo_id, key = row["silo_id"], str(row["id"])
    speaker = statement.actor_key(left["actor"])
    changed = {"raw": orjson.dumps(left).decode(), "actor": speaker}
    conn.execute(update(table).where(table.c.silo_id == silo_id, table.c.id == row["id"]).values(changed))
    named = statement_agent.c
    conn.execute(delete(statement_agent).where(named.silo_id == silo_id, named.statement_id == row["id"]))
    shared = {"silo_id": silo_id, "statement_id": key, "stored": row["stored"], "verb": row["verb"]}
    links = [{**shared, "agent": one, "place": place} for one, place in sorted(statement.links(left).agents)]
    store.add_links(conn, links, [])
    if row["voided"]:
        return
    again = [{**row, **changed}]
    if speaker != row["actor"]:
        events.forget(conn, silo_id, [key])
        events.record(conn, silo_id, again, {row["id"]: left})
    debriefs.forget(conn, silo_id, [key])
    debriefs.record(conn, silo_id, again)


def forget(conn: Connection, silo_id: int, ids: Sequence[str]) -> None:
    """Delete statements, with everything that goes by their numbers: answers, events, links."""
    if not ids:
        return
    answers.forget(conn, silo_id, ids)
    debriefs.forget(conn, silo_id, ids)
    events.forget(conn, silo_id, ids)
    for one in (statement_agent, statement_activity, forward_dead):
        conn.execute(delete(one).where(one.c.silo_id == silo_id, one.c.statement_id.in_(ids)))
    reference = statement_reference.c
    either = or_(reference.statement_id.in_(ids), reference.target_id.in_(ids))
    conn.execute(delete(statement_reference).where(reference.silo_id == silo_id, either))
    conn.execute(delete(table).where(table.c.silo_id == silo_id, table.c.id.in_(ids)))


def forget_files(conn: Connection, silo_id: int, named: Collection[str]) -> int:
    """Delete those of some contents (SHA-2) that no statement names any more; return how many.

    Statements are not indexed by what they bring: where such contents are kept, one pass reads all of those
    that bring any.
    """
    a = attachment.c
    kept = select(a.sha2).where(a.silo_id == silo_id, a.sha2.in_(sorted(named)))
    hashes = sorted(conn.scalars(kept)) if named else []
    gone = 0
    for start in range(0, len(hashes), 50):
        some = hashes[start : start + 50]
        naming = select(table.c.raw).where(
            table.c.silo_id == silo_id,
            table.c.raw.contains('"attachments"'),
            or_(*(func.lower(table.c.raw).contains(sha2) for sha2 in some)),
        )
        still: set[str] = set()
        for raw in conn.scalars(naming.execution_options(yield_per=_CHUNK)):
            still |= {sha2 for sha2 in some if sha2 in raw.lower()}
        here = a.sha2.in_([sha2 for sha2 in some if sha2 not in still])
        gone += conn.execute(delete(attachment).where(a.silo_id == silo_id, here)).rowcount
    return gone
