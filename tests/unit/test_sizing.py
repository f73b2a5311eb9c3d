"""Sessions against their places: counts by hand, intervals, what may not be told, places suggested."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from analyzers import outlook, sizing
from analyzers.sizing import Filled, Sizing
from tests.factories.peopled import Run, community
from tool_config import rules

RULES = rules.load().sessions
K = 11


def sized(*runs: Run) -> Sizing:
    return sizing.size(community(runs), RULES, k=K)


def whole(found: Sizing) -> Filled:
    made = found.filled(found.within())
    assert made is not None
    return made


def test_counts_of_two_sessions() -> None:
    found = sized(
        Run(0, "2024-10-01", came=30, absent=6, capacity=40, hours=(12, 6), cost=9000),
        Run(0, "2025-10-01", came=24, absent=0, capacity=60, hours=(12, 6), cost=9000),
    )
    total = whole(found)
    assert (total.sessions, total.enrolled, total.capacity, total.seated) == (2, 60, 100, 60)
    assert (total.known, total.came) == (60, 54)
    # 12 h are two days: planned for 100 places, given to 54 people.
    assert (total.planned_in_person, total.given_in_person) == (200, 108)
    assert (total.planned_distance, total.given_distance) == (100, 54)
    assert (total.cost_a_day, total.cost_a_person) == (18000 / 162, 18000 / 54)
    absent = total.absent(K)
    low, high = proportion_confint(6, 60, method="wilson")
    assert (absent.count, absent.n) == (6, 60)
    assert (absent.low, absent.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
    assert [(year, one.enrolled) for year, one in sizing.years_of(found, found.within())] == [
        (2025, 24), (2024, 36),
    ]  # fmt: skip


def test_who_holds_a_place_and_whose_presence_is_known() -> None:
    withdrawn = whole(sized(Run(0, "2024-10-01", came=20, absent=3, withdrawn=9, capacity=40)))
    assert (withdrawn.enrolled, withdrawn.known, withdrawn.came) == (23, 23, 20)
    # Nobody seen: that everybody was absent is not known.
    silent = whole(sized(Run(0, "2024-10-01", came=0, absent=20, capacity=40)))
    assert (silent.enrolled, silent.known) == (20, 0)
    # Only people seen are known of: none can be missing.
    made = community([Run(0, "2024-10-01", came=20, partial=True)])
    made.enrolments["status"][:] = -1
    assert whole(sizing.size(made, RULES, k=K)).known == 0
    # Not over yet.
    assert len(sized(Run(0, "2026-11-01", came=20, ends="2026-12-20")).lots) == 0


def test_days_without_hours() -> None:
    table = community(
        [
            Run(0, "2024-10-01", came=12, modality="in_person", days=3),
            Run(0, "2024-10-01", came=12, modality="distance", days=2),
            Run(0, "2024-10-01", came=12, modality="blended", days=4),
            Run(0, "2024-10-01", came=12, modality="blended", days=4, hours=(9, np.nan)),
        ]
    ).sessions
    present, distance = sizing.planned_days(table, 6)
    assert present.tolist() == pytest.approx([3, np.nan, np.nan, 1.5], nan_ok=True)
    assert distance.tolist() == pytest.approx([np.nan, 2, np.nan, np.nan], nan_ok=True)


def test_small_sessions_are_told_together_and_never_by_difference() -> None:
    found = sized(
        Run(0, "2024-10-01", came=30, absent=5, capacity=40),
        Run(0, "2024-11-01", came=6, absent=1, capacity=40),
        Run(0, "2024-12-01", came=5, absent=0, capacity=20),
    )
    lines = found.lines(found.within())
    assert [(line.session, line.filled.enrolled) for line in lines] == [(0, 35), (-1, 12)]
    alone = sized(Run(0, "2024-10-01", came=30), Run(1, "2024-10-01", came=4))
    # A path of four: its path and the other are told of together only, in the year.
    assert alone.paths == ()
    assert whole(alone).enrolled == 34
    # Places known of one small session of a lot alone are not told.
    part = sized(Run(0, "2024-10-01", came=7, capacity=9), Run(0, "2024-11-01", came=8))
    assert (whole(part).enrolled, whole(part).capacity) == (15, 0)


def yearly(counts: list[int], capacity: float, absent: int = 4) -> list[Run]:
    """Return a session a school year, the last one of the year before the present."""
    first = 2026 - len(counts)
    return [
        Run(0, f"{first + rank}-10-01", came=count - absent, absent=absent, capacity=capacity)
        for rank, count in enumerate(counts)
    ]


def seen(runs: list[Run]) -> outlook.Outlook:
    return outlook.look(sized(*runs), RULES)[0]


def test_too_large() -> None:
    found = seen(yearly([33, 35, 31, 34, 36, 33, 35, 34], 60))
    assert (found.verdict, found.capacity, found.full) == ("too_large", 60, 0)
    assert found.next_session is not None
    assert found.suggested == found.next_session.quantile(0.8)
    assert found.presence.value is not None
    assert found.seats == int(np.ceil(found.suggested * found.presence.value))
    assert 33 <= found.suggested < 45
    assert len(found.years) == 8
    assert found.next_year is not None
    assert found.next_year.horizon == 2


def test_too_small_right_and_unknown() -> None:
    small = seen(yearly([38, 40, 39, 40, 40, 40], 40))
    assert (small.verdict, small.full, small.hides_demand) == ("too_small", 5, True)
    right = seen(yearly([50, 48, 51, 49, 50, 48], 56))
    assert right.verdict == "right"
    few = seen(yearly([20, 22], 60))
    # Two sessions forecast nothing, but their fill is known.
    assert (few.verdict, few.next_session, few.suggested) == ("too_large", None, None)
    assert seen(yearly([20, 22], float("nan"))).verdict == "unknown"


def test_a_year_mixed_with_other_paths_ends_the_series() -> None:
    runs = yearly([40, 6, 40, 40], 60)
    runs.append(Run(1, "2023-10-01", came=30))
    found = outlook.look(sized(*runs), RULES)[0]
    assert [year for year, _ in found.years] == [2024, 2025]
