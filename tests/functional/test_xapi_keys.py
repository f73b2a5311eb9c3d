"""Keys: what each scope opens, on every route; who reads answers, who defines; rotation and revocation."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select

from lti_tool.cli import main
from tests.factories.statements import agent, headers, referring, statement, voiding
from tests.factories.surveys import Classroom
from tests.functional.test_xapi_attachments import described, mixed, part
from tool_config import silos
from tool_config.database import transaction
from xapi import api, auth
from xapi.answers import ANSWERED, EXTENSION
from xapi.tables import statement as statement_table

Issue = Callable[..., dict[str, str]]
PATH = "/xapi/statements"
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
IRI = "https://lms.test/course"
WHO = json.dumps(agent())

#: What a request must say to be answered, by resource.
PARAMETERS: dict[str, dict[str, str]] = {
    "about": {},
    "statements": {},
    "activities": {"activityId": IRI},
    "activities/state": {"activityId": IRI, "agent": WHO, "stateId": "s"},
    "activities/profile": {"activityId": IRI, "profileId": "p"},
    "agents": {"agent": WHO},
    "agents/profile": {"agent": WHO, "profileId": "p"},
}
_STATE = {f"activities/state {method}" for method in ("GET", "PUT", "POST", "DELETE")}
_PROFILE = {
    f"{resource} {method}"
    for resource in ("activities/profile", "agents/profile")
    for method in ("GET", "PUT", "POST", "DELETE")
}
_WRITE = {"statements PUT", "statements POST"}
_READ = {"statements GET", "activities GET", "agents GET"}
#: Scope -> "resource METHOD" that it opens (1.0.3 Communication 4.2); anybody may ask about.
OPENS = {
    "statements/write": _WRITE,
    "statements/read/mine": {"statements GET"},
    "statements/read": _READ,
    "state": _STATE,
    "profile": _PROFILE,
    "define": set(),
    "all/read": _READ | {name for name in _STATE | _PROFILE if name.endswith(" GET")},
    "all": _WRITE | _READ | _STATE | _PROFILE,
}


@pytest.fixture
def issue(engine: Engine, silo: int, clock: Any) -> Issue:
    def make(*scopes: str, silo_id: int = silo) -> dict[str, str]:
        with transaction(engine, silo_id) as conn:
            return headers(auth.issue_key(conn, silo_id, scopes, now=clock()))

    return make


def ask(client: Any, resource: str, method: str, key: dict[str, str]) -> int:
    """Return the status of a request that nothing but the right can refuse."""
    given = dict(PARAMETERS[resource])
    more: dict[str, Any] = {}
    if method in ("PUT", "POST"):
        more["json"] = statement(id=None) if resource == "statements" else {"a": 1}
        if resource == "statements" and method == "PUT":
            given["statementId"] = str(uuid4())
    if method == "PUT" and "profile" in resource:
        key = {**key, "If-None-Match": "*"}
        client.delete(f"/xapi/{resource}", query_string=given, headers=key)
        given["profileId"] = str(uuid4())
    answer = client.open(f"/xapi/{resource}", method=method, query_string=given, headers=key, **more)
    if answer.status_code in (401, 403) and method != "HEAD":
        assert answer.json["error"]
    return int(answer.status_code)


# --- scopes ----------------------------------------------------------------------------------------------


def test_every_route_is_in_the_tables(app: Any) -> None:
    """A new resource or method needs its line in PARAMETERS, in OPENS and in `auth.RIGHTS`."""
    routes = {f"{name} {method}" for name, methods in api.RESOURCES.items() for method in methods}
    assert set().union(*OPENS.values()) | {"about GET"} == routes
    assert {f"{name} {method}" for name, method in auth.RIGHTS} == routes
    assert set(OPENS) == set(auth.SCOPES)
    mounted = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/xapi")}
    public = {"/xapi/", "/xapi/<path:rest>", "/xapi/openapi.json"}
    assert mounted == {f"/xapi/{name}" for name in api.RESOURCES} | public


@pytest.mark.parametrize("scope", auth.SCOPES)
@SQLITE
def test_what_a_scope_opens(client: Any, issue: Issue, scope: str) -> None:
    key = issue(scope)
    client.put(
        "/xapi/activities/state", query_string=PARAMETERS["activities/state"], json={}, headers=issue("all")
    )
    for resource, methods in api.RESOURCES.items():
        for method in (*methods, "HEAD"):
            name = f"{resource} {'GET' if method == 'HEAD' else method}"
            status = ask(client, resource, method, key)
            if name in OPENS[scope] or resource == "about":
                assert status in (200, 204, 404), (scope, name, status)
            else:
                assert status == 403, (scope, name, status)


@SQLITE
def test_without_a_key_nothing_but_about_answers(client: Any) -> None:
    for resource, methods in api.RESOURCES.items():
        for method in (*methods, "HEAD"):
            version = {"X-Experience-API-Version": "1.0.3"}
            answer = client.open(f"/xapi/{resource}", method=method, headers=version)
            expected = 200 if resource == "about" else 401
            assert answer.status_code == expected, (resource, method)
            if expected == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@SQLITE
def test_scopes_add_up_and_the_missing_one_is_named(client: Any, issue: Issue) -> None:
    both = issue("statements/write", "state")
    assert ask(client, "statements", "POST", both) == 200
    assert ask(client, "activities/state", "PUT", both) == 204
    answer = client.get(PATH, headers=both)
    assert answer.status_code == 403
    for scope in ("statements/read", "statements/read/mine", "all/read"):
        assert scope in answer.json["error"]


@SQLITE
def test_a_resource_without_rights_cannot_be_mounted(
    settings: Any, engine: Engine, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "RESOURCES", {**api.RESOURCES, "extra": {"GET": api.about}})
    with pytest.raises(LookupError, match="extra"):
        api.blueprint(engine, settings, clock)


# --- answers to questionnaires ---------------------------------------------------------------------------


@pytest.fixture
def answered(engine: Engine, silo: int, clock: Any) -> list[dict[str, Any]]:
    """Return the statements of one person's answers, stored as the tool stores them."""
    room = Classroom(engine, silo, clock()).build(1)
    room.answer(room.open(), 0, overall=4, objectives=2, improve="Trop long, mal expliqué")
    clock.now = room.now + timedelta(minutes=1)
    with transaction(engine, silo, write=False) as conn:
        wanted = select(statement_table.c.raw).where(statement_table.c.silo_id == silo)
        found = [json.loads(raw) for raw in conn.execute(wanted).scalars()]
    answers = [one for one in found if one["verb"]["id"] == ANSWERED]
    assert answers
    assert all(EXTENSION in one["context"]["extensions"] for one in answers)
    return answers


