"""Few statements that got their ids here: one look-up, and all their rows in one exchange with the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tool_config.database import Rows, leaving, write_together
from xapi import answers, debriefs, events, store, tables

#: Statements of one exchange; those of a larger batch go a table at a time.
MOST = 50


def write(
    conn: Connection,
    silo_id: int,
    made: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    agents: Sequence[Mapping[str, Any]],
    activities: Sequence[Mapping[str, Any]],
    people: Mapping[str, tuple[Mapping[str, Any], datetime]],
    beside: Sequence[Rows],
    known: store.Known | None,
) -> None:
    """Write (row, completed statement) of each, with the rows of whom and what they name; draw their events.

    Nobody can have sent these statements before, nor named them, and they name no other: for
    `xapi.ingest`, which makes sure of it. `beside`: rows of the caller's own, in other tables; `known`:
    what it has looked up already.
    """
    rows = [row for row, _ in made]
    found, courses = events.drawn_rows(silo_id, rows, {row["id"]: whole for row, whole in made})
    speakers = {row["spoken_by"] for row in found}
    if known is None or not speakers <= known.asked:
        known = store.known(conn, silo_id, people, speakers, courses)
    events.counted(found, known.aliases)
    write_together(
        conn,
        [
            *beside,
            Rows(tables.statement, rows),
            Rows(tables.statement_agent, agents),
            Rows(tables.statement_activity, activities),
            Rows(tables.actor, store.named_rows(silo_id, people, known.names), store.naming),
            Rows(tables.course, [courses[key] for key in sorted(courses.keys() - known.courses)], leaving),
            Rows(tables.event, found, leaving),
            Rows(tables.rollup_pending, events.pending_rows(silo_id, events.touched(found))),
        ],
    )
    answers.record(conn, silo_id, rows)
    debriefs.record(conn, silo_id, rows)
