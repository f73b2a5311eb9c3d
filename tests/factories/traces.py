"""Statements as Moodle's plugin sends them, made to measure."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

SITE = "https://campus.test"
TINCAN = "http://id.tincanapi.com"
ADL = "http://adlnet.gov/expapi"
EDLM = "https://xapi.edlm/profiles/edlm-lms/concepts"

VIEWED = f"{TINCAN}/verb/viewed"
COMPLETED = f"{ADL}/verbs/completed"
UNCOMPLETED = f"{EDLM}/verbs/uncompleted"
ATTENDED = f"{ADL}/verbs/attended"
SCORED = "https://w3id.org/xapi/tla/verbs/scored"
ENROLLED = f"{EDLM}/verbs/enrolled"
LEFT = "http://activitystrea.ms/leave"
STARTED = "http://activitystrea.ms/schema/1.0/start"
COURSE = "https://w3id.org/xapi/cmi5/activitytype/course"
PAGE = "https://w3id.org/xapi/acrossx/activities/page"
QUIZ = f"{ADL}/activities/assessment"
ATTEMPT = f"{ADL}/activities/attempt"


def activity(iri: str, kind: str = "", **names: str) -> dict[str, Any]:
    definition: dict[str, Any] = {"type": kind} if kind else {}
    if names:
        definition["name"] = names
    return {"objectType": "Activity", "id": iri, **({"definition": definition} if definition else {})}


def course(number: int = 2, title: str = "Piloter") -> dict[str, Any]:
    return activity(f"{SITE}/course/view.php?id={number}", COURSE, fr=title)


def section(number: int, title: str | None = None) -> dict[str, Any]:
    return activity(
        f"{SITE}/course/section.php?id={number}",
        f"{TINCAN}/activitytype/section",
        fr=title or f"Partie {number}",
    )


def page(number: int, title: str | None = None, kind: str = PAGE) -> dict[str, Any]:
    return activity(f"{SITE}/mod/page/view.php?id={number}", kind, fr=title or f"Activité {number}")


def agent(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": SITE, "name": name}}


def statement(
    who: str,
    verb: str,
    target: dict[str, Any],
    at: datetime | str,
    *,
    parents: list[dict[str, Any]] | None = None,
    result: dict[str, Any] | None = None,
    statement_id: str | None = None,
) -> dict[str, Any]:
    """Return a statement; its id follows from what it says unless given."""
    text = at if isinstance(at, str) else at.astimezone(UTC).isoformat()
    name = f"{who} {verb} {target['id']} {text} {result}"
    return {
        "id": statement_id or str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "actor": agent(who),
        "verb": {"id": verb},
        "object": target,
        "timestamp": text,
        **({"context": {"contextActivities": {"parent": parents}}} if parents else {}),
        **({"result": result} if result else {}),
    }


def voiding(target: str, at: datetime | str) -> dict[str, Any]:
    return statement(
        "formateur",
        "http://adlnet.gov/expapi/verbs/voided",
        {"objectType": "StatementRef", "id": target},
        at,
    )
