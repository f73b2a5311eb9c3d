"""The names of a course's people, to be masked in what they write."""

from __future__ import annotations

from sqlalchemy import Connection, select, union

from analyzers.comments import masking
from lti_tool.tables import person
from xapi.tables import actor as actor_table
from xapi.tables import membership, rollup_actor


def roster(conn: Connection, silo_id: int, course_id: int) -> masking.Roster:
    """Return the names of a course's people, ready for `masking.mask`."""
    return masking.roster(names(conn, silo_id, course_id))


def names(conn: Connection, silo_id: int, course_id: int) -> list[str]:
    """Return the names of a course's people, those who left and those who teach included."""
    there = union(
        *(
            select(table.c.actor).where(table.c.silo_id == silo_id, table.c.course_id == course_id)
            for table in (membership, rollup_actor)
        )
    )
    known = select(person.c.name, person.c.given_name, person.c.family_name).where(
        person.c.silo_id == silo_id, person.c.actor.in_(there)
    )
    traced = select(actor_table.c.name).where(
        actor_table.c.silo_id == silo_id, actor_table.c.actor.in_(there), actor_table.c.name.is_not(None)
    )
    found = {text for row in conn.execute(known) for text in row if text}
    return sorted(found | set(conn.scalars(traced)))
