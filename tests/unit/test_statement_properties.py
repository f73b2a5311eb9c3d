"""Properties of the pure layer, on generated statements and on any JSON."""

from __future__ import annotations

import json
import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.statements import agent, statement
from xapi import json_text
from xapi import statement as statements
from xapi.errors import XapiError
from xapi.statement import account_key, actor_key, canonical, completed, equivalent, parse

AGENTS = st.builds(agent, st.text(min_size=1, max_size=8)) | st.builds(
    lambda name: {"mbox": f"mailto:{name}@X.test", "name": name}, st.from_regex(r"[a-z]{1,8}", fullmatch=True)
)
GROUPS = st.builds(
    lambda members: {"objectType": "Group", "member": members}, st.lists(AGENTS, min_size=1, max_size=4)
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "instructor": AGENTS | GROUPS,
        "team": GROUPS,
        "extensions": st.dictionaries(st.just("http://x.test/e"), JSON, max_size=1),
        "contextActivities": st.just({"parent": {"id": "http://x.test/p"}}),
    },
)
STATEMENTS = st.builds(
    lambda actor, context, target: statement(actor=actor, context=context, object=target),
    AGENTS | GROUPS,
    CONTEXTS,
    st.just({"id": "http://x.test/a", "definition": {"name": {"fr": "A"}}})
    | st.builds(lambda who: {"objectType": "Agent", **who}, AGENTS)
    | st.builds(
        lambda who: {
            "objectType": "SubStatement",
            "actor": who,
            "verb": {"id": "http://x.test/v"},
            "object": {"id": "http://x.test/a"},
        },
        AGENTS,
    ),
)
FEW = settings(max_examples=60, deadline=None)


def shuffled(value: Any, seed: int) -> Any:
    """Return the same JSON with the keys of its objects in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.Random(seed).shuffle(keys)
        return {key: shuffled(value[key], seed) for key in keys}
    return [shuffled(item, seed) for item in value] if isinstance(value, list) else value


@FEW
@given(STATEMENTS, st.integers(0, 99))
def test_canonical_form_is_its_own(item: dict[str, Any], seed: int) -> None:
    statements.validate(item)
    once = canonical(item)
    assert canonical(once) == once
    assert canonical(shuffled(item, seed)) == once


@FEW
@given(STATEMENTS, st.integers(0, 99))
def test_what_a_store_gives_back_says_the_same(item: dict[str, Any], seed: int) -> None:
    kept = completed(item, statement_id=item["id"], stored="2026-11-21T08:00:00.000Z", authority=agent("key"))
    statements.validate(kept)
    read = json_text.load(orjson.dumps(shuffled(kept, seed)))
    assert equivalent(item, read)
    assert equivalent({k: v for k, v in item.items() if k not in ("id", "timestamp")}, read)
    assert not equivalent({**item, "result": {"success": True}}, read)
    assert statements.links(read) == statements.links(kept)


@FEW
@given(AGENTS | GROUPS, st.integers(0, 99))
def test_actor_key_depends_on_the_identifier_alone(who: dict[str, Any], seed: int) -> None:
    key = actor_key(who)
    assert len(key) == 32
    assert actor_key(shuffled({**who, "name": "Another"}, seed)) == key
    if "member" in who:
        assert actor_key({**who, "member": who["member"][::-1]}) == key


def test_keys_of_identifiers_differ() -> None:
    keys = [
        account_key("https://x.test", "a"),
        account_key("https://x.test/", "a"),
        actor_key({"mbox": "mailto:a@x.test"}),
        actor_key({"openid": "mailto:a@x.test"}),
        actor_key({"mbox_sha1sum": "mailto:a@x.test"}),
    ]
    assert len(set(keys)) == len(keys)
    assert actor_key(agent("a")) == account_key("https://lms.test", "a")


def test_differences_that_count_and_that_do_not() -> None:
    base = statement(result={"extensions": {"http://x.test/e": 1}, "duration": "PT60S"})
    same = [
        {**base, "verb": {"id": base["verb"]["id"], "display": {"fr": "a vu"}}},
        {**base, "timestamp": "2026-11-20T11:00:00.000+01:00"},
        {**base, "object": {"id": base["object"]["id"], "definition": {"name": {"fr": "Page"}}}},
        {**base, "stored": "2020-01-01T00:00:00Z", "version": "1.0.1"},
        {**base, "result": {"extensions": {"http://x.test/e": 1.0}, "duration": "PT60S"}},
    ]
    other = [
        {**base, "result": {"extensions": {"http://x.test/e": True}, "duration": "PT60S"}},
        {**base, "result": {"extensions": {"http://x.test/e": 1}, "duration": "PT1M"}},
        {**base, "timestamp": "2026-11-20T11:00:00.001+01:00"},
        {**base, "actor": agent("u2")},
        {**base, "context": {}},
    ]
    assert all(equivalent(item, base) for item in same)
    assert not any(equivalent(item, base) for item in other)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_json_reads_as_it_is_or_is_refused(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert json_text.load(text.encode()) == orjson.loads(text)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=4), JSON, st.data())
def test_a_key_given_twice_is_always_seen(value: dict[str, Any], other: Any, data: Any) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    text = json.dumps([{"in": value}])
    twice = text[:-3] + f", {json.dumps(key)} : {json.dumps(other)}" + "}}]"
    with pytest.raises(XapiError, match="twice"):
        json_text.load(twice.encode())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_statements_or_a_refusal(body: bytes) -> None:
    try:
        found = parse(body)
    except XapiError:
        return
    assert found == []


@settings(max_examples=100, deadline=None)
@given(STATEMENTS, JSON, st.data())
def test_any_value_anywhere_is_accepted_or_refused(item: dict[str, Any], value: Any, data: Any) -> None:
    place = item
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    for version in ("1.0.3", "2.0.0"):
        try:
            statements.validate(item, version)
        except XapiError:
            continue
        whole = completed(item, statement_id="x", stored="2026-11-21T08:00:00.000Z", authority=agent())
        assert statements.links(whole).agents
        assert equivalent(item, whole)
