"""Who was present at a planned gathering: ticked here, kept as `attended` statements."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

import orjson
from sqlalchemy import Connection, select

from lti_tool import speech
from lti_tool.tables import person
from tool_config import vocabulary
from xapi import outline, rollup
from xapi.identity import CHUNK, resolve
from xapi.ingest import ingest
from xapi.outline import Item
from xapi.tables import actor, course, outline_edit, statement, statement_activity

_ATTENDED = "http://adlnet.gov/expapi/verbs/attended"
_VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_MEETING = "http://adlnet.gov/expapi/activities/meeting"
_SECTION = "http://id.tincanapi.com/activitytype/section"
_COURSE = "https://w3id.org/xapi/cmi5/activitytype/course"


class AttendanceError(Exception):
    """Ticks that cannot be written; `code` is unknown_gathering or unknown_person."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(conn: Connection, silo_id: int, course_id: int) -> dict[str, set[str]]:
    """Return who was present at each planned gathering of the course, as stored this instant."""
    query = select(outline_edit.c.iri).where(
        outline_edit.c.silo_id == silo_id,
        outline_edit.c.course_id == course_id,
        outline_edit.c.gathering.is_not(None),
    )
    iris = sorted(conn.scalars(query))
    found: dict[str, set[str]] = {iri: set() for iri in iris}
    for iri, who, _ in _presences(conn, silo_id, iris):
        found[iri].add(who)
    return found


def mark(
    conn: Connection,
    silo_id: int,
    course_id: int,
    gathering_iri: str,
    present: Collection[str],
    *,
    by: str,
    now: datetime,
    authority_home: str,
) -> tuple[int, int]:
    """Make `present` (actors) the people present at a gathering; return how many were ticked, unticked.

    Sending the same ticks twice changes nothing; unticking voids, ticking again writes a new statement.
    Who ticked is the authority of the statements: account `by` at `authority_home`. Raises
    AttendanceError. Two tutors who save at once wait for one another: the course's row is locked.
    """
    here = select(course.c.course_id).where(course.c.silo_id == silo_id, course.c.course_id == course_id)
    conn.execute(here.with_for_update())
    items = outline.read(conn, silo_id, course_id, hidden=True)
    gathering = next((i for i in items if i.iri == gathering_iri and i.gathering), None)
    if gathering is None:
        raise AttendanceError("unknown_gathering")
    aliases = resolve(conn, silo_id, present)
    wanted = {aliases.get(who, who) for who in present}
    stored: dict[str, list[str]] = {}
    for _, who, statement_id in _presences(conn, silo_id, [gathering_iri]):
        stored.setdefault(who, []).append(statement_id)
    added, gone = sorted(wanted - stored.keys()), sorted(stored.keys() - wanted)
    agents = _agents(conn, silo_id, [*added, by])
    if any(who not in agents for who in added):
        raise AttendanceError("unknown_person")
    ticker = {"objectType": "Agent", "account": {"homePage": authority_home, "name": by}}
    said = _attended(conn, silo_id, course_id, gathering, items, now)
    ids = _fresh_ids(conn, silo_id, gathering_iri, added)
    batch = [speech.statement({**said, "id": ids[who], "actor": agents[who]}) for who in added]
    batch += [_voiding(statement_id, agents.get(by, ticker)) for who in gone for statement_id in stored[who]]
    for start in range(0, len(batch), CHUNK):
        ingest(conn, silo_id, batch[start : start + CHUNK], now=now, authority=ticker)
    return len(added), len(gone)


