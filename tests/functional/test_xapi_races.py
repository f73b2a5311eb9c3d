"""A statement that somebody else stores between the look-up of a batch and its rows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from tests.factories.statements import headers, statement, voiding
from tool_config.database import transaction
from xapi import auth, store
from xapi.ingest import ingest
from xapi.tables import event, statement_agent
from xapi.tables import statement as statements

POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture
def late(engine: Engine, silo: int, clock: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what is stored by somebody else just after the next look-up."""
    waiting: list[dict[str, Any]] = []
    look = store.known

    def known(*arguments: Any) -> store.Known:
        found = look(*arguments)
        while waiting:
            with transaction(engine, silo) as other:
                ingest(other, silo, [waiting.pop()], now=clock())
        return found

    monkeypatch.setattr(store, "known", known)
    return waiting


def post(client: Any, engine: Engine, silo: int, clock: Any, said: list[dict[str, Any]]) -> Any:
    with transaction(engine, silo) as conn:
        key = auth.issue_key(conn, silo, ["all"], now=clock())
    return client.post("/xapi/statements", headers=headers(key), json=said)


def counts(engine: Engine, silo: int) -> list[int]:
    with transaction(engine, silo, write=False) as conn:
        return [
            conn.execute(select(func.count()).select_from(table).where(table.c.silo_id == silo)).scalar_one()
            for table in (statements, statement_agent)
        ]


@POSTGRESQL
def test_the_same_is_stored_once(client: Any, engine: Engine, silo: int, clock: Any, late: list[Any]) -> None:
    said = [statement(), statement()]
    late.append(said[1])
    answer = post(client, engine, silo, clock, said)
    assert (answer.status_code, answer.json) == (200, [one["id"] for one in said])
    assert counts(engine, silo) == [2, 4]


@POSTGRESQL
def test_another_is_a_conflict_and_nothing_of_the_batch_stays(
    client: Any, engine: Engine, silo: int, clock: Any, late: list[Any]
) -> None:
    said = [statement(), statement()]
    late.append({**said[1], "result": {"response": "other"}})
    answer = post(client, engine, silo, clock, said)
    assert answer.status_code == 409
    assert said[1]["id"] in answer.json["error"]
    assert counts(engine, silo) == [1, 2]


def test_what_was_voided_before_it_came_is_voided(client: Any, engine: Engine, silo: int, clock: Any) -> None:
    said = [statement(), statement()]
    assert post(client, engine, silo, clock, [voiding(said[0]["id"])]).status_code == 200
    clock.advance(seconds=1)
    assert post(client, engine, silo, clock, said).status_code == 200
    with transaction(engine, silo, write=False) as conn:
        voided = select(statements.c.id).where(statements.c.silo_id == silo, statements.c.voided)
        assert list(conn.scalars(voided)) == [said[0]["id"]]
        drawn = select(event.c.statement_id).where(event.c.silo_id == silo)
        assert said[0]["id"] not in list(conn.scalars(drawn))
