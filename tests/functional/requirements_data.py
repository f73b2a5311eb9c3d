"""What each requirement on statements (XAPI-00001 to XAPI-00124) accepts and refuses, as changes of one.

`FULL` has every property; `SUB` says the same inside a SubStatement. A case changes properties by path.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

#: Value that removes the property.
DROP = object()
UUID = "12345678-1234-5678-1234-567812345678"
X = "http://x.test/"
AGENT: dict[str, Any] = {"objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@x.test"}
GROUP: dict[str, Any] = {"objectType": "Group", "name": "All", "member": [AGENT]}
ATTACHMENT: dict[str, Any] = {
    "usageType": f"{X}usage",
    "display": {"fr": "Pièce"},
    "description": {"fr": "Une pièce"},
    "contentType": "text/plain; charset=utf-8",
    "length": 3,
    "sha2": hashlib.sha256(b"one").hexdigest(),
    "fileUrl": f"{X}file",
}
SAID: dict[str, Any] = {
    "actor": AGENT,
    "verb": {"id": f"{X}verb", "display": {"fr-FR": "a fait"}},
    "object": {
        "objectType": "Activity",
        "id": f"{X}activity",
        "definition": {
            "name": {"fr": "Nom"},
            "description": {"fr": "Description"},
            "type": f"{X}type",
            "moreInfo": f"{X}more",
            "extensions": {f"{X}e": 1},
            "interactionType": "choice",
            "correctResponsesPattern": ["a[,]b"],
            "choices": [{"id": "a", "description": {"fr": "A"}}, {"id": "b"}],
        },
    },
    "result": {
        "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
        "success": True,
        "completion": False,
        "response": "a",
        "duration": "PT1M",
        "extensions": {f"{X}e": 1},
    },
    "context": {
        "registration": UUID,
        "instructor": AGENT,
        "team": GROUP,
        "contextActivities": {
            name: [{"id": f"{X}{name}"}] for name in ("parent", "grouping", "category", "other")
        },
        "revision": "1",
        "platform": "p",
        "language": "fr-FR",
        "statement": {"objectType": "StatementRef", "id": UUID},
        "extensions": {f"{X}e": 1},
    },
    "timestamp": "2026-11-20T10:00:00.000Z",
    "attachments": [ATTACHMENT],
}
FULL = {**SAID, "id": UUID}
SUB = {
    "id": UUID,
    "actor": AGENT,
    "verb": {"id": f"{X}verb"},
    "object": {**SAID, "objectType": "SubStatement"},
}


@dataclass(frozen=True)
class Case:
    """A statement, and whether it is accepted."""

    accepted: bool
    statement: dict[str, Any]
    what: str


CASES: dict[int, list[Case]] = {}


def changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with properties changed by path ("context.team.name"), a fresh id unless it is one."""
    made = copy.deepcopy(dict(base))
    if "id" not in changes:
        made["id"] = str(uuid4())
    for path, value in changes.items():
        *steps, last = path.split(".")
        place: Any = made
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if value is DROP:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    return made


def _add(numbers: tuple[int, ...], accepted: bool, path: str, values: tuple[Any, ...], inside: bool) -> None:
    for value in values:
        for base, name in ((FULL, path), (SUB, f"object.{path}")) if inside else ((FULL, path),):
            case = Case(
                accepted, changed(base, {name: value}), f"{name} = {'(none)' if value is DROP else value!r}"
            )
            for number in numbers:
                CASES.setdefault(number, []).append(case)


def bad(number: int | tuple[int, ...], path: str, *values: Any, inside: bool = True) -> None:
    """Say that a property with any of these values is refused, in a statement and in a SubStatement."""
    _add((number,) if isinstance(number, int) else number, False, path, values, inside)


def good(number: int | tuple[int, ...], path: str, *values: Any, inside: bool = True) -> None:
    """Say that a property with any of these values is accepted."""
    _add((number,) if isinstance(number, int) else number, True, path, values, inside)


NO_IRI = ("no scheme", "x.test/path", "", 1, None, ["http://x.test"], "http://")
NO_TEXT = (1, True, None, ["a"], {"a": "b"})
NO_MAP = ("text", 1, ["fr"], {"fr": 1}, {"not a tag": "x"}, {"fr": None}, {"": "x"})
NO_UUID = (1, None, "", "1", UUID[:-1], UUID + "0", UUID.replace("-", ""), "{" + UUID + "}", "g" + UUID[1:])
NO_EXTENSIONS = ("text", 1, [], {"no iri": 1}, {"": 1})
NO_AGENT: tuple[Any, ...] = (
    "x",
    {},
    {"name": "x"},
    {**AGENT, "openid": f"{X}me"},
    {**AGENT, "objectType": "agent"},
)
ACTORS = ("actor", "context.instructor", "context.team.member.0")

