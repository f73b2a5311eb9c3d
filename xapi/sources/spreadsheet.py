"""Spreadsheets (XLSX, ODS): looked through for what would harm, then read by calamine, values only.

calamine lays a sheet out whole, from its first cell to its last, and writes each shared text as many times as
it is used: how far the cells go and how much text they hold is therefore counted first, in one streamed pass.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from xapi.sources.archive import opened
from xapi.sources.cells import LONGEST_CELL, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, Reading, Row, TableFault

#: Text of all the cells of a sheet together, characters.
MOST_TEXT = 200_000_000
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_BLOCK = 1 << 20


def sheets(path: Path, form: str) -> list[str]:
    """Return the names of the sheets of a workbook that is safe to open; raises TableFault."""
    with opened(path) as archive:
        _look_through(archive, form)
    with _workbook(path) as book:
        return list(book.sheet_names)


def rows(path: Path, reading: Reading, *, checked: bool = False) -> Iterator[Row]:
    """Yield the rows of a sheet, blank ones included; raises TableFault.

    `checked`: the same file was just looked through by `sheets`.
    """
    if not checked:
        with opened(path) as archive:
            _look_through(archive, reading.form)
    with _workbook(path) as book:
        names = list(book.sheet_names)
        if not names:
            raise TableFault("empty")
        name = reading.sheet or names[0]
        if name not in names:
            raise TableFault("no_sheet", sheet=name)
        try:
            sheet = book.get_sheet_by_name(name)
            if sheet.width > MOST_COLUMNS:
                raise TableFault("too_wide", maximum=MOST_COLUMNS)
            # Rows come from the very first one, cells from the first column that says something.
            margin = (None,) * (sheet.start or (0, 0))[1]
            for rank, cells in enumerate(sheet.iter_rows(), 1):
                yield Row(rank, (*margin, *cells))
        except CalamineError as error:
            raise TableFault("damaged") from error


def _workbook(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except (CalamineError, OSError, ValueError) as error:
        raise TableFault("damaged") from error


# --- what would harm ---------------------------------------------------------------------------------------


def _look_through(archive: zipfile.ZipFile, form: str) -> None:
    """Refuse macros, passwords, entities, and sheets too large to be laid out."""
    names = archive.namelist()
    if any(name.lower().endswith(("vbaproject.bin", ".bas")) or "macrosheets/" in name for name in names):
        raise TableFault("macros")
    if form == "ods":
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise TableFault("encrypted")
        if any(name.startswith("Basic/") and name.endswith(".xml") for name in names):
            raise TableFault("macros")
        _parse(archive, "content.xml", _Content())
        return
    if "xl/workbook.bin" in names:
        raise TableFault("old_excel")
    if "[Content_Types].xml" in names and b"macroEnabled" in archive.read("[Content_Types].xml"):
        raise TableFault("macros")
    shared = _Shared()
    for name in names:
        if name.lower().endswith("sharedstrings.xml"):
            _parse(archive, name, shared)
    for name in names:
        if name.endswith((".xml", ".rels")) and not name.lower().endswith("sharedstrings.xml"):
            is_sheet = "worksheets/" in name and not name.endswith(".rels")
            _parse(archive, name, _Sheet(shared.lengths) if is_sheet else _Nothing())


class _Nothing:
    """Listens to nothing: the part is only checked to be XML without entities."""

    start: Callable[[str, dict[str, str]], None] | None = None
    end: Callable[[str], None] | None = None
    text: Callable[[str], None] | None = None

    def close(self) -> None:
        """Say nothing."""


def _parse(archive: zipfile.ZipFile, name: str, listener: Any) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_entities
    if listener.start:
        parser.StartElementHandler = listener.start
        parser.EndElementHandler = listener.end
        parser.CharacterDataHandler = listener.text
    try:
        with archive.open(name) as source:
            while block := source.read(_BLOCK):
                parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, KeyError) as error:
        raise TableFault("damaged") from error
    listener.close()


def _refuse_entities(*_: Any) -> None:
    raise TableFault("entities")


class _Shared(_Nothing):
    """Counts the length of each shared text of a workbook."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag.endswith(" si") or tag == "si":
            self.lengths.append(0)

    def end(self, _tag: str) -> None:
        """Nothing ends."""

    def text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)
            if self.lengths[-1] > LONGEST_CELL:
                raise TableFault("long_cell", line="?", maximum=LONGEST_CELL)


