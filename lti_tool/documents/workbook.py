"""A document as a workbook: a first sheet of its sentences, then one a table, where numbers stay numbers."""

from __future__ import annotations

from lti_tool.documents.content import Document, Points, Text
from lti_tool.exports import Table, xlsx_file
from lti_tool.exports.tables import Written


def content(document: Document) -> bytes:
    """Return the XLSX file."""
    about: list[tuple[str, Written]] = [(document.title, document.subtitle), *document.facts]
    tables: list[Table] = []
    last = None
    for section, block in document.walk():
        said = [block.said] if isinstance(block, Text) else block.items if isinstance(block, Points) else ()
        for text in said:
            about += [("", None)] if section is not last and section.title else []
            about.append((section.title if section is not last else "", text))
            last = section
        if isinstance(block, Table):
            tables.append(block)
    return xlsx_file.content(tables, about, title=document.title, made_at=document.made_at)
