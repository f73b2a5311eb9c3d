"""The tool's own statements, built with the client library of xAPI: one way for all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tincan


def statement(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that the library builds of what is said; it refuses properties that xAPI has not.

    Its texts stay as given: the library would write instants and durations in its own way. The version is
    left to the store, which says which one it speaks.
    """
    made: dict[str, Any] = json.loads(tincan.Statement.from_json(json.dumps(said)).to_json())
    made.pop("version", None)
    if "timestamp" in said:
        made["timestamp"] = said["timestamp"]
    return made
