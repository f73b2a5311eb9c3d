"""Writing a roster: people, memberships, departures, each step in a short transaction of its own.

A launch knows more of a role than a roster does (Moodle gives a non-editing teacher as Instructor at launch
and as Learner in its roster): a role held by a launch is never weakened by a roster.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from lti_tool import acquaintance
from lti_tool.jobs import JobRun
from lti_tool.launch import Launch
from lti_tool.service_tables import course_service
from lti_tool.services.roster import Member, Roster
from lti_tool.tables import person
from tool_config import roles
from tool_config.database import insert, transaction
from tool_config.families import family
from tool_config.platforms import Platform
from xapi import tombstones
from xapi.statement import account_key
from xapi.tables import actor as speaker
from xapi.tables import course, membership, rollup_actor, statement, statement_activity, statement_agent

#: People written in one transaction.
_CHUNK = 200
_SAID = ("username", "name", "given_name", "family_name", "email")


@dataclass(frozen=True)
class Place:
    """A course whose platform gives a roster."""

    course_id: int
    context_id: str
    url: str
    platform: Platform


def write(run: JobRun, place: Place, roster: Roster, began: datetime) -> Mapping[str, int]:
    """Write a whole roster, read from ``began`` on; return how many are present, came and left."""
    present = present_of(roster, place)
    members = [member for member in roster.members if _counts(member)]
    with transaction(run.engine, run.silo_id, write=False) as conn:
        members = _not_erased(conn, run.silo_id, place, members)
    arrived = 0
    for start in range(0, len(members), _CHUNK):
        some = members[start : start + _CHUNK]
        with transaction(run.engine, run.silo_id) as conn:
            # Again: somebody may have been erased since the list began to be written.
            some = _as_they_act(conn, run.silo_id, place, _not_erased(conn, run.silo_id, place, some))
            _write_people(conn, run.silo_id, place, some, began)
            arrived += _write_memberships(conn, run.silo_id, place, some, began)
        run.progress(start + len(some), len(members), "writing")
    with transaction(run.engine, run.silo_id) as conn:
        gone = departed(conn, run.silo_id, place, present, began)
        _write_departures(conn, run.silo_id, place, gone, began)
        _write_bystanders(conn, run.silo_id, place, roster, began)
        strangers = _strangers(conn, run.silo_id, place, roster, present, began)
        if strangers:
            conn.execute(insert(conn, membership).on_conflict_do_nothing(), strangers)
        conn.execute(
            update(course)
            .where(course.c.silo_id == run.silo_id, course.c.course_id == place.course_id)
            .values(roster_at=began)
        )
        conn.execute(
            update(course_service)
            .where(course_service.c.silo_id == run.silo_id, course_service.c.course_id == place.course_id)
            .values(tried_at=run.clock(), problem="")
        )
    return {"present": len(members), "arrived": arrived, "left": len(gone), "pages": roster.pages}


def _not_erased(conn: Connection, silo_id: int, place: Place, members: Sequence[Member]) -> list[Member]:
    """Leave out those who were erased at their own request."""
    keys = {account_key(place.platform.issuer, member.sub): member for member in members}
    gone = tombstones.buried(conn, silo_id, keys)
    return [member for key, member in keys.items() if key not in gone]


def _counts(member: Member) -> bool:
    return member.active and bool(member.role)


def present_of(roster: Roster, place: Place) -> frozenset[str]:
    """Return the actors whom a roster lists with a right in the course."""
    issuer = place.platform.issuer
    return frozenset(account_key(issuer, member.sub) for member in roster.members if _counts(member))


def _as_they_act(conn: Connection, silo_id: int, place: Place, members: Sequence[Member]) -> list[Member]:
    """Return members with the role of a tutor where traces show that they gave marks to others.

    Moodle lists a non-editing teacher as a learner: what they do in the course tells them apart before their
    first launch. Who marks their own attempt (a quiz does so by its learner) is a learner still.
    """
    keyed = {
        account_key(place.platform.issuer, member.sub): member
        for member in members
        if member.role == roles.TRAINEE
    }
    iri = family(place.platform.family).course_iri(place.platform.issuer, place.context_id)
    gave = (
        select(statement_agent.c.agent)
        .distinct()
        .select_from(
            statement_agent.join(
                statement_activity,
                and_(
                    statement_activity.c.silo_id == statement_agent.c.silo_id,
                    statement_activity.c.statement_id == statement_agent.c.statement_id,
                ),
            ).join(
                statement,
                and_(
                    statement.c.silo_id == statement_agent.c.silo_id,
                    statement.c.id == statement_agent.c.statement_id,
                ),
            )
        )
        .where(
            statement_agent.c.silo_id == silo_id,
            statement_agent.c.agent.in_(list(keyed)),
            statement_agent.c.place == "instructor",
            statement_activity.c.activity == iri,
            statement.c.actor != statement_agent.c.agent,
            statement.c.voided.is_(False),
        )
    )
    staff = {keyed[actor].sub for actor in conn.execute(gave).scalars()} if keyed else set()
    return [replace(member, role=roles.TUTOR) if member.sub in staff else member for member in members]


def _write_bystanders(conn: Connection, silo_id: int, place: Place, roster: Roster, began: datetime) -> None:
    """Write that those whom the roster gives no right are no participants, whatever their traces show."""
    issuer = place.platform.issuer
    actors = {account_key(issuer, one.sub) for one in roster.members if one.active and not one.role}
    course_id = place.course_id
    seen = select(rollup_actor.c.actor).where(
        rollup_actor.c.silo_id == silo_id,
        rollup_actor.c.course_id == course_id,
        rollup_actor.c.actor.in_(sorted(actors)),
    )
    rows = [
        {"silo_id": silo_id, "course_id": course_id, "actor": actor,
         "role": "", "source": "roster", "since": began}
        for actor in (conn.execute(seen).scalars() if actors else ())
    ]  # fmt: skip
    if rows:
        conn.execute(insert(conn, membership).on_conflict_do_nothing(), rows)
    if actors:
        here = membership.c.silo_id == silo_id, membership.c.course_id == course_id
        listed = membership.c.source == "roster", membership.c.actor.in_(sorted(actors))
        conn.execute(update(membership).where(*here, *listed).values(role=""))


def _write_people(
    conn: Connection, silo_id: int, place: Place, members: Sequence[Member], now: datetime
) -> None:
    """Write who they are, as far as the platform says; what it withholds erases nothing."""
    issuer = place.platform.issuer
    keyed = {account_key(issuer, member.sub): member for member in members}
    known = {
        row.actor: row
        for row in conn.execute(
            select(person.c.actor, *(person.c[name] for name in _SAID)).where(
                person.c.silo_id == silo_id, person.c.actor.in_(list(keyed))
            )
        )
    }
    for actor, member in keyed.items():
        said = {name: value for name in _SAID if (value := getattr(member, name))}
        before = known.get(actor)
        if before is not None and all(getattr(before, name) == value for name, value in said.items()):
            continue
        added = insert(conn, person).values(
            silo_id=silo_id, actor=actor, issuer=issuer, sub=member.sub, created_at=now, **said
        )
        if said:
            added = added.on_conflict_do_update(index_elements=["silo_id", "actor"], set_=said)
        else:
            added = added.on_conflict_do_nothing()
        conn.execute(added)
        if member.username or member.email:
            launch = _as_launch(place, member)
            acquaintance.add_aliases(conn, silo_id, acquaintance.recognise(conn, silo_id, launch))


def _as_launch(place: Place, member: Member) -> Launch:
    """Return what a launch would say of a member: traces that name them otherwise are theirs."""
    return Launch(
        issuer=place.platform.issuer,
        client_id=place.platform.client_id,
        deployment_id="",
        sub=member.sub,
        role=member.role,
        context_id=place.context_id,
        context_title=None,
        context_label=None,
        resource_link_id="",
        resource_link_title=None,
        email=member.email,
        username=member.username,
    )


def _write_memberships(
    conn: Connection, silo_id: int, place: Place, members: Sequence[Member], now: datetime
) -> int:
    """Write that they are in the course, and as what; return how many were not before."""
    keyed = {account_key(place.platform.issuer, member.sub): member for member in members}
    here = membership.c.silo_id == silo_id, membership.c.course_id == place.course_id
    known = {
        row.actor: row
        for row in conn.execute(select(membership).where(*here, membership.c.actor.in_(list(keyed))))
    }
    left = select(rollup_actor.c.actor, rollup_actor.c.left_at).where(
        rollup_actor.c.silo_id == silo_id,
        rollup_actor.c.course_id == place.course_id,
        rollup_actor.c.actor.in_(list(keyed)),
        rollup_actor.c.left_at.is_not(None),
    )
    said_left = {actor: at for actor, at in conn.execute(left)}  # noqa: C416  (rows, not pairs, to mypy)
    new = []
    arrived = 0
    for actor, member in keyed.items():
        before = known.get(actor)
        if before is None:
            new.append(
                {"silo_id": silo_id, "course_id": place.course_id, "actor": actor,
                 "role": member.role, "source": "roster", "since": now}
            )  # fmt: skip
            continue
        changed = _changed(before, member, said_left.get(actor), now)
        arrived += before.until is not None
        if changed:
            conn.execute(update(membership).where(*here, membership.c.actor == actor).values(changed))
    if new:
        conn.execute(insert(conn, membership).on_conflict_do_nothing(), new)
    return arrived + len(new)


def _changed(before: Any, member: Member, left_at: datetime | None, now: datetime) -> dict[str, Any]:
    """Return what a roster changes of a membership."""
    role, source = member.role, "roster"
    if before.source == "launch" and roles.ROLES.index(before.role) <= roles.ROLES.index(role):
        role, source = before.role, "launch"
    wanted: dict[str, Any] = {"role": role, "source": source, "until": None}
    if left_at is not None and before.since <= left_at:
        wanted["since"] = now  # a statement said that they had left: they are back
    return {name: value for name, value in wanted.items() if getattr(before, name) != value}


def departed(
    conn: Connection, silo_id: int, place: Place, present: Collection[str], began: datetime
) -> list[str]:
    """Return the members who are no longer on the roster.

    Who came in while it was read is not among them, nor who holds a role by launch that needs no enrolment
    (administrators, and teachers by their category).
    """
    wanted = (
        select(membership.c.actor)
        .select_from(
            membership.outerjoin(
                person, and_(person.c.silo_id == membership.c.silo_id, person.c.actor == membership.c.actor)
            ).outerjoin(
                rollup_actor,
                and_(
                    rollup_actor.c.silo_id == membership.c.silo_id,
                    rollup_actor.c.course_id == membership.c.course_id,
                    rollup_actor.c.actor == membership.c.actor,
                ),
            )
        )
        .where(
            membership.c.silo_id == silo_id,
            membership.c.course_id == place.course_id,
            membership.c.since < began,
            or_(membership.c.until.is_(None), rollup_actor.c.last_at > membership.c.until),
            or_(membership.c.role == roles.TRAINEE, membership.c.source == "roster"),
            or_(person.c.seen_at.is_(None), person.c.seen_at < began),
        )
    )
    return [actor for actor in conn.execute(wanted).scalars() if actor not in present]


def _write_departures(
    conn: Connection, silo_id: int, place: Place, gone: Sequence[str], began: datetime
) -> None:
    for start in range(0, len(gone), _CHUNK):
        conn.execute(
            update(membership)
            .where(
                membership.c.silo_id == silo_id,
                membership.c.course_id == place.course_id,
                membership.c.actor.in_(gone[start : start + _CHUNK]),
            )
            .values(until=began)
        )


def _strangers(
    conn: Connection,
    silo_id: int,
    place: Place,
    roster: Roster,
    present: Collection[str],
    began: datetime,
) -> list[dict[str, Any]]:
    """Return, as memberships that are over, those whom traces alone show and whom the roster does not list.

    Only where it is certain that traces and roster name people in the same way: by the platform's numbers.
    """
    if not all(member.sub.isdigit() for member in roster.members):
        return []
    rows = conn.execute(
        select(
            rollup_actor.c.actor,
            rollup_actor.c.enrolled_at,
            rollup_actor.c.first_at,
            rollup_actor.c.last_at,
            speaker.c.identifier,
        )
        .select_from(
            rollup_actor.join(
                speaker,
                and_(speaker.c.silo_id == rollup_actor.c.silo_id, speaker.c.actor == rollup_actor.c.actor),
            ).outerjoin(
                membership,
                and_(
                    membership.c.silo_id == rollup_actor.c.silo_id,
                    membership.c.course_id == rollup_actor.c.course_id,
                    membership.c.actor == rollup_actor.c.actor,
                ),
            )
        )
        .where(
            rollup_actor.c.silo_id == silo_id,
            rollup_actor.c.course_id == place.course_id,
            membership.c.actor.is_(None),
        )
    )
    return [
        {"silo_id": silo_id, "course_id": place.course_id, "actor": row.actor, "role": roles.TRAINEE,
         "source": "roster", "since": row.enrolled_at or row.first_at or began, "until": began}
        for row in rows
        if row.actor not in present
        and (row.last_at is None or row.last_at < began)
        and _numbered(row.identifier, place.platform.issuer)
    ]  # fmt: skip


def _numbered(identifier: str, issuer: str) -> bool:
    account = json.loads(identifier).get("account")
    if not isinstance(account, Mapping) or account.get("homePage") != issuer:
        return False
    return str(account.get("name")).isdigit()
