"""Thin event rows drawn from statements: course, module, activity, kind, score.

`from_statement` is pure. The others write what it says beside the statements, in their transaction, and
queue what is to be rolled up: rows of `rollup_pending` are appended and taken, never updated, so that
none is lost whatever the order of commits.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, delete, or_, select, update

from tool_config import vocabulary as vocabularies
from tool_config.database import insert
from tool_config.vocabulary import Vocabulary
from xapi.tables import actor_alias, course, event, rollup_pending

#: Actor of a pending row that asks for the outline of the course to be drawn again, facts included.
OUTLINE = ""
#: Actor of a pending row that asks for every bucket of the course (change of time zone, rebuild).
EVERYONE = "*"

VOIDED = "http://adlnet.gov/expapi/verbs/voided"

#: Kinds that are said of a learner without being an act of theirs: no visit, no time, no day.
PASSIVE = frozenset({"scored", "enrolled", "left", "notified", "uncompleted"})
#: Kinds after which an activity is completed, or could have been.
COMPLETING = frozenset({"completed", "passed"})
TRACKING = frozenset({"completed", "passed", "failed", "uncompleted"})

#: Rows of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500

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
#: Instants outside are faults of a clock; their local day could not even be written.
_PLAUSIBLE_YEARS = range(1990, 2101)


def course_id(silo_id: int, iri: str) -> int:
    """Return the key of a course: the first 63 bits of a hash of (silo, IRI), never 0."""
    digest = hashlib.sha256(f"{silo_id}\n{iri}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 1) or 1


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

    None for a voiding statement, for a group as actor (an event is about one person) and for an object
    that is a statement. Sub-statements are not looked into: what they say has not happened.
    """
    verb = str(statement["verb"]["id"])
    target = statement["object"]
    actor = statement["actor"]
    if verb == VOIDED or actor.get("objectType") == "Group" or "member" in actor:
        return None
    object_type = target.get("objectType", "Activity")
    if object_type in ("StatementRef", "SubStatement"):
        return None
    context = statement.get("context") or {}
    place = _place(target if object_type == "Activity" else None, context, vocabulary)
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
        course_iri=_iri(place.course),
        course_title=_title(place.course, vocabulary),
        section=_iri(place.section) or "",
        section_title=_title(place.section, vocabulary),
        activity=_iri(place.activity) or "",
        activity_type=_type(place.activity) if place.activity else "",
        activity_title=_title(place.activity, vocabulary),
        score=_score(result.get("score")) if scores else None,
        success=success if isinstance(success, bool) else None,
        duration=_duration(result.get("duration")),
        registration=str(registration) if registration else None,
    )


@dataclass(frozen=True)
class _Place:
    """Where an object stands: activities as written in the statement."""

    course: Mapping[str, Any] | None
    section: Mapping[str, Any] | None
    activity: Mapping[str, Any] | None
    #: The object is this part of the activity, and not the activity itself.
    part: vocabularies.Part | None


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


# --- writing: called in the transaction of the statements ---------------------------------------------


