"""Tables written as text: encoding, separator, quotes; read row by row."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from xapi.sources.cells import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Reading, Row, TableFault

#: Encodings that a person may choose; the first that fits is proposed.
ENCODINGS = ("utf-8", "cp1252", "iso-8859-15", "mac_roman", "cp850", "utf-16-le", "utf-16-be")
SEPARATORS = (";", ",", "\t", "|")
#: Bytes looked at to tell encodings apart, rows to tell separators apart.
SAMPLE = 200_000
_SAMPLE_ROWS = 200
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_GUARDED = re.compile(r"'+[ \ufeff]*[=+\-@\t\r\n|]")
_FRENCH = frozenset("éèêëàâäçîïôöùûüÿœæÉÈÊËÀÂÇÎÏÔÖÙÛÜŒ’‘“”«»–—…€°²³ºª\u00a0\u202f•§£")


def detect(path: Path) -> Reading:
    """Return how a text file is to be read, headings not yet looked for; raises TableFault."""
    encoding = _encoding(path)
    with path.open("rb") as source:
        sample = _decoded(source.read(SAMPLE), encoding)
    if not sample.strip("\ufeff \r\n\t;,|"):
        raise TableFault("empty")
    return Reading("csv", encoding=encoding, separator=_separator(sample))


def rows(source: BinaryIO, reading: Reading) -> Iterator[Row]:
    """Yield the rows of an open file, blank ones included; raises TableFault."""
    stream = io.TextIOWrapper(source, encoding=reading.encoding, newline="")
    line = 0
    try:
        for cells in csv.reader(_lines(stream), delimiter=reading.separator):
            line += 1
            if line == 1 and cells and len(cells) <= 2 and cells[0].lower() in ("sep=", "sep"):
                cells = []
            if len(cells) > MOST_COLUMNS:
                raise TableFault("too_wide", maximum=MOST_COLUMNS)
            if line > MOST_ROWS:
                raise TableFault("too_long", maximum=MOST_ROWS)
            if any(len(cell) > LONGEST_CELL for cell in cells):
                raise TableFault("long_cell", line=line, maximum=LONGEST_CELL)
            yield Row(line, tuple(unguarded(cell) if cell[:1] == "'" else cell for cell in cells))
    except csv.Error:
        raise TableFault("long_cell", line=line + 1, maximum=LONGEST_CELL) from None
    except UnicodeDecodeError:
        raise TableFault("encoding", line=line + 1, encoding=reading.encoding) from None
    finally:
        stream.detach()


def unguarded(text: str) -> str:
    """Take away the apostrophe by which an export keeps a spreadsheet from running a text."""
    return text[1:] if _GUARDED.match(text) else text


def _lines(stream: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines of a text; none may hold more than the widest row could."""
    longest = 4_000_000
    first = True
    while text := stream.readline(longest):
        if first:
            text, first = text.removeprefix("\ufeff"), False
        if len(text) >= longest and text[-1] not in "\r\n":
            raise csv.Error
        yield text


# --- encoding ----------------------------------------------------------------------------------------------


def _encoding(path: Path) -> str:
    with path.open("rb") as source:
        sample = source.read(SAMPLE)
        for mark, name in _MARKS:
            if sample.startswith(mark):
                return name
        if b"\0" in sample:
            return _wide(sample)
        source.seek(0)
        if _is_utf8(source):
            return "utf-8"
    return _single_byte(sample)


def _is_utf8(source: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := source.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str:
    """Return the UTF-16 that a text full of zero bytes is; raises TableFault when it is no text."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(len(sample) // 2, 1)
    name = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) < 0.3 * half or min(even, odd) > 0.05 * half:
        raise TableFault("not_a_table")
    return name


def _single_byte(sample: bytes) -> str:
    """Return the encoding of one byte a sign under which a text is the most like French."""
    scores: dict[str, float] = {}
    beyond = Counter(sample.translate(None, bytes(range(128))))
    for name in ("cp1252", "mac_roman", "cp850"):
        try:
            signs = {bytes([byte]).decode(name): count for byte, count in beyond.items()}
        except UnicodeDecodeError:
            continue
        likely = sum(count for sign, count in signs.items() if sign in _FRENCH)
        scores[name] = likely / max(beyond.total(), 1)
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= 0.5:
        return best
    found = from_bytes(sample[:50_000]).best()
    if found is not None and codecs.lookup(found.encoding).name not in ("ascii", "utf-8"):
        return found.encoding
    return best


def _decoded(sample: bytes, encoding: str) -> str:
    """Decode a sample whose last sign may be cut."""
    return codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)


# --- separator ---------------------------------------------------------------------------------------------


def _separator(sample: str) -> str:
    """Return the separator that cuts the most rows into the same number of cells, over one."""
    lines = [line for line in sample.splitlines() if line.strip()]
    if sum("\t" in line for line in lines) > 0.6 * len(lines):
        return "\t"  # nobody writes tabs in the texts of a table
    scores = {mark: _regularity(sample.removeprefix("\ufeff"), mark) for mark in SEPARATORS}
    best = max(SEPARATORS, key=lambda mark: scores[mark])
    return best if scores[best] > (0.0, 0) else ";"


def _regularity(sample: str, mark: str) -> tuple[float, int]:
    widths: Counter[int] = Counter()
    try:
        for rank, cells in enumerate(csv.reader(io.StringIO(sample, newline=""), delimiter=mark)):
            if rank >= _SAMPLE_ROWS:
                break
            if cells:
                widths[len(cells)] += 1
    except csv.Error:
        return 0.0, 0
    several = {width: count for width, count in widths.items() if width > 1}
    if not several:
        return 0.0, 0
    width = max(several, key=lambda w: (several[w], w))
    return several[width] / sum(widths.values()), width
