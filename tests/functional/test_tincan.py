"""The client of most Python programs (tincan's RemoteLRS) against this store, over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import tincan
from sqlalchemy import Engine

from tests.conftest import Live
from tool_config.database import transaction
from xapi import auth

ACTIVITY = tincan.Activity(
    id="https://lms.test/mod/quiz/view.php?id=7",
    definition=tincan.ActivityDefinition(
        name=tincan.LanguageMap({"fr": "Évaluer"}), type="http://x.test/quiz"
    ),
)
AGENT = tincan.Agent(name="Zoë", account=tincan.AgentAccount(home_page="https://lms.test", name="42"))
VERB = tincan.Verb(
    id="http://adlnet.gov/expapi/verbs/answered", display=tincan.LanguageMap({"en": "answered"})
)
VERSIONS = tincan.Version.supported


@pytest.fixture
def issued(live_server: Live, engine: Engine, silo: int, clock: Any) -> tuple[str, str]:
    with transaction(engine, silo) as conn:
        return auth.issue_key(conn, silo, ["all"], now=clock())


@pytest.fixture(params=[VERSIONS[0], VERSIONS[-1]])
def lrs(request: pytest.FixtureRequest, live_server: Live, issued: tuple[str, str]) -> tincan.RemoteLRS:
    return remote(live_server, issued, request.param)


def remote(live: Live, key: tuple[str, str], version: str) -> tincan.RemoteLRS:
    return tincan.RemoteLRS(endpoint=f"{live.url}/xapi/", version=version, username=key[0], password=key[1])


def said(**over: Any) -> tincan.Statement:
    made: dict[str, Any] = {
        "id": uuid4(),
        "actor": AGENT,
        "verb": VERB,
        "object": ACTIVITY,
        "timestamp": datetime(2026, 11, 20, 10, tzinfo=UTC),
        "result": tincan.Result(
            success=True, score=tincan.Score(scaled=0.5, raw=5, min=0, max=10), duration=timedelta(seconds=90)
        ),
        "context": tincan.Context(registration=uuid4(), language="fr"),
    }
    return tincan.Statement(**{**made, **over})


def test_the_versions_are_those_of_the_client() -> None:
    assert VERSIONS == ["1.0.3", "1.0.2", "1.0.1", "1.0.0"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_about(lrs: tincan.RemoteLRS) -> None:
    answer = lrs._send_request(tincan.HTTPRequest(method="GET", resource="about"))
    assert answer.success
    assert json.loads(answer.data)["version"] == ["1.0.3", "2.0.0"]
    # The client's own reading knows no version after 1.0.3, and says so.
    with pytest.raises(ValueError, match=r"'2\.0\.0' in \['1\.0\.3', '2\.0\.0'\]"):
        lrs.about()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_wrong_credentials(live_server: Live, issued: tuple[str, str]) -> None:
    answer = remote(live_server, (issued[0], "wrong"), "1.0.3").save_statement(said())
    assert (answer.success, answer.response.status) == (False, 401)


def test_statements_saved_and_retrieved(lrs: tincan.RemoteLRS) -> None:
    one = said()
    saved = lrs.save_statement(one)
    assert saved.success, saved.data
    found = lrs.retrieve_statement(one.id)
    assert found.success, found.data
    kept = found.content
    assert (kept.id, kept.actor.account.name, kept.verb.id) == (one.id, "42", VERB.id)
    assert (kept.result.score.scaled, kept.result.duration) == (0.5, timedelta(seconds=90))
    assert kept.timestamp == one.timestamp
    assert kept.stored is not None
    assert kept.authority is not None
    assert lrs.save_statement(one).success, "the same again changes nothing"
    other = lrs.save_statement(said(id=one.id, verb=tincan.Verb(id="http://x.test/other")))
    assert (other.success, other.response.status) == (False, 409)
    unnamed = lrs.save_statement(said(id=None))
    assert unnamed.success
    assert lrs.retrieve_statement(unnamed.content.id).success
    batch = [said(id=None), said(id=uuid4())]
    saved = lrs.save_statements(batch)
    assert saved.success, saved.data
    assert all(lrs.retrieve_statement(item.id).success for item in saved.content)
    assert lrs.retrieve_statement(uuid4()).response.status == 404


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_voiding(lrs: tincan.RemoteLRS) -> None:
    one = said()
    assert lrs.save_statement(one).success
    voiding = said(
        verb=tincan.Verb(id="http://adlnet.gov/expapi/verbs/voided"),
        object=tincan.StatementRef(id=one.id),
        result=None,
    )
    assert lrs.save_statement(voiding).success
    assert lrs.retrieve_statement(one.id).response.status == 404
    assert lrs.retrieve_voided_statement(one.id).content.id == one.id


def test_queries_and_their_next_pages(lrs: tincan.RemoteLRS, clock: Any) -> None:
    batch = [said(id=uuid4()) for _ in range(7)]
    assert lrs.save_statements(batch).success
    other = said(actor=tincan.Agent(mbox="mailto:z@lms.test"))
    clock.advance(seconds=1)
    assert lrs.save_statement(other).success
    clock.advance(minutes=1)
    asked = {"agent": AGENT, "verb": VERB, "activity": ACTIVITY, "limit": 3, "ascending": "true"}
    answer = lrs.query_statements(asked)
    assert answer.success, answer.data
    pages = [answer.content]
    while pages[-1].more:
        answer = lrs.more_statements(pages[-1])
        assert answer.success, answer.data
        pages.append(answer.content)
    found = [item.id for page in pages for item in page.statements]
    assert (len(pages), len(found), set(found)) == (3, 7, {item.id for item in batch})
    since = clock.now - timedelta(seconds=60, milliseconds=1)
    answer = lrs.query_statements({"since": since.isoformat(), "format": "ids"})
    assert [item.id for item in answer.content.statements] == [other.id]
    registration = batch[0].context.registration
    answer = lrs.query_statements({"registration": registration, "related_agents": "true"})
    assert [item.id for item in answer.content.statements] == [batch[0].id]


def etag(answer: Any) -> str:
    found = answer.response.getheader("ETag")
    assert found
    return str(found)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_state(lrs: tincan.RemoteLRS) -> None:
    document = tincan.StateDocument(
        id="place", activity=ACTIVITY, agent=AGENT, content='{"page": 3}', content_type="application/json"
    )
    assert lrs.save_state(document).success
    answer = lrs.retrieve_state(ACTIVITY, AGENT, "place")
    assert bytes(answer.content.content) == b'{"page": 3}'
    ids = lrs.retrieve_state_ids(ACTIVITY, AGENT)
    assert ids.content == ["place"]
    assert lrs.delete_state(document).success
    gone = lrs.retrieve_state(ACTIVITY, AGENT, "place")
    assert (gone.success, gone.response.status) == (True, 404)
    assert lrs.save_state(document).success
    assert lrs.clear_state(ACTIVITY, AGENT).success
    assert lrs.retrieve_state_ids(ACTIVITY, AGENT).content == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["activity", "agent"])
def test_profiles_and_their_etags(lrs: tincan.RemoteLRS, kind: str) -> None:
    whose = {"activity": ACTIVITY} if kind == "activity" else {"agent": AGENT}
    [about] = whose.values()
    make = tincan.ActivityProfileDocument if kind == "activity" else tincan.AgentProfileDocument
    save, retrieve, ids, delete = (
        getattr(lrs, name.format(kind))
        for name in ("save_{}_profile", "retrieve_{}_profile", "retrieve_{}_profile_ids", "delete_{}_profile")
    )

    def document(content: str, tag: str | None = None) -> Any:
        made = make(id="choice", content=content, content_type="text/plain", **whose)
        made.etag = tag
        return made

    # The client can say If-Match only, never If-None-Match: a store that is strict (1.0.3, Communication
    # 3.1) lets it change a profile and not make one by PUT; POST makes one.
    assert save(document("one")).response.status == 400
    made = tincan.HTTPRequest(
        method="POST",
        resource="activities/profile" if kind == "activity" else "agents/profile",
        content="one",
        headers={"Content-Type": "text/plain"},
        query_params={
            "profileId": "choice",
            **({"activityId": ACTIVITY.id} if kind == "activity" else {"agent": AGENT.to_json(lrs.version)}),
        },
    )
    assert lrs._send_request(made).success
    answer = retrieve(about, "choice")
    assert bytes(answer.content.content) == b"one"
    tag = etag(answer)
    assert save(document("two", tag)).success
    late = save(document("three", tag))
    assert (late.success, late.response.status) == (False, 412)
    answer = retrieve(about, "choice")
    assert bytes(answer.content.content) == b"two"
    assert ids(about).content == ["choice"]
    assert delete(document("", tag)).response.status == 412
    assert delete(document("", etag(answer))).success
    assert retrieve(about, "choice").response.status == 404
