"""Requirements on documents by number (XAPI-00182 to 00314, 00322), and that no number is without a test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from tests.conftest import ROOT
from tests.factories.statements import agent, headers
from tests.functional import test_xapi_requirements_data, test_xapi_requirements_http
from tests.functional.requirements import FIRST, LAST, LEFT_OUT, by_number, requirement
from tool_config.database import transaction
from xapi import auth

STATE, ACTIVITY, AGENT = "/xapi/activities/state", "/xapi/activities/profile", "/xapi/agents/profile"
IRI, WHO = "https://lms.test/a", json.dumps(agent())
PLACES = {
    STATE: {"activityId": IRI, "agent": WHO, "stateId": "d"},
    ACTIVITY: {"activityId": IRI, "profileId": "d"},
    AGENT: {"agent": WHO, "profileId": "d"},
}
EVERY = pytest.mark.parametrize("path", PLACES)
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
VERSIONS = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any, version: str) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock()), version)


def without(place: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in place.items() if name not in names}


def named(path: str) -> str:
    return "stateId" if path == STATE else "profileId"


def ask(client: Any, method: str, path: str, key: dict[str, str], **over: Any) -> Any:
    more: dict[str, Any] = {"json": {"a": 1}} if method in ("PUT", "POST") else {}
    if method == "PUT":
        key = {"If-None-Match": "*", **key}
    return client.open(path, method=method, headers=key, **{"query_string": PLACES[path], **more, **over})


@requirement(187, 188, 189, 190, 191, 192, 216, 217, 230, 231)
@requirement(259, 269, 271, 272, 273, 274, 282, 283)
@requirement(285, 286, 287, 288, 290, 291, 292, 293, 311, 312)
@requirement(224, 225, 226, 228, 305, 306, 307)
@EVERY
@VERSIONS
def test_every_method(client: Any, key: Any, path: str, version: str) -> None:
    for method in ("PUT", "POST"):
        stored = ask(client, method, path, key)
        assert (stored.status_code, stored.data) == (204, b"")
        found = ask(client, "GET", path, key)
        assert (found.status_code, found.json, found.content_type) == (200, {"a": 1}, "application/json")
        gone = ask(client, "DELETE", path, key)
        assert (gone.status_code, gone.data) == (204, b"")
        assert ask(client, "GET", path, key).status_code == 404


def _missing() -> Iterator[tuple[str, str, str]]:
    """Yield path, method and parameter without which a request is refused."""
    for path, place in PLACES.items():
        for method in ("GET", "PUT", "POST", "DELETE"):
            for name in place:
                optional = method == "GET" or (method == "DELETE" and path == STATE)
                if name != named(path) or not optional:
                    yield path, method, name


@requirement(206, 207, 208, 209, 210, 211, 212, 213, 214, 215)
@requirement(261, 262, 263, 264, 265, 266, 267, 296, 297, 298, 299, 300, 301, 302)
@ONE_ENGINE
@VERSIONS
def test_parameters_that_are_needed(client: Any, key: Any, version: str) -> None:
    for path, method, name in _missing():
        answer = ask(client, method, path, key, query_string=without(PLACES[path], name))
        assert answer.status_code == 400, (path, method, name)
        assert name in answer.json["error"]


@requirement(196, 197, 198, 199, 200, 201, 202, 203, 204, 255, 256, 257, 258, 260, 295)
@ONE_ENGINE
@VERSIONS
def test_parameters_of_another_form(client: Any, key: Any, version: str) -> None:
    for path, place in PLACES.items():
        for method in ("GET", "PUT", "POST", "DELETE"):
            tried = []
            if "agent" in place:
                tried += [{**place, "agent": text} for text in ("x", "{}", "[]", '{"mbox":"x"}', "1")]
            if "activityId" in place:
                tried.append({**place, "activityId": "no iri"})
            if path == STATE:
                tried += [{**place, "registration": text} for text in ("1", str(uuid4())[:-1])]
            for asked in tried:
                answer = ask(client, method, path, key, query_string=asked)
                assert answer.status_code == 400, (path, method, asked)
        listing = {**without(place, named(path)), "since": "monday"}
        assert ask(client, "GET", path, key, query_string=listing).status_code == 400


@requirement(193, 195, 221, 268, 270, 275, 289, 294, 303)
@EVERY
@VERSIONS
def test_names_and_since(client: Any, key: Any, clock: Any, path: str, version: str) -> None:
    place = PLACES[path]
    moments = []
    for name in ("one", "two", "three"):
        assert ask(client, "POST", path, key, query_string={**place, named(path): name}).status_code == 204
        moments.append(clock().isoformat())
        clock.advance(minutes=1)
    listing = without(place, named(path))
    assert sorted(ask(client, "GET", path, key, query_string=listing).json) == ["one", "three", "two"]
    for moment, expected in ((moments[0], ["three", "two"]), (moments[1], ["three"]), (moments[2], [])):
        answer = ask(client, "GET", path, key, query_string={**listing, "since": moment})
        assert (answer.status_code, sorted(answer.json)) == (200, expected)


@requirement(194, 218, 219, 220, 227)
@VERSIONS
def test_states_by_registration(client: Any, key: Any, version: str) -> None:
    one, two = ({**PLACES[STATE], "registration": str(uuid4())} for _ in range(2))
    assert ask(client, "PUT", STATE, key, query_string=one).status_code == 204
    assert ask(client, "POST", STATE, key, query_string=two).status_code == 204
    assert ask(client, "GET", STATE, key, query_string=one).json == {"a": 1}
    assert ask(client, "GET", STATE, key).status_code == 404
    assert ask(client, "DELETE", STATE, key, query_string=without(one, "stateId")).status_code == 204
    assert ask(client, "GET", STATE, key, query_string=one).status_code == 404
    assert ask(client, "GET", STATE, key, query_string=two).status_code == 200
    every = without(PLACES[STATE], "stateId")
    assert ask(client, "DELETE", STATE, key, query_string=every).status_code == 204
    assert ask(client, "GET", STATE, key, query_string=every).json == []


@requirement(182, 183, 184, 229, 232, 233, 234, 235, 278, 279, 280, 281, 284, 308, 309, 310, 313, 314)
@EVERY
@VERSIONS
def test_merging(client: Any, key: Any, path: str, version: str) -> None:
    assert ask(client, "POST", path, key, json={"a": 1, "b": {"x": 1, "y": 2}}).status_code == 204
    assert ask(client, "POST", path, key, json={"b": {"z": 3}, "c": None}).status_code == 204
    merged = {"a": 1, "b": {"z": 3}, "c": None}
    kept = ask(client, "GET", path, key)
    assert kept.json == merged
    for body, kind in (
        (b'{"d":1}', "text/plain"),
        (b"[1]", "application/json"),
        (b"1", "application/json"),
        (b'{"d":', "application/json"),
        (b'{"d":undefined}', "application/json"),
    ):
        answer = ask(client, "POST", path, key, json=None, data=body, content_type=kind)
        assert answer.status_code == 400, body
        assert ask(client, "GET", path, key).data == kept.data
    other = {**PLACES[path], named(path): "text"}
    put = ask(client, "PUT", path, key, query_string=other, json=None, data=b"x", content_type="text/plain")
    assert put.status_code == 204
    assert ask(client, "POST", path, key, query_string=other).status_code == 400
    fresh = {**PLACES[path], named(path): "fresh"}
    bad = ask(
        client, "POST", path, key, query_string=fresh, json=None, data=b"{", content_type="application/json"
    )
    assert bad.status_code == 400
    assert ask(client, "GET", path, key, query_string=fresh).status_code == 404


@requirement(322)
@EVERY
@VERSIONS
def test_entity_tags(client: Any, key: Any, path: str, version: str) -> None:
    def put(number: int, **condition: str) -> int:
        sent = {"query_string": PLACES[path], "json": {"n": number}, "headers": {**key, **condition}}
        return int(client.put(path, **sent).status_code)

    assert put(1, **{"If-None-Match": "*"}) == 204
    found = ask(client, "GET", path, key)
    etag = found.headers["ETag"]
    assert etag == f'"{hashlib.sha1(found.data).hexdigest()}"'
    assert put(2, **{"If-None-Match": "*"}) == 412
    assert put(3, **{"If-Match": '"' + "0" * 40 + '"'}) == 412
    assert ask(client, "GET", path, key).json == {"n": 1}
    expected = 204 if (path, version) == (STATE, "1.0.3") else 409
    assert put(4) == expected
    etag = ask(client, "GET", path, key).headers["ETag"]
    assert put(5, **{"If-Match": etag}) == 204
    assert ask(client, "GET", path, key).json == {"n": 5}
    if version == "1.0.3" and path != STATE:
        fresh = {**PLACES[path], "profileId": "fresh"}
        assert client.put(path, query_string=fresh, json={}, headers=key).status_code == 400


# --- no number without a test ----------------------------------------------------------------------------


def test_every_number_has_its_test_or_its_reason() -> None:
    assert test_xapi_requirements_data.__doc__
    assert test_xapi_requirements_http.__doc__
    numbers = set(range(FIRST, LAST + 1))
    assert numbers - by_number().keys() - LEFT_OUT.keys() == set()
    assert by_number().keys() & LEFT_OUT.keys() == set()
    assert by_number().keys() | LEFT_OUT.keys() == numbers
    assert all(LEFT_OUT.values())


def test_the_document_names_the_test_of_every_number() -> None:
    text = (Path(ROOT) / "docs" / "conformance.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| XAPI-")]
    said: dict[int, str] = {}
    for first, what in ((row[0], row[1]) for row in rows):
        bounds = [int(part.strip()[-5:]) for part in first.split(" to ")]
        for number in range(bounds[0], bounds[-1] + 1):
            said[number] = what
    assert said.keys() == set(range(FIRST, LAST + 1))
    for number, names in by_number().items():
        assert any(f"`{name}`" in said[number] for name in names), number
    for number, reason in LEFT_OUT.items():
        assert reason.partition(":")[0] in said[number], number
