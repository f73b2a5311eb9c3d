"""What a table of a file is: cells, rows, how it is read, and the faults that refuse it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

Cell = str | int | float | bool | date | datetime | time | timedelta | None

#: Largest table: beyond, the file is refused with a sentence.
MOST_COLUMNS = 500
MOST_ROWS = 500_000
MOST_CELLS = 5_000_000
#: Longest text of one cell, characters (a spreadsheet stops at 32,767).
LONGEST_CELL = 50_000

#: Code of a fault -> English sentence; pages have theirs in both languages.
SENTENCES = {
    "empty": "the file is empty",
    "encoding": "line {line}: the text is not in {encoding}",
    "not_a_table": "the file is not a table: give CSV, XLSX, ODS, JSON, or a zip of these",
    "old_excel": "a file of an old Excel (.xls, .xlsb): save it as .xlsx",
    "encrypted": "the file is protected by a password: save it without one",
    "macros": "the file holds macros: save it as .xlsx, which has none",
    "entities": "the file declares XML entities, which no spreadsheet does",
    "bomb": "the file would unfold to far more than its size",
    "damaged": "the file is damaged, or is not what its name says",
    "too_wide": "over {maximum} columns",
    "too_long": "over {maximum} rows: cut the file in several",
    "too_many_cells": "over {maximum} cells: cut the file in several",
    "long_cell": "line {line}: a cell is over {maximum} characters (a quotation mark left open?)",
    "no_header": "no line of headings was found",
    "no_sheet": "there is no sheet named {sheet}",
    "no_table": "the archive holds no table (CSV, XLSX, ODS, JSON)",
    "no_member": "the archive holds no file named {member}",
    "json_shape": "the JSON is not a list of objects",
    "several_reports": "the file holds several reports of different shapes: export them one at a time",
    "unknown_log": "a server's log in a form that is not read: give the common or combined form, W3C or JSON",
    "visits": "one line a visit, with what tells visitors apart: give totals, by page or by day",
    "json_text": "the JSON cannot be read, line {line}",
    "numen": "column {column}, line {line}: it holds NUMENs, which the tool never takes; remove the column",
}


class TableFault(Exception):  # noqa: N818 - a refusal, as those of the store
    """A file that cannot be read as a table; `code` is one of `SENTENCES`, `params` fill it in."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(SENTENCES[code].format(**params))
        self.code = code
        self.params = params

    @property
    def said(self) -> dict[str, str]:
        """Return the parameters as texts, to be kept as JSON."""
        return {name: str(value) for name, value in self.params.items()}


@dataclass(frozen=True)
class Reading:
    """How a file is read: detected, shown, corrected."""

    #: csv, xlsx, ods, json
    form: str
    #: Of the text of a CSV file.
    encoding: str = "utf-8"
    separator: str = ";"
    #: Rows are counted from 1, as a spreadsheet numbers them: that of the headings, the last one (0: to
    #: the end).
    header: int = 1
    last: int = 0
    sheet: str = ""
    #: File of an archive; empty: not an archive.
    member: str = ""
    #: Decimal mark of the texts, and the order of a day written with slashes: dmy, mdy.
    decimal: str = ","
    days: str = "dmy"


@dataclass(frozen=True)
class Row:
    """One row of a table; `line` is its number in the file."""

    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table opened for one reading, from its headings on."""

    header: tuple[str, ...]
    rows: Iterator[Row]


def text_of(cell: Cell) -> str:
    """Return a cell as a person would type it: whole numbers without decimals, ISO days, no control sign."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def clean(text: str) -> str:
    """Return a text trimmed, composed (NFC), without control characters nor lone surrogates."""
    if not text.isascii() or not text.isprintable():
        text = _known(text) if len(text) <= _SHORT else _composed(text)
    return text.strip()


def _composed(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(kept))


#: Short texts come back row after row: labels of a list, names of sessions.
_SHORT = 100
_known = lru_cache(maxsize=10_000)(_composed)


def is_blank(cells: Sequence[Cell]) -> bool:
    """Tell whether a row says nothing."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)
