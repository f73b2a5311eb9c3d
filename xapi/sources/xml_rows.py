"""Tables written as XML by audience tools: a `result` of `row`s, each with its figures as elements.

Matomo's API: `<result><row><label>…</label><nb_visits>…</nb_visits></row></result>`; for several periods
`<results><result date="2026-11-03">…`, whose date becomes the column `date`. What a row holds deeper
(goals, subtables) is left out. Entities and document types are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from xapi.sources.cells import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Reading, Row, TableFault

NAME = "xml"
#: Largest file, bytes: its rows are held whole.
LONGEST = 60_000_000


def tells(start: bytes) -> bool:
    """Tell such a file from its first bytes."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith((b"<?xml", b"<result")) and b"<result" in text


def rows(path: Path, _reading: Reading) -> Iterator[Row]:
    """Yield the names of the elements as line 1, then one row an element `row`; raises TableFault."""
    if path.stat().st_size > LONGEST:
        raise TableFault("bomb")
    found = _found(path)
    names: dict[str, int] = {}
    for item in found:
        for name in item:
            names.setdefault(name, len(names))
    if not names:
        raise TableFault("empty")
    if len(names) > MOST_COLUMNS:
        raise TableFault("too_wide", maximum=MOST_COLUMNS)
    yield Row(1, tuple(names))
    for rank, item in enumerate(found, 2):
        yield Row(rank, tuple(item.get(name) for name in names))


def _found(path: Path) -> list[dict[str, str]]:
    listener = _Listener()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = listener.start
    parser.EndElementHandler = listener.end
    parser.CharacterDataHandler = listener.text
    try:
        with path.open("rb") as source:
            parser.ParseFile(source)
    except expat.ExpatError:
        raise TableFault("damaged") from None
    if listener.plain and not listener.rows:
        listener.rows.append(listener.plain)
    return listener.rows


def _refuse(*_: Any) -> None:
    raise TableFault("entities")


class _Listener:
    """Gathers the elements of each `row` of a `result`."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        #: Elements of a `result` without rows: one line of figures.
        self.plain: dict[str, str] = {}
        self._path: list[str] = []
        self._date = ""
        self._row: dict[str, str] | None = None
        #: Depth of the elements that are cells: just under the `row`, or the `result`.
        self._cells = 0
        self._said: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        self._path.append(name)
        self._said = []
        if name == "result" and len(self._path) <= 2:
            self._date = attributes.get("date", attributes.get("defaultDate", ""))
            self._cells = len(self._path) + 1
        elif name == "row" and self._row is None and self._path[-2:-1] == ["result"]:
            if len(self.rows) >= MOST_ROWS:
                raise TableFault("too_long", maximum=MOST_ROWS)
            self._row = {"date": self._date} if self._date else {}
            self._cells = len(self._path) + 1
        elif self._row is not None and len(self._path) > self._cells:
            self._row.pop(self._path[self._cells - 1], None)

    def text(self, said: str) -> None:
        """Take in a text."""
        if sum(map(len, self._said)) + len(said) > LONGEST_CELL:
            raise TableFault("long_cell", line=len(self.rows) + 1, maximum=LONGEST_CELL)
        self._said.append(said)

    def end(self, name: str) -> None:
        """Leave an element: a row is whole, or a cell is."""
        depth = len(self._path)
        self._path.pop()
        said, self._said = "".join(self._said).strip(), []
        if name == "row" and self._row is not None and depth == self._cells - 1:
            self.rows.append(self._row)
            self._row = None
            self._cells = depth
        elif depth == self._cells and said and name != "row":
            (self.plain if self._row is None else self._row).setdefault(name, said)
        elif name == "result" and depth == self._cells - 1 and self.plain:
            self.rows.append({"date": self._date, **self.plain} if self._date else self.plain)
            self.plain = {}
