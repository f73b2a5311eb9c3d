"""Statements to be varied by tests."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

VERB = "http://adlnet.gov/expapi/verbs/experienced"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def agent(name: str = "u1") -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": "https://lms.test", "name": name}}


def statement(**over: Any) -> dict[str, Any]:
    """Return a small valid statement; a value of None removes the property."""
    made: dict[str, Any] = {
        "id": str(uuid4()),
        "actor": {**agent(), "name": "Ada"},
        "verb": {"id": VERB, "display": {"en": "experienced"}},
        "object": {"objectType": "Activity", "id": "https://lms.test/mod/page/view.php?id=1"},
        "timestamp": "2026-11-20T10:00:00.000Z",
    }
    made.update(over)
    return {name: value for name, value in made.items() if value is not None}


def referring(target_id: str, verb: str = VERB, **over: Any) -> dict[str, Any]:
    return statement(
        verb={"id": verb},
        object={"objectType": "StatementRef", "id": target_id},
        actor=agent("referrer"),
        **over,
    )


def voiding(target_id: str, **over: Any) -> dict[str, Any]:
    return referring(target_id, VOIDED, **over)


def headers(key: tuple[str, str], version: str = "1.0.3") -> dict[str, str]:
    text = base64.b64encode(":".join(key).encode()).decode()
    return {"Authorization": f"Basic {text}", "X-Experience-API-Version": version}
