"""Lots of sessions: whatever the views, no difference is about fewer than k people."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.lots import MIXED, divide

K = 5


def rows(sizes: list[int], shared: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return session and person of each enrolment; the first `shared` people are in every session."""
    session, person, free = [], [], shared
    for rank, size in enumerate(sizes):
        known = min(shared, size)
        session += [rank] * size
        person += [*range(known), *range(free, free + size - known)]
        free += size - known
    return np.array(session, dtype=np.int32), np.array(person, dtype=np.int32)


def cut(sizes: list[int], *levels: list[int], shared: int = 0) -> tuple[object, ...]:
    session, person = rows(sizes, shared)
    own = np.arange(len(sizes))
    made = divide(
        [*(np.array(level) for level in levels), own], session, person,
        wanted=np.ones(len(sizes), dtype=bool), k=K,
    )  # fmt: skip
    return made, session, person


def test_small_sessions_of_a_path_go_together() -> None:
    made, session, person = cut([9, 3, 4, 8], [0, 0, 0, 1])
    assert made.of_session.tolist() == [0, 1, 1, 2]
    assert made.keys.tolist() == [[0, 0], [0, MIXED], [1, 3]]
    assert made.people(session, person).tolist() == [9, 7, 8]
    assert made.total(session, np.ones(len(session))).tolist() == [9, 7, 8]


def test_one_small_session_takes_the_smallest_of_the_others_along() -> None:
    made, _, _ = cut([9, 2, 6], [0, 0, 0])
    assert made.of_session.tolist() == [0, 1, 1]
    small_path, _, _ = cut([9, 2, 30], [0, 1, 2])
    assert small_path.keys.tolist() == [[2, 2], [MIXED, MIXED]]
    assert small_path.of_session.tolist() == [1, 1, 0]


def test_the_same_few_people_twice_are_still_few() -> None:
    made, _, _ = cut([4, 4, 9], [0, 0, 0], shared=4)
    assert made.of_session.tolist() == [0, 0, 0]


def test_under_k_nothing_and_empty_sessions_nowhere() -> None:
    made, _, _ = cut([2, 2], [0, 1])
    assert len(made) == 0
    assert made.of_session.tolist() == [-1, -1]
    empty, _, _ = cut([9, 0], [0, 0])
    assert empty.of_session.tolist() == [0, -1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(-1, 2), st.integers(-1, 2)), min_size=1, max_size=9),
    st.integers(0, 4),
)
def test_no_difference_of_views_is_small(drawn: list[tuple[int, int, int]], shared: int) -> None:
    sizes = [size for size, _, _ in drawn]
    made, session, person = cut(sizes, [a for _, a, _ in drawn], [b for _, _, b in drawn], shared=shared)
    counts = made.people(session, person)
    assert (counts >= K).all()
    # Any union of lots less another is a union of lots, or holds at least one whole lot more.
    lots = [set(np.flatnonzero(made.of_session == lot).tolist()) for lot in range(len(made))]
    for first, second in combinations(lots, 2):
        assert not first & second
    whole = {rank for rank, size in enumerate(sizes) if size}
    if len(set(person.tolist())) >= K:
        assert set().union(*lots) == whole
    for lot, key in zip(lots, made.keys.tolist(), strict=True):
        for level, values in enumerate(([a for _, a, _ in drawn], [b for _, _, b in drawn])):
            if key[level] != MIXED:
                assert {values[one] for one in lot} == {key[level]}
