"""Kaplan–Meier, Greenwood's interval and the log-rank test are those of lifelines, on OULAD too."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter  # type: ignore[import-untyped]
from lifelines.statistics import multivariate_logrank_test  # type: ignore[import-untyped]
from numpy.typing import NDArray

from analyzers import survival

EXACT = 1e-9
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Lives = tuple[Floats, Flags]


def same_curve(times: Floats, ended: Flags) -> None:
    mine = survival.kaplan_meier(survival.tally(times, ended))
    theirs = KaplanMeierFitter().fit(times, ended)
    wanted = theirs.survival_function_.iloc[:, 0].reindex(mine.tally.times).to_numpy()
    assert np.abs(mine.share - wanted).max() < EXACT
    interval = theirs.confidence_interval_.reindex(mine.tally.times).to_numpy()
    inner = (mine.share > 0) & (mine.share < 1)
    assert np.abs(np.stack([mine.low, mine.high], axis=1) - interval)[inner].max(initial=0) < EXACT
    table = theirs.event_table.loc[mine.tally.times]
    assert (mine.tally.at_risk == table["at_risk"].to_numpy()).all()
    assert (mine.tally.ended == table["observed"].to_numpy()).all()


def same_test(lives: Lives, groups: Ints) -> None:
    times, ended = lives
    mine = survival.log_rank(
        [survival.tally(times[groups == one], ended[groups == one]) for one in np.unique(groups)]
    )
    theirs = multivariate_logrank_test(times, groups, ended)
    assert mine is not None
    assert abs(mine.chi2 - theirs.test_statistic) < EXACT * max(1, theirs.test_statistic)
    assert abs(mine.p - theirs.p_value) < EXACT
    assert mine.df == theirs.degrees_of_freedom
    assert abs(sum(mine.observed) - sum(mine.expected)) < 1e-6


life = st.tuples(st.integers(0, 8), st.booleans())


@settings(max_examples=20)
@given(st.lists(life, min_size=3, max_size=60))
def test_curves_are_those_of_lifelines(lives: list[tuple[int, bool]]) -> None:
    times = np.array([float(time) for time, _ in lives])
    same_curve(times, np.array([ended for _, ended in lives]))


def test_three_groups_are_tested_as_lifelines_does() -> None:
    random = np.random.default_rng(4)
    groups = random.integers(0, 3, 400)
    times = np.ceil(random.exponential(3 + groups, 400))
    ended = random.random(400) < 0.7
    same_test((times, ended), groups)
    # Weights are people counted several times.
    whole = survival.tally(times, ended)
    twice = survival.tally(times, ended, np.full(400, 2.0))
    assert (twice.ended == 2 * whole.ended).all()


def test_nothing_is_tested_without_two_groups_or_events() -> None:
    one = survival.tally(np.array([1.0, 2.0]), np.array([True, False]))
    calm = survival.tally(np.array([1.0, 2.0]), np.array([False, False]))
    assert survival.log_rank([one]) is None
    assert survival.log_rank([calm, calm]) is None
    assert survival.kaplan_meier(calm).median is None
    assert survival.kaplan_meier(one).median == 1.0


@pytest.fixture(scope="module")
def withdrawals(shared_data: Path) -> tuple[Lives, Ints]:
    """Return, of every registration of OULAD, the day of unregistration or the end, and the region."""
    folder = shared_data / "oulad"
    lengths, regions = {}, {}
    with (folder / "courses.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lengths[row["code_module"], row["code_presentation"]] = int(row["module_presentation_length"])
    with (folder / "studentInfo.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            regions[row["code_module"], row["code_presentation"], row["id_student"]] = row["region"]
    times, ended, names = [], [], []
    with (folder / "studentRegistration.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = row["code_module"], row["code_presentation"]
            gone = row["date_unregistration"]
            times.append(float(max(0.0, float(gone))) if gone else float(lengths[key]))
            ended.append(bool(gone))
            names.append(regions[(*key, row["id_student"])])
    codes = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return (np.array(times), np.array(ended)), codes


def test_interruptions_of_oulad(withdrawals: tuple[Lives, Ints]) -> None:
    (times, ended), regions = withdrawals
    assert len(times) > 19_000
    same_curve(times, ended)
    same_test((times, ended), regions)
