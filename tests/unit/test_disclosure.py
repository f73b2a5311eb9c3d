"""The guard of what leaves: threshold, steps in time, grouping, lattices."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers import disclosure
from analyzers.disclosure import Lattice, NotOffered

K = 5


@given(st.integers(0, 60), st.integers(0, 60), st.integers(2, 20))
def test_a_share_is_shown_from_k_people_on_and_never_below(count: int, more: int, k: int) -> None:
    found = disclosure.share(count, count + more, k=k)
    if count + more < k:
        assert (found.count, found.n, found.low, found.high, found.value) == (None,) * 5
        assert found.suppressed == "few"
    else:
        assert (found.count, found.n, found.suppressed) == (count, count + more, None)
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize(("count", "n"), [(0, 4), (4, 4), (0, 0), (2, 3)])
def test_nought_and_a_hundred_per_cent_of_few_are_suppressed_too(count: int, n: int) -> None:
    assert disclosure.share(count, n, k=K).suppressed == "few"


def test_an_impossible_share_is_refused() -> None:
    with pytest.raises(ValueError, match="7 among 6"):
        disclosure.share(7, 6, k=K)


# --- in time ------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(2, 12))
def test_published_states_differ_by_k_people_until_the_closing(arrivals: list[int], k: int) -> None:
    """People arrive by any numbers; what is published moves by k at least, or not at all."""
    there, published, seen = 0, 0, [0]
    for number in arrivals:
        there += number
        published = disclosure.step(there, published, closed=False, k=k)
        assert published <= there < published + k
        seen.append(published)
    assert all(later == earlier or later - earlier >= k for earlier, later in pairwise(seen))
    last = disclosure.step(there, published, closed=True, k=k)
    assert last == (there if there >= k else 0)


@given(st.integers(0, 200), st.integers(2, 12))
def test_answers_taken_back_never_bring_the_figures_back(there: int, k: int) -> None:
    published = disclosure.step(there, 0, closed=False, k=k)
    assert disclosure.step(max(0, there - 3), published, closed=False, k=k) == published


def test_the_next_block() -> None:
    assert [disclosure.due(n, K) for n in (0, 4, 5, 12)] == [5, 1, 5, 3]


# --- grouping -----------------------------------------------------------------------------------------


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 20), max_size=10))
def test_every_group_shown_has_k_people(counts: dict[str, int]) -> None:
    groups = disclosure.grouped(counts, k=K, other="other")
    totals: dict[str, int] = {}
    for name, shown in groups.items():
        totals[shown] = totals.get(shown, 0) + counts[name]
    assert set(groups) == set(counts)
    if sum(counts.values()) >= K:
        assert all(total >= K for total in totals.values())
    else:
        assert len(totals) <= 1


def test_the_smallest_kept_joins_a_gathering_still_too_small() -> None:
    groups = disclosure.grouped({"Lyon": 2, "Nice": 6, "Lille": 9}, k=K, other="other")
    assert groups == {"Lyon": "other", "Nice": "other", "Lille": "Lille"}


# --- lattices -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "views",
    [
        (("origin", "mode"), ("mode", "month"), ("month", "origin")),
        (("origin", "mode", "month"),),
        (("origin", "origin"),),
        (("origin", "gender"),),
    ],
)
def test_a_lattice_that_could_tell_too_much_is_refused(views: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(ValueError, match="page"):
        Lattice("page", ("origin", "mode", "month"), views)


def test_only_declared_combinations_are_answered() -> None:
    lattice = Lattice("page", ("origin", "mode"), ((), ("origin",), ("mode", "origin")))
    people = [{"origin": "Lyon", "mode": "libre"}] * 7 + [{"origin": "Nice", "mode": "obligatoire"}] * 8
    found = disclosure.guard(lattice, people, k=K)
    assert found.view()[()].count == 15
    assert found.view("origin")["Nice",].count == 8
    assert found.view("origin", "mode")["Lyon", "libre"].count == 7
    assert found.view("mode", "origin")["libre", "Lyon"].count == 7
    with pytest.raises(NotOffered, match="page: mode is not offered"):
        found.view("mode")


def test_a_category_too_small_is_answered_as_its_group_everywhere() -> None:
    lattice = Lattice("page", ("origin", "mode"), (("origin",), ("origin", "mode")))
    people = [{"origin": "Lyon", "mode": "a"}] * 8 + [{"origin": "Nice", "mode": "a"}] * 2
    people += [{"origin": "Lille", "mode": "b"}] * 5
    found = disclosure.guard(lattice, people, k=K)
    assert found.show(("origin",), ("Nice",)) == found.show(("origin",), ("Lille",))
    assert found.show(("origin",), ("Nice",)).count == 7
    assert found.share(3, ("origin",), ("Lyon",)).value == 3 / 8
    assert found.share(1, ("origin",), ("Rennes",)).suppressed == "few"


def test_nothing_is_said_of_fewer_than_k_people_in_all() -> None:
    lattice = Lattice("page", ("origin",), ((), ("origin",)))
    found = disclosure.guard(lattice, [{"origin": "Lyon"}] * 4, k=K)
    assert {cell.count for view in lattice.views for cell in found.view(*view).values()} == {None}
    assert disclosure.guard(lattice, [], k=K).view() == {}


def test_what_comes_as_other_is_gathered_like_the_small_ones() -> None:
    assert disclosure.grouped({"other": 1, "a": 5, "b": 9}, k=5, other="other") == {
        "other": "other", "a": "other", "b": "b",
    }  # fmt: skip
    assert disclosure.grouped({"other": 6, "a": 5}, k=5, other="other") == {"other": "other", "a": "a"}
