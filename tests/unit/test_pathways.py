"""The ways through a path: measures worked out by hand, curves as lifelines draws them from the people."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter  # type: ignore[import-untyped]
from lifelines.statistics import multivariate_logrank_test  # type: ignore[import-untyped]
from scipy.stats import kendalltau

from analyzers import journeys as frame
from analyzers import pathways, stopping
from analyzers.journeys import DESIGNED, NO_ORDER, OTHER_ORDER
from tests.factories.journeys import drawn, journeys

K = 11


def test_the_order_of_one_person() -> None:
    made = journeys([(0, 1, 2, 3), (1, 0, 2), (0, 2), (3, 2, 1, 0), (2,), ()], modules=4, states="ffwsss")
    assert made.tau[:4].tolist() == [1, pytest.approx(1 / 3), 1, -1]
    assert np.isnan(made.tau[4:]).all()
    assert made.order.tolist() == [DESIGNED, OTHER_ORDER, DESIGNED, OTHER_ORDER, NO_ORDER, NO_ORDER]
    # Taken one place earlier, one later, in its place, among the modules that the person took.
    assert made.shifts[1].tolist() == [-1, 1, 0, 0]
    assert made.shifts[2].tolist() == [0, 0, 0, 0]
    assert made.shifts[3].tolist() == [-3, -1, 1, 3]


def test_agreement_is_that_of_scipy() -> None:
    made = drawn(3, 80, 6, disorder=0.9)
    for row in range(made.people):
        own = made.steps[row][made.steps[row] >= 0]
        if len(own) > 1:
            assert made.tau[row] == pytest.approx(kendalltau(np.arange(len(own)), own).statistic, abs=1e-12)


def test_rows_become_steps_and_returns() -> None:
    day = 86_400_000_000
    person, module = np.array([0, 0, 0, 1, 1]), np.array([2, 0, 1, 1, 0])
    first, last = np.array([9, 1, 5, 3, 3]) * day, np.array([9, 7, 6, 3, 3]) * day
    steps, returned = frame.ordered(person, module, first, last, np.array([2, 0, 1, 1, 0]), 3, 4)
    assert steps.tolist() == [[0, 1, 2, -1], [0, 1, -1, -1], [-1, -1, -1, -1]]
    # Module 0 was seen again two days after module 1 was entered; nothing comes after the last one.
    assert np.argwhere(returned).tolist() == [[0, 0]]
    assert frame.once_each(
        ["a", "b", "a", "b"], np.array([1, 0, 0, 0], bool), np.array([1, 1, 2, 2])
    ).tolist() == [
        0,
        3,
    ]


def test_a_frame_comes_back_as_it_was_packed() -> None:
    made = drawn(1, 30, 5)
    back = frame.unpack(frame.pack(made))
    assert back is not None
    assert back.modules == made.modules
    assert (back.steps == made.steps).all()
    assert back.traits["corps"].values == made.traits["corps"].values


def test_what_is_told_of_a_path() -> None:
    steps = [(0, 1, 2)] * 40 + [(0, 1)] * 20 + [(1, 0, 2)] * 15 + [(2,)] * 3 + [()] * 12
    states = "f" * 40 + "s" * 20 + "f" * 15 + "s" * 3 + "s" * 12
    back = np.zeros((90, 3), dtype=bool)
    back[:30, 0] = True
    found = pathways.picture(journeys(steps, modules=3, states=states, returned=back), k=K, stopped_days=60)
    assert found is not None
    assert found.people.n == 90
    assert (found.people.straight.count, found.people.straight.n) == (60, 75)
    assert found.people.variants == (((0, 1, 2), 40), ((0, 1), 20), ((1, 0, 2), 15))
    # The three who began with the last module are with those who began none.
    assert found.people.follows == {(0, 1): 60, (1, 2): 40, (1, 0): 15, (0, 2): 15}
    assert found.people.stops == {1: 20}
    assert found.people.flow()[1, 1, pathways.STOP] == 20
    assert found.people.flow()[2, 2, pathways.END] == 55
    assert found.agreement is not None
    assert found.agreement.mean == pytest.approx((60 + 15 / 3) / 75)
    assert [(one.module, one.n) for one in found.placed] == [(0, 75), (1, 75), (2, 55)]
    assert found.placed[0].shift == pytest.approx(15 / 75)
    assert (found.returns[0].count, found.returns[0].n) == (30, 75)
    shares = np.array([40, 20, 15, 15]) / 90
    assert found.people.variety == pytest.approx(2 ** -(shares * np.log2(shares)).sum())
    course = stopping.by_step([found.people])
    assert course is not None
    assert course.spans == ((0, 1), (2, 2))
    assert course.worst == 1
    assert course.curves[0].share.tolist() == pytest.approx([1, 75 / 90, 55 / 90])


@pytest.mark.parametrize("by", ["", "year", "corps"])
def test_curves_are_those_of_the_people(by: str) -> None:
    made = drawn(7, 6000, 4, disorder=0)
    found = pathways.picture(made, k=K, stopped_days=60, by=by)
    assert found is not None
    groups = found.groups if by else (found.people,)
    names, codes = made.codes(by) if by else (("",), np.zeros(made.people, dtype=np.int32))
    place = {name: rank for rank, name in enumerate(names)} | ({"": -1} if by == "corps" else {})
    stopped = made.state(60) == frame.INTERRUPTED
    asked = [(stopping.by_step(groups), made.entered)]
    if by != "corps":
        asked.append((stopping.by_week(groups), made.weeks(60).astype(np.int64)))
    else:
        assert stopping.by_week(groups) is None
    for course, times in asked:
        assert course is not None
        assert all(low == high for low, high in course.spans)
        for group, curve in zip(groups, course.curves, strict=True):
            rows = codes == place[group.name]
            theirs = KaplanMeierFitter().fit(times[rows], stopped[rows])
            at = [high for _, high in course.spans]
            wanted = theirs.survival_function_at_times(at).to_numpy()
            assert np.abs(curve.share[1:] - wanted).max() < 1e-9
            interval = theirs.confidence_interval_.loc[at].to_numpy()
            assert np.abs(np.stack([curve.low, curve.high], axis=1)[1:] - interval).max() < 1e-9
        if by:
            test = multivariate_logrank_test(times, codes, stopped)
            assert course.test is not None
            assert abs(course.test.chi2 - test.test_statistic) < 1e-9
            assert abs(course.test.p - test.p_value) < 1e-9


def test_too_few_people_are_not_told_of() -> None:
    assert pathways.picture(drawn(1, 10, 4), k=K, stopped_days=60) is None
    alone = pathways.picture(drawn(1, 30, 4), k=K, stopped_days=60, by="corps")
    assert alone is not None
    assert all(group.n >= K for group in alone.groups)
