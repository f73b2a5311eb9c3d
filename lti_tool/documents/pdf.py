"""A document as a tagged PDF (PDF/UA-1): language, title, headings, heads of tables, words for drawings.

Typst sets it, in this process, without network nor fonts of the system. What is written goes in as data
and is never read as markup: nothing that people type can be run.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lti_tool.documents.content import Block, Document, Points, Section, Text, Whiskers
from lti_tool.exports import Cell, Column, Table
from lti_tool.formatting import NOTHING, clock_time, number, percent
from lti_tool.language import gettext

_TEMPLATE = Path(__file__).with_name("document.typ")
#: ISO 14289-1: the compiler refuses what is not accessible (a drawing without words…).
_STANDARD = "ua-1"


def content(document: Document) -> bytes:
    """Return the PDF; TypstError when the content cannot be set (a drawing without words…)."""
    made: bytes = _compiler(document).compile(
        format="pdf",
        pdf_standards=_STANDARD,
        timestamp=document.made_at.astimezone(UTC).replace(microsecond=0),
    )
    return made


def pages(document: Document, *, ppi: float = 96.0) -> list[bytes]:
    """Return the pages as PNG images, to be looked at."""
    made = _compiler(document).compile(format="png", ppi=ppi)
    return made if isinstance(made, list) else [made]


def _compiler(document: Document) -> Any:
    import typst  # here: it takes 60 MB, which a process that makes no document spares

    return typst.Compiler(
        _TEMPLATE.read_bytes(),
        root=_TEMPLATE.parent,
        font_paths=_fonts(),
        sys_inputs={"document": json.dumps(_document(document))},
    )


@cache
def _fonts() -> Any:
    """Return the fonts that come with typst, and no other: the same pages on every machine."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


# --- content as data ---------------------------------------------------------------------------------------


def _document(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "language": document.language,
        "facts": document.facts,
        "sections": [_section(section) for section in document.sections],
        "visa": document.visa,
        "page": gettext("page"),
        "of": gettext("sur"),
        "table": gettext("Tableau"),
        "figure": gettext("Figure"),
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "blocks": [_block(block) for block in section.blocks],
        "sections": [_section(lower) for lower in section.sections],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Text():
            return {"kind": "text", "said": block.said, "style": block.style}
        case Points():
            return {"kind": "points", "items": block.items}
        case Whiskers():
            rows = [vars(row) for row in block.rows]
            return {"kind": "whiskers", "title": block.title, "alt": block.alt, "rows": rows}
        case Table():
            return _table(block)


def _table(table: Table) -> dict[str, Any]:
    rows = [list(row) for row in table.rows]
    return {
        "kind": "table",
        "title": table.title,
        "heads": [
            {"title": head.title, "right": _numeric([row[rank] for row in rows])}
            for rank, head in enumerate(table.heads)
        ],
        "widths": [_width(rank, head, rows) for rank, head in enumerate(table.heads)],
        "rows": [[shown(cell, head) for cell, head in zip(row, table.heads, strict=True)] for row in rows],
        "notes": table.notes,
        "left_out": table.left_out,
    }


def _numeric(cells: list[Cell]) -> bool:
    """Say whether a column is aligned on the right: it has numbers or days, and no more words."""
    known = [cell for cell in cells if cell is not None]
    numbers = sum(not isinstance(cell, str | bool) for cell in known)
    return numbers > 0 and 2 * numbers >= len(known)


def _width(rank: int, head: Column, rows: list[list[Cell]]) -> int:
    """Return how wide a column is beside the others, in signs: that of its longest cell, within reason."""
    longest = max((len(shown(row[rank], head)) for row in rows), default=0)
    # Heads are bold: a word of them needs a quarter more.
    words = round(1.25 * max((len(word) for word in head.title.split()), default=0))
    return max(7, min(34, max(longest, words)))


def shown(cell: Cell, column: Column) -> str:
    """Write a cell as people read it."""
    if cell is None:
        return NOTHING
    if isinstance(cell, bool):
        return gettext("oui") if cell else gettext("non")
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y}, {clock_time(cell)}"
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, str):
        return cell
    return percent(cell) if column.percent else number(cell, column.digits)
