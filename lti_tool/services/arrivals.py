"""What a launch says of the platform's services: where they are, and in which groups somebody is."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from lti_tool.launch import Launch
from lti_tool.service_tables import course_group, course_service
from lti_tool.services import memberships
from tool_config import roles
from tool_config.database import insert

#: Custom parameter that holds the groups: "$Moodle.Person.userGroupIds" and the like. It may be edited by
#: teachers: it filters a list, and gives no right.
GROUPS = "estime_groups"
_GROUP = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_MOST_GROUPS = 50

_KNOWN = tuple(course_service.c[name] for name in ("issuer", "memberships_url", "lineitems_url", "scopes"))


def remember(
    conn: Connection, silo_id: int, course_id: int, launch: Launch, actor: str, role: str, *, now: datetime
) -> None:
    """Keep what a launch says of services, and ask for the roster at the first launch of a tutor.

    In the launch's own transaction; a launch that says nothing new costs one short query, or none.
    """
    if role in (roles.TUTOR, roles.ADMIN):
        _remember_services(conn, silo_id, course_id, launch, now)
    groups = read_groups(launch.choice.get(GROUPS))
    if groups is not None:
        _remember_groups(conn, silo_id, course_id, actor, groups, now)


def _remember_services(conn: Connection, silo_id: int, course_id: int, launch: Launch, now: datetime) -> None:
    said: dict[str, Any] = {
        "memberships_url": launch.services.get("memberships"),
        "lineitems_url": launch.services.get("lineitems"),
        "scopes": sorted(launch.services.get("scope", ())) or None,
    }
    said = {name: value for name, value in said.items() if value}
    if not said:
        return  # Moodle leaves the claims out until a first activity exists: what was known stays
    said["issuer"] = launch.issuer
    here = course_service.c.silo_id == silo_id, course_service.c.course_id == course_id
    known = conn.execute(select(*_KNOWN).where(*here)).first()
    first = "memberships_url" in said and (known is None or not known.memberships_url)
    if known is None or any(getattr(known, name) != value for name, value in said.items()):
        row = {"scopes": [], **said, "said_at": now}
        written = insert(conn, course_service).values(silo_id=silo_id, course_id=course_id, **row)
        conn.execute(
            written.on_conflict_do_update(
                index_elements=["silo_id", "course_id"], set_={**said, "said_at": now}
            )
        )
    if first:
        memberships.ask(conn, silo_id, course_id, now=now)


def read_groups(said: str | None) -> list[str] | None:
    """Return the groups of a custom parameter, in order; None when the platform did not fill it in."""
    if said is None or said.startswith("$"):
        return None
    found = {part.strip() for part in said.split(",")}
    return sorted((name for name in found if _GROUP.fullmatch(name)), key=by_number)[:_MOST_GROUPS]


def by_number(name: str) -> tuple[int, str]:
    """Return by what groups are sorted: numbers first, by their value."""
    return (int(name), name) if name.isascii() and name.isdigit() else (1 << 62, name)


def _remember_groups(
    conn: Connection, silo_id: int, course_id: int, actor: str, groups: list[str], now: datetime
) -> None:
    here = (
        course_group.c.silo_id == silo_id,
        course_group.c.course_id == course_id,
        course_group.c.actor == actor,
    )
    known = conn.execute(select(course_group.c.group_ids).where(*here)).scalar()
    if known == groups or (known is None and not groups):
        return
    values = {"group_ids": groups, "said_at": now}
    written = insert(conn, course_group).values(silo_id=silo_id, course_id=course_id, actor=actor, **values)
    conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "course_id", "actor"], set_=values))


def groups_of(conn: Connection, silo_id: int, course_id: int) -> dict[str, tuple[str, ...]]:
    """Return the groups of those of a course who have some, by actor."""
    wanted = select(course_group.c.actor, course_group.c.group_ids).where(
        course_group.c.silo_id == silo_id, course_group.c.course_id == course_id
    )
    return {actor: tuple(groups) for actor, groups in conn.execute(wanted) if groups}
