"""What files say of sessions, told to the courses that they are: dates, path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, select, update

from lti_tool import paths
from tool_config.references import plain
from xapi import datasets, events
from xapi.dataset_tables import dataset_row
from xapi.path_tables import course_origin
from xapi.tables import course, path

KIND = "sessions"


def settle(conn: Connection, silo_id: int) -> Mapping[str, int]:
    """Give courses the dates and the path that the dataset of sessions has for them; return the notes.

    Rows whose session was not known before are looked at again. A path named by a file is made when there
    is none of that name; a session tied by hand or by its number keeps its path. Notes: dated, tied
    (courses changed), unknown_sessions (rows that name no course of the silo).
    """
    datasets.settle(conn, silo_id)
    d, c, o = dataset_row.c, course.c, course_origin.c
    rows = conn.execute(
        select(d.course_id, d.data, c.starts_on, c.ends_on, c.path_id, o.tied_by)
        .select_from(
            dataset_row.outerjoin(course, and_(c.silo_id == d.silo_id, c.course_id == d.course_id)).outerjoin(
                course_origin, and_(o.silo_id == d.silo_id, o.course_id == d.course_id)
            )
        )
        .where(d.silo_id == silo_id, d.kind == KIND)
        .order_by(d.row_key)
    ).all()
    notes = {"dated": 0, "tied": 0, "unknown_sessions": 0}
    titles = {
        plain(row.title): row.path_id
        for row in conn.execute(select(path.c.path_id, path.c.title).where(path.c.silo_id == silo_id))
    }
    for row in rows:
        if row.course_id is None:
            notes["unknown_sessions"] += 1
            continue
        notes["dated"] += _date(conn, silo_id, row)
        notes["tied"] += _tie(conn, silo_id, row, titles)
    return notes


def _date(conn: Connection, silo_id: int, row: Any) -> bool:
    said = {
        name: date.fromisoformat(row.data[name]) for name in ("starts_on", "ends_on") if row.data.get(name)
    }
    changed = {name: day for name, day in said.items() if getattr(row, name) != day}
    if not changed:
        return False
    where = course.c.silo_id == silo_id, course.c.course_id == row.course_id
    conn.execute(update(course).where(*where).values(**changed))
    # What a week is, and what is late, follows the session's dates.
    events.queue(conn, silo_id, [(row.course_id, events.OUTLINE, None)])
    return True


def _tie(conn: Connection, silo_id: int, row: Any, titles: dict[str, int]) -> bool:
    named = row.data.get("path")
    if not named or not plain(named) or row.tied_by in ("hand", "pattern"):
        return False
    path_id = titles.get(plain(named))
    if path_id is None:
        path_id = titles[plain(named)] = paths.create(conn, silo_id, named)
    if row.path_id == path_id:
        return False
    paths.tie_by_file(conn, silo_id, [row.course_id], path_id)
    return True
