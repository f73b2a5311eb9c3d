"""Pix results: levels of groups by domain, kept as counts; one's own for oneself, and for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Connection, func, select

from analyzers import competencies
from analyzers.competencies import Result
from analyzers.disclosure import Cell, Guarded
from lti_tool import community, matching
from lti_tool.matching_tables import person_link
from lti_tool.tables import person
from tool_config import addresses, rules, silos
from xapi import datasets
from xapi.dataset_tables import dataset_row

KIND = "pix_results"
#: Dimensions by which levels are shown, one at a time.
DIMENSIONS = ("promotion", "academie", "corps")
_COLUMNS = ("person_key", "valid_on", "data")
_LAYOUT = 1


@dataclass(frozen=True)
class Levels:
    """The levels of everybody who has some, by domain, ready to leave."""

    made_at: datetime
    version: str
    people: int
    #: Domain -> dimension ("" for all) -> value -> band -> how many, None where it is not told.
    domains: Mapping[str, Mapping[str, Mapping[str, Mapping[str, int | None]]]]
    #: Domain -> people with a level.
    n: Mapping[str, int | None]


@dataclass(frozen=True)
class Own:
    """What somebody obtained in a domain, the last time."""

    domain: str
    level: float | None
    pix: int | None
    mastery: float | None
    day: date | None


def read(conn: Connection, silo_id: int, *, now: datetime) -> Levels:
    """Return the levels as they are kept."""
    return community.read(conn, silo_id, SOURCE, now=now)


def _build(conn: Connection, silo_id: int, now: datetime) -> Levels:
    k = rules.load().disclosure.across
    identity = matching.actors(conn, silo_id)
    results = []
    for key, day, data in datasets.stream(conn, silo_id, KIND, _COLUMNS):
        if key and data.get("level") is not None:
            results.append(
                Result(identity.get(key, key), str(data.get("domain") or ""), float(data["level"]), day)
            )
    origins: dict[str, dict[str, str]] = {}
    for key, _, data in datasets.stream(conn, silo_id, "people", _COLUMNS):
        if key:
            origins[identity.get(key, key)] = {
                name: str(data[name]) for name in DIMENSIONS if data.get(name) not in (None, "")
            }
    used = [name for name in DIMENSIONS if any(name in known for known in origins.values())]
    found = competencies.levels(results, origins, used, k=k)
    return Levels(
        made_at=now,
        version=uuid4().hex,
        people=len({one.person for one in results}),
        domains={domain: _of(guarded, used) for domain, guarded in found.items()},
        n={domain: _cell(guarded.view().get(())) for domain, guarded in found.items()},
    )


def _of(guarded: Guarded, used: list[str]) -> dict[str, dict[str, dict[str, int | None]]]:
    made = {"": {"": competencies.distribution(guarded)}}
    for name in used:
        values = [value for (value,) in guarded.view(name)]
        made[name] = {value: competencies.distribution(guarded, name, value) for value in values}
    return made


def _cell(cell: Cell | None) -> int | None:
    return None if cell is None else cell.count


def _state(conn: Connection, silo_id: int, now: datetime) -> list[Any]:
    d = dataset_row.c
    query = (
        select(d.kind, func.count(), func.max(d.updated_at))
        .where(d.silo_id == silo_id, d.kind.in_((KIND, "people")))
        .group_by(d.kind)
        .order_by(d.kind)
    )
    return [list(row) for row in conn.execute(query)]


def _pack(levels: Levels) -> bytes:
    return orjson.dumps(
        {
            "layout": _LAYOUT, "made_at": levels.made_at.isoformat(), "version": levels.version,
            "people": levels.people, "domains": levels.domains, "n": levels.n,
        }
    )  # fmt: skip


def _unpack(packed: bytes) -> Levels | None:
    kept = orjson.loads(packed)
    if kept.pop("layout") != _LAYOUT:
        return None
    return Levels(**{**kept, "made_at": datetime.fromisoformat(kept["made_at"])})


SOURCE: community.Source[Levels] = community.Source("pix", _build, _pack, _unpack, _state)


# --- one's own --------------------------------------------------------------------------------------------


def own(conn: Connection, silo_id: int, actor: str) -> tuple[Own, ...]:
    """Return somebody's own latest results, by domain; for their own page alone."""
    d = dataset_row.c
    query = select(d.valid_on, d.data).where(
        d.silo_id == silo_id, d.kind == KIND, d.person_key.in_(_keys(conn, silo_id, actor))
    )
    latest: dict[str, Own] = {}
    for day, data in sorted(conn.execute(query), key=lambda row: row.valid_on or date.min):
        domain = str(data.get("domain") or "")
        latest[domain] = Own(domain, data.get("level"), data.get("pix"), data.get("mastery"), day)
    return tuple(latest[domain] for domain in sorted(latest))


def _keys(conn: Connection, silo_id: int, actor: str) -> list[str]:
    """Return how files name somebody: by account, by an address that is theirs alone, by hand."""
    p, link = person.c, person_link.c
    found = {f"a:{actor}"}
    email = conn.scalar(select(p.email).where(p.silo_id == silo_id, p.actor == actor))
    if email:
        same = select(func.count()).where(p.silo_id == silo_id, func.lower(p.email) == email.lower())
        if conn.scalar(same) == 1:
            found.add(addresses.digest(silos.get(conn, silo_id), email))
    by_hand = select(link.person_key).where(link.silo_id == silo_id, link.actor == actor)
    return sorted(found | set(conn.scalars(by_hand)))
