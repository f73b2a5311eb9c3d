"""Bytes into tables: every form read, what would harm refused, and never anything else."""

from __future__ import annotations

import io
import tempfile
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lti_tool.exports import csv_file
from xapi.sources import archive, cells, tabular
from xapi.sources.cells import Reading, TableFault, clean, text_of

KNOWN = frozenset({"adresse", "session", "nom", "duree"})


def put(folder: Path, content: bytes) -> Path:
    path = folder / "fichier"
    path.write_bytes(content)
    return path


def every(path: Path, reading: Reading) -> list[tuple[Any, ...]]:
    with tabular.opened(path, reading) as table:
        return [table.header, *(row.cells for row in table.rows)]


def seen(folder: Path, content: bytes) -> tuple[Reading, list[tuple[Any, ...]]]:
    path = put(folder, content)
    found = tabular.detect(path, KNOWN)
    return found.reading, every(path, found.reading)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("cp1252", b""), ("mac_roman", b""), ("cp850", b""),
     ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b"")],
)  # fmt: skip
def test_encodings_are_recognised(tmp_path: Path, encoding: str, mark: bytes) -> None:
    text = "Prénom;Établissement;Été à\r\nZoé;Collège Molière;où ça\r\n"
    reading, table = seen(tmp_path, mark + text.encode(encoding))
    assert reading.encoding == encoding
    assert table == [("Prénom", "Établissement", "Été à"), ("Zoé", "Collège Molière", "où ça")]


@pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
def test_separators_are_recognised(tmp_path: Path, mark: str) -> None:
    rows = [["nom", "durée", "mot"], ["a, b", "1;5", "x|y"], ['c"d', "2", "z\nz"]]
    out = io.StringIO()
    import csv

    csv.writer(out, delimiter=mark).writerows(rows)
    reading, table = seen(tmp_path, out.getvalue().encode())
    assert reading.separator == mark
    assert [list(row) for row in table] == rows


def test_excels_own_line_of_the_separator_is_passed_over(tmp_path: Path) -> None:
    reading, table = seen(tmp_path, b"sep=;\r\nnom;session\r\na;b\r\n")
    assert (reading.separator, reading.header, table) == (";", 2, [("nom", "session"), ("a", "b")])


def test_decimals_and_the_order_of_days_are_recognised(tmp_path: Path) -> None:
    assert seen(tmp_path, b"a;b\n3,5;12/31/2026\n4,5;01/02/2026\n")[0].days == "mdy"
    french = seen(tmp_path, b"a;b\n3,5;31/12/2026\n4,5;01/02/2026\n")[0]
    assert (french.decimal, french.days) == (",", "dmy")
    assert seen(tmp_path, b"a,b\n3.5,x\n4.25,y\n")[0].decimal == "."


def test_a_table_between_a_title_and_another_table(tmp_path: Path) -> None:
    content = "Rapport\n\nnom;session;durée\na;b;1\n\nAutre tableau\nx;y;z\n".encode()
    reading, table = seen(tmp_path, content)
    assert (reading.header, reading.last) == (3, 4)
    assert table == [("nom", "session", "durée"), ("a", "b", "1")]


def workbook(fill: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **options}) as book:
        fill(book)
    return out.getvalue()