# 2.2 Formatting
for _path in (
    "actor",
    "verb.display",
    "object.definition.name",
    "result.score",
    "context.platform",
    "attachments",
):
    bad(1, _path, None)
bad(1, "verb.display", {"fr": None})
good(1, "result.extensions", {f"{X}e": None, f"{X}f": {"a": None}})
good(2, "result.score.raw", 3.1415927, 1e-5, 9.999999)
for _number, _name in ((3, "actor"), (4, "verb"), (5, "object")):
    bad(_number, _name, DROP)
for _path, _values in (
    ("actor.name", (1, {})),
    ("verb.id", (1, {})),
    ("object.id", (1, [])),
    ("result.success", ("true", 1, "false", {})),
    ("result.score.raw", ("5", True)),
    ("context.revision", (1, {})),
    ("attachments", ({}, "x")),
    ("actor", ([AGENT], "x", 1)),
):
    bad(6, _path, *_values)
for _path in ("verb.id", "object.id", "context.registration", "attachments.0.fileUrl", "actor.mbox"):
    bad(7, _path, "", "no format")
for _path in (
    "Actor",
    "verb.Id",
    "object.definition.Type",
    "result.Success",
    "context.Team",
    "actor.MBOX",
    "Id",
):
    bad(8, _path, "x")
bad(9, "actor.objectType", "agent", "AGENT")
bad(9, "object.objectType", "activity", "ACTIVITY")
bad(9, "context.team.objectType", "group")
bad(9, "object.definition.interactionType", "Choice", "TRUE-FALSE")
for _path in (
    "extra",
    "actor.extra",
    "verb.extra",
    "object.extra",
    "object.definition.extra",
    "result.extra",
):
    bad(10, _path, "x")
for _path in (
    "result.score.extra",
    "context.extra",
    "context.contextActivities.extra",
    "attachments.0.extra",
):
    bad(10, _path, "x")
for _path in (
    "verb.id",
    "object.id",
    "object.definition.type",
    "object.definition.moreInfo",
    "attachments.0.usageType",
):
    bad(11, _path, *NO_IRI)
bad((13, 121), "verb.display", {"a": "x"}, {"francais-de-france": "x"}, {"fr_FR": "x"}, {"abcde": "x"})
good(
    (13, 121),
    "verb.display",
    {"fr": "x"},
    {"zh-Hant-TW": "x"},
    {"de-CH-1996": "x"},
    {"x-own": "x"},
    {"es-419": "x"},
)
good(14, "result", SAID["result"])
good(14, "context", SAID["context"])

# 2.3.2 Voiding
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
bad((17, 19, 20), "verb.id", VOIDED)
_reference = {"objectType": "StatementRef", "id": UUID}
for _number in (17, 19, 20):
    CASES[_number].append(
        Case(
            True,
            changed(FULL, {"verb.id": VOIDED, "object": _reference, "context": DROP}),
            "of a StatementRef",
        )
    )

# 2.4.1 to 2.4.3 id, actor, verb
bad((27, 28, 29, 30), "id", *NO_UUID, inside=False)
good((27, 30), "id", UUID, UUID.upper().replace("1234", "ABCD"), inside=False)
for _path in ACTORS:
    bad(31, f"{_path}.objectType", "Person", "Activity", "")
    bad(32, f"{_path}.objectType", *NO_TEXT)
    bad(33, f"{_path}.name", *NO_TEXT)
    bad(34, _path, *NO_AGENT)
    bad(38, f"{_path}.mbox", "ada@x.test", "mailto:", "mailto:ada", "http://x.test", *NO_TEXT)
    bad(39, _path, *({"mbox_sha1sum": value} for value in (*NO_TEXT, "0" * 39, "g" * 40)))
    good(39, _path, {"mbox_sha1sum": "0" * 40})
    bad(40, _path, *({"openid": value} for value in NO_IRI))
    good(40, _path, {"openid": f"{X}me"})
    bad(41, _path, *({"account": value} for value in ("x", 1, [], {}, None)))
    bad(
        42,
        _path,
        *({"account": {"name": "a", "homePage": value}} for value in NO_IRI),
        {"account": {"name": "a"}},
    )
    bad(
        43,
        _path,
        *({"account": {"homePage": X, "name": value}} for value in NO_TEXT),
        {"account": {"homePage": X}},
    )
    good((41, 42, 43), _path, {"account": {"homePage": X, "name": "a"}})
