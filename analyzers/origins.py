"""Who comes: the people of each school year by a trait, how they are spread, what changes. PURE.

The unit is a person in a school year: somebody enrolled in five sessions of a year counts once in it, and
once in each path that they are in that year. Years, paths and zones are views of the same people: what is
hidden is hidden in all of them together (`analyzers.nesting`). Small categories are gathered first, académies
within their zone.

Sources: Wilson, JASA 22 (1927) (shares); Newcombe, Statistics in Medicine 17 (1998), method 10 (changes).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure, intervals, nesting
from analyzers.community import Community
from analyzers.disclosure import FEW, LINKED, OTHER
from analyzers.results import Share

ACADEMIE, ZONE = "academie", "zone"
#: Row of those whose trait nobody knows: no category is an empty text.
UNKNOWN = ""
#: Zones shown by themselves; Corsica and the overseas territories are together in `OTHER`.
ZONES = ("A", "B", "C")
#: Categories kept apart at most: texts written freely have thousands.
MOST = 60
_LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Units:
    """Who came in each school year, once each, then the paths of each (`unit`: row; −1: of no path)."""

    person: NDArray[np.int32]
    year: NDArray[np.int16]
    unit: NDArray[np.int64]
    path: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Paths:
    """The paths of a year that may be looked at; counts (categories, paths + 1), the last of the others."""

    places: tuple[int, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """A category as it is shown: its id, those gathered in it, its group (the zone of an académie)."""

    key: str
    gathered: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, eq=False)
class Grid:
    """The counts of a trait over years and paths, and what of them is hidden."""

    dimension: str
    k: int
    years: tuple[int, ...]
    rows: tuple[Row, ...]
    groups: tuple[Row, ...]
    group_of: NDArray[np.int32]
    #: (categories, years)
    counts: NDArray[np.int64]
    #: What is hidden of groups × years and of categories × years.
    group_hidden: NDArray[np.bool_]
    year_hidden: NDArray[np.bool_]
    #: Paths of each year.
    within: tuple[Paths, ...]
    _path_hidden: dict[int, NDArray[np.bool_]] = field(default_factory=dict)

    def path_hidden(self, place: int) -> NDArray[np.bool_]:
        """Return what is hidden of categories × paths of a year (its place), worked out when first asked."""
        if place not in self._path_hidden:
            self._path_hidden[place] = nesting.inside(
                self.within[place].counts, self.counts[:, place], self.year_hidden[:, place], self.k
            )
        return self._path_hidden[place]

    def paths(self, year: int) -> tuple[int, ...]:
        """Return the paths that may be looked at in a year."""
        return self.within[self.years.index(year)].places if year in self.years else ()

    def people(self, year: int, path: int | None) -> int:
        """Return how many came in a year, or in a path of it."""
        place = self.years.index(year)
        if path is None:
            return int(self.counts[:, place].sum())
        own = self.within[place]
        return int(own.counts[:, own.places.index(path)].sum())

    def lines(self) -> tuple[Row, ...]:
        """Return the rows that are shown: the groups themselves for the zones."""
        return self.groups if self.dimension == ZONE else self.rows

    def column(self, year: int, path: int | None = None) -> tuple[Share, ...] | None:
        """Return the share of each line in a year, or in a path of it; None when it is not offered.

        Shares are of the people whose trait is known, where their number may be shown; else of all.
        """
        if year not in self.years:
            return None
        place = self.years.index(year)
        if path is None:
            counts, hidden = self.counts[:, place], self.year_hidden[:, place]
            if self.dimension == ZONE:
                counts = nesting.sums(counts[None, :], self.group_of, len(self.groups))[0]
                hidden = self.group_hidden[:, place]
        else:
            own = self.within[place]
            if self.dimension == ZONE or path not in own.places:
                return None
            at = own.places.index(path)
            counts, hidden = own.counts[:, at], self.path_hidden(place)[:, at]
        return tuple(self._shares(counts, hidden))

    def _shares(self, counts: NDArray[np.int64], hidden: NDArray[np.bool_]) -> list[Share]:
        unknown = [line.key == UNKNOWN for line in self.lines()]
        n = int(counts.sum())
        apart = sum(
            int(count) for count, no, out in zip(counts, hidden, unknown, strict=True) if out and not no
        )
        base = n - apart if n - apart >= self.k else n
        made = []
        for count, no, out in zip(counts.tolist(), hidden.tolist(), unknown, strict=True):
            if no:
                made.append(Share(None, None, suppressed=FEW if count < self.k else LINKED))
            else:
                made.append(disclosure.share(count, n if out else base, k=self.k))
        return made


@dataclass(frozen=True)
class Change:
    """A share less that of the year before, with its interval; `sure` after correction for their number."""

    value: float
    low: float
    high: float
    sure: bool


@dataclass(frozen=True)
class Line:
    """A category in a year: its share, what changed, the shares of every year, that of the reference."""

    row: Row
    share: Share
    before: Share | None
    change: Change | None
    years: tuple[Share, ...]
    reference: float | None = None

    @property
    def weight(self) -> float | None:
        """Share against that of the reference: 1.4 is "1.4 times its weight"."""
        return self.share.value / self.reference if self.share.value is not None and self.reference else None


@dataclass(frozen=True)
class Picture:
    """Who came in a year, or in a path of it, by a trait; lines in the order of their share."""

    dimension: str
    year: int
    before: int | None
    years: tuple[int, ...]
    n: int
    #: People whose trait nobody knows; None when their number is not to be shown.
    unknown: int | None
    lines: tuple[Line, ...]

    @property
    def known(self) -> tuple[Line, ...]:
        """Lines of a category, the gathered ones and those not known aside."""
        return tuple(one for one in self.lines if not one.row.gathered and one.row.key != UNKNOWN)

    @property
    def moved(self) -> tuple[Line, ...]:
        """Lines whose share changed for sure, the most first."""
        sure = [one for one in self.known if one.change is not None and one.change.sure]
        return tuple(sorted(sure, key=lambda one: (-abs(one.change.value if one.change else 0), one.row.key)))


def units(community: Community) -> Units:
    """Return who came in each school year, once each, and in which paths."""
    person, year = community.enrolments["person"], community.enrolments["year"]
    dated = year > 0
    years, when = np.unique(year[dated], return_inverse=True)
    paths, size = len(community.paths) + 1, max(1, len(years))
    # A person, a year and a path in one number: sorted much faster than three.
    keys = (person[dated].astype(np.int64) * size + when) * paths
    found = np.sort(keys + community.paths_of_enrolments()[dated] + 1)
    found = found[np.append(True, found[1:] != found[:-1])] if len(found) else found
    each = found // paths
    first = np.ones(len(each), dtype=bool)
    first[1:] = each[1:] != each[:-1]
    who = each[first]
    return Units(
        (who // size).astype(np.int32),
        years[who % size].astype(np.int16),
        np.cumsum(first) - 1,
        (found % paths - 1).astype(np.int32),
    )


def grid(
    community: Community, came: Units, dimension: str, zones: Mapping[str, str], *, k: int
) -> Grid | None:
    """Return the counts of a trait over years and paths; None under k people.

    `zones`: zone of each académie; the zones are shown from the grid of the académies.
    """
    trait = community.traits.get(ACADEMIE if dimension == ZONE else dimension)
    if trait is None:
        return None
    sizes = Counter(came.year.tolist())
    years = tuple(sorted(year for year, count in sizes.items() if count >= k))
    kept = np.isin(came.year, years)
    if not kept.any():
        return None
    when = np.searchsorted(np.array(years), came.year[kept])
    codes = trait.codes[came.person[kept]]
    row, rows, groups, group_of = _rows(
        codes, trait.values, zones if trait is community.traits.get(ACADEMIE) else None, k
    )
    counts = np.zeros((len(rows), len(years)), dtype=np.int64)
    np.add.at(counts, (row, when), 1)
    group_hidden, year_hidden = nesting.coarse(counts, group_of, k)
    # Row and year of each person and path; −1 where the year is not shown.
    place = np.full(len(kept), -1)
    place[kept] = np.arange(int(kept.sum()))
    inside = place[came.unit] >= 0
    unit = place[came.unit[inside]]
    within = _within(row, when, unit, came.path[inside], counts, k)
    return Grid(
        dimension, k, years, rows, groups, group_of, counts, group_hidden, year_hidden, within
    )  # fmt: skip


def picture(
    found: Grid, year: int, path: int | None = None, reference: Mapping[str, int] | None = None
) -> Picture | None:
    """Return who came in a year (or in a path of it); None when the grid does not offer it.

    `reference`: people of each category in a population to set beside.
    """
    now = found.column(year, path)
    if now is None:
        return None
    before = found.years[found.years.index(year) - 1] if found.years.index(year) else None
    last = None if before is None else found.column(before, path)
    trend = [found.column(one, path) for one in found.years]
    shown = found.lines()
    changes = _changes(now, last)
    shares = _references(shown, reference or {})
    lines = [
        Line(
            row, now[i], None if last is None else last[i], changes[i],
            tuple(_NONE if one is None else one[i] for one in trend), shares.get(row.key),
        )
        for i, row in enumerate(shown)
    ]  # fmt: skip
    lines.sort(key=_rank)
    return Picture(
        found.dimension, year, before if last is not None else None, found.years,
        found.people(year, path), _unknown(shown, now), tuple(lines),
    )  # fmt: skip


_NONE = Share(None, None, suppressed=FEW)


def _unknown(shown: Sequence[Row], now: Sequence[Share]) -> int | None:
    own = [share.count for row, share in zip(shown, now, strict=True) if row.key == UNKNOWN]
    if own:
        return own[0]
    return None if any(UNKNOWN in row.gathered for row in shown) else 0


def _rank(line: Line) -> tuple[bool, bool, float, str]:
    aside = line.row.key == UNKNOWN
    return aside, bool(line.row.gathered), -(line.share.value or 0.0), line.row.key


def _changes(now: Sequence[Share], last: Sequence[Share] | None) -> list[Change | None]:
    """Return the change of each share; sure where its interval, widened for their number, leaves out 0."""
    pairs: list[tuple[tuple[int, int], tuple[int, int]] | None] = [
        ((one.count, one.n), (other.count, other.n))
        if one.count is not None and one.n and other.count is not None and other.n
        else None
        for one, other in (zip(now, last, strict=True) if last else ())
    ]
    if not pairs:
        return [None] * len(now)
    tried = max(1, sum(pair is not None for pair in pairs))
    wide = NormalDist().inv_cdf(1 - _LEVEL / 2 / tried)
    made: list[Change | None] = []
    for pair in pairs:
        if pair is None:
            made.append(None)
            continue
        value, low, high = intervals.difference(*pair)
        _, least, most = intervals.difference(*pair, z=wide)
        made.append(Change(value, low, high, least > 0 or most < 0))
    return made


def _references(shown: Sequence[Row], reference: Mapping[str, int]) -> dict[str, float]:
    """Return the share of each row in the reference, categories gathered as they are shown."""
    total = sum(reference.values())
    if not total:
        return {}
    made = {}
    for row in shown:
        own = [reference[name] for name in row.gathered or (row.key,) if name in reference]
        if own:
            made[row.key] = sum(own) / total
    return made


# --- columns and rows -----------------------------------------------------------------------------------


def _within(
    row: NDArray[np.int64],
    when: NDArray[np.int64],
    unit: NDArray[np.int64],
    path: NDArray[np.int32],
    counts: NDArray[np.int64],
    k: int,
) -> tuple[Paths, ...]:
    """Return the paths of each year: those with k people or more, and as many, or nobody, outside.

    `row`, `when`: category and year of each unit; `unit`, `path`: those of each person and path. When those
    who are in no path shown would be fewer than k, the smallest path is not shown either.
    """
    made = []
    for year in range(counts.shape[1]):
        mine = when[unit] == year
        units, paths = unit[mine], path[mine]
        everybody = np.flatnonzero(when == year)
        sizes = Counter(paths.tolist())
        fit = sorted(
            (size, name)
            for name, size in sizes.items()
            if name >= 0 and size >= k and not 0 < len(everybody) - size < k
        )
        while True:
            names = tuple(sorted(name for _, name in fit))
            out = np.unique(units[~np.isin(paths, names)])
            if not fit or len(out) == 0 or len(out) >= k:
                break
            fit = fit[1:]
        table = np.zeros((counts.shape[0], len(names) + 1), dtype=np.int64)
        for at, name in enumerate(names):
            table[:, at] = np.bincount(row[units[paths == name]], minlength=len(table))
        table[:, -1] = np.bincount(row[out], minlength=len(table))
        made.append(Paths(names, table))
    return tuple(made)


def _rows(
    codes: NDArray[np.int32], values: tuple[str, ...], zones: Mapping[str, str] | None, k: int
) -> tuple[NDArray[np.int64], tuple[Row, ...], tuple[Row, ...], NDArray[np.int32]]:
    """Return the row of each unit, the rows, their groups, the group of each row."""
    counts = np.bincount(codes + 1, minlength=len(values) + 1)
    sizes = {name: int(count) for name, count in zip((UNKNOWN, *values), counts, strict=True) if count}
    zone_of = {name: _zone(name, zones) for name in sizes}
    together = _gathered(sizes, zone_of, k)
    parts: dict[str, list[str]] = {}
    for name in sizes:
        parts.setdefault(together[zone_of[name]], []).append(name)
    shown: dict[str, tuple[str, str]] = {}
    for zone, names in parts.items():
        own = _gathered({name: sizes[name] for name in names}, {name: name for name in names}, k)
        other = f"{OTHER}:{zone}" if zones is not None else OTHER
        shown |= {name: (other if own[name] == OTHER else own[name], zone) for name in names}
    keys = sorted(set(shown.values()))
    place = {key: rank for rank, key in enumerate(keys)}
    rows = tuple(
        Row(
            key,
            tuple(sorted(name for name in shown if shown[name][0] == key)) if key.startswith(OTHER) else (),
            zone,
        )
        for key, zone in keys
    )
    leads = np.array([place[shown[name]] if name in shown else 0 for name in (UNKNOWN, *values)])
    if zones is None:
        return leads[codes + 1], rows, rows, np.arange(len(rows), dtype=np.int32)
    names = sorted({row.group for row in rows})
    groups = tuple(
        Row(
            name,
            tuple(sorted({_own_zone(one, zones) for one in parts[name]})) if name == OTHER else (),
        )
        for name in names
    )  # fmt: skip
    group_of = np.array([names.index(row.group) for row in rows], dtype=np.int32)
    return leads[codes + 1], rows, groups, group_of


def _gathered(sizes: Mapping[str, int], kind_of: Mapping[str, str], k: int) -> dict[str, str]:
    """Return the name under which each kind is shown, those beyond the most numerous gathered first."""
    totals: Counter[str] = Counter()
    for name, size in sizes.items():
        totals[kind_of[name]] += size
    kept = {name for name, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0]))[:MOST]}
    first = {name: name if name in kept else OTHER for name in totals}
    merged: Counter[str] = Counter()
    for name, size in totals.items():
        merged[first[name]] += size
    shown = disclosure.grouped(merged, k=k, other=OTHER)
    return {name: shown[first[name]] for name in totals}


def _zone(name: str, zones: Mapping[str, str] | None) -> str:
    """Return the group of a category: a zone, `OTHER` for Corsica and overseas, `UNKNOWN`; one for all."""
    if zones is None:
        return ""
    own = _own_zone(name, zones)
    return own if own in (*ZONES, UNKNOWN) else OTHER


def _own_zone(name: str, zones: Mapping[str, str]) -> str:
    return UNKNOWN if name == UNKNOWN else zones.get(name, OTHER)
