"""Lines that could not go in, given back as a file to be mended and sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from lti_tool.csv_export import guarded
from lti_tool.imports import files
from lti_tool.imports.files import Refusal

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


def as_csv(header: Sequence[str], refusals: Iterator[Refusal], sentence: Sentence) -> bytes:
    """Return the refused lines as a French spreadsheet opens them (UTF-8 with its mark, `;`).

    `sentence` words one fault. Read again as it stands, the file gives the same cells; the two columns added,
    the line and why, are then of no field.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([*map(guarded, header), *ADDED])
    for one in refusals:
        cells = [guarded(cell) for cell in one.cells[: len(header)]]
        cells += [""] * (len(header) - len(cells))
        why = " ".join(sentence(fault) for fault in one.faults)
        writer.writerow([*cells, one.line, guarded(why)])
    return out.getvalue().encode("utf-8-sig")
