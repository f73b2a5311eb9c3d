"""What a benchmark finds of each data set: frozen values, said in two languages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["fr", "en"]
#: What became of a file.
READ, REFUSED, PASSED, FAILED = "read", "refused", "passed", "failed"


@dataclass(frozen=True)
class Said:
    """A sentence in both languages of the report."""

    fr: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return it in one."""
        return self.en if language == "en" else self.fr


NOTHING = Said("", "")


@dataclass
class Clock:
    """Seconds that something took."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed() -> Iterator[Clock]:
    """Measure the block: seconds on the wall, and of this process's processor."""
    clock = Clock()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield clock
    finally:
        clock.wall, clock.cpu = time.perf_counter() - wall, time.process_time() - cpu


@dataclass(frozen=True)
class Check:
    """A figure set against a reference; `holds` None: nothing to set it against."""

    said: Said
    holds: bool | None = None


NO_REFERENCE = Check(Said("aucune", "none"))


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file."""

    name: str
    state: str
    #: Name of the dataset recognised, "statements", or "".
    kind: str = ""
    rows: int = 0
    refused: int = 0
    #: Why it is not read, or the first lines refused with their reasons.
    why: Said = NOTHING
    #: Headings and the fields that were proposed for them.
    mapping: tuple[tuple[str, str], ...] = ()
    columns: int = 0
    check: Check = NO_REFERENCE
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True)
class Figure:
    """What an analysis found."""

    said: Said
    check: Check = NO_REFERENCE


@dataclass(frozen=True)
class AnalysisOutcome:
    """One analysis that fits a data set; `failed`: the error that it met, and nothing else."""

    title: Said
    figures: tuple[Figure, ...]
    clock: Clock
    failed: str = ""


@dataclass(frozen=True)
class DatasetOutcome:
    """A data set: a folder, or the files that lie beside the folders."""

    name: str
    about: str
    files: tuple[FileOutcome, ...]
    analyses: tuple[AnalysisOutcome, ...]
    clock: Clock
