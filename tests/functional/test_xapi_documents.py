"""Documents of states and profiles, activities, agents (xAPI 1.0.3 Communication 2.2 to 2.8 and 3.1)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from tests.factories.statements import agent, headers, statement
from tool_config.database import transaction
from xapi import auth, documents

STATE, ACTIVITY, AGENT = "/xapi/activities/state", "/xapi/activities/profile", "/xapi/agents/profile"
IRI = "https://lms.test/course"
WHO = json.dumps(agent())
PLACES = {
    STATE: {"activityId": IRI, "agent": WHO, "stateId": "s1"},
    ACTIVITY: {"activityId": IRI, "profileId": "p1"},
    AGENT: {"agent": WHO, "profileId": "p1"},
}
EVERY = pytest.mark.parametrize("path", PLACES)

Issue = Callable[..., dict[str, str]]


@pytest.fixture
def issue(engine: Engine, silo: int, clock: Any) -> Issue:
    def make(*scopes: str, version: str = "1.0.3", silo_id: int = silo) -> dict[str, str]:
        with transaction(engine, silo_id) as conn:
            return headers(auth.issue_key(conn, silo_id, scopes, now=clock()), version)

    return make


@pytest.fixture
def key(issue: Issue) -> dict[str, str]:
    return issue("all")


@pytest.fixture
def modern(key: dict[str, str]) -> dict[str, str]:
    return {**key, "X-Experience-API-Version": "2.0.0"}


def _name(path: str) -> str:
    return "stateId" if path == STATE else "profileId"


def _without(place: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in place.items() if key != name}


@EVERY
def test_post_get_delete(client: Any, key: Any, path: str) -> None:
    place = PLACES[path]
    assert client.get(path, query_string=place, headers=key).status_code == 404
    assert client.post(path, query_string=place, json={"a": 1}, headers=key).status_code == 204
    found = client.get(path, query_string=place, headers=key)
    assert (found.status_code, found.json, found.content_type) == (200, {"a": 1}, "application/json")
    assert found.headers["ETag"] == f'"{hashlib.sha1(found.data).hexdigest()}"'
    assert found.headers["Last-Modified"] == "Sat, 21 Nov 2026 08:00:00 GMT"
    seen = client.head(path, query_string=place, headers=key)
    assert (seen.status_code, seen.data, seen.headers["ETag"]) == (200, b"", found.headers["ETag"])
    assert client.delete(path, query_string=place, headers=key).status_code == 204
    assert client.get(path, query_string=place, headers=key).status_code == 404
    assert client.delete(path, query_string=place, headers=key).status_code == 204


@EVERY
def test_a_document_is_kept_to_the_byte(client: Any, key: Any, path: str) -> None:
    body = bytes(range(256))
    put = {**key, "If-None-Match": "*"}
    answer = client.put(path, query_string=PLACES[path], data=body, content_type="image/png", headers=put)
    assert answer.status_code == 204
    found = client.get(path, query_string=PLACES[path], headers=key)
    assert (found.data, found.content_type) == (body, "image/png")


@EVERY
def test_what_is_missing_unknown_or_wrong_is_400(client: Any, key: Any, path: str) -> None:
    place = PLACES[path]
    for method in ("GET", "PUT", "POST", "DELETE"):
        sent = {"json": {}} if method in ("PUT", "POST") else {}
        wrong = [{**place, "unknown": "1"}, {**place, _name(path): ""}, {**place, _name(path): "x" * 1001}]
        wrong += [_without(place, name) for name in place if name != _name(path)]
        if method in ("PUT", "POST") or (method == "DELETE" and path != STATE):
            wrong.append(_without(place, _name(path)))
        if "agent" in place:
            wrong += [{**place, "agent": text} for text in ("x", "{}", '{"mbox":"a@b.test"}', '{"name":"x"}')]
        if "activityId" in place:
            wrong += [{**place, "activityId": text} for text in ("course", "")]
        if path == STATE:
            wrong.append({**place, "registration": "1"})
        if method != "GET":
            wrong.append({**place, "since": "2026-01-01T00:00:00Z"})
        for asked in wrong:
            answer = client.open(path, method=method, query_string=asked, headers=key, **sent)
            assert (answer.status_code, answer.is_json) == (400, True), (method, asked)
    listing = _without(place, _name(path))
    assert client.get(path, query_string={**listing, "since": "monday"}, headers=key).status_code == 400


@EVERY
def test_lists_and_since(client: Any, key: Any, clock: Any, path: str) -> None:
    place, name = PLACES[path], _name(path)
    for text in ("b", "a"):
        client.post(path, query_string={**place, name: text}, json={}, headers=key)
    moment = clock.advance(minutes=1).isoformat()
    clock.advance(minutes=1)
    client.post(path, query_string={**place, name: "b"}, json={"x": 1}, headers=key)
    listing = _without(place, name)
    assert client.get(path, query_string=listing, headers=key).json == ["a", "b"]
    assert client.get(path, query_string={**listing, "since": moment}, headers=key).json == ["b"]


def test_states_by_registration(client: Any, key: Any) -> None:
    place, one, two = PLACES[STATE], str(uuid4()), str(uuid4())
    for number, more in enumerate(({}, {"registration": one}, {"registration": two.upper()})):
        asked = {**place, **more, "stateId": f"s{number}"}
        assert (
            client.post(STATE, query_string=asked, json=number and {"n": number}, headers=key).status_code
            == 204
        )
    every = _without(place, "stateId")
    assert client.get(STATE, query_string={**place, "stateId": "s1"}, headers=key).status_code == 404
    assert client.get(STATE, query_string=every, headers=key).json == ["s0", "s1", "s2"]
    assert client.get(STATE, query_string={**every, "registration": two}, headers=key).json == ["s2"]
    assert client.delete(STATE, query_string={**every, "registration": one}, headers=key).status_code == 204
    assert client.get(STATE, query_string=every, headers=key).json == ["s0", "s2"]
    assert client.delete(STATE, query_string=every, headers=key).status_code == 204
    assert client.get(STATE, query_string=every, headers=key).json == []


@EVERY
def test_json_objects_are_merged(client: Any, key: Any, path: str) -> None:
    place = PLACES[path]
    big = 12345678901234567890123
    client.post(path, query_string=place, json={"a": 1, "b": {"x": 1}, "n": big}, headers=key)
    kind = {"content_type": "application/json; charset=utf-8"}
    body = '{"b":{"y":"é"},"c":3}'.encode()
    assert client.post(path, query_string=place, data=body, headers=key, **kind).status_code == 204
    found = client.get(path, query_string=place, headers=key)
    assert found.json == {"a": 1, "b": {"y": "é"}, "n": big, "c": 3}
    for sent, kind in (
        (b'{"d":1}', {"content_type": "text/plain"}),
        (b"[1]", {"content_type": "application/json"}),
        (b'{"d":', {"content_type": "application/json"}),
        (b'{"d":1,"d":2}', {"content_type": "application/json"}),
        (b'{"d":NaN}', {"content_type": "application/json"}),
    ):
        assert client.post(path, query_string=place, data=sent, headers=key, **kind).status_code == 400, sent
    assert client.get(path, query_string=place, headers=key).data == found.data
    other = {**place, _name(path): "text"}
    text = {"data": b"plain", "content_type": "text/plain"}
    assert client.post(path, query_string=other, headers=key, **text).status_code == 204
    assert client.post(path, query_string=other, json={"a": 1}, headers=key).status_code == 400
    third = {**place, _name(path): "third"}
    bad = {"data": b"{", "content_type": "application/json"}
    assert client.post(path, query_string=third, headers=key, **bad).status_code == 400


def _codes(client: Any, path: str, given: Any, *tried: dict[str, str]) -> list[int]:
    return [
        client.put(
            path, query_string=PLACES[path], json={"put": number}, headers={**given, **more}
        ).status_code
        for number, more in enumerate(tried)
    ]


@pytest.mark.parametrize("path", [ACTIVITY, AGENT])
def test_putting_a_profile_in_1_0_3(client: Any, key: Any, path: str) -> None:
    assert _codes(client, path, key, {}, {"If-Match": "*"}, {"If-None-Match": "*"}) == [400, 412, 204]
    etag = client.get(path, query_string=PLACES[path], headers=key).headers["ETag"]
    stale = {"If-Match": '"1111111111111111111111111111111111111111"'}
    assert _codes(client, path, key, {}, stale, {"If-None-Match": "*"}, {"If-None-Match": etag}) == [
        409,
        412,
        412,
        412,
    ]
    assert client.get(path, query_string=PLACES[path], headers=key).json == {"put": 2}
    assert _codes(client, path, key, {"If-Match": f'"x", {etag}'}, {"If-Match": etag}) == [204, 412]


def test_putting_a_state_in_1_0_3_needs_no_precondition(client: Any, key: Any) -> None:
    assert _codes(client, STATE, key, {}, {}, {"If-None-Match": "*"}) == [204, 204, 412]


@EVERY
def test_preconditions_in_2_0(client: Any, modern: Any, path: str) -> None:
    assert _codes(client, path, modern, {}, {}, {"If-Match": '"1234"'}) == [204, 409, 412]
    place = PLACES[path]
    for method in ("POST", "DELETE"):
        etag = client.get(path, query_string=place, headers=modern).headers["ETag"]
        sent: dict[str, Any] = {"json": {"posted": 1}} if method == "POST" else {}
        for tag, expected in (('"1234"', 412), (etag, 204)):
            given = {**modern, "If-Match": tag}
            answer = client.open(path, method=method, query_string=place, headers=given, **sent)
            assert answer.status_code == expected
    assert client.get(path, query_string=place, headers=modern).status_code == 404


def test_scopes_and_silos(client: Any, issue: Issue, second_silo: int) -> None:
    rights = [
        ("all", (200, 204), (200, 204), 200),
        ("all/read", (200, 403), (200, 403), 200),
        ("state", (200, 204), (403, 403), 403),
        ("profile", (403, 403), (200, 204), 403),
        ("statements/read", (403, 403), (403, 403), 200),
        ("statements/write", (403, 403), (403, 403), 403),
    ]
    for scope, *expected, knows in rights:
        given = issue(scope)
        for path, codes in ((STATE, expected[0]), (ACTIVITY, expected[1]), (AGENT, expected[1])):
            listing = _without(PLACES[path], _name(path))
            read = client.get(path, query_string=listing, headers=given).status_code
            written = client.post(path, query_string=PLACES[path], json={}, headers=given).status_code
            assert (read, written) == codes, (scope, path)
            if written == 403:
                assert client.delete(path, query_string=PLACES[path], headers=given).status_code == 403
        for path, asked in (("/xapi/agents", {"agent": WHO}), ("/xapi/activities", {"activityId": IRI})):
            assert client.get(path, query_string=asked, headers=given).status_code == knows
    stranger = issue("all", silo_id=second_silo)
    for path, place in PLACES.items():
        assert client.get(path, query_string=place, headers=stranger).status_code == 404
    assert client.get(STATE, query_string=PLACES[STATE]).status_code == 401


def test_writers_at_once_lose_nothing(engine: Engine, silo: int, clock: Any) -> None:
    """Every merged property stays, and of those that create with If-None-Match one alone succeeds."""
    place = documents.Place("state", IRI, "a" * 32)
    refused: list[Exception] = []
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        barrier.wait()
        shared: dict[str, Any] = {"content_type": "application/json", "now": clock()}
        try:
            with transaction(engine, silo) as conn:
                alone = documents.Preconditions(if_none_match="*")
                documents.put(conn, silo, place, "first", body=b"{}", preconditions=alone, **shared)
        except documents.PreconditionFailed as fault:
            refused.append(fault)
        for turn in range(8):
            with transaction(engine, silo) as conn:
                body = json.dumps({f"{number}-{turn}": 1}).encode()
                documents.post(
                    conn, silo, place, "all", body=body, preconditions=documents.Preconditions(), **shared
                )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with transaction(engine, silo, write=False) as conn:
        assert len(json.loads(documents.get(conn, silo, place, "all").body)) == 32
    assert len(refused) == 3


# --- activities, agents, about -----------------------------------------------------------------------------


def test_an_activity_has_what_every_statement_said(client: Any, key: Any, clock: Any) -> None:
    def say(definition: dict[str, Any], **over: Any) -> None:
        clock.advance(seconds=1)
        said = statement(object={"id": IRI, "definition": definition}, **over)
        assert client.post("/xapi/statements", json=said, headers=key).status_code == 200

    say({"name": {"en": "Old", "fr": "Cours"}, "type": "http://x.test/old", "moreInfo": "http://x.test/m"})
    say({"name": {"en": "Course"}, "type": "http://x.test/course"})
    inside = {"contextActivities": {"parent": [{"id": IRI, "definition": {"description": {"de": "Kurs"}}}]}}
    client.post("/xapi/statements", json=statement(context=inside), headers=key)
    found = client.get("/xapi/activities", query_string={"activityId": IRI}, headers=key)
    assert found.json == {
        "objectType": "Activity",
        "id": IRI,
        "definition": {
            "name": {"en": "Course", "fr": "Cours"},
            "type": "http://x.test/course",
            "moreInfo": "http://x.test/m",
            "description": {"de": "Kurs"},
        },
    }
    unknown = client.get("/xapi/activities", query_string={"activityId": "http://x.test/no"}, headers=key)
    assert unknown.json == {"objectType": "Activity", "id": "http://x.test/no"}
    for asked in ({}, {"activityId": "x"}, {"activityId": IRI, "more": "1"}):
        assert client.get("/xapi/activities", query_string=asked, headers=key).status_code == 400


def test_an_agent_is_a_person(client: Any, key: Any) -> None:
    client.post("/xapi/statements", json=statement(), headers=key)
    found = client.get("/xapi/agents", query_string={"agent": WHO}, headers=key).json
    assert found == {"objectType": "Person", "name": ["Ada"], "account": [agent()["account"]]}
    for who in ({"mbox": "mailto:a@b.test"}, {"mbox_sha1sum": "0" * 40}, {"openid": "https://b.test"}):
        asked = {"agent": json.dumps({**who, "name": "Bo"})}
        [(name, value)] = who.items()
        expected = {"objectType": "Person", "name": ["Bo"], name: [value]}
        assert client.get("/xapi/agents", query_string=asked, headers=key).json == expected
    group = json.dumps({"objectType": "Group", "mbox": "mailto:a@b.test"})
    for bad in ({}, {"agent": "x"}, {"agent": group}, {"agent": WHO, "name": "x"}):
        assert client.get("/xapi/agents", query_string=bad, headers=key).status_code == 400


def test_head_of_everything(client: Any, key: Any) -> None:
    client.post(STATE, query_string=PLACES[STATE], json={}, headers=key)
    asked = {
        "/xapi/about": {},
        "/xapi/statements": {},
        "/xapi/activities": {"activityId": IRI},
        "/xapi/agents": {"agent": WHO},
        STATE: PLACES[STATE],
        ACTIVITY: {"activityId": IRI},
        AGENT: {"agent": WHO},
    }
    for path, parameters in asked.items():
        full = client.get(path, query_string=parameters, headers=key)
        bare = client.head(path, query_string=parameters, headers=key)
        assert (full.status_code, bare.status_code, bare.data) == (200, 200, b""), path
        assert bare.headers["Content-Type"] == full.headers["Content-Type"]
    assert client.post("/xapi/activities", headers=key).status_code == 405
    assert client.put("/xapi/agents", headers=key).status_code == 405
