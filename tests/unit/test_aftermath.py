"""After the training: months counted by hand, nothing of a few, nothing given back by a margin."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from analyzers import aftermath
from analyzers.aftermath import Returning, Seen
from analyzers.disclosure import OTHER
from analyzers.suppression import bounds

TODAY = date(2026, 11, 22)
K = 11


def returning(
    groups: list[tuple[str, str, int]], visits: list[tuple[int, str, int]], names: tuple[str, ...]
) -> Returning:
    """Return cohorts (promotion, end, people) in a session each, and visits (person, day, times)."""
    members, person = [], 0
    for course, (name, ends, count) in enumerate(groups):
        for _ in range(count):
            members.append((course + 1, person, ends, names.index(name) if name else -1))
            person += 1
    course, who, ends, promotion = zip(*members, strict=True)
    end_of = np.array(ends, dtype="datetime64[D]")
    them = [one for one, _, _ in visits]
    days = np.array([day for _, day, _ in visits], dtype="datetime64[D]")
    return Returning(
        names,
        {
            "course_id": np.array(course), "person": np.array(who), "ends": end_of,
            "promotion": np.array(promotion),
        },
        {
            "course_id": np.array(course)[them] if them else np.zeros(0, int),
            "person": np.array(them, dtype=int),
            "ends": end_of[them] if them else end_of[:0],
            "month": aftermath.months_after(end_of[them], days) if them else np.zeros(0, int),
            "days": np.array([times for _, _, times in visits], dtype=int),
        },
    )  # fmt: skip


@given(st.dates(date(2020, 1, 1), date(2025, 12, 31)), st.integers(1, 800))
def test_months_after_are_those_of_the_calendar(end: date, later: int) -> None:
    day = end + relativedelta(days=later)
    found = int(
        aftermath.months_after(
            np.array([end], dtype="datetime64[D]"), np.array([day], dtype="datetime64[D]")
        )[0]
    )
    assert found >= 0
    # The last day of month m is the m-th monthly anniversary, save at the ends of short months.
    if end.day <= 28:
        assert end + relativedelta(months=found) < day <= end + relativedelta(months=found + 1)


def test_who_came_back() -> None:
    visits = [(person, "2026-07-05", 2) for person in range(14)] + [(0, "2026-08-10", 9)]
    # This month is not over: not counted yet.
    visits += [(person, "2026-11-10", 1) for person in range(14)]
    found = aftermath.returns(
        returning([("2024-2026", "2026-06-30", 30), ("2023-2025", "2025-06-30", 20)], visits,
                  ("2023-2025", "2024-2026")),
        today=TODAY, k=K,
    )  # fmt: skip
    assert (found.people, found.sessions) == (50, 2)
    first = found.months[0]
    assert (first.share.count, first.share.n, first.visits) == (14, 50, 28)
    low, high = proportion_confint(14, 50, method="wilson")
    assert (first.share.low, first.share.high) == (pytest.approx(low), pytest.approx(high))
    # One person alone: told as a share of fifty, not by the visits of one.
    assert (found.months[1].share.count, found.months[1].visits) == (1, None)
    # Four months are over for all, the sixteen next ones for the older promotion alone.
    assert [month.share.n for month in found.months] == [50] * 4 + [20] * 12
    assert [cohort.name for cohort in found.cohorts] == ["2023-2025", "2024-2026"]
    assert [month.share.n for month in found.cohorts[1].months[:6]] == [30, 30, 30, 30, None, None]
    # Nobody is that far yet: that is time, not a secret.
    assert found.cohorts[1].months[4].share.suppressed is None


def test_small_promotions_go_together_and_months_give_none_back() -> None:
    found = aftermath.returns(
        returning(
            [("a", "2025-06-30", 40), ("b", "2025-06-30", 6), ("c", "2025-06-30", 8), ("", "2025-06-30", 12)],
            [], ("a", "b", "c"),
        ),
        today=TODAY, k=K,
    )  # fmt: skip
    assert {cohort.name: cohort.people for cohort in found.cohorts} == {"a": 40, "": 12, OTHER: 14}
    late = aftermath.returns(
        returning(
            [
                ("a", "2025-06-30", 40),
                ("b", "2025-06-30", 5),
                ("b", "2026-08-30", 20),
                ("c", "2025-06-30", 15),
            ],
            [], ("a", "b", "c"),
        ),
        today=TODAY, k=K,
    )  # fmt: skip
    # From the third month on b has five people: they and the smallest other are hidden, the total is not.
    by_name = {cohort.name: [month.share.n for month in cohort.months[:4]] for cohort in late.cohorts}
    assert by_name == {"a": [40] * 4, "b": [25, 25, None, None], "c": [15, 15, None, None]}
    assert [month.share.n for month in late.months[:4]] == [80, 80, 60, 60]
    assert aftermath.returns(returning([("a", "2025-06-30", 9)], [], ("a",)), today=TODAY, k=K).people is None


def test_the_public_site() -> None:
    months = [date(2026, month, 1) for month in (8, 9, 10)]
    rows = [Seen(months[0], "", 7, 0, 3)]
    rows += [
        Seen(months[1], "2024-2026", 30, 0, 5),
        Seen(months[1], "2025-2027", 4, 0, 0),
        Seen(months[1], "", 90, 0, 40),
    ]
    rows += [
        Seen(months[2], "2024-2026", 25, 0, 0),
        Seen(months[2], "2025-2027", 40, 0, 0),
        Seen(months[2], "", 70, 0, 0),
    ]
    found = aftermath.audience(rows, {"/a": (80, 0), "/b": (5, 0)}, k=K)
    assert found is not None
    assert (found.unit, found.robots, found.resources) == ("views", 48, (("/a", 80),))
    assert found.months == tuple(months)
    assert found.totals == (None, 124, 135)
    assert found.links == ("2024-2026", "2025-2027", "")
    # Seven pages in August: nothing; four by a link in September: hidden, with what would give it back.
    assert found.cells[0] == (None, None, None)
    assert found.cells[1][1] is None
    table = [[30, 4, 90], [25, 40, 70]]
    hidden = {(i, j) for i in (0, 1) for j in range(3) if found.cells[i + 1][j] is None}
    low, high = bounds(table, hidden, (0, 1))
    assert high - low >= K
    assert aftermath.audience([], {}, k=K) is None
    visits = aftermath.audience([Seen(months[1], "", 0, 50, 0)], {}, k=K)
    assert visits is not None
    assert (visits.unit, visits.total) == ("visits", 50)


def test_many_links_are_few_columns() -> None:
    rows = [Seen(date(2026, 9, 1), f"lien-{rank}", 100 - rank, 0, 0) for rank in range(30)]
    found = aftermath.audience(rows, {}, k=K)
    assert found is not None
    assert len(found.links) == 9
    assert found.links[-1] == OTHER
    assert found.total == sum(100 - rank for rank in range(30))
