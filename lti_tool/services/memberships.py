"""Rosters brought into the store: asked for, read to the last page, written, and what pages say of them.

Departures are written only after every page was read and every entry understood: a page that failed marks
nobody as departed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select, update

from lti_tool import jobs
from lti_tool.job_tables import job
from lti_tool.jobs import JobRun
from lti_tool.service_tables import course_service
from lti_tool.services import enrolling
from lti_tool.services.client import Client, ServiceError
from lti_tool.services.enrolling import Place
from lti_tool.services.roster import Roster, fetch
from tool_config import platforms
from tool_config.database import transaction
from xapi.tables import course, rollup_actor

log = logging.getLogger(__name__)

KIND, NIGHTLY = "roster", "rosters"
#: Courses where nothing happened for longer are left alone at night.
_ALIVE = timedelta(days=60)
#: Between two courses of one night, so that a platform is not asked everything at once.
_APART = timedelta(seconds=3)


def key(course_id: int) -> str:
    """Return the key of the jobs about a course's roster."""
    return f"{KIND} {course_id}"


def ask(conn: Connection, silo_id: int, course_id: int, *, now: datetime, due: datetime | None = None) -> str:
    """Ask for a course's roster in the caller's transaction; asked twice, it is brought once."""
    payload = {"course_id": course_id}
    return jobs.enqueue(conn, silo_id, KIND, payload, now=now, due=due, key=key(course_id))


def ask_all(run: JobRun) -> Mapping[str, int]:
    """Ask for the roster of every course that is alive: the job of each night."""
    now = run.clock()
    with transaction(run.engine, run.silo_id) as conn:
        acted = (
            select(func.max(rollup_actor.c.last_at))
            .where(
                rollup_actor.c.silo_id == course_service.c.silo_id,
                rollup_actor.c.course_id == course_service.c.course_id,
            )
            .scalar_subquery()
        )
        alive = select(course_service.c.course_id).where(
            course_service.c.silo_id == run.silo_id,
            course_service.c.memberships_url.is_not(None),
            or_(course_service.c.said_at > now - _ALIVE, acted > now - _ALIVE),
        )
        found = conn.execute(alive.order_by(course_service.c.course_id)).scalars().all()
        for rank, course_id in enumerate(found):
            ask(conn, run.silo_id, course_id, now=now, due=now + rank * _APART)
    return {"courses": len(found)}


def synchronise(run: JobRun) -> Mapping[str, int]:
    """Bring one course's roster: the handler of `KIND`."""
    course_id = int(run.payload["course_id"])
    place = _place(run, course_id)
    if place is None:
        raise jobs.Failed("no_service")
    began = run.clock()
    try:
        roster = _read(run, place, began)
        if not roster.whole:
            raise ServiceError("unreadable", "an entry does not say whom it is about")
    except ServiceError as error:
        log.warning("the roster of a course could not be read: %s", error)
        _note(run, course_id, error.reason)
        if error.passing:
            raise jobs.Retry(error.wait, error.reason) from error
        raise jobs.Failed(error.reason) from error
    return enrolling.write(run, place, roster, began)


def _place(run: JobRun, course_id: int) -> Place | None:
    with transaction(run.engine, run.silo_id, write=False) as conn:
        row = conn.execute(
            select(course.c.context_id, course_service.c.memberships_url, course_service.c.issuer)
            .select_from(
                course_service.join(
                    course,
                    and_(
                        course.c.silo_id == course_service.c.silo_id,
                        course.c.course_id == course_service.c.course_id,
                    ),
                )
            )
            .where(course_service.c.silo_id == run.silo_id, course_service.c.course_id == course_id)
        ).first()
        if row is None or not row.memberships_url or not row.context_id:
            return None
        platform = platforms.get(conn, run.silo_id, row.issuer)
    if platform is None or not platform.active:
        return None
    return Place(course_id, row.context_id, row.memberships_url, platform)


def _read(run: JobRun, place: Place, began: datetime) -> Roster:
    """Read the roster; when somebody seems to have left between two pages of it, read it once more."""
    client = Client(run, place.platform)

    def told(members: int) -> None:
        run.progress(members, 0, "reading")

    first = fetch(client, place.url, place.context_id, told)
    if first.pages < 2:
        return first
    with transaction(run.engine, run.silo_id, write=False) as conn:
        if not enrolling.departed(conn, run.silo_id, place, enrolling.present_of(first, place), began):
            return first
    # Pages are cut by rank: while they were read, one departure moved somebody else to a page read before.
    second = fetch(client, place.url, place.context_id, told)
    both = {member.sub: member for member in (*first.members, *second.members)}
    return Roster(tuple(both.values()), first.pages + second.pages, first.whole and second.whole)


def _note(run: JobRun, course_id: int, problem: str) -> None:
    with transaction(run.engine, run.silo_id) as conn:
        conn.execute(
            update(course_service)
            .where(course_service.c.silo_id == run.silo_id, course_service.c.course_id == course_id)
            .values(tried_at=run.clock(), problem=problem)
        )


# --- looking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RosterState:
    """What a page says of a course's roster."""

    #: The platform gives one.
    offered: bool
    roster_at: datetime | None
    tried_at: datetime | None
    #: A word for what kept it from coming, "" when nothing did.
    problem: str
    #: Somebody asked for it and it is not there yet: members read so far.
    under_way: bool
    done: int
    asked_at: datetime | None


def state(conn: Connection, silo_id: int, course_id: int) -> RosterState:
    """Return the state of a course's roster, in two short queries."""
    row = conn.execute(
        select(
            course.c.roster_at,
            course_service.c.memberships_url,
            course_service.c.tried_at,
            course_service.c.problem,
        )
        .select_from(
            course.outerjoin(
                course_service,
                and_(
                    course_service.c.silo_id == course.c.silo_id,
                    course_service.c.course_id == course.c.course_id,
                ),
            )
        )
        .where(course.c.silo_id == silo_id, course.c.course_id == course_id)
    ).one()
    live = conn.execute(
        select(job.c.done, job.c.created_at, job.c.state, job.c.attempts).where(
            job.c.silo_id == silo_id, job.c.key == key(course_id), job.c.finished_at.is_(None)
        )
    ).first()
    # A job that waits for its next try after a failure is not under way: the failure is what is to be said.
    under_way = live is not None and (live.state == jobs.RUNNING or live.attempts == 0)
    return RosterState(
        offered=bool(row.memberships_url),
        roster_at=row.roster_at,
        tried_at=row.tried_at,
        problem=row.problem or "",
        under_way=under_way,
        done=live.done if live is not None and under_way else 0,
        asked_at=live.created_at if live is not None else None,
    )