def _ids(client: Any, key: dict[str, str], **filters: str) -> set[str]:
    answer = client.get(PATH, query_string=filters, headers=key)
    assert answer.status_code == 200, answer.data
    return {one["id"] for one in answer.json["statements"]}


def test_answers_are_for_the_keys_that_read_everything(
    client: Any, issue: Issue, answered: list[dict[str, Any]]
) -> None:
    one = answered[0]
    pointing = referring(one["id"], ANSWERED)
    plain = statement(verb={"id": ANSWERED}, context={"extensions": {"http://x.test/e": 1}})
    assert client.post(PATH, json=[pointing, plain], headers=issue("all")).status_code == 200
    who = json.dumps(one["actor"])
    secret = {item["id"] for item in answered}
    filters: list[dict[str, str]] = [
        {"verb": ANSWERED},
        {"agent": who},
        {"agent": who, "related_agents": "true"},
        {"activity": one["object"]["id"]},
        {
            "activity": one["context"]["contextActivities"]["grouping"][0]["id"],
            "related_activities": "true",
        },
        {"registration": one["context"]["registration"]},
        {"ascending": "true"},
        {"attachments": "false", "format": "ids"},
        {},
    ]
    for scopes in (("all",), ("all/read",)):
        key = issue(*scopes)
        for asked in filters:
            assert secret & _ids(client, key, **asked), (scopes, asked)
        assert client.get(PATH, query_string={"statementId": one["id"]}, headers=key).status_code == 200
        assert pointing["id"] in _ids(client, key, activity=one["object"]["id"])
    for scopes in (("statements/read",), ("statements/read", "statements/write", "define", "profile")):
        key = issue(*scopes)
        for asked in filters:
            assert not secret & _ids(client, key, **asked), (scopes, asked)
        # Not even that something points at one.
        for asked in filters[1:6]:
            assert pointing["id"] not in _ids(client, key, **asked)
        for name in ("statementId", "voidedStatementId"):
            for asked in ({name: one["id"]}, {name: one["id"], "attachments": "true"}):
                assert client.get(PATH, query_string=asked, headers=key).status_code == 404
        assert {plain["id"], pointing["id"]} <= _ids(client, key, verb=ANSWERED)


