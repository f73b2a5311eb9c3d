"""Keys of courses and people: the same whatever the order of arrival and the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from xapi.tables import actor_alias

#: Authority of what the tool itself says when nobody else is named.
TOOL = {"objectType": "Agent", "account": {"homePage": "urn:estime", "name": "estime"}}

#: Actors of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500


def course_id(silo_id: int, iri: str) -> int:
    """Return the key of a course: the first 63 bits of a hash of (silo, IRI), never 0."""
    digest = hashlib.sha256(f"{silo_id}\n{iri}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 1) or 1


_ALIASES = select(actor_alias.c.alias, actor_alias.c.actor).where(
    actor_alias.c.silo_id == bindparam("silo"), actor_alias.c.alias.in_(bindparam("aliases", expanding=True))
)


def resolve(conn: Connection, silo_id: int, actors: Iterable[str]) -> dict[str, str]:
    """Return the canonical actor of those of `actors` that are aliases."""
    wanted = sorted(set(actors))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), CHUNK):
        values = {"silo": silo_id, "aliases": wanted[start : start + CHUNK]}
        found.update((alias, actor) for alias, actor in conn.execute(_ALIASES, values))
    return found
