"""What a document says, whatever it is written to: sections, sentences, tables, small drawings. PURE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lti_tool.exports import Table

#: How a sentence looks: what opens a section, the common run, words quoted, what helps reading.
Style = Literal["lead", "body", "quote", "hint"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    said: str
    style: Style = "body"


@dataclass(frozen=True)
class Points:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Whisker:
    """One share with its interval, all from 0 to 1, and the words that say the same."""

    label: str
    value: float
    low: float
    high: float
    said: str


@dataclass(frozen=True)
class Whiskers:
    """Shares one under the other on an axis from 0 to 100; `alt` tells those who do not see it."""

    title: str
    alt: str
    rows: tuple[Whisker, ...]


Block = Text | Points | Table | Whiskers


@dataclass(frozen=True)
class Section:
    """A part under its heading; those inside it are one level lower."""

    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole document; `made_at` in the time zone that it speaks in."""

    title: str
    subtitle: str
    #: Two letters.
    language: str
    made_at: datetime
    #: (word, what it says), under the title.
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    #: Lines to be filled in by hand at the end, by who signs; none: nobody does.
    visa: tuple[str, ...] = ()

    def walk(self) -> Iterator[tuple[Section, Block]]:
        """Yield every block with the section that it stands in, in the order of reading."""

        def inside(section: Section) -> Iterator[tuple[Section, Block]]:
            for block in section.blocks:
                yield section, block
            for lower in section.sections:
                yield from inside(lower)

        for section in self.sections:
            yield from inside(section)
