"""The statement resource over HTTP: keys, scopes, verbs of HTTP, refusals."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from tests.factories.statements import agent, headers, statement, voiding
from tool_config.database import transaction
from tool_config.tables import lrs_key
from xapi import auth

Issue = Callable[..., tuple[str, str]]
PATH = "/xapi/statements"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def issue(engine: Engine, silo: int, clock: Any) -> Issue:
    def make(*scopes: str, silo_id: int = silo) -> tuple[str, str]:
        with transaction(engine, silo_id) as conn:
            return auth.issue_key(conn, silo_id, scopes or ("all",), now=clock())

    return make


@pytest.fixture
def key(issue: Issue) -> dict[str, str]:
    return headers(issue("all"))


def test_post_one_many_then_get(client: Any, key: Any) -> None:
    one, two, three = statement(), statement(id=None), statement()
    assert client.post(PATH, json=one, headers=key).json == [one["id"]]
    answer = client.post(PATH, json=[two, three], headers=key)
    assert answer.status_code == 200
    assert answer.json[1] == three["id"]
    found = client.get(PATH, query_string={"statementId": answer.json[0]}, headers=key)
    assert found.json["actor"] == two["actor"]
    assert found.json["authority"]["account"]["homePage"] == "https://estime.test"
    assert found.headers["Last-Modified"]
    listed = client.get(PATH, headers=key).json
    assert {item["id"] for item in listed["statements"]} == {one["id"], *answer.json}
    assert listed["more"] == ""


def test_every_answer_says_its_version(client: Any, key: Any) -> None:
    for version, said in (("1.0", "1.0.3"), ("1.0.1", "1.0.3"), ("2.0.0", "2.0.0")):
        answer = client.get(PATH, headers={**key, "X-Experience-API-Version": version})
        assert (answer.status_code, answer.headers["X-Experience-API-Version"]) == (200, said)
        assert answer.headers["X-Experience-API-Consistent-Through"].endswith("Z")
    for version in ("0.9", "1.1.0", "2.1", "3.0", "", "x"):
        answer = client.get(PATH, headers={**key, "X-Experience-API-Version": version})
        assert answer.status_code == 400
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    answer = client.get(PATH, headers={"Authorization": key["Authorization"]})
    assert answer.status_code == 400
    assert client.get("/xapi/about").json == {"version": ["1.0.3", "2.0.0"]}


def test_put(client: Any, key: Any) -> None:
    said = statement(id=None)
    wanted = {"statementId": str(uuid4())}
    assert client.put(PATH, json=said, query_string=wanted, headers=key).status_code == 204
    assert client.put(PATH, json=said, query_string=wanted, headers=key).status_code == 204
    other = {**said, "result": {"success": True}}
    assert client.put(PATH, json=other, query_string=wanted, headers=key).status_code == 409
    assert client.put(PATH, json=statement(), query_string=wanted, headers=key).status_code == 400
    assert client.put(PATH, json=said, headers=key).status_code == 400
    assert client.put(PATH, json=[said], query_string=wanted, headers=key).status_code == 400
    assert "result" not in client.get(PATH, query_string=wanted, headers=key).json


def test_head_is_get_without_its_body(client: Any, key: Any) -> None:
    client.post(PATH, json=statement(), headers=key)
    answer = client.head(PATH, headers=key)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Type"] == "application/json"
    assert client.head(PATH, query_string={"limit": "x"}, headers=key).status_code == 400


def test_other_methods_and_resources(client: Any, key: Any) -> None:
    answer = client.delete(PATH, headers=key)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    for path in ("/xapi/activities/other", "/xapi/nothing", "/xapi/"):
        answer = client.get(path, headers=key)
        assert (answer.status_code, answer.is_json) == (404, True)


def test_a_conflict_rolls_the_batch_back(client: Any, key: Any) -> None:
    said, fresh = statement(), statement()
    client.post(PATH, json=said, headers=key)
    answer = client.post(PATH, json=[fresh, {**said, "result": {"completion": True}}], headers=key)
    assert (answer.status_code, answer.json["path"]) == (409, "[1]")
    assert client.get(PATH, query_string={"statementId": fresh["id"]}, headers=key).status_code == 404


def test_the_faulty_property_is_named(client: Any, key: Any) -> None:
    bad = statement(actor={"mbox": "mailto:a@b.test", "openid": "https://b.test"})
    answer = client.post(PATH, json=[statement(), bad], headers=key)
    assert answer.status_code == 400
    assert answer.json["path"] == "[1].actor"
    assert "mbox" in answer.json["error"]


NOT_STATEMENTS = [
    b"",
    b"{",
    b"null",
    b"3",
    b'"text"',
    b"[[]]",
    b"[null]",
    b'{"actor":{"mbox":"mailto:a@b.test"},"actor":{"mbox":"mailto:a@b.test"}}',
    b'{"a":1,"\\u0061":2}',
    b'{"actor": NaN}',
    b'{"actor": 1e999}',
    b"\xff\xfe{}",
    b'{"actor":"\xc3"}',
    b"\xef\xbb\xbf{}",
    b"[" * 5_000 + b"]" * 5_000,
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{"actor":"\\ud800"}',
    b"9" * 10_000,
]


def test_what_is_not_a_statement_is_400(client: Any, key: Any) -> None:
    for body in NOT_STATEMENTS:
        answer = client.post(PATH, data=body, content_type="application/json", headers=key)
        assert (answer.status_code, answer.is_json) == (400, True), body[:40]


def test_duplicate_keys_nul_and_depth_inside_extensions(client: Any, key: Any) -> None:
    plain = orjson.dumps(statement(result={"extensions": {"http://x.test/e": "HERE"}}))
    for inside in (b'{"k":1,"k":1}', b'"\\u0000"', b"[" * 200 + b"]" * 200):
        body = plain.replace(b'"HERE"', inside)
        answer = client.post(PATH, data=body, content_type="application/json", headers=key)
        assert answer.status_code == 400, inside[:20]
    for inside in (b'{"k":{"k":1}}', b'":\\":"', b'"\\\\u0000"', b"null", b'{"":[{}]}'):
        body = plain.replace(b'"HERE"', inside)
        body = body.replace(orjson.loads(plain)["id"].encode(), str(uuid4()).encode())
        answer = client.post(PATH, data=body, content_type="application/json", headers=key)
        assert answer.status_code == 200, inside


def test_bodies_over_the_limit_and_of_other_types(client: Any, key: Any, settings: Any) -> None:
    big = b" " * (settings.max_body + 1)
    answer = client.post(PATH, data=big, content_type="application/json", headers=key)
    assert (answer.status_code, answer.is_json) == (413, True)
    body = orjson.dumps(statement())
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x", ""):
        assert client.post(PATH, data=body, content_type=kind, headers=key).status_code == 400
    packed = {**key, "Content-Encoding": "gzip"}
    assert client.post(PATH, data=body, content_type="application/json", headers=packed).status_code == 400


def test_attachments_need_their_address(client: Any, key: Any) -> None:
    attachment = {
        "usageType": "http://x.test/usage",
        "display": {"fr": "Une pièce"},
        "contentType": "text/plain",
        "length": 3,
        "sha2": "0" * 64,
    }
    assert client.post(PATH, json=statement(attachments=[attachment]), headers=key).status_code == 400
    attachment["fileUrl"] = "https://x.test/file"
    assert client.post(PATH, json=statement(attachments=[attachment]), headers=key).status_code == 200


# --- keys ------------------------------------------------------------------------------------------------


def test_who_is_not_known_is_401(client: Any, issue: Issue) -> None:
    key_id, secret = issue("all")
    good = headers((key_id, secret))
    assert client.get(PATH, headers=good).status_code == 200
    wrong = [
        headers((key_id, secret + "x")),
        headers((key_id, "x")),
        headers(("unknown", secret)),
        headers((key_id, "")),
        {**good, "Authorization": "Basic ?"},
        {**good, "Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {**good, "Authorization": f"Bearer {secret}"},
        {"X-Experience-API-Version": "1.0.3"},
    ]
    for asked in wrong:
        for answer in (client.get(PATH, headers=asked), client.post(PATH, json=[], headers=asked)):
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_revoked_key_is_refused_within_two_seconds(
    client: Any, issue: Issue, engine: Engine, silo: int, clock: Any
) -> None:
    key_id, secret = issue("all")
    given = headers((key_id, secret))
    assert client.get(PATH, headers=given).status_code == 200
    with transaction(engine, silo) as conn:
        conn.execute(update(lrs_key).where(lrs_key.c.silo_id == silo).values(revoked_at=clock()))
    clock.advance(seconds=1, milliseconds=999)
    assert client.get(PATH, headers=given).status_code == 200
    clock.advance(milliseconds=1)
    for _ in range(2):
        assert client.get(PATH, headers=given).status_code == 401
    # A clock that is set back finds nothing that it can trust.
    clock.advance(seconds=-1)
    assert client.get(PATH, headers=given).status_code == 401


RIGHTS = [
    ("all", 200, 200),
    ("all/read", 200, 403),
    ("statements/read", 200, 403),
    ("statements/read/mine", 200, 403),
    ("statements/write", 403, 200),
    ("state", 403, 403),
    ("profile", 403, 403),
    ("define", 403, 403),
]


def test_scopes(client: Any, issue: Issue) -> None:
    for scope, reads, writes in RIGHTS:
        given = headers(issue(scope))
        assert client.get(PATH, headers=given).status_code == reads, scope
        assert client.post(PATH, json=statement(), headers=given).status_code == writes, scope


def test_mine_is_what_the_same_authority_said(client: Any, issue: Issue) -> None:
    other, mine = headers(issue("all")), headers(issue("statements/write", "statements/read/mine"))
    theirs, own, target = statement(), statement(), statement()
    client.post(PATH, json=[theirs, target], headers=other)
    client.post(PATH, json=own, headers=mine)
    for filters in ({}, {"agent": orjson.dumps(agent()).decode()}, {"verb": own["verb"]["id"]}):
        listed = client.get(PATH, query_string=filters, headers=mine).json["statements"]
        assert [item["id"] for item in listed] == [own["id"]]
    asked = {"statementId": theirs["id"]}
    assert client.get(PATH, query_string=asked, headers=mine).status_code == 404
    assert client.get(PATH, query_string=asked, headers=other).status_code == 200


def test_a_key_reaches_its_silo_only(client: Any, issue: Issue, second_silo: int) -> None:
    said = statement()
    client.post(PATH, json=said, headers=headers(issue("all")))
    stranger = headers(issue("all", silo_id=second_silo))
    assert client.get(PATH, headers=stranger).json["statements"] == []
    asked = {"statementId": said["id"]}
    assert client.get(PATH, query_string=asked, headers=stranger).status_code == 404


# --- queries ---------------------------------------------------------------------------------------------


NOT_USABLE: list[dict[str, Any]] = [
    {"statementId": "x"},
    {"statementId": str(uuid4()), "voidedStatementId": str(uuid4())},
    {"statementId": str(uuid4()), "limit": "1"},
    {"voidedStatementId": str(uuid4()), "verb": "http://x.test/v"},
    {"StatementId": str(uuid4())},
    {"unknown": "1"},
    {"Limit": "1"},
    {"limit": "-1"},
    {"limit": "1.5"},
    {"limit": ""},
    {"limit": "²"},
    {"since": "yesterday"},
    {"until": "2026-11-21T08:00:00-00:00"},
    {"verb": "experienced"},
    {"activity": "1"},
    {"registration": "1"},
    {"agent": "x"},
    {"agent": '{"name":"x"}'},
    {"agent": '{"objectType":"Group","member":[]}'},
    {"agent": '{"mbox":"mailto:a@b.test","mbox":"mailto:a@b.test"}'},
    {"related_agents": "yes"},
    {"ascending": "True"},
    {"format": "other"},
    {"attachments": "1"},
    {"more": "x"},
    {"more": "e30"},
    {"more": "e30", "limit": "1"},
    {"verb": ["http://x.test/v", "http://x.test/w"]},
    {"verb": "http://x.test/\x00"},
]


def test_parameters_that_cannot_be_used_are_400(client: Any, key: Any) -> None:
    for parameters in NOT_USABLE:
        answer = client.get(PATH, query_string=parameters, headers=key)
        assert answer.status_code == 400, parameters
        assert answer.headers["X-Experience-API-Consistent-Through"]
        assert client.post(PATH, json=[], query_string=parameters, headers=key).status_code == 400


def test_more_leads_through_everything_once(client: Any, key: Any, clock: Any) -> None:
    said = []
    for _ in range(4):
        clock.advance(seconds=1)
        said += client.post(PATH, json=[statement(id=None) for _ in range(3)], headers=key).json
    clock.advance(seconds=60)
    for ascending in ("true", "false"):
        found: list[str] = []
        address = f"{PATH}?limit=5&ascending={ascending}"
        while address:
            page = client.get(address, headers=key).json
            found += [item["id"] for item in page["statements"]]
            address = page["more"]
            assert not address or address.startswith("/xapi/statements?")
        assert sorted(found) == sorted(said)
        half = found[:6] if ascending == "true" else found[6:]
        assert set(half) == set(said[:6])


def test_since_and_until_are_about_stored(client: Any, key: Any, clock: Any) -> None:
    [early] = client.post(PATH, json=statement(timestamp="2030-01-01T00:00:00Z"), headers=key).json
    middle = clock.advance(seconds=5)
    clock.advance(seconds=5)
    [late] = client.post(PATH, json=statement(timestamp="2000-01-01T00:00:00Z"), headers=key).json
    for name, expected in (("until", early), ("since", late)):
        found = client.get(PATH, query_string={name: middle.isoformat()}, headers=key).json["statements"]
        assert [item["id"] for item in found] == [expected]


def test_limit_zero_is_the_most_that_is_given(client: Any, key: Any) -> None:
    client.post(PATH, json=[statement() for _ in range(120)], headers=key)
    for limit, expected in (("0", 120), ("1", 1), ("999999999", 120), (None, 100)):
        asked = {} if limit is None else {"limit": limit}
        page = client.get(PATH, query_string=asked, headers=key).json
        assert len(page["statements"]) == expected


def test_voiding_over_http(client: Any, key: Any) -> None:
    said = statement()
    client.post(PATH, json=said, headers=key)
    client.post(PATH, json=voiding(said["id"]), headers=key)
    assert client.get(PATH, query_string={"statementId": said["id"]}, headers=key).status_code == 404
    found = client.get(PATH, query_string={"voidedStatementId": said["id"]}, headers=key)
    assert found.json["id"] == said["id"]
    assert (
        client.post(PATH, json=statement(verb={"id": voiding("x")["verb"]["id"]}), headers=key).status_code
        == 400
    )


def test_formats(client: Any, key: Any) -> None:
    said = statement(
        object={
            "objectType": "Activity",
            "id": "https://lms.test/a",
            "definition": {"name": {"en": "A", "fr": "Une"}, "description": {"de": "Ein"}},
        },
        context={"team": {"objectType": "Group", "name": "T", "member": [{**agent("m"), "name": "M"}]}},
    )
    client.post(PATH, json=said, headers=key)
    short = client.get(f"{PATH}?format=ids", headers=key).json["statements"][0]
    assert short["actor"] == agent()
    assert short["verb"] == {"id": said["verb"]["id"]}
    assert short["object"] == {"id": "https://lms.test/a"}
    assert short["context"]["team"] == {"objectType": "Group", "member": [agent("m")]}
    french = client.get(
        f"{PATH}?format=canonical&limit=1", headers={**key, "Accept-Language": "de;q=0.1, fr-FR;q=0.5, fr"}
    ).json["statements"][0]
    assert french["object"]["definition"] == {"name": {"fr": "Une"}, "description": {"de": "Ein"}}
    assert french["actor"] == said["actor"]
    exact = client.get(f"{PATH}?format=exact", headers=key).json["statements"][0]
    assert exact["object"] == said["object"]


def test_version_2(client: Any, key: Any) -> None:
    modern = {**key, "X-Experience-API-Version": "2.0.0"}
    context = {"contextAgents": [{"objectType": "contextAgent", "agent": agent("coach")}]}
    said = statement(context=context, timestamp="2026-11-20T11:00:00.123+01:00")
    assert client.post(PATH, json=said, headers=key).status_code == 400
    assert client.post(PATH, json=said, headers=modern).status_code == 200
    found = client.get(PATH, query_string={"statementId": said["id"]}, headers=modern).json
    assert found["timestamp"].startswith("2026-11-20T10:00:00.123")
    assert found["version"] == "2.0.0"
    coach = {"agent": orjson.dumps(agent("coach")).decode(), "related_agents": "true"}
    assert len(client.get(PATH, query_string=coach, headers=modern).json["statements"]) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@settings_of_hypothesis(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(JSON, st.data())
def test_no_body_makes_an_error_of_the_server(client: Any, key: Any, value: Any, data: Any) -> None:
    """Any JSON, anywhere in a statement, is 200 or 400 and nothing else."""
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    made = statement(result={"extensions": {"http://x.test/e": 1}}, context={"platform": "x"})
    place: Any = made
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = value
    for body in (made, [made], value):
        text = json.dumps(body).encode()
        answer = client.post(PATH, data=text, content_type="application/json", headers=key)
        assert answer.status_code in (200, 400), answer.data
    assert client.get(PATH, headers=key).status_code == 200
