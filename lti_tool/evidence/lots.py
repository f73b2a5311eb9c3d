"""What of a path may be told apart: lots of sessions, each of enough people, inside each school year. PURE.

Packs of the same path may be asked for any run of school years, one after the other, and their figures
subtracted. So every figure of a pack is a sum over lots that do not depend on the years asked for: inside a
year sessions of too few people are gathered (`disclosure.grouped`), and a year of too few is left out of
every sum. Whatever is subtracted from whatever, a lot of ``k`` people at least remains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from analyzers import disclosure

T = TypeVar("T", bound=Hashable)
#: First month of a school year.
_SEPTEMBER = 9


def school_year(day: date) -> int:
    """Return the school year of a day, by the calendar year in which it begins."""
    return day.year if day.month >= _SEPTEMBER else day.year - 1


def year_label(year: int) -> str:
    """Write a school year: "2025-2026"."""
    return f"{year}-{year + 1}"


@dataclass(frozen=True)
class Part(Generic[T]):
    """Something counted in one school year, and how many people it is of."""

    what: T
    year: int
    people: int


@dataclass(frozen=True)
class Lot(Generic[T]):
    """Parts that are told together, of one year."""

    year: int
    parts: tuple[T, ...]


@dataclass(frozen=True)
class Lots(Generic[T]):
    """The lots of a measure, in the order given, and the parts left out because their year has too few."""

    told: tuple[Lot[T], ...]
    left_out: tuple[T, ...]


def make(parts: Sequence[Part[T]], k: int) -> Lots[T]:
    """Return the lots of parts, ``k`` people at least in each; parts of nobody are left out."""
    told: list[Lot[T]] = []
    left: list[T] = [part.what for part in parts if not part.people]
    for year in sorted({part.year for part in parts}):
        mine = [part for part in parts if part.year == year and part.people]
        places = {str(rank): part.people for rank, part in enumerate(mine)}
        groups = disclosure.grouped(places, k=k, other=disclosure.OTHER)
        gathered = [part for rank, part in enumerate(mine) if groups[str(rank)] == disclosure.OTHER]
        if gathered and not disclosure.enough(sum(part.people for part in gathered), k):
            left += [part.what for part in gathered]
            gathered = []
        alone = [part for rank, part in enumerate(mine) if groups[str(rank)] != disclosure.OTHER]
        told += [Lot(year, (part.what,)) for part in alone]
        told += [Lot(year, tuple(part.what for part in gathered))] if gathered else []
    return Lots(tuple(told), tuple(left))


def by_category(people: Iterable[tuple[int, str, str]], k: int) -> dict[str, int]:
    """Count people by category: (school year, category, person), each person once a category and a year.

    Inside each year small categories are gathered under ``disclosure.OTHER``; what is still under ``k`` is
    left out. The most numerous first.
    """
    found: Counter[str] = Counter()
    for once in _by_year(people).values():
        counts = Counter(category for category, _ in once)
        groups = disclosure.grouped(counts, k=k, other=disclosure.OTHER)
        told: Counter[str] = Counter()
        for category, n in counts.items():
            told[groups[category]] += n
        found.update({name: n for name, n in told.items() if disclosure.enough(n, k)})
    return dict(sorted(found.items(), key=lambda pair: (pair[0] == disclosure.OTHER, -pair[1], pair[0])))


def _by_year(people: Iterable[tuple[int, str, str]]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {}
    for year, category, person in people:
        found.setdefault(year, set()).add((category, person))
    return found
