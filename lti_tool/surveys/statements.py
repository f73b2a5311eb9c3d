"""Answers to a questionnaire as xAPI statements: PURE.

xAPI 1.0.3, Data 2.4.4.1 (interaction activities): a question on a scale is a `likert`, one with options a
`choice` (several are parted by "[,]"), a comment a `long-fill-in`. A row of a grid is a `likert` of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lti_tool import speech
from tool_config.surveys import Question, Survey
from xapi.answers import ANSWERED, EXTENSION, INTERACTION_TYPE, SURVEY_TYPE

COURSE_TYPE = "http://adlnet.gov/expapi/activities/course"


@dataclass(frozen=True)
class Place:
    """The course and the module of a questionnaire: IRIs, titles where known; no module: the whole course."""

    course_iri: str
    course_title: str | None
    module_iri: str
    module_title: str | None


def survey_iri(place: Place, survey_id: str) -> str:
    """Return the IRI of a questionnaire: a fragment of its course's."""
    return f"{place.course_iri}{'&' if '#' in place.course_iri else '#'}survey={survey_id}"


def question_iri(place: Place, survey_id: str, question: str) -> str:
    """Return the IRI of a question."""
    return f"{survey_iri(place, survey_id)}&question={question}"


def pseudonymous(
    survey: Survey,
    place: Place,
    values: Mapping[str, int | str],
    *,
    account: Mapping[str, str],
    attempt: str,
    at: datetime,
) -> list[dict[str, Any]]:
    """Return one statement a question, of id uuid5(attempt, question), in the person's own name."""
    return [
        _statement(
            survey,
            place,
            question,
            values[question.id],
            statement_id=str(uuid.uuid5(uuid.UUID(attempt), question.id)),
            account=account,
            attempt=attempt,
            at=at,
        )
        for question in survey.template.questions
        if question.id in values
    ]


def anonymous(
    survey: Survey, place: Place, values: Mapping[str, int | str], *, day: datetime
) -> list[dict[str, Any]]:
    """Return one statement a question under an account drawn at random, all ids random.

    Each comment has an account and an attempt of its own: nothing ties it to the scores of its author,
    nor to their other comment. `day` is the midnight of the day of release.
    """
    common, attempt = _stranger(survey, place), str(uuid.uuid4())
    made = []
    for question in survey.template.questions:
        if question.id not in values:
            continue
        if question.kind == "comment":
            account, own = _stranger(survey, place), str(uuid.uuid4())
        else:
            account, own = common, attempt
        made.append(
            _statement(
                survey,
                place,
                question,
                values[question.id],
                statement_id=str(uuid.uuid4()),
                account=account,
                attempt=own,
                at=day,
            )
        )
    return made


def _stranger(survey: Survey, place: Place) -> dict[str, str]:
    return {"homePage": survey_iri(place, survey.survey_id), "name": uuid.uuid4().hex}


def _statement(
    survey: Survey,
    place: Place,
    question: Question,
    value: int | str,
    *,
    statement_id: str,
    account: Mapping[str, str],
    attempt: str,
    at: datetime,
) -> dict[str, Any]:
    template = survey.template
    said = {
        "id": statement_id,
        "actor": {"objectType": "Agent", "account": dict(account)},
        "verb": {"id": ANSWERED, "display": {"fr": "a répondu à", "en": "answered"}},
        "object": {
            "objectType": "Activity",
            "id": question_iri(place, survey.survey_id, question.id),
            "definition": _definition(question),
        },
        "result": {"response": question.written(value)},
        "context": {
            "registration": attempt,
            "contextActivities": {
                "parent": [
                    {
                        "objectType": "Activity",
                        "id": survey_iri(place, survey.survey_id),
                        "definition": {"type": SURVEY_TYPE, "name": template.title.as_map()},
                    },
                    *([_activity(place.module_iri, "", place.module_title)] if place.module_iri else []),
                ],
                "grouping": [_activity(place.course_iri, COURSE_TYPE, place.course_title)],
            },
            "extensions": {
                EXTENSION: {
                    "survey": survey.survey_id,
                    "question": question.id,
                    "kind": question.kind,
                    "course": place.course_iri,
                    "module": place.module_iri,
                    "phase": template.phase,
                    "mode": survey.mode,
                    "template": f"{template.name}/{template.version}",
                }
            },
        },
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return speech.statement(said)


def _definition(question: Question) -> dict[str, Any]:
    asked = question.text.as_map()
    if question.grid is not None:
        over = question.grid.text.as_map()
        asked = {name: f"{over[name]} {text}" if name in over else text for name, text in asked.items()}
    made: dict[str, Any] = {
        "type": INTERACTION_TYPE,
        "name": question.short.as_map(),
        "description": asked,
        "interactionType": "likert" if question.scale else "choice" if question.options else "long-fill-in",
    }
    if question.points:
        made["scale" if question.scale else "choices"] = [
            {"id": str(point.value), "description": point.label.as_map()} for point in question.points
        ]
    return made


def _activity(iri: str, kind: str, title: str | None) -> dict[str, Any]:
    definition: dict[str, Any] = {"type": kind} if kind else {}
    if title:
        definition["name"] = {"fr": title}
    return {"objectType": "Activity", "id": iri} | ({"definition": definition} if definition else {})
