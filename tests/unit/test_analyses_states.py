"""States of learners: which rule fires, on which facts, and who needs a word."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers import alerts, engagement, progress
from analyzers.results import STATES, Learner
from analyzers.shapes import Item
from tests.factories.courses import START, TODAY, Entry, Person, ago, course, finished, outline


def one(person: Person, *others: Person, **changes: object) -> Learner:
    """Return what is said of one person of a course."""
    found = alerts.learners(course([person, *others], **changes))  # type: ignore[arg-type]
    return next(learner for learner in found if learner.actor == person.actor)


ALL_DONE = {"m1": finished(), "m2": finished(), "m3": finished(ago(3))}


def test_a_course_completed_statement_makes_finished_whatever_the_modules() -> None:
    found = one(Person("a", [ago(2)], completed_on=ago(2)))
    assert (found.state, found.rule, found.completed_on) == ("finished", "course_completed", ago(2))
    assert found.current_module is None
    assert not found.needs_word


def test_every_required_module_completed_makes_finished_on_the_last_day() -> None:
    found = one(Person("a", [ago(40), ago(3)], ALL_DONE))
    assert (found.state, found.rule, found.completed_on) == ("finished", "modules_completed", ago(3))
    assert (found.modules_done, found.modules_required) == (3, 3)


def test_finished_long_ago_is_not_without_activity() -> None:
    assert one(Person("a", [ago(200)], ALL_DONE)).state == "finished"


def test_an_optional_module_does_not_keep_from_the_end() -> None:
    modules, activities = outline(3, m3={"required": False})
    done = {"m1": finished(), "m2": finished()}
    found = one(Person("a", [ago(1)], done), modules=modules, activities=activities)
    assert (found.state, found.modules_required) == ("finished", 2)


def test_a_required_module_without_any_activity_does_not_keep_from_the_end() -> None:
    modules, activities = outline(3)
    kept = tuple(item for item in activities if item.module != "m3")
    done = {"m1": finished(), "m2": finished()}
    assert one(Person("a", [ago(1)], done), modules=modules, activities=kept).state == "finished"


@pytest.mark.parametrize(("days", "needs_word"), [(0, False), (2, False), (3, True), (12, True)])
def test_not_connected_needs_a_word_after_some_days(days: int, needs_word: bool) -> None:
    found = one(Person("a", enrolled_on=ago(days)))
    assert (found.state, found.rule, found.days_since) == ("not_connected", "not_connected_days", days)
    assert found.needs_word is needs_word


def test_days_without_connection_count_from_the_start_of_the_session_at_the_earliest() -> None:
    found = one(Person("a", enrolled_on=ago(100)), starts_on=ago(1))
    assert (found.days_since, found.needs_word) == (1, False)


def test_nobody_needs_a_word_before_the_session_starts_nor_after_it_ends() -> None:
    assert not one(Person("a", enrolled_on=ago(30)), starts_on=TODAY + timedelta(days=5)).needs_word
    assert not one(Person("a", [ago(30)]), ends_on=ago(1)).needs_word
    assert one(Person("a", [ago(30)]), ends_on=TODAY).needs_word


def test_a_presence_alone_is_a_connection() -> None:
    found = one(Person("a", [ago(5)], attended=1))
    assert (found.state, found.attended, found.days_since) == ("on_track", 1, 5)


@pytest.mark.parametrize(("days", "state"), [(13, "on_track"), (14, "inactive"), (60, "inactive")])
def test_nothing_for_two_weeks_is_without_activity(days: int, state: str) -> None:
    found = one(Person("a", [ago(days + 10), ago(days)]))
    assert (found.state, found.days_since, found.needs_word) == (state, days, state == "inactive")


def test_a_recent_presence_counts_against_inactivity() -> None:
    assert one(Person("a", [ago(40), ago(1)], attended=1)).state == "on_track"


def test_who_has_done_all_that_is_open_waits_and_is_not_inactive() -> None:
    modules, activities = outline(3, m3={"opens_on": TODAY + timedelta(days=20)})
    done = {"m1": finished(), "m2": finished()}
    found = one(Person("a", [ago(30)], done), modules=modules, activities=activities)
    assert (found.state, found.rule, found.needs_word) == ("on_track", "up_to_date", False)
    assert found.current_module == "m3"


def test_slow_by_the_calendar_counts_closed_modules_not_finished() -> None:
    modules, activities = outline(
        3, m1={"closes_on": ago(10)}, m2={"closes_on": ago(1)}, m3={"closes_on": TODAY}
    )
    found = one(Person("a", [ago(1)], {"m1": finished()}), modules=modules, activities=activities)
    assert (found.state, found.rule) == ("slow", "slow_modules_behind")
    assert (found.modules_expected, found.modules_behind) == (2, 1)
    # Having finished a later one does not make up for the one that is closed.
    ahead = {"m1": finished(), "m3": finished()}
    assert one(Person("a", [ago(1)], ahead), modules=modules, activities=activities).modules_behind == 1


def test_slow_without_calendar_is_behind_the_median_of_those_connected() -> None:
    two = {"m1": finished(), "m2": finished()}
    group = [Person(f"g{i}", [ago(1)], two) for i in range(3)] + [Person(f"n{i}") for i in range(9)]
    assert one(Person("a", [ago(1)], {"m1": finished()}), *group).state == "slow"
    assert one(Person("a", [ago(1)], two), *group).state == "on_track"


def test_half_a_module_behind_the_median_is_not_slow() -> None:
    people = [Person("b", [ago(1)], {"m1": finished()}), Person("c", [ago(1)], {"m1": finished()})]
    people += [Person("d", [ago(1)]), Person("e", [ago(1)])]
    found = {learner.actor: learner for learner in alerts.learners(course(people))}
    assert found["d"].state == "on_track"
    assert found["d"].modules_expected == 0


def test_a_learner_alone_is_never_slow() -> None:
    assert one(Person("a", [ago(1)])).state == "on_track"


def test_the_current_module_is_that_of_the_last_act_else_the_first_left() -> None:
    assert one(Person("a", [ago(1)], {"m1": finished()}, last_module="m3")).current_module == "m3"
    assert one(Person("a", [ago(1)], {"m1": finished()}, last_module="m1")).current_module == "m2"
    assert one(Person("a", [ago(1)])).current_module == "m1"
    assert one(Person("a", [ago(1)], last_module="gone"), modules=(), activities=()).current_module is None


def test_others_here_counts_the_connected_who_are_at_the_same_place() -> None:
    here = [Person(f"p{i}", [ago(1)], {"m1": Entry(1)}, last_module="m1") for i in range(4)]
    found = {learner.actor: learner.others_here for learner in alerts.learners(course([*here, Person("z")]))}
    assert found["p0"] == 3
    assert found["z"] == 4


def test_those_who_need_a_word_come_by_deadline_then_by_days_since() -> None:
    modules, activities = outline(2, m1={"closes_on": TODAY + timedelta(days=4)})
    people = [
        Person("done-m1", [ago(30)], {"m1": finished()}),
        Person("late", [ago(20)]),
        Person("later", [ago(25)]),
        Person("fine", [ago(1)]),
    ]
    found = alerts.learners(course(people, modules=modules, activities=activities))
    assert [learner.actor for learner in found] == ["later", "late", "done-m1", "fine"]
    assert [learner.deadline_kind for learner in found] == ["closes", "closes", None, "closes"]


def test_the_next_gathering_is_a_deadline_for_everybody() -> None:
    modules, activities = outline(2, m2={"closes_on": TODAY + timedelta(days=1)})
    day = Item("g", "activity", "m2", "Regroupement", 3, True, gathering="day_in_person", opens_on=TODAY)
    past = Item("h", "activity", "m2", "Passé", 4, True, gathering="visit", opens_on=ago(1))
    found = one(Person("a", enrolled_on=ago(12)), modules=modules, activities=(*activities, day, past))
    assert (found.deadline_on, found.deadline_title, found.deadline_kind) == (
        TODAY,
        "Regroupement",
        "day_in_person",
    )


def test_active_weeks_are_counted_from_monday_to_sunday() -> None:
    sunday, monday = date(2026, 11, 8), date(2026, 11, 9)
    assert one(Person("a", [sunday, monday])).active_weeks == 2
    assert one(Person("a", [monday, monday + timedelta(days=6)])).active_weeks == 1


def test_a_module_blocks_when_enough_people_stopped_there_and_more_than_elsewhere() -> None:
    stopped = Entry(1, first_on=ago(30), last_on=ago(20))
    people = [Person(f"p{i}", [ago(20)], {"m2": stopped}, last_module="m2") for i in range(3)]
    found = progress.course(course(people))
    assert found.blocking == "m2"
    assert [module.stuck for module in found.modules] == [0, 3, 0]
    assert progress.course(course(people[:2])).blocking is None


def test_recent_progress_in_a_module_is_not_being_stuck() -> None:
    moving = Entry(1, first_on=ago(30), last_on=ago(2), progress_on=ago(2))
    still = Entry(1, first_on=ago(30), last_on=ago(2), progress_on=ago(14))
    for entry, stuck in ((moving, 0), (still, 3)):
        people = [Person(f"p{i}", [ago(2)], {"m2": entry}, last_module="m2") for i in range(3)]
        assert progress.course(course(people)).modules[1].stuck == stuck


def test_two_modules_that_hold_as_many_people_do_not_stand_out() -> None:
    stopped = Entry(1, first_on=ago(30), last_on=ago(20))
    people = [
        Person(f"{m}{i}", [ago(20)], {m: stopped}, last_module=m) for m in ("m1", "m2") for i in range(4)
    ]
    assert progress.course(course(people)).blocking is None


DAYS = st.integers(min_value=0, max_value=90).map(ago)
ENTRIES = st.builds(
    lambda done, first, last: Entry(
        done, first_on=min(first, last), last_on=max(first, last), completed_on=last if done == 2 else None
    ),
    st.integers(0, 2),
    DAYS,
    DAYS,
)
PEOPLE = st.lists(
    st.builds(
        Person,
        st.uuids().map(lambda value: value.hex),
        st.lists(DAYS, max_size=5),
        st.dictionaries(st.sampled_from(["m1", "m2", "m3"]), ENTRIES),
        st.one_of(st.none(), DAYS),
        st.one_of(st.none(), DAYS),
        st.integers(0, 2),
        st.sampled_from(["", "m1", "m2", "m3", "unknown"]),
    ),
    max_size=12,
    unique_by=lambda person: person.actor,
)


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE, starts_on=st.one_of(st.none(), st.just(START), st.just(TODAY + timedelta(days=9))))
def test_states_share_out_the_enrolled(people: list[Person], starts_on: date | None) -> None:
    frames = course(people, starts_on=starts_on)
    overview, found = engagement.overview(frames), alerts.learners(frames)
    assert Counter(learner.state for learner in found) == Counter(
        {state: n for state, n in overview.by_state.items() if n}
    )
    assert sum(overview.by_state.values()) == overview.enrolled == len(found) == len(people)
    assert list(overview.by_state) == list(STATES)
    assert {learner.actor for learner in found} == {person.actor for person in people}
    for learner in found:
        assert 0 <= learner.modules_done <= learner.modules_required == 3
        assert learner.days_since is None or learner.days_since >= 0
        assert 0 <= learner.others_here < max(len(people), 1)
        assert (learner.state == "finished") == (learner.completed_on is not None)
        assert learner.active_weeks <= learner.active_days
    needing = [learner.needs_word for learner in found]
    assert needing == sorted(needing, reverse=True)


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE)
def test_modules_share_out_the_enrolled(people: list[Person]) -> None:
    frames = course(people)
    for module in progress.course(frames).modules:
        assert module.finished + module.in_progress + module.not_started == len(people)
        assert min(module.finished, module.in_progress, module.not_started) >= 0
        assert module.stuck <= module.in_progress


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE)
def test_weeks_never_count_more_people_than_are_enrolled(people: list[Person]) -> None:
    overview = engagement.overview(course(people))
    assert all(0 <= week.active <= overview.enrolled for week in overview.weeks)
    assert max(overview.active_now, overview.active_before) <= overview.enrolled
    mondays = [week.monday for week in overview.weeks]
    assert mondays == [mondays[0] + timedelta(weeks=i) for i in range(len(mondays))]
