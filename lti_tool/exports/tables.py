"""A table as it leaves: columns, rows, what it counts and how, and what was left out of it, if anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from lti_tool.language import gettext

#: What a cell may hold; a `date` is a day, a `datetime` an instant of the table's own time zone.
Cell = str | int | float | bool | date | datetime | None
#: What files hold: yes and no are words, numbers are rounded.
Written = str | int | float | date | datetime | None


@dataclass(frozen=True)
class Column:
    """A column: its title, how many decimals its numbers keep.

    ``percent``: its numbers are shares of 1, written from 0 to 100 under a title that says so.
    """

    title: str
    digits: int = 2
    percent: bool = False

    @property
    def heading(self) -> str:
        return gettext("%(title)s (%%)", title=self.title) if self.percent else self.title


#: A text is a plain column of that title.
Columns = Sequence[Column | str]


@dataclass(frozen=True)
class Table:
    """A table of a page or of a document; every figure in it has passed the guard already."""

    #: In the file's name: small letters and hyphens.
    name: str
    #: What it shows.
    title: str
    columns: Columns
    rows: Sequence[Sequence[Cell]]
    #: (word, what it means): definitions, n, period, threshold.
    notes: Sequence[tuple[str, str]] = ()
    #: Said where rows were left out: how many there are, how to have the others. "": all are there.
    left_out: str = ""

    @cached_property
    def heads(self) -> tuple[Column, ...]:
        return tuple(column if isinstance(column, Column) else Column(column) for column in self.columns)

    @property
    def headings(self) -> list[str]:
        return [column.heading for column in self.heads]

    def written(self) -> Iterator[list[Written]]:
        """Yield the rows as both kinds of file hold them; ValueError for a row of another width."""
        for row in self.rows:
            yield [_written(cell, column) for cell, column in zip(row, self.heads, strict=True)]


def _written(cell: Cell, column: Column) -> Written:
    if isinstance(cell, bool):
        return gettext("oui") if cell else gettext("non")
    if isinstance(cell, int) and column.percent:
        return 100 * cell
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return None
        return round(100 * cell if column.percent else cell, column.digits)
    return cell
