"""The frame of who came back after the end of their sessions, kept beside that of the enrolments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from analyzers.aftermath import Returning, months_after
from analyzers.community import encode, pack_arrays, unpack_arrays
from analyzers.frames import afterwards
from analyzers.shapes import zone
from lti_tool import matching
from lti_tool.community.keeping import Source, read
from tool_config import silos
from xapi import datasets

#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 1


def gather(conn: Connection, silo_id: int, now: datetime) -> Returning:
    """Read who was in ended sessions, and the days on which they came back."""
    today = now.astimezone(zone(silos.get(conn, silo_id).time_zone, "UTC")).date()
    people: dict[str, int] = {}
    ends: dict[int, Any] = {}
    lots: list[NDArray[Any]] = []
    for rows in afterwards.members(conn, silo_id, today=today):
        ends |= {course_id: end for course_id, _, end in rows}
        numbered = [(course_id, people.setdefault(actor, len(people))) for course_id, actor, _ in rows]
        lots.append(np.array(numbered, dtype=np.int64))
    named = encode(_promotions(conn, silo_id, people))
    course, person = _columns(lots)
    members = {
        "course_id": course,
        "person": person.astype(np.int32),
        "ends": _ends(course, ends),
        "promotion": named.codes[person] if len(person) else np.zeros(0, np.int32),
    }
    return Returning(named.values, members, _visits(conn, silo_id, today, people, ends))


def _visits(
    conn: Connection, silo_id: int, today: Any, people: Mapping[str, int], ends: Mapping[int, Any]
) -> dict[str, NDArray[Any]]:
    """Return the days of each person, session and month after its end."""
    lots = [
        np.array(
            [
                (course_id, people[actor], np.datetime64(day, "D").astype(np.int64))
                for course_id, actor, day in rows
                if actor in people
            ],
            dtype=np.int64,
        ).reshape(-1, 3)
        for rows in afterwards.visits(conn, silo_id, today=today)
    ]
    course, person, day = _columns(lots, 3)
    end = _ends(course, ends)
    month = months_after(end, day.astype("datetime64[D]"))
    found, counts = np.unique(np.stack([course, person, month], axis=1), axis=0, return_counts=True)
    return {
        "course_id": found[:, 0],
        "person": found[:, 1].astype(np.int32),
        "ends": _ends(found[:, 0], ends),
        "month": found[:, 2].astype(np.int16),
        "days": counts.astype(np.int16),
    }


def _promotions(conn: Connection, silo_id: int, people: Mapping[str, int]) -> Sequence[str | None]:
    """Return the promotion of each person, None unknown."""
    identity = matching.actors(conn, silo_id)
    said: list[str | None] = [None] * len(people)
    for key, data in datasets.stream(conn, silo_id, "people", ("person_key", "data")):
        place = people.get(identity.get(key, key)) if key else None
        if place is not None and data.get("promotion"):
            said[place] = str(data["promotion"])
    return said


def _columns(lots: Iterable[NDArray[Any]], width: int = 2) -> list[NDArray[Any]]:
    rows = [lot for lot in lots if len(lot)]
    table = np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.int64)
    return [table[:, place] for place in range(width)]


def _ends(course: NDArray[Any], ends: Mapping[int, Any]) -> NDArray[np.datetime64]:
    return np.array([ends[int(one)] for one in course], dtype="datetime64[D]")


def pack(found: Returning) -> bytes:
    """Return the frame as bytes."""
    arrays = {f"members/{name}": column for name, column in found.members.items()}
    arrays |= {f"visits/{name}": column for name, column in found.visits.items()}
    return pack_arrays({"layout": _LAYOUT, "promotions": list(found.promotions)}, arrays)


def unpack(packed: bytes) -> Returning | None:
    """Return the frame that `pack` wrote; None when its layout is an older one."""
    head, arrays = unpack_arrays(packed)
    if head.get("layout") != _LAYOUT:
        return None
    tables: dict[str, dict[str, NDArray[Any]]] = {"members": {}, "visits": {}}
    for key, array in arrays.items():
        table, name = key.split("/", 1)
        if table in tables:
            tables[table][name] = array
    return Returning(tuple(head["promotions"]), tables["members"], tables["visits"])


def state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `gather` would find something else."""
    day = now.astimezone(zone(silos.get(conn, silo_id).time_zone, "UTC")).date()
    return (day, *afterwards.state(conn, silo_id))


RETURNING: Source[Returning] = Source("returning", gather, pack, unpack, state)


def load(conn: Connection, silo_id: int, *, now: datetime) -> Returning:
    """Return who came back after the end of their sessions, as it is kept."""
    return read(conn, silo_id, RETURNING, now=now)