bad(35, "actor.member", [AGENT])
bad(35, "context.instructor.member", [AGENT])
bad(36, "context.team.member", "x", {}, [1], [GROUP], [{}], [{"name": "x"}])
bad(36, "actor", {"objectType": "Group", "member": [GROUP]})
for _path in ("actor", "context.team"):
    bad(
        37,
        _path,
        {"objectType": "Group"},
        {"objectType": "Group", "member": []},
        {**GROUP, **AGENT, "openid": X},
    )
    bad(37, _path, {"objectType": "Group", "mbox": "mailto:a@x.test", "openid": f"{X}me"})
    good(37, _path, GROUP, {"objectType": "Group", "openid": f"{X}g"}, {**GROUP, "mbox": "mailto:g@x.test"})
bad(44, "verb.id", DROP, *NO_IRI)
bad(45, "verb.display", *NO_MAP)

# 2.4.4 object
bad(46, "object.objectType", "Course", "statementref", "", 1)
for _target in (AGENT, GROUP, {"objectType": "StatementRef", "id": UUID}):
    CASES[46].append(Case(True, changed(FULL, {"object": _target, "context": DROP}), f"object {_target}"))
bad(47, "object.id", DROP, *NO_IRI)
bad(48, "object.definition", "x", 1, [])
bad(49, "object.definition.interactionType", "multiple", "", 1, None)
KINDS = {
    "true-false": (),
    "choice": ("choices",),
    "fill-in": (),
    "long-fill-in": (),
    "matching": ("source", "target"),
    "performance": ("steps",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "numeric": (),
    "other": (),
}
_component = [{"id": "a", "description": {"fr": "A"}}]
good(
    (49, 50, 51, 52, 53, 54),
    "object.definition",
    *({"interactionType": kind, **dict.fromkeys(lists, _component)} for kind, lists in KINDS.items()),
)
_every = ("choices", "scale", "source", "target", "steps")
bad(
    (50, 51, 52, 53, 54, 55),
    "object.definition",
    *(
        {"interactionType": kind, name: _component}
        for kind, lists in KINDS.items()
        for name in _every
        if name not in lists
    ),
)
bad(55, "object.definition.correctResponsesPattern", "a", [1], {}, None)
bad(56, "object.definition.name", *NO_MAP)
bad(57, "object.definition.extensions", *NO_EXTENSIONS)
bad(58, "object.definition.choices", "x", [1], [{}], [{"id": 1}], [{"id": "a", "other": 1}])
bad(59, "object.definition.description", *NO_MAP)
bad(60, "object.definition.type", *NO_IRI)
bad(61, "object.definition.moreInfo", *NO_IRI)
bad(62, "object.definition.choices", [{"id": "a"}, {"id": "a"}])
bad(63, "object.definition.choices", *([{"id": "a", "description": value}] for value in NO_MAP))
bad(64, "object.definition.interactionType", DROP)
bad(65, "object", AGENT | {"objectType": "Activity"}, {"mbox": "mailto:a@x.test"}, {"member": [AGENT]})
for _name in ("actor", "verb", "object"):
    CASES.setdefault(66, []).append(
        Case(False, changed(SUB, {f"object.{_name}": DROP}), f"inside without {_name}")
    )
CASES[66].append(Case(True, changed(SUB, {}), "SubStatement"))
for _number, _name, _value in (
    (67, "authority", AGENT),
    (68, "version", "1.0.0"),
    (69, "stored", "2026-11-20T10:00:00Z"),
    (70, "id", UUID),
    (71, "object", SUB["object"]),
):
    CASES.setdefault(_number, []).append(
        Case(False, changed(SUB, {f"object.{_name}": _value}), f"inside {_name}")
    )
_bare: dict[str, Any] = {"context": DROP}
for _value in (*NO_UUID, DROP):
    _reference = (
        {"objectType": "StatementRef"} if _value is DROP else {"objectType": "StatementRef", "id": _value}
    )
    CASES.setdefault(72, []).append(
        Case(False, changed(FULL, {"object": _reference, **_bare}), f"to {_value!r}")
    )
CASES[72].append(
    Case(True, changed(FULL, {"object": {"objectType": "StatementRef", "id": UUID}, **_bare}), "a UUID")
)
bad(73, "object", {"id": UUID}, {"actor": AGENT, "verb": SAID["verb"], "object": SAID["object"]})

# 2.4.5 result
for _number, _name in ((74, "success"), (75, "completion")):
    bad(_number, f"result.{_name}", "true", 1, 0, "", {}, None)
bad(76, "result.response", *NO_TEXT)
NO_DURATION = (
    "",
    "1H",
    "PT",
    "P",
    "P1S",
    "PT1D",
    "P1Y1W",
    "P-1Y",
    "PT1.5H30M",
    "P0003-06-04T12:30:05",
    60,
    None,
)
bad((77, 124), "result.duration", *NO_DURATION)
good((77, 124), "result.duration", "PT0S", "P1Y2M3DT4H5M6.78S", "P2W", "PT36H", "P1.5D", "PT16559.14S")
bad(78, "result.extensions", *NO_EXTENSIONS)
bad(79, "result.score", "x", 1, [])
for _number, _name in ((80, "max"), (81, "min"), (82, "raw"), (83, "scaled")):
    bad(_number, f"result.score.{_name}", "1", True, None, [])
bad((80, 81), "result.score", {"min": 2, "max": 1}, {"min": 1, "max": 1})
bad(82, "result.score", {"raw": 3, "min": 0, "max": 2}, {"raw": -1, "min": 0}, {"raw": 3, "max": 2})
good((80, 81, 82), "result.score", {"max": -1}, {"min": 9}, {"raw": 99}, {"raw": 0, "min": 0, "max": 1})
bad(83, "result.score.scaled", 1.01, -1.01, 50)
good(83, "result.score.scaled", 1, -1, 0)

# 2.4.6 context
for _number, _name in ((84, "revision"), (85, "platform")):
    for _target in (AGENT, GROUP, {"objectType": "StatementRef", "id": UUID}):
        CASES.setdefault(_number, []).append(
            Case(False, changed(FULL, {"object": _target, "context": {_name: "1"}}), f"{_name} of {_target}")
        )
    good(_number, f"context.{_name}", "2")
bad(86, "context.contextActivities", "x", 1, [])
bad(87, "context.registration", *NO_UUID)
bad(87, "context.instructor", *NO_AGENT)
bad(88, "context.team", AGENT, "x", {}, [GROUP], {"member": [AGENT]})
bad(89, "context.revision", *NO_TEXT)
bad(90, "context.platform", *NO_TEXT)
bad(91, "context.language", "a", "francais-1", "fr_FR", "", *NO_TEXT)
bad(
    92,
    "context.statement",
    {"id": UUID},
    {"objectType": "StatementRef"},
    {"objectType": "Activity", "id": X},
    UUID,
)
bad(93, "context.contextActivities.sibling", [{"id": X}])
for _name in ("parent", "grouping", "category", "other"):
    bad(94, f"context.contextActivities.{_name}", "x", 1, [1], [AGENT], {}, [{"id": "x"}])
    good(94, f"context.contextActivities.{_name}", {"id": f"{X}one"}, [{"id": f"{X}one"}, {"id": f"{X}two"}])

# 2.4.7 to 2.4.11 timestamp, authority, version, attachments
NO_INSTANT = (
    "yesterday",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-20T10:00:00-00:00",
    "",
    1,
    None,
)
bad((22, 123), "timestamp", *NO_INSTANT)
good(
    (22, 123), "timestamp", "2026-11-20T10:00:00+01:00", "2016-12-31T23:59:60Z", "2026-11-20T10:00:00.123456Z"
)
bad(24, "authority", "x", [], {}, {"name": "x"}, {"objectType": "Activity", "id": X}, inside=False)
_other = {"account": {"homePage": X, "name": "app"}}
for _members in ([_other], [_other, AGENT, {"openid": X + "3"}]):
    bad((98, 100), "authority", {"objectType": "Group", "member": _members}, inside=False)
good(98, "authority", {"objectType": "Group", "member": [_other, AGENT]}, inside=False)
bad(25, "attachments", "x", {}, 1, [1], ["x"], [{}])
bad(101, "version", "0.9", "0.95", "1.1", "1", "x", "", 1, inside=False)
good(101, "version", "1.0", "1.0.0", "1.0.9", inside=False)
for _number, _name, _values in (
    (102, "length", (DROP, "3", -1, 1.5, None)),
    (103, "sha2", (DROP, "x", "0" * 63, *NO_TEXT)),
    (104, "fileUrl", NO_IRI),
    (105, "contentType", (DROP, "text", "nothing/at all", *NO_TEXT)),
    (106, "display", (DROP, *NO_MAP)),
    (107, "usageType", (DROP, *NO_IRI)),
):
    bad(_number, f"attachments.0.{_name}", *_values)

# 4.1 extensions
for _path in ("object.definition.extensions", "result.extensions", "context.extensions"):
    bad((118, 120), _path, *NO_EXTENSIONS)
    good((119, 120), _path, {f"{X}e": None}, {f"{X}e": ""}, {f"{X}e": {}}, {f"{X}e": []}, {})
