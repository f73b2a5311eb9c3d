"""Rows of datasets: written once, replaced when they change, read by those who cross them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from tool_config import standards
from tool_config.database import insert
from tool_config.references import plain
from tool_config.standards import Standard, StandardError
from xapi.dataset_tables import dataset_row, dataset_standard
from xapi.identity import CHUNK
from xapi.path_tables import course_origin, session_name
from xapi.sources.checking import Record
from xapi.tables import course

#: Standards that an institution may declare.
MOST_DECLARED = 100


@dataclass(frozen=True)
class Written:
    """What became of records that were right."""

    added: int = 0
    changed: int = 0
    same: int = 0


# --- standards ---------------------------------------------------------------------------------------------


def known(conn: Connection, silo_id: int) -> Mapping[str, Standard]:
    """Return every standard of a silo, by name: those that come with the tool, then those declared."""
    query = (
        select(dataset_standard.c.kind, dataset_standard.c.text)
        .where(dataset_standard.c.silo_id == silo_id)
        .order_by(dataset_standard.c.kind)
    )
    return {**standards.load(), **{kind: standards.parse(text) for kind, text in conn.execute(query)}}


def declare(conn: Connection, silo_id: int, text: str, *, now: datetime) -> Standard:
    """Add a standard of an institution's own, or replace it; raises StandardError.

    A new version may not change what names a row while rows are there.
    """
    made = standards.parse(text)
    if made.name in standards.load():
        raise StandardError(f"standard: {made.name!r} is a dataset of the tool: choose another name")
    if made.becomes != "rows":
        raise StandardError("becomes: a dataset of one's own becomes rows")
    before = known(conn, silo_id)
    if made.name in before:
        has_rows = count(conn, silo_id, made.name) > 0
        if has_rows and before[made.name].key != made.key:
            raise StandardError("key: rows are there already under another key")
    elif len(before) >= MOST_DECLARED:
        raise StandardError(f"over {MOST_DECLARED} datasets")
    row = {"silo_id": silo_id, "kind": made.name, "text": text, "updated_at": now}
    added = insert(conn, dataset_standard).values(row)
    conn.execute(
        added.on_conflict_do_update(
            index_elements=["silo_id", "kind"], set_={"text": text, "updated_at": now}
        )
    )
    return made


# --- rows --------------------------------------------------------------------------------------------------


def write(
    conn: Connection,
    silo_id: int,
    kind: str,
    records: Sequence[Record],
    *,
    file_id: str,
    courses: Mapping[str, int],
    now: datetime,
) -> Written:
    """Store the records of a file, each under its own key: new, changed, or the same as before.

    `courses`: what `courses_by_name` gave. No key is twice among `records`.
    """
    before = _before(conn, silo_id, kind, [record.key for record in records])
    rows, same = [], 0
    added = changed = 0
    for record in sorted(records, key=lambda one: one.key):
        found = None if record.session is None else courses.get(plain(record.session))
        stood = before.get(record.key)
        if stood == (record.digest, found):
            same += 1
            continue
        if stood is None:
            added += 1
        elif stood[0] == record.digest:
            same += 1
        else:
            changed += 1
        rows.append(_row(silo_id, kind, record, found, file_id, now))
    for start in range(0, len(rows), CHUNK):
        _put(conn, rows[start : start + CHUNK])
    return Written(added, changed, same)


def digests(conn: Connection, silo_id: int, kind: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the digests of those of some rows that are there."""
    return {key: digest for key, (digest, _) in _before(conn, silo_id, kind, keys).items()}


def _before(
    conn: Connection, silo_id: int, kind: str, keys: Sequence[str]
) -> dict[str, tuple[str, int | None]]:
    table = dataset_row.c
    found: dict[str, tuple[str, int | None]] = {}
    for start in range(0, len(keys), CHUNK):
        some = table.row_key.in_(keys[start : start + CHUNK])
        query = select(table.row_key, table.digest, table.course_id)
        for key, digest, course_id in conn.execute(
            query.where(table.silo_id == silo_id, table.kind == kind, some)
        ):
            found[key] = digest, course_id
    return found