def test_a_page_link_of_another_key_opens_no_answer(
    client: Any, issue: Issue, answered: list[dict[str, Any]]
) -> None:
    page = client.get(PATH, query_string={"limit": "1", "ascending": "false"}, headers=issue("all/read")).json
    assert page["more"]
    following = client.get(page["more"], headers=issue("statements/read")).json["statements"]
    assert not {one["id"] for one in following} & {one["id"] for one in answered}


def test_answers_stay_hidden_once_voided_written_by_oneself_or_with_attachments(
    client: Any, issue: Issue, answered: list[dict[str, Any]]
) -> None:
    every, reader = issue("all"), issue("statements/read")
    mine = issue("statements/write", "statements/read/mine")
    gone = answered[0]["id"]
    client.post(PATH, json=voiding(gone), headers=every)
    assert client.get(PATH, query_string={"voidedStatementId": gone}, headers=every).status_code == 200
    assert client.get(PATH, query_string={"voidedStatementId": gone}, headers=reader).status_code == 404
    own = statement(
        verb={"id": ANSWERED},
        context={"extensions": {EXTENSION: {"survey": "s"}}},
        attachments=[described(b"what was said")],
    )
    body = mixed(own, part(b"what was said"))
    kind = "multipart/mixed; boundary=xBoundary42"
    assert client.post(PATH, data=body, content_type=kind, headers=mine).status_code == 200
    for key in (reader, mine):
        found = client.get(PATH, query_string={"attachments": "true"}, headers=key)
        assert found.status_code == 200
        assert own["id"].encode() not in found.data
        assert b"what was said" not in found.data
    assert b"what was said" in client.get(PATH, query_string={"attachments": "true"}, headers=every).data


# --- who defines -----------------------------------------------------------------------------------------


def _say(client: Any, key: dict[str, str], name: str, **query: str) -> None:
    said = statement(id=None, object={"id": IRI, "definition": {"name": {"fr": name}}})
    if query:
        answer = client.put(PATH, json=said, query_string=query, headers=key)
    else:
        answer = client.post(PATH, json=said, headers=key)
    assert answer.status_code in (200, 204)


def _known(client: Any, key: dict[str, str]) -> Any:
    found = client.get("/xapi/activities", query_string={"activityId": IRI}, headers=key)
    return found.json.get("definition")


def test_only_keys_that_define_change_what_an_activity_is(
    client: Any, issue: Issue, engine: Engine, silo: int, clock: Any
) -> None:
    reader, writer = issue("all/read"), issue("statements/write")
    definer, everything = issue("statements/write", "define"), issue("all")
    steps = [
        (writer, "Par qui ne définit pas", None),
        (definer, "Défini", {"name": {"fr": "Défini"}}),
        (writer, "Faux", {"name": {"fr": "Défini"}}),
        (everything, "Par qui peut tout", {"name": {"fr": "Par qui peut tout"}}),
    ]
    for key, name, expected in steps:
        clock.advance(seconds=1)
        _say(client, key, name)
        assert _known(client, reader) == expected
    clock.advance(seconds=1)
    _say(client, writer, "Faux encore", statementId=str(uuid4()))
    assert _known(client, reader) == {"name": {"fr": "Par qui peut tout"}}
    # What was said stays in the statement that said it.
    exact = client.get(PATH, query_string={"activity": IRI, "limit": "1"}, headers=reader).json["statements"]
    assert exact[0]["object"]["definition"] == {"name": {"fr": "Faux encore"}}


# --- rotation, revocation --------------------------------------------------------------------------------


def _status(client: Any, key_id: str, secret: str) -> int:
    return int(client.get(PATH, headers=headers((key_id, secret))).status_code)


