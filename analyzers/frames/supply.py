"""What a silo receives, counted in SQL: datasets, days of traces, lists of participants, presences.

A dataset of many rows is counted on a part of them drawn at random, so that the cost is bounded: the key of
a row is a hash, and a range of keys is such a part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, select

from analyzers.quality import Dataset, Platform, Presences, Values
from tool_config import references
from tool_config.references import plain
from tool_config.standards import Field, Standard
from xapi import tables as t
from xapi.dataset_tables import dataset_row

#: Rows of a dataset that are looked at; with more, an estimate is drawn from about as many.
MOST_SEEN = 10_000
#: Values shown of what is not as it should be.
MOST_SHOWN = 8
#: Days of traces that are looked at.
_PAST = timedelta(days=400)
#: People of two names, and sessions of two spellings, in which rows said twice are looked for.
_MOST_TWICE = 400
#: Days after which a session without activity is of the past.
_LATELY = timedelta(days=60)

_ROLES = ("dimension", "measure", "path", "session", "module", "day")


class _Counting:
    """One dataset being counted."""

    def __init__(self, conn: Connection, silo_id: int, standard: Standard, rows: int, k: int) -> None:
        self.conn, self.silo_id, self.standard, self.rows, self.k = conn, silo_id, standard, rows, k
        d = dataset_row.c
        self.all: list[ColumnElement[bool]] = [d.silo_id == silo_id, d.kind == standard.name]
        self.part = list(self.all)
        if rows > MOST_SEEN:
            self.part.append(d.row_key < f"{int(MOST_SEEN / rows * 0x100000000):08x}")
        self.seen = 0

    def scaled(self, count: int) -> int:
        """Return what a count in the part means for the whole."""
        return count if self.seen in (0, self.rows) else round(count * self.rows / self.seen)


def datasets(
    conn: Connection,
    silo_id: int,
    known: Mapping[str, Standard],
    *,
    k: int,
    names: Mapping[str, Sequence[str]],
) -> list[Dataset]:
    """Count the datasets that have rows, in the order of `known`.

    `k`: people of whom a value must be to be shown. `names`: actor -> keys of the person in files, of those
    who have several.
    """
    d = dataset_row.c
    query = select(d.kind, func.count()).where(d.silo_id == silo_id).group_by(d.kind)
    counts = {str(kind): int(count) for kind, count in conn.execute(query) if kind in known}
    titles = _outlines(conn, silo_id) if any(known[kind].of_role("module") for kind in counts) else {}
    return [
        _dataset(_Counting(conn, silo_id, standard, counts[name], k), titles, names)
        for name, standard in known.items()
        if counts.get(name)
    ]


def _dataset(
    at: _Counting, titles: Mapping[int, frozenset[str]], names: Mapping[str, Sequence[str]]
) -> Dataset:
    days, filled, written_at = _filling(at)
    fields = at.standard.fields
    return Dataset(
        kind=at.standard.name,
        rows=at.rows,
        seen=at.seen,
        written_at=written_at,
        days=days,
        filled=filled,
        required=frozenset(field.id for field in fields if field.required),
        counted=frozenset(field.id for field in fields if field.role in _ROLES),
        outside=tuple(_outside(at, field) for field in fields if field.reference and field.type != "list"),
        sessions=_sessions(at),
        modules=_modules(at, titles),
        doubles=_doubles(at, names),
    )


def _value(field: Field) -> ColumnElement[Any]:
    value: ColumnElement[Any] = dataset_row.c.data[field.id].as_string()
    return value


def _filling(at: _Counting) -> tuple[dict[date, int], dict[str, int], datetime | None]:
    """Return the rows of each day, those with a value of each field, and the last time one was written."""
    d = dataset_row.c
    people = {field.id for field in at.standard.of_role("person")}
    fields = [field for field in at.standard.fields if field.type != "address"]
    said = [func.count(_value(field)) for field in fields]
    hashed = func.count(case((d.person_key.startswith("m:"), 1)))
    query = (
        select(d.valid_on, func.count(), func.max(d.updated_at), hashed, func.count(d.person_key), *said)
        .where(*at.part)
        .group_by(d.valid_on)
        .order_by(d.valid_on)
    )
    days: dict[date, int] = {}
    totals = [0] * (len(fields) + 2)
    last: datetime | None = None
    for day, count, written_at, *sums in at.conn.execute(query):
        at.seen += count
        last = written_at if last is None else max(last, written_at)
        totals = [total + one for total, one in zip(totals, sums, strict=True)]
        if day is not None:
            days[day] = count
    filled = dict(zip((field.id for field in fields), totals[2:], strict=True))
    for field in at.standard.fields:
        if field.type == "address":
            filled[field.id] = totals[0]
    for field in at.standard.fields:
        if field.required and field.instead:
            # One or the other names the person, or the day: what is missing is missing of both.
            filled[field.id] = (
                totals[1] if field.id in people else max(filled[field.id], filled[field.instead])
            )
    ordered = {field.id: at.scaled(filled[field.id]) for field in at.standard.fields}
    return {day: at.scaled(count) for day, count in days.items()}, ordered, last


def _shown(at: _Counting, some: Iterable[tuple[str, int, int]]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values that may be shown: of `k` people, or of rows about nobody."""
    personal = bool(at.standard.of_role("person"))
    fit = [(value, at.scaled(count)) for value, count, people in some if not personal or people >= at.k]
    return tuple(sorted(fit, key=lambda one: (-one[1], one[0]))[:MOST_SHOWN])


