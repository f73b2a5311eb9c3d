"""People as pages call them: by the name their platform gave, else by a number in the course."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, and_, bindparam, func, select, union

from lti_tool.people_tables import course_number
from lti_tool.tables import person
from xapi.tables import actor as actor_table
from xapi.tables import course, membership, rollup_actor

#: Actors of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500
#: People from whose number on the names of the whole course are read rather than theirs.
_MANY = 20


@dataclass(frozen=True)
class Name:
    """What is known of how to call somebody; None where the platform withholds it."""

    text: str | None
    email: str | None = None
    given_name: str | None = None


def names(conn: Connection, silo_id: int, actors: Iterable[str]) -> dict[str, Name]:
    """Return the names of those who have one: that of a launch or a roster, else that of their traces."""
    wanted = sorted(set(actors))
    found: dict[str, Name] = {}
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        said = select(actor_table.c.actor, actor_table.c.name).where(
            actor_table.c.silo_id == silo_id, actor_table.c.actor.in_(some)
        )
        found.update((actor, Name(name.strip()[:300])) for actor, name in conn.execute(said) if _text(name))
        known = select(
            person.c.actor, person.c.name, person.c.given_name, person.c.family_name, person.c.email
        ).where(person.c.silo_id == silo_id, person.c.actor.in_(some))
        for actor, name, given, family, email in conn.execute(known):
            text = _text(name) or _text(" ".join(filter(None, (given, family))))
            found[actor] = Name(text or (found[actor].text if actor in found else None), email, given)
    return found


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None


def display(
    conn: Connection,
    silo_id: int,
    course_id: int,
    actors: Sequence[str],
    *,
    writing: Callable[[], AbstractContextManager[Connection]] | None = None,
) -> dict[str, str]:
    """Return what to call each of ``actors`` on a page of the course: a name, else "Participant 12".

    The number is given once (`number`) and stays: nameless people who have none yet get theirs here, in
    the transaction that ``writing`` opens, else in ``conn``.
    """
    known = _of_course(conn, silo_id, course_id) if len(actors) > _MANY else {}
    left = [actor for actor in actors if actor not in known]
    known |= {actor: name.text for actor, name in names(conn, silo_id, left).items()}
    nameless = [actor for actor in actors if not known.get(actor)]
    if not nameless:
        return {actor: known[actor] or "" for actor in actors}
    numbers = _numbers(conn, silo_id, course_id)
    if any(actor not in numbers for actor in nameless):
        if writing is None:
            numbers = number(conn, silo_id, course_id, nameless)
        else:
            with writing() as other:
                numbers = number(other, silo_id, course_id, nameless)
    return {actor: known.get(actor) or f"Participant {numbers[actor]}" for actor in actors}


def number(conn: Connection, silo_id: int, course_id: int, actors: Iterable[str]) -> dict[str, int]:
    """Give everybody of a course who has none a number that never changes; return all of the course.

    In the order in which people are known to have been seen in it, after the numbers already given: a
    newcomer comes last, and so does somebody whose older traces arrive late.
    """
    row = select(course.c.course_id).where(course.c.silo_id == silo_id, course.c.course_id == course_id)
    conn.execute(row.with_for_update())
    given = _numbers(conn, silo_id, course_id)
    seen = _seen(conn, silo_id, course_id)
    fresh = sorted((actor for actor in seen if actor not in given), key=lambda actor: (seen[actor], actor))
    fresh += sorted({actor for actor in actors if actor not in given and actor not in seen})
    last = max(given.values(), default=0)
    for rank, actor in enumerate(fresh, last + 1):
        given[actor] = rank
    key = {"silo_id": silo_id, "course_id": course_id}
    for start in range(0, len(fresh), CHUNK):
        rows = [{**key, "actor": actor, "number": given[actor]} for actor in fresh[start : start + CHUNK]]
        conn.execute(course_number.insert(), rows)
    return given


def _numbers(conn: Connection, silo_id: int, course_id: int) -> dict[str, int]:
    query = select(course_number.c.actor, course_number.c.number).where(
        course_number.c.silo_id == silo_id, course_number.c.course_id == course_id
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def _seen(conn: Connection, silo_id: int, course_id: int) -> dict[str, datetime]:
    """Return when each was first seen in a course, those of whom that is known."""
    seen: dict[str, datetime] = {}
    first = func.coalesce(rollup_actor.c.enrolled_at, rollup_actor.c.first_at).label("since")
    for query in (
        select(membership.c.actor, membership.c.since).where(
            membership.c.silo_id == silo_id, membership.c.course_id == course_id
        ),
        select(rollup_actor.c.actor, first).where(
            rollup_actor.c.silo_id == silo_id, rollup_actor.c.course_id == course_id
        ),
    ):
        for actor, since in conn.execute(query):
            if since is not None and (actor not in seen or since < seen[actor]):
                seen[actor] = since
    return seen


def _of_course(conn: Connection, silo_id: int, course_id: int) -> dict[str, str | None]:
    """Return the names of everybody of a course: one question, whatever their number."""
    found: dict[str, str | None] = {}
    values = {"silo": silo_id, "course": course_id}
    for actor, said, name, given, family in conn.execute(_course_names(), values).all():
        found[actor] = (
            _text(name) or _text(" ".join(filter(None, (given, family)))) or _text((said or "").strip()[:300])
        )
    return found


@cache
def _course_names() -> Select[Any]:
    silo, wanted = bindparam("silo", type_=Integer), bindparam("course", type_=BigInteger)
    there = union(
        *(
            select(table.c.actor).where(table.c.silo_id == silo, table.c.course_id == wanted)
            for table in (membership, rollup_actor)
        )
    ).subquery("there")
    said, known = actor_table, person
    return select(
        there.c.actor, said.c.name, known.c.name, known.c.given_name, known.c.family_name
    ).select_from(
        there.outerjoin(said, and_(said.c.silo_id == silo, said.c.actor == there.c.actor)).outerjoin(
            known, and_(known.c.silo_id == silo, known.c.actor == there.c.actor)
        )
    )
