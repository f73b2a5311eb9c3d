"""Who comes: shares and changes equal to statsmodels; every view attacked together, and by pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analyzers import nesting, origins
from analyzers.community import Community, Path, encode
from analyzers.origins import Grid

ZONES = {"p": "A", "q": "A", "r": "A", "s": "B", "t": "B", "u": "C", "v": "Corse", "w": "Mayotte"}
#: One line an enrolment: person, year, path (−1 none).
Lines = Sequence[tuple[int, int, int]]


def community(lines: Lines, **traits: Sequence[str | None]) -> Community:
    """Return a community of people with traits, each enrolment in a session of its own path and year."""
    kinds = sorted({(year, path) for _, year, path in lines})
    empty = np.zeros(0, dtype=np.int64)
    return Community(
        made_at=datetime(2026, 11, 1, tzinfo=UTC),
        version="1",
        today=date(2026, 11, 1),
        people=len(next(iter(traits.values()))),
        traits={name: encode(values) for name, values in traits.items()},
        paths=tuple(Path(rank + 1, f"path {rank}") for rank in range(4)),
        names=tuple(str(kind) for kind in kinds),
        sessions={"path": np.array([path for _, path in kinds], dtype=np.int32)},
        enrolments={
            "person": np.array([who for who, _, _ in lines], dtype=np.int32),
            "session": np.array([kinds.index((y, p)) for _, y, p in lines], dtype=np.int32),
            "year": np.array([year for _, year, _ in lines], dtype=np.int16),
        },
        applications={"person": empty, "session": empty, "asked_on": empty.astype("datetime64[D]")},
        in_files=0,
        matched=0,
    )


def grids(found: Community, k: int) -> list[Grid]:
    came = origins.units(found)
    made = [origins.grid(found, came, name, ZONES, k=k) for name in ("academie", "zone", "corps")]
    return [one for one in made if one is not None]


def test_somebody_in_several_sessions_counts_once_a_year_and_once_a_path() -> None:
    lines = [(0, 2024, 0), (0, 2024, 1), (0, 2024, 1), (0, 2025, 2), (1, 2024, -1), (1, 2024, 3), (1, 0, 2)]
    came = origins.units(community(lines, corps=["ien", "aae"]))
    assert list(zip(came.person, came.year, strict=True)) == [(0, 2024), (0, 2025), (1, 2024)]
    assert list(zip(came.unit, came.path, strict=True)) == [(0, 0), (0, 1), (1, 2), (2, -1), (2, 3)]


def plain() -> Community:
    """Return 2024: 60 of p, 40 of s; 2025: 30 of p, 70 of s, 20 of whom nothing is known."""
    traits = ["p"] * 60 + ["s"] * 40 + ["p"] * 30 + ["s"] * 70 + [None] * 20
    lines = [(who, 2024 if who < 100 else 2025, who % 2) for who in range(len(traits))]
    return community(lines, academie=traits, corps=["aae"] * len(traits))


def test_shares_and_changes_are_those_of_statsmodels() -> None:
    found = plain()
    grid = origins.grid(found, origins.units(found), "academie", ZONES, k=11)
    assert grid is not None
    said = origins.picture(grid, 2025, reference={"p": 500, "s": 1500})
    assert said is not None
    assert (said.n, said.unknown, said.before) == (120, 20, 2024)
    first, second, last = said.lines
    assert [one.row.key for one in said.lines] == ["s", "p", ""]
    assert (first.share.count, first.share.n) == (70, 100)
    assert (first.share.low, first.share.high) == pytest.approx(proportion_confint(70, 100, method="wilson"))
    assert first.change is not None
    assert first.change.value == pytest.approx(0.3)
    assert (first.change.low, first.change.high) == pytest.approx(
        confint_proportions_2indep(70, 100, 40, 100, compare="diff", method="newcomb")
    )
    assert [one.row.key for one in said.moved] == ["p", "s"]
    assert second.reference == pytest.approx(0.25)
    assert second.weight == pytest.approx(1.2)
    # Of everybody, not of those who are known.
    assert (last.share.count, last.share.n) == (20, 120)
    under = origins.picture(grid, 2025, 1)
    assert under is not None
    assert under.n == 60
    assert origins.picture(grid, 2025, 3) is None
    assert origins.picture(grid, 2023) is None


def test_zones_gather_overseas_and_a_small_academie_goes_to_its_own_zone() -> None:
    traits = ["p"] * 30 + ["q"] * 20 + ["r"] * 4 + ["s"] * 25 + ["v"] * 7 + ["w"] * 8
    found = community([(who, 2025, 0) for who in range(len(traits))], academie=traits)
    by_academie, by_zone = grids(found, 11)
    assert [(row.key, row.gathered, row.group) for row in by_academie.rows] == [
        ("other:A", ("q", "r"), "A"), ("other:other", ("v", "w"), "other"), ("p", (), "A"), ("s", (), "B"),
    ]  # fmt: skip
    assert [(row.key, row.gathered) for row in by_zone.lines()] == [
        ("A", ()), ("B", ()), ("other", ("Corse", "Mayotte")),
    ]  # fmt: skip
    assert [share.count for share in by_zone.column(2025) or ()] == [54, 25, 15]


def test_too_few_and_unknown_traits_are_not_shown() -> None:
    assert grids(community([(0, 2025, 0)] * 30, academie=["p"]), 11) == []
    found = plain()
    assert origins.grid(found, origins.units(found), "gender", ZONES, k=11) is None
    assert origins.grid(replace(found, traits={}), origins.units(found), "academie", ZONES, k=11) is None


# --- attacks --------------------------------------------------------------------------------------------


@st.composite
def populations(draw: st.DrawFn) -> Community:
    """Draw people with traits and years and paths, small cells often, people of several years and paths."""
    academie = st.sampled_from("ppppqqrsssttuvw")
    corps = st.sampled_from(["aae", "aae", "aae", "ien", "ien", "perdir", None])
    stays = st.lists(
        st.tuples(st.sampled_from([2023, 2024, 2024, 2025]), st.sampled_from([0, 0, 0, 1, 1, 2, -1])),
        min_size=1,
        max_size=3,
    )
    people = draw(st.lists(st.tuples(academie, corps, stays), min_size=5, max_size=110))
    lines = [(who, year, path) for who, (_, _, own) in enumerate(people) for year, path in own]
    return community(lines, academie=[one[0] for one in people], corps=[one[1] for one in people])


@dataclass(frozen=True)
class View:
    """What is asked (categories, year, path), who is in it (an attacker does not know), what is shown."""

    categories: frozenset[str]
    year: int
    path: int | None
    members: frozenset[tuple[int, int]]
    count: int | None

    def within(self, other: View) -> bool:
        """Say whether the filters of the other hold these, whoever the people are."""
        same = self.year == other.year and other.path in (None, self.path)
        return same and self.categories <= other.categories


def views(found: Community, grid: Grid) -> Iterator[View]:
    """Yield every cell of every view offered, and the whole of each column, whose number is shown."""
    came = origins.units(found)
    trait = found.traits["academie" if grid.dimension == "zone" else grid.dimension]
    paths: dict[int, set[int]] = {}
    for unit, path in zip(came.unit.tolist(), came.path.tolist(), strict=True):
        paths.setdefault(unit, set()).add(path)
    units = [
        (who, when, paths[unit], trait.values[trait.codes[who]] if trait.codes[who] >= 0 else "")
        for unit, (who, when) in enumerate(zip(came.person.tolist(), came.year.tolist(), strict=True))
        if when in grid.years
    ]
    for year in grid.years:
        for path in (None, *grid.paths(year)):
            inside = [
                (who, when, of)
                for who, when, own, of in units
                if when == year and (path is None or path in own)
            ]
            everybody = frozenset((who, when) for who, when, _ in inside)
            assert grid.people(year, path) == len(everybody)
            yield View(frozenset(of for *_, of in units), year, path, everybody, len(everybody))
            for row, share in zip(grid.lines(), grid.column(year, path) or (), strict=False):
                categories = frozenset(of for *_, of in units if _row(grid, of) == row.key)
                members = frozenset((who, when) for who, when, of in inside if of in categories)
                assert share.count in (None, len(members))
                yield View(categories, year, path, members, share.count)


def _row(grid: Grid, value: str) -> str:
    zone = ZONES.get(value, value)
    if grid.dimension == "zone":
        return next(row.key for row in grid.lines() if zone in (row.gathered or (row.key,)))
    return next(row.key for row in grid.rows if value in (row.gathered or (row.key,)))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations())
def test_no_two_views_differ_to_fewer_than_k_people(found: Community) -> None:
    """Every pair of filters, one within the other: a year less a path, a zone less an académie, totals."""
    k = 5
    made = {grid.dimension: list(views(found, grid)) for grid in grids(found, k)}
    for cells in ([*made.get("academie", ()), *made.get("zone", ())], made.get("corps", [])):
        shown = [view for view in cells if view.count is not None]
        assert all(view.count == 0 or len({who for who, _ in view.members}) >= k for view in shown)
        for one, other in product(shown, repeat=2):
            if one.within(other):
                assert one.members <= other.members
                assert len(other.members - one.members) == 0 or len(other.members - one.members) >= k


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations())
def test_all_the_views_together_give_no_hidden_cell_back(found: Community) -> None:
    """Solve over categories × years and × paths, knowing every cell shown of the tables and all sums."""
    for grid in grids(found, 5):
        if grid.dimension != "zone":
            _attack(grid, 5)


def _attack(grid: Grid, k: int) -> None:
    """Ask a linear programme for the least and the most of each hidden cell.

    Unknown: people of each category in each year, then in each of its paths and in none of those. A path
    holds no more than its year; the paths together hold all of it.
    """
    rows, years = grid.counts.shape
    places: list[tuple[int | None, int]] = [(None, y) for y in range(years)]
    places += [(at, y) for y in range(years) for at in range(len(grid.within[y].places) + 1)]
    size = rows * len(places)

    def at(i: int, place: tuple[int | None, int]) -> int:
        return i * len(places) + places.index(place)

    real = np.zeros(size)
    for i in range(rows):
        for path, y in places:
            own = grid.counts[i, y] if path is None else grid.within[y].counts[i, path]
            real[at(i, (path, y))] = own
    known: list[np.ndarray] = []
    hidden: list[np.ndarray] = []

    def say(lines: Sequence[int], place: tuple[int | None, int], out: bool) -> None:
        mask = np.zeros(size)
        mask[[at(i, place) for i in lines]] = 1
        (hidden if out else known).append(mask)

    for path, y in places:
        say(range(rows), (path, y), False)
        for i in range(rows):
            if path is None:
                say([i], (path, y), bool(grid.year_hidden[i, y]))
            elif path < len(grid.within[y].places):
                say([i], (path, y), bool(grid.path_hidden(y)[i, path]))
        if path is None:
            for g in range(len(grid.groups)):
                say(np.flatnonzero(grid.group_of == g).tolist(), (path, y), bool(grid.group_hidden[g, y]))
    for i in range(rows):
        mask = np.zeros(size)
        mask[[at(i, (None, y)) for y in range(years)]] = 1
        known.append(mask)
    limits = []
    for i in range(rows):
        for y in range(years):
            own = [at(i, (path, y)) for path, when in places if when == y and path is not None]
            total = at(i, (None, y))
            for cell in own:
                limits.append(np.eye(size)[cell] - np.eye(size)[total])
            limits.append(np.eye(size)[total] - np.eye(size)[own].sum(axis=0))
    equations = np.array(known)
    for mask in hidden:
        if mask @ real == 0:
            continue
        ends = [
            linprog(
                sign * mask, A_ub=np.array(limits), b_ub=np.zeros(len(limits)), A_eq=equations,
                b_eq=equations @ real, bounds=(0, None), method="highs",
            )
            for sign in (1, -1)
        ]  # fmt: skip
        assert all(end.success for end in ends)
        assert -ends[1].fun - ends[0].fun >= k - 1e-6


def test_what_is_hidden_above_is_hidden_below() -> None:
    by_year = np.array([[2, 20], [20, 20], [20, 20]])
    _, hidden = nesting.coarse(by_year, np.arange(3, dtype=np.int32), 5)
    assert hidden[0, 0]
    assert hidden[:, 0].sum() >= 2
    paths = np.array([[1, 1], [9, 11], [8, 12]])
    assert nesting.inside(paths, by_year[:, 0], hidden[:, 0], 5)[hidden[:, 0]].all()


def test_all_of_a_category_but_a_few_in_a_path_is_not_shown() -> None:
    """Eighteen of twenty are in the path: who is not are two, that the year would give by subtraction."""
    paths = np.array([[18, 2], [10, 12], [11, 9], [12, 12]])
    hidden = nesting.inside(paths, np.array([20, 20, 20, 22]), np.zeros(4, dtype=bool), 5)
    assert hidden[0, 0]
    assert hidden[:, 0].sum() >= 2
