"""Lots of a pack: whatever two packs are subtracted, no fewer than k people remain."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from analyzers.disclosure import OTHER
from lti_tool.evidence import lots
from lti_tool.evidence.lots import Part

K = 11
SESSIONS = st.lists(st.tuples(st.integers(2022, 2026), st.integers(0, 40)), min_size=1, max_size=12).map(
    lambda pairs: [Part(rank, year, people) for rank, (year, people) in enumerate(pairs)]
)


@given(
    SESSIONS,
    st.integers(2022, 2026),
    st.integers(2022, 2026),
    st.integers(2022, 2026),
    st.integers(2022, 2026),
)
def test_the_difference_of_two_packs_is_of_k_people_or_none(
    parts: list[Part[int]], a: int, b: int, c: int, d: int
) -> None:
    size = {part.what: part.people for part in parts}

    def told(first: int, last: int) -> set[frozenset[int]]:
        asked = [part for part in parts if first <= part.year <= last]
        return {frozenset(lot.parts) for lot in lots.make(asked, K).told}

    one, other = told(min(a, b), max(a, b)), told(min(c, d), max(c, d))
    # Both are sums over the same lots: a lot is whole in each, or not there.
    for lot in one ^ other:
        assert sum(size[what] for what in lot) >= K
        assert not any(lot & another for another in one & other)


@given(SESSIONS)
def test_every_part_is_told_once_or_left_out(parts: list[Part[int]]) -> None:
    made = lots.make(parts, K)
    found = [what for lot in made.told for what in lot.parts] + list(made.left_out)
    assert sorted(found) == sorted(part.what for part in parts)


def test_a_small_session_is_told_with_another_of_its_year() -> None:
    made = lots.make([Part("a", 2025, 30), Part("b", 2025, 12), Part("c", 2025, 4), Part("d", 2026, 5)], K)
    assert [lot.parts for lot in made.told] == [("a",), ("b", "c")]
    assert made.left_out == ("d",)


def test_categories_are_counted_year_by_year() -> None:
    people = [(2025, "libre", f"p{n}") for n in range(15)] + [(2025, "désigné", f"q{n}") for n in range(12)]
    assert lots.by_category(people + people[:3], K) == {"libre": 15, "désigné": 12}
    # Two of another year say nothing, and are in no sum; three of this one join the smallest.
    more = [*people, (2026, "libre", "r"), (2026, "libre", "s"), *((2025, "rare", f"t{n}") for n in range(3))]
    assert lots.by_category(more, K) == {"libre": 15, OTHER: 15}


def test_a_school_year_begins_in_september() -> None:
    assert lots.school_year(date(2026, 8, 31)) == 2025
    assert lots.school_year(date(2026, 9, 1)) == 2026
    assert lots.year_label(2025) == "2025-2026"
