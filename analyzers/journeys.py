"""The ways of people through one path, in columns of numbers, and how each agrees with its design: PURE.

One row a person, in the session of the path where they went (the last one, when several): modules in the
order of their first entry, what came back, until when. It names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.community import Dimension, pack_arrays, unpack_arrays

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

#: What became of somebody.
INTERRUPTED, UNDER_WAY, FINISHED = 0, 1, 2
#: How somebody's order stands to the one designed; with one module at most there is nothing to compare.
NO_ORDER, OTHER_ORDER, DESIGNED = -1, 0, 1
#: Modules of a path that are looked at: the first ones of its design.
MOST_MODULES = 60
#: Grows whenever the meaning of what is packed changes.
LAYOUT = 1

_COLUMNS = (
    "ranks", "steps", "returned", "session", "finished", "over", "silent", "last_week", "now_week", "year",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Journeys:
    """The people of one path on one day.

    ranks: (sessions, modules) place of each module in the design of a session, −1 where it has none.
    steps: (people, modules) modules in the order of their first entry, −1 after the last one.
    returned: (people, modules) came back to it on a later day, having entered another since.
    session, finished, over (the session has ended, or they left it), silent (days without a trace), last_week
    (of the last trace, or of the end for who finished, from 0 at the session's start), now_week (of today),
    year (school year of the session, 0 unknown): (people,).
    """

    version: str
    made_at: datetime
    today: date
    #: Names of the modules, in the order designed for the latest session.
    modules: tuple[str, ...]
    ranks: NDArray[np.int8]
    steps: NDArray[np.int8]
    returned: NDArray[np.bool_]
    session: NDArray[np.int32]
    finished: NDArray[np.bool_]
    over: NDArray[np.bool_]
    silent: NDArray[np.int32]
    last_week: NDArray[np.int16]
    now_week: NDArray[np.int16]
    year: NDArray[np.int16]
    traits: Mapping[str, Dimension]

    @property
    def people(self) -> int:
        return len(self.session)

    @property
    def sessions(self) -> int:
        """Return how many sessions have somebody."""
        return len(np.unique(self.session))

    @cached_property
    def entered(self) -> NDArray[np.int64]:
        """Return how many modules each entered."""
        made: Ints = (self.steps >= 0).sum(axis=1)
        return made

    @cached_property
    def _designed(self) -> NDArray[np.int16]:
        """Return the designed place of each step in the person's own session, −1 where there is none."""
        found = self.ranks[self.session[:, None], np.maximum(self.steps, 0)].astype(np.int16)
        return np.where(self.steps >= 0, found, np.int16(-1))

    @cached_property
    def inversions(self) -> NDArray[np.int64]:
        """Return how many pairs of modules each took against the design."""
        placed, found = self._designed, np.zeros(self.people, dtype=np.int64)
        for later in range(1, placed.shape[1]):
            there = placed[:, later] >= 0
            for earlier in range(later):
                found += there & (placed[:, earlier] > placed[:, later])
        return found

    @cached_property
    def tau(self) -> Reals:
        """Return Kendall's τ of the order followed with the one designed, NaN with fewer than two modules.

        τ = 1 − 4 D/(s (s − 1)), D inversions among s modules, without ties. Source: Kendall, Biometrika 30
        (1938).
        """
        pairs = self.entered * (self.entered - 1) / 2
        against = np.divide(self.inversions, pairs, out=np.full(self.people, np.nan), where=pairs > 0)
        made: Reals = 1 - 2 * against
        return made

    @cached_property
    def order(self) -> NDArray[np.int8]:
        """Return whether each follows the design: `DESIGNED` also where modules are left out."""
        made = np.where(self.inversions == 0, DESIGNED, OTHER_ORDER)
        return np.where(self.entered < 2, NO_ORDER, made).astype(np.int8)

    @cached_property
    def shifts(self) -> Ints:
        """Return, (people, steps), by how many places a step comes later than designed, among those taken."""
        placed = self._designed
        before = np.zeros(placed.shape, dtype=np.int64)
        for one in range(placed.shape[1]):
            for other in range(placed.shape[1]):
                before[:, one] += (placed[:, other] >= 0) & (placed[:, other] < placed[:, one])
        made: Ints = np.where(placed >= 0, np.arange(placed.shape[1]) - before, 0)
        return made

    def state(self, stopped_days: int) -> NDArray[np.int8]:
        """Return what became of each.

        Interrupted: not finished, and the session is over, or they left it, or no trace came for
        `stopped_days`.
        """
        stopped = self.over | (self.silent >= stopped_days)
        made = np.where(self.finished, FINISHED, np.where(stopped, INTERRUPTED, UNDER_WAY))
        return made.astype(np.int8)

    def weeks(self, stopped_days: int) -> NDArray[np.int16]:
        """Return the week of the last trace of who stopped, of the end of who finished, else this week."""
        return np.where(self.state(stopped_days) == UNDER_WAY, self.now_week, self.last_week)

    def codes(self, dimension: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """Return the categories of a dimension ("year" too) and the place of each person's, −1 unknown."""
        if dimension == "year":
            values, codes = np.unique(self.year, return_inverse=True)
            return tuple(str(value) if value else "" for value in values.tolist()), codes.astype(np.int32)
        trait = self.traits[dimension]
        return trait.values, trait.codes


# --- packed -------------------------------------------------------------------------------------------


def pack(journeys: Journeys) -> bytes:
    """Return journeys as bytes."""
    head = {
        "layout": LAYOUT,
        "version": journeys.version,
        "made_at": journeys.made_at.isoformat(),
        "today": journeys.today.isoformat(),
        "modules": list(journeys.modules),
        "traits": {name: list(trait.values) for name, trait in journeys.traits.items()},
    }
    arrays: dict[str, NDArray[Any]] = {name: getattr(journeys, name) for name in _COLUMNS}
    arrays |= {f"trait/{name}": trait.codes for name, trait in journeys.traits.items()}
    return pack_arrays(head, arrays)


def unpack(packed: bytes) -> Journeys | None:
    """Return what `pack` wrote; None when its layout is an older one."""
    head, arrays = unpack_arrays(packed)
    if head.get("layout") != LAYOUT:
        return None
    return Journeys(
        version=head["version"],
        made_at=datetime.fromisoformat(head["made_at"]),
        today=date.fromisoformat(head["today"]),
        modules=tuple(head["modules"]),
        traits={
            name: Dimension(tuple(values), arrays[f"trait/{name}"]) for name, values in head["traits"].items()
        },
        **{name: arrays[name] for name in _COLUMNS},
    )


# --- from rows ----------------------------------------------------------------------------------------


def ordered(
    person: Ints, module: Ints, first: Ints, last: Ints, rank: Ints, people: int, modules: int
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return steps and returns of `people`, from one row a person and module entered.

    `first`, `last`: microseconds of the first and last trace of somebody in a module; two modules entered at
    one instant are in the order of the design (`rank`). Somebody came back when the last trace is a day or
    more after another module was entered.
    """
    steps = np.full((people, modules), -1, dtype=np.int8)
    returned = np.zeros((people, modules), dtype=bool)
    if not len(person):
        return steps, returned
    row = np.lexsort((rank, first, person))
    person, module, first, last = person[row], module[row], first[row], last[row]
    start = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    place = np.arange(len(person)) - np.repeat(start, np.diff(np.r_[start, len(person)]))
    steps[person, place] = module
    follows = np.r_[person[1:] == person[:-1], False]
    then = np.r_[first[1:], 0]
    returned[person, module] = follows & (last >= then + _DAY)
    return steps, returned


#: Microseconds of a day.
_DAY = 86_400_000_000


def once_each(actors: Sequence[str], went: NDArray[np.bool_], session: Ints) -> Ints:
    """Return the rows to keep, one a person: the last session in which they went, else the last one.

    `session`: rank of the row's session by its start.
    """
    _, who = np.unique(np.array(actors, dtype=object).astype(str), return_inverse=True)
    row = np.lexsort((session, went, who))
    last = np.r_[who[row][1:] != who[row][:-1], True] if len(row) else np.zeros(0, bool)
    made: Ints = np.sort(row[last])
    return made
