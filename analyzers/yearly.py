"""A school year in a few figures, for all paths or one: places, presence, completion, opinions. PURE.

Every figure is a sum over the lots of ended sessions of `analyzers.sizing`, so that neither two years, nor a
path and the whole, give by subtraction what is about fewer than k people. Completion counts the sessions
where somebody finished; opinions those whose published answers reach k in their lot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure
from analyzers.results import Share
from analyzers.sizing import PATH, YEAR, Filled, Sizing, placed

Reals = NDArray[np.float64]
#: Nothing to show.
NONE = Share(None, None)


@dataclass(frozen=True)
class Figures:
    """What a year, or a path of it, adds up to; `filled` None when no lot is of it."""

    filled: Filled | None
    finished: Share
    favourable: Share


@dataclass(frozen=True, eq=False)
class Years:
    """The lots of ended sessions with what each adds up to."""

    sizing: Sizing
    #: Favourable answers and answers published, by course.
    received: Mapping[int, tuple[int, int]]

    @property
    def years(self) -> tuple[int, ...]:
        return self.sizing.years

    def paths(self, year: int) -> tuple[int, ...]:
        """Return the paths that have a lot of their own in a year, by place."""
        keys = self.sizing.lots.keys
        return tuple(sorted({int(one) for one in keys[keys[:, YEAR] == year][:, PATH] if one >= 0}))

    def of(self, year: int, path: int | None = None) -> Figures:
        """Return the figures of a year, or of a path of it."""
        some = self.sizing.within(year=year, path=path)
        return Figures(
            self.sizing.filled(some), self._share(self._finished, some), self._share(self._opinions, some)
        )

    def _share(self, sums: tuple[Reals, Reals], some: NDArray[np.bool_]) -> Share:
        count, n = round(float(sums[0][some].sum())), round(float(sums[1][some].sum()))
        return disclosure.share(count, n, k=self.sizing.k) if n else NONE

    @cached_property
    def _finished(self) -> tuple[Reals, Reals]:
        """Return those who finished, and the enrolled beside them, by lot."""
        community, lots = self.sizing.community, self.sizing.lots
        rows, held = community.enrolments, placed(community)
        session, person = rows["session"][held], rows["person"][held]
        done = rows["finished"][held]
        known = np.bincount(session[done], minlength=len(lots.of_session)) > 0
        counted = known[session]
        people = lots.people(session[counted], person[counted])
        enough = people >= self.sizing.k
        n = lots.total(session[counted], np.ones(int(counted.sum())))
        count = lots.total(session[counted], done[counted])
        return np.where(enough, count, 0), np.where(enough, n, 0)

    @cached_property
    def _opinions(self) -> tuple[Reals, Reals]:
        """Return favourable answers, and answers, by lot."""
        courses = self.sizing.community.sessions["course_id"]
        pairs = [self.received.get(int(one), (0, 0)) if one else (0, 0) for one in courses]
        session = np.arange(len(pairs))
        table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        lots = self.sizing.lots
        count, n = lots.total(session, table[:, 0]), lots.total(session, table[:, 1])
        enough = n >= self.sizing.k
        return np.where(enough, count, 0), np.where(enough, n, 0)
