"""The tool's own statements go through the client library and come out as they were said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lti_tool import speech
from lti_tool.attendance import _voiding
from lti_tool.surveys.statements import Place, anonymous, pseudonymous
from tests.factories.statements import agent
from tests.factories.surveys import template
from tool_config.surveys import Survey
from xapi import statement

NOW = datetime(2026, 11, 21, 8, 0, 0, 123_000, tzinfo=UTC)
ATTEMPT = "5a1b0f6e-9f0d-4c55-8f7e-6a0d2b1c4e93"
PLACE = Place("https://x.test/course/view.php?id=2", "Cours « é »", "https://x.test/s?id=3", None)


@pytest.fixture
def survey() -> Survey:
    return Survey(1, 2, "abc", PLACE.module_iri, template(), "pseudonymous", NOW, NOW, NOW, "who")


def answers(survey: Survey) -> dict[str, int | str]:
    return {one.id: 3 if one.scale else 'Bien \u2028 "x"' for one in survey.template.questions}


def test_what_is_said_stays_as_it_was_said() -> None:
    said: dict[str, Any] = {
        "id": ATTEMPT,
        "actor": agent("7"),
        "verb": {"id": "http://x.test/verb", "display": {"fr": "a fait"}},
        "object": {
            "objectType": "Activity",
            "id": "https://x.test/a",
            "definition": {"name": {"fr": "É"}, "type": "http://x.test/t"},
        },
        "context": {"contextActivities": {"parent": [{"objectType": "Activity", "id": "https://x.test/p"}]}},
        "timestamp": "2026-11-21T08:00:00.123Z",
    }
    before = repr(said)
    assert speech.statement(said) == said
    assert repr(said) == before
    with pytest.raises(AttributeError):
        speech.statement({**said, "nonsense": 1})


def test_answers_and_voidings_are_valid_and_keep_their_ids(survey: Survey) -> None:
    account = agent("7")["account"]
    made = pseudonymous(survey, PLACE, answers(survey), account=account, attempt=ATTEMPT, at=NOW)
    again = pseudonymous(survey, PLACE, answers(survey), account=account, attempt=ATTEMPT, at=NOW)
    assert made == again
    assert len({one["id"] for one in made}) == len(survey.template.questions)
    assert all(one["timestamp"] == "2026-11-21T08:00:00.123Z" for one in made)
    voided = _voiding(made[0]["id"], agent("7"))
    assert voided == _voiding(made[0]["id"], agent("7"))
    for one in (*made, voided, *anonymous(survey, PLACE, answers(survey), day=NOW)):
        statement.validate(one)
        assert "version" not in one
