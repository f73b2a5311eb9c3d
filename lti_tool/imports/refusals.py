"""Lines that could not go in, given back as a file to be mended and sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlalchemy import Connection

from lti_tool.exports import Cell, Table, csv_file
from lti_tool.imports import files
from lti_tool.imports.files import Refusal
from lti_tool.language import gettext

#: Headings of the two columns that are added; the same in both languages, so that they are known again.
ADDED = ("Ligne d’origine", "Pourquoi")
#: Lines read at a time.
_PAGE = 1000

Sentence = Callable[[Sequence[object]], str]


def every(conn: Connection, silo_id: int, file_id: str) -> Iterator[Refusal]:
    """Yield the refused lines of a file in its order."""
    after = 0
    while found := files.refusals(conn, silo_id, file_id, after=after, limit=_PAGE):
        yield from found
        after = found[-1].line


def table(header: Sequence[str], refusals: Iterable[Refusal], sentence: Sentence) -> Table:
    """Return the refused lines as they came, each with its number and why.

    `sentence` words one fault. Read again as it stands, a file of it gives the same cells; the two columns
    added are then of no field.
    """
    rows: list[list[Cell]] = [
        [
            *one.cells[: len(header)],
            *[""] * (len(header) - len(one.cells)),
            one.line,
            " ".join(sentence(fault) for fault in one.faults),
        ]
        for one in refusals
    ]
    return Table("lignes-refusees", gettext("Lignes refusées"), [*header, *ADDED], rows)


def as_csv(header: Sequence[str], refusals: Iterable[Refusal], sentence: Sentence) -> bytes:
    """Return the refused lines as a French spreadsheet opens them."""
    return csv_file.content(table(header, refusals, sentence))
