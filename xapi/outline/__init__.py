"""The outline of a course: read, corrected by hand, planned gatherings added.

What the traces say of it is drawn by `xapi.outline.drawing`; files are read by `xapi.outline.tabular`.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from tool_config.database import insert
from xapi.events import OUTLINE, queue
from xapi.outline.drawing import Drawing, draw
from xapi.outline.items import GATHERINGS, KEEP, Edit, Item, Problem
from xapi.outline.tabular import HEADINGS, lines, read_csv
from xapi.tables import activity_fact, course, outline_edit, outline_item

__all__ = [
    "GATHERINGS",
    "HEADINGS",
    "KEEP",
    "Drawing",
    "Edit",
    "Item",
    "OutlineError",
    "Problem",
    "add_gathering",
    "check",
    "draw",
    "drawn",
    "edit",
    "lines",
    "read",
    "read_csv",
]

MAX_TITLE = 300
MAX_HOURS = 2000.0
MAX_POSITION = 10_000

#: Columns of outline_edit that an Edit may change.
_FIELDS = tuple(field.name for field in fields(Edit) if field.name not in ("iri", "line"))


class OutlineError(Exception):
    """Edits that cannot be applied; `problems` says which and why. Nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.code for problem in problems))
        self.problems = tuple(problems)


def drawn(conn: Connection, silo_id: int, course_id: int) -> Drawing:
    """Draw the outline of a course from what is stored now."""
    facts = conn.execute(
        select(activity_fact).where(
            activity_fact.c.silo_id == silo_id, activity_fact.c.course_id == course_id
        )
    ).all()
    return draw(facts, _edits(conn, silo_id, course_id).values())


def read(conn: Connection, silo_id: int, course_id: int, *, hidden: bool = False) -> list[Item]:
    """Return the outline in order, each module before its activities.

    `hidden`: for the editor, what is hidden too, drawn at once (edits not yet rolled up included).
    """
    if hidden:
        return list(drawn(conn, silo_id, course_id).items)
    rows = conn.execute(
        select(outline_item).where(outline_item.c.silo_id == silo_id, outline_item.c.course_id == course_id)
    ).all()
    names = [field.name for field in fields(Item) if field.name != "hidden"]
    items = [Item(**{name: getattr(row, name) for name in names}) for row in rows]
    ranks = {item.iri: item.position for item in items if item.level == "module"}
    return sorted(items, key=lambda i: (ranks.get(i.module, 0), i.level != "module", i.position, i.iri))


def _edits(conn: Connection, silo_id: int, course_id: int) -> dict[str, Any]:
    query = select(outline_edit).where(
        outline_edit.c.silo_id == silo_id, outline_edit.c.course_id == course_id
    )
    return {row.iri: row for row in conn.execute(query)}


def edit(
    conn: Connection, silo_id: int, course_id: int, edits: Sequence[Edit], *, by: str, now: datetime
) -> int:
    """Apply corrections to the outline and queue it; return how many items changed.

    A value equal to the one shown changes nothing, so that a form or a file sent back as it was given
    leaves the outline to follow the traces. Raises OutlineError, with nothing written.
    """
    items: dict[str, Item] = {}
    for item in read(conn, silo_id, course_id, hidden=True):
        items.setdefault(item.iri, item)
    kept = _edits(conn, silo_id, course_id)
    modules = {item.iri for item in items.values() if item.level == "module"}
    problems = check(edits, items, modules)
    rows = []
    for change in edits:
        if change.iri not in items:
            continue
        row = _merged(kept.get(change.iri), items[change.iri], change)
        if row is None:
            continue
        opens, closes = row["opens_on"], row["closes_on"]
        if opens is not None and closes is not None and closes < opens:
            problems.append(Problem("dates_order", change.iri, change.line, "closes_on"))
        rows.append({"silo_id": silo_id, "course_id": course_id, "iri": change.iri, **row})
    if problems:
        raise OutlineError(problems)
    _store(conn, rows, by, now)
    if rows:
        queue(conn, silo_id, [(course_id, OUTLINE, None)])
    return len(rows)


