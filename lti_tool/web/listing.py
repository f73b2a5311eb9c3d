"""Lists sorted and searched by the server, so that they work without scripts."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")
Direction = Literal["ascending", "descending"]


@dataclass(frozen=True)
class Column:
    """A column of a list: its key in addresses, its title, what it sorts by.

    `first` is the direction of the first click: names go up, numbers of interest go down.
    """

    key: str
    label: str
    value: Callable[[Any], Any]
    number: bool = False
    extra: bool = False
    first: Direction = "ascending"


@dataclass(frozen=True)
class Head:
    """A column's head as the template prints it."""

    label: str
    url: str
    number: bool
    extra: bool
    direction: Direction | None


def plain(text: str) -> str:
    """Return a text without accents nor capitals, for searching and sorting names."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@dataclass(frozen=True)
class Order:
    """How a list is sorted, read from the address; an unknown column falls back to the first."""

    column: Column
    direction: Direction

    @classmethod
    def read(cls, columns: Sequence[Column], arguments: Mapping[str, str], default: str) -> Order:
        keyed = {column.key: column for column in columns}
        column = keyed.get(arguments.get("sort", default), keyed[default])
        asked = arguments.get("dir")
        if asked == "asc":
            return cls(column, "ascending")
        return cls(column, "descending" if asked == "desc" else column.first)

    def apply(self, items: Sequence[T]) -> list[T]:
        """Sort; what has no value stands last whichever the direction; ties keep their order."""
        known = [item for item in items if self.column.value(item) is not None]
        known.sort(key=self.column.value, reverse=self.direction == "descending")
        return known + [item for item in items if self.column.value(item) is None]

    def arguments(self) -> dict[str, str]:
        return {"sort": self.column.key, "dir": "asc" if self.direction == "ascending" else "desc"}


def heads(columns: Sequence[Column], order: Order, here: str, kept: Mapping[str, str]) -> list[Head]:
    """Return the heads of a list; a click on the sorted one turns it round."""
    return [_head(column, order, here, kept) for column in columns]


def _head(column: Column, order: Order, here: str, kept: Mapping[str, str]) -> Head:
    current = order.direction if column.key == order.column.key else None
    following: Direction = column.first
    if current is not None:
        following = "descending" if current == "ascending" else "ascending"
    url = address(here, {**kept, **Order(column, following).arguments()})
    return Head(column.label, url, column.number, column.extra, current)


def address(here: str, arguments: Mapping[str, str]) -> str:
    """Return an address with the arguments that have a value."""
    query = urlencode({name: value for name, value in arguments.items() if value})
    return f"{here}?{query}" if query else here