def test_rotation(client: Any, engine: Engine, silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        key_id, old = auth.issue_key(conn, silo, ["all"], now=clock())
    assert _status(client, key_id, old) == 200
    with transaction(engine, silo) as conn:
        new = auth.rotate_key(conn, silo, key_id, now=clock())
    # The new secret opens at once; the old one, which this process has seen to be good, for two seconds.
    assert _status(client, key_id, new) == 200
    clock.advance(seconds=2)
    assert [_status(client, key_id, secret) for secret in (old, new, old, new)] == [401, 200, 401, 200]


def test_rotation_with_an_overlap(client: Any, engine: Engine, silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        key_id, first = auth.issue_key(conn, silo, ["all"], now=clock())
        second = auth.rotate_key(conn, silo, key_id, now=clock(), overlap=timedelta(minutes=10))
    assert [_status(client, key_id, secret) for secret in (first, second)] == [200, 200]
    clock.advance(minutes=9, seconds=59)
    assert [_status(client, key_id, secret) for secret in (first, second)] == [200, 200]
    clock.advance(seconds=1)
    assert [_status(client, key_id, secret) for secret in (first, second)] == [401, 200]
    with transaction(engine, silo) as conn:
        third = auth.rotate_key(conn, silo, key_id, now=clock(), overlap=timedelta(minutes=10))
        fourth = auth.rotate_key(conn, silo, key_id, now=clock(), overlap=timedelta(minutes=10))
    clock.advance(seconds=2)
    # The one before the last alone goes on.
    secrets = (first, second, third, fourth)
    assert [_status(client, key_id, secret) for secret in secrets] == [401, 401, 200, 200]
    with transaction(engine, silo) as conn:
        silos.revoke_key(conn, silo, key_id, now=clock())
    clock.advance(seconds=2)
    assert [_status(client, key_id, secret) for secret in secrets] == [401, 401, 401, 401]
    with transaction(engine, silo) as conn, pytest.raises(silos.SiloError, match="in use"):
        auth.rotate_key(conn, silo, key_id, now=clock())


@SQLITE
def test_another_silo_rotates_nothing(engine: Engine, silo: int, second_silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        key_id, _ = auth.issue_key(conn, silo, ["all"], now=clock())
    with transaction(engine, second_silo) as conn, pytest.raises(silos.SiloError):
        auth.rotate_key(conn, second_silo, key_id, now=clock())


@SQLITE
def test_judging_a_wrong_secret_again_costs_nothing(client: Any, issue: Issue) -> None:
    """The hash is slow by design: a client that keeps on with an old secret must not take the processor."""
    key_id = _key_id(issue("all"))
    assert _status(client, key_id, "wrong") == 401
    begun = time.thread_time()
    for _ in range(20):
        assert _status(client, key_id, "wrong") == 401
    assert time.thread_time() - begun < 0.2


def _key_id(key: dict[str, str]) -> str:
    return base64.b64decode(key["Authorization"].split()[1]).decode().partition(":")[0]


@SQLITE
def test_secrets_are_kept_as_hashes(engine: Engine, silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        key_id, first = auth.issue_key(conn, silo, ["all"], now=clock())
        second = auth.rotate_key(conn, silo, key_id, now=clock(), overlap=timedelta(hours=1))
    with engine.connect() as raw:
        dump = "\n".join(raw.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "$argon2id$" in dump
    for secret in (first, second):
        assert secret not in dump
        assert hashlib.sha256(secret.encode()).hexdigest() not in dump


def test_the_commands(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIME_DATA_DIR", str(tmp_path))

    def run(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(main, ["key", *arguments, "--silo", "a"])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.stderr

    CliRunner().invoke(main, ["silo", "add", "a"])
    made = run("add", "--scope", "statements/write", "define", "--label", "Moodle")
    assert made["scopes"] == ["statements/write", "define"]
    turned = run("rotate", made["key"], "--overlap", "30")
    assert turned["secret"] not in ("", made["secret"])
    shown = run("show", made["key"])
    assert shown["previous_secret_until"] == turned["previous_until"]
    assert shown["label"] == "Moodle"
    assert made["secret"] not in json.dumps([shown, run("list")])
    assert run("show", run("add", "--scope", "all")["key"])["previous_secret_until"] is None
    run("revoke", made["key"])
    assert "in use" in run("rotate", made["key"], code=1)
    assert "unknown scope" in run("add", "--scope", "everything", code=1)
    assert "no key" in run("show", "nobody", code=1)
