"""What is said of activities: their titles, types, sections, whether they are tracked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, case, delete, func, insert, select

from xapi.identity import CHUNK
from xapi.reading import TRACKING
from xapi.tables import activity_fact, event

#: Columns of an event that make a fact.
SAID = ("activity", "activity_type", "activity_title", "section", "section_title", "course_title")


class Facts:
    """The facts of one course: those stored, and those seen in events read now.

    A fact holds the first and the last instant at which it was said; adding an event twice, or in another
    order, changes nothing.
    """

    def __init__(self, conn: Connection, silo_id: int, course_id: int) -> None:
        self._conn = conn
        self._key = {"silo_id": silo_id, "course_id": course_id}
        self._where = (activity_fact.c.silo_id == silo_id, activity_fact.c.course_id == course_id)
        self._stored: dict[tuple[Any, ...], tuple[datetime, datetime, bool]] = {}
        for row in conn.execute(select(activity_fact).where(*self._where)):
            key = tuple(getattr(row, name) for name in SAID)
            self._stored[key] = (row.first_at, row.last_at, row.tracked)
        self._now = dict(self._stored)

    def add(self, row: Any) -> None:
        """Add what one event says."""
        self._merge(
            (
                row.activity,
                row.activity_type,
                row.activity_title,
                row.section,
                row.section_title,
                row.course_title,
            ),
            row.at,
            row.at,
            row.kind in TRACKING,
        )

    def _merge(self, key: tuple[Any, ...], first: datetime, last: datetime, tracked: bool) -> None:
        known = self._now.get(key)
        if known is not None:
            if known[0] <= first and last <= known[1] and (known[2] or not tracked):
                return
            first, last, tracked = min(first, known[0]), max(last, known[1]), tracked or known[2]
        self._now[key] = (first, last, tracked)

    def tracked(self) -> set[str]:
        """Return the activities whose completion is tracked, as known now."""
        return {key[0] for key, value in self._now.items() if value[2]}

    def reset(self) -> None:
        """Forget what is stored: the events read from now on say everything."""
        self._now = {}

    def recompute(self) -> None:
        """Draw the facts again from every event of the course: one was voided."""
        columns = [event.c[name] for name in SAID]
        tracked = func.max(case((event.c.kind.in_(sorted(TRACKING)), 1), else_=0))
        query = (
            select(*columns, func.min(event.c.at), func.max(event.c.at), tracked)
            .where(
                event.c.silo_id == self._key["silo_id"],
                event.c.course_id == self._key["course_id"],
            )
            .group_by(*columns)
        )
        self._now = {tuple(row[:6]): (row[6], row[7], bool(row[8])) for row in self._conn.execute(query)}

    def store(self) -> bool:
        """Write what changed; tell whether anything did."""
        gone = [key for key in self._stored if key not in self._now]
        changed = [key for key, value in self._now.items() if self._stored.get(key) != value]
        self._delete([*gone, *(key for key in changed if key in self._stored)])
        rows = [
            {
                **self._key,
                **dict(zip(SAID, key, strict=True)),
                "fact": _hash(key),
                "first_at": self._now[key][0],
                "last_at": self._now[key][1],
                "tracked": self._now[key][2],
            }
            for key in changed
        ]
        if rows:
            self._conn.execute(insert(activity_fact), sorted(rows, key=lambda row: str(row["fact"])))
        self._stored = dict(self._now)
        return bool(gone or changed)

    def _delete(self, keys: Iterable[tuple[Any, ...]]) -> None:
        hashes = sorted(_hash(key) for key in keys)
        for start in range(0, len(hashes), CHUNK):
            some = activity_fact.c.fact.in_(hashes[start : start + CHUNK])
            self._conn.execute(delete(activity_fact).where(*self._where, some))


def _hash(key: tuple[Any, ...]) -> str:
    return hashlib.sha256(orjson.dumps(key)).hexdigest()[:32]
