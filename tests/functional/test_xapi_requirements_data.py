"""Requirements on statements by number, over HTTP, in both versions (tables in requirements_data)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from lti_tool.app import create_app
from tests.conftest import SECRET_KEY
from tests.factories.statements import agent, headers, referring, statement, voiding
from tests.functional.requirements import requirement
from tests.functional.requirements_data import CASES, FULL, SUB, UUID, Case, changed
from tool_config import silos
from tool_config.database import administration, open_engine, transaction
from tool_config.settings import Settings
from xapi import auth
from xapi.errors import XapiError
from xapi.statement import parse

PATH = "/xapi/statements"
VERSIONS = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any) -> tuple[str, str]:
    with transaction(engine, silo) as conn:
        return auth.issue_key(conn, silo, ["all"], now=clock())


@pytest.fixture(scope="module")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """Yield a client and a key of one store for every number: a hundred stores would take a minute."""
    path = tmp_path_factory.mktemp("requirements") / "estime.db"
    shutil.copy(sqlite_template, path)
    store, now = open_engine(f"sqlite:///{path}"), datetime(2026, 11, 21, 8, tzinfo=UTC)
    with administration(store) as conn:
        silo_id = silos.add(conn, "essai", now=now)
    with transaction(store, silo_id) as conn:
        key = auth.issue_key(conn, silo_id, ["all"], now=now)
    settings = Settings(data_dir=path.parent, secret_key=SECRET_KEY, public_url="https://estime.test")
    yield create_app(settings, engine=store, clock=lambda: now).test_client(), key
    store.dispose()


@requirement(*CASES)
@VERSIONS
@pytest.mark.parametrize("number", CASES, ids="XAPI-{:05d}".format)
def test_statements(served: tuple[Any, Any], number: int, version: str) -> None:
    """Every change of the table is accepted or refused as it says; a refusal stores nothing."""
    client, key = served
    given = headers(key, version)
    cases = CASES[number]
    for case in cases:
        if case.accepted:
            parse(case.statement, version)
            continue
        assert is_refused(case, version), case.what
    good = [dict(case.statement, id=str(uuid4())) for case in cases if case.accepted]
    assert not good or client.post(PATH, json=good, headers=given).status_code == 200
    # One of each property is enough over HTTP: the rest is the same code.
    for case in {case.what.partition(" = ")[0]: case for case in cases if not case.accepted}.values():
        answer = client.post(PATH, json=case.statement, headers=given)
        assert answer.status_code == 400, (case.what, answer.data)
        assert answer.json["error"]
        said = case.statement.get("id")
        if isinstance(said, str) and said != UUID and number not in (27, 28, 29, 30):
            asked = {"statementId": said}
            assert client.get(PATH, query_string=asked, headers=given).status_code == 404


def is_refused(case: Case, version: str) -> bool:
    try:
        parse(case.statement, version)
    except XapiError as fault:
        return bool(str(fault))
    return False


def read(client: Any, given: dict[str, str], statement_id: str) -> Any:
    answer = client.get(PATH, query_string={"statementId": statement_id}, headers=given)
    assert answer.status_code == 200
    return answer.json


@requirement(2, 14, 15, 122)
@VERSIONS
def test_what_is_stored_is_what_was_said(client: Any, key: tuple[str, str], version: str) -> None:
    given = headers(key, version)
    for base in (FULL, SUB):
        said = changed(base, {})
        assert client.post(PATH, json=said, headers=given).status_code == 200
        found = read(client, given, said["id"])
        for name in said:
            if name not in ("timestamp", "context"):
                assert found[name] == said[name], name
    numbers = {"scaled": 0.1, "raw": 3.14159265358979, "min": -1e-7, "max": 16777217.5}
    words = "été 漢字 🙂 \u202fא"
    said = changed(FULL, {"result.score": numbers, "result.response": words})
    said["timestamp"] = "2026-11-20T10:00:00.123456Z"
    client.post(PATH, json=said, headers=given)
    found = read(client, given, said["id"])
    assert (found["result"]["score"], found["result"]["response"]) == (numbers, words)
    assert found["timestamp"].startswith("2026-11-20T10:00:00.123")


@requirement(16, 18)
def test_voiding(client: Any, key: tuple[str, str]) -> None:
    given = headers(key)
    said = statement()
    client.post(PATH, json=said, headers=given)
    voider = voiding(said["id"])
    client.post(PATH, json=voider, headers=given)
    assert client.get(PATH, query_string={"statementId": said["id"]}, headers=given).status_code == 404
    found = client.get(PATH, query_string={"voidedStatementId": said["id"]}, headers=given)
    assert found.json["id"] == said["id"]
    # Voiding what voids changes nothing.
    assert client.post(PATH, json=voiding(voider["id"]), headers=given).status_code in (200, 400)
    assert read(client, given, voider["id"])["id"] == voider["id"]
    assert client.get(PATH, query_string={"statementId": said["id"]}, headers=given).status_code == 404


@requirement(23, 26, 97, 99)
@VERSIONS
def test_what_the_store_adds(client: Any, key: tuple[str, str], clock: Any, version: str) -> None:
    given = headers(key, version)
    lying = "2001-01-01T00:00:00.000Z"
    [made] = client.post(PATH, json=statement(id=None, stored=lying), headers=given).json
    wanted = {"statementId": str(uuid4())}
    assert client.put(PATH, json=statement(id=None), query_string=wanted, headers=given).status_code == 204
    for statement_id in (made, wanted["statementId"]):
        found = read(client, given, statement_id)
        assert found["id"] == statement_id
        stored = datetime.fromisoformat(found["stored"])
        assert abs((stored - clock()).total_seconds()) < 60
        assert stored.tzinfo == UTC
        assert found["authority"] == {
            "objectType": "Agent",
            "account": {"homePage": "https://estime.test", "name": key[0]},
        }


@requirement(96)
@VERSIONS
def test_context_activities_are_arrays(client: Any, key: tuple[str, str], version: str) -> None:
    given = headers(key, version)
    alone = {name: {"id": f"http://x.test/{name}"} for name in ("parent", "grouping", "category", "other")}
    for base, path in ((FULL, "context"), (SUB, "object.context")):
        said = changed(base, {f"{path}.contextActivities": alone})
        client.post(PATH, json=said, headers=given)
        found = read(client, given, said["id"])
        context = found["context"] if base is FULL else found["object"]["context"]
        assert context["contextActivities"] == {name: [item] for name, item in alone.items()}


@requirement(101, 330, 332)
def test_versions_of_statements(client: Any, key: tuple[str, str]) -> None:
    for version, said, kept in (
        ("1.0.3", None, "1.0.0"),
        ("1.0.3", "1.0.2", "1.0.2"),
        ("2.0.0", None, "2.0.0"),
        ("2.0.0", "2.0.0", "2.0.0"),
        ("2.0.0", "1.0.1", "1.0.1"),
    ):
        given = headers(key, version)
        one = statement(version=said)
        assert client.post(PATH, json=one, headers=given).status_code == 200
        assert read(client, given, one["id"])["version"] == kept
    assert client.post(PATH, json=statement(version="2.0.0"), headers=headers(key)).status_code == 400


@requirement(14)
def test_of_2_0_alone(client: Any, key: tuple[str, str]) -> None:
    """contextAgents and contextGroups, RFC 3339, two equal ids in a batch (IEEE 9274.1.1)."""
    modern, before = headers(key, "2.0.0"), headers(key)
    who = {"objectType": "contextAgent", "agent": agent("coach"), "relevantTypes": ["http://x.test/role"]}
    team = {"objectType": "Group", "member": [agent("m")]}
    they = {"objectType": "contextGroup", "group": team, "relevantTypes": ["http://x.test/role"]}
    good = changed(FULL, {"context.contextAgents": [who], "context.contextGroups": [they]})
    assert client.post(PATH, json=good, headers=modern).status_code == 200
    assert client.post(PATH, json=changed(good, {}), headers=before).status_code == 400
    for name, item, part in (("contextAgents", who, "agent"), ("contextGroups", they, "group")):
        for wrong in (
            {**item, "objectType": "Agent"},
            {**item, "relevantTypes": []},
            {**item, "relevantTypes": ["no iri"]},
            {**item, part: {}},
            {**item, "extra": 1},
            {name: value for name, value in item.items() if name != part},
        ):
            refused = client.post(PATH, json=changed(FULL, {f"context.{name}": [wrong]}), headers=modern)
            assert refused.status_code == 400, wrong
    one = statement()
    assert client.post(PATH, json=[one, one], headers=modern).status_code == 400
    for text, code in (("2026-11-20", 400), ("20261120T100000Z", 400), ("2026-11-20T10:00:00+02:00", 200)):
        said = statement(timestamp=text)
        assert client.post(PATH, json=said, headers=modern).status_code == code, text
        if code == 200:
            assert read(client, modern, said["id"])["timestamp"].startswith("2026-11-20T08:00:00")


@requirement(142)
def test_references_are_kept(client: Any, key: tuple[str, str]) -> None:
    given = headers(key)
    target = statement()
    client.post(PATH, json=[target, referring(target["id"])], headers=given)
    found = client.get(PATH, query_string={"activity": target["object"]["id"]}, headers=given).json
    assert len(found["statements"]) == 2
