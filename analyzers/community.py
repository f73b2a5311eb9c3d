"""Everybody's enrolments across the sessions of a silo, in columns of numbers: PURE.

One row a person and session; people are numbers, their origins codes. It is kept packed (`pack`) so that a
page opens without reading a row of the traces, and it names nobody.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.shapes import Columns

MODALITIES = ("in_person", "distance", "blended")
MODES = ("mandatory", "designated", "individual", "open")
#: Modes in which a place is chosen rather than given.
FREE = ("individual", "open")
STATUSES = ("applied", "accepted", "refused", "withdrawn", "finished", "unfinished")
#: Bands of seniority: first year of each.
SENIORITY = ((0, "0-2"), (3, "3-5"), (6, "6-10"), (11, "11_over"))
#: School years begin with this month: heads of schools train from the end of August.
_FIRST_MONTH = 8
#: Grows whenever the meaning of what is packed changes: an older pack is made again.
LAYOUT = 1

NOT_A_DAY = np.datetime64("NaT", "D")


@dataclass(frozen=True, eq=False)
class Dimension:
    """A trait of people: `codes` (people,) are places in `values`, −1 where nothing is known."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class Path:
    """A path; `path_id` 0 when files alone name it."""

    path_id: int
    title: str


@dataclass(frozen=True)
class Scope:
    """What a page looks at: a school year (its first calendar year), a path (place in `paths`), people."""

    year: int | None = None
    path: int | None = None
    dimension: str | None = None
    value: str | None = None


@dataclass(frozen=True, eq=False)
class Community:
    """The enrolments of a silo on one day.

    sessions: course_id (0: only files know it), path (place in `paths`, −1), starts, ends (days, NaT), year
    (of the school year, 0 unknown), modality (place in MODALITIES, −1), hours_in_person, hours_distance,
    days, capacity, cost_planned, cost (NaN unknown), partial (the roster is not known).
    enrolments: person, session (rows), mode (place in MODES, −1), status (place in STATUSES, −1),
    enrolled_on, first_on, last_on, finished_on, left_on (days, NaT), finished, seconds (estimate of time
    spent), attended (presences), active_days, year (of the session; else of the first day known; 0).
    applications: person, session, mode, status, asked_on, rank (0 unknown): places asked for and not, or not
    yet, given.
    """

    made_at: datetime
    #: Names this very state; results computed from it may be kept under it.
    version: str
    today: date
    people: int
    traits: Mapping[str, Dimension]
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    sessions: Columns
    enrolments: Columns
    applications: Columns
    #: People of files, and those of them whose traces are known.
    in_files: int
    matched: int

    @cached_property
    def years(self) -> tuple[int, ...]:
        """School years with an enrolment, the first one first."""
        found = np.unique(self.enrolments["year"])
        return tuple(int(year) for year in found if year)

    def of_person(self, dimension: str) -> NDArray[np.int32]:
        """Return, for each enrolment, the code of its person's trait."""
        made: NDArray[np.int32] = self.traits[dimension].codes[self.enrolments["person"]]
        return made

    def paths_of_enrolments(self) -> NDArray[np.int32]:
        """Return, for each enrolment, the place of its path, −1 unknown."""
        made: NDArray[np.int32] = self.sessions["path"][self.enrolments["session"]]
        return made

    def present(self) -> NDArray[np.int32]:
        """Return the people who have an enrolment here, each once."""
        return np.unique(self.enrolments["person"]).astype(np.int32)

    def select(self, scope: Scope) -> Community:
        """Return the same community with the enrolments (and applications) of a scope alone.

        People keep their numbers. A value of a dimension that nobody has selects nobody.
        """
        if scope == Scope():
            return self
        return replace(
            self,
            enrolments=self._within(self.enrolments, scope, self.enrolments["year"]),
            applications=self._within(self.applications, scope, school_years(self.applications["asked_on"])),
        )

    def _within(self, rows: Columns, scope: Scope, years: NDArray[Any]) -> Columns:
        kept = np.ones(len(rows["person"]), dtype=bool)
        if scope.year is not None:
            kept &= years == scope.year
        if scope.path is not None:
            kept &= self.sessions["path"][rows["session"]] == scope.path
        if scope.dimension is not None:
            trait = self.traits[scope.dimension]
            wanted = trait.values.index(scope.value) if scope.value in trait.values else -2
            kept &= trait.codes[rows["person"]] == wanted
        return {name: column[kept] for name, column in rows.items()}


