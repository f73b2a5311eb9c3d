"""The figure of an improvement in the later sessions of the same path, where its effect is to be seen.

What was noticed in one session is often mended for the next: a closed questionnaire moves no more. Each
session has modules of its own; those of one title are the same module of the path. A figure is read there as
the pages of that session show it, under the same guard, and by nobody who may not open them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, select

from lti_tool import editions
from lti_tool.access import Viewer
from lti_tool.improvements import registry
from lti_tool.improvements.entries import Entry
from lti_tool.improvements.figures import Reading, Seen
from xapi.tables import course

#: Later sessions read: the next ones.
MOST = 3
#: Kinds of figures about a module, whose reference begins with its IRI.
_OF_MODULES = ("module_satisfaction", "item", "module_progress", "module_stuck")


@dataclass(frozen=True)
class Following:
    """A later session of the path, and the same figure there, in words that name the session."""

    course_id: int
    session: str
    seen: Seen


def following(reading: Reading, viewer: Viewer, entry: Entry) -> list[Following]:
    """Return the same figure in the next sessions of the path that the viewer may see, the soonest first."""
    if entry.kind not in _OF_MODULES or not entry.course_id:
        return []
    first, _, rest = registry.KINDS[entry.kind].later(entry.reference).partition(" ")
    found = []
    for course_id, session, iri in _modules(reading.conn, viewer, entry.course_id, first):
        there = Reading(reading.conn, reading.silo_id, course_id, reading.now, reading.rules)
        seen = registry.read(there, entry.kind, " ".join(part for part in (iri, rest) if part))
        if seen is not None:
            words = f"{seen.words} ({session})"
            found.append(Following(course_id, session, replace(seen, words=words)))
    return found


def _modules(conn: Connection, viewer: Viewer, course_id: int, iri: str) -> list[tuple[int, str, str]]:
    """Return where the same module is in the next sessions: (course, name of the session, IRI)."""
    later = _later(conn, viewer, course_id)
    names, _ = editions.modules(conn, viewer.silo_id, [course_id, *(key for key, _ in later)])
    name = names.get(course_id, {}).get(iri)
    found = []
    for key, session in later:
        same = [there for there, called in names.get(key, {}).items() if called == name]
        if not iri or (name and same):
            found.append((key, session, same[0] if iri else ""))
    return found[:MOST]


def _later(conn: Connection, viewer: Viewer, course_id: int) -> list[tuple[int, str]]:
    """Return the sessions of the path that began after one, those that the viewer may see."""
    c, here = course.c, course.alias("here")
    query = (
        select(c.course_id, c.title, c.label, c.starts_on)
        .select_from(course.join(here, and_(here.c.silo_id == c.silo_id, here.c.path_id == c.path_id)))
        .where(c.silo_id == viewer.silo_id, here.c.course_id == course_id, c.starts_on > here.c.starts_on)
        .order_by(c.starts_on, c.course_id)
    )
    rows = conn.execute(query).all()
    allowed = editions.allowed(conn, viewer, [row.course_id for row in rows])
    return [
        (row.course_id, row.label or row.title or row.starts_on.isoformat())
        for row in rows
        if row.course_id in allowed
    ]