def test_a_workbook_gives_values_days_and_lines_as_it_numbers_them(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.add_worksheet("Vide")
        sheet = book.add_worksheet("Données")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for column, name in enumerate(("nom", "session", "jour", "total")):
            sheet.write(4, 2 + column, name)
        sheet.write_string(6, 2, "=1+1")
        sheet.write_number(6, 3, 7)
        sheet.write_datetime(6, 4, datetime(2026, 3, 4), day)
        sheet.write_formula(6, 5, "=SUM(D7:D7)", None, 7)

    path = put(tmp_path, workbook(fill))
    found = tabular.detect(path, KNOWN)
    assert (found.reading.sheet, found.reading.header, found.sheets) == ("Données", 5, ("Vide", "Données"))
    [row] = found.first
    assert row.line == 7
    assert [text_of(cell) for cell in row.cells] == ["", "", "=1+1", "7", "2026-03-04", "7"]


ODS = (
    '<?xml version="1.0"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="F">%s</table:table></office:spreadsheet></office:body>'
    "</office:document-content>"
)  # fmt: skip
CELL = '<table:table-cell office:value-type="string"%s><text:p>%s</text:p></table:table-cell>'


def ods(rows: str, extra: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        packed.writestr("content.xml", ODS % rows)
        for name, text in {"META-INF/manifest.xml": "<m/>", **(extra or {})}.items():
            packed.writestr(name, text)
    return out.getvalue()


def test_an_open_document_is_read(tmp_path: Path) -> None:
    head = "".join(CELL % ("", name) for name in ("nom", "session"))
    empty = '<table:table-cell table:number-columns-repeated="16382"/>'
    rows = "".join(
        f"<table:table-row>{cells}{empty}</table:table-row>" for cells in (head, head.replace("nom", "é"))
    )
    rows += '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/></table:table-row>'
    reading, table = seen(tmp_path, ods(rows))
    assert reading.form == "ods"
    assert [tuple(map(text_of, row)) for row in table] == [("nom", "session"), ("é", "session")]


# --- what would harm ---------------------------------------------------------------------------------------


def _xlsx(parts: dict[str, str | bytes]) -> bytes:
    """Return a workbook of one sheet with some of its parts replaced or added."""
    whole = workbook(lambda book: book.add_worksheet().write(0, 0, "nom"))
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in source.namelist():
            if name not in parts:
                packed.writestr(name, source.read(name))
        for name, text in parts.items():
            packed.writestr(name, text)
    return out.getvalue()


#: Made once: a workbook holds the instant at which it was made.
WHOLE = _xlsx({})
XMLNS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = f'<worksheet xmlns="{XMLNS}"><sheetData>%s</sheetData></worksheet>'
PLACE = "xl/worksheets/sheet1.xml"
ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + SHEET % ""
FAR = '<row r="1"><c r="%s"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>'


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", b"0" * 30_000_000)
    return out.getvalue()


def _nested() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.csv", _bomb())
    return out.getvalue()


def _shared(count: int, length: int) -> bytes:
    """Return a workbook in which a long text is used many times."""
    used = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, count + 1))
    texts = f'<sst xmlns="{XMLNS}"><si><t>{"x" * length}</t></si></sst>'
    return _xlsx({PLACE: SHEET % used, "xl/sharedStrings.xml": texts})


