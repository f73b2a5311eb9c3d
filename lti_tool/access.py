"""Every "may X see Y?": the launch in the path against the browser's secret, then the object."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, union_all

from lti_tool import sessions
from lti_tool.tables import launch
from tool_config.roles import ADMIN, TRAINEE, TUTOR
from xapi.tables import course, membership, rollup_actor


class AccessError(Exception):
    """Somebody may not see something; the edge makes a page of it."""


class NotFound(AccessError):  # noqa: N818
    """Nothing there that this browser may know of: the same answer as for what does not exist (404)."""


class Forbidden(AccessError):  # noqa: N818
    """A page of another role (403)."""


class Expired(AccessError):  # noqa: N818
    """The launch is too old (401); ``way_back`` is the address of its course, or ""."""

    def __init__(self, way_back: str = "", locale: str = "fr") -> None:
        super().__init__("expired")
        self.way_back = way_back
        self.locale = locale


@dataclass(frozen=True)
class Viewer:
    """Who looks, through which launch. ``role``: trainee, tutor, admin; ``locale``: fr or en."""

    silo_id: int
    launch_id: str
    actor: str
    role: str
    course_id: int
    locale: str
    #: May see names (a tutor); administrators see pseudonyms, trainees themselves only.
    names: bool
    return_url: str
    resource_link_id: str = ""


@dataclass(frozen=True)
class CourseAccess:
    """A course that may be seen, and whether its people may be named."""

    course_id: int
    named: bool


def viewer(conn: Connection, launch_id: str, session_cookie: str | None, now: datetime) -> Viewer:
    """Return who looks; ``session_cookie`` is the value of the launch's own cookie.

    Raises NotFound when the launch is not of this browser, Expired when it was and is over.
    """
    silo_id = sessions.silo_of(launch_id)
    if silo_id is None or not session_cookie:
        raise NotFound
    wanted = select(launch, course.c.iri).select_from(
        launch.outerjoin(
            course, (course.c.silo_id == launch.c.silo_id) & (course.c.course_id == launch.c.course_id)
        )
    )
    row = conn.execute(wanted.where(launch.c.silo_id == silo_id, launch.c.launch_id == launch_id)).first()
    if row is None or not hmac.compare_digest(row.session_hash, sessions.digest(session_cookie)):
        raise NotFound
    if row.expires_at <= now:
        raise Expired(row.iri if (row.iri or "").startswith(("https://", "http://")) else "", row.locale)
    return Viewer(
        silo_id=silo_id,
        launch_id=launch_id,
        actor=row.actor,
        role=row.role,
        course_id=row.course_id,
        locale=row.locale,
        names=row.role == TUTOR,
        return_url=row.return_url or "",
        resource_link_id=row.resource_link_id,
    )


def require(viewer: Viewer, *roles: str) -> None:
    """Raise Forbidden unless the viewer has one of the roles."""
    if viewer.role not in roles:
        raise Forbidden


def may_see_course(conn: Connection, viewer: Viewer, course_id: int) -> CourseAccess:
    """Return access to a course as a whole: a tutor's own, any of the silo for an administrator.

    Raises Forbidden for a trainee, NotFound for another course or another silo.
    """
    require(viewer, TUTOR, ADMIN)
    if viewer.role == TUTOR and course_id != viewer.course_id:
        raise NotFound
    wanted = select(course.c.course_id).where(
        course.c.silo_id == viewer.silo_id, course.c.course_id == course_id
    )
    if conn.execute(wanted).first() is None:
        raise NotFound
    return CourseAccess(course_id, named=viewer.role == TUTOR)


def may_see_person(conn: Connection, viewer: Viewer, course_id: int, actor: str) -> CourseAccess:
    """Return access to one person's progress in a course: themselves, or by those who see the course.

    Raises NotFound for somebody who is not of that course, and for another trainee.
    """
    if viewer.role == TRAINEE:
        if (course_id, actor) != (viewer.course_id, viewer.actor):
            raise NotFound
        return CourseAccess(course_id, named=True)
    allowed = may_see_course(conn, viewer, course_id)
    present = union_all(
        *(
            select(table.c.actor).where(
                table.c.silo_id == viewer.silo_id,
                table.c.course_id == course_id,
                table.c.actor == actor,
            )
            for table in (membership, rollup_actor)
        )
    )
    if conn.execute(present).first() is None:
        raise NotFound
    return allowed


def may_follow_improvement(conn: Connection, viewer: Viewer, course_id: int, *, reserved: bool) -> None:
    """Let through who may read and change an entry of the improvement log: those who see its course.

    Entries kept to administrators, and those about the whole silo (course 0), are theirs alone. Raises
    Forbidden for a trainee, NotFound for the others.
    """
    if course_id:
        may_see_course(conn, viewer, course_id)
    else:
        require(viewer, TUTOR, ADMIN)
    if (reserved or not course_id) and viewer.role != ADMIN:
        raise NotFound
