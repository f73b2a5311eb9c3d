"""The data standard as documents: blank and example files, and the page `docs/data-standard.md`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import xlsxwriter

from lti_tool.exports.csv_file import guarded
from tool_config import references, standards
from tool_config.standards import Field, Standard

#: Rows of a blank workbook in which a list of allowed values is offered.
_OFFERED = 1000
_TYPES = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "percent": "percentage",
    "hours": "duration, hours",
    "minutes": "duration, minutes",
    "day": "day",
    "instant": "day and hour",
    "yes_no": "yes or no",
    "choice": "one of a list",
    "address": "e-mail address",
    "list": "several values, separated by ;",
    "columns": "one column each, its heading kept",
}
_ROLES = {
    "person": "names the person",
    "session": "names the session",
    "path": "names the path",
    "module": "names the module",
    "day": "day of the row",
    "dimension": "dimension",
    "measure": "measure",
    "": "",
}


def table(standard: Standard, form: str, *, example: bool) -> bytes:
    """Return a file of a dataset with its French headings, blank or with one example row; csv or xlsx."""
    fields = [field for field in standard.fields if field.type != "columns"]
    rows = [[field.label.fr for field in fields]]
    if example:
        rows.append([field.example for field in fields])
    if form == "xlsx":
        return _workbook(standard, rows)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _workbook(standard: Standard, rows: list[list[str]]) -> bytes:
    """Return a workbook whose closed lists are offered in their cells."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(standard.title.fr[:31].translate(str.maketrans("[]:*?/\\", "       ")))
        bold = book.add_format({"bold": True, "bottom": 1})
        text = book.add_format({"num_format": "@"})
        for rank, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write_string(rank, column, cell, text if rank else bold)
        for column, field in enumerate(one for one in standard.fields if one.type != "columns"):
            sheet.set_column(column, column, max(14, min(len(field.label.fr) + 2, 40)))
            labels = [value.label.fr for value in field.values]
            if field.type == "choice" and labels and len(",".join(labels)) < 250:
                sheet.data_validation(
                    1, column, _OFFERED, column,
                    {"validate": "list", "source": labels, "error_type": "warning"},
                )  # fmt: skip
    return out.getvalue()


def write(folder: Path) -> list[Path]:
    """Write the page of the standard, and a blank and an example file of each dataset, into a folder."""
    files = folder / "data-standard"
    files.mkdir(parents=True, exist_ok=True)
    written = [folder / "data-standard.md"]
    written[0].write_text(page(standards.load()), encoding="utf-8")
    for one in standards.load().values():
        for stem, example in (("blank", False), ("example", True)):
            path = files / f"{one.name}-{stem}.csv"
            path.write_bytes(table(one, "csv", example=example))
            written.append(path)
    return written


def page(known: Mapping[str, Standard]) -> str:
    """Return the page of the standard, in Markdown."""
    return "\n".join([*_opening(), *(line for one in known.values() for line in _section(one)), *_closing()])


def _opening() -> Iterator[str]:
    yield "# The data standard"
    yield ""
    yield "<!-- Written by `estime standard write docs` from tool_config/standards: do not edit here. -->"
    yield ""
    yield (
        "The datasets that Estime takes in, on the page Imports or by `estime import NAME FILE`. A file is "
        "a table "
        "(CSV, XLSX, ODS, JSON, or a zip of these) of one line a thing. Headings may be the French or the "
        "English "
        "label of a field, its name, or one of the other headings; any other is chosen at import. Encoding, "
        "separator, decimal mark and days are recognised, and can be corrected."
    )
    yield ""
    yield (
        "**Personal** fields say something of a person; they serve totals under the disclosure guard. An "
        "address is "
        "never kept: its keyed hash is, within the community. A file that holds NUMENs is refused. A "
        "column that "
        "is no field of the dataset is left out."
    )
    yield ""
    yield (
        "Two rows with the same **key** are the same row: the later file replaces what the earlier one "
        "said, and the "
        "same file twice changes nothing."
    )
    yield ""


def _section(one: Standard) -> Iterator[str]:
    yield f"## {one.title.en} (`{one.name}`)"
    yield ""
    yield f"{one.about.en} *{one.title.fr} : {one.about.fr}*"
    yield ""
    key = ", ".join("the person" if name == "person" else f"`{name}`" for name in one.key) or "the whole row"
    files = (
        f"[blank file](data-standard/{one.name}-blank.csv), [example](data-standard/{one.name}-example.csv)"
    )
    becomes = "" if one.becomes == "rows" else f" Becomes: {one.becomes}."
    yield f"Version {one.version}. Key: {key}.{becomes} Files: {files}."
    yield ""
    yield "| field | French heading | English heading | type | required | personal | serves as | example |"
    yield "|---|---|---|---|---|---|---|---|"
    for field in one.fields:
        cells = (
            f"`{field.id}`", field.label.fr, field.label.en, _type(field), _required(field),
            "yes" if field.personal else "", _ROLES[field.role], field.example,
        )  # fmt: skip
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
    yield ""
    for field in one.fields:
        yield from _details(field)
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _type(field: Field) -> str:
    bounds = [f"from {field.minimum:g}"] if field.minimum is not None else []
    bounds += [f"to {field.maximum:g}"] if field.maximum is not None else []
    unit = [field.unit] if field.unit else []
    return ", ".join([_TYPES[field.type], *unit, " ".join(bounds)]).rstrip(", ")


def _required(field: Field) -> str:
    if not field.required:
        return ""
    return f"yes, or `{field.instead}`" if field.instead else "yes"


def _details(field: Field) -> Iterator[str]:
    said = []
    if field.values:
        said.append("values: " + ", ".join(f"{value.label.fr} (`{value.id}`)" for value in field.values))
    if field.reference:
        title = references.load()[field.reference].title["en"]
        said.append(f"reference: {title.lower()}; a value outside it is kept and said")
    if field.aliases:
        said.append("other headings: " + ", ".join(field.aliases))
    if said:
        yield f"- `{field.id}`: {'; '.join(said)}."


def _closing() -> Iterator[str]:
    yield "## Reference tables"
    yield ""
    for one in references.load().values():
        yield (
            f"- **{one.title['en']}** (`{one.name}`): "
            + ", ".join(f"{entry.label} (`{entry.id}`)" for entry in one.entries.values())
            + "."
        )
    yield ""
    yield "## A dataset of your own"
    yield ""
    yield (
        "Declare it in the same words, in a YAML file given on the page Imports or by "
        "`estime standard add FILE --silo NAME`. Its dimensions are what rows are counted by, its measures "
        "what is "
        "added up; both can then be crossed with any other."
    )
    yield ""
    yield "```yaml"
    yield _OWN
    yield "```"
    yield ""
    yield (
        "Types: "
        + ", ".join(f"`{name}` ({said})" for name, said in _TYPES.items())
        + ". Roles: "
        + ", ".join(f"`{name}` ({said})" for name, said in _ROLES.items() if name)
        + "."
    )
    yield ""


_OWN = """standard: advice_visits
version: 1
title: {fr: Visites de conseil, en: Advice visits}
key: [session, day]
fields:
  - {id: session, type: text, role: session, required: true, label: Session}
  - {id: day, type: day, role: day, label: {fr: Jour, en: Day}}
  - {id: theme, type: choice, role: dimension, label: {fr: Thème, en: Theme}, values: [climat, pilotage]}
  - {id: people, type: integer, role: measure, minimum: 0, label: {fr: Personnes, en: People}}"""
