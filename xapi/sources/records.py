"""Tables written as JSON: a list of objects, an object that holds one, or one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from xapi.sources.cells import MOST_COLUMNS, MOST_ROWS, Cell, Row, TableFault

#: Largest JSON file: it is read whole.
LONGEST = 60_000_000


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
    if isinstance(value, dict):
        inside = [item for item in value.values() if _is_table(item)]
        value = inside[0] if inside else [value]
    if not _is_table(value):
        raise TableFault("json_shape")
    if len(value) > MOST_ROWS:
        raise TableFault("too_long", maximum=MOST_ROWS)
    return value  # type: ignore[no-any-return]


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
