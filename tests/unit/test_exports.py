"""A table as CSV and as XLSX: the same cells, typed, no formula, nothing left out in silence."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from lti_tool.exports import Column, Table, csv_file, xlsx_file
from tool_config.references import plain
from tool_config.standards import Field, Label
from xapi.sources import reading, tabular
from xapi.sources.cells import clean

AT = datetime(2026, 11, 21, 9, 30, tzinfo=ZoneInfo("Europe/Paris"))


def workbook(*tables: Table) -> bytes:
    return xlsx_file.content(tables, [("Fait le", AT)], title="Essai", made_at=AT)


def sheet(content: bytes, name: str) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(name).to_python()


def lines(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


MIXED = Table(
    "essai", "Un essai", ["Nom", Column("Part", percent=True), "n", "Le", "À", "Oui"],
    [("=1+1", 0.12345, 12, date(2026, 11, 2), AT, True), ("Zoé", None, 0, None, None, False)],
    [("n", "personnes")],
)  # fmt: skip


def test_both_files_hold_the_same_typed() -> None:
    assert lines(csv_file.content(MIXED)) == [
        ["Nom", "Part (%)", "n", "Le", "À", "Oui"],
        ["'=1+1", "12,35", "12", "2026-11-02", "2026-11-21T09:30:00+01:00", "oui"],
        ["Zoé", "", "0", "", "", "non"],
    ]
    assert sheet(workbook(MIXED), "Un essai") == [
        ["Nom", "Part (%)", "n", "Le", "À", "Oui"],
        ["=1+1", 12.35, 12.0, date(2026, 11, 2), datetime(2026, 11, 21, 9, 30), "oui"],
        ["Zoé", "", 0.0, "", "", "non"],
    ]


def test_the_heading_stays_and_a_second_sheet_says_what_is_counted() -> None:
    content = workbook(MIXED)
    archive = zipfile.ZipFile(io.BytesIO(content))
    first = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in first
    assert "<f>" not in first
    assert CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names == ["Un essai", "À lire"]
    assert sheet(content, "À lire") == [
        ["Fait le", datetime(2026, 11, 21, 9, 30)], ["Lignes", 2.0], ["n", "personnes"],
    ]  # fmt: skip


def test_what_is_left_out_is_said_in_both_files() -> None:
    table = Table("x", "X", ["a", "b"], [("1", "2")], left_out="Il en reste 3.")
    assert lines(csv_file.content(table))[-1] == ["Il en reste 3."]
    assert sheet(workbook(table), "X")[-1] == ["Il en reste 3.", ""]
    assert ["Lignes laissées de côté", "Il en reste 3."] in sheet(workbook(table), "À lire")


def test_a_text_too_long_for_a_cell_is_cut_and_said() -> None:
    table = Table("x", "X", ["a"], [("é" * 40_000,)])
    content = workbook(table)
    assert len(str(sheet(content, "X")[1][0])) == 32_767
    assert any(row[0] == "Texte coupé" for row in sheet(content, "À lire"))
    assert len(lines(csv_file.content(table))[1][0]) == 40_000


def test_sheets_of_one_name_are_told_apart() -> None:
    long = "Un titre qui dépasse de loin ce que la feuille accepte"
    names = CalamineWorkbook.from_filelike(
        io.BytesIO(workbook(*(Table("x", title, ["a"], []) for title in (long, long, "a/b:c?", "À LIRE"))))
    ).sheet_names
    assert len(names) == len({name.casefold() for name in names}) == 5
    assert all(0 < len(name) <= 31 for name in names)


def test_a_row_of_another_width_is_a_fault() -> None:
    with pytest.raises(ValueError, match="zip"):
        csv_file.content(Table("x", "X", ["a", "b"], [("1",)]))


@given(st.lists(st.tuples(st.text(max_size=60), st.floats() | st.integers() | st.none()), max_size=5))
def test_any_cell_goes_in(rows: list[tuple[str, float | int | None]]) -> None:
    small = [(text, value if value is None or abs(value) < 1e15 else None) for text, value in rows]
    table = Table("x", "X", ["texte", "nombre"], small)
    assert len(lines(csv_file.content(table))) >= 1
    content = workbook(table)
    assert "<f>" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()


_CELLS = st.tuples(
    # "#REF!" and the like are refused: they are formulas in error.
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=40).filter(
        lambda text: not clean(text).startswith("#")
    ),
    st.integers(-(10**9), 10**9) | st.none(),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 2)) | st.none(),
    st.dates(date(1990, 1, 1), date(2060, 12, 31)) | st.none(),
    st.booleans(),
)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(_CELLS, min_size=1, max_size=6))
@example([("=1+1", -5, -0.5, date(2026, 2, 1), True), ("'@x", None, 1234567.25, None, False)])
def test_what_leaves_is_read_back_by_the_imports(form: str, rows: list[tuple[Any, ...]]) -> None:
    table = Table("x", "X", ["Texte", "Entier", "Nombre", "Jour", "Oui"], rows)
    content = csv_file.content(table) if form == "csv" else workbook(table)
    fields = [
        Field(name, kind, Label(name, name)) for name, kind in
        (("a", "text"), ("b", "integer"), ("c", "number"), ("d", "day"), ("e", "yes_no"))
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        found = tabular.detect(path, {plain(name) for name in table.headings})
        with tabular.opened(path, found.reading) as there:
            assert list(there.header) == table.headings
            manner = reading.Manner(found.reading.decimal if form == "csv" else ",", found.reading.days)
            read = [
                tuple(
                    reading.read(cell, field, manner) for cell, field in zip(row.cells, fields, strict=False)
                )
                for row in there.rows
            ]
    assert read == [(_read(row[0]), *row[1:]) for row in rows]


def _read(text: str) -> str | None:
    """Return what a text says to the imports: trimmed and composed; dashes and blanks say nothing."""
    return (
        clean(text)
        if reading.read(clean(text), Field("a", "text", Label("a", "a")), reading.Manner())
        else None
    )