def check(edits: Sequence[Edit], items: Mapping[str, Item], modules: set[str]) -> list[Problem]:
    """Return what is wrong with edits taken one by one (dates are compared once merged)."""
    found: list[Problem] = []
    seen: set[str] = set()
    for change in edits:

        def fault(code: str, column: str = "", iri: str = change.iri, line: int | None = change.line) -> None:
            found.append(Problem(code, iri, line, column))

        if change.iri not in items:
            fault("unknown_iri", "iri")
            continue
        if change.iri in seen:
            fault("repeated_iri", "iri")
        seen.add(change.iri)
        if isinstance(change.module, str) and change.module not in modules:
            fault("unknown_module", "module")
        if isinstance(change.title, str) and not 0 < len(change.title.strip()) <= MAX_TITLE:
            fault("title_length", "title")
        if isinstance(change.position, int) and not 1 <= change.position <= MAX_POSITION:
            fault("position_range", "position")
        for column in ("hours_in_person", "hours_distance"):
            hours = getattr(change, column)
            if isinstance(hours, int | float) and not (math.isfinite(hours) and 0 <= hours <= MAX_HOURS):
                fault("hours_range", column)
    return found


def _merged(kept: Any, item: Item, change: Edit) -> dict[str, Any] | None:
    """Return the edit's row without its key, or None when nothing changes."""
    row = {name: getattr(kept, name) if kept is not None else None for name in _FIELDS}
    before = dict(row)
    for name in _FIELDS:
        value = getattr(change, name)
        if value is KEEP or (value is not None and value == getattr(item, name)):
            continue
        row[name] = value.strip() if isinstance(value, str) else value
    if row == before:
        return None
    gathering = kept.gathering if kept is not None else None
    return {**row, "level": kept.level if kept is not None else item.level, "gathering": gathering}


def _store(conn: Connection, rows: Sequence[Mapping[str, Any]], by: str, now: datetime) -> None:
    if not rows:
        return
    values = [{**row, "updated_at": now, "updated_by": by} for row in sorted(rows, key=lambda r: r["iri"])]
    stored = insert(conn, outline_edit)
    changed = [name for name in values[0] if name not in ("silo_id", "course_id", "iri")]
    conn.execute(
        stored.on_conflict_do_update(
            index_elements=["silo_id", "course_id", "iri"],
            set_={name: getattr(stored.excluded, name) for name in changed},
        ),
        values,
    )


def add_gathering(
    conn: Connection,
    silo_id: int,
    course_id: int,
    *,
    title: str,
    kind: str,
    day: date,
    module: str | None = None,
    hours: float | None = None,
    by: str,
    now: datetime,
) -> str:
    """Plan a gathering and return its IRI; the same one twice is one (a form sent twice).

    `hours` count in person, but those of a virtual class at a distance. Raises OutlineError on an
    unknown kind (`gathering_kind`), course (`unknown_course`), module, a title or hours out of range.
    """
    problems = []
    iri = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{silo_id}/{course_id}/{day}/{kind}/{title.strip()}')}"
    if kind not in GATHERINGS:
        problems.append(Problem("gathering_kind", iri, None, "gathering"))
    known = select(course.c.course_id).where(course.c.silo_id == silo_id, course.c.course_id == course_id)
    if conn.execute(known).first() is None:
        problems.append(Problem("unknown_course", iri))
    modules = {i.iri for i in read(conn, silo_id, course_id, hidden=True) if i.level == "module"}
    item = Item(iri, "activity", module or iri, title, 1, True)
    wanted = Edit(iri, module=module or None, title=title, hours_in_person=hours)
    problems += check([wanted], {iri: item}, modules)
    if problems:
        raise OutlineError(problems)
    row = {
        "silo_id": silo_id,
        "course_id": course_id,
        "iri": iri,
        "level": "activity",
        "module": module or None,
        "title": title.strip(),
        "position": None,
        "required": None,
        "hidden": None,
        "hours_in_person": None if kind == "virtual_class" else hours,
        "hours_distance": hours if kind == "virtual_class" else None,
        "opens_on": day,
        "closes_on": day,
        "gathering": kind,
    }
    _store(conn, [row], by, now)
    queue(conn, silo_id, [(course_id, OUTLINE, None)])
    return iri
