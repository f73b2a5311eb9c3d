"""Read statements out of files: a JSON array, JSON Lines, either in gzip, several of them in a zip archive.

Nothing is held whole: lines and elements of arrays come one at a time, archives are read in place. What
says far more than its compressed size is refused before it fills anything.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

#: Longest statement as text: bounds the memory.
LONGEST_LINE = 20_000_000
#: Largest data of one attachment in an archive.
LARGEST_ATTACHMENT = 100_000_000
#: A compressed file may say this many times its size; statements reach thirty.
INFLATION = 200
#: What any file may say, however small.
HARMLESS = 20_000_000
MOST_MEMBERS = 200_000
_CHUNK = 1 << 18
#: A value cut by the end of what was read shows its error within so many characters of it.
_NEAR = 12

_KINDS = (".json", ".jsonl", ".ndjson")
_SPACE = re.compile(r"[ \t\r\n]*")
_ATTACHMENT = re.compile(r"attachments/([0-9a-f]{56,128})")
_DECODER = json.JSONDecoder(object_pairs_hook=lambda pairs: None, parse_int=str, parse_float=str)

Open = Callable[[], Any]


class ImportFault(Exception):  # noqa: N818 - a refusal, as those of the store
    """A file that cannot be read as statements; the message says where and why."""


@dataclass(frozen=True)
class Item:
    """One statement of a file: its position from 0, where it begins, its text."""

    position: int
    #: Name within the archive; empty when the file is no archive.
    member: str
    line: int
    text: bytes


@dataclass
class StatementFile:
    """An open file of statements."""

    #: Reads everything, in order; raises ImportFault.
    items: Iterator[Item]
    #: (bytes read, bytes in all).
    progress: Callable[[], tuple[int, int]]
    #: Data of an attachment by its hash; None when the file does not have it.
    attachment: Callable[[str], bytes | None] = field(default=lambda sha2: None)
    #: Members of an archive that are neither statements nor attachments.
    passed_over: list[str] = field(default_factory=list)


@contextmanager
def opened(file: Path) -> Iterator[StatementFile]:
    """Open a file of statements, whatever its kind; ImportFault when it cannot be one."""
    size = file.stat().st_size
    with file.open("rb") as source:
        start = source.read(4)
        source.seek(0)
        if start in (b"PK\x03\x04", b"PK\x05\x06"):
            try:
                with zipfile.ZipFile(source) as archive:
                    yield _archive(archive, size)
            except zipfile.BadZipFile as error:
                raise ImportFault(f"the zip archive is damaged: {error}") from None
        else:
            yield StatementFile(_plain(source, size), lambda: (min(source.tell(), size), size))


def _plain(source: BinaryIO, size: int) -> Iterator[Item]:
    packed = source.read(2) == b"\x1f\x8b"

    def open_again() -> Any:
        source.seek(0)
        return gzip.GzipFile(fileobj=source) if packed else source

    found = _read(open_again, max(size * INFLATION, HARMLESS) if packed else None)
    for position, (line, text) in enumerate(found):
        yield Item(position, "", line, text)


# --- archives --------------------------------------------------------------------------------------------


def _archive(archive: zipfile.ZipFile, size: int) -> StatementFile:
    """Look through the members before any is read; raises ImportFault."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise ImportFault(f"the archive holds {len(members)} files, more than {MOST_MEMBERS}")
    total = sum(member.file_size for member in members)
    if total > max(size * INFLATION, HARMLESS):
        raise ImportFault(f"the archive says over {INFLATION} times its size: {total} bytes in {size}")
    chosen: list[zipfile.ZipInfo] = []
    attachments: dict[str, zipfile.ZipInfo] = {}
    passed_over: list[str] = []
    for member in members:
        found = _ATTACHMENT.fullmatch(member.filename)
        if found:
            attachments[found[1]] = member
        elif _is_statements(member):
            chosen.append(member)
        elif not member.is_dir():
            passed_over.append(member.filename)
            continue
        _require_readable(member)
    if not chosen:
        raise ImportFault(
            "the archive holds no file whose name ends in .json, .jsonl or .ndjson (.gz or not)"
        )
    done = [0]

    def attachment(sha2: str) -> bytes | None:
        member = attachments.get(sha2)
        if member is None:
            return None
        if member.file_size > LARGEST_ATTACHMENT:
            raise ImportFault(f"{member.filename} is over {LARGEST_ATTACHMENT} bytes")
        return archive.read(member)

    whole = sum(member.file_size for member in chosen)
    return StatementFile(
        _members(archive, chosen, done), lambda: (min(done[0], whole), whole), attachment, passed_over
    )


def _is_statements(member: zipfile.ZipInfo) -> bool:
    name = member.filename.lower().removesuffix(".gz")
    folder, _, own = name.rpartition("/")
    return name.endswith(_KINDS) and not own.startswith(".") and not folder.startswith("__macosx")


