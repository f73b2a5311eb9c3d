"""Requirements on requests, by number: statements, activities, agents, about (XAPI-00012, 00108 to 00336)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from tests.factories.statements import agent, headers, referring, statement, voiding
from tests.functional.requirements import requirement
from tests.functional.test_xapi_attachments import (
    described,
    mixed,
    part,
    received,
    send,
    signed,
)
from tool_config.database import transaction
from xapi import auth

PATH = "/xapi/statements"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
VERSIONS = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
X = "http://x.test/"


@pytest.fixture
def pair(engine: Engine, silo: int, clock: Any) -> tuple[str, str]:
    with transaction(engine, silo) as conn:
        return auth.issue_key(conn, silo, ["all"], now=clock())


@pytest.fixture
def version() -> str:
    return "1.0.3"


@pytest.fixture
def key(pair: tuple[str, str], version: str) -> dict[str, str]:
    return headers(pair, version)


def get(client: Any, key: dict[str, str], code: int = 200, **asked: str) -> Any:
    answer = client.get(PATH, query_string=asked, headers=key)
    assert answer.status_code == code, answer.data
    return answer


def post(client: Any, key: dict[str, str], *said: dict[str, Any], code: int = 200) -> Any:
    answer = client.post(PATH, json=list(said), headers=key)
    assert answer.status_code == code, answer.data
    return answer.json


def ids(client: Any, key: dict[str, str], **asked: str) -> list[str]:
    return [one["id"] for one in get(client, key, **asked).json["statements"]]


# --- writing ---------------------------------------------------------------------------------------------


@requirement(139, 143, 144, 145, 146, 147)
@ONE_ENGINE
@VERSIONS
def test_put_and_post(client: Any, key: Any, version: str) -> None:
    said, wanted = statement(id=None), str(uuid4())
    put = client.put(PATH, json=said, query_string={"statementId": wanted}, headers=key)
    assert (put.status_code, put.data) == (204, b"")
    assert client.put(PATH, json=said, headers=key).status_code == 400
    one, two = statement(), statement(id=None)
    found = post(client, key, one, two)
    assert found[0] == one["id"]
    assert len(found) == len(set(found)) == 2
    assert client.post(PATH, json=statement(), headers=key).status_code == 200
    assert client.post(PATH, json=[], headers=key).json == []


@requirement(142)
@VERSIONS
def test_an_id_is_never_taken_twice(client: Any, key: Any, version: str) -> None:
    said = statement()
    post(client, key, said)
    other = {**said, "verb": {"id": f"{X}other"}}
    assert client.post(PATH, json=other, headers=key).status_code == 409
    asked = {"statementId": said["id"]}
    assert client.put(PATH, json=other, query_string=asked, headers=key).status_code == 409
    assert get(client, key, **asked).json["verb"] == said["verb"]
    assert client.put(PATH, json=said, query_string=asked, headers=key).status_code == 204


@requirement(326)
@VERSIONS
def test_one_bad_statement_refuses_its_batch(client: Any, key: Any, version: str) -> None:
    post(client, key, statement(), statement(verb={}), statement(), code=400)
    assert ids(client, key) == []


@requirement(127, 128, 129, 130, 131, 132, 133, 134, 135)
@ONE_ENGINE
@VERSIONS
def test_content_types_and_parts(client: Any, key: Any, version: str) -> None:
    said = statement(attachments=[described(b"one")])
    good = mixed(said, part(b"one"))
    refused = {
        "no content type of statements": (json.dumps(statement()).encode(), "text/plain"),
        "a part of no statement": (mixed(said, part(b"one"), part(b"two")), None),
        "data missing": (mixed(said), None),
        "no boundary before the first part": (good.replace(b"--xBoundary42\r\n", b"", 1), None),
        "boundary not said": (good, "multipart/mixed"),
        "no transfer encoding": (mixed(said, part(b"one", **{"Content-Transfer-Encoding": ""})), None),
        "a statement in another part": (mixed(said, ({"Content-Type": "application/json"}, b"{}")), None),
        "first part of another type": (good.replace(b"application/json", b"text/plain"), None),
        "no hash": (mixed(said, part(b"one", **{"X-Experience-API-Hash": ""})), None),
    }
    for what, (body, kind) in refused.items():
        answer = send(client, key, body, kind=kind or "multipart/mixed; boundary=xBoundary42")
        assert answer.status_code == 400, what
    assert ids(client, key) == []
    assert send(client, key, good).status_code == 200


@requirement(115, 116, 117)
@ONE_ENGINE
@VERSIONS
def test_signatures(client: Any, key: Any, version: str) -> None:
    for algorithm in ("RS256", "RS384", "RS512"):
        assert signed(client, key, statement(), algorithm=algorithm) == 200
    said = statement()
    assert signed(client, key, said, algorithm="HS256", private=b"k" * 32) == 400
    assert signed(client, key, said, payload=b'{"a":') == 400
    assert signed(client, key, said, payload={**said, "verb": {"id": f"{X}other"}}) == 400
    assert signed(client, key, said, token=b"no.token") == 400


@requirement(328)
@ONE_ENGINE
def test_what_is_too_large_is_413(client: Any, key: Any, settings: Any) -> None:
    body = b'{"a":"' + b"x" * settings.max_body + b'"}'
    answer = client.post(PATH, data=body, content_type="application/json", headers=key)
    assert answer.status_code == 413


# --- reading ---------------------------------------------------------------------------------------------


@requirement(108, 109, 110, 111, 113, 114, 149, 154, 173)
@VERSIONS
def test_pages(client: Any, key: Any, clock: Any, version: str) -> None:
    said = [statement() for _ in range(5)]
    for one in said:
        clock.advance(seconds=1)
        post(client, key, one)
    whole = get(client, key).json
    assert whole.keys() == {"statements", "more"}
    assert whole["more"] == ""
    assert len(whole["statements"]) == 5
    seen, address, pages = [], f"{PATH}?limit=2", 0
    while address:
        page = client.get(address, headers=key).json
        assert page.keys() == {"statements", "more"}
        assert len(page["statements"]) <= 2
        seen += [one["id"] for one in page["statements"]]
        address, pages = page["more"], pages + 1
    assert pages == 3
    assert seen == [one["id"] for one in reversed(said)]
    empty = get(client, key, verb=f"{X}never").json
    assert empty == {"statements": [], "more": ""}


@requirement(150, 151, 155, 156, 157, 158)
@ONE_ENGINE
@VERSIONS
def test_one_by_its_id(client: Any, key: Any, version: str) -> None:
    said, gone = statement(), statement()
    post(client, key, said, gone)
    post(client, key, voiding(gone["id"]))
    for name, one in (("statementId", said), ("voidedStatementId", gone)):
        assert get(client, key, **{name: one["id"]}).json["id"] == one["id"]
        for more in ({"format": "ids"}, {"attachments": "false"}):
            assert get(client, key, **{name: one["id"]}, **more).status_code == 200
        for more in ("agent", "verb", "activity", "registration", "since", "until", "limit", "ascending"):
            value = {"agent": json.dumps(agent()), "registration": str(uuid4()), "limit": "1"}.get(
                more, f"{X}v"
            )
            get(client, key, 400, **{name: one["id"], more: value})
    get(client, key, 404, statementId=gone["id"])
    get(client, key, 404, voidedStatementId=said["id"])
    get(client, key, 400, statementId=said["id"], voidedStatementId=gone["id"])


@requirement(153, 159, 160, 165)
@VERSIONS
def test_headers_of_every_answer(client: Any, key: Any, version: str) -> None:
    said = statement()
    post(client, key, said)
    for asked, code in (
        ({}, 200),
        ({"statementId": said["id"]}, 200),
        ({"limit": "x"}, 400),
        ({"statementId": str(uuid4())}, 404),
    ):
        answer = get(client, key, code, **asked)
        through = datetime.fromisoformat(answer.headers["X-Experience-API-Consistent-Through"])
        assert through.tzinfo is not None
        assert answer.headers["Content-Type"] == "application/json"


@requirement(161, 167)
@ONE_ENGINE
@VERSIONS
def test_attachments_only_when_asked(client: Any, key: Any, version: str) -> None:
    said = statement(attachments=[described(b"one")])
    send(client, key, mixed(said, part(b"one")))
    for asked in ({}, {"attachments": "false"}):
        answer = get(client, key, **asked)
        assert answer.content_type == "application/json"
    whole, parts = received(get(client, key, attachments="true"))
    assert [one["id"] for one in whole["statements"]] == [said["id"]]
    assert [content for _, content in parts] == [b"one"]


@requirement(162, 163)
@VERSIONS
def test_what_is_voided_shows_only_by_its_own_parameter(client: Any, key: Any, version: str) -> None:
    gone = statement(verb={"id": f"{X}gone"})
    post(client, key, gone)
    pointing = referring(gone["id"])
    voider = voiding(gone["id"])
    post(client, key, pointing, voider)
    for asked in ({}, {"verb": f"{X}gone"}, {"activity": gone["object"]["id"]}):
        assert set(ids(client, key, **asked)) == {pointing["id"], voider["id"]}, asked


@requirement(164, 176, 177, 178, 179, 180, 181)
@VERSIONS
def test_filters(client: Any, key: Any, version: str) -> None:
    registration = str(uuid4())
    plain = statement(actor=agent("a"), verb={"id": f"{X}v1"}, object={"id": f"{X}o1"})
    related = statement(
        actor=agent("b"),
        object={"id": f"{X}o2"},
        context={
            "registration": registration,
            "instructor": agent("a"),
            "contextActivities": {"category": [{"id": f"{X}o1"}]},
        },
    )
    inside = statement(
        actor=agent("c"),
        object={
            "objectType": "SubStatement",
            "actor": agent("a"),
            "verb": {"id": f"{X}v1"},
            "object": {"id": f"{X}o1"},
        },
    )
    about = statement(actor=agent("d"), object=agent("a"))
    crowd = statement(actor={"objectType": "Group", "member": [agent("a")]}, object={"id": f"{X}o3"})
    post(client, key, plain, related, inside, about, crowd)
    who = json.dumps({**agent("a"), "name": "Another name"})
    for asked, expected in (
        ({"agent": who}, (plain, about, crowd)),
        ({"agent": who, "related_agents": "true"}, (plain, related, inside, about, crowd)),
        ({"agent": who, "related_agents": "false"}, (plain, about, crowd)),
        ({"verb": f"{X}v1"}, (plain,)),
        ({"activity": f"{X}o1"}, (plain,)),
        ({"activity": f"{X}o1", "related_activities": "true"}, (plain, related, inside)),
        ({"registration": registration}, (related,)),
        ({"agent": who, "verb": f"{X}v1"}, (plain,)),
        ({"agent": who, "activity": f"{X}o3"}, (crowd,)),
    ):
        assert set(ids(client, key, **asked)) == {one["id"] for one in expected}, asked
    for asked in (
        {"agent": "a"},
        {"verb": "v1"},
        {"activity": "o1"},
        {"registration": "1"},
        {"related_agents": "yes"},
        {"related_activities": "1"},
    ):
        get(client, key, 400, **asked)


@requirement(166, 174, 175)
@VERSIONS
def test_order_since_until(client: Any, key: Any, clock: Any, version: str) -> None:
    said, moments = [], []
    for _ in range(3):
        moments.append(clock.advance(minutes=1).isoformat())
        said.append(post(client, key, statement(id=None))[0])
    clock.advance(minutes=1)
    assert ids(client, key) == said[::-1]
    assert ids(client, key, ascending="false") == said[::-1]
    assert ids(client, key, ascending="true") == said
    assert ids(client, key, until=moments[1], ascending="true") == said[:2]
    assert ids(client, key, since=moments[1], ascending="true") == said[2:]
    for name in ("since", "until"):
        get(client, key, 400, **{name: "monday"})
    get(client, key, 400, ascending="yes")


@requirement(168, 169, 170, 171, 172)
@ONE_ENGINE
@VERSIONS
def test_formats(client: Any, key: Any, version: str) -> None:
    names = {"en": "A", "fr": "Une"}
    said = statement(object={"objectType": "Activity", "id": f"{X}a", "definition": {"name": names}})
    post(client, key, said)
    exact = get(client, key, format="exact").json["statements"][0]
    assert exact == get(client, key).json["statements"][0]
    assert (exact["object"], exact["actor"]) == (said["object"], said["actor"])
    short = get(client, key, format="ids").json["statements"][0]
    assert short["object"] == {"id": f"{X}a"}
    assert "name" not in short["actor"]
    for wanted, expected in (
        ("fr", {"fr": "Une"}),
        ("en;q=0.5, fr;q=0.1", {"en": "A"}),
        ("fr-CA, fr;q=0.9", {"fr": "Une"}),
    ):
        asked = {**key, "Accept-Language": wanted}
        canonical = get(client, asked, format="canonical").json["statements"][0]
        assert canonical["object"]["definition"]["name"] == expected
    get(client, key, 400, format="other")
    get(client, key, 400, limit="-1")


@requirement(125, 126)
@ONE_ENGINE
@VERSIONS
def test_head_is_get_without_its_body(client: Any, key: Any, version: str) -> None:
    post(client, key, statement())
    who = json.dumps(agent())
    for path, asked in (
        ("statements", {}),
        ("about", {}),
        ("activities", {"activityId": f"{X}a"}),
        ("agents", {"agent": who}),
        ("activities/state", {"activityId": f"{X}a", "agent": who}),
        ("activities/profile", {"activityId": f"{X}a"}),
        ("agents/profile", {"agent": who}),
        ("statements", {"limit": "x"}),
    ):
        full = client.get(f"/xapi/{path}", query_string=asked, headers=key)
        bare = client.head(f"/xapi/{path}", query_string=asked, headers=key)
        assert (bare.status_code, bare.data) == (full.status_code, b"")
        for name in ("Content-Type", "X-Experience-API-Version"):
            assert bare.headers[name] == full.headers[name]


@requirement(12, 324, 325)
@ONE_ENGINE
@VERSIONS
def test_parameters_are_as_strict_as_statements(client: Any, key: Any, version: str) -> None:
    who = json.dumps(agent())
    needed: dict[str, dict[str, str]] = {
        "statements": {},
        "activities": {"activityId": f"{X}a"},
        "agents": {"agent": who},
        "activities/state": {"activityId": f"{X}a", "agent": who, "stateId": "s"},
        "activities/profile": {"activityId": f"{X}a", "profileId": "p"},
        "agents/profile": {"agent": who, "profileId": "p"},
    }
    wrong = {"activityId": "no iri", "agent": '{"mbox":"x"}', "registration": "1", "since": "x"}
    for path, asked in needed.items():
        tried: list[dict[str, str]] = [{**asked, "extra": "1"}]
        tried += [
            {**{k: v for k, v in asked.items() if k != name}, name.capitalize(): asked[name]}
            for name in asked
        ]
        tried += [{**asked, name: wrong[name]} for name in asked if name in wrong]
        for parameters in tried:
            answer = client.get(f"/xapi/{path}", query_string=parameters, headers=key)
            assert answer.status_code == 400, (path, parameters)
    for name, value in (
        *wrong.items(),
        ("verb", "x"),
        ("activity", "x"),
        ("until", "x"),
        ("statementId", "x"),
    ):
        get(client, key, 400, **{name: value})


# --- activities, agents, about ---------------------------------------------------------------------------


@requirement(250, 251, 252, 253, 254)
@VERSIONS
def test_activities(client: Any, key: Any, clock: Any, version: str) -> None:
    for name in ({"en": "A"}, {"fr": "Une"}):
        clock.advance(seconds=1)
        post(client, key, statement(object={"id": f"{X}a", "definition": {"name": name, "type": f"{X}t"}}))
    found = client.get("/xapi/activities", query_string={"activityId": f"{X}a"}, headers=key)
    assert found.status_code == 200
    assert found.json["objectType"] == "Activity"
    assert found.json["id"] == f"{X}a"
    assert found.json["definition"] == {"name": {"en": "A", "fr": "Une"}, "type": f"{X}t"}
    assert client.get("/xapi/activities", headers=key).status_code == 400


@requirement(236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 248, 249)
@ONE_ENGINE
@VERSIONS
def test_agents(client: Any, key: Any, version: str) -> None:
    for who in (
        {"mbox": "mailto:a@x.test"},
        {"mbox_sha1sum": "0" * 40},
        {"openid": f"{X}me"},
        {"account": {"homePage": X, "name": "a"}},
    ):
        post(client, key, statement(actor={**who, "name": "Ada"}))
        answer = client.get("/xapi/agents", query_string={"agent": json.dumps(who)}, headers=key)
        [(name, value)] = who.items()
        assert (answer.status_code, answer.json) == (
            200,
            {"objectType": "Person", "name": ["Ada"], name: [value]},
        )
    for text in (None, "x", "{}", "[]", '{"mbox":"a@x.test"}', '{"name":"a"}', '{"openid":"no iri"}'):
        asked = {} if text is None else {"agent": text}
        assert client.get("/xapi/agents", query_string=asked, headers=key).status_code == 400


@requirement(315, 316, 317, 318, 319)
@ONE_ENGINE
def test_about(client: Any, key: Any) -> None:
    for given in ({}, key):
        answer = client.get("/xapi/about", headers=given)
        assert (answer.status_code, answer.content_type) == (200, "application/json")
        assert answer.json["version"] == ["1.0.3", "2.0.0"]


@requirement(321, 331, 333)
@ONE_ENGINE
def test_versions(client: Any, pair: tuple[str, str]) -> None:
    who = {"agent": json.dumps(agent())}
    for path in (
        "statements",
        "agents",
        "activities",
        "activities/state",
        "activities/profile",
        "agents/profile",
    ):
        for method in ("GET", "PUT", "POST", "DELETE"):
            for wrong in (None, "0.9", "1.1", "1", "3.0", "1.0.x", ""):
                given = headers(pair, wrong or "")
                if wrong is None:
                    del given["X-Experience-API-Version"]
                answer = client.open(f"/xapi/{path}", method=method, headers=given)
                assert answer.status_code == 400, (path, method, wrong)
                assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    for said, expected in (
        ("1.0", "1.0.3"),
        ("1.0.0", "1.0.3"),
        ("1.0.9", "1.0.3"),
        ("2.0", "2.0.0"),
        ("2.0.1", "2.0.0"),
    ):
        answer = client.get("/xapi/agents", query_string=who, headers=headers(pair, said))
        assert (answer.status_code, answer.headers["X-Experience-API-Version"]) == (200, expected)


@requirement(327, 334, 335)
@ONE_ENGINE
def test_credentials(client: Any, pair: tuple[str, str], engine: Engine, silo: int, clock: Any) -> None:
    assert client.get(PATH, headers=headers(pair)).status_code == 200
    for wrong in ((pair[0], "x"), ("x", pair[1]), ("x", "x")):
        for method in ("GET", "POST", "PUT"):
            answer = client.open(PATH, method=method, headers=headers(wrong))
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert client.get(PATH, headers={"X-Experience-API-Version": "1.0.3"}).status_code == 401
    with transaction(engine, silo) as conn:
        reader = headers(auth.issue_key(conn, silo, ["statements/read"], now=clock()))
    assert client.post(PATH, json=statement(), headers=reader).status_code == 403


@requirement(148, 336)
@ONE_ENGINE
def test_alternate_request_syntax(client: Any, pair: tuple[str, str]) -> None:
    given = headers(pair)

    def ask(method: str, key: dict[str, str] = given, **form: str) -> Any:
        return client.post(PATH, query_string={"method": method}, data=form, headers=key)

    said = statement()
    assert ask("PUT", statementId=said["id"], content=json.dumps(said)).status_code == 204
    assert ask("GET", statementId=said["id"]).json["id"] == said["id"]
    listed = ask("GET", limit="1")
    assert (listed.status_code, len(listed.json["statements"])) == (200, 1)
    inside = dict(given)
    assert ask("GET", {}, limit="1", **inside).status_code == 200
    both = client.post(PATH, query_string={"method": "GET", "limit": "1"}, data={}, headers=given)
    assert both.status_code == 400
    assert ask("GET", headers(pair, "2.0.0"), limit="1").status_code == 400


@requirement(160)
def test_consistent_through_is_true(client: Any, key: Any, clock: Any) -> None:
    """Whatever the header vouches for stays: nothing is stored before it afterwards."""
    for _ in range(3):
        clock.advance(seconds=1)
        post(client, key, statement())
        through = datetime.fromisoformat(get(client, key).headers["X-Experience-API-Consistent-Through"])
        clock.advance(seconds=1)
        [fresh] = post(client, key, statement(id=None))
        stored = datetime.fromisoformat(get(client, key, statementId=fresh).json["stored"])
        assert stored >= through
        assert stored - through < timedelta(minutes=1)
