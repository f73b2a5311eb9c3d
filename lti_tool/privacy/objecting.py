"""Those who object (RGPD, art. 21): no alert, no profile, no comparison; what the mission requires stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from lti_tool import community
from lti_tool.information_tables import objection
from tool_config.database import insert


def since(conn: Connection, silo_id: int, actor: str) -> datetime | None:
    """Return since when somebody objects; None: they do not."""
    c = objection.c
    found: datetime | None = conn.scalar(select(c.since).where(c.silo_id == silo_id, c.actor == actor))
    return found


def of_silo(conn: Connection, silo_id: int) -> frozenset[str]:
    """Return everybody who objects: few, so that they are read whole."""
    return frozenset(conn.scalars(select(objection.c.actor).where(objection.c.silo_id == silo_id)))


def object_to(conn: Connection, silo_id: int, actor: str, *, now: datetime) -> None:
    """Take somebody's objection; at once on every page."""
    added = insert(conn, objection).values(silo_id=silo_id, actor=actor, since=now)
    conn.execute(added.on_conflict_do_nothing(index_elements=["silo_id", "actor"]))
    community.forget(conn, silo_id, now=now)


def withdraw(conn: Connection, silo_id: int, actor: str, *, now: datetime) -> None:
    """End an objection, as the person says; at once on every page."""
    c = objection.c
    conn.execute(delete(objection).where(c.silo_id == silo_id, c.actor == actor))
    community.forget(conn, silo_id, now=now)
