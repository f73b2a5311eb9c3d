"""Groups of respondents sealed: counts under the guard, and what is worked out from them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from analyzers import depth, intervals, paired
from analyzers.depth import Breakdown, Depth, Group, Member, Representation, Respondent, Turnout

DAY = date(2026, 11, 22)


def respondent(favourable: bool, **traits: str) -> Respondent:
    return Respondent(favourable, traits)


# --- intervals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "n", "people"), [(0, 5, 12), (7, 9, 10), (40, 58, 60), (3, 20, 9000)])
def test_wilson_in_a_finite_group_is_wilson_with_a_smaller_quantile(count: int, n: int, people: int) -> None:
    z = 1.959963984540054 * ((people - n) / (people - 1)) ** 0.5
    expected = proportion_confint(count, n, alpha=2 * stats.norm.sf(z), method="wilson")
    assert intervals.wilson(count, n, population=people) == pytest.approx(expected, abs=1e-9)


@given(st.integers(1, 60), st.data())
def test_the_finite_interval_solves_the_score_equation_and_closes_on_everybody(
    n: int, data: st.DataObject
) -> None:
    count, people = data.draw(st.integers(0, n)), data.draw(st.integers(n, 200))
    low, high = intervals.wilson(count, n, population=people)
    assert 0 <= low <= count / n <= high <= 1
    if people == n:
        assert low == high
        return
    for end in (low, high):
        if 0 < end < 1:
            spread = end * (1 - end) / n * (people - n) / (people - 1)
            assert (count / n - end) ** 2 == pytest.approx(1.959963984540054**2 * spread, abs=1e-9)
    with pytest.raises(ValueError, match="people of"):
        intervals.wilson(count, n, population=n - 1)


def test_a_difference_equals_newcombe_in_statsmodels() -> None:
    for first, second in product([(5, 5), (0, 7), (12, 20)], [(3, 9), (20, 20), (1, 40)]):
        value, low, high = intervals.difference(first, second)
        expected = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
        assert value == pytest.approx(first[0] / first[1] - second[0] / second[1], abs=1e-12)
        assert (low, high) == pytest.approx(expected, abs=1e-9)


def test_an_odds_ratio_equals_statsmodels() -> None:
    value, low, high = intervals.odds_ratio((12, 20), (5, 25))
    table = Table2x2(np.array([[12.5, 8.5], [5.5, 20.5]]))
    assert value == pytest.approx(table.oddsratio, abs=1e-9)
    assert (low, high) == pytest.approx(table.oddsratio_confint(), abs=1e-6)
    assert intervals.odds_ratio((5, 5), (0, 5))[0] > 1  # an empty cell has one too


# --- sealing ---------------------------------------------------------------------------------------------


def test_groups_are_counted_and_kept_as_json() -> None:
    some = [
        respondent(rank % 3 > 0, done="done" if rank < 12 else "not_done", corps="ABC"[rank % 2])
        for rank in range(24)
    ]
    members = [Member(True, {"corps": "ABC"[rank % 2]}) for rank in range(24)]
    members += [Member(False, {"corps": "ABC"[rank % 2]}) for rank in range(14)]
    made = depth.seal(some, members, cuts=["done"], origins=["corps"], k=5, made_on=DAY, minutes=40, items=24)
    assert (made.n, made.favourable, made.known) == (24, 16, 1.0)
    assert made.breakdown("done") is not None
    assert [(one.n, one.favourable) for one in made.breakdowns[0].groups] == [(12, 8), (12, 8)]
    assert [(one.name, one.enrolled, one.answered) for one in made.representations[0].groups] == [
        ("A", 19, 12),
        ("B", 19, 12),
    ]
    assert depth.restore(json.loads(json.dumps(depth.dump(made)))) == made


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABCDE"), st.booleans(), st.booleans(), st.sampled_from(["done", "not_done"])
        ),
        max_size=60,
    )
)
def test_every_cell_sealed_holds_nobody_or_k_people(people: list[tuple[str, bool, bool, str]]) -> None:
    members = [Member(answered, {"corps": corps}) for corps, answered, _, _ in people]
    some = [respondent(liked, done=done, corps=corps) for corps, answered, liked, done in people if answered]
    made = depth.seal(some, members, cuts=["done"], origins=["corps"], k=5, made_on=DAY)
    turnout = made.representations[0]
    for one in turnout.groups:
        assert one.answered >= 5
        assert one.enrolled == one.answered or one.enrolled - one.answered >= 5
    for found in made.breakdowns:
        assert not found.groups or sum(one.n for one in found.groups) == len(some)
        assert all(one.n >= 5 for one in found.groups)
    own = made.breakdown("corps")
    if own is not None and own.groups:
        # The same categories on both pages: their counts cannot be taken from one another.
        assert {one.name: one.n for one in own.groups} == {one.name: one.answered for one in turnout.groups}


def test_who_answered_is_compared_with_who_could() -> None:
    members = [Member(rank < 20, {"corps": "IEN"}) for rank in range(25)]
    members += [Member(rank < 6, {"corps": "CPE"}) for rank in range(25)]
    made = depth.seal(
        [respondent(True, corps="IEN")] * 20 + [respondent(False, corps="CPE")] * 6,
        members, cuts=[], origins=["corps"], k=5, made_on=DAY,
    )  # fmt: skip
    found = made.representations[0].strength
    assert found is not None
    table = np.array([[6, 19], [20, 5]])
    assert found.p == pytest.approx(stats.chi2_contingency(table, correction=False)[1], abs=1e-9)
    assert found.v > 0.5
    weighted = depth.post_stratified(made.breakdowns[0], made.representations[0])
    assert weighted is not None
    assert weighted[0] == pytest.approx(0.5)  # half of the people asked are of each corps


def test_a_post_stratified_share_in_closed_form() -> None:
    found = Breakdown("corps", (Group("a", 10, 9), Group("b", 20, 8)))
    turnout = Representation("corps", (Turnout("a", 40, 10), Turnout("b", 60, 20)))
    value, low, high = depth.post_stratified(found, turnout) or (0, 0, 0)
    assert value == pytest.approx(0.4 * 0.9 + 0.6 * 0.4, abs=1e-12)
    variance = 0.4**2 * 0.75 * 0.09 / 9 + 0.6**2 * (1 - 1 / 3) * 0.24 / 19
    assert (low, high) == pytest.approx(
        (value - 1.959963984540054 * variance**0.5, value + 1.959963984540054 * variance**0.5), abs=1e-9
    )
    assert depth.post_stratified(Breakdown("corps", (), "linked"), turnout) is None
    assert depth.post_stratified(Breakdown("corps", (Group("a", 10, 9),)), turnout) is None


def test_contrasts_are_of_each_group_and_the_others() -> None:
    two = depth.contrasts(Breakdown("done", (Group("done", 10, 9), Group("not_done", 10, 2))))
    assert [(one.group.name, one.rest, one.stands_out) for one in two] == [("done", (2, 10), True)]
    three = depth.contrasts(Breakdown("corps", (Group("a", 5, 5), Group("b", 6, 1), Group("c", 9, 9))))
    assert [one.rest for one in three] == [(10, 15), (14, 14), (6, 11)]
    assert depth.contrasts(Breakdown("done", (), "few")) == ()


def test_nothing_known_is_nothing_shown() -> None:
    made = depth.seal([], [], cuts=["done"], origins=["corps"], k=5, made_on=DAY)
    assert made == Depth(
        DAY,
        0,
        0,
        (Breakdown("done", (), "few"), Breakdown("corps", (), "few")),
        (Representation("corps", (), "few"),),
    )


# --- the same people twice --------------------------------------------------------------------------------


def test_a_change_equals_statsmodels_and_scipy() -> None:
    rng = np.random.default_rng(5)
    before = rng.integers(1, 5, 30)
    after = np.clip(before + rng.integers(-1, 3, 30), 1, 4)
    found = paired.change("C1", before.tolist(), after.tolist())
    moved = DescrStatsW(after - before)
    assert found.mean == pytest.approx(moved.mean, abs=1e-9)
    assert (found.low, found.high) == pytest.approx(moved.tconfint_mean(), abs=1e-9)
    assert found.dz == pytest.approx(moved.mean / np.std(after - before, ddof=1), abs=1e-9)
    assert found.p == pytest.approx(stats.wilcoxon(after - before).pvalue, abs=1e-9)
    still = paired.change("C1", [2, 3, 4], [2, 3, 4])
    assert (still.mean, still.dz, still.p) == (0.0, None, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changes_leave_nobody_alone(data: st.DataObject) -> None:
    """With the totals of the questionnaires and the sums of changes, no equation is of fewer than k."""
    people = [str(rank) for rank in range(data.draw(st.integers(5, 16)))]
    start, first, second = ({who for who in people if data.draw(st.integers(0, 5)) > 0} for _ in range(3))
    shown: list[set[str]] = []
    for end in (first, second):
        if paired.admitted(start, end, shown, 5) is None:
            shown.append(end)
    columns = [(who, time) for time, there in enumerate((start, *shown)) for who in sorted(there)]
    rows = [[float(time == asked) for _, time in columns] for asked in range(len(shown) + 1)]
    for place, end in enumerate(shown, 1):
        both = start & end
        rows.append([(float(time == place) - float(time == 0)) * (who in both) for who, time in columns])
    matrix = np.array(rows)
    if not columns or not matrix.any():
        return
    patterns = Counter(tuple(who in there for there in (start, *shown)) for who in people)
    rank = np.linalg.matrix_rank(matrix)
    for some in product([False, True], repeat=len(patterns)):
        chosen = {
            pattern for pattern, taken in zip(sorted(patterns), some, strict=True) if taken and any(pattern)
        }
        if 0 < sum(patterns[pattern] for pattern in chosen) < 5:
            inside = [tuple(who in there for there in (start, *shown)) in chosen for who, _ in columns]
            # The totals themselves are published already: only what changes add is looked at.
            rest = matrix[:, [not one for one in inside]]
            bare = np.array(rows[: len(shown) + 1])[:, [not one for one in inside]]
            lost = np.linalg.matrix_rank(np.array(rows[: len(shown) + 1])) - np.linalg.matrix_rank(bare)
            assert np.linalg.matrix_rank(rest) == rank - lost
