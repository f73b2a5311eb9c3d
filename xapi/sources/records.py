"""Tables written as JSON: a list of objects, an object that holds one, or one object a line.

Also what audience tools answer for several days: an object whose names are days or periods, each with its
figures or its list; the day becomes the column `date`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from xapi.sources.cells import MOST_COLUMNS, MOST_ROWS, Cell, Row, TableFault

#: Largest JSON file: it is read whole.
LONGEST = 60_000_000
#: Plain members that an object which holds a list may have beside it (a count, a page, a date…).
_MOST_BESIDE = 10
#: A day, a month, a year, or two days: what figures of several periods are filed under.
_PERIOD = re.compile(r"\d{4}(-\d\d(-\d\d)?)?|\d{4}-\d\d-\d\d,\d{4}-\d\d-\d\d")


def rows(path: Path) -> Iterator[Row]:
    """Yield the names of the members as line 1, then one row an object; raises TableFault."""
    found = _objects(path)
    names: dict[str, int] = {}
    for item in found:
        for name in item:
            names.setdefault(name, len(names))
        if len(names) > MOST_COLUMNS:
            raise TableFault("too_wide", maximum=MOST_COLUMNS)
    if not names:
        raise TableFault("empty")
    yield Row(1, tuple(names))
    for rank, item in enumerate(found, 2):
        yield Row(rank, tuple(_cell(item.get(name)) for name in names))


def _objects(path: Path) -> list[dict[str, Any]]:
    if path.stat().st_size > LONGEST:
        raise TableFault("bomb")
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise TableFault("empty")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _by_line(text)
    if isinstance(value, dict) and value and all(map(_PERIOD.fullmatch, value)):
        value = _dated(value)
    if isinstance(value, list) and any(_is_report(item) for item in value):
        raise TableFault("several_reports")
    if isinstance(value, dict):
        # Many plain members: it is one thing itself, and the lists in it are details.
        one = sum(not isinstance(item, list | dict) for item in value.values()) > _MOST_BESIDE
        inside = [] if one else [item for item in value.values() if _is_table(item)]
        value = inside[0] if inside else [value]
    if not _is_table(value):
        raise TableFault("json_shape")
    if len(value) > MOST_ROWS:
        raise TableFault("too_long", maximum=MOST_ROWS)
    return value  # type: ignore[no-any-return]


def _dated(value: dict[str, Any]) -> list[Any]:
    """Return the figures of each day or period as objects of one list."""
    found = []
    for day, said in value.items():
        items = said if isinstance(said, list) else [said]
        found += [{"date": day, **item} if isinstance(item, dict) else item for item in items]
    return found


def _is_report(item: Any) -> bool:
    """Tell whether an item of a list is a report by itself: a list, or figures by day."""
    if isinstance(item, dict):
        return bool(item) and all(map(_PERIOD.fullmatch, item))
    return isinstance(item, list) and bool(item) and all(isinstance(one, dict) for one in item)


def _by_line(text: bytes) -> list[Any]:
    found = []
    for line, item in enumerate(text.splitlines(), 1):
        if item.strip():
            try:
                found.append(orjson.loads(item))
            except orjson.JSONDecodeError:
                raise TableFault("json_text", line=line) from None
    return found


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _cell(value: Any) -> Cell:
    if isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, dict | list) for v in value)
    ):
        return orjson.dumps(value).decode()
    if isinstance(value, list):
        return "; ".join("" if item is None else str(item) for item in value)
    return value  # type: ignore[no-any-return]
