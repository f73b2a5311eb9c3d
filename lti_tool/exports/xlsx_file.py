"""XLSX: typed cells under a heading that stays, then a sheet that says what is counted and how."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from lti_tool.exports.tables import Table, Written
from lti_tool.language import gettext

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Signs that one cell may hold (Excel specifications and limits); rows of one sheet.
MOST_SIGNS, MOST_ROWS = 32_767, 1_048_576
#: Widths of columns, in signs.
_NARROW, _WIDE = 9, 60
#: Rows after which widths are no longer looked at.
_LOOKED_AT = 2000


def content(
    tables: Sequence[Table], about: Sequence[tuple[str, Written]], *, title: str, made_at: datetime
) -> bytes:
    """Return a workbook: a sheet a table, then (first, where there are several) the sheet `about`.

    `about` says what the tables rest on; the notes of each table follow. Rows go to the disk one after the
    other, so that memory does not grow with them. Texts are texts whatever they begin with.
    """
    out = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": title, "author": "Estime", "created": made_at.replace(tzinfo=None)})
        formats = _Formats(book)
        # What is counted comes after one table, before several.
        order: list[Table | None] = [None, *tables] if len(tables) > 1 else [*tables, None]
        names = _sheet_names([gettext("À lire") if one is None else _sheet_name(one) for one in order])
        sheets = [(book.add_worksheet(name), one) for name, one in zip(names, order, strict=True)]
        cut = [sheet.get_name() for sheet, one in sheets if one is not None and _fill(sheet, one, formats)]
        _explain(next(sheet for sheet, one in sheets if one is None), tables, about, cut, formats)
    return out.getvalue()


class _Formats:
    """How cells look."""

    def __init__(self, book: Any) -> None:
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.whole = book.add_format({"num_format": "#,##0"})
        self.decimal = book.add_format({"num_format": "#,##0.0###"})
        self.day = book.add_format({"num_format": "dd/mm/yyyy", "align": "right"})
        self.instant = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss", "align": "right"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.strong = book.add_format({"bold": True, "valign": "top", "text_wrap": True})


def _fill(sheet: Any, table: Table, formats: _Formats) -> bool:
    """Write a table into its sheet; say whether a text was too long for a cell; ValueError: too many rows."""
    if len(table.rows) > MOST_ROWS - 2:
        raise ValueError(f"{table.name}: {len(table.rows)} rows in one sheet")
    widths = [len(heading) for heading in table.headings]
    cut = False
    for rank, heading in enumerate(table.headings):
        sheet.write_string(0, rank, heading, formats.head)
    line = 0
    for line, row in enumerate(table.written(), 1):
        for rank, cell in enumerate(row):
            cut |= _write(sheet, line, rank, cell, formats)
            if line <= _LOOKED_AT and cell is not None:
                widths[rank] = max(widths[rank], len(str(cell)))
    if table.left_out:
        sheet.write_string(line + 1, 0, table.left_out)
    for rank, width in enumerate(widths):
        sheet.set_column(rank, rank, min(max(width + 2, _NARROW), _WIDE))
    sheet.freeze_panes(1, 0)
    if line:
        sheet.autofilter(0, 0, line, len(widths) - 1)
    return cut


def _write(sheet: Any, line: int, rank: int, cell: Written, formats: _Formats) -> bool:
    """Write one cell by its type; say whether a text was too long for it."""
    if cell is None:
        return False
    if isinstance(cell, datetime):
        sheet.write_datetime(line, rank, cell.replace(tzinfo=None, microsecond=0), formats.instant)
    elif isinstance(cell, date):
        sheet.write_datetime(line, rank, cell, formats.day)
    elif isinstance(cell, int):
        sheet.write_number(line, rank, cell, formats.whole)
    elif isinstance(cell, float):
        sheet.write_number(line, rank, cell, formats.whole if cell.is_integer() else formats.decimal)
    else:
        text = _legal(cell)
        sheet.write_string(line, rank, text[:MOST_SIGNS])
        return len(text) > MOST_SIGNS
    return False


#: Signs that XML 1.0 cannot hold (2.2): control signs, halves of pairs.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)


def _explain(
    sheet: Any,
    tables: Sequence[Table],
    about: Sequence[tuple[str, Written]],
    cut: Sequence[str],
    formats: _Formats,
) -> None:
    """Write what the tables rest on, then the notes of each."""
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 100)
    lines: list[tuple[str, Written]] = list(about)
    for table in tables:
        lines += [("", None), (table.title, None)] if len(tables) > 1 else []
        lines.append((gettext("Lignes"), len(table.rows)))
        lines += [(gettext("Lignes laissées de côté"), table.left_out)] if table.left_out else []
        lines += list(table.notes)
    lines += [
        (gettext("Texte coupé"), gettext("Feuille « %(sheet)s » : une cellule était trop longue pour un "
         "classeur ; le fichier CSV a le texte entier.", sheet=name))
        for name in cut
    ]  # fmt: skip
    for line, (word, said) in enumerate(lines):
        if word:
            sheet.write_string(line, 0, _legal(word), formats.strong)
        if isinstance(said, str):
            sheet.write_string(line, 1, _legal(said)[:MOST_SIGNS], formats.wrapped)
        else:
            _write(sheet, line, 1, said, formats)


def _sheet_name(table: Table) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", table.title).strip("' ")


def _sheet_names(wanted: Sequence[str]) -> list[str]:
    """Return names that Excel accepts: 31 signs at most, no two the same whatever the capitals."""
    found: list[str] = []
    for name in wanted:
        short, rank = _legal(name)[:31].strip("' ") or "-", 2
        while short.casefold() in {one.casefold() for one in found}:
            short = f"{name[: 31 - len(str(rank)) - 1].strip()} {rank}"
            rank += 1
        found.append(short)
    return found
