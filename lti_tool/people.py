"""People as pages call them: by the name their platform gave, else by a number in the course."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from lti_tool.tables import person
from xapi.tables import actor as actor_table
from xapi.tables import membership, rollup_actor

#: Actors of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500


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


def display(conn: Connection, silo_id: int, course_id: int, actors: Sequence[str]) -> dict[str, str]:
    """Return what to call each of ``actors`` on a page of the course: a name, else "Participant 12".

    The number is the rank in which people were first seen in the course, so that newcomers come last.
    """
    known = names(conn, silo_id, actors)
    numbers: dict[str, int] = {}
    if any(actor not in known or known[actor].text is None for actor in actors):
        numbers = _numbers(conn, silo_id, course_id)
    called: dict[str, str] = {}
    for actor in actors:
        text = known[actor].text if actor in known else None
        called[actor] = text or f"Participant {numbers.get(actor, len(numbers) + 1)}"
    return called


def _numbers(conn: Connection, silo_id: int, course_id: int) -> dict[str, int]:
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
    ordered = sorted(seen, key=lambda actor: (seen[actor], actor))
    return {actor: rank for rank, actor in enumerate(ordered, 1)}
