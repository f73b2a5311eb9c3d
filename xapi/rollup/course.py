"""One course rolled up, under its lock: buckets, facts, outline, modules.

Tables follow one another: events -> rollup_actor_day, rollup_activity_day (the buckets) -> rollup_activity
-> rollup_module, rollup_actor, with the outline that activity_fact and outline_edit give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, or_, select, update

from xapi.events import queue, utc_day
from xapi.identity import CHUNK
from xapi.outline import Drawing, drawn
from xapi.rollup import buckets
from xapi.rollup.buckets import LONGEST_GAP, Row
from xapi.rollup.facts import SAID, Facts
from xapi.rollup.summary import WRITTEN, Summary
from xapi.tables import (
    actor_alias,
    course,
    event,
    outline_item,
    rollup_activity_day,
    rollup_actor,
    rollup_actor_day,
)

#: Ranges of time read by one query.
_RANGES = 100
#: Ranges of one learner nearer than this are read as one.
_NEAR = timedelta(days=7)
#: Read on each side of a local day, beyond what counts, so that no change of hour matters.
_SLACK = timedelta(hours=2)

_READ = (
    event.c.actor,
    event.c.spoken_by,
    event.c.statement_id,
    event.c.kind,
    event.c.at,
    event.c.score,
    *(event.c[name] for name in SAID),
)


@dataclass
class Work:
    """What is asked of a course: UTC days by learner (None: every day), everybody, the outline."""

    actors: dict[str, set[date] | None] = field(default_factory=dict)
    everyone: bool = False
    outline: bool = False

    def add(self, actor: str, day: date | None) -> None:
        known = self.actors.get(actor, set())
        self.actors[actor] = None if day is None or known is None else known | {day}


@dataclass(frozen=True)
class _Range:
    """Instants between which the events of one learner are read."""

    actor: str
    start: datetime
    end: datetime


class CourseRollup:
    """The rolling up of one course in one transaction that holds the course's lock."""

    def __init__(self, conn: Connection, silo_id: int, course_id: int, zone: ZoneInfo) -> None:
        self.conn = conn
        self.silo_id = silo_id
        self.course_id = course_id
        self.zone = zone
        self.key = {"silo_id": silo_id, "course_id": course_id}
        self.facts = Facts(conn, silo_id, course_id)
        self._days: list[Row] = []
        self._activity_days: list[Row] = []
        self._aliases: dict[str, str] = {}
        #: (learner, alias, UTC day) of events whose learner is not the one that their alias stands for.
        self._astray: set[tuple[str, str, date]] = set()

    def run(self, work: Work) -> None:
        """Do the work: afterwards every table of the course agrees with its events."""
        tracked = self.facts.tracked()
        if work.everyone:
            self._rebuild_days()
        else:
            self._refresh_days(work.actors)
        self._move_astray()
        if work.outline and not work.everyone:
            self.facts.recompute()
        changed = self.facts.store()
        drawing = drawn(self.conn, self.silo_id, self.course_id)
        restructured = False
        if changed or work.outline or work.everyone:
            restructured = self._store_outline(drawing) or tracked != self.facts.tracked()
        summary = Summary(self.conn, self.silo_id, self.course_id, drawing)
        if work.everyone:
            summary.everyone(self._actors(event))
        else:
            summary.activities(sorted(work.actors))
            known = self._actors(rollup_actor) if restructured else []
            summary.learners(sorted({*work.actors, *known}))

    # --- days ---------------------------------------------------------------------------------------

    def _rebuild_days(self) -> None:
        for table in (rollup_actor_day, rollup_activity_day):
            self._clear(table)
        self.facts.reset()
        self._load_aliases(None)
        query = select(*_READ).where(*self._of(event))
        for actor, rows in self._by_actor(query):
            self._add(actor, rows, None)
        self._flush()

    def _refresh_days(self, actors: Mapping[str, set[date] | None]) -> None:
        wanted = {
            actor: None if days is None else self._local_days(days) for actor, days in sorted(actors.items())
        }
        self._load_aliases(wanted)
        self._delete_days(wanted)
        for some in self._batches(wanted):
            ranges = [and_(event.c.actor == r.actor, event.c.at >= r.start, event.c.at < r.end) for r in some]
            for actor, rows in self._by_actor(select(*_READ).where(*self._of(event), or_(*ranges))):
                self._add(actor, rows, wanted[actor])
        self._flush()

    def _local_days(self, days: set[date]) -> set[date]:
        """Return the local days whose buckets the events of these UTC days may change."""
        found: set[date] = set()
        for day in days:
            start = datetime.combine(day, time.min, UTC)
            first = (start - LONGEST_GAP).astimezone(self.zone).date()
            last = (start + timedelta(days=1)).astimezone(self.zone).date()
            found.update(first + timedelta(days=n) for n in range((last - first).days + 1))
        return found

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def _batches(self, wanted: Mapping[str, set[date] | None]) -> Iterator[list[_Range]]:
        """Yield lists of ranges to read; those of one learner are never parted."""
        batch: list[_Range] = []
        for actor, days in wanted.items():
            ranges = self._ranges(actor, days)
            if len(ranges) > _RANGES // 2:
                ranges = [_Range(actor, ranges[0].start, ranges[-1].end)]
            if batch and len(batch) + len(ranges) > _RANGES:
                yield batch
                batch = []
            batch += ranges
        if batch:
            yield batch

    def _ranges(self, actor: str, days: set[date] | None) -> list[_Range]:
        if days is None:
            far = timedelta(days=40_000)
            middle = datetime(2040, 1, 1, tzinfo=UTC)
            return [_Range(actor, middle - far, middle + far)]
        found: list[_Range] = []
        for day in sorted(days):
            start = self._midnight(day) - _SLACK
            end = self._midnight(day + timedelta(days=1)) + LONGEST_GAP + _SLACK
            if found and start - found[-1].end < _NEAR:
                found[-1] = _Range(actor, found[-1].start, end)
            else:
                found.append(_Range(actor, start, end))
        return found

    def _by_actor(self, query: Any) -> Iterator[tuple[str, list[Any]]]:
        ordered = query.order_by(event.c.actor, event.c.at, event.c.statement_id)
        result = self.conn.execute(ordered.execution_options(yield_per=2000))
        for actor, rows in groupby(result, key=attrgetter("actor")):
            yield actor, list(rows)

    def _load_aliases(self, actors: Iterable[str] | None) -> None:
        """Load the aliases that concern these learners (None: all of the silo)."""
        query = select(actor_alias.c.alias, actor_alias.c.actor).where(actor_alias.c.silo_id == self.silo_id)
        wanted = None if actors is None else sorted(actors)
        if wanted is not None and len(wanted) <= CHUNK:
            query = query.where(or_(actor_alias.c.alias.in_(wanted), actor_alias.c.actor.in_(wanted)))
        self._aliases = {row.alias: row.actor for row in self.conn.execute(query)}

    def _add(self, actor: str, rows: Sequence[Any], days: set[date] | None) -> None:
        kept = []
        for row in rows:
            self.facts.add(row)
            if self._aliases.get(row.spoken_by, row.spoken_by) == actor:
                kept.append(row)
            else:
                self._astray.add((actor, row.spoken_by, utc_day(row.at)))
        whole, cells = buckets.days(kept, days, self.zone, {**self.key, "actor": actor})
        self._days += whole
        self._activity_days += cells
        if len(self._activity_days) >= WRITTEN:
            self._flush()

    def _flush(self) -> None:
        for table, rows in ((rollup_actor_day, self._days), (rollup_activity_day, self._activity_days)):
            if rows:
                self.conn.execute(insert(table), rows)
                rows.clear()

    def _delete_days(self, wanted: Mapping[str, set[date] | None]) -> None:
        whole = [{"who": actor} for actor, days in wanted.items() if days is None]
        some = [
            {"who": actor, "low": low, "high": high}
            for actor, days in wanted.items()
            if days is not None
            for low, high in _segments(days)
        ]
        for table in (rollup_actor_day, rollup_activity_day):
            of_actor = delete(table).where(*self._of(table), table.c.actor == bindparam("who"))
            if whole:
                self.conn.execute(of_actor, whole)
            if some:
                between = table.c.day.between(bindparam("low"), bindparam("high"))
                self.conn.execute(of_actor.where(between), some)

    def _move_astray(self) -> None:
        """Give to its person what was recorded while an alias was being made, and queue both."""
        for actor, spoken in sorted({(actor, spoken) for actor, spoken, _ in self._astray}):
            change = update(event).where(
                *self._of(event), event.c.actor == actor, event.c.spoken_by == spoken
            )
            self.conn.execute(change.values(actor=self._aliases.get(spoken, spoken)))
        queue(
            self.conn,
            self.silo_id,
            [
                (self.course_id, who, day)
                for actor, spoken, day in sorted(self._astray)
                for who in (actor, self._aliases.get(spoken, spoken))
            ],
        )

    # --- outline ------------------------------------------------------------------------------------

    def _store_outline(self, drawing: Drawing) -> bool:
        """Write the outline where it changed; tell whether what modules are made of did."""
        columns = [column.name for column in outline_item.columns]
        stored = [
            dict(row._mapping)
            for row in self.conn.execute(select(outline_item).where(*self._of(outline_item)))
        ]
        rows = [
            {**self.key, **{name: value for name, value in vars(item).items() if name in columns}}
            for item in drawing.visible
        ]
        if _sorted(rows) != _sorted(stored):
            self.conn.execute(delete(outline_item).where(*self._of(outline_item)))
            if rows:
                self.conn.execute(insert(outline_item), rows)
        if drawing.course_title:
            # A launch gives the platform's own title: it stands.
            unlike = or_(course.c.title.is_(None), course.c.title != drawing.course_title)
            self.conn.execute(
                update(course)
                .where(*self._of(course), course.c.issuer.is_(None), unlike)
                .values(title=drawing.course_title)
            )
        return _structure(rows) != _structure(stored)

    def _of(self, table: Table) -> tuple[Any, Any]:
        return table.c.silo_id == self.silo_id, table.c.course_id == self.course_id

    def _actors(self, table: Table) -> list[str]:
        return list(self.conn.scalars(select(table.c.actor).where(*self._of(table)).distinct()))

    def _clear(self, table: Table) -> None:
        self.conn.execute(delete(table).where(*self._of(table)))


def _segments(days: set[date]) -> list[tuple[date, date]]:
    """Return the runs of consecutive days."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["iri"], row["level"]))


def _structure(rows: Iterable[Row]) -> set[tuple[Any, ...]]:
    """Return what the completion of modules depends on."""
    return {(r["iri"], r["level"], r["module"], r["required"], r["gathering"] is None) for r in rows}
