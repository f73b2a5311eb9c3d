"""Derived tables kept fresh: pending buckets rolled up, everything made again from the statements.

A course is rolled up by one transaction at a time, which holds the row of `rollup_state`. What is pending
is taken (deleted) before events are read: an event committed later has a pending row of its own, so
that whatever the order of commits, the last refresh sees everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Engine, and_, delete, func, or_, select, update

from tool_config.database import insert, transaction
from tool_config.tables import silo
from xapi import answers, debriefs
from xapi.events import EVERYONE, OUTLINE, event_rows, queue, settle
from xapi.identity import CHUNK
from xapi.rollup.course import CourseRollup, Work
from xapi.sealed_tables import sealed_course
from xapi.tables import (
    course,
    event,
    outline_edit,
    outline_item,
    rollup_actor_day,
    rollup_pending,
    rollup_state,
    statement,
)

#: Buckets that the whole of a learner's days counts for, against the limit of a refresh.
_WHOLE_ACTOR = 30
#: Statements or events of one transaction of a rebuild.
_PAGE = 1000

Progress = Callable[[int, int], None]


def refresh(conn: Connection, silo_id: int, *, now: datetime, limit: int = 2000) -> int:
    """Roll up what is pending, about `limit` buckets; return how many were, 0 when nothing is pending.

    Every course waiting gets its share, so that a large import does not keep the others waiting.
    """
    done = _settle(conn, silo_id)
    if done:
        # It holds events of any course: a transaction that goes on to wait for the lock of one would wait
        # for another that holds it and wants those events.
        return done
    waiting = conn.scalars(
        select(rollup_pending.c.course_id)
        .where(rollup_pending.c.silo_id == silo_id, rollup_pending.c.course_id >= 0)
        .distinct()
        .order_by(rollup_pending.c.course_id)
    ).all()
    share = max(1, limit // max(1, len(waiting)))
    for key in waiting:
        done += _refresh_course(conn, silo_id, key, now, share)
        if done >= limit:
            break
    return done


def is_pending(conn: Connection, silo_id: int) -> bool:
    """Tell whether something of the silo waits to be rolled up."""
    query = select(rollup_pending.c.pending_id).where(rollup_pending.c.silo_id == silo_id).limit(1)
    return conn.execute(query).first() is not None


def _settle(conn: Connection, silo_id: int) -> int:
    """Move what was recorded under a name while it became an alias (pending without a course)."""
    where = (rollup_pending.c.silo_id == silo_id, rollup_pending.c.course_id == -silo_id)
    names = conn.scalars(delete(rollup_pending).where(*where).returning(rollup_pending.c.actor)).all()
    for name in sorted(set(names)):
        settle(conn, silo_id, name)
    return len(names)


def _refresh_course(conn: Connection, silo_id: int, course_id: int, now: datetime, share: int) -> int:
    _lock(conn, silo_id, course_id, now)
    if is_sealed(conn, silo_id, course_id):
        table = rollup_pending
        where = table.c.silo_id == silo_id, table.c.course_id == course_id
        return conn.execute(delete(table).where(*where)).rowcount
    work, taken = _take(conn, silo_id, course_id, share)
    if taken:
        CourseRollup(conn, silo_id, course_id, zone_of(conn, silo_id, course_id)).run(work)
        where = (rollup_state.c.silo_id == silo_id, rollup_state.c.course_id == course_id)
        conn.execute(
            update(rollup_state).where(*where).values(version=rollup_state.c.version + 1, refreshed_at=now)
        )
    return taken


def _lock(conn: Connection, silo_id: int, course_id: int, now: datetime) -> None:
    """Wait until no other transaction rolls this course up."""
    row = {"silo_id": silo_id, "course_id": course_id, "version": 0, "refreshed_at": now}
    conn.execute(insert(conn, rollup_state).on_conflict_do_nothing(), row)
    conn.execute(
        select(rollup_state.c.version)
        .where(rollup_state.c.silo_id == silo_id, rollup_state.c.course_id == course_id)
        .with_for_update()
    ).one()


def _take(conn: Connection, silo_id: int, course_id: int, share: int) -> tuple[Work, int]:
    """Take pending rows, about `share` buckets; return the work and how many buckets it is."""
    table = rollup_pending
    where = (table.c.silo_id == silo_id, table.c.course_id == course_id)
    everyone = conn.execute(select(table.c.pending_id).where(*where, table.c.actor == EVERYONE).limit(1))
    if everyone.first() is not None:
        # What was pending when this statement ran was committed: the events read next hold it.
        return Work(everyone=True), conn.execute(delete(table).where(*where)).rowcount
    rows = conn.execute(
        select(table.c.pending_id, table.c.actor, table.c.day)
        .where(*where)
        .order_by(table.c.actor, table.c.day)
        .limit(share * 4)
    ).all()
    work, ids, weight = Work(), [], 0
    for pending_id, actor, day in rows:
        if weight >= share and actor not in work.actors:
            break
        ids.append(pending_id)
        if actor == OUTLINE:
            work.outline = True
            weight += 1
            continue
        known = work.actors.get(actor, set())
        if known is not None and day not in known:
            weight += _WHOLE_ACTOR if day is None else 1
        work.add(actor, day)
    for start in range(0, len(ids), CHUNK):
        conn.execute(delete(table).where(*where, table.c.pending_id.in_(ids[start : start + CHUNK])))
    return work, len(ids)


def is_sealed(conn: Connection, silo_id: int, course_id: int) -> bool:
    """Tell whether the traces of a course were purged: what was drawn from them is not drawn again."""
    c = sealed_course.c
    query = select(c.course_id).where(c.silo_id == silo_id, c.course_id == course_id)
    return conn.execute(query).first() is not None


def courses_of(silo_id: int) -> Any:
    """Return SELECT the courses of a silo: keys of tables begin with the course."""
    return select(course.c.course_id).where(course.c.silo_id == silo_id)


def hold(conn: Connection, silo_id: int, course_ids: Iterable[int], *, now: datetime) -> None:
    """Wait until no other transaction rolls these courses up, and keep others from it until this one ends.

    Before anything of theirs is changed: the worker holds a course first, then its events.
    """
    for key in sorted(set(course_ids)):
        _lock(conn, silo_id, key, now)


def redraw(conn: Connection, silo_id: int, course_ids: Iterable[int], *, now: datetime) -> None:
    """Draw again, now, the facts, the outline and what of courses held is pending: events have gone."""
    for key in sorted(set(course_ids)):
        queue(conn, silo_id, [(key, OUTLINE, None)])
        while _refresh_course(conn, silo_id, key, now, _WHOLE_ACTOR * 10):
            pass


def zone_of(conn: Connection, silo_id: int, course_id: int) -> ZoneInfo:
    """Return the time zone of a course, else of its silo, else UTC."""
    query = (
        select(course.c.time_zone, silo.c.time_zone)
        .select_from(silo)
        .outerjoin(course, (course.c.silo_id == silo.c.silo_id) & (course.c.course_id == course_id))
        .where(silo.c.silo_id == silo_id)
    )
    for name in conn.execute(query).first() or ():
        found = _known_zone(name)
        if found is not None:
            return found
    return ZoneInfo("UTC")


def _known_zone(name: str | None) -> ZoneInfo | None:
    """Return the time zone of that name; None for the nonsense that platforms send ("99")."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def change_time_zone(conn: Connection, silo_id: int, course_id: int | None, time_zone: str | None) -> None:
    """Set the time zone of a course (None: that of the silo again), or of the silo, and queue every bucket.

    That of the silo is an administrator's: `conn` is then of `administration`. Raises ValueError on a
    name that is no time zone.
    """
    if (time_zone is not None or course_id is None) and _known_zone(time_zone) is None:
        raise ValueError(f"{time_zone!r} is not a time zone such as Europe/Paris")
    where = [course.c.silo_id == silo_id]
    if course_id is None:
        conn.execute(update(silo).where(silo.c.silo_id == silo_id).values(time_zone=time_zone))
        where.append(course.c.time_zone.is_(None))
    else:
        where.append(course.c.course_id == course_id)
        conn.execute(update(course).where(*where).values(time_zone=time_zone))
    keys = conn.scalars(select(course.c.course_id).where(*where).order_by(course.c.course_id)).all()
    queue(conn, silo_id, [(key, EVERYONE, None) for key in keys])