def school_years(days: NDArray[np.datetime64]) -> NDArray[np.int16]:
    """Return the first calendar year of the school year of each day, 0 where there is no day."""
    months = days.astype("datetime64[M]").astype(np.int64)
    years = np.where(np.isnat(days), 0, (months - (_FIRST_MONTH - 1)) // 12 + 1970)
    return years.astype(np.int16)


def seniority_band(years: float) -> str:
    """Return the band of a number of years."""
    return [name for first, name in SENIORITY if years >= first or first == 0][-1]


def encode(values: Sequence[str | None]) -> Dimension:
    """Return texts as codes into their sorted distinct values; None and "" are not known."""
    known = sorted({value for value in values if value})
    place = {value: rank for rank, value in enumerate(known)}
    codes = np.fromiter((place.get(value or "", -1) for value in values), dtype=np.int32, count=len(values))
    return Dimension(tuple(known), codes)


# --- packed -------------------------------------------------------------------------------------------

_TABLES = ("sessions", "enrolments", "applications")


def pack(community: Community) -> bytes:
    """Return a community as bytes (numpy's npz, no pickle)."""
    head = {
        "layout": LAYOUT,
        "made_at": community.made_at.isoformat(),
        "version": community.version,
        "today": community.today.isoformat(),
        "people": community.people,
        "traits": {name: list(trait.values) for name, trait in community.traits.items()},
        "paths": [[path.path_id, path.title] for path in community.paths],
        "names": list(community.names),
        "in_files": community.in_files,
        "matched": community.matched,
    }
    arrays = {f"trait/{name}": trait.codes for name, trait in community.traits.items()}
    for table in _TABLES:
        arrays |= {f"{table}/{name}": column for name, column in getattr(community, table).items()}
    return pack_arrays(head, arrays)


def unpack(packed: bytes) -> Community | None:
    """Return the community that `pack` wrote; None when its layout is an older one."""
    head, arrays = unpack_arrays(packed)
    if head.get("layout") != LAYOUT:
        return None
    tables: dict[str, dict[str, NDArray[Any]]] = {name: {} for name in _TABLES}
    for key, array in arrays.items():
        table, name = key.split("/", 1)
        if table in tables:
            tables[table][name] = array
    return Community(
        made_at=datetime.fromisoformat(head["made_at"]),
        version=head["version"],
        today=date.fromisoformat(head["today"]),
        people=head["people"],
        traits={
            name: Dimension(tuple(values), arrays[f"trait/{name}"]) for name, values in head["traits"].items()
        },
        paths=tuple(Path(*path) for path in head["paths"]),
        names=tuple(head["names"]),
        in_files=head["in_files"],
        matched=head["matched"],
        **tables,
    )


def pack_arrays(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return named arrays and a head (JSON) as bytes."""
    kept = {name: _plain(array) for name, array in arrays.items()}
    days = [name for name, array in arrays.items() if array.dtype.kind == "M"]
    text = json.dumps({"head": head, "days": days}, ensure_ascii=False).encode()
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **kept, _=np.frombuffer(text, dtype=np.uint8))
    return out.getvalue()


def unpack_arrays(packed: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what `pack_arrays` wrote: the head, and the arrays by name."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as found:
        said = json.loads(found["_"].tobytes())
        arrays = {name: found[name] for name in found.files if name != "_"}
    for name in said["days"]:
        numbers = arrays[name].astype(np.int64)
        numbers[numbers == _NO_DAY] = np.iinfo(np.int64).min
        arrays[name] = numbers.astype("datetime64[D]")
    return said["head"], arrays


#: How 32 bits write that there is no day.
_NO_DAY = np.iinfo(np.int32).min


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Write days as numbers of 32 bits: half the size."""
    if array.dtype.kind != "M":
        return array
    days = array.astype("datetime64[D]")
    return np.where(np.isnat(days), _NO_DAY, days.astype(np.int64)).astype(np.int32)
