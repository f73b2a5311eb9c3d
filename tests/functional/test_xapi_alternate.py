"""The alternate request syntax of 1.0.3 (Communication 1.3), and what pages of other sites may do (CORS)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from tests.factories.statements import agent, headers, statement
from tool_config.database import transaction
from xapi import auth

PATH = "/xapi/statements"
STATE = "/xapi/activities/state"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock()))


def ask(
    client: Any,
    method: str,
    form: Any,
    key: Any = None,
    *,
    path: str = PATH,
    kind: str = FORM,
    **query: str,
) -> Any:
    data = form if isinstance(form, bytes) else urlencode(form)
    asked = {"method": method, **query}
    return client.post(path, query_string=asked, data=data, content_type=kind, headers=key or {})


def test_statements_put_posted_and_read(client: Any, key: Any) -> None:
    said, wanted = statement(id=None, result={"response": "déjà + vu & 100 %"}), str(uuid4())
    put = {"statementId": wanted, "content": json.dumps(said, ensure_ascii=False)}
    assert ask(client, "PUT", put, key).status_code == 204
    found = ask(client, "GET", {"statementId": wanted}, key)
    assert (found.status_code, found.json["result"]) == (200, said["result"])
    posted = ask(client, "POST", {"content": json.dumps([statement(), statement()])}, key)
    assert (posted.status_code, len(posted.json)) == (200, 2)
    listed = ask(client, "GET", {"limit": "2"}, key)
    assert len(listed.json["statements"]) == 2
    assert listed.headers["X-Experience-API-Consistent-Through"]
    assert ask(client, "GET", b"", key).status_code == 200
    assert ask(client, "GET", {}, key, path="/xapi/about").json == {"version": ["1.0.3", "2.0.0"]}


def test_headers_are_read_in_the_form(client: Any, key: Any) -> None:
    inside = {**key, "Content-Type": "application/json", "Content-Length": "3"}
    put = {**inside, "statementId": str(uuid4()), "content": json.dumps(statement(id=None))}
    assert ask(client, "PUT", put).status_code == 204
    assert ask(client, "PUT", {**put, "X-Experience-API-Version": "0.8"}, key).status_code == 400
    assert ask(client, "PUT", {**put, "Content-Type": "text/plain"}).status_code == 400
    assert ask(client, "PUT", {**put, "Authorization": "Basic eDp5"}, key).status_code == 401
    assert (
        ask(client, "PUT", {name: text for name, text in put.items() if name != "Authorization"}).status_code
        == 401
    )


def test_documents_with_their_preconditions(client: Any, key: Any) -> None:
    place = {"activityId": "https://x.test/a", "agent": json.dumps(agent()), "stateId": "s"}
    put = {**place, "content": "été", "Content-Type": "text/plain; charset=utf-8", "If-None-Match": "*"}
    assert ask(client, "PUT", put, key, path=STATE).status_code == 204
    assert ask(client, "PUT", put, key, path=STATE).status_code == 412
    found = client.get(STATE, query_string=place, headers=key)
    assert (found.data, found.content_type) == ("été".encode(), "text/plain; charset=utf-8")
    assert ask(client, "DELETE", {**place, "If-Match": '"no"'}, key, path=STATE).status_code == 412
    assert (
        ask(client, "DELETE", {**place, "If-Match": found.headers["ETag"]}, key, path=STATE).status_code
        == 204
    )
    assert client.get(STATE, query_string=place, headers=key).status_code == 404


def test_what_is_refused(client: Any, key: Any) -> None:
    wanted, content = str(uuid4()), json.dumps(statement(id=None))
    put = {"statementId": wanted, "content": content}
    assert ask(client, "PUT", put, key, statementId=wanted).status_code == 400
    assert ask(client, "PUT", put, key, kind="application/json").status_code == 400
    assert ask(client, "PUT", json.dumps(put).encode(), key).status_code == 400
    assert ask(client, "PUT", {"statementId": wanted}, key).status_code == 400
    assert ask(client, "PUT", b"", key).status_code == 400
    assert ask(client, "PUT", [*put.items(), ("content", content)], key).status_code == 400
    assert ask(client, "PUT", [*put.items(), ("If-Match", "a"), ("if-match", "b")], key).status_code == 400
    assert ask(client, "GET", {"statementId": wanted, "content": content}, key).status_code == 400
    assert ask(client, "GET", {"limit": "1", "other": "1"}, key).status_code == 400
    assert ask(client, "GET", b"limit=%ff", key).status_code == 400
    assert ask(client, "GET", "limit=é".encode(), key).status_code == 400
    assert ask(client, "GET", [("x", "1")] * 101, key).status_code == 400
    for method in ("get", "PATCH", "OPTIONS", ""):
        assert ask(client, method, {}, key).status_code == 400
    for method in ("put", "get", "delete"):
        answer = getattr(client, method)(f"{PATH}?method=POST", headers=key, json=statement())
        assert answer.status_code in (400, 405)
    modern = {**key, "X-Experience-API-Version": "2.0.0"}
    for method, form in (("GET", {"limit": "1"}), ("PUT", put), ("POST", {"content": content})):
        assert ask(client, method, form, modern).status_code == 400
    assert client.get(PATH, headers=key).json["statements"] == []


def test_too_large_a_form_is_413(client: Any, key: Any, settings: Any) -> None:
    big = b"content=" + b"x" * settings.max_body
    assert ask(client, "POST", big, key).status_code == 413


# --- CORS --------------------------------------------------------------------------------------------------


def test_a_browser_may_ask_first_without_a_key(client: Any) -> None:
    asked = {
        "Origin": "https://content.test",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, x-experience-api-version, if-match",
    }
    for path in (PATH, STATE, "/xapi/about", "/xapi/agents/profile"):
        answer = client.options(path, headers=asked)
        assert (answer.status_code, answer.data) == (204, b""), path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        for name in (
            "authorization",
            "content-type",
            "x-experience-api-version",
            "if-match",
            "if-none-match",
        ):
            assert name in allowed


def test_answers_may_be_read_by_other_sites_and_carry_no_credentials(client: Any, key: Any) -> None:
    asked = {**key, "Origin": "https://content.test"}
    answers = [
        client.get(PATH, headers=asked),
        client.post(PATH, json={}, headers=asked),
        client.get(PATH, headers={"Origin": "https://content.test"}),
        client.get("/xapi/nothing", headers=asked),
        client.get("/xapi/about", headers=asked),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 404, 200]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"]
        for name in ("ETag", "X-Experience-API-Version", "X-Experience-API-Consistent-Through"):
            assert name in exposed
    # The rest of the tool stays closed to them.
    assert "Access-Control-Allow-Origin" not in client.get("/health/live").headers
