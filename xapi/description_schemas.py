"""PURE: the objects of xAPI as JSON Schema 2020-12, for the description of the store (Data 2, 4).

The union of 1.0.3 and 2.0: what one version alone has, or a rule between two properties, is said in words
and checked by `xapi.validation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xapi.json_text import MAX_DEPTH
from xapi.validation import COMPONENTS

Schema = dict[str, Any]

IRI: Schema = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>{}|\\^`]+$", "format": "iri"}
UUID_PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
UUID: Schema = {"type": "string", "pattern": UUID_PATTERN}
INSTANT: Schema = {
    "type": "string",
    "format": "date-time",
    "description": "ISO 8601 in 1.0.3, RFC 3339 in 2.0; the offset -00:00 is refused.",
}
_TEXT: Schema = {"type": "string"}


def ref(name: str) -> Schema:
    """Return a reference to a component of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: Mapping[str, Any], *required: str, **more: Any) -> Schema:
    """Return an object that has these properties and no other."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, **({"required": list(required)} if required else {}), **more}


def array(items: Schema, **more: Any) -> Schema:
    """Return an array of one kind of item."""
    return {"type": "array", "items": items, **more}


def _kind(word: str) -> Schema:
    return {"const": word}


_IDENTIFIERS: Schema = {
    "mbox": {"type": "string", "pattern": r"^mailto:[^\s@]+@[^\s@]+$"},
    "mbox_sha1sum": {"type": "string", "pattern": "^[0-9a-fA-F]{40}$"},
    "openid": IRI,
    "account": ref("Account"),
}
_ONE_IDENTIFIER = [{"required": [name]} for name in _IDENTIFIERS]
_ANYBODY: Schema = {"name": _TEXT, **_IDENTIFIERS}
_LISTS = {
    name: array(ref("InteractionComponent")) for name in ("choices", "scale", "source", "target", "steps")
}
_RESULT: Schema = {
    "score": closed(
        {
            "scaled": {"type": "number", "minimum": -1, "maximum": 1},
            **{name: {"type": "number"} for name in ("raw", "min", "max")},
        }
    ),
    "success": {"type": "boolean"},
    "completion": {"type": "boolean"},
    "response": _TEXT,
    "duration": {"type": "string", "format": "duration"},
    "extensions": ref("Extensions"),
}
_ACTIVITIES: Schema = {"oneOf": [ref("Activity"), array(ref("Activity"))]}
_CONTEXT: Schema = {
    "registration": UUID,
    "instructor": ref("Actor"),
    "team": ref("Group"),
    "contextActivities": closed(dict.fromkeys(("parent", "grouping", "category", "other"), _ACTIVITIES)),
    "contextAgents": array(
        closed(
            {
                "objectType": _kind("contextAgent"),
                "agent": ref("Agent"),
                "relevantTypes": array(IRI, minItems=1),
            },
            *("objectType", "agent"),
        ),
        description="xAPI 2.0 only.",
    ),
    "contextGroups": array(
        closed(
            {
                "objectType": _kind("contextGroup"),
                "group": ref("Group"),
                "relevantTypes": array(IRI, minItems=1),
            },
            *("objectType", "group"),
        ),
        description="xAPI 2.0 only.",
    ),
    "revision": _TEXT,
    "platform": _TEXT,
    "language": {"type": "string", "description": "RFC 5646"},
    "statement": ref("StatementRef"),
    "extensions": ref("Extensions"),
}
_SAID: Schema = {
    "actor": ref("Actor"),
    "verb": ref("Verb"),
    "result": closed(_RESULT),
    "context": closed(_CONTEXT),
    "timestamp": INSTANT,
    "attachments": array(ref("Attachment")),
}
_TARGETS = ("Activity", "Agent", "Group", "StatementRef")

SCHEMAS: Mapping[str, Schema] = {
    "Error": closed(
        {
            "error": {"type": "string", "description": "Why, in one sentence."},
            "path": {"type": "string", "description": "The faulty property: [3].actor.mbox"},
        },
        "error",
    ),
    "About": closed({"version": array({"enum": ["1.0.3", "2.0.0"]})}, "version"),
    "Account": closed({"homePage": IRI, "name": _TEXT}, "homePage", "name"),
    "Agent": closed({"objectType": _kind("Agent"), **_ANYBODY}, oneOf=_ONE_IDENTIFIER),
    "Group": closed(
        {"objectType": _kind("Group"), "member": array(ref("Agent")), **_ANYBODY},
        "objectType",
        anyOf=[*_ONE_IDENTIFIER, {"required": ["member"], "properties": {"member": {"minItems": 1}}}],
        description="One identifier at most.",
    ),
    "Actor": {"anyOf": [ref("Agent"), ref("Group")]},
    "Verb": closed({"id": IRI, "display": ref("LanguageMap")}, "id"),
    "LanguageMap": {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"},
        "additionalProperties": _TEXT,
        "description": "Texts by language tag (RFC 5646).",
    },
    "Extensions": {"type": "object", "propertyNames": IRI, "description": "Free values by IRI."},
    "InteractionComponent": closed({"id": _TEXT, "description": ref("LanguageMap")}, "id"),
    "Definition": closed(
        {
            "name": ref("LanguageMap"),
            "description": ref("LanguageMap"),
            "type": IRI,
            "moreInfo": IRI,
            "extensions": ref("Extensions"),
            "interactionType": {"enum": list(COMPONENTS)},
            "correctResponsesPattern": array(_TEXT),
            **_LISTS,
        }
    ),
    "Activity": closed({"objectType": _kind("Activity"), "id": IRI, "definition": ref("Definition")}, "id"),
    "StatementRef": closed({"objectType": _kind("StatementRef"), "id": UUID}, "objectType", "id"),
    "SubStatement": closed(
        {
            **_SAID,
            "objectType": _kind("SubStatement"),
            "object": {"anyOf": [ref(name) for name in _TARGETS]},
        },
        *("objectType", "actor", "verb", "object"),
    ),
    "Attachment": closed(
        {
            "usageType": IRI,
            "display": ref("LanguageMap"),
            "description": ref("LanguageMap"),
            "contentType": {"type": "string", "description": "Media type."},
            "length": {"type": "integer", "minimum": 0, "description": "Bytes of the data."},
            "sha2": {
                "type": "string",
                "pattern": "^([0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})$",
            },
            "fileUrl": IRI,
        },
        *("usageType", "display", "contentType", "length", "sha2"),
        description="Its data comes in a part of the request, or is at its fileUrl.",
    ),
    "Statement": closed(
        {
            **_SAID,
            "id": UUID,
            "object": {"anyOf": [ref(name) for name in (*_TARGETS, "SubStatement")]},
            "stored": INSTANT,
            "authority": ref("Actor"),
            "version": {"type": "string", "pattern": r"^(1\.0(\.\d+)?|2\.0(\.\d+)?)$"},
        },
        *("actor", "verb", "object"),
        description=f"At most {MAX_DEPTH} levels; no key twice in an object.",
    ),
    "StatementResult": closed(
        {
            "statements": array(ref("Statement")),
            "more": {"type": "string", "description": "Path of the next page; empty on the last."},
        },
        *("statements", "more"),
    ),
    "Person": closed(
        {
            "objectType": _kind("Person"),
            "name": array(_TEXT),
            **{name: array(item) for name, item in _IDENTIFIERS.items()},
        },
        "objectType",
    ),
    "Ids": array(_TEXT),
}
