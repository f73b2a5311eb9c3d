"""Keys with repairs: what Moodle sends goes in whole, what cannot be mended is kept apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, select

from lti_tool.cli import main
from tests.factories.statements import headers, statement
from tool_config.database import transaction
from xapi import auth, quarantine
from xapi.errors import NotFound, XapiError
from xapi.tables import event
from xapi.tables import statement as rows

PATH = "/xapi/statements"


@pytest.fixture
def repairing(engine: Engine, silo: int, clock: Any) -> tuple[str, str]:
    with transaction(engine, silo) as conn:
        return auth.issue_key(conn, silo, ["all"], now=clock(), repair="moodle")


@pytest.fixture
def key(repairing: tuple[str, str]) -> dict[str, str]:
    return headers(repairing)


@pytest.fixture
def real(shared_data: Path) -> list[dict[str, Any]]:
    found = json.loads((shared_data / "moodle-4.5.6" / "statements.json").read_text())
    assert len(found) == 35
    return list(found)


def _counted(engine: Engine, silo: int, key_id: str) -> dict[str, int]:
    with transaction(engine, silo, write=False) as conn:
        return quarantine.repairs(conn, silo, key_id)


def _everything(engine: Engine, silo: int) -> tuple[Any, ...]:
    with transaction(engine, silo, write=False) as conn:
        return (
            conn.execute(select(rows.c.id, rows.c.raw).order_by(rows.c.id)).all(),
            conn.scalar(select(func.count()).select_from(event)),
            quarantine.count(conn, silo),
        )


def test_what_moodle_sends_goes_in(
    client: Any, engine: Engine, silo: int, clock: Any, key: Any, repairing: Any, real: Any
) -> None:
    with transaction(engine, silo) as conn:
        strict = headers(auth.issue_key(conn, silo, ["all"], now=clock()))
    refused = client.post(PATH, json=real, headers=strict)
    assert (refused.status_code, refused.json["path"].endswith("result.response")) == (400, True)
    assert _everything(engine, silo)[0] == []

    answer = client.post(PATH, json=real, headers=key)
    assert answer.status_code == 200
    assert len(set(answer.json)) == 35
    before = _everything(engine, silo)
    assert (len(before[0]), before[2]) == (35, 0)
    assert _counted(engine, silo, repairing[0]) == {"id": 35, "null": 1, "scaled": 1, "version": 35}
    nulled = next(
        place
        for place, item in enumerate(real)
        if (item.get("result") or {"response": 0}).get("response", 0) is None
    )
    kept = client.get(PATH, query_string={"statementId": answer.json[nulled]}, headers=key).json
    assert "response" not in kept["result"]
    assert kept["result"]["extensions"] == real[nulled]["result"]["extensions"]
    scored = next(item for item in real if "score" in (item.get("result") or {}))
    kept = client.get(PATH, query_string={"statementId": answer.json[real.index(scored)]}, headers=key).json
    assert kept["result"]["score"]["scaled"] == scored["result"]["score"]["scaled"]

    clock.advance(hours=1)
    again = client.post(PATH, json=real, headers=key)
    assert again.json == answer.json
    assert _everything(engine, silo) == before
    assert _counted(engine, silo, repairing[0]) == {"id": 35, "null": 1, "scaled": 1, "version": 35}


def test_one_bad_statement_costs_the_others_nothing(
    client: Any, engine: Engine, silo: int, key: Any, repairing: Any
) -> None:
    good, more = statement(id=None), statement()
    bad = statement(id=None, verb={"id": "not an IRI"})
    named = statement(actor={"name": "nobody"})
    hollow = statement(result={"extensions": {"http://x.test/e": "\0"}})
    batch = [bad, good, named, more, None, 7, hollow, {}]
    answer = client.post(PATH, json=batch, headers=key)
    assert answer.status_code == 200
    assert len(answer.json) == len(set(answer.json)) == 8
    assert (answer.json[2], answer.json[3]) == (named["id"], more["id"])
    with transaction(engine, silo, write=False) as conn:
        apart = quarantine.listed(conn, silo)
        assert {row.statement_id for row in apart} == {answer.json[place] for place in (0, 2, 4, 5, 6, 7)}
        reasons = {row.statement_id: row.reason for row in apart}
        assert "verb.id" in reasons[answer.json[0]]
        assert "NUL" in reasons[hollow["id"]]
    assert _counted(engine, silo, repairing[0])["quarantined"] == 6
    before = _everything(engine, silo)
    assert len(before[0]) == 2
    assert client.post(PATH, json=batch, headers=key).json == answer.json
    assert _everything(engine, silo) == before
    assert _counted(engine, silo, repairing[0])["quarantined"] == 6


def test_equal_ids_and_ids_that_are_taken(client: Any, engine: Engine, silo: int, key: Any) -> None:
    said = statement()
    other = {**said, "result": {"success": True}}
    answer = client.post(PATH, json=[said, other, said], headers=key)
    assert (answer.status_code, answer.json) == (200, [said["id"]] * 3)
    third, fresh = {**said, "result": {"success": False}}, statement()
    assert client.post(PATH, json=[third, fresh], headers=key).json == [said["id"], fresh["id"]]
    kept = client.get(PATH, query_string={"statementId": said["id"]}, headers=key).json
    assert "result" not in kept
    with transaction(engine, silo, write=False) as conn:
        reasons = sorted(row.reason for row in quarantine.listed(conn, silo))
    assert reasons == [
        "another statement of the batch has the same id",
        "its id is taken by a different statement",
    ]


def test_without_a_timestamp_nothing_is_taken_for_the_same(
    client: Any, engine: Engine, silo: int, key: Any
) -> None:
    said = statement(id=None, timestamp=None)
    ids = (
        client.post(PATH, json=[said, said], headers=key).json
        + client.post(PATH, json=said, headers=key).json
    )
    assert len(set(ids)) == 3
    said = statement(id=None)
    ids = (
        client.post(PATH, json=[said, said], headers=key).json
        + client.post(PATH, json=said, headers=key).json
    )
    assert len(set(ids)) == 1


def test_put_with_repairs(client: Any, key: Any) -> None:
    wanted = {"statementId": str(uuid4())}
    said = statement(id=None, result={"response": None})
    assert client.put(PATH, json=said, query_string=wanted, headers=key).status_code == 204
    assert client.get(PATH, query_string=wanted, headers=key).json["result"] == {}
    assert client.put(PATH, json=[said], query_string=wanted, headers=key).status_code == 400


def test_replay_and_delete(
    client: Any, engine: Engine, silo: int, clock: Any, key: Any, repairing: Any, monkeypatch: Any
) -> None:
    bad = statement(id=None, result={"response": 7})
    [answered] = client.post(PATH, json=bad, headers=key).json
    with transaction(engine, silo, write=False) as conn:
        [row] = quarantine.listed(conn, silo)

    def replay() -> str:
        with transaction(engine, silo) as conn:
            return quarantine.replay(
                conn,
                silo,
                row.quarantine_id,
                clock=clock,
                authority=lambda key_id: auth.authority("https://estime.test", key_id),
            )

    with pytest.raises(XapiError, match="response"):
        replay()
    with transaction(engine, silo, write=False) as conn:
        assert quarantine.count(conn, silo) == 1
    # A later version of the rules takes it.
    monkeypatch.setattr("xapi.repair.statement.validate", lambda *_: None)
    assert replay() == answered
    kept = client.get(PATH, query_string={"statementId": answered}, headers=key).json
    assert kept["authority"]["account"]["name"] == repairing[0]
    assert _everything(engine, silo)[2] == 0
    with transaction(engine, silo) as conn, pytest.raises(NotFound):
        quarantine.remove(conn, silo, row.quarantine_id)
    with transaction(engine, silo) as conn, pytest.raises(NotFound):
        quarantine.remove(conn, silo, "x")


def test_from_the_command_line(
    client: Any, engine: Engine, key: Any, repairing: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", engine.url.render_as_string(hide_password=False))

    def estime(*words: str, code: int = 0) -> Any:
        done = CliRunner().invoke(main, [*words, "--silo", "essai"])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.stderr

    batch = [statement(id=None, result={"response": number}) for number in (7, 8, None)]
    ids = client.post(PATH, json=batch, headers=key).json
    shown = estime("key", "show", repairing[0])
    assert shown["repair"] == "moodle"
    assert shown["repaired"] == {"id": 1, "null": 1, "quarantined": 2, "version": 1}
    assert repairing[1] not in json.dumps(shown)
    assert "no key" in estime("key", "show", "unknown", code=1)

    listed = estime("quarantine", "list")
    assert listed["count"] == 2
    assert {item["statement_id"] for item in listed["statements"]} == set(ids[:2])
    first = listed["statements"][0]
    assert estime("quarantine", "show", first["id"])["body"]["result"]["response"] in (7, 8)
    replayed = estime("quarantine", "replay", "--all")
    assert (replayed["stored"], len(replayed["refused"])) == ([], 2)
    assert estime("quarantine", "delete", first["id"])["deleted"] == [first["id"]]
    assert "nothing is in quarantine" in estime("quarantine", "show", first["id"], code=1)
    estime("quarantine", "delete", code=2)
    estime("quarantine", "delete", "--all")
    assert estime("quarantine", "list") == {"silo": "essai", "count": 0, "statements": []}
