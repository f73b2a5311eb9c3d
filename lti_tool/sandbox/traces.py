"""Deeds as statements, in the shape of Moodle's xAPI logstore plugin 5.0.1 on Moodle 4.5.

The one difference: each statement carries an id, drawn (uuid5) from all that it says. The plugin sends
none and may repeat itself; a sandbox that is started again on the same data must double nothing.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any
from uuid import UUID, uuid5

from lti_tool.sandbox.behaviour import Deed
from lti_tool.sandbox.logstore import ADL, EDLM, EVENTS, INNER, LMS, STREAMS, TINCAN, TYPES
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Activity, Module, Session, Site

Json = dict[str, Any]

_NAMESPACE = UUID("5f0c1a5e-0c7e-5b0e-9a55-7d1c0b9e5a11")

_QUESTIONS = (
    (
        "Acteur",
        "Qui arrête le projet d’établissement ?",
        ("Le conseil d’administration", "Le recteur", "Le maire"),
    ),
    ("Indicateur", "Que mesure la valeur ajoutée ?", ("L’écart à l’attendu", "La moyenne", "Le rang")),
    ("Délai", "Quand évaluer une action ?", ("Pendant et après", "Jamais", "Avant")),
    ("Échelle", "À quelle échelle lire un taux ?", ("Celle du groupe concerné", "La nation", "La classe")),
    ("Preuve", "Qu’est-ce qui fait preuve ?", ("Un faisceau d’indices", "Une anecdote", "Un classement")),
)
_ITEMS = ("Ce module m’est utile", "Les consignes sont claires", "Le temps prévu est suffisant")


def statement(deed: Deed) -> Json:
    """Write one deed as the plugin would, with an id of its own."""
    context: Json = {
        "platform": "Moodle",
        "registration": _registration(deed),
        "language": "fr",
        "extensions": _extensions(deed),
    }
    if deed.kind not in ("login", "logout"):
        context["contextActivities"] = _around(deed)
    by = deed.facts.get("by")
    if isinstance(by, Person):
        context["instructor"] = _agent(deed.session.site, by)
    verb, display = _verb(deed)
    said: Json = {
        "context": context,
        "timestamp": deed.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "actor": _agent(deed.session.site, deed.person),
        "verb": {"id": verb, "display": {"fr": display}},
        "object": _object(deed),
    }
    result = _result(deed)
    if result:
        said["result"] = result
    said["id"] = str(uuid5(_NAMESPACE, json.dumps(said, sort_keys=True, ensure_ascii=False)))
    return said


def _agent(site: Site, person: Person) -> Json:
    return {"name": person.name, "account": {"homePage": site.issuer, "name": person.user_id}}


def _registration(deed: Deed) -> str:
    """One registration a visit: the plugin draws it from Moodle's session."""
    day = deed.at.date().isoformat()
    return str(uuid5(_NAMESPACE, f"{deed.session.site.issuer}\n{deed.person.user_id}\n{day}"))


def _extensions(deed: Deed) -> Json:
    event, function, _, _ = EVENTS[deed.kind]
    component, name = event.format(mod=f"mod_{deed.activity.kind}" if deed.activity else "core").split(".")
    found: Json = {
        "http://lrs.learninglocker.net/define/extensions/info": {
            "http://moodle.org": "4.5.6 (Build: 20250811)",
            "https://github.com/xAPI-vle/moodle-logstore_xapi": "5.0.1",
            "event_name": f"\\{component}\\event\\{name}",
            "event_function": "\\src\\transformer\\events\\" + function.replace(".", "\\"),
        }
    }
    if deed.kind in ("enrolled", "left"):
        found[f"{EDLM}context-extensions/enrolment-type"] = "manual"
    return found


def _verb(deed: Deed) -> tuple[str, str]:
    _, _, iri, display = EVENTS[deed.kind]
    if deed.kind == "scorm_status" and not deed.facts["passed"]:
        return f"{ADL}verbs/failed", "Failed"
    return iri, display


def _around(deed: Deed) -> Json:
    around: Json = {"category": [_site(deed.session.site)]}
    if deed.activity is None or deed.module is None:
        return around
    parent = [_section(deed.session, deed.module), _course(deed.session)]
    if deed.kind in INNER:
        parent.insert(0, _module(deed.session, deed.activity))
    if deed.kind in ("quiz_answered", "quiz_reviewed"):
        parent.insert(0, _attempt(deed, deed.activity))
    if deed.kind == "replied":
        parent.insert(0, _discussion(deed, deed.activity))
    return around | {"parent": parent}


# --- objects ---------------------------------------------------------------------------------------


def _thing(iri: str, kind: str, name: str, **more: Any) -> Json:
    return {
        "objectType": "Activity",
        "id": iri,
        "definition": {"type": kind, "name": {"fr": name}, **more},
    }


def _site(site: Site) -> Json:
    return _thing(site.issuer, f"{TINCAN}activitytype/lms", site.name)


def _course(session: Session) -> Json:
    extensions = {f"{LMS}short-id": session.short_name, f"{LMS}external-id": f"PPS/{session.label}"}
    kind = "https://w3id.org/xapi/cmi5/activitytype/course"
    return _thing(session.iri, kind, session.title, extensions=extensions)


def section_iri(session: Session, module: Module) -> str:
    """Return the IRI of a section, as the plugin writes it."""
    return f"{session.site.issuer}/course/section.php?id={module.section_id}"


def _section(session: Session, module: Module) -> Json:
    # The plugin names a section by its rank, never by its title: the outline's editor gives the title.
    name = f"{session.title} Section {module.number}"
    return _thing(section_iri(session, module), f"{TINCAN}activitytype/section", name)


