"""Statements that get their ids here: all rows at once, and the same rows as any other statement's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from tests.factories import traces
from tests.factories.statements import referring
from tool_config.database import Rows, metadata, transaction
from xapi import store, tables
from xapi.ingest import ingest

#: What is the statement's own, or drawn at random.
_OWN = ("silo_id", "id", "statement_id", "raw", "pending_id", "course_id")


def drawn(engine: Engine, silo_id: int, name: str) -> list[str]:
    """Return the rows of a table, but for what differs from one statement to another."""
    table = metadata.tables[name]
    wanted = select(*(each for each in table.c if each.name not in _OWN)).where(table.c.silo_id == silo_id)
    with transaction(engine, silo_id, write=False) as conn:
        return sorted(str(tuple(row)) for row in conn.execute(wanted))


def test_they_leave_the_rows_of_any_other(engine: Engine, silo: int, second_silo: int, clock: Any) -> None:
    said = [
        traces.statement("3", traces.VIEWED, traces.page(1), clock()),
        traces.statement("4", traces.COMPLETED, traces.page(1), clock() + timedelta(minutes=5)),
        traces.statement("3", traces.VIEWED, traces.course(), clock() - timedelta(days=1)),
    ]
    said[0]["actor"]["name"] = "Ada"
    bare = [{name: value for name, value in item.items() if name != "id"} for item in said]
    for _ in range(2):  # nothing known, then everybody and everything known
        with transaction(engine, silo) as conn:
            ingest(conn, silo, bare, now=clock())
        with transaction(engine, second_silo) as conn:
            given = [{**item, "id": str(uuid4())} for item in bare]
            ingest(conn, second_silo, given, now=clock())
        for name in ("statement", "statement_agent", "statement_activity", "actor", "event", "course"):
            mine, theirs = drawn(engine, silo, name), drawn(engine, second_silo, name)
            if name == "course":
                assert len(mine) == len(theirs) == 1
            else:
                assert mine == theirs != [], name
        assert set(drawn(engine, silo, "rollup_pending")) == set(drawn(engine, second_silo, "rollup_pending"))
        clock.advance(seconds=1)


def test_rows_of_the_caller_go_with_them_or_not_at_all(engine: Engine, silo: int, clock: Any) -> None:
    alias = {"silo_id": silo, "alias": "a" * 32, "actor": "b" * 32}
    bare = traces.statement("3", traces.VIEWED, traces.page(1), clock())
    bare.pop("id", None)
    with store.announced(engine, silo, clock) as conn:
        beside = [Rows(tables.actor_alias, [alias])]
        ingest(conn, silo, [bare], now=clock(), announced=True, beside=beside)
        conn.rollback()
    assert drawn(engine, silo, "actor_alias") == drawn(engine, silo, "statement") == []
    with store.announced(engine, silo, clock) as conn:
        ingest(conn, silo, [bare], now=clock(), announced=True, beside=[Rows(tables.actor_alias, [alias])])
    assert len(drawn(engine, silo, "actor_alias")) == len(drawn(engine, silo, "event")) == 1


def test_readers_go_no_further_than_what_is_announced(engine: Engine, silo: int, clock: Any) -> None:
    began = clock()
    with store.announced(engine, silo, clock) as conn:
        clock.advance(seconds=5)
        with transaction(engine, silo, write=False) as reading:
            assert store.consistent_through(reading, silo, clock()) <= began
        bare = traces.statement("3", traces.VIEWED, traces.page(1), began)
        bare.pop("id", None)
        ingest(conn, silo, [bare], now=clock(), announced=True)
        about = referring("11111111-1111-4111-8111-111111111111")
        with pytest.raises(ValueError, match="alone"):
            ingest(conn, silo, [about], now=clock(), announced=True)
