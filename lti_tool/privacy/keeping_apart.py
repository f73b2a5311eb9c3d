"""Who is kept from whom: courses that show aggregates only, tutors apart from a person, courses paused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from lti_tool.privacy_tables import course_privacy, exclusion, pause
from tool_config.database import insert
from tool_config.roles import TUTOR
from xapi.identity import CHUNK
from xapi.tables import membership

PERSON, ADMINISTRATOR = "person", "administrator"


# --- a course ---------------------------------------------------------------------------------------------


def aggregates_only(conn: Connection, silo_id: int, course_id: int) -> bool:
    """Tell whether a course shows nobody one by one, not even to its tutors."""
    c = course_privacy.c
    query = select(c.aggregates_only).where(c.silo_id == silo_id, c.course_id == course_id)
    return bool(conn.scalar(query))


def set_aggregates_only(
    conn: Connection, silo_id: int, course_id: int, only: bool, *, by: str, now: datetime
) -> None:
    """Show the people of a course to nobody one by one, or show them again."""
    said = {"aggregates_only": only, "set_at": now, "set_by": by}
    written = insert(conn, course_privacy).values(silo_id=silo_id, course_id=course_id, **said)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "course_id"], set_=said))


# --- a tutor and a person ---------------------------------------------------------------------------------


def tutors(conn: Connection, silo_id: int, course_id: int) -> list[str]:
    """Return those who accompany a course now."""
    m = membership.c
    query = select(m.actor).where(
        m.silo_id == silo_id, m.course_id == course_id, m.role == TUTOR, m.until.is_(None)
    )
    return sorted(conn.scalars(query))


def exclude(conn: Connection, silo_id: int, tutor: str, actor: str, *, by: str, now: datetime) -> None:
    """Keep a person from a tutor, in every course; kept twice, it is the same."""
    row = {"silo_id": silo_id, "tutor": tutor, "actor": actor, "asked_by": by, "set_at": now}
    conn.execute(insert(conn, exclusion).on_conflict_do_nothing(), row)


def include(conn: Connection, silo_id: int, tutor: str, actor: str, *, by: str) -> bool:
    """Show a person to a tutor again; a person undoes only what they asked, an administrator all."""
    e = exclusion.c
    mine = [e.silo_id == silo_id, e.tutor == tutor, e.actor == actor]
    if by == PERSON:
        mine.append(e.asked_by == PERSON)
    return bool(conn.execute(delete(exclusion).where(*mine)).rowcount)


def kept_from(conn: Connection, silo_id: int, actor: str) -> dict[str, str]:
    """Return the tutors from whom a person is kept, and who asked."""
    e = exclusion.c
    rows = conn.execute(select(e.tutor, e.asked_by).where(e.silo_id == silo_id, e.actor == actor))
    return {row.tutor: row.asked_by for row in rows}


def hidden_from(conn: Connection, silo_id: int, tutor: str) -> frozenset[str]:
    """Return the people who are kept from a tutor."""
    e = exclusion.c
    return frozenset(conn.scalars(select(e.actor).where(e.silo_id == silo_id, e.tutor == tutor)))


def of_tutors(conn: Connection, silo_id: int, some: list[str]) -> list[tuple[str, str, str]]:
    """Return (tutor, person, who asked) of some tutors."""
    e = exclusion.c
    query = select(e.tutor, e.actor, e.asked_by).where(e.silo_id == silo_id, e.tutor.in_(some[:CHUNK]))
    return [(row.tutor, row.actor, row.asked_by) for row in conn.execute(query.order_by(e.tutor, e.actor))]


# --- a pause ----------------------------------------------------------------------------------------------


def paused(conn: Connection, silo_id: int, course_id: int) -> frozenset[str]:
    """Return those whose course is paused: no alert speaks of them."""
    c = pause.c
    return frozenset(conn.scalars(select(c.actor).where(c.silo_id == silo_id, c.course_id == course_id)))


def set_pause(
    conn: Connection, silo_id: int, course_id: int, actor: str, on: bool, *, by: str, now: datetime
) -> None:
    """Pause somebody's course, or take it up again; nobody is asked why."""
    c = pause.c
    if not on:
        mine = c.silo_id == silo_id, c.course_id == course_id, c.actor == actor
        conn.execute(delete(pause).where(*mine))
        return
    row = {"silo_id": silo_id, "course_id": course_id, "actor": actor, "since": now, "set_by": by}
    conn.execute(insert(conn, pause).on_conflict_do_nothing(), row)
