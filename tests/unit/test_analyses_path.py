"""One learner's path and pace, activities of a module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers import progress
from analyzers.results import ActivityProgress
from analyzers.shapes import ActivityTrace, CourseFrames, DayTrace, Item, LearnerFrames, ModuleActivities
from tests.factories.courses import START, TODAY, Entry, Person, ago, course, finished, outline

WEEK = timedelta(weeks=1)


def learner(
    frames: CourseFrames,
    actor: str = "me",
    activities: Sequence[ActivityTrace] = (),
    days: Sequence[DayTrace] = (),
    parts: Sequence[DayTrace] = (),
    tracked: Sequence[str] = ("m1a1", "m1a2", "m2a1", "m2a2", "m3a1", "m3a2"),
) -> LearnerFrames:
    return LearnerFrames(
        frames, actor, frames.row_of(actor), tuple(activities), tuple(days), tuple(parts), frozenset(tracked)
    )


def trace(activity: str, completed_on: date | None = None, attended: bool = False) -> ActivityTrace:
    return ActivityTrace(activity, ago(9), completed_on, attended, None, 60)


# --- path ---------------------------------------------------------------------------------------------


def test_steps_say_what_is_done_current_to_do_and_later() -> None:
    modules, activities = outline(4, m4={"opens_on": TODAY + timedelta(days=40)})
    me = Person(
        "me",
        [ago(1)],
        {"m1": finished(ago(20), score=0.5), "m2": Entry(1, first_on=ago(9), seconds=90)},
        last_module="m2",
    )
    path = progress.path(learner(course([me], modules=modules, activities=activities), activities=[]))
    assert [step.status for step in path.steps] == ["done", "current", "todo", "later"]
    assert [(step.done, step.total) for step in path.steps] == [(2, 2), (1, 2), (0, 2), (0, 2)]
    first, second = path.steps[:2]
    assert (first.completed_on, first.score, second.completed_on, second.score) == (ago(20), 0.5, None, None)
    assert (second.first_on, second.seconds) == (ago(9), 90)
    assert (path.done, path.required, path.finished) == (1, 4, False)
    assert path.next_step == second


def test_the_next_activity_is_the_first_required_one_not_completed() -> None:
    me = Person("me", [ago(1)], {"m1": Entry(1)}, last_module="m1")
    path = progress.path(learner(course([me]), activities=[trace("m1a1", ago(9)), trace("m1a2")]))
    assert path.next_activity is not None
    assert path.next_activity.iri == "m1a2"
    assert path.next_activity.reached_on == ago(9)


def test_an_activity_that_nothing_tracks_is_done_once_reached() -> None:
    me = Person("me", [ago(1)], {"m1": Entry(1)}, last_module="m1")
    path = progress.path(learner(course([me]), activities=[trace("m1a1")], tracked=["m1a2"]))
    assert path.next_activity is not None
    assert path.next_activity.iri == "m1a2"


def test_a_gathering_that_is_over_is_never_next() -> None:
    modules, activities = outline(1)
    over = Item("g", "activity", "m1", "Journée", 0, True, gathering="day_in_person", opens_on=ago(3))
    frames = course([Person("me", [ago(1)])], modules=modules, activities=(over, *activities))
    path = progress.path(learner(frames))
    assert path.next_activity is not None
    assert path.next_activity.iri == "m1a1"


def test_when_everything_open_is_done_the_next_step_is_the_one_that_opens() -> None:
    modules, activities = outline(2, m2={"opens_on": TODAY + timedelta(days=4)})
    me = Person("me", [ago(1)], {"m1": finished()}, last_module="m1")
    path = progress.path(learner(course([me], modules=modules, activities=activities)))
    assert path.next_step is not None
    assert (path.next_step.iri, path.next_step.status) == ("m2", "later")
    assert path.planned == ((TODAY + timedelta(days=4), "Module 2", "opens"),)


def test_planned_gatherings_come_soonest_first_from_today_on() -> None:
    modules, activities = outline(1)
    dates = [("b", TODAY + timedelta(days=2)), ("a", TODAY), ("c", ago(1))]
    more = [
        Item(n, "activity", "m1", n.upper(), 9, False, gathering="virtual_class", opens_on=d)
        for n, d in dates
    ]
    frames = course([Person("me")], modules=modules, activities=(*activities, *more))
    assert [title for _, title, _ in progress.path(learner(frames)).planned] == ["A", "B"]


def test_nothing_is_next_for_who_has_finished() -> None:
    me = Person("me", [ago(1)], completed_on=ago(1))
    path = progress.path(learner(course([me])))
    assert (path.finished, path.next_step, path.next_activity) == (True, None, None)


def test_somebody_who_is_not_enrolled_has_everything_to_do() -> None:
    path = progress.path(learner(course([Person("other", [ago(1)])]), "stranger"))
    assert [step.status for step in path.steps] == ["todo"] * 3
    assert (path.done, path.finished, path.days) == (0, False, ())


def test_a_course_without_outline_has_no_step() -> None:
    path = progress.path(learner(course([Person("me", [ago(1)])], modules=(), activities=())))
    assert (path.steps, path.next_step, path.required, path.planned) == ((), None, 0, ())


def test_days_say_what_was_touched_most_used_first() -> None:
    days = [DayTrace(ago(2), "", 7, 420), DayTrace(ago(1), "", 1, 0)]
    parts = [
        DayTrace(ago(2), "m1a1", 2, 60),
        DayTrace(ago(2), "m1a2", 5, 360, completed=True),
        DayTrace(ago(2), "unknown", 9, 1),
        DayTrace(ago(4), "m2a1", 0, 0, attended=True),
    ]
    path = progress.path(learner(course([Person("me", [ago(2)])]), days=days, parts=parts))
    assert [day.day for day in path.days] == [ago(4), ago(2), ago(1)]
    presence, busy, _ = path.days
    assert (presence.attended, presence.events) == (("Activité 2.1",), 0)
    assert (busy.activities, busy.completed) == (("Activité 1.2", "Activité 1.1"), ("Activité 1.2",))
    assert (busy.events, busy.seconds) == (7, 420)


# --- pace ---------------------------------------------------------------------------------------------


def _done(*weeks: int | None) -> dict[str, Entry]:
    """Return modules finished in given weeks of the session (from 0), None for not finished."""
    return {
        f"m{rank}": Entry(1) if week is None else finished(START + week * WEEK)
        for rank, week in enumerate(weeks, 1)
    }


def test_pace_cumulates_modules_beside_the_quartiles_of_the_others() -> None:
    others = [_done(0, 1, 2), _done(0, 3), _done(1), _done(4), _done()]
    people = [Person("me", [TODAY], _done(0, 5))]
    people += [Person(f"o{i}", [TODAY], modules) for i, modules in enumerate(others)]
    pace = progress.pace(learner(course(people)))
    assert pace.mine == (1, 1, 1, 1, 1, 2, 2)
    table = np.array(
        [
            [1, 2, 3, 3, 3, 3, 3],
            [1, 1, 1, 2, 2, 2, 2],
            [0, 1, 1, 1, 1, 1, 1],
            [0, 0, 0, 0, 1, 1, 1],
            [0, 0, 0, 0, 0, 0, 0],
        ]
    )
    assert pace.band is not None
    assert np.allclose(np.array(pace.band).T, np.quantile(table, (0.25, 0.5, 0.75), axis=0))
    assert pace.weeks[0] == START


@pytest.mark.parametrize(("others", "shown"), [(0, False), (4, False), (5, True)])
def test_the_group_is_never_shown_under_the_threshold(others: int, shown: bool) -> None:
    people = [Person("me", [TODAY], _done(0))] + [Person(f"o{i}", [TODAY], _done(0)) for i in range(others)]
    pace = progress.pace(learner(course(people)))
    assert (pace.band is not None) is shown
    assert (pace.suppressed is None) is shown
    assert pace.mine == (1,) * 7


def test_a_module_finished_before_the_start_counts_from_the_first_week() -> None:
    me = Person("me", [TODAY], {"m1": finished(START - timedelta(days=30))})
    assert progress.pace(learner(course([me]))).mine == (1,) * 7


def test_pace_of_a_course_without_start_is_empty() -> None:
    pace = progress.pace(learner(course([Person("me")], starts_on=None)))
    assert (pace.weeks, pace.mine, pace.band) == ((), (), None)


WEEKS = st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(mine=WEEKS, others=st.lists(WEEKS, min_size=5, max_size=9))
def test_pace_only_grows_and_the_band_is_ordered(
    mine: list[int | None], others: list[list[int | None]]
) -> None:
    people = [Person("me", [TODAY], _done(*mine))]
    people += [Person(f"o{i}", [TODAY], _done(*weeks)) for i, weeks in enumerate(others)]
    pace = progress.pace(learner(course(people)))
    assert list(pace.mine) == sorted(pace.mine)
    assert pace.mine[-1] == sum(week is not None for week in mine)
    assert pace.band is not None
    assert all(0 <= low <= middle <= high <= 3 for low, middle, high in pace.band)


# --- activities of a module ---------------------------------------------------------------------------


def _traces(rows: Sequence[tuple[str, int, bool, int, float | None]]) -> ModuleActivities:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    names = ("activity", "learner", "completed", "seconds", "score")
    types = (object, np.int64, bool, np.int64, np.float64)
    frame = {
        name: np.array(column, dtype=kind) for name, column, kind in zip(names, columns, types, strict=True)
    }
    return ModuleActivities("m1", frame, frozenset({"m1a1"}))


def test_activities_count_who_reached_and_completed_them_in_order() -> None:
    rows = [
        ("m1a2", 0, False, 30, None),
        ("m1a1", 0, True, 100, 0.5),
        ("m1a1", 1, True, 300, 1.0),
        ("m1a1", 2, False, 20, None),
    ]
    first, second = progress.module(course(), "m1", _traces(rows))
    assert (first.iri, first.reached, first.completed, first.tracked) == ("m1a1", 3, 2, True)
    assert (first.median_seconds, first.median_score, first.scored) == (100, 0.75, 2)
    assert (second.reached, second.completed, second.tracked, second.median_score) == (1, 0, False, None)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["m1a1", "m1a2", "elsewhere"]),
        st.integers(0, 9),
        st.booleans(),
        st.integers(0, 10_000),
        st.one_of(st.none(), st.floats(0, 1)),
    ),
    unique_by=lambda row: row[:2],
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_an_activity_is_never_completed_by_more_than_reached_it(
    rows: list[tuple[str, int, bool, int, float | None]],
) -> None:
    found: tuple[ActivityProgress, ...] = progress.module(course(), "m1", _traces(rows))
    assert len(found) == 2
    for activity in found:
        assert 0 <= activity.completed <= activity.reached <= 10
        assert 0 <= activity.scored <= activity.reached
        assert (activity.median_seconds is None) == (activity.reached == 0)
        assert activity.median_score is None or 0 <= activity.median_score <= 1
