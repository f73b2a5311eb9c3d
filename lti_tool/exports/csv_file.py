"""CSV as French spreadsheets open it: UTF-8 with its mark, `;`, decimal comma, no formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from lti_tool.exports.tables import Table, Written

#: A text that begins so would be run as a formula, or was already kept from it by an apostrophe.
_FORMULA = re.compile(r"'*[ \ufeff]*[=+\-@\t\r\n|]")


def content(table: Table) -> bytes:
    """Return a table as a file; where rows were left out, the last line says so."""
    rows: list[Sequence[Written]] = list(table.written())
    if table.left_out:
        rows.append([table.left_out])
    return write(table.headings, rows)


def write(header: Sequence[str], rows: Iterable[Sequence[Written]], *, decimal: str = ",") -> bytes:
    """Return the file's bytes; texts that a spreadsheet would run are kept as text by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([guarded(title) for title in header])
    for row in rows:
        writer.writerow([_cell(cell, decimal) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Written, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        plain = f"{value:.6f}".rstrip("0").rstrip(".")
        return "0" if plain == "-0" else plain.replace(".", decimal)
    return str(value) if isinstance(value, int) else guarded(value)


def guarded(value: str) -> str:
    """Return a text that a spreadsheet takes for a text: one more apostrophe, which reading takes away."""
    return f"'{value}" if _FORMULA.match(value) else value
