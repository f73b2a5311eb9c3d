"""Activity by week, the sentence's figures, the reference of previous sessions."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from analyzers import alerts, engagement, progress, sessions
from analyzers.intervals import wilson
from analyzers.shapes import SiloFrames, local_days, zone
from tests.factories.courses import START, TODAY, Entry, Person, ago, course, finished, reference


def test_weeks_go_from_the_start_to_now_with_empty_ones_as_zero() -> None:
    frames = course([Person("a", [START, START]), Person("b", [START, TODAY])])
    weeks = engagement.overview(frames).weeks
    assert [week.active for week in weeks] == [2, 0, 0, 0, 0, 0, 1]
    assert weeks[0].monday == START
    assert [week.current for week in weeks] == [False] * 6 + [True]
    assert all(week.reference is None for week in weeks)


def test_the_sentence_counts_people_over_seven_days_and_the_seven_before() -> None:
    people = [
        Person("today", [TODAY]),
        Person("six", [ago(6)]),
        Person("seven", [ago(7), ago(6)]),
        Person("thirteen", [ago(13)]),
        Person("fourteen", [ago(14)]),
    ]
    overview = engagement.overview(course(people))
    assert (overview.enrolled, overview.active_now, overview.active_before) == (5, 3, 2)
    assert overview.connected == 5


def test_without_a_start_the_first_trace_begins_the_weeks() -> None:
    overview = engagement.overview(course([Person("a", [date(2026, 11, 3)])], starts_on=None))
    assert [week.active for week in overview.weeks] == [1, 0, 0]
    assert overview.weeks[0].monday == date(2026, 11, 2)
    assert (overview.week_number, overview.week_count) == (3, None)


def test_traces_before_a_start_still_to_come_are_shown() -> None:
    frames = course([Person("a", [ago(1)])], starts_on=TODAY + timedelta(days=20))
    assert [week.active for week in engagement.overview(frames).weeks] == [1]
    assert engagement.overview(frames).week_number is None


def test_a_wrong_clock_does_not_stretch_the_chart() -> None:
    weeks = engagement.overview(course([Person("a", [date(1999, 1, 1), TODAY])], starts_on=None)).weeks
    assert len(weeks) == 157
    assert weeks[-1].active == 1


def test_the_week_of_the_session_is_said_out_of_its_planned_weeks() -> None:
    frames = course([Person("a", [TODAY])], ends_on=START + timedelta(weeks=20, days=-1))
    overview = engagement.overview(frames)
    assert (overview.week_number, overview.week_count) == (7, 20)


def test_a_session_that_is_over_stops_at_its_last_week_or_last_trace() -> None:
    ended = course([Person("a", [START])], ends_on=START + timedelta(days=8))
    assert len(engagement.overview(ended).weeks) == 2
    assert engagement.overview(ended).week_number is None
    after = course([Person("a", [START, START + timedelta(days=15)])], ends_on=START + timedelta(days=8))
    assert [week.active for week in engagement.overview(after).weeks] == [1, 0, 1]


def test_the_reference_is_the_mean_share_of_previous_sessions_at_the_same_rank() -> None:
    start = date(2025, 10, 6)
    week = timedelta(weeks=1)
    first = reference([[start], [start], [], []], start, start + timedelta(days=13))  # 2 weeks: 1/2, 0
    second = reference([[start, start + week]] * 5, start, start + week * 3)  # 4 weeks: 1, 1, 0, 0
    people = [Person(f"p{i}", [START]) for i in range(10)]
    overview = engagement.overview(course(people, references=(first, second)))
    assert [week.reference for week in overview.weeks] == [7.5, 5.0, 0.0, 0.0, None, None, None]
    assert overview.reference_sessions == 2


def test_the_busiest_module_has_the_most_people_this_week_the_first_on_a_tie() -> None:
    people = [
        Person("a", [TODAY], {"m2": Entry(1, last_on=ago(1)), "m1": Entry(1, last_on=ago(9))}),
        Person("b", [TODAY], {"m2": Entry(1, last_on=ago(6)), "m3": Entry(0, last_on=TODAY)}),
    ]
    assert engagement.overview(course(people)).busiest_module == "m2"
    assert engagement.overview(course([Person("a", [ago(30)], {"m1": finished()})])).busiest_module is None


def test_presence_unknown_is_said() -> None:
    assert engagement.overview(course([Person("a", [TODAY])])).online_only
    assert not engagement.overview(course([Person("a", [TODAY], attended=1)])).online_only


@pytest.mark.parametrize("starts_on", [None, START])
def test_an_empty_course_says_nothing_and_breaks_nothing(starts_on: date | None) -> None:
    frames = course([], modules=(), activities=(), starts_on=starts_on)
    overview = engagement.overview(frames)
    assert (overview.enrolled, overview.active_now, overview.busiest_module) == (0, 0, None)
    assert sum(overview.by_state.values()) == 0
    assert alerts.learners(frames) == ()
    assert progress.course(frames).modules == ()
    assert len(overview.weeks) == (0 if starts_on is None else 7)


def test_modules_have_medians_over_those_who_entered() -> None:
    people = [
        Person("a", [TODAY], {"m1": finished(seconds=100, score=0.5)}),
        Person("b", [TODAY], {"m1": Entry(1, seconds=400)}),
        Person("c", [TODAY]),
    ]
    first, second, _ = progress.course(course(people)).modules
    assert (first.finished, first.in_progress, first.not_started) == (1, 1, 1)
    assert (first.median_seconds, first.median_seconds_10, first.median_seconds_60) == (250, 125, 500)
    assert (first.median_score, first.scored) == (0.5, 1)
    assert (second.median_seconds, second.median_score, second.scored) == (None, None, 0)


# --- intervals and days -----------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "n"), [(0, 1), (1, 1), (0, 7), (7, 7), (3, 10), (41, 58), (999, 1000)])
def test_wilson_is_that_of_statsmodels_and_scipy(count: int, n: int) -> None:
    expected = proportion_confint(count, n, alpha=0.05, method="wilson")
    assert wilson(count, n) == pytest.approx(expected, abs=1e-12)
    other = binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert wilson(count, n) == pytest.approx((other.low, other.high), abs=1e-12)


def _micros(*clock: int) -> int:
    moment = np.datetime64("{:04}-{:02}-{:02}T{:02}:{:02}".format(*clock), "us")
    return int(moment.astype(np.int64))


def test_days_follow_the_zone_through_summer_time() -> None:
    paris = ZoneInfo("Europe/Paris")
    instants = [
        _micros(2026, 3, 28, 23, 30),  # 00:30 in winter time, the day of the change
        _micros(2026, 3, 29, 22, 30),  # 00:30 the next day, in summer time
        _micros(2026, 10, 24, 22, 30),  # 00:30 in summer time, the day of the change
        _micros(2026, 10, 25, 22, 30),  # 23:30 in winter time: still the same day
        None,
    ]
    assert local_days(instants, paris).tolist() == [
        date(2026, 3, 29),
        date(2026, 3, 30),
        date(2026, 10, 25),
        date(2026, 10, 25),
        None,
    ]


def test_a_nonsense_time_zone_gives_way_to_the_silos() -> None:
    assert zone("99", "Europe/Paris").key == "Europe/Paris"
    assert zone("Indian/Reunion", "Europe/Paris").key == "Indian/Reunion"
    assert zone(None, "../etc") == ZoneInfo("UTC")


K = 5


# --- sessions of a silo -------------------------------------------------------------------------------


def _silo(rows: list[dict[str, object]]) -> SiloFrames:
    base = {
        "course_id": 1,
        "title": "Pilotage",
        "label": None,
        "path_id": None,
        "path_title": None,
        "starts_on": None,
        "ends_on": None,
        "partial": False,
        "fresh_at": None,
        "enrolled": 0,
        "active": 0,
        "finished": 0,
        "last_on": None,
        "active_before": False,
    }
    made = [{**base, **row} for row in rows]
    return SiloFrames(TODAY, tuple(made), 42)


def test_sessions_come_latest_first_with_shares_from_the_threshold_on() -> None:
    found = sessions.summaries(
        _silo(
            [
                {"course_id": 1, "starts_on": ago(200), "enrolled": 20, "active": 4, "finished": 0},
                {"course_id": 2, "starts_on": ago(20), "enrolled": 4, "active": 4, "active_before": True},
                {"course_id": 3, "title": None, "label": "P3", "partial": True},
            ]
        ),
        k=K,
    )
    assert [session.course_id for session in found.sessions] == [2, 1, 3]
    small, large, empty = found.sessions
    assert (small.active.count, small.active.suppressed) == (None, "few")
    assert (large.active.count, large.active.n, large.completion.value) == (4, 20, 0.0)
    assert large.active.low == pytest.approx(proportion_confint(4, 20, method="wilson")[0], abs=1e-12)
    assert empty.title == "P3"
    assert empty.completion.suppressed
    assert (found.people, found.active_now, found.active_before, found.basis.partial) == (42, 2, 1, True)


def test_a_silo_without_session_is_empty() -> None:
    found = sessions.summaries(_silo([]), k=K)
    assert (found.sessions, found.basis.period) == ((), None)
