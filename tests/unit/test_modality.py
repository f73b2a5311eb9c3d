"""Presence and distance: sums of lots, plain differences, differences within paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzers import intervals, modality, stratified
from analyzers.modality import Following, Modality
from tests.factories.peopled import Run, community
from tool_config import activity_kinds
from tool_config.activity_kinds import KINDS, KindsError

K = 11


def table(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, np.ndarray]:
    kinds = {"hours": np.float32, "mark": np.float32}
    return {
        name: np.array([row[place] for row in rows], dtype=kinds.get(name, np.int64))
        for place, name in enumerate(names)
    }


def following(
    hours: list[tuple[Any, ...]] = (),  # type: ignore[assignment]
    marks: list[tuple[Any, ...]] = (),  # type: ignore[assignment]
    planned: list[tuple[Any, ...]] = (),  # type: ignore[assignment]
    received: dict[int, tuple[int, int]] | None = None,
) -> Following:
    return Following(
        table(("course_id", "person", "kind", "hours"), list(hours)),
        table(("course_id", "person", "mark"), list(marks)),
        table(("course_id", "kind", "hours"), list(planned)),
        0,
        received or {},
    )


#: Two paths held both ways, one at a distance only; distance keeps fewer people in each.
RUNS = [
    Run(0, "2024-10-01", came=40, finished=36, modality="in_person"),
    Run(0, "2024-11-01", came=40, finished=30, modality="distance"),
    Run(1, "2024-10-01", came=20, finished=8, modality="in_person"),
    Run(1, "2024-11-01", came=60, finished=18, modality="distance"),
    Run(2, "2024-10-01", came=50, finished=48, modality="distance"),
]


def study(runs: list[Run] = RUNS, found: Following | None = None, **more: Any) -> Modality:
    return modality.study(community(runs), found or following(), k=K, **more)


def test_completion_plain_and_within_paths() -> None:
    found = study()
    assert (found.sessions, found.enrolled) == ((2, 3, 0), (60, 150, 0))
    completion = found.outcomes[0]
    assert [None if one is None else (one.count, one.n) for one in completion.shares] == [
        (44, 60), (96, 150), None,
    ]  # fmt: skip
    (pair,) = completion.comparisons
    assert (pair.first, pair.second) == (1, 0)
    assert (pair.value, pair.low, pair.high) == intervals.difference((96, 150), (44, 60))
    assert pair.pooled is not None
    expected = stratified.risk_difference({0: ((30, 40), (36, 40)), 1: ((18, 60), (8, 20))})
    assert pair.pooled == expected
    assert (pair.both, pair.paths) == (2, 3)
    # Of one path: nothing to standardise by.
    assert study(path=2).outcomes[0].comparisons == ()


def test_sessions_where_nobody_finished_are_not_counted() -> None:
    runs = [*RUNS, Run(3, "2024-10-01", came=70, finished=0, modality="in_person")]
    shares = study(runs).outcomes[0].shares
    assert shares[0] is not None
    assert shares[0].n == 60


def test_small_lots_are_of_no_modality() -> None:
    runs = [*RUNS, Run(0, "2024-12-01", came=6, finished=6, modality="blended")]
    found = study(runs)
    # The six join the smallest of the two other ways of their path: neither is told apart.
    assert found.outcomes[0].shares[2] is None
    assert found.unknown == 2


def test_hours_by_kind_and_what_few_followed() -> None:
    hours = [(1, person, 0, 6.0) for person in range(20)]
    hours += [(2, 40 + person, 1, 1.5) for person in range(15)]
    hours += [(2, 40 + person, 3, 2.0) for person in range(30)]
    hours += [(2, 40 + person, 4, 9.0) for person in range(4)]
    # A course that is gone.
    hours += [(99, 400 + person, 3, 5.0) for person in range(30)]
    runs = [
        Run(0, "2024-10-01", came=40, modality="in_person", hours=(9, np.nan)),
        Run(0, "2024-11-01", came=40, modality="distance", hours=(np.nan, 10)),
    ]
    found = study(runs, following(hours, planned=[(1, 0, 6.0), (2, 1, 1.5)]))
    assert {one.kind: one.followed for one in found.hours} == {
        "in_person": 120, "virtual_class": 22.5, "conference": 0, "self_training": 60, "collaborative": 0,
    }  # fmt: skip
    assert {one.kind: one.planned for one in found.hours[:2]} == {"in_person": 240, "virtual_class": 60}
    assert (found.planned_aside, found.planned_online) == (3 * 40, 8.5 * 40)
    assert found.distance_share == pytest.approx(82.5 / 202.5)


def test_marks_and_satisfaction() -> None:
    rng = np.random.default_rng(2)
    marks = [
        (course, 100 * course + rank, float(rng.uniform(0.4, 0.9))) for course in (1, 2) for rank in range(30)
    ]
    marks += [(3, 300 + rank, 1.0) for rank in range(3)]
    found = study(found=following(marks=marks, received={1: (20, 25), 2: (30, 36), 5: (10, 12), 77: (5, 50)}))
    satisfaction, marked = found.outcomes[1], found.outcomes[2]
    assert [None if one is None else (one.count, one.n) for one in satisfaction.shares] == [
        (20, 25), (40, 48), None,
    ]  # fmt: skip
    assert satisfaction.comparisons[0].both == 1
    assert [None if one is None else one.n for one in marked.means] == [30, 30, None]
    values = [np.array([np.float32(mark) for course, _, mark in marks if course == n], float) for n in (1, 2)]
    assert marked.comparisons[0].value == pytest.approx(values[1].mean() - values[0].mean(), abs=1e-6)
    assert marked.comparisons[0].pooled is not None


def test_kinds_of_activities() -> None:
    kinds = activity_kinds.load()
    assert kinds.of_gathering("virtual_class", "Classe virtuelle 2") == "virtual_class"
    assert kinds.of_gathering("virtual_class", "Webinaire : le climat scolaire") == "conference"
    assert kinds.of_gathering("visit", "Visite") == "in_person"
    assert kinds.of_type("http://adlnet.gov/expapi/activities/assessment") == "self_training"
    assert kinds.of_type("http://id.tincanapi.com/activitytype/survey") is None
    assert set(kinds.types.values()) <= {*KINDS, "aside"}


def test_kinds_that_cannot_be_used(tmp_path: Any) -> None:
    for text in ("types: {}", "{gatherings: {}, types: {walk: [a]}, titles: {}}",
                 "{gatherings: {}, types: {aside: [a], in_person: [a]}, titles: {}}",
                 "{gatherings: {}, types: {}, titles: {conference: ['(']}}"):  # fmt: skip
        file = tmp_path / f"{abs(hash(text))}.yaml"
        file.write_text(text)
        with pytest.raises(KindsError):
            activity_kinds.load(file)