def _presences(conn: Connection, silo_id: int, iris: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return (gathering, canonical actor, statement) of every presence that stands."""
    words = vocabulary.load()
    link = statement_activity
    wanted = list(iris)
    found: list[tuple[str, str, str]] = []
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(link.c.activity, statement.c.actor, statement.c.id, statement.c.verb)
            .join(
                statement, (statement.c.silo_id == link.c.silo_id) & (statement.c.id == link.c.statement_id)
            )
            .where(
                link.c.silo_id == silo_id,
                link.c.activity.in_(wanted[start : start + CHUNK]),
                link.c.place == "object",
                statement.c.voided.is_(False),
            )
            .order_by(statement.c.id)
        )
        found += [
            (row.activity, row.actor, row.id)
            for row in conn.execute(query)
            if words.kind(row.verb, _MEETING) == "attended"
        ]
    aliases = resolve(conn, silo_id, {who for _, who, _ in found})
    return [(iri, aliases.get(who, who), statement_id) for iri, who, statement_id in found]


def _attended(
    conn: Connection, silo_id: int, course_id: int, gathering: Item, items: Iterable[Item], now: datetime
) -> dict[str, Any]:
    """Return the statement of presence without its id nor its actor.

    Its instant is noon of the gathering's day, local to the course: when it was ticked does not matter.
    """
    where = (course.c.silo_id == silo_id, course.c.course_id == course_id)
    iri = conn.execute(select(course.c.iri).where(*where)).scalar_one()
    parents = [{"objectType": "Activity", "id": iri, "definition": {"type": _COURSE}}]
    sections = {i.iri for i in items if i.level == "module"} - {i.iri for i in items if i.level == "activity"}
    if gathering.module in sections:
        section = {"objectType": "Activity", "id": gathering.module, "definition": {"type": _SECTION}}
        parents.insert(0, section)
    at = now
    if gathering.opens_on is not None:
        at = datetime.combine(gathering.opens_on, time(12), rollup.zone_of(conn, silo_id, course_id))
    return {
        "verb": {"id": _ATTENDED, "display": {"fr": "était présent", "en": "attended"}},
        "object": {
            "objectType": "Activity",
            "id": gathering.iri,
            "definition": {"type": _MEETING, "name": {"fr": gathering.title}},
        },
        "context": {"contextActivities": {"parent": parents}},
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds"),
    }


def _voiding(statement_id: str, who: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "id": str(uuid.uuid5(uuid.UUID(statement_id), "voided")),
        "actor": dict(who),
        "verb": {"id": _VOIDED, "display": {"fr": "a annulé", "en": "voided"}},
        "object": {"objectType": "StatementRef", "id": statement_id},
    }
    return speech.statement(said)


def _fresh_ids(conn: Connection, silo_id: int, gathering_iri: str, actors: Iterable[str]) -> dict[str, str]:
    """Return an id for each presence: the first of its series that no voided statement has taken."""
    left = dict.fromkeys(actors, 0)
    found: dict[str, str] = {}
    while left:
        names = {
            str(uuid.uuid5(uuid.NAMESPACE_URL, f"{gathering_iri}\n{who}\n{rank}")): who
            for who, rank in left.items()
        }
        ids = sorted(names)
        taken: set[str] = set()
        for start in range(0, len(ids), CHUNK):
            some = statement.c.id.in_(ids[start : start + CHUNK])
            taken.update(conn.scalars(select(statement.c.id).where(statement.c.silo_id == silo_id, some)))
        found.update((who, name) for name, who in names.items() if name not in taken)
        left = {names[name]: left[names[name]] + 1 for name in taken}
    return found


def _agents(conn: Connection, silo_id: int, actors: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the identifier of each actor known by a launch, a roster or a statement."""
    wanted = sorted(set(actors))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        said = select(actor.c.actor, actor.c.identifier).where(
            actor.c.silo_id == silo_id, actor.c.actor.in_(some)
        )
        for who, identifier in conn.execute(said):
            found[who] = {"objectType": "Agent", **orjson.loads(identifier)}
        known = select(person.c.actor, person.c.issuer, person.c.sub).where(
            person.c.silo_id == silo_id, person.c.actor.in_(some)
        )
        for who, issuer, sub in conn.execute(known):
            found[who] = {"objectType": "Agent", "account": {"homePage": issuer, "name": sub}}
    return found