def _outside(at: _Counting, field: Field) -> Values:
    """Return the values of a field that its reference table does not have."""
    value, entries = _value(field), references.load()[field.reference].entries
    query = (
        select(value, func.count(), func.count(dataset_row.c.person_key.distinct()))
        .where(*at.part, value.is_not(None), value.not_in(list(entries)))
        .group_by(value)
    )
    rows = [tuple(row) for row in at.conn.execute(query)]
    return Values(field.id, at.scaled(sum(row[1] for row in rows)), _shown(at, rows))


def _sessions(at: _Counting) -> Values:
    """Return the sessions that files name and that are no course of the silo."""
    field = next(iter(at.standard.of_role("session")), None)
    if field is None:
        return Values("", 0)
    d = dataset_row.c
    query = (
        select(d.session, func.count(), func.count(d.person_key.distinct()))
        .where(*at.part, d.course_id.is_(None), d.session.is_not(None))
        .group_by(d.session)
    )
    rows = [tuple(row) for row in at.conn.execute(query)]
    return Values(field.id, at.scaled(sum(row[1] for row in rows)), _shown(at, rows))


def _outlines(conn: Connection, silo_id: int) -> dict[int, frozenset[str]]:
    """Return the plain titles of the modules of each course, for courses that have an outline."""
    item = t.outline_item.c
    found: dict[int, set[str]] = defaultdict(set)
    query = select(item.course_id, item.title).where(item.silo_id == silo_id, item.level == "module")
    spelt: dict[str, str] = {}
    for course_id, title in conn.execute(query):
        # Sessions of a path share their titles.
        found[course_id].add(spelt.get(title) or spelt.setdefault(title, plain(title)))
    return {course_id: frozenset(some) for course_id, some in found.items()}


def _modules(at: _Counting, titles: Mapping[int, frozenset[str]]) -> Values:
    """Return the modules named by files that the outline of their session does not have."""
    field = next(iter(at.standard.of_role("module")), None)
    if field is None:
        return Values("", 0)
    d, value = dataset_row.c, _value(field)
    query = (
        select(d.course_id, value, func.count(), func.count(d.person_key.distinct()))
        .where(*at.part, d.course_id.is_not(None), value.is_not(None))
        .group_by(d.course_id, value)
    )
    lost: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for course_id, name, count, people in at.conn.execute(query):
        if course_id in titles and plain(name) not in titles[course_id]:
            lost[name][0] += count
            # People may be the same in two sessions: the largest is sure.
            lost[name][1] = max(lost[name][1], people)
    rows = [(name, count, people) for name, (count, people) in lost.items()]
    return Values(field.id, at.scaled(sum(row[1] for row in rows)), _shown(at, rows))


# --- the same thing said twice -----------------------------------------------------------------------------


