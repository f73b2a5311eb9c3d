"""A path of three sessions with people on their ways, written where the worker writes what it draws."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from tests.factories import opened
from tool_config.database import insert, transaction
from xapi import tables as t

PATH, TITLE = 12, "Piloter un établissement"
MODULES = ("Se situer", "Conduire un diagnostic", "Animer une équipe", "Rendre compte")
#: First day of each session; the last one still runs on 21 November 2026.
STARTS = (date(2024, 9, 2), date(2025, 9, 1), date(2026, 10, 12))


def way(modules: Sequence[int], finished: bool, count: int) -> list[tuple[Sequence[int], bool]]:
    return [(modules, finished)] * count


#: Modules entered and whether the path was finished, of the people of each session.
PEOPLE = (
    way((0, 1, 2, 3), True, 30) + way((0, 1), False, 20) + way((1, 0, 2, 3), True, 15) + way((), False, 12),
    way((0, 1, 2, 3), True, 40) + way((0, 1), False, 14) + way((1, 0, 2, 3), True, 14) + way((), False, 12),
    way((0, 1, 2), False, 25) + way((1, 0), False, 13),
)


def build(engine: Engine, silo: int) -> list[int]:
    """Write the path; people p0, p1… in the order of `PEOPLE`. Return its courses."""
    courses = []
    first = 0
    with transaction(engine, silo) as conn:
        conn.execute(insert(conn, t.path).values(silo_id=silo, path_id=PATH, title=TITLE))
    for rank, (starts, people) in enumerate(zip(STARTS, PEOPLE, strict=True)):
        course = opened.add_course(engine, silo, 50 + rank, f"{TITLE} {starts.year}")
        courses.append(course)
        said: dict[str, list[dict[str, Any]]] = {"actor": [], "module": []}
        for place, (modules, finished) in enumerate(people):
            who = {"silo_id": silo, "course_id": course, "actor": opened.actor(f"p{first + place}")}
            entered = [_at(starts, 7 * step + 1) for step in range(len(modules))]
            said["actor"].append(who | _actor(starts, entered, finished))
            # The first ones of all came back to their first module once they had begun the second.
            back = modules[:1] if first + place < 20 else ()
            said["module"] += [
                who | _entry(course, module, at, finished, module in back)
                for module, at in zip(modules, entered, strict=True)
            ]
        first += len(people)
        with transaction(engine, silo) as conn:
            ends = starts + timedelta(days=200)
            values = {"path_id": PATH, "starts_on": starts, "ends_on": ends}
            conn.execute(t.course.update().where(t.course.c.course_id == course).values(values))
            conn.execute(
                insert(conn, t.outline_item),
                _outline(silo, course, f"{TITLE} {starts.year} " if rank == 0 else ""),
            )
            conn.execute(insert(conn, t.rollup_actor), said["actor"])
            conn.execute(insert(conn, t.rollup_module), said["module"])
            state = {"silo_id": silo, "course_id": course, "version": 1, "refreshed_at": opened.NOW}
            known = {column.name for column in t.rollup_state.columns}
            conn.execute(insert(conn, t.rollup_state), {k: v for k, v in state.items() if k in known})
    return courses


def _at(starts: date, days: int) -> datetime:
    return datetime.combine(starts + timedelta(days=days), datetime.min.time(), UTC) + timedelta(hours=10)


def _iri(course: int, module: int) -> str:
    return f"https://campus.test/{course}/section/{module}"


def _outline(silo: int, course: int, before: str) -> list[dict[str, Any]]:
    """Return the outline; `before`: what a platform may put before the titles of its sections."""
    rows = []
    # A forum open all the time: optional, so that it is no step.
    for module, title in enumerate((*MODULES, "Forum")):
        shared = {
            "silo_id": silo,
            "course_id": course,
            "module": _iri(course, module),
            "required": module < 4,
        }
        rows.append(
            {
                **shared,
                "iri": _iri(course, module),
                "level": "module",
                "title": before + title,
                "position": module + 1,
            }
        )
        page = {"iri": f"{_iri(course, module)}/page", "level": "activity", "title": "Page", "position": 1}
        rows.append({**shared, **page})
    return rows


def _actor(starts: date, entered: Sequence[datetime], finished: bool) -> dict[str, Any]:
    zero = dict.fromkeys(("seconds_10", "seconds_30", "seconds_60"), 60)
    return {
        **zero, "events": len(entered), "days": len(entered), "attended": 0,
        "first_at": entered[0] if entered else None, "last_at": entered[-1] if entered else None,
        "enrolled_at": _at(starts, -5),
        "completed_at": entered[-1] if finished else None,
    }  # fmt: skip


def _entry(course: int, module: int, at: datetime, finished: bool, back: bool) -> dict[str, Any]:
    zero = dict.fromkeys(("seconds_10", "seconds_30", "seconds_60"), 60)
    last = at + timedelta(days=20) if back else at
    return {
        **zero, "module": _iri(course, module), "first_at": at, "last_at": last, "progress_at": at,
        "done": int(finished), "required": 1, "completed_at": at if finished else None, "score": None,
    }  # fmt: skip
