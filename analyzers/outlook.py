"""Is a session too large or too small? The next one forecast, its places suggested, a verdict: PURE.

Series hold only what may be shown: the enrolled of ended sessions that stand alone in their lot (k people at
least), and of whole school years of a path, without the years that the lots mix with other paths. A full
session hides who would have come too: then the forecast is of places given, not of wishes, and says so.

Rule of the places. Suggested: what the next session's enrolled do not pass `capacity_percent` times in a
hundred, by the law of the forecast. Seats: that, times the share of the enrolled who come. Verdict, on the
last `RECENT` sessions: too small when half of them or more were full (`full_percent` of the places enrolled),
or when the places suggested pass theirs by a tenth; too large when the enrolled fill less than
`large_percent` of their places, or when the places suggested are under that share of them; else right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Literal

import numpy as np

from analyzers.forecast import Forecast, forecast
from analyzers.results import Share
from analyzers.sizing import PATH, YEAR, Line, Sizing
from tool_config.rules import SessionRules

Verdict = Literal["too_small", "too_large", "right", "unknown"]
#: Sessions on which the verdict rests.
RECENT = 5
#: Points of a series looked at: what is older says little of the next one.
_LONGEST = 24


@dataclass(frozen=True)
class Outlook:
    """What the past sessions of a path say of the next one."""

    #: Place in the community's paths.
    path: int
    verdict: Verdict
    #: Sessions that stand alone, the oldest first; those of the verdict are the last `RECENT`.
    sessions: tuple[Line, ...]
    #: Median places of the recent sessions (None unknown); how many were full, of those that say places.
    capacity: float | None
    full: int
    counted: int
    #: Enrolled of recent sessions whose places are known, and those places.
    seated: int
    places: float
    #: Of all ended sessions of the path.
    presence: Share
    next_session: Forecast | None
    #: Whole school years of the series, the last one last.
    years: tuple[tuple[int, int], ...]
    suggested: int | None
    seats: int | None

    @cached_property
    def next_year(self) -> Forecast | None:
        """Return the forecast of the school year after the present one."""
        return forecast([float(count) for _, count in self.years], horizon=2)

    @property
    def hides_demand(self) -> bool:
        """Say whether full sessions may have kept people out."""
        return self.counted > 0 and 2 * self.full >= self.counted


def look(sizing: Sizing, rules: SessionRules) -> Mapping[int, Outlook]:
    """Return what to expect of each path that has a lot of its own, by place."""
    return {path: _path(sizing, path, rules) for path in sizing.paths}


def _path(sizing: Sizing, path: int, rules: SessionRules) -> Outlook:
    lines = sizing.sessions_of.get(path, ())
    recent = [line for line in lines[-RECENT:] if line.filled.capacity > 0]
    full = sum(line.filled.enrolled * 100 >= rules.full_percent * line.filled.capacity for line in recent)
    seated, places = sum(line.filled.seated for line in recent), sum(line.filled.capacity for line in recent)
    filled = sizing.filled(sizing.within(path=path))
    assert filled is not None  # the path has a lot
    presence = filled.presence(sizing.k)
    counts = [float(line.filled.enrolled) for line in lines][-_LONGEST:]
    following = forecast(counts, period=_season(lines))
    years = _years(sizing, path)
    suggested = None if following is None else following.quantile(rules.capacity_percent / 100)
    capacity = median(line.filled.capacity for line in recent) if recent else None
    return Outlook(
        path=path,
        verdict=_verdict(capacity, full, len(recent), seated, places, suggested, rules),
        sessions=lines,
        capacity=capacity,
        full=full,
        counted=len(recent),
        seated=seated,
        places=places,
        presence=presence,
        next_session=following,
        years=years,
        suggested=suggested,
        seats=None
        if suggested is None or presence.value is None
        else int(np.ceil(suggested * presence.value)),
    )


def _verdict(
    capacity: float | None,
    full: int,
    counted: int,
    seated: int,
    places: float,
    suggested: int | None,
    rules: SessionRules,
) -> Verdict:
    if not capacity or not places:
        return "unknown"
    if 2 * full >= counted or (suggested is not None and suggested * 100 > 110 * capacity):
        return "too_small"
    short = seated * 100 < rules.large_percent * places
    if short or (suggested is not None and suggested * 100 < rules.large_percent * capacity):
        return "too_large"
    return "right"


def _season(lines: Sequence[Line]) -> int:
    """Return how many sessions a school year has, when the last two whole ones have as many; else 0."""
    starts = [line.starts for line in lines if line.starts is not None]
    years = [start.year - (start.month < 8) for start in starts]
    known = sorted(set(years))
    if len(known) < 2 or years.count(known[-1]) != years.count(known[-2]):
        return 0
    return years.count(known[-1])


def _years(sizing: Sizing, path: int) -> tuple[tuple[int, int], ...]:
    """Return the enrolled of the last whole school years in a row, none of which is mixed with other paths.

    A year without a session of the path counts for nobody enrolled when another comes before and after.
    """
    keys, today = sizing.lots.keys, sizing.community.today
    present = today.year - (today.month < 8)
    found = {}
    for year in sorted({int(one) for one in keys[keys[:, PATH] == path, YEAR] if 0 < one < present}):
        filled = sizing.filled(sizing.within(year=year, path=path))
        found[year] = filled.enrolled if filled is not None else 0
    if not found or max(found) != present - 1:
        return ()
    mixed = _mixed_years(sizing, path)
    series: list[tuple[int, int]] = []
    for year in range(present - 1, min(found) - 1, -1):
        if year in mixed:
            break
        series.append((year, found.get(year, 0)))
    return tuple(reversed(series))


def _mixed_years(sizing: Sizing, path: int) -> set[int]:
    """Return the school years in which some of a path's sessions are in a lot of several paths."""
    table, lots = sizing.community.sessions, sizing.lots
    lot = lots.of_session
    inside = (table["path"] == path) & (lot >= 0)
    mixed = inside & (lots.keys[np.where(lot < 0, 0, lot), PATH] != path)
    return {int(year) for year in table["year"][mixed]}