def _doubles(at: _Counting, names: Mapping[str, Sequence[str]]) -> int:
    """Count the rows that say again, of one person and session, what another says under other names.

    A session is written in two ways, or a person is named by address here and by account there. What else
    names a row must be the same.
    """
    key = at.standard.key
    if "person" not in key:
        return 0
    others = [name for name in key if name not in ("person", _session_of(at.standard))]
    d = dataset_row.c
    parts = [d.data[name].as_string() for name in others]
    where: list[ColumnElement[bool]] = []
    courses = _spelt_twice(at) if _session_of(at.standard) in key else []
    people = sorted(names)[:_MOST_TWICE]
    keys = {key: actor for actor in people for key in names[actor]}
    if courses:
        where.append(d.course_id.in_(courses))
    if keys:
        where.append(d.person_key.in_(sorted(keys)))
    first: dict[tuple[Any, ...], str] = {}
    again: set[str] = set()
    for one in where:
        query = select(d.row_key, d.person_key, d.course_id, d.session, *parts)
        found = at.conn.execute(query.where(*at.all, d.person_key.is_not(None), one).order_by(d.row_key))
        for row_key, person, course_id, session, *rest in found:
            place = session if course_id is None else course_id
            what = (keys.get(person, person), place, *(plain(text) if text else text for text in rest))
            if first.setdefault(what, row_key) != row_key:
                again.add(row_key)
    return len(again)


def _session_of(standard: Standard) -> str:
    return next((field.id for field in standard.of_role("session")), "")


def _spelt_twice(at: _Counting) -> list[int]:
    """Return courses that files call by several names."""
    d = dataset_row.c
    query = (
        select(d.course_id)
        .where(*at.part, d.course_id.is_not(None))
        .group_by(d.course_id)
        .having(func.count(d.session.distinct()) > 1)
        .order_by(d.course_id)
        .limit(_MOST_TWICE)
    )
    return list(at.conn.scalars(query))


# --- traces, lists, presences ------------------------------------------------------------------------------


def platforms(conn: Connection, silo_id: int, *, today: date) -> list[Platform]:
    """Return the learners of each day, a session, by platform: its issuer, or "" for courses never opened.

    Somebody active in two sessions the same day counts twice.
    """
    d, c = t.rollup_actor_day.c, t.course.c
    # By session first: the index of days holds all that this reads.
    daily = (
        select(d.course_id, d.day, func.count().label("people"))
        .where(d.silo_id == silo_id, d.day >= today - _PAST)
        .group_by(d.course_id, d.day)
        .subquery("daily")
    )
    query = (
        select(c.issuer, daily.c.day, func.sum(daily.c.people))
        .select_from(daily.join(t.course, and_(c.silo_id == silo_id, c.course_id == daily.c.course_id)))
        .group_by(c.issuer, daily.c.day)
    )
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for issuer, day, count in conn.execute(query):
        found[issuer or ""][day] = int(count)
    return [Platform(name, days) for name, days in sorted(found.items())]


def lately(conn: Connection, silo_id: int, *, today: date) -> list[tuple[int, str, bool]]:
    """Return the sessions with recent activity: (course, title, whether its list is partial)."""
    d, c = t.rollup_actor_day.c, t.course.c
    active = exists().where(
        d.silo_id == silo_id, d.course_id == c.course_id, d.day >= today - _LATELY, d.day <= today
    )
    query = (
        select(c.course_id, c.title, c.label, c.roster_at)
        .where(c.silo_id == silo_id, c.course_id >= 0, active)
        .order_by(c.title, c.label, c.course_id)
    )
    return [
        (row.course_id, _named(row.title, row.label), row.roster_at is None) for row in conn.execute(query)
    ]


def presences(conn: Connection, silo_id: int, *, today: date) -> Presences:
    """Return the gatherings of the last year that have taken place, and those where nobody was marked."""
    i, c, r = t.outline_item.c, t.course.c, t.rollup_activity.c
    marked = exists().where(
        r.silo_id == silo_id,
        r.course_id == i.course_id,
        r.activity == i.iri,
        r.attended_at.is_not(None),
    )
    query = (
        select(i.course_id, i.title, i.opens_on, c.title.label("course"), c.label, marked.label("marked"))
        .select_from(t.outline_item.join(t.course, and_(c.silo_id == i.silo_id, c.course_id == i.course_id)))
        .where(
            i.silo_id == silo_id,
            i.level == "activity",
            i.gathering.is_not(None),
            i.opens_on < today,
            i.opens_on >= today - _PAST,
        )
        .order_by(i.opens_on.desc(), i.course_id, i.iri)
    )
    rows = conn.execute(query).all()
    return Presences(
        gatherings=len(rows),
        unmarked=tuple(
            (row.course_id, f"{_named(row.course, row.label)} – {row.title}")
            for row in rows
            if not row.marked
        ),
        last_on=next((row.opens_on for row in rows if row.marked), None),
    )


def _named(title: str | None, label: str | None) -> str:
    return " – ".join(part for part in (title, label) if part)