def _require_readable(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 1:
        raise ImportFault(f"{member.filename} is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ImportFault(f"{member.filename} is compressed in another way than deflate")
    if member.file_size > max(member.compress_size * INFLATION, HARMLESS):
        raise ImportFault(f"{member.filename} says over {INFLATION} times its compressed size")


def _members(archive: zipfile.ZipFile, chosen: list[zipfile.ZipInfo], done: list[int]) -> Iterator[Item]:
    position = before = 0
    for member in chosen:
        packed = member.filename.lower().endswith(".gz")
        opened_member: list[Any] = []

        def open_again(
            member: zipfile.ZipInfo = member, packed: bool = packed, kept: list[Any] = opened_member
        ) -> Any:
            kept[:] = [archive.open(member)]
            return gzip.GzipFile(fileobj=kept[0]) if packed else kept[0]

        bound = max(member.file_size * INFLATION, HARMLESS) if packed else None
        try:
            for line, text in _read(open_again, bound):
                done[0] = before + opened_member[0].tell()
                yield Item(position, member.filename, line, text)
                position += 1
        except ImportFault as fault:
            raise ImportFault(f"{member.filename}: {fault}") from None
        except zipfile.BadZipFile as error:
            raise ImportFault(f"{member.filename} is damaged: {error}") from None
        before += member.file_size


# --- one text --------------------------------------------------------------------------------------------


class _Bounded:
    """A source that refuses to say more than its bound."""

    def __init__(self, source: Any, bound: int | None) -> None:
        self._source, self._bound, self._read = source, bound, 0

    def read(self, size: int) -> bytes:
        return self._counted(self._source.read(size))

    def readline(self, size: int) -> bytes:
        return self._counted(self._source.readline(size))

    def _counted(self, text: bytes) -> bytes:
        self._read += len(text)
        if self._bound is not None and self._read > self._bound:
            raise ImportFault(f"the file says over {INFLATION} times its compressed size")
        return text


def _read(open_again: Open, bound: int | None) -> Iterator[tuple[int, bytes]]:
    """Yield (line, text) of each statement of one JSON text; raises ImportFault."""
    try:
        whole = _is_whole(_Bounded(open_again(), bound))
        plain = _Bounded(open_again(), bound)
        yield from _values(plain) if whole else _lines(plain)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFault(f"the compressed data is damaged: {error}") from None


def _is_whole(plain: _Bounded) -> bool:
    """Tell an array, or one statement written over several lines, from JSON Lines."""
    first = _next_line(plain)
    if not first.startswith(b"{") or first.endswith(b"}"):
        return first.startswith(b"[")
    # A line that is not closed: a faulty one, when another statement begins on the next.
    return not _next_line(plain).startswith(b"{")


def _next_line(plain: _Bounded) -> bytes:
    """Return the next line that says something; empty at the end."""
    while line := plain.readline(LONGEST_LINE):
        text = line.removeprefix(codecs.BOM_UTF8).strip()
        if text:
            return text
    return b""


def _lines(plain: _Bounded) -> Iterator[tuple[int, bytes]]:
    """Yield one statement a line; empty lines are passed over."""
    line = 0
    while text := plain.readline(LONGEST_LINE + 1):
        line += 1
        if len(text) > LONGEST_LINE:
            raise ImportFault(f"line {line} is over {LONGEST_LINE} bytes")
        text = text.removeprefix(codecs.BOM_UTF8).strip() if line == 1 else text.strip()
        if text:
            yield line, text


def _values(plain: _Bounded) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of one array, or statements written over several lines."""
    window = _Window(plain)
    is_array = window.next() == "["
    if is_array:
        window.step()
    first = True
    while (sign := window.next()) != ("]" if is_array else ""):
        if is_array and not first:
            if sign != ",":
                raise ImportFault(f"line {window.line}: the array is not closed")
            window.step()
            if window.next() == "]":
                raise ImportFault(f"line {window.line}: a comma ends the array")
        line = window.line
        yield line, window.value().encode()
        first = False
    if is_array:
        window.step()
        if window.next():
            raise ImportFault(f"line {window.line}: something follows the array")


class _Window:
    """The part of a JSON text that is being read: what is before was given, what is after is not read yet."""

    def __init__(self, source: _Bounded) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        #: Line of the text, from 1, at which the window stands.
        self.line = 1

    def next(self) -> str:
        """Go past white space and return the character there; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._go(found.end() if found else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def step(self) -> None:
        """Go past one character."""
        self._go(self._at + 1)

    def value(self) -> str:
        """Go past one JSON value and return its text; raises ImportFault."""
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or not _is_cut(error, len(self._text)):
                    raise ImportFault(
                        f"line {self._line_at(error.pos)}: not JSON from here on: {error.msg}"
                    ) from None
            except RecursionError:
                raise ImportFault(f"line {self.line}: too deep") from None
            else:
                if end < len(self._text) or self._ended:
                    text = self._text[self._at : end]
                    self._go(end)
                    return text
            self._more()

    def _go(self, place: int) -> None:
        self.line = self._line_at(place)
        self._at = place

    def _line_at(self, place: int) -> int:
        return self.line + self._text.count("\n", self._at, place)

    def _more(self) -> None:
        """Read on; as much again as is kept, so that a long value is not tried too many times."""
        kept = self._text[self._at :]
        if len(kept) > LONGEST_LINE:
            raise ImportFault(f"line {self.line}: a statement is over {LONGEST_LINE} bytes")
        chunk = self._source.read(max(_CHUNK, len(kept)))
        try:
            more = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = self.line + kept.count("\n") + chunk.count(b"\n", 0, error.start)
            raise ImportFault(f"line {line}: not UTF-8") from None
        self._ended = not chunk
        self._text, self._at = kept + more, 0


def _is_cut(error: json.JSONDecodeError, length: int) -> bool:
    """Tell whether the fault may be that the value goes on after what was read."""
    return error.msg.startswith("Unterminated string") or error.pos >= length - _NEAR
