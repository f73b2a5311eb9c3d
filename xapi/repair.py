"""PURE: known faults of a source mended, for the keys that ask for it (``repair=moodle``).

Rules, each counted by the statements that it touched:

- ``null``: properties with the value null are removed, but inside extensions, where null is a value;
- ``version``: missing; the one of the request's data model is written;
- ``id``: missing; drawn from what is said (actor, verb, object, timestamp, context, result), so that the
  same statement sent again is the same statement. Without a timestamp nothing tells it from another one
  that says the same: its id is then left to chance;
- ``scaled``: not (raw - min) / (max - min), Data 2.4.5.1: the plugin of Moodle maps it to -1..1. Left as it
  is and counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import orjson

from xapi import json_text, statement
from xapi.errors import XapiError

#: Sources whose faults are known.
SOURCES = ("moodle",)
RULES = ("id", "null", "scaled", "version")

_SAYS = ("actor", "verb", "object", "timestamp", "context", "result")
_DIGESTS = UUID("5a1b0f6e-9f0d-5c55-8f7e-6a0d2b1c4e93")
_TOLERANCE = 0.001


@dataclass(frozen=True)
class Repaired:
    """A statement made valid, and the rules that touched it."""

    statement: dict[str, Any]
    rules: frozenset[str]


def moodle(item: object, version: str = "1.0.3") -> Repaired:
    """Mend one statement; raises XapiError when what is left is still not one.

    What comes in is not changed: parts that need no mending are shared with the result.
    """
    if not isinstance(item, dict):
        raise XapiError("must be a statement")
    rules: set[str] = set()
    made = _without_nulls(item)
    if made is not item:
        rules.add("null")
    made = dict(made)
    if "version" not in made:
        made["version"] = "2.0.0" if version.startswith("2.") else "1.0.0"
        rules.add("version")
    statement.validate(made, version)
    if "id" not in made:
        rules.add("id")
        if "timestamp" in made:
            made["id"] = digest_id(made)
    if _is_odd(made.get("result")):
        rules.add("scaled")
    return Repaired(made, frozenset(rules))


def digest_id(valid: Mapping[str, Any]) -> str:
    """Return the id of a valid statement that has none: equivalent statements, and they alone, share it."""
    said = statement.canonical(valid)
    text = orjson.dumps(
        {name: said[name] for name in _SAYS if name in said},
        option=orjson.OPT_SORT_KEYS,
    )
    return str(uuid5(_DIGESTS, hashlib.sha256(text).hexdigest()))


def quarantine_id(key_id: str, body: bytes) -> str:
    """Return the id under which what a key sent is kept apart."""
    return str(uuid5(_DIGESTS, f"{key_id} {hashlib.sha256(body).hexdigest()}"))


def refuse_nul(item: object) -> None:
    """Refuse what holds the character NUL, which PostgreSQL cannot keep."""
    if json_text.says_nul(orjson.dumps(item)):
        raise XapiError("holds the character NUL")


def _without_nulls(value: Any) -> Any:
    """Return a value without its null properties; the value itself when there is none."""
    if isinstance(value, dict):
        made: dict[str, Any] = {}
        changed = False
        for key, item in value.items():
            if item is None:
                changed = True
                continue
            kept = item if key == "extensions" else _without_nulls(item)
            changed = changed or kept is not item
            made[key] = kept
        return made if changed else value
    if isinstance(value, list):
        items = [_without_nulls(item) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _is_odd(result: Any) -> bool:
    """Tell whether `scaled` is not where `raw` stands between `min` and `max`."""
    score = (result or {}).get("score") or {}
    raw, low, high, scaled = (score.get(name) for name in ("raw", "min", "max", "scaled"))
    if raw is None or high is None or scaled is None:
        return False
    low = 0 if low is None else low
    return bool(high > low) and abs((raw - low) / (high - low) - scaled) > _TOLERANCE
