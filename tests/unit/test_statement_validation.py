"""What is a statement and what is not, by requirement (xAPI 1.0.3 Data 2, 4; xAPI 2.0 4.2)."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.factories.statements import VOIDED, agent, statement
from xapi import statement as statements
from xapi import values
from xapi.errors import XapiError


def is_valid(item: Any, version: str = "1.0.3") -> bool:
    try:
        statements.validate(item, version)
    except XapiError:
        return False
    return True


@pytest.mark.parametrize(("file", "version"), [("1.0.3", "1.0.3"), ("2.0", "2.0.0")])
def test_every_labelled_case_is_answered_as_labelled(shared_data: Path, file: str, version: str) -> None:
    path = shared_data / "xapi-conformance-cases" / f"statements-{file}.jsonl"
    cases = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert len(cases) > 500
    wrong = [case["name"] for case in cases if is_valid(case["statement"], version) != case["valid"]]
    assert wrong == []


def put(where: str, value: Any) -> dict[str, Any]:
    """Return a rich valid statement with one property changed, named by its path."""
    made = deepcopy(RICH)
    *path, last = where.split("/")
    place: Any = made
    for step in path:
        place = place[int(step) if step.isdigit() else step]
    if value is MISSING:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return made


MISSING = object()
GROUP = {"objectType": "Group", "name": "Team", "member": [agent("a"), agent("b")]}
ATTACHMENT = {
    "usageType": "http://x.test/usage",
    "display": {"fr": "Une pièce"},
    "description": {"fr": ""},
    "contentType": "text/plain; charset=utf-8",
    "length": 0,
    "sha2": "0" * 64,
    "fileUrl": "https://x.test/file",
}
RICH: dict[str, Any] = {
    **statement(),
    "object": {
        "objectType": "Activity",
        "id": "http://x.test/q",
        "definition": {
            "name": {"fr-FR": "Question"},
            "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
            "moreInfo": "https://x.test/more",
            "interactionType": "choice",
            "correctResponsesPattern": ["a[,]b"],
            "choices": [{"id": "a", "description": {"fr": "A"}}, {"id": "b"}],
            "extensions": {"http://x.test/e": None},
        },
    },
    "result": {
        "score": {"scaled": -1, "raw": 1, "min": 0.5, "max": 2},
        "success": True,
        "completion": False,
        "response": "",
        "duration": "P1Y2M3DT4H5M6.7S",
        "extensions": {},
    },
    "context": {
        "registration": "12345678-1234-5678-1234-567812345678",
        "instructor": GROUP,
        "team": GROUP,
        "contextActivities": {"parent": {"id": "http://x.test/p"}, "other": []},
        "revision": "1",
        "platform": "Moodle",
        "language": "fr",
        "statement": {"objectType": "StatementRef", "id": "12345678-1234-5678-1234-567812345678"},
        "extensions": {"urn:x:y": {"any": [None]}},
    },
    "stored": "2026-11-20T10:00:00Z",
    "authority": {"objectType": "Group", "member": [agent("a"), agent("b")]},
    "version": "1.0.3",
    "attachments": [ATTACHMENT],
}

GOOD: list[tuple[str, Any]] = [
    ("id", "ABCDEF78-1234-5678-1234-56781234567A"),
    ("actor", GROUP),
    ("actor", {**GROUP, "mbox": "mailto:team@x.test"}),
    ("actor", {"objectType": "Group", "openid": "https://x.test/team"}),
    ("actor", {"mbox_sha1sum": "A" * 40}),
    ("authority", agent("key")),
    ("timestamp", "2026-11-20T10:00:00.123456789+01:00"),
    ("timestamp", "2026-11-20T10:00:00"),
    ("timestamp", "2016-12-31T23:59:60Z"),
    ("timestamp", "20261120T100000Z"),
    ("version", "1.0"),
    ("result/duration", "P4W"),
    ("result/duration", "PT0.5H"),
    ("result/score", {}),
    ("result/score", {"raw": 5}),
    ("result/extensions", {"http://x.test/e": "\x00"}),
    ("context/language", "zh-Hant-TW"),
    ("context/language", "sl-rozaj-biske-1994"),
    ("context/language", "de-419"),
    ("context/language", "en-a-bbb-x-a-ccc"),
    ("context/language", "i-klingon"),
    ("context/contextActivities", {}),
    ("object/definition", {}),
    ("object/id", "tag:adlnet.gov,2013:expapi:1.0.3"),
    ("object/id", "https://例子.test/é?q=%20#a"),
    ("verb/display", {}),
    ("attachments", []),
]
BAD: list[tuple[str, Any]] = [
    ("actor", MISSING),
    ("verb", MISSING),
    ("object", MISSING),
    ("Actor", agent()),
    ("extra", 1),
    ("result", None),
    ("id", "{12345678-1234-5678-1234-567812345678}"),
    ("id", "12345678123456781234567812345678"),
    ("id", "12345678-1234-5678-1234-567812345678\n"),
    ("actor", {}),
    ("actor", {"name": "x"}),
    ("actor", {**agent(), "mbox": "mailto:a@x.test"}),
    ("actor", {**agent(), "member": []}),
    ("actor", {"member": [agent()]}),
    ("actor", {"objectType": "Group"}),
    ("actor", {"objectType": "Group", "member": []}),
    ("actor", {"objectType": "Group", "member": [GROUP]}),
    ("actor", {"objectType": "group", "member": [agent()]}),
    ("actor", {"objectType": ["Group"], "member": [agent()]}),
    ("actor", {"objectType": "Person", "mbox": "mailto:a@x.test"}),
    ("actor/account", {"homePage": "https://x.test"}),
    ("actor/account", {"name": "x"}),
    ("actor/account", {"homePage": "x.test", "name": "x"}),
    ("actor/account", {"homePage": "https://x.test", "name": 1}),
    ("actor/account", {"homePage": "https://x.test", "name": "x", "id": "x"}),
    ("actor", {"mbox": "a@x.test"}),
    ("actor", {"mbox": "mailto:a x@x.test"}),
    ("actor", {"mbox": ""}),
    ("actor", {"mbox_sha1sum": "g" * 40}),
    ("actor", {"mbox_sha1sum": "a" * 39}),
    ("actor", {"openid": "x"}),
    ("authority", GROUP | {"mbox": "mailto:a@x.test"}),
    ("authority", {"objectType": "Group", "member": [agent("a")]}),
    ("authority", {"objectType": "Group", "member": [agent("a"), agent("b"), agent("c")]}),
    ("verb/id", "experienced"),
    ("verb/id", "http://"),
    ("verb/id", "http:///path"),
    ("verb/id", "http://x.test/a b"),
    ("verb/id", ""),
    ("verb/display", "x"),
    ("verb/display", {"fr": None}),
    ("verb/display", {"français": "x"}),
    ("verb/display", {"": "x"}),
    ("verb/display", {"fr_FR": "x"}),
    ("verb/display", {"a-DE": "x"}),
    ("verb/display", {"de-419-DE": "x"}),
    ("verb/display", {"ar-a-aaa-b-bbb-a-ccc": "x"}),
    ("verb/display", {"de-1901-1901": "x"}),
    ("object/objectType", "activity"),
    ("object/objectType", None),
    ("object/id", 1),
    ("object/definition", []),
    ("object/definition/type", "x"),
    ("object/definition/moreInfo", "x"),
    ("object/definition/interactionType", "Choice"),
    ("object/definition/interactionType", MISSING),
    ("object/definition/interactionType", "likert"),
    ("object/definition/correctResponsesPattern", "a"),
    ("object/definition/correctResponsesPattern", [1]),
    ("object/definition/choices", {"id": "a"}),
    ("object/definition/choices", [{"description": {"fr": "A"}}]),
    ("object/definition/choices", [{"id": 1}]),
    ("object/definition/choices", [{"id": "a"}, {"id": "a"}]),
    ("object/definition/choices", [{"id": "a", "description": "A"}]),
    ("object/definition/scale", [{"id": "a"}]),
    ("object/definition/extensions", {"e": 1}),
    ("object/definition/extensions", [1]),
    ("object", {"objectType": "StatementRef", "id": "x"}),
    ("object", {"objectType": "StatementRef"}),
    ("object", {"account": agent()["account"]}),
    ("result/score", 1),
    ("result/score/scaled", 1.01),
    ("result/score/scaled", "1"),
    ("result/score/scaled", True),
    ("result/score/raw", 3),
    ("result/score/raw", 0),
    ("result/score/max", 0.5),
    ("result/score/other", 1),
    ("result/success", 1),
    ("result/completion", "true"),
    ("result/response", None),
    ("result/response", 1),
    ("result/duration", "P"),
    ("result/duration", "PT"),
    ("result/duration", "P1YT"),
    ("result/duration", "P1.5Y2M"),
    ("result/duration", "P1W2D"),
    ("result/duration", "PT1H1H"),
    ("result/duration", "-PT1H"),
    ("result/extensions", None),
    ("context/registration", "x"),
    ("context/instructor", "x"),
    ("context/team", agent()),
    ("context/contextActivities", []),
    ("context/contextActivities/parent", "http://x.test/p"),
    ("context/contextActivities/parents", []),
    ("context/contextActivities/parent", [agent()]),
    ("context/revision", 1),
    ("context/platform", None),
    ("context/language", "french!"),
    ("context/statement", {"id": "12345678-1234-5678-1234-567812345678"}),
    ("context/statement", {"objectType": "SubStatement"}),
    ("context/extensions", {"": 1}),
    ("context/contextAgents", []),
    ("timestamp", "2026-11-20T10:00:00-00:00"),
    ("timestamp", "2026-11-20T10:00:00-0000"),
    ("timestamp", "2026-11-20T10:00:00-00"),
    ("timestamp", "2026-02-30T10:00:00Z"),
    ("timestamp", "2026-11-20T25:00:00Z"),
    ("timestamp", "20/11/2026"),
    ("timestamp", 1_700_000_000),
    ("stored", "now"),
    ("version", "1.1.0"),
    ("version", "2.0.0"),
    ("version", 1.0),
    ("attachments", ATTACHMENT),
    ("attachments", ["x"]),
    *(
        (f"attachments/0/{name}", MISSING)
        for name in ("usageType", "display", "contentType", "length", "sha2")
    ),
    ("attachments/0/usageType", "x"),
    ("attachments/0/contentType", "text"),
    ("attachments/0/length", -1),
    ("attachments/0/length", 1.5),
    ("attachments/0/sha2", "x"),
    ("attachments/0/fileUrl", "x"),
    ("attachments/0/extra", 1),
]


def test_the_rich_statement_is_valid() -> None:
    statements.validate(RICH)


@pytest.mark.parametrize(("where", "value"), GOOD)
def test_allowed(where: str, value: Any) -> None:
    statements.validate(put(where, value))


@pytest.mark.parametrize(("where", "value"), BAD)
def test_refused(where: str, value: Any) -> None:
    made = put(where, value)
    assert not is_valid(made)
    # A sub-statement follows the rules of statements (2.4.4.3).
    if where.split("/")[0] in ("actor", "verb", "object", "result", "context", "timestamp"):
        inner = {
            name: item for name, item in made.items() if name not in ("id", "stored", "authority", "version")
        }
        assert not is_valid(statement(object={"objectType": "SubStatement", **inner}))


def test_the_path_of_the_fault() -> None:
    with pytest.raises(XapiError) as refusal:
        statements.parse([statement(), put("object/definition/choices", [{"id": "a"}, {"id": 2}])])
    assert refusal.value.path == "[1].object.definition.choices[1].id"


def test_revision_and_platform_go_with_activities_only() -> None:
    for target in (agent(), GROUP, {"objectType": "StatementRef", "id": RICH["id"]}):
        plain = {**RICH, "object": target, "context": {}}
        statements.validate(plain)
        for name in ("revision", "platform"):
            assert not is_valid({**plain, "context": {name: "x"}})


def test_sub_statements() -> None:
    inner = {"objectType": "SubStatement", **{k: RICH[k] for k in ("actor", "verb", "object", "result")}}
    statements.validate(statement(object=inner))
    for name in ("id", "stored", "version", "authority"):
        assert not is_valid(statement(object={**inner, name: RICH[name]}))
    assert not is_valid(statement(object={**inner, "object": inner}))
    for name in ("actor", "verb", "object", "objectType"):
        assert not is_valid(statement(object={k: v for k, v in inner.items() if k != name}))


def test_voiding_needs_a_reference() -> None:
    reference = {"objectType": "StatementRef", "id": RICH["id"]}
    statements.validate(statement(verb={"id": VOIDED}, object=reference))
    assert not is_valid(statement(verb={"id": VOIDED}))


def test_what_version_2_adds() -> None:
    coach = {"objectType": "contextAgent", "agent": agent(), "relevantTypes": ["http://x.test/t"]}
    team = {"objectType": "contextGroup", "group": GROUP}
    made = statement(context={"contextAgents": [coach], "contextGroups": [team]}, version="2.0.0")
    assert is_valid(made, "2.0.0")
    assert not is_valid(made)
    for wrong in ({**coach, "relevantTypes": []}, {**coach, "agent": GROUP}, {"agent": agent()}):
        assert not is_valid(statement(context={"contextAgents": [wrong]}), "2.0.0")
    assert not is_valid(statement(timestamp="2026-11-20T10:00:00"), "2.0.0")
    assert is_valid(statement(version="1.0.0"), "2.0.0")


def test_instants() -> None:
    same = ["2026-11-20T23:30:00Z", "2026-11-21T00:30:00+01:00", "20261120T2330Z", "2026-11-20T23:30"]
    assert len({values.instant(text) for text in same}) == 1
    assert values.instant("2026-11-20T24:00:00Z") == values.instant("2026-11-21T00:00:00Z")
    assert values.utc_text(values.instant("0785-10-10T04:13:00.9999Z")) == "0785-10-10T04:13:00.999Z"
    for text in ("0001-01-01T00:00:00+01:00", "9999-12-31T24:00:00Z"):
        with pytest.raises(XapiError):
            values.timestamp(text)