def _row(
    silo_id: int, kind: str, record: Record, course_id: int | None, file_id: str, now: datetime
) -> dict[str, Any]:
    return {
        "silo_id": silo_id,
        "kind": kind,
        "row_key": record.key,
        "person_key": record.person_key,
        "session": record.session,
        "course_id": course_id,
        "valid_on": record.valid_on,
        "data": dict(record.data),
        "digest": record.digest,
        "file_id": file_id,
        "line": record.line,
        "updated_at": now,
    }


def _put(conn: Connection, rows: list[dict[str, Any]]) -> None:
    added = insert(conn, dataset_row)
    fixed = ("silo_id", "kind", "row_key")
    replaced = {
        column.name: added.excluded[column.name] for column in dataset_row.c if column.name not in fixed
    }
    conn.execute(added.on_conflict_do_update(index_elements=list(fixed), set_=replaced), rows)


def courses_by_name(conn: Connection, silo_id: int) -> dict[str, int]:
    """Return the courses of a silo by what files call them: title, label, idnumber, address, number.

    Names are as `references.plain` writes them; one that means two courses means none. What an administrator
    said of a name comes before all.
    """
    origin = course_origin.c
    query = (
        select(
            course.c.course_id,
            course.c.iri,
            course.c.title,
            course.c.label,
            course.c.context_id,
            origin.idnumber,
        )
        .select_from(
            course.outerjoin(
                course_origin,
                (origin.silo_id == course.c.silo_id) & (origin.course_id == course.c.course_id),
            )
        )
        .where(course.c.silo_id == silo_id, course.c.course_id >= 0)
    )
    found: dict[str, int] = {}
    ambiguous: set[str] = set()
    for row in conn.execute(query):
        number = re.search(r"[?&]id=(\d+)", row.iri)
        names = {row.iri, row.title, row.label, row.context_id, row.idnumber, number[1] if number else None}
        if row.title and row.label:
            names.add(f"{row.title} {row.label}")
        for name in {plain(name) for name in names if name}:
            if found.setdefault(name, row.course_id) != row.course_id:
                ambiguous.add(name)
    known = {name: course_id for name, course_id in found.items() if name not in ambiguous}
    by_hand = select(session_name.c.name, session_name.c.course_id).where(session_name.c.silo_id == silo_id)
    return known | {row.name: row.course_id for row in conn.execute(by_hand)}


def name_session(
    conn: Connection, silo_id: int, written: str, course_id: int | None, *, by: str, now: datetime
) -> int:
    """Say which course a name found in files means, None to undo it; return how many rows changed.

    LookupError when the silo has no such course, or no row with that name.
    """
    table, name = dataset_row, plain(written)
    spellings = [
        text
        for text in conn.scalars(
            select(table.c.session).where(table.c.silo_id == silo_id, table.c.session.is_not(None)).distinct()
        )
        if plain(text) == name
    ]
    if not spellings:
        raise LookupError(written)
    where = session_name.c.silo_id == silo_id, session_name.c.name == name
    if course_id is None:
        conn.execute(delete(session_name).where(*where))
        course_id = courses_by_name(conn, silo_id).get(name)
    else:
        known = select(course.c.course_id).where(course.c.silo_id == silo_id, course.c.course_id == course_id)
        if course_id < 0 or conn.scalar(known) is None:
            raise LookupError(course_id)
        said = {"written": written, "course_id": course_id, "made_by": by, "made_at": now}
        added = insert(conn, session_name).values(silo_id=silo_id, name=name, **said)
        conn.execute(added.on_conflict_do_update(index_elements=["silo_id", "name"], set_=said))
    changed = update(table).where(table.c.silo_id == silo_id, table.c.session.in_(spellings))
    return conn.execute(changed.values(course_id=course_id)).rowcount


@dataclass(frozen=True)
class SessionName:
    """A session as files write it: how many rows, and the course said by hand (None: no one said)."""

    written: str
    rows: int
    course_id: int | None = None


