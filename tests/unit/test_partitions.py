"""Cuts of the same people attacked: by sums and differences of groups, and by bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analyzers import partitions

Person = tuple[str, str, str, bool]


@st.composite
def populations(draw: st.DrawFn) -> list[Person]:
    """Draw people whose cuts go together often: that is where differences are small."""
    people: list[Person] = []
    for _ in range(draw(st.integers(0, 34))):
        first = draw(st.sampled_from("AB"))
        second = first.lower() if draw(st.integers(0, 5)) else draw(st.sampled_from("abc"))
        third = second.upper() if draw(st.integers(0, 3)) else draw(st.sampled_from("XY"))
        people.append((first, second, third, draw(st.booleans())))
    return people


def shown(people: Sequence[Person], k: int) -> list[list[str]]:
    cuts = {str(place): [str(one[place]) for one in people] for place in range(3)}
    found = partitions.admit(cuts, [one[3] for one in people], k)
    return [groups for groups, why in found.values() if why is None]


def equations(cuts: Sequence[Sequence[str]]) -> np.ndarray:
    return np.array([[name == group for name in cut] for cut in cuts for group in sorted(set(cut))], float)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations(), st.sampled_from([3, 5]))
def test_no_combination_of_totals_bears_on_fewer_than_k_people(people: list[Person], k: int) -> None:
    cuts = shown(people, k)
    for cut in cuts:
        assert min(Counter(cut).values()) >= k
    if not cuts:
        return
    known = equations(cuts)
    rank = np.linalg.matrix_rank(known)
    atoms = sorted(set(zip(*cuts, strict=True)))
    inside = [[place for place, atom in enumerate(zip(*cuts, strict=True)) if atom == one] for one in atoms]
    # Without the people of a set, the others still span everything: nothing stands on the set alone.
    for size in range(1, k):
        for some in combinations([one for one in inside if len(one) < k], size):
            few = [place for one in some for place in one]
            if len(few) < k:
                rest = np.delete(known, few, axis=1)
                assert np.linalg.matrix_rank(rest) == rank


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations())
def test_bounds_tell_nobody_s_answer_but_in_a_group_all_alike(people: list[Person]) -> None:
    cuts = shown(people, 5)
    if not cuts:
        return
    known, said = equations(cuts), np.array([one[3] for one in people], float)
    totals = known @ said
    alike = (totals == 0) | (totals == known.sum(axis=1))
    told = known[alike].any(axis=0)
    for place in range(len(people)):
        atom = [all(cut[place] == cut[other] for cut in cuts) for other in range(len(people))]
        if told[place] or sum(atom) >= 5:
            continue
        aim = np.array(atom, float)
        ends = [
            linprog(sign * aim, A_eq=known, b_eq=totals, bounds=(0, 1), method="highs") for sign in (1, -1)
        ]
        assert -ends[1].fun - ends[0].fun >= 1 - 1e-6


def test_a_cut_within_another_but_for_two_is_refused() -> None:
    """Who finished spent much time, and so did two others: the difference of two groups is those two."""
    done = ["done"] * 10 + ["not"] * 12
    time = ["over"] * 12 + ["under"] * 10
    outcome = [True, False] * 11
    found = partitions.admit({"done": done, "time": time}, outcome, 5)
    assert (found["done"][1], found["time"]) == (None, ([], "linked"))
    apart = ["over", "under"] * 11
    assert partitions.admit({"done": done, "time": apart}, outcome, 5)["time"][1] is None


def test_a_difference_through_three_cuts_is_refused() -> None:
    """Two cuts at a time differ by many, the three together by one person."""
    people = [(a, b, str((int(a) + int(b)) % 2)) for a, b in product("01", "01") for _ in range(9)]
    people[0] = (people[0][0], people[0][1], "1")
    cuts = [list(cut) for cut in zip(*people, strict=True)]
    outcome = [place % 3 == 0 for place in range(len(people))]
    assert all(partitions.safe([cuts[i], cuts[j]], outcome, 5) for i, j in combinations(range(3), 2))
    known = equations(cuts)
    rest = np.delete(known, [0], axis=1)
    expected = np.linalg.matrix_rank(rest) == np.linalg.matrix_rank(known)
    assert partitions.safe(cuts, outcome, 5) == expected


@pytest.mark.parametrize(("people", "k"), [(0, 5), (4, 5), (9, 5), (21, 11)])
def test_under_twice_the_threshold_nothing_is_cut(people: int, k: int) -> None:
    values = [str(rank % 2) for rank in range(people)]
    found = partitions.admit({"one": values}, [True] * people, k)
    assert found["one"] == ([], "few")


def test_a_large_course_is_sealed_in_seconds() -> None:
    rng = np.random.default_rng(3)
    cuts = {str(width): rng.integers(0, width, 2000).astype(str).tolist() for width in (2, 2, 3, 4, 6)}
    found = partitions.admit(cuts, (rng.random(2000) < 0.8).tolist(), 5)
    assert all(why is None for _, why in found.values())