# --- everything again -----------------------------------------------------------------------------------


def rebuild(engine: Engine, silo_id: int, *, now: datetime, progress: Progress | None = None) -> int:
    """Make every derived table of a silo again from its statements; return how many statements were read.

    Safe while the server runs: short transactions for the events, one a course for the rest, so that no
    page sees an empty table. `progress(done, total)` counts statements.
    """
    done = 0
    with transaction(engine, silo_id, write=False) as conn:
        query = select(func.count()).select_from(statement).where(statement.c.silo_id == silo_id)
        total = conn.execute(query).scalar_one()
    last = ""
    while True:
        with transaction(engine, silo_id) as conn:
            last, read = _rewrite_events(conn, silo_id, last)
        if not read:
            break
        done += read
        if progress is not None:
            progress(min(done, total), total)
    after: tuple[int, str] | None = None
    while True:
        with transaction(engine, silo_id) as conn:
            after = _drop_orphans(conn, silo_id, after)
        if after is None:
            break
    with transaction(engine, silo_id) as conn:
        answers.rebuild(conn, silo_id)
        debriefs.rebuild(conn, silo_id)
    with transaction(engine, silo_id, write=False) as conn:
        keys = sorted(_courses(conn, silo_id))
    for key in keys:
        with transaction(engine, silo_id) as conn:
            queue(conn, silo_id, [(key, EVERYONE, None)])
            _refresh_course(conn, silo_id, key, now, 1)
    while True:
        with transaction(engine, silo_id) as conn:
            if not refresh(conn, silo_id, now=now):
                return done


