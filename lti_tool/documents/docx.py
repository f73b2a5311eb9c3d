"""A document as DOCX, to be amended by whoever signs it: real headings, lists, tables, its language said."""

from __future__ import annotations

import io
from datetime import UTC
from typing import Any

from lti_tool.documents.content import Block, Document, Points, Section, Text, Whiskers
from lti_tool.documents.pdf import shown
from lti_tool.exports import Table

_COUNTRY = {"fr": "fr-FR", "en": "en-GB"}


def content(document: Document) -> bytes:
    """Return the file."""
    import docx  # here: a process that makes no document spares it

    made = docx.Document()
    _language(made, _COUNTRY.get(document.language, document.language))
    properties = made.core_properties
    properties.title, properties.subject = document.title, document.subtitle
    properties.author, properties.comments = "", ""
    properties.language = _COUNTRY.get(document.language, document.language)
    properties.created = properties.modified = document.made_at.astimezone(UTC).replace(tzinfo=None)
    made.add_heading(document.title, 0)
    made.add_paragraph(document.subtitle, style="Subtitle")
    if document.facts:
        _grid(made, [], [[word, said] for word, said in document.facts])
    for section in document.sections:
        _section(made, section, 1)
    for line in document.visa:
        made.add_paragraph()
        made.add_paragraph(line)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _language(made: Any, language: str) -> None:
    """Say the language of the whole text, which screen readers and spelling need."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    properties = made.styles["Normal"].element.get_or_add_rPr()
    said = OxmlElement("w:lang")
    said.set(qn("w:val"), language)
    properties.append(said)


def _section(made: Any, section: Section, level: int) -> None:
    if section.title:
        made.add_heading(section.title, min(level, 9))
    for block in section.blocks:
        _block(made, block)
    for lower in section.sections:
        _section(made, lower, level + 1)


def _block(made: Any, block: Block) -> None:
    match block:
        case Text():
            made.add_paragraph(block.said, style="Quote" if block.style == "quote" else None)
        case Points():
            for item in block.items:
                made.add_paragraph(item, style="List Bullet")
        case Whiskers():
            made.add_paragraph(block.title, style="Caption")
            for row in block.rows:
                made.add_paragraph(f"{row.label}\u202f: {row.said}", style="List Bullet")
        case Table():
            made.add_paragraph(block.title, style="Caption")
            rows = [
                [shown(cell, head) for cell, head in zip(row, block.heads, strict=True)] for row in block.rows
            ]
            _grid(made, block.headings, rows)
            if block.left_out:
                made.add_paragraph(block.left_out)


def _grid(made: Any, heads: list[str], rows: list[list[str]]) -> None:
    """Write a table; its heads are repeated at the top of each page."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    width = len(heads or rows[0]) if heads or rows else 0
    if not width:
        return
    table = made.add_table(rows=0, cols=width, style="Table Grid")
    for rank, row in enumerate([*([heads] if heads else []), *rows]):
        line = table.add_row()
        for cell, text in zip(line.cells, row, strict=True):
            cell.text = text
        if heads and rank == 0:
            for cell in line.cells:
                for run in cell.paragraphs[0].runs:
                    run.bold = True
            repeated = OxmlElement("w:tblHeader")
            repeated.set(qn("w:val"), "true")
            line._tr.get_or_add_trPr().append(repeated)
    made.add_paragraph()
