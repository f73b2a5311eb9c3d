"""Few statements that are new: one look-up, and all their rows in one exchange with the server.

New are those that got their ids here, and those whose ids are found to be of no statement and of no voided
one. Most that come are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tool_config.database import Rows, leaving, write_last, write_together
from xapi import answers, debriefs, events, store, tables, tombstones

#: Statements of one exchange; those of a larger batch go a table at a time.
MOST = 100


def write(
    conn: Connection,
    silo_id: int,
    made: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    agents: Sequence[Mapping[str, Any]],
    activities: Sequence[Mapping[str, Any]],
    people: Mapping[str, tuple[Mapping[str, Any], datetime]],
    beside: Sequence[Rows] = (),
    known: store.Known | None = None,
    given: Sequence[str] = (),
    ending: bool = False,
) -> bool:
    """Write (row, completed statement) of each, with the rows of whom and what they name; draw their events.

    False, with nothing written, when one of the ids `given` by the sender is taken or voided, or when one of
    those named was erased. A writer who
    takes one of them at the same moment makes this one fail (a unique violation). The statements name no
    other: for `xapi.ingest`, which makes sure of it. `beside`: rows of the caller's own, in other tables;
    `known`: what it has looked up already. `ending`: nothing is done after it in this transaction.
    """
    rows = [row for row, _ in made]
    found, courses = events.drawn_rows(silo_id, rows, {row["id"]: whole for row, whole in made})
    speakers = {row["spoken_by"] for row in found}
    if known is None or given or not speakers <= known.asked:
        known = store.known(conn, silo_id, people, speakers, courses, given)
    if known.taken:
        return False
    named = {one["agent"] for one in agents}
    if known.secret and tombstones.buried(conn, silo_id, named, secret=known.secret):
        return False
    events.counted(found, known.aliases)
    answers.record(conn, silo_id, rows)
    debriefs.record(conn, silo_id, rows)
    (write_last if ending else write_together)(
        conn,
        [
            *beside,
            # Those first, which the server then writes last: others who name the same wait for this commit.
            Rows(tables.actor, store.named_rows(silo_id, people, known.names), store.naming),
            Rows(tables.course, [courses[key] for key in sorted(courses.keys() - known.courses)], leaving),
            Rows(tables.statement, rows),
            Rows(tables.statement_agent, agents),
            Rows(tables.statement_activity, activities),
            Rows(tables.event, found),
            Rows(tables.rollup_pending, events.pending_rows(silo_id, events.touched(found))),
        ],
    )
    return True
