"""Rows of a dataset arranged to be crossed: who counts, in which category of each dimension. PURE.

The unit is a person where rows name people, else the row. Rows of somebody whose two dimensions both
change are not independent: their last known values are taken; where one dimension alone changes, people
are counted once in each of its categories (`crossing.cross_choices`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from analyzers import crossing, disclosure
from analyzers.crossing import Crossing

#: Prefix of a dimension taken from the dataset of people rather than from the one that is read.
ORIGIN = "people."


@dataclass(frozen=True)
class Line:
    """One row of a dataset: its person (None: it names nobody), its day, its values by field."""

    person: str | None
    day: date | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Arranged:
    """Units ready to be crossed: one category of each dimension, or one against several."""

    #: People, or rows where they name nobody.
    units: int
    people: bool
    #: Units without a value of one of the two dimensions, left out.
    missing: int
    pairs: Sequence[tuple[str, str]] = ()
    choices: Sequence[tuple[str, frozenset[str]]] = ()
    #: The first dimension is the one with several values: rows and columns are exchanged.
    exchanged: bool = False
    #: Both change for somebody: the last known value of each was taken.
    last: bool = False
    #: Other dimensions that may be crossed -> value of each unit of `pairs` or `choices`; of one with
    #: several values, every value is a dimension by itself, had or not.
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def cross(self, k: int) -> Crossing:
        """Return the crossing under the threshold k."""
        if self.choices:
            return crossing.cross_choices(self.choices, k=k, beside=self.beside)
        return crossing.cross(self.pairs, k=k, other=disclosure.OTHER, beside=self.beside)


def arrange(
    lines: Sequence[Line],
    origins: Mapping[str, Mapping[str, Any]],
    row: str,
    column: str,
    others: Sequence[str] = (),
) -> Arranged:
    """Arrange rows for two dimensions, named by field, or by `people.` and a field of origin.

    `origins`: person -> values of the dataset of people. `others`: every other dimension offered.
    """
    gathered: dict[Any, list[Line]] = {}
    for rank, line in enumerate(lines):
        gathered.setdefault(rank if line.person is None else line.person, []).append(line)
    people = any(line.person is not None for line in lines)
    units: list[tuple[list[str], list[str], list[Line]]] = []
    for some in gathered.values():
        some.sort(key=lambda one: one.day or date.min)
        first, second = (_values(some, name, origins) for name in (row, column))
        if first and second:
            units.append((first, second, some))
    missing = len(gathered) - len(units)
    many = [any(len(set(unit[side])) > 1 for unit in units) for side in (0, 1)]
    beside = _beside(units, origins, [name for name in others if name not in (row, column)])
    if many[0] != many[1]:
        sides = [(second, first) if many[0] else (first, second) for first, second, _ in units]
        return Arranged(
            units=len(units),
            people=people,
            missing=missing,
            choices=[(one[-1], frozenset(several)) for one, several in sides],
            exchanged=many[0],
            beside=beside,
        )
    return Arranged(
        units=len(units),
        people=people,
        missing=missing,
        pairs=[(first[-1], second[-1]) for first, second, _ in units],
        last=many[0],
        beside=beside,
    )


def _beside(
    units: Sequence[tuple[list[str], list[str], list[Line]]],
    origins: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for name in names:
        said = [_values(some, name, origins) for _, _, some in units]
        if all(len(set(values)) < 2 for values in said):
            found[name] = [values[-1] if values else "" for values in said]
            continue
        for option in sorted({value for values in said for value in values}):
            found[f"{name}={option}"] = ["1" if option in values else "0" for values in said]
    return found


def _values(lines: Sequence[Line], name: str, origins: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the values of a dimension over the rows of a unit, in their order; () where it has none."""
    if name.startswith(ORIGIN):
        found = [origins.get(lines[0].person or "", {}).get(name.removeprefix(ORIGIN))]
    else:
        found = [line.data.get(name) for line in lines]
    flat = [one for value in found for one in (value if isinstance(value, list) else [value])]
    return [_text(value) for value in flat if value not in (None, "")]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