def record(conn: Connection, silo_id: int, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert the event rows of statements just stored and queue their buckets; return how many events.

    `rows`: rows of the table `statement` (id, stored, timestamp, actor and raw are read). Voided
    statements are not to be given. Safe to call again: what is there stays.
    """
    found = event_rows(conn, silo_id, rows)
    if found:
        conn.execute(insert(conn, event).on_conflict_do_nothing(), found)
    queue(conn, silo_id, ((row["course_id"], row["actor"], utc_day(row["at"])) for row in found))
    return len(found)


def event_rows(conn: Connection, silo_id: int, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the event rows of these statements, sorted by key; makes the rows of courses not yet known."""
    words = vocabularies.load()
    found: list[dict[str, Any]] = []
    courses: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row["timestamp"].year not in _PLAUSIBLE_YEARS:
            continue
        drawn = from_statement(orjson.loads(row["raw"]), words)
        if drawn is None:
            continue
        key = -silo_id
        if drawn.course_iri is not None:
            key = course_id(silo_id, drawn.course_iri)
            courses[key] = {
                "silo_id": silo_id,
                "course_id": key,
                "iri": drawn.course_iri,
                "created_at": row["stored"],
            }
        found.append(_event_row(silo_id, key, row, drawn))
    _add_courses(conn, silo_id, courses)
    aliases = resolve(conn, silo_id, {row["spoken_by"] for row in found})
    for values in found:
        values["actor"] = aliases.get(values["spoken_by"], values["spoken_by"])
    found.sort(key=lambda values: (values["course_id"], values["statement_id"]))
    return found


def _event_row(silo_id: int, key: int, row: Mapping[str, Any], drawn: Event) -> dict[str, Any]:
    return {
        "silo_id": silo_id,
        "course_id": key,
        "statement_id": str(row["id"]),
        "actor": row["actor"],
        "spoken_by": row["actor"],
        "kind": drawn.kind,
        "at": row["timestamp"],
        "activity": drawn.activity,
        "activity_type": drawn.activity_type,
        "activity_title": drawn.activity_title,
        "section": drawn.section,
        "section_title": drawn.section_title,
        "course_title": drawn.course_title,
        "score": drawn.score,
        "success": drawn.success,
        "duration": drawn.duration,
        "registration": drawn.registration,
    }


def _add_courses(conn: Connection, silo_id: int, courses: Mapping[int, dict[str, Any]]) -> None:
    """Insert the courses not yet known, in the order of their keys, so that two batches never deadlock."""
    wanted = sorted(courses)
    known: set[int] = set()
    for start in range(0, len(wanted), CHUNK):
        some = course.c.course_id.in_(wanted[start : start + CHUNK])
        known.update(conn.scalars(select(course.c.course_id).where(course.c.silo_id == silo_id, some)))
    missing = [courses[key] for key in wanted if key not in known]
    if missing:
        conn.execute(insert(conn, course).on_conflict_do_nothing(), missing)


def resolve(conn: Connection, silo_id: int, actors: Iterable[str]) -> dict[str, str]:
    """Return the canonical actor of those of `actors` that are aliases."""
    wanted = sorted(set(actors))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(actor_alias.c.alias, actor_alias.c.actor).where(
            actor_alias.c.silo_id == silo_id, actor_alias.c.alias.in_(wanted[start : start + CHUNK])
        )
        found.update((alias, actor) for alias, actor in conn.execute(query))
    return found


def utc_day(at: datetime) -> date:
    """Return the UTC day of an instant: what is queued, so that no time zone is needed to queue."""
    return at.astimezone(UTC).date()


def queue(conn: Connection, silo_id: int, buckets: Iterable[tuple[int, str, date | None]]) -> None:
    """Append (course, actor, UTC day) to what is to be rolled up, each once; no day: every day.

    Rolling up a UTC day covers the local days that it touches and the one before its first hour, in the
    time zone of that moment. Events without a course are not rolled up.
    """
    rows = [
        {
            "silo_id": silo_id,
            "course_id": key,
            "pending_id": str(uuid.uuid4()),
            "actor": actor,
            "day": day,
        }
        for key, actor, day in dict.fromkeys(buckets)
        if key >= 0 or day is None
    ]
    if rows:
        conn.execute(rollup_pending.insert(), rows)


def forget(conn: Connection, silo_id: int, statement_ids: Sequence[str]) -> int:
    """Delete the event rows of voided statements and queue what they counted for; return how many."""
    ids = sorted({str(item) for item in statement_ids})
    gone: list[tuple[int, str, date | None]] = []
    for start in range(0, len(ids), CHUNK):
        where = (
            event.c.silo_id == silo_id,
            _any_course(silo_id),
            event.c.statement_id.in_(ids[start : start + CHUNK]),
        )
        for key, actor, at in conn.execute(
            select(event.c.course_id, event.c.actor, event.c.at).where(*where)
        ):
            gone.append((key, actor, utc_day(at)))
        conn.execute(delete(event).where(*where))
    outlines = [(key, OUTLINE, None) for key in dict.fromkeys(key for key, _, _ in gone) if key >= 0]
    queue(conn, silo_id, [*gone, *outlines])
    return len(gone)


def _any_course(silo_id: int) -> Any:
    """Name the courses of the silo: the event's key begins with the course."""
    known = select(course.c.course_id).where(course.c.silo_id == silo_id)
    return or_(event.c.course_id == -silo_id, event.c.course_id.in_(known))


def rename_actor(conn: Connection, silo_id: int, alias: str, actor: str) -> bool:
    """Count the events of `alias` (username, mbox…) for `actor`, now and later; False when known already.

    An event recorded at the same moment by another transaction is moved at the next refresh.
    """
    target = resolve(conn, silo_id, [actor]).get(actor, actor)
    if alias == target or resolve(conn, silo_id, [alias]).get(alias) == target:
        return False
    followers = conn.scalars(
        select(actor_alias.c.alias).where(actor_alias.c.silo_id == silo_id, actor_alias.c.actor == alias)
    ).all()
    names = sorted({alias, *followers})
    stored = insert(conn, actor_alias)
    conn.execute(
        stored.on_conflict_do_update(
            index_elements=["silo_id", "alias"], set_={"actor": stored.excluded.actor}
        ),
        [{"silo_id": silo_id, "alias": name, "actor": target} for name in names],
    )
    for name in names:
        move_alias(conn, silo_id, name)
    queue(conn, silo_id, [(-silo_id, name, None) for name in names])
    return True


def move_alias(conn: Connection, silo_id: int, alias: str) -> int:
    """Give the events of an alias to the person it stands for and queue both; return how many moved."""
    target = resolve(conn, silo_id, [alias]).get(alias, alias)
    where = (
        event.c.silo_id == silo_id,
        _any_course(silo_id),
        event.c.spoken_by == alias,
        event.c.actor != target,
    )
    touched = conn.execute(select(event.c.course_id, event.c.actor).where(*where).distinct()).all()
    if not touched:
        return 0
    moved = conn.execute(update(event).where(*where).values(actor=target)).rowcount
    buckets: list[tuple[int, str, date | None]] = []
    for key, before in touched:
        if key >= 0:
            buckets += [(key, before, None), (key, target, None)]
    queue(conn, silo_id, buckets)
    return int(moved)
