"""A file as a table: what it is, how it is read, its rows one by one.

`detect` looks at the whole file once and proposes a `Reading`, which a person may correct; `opened` reads the
file in that way. A file that would harm, or that is no table, is refused with a sentence (`TableFault`).
Memory: a CSV is streamed; a spreadsheet or a JSON is held whole, within the bounds of `cells`.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from tool_config.references import plain
from xapi.sources import archive, delimited, records, spreadsheet, web_log, xml_rows
from xapi.sources.cells import Cell, Reading, Row, Table, TableFault, is_blank, text_of

#: Rows among which the headings are looked for, and rows shown.
_TOP = 40
SHOWN = 8
#: Number of an agent of the ministry: two digits, a letter, seven digits, three letters.
NUMEN = re.compile(r"(?<![A-Z0-9])\d{2}[A-Z]\d{7}[A-Z]{3}(?![A-Z0-9])", re.IGNORECASE)
_NUMEN_HEADINGS = frozenset(
    {"numen", "n numen", "numero numen", "code numen", "identifiant education nationale"}
)
#: What only a list of visits holds, one line each (Matomo's live report and its export of a person's data).
_VISIT_HEADINGS = frozenset({"idvisit", "idvisitor", "visitorid", "visitip", "location ip"})
_NUMBER = re.compile(r"[-+]?[\d\s\u00a0\u202f]*[.,]?\d+\s*%?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})(?!\d)")
_ENDS = (b"<!doctype", b"<html", b"<?xml", b"%pdf")


@dataclass(frozen=True)
class Form:
    """A form of file that is no table by itself: logs of a server…"""

    #: Tells from the first bytes of a file whether it is of this form.
    tells: Callable[[bytes], bool]
    #: Yields its rows, the headings being line `reading.header`.
    rows: Callable[[Path, Reading], Iterator[Row]]


#: Forms beside csv, xlsx, ods and json, by name.
FORMS: dict[str, Form] = {
    web_log.NAME: Form(web_log.tells, web_log.rows),
    xml_rows.NAME: Form(xml_rows.tells, xml_rows.rows),
}


@dataclass(frozen=True)
class Detected:
    """What a file is believed to be, and what a person may choose instead."""

    reading: Reading
    header: tuple[str, ...]
    #: The first rows under the headings.
    first: tuple[Row, ...]
    #: Rows under the headings that say something.
    count: int
    sheets: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    #: What stands above the headings as a label and a text: title of a meeting, day…
    above: tuple[tuple[str, str], ...] = ()


def detect(path: Path, known: Collection[str] = (), asked: Reading | None = None) -> Detected:
    """Look at a file and say how to read it; raises TableFault.

    `known`: headings of the datasets (`references.plain`), by which the row of headings is told from what
    stands above it. `asked`: what a person chose; with a header of 0, where the table stands is
    looked for again.
    """
    form = _form(path)
    if form == "zip":
        return _detect_inside(path, known, asked)
    found = asked if asked is not None and asked.form == form else None
    sheets: tuple[str, ...] = ()
    if form in ("xlsx", "ods"):
        sheets = tuple(spreadsheet.sheets(path, form))
        found = found or Reading(form, sheet=_first_filled(path, form, sheets))
    elif form == "csv":
        found = found or delimited.detect(path)
    found = found or Reading(form)
    if asked is None or not found.header:
        found = _placed(path, found, known)
    return replace(_looked(path, found), sheets=sheets, above=_above(path, found))


def _detect_inside(path: Path, known: Collection[str], asked: Reading | None) -> Detected:
    with archive.opened(path) as packed:
        members = tuple(archive.tables(packed))
    if not members:
        raise TableFault("no_table")
    member = asked.member if asked is not None and asked.member in members else members[0]
    same = asked is not None and asked.member == member and asked.header > 0
    with archive.extracted(path, member) as inner:
        if _form(inner) == "zip":
            raise TableFault("bomb")
        seen = detect(inner, known, replace(asked, member="") if asked is not None and same else None)
    return replace(seen, members=members, reading=replace(seen.reading, member=member))


@contextmanager
def opened(path: Path, reading: Reading, *, checked: bool = False) -> Iterator[Table]:
    """Yield the table of a file, read in that way; raises TableFault, at once or row after row.

    `checked`: the same file was just looked through by `detect`.
    """
    if reading.member:
        with (
            archive.extracted(path, reading.member) as inner,
            opened(inner, replace(reading, member="")) as table,
        ):
            yield table
        return
    if _form(path) != reading.form:
        raise TableFault("damaged")
    rows = _rows(path, reading, checked=checked)
    try:
        header = next((row.cells for row in rows if row.line >= reading.header), None)
        if header is None or is_blank(header):
            raise TableFault("no_header")
        names = _names(header)
        table = Table(names, _under(rows, reading, len(names)))
        yield table
    finally:
        rows.close()  # type: ignore[attr-defined]


def _rows(path: Path, reading: Reading, *, checked: bool = False) -> Iterator[Row]:
    if reading.form in ("xlsx", "ods"):
        yield from spreadsheet.rows(path, reading, checked=checked)
    elif reading.form == "json":
        yield from records.rows(path)
    elif reading.form in FORMS:
        yield from FORMS[reading.form].rows(path, reading)
    else:
        with path.open("rb") as source:
            yield from delimited.rows(source, reading)


def _names(header: Sequence[Cell]) -> tuple[str, ...]:
    names = [text_of(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _under(rows: Iterator[Row], reading: Reading, width: int) -> Iterator[Row]:
    """Yield the rows under the headings, blank ones left out, as wide as the headings or more."""
    for row in rows:
        if reading.last and row.line > reading.last:
            return
        if not is_blank(row.cells):
            missing = width - len(row.cells)
            yield row if missing <= 0 else Row(row.line, (*row.cells, *(None,) * missing))


# --- what it is --------------------------------------------------------------------------------------------


def _form(path: Path) -> str:
    """Return csv, xlsx, ods, json or zip from the bytes themselves; raises TableFault."""
    with path.open("rb") as source:
        start = source.read(16_384)
    if not start.strip(b"\xef\xbb\xbf \r\n\t"):
        raise TableFault("empty")
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _packed(path)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        inside = path.read_bytes()[:5_000_000]
        raise TableFault("encrypted" if "EncryptedPackage".encode("utf-16-le") in inside else "old_excel")
    for name, form in FORMS.items():
        if form.tells(start):
            return name
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_ENDS):
        raise TableFault("not_a_table")
    if text[:1] == b"{" or re.match(rb'\[\s*([{\]"\d\[]|$)', text):
        return "json"
    return "csv"


def _packed(path: Path) -> str:
    with archive.opened(path) as packed:
        names = packed.namelist()
        if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
            return "xlsx"
        if "mimetype" in names and "content.xml" in names:
            kind = packed.getinfo("mimetype")
            if kind.file_size < 200 and b"spreadsheet" in packed.read(kind):
                return "ods"
            raise TableFault("not_a_table")
        if "word/document.xml" in names or "ppt/presentation.xml" in names:
            raise TableFault("not_a_table")
        if any(isinstance(info, zipfile.ZipInfo) and info.file_size for info in packed.infolist()):
            return "zip"
    raise TableFault("no_table")


def _first_filled(path: Path, form: str, sheets: Sequence[str]) -> str:
    """Return the first sheet that has two rows."""
    for name in sheets:
        rows = spreadsheet.rows(path, Reading(form, sheet=name), checked=True)
        said = (row for row in rows if not is_blank(row.cells))
        if len(list(islice(said, 2))) == 2:
            return name
    return sheets[0] if sheets else ""


# --- where the table is, and how it is written -------------------------------------------------------------


def _placed(path: Path, found: Reading, known: Collection[str]) -> Reading:
    """Add the row of headings, the last row, the decimal mark and the order of days."""
    top: list[Row] = []
    decimals: Counter[str] = Counter()
    days: Counter[str] = Counter()
    header, width, last, blank = 0, 0, 0, 0
    for row in _rows(path, found, checked=True):
        if len(top) < _TOP:
            top.append(row)
            if len(top) == _TOP:
                header, width = _header(top, known)
                last = _end(top, header, width)
        if is_blank(row.cells):
            blank = row.line
        elif not last and header and _is_title(row, blank, header, width):
            last = blank - 1
        _sniff(row.cells, decimals, days)
    if not header:
        header, width = _header(top, known)
        last = _end(top, header, width)
    return replace(
        found,
        header=header,
        last=last,
        decimal="." if decimals["."] > decimals[","] else ",",
        days="mdy" if days["mdy"] > days["dmy"] else "dmy",
    )


def _is_title(row: Row, blank: int, header: int, width: int) -> bool:
    """Tell whether a row, after a blank one, is the title of another table."""
    if width < 3 or blank <= header or row.line != blank + 1:
        return False
    return sum(bool(text_of(cell)) for cell in row.cells) == 1


def _end(top: Sequence[Row], header: int, width: int) -> int:
    blank = 0
    for row in top:
        if is_blank(row.cells):
            blank = row.line
        elif _is_title(row, blank, header, width):
            return blank - 1
    return 0


def _header(top: Sequence[Row], known: Collection[str]) -> tuple[int, int]:
    """Return the line of the headings and how many there are; raises TableFault."""
    filled = [(row, [text_of(cell) for cell in row.cells if text_of(cell)]) for row in top]
    filled = [(row, texts) for row, texts in filled if texts]
    if not filled:
        raise TableFault("empty")
    matches = [sum(plain(text) in known for text in texts) for _, texts in filled]
    # Words of a dataset may stand in the rows, or head another table below: they make headings only where
    # nothing as wide is above.
    widest, fitting = 0, []
    for rank, (_, texts) in enumerate(filled):
        if matches[rank] >= 2 and len(texts) > widest:
            fitting.append(rank)
        widest = max(widest, len(texts))
    if fitting:
        row, texts = filled[max(fitting, key=lambda rank: matches[rank])]
        return row.line, len(texts)
    usual = Counter(len(texts) for _, texts in filled).most_common(1)[0][0]
    for row, texts in filled:
        worded = sum(not _NUMBER.fullmatch(text) and not _SLASHED.match(text) for text in texts)
        if len(texts) >= 0.6 * usual and worded >= 0.6 * len(texts):
            return row.line, len(texts)
    row, texts = filled[0]
    return row.line, len(texts)


def _sniff(cells: Sequence[Cell], decimals: Counter[str], days: Counter[str]) -> None:
    for cell in cells:
        if not isinstance(cell, str):
            continue
        half = cell[-2:] in ("AM", "PM")
        if not (half or cell[-1:].isdigit() or cell[-1:] == "%"):
            continue
        slashed = _SLASHED.match(cell)
        if slashed:
            if int(slashed[1]) > 12:
                days["dmy"] += 1
            elif half or int(slashed[2]) > 12:  # who writes PM writes the month first
                days["mdy"] += 1
        elif _NUMBER.fullmatch(cell):
            mark = "," if "," in cell else "." if "." in cell else ""
            decimals[mark] += 1


def _above(path: Path, found: Reading) -> tuple[tuple[str, str], ...]:
    """Return the rows of two texts above the headings."""
    said = []
    if 1 < found.header <= _TOP:
        for row in islice(_rows(path, found, checked=True), found.header - 1):
            texts = [text for cell in row.cells if (text := text_of(cell))]
            if len(texts) == 2 and row.line < found.header:
                said.append((texts[0], texts[1]))
    return tuple(said)


def _looked(path: Path, found: Reading) -> Detected:
    """Read a file to its end in a given way: headings, first rows, how many; raises TableFault."""
    first: list[Row] = []
    count = 0
    with opened(path, found, checked=True) as table:
        for name in table.header:
            if plain(name) in _NUMEN_HEADINGS:
                raise TableFault("numen", column=name, line=found.header)
            if plain(name) in _VISIT_HEADINGS:
                raise TableFault("visits")
        for row in table.rows:
            count += 1
            if count <= SHOWN:
                first.append(row)
            _refuse_numen(row, table.header)
        return Detected(found, table.header, tuple(first), count)


def _refuse_numen(row: Row, header: Sequence[str]) -> None:
    for rank, cell in enumerate(row.cells):
        if isinstance(cell, str) and len(cell) >= 13 and NUMEN.search(cell):
            name = header[rank] if rank < len(header) and header[rank] else str(rank + 1)
            raise TableFault("numen", column=name, line=row.line)
