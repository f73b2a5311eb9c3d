"""A batch of many parts is one batch: one transaction, one order, faults by their place in the whole."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select

from tests.factories.statements import headers, statement, voiding
from tool_config.database import transaction
from xapi import auth, batch, json_text, tables

PATH = "/xapi/statements"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "PART", 2_000)
    monkeypatch.setattr(batch, "LARGEST_STATEMENT", 4_000)


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock()))


@pytest.fixture
def repairing(engine: Engine, silo: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock(), repair="moodle"))


def kept(engine: Engine, silo: int) -> int:
    with transaction(engine, silo, write=False) as conn:
        return conn.execute(select(func.count()).select_from(tables.statement)).scalar_one()


def test_ids_are_answered_in_order(client: Any, engine: Engine, silo: int, key: Any) -> None:
    said = [statement() for _ in range(40)]
    without = [17, 39]
    sent = [{**one, "id": None} if place in without else one for place, one in enumerate(said)]
    sent = [{name: value for name, value in one.items() if value is not None} for one in sent]
    answer = client.post(PATH, json=sent, headers=key)
    assert answer.status_code == 200
    assert [one for place, one in enumerate(answer.json) if place not in without] == [
        one["id"] for place, one in enumerate(said) if place not in without
    ]
    assert len(set(answer.json)) == kept(engine, silo) == 40
    # Sent again, those that have their id are there already.
    assert client.post(PATH, json=sent, headers=key).status_code == 200
    assert kept(engine, silo) == 42


def test_a_fault_in_the_last_part_refuses_all(client: Any, engine: Engine, silo: int, key: Any) -> None:
    said = [statement() for _ in range(40)]
    taken = statement()
    assert client.post(PATH, json=taken, headers=key).status_code == 200
    for last, code, path in (
        (statement(result={"response": 7}), 400, "[40].result.response"),
        ({**said[3], "id": said[3]["id"].upper()}, 400, "[40]"),
        (statement(id=taken["id"], result={"response": "other"}), 409, "[40]"),
        (statement(result={"response": "x" * 5_000}), 413, "[40]"),
    ):
        answer = client.post(PATH, json=[*said, last], headers=key)
        assert (answer.status_code, answer.json["path"]) == (code, path), answer.data
        assert kept(engine, silo) == 1


def test_what_a_part_voids_may_be_in_another(client: Any, key: Any) -> None:
    early, late = statement(), statement()
    between = [statement() for _ in range(20)]
    batch_of_three = [early, voiding(late["id"]), *between, late, voiding(early["id"])]
    assert client.post(PATH, json=batch_of_three, headers=key).status_code == 200
    for one in (early, late):
        for name, code in (("statementId", 404), ("voidedStatementId", 200)):
            assert client.get(PATH, query_string={name: one["id"]}, headers=key).status_code == code


def test_repairs_in_every_part(client: Any, engine: Engine, silo: int, repairing: Any) -> None:
    good = [statement(result={"response": None}) for _ in range(30)]
    bad = [statement(id=str(uuid4()), result={"response": number}) for number in (7, 8)]
    sent = [bad[0], *good, bad[1], good[0]]
    answer = client.post(PATH, json=sent, headers=repairing)
    assert answer.status_code == 200
    assert answer.json == [one["id"] for one in sent]
    assert kept(engine, silo) == 30
