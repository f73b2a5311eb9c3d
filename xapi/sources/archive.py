"""Archives and what is inside: bounds before anything is unfolded."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from xapi.sources.cells import TableFault

#: What an archive may unfold to, bytes; how many times its size a large one may; how many files.
MOST_UNFOLDED = 400_000_000
MOST_RATIO = 200
_SMALL = 20_000_000
MOST_FILES = 5_000
TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".ods", ".json", ".jsonl")


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yield an archive whose sizes are within bounds; raises TableFault."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_FILES:
                raise TableFault("bomb")
            whole = sum(info.file_size for info in infos)
            if whole > MOST_UNFOLDED or (whole > _SMALL and whole > MOST_RATIO * path.stat().st_size):
                raise TableFault("bomb")
            if any(info.flag_bits & 1 for info in infos):
                raise TableFault("encrypted")
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise TableFault("damaged") from error


def tables(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the files of an archive that may be tables, in order."""
    found = []
    for info in archive.infolist():
        name = PurePosixPath(info.filename)
        hidden = name.name.startswith(".") or "__MACOSX" in name.parts
        if not info.is_dir() and not hidden and name.suffix.lower() in TABLES:
            found.append(info.filename)
    return sorted(found)


@contextmanager
def extracted(path: Path, member: str) -> Iterator[Path]:
    """Yield one file of an archive, unfolded beside; raises TableFault."""
    with opened(path) as archive:
        if member not in archive.namelist():
            raise TableFault("no_member", member=member)
        suffix = PurePosixPath(member).suffix.lower()
        with tempfile.NamedTemporaryFile(suffix=suffix if suffix in TABLES else "") as out:
            with archive.open(member) as source:
                _copy(source, out)  # type: ignore[arg-type]
            out.flush()
            yield Path(out.name)


def _copy(source: BinaryIO, out: BinaryIO) -> None:
    """Copy within the bound, whatever the archive says of its sizes."""
    total = 0
    while block := source.read(1 << 20):
        total += len(block)
        if total > MOST_UNFOLDED:
            raise TableFault("bomb")
        out.write(block)