class _Bounds(_Nothing):
    """How far the cells of a sheet go."""

    def __init__(self) -> None:
        self.top, self.left = MOST_ROWS * 10, MOST_COLUMNS * 100
        self.bottom = self.right = -1
        self.length = 0

    def reach(self, row: int, column: int, length: int) -> None:
        self.top, self.bottom = min(self.top, row), max(self.bottom, row)
        self.left, self.right = min(self.left, column), max(self.right, column)
        self.length += length
        self.check()

    def check(self) -> None:
        wide, long = self.right - self.left + 1, self.bottom - self.top + 1
        if self.right >= MOST_COLUMNS:
            raise TableFault("too_wide", maximum=MOST_COLUMNS)
        if self.bottom >= MOST_ROWS:
            raise TableFault("too_long", maximum=MOST_ROWS)
        if wide * long > MOST_CELLS:
            raise TableFault("too_many_cells", maximum=MOST_CELLS)
        if self.length > MOST_TEXT:
            raise TableFault("bomb")


class _Sheet(_Bounds):
    """Follows the cells of a sheet of XLSX."""

    def __init__(self, shared: list[int]) -> None:
        super().__init__()
        self._shared = shared
        self._row = self._column = -1
        self._is_shared = False
        self._value: list[str] = []
        self._length = 0
        self._cells = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        if kind == "row":
            said = attributes.get("r", "")
            self._row = int(said) - 1 if said.isdigit() and len(said) < 9 else self._row + 1
            self._column = -1
        elif kind == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            if place:
                self._row, self._column = int(place[2]) - 1, _column(place[1])
            elif attributes.get("r"):
                raise TableFault("damaged")
            else:
                self._column += 1
            self._is_shared, self._length = attributes.get("t") == "s", 0
            self._value.clear()
            self._cells += 1
            if self._cells > 2 * MOST_CELLS:
                raise TableFault("too_many_cells", maximum=MOST_CELLS)

    def text(self, text: str) -> None:
        self._length += len(text)
        if self._length > 2 * LONGEST_CELL:
            raise TableFault("long_cell", line=self._row + 1, maximum=LONGEST_CELL)
        if self._is_shared and self._length < 12:
            self._value.append(text)

    def end(self, tag: str) -> None:
        if tag.rpartition(" ")[2] != "c" or not self._length:
            return
        length, said = self._length, "".join(self._value).strip()
        if self._is_shared and said.isdigit():
            rank = int(said)
            length += self._shared[rank] if rank < len(self._shared) else 0
        self.reach(max(self._row, 0), self._column, length)


def _column(letters: str) -> int:
    """Return the number of a column, from 0."""
    rank = 0
    for letter in letters:
        rank = 26 * rank + ord(letter) - 64
    return rank - 1


class _Content(_Bounds):
    """Follows the cells of the sheets of an ODS, whose runs of equal cells are written once."""

    def __init__(self) -> None:
        super().__init__()
        self._row = self._rows = 0
        self._column = self._columns = 0
        self._filled = False
        self._length = 0
        self._last = -1
        self._row_length = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        if kind == "table":
            self.__init__()  # type: ignore[misc]
        elif kind == "table-row":
            self._rows = _repeated(attributes, "number-rows-repeated")
            self._column, self._last, self._row_length = 0, -1, 0
        elif kind in ("table-cell", "covered-table-cell"):
            self._columns = _repeated(attributes, "number-columns-repeated")
            self._filled = any(name.endswith((" value-type", " formula")) for name in attributes)
            self._length = 0

    def text(self, text: str) -> None:
        if text.strip():
            self._filled = True
        self._length += len(text)
        if self._length > 2 * LONGEST_CELL:
            raise TableFault("long_cell", line=self._row + 1, maximum=LONGEST_CELL)

    def end(self, tag: str) -> None:
        kind = tag.rpartition(" ")[2]
        if kind in ("table-cell", "covered-table-cell"):
            self._column += self._columns
            if self._filled:
                self._last = self._column - 1
                self._row_length += self._length * self._columns
                if self._last >= MOST_COLUMNS:
                    raise TableFault("too_wide", maximum=MOST_COLUMNS)
            self._filled = False
        elif kind == "table-row":
            self._row += self._rows
            if self._last >= 0:
                self.reach(self._row - 1, self._last, self._row_length * self._rows)
                self.reach(self._row - self._rows, 0, 0)


def _repeated(attributes: dict[str, str], name: str) -> int:
    for key, value in attributes.items():
        if key.endswith(name):
            return max(int(value), 1) if value.isdigit() and len(value) < 9 else 10**9
    return 1
