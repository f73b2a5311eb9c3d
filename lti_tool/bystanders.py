"""People whom the platform gives as trainees of a course, and who are none: the tutor says so.

Moodle sends the role of a student for whoever it does not know better, a teacher without the right to edit
among them. What the tutor said stands beside what launches and rosters write, and outlives both. It counts
people, and gives or takes no right: that is the launch's.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from lti_tool import audit
from tool_config.database import insert
from tool_config.roles import TRAINEE
from xapi.tables import membership, rollup_actor, rollup_state


def of_course(conn: Connection, silo_id: int, course_id: int) -> list[str]:
    """Return those of a course who were set aside, and whom the platform still gives as trainees."""
    wanted = select(membership.c.actor).where(
        membership.c.silo_id == silo_id,
        membership.c.course_id == course_id,
        membership.c.role == TRAINEE,
        membership.c.aside_at.is_not(None),
    )
    return list(conn.execute(wanted.order_by(membership.c.actor)).scalars())


def set_aside(
    conn: Connection, silo_id: int, course_id: int, actor: str, *, aside: bool, by: str, now: datetime
) -> bool:
    """Count somebody no longer among the trainees of a course, or again; False for who is not of it.

    In one transaction with its line of audit. What caches hold of the course is no longer looked at.
    """
    here = membership.c.silo_id == silo_id, membership.c.course_id == course_id, membership.c.actor == actor
    wanted = {"aside_at": now if aside else None}
    if not conn.execute(update(membership).where(*here).values(wanted)).rowcount:
        traced = select(rollup_actor.c.actor).where(
            rollup_actor.c.silo_id == silo_id,
            rollup_actor.c.course_id == course_id,
            rollup_actor.c.actor == actor,
        )
        if conn.execute(traced).first() is None:
            return False
        row = {"silo_id": silo_id, "course_id": course_id, "actor": actor, "since": now, **wanted}
        conn.execute(insert(conn, membership).values(**row, role=TRAINEE, source="hand"))
    state = rollup_state.c.silo_id == silo_id, rollup_state.c.course_id == course_id
    conn.execute(update(rollup_state).where(*state).values(version=rollup_state.c.version + 1))
    audit.write(
        conn,
        silo_id,
        at=now,
        action="edit",
        accepted=True,
        actor=by,
        subject=actor,
        course_id=course_id,
        reason="people: set aside" if aside else "people: counted again",
    )
    return True