def activity_iri(session: Session, activity: Activity) -> str:
    """Return the IRI of an activity, as the plugin writes it."""
    return f"{session.site.issuer}/mod/{activity.kind}/view.php?id={activity.cmid}"


def _module(session: Session, activity: Activity) -> Json:
    extensions = {f"{LMS}external-id": ""}
    iri = activity_iri(session, activity)
    return _thing(iri, TYPES[activity.kind], activity.title, extensions=extensions)


def _attempt(deed: Deed, activity: Activity) -> Json:
    iri = (
        f"{deed.session.site.issuer}/mod/quiz/attempt.php?attempt={deed.facts['number']}&cmid={activity.cmid}"
    )
    return _thing(iri, f"{ADL}activities/attempt", f"{activity.title} Attempt {deed.facts['attempt']}")


def _discussion(deed: Deed, activity: Activity) -> Json:
    iri = f"{deed.session.site.issuer}/mod/forum/discuss.php?d={deed.facts['discussion']}"
    return _thing(iri, f"{TINCAN}activitytype/discussion", f"{activity.title} : échanges")


def _object(deed: Deed) -> Json:
    site, activity = deed.session.site, deed.activity
    if deed.kind in ("login", "logout"):
        return _site(site)
    if activity is None:
        return _course(deed.session)
    if deed.kind in ("quiz_started", "quiz_submitted"):
        return _attempt(deed, activity)
    if deed.kind == "quiz_answered":
        return _question(deed, activity)
    if deed.kind == "quiz_reviewed":
        iri = f"{site.issuer}/review.php?attempt={deed.facts['number']}"
        return _thing(iri, f"{STREAMS}schema/1.0/review", "Review")
    if deed.kind.startswith("scorm_"):
        kind = f"{EDLM}activity-types/scorm-content-object"
        return _thing(f"{activity_iri(deed.session, activity)}#sco", kind, f"{activity.title} Content")
    if deed.kind in ("discussion_viewed", "discussion_created"):
        return _discussion(deed, activity)
    if deed.kind == "replied":
        iri = f"{site.issuer}/mod/forum/discuss.php?d={deed.facts['discussion']}#p{int(deed.at.timestamp())}"
        return _thing(iri, f"{TINCAN}activitytype/forum-reply", f"Re : {activity.title}")
    if deed.kind in ("submitted", "assign_scored"):
        kind = f"{EDLM}activity-types/submission"
        return _thing(
            f"{activity_iri(deed.session, activity)}#submission", kind, f"{activity.title} Submission"
        )
    if deed.kind == "feedback_answered":
        return _item(deed, activity)
    return _module(deed.session, activity)


def _question(deed: Deed, activity: Activity) -> Json:
    number = _number(deed, "question")
    name, text, answers = _QUESTIONS[number - 1]
    asked = f"cmid={activity.cmid}&id={activity.cmid * 10 + number}"
    return _thing(
        f"{deed.session.site.issuer}/question/question.php?{asked}",
        f"{ADL}activities/cmi.interaction",
        name,
        description={"fr": text},
        interactionType="choice",
        correctResponsesPattern=["reponse-1"],
        choices=[
            {"id": f"reponse-{rank}", "description": {"fr": answer}} for rank, answer in enumerate(answers, 1)
        ],
    )


def _item(deed: Deed, activity: Activity) -> Json:
    item = _number(deed, "item")
    return _thing(
        f"{deed.session.site.issuer}/mod/feedback/edit_item.php?id={activity.cmid * 10 + item}",
        f"{ADL}activities/cmi.interaction",
        _ITEMS[item - 1],
        interactionType="numeric",
        correctResponsesPattern=["1[:]5"],
    )


# --- results ---------------------------------------------------------------------------------------


def _number(deed: Deed, name: str) -> int:
    value = deed.facts[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} of {deed.kind} is not a whole number")
    return value


def _score(raw: float, most: float) -> Json:
    """The plugin's score: `scaled` runs from -1 to 1 over the range, so that one half gives 0."""
    return {"raw": raw, "min": 0, "max": most, "scaled": round(raw / most * 2 - 1, 6)}


def _result(deed: Deed) -> Json:
    facts = deed.facts
    if deed.kind == "module_completed":
        return {"completion": True}
    if deed.kind == "quiz_submitted":
        marks = facts["marks"]
        right = sum(marks) if isinstance(marks, tuple) else 0
        minutes, seconds = divmod(_number(deed, "seconds"), 60)
        score = _score(right * 20.0, 100)
        return {"score": score, "completion": True, "success": True, "duration": f"PT{minutes}M{seconds}S"}
    if deed.kind == "quiz_answered":
        answers = _QUESTIONS[_number(deed, "question") - 1][2]
        rank = 1 if facts["right"] else 2 + _number(deed, "number") % 2
        said = {"http://learninglocker.net/xapi/cmi/choice/response": answers[rank - 1]}
        right = bool(facts["right"])
        return {"response": f"reponse-{rank}", "success": right, "completion": True, "extensions": said}
    if deed.kind == "scorm_scored":
        return {"score": _score(_number(deed, "raw"), 100)}
    if deed.kind == "scorm_status":
        return {"completion": True, "success": bool(facts["passed"])}
    if deed.kind == "assign_scored":
        raw = facts["raw"]
        return {"score": _score(float(raw) if isinstance(raw, (int, float)) else 0.0, 20), "success": True}
    if deed.kind == "feedback_answered":
        rate = _number(deed, "rate")
        said_rate = {"http://learninglocker.net/xapi/cmi/numeric/response": rate}
        return {"response": str(rate), "completion": True, "extensions": said_rate}
    return {}


def batches(statements: list[Json], size: int) -> list[list[Json]]:
    """Cut statements into the plugin's batches (30 by default in its settings)."""
    return [statements[start : start + size] for start in range(0, len(statements), size)]
