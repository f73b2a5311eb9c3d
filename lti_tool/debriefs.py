"""What a tutor hears in a collective debrief (*temps de régulation*): written down, shown with the rest.

It speaks of a group: names, addresses and numbers are masked before anything is kept, and a small group is
not quoted. It becomes a statement of the tutor, from which the row that pages read is drawn.
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from analyzers.comments import masking
from lti_tool import speech
from lti_tool.surveys import rows
from lti_tool.tables import person
from tool_config.surveys import OBJECTS
from xapi import rollup
from xapi.debriefs import COMMENTED, EXTENSION
from xapi.depth_tables import debrief
from xapi.ingest import ingest
from xapi.tables import course, membership, statement

#: Characters kept of what was said, and people that a room holds.
LONGEST, MOST = 4000, 2000
_COURSE = "http://adlnet.gov/expapi/activities/course"
_MODULE = "http://adlnet.gov/expapi/activities/module"
_VOIDED = "http://adlnet.gov/expapi/verbs/voided"


class DebriefError(Exception):
    """A record that cannot be written; ``fields``: a code for each faulty field; none: no such record."""

    def __init__(self, **fields: str) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in fields.items()) or "unknown")
        self.fields = fields


@dataclass(frozen=True)
class Debrief:
    """What was heard once, of one thing."""

    debrief_id: str
    day: date
    #: IRI of the module; "" for the whole session.
    module: str
    #: One of OBJECTS, or "".
    about: str
    said: str
    present: int


def read(conn: Connection, silo_id: int, course_id: int) -> Sequence[Debrief]:
    """Return what was heard in a course, the latest first."""
    c = debrief.c
    query = (
        select(c.statement_id, c.day, c.module, c.object, c.said, c.present)
        .where(c.silo_id == silo_id, c.course_id == course_id)
        .order_by(c.day.desc(), c.recorded_at.desc(), c.statement_id)
    )
    return [Debrief(str(row[0]), *row[1:]) for row in conn.execute(query)]


def write(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    module: str,
    about: str,
    said: str,
    day: date,
    present: int,
    by: str,
    now: datetime,
) -> None:
    """Write down what was heard; the same words of the same day twice are one record. Raises DebriefError.

    Codes: required, too_long (said), unknown (module, about), number (present), future (day). `by`: the
    actor of the tutor, a person of the platform.
    """
    said = "\n".join(line.rstrip() for line in said.replace("\r\n", "\n").strip().split("\n"))
    faults = _faults(module, about, said, present, rows.module_titles(conn, silo_id, course_id))
    zone = rollup.zone_of(conn, silo_id, course_id)
    if day > now.astimezone(zone).date():
        faults["day"] = "future"
    if faults:
        raise DebriefError(**faults)
    said = masking.mask(said, masking.roster(_names(conn, silo_id, course_id)))
    iri = conn.scalar(
        select(course.c.iri).where(course.c.silo_id == silo_id, course.c.course_id == course_id)
    )
    told = {"course": iri, "module": module, "object": about, "day": day.isoformat(), "present": present}
    free = _free(conn, silo_id, course_id, "\n".join([str(iri), module, about, day.isoformat(), said]))
    if free is None:
        return
    made: dict[str, Any] = {
        "id": free,
        "actor": _tutor(conn, silo_id, by),
        "verb": {"id": COMMENTED, "display": {"fr": "a relevé", "en": "commented"}},
        "object": {
            "objectType": "Activity",
            "id": module or iri,
            "definition": {"type": _MODULE if module else _COURSE},
        },
        "result": {"response": said},
        "context": {"extensions": {EXTENSION: told}},
        "timestamp": datetime.combine(day, time(12), zone).astimezone(UTC).isoformat(timespec="milliseconds"),
    }
    if module:
        parent = {"objectType": "Activity", "id": iri, "definition": {"type": _COURSE}}
        made["context"] = {**made["context"], "contextActivities": {"parent": [parent]}}
    ingest(conn, silo_id, [speech.statement(made)], now=now)


def remove(
    conn: Connection, silo_id: int, course_id: int, debrief_id: str, *, by: str, now: datetime
) -> None:
    """Take a record back: its statement is voided. Raises DebriefError when there is none such."""
    if conn.scalar(select(debrief.c.statement_id).where(*_is(silo_id, course_id, debrief_id))) is None:
        raise DebriefError
    said = {
        "id": str(uuid.uuid5(uuid.UUID(debrief_id), "voided")),
        "actor": _tutor(conn, silo_id, by),
        "verb": {"id": _VOIDED, "display": {"fr": "a annulé", "en": "voided"}},
        "object": {"objectType": "StatementRef", "id": debrief_id},
    }
    ingest(conn, silo_id, [speech.statement(said)], now=now)


def _free(conn: Connection, silo_id: int, course_id: int, name: str) -> str | None:
    """Return the first id of a record that no statement taken back has; None when the record stands."""
    for rank in count():
        made = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}\n{rank}"))
        if conn.scalar(select(debrief.c.statement_id).where(*_is(silo_id, course_id, made))) is not None:
            return None
        there = select(statement.c.id).where(statement.c.silo_id == silo_id, statement.c.id == made)
        if conn.scalar(there) is None:
            return made
    raise AssertionError("endless")


def _is(silo_id: int, course_id: int, debrief_id: str) -> tuple[ColumnElement[bool], ...]:
    c = debrief.c
    return c.silo_id == silo_id, c.course_id == course_id, c.statement_id == debrief_id


def _faults(module: str, about: str, said: str, present: int, modules: Container[str]) -> dict[str, str]:
    faults = {}
    if not said or len(said) > LONGEST:
        faults["said"] = "too_long" if said else "required"
    if module and module not in modules:
        faults["module"] = "unknown"
    if about and about not in OBJECTS:
        faults["about"] = "unknown"
    if not 1 <= present <= MOST:
        faults["present"] = "number"
    return faults


def _tutor(conn: Connection, silo_id: int, actor: str) -> dict[str, object]:
    p = person.c
    row = conn.execute(select(p.issuer, p.sub).where(p.silo_id == silo_id, p.actor == actor)).first()
    # Somebody whom the platform never named speaks under the key that the tool knows them by.
    account = {"homePage": "urn:estime", "name": actor}
    if row is not None:
        account = {"homePage": row.issuer, "name": row.sub}
    return {"objectType": "Agent", "account": account}


def _names(conn: Connection, silo_id: int, course_id: int) -> list[str]:
    """Return the names of the people of a course, to be masked."""
    p, m = person.c, membership.c
    query = (
        select(p.name, p.given_name, p.family_name)
        .select_from(person.join(membership, (m.silo_id == p.silo_id) & (m.actor == p.actor)))
        .where(p.silo_id == silo_id, m.course_id == course_id)
    )
    return [name for row in conn.execute(query) for name in row if name]