def _rewrite_events(conn: Connection, silo_id: int, after: str) -> tuple[str, int]:
    """Write the events of the next page of statements; return the last id and how many were read."""
    columns = [statement.c[name] for name in ("id", "stored", "timestamp", "actor", "raw", "voided")]
    query = select(*columns).where(statement.c.silo_id == silo_id).order_by(statement.c.id).limit(_PAGE)
    if after:
        query = query.where(statement.c.id > after)
    page = [dict(row) for row in conn.execute(query).mappings()]
    if not page:
        return after, 0
    rows = event_rows(conn, silo_id, [row for row in page if not row["voided"]])
    if rows:
        stored = insert(conn, event)
        keys = ("silo_id", "course_id", "statement_id")
        conn.execute(
            stored.on_conflict_do_update(
                index_elements=keys,
                set_={c.name: getattr(stored.excluded, c.name) for c in event.columns if c.name not in keys},
            ),
            rows,
        )
    return str(page[-1]["id"]), len(page)


def _drop_orphans(conn: Connection, silo_id: int, after: tuple[int, str] | None) -> tuple[int, str] | None:
    """Delete, among the next page of events, those that their statement no longer gives there."""
    query = (
        select(
            event.c.course_id,
            event.c.statement_id,
            *(statement.c[name] for name in ("id", "stored", "timestamp", "actor", "raw", "voided")),
        )
        .outerjoin(
            statement,
            (statement.c.silo_id == event.c.silo_id) & (statement.c.id == event.c.statement_id),
        )
        .where(event.c.silo_id == silo_id)
        .order_by(event.c.course_id, event.c.statement_id)
        .limit(_PAGE)
    )
    if after is not None:
        key, statement_id = after
        same = and_(event.c.course_id == key, event.c.statement_id > statement_id)
        query = query.where(or_(event.c.course_id > key, same))
    page = [dict(row) for row in conn.execute(query).mappings()]
    if not page:
        return None
    alive = [row for row in page if row["id"] is not None and not row["voided"]]
    right = {(row["course_id"], row["statement_id"]) for row in event_rows(conn, silo_id, alive)}
    wrong = [(row["course_id"], row["statement_id"]) for row in page]
    wrong = [found for found in wrong if found not in right]
    for key, statement_id in wrong:
        conn.execute(
            delete(event).where(
                event.c.silo_id == silo_id, event.c.course_id == key, event.c.statement_id == statement_id
            )
        )
    return page[-1]["course_id"], page[-1]["statement_id"]


def _courses(conn: Connection, silo_id: int) -> set[int]:
    """Return every course that has, or had, something derived."""
    found: set[int] = set()
    for table in (event, rollup_actor_day, rollup_state, outline_edit, outline_item):
        found.update(conn.scalars(select(table.c.course_id).where(table.c.silo_id == silo_id).distinct()))
    return {key for key in found if key >= 0}
