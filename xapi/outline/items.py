"""Values of the outline: an item, a change made to it by hand, what is wrong with a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

#: Kinds of planned gatherings: a day in person, a virtual class, a visit.
GATHERINGS: Final = ("day_in_person", "virtual_class", "visit")


class Keep(Enum):
    """The value of a field that an edit does not touch."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


@dataclass(frozen=True)
class Item:
    """One line of the outline. Hours are planned ones; days are local to the course."""

    iri: str
    #: module, activity
    level: str
    #: IRI of its module (its own for a module).
    module: str
    title: str
    #: From 1, among the modules or within its module.
    position: int
    required: bool
    activity_type: str = ""
    hours_in_person: float | None = None
    hours_distance: float | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    #: One of GATHERINGS; None for what is done on the platform.
    gathering: str | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Edit:
    """Changes to one item; KEEP leaves a field as it is, None gives it back to what the traces say."""

    iri: str
    module: str | Keep | None = KEEP
    title: str | Keep | None = KEEP
    position: int | Keep | None = KEEP
    required: bool | Keep | None = KEEP
    hidden: bool | Keep | None = KEEP
    hours_in_person: float | Keep | None = KEEP
    hours_distance: float | Keep | None = KEEP
    opens_on: date | Keep | None = KEEP
    closes_on: date | Keep | None = KEEP
    #: Line of the file that it came from, for the words of a fault.
    line: int | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong, as a code that pages have words for, and where."""

    #: unknown_iri, unknown_module, repeated_iri, dates_order, hours_range, position_range, title_length,
    #: and those of files: see outline_csv.
    code: str
    iri: str = ""
    line: int | None = None
    column: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One activity of a module, as completion needs it."""

    iri: str
    required: bool
    tracked: bool
    gathering: bool

    def done_at(self, row: Any) -> datetime | None:
        """Return when a learner was done with it: completed, present, or reached where nothing tracks it."""
        if row is None:
            return None
        if self.gathering:
            found = [at for at in (row.attended_at, row.completed_at) if at is not None]
            return min(found) if found else None
        return row.completed_at if self.tracked else row.first_at  # type: ignore[no-any-return]