def session_names(conn: Connection, silo_id: int) -> tuple[SessionName, ...]:
    """Return the names of files that mean no course, most rows first, then those said by hand."""
    d, s = dataset_row.c, session_name.c
    query = (
        select(d.session, func.count())
        .where(d.silo_id == silo_id, d.session.is_not(None), d.course_id.is_(None))
        .group_by(d.session)
        .order_by(func.count().desc(), d.session)
    )
    left = [SessionName(text, count) for text, count in conn.execute(query)]
    said = conn.execute(
        select(s.written, s.course_id, func.count(d.row_key))
        .select_from(session_name.outerjoin(dataset_row, (d.silo_id == s.silo_id) & (d.session == s.written)))
        .where(s.silo_id == silo_id)
        .group_by(s.written, s.course_id)
        .order_by(s.written)
    )
    return (*left, *(SessionName(text, count, course_id) for text, course_id, count in said))


def settle(conn: Connection, silo_id: int) -> int:
    """Find the courses of rows whose session was not known when they came; return how many were found."""
    table = dataset_row
    where = table.c.silo_id == silo_id, table.c.session.is_not(None), table.c.course_id.is_(None)
    left = conn.scalars(select(table.c.session).where(*where).distinct()).all()
    courses = courses_by_name(conn, silo_id) if left else {}
    found = 0
    for session in left:
        course_id = courses.get(plain(session))
        if course_id is not None:
            changed = update(table).where(*where, table.c.session == session).values(course_id=course_id)
            found += conn.execute(changed).rowcount
    return found


def count(conn: Connection, silo_id: int, kind: str) -> int:
    """Return how many rows a dataset has."""
    query = select(func.count()).select_from(dataset_row)
    return int(
        conn.execute(query.where(dataset_row.c.silo_id == silo_id, dataset_row.c.kind == kind)).scalar_one()
    )


def total(conn: Connection, silo_id: int, file_id: str, name: str) -> int:
    """Return the sum of a measure over the rows that a file said last."""
    table = dataset_row.c
    value = func.coalesce(func.sum(table.data[name].as_integer()), 0)
    return int(conn.scalar(select(value).where(table.silo_id == silo_id, table.file_id == file_id)) or 0)


def counts(conn: Connection, silo_id: int) -> dict[str, tuple[int, datetime]]:
    """Return, for each dataset that has rows, how many and when the last one was written."""
    table = dataset_row.c
    query = (
        select(table.kind, func.count(), func.max(table.updated_at))
        .where(table.silo_id == silo_id)
        .group_by(table.kind)
    )
    return {kind: (number, at) for kind, number, at in conn.execute(query)}


def rows(conn: Connection, silo_id: int, kind: str, columns: Iterable[str] = ()) -> list[Any]:
    """Return the rows of a dataset in the order of their keys; all columns of the table, or some."""
    chosen = [dataset_row.c[name] for name in columns] or list(dataset_row.c)
    query = select(*chosen).where(dataset_row.c.silo_id == silo_id, dataset_row.c.kind == kind)
    return list(conn.execute(query.order_by(dataset_row.c.row_key)))


def stream(conn: Connection, silo_id: int, kind: str, columns: Iterable[str]) -> Iterator[Any]:
    """Yield the rows of a dataset in the order of their keys, a few thousand at a time in memory."""
    chosen = [dataset_row.c[name] for name in columns]
    query = select(*chosen).where(dataset_row.c.silo_id == silo_id, dataset_row.c.kind == kind)
    yield from conn.execute(query.order_by(dataset_row.c.row_key), execution_options={"yield_per": 5000})


def forget(conn: Connection, silo_id: int, *, file_id: str | None = None, kind: str | None = None) -> int:
    """Delete the rows of a dataset, or those that a file said last; return how many."""
    wanted = [dataset_row.c.silo_id == silo_id]
    if kind is not None:
        wanted.append(dataset_row.c.kind == kind)
    if file_id is not None:
        wanted.append(dataset_row.c.file_id == file_id)
    if len(wanted) == 1:
        raise ValueError("name a dataset or a file")
    return conn.execute(delete(dataset_row).where(*wanted)).rowcount
