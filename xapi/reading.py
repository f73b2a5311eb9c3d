"""PURE: what a statement says of a learner: course, module, activity, kind, score.

The dialects it reads are those of Moodle's plugin (parents from 4.8, groupings before), of the xAPI video
profile, of cmi5, H5P and ADL; the words that they use are in tool_config/vocabulary.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tool_config.vocabulary import Part, Vocabulary
from xapi.answers import is_answer
from xapi.debriefs import is_debrief

VOIDED = "http://adlnet.gov/expapi/verbs/voided"

#: Kinds after which an activity is completed, and those by which a platform shows that it tracks it.
COMPLETING = frozenset({"completed", "passed"})
TRACKING = frozenset({"completed", "passed", "failed", "uncompleted"})

_DURATION = re.compile(
    r"^P(?:(?P<years>[\d.]+)Y)?(?:(?P<months>[\d.]+)M)?(?:(?P<weeks>[\d.]+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?$"
)
_UNIT_SECONDS = {
    "years": 31_557_600.0,
    "months": 2_629_800.0,
    "weeks": 604_800.0,
    "days": 86_400.0,
    "hours": 3_600.0,
    "minutes": 60.0,
    "seconds": 1.0,
}


@dataclass(frozen=True)
class Event:
    """What a statement says, for the analyses; the row adds who, when and which statement."""

    kind: str
    #: None: the statement names no course.
    course_iri: str | None
    course_title: str | None
    #: IRI of the section that holds the activity; "" outside any.
    section: str
    section_title: str | None
    #: IRI of the activity that it counts for; "" for the course itself.
    activity: str
    activity_type: str
    activity_title: str | None
    #: 0 to 1.
    score: float | None
    success: bool | None
    #: result.duration, seconds.
    duration: float | None
    registration: str | None


def from_statement(statement: Mapping[str, Any], vocabulary: Vocabulary) -> Event | None:
    """Draw the event of one validated statement; None when it is no learning event.

    None for a voiding statement, for a group as actor (an event is about one person), for an object
    that is a statement, for an answer to a questionnaire (`xapi.answers`) and for a debrief
    (`xapi.debriefs`). Sub-statements are not looked into: what they say has not happened.
    """
    verb = str(statement["verb"]["id"])
    target = statement["object"]
    actor = statement["actor"]
    if verb == VOIDED or actor.get("objectType") == "Group" or "member" in actor:
        return None
    if is_answer(statement) or is_debrief(statement):
        return None
    object_type = target.get("objectType", "Activity")
    if object_type in ("StatementRef", "SubStatement"):
        return None
    context = statement.get("context") or {}
    place = _where(target if object_type == "Activity" else None, context, vocabulary)
    result = statement.get("result") or {}
    kind = vocabulary.kind(verb, _type(target))
    if kind in COMPLETING and result.get("completion") is False:
        kind = "interacted"
    if place.part is not None and not place.part.completes and kind in TRACKING:
        kind = "submitted"
    scores = place.part is None or place.part.scores
    success = result.get("success")
    registration = context.get("registration")
    return Event(
        kind=kind,
        course_iri=place.course_iri,
        course_title=place.course_title,
        section=place.section,
        section_title=place.section_title,
        activity=place.activity,
        activity_type=place.activity_type,
        activity_title=place.activity_title,
        score=_score(result.get("score")) if scores else None,
        success=success if isinstance(success, bool) else None,
        duration=_duration(result.get("duration")),
        registration=str(registration) if registration else None,
    )


@dataclass(frozen=True)
class _Where:
    """What an object and the activities around it say of the place, as the event has it."""

    course_iri: str | None
    course_title: str | None
    section: str
    section_title: str | None
    activity: str
    activity_type: str
    activity_title: str | None
    #: The object is this part of the activity, and not the activity itself.
    part: Part | None


#: Places remembered, and bytes of what the longest one is drawn from: at most 20 MB.
_REMEMBERED = 10_000
_LONGEST = 2_000


class _Memory:
    """Places already drawn with one vocabulary: the activities of a course come back all the time."""

    def __init__(self, vocabulary: Vocabulary | None) -> None:
        self.vocabulary = vocabulary
        self.places: dict[bytes, _Where] = {}


_memory = _Memory(None)


def _where(target: Mapping[str, Any] | None, context: Mapping[str, Any], vocabulary: Vocabulary) -> _Where:
    """Return where an object stands, drawn once for equal ones."""
    global _memory
    memory = _memory
    if memory.vocabulary is not vocabulary:
        memory = _memory = _Memory(vocabulary)
    said = orjson.dumps((target, context.get("contextActivities")))
    known = memory.places.get(said)
    if known is not None:
        return known
    place = _place(target, context, vocabulary)
    drawn = _Where(
        course_iri=_iri(place.course),
        course_title=_title(place.course, vocabulary),
        section=_iri(place.section) or "",
        section_title=_title(place.section, vocabulary),
        activity=_iri(place.activity) or "",
        activity_type=_type(place.activity) if place.activity else "",
        activity_title=_title(place.activity, vocabulary),
        part=place.part,
    )
    if len(said) <= _LONGEST:
        if len(memory.places) >= _REMEMBERED:
            memory.places.clear()
        memory.places[said] = drawn
    return drawn


@dataclass(frozen=True)
class _Place:
    """Where an object stands: activities as written in the statement."""

    course: Mapping[str, Any] | None
    section: Mapping[str, Any] | None
    activity: Mapping[str, Any] | None
    #: The object is this part of the activity, and not the activity itself.
    part: Part | None


def _place(target: Mapping[str, Any] | None, context: Mapping[str, Any], words: Vocabulary) -> _Place:
    parents = _activities(context, "parent")
    groupings = _activities(context, "grouping")
    around = [*parents, *groupings]
    found = next((item for item in around if _is_course(item, words)), None)
    if target is None:
        return _Place(found, _first_section(around, words), None, None)
    if _is_course(target, words) and (found is None or found["id"] == target["id"]):
        return _Place(target, None, None, None)
    if _is_section(target, words):
        return _Place(found, target, None, None)
    if _type(target) in words.sites:
        return _Place(found, None, None, None)
    section = _first_section(around, words)
    part = words.parts.get(_type(target))
    if part is None:
        return _Place(found, section, target, None)
    whole = _enclosing(parents, words) or _enclosing(groupings, words)
    if whole is None:
        # A part of a part that nothing encloses (a problem with several questions): the outermost.
        pieces = [item for item in parents if _type(item) in words.parts and not _is_course(item, words)]
        whole = pieces[-1] if pieces else None
    if whole is None or whole["id"] == target["id"]:
        return _Place(found, section, target, None)
    return _Place(found, section, whole, part)


def _enclosing(items: Sequence[Mapping[str, Any]], words: Vocabulary) -> Mapping[str, Any] | None:
    """Return the nearest activity that is no part, section, course or site."""
    for item in items:
        kind_of = _type(item)
        outside = kind_of in words.parts or kind_of in words.sites
        if not outside and not _is_course(item, words) and not _is_section(item, words):
            return item
    return None


def _first_section(items: Sequence[Mapping[str, Any]], words: Vocabulary) -> Mapping[str, Any] | None:
    return next((item for item in items if _is_section(item, words)), None)


def _activities(context: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the context activities of that name; a single one is allowed by xAPI 1.0 (2.4.6.2)."""
    found = (context.get("contextActivities") or {}).get(name) or []
    return [found] if isinstance(found, Mapping) else list(found)


