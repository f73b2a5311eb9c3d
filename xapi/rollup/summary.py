"""Learners of a course summed up: by activity, by module, as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, String, Table, cast, delete, func, insert, select

from xapi.outline.drawing import Drawing
from xapi.rollup import buckets
from xapi.rollup.buckets import SECONDS, Row
from xapi.tables import (
    event,
    rollup_activity,
    rollup_activity_day,
    rollup_actor,
    rollup_actor_day,
    rollup_module,
)

#: Rows written by one statement, learners summed up at once.
WRITTEN = 2000
_ACTORS = 200


class Summary:
    """Draws rollup_activity from the days, then rollup_module and rollup_actor from it and the outline."""

    def __init__(self, conn: Connection, silo_id: int, course_id: int, drawing: Drawing) -> None:
        self._conn = conn
        self._silo_id = silo_id
        self._course_id = course_id
        self._key = {"silo_id": silo_id, "course_id": course_id}
        self._members = drawing.members()
        self._modules = {
            member.iri: module for module, members in self._members.items() for member in members
        }

    def everyone(self, actors: Sequence[str]) -> None:
        """Sum up every learner of the course; whoever is not among `actors` is forgotten."""
        for table in (rollup_activity, rollup_module, rollup_actor):
            self._conn.execute(delete(table).where(*self._of(table)))
        self.activities(sorted(actors))
        self.learners(sorted(actors))

    def activities(self, actors: Sequence[str]) -> None:
        """Draw again rollup_activity of these learners; the course itself is activity ""."""
        table = rollup_activity_day
        for some in _chunks(actors):
            query = (
                select(table)
                .where(*self._of(table), table.c.actor.in_(some))
                .order_by(table.c.actor, table.c.activity, table.c.day)
                .execution_options(yield_per=WRITTEN)
            )
            rows = []
            for (actor, iri), days in groupby(self._conn.execute(query), key=attrgetter("actor", "activity")):
                row = buckets.activity(list(days), {**self._key, "actor": actor, "activity": iri})
                if row is not None:
                    rows.append(row)
            self._replace(rollup_activity, some, rows)

    def learners(self, actors: Sequence[str]) -> None:
        """Draw again rollup_module and rollup_actor of these learners."""
        for some in _chunks(actors):
            whole = {row.actor: row for row in self._conn.execute(self._totals(some))}
            enrolments = dict(self._enrolments(some))
            modules: list[Row] = []
            learners: list[Row] = []
            done: dict[str, dict[str, Any]] = dict(self._reached(some))
            for actor in some:
                rows = done.get(actor, {})
                key = {**self._key, "actor": actor}
                for iri, members in self._members.items():
                    row = buckets.module(members, rows, {**key, "module": iri})
                    if row is not None:
                        modules.append(row)
                if rows or actor in whole or actor in enrolments:
                    learners.append(self._learner(key, rows, whole.get(actor), enrolments.get(actor)))
            self._replace(rollup_module, some, modules)
            self._replace(rollup_actor, some, learners)

    def _learner(self, key: Row, rows: dict[str, Any], total: Any, enrolment: Any) -> Row:
        itself = rows.get("")
        return {
            **key,
            "events": total.events if total else 0,
            "days": total.days if total else 0,
            **{name: getattr(total, name) if total else 0 for name in SECONDS},
            "first_at": total.first_at if total else None,
            "last_at": total.last_at if total else None,
            "attended": sum(row.attended_at is not None for row in rows.values()),
            "enrolled_at": enrolment[0] if enrolment else None,
            "left_at": enrolment[1] if enrolment else None,
            "completed_at": itself.completed_at if itself else None,
            "last_module": buckets.last_module(rows, self._modules),
            "days_seen": _in_order(total.days_seen) if total else "",
        }

    def _reached(self, actors: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        table = rollup_activity
        query = select(table).where(*self._of(table), table.c.actor.in_(actors)).order_by(table.c.actor)
        for actor, rows in groupby(self._conn.execute(query), key=attrgetter("actor")):
            yield actor, {row.activity: row for row in rows}

    def _totals(self, actors: Sequence[str]) -> Any:
        table = rollup_actor_day
        return (
            select(
                table.c.actor,
                func.sum(table.c.events).label("events"),
                func.count().label("days"),
                *(func.sum(table.c[name]).label(name) for name in SECONDS),
                func.min(table.c.first_at).label("first_at"),
                func.max(table.c.last_at).label("last_at"),
                func.aggregate_strings(cast(table.c.day, String), "").label("days_seen"),
            )
            .where(*self._of(table), table.c.actor.in_(actors))
            .group_by(table.c.actor)
        )

    def _enrolments(self, actors: Sequence[str]) -> Iterator[tuple[str, Any]]:
        query = (
            select(event.c.actor, event.c.kind, event.c.at)
            .where(
                *self._of(event),
                event.c.actor.in_(actors),
                event.c.kind.in_(("enrolled", "left")),
                event.c.activity == "",
            )
            .order_by(event.c.actor, event.c.at, event.c.statement_id)
        )
        for actor, rows in groupby(self._conn.execute(query), key=attrgetter("actor")):
            yield actor, buckets.enrolment(rows)

    def _replace(self, table: Table, actors: Sequence[str], rows: Sequence[Row]) -> None:
        self._conn.execute(delete(table).where(*self._of(table), table.c.actor.in_(actors)))
        for start in range(0, len(rows), WRITTEN):
            self._conn.execute(insert(table), rows[start : start + WRITTEN])

    def _of(self, table: Table) -> tuple[Any, Any]:
        return table.c.silo_id == self._silo_id, table.c.course_id == self._course_id


def _in_order(days: str) -> str:
    """Put days written one after the other as YYYY-MM-DD in order."""
    return "".join(sorted(days[start : start + 10] for start in range(0, len(days), 10)))


def _chunks(actors: Iterable[str]) -> Iterator[list[str]]:
    names = list(actors)
    for start in range(0, len(names), _ACTORS):
        yield names[start : start + _ACTORS]
