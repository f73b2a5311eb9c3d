"""What was followed of each session in columns of numbers, packed as it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from analyzers.community import pack_arrays, unpack_arrays
from analyzers.frames import following as reading
from analyzers.modality import Following
from tool_config import activity_kinds
from tool_config.activity_kinds import KINDS

#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 1


def gather(conn: Connection, silo_id: int, received: Mapping[int, tuple[int, int]]) -> Following:
    """Read what was followed in every session of a silo, and the marks.

    `received`: course_id -> (favourable, answers) of its closed questionnaires, as published.
    """
    kinds = activity_kinds.load()
    people: dict[str, int] = {}
    hours = _Columns(("course_id", "person", "kind", "hours"), people)
    for rows in reading.online(conn, silo_id, kinds):
        hours.add([(course_id, actor, kind, seconds / 3600) for course_id, actor, kind, seconds in rows])
    unsaid = 0
    for rows in reading.attended(conn, silo_id):
        unsaid += sum(row[4] is None for row in rows)
        hours.add(
            [
                (course_id, actor, KINDS.index(kinds.of_gathering(gathering, title)), length or 0.0)
                for course_id, actor, gathering, title, length in rows
            ]
        )
    marks = _Columns(("course_id", "person", "mark"), people)
    for rows in reading.marks(conn, silo_id):
        marks.add([(course_id, actor, float(mark)) for course_id, actor, mark in rows])
    planned = [
        (course_id, KINDS.index(kinds.of_gathering(gathering, title)), length or 0.0)
        for course_id, gathering, title, length in reading.gatherings(conn, silo_id)
    ]
    return Following(
        _together(hours.made()),
        marks.made(),
        _columns(("course_id", "kind", "hours"), [planned]),
        unsaid,
        received,
    )


def _together(hours: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Add up the hours of each course, person and kind: one row each."""
    order = np.lexsort((hours["kind"], hours["person"], hours["course_id"]))
    rows = {name: column[order] for name, column in hours.items()}
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any([rows[name][1:] != rows[name][:-1] for name in ("course_id", "person", "kind")], axis=0)
    starts = np.flatnonzero(new)
    sums = np.add.reduceat(rows["hours"], starts) if len(starts) else rows["hours"]
    return {**{name: column[starts] for name, column in rows.items()}, "hours": sums.astype(np.float32)}


class _Columns:
    """Rows gathered lot by lot; people become numbers."""

    def __init__(self, names: Sequence[str], people: dict[str, int]) -> None:
        self._names, self._people = names, people
        self._lots: list[dict[str, NDArray[Any]]] = []

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        people = self._people
        numbered = [(row[0], people.setdefault(row[1], len(people)), *row[2:]) for row in rows]
        self._lots.append(_columns(self._names, [numbered]))

    def made(self) -> dict[str, NDArray[Any]]:
        if not self._lots:
            return _columns(self._names, [[]])
        return {name: np.concatenate([lot[name] for lot in self._lots]) for name in self._names}


_TYPES = {"course_id": np.int64, "person": np.int32, "kind": np.int8, "hours": np.float32, "mark": np.float32}


def _columns(names: Sequence[str], lots: Sequence[Sequence[tuple[Any, ...]]]) -> dict[str, NDArray[Any]]:
    rows = [row for lot in lots for row in lot]
    return {
        name: np.fromiter((row[place] for row in rows), dtype=_TYPES[name], count=len(rows))
        for place, name in enumerate(names)
    }


def _parts(found: Following) -> Iterator[tuple[str, NDArray[Any]]]:
    for table in ("hours", "marks", "planned"):
        for name, column in getattr(found, table).items():
            yield f"{table}/{name}", column


def pack(found: Following) -> bytes:
    """Return the frame as bytes."""
    return pack_arrays(
        {"layout": _LAYOUT, "unsaid": found.unsaid, "received": list(found.received.items())},
        dict(_parts(found)),
    )


def unpack(packed: bytes) -> Following | None:
    """Return the frame that `pack` wrote; None when its layout is an older one."""
    head, arrays = unpack_arrays(packed)
    if head.get("layout") != _LAYOUT:
        return None
    tables: dict[str, dict[str, NDArray[Any]]] = {"hours": {}, "marks": {}, "planned": {}}
    for key, array in arrays.items():
        table, name = key.split("/", 1)
        if table in tables:
            tables[table][name] = array
    received = {course_id: (count, n) for course_id, (count, n) in head["received"]}
    return Following(tables["hours"], tables["marks"], tables["planned"], head["unsaid"], received)