REPEATED = (
    '<table:table-row table:number-rows-repeated="%s"><table:table-cell office:value-type="string" '
    'table:number-columns-repeated="%s"><text:p>x</text:p></table:table-cell></table:table-row>'
)
ENCRYPTED = "<manifest><encryption-data/></manifest>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b";;;\n;;\n", "empty"),
        (b"%PDF-1.7", "not_a_table"),
        (b"<html><table></table>", "not_a_table"),
        (bytes(range(256)) * 20, "not_a_table"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_excel"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"PK\x03\x04 nothing", "damaged"),
        (b"a;b\n" + b"x" * 60_000 + b";y\n", "long_cell"),
        (b'a;b\n"' + b"x;y\n" * 40_000, "long_cell"),
        (b";".join(b"c%d" % n for n in range(600)) + b"\n", "too_wide"),
        (b"[1, 2]", "json_shape"),
        (b'{"a": 1', "json_text"),
        (b"[" * 5000, "json_text"),
        (_bomb(), "bomb"),
        (_nested(), "bomb"),
        (_xlsx({"xl/vbaProject.bin": b"x"}), "macros"),
        (_xlsx({"xl/workbook.bin": b"x"}), "old_excel"),
        (_xlsx({PLACE: ENTITIES}), "entities"),
        (_xlsx({PLACE: ENTITIES.encode("utf-16")}), "entities"),
        (_xlsx({PLACE: SHEET % (FAR % "XFD1")}), "too_wide"),
        (_xlsx({PLACE: SHEET % (FAR % "A1")}), "too_long"),
        (_xlsx({PLACE: "<worksheet"}), "damaged"),
        (_shared(6000, 40_000), "bomb"),
        (_shared(2, 60_000), "long_cell"),
        (ods(REPEATED % ("1000000", "1")), "too_long"),
        (ods(REPEATED % ("1", "16384")), "too_wide"),
        (ods(REPEATED % ("400000", "400")), "too_many_cells"),
        (ods("", {"META-INF/manifest.xml": ENCRYPTED}), "encrypted"),
        (ods("", {"Basic/Standard/Module1.xml": "<x/>"}), "macros"),
    ],
)
def test_what_would_harm_is_refused_with_a_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(TableFault) as refusal:
        tabular.detect(put(tmp_path, content), KNOWN)
    assert refusal.value.code == code
    assert str(refusal.value)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.csv", "nom;session\n")
    content = bytearray(out.getvalue())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    with pytest.raises(TableFault) as refusal:
        tabular.detect(put(tmp_path, bytes(content)))
    assert refusal.value.code == "encrypted"


def test_an_archive_that_unfolds_too_far_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.csv", b"nom;session\n" * 1000)
    path = put(tmp_path, out.getvalue())
    monkeypatch.setattr(archive, "MOST_UNFOLDED", 11_999)
    with pytest.raises(TableFault) as refusal:
        tabular.detect(path)
    assert refusal.value.code == "bomb"


# --- properties --------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=30)


TABLES = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), max_size=8)
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TABLES)
@example([["=1+1", "'=1"], ["''+a", " @b"], ["-5", "\t=x"], ["|", "\n=2"]])
def test_any_table_of_a_csv_file_is_read_back(rows: list[list[str]]) -> None:
    header = [f"titre {rank}" for rank in range(len(rows[0]) if rows else 2)]
    rows = [[text.encode("utf-8", "ignore").decode().replace("\0", "") for text in row] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        _, table = seen(Path(folder), csv_file.write(header, rows))
    wanted = [tuple(map(clean, row)) for row in rows if any(text.strip() for text in row)]
    assert table[0] == tuple(header)
    assert [tuple(map(text_of, row)) for row in table[1:]] == wanted


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(TABLES)
def test_any_workbook_is_read_back(rows: list[list[str]]) -> None:
    header = [f"titre {rank}" for rank in range(len(rows[0]) if rows else 2)]
    rows = [[clean(text) for text in row] for row in rows]
    wanted = [tuple(row) for row in rows if any(row)]

    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        for rank, row in enumerate([header, *rows]):
            for column, text in enumerate(row):
                sheet.write_string(rank, column, text)

    with tempfile.TemporaryDirectory() as folder:
        _, table = seen(Path(folder), workbook(fill))
    assert [tuple(map(text_of, row)) + ("",) * (len(header) - len(row)) for row in table[1:]] == wanted


_STARTS = st.sampled_from(
    [b"", b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"[{", b'{"a":', b"a;b\n"]
)


@settings(max_examples=300)
@given(_STARTS, st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(start: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder), start + rest)
        try:
            found = tabular.detect(path, KNOWN)
        except TableFault:
            return
        else:
            assert found.header
            assert every(path, found.reading)[0] == found.header


@settings(max_examples=150)
@given(st.data())
def test_any_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder), bytes(whole[: cut or None]))
        with suppress(TableFault):
            assert tabular.detect(path, KNOWN).header


def test_a_day_is_written_as_iso() -> None:
    assert text_of(date(2026, 1, 2)) == "2026-01-02"
    assert text_of(3.0) == "3"
    assert set(cells.SENTENCES) >= {"numen", "bomb"}