def _type(activity: Mapping[str, Any]) -> str:
    return str((activity.get("definition") or {}).get("type") or "")


def _iri(activity: Mapping[str, Any] | None) -> str | None:
    return str(activity["id"]) if activity else None


def _is_course(activity: Mapping[str, Any], words: Vocabulary) -> bool:
    kind_of = _type(activity)
    if kind_of:
        return kind_of in words.courses
    return any(pattern.search(str(activity["id"])) for pattern in words.course_iris)


def _is_section(activity: Mapping[str, Any], words: Vocabulary) -> bool:
    kind_of = _type(activity)
    if kind_of:
        return kind_of in words.sections
    return any(pattern.search(str(activity["id"])) for pattern in words.section_iris)


def _title(activity: Mapping[str, Any] | None, words: Vocabulary) -> str | None:
    """Return the name in the first preferred language, else in the first of the alphabet."""
    names = ((activity or {}).get("definition") or {}).get("name") or {}
    for wanted in words.languages:
        for tag in sorted(names):
            if tag.lower() == wanted or tag.lower().startswith(f"{wanted}-"):
                return str(names[tag])
    return str(names[min(names)]) if names else None


def _score(score: Any) -> float | None:
    """Return a score from 0 to 1: raw between min and max, else scaled.

    Moodle's plugin maps `scaled` to −1..1, so that the raw score wins when its bounds are known.
    """
    if not isinstance(score, Mapping):
        return None
    raw, low, high, scaled = (score.get(name) for name in ("raw", "min", "max", "scaled"))
    if raw is not None and high is not None:
        low = 0.0 if low is None else float(low)
        return _clamped((float(raw) - low) / (float(high) - low)) if float(high) > low else None
    return None if scaled is None else _clamped(float(scaled))


def _clamped(value: float) -> float:
    return min(1.0, max(0.0, value))


def _duration(text: Any) -> float | None:
    """Return the seconds of an ISO 8601 duration; a year counts 365.25 days."""
    found = _DURATION.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    return sum(float(found[unit]) * seconds for unit, seconds in _UNIT_SECONDS.items() if found[unit])
