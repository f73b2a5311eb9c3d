"""Who came back after the end of their sessions in columns of numbers, packed as it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from analyzers.aftermath import Returning, months_after
from analyzers.community import encode, pack_arrays, unpack_arrays
from analyzers.frames import afterwards

#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 1


def gather(conn: Connection, silo_id: int, promotions: Mapping[str, str], *, today: date) -> Returning:
    """Read who was in ended sessions, and the days on which they came back.

    `promotions`: that of each actor, where it is known.
    """
    people: dict[str, int] = {}
    ends: dict[int, Any] = {}
    lots: list[NDArray[Any]] = []
    for rows in afterwards.members(conn, silo_id, today=today):
        ends |= {course_id: end for course_id, _, end in rows}
        numbered = [(course_id, people.setdefault(actor, len(people))) for course_id, actor, _ in rows]
        lots.append(np.array(numbered, dtype=np.int64))
    named = encode([promotions.get(actor) for actor in people])
    course, person = _columns(lots)
    members = {
        "course_id": course,
        "person": person.astype(np.int32),
        "ends": _ends(course, ends),
        "promotion": named.codes[person] if len(person) else np.zeros(0, np.int32),
    }
    return Returning(named.values, members, _visits(conn, silo_id, today, people, ends))


def _visits(
    conn: Connection, silo_id: int, today: date, people: Mapping[str, int], ends: Mapping[int, Any]
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
