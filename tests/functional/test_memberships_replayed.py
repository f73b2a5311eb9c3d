"""Every call that a real Moodle answered, replayed against the fake one that the other tests rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories.services_platform import GRADE_SCOPES, ROSTER_SCOPE, moodle

SITE = "http://localhost:8170"


@pytest.fixture
def captured(shared_data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared_data / "moodle-4.5.6" / "services_log.json").read_text())
    return found


def test_the_fake_platform_answers_as_moodle_did(captured: list[dict[str, Any]], shared_data: Path) -> None:
    roster = json.loads((shared_data / "moodle-4.5.6" / "nrps_memberships.json").read_text())
    link = {"label": "LTI link one", "scoreMaximum": 100, "resourceId": "", "tag": ""}
    items = {2: {**link, "resourceLinkId": "1", "ltiLinkId": "1"}}
    with moodle(members=roster["members"], items=items) as fake:
        fake.tokens = {"cef89.": {ROSTER_SCOPE}, "ee164.": set(GRADE_SCOPES)}
        for call in captured:
            asked = call["request"]
            answer = httpx.request(
                asked["method"],
                asked["url"].replace(SITE, fake.url),
                headers={name: value.replace("…", ".") for name, value in asked["headers"].items()},
                content=None if asked["json"] is None else json.dumps(asked["json"]),
            )
            name = call["name"]
            assert answer.status_code == call["status"], name
            assert answer.headers["content-type"] == call["headers"]["Content-Type"], name
            assert _link(answer.headers.get("link"), fake.url) == _said(call), name
            assert _body(answer, fake.url) == _plain(call["body"]), name
    assert len(captured) == 30


def _link(value: str | None, url: str) -> str | None:
    return value.replace(url, SITE) if value else value


def _said(call: dict[str, Any]) -> str | None:
    """Return the Link header of a capture, which was read as Latin-1."""
    value = call["headers"].get("Link")
    return value.encode("latin-1").decode() if value else None


def _body(answer: httpx.Response, url: str) -> Any:
    return _plain(json.loads(answer.text.replace(url, SITE))) if answer.content else ""


def _plain(body: Any) -> Any:
    """Leave out what is drawn at random: the signature of a sourcedid."""
    if isinstance(body, dict):
        return {
            name: "…" if name == "lis_result_sourcedid" else _plain(value) for name, value in body.items()
        }
    return [_plain(item) for item in body] if isinstance(body, list) else body
