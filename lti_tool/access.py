"""Every "may X see Y?": the launch in the path against the browser's secret, then the object."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, literal, select, union_all

from lti_tool import sessions
from lti_tool.privacy_tables import course_privacy, exclusion
from lti_tool.profile_tables import profile_grant
from lti_tool.tables import launch
from tool_config.roles import ADMIN, INGENIEUR, PROFILES, TRAINEE, TUTOR
from xapi.tables import course, membership, rollup_actor


class AccessError(Exception):
    """Somebody may not see something; the edge makes a page of it."""


class NotFound(AccessError):  # noqa: N818
    """Nothing there that this browser may know of: the same answer as for what does not exist (404)."""


class Forbidden(AccessError):  # noqa: N818
    """A page of another role (403)."""


class Withheld(Forbidden):
    """People one by one, in a course that shows aggregates only (403)."""


class Expired(AccessError):  # noqa: N818
    """The launch is too old (401); ``way_back`` is the address of its course, or "".

    ``silo_id``: where somebody who signed in with a profile signs in again; None for a launch of a course.
    """

    def __init__(self, way_back: str = "", locale: str = "fr", silo_id: int | None = None) -> None:
        super().__init__("expired")
        self.way_back = way_back
        self.locale = locale
        self.silo_id = silo_id


@dataclass(frozen=True)
class Viewer:
    """Who looks, through which launch. ``locale``: fr or en.

    ``role``: trainee, tutor, admin, or a profile (responsable, ingenieur, lecteur), whose ``course_id`` is 0.
    """

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
    #: Paths that an ingénieur de formation may see; None: no limit of paths.
    paths: frozenset[int] | None = None
    #: The grant by which somebody without a course signed in; "" for a launch.
    grant_id: str = ""

    @property
    def is_profile(self) -> bool:
        """Signed in without a course: sees aggregates only."""
        return self.role in PROFILES


@dataclass(frozen=True)
class CourseAccess:
    """A course that may be seen, and whether its people may be named."""

    course_id: int
    named: bool
    #: Its people may be shown one by one; not where an administrator set it to aggregates only.
    people: bool = True
    #: People kept from who looks: they inspect them, or advise on their tenure.
    hidden: frozenset[str] = frozenset()


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
    if row.role in PROFILES:
        return _by_grant(conn, row, now)
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


def _by_grant(conn: Connection, row: Row[Any], now: datetime) -> Viewer:
    """Return somebody who signed in with a profile, as their grant says now: withdrawn, it opens nothing."""
    c = profile_grant.c
    wanted = select(c.profile, c.paths, c.expires_at).where(
        c.silo_id == row.silo_id, c.grant_id == row.client_id
    )
    grant = conn.execute(wanted).first()
    if grant is None:
        raise NotFound
    if row.expires_at <= now or (grant.expires_at is not None and grant.expires_at <= now):
        raise Expired(locale=row.locale, silo_id=row.silo_id)
    return Viewer(
        silo_id=row.silo_id,
        launch_id=row.launch_id,
        actor=row.actor,
        role=grant.profile,
        course_id=0,
        locale=row.locale,
        names=False,
        return_url="",
        paths=frozenset(int(path) for path in grant.paths) if grant.profile == INGENIEUR else None,
        grant_id=row.client_id,
    )


def require(viewer: Viewer, *roles: str) -> None:
    """Raise Forbidden unless the viewer has one of the roles."""
    if viewer.role not in roles:
        raise Forbidden


def require_across(viewer: Viewer, path_id: int | None = None) -> None:
    """Let through who may see aggregates of the whole community, or of one path.

    An ingénieur de formation sees the paths of their grant, each on its own, and never all of them at once.
    Raises Forbidden for trainees, tutors, and what is not narrowed to a path; NotFound for another path.
    """
    require(viewer, ADMIN, *PROFILES)
    if viewer.paths is None:
        return
    if path_id is None:
        raise Forbidden
    if path_id not in viewer.paths:
        raise NotFound


def may_see_course(conn: Connection, viewer: Viewer, course_id: int) -> CourseAccess:
    """Return access to a course as a whole: a tutor's own, any of the silo for an administrator.

    Raises Forbidden for a trainee, NotFound for another course or another silo.
    """
    require(viewer, TUTOR, ADMIN)
    if viewer.role == TUTOR and course_id != viewer.course_id:
        raise NotFound
    p, e = course_privacy.c, exclusion.c
    wanted = union_all(
        select(literal("course"), literal("")).where(
            course.c.silo_id == viewer.silo_id, course.c.course_id == course_id
        ),
        select(literal("aggregates"), literal("")).where(
            p.silo_id == viewer.silo_id, p.course_id == course_id, p.aggregates_only
        ),
        select(literal("hidden"), e.actor).where(
            e.silo_id == viewer.silo_id, e.tutor == viewer.actor, literal(viewer.role == TUTOR)
        ),
    )
    found = [(what, who) for what, who in conn.execute(wanted)]
    if ("course", "") not in found:
        raise NotFound
    return CourseAccess(
        course_id,
        named=viewer.role == TUTOR,
        people=("aggregates", "") not in found,
        hidden=frozenset(who for what, who in found if what == "hidden"),
    )


def require_people(allowed: CourseAccess) -> None:
    """Raise Withheld where the people of a course are shown to nobody one by one."""
    if not allowed.people:
        raise Withheld


def may_see_person(conn: Connection, viewer: Viewer, course_id: int, actor: str) -> CourseAccess:
    """Return access to one person's progress in a course: themselves, or by those who see the course.

    Raises NotFound for somebody who is not of that course, for another trainee and for somebody kept from who
    looks; Withheld where people are not shown one by one.
    """
    if viewer.role == TRAINEE:
        if (course_id, actor) != (viewer.course_id, viewer.actor):
            raise NotFound
        return CourseAccess(course_id, named=True)
    allowed = may_see_course(conn, viewer, course_id)
    require_people(allowed)
    if actor in allowed.hidden:
        raise NotFound
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
