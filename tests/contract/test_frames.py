"""Frames of a course read from the rollups, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, insert

from analyzers import alerts, engagement, frames, progress, sessions
from analyzers.shapes import as_days
from tool_config import rules
from tool_config.database import transaction
from xapi import tables as t

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
RULES = rules.load()
K = RULES.disclosure.course
COURSE = 7


def at(days: float) -> datetime:
    """Return the instant that many days ago."""
    return NOW - timedelta(days=days)


class Store:
    """Rows written by hand into the rollups of one silo."""

    def __init__(self, conn: Connection, silo_id: int) -> None:
        self.conn, self.silo_id = conn, silo_id

    def write(self, table: Table, **values: Any) -> None:
        self.conn.execute(insert(table).values(silo_id=self.silo_id, **values))

    def course(self, course_id: int = COURSE, **values: Any) -> None:
        base = {
            "iri": f"c{course_id}",
            "title": "Pilotage",
            "created_at": NOW,
            "starts_on": date(2026, 10, 5),
        }
        self.write(t.course, course_id=course_id, **{**base, **values})

    def member(self, actor: str, role: str = "trainee", course_id: int = COURSE, **values: Any) -> None:
        base = {"source": "launch", "since": at(30)}
        self.write(t.membership, course_id=course_id, actor=actor, role=role, **{**base, **values})

    def actor(self, actor: str, *days: float, course_id: int = COURSE, **values: Any) -> None:
        """Write the totals of somebody seen that many days ago."""
        base = {
            "events": len(days),
            "days": len(days),
            **_seconds(600),
            "first_at": at(max(days)) if days else None,
            "last_at": at(min(days)) if days else None,
            "attended": 0,
            "days_seen": "".join(sorted({at(day).date().isoformat() for day in days})),
        }
        self.write(t.rollup_actor, course_id=course_id, actor=actor, **{**base, **values})
        for moment in {at(day) for day in days}:
            self.write(
                t.rollup_actor_day,
                course_id=course_id,
                actor=actor,
                day=moment.date(),
                events=1,
                **_seconds(600),
                first_at=moment,
                last_at=moment,
            )

    def outline(self, *modules: str, course_id: int = COURSE) -> None:
        for position, iri in enumerate(modules, 1):
            base = {"course_id": course_id, "module": iri, "required": True}
            self.write(t.outline_item, iri=iri, level="module", title=iri.upper(), position=position, **base)
            for n in (1, 2):
                activity = {"iri": f"{iri}a{n}", "level": "activity", "title": f"A{n}", "position": n}
                self.write(t.outline_item, **activity, **base)

    def module(
        self,
        actor: str,
        module: str,
        done: int,
        *,
        first: float,
        last: float,
        progress: float | None = None,
        **values: Any,
    ) -> None:
        completed = {"completed_at": at(last) if done >= 2 else None}
        base = {"course_id": COURSE, "actor": actor, "module": module, "done": done, "required": 2}
        moved = at(first if progress is None else progress)
        instants = {"first_at": at(first), "last_at": at(last), "progress_at": moved, **completed}
        self.write(t.rollup_module, **{**base, **_seconds(900), **instants, **values})

    def activity(
        self, actor: str, activity: str, first: float, completed: float | None = None, **values: Any
    ) -> None:
        self.write(
            t.rollup_activity,
            course_id=COURSE,
            actor=actor,
            activity=activity,
            events=1,
            **_seconds(300),
            first_at=at(first),
            last_at=at(first),
            attempts=1,
            **{"completed_at": None if completed is None else at(completed), **values},
        )


def _seconds(value: int) -> dict[str, int]:
    return {"seconds_10": value // 2, "seconds_30": value, "seconds_60": value * 2}


@pytest.fixture
def store(engine: Engine, silo: int) -> Iterator[Store]:
    with transaction(engine, silo) as conn:
        yield Store(conn, silo)


def read(store: Store, course_id: int = COURSE, as_of: datetime = NOW) -> frames.CourseFrames:
    return frames.course(store.conn, store.silo_id, course_id, as_of=as_of, rules=RULES)


def actors(store: Store) -> list[str]:
    return read(store).learners["actor"].tolist()


def test_the_enrolled_are_members_and_people_seen_minus_other_roles_and_departures(store: Store) -> None:
    store.course()
    store.member("listed")
    store.member("tutor", "tutor")
    store.actor("tutor", 1)
    store.member("admin", "admin")
    store.actor("seen", 2)
    store.actor("enrolled", enrolled_at=at(12))
    store.actor("nobody", events=0)
    store.actor("present", attended=1)
    store.actor("left", 9, enrolled_at=at(20), left_at=at(8))
    store.actor("back", 1, enrolled_at=at(20), left_at=at(8))
    store.actor("again", enrolled_at=at(5), left_at=at(8))
    store.member("removed", until=at(3))
    store.actor("removed", 4)
    store.member("gone", until=at(3))
    store.member("returned", until=at(3))
    store.actor("returned", 1)
    store.member("leaving", until=NOW + timedelta(days=3))
    expected = ["again", "back", "enrolled", "leaving", "listed", "present", "returned", "seen"]
    assert actors(store) == expected
    assert engagement.overview(read(store)).enrolled == len(expected)


def test_a_launch_after_a_departure_brings_back(store: Store) -> None:
    store.course()
    store.actor("a", enrolled_at=at(20), left_at=at(8))
    assert actors(store) == []
    store.member("a", since=at(2))
    assert actors(store) == ["a"]


def test_an_empty_course_reads_as_empty(store: Store) -> None:
    store.course(starts_on=None)
    found = read(store)
    assert (found.enrolled, found.start, found.partial, found.fresh_at) == (0, None, True, None)
    assert engagement.overview(found).weeks == ()
    assert progress.course(found).blocking is None
    assert progress.pace(frames.learner(store.conn, found, "x")).suppressed


def test_an_unknown_course_is_an_error(store: Store) -> None:
    with pytest.raises(LookupError):
        read(store)


def test_the_rows_of_another_course_and_another_silo_are_never_read(
    engine: Engine, silo: int, second_silo: int
) -> None:
    for other in (silo, second_silo):
        with transaction(engine, other) as conn:
            store = Store(conn, other)
            store.course()
            store.course(8)
            store.outline("m1")
            store.actor("a", 1)
            store.actor(f"silo{other}", 1, course_id=8)
            if other == second_silo:
                store.actor("b", 1)
                store.module("b", "m1", 2, first=9, last=8)
    with transaction(engine, silo, write=False) as conn:
        store = Store(conn, silo)
        assert actors(store) == ["a"]
        assert read(store).modules.empty
        assert len(read(store).days) == 1
        assert frames.silo(conn, silo, as_of=NOW).people == 2


def test_a_course_gives_states_weeks_and_modules(store: Store) -> None:
    store.course(roster_at=at(1), ends_on=date(2026, 12, 20))
    store.write(t.rollup_state, course_id=COURSE, version=3, refreshed_at=at(0))
    store.outline("m1", "m2")
    store.actor("finished", 40, 2, attended=1, last_module="m2")
    store.module("finished", "m1", 2, first=40, last=30)
    store.module("finished", "m2", 2, first=30, last=2, score=0.75)
    store.actor("inactive", 40, 20, last_module="m1")
    store.module("inactive", "m1", 1, first=40, last=20)
    store.member("new", since=at(4))
    found = read(store)
    assert (found.partial, found.version, found.fresh_at) == (False, 3, NOW)
    overview = engagement.overview(found)
    assert overview.by_state == {"not_connected": 1, "inactive": 1, "slow": 0, "on_track": 0, "finished": 1}
    assert (overview.active_now, overview.active_before, overview.online_only) == (1, 0, False)
    assert [week.active for week in overview.weeks] == [2, 0, 0, 1, 0, 0, 1]
    assert (overview.week_number, overview.week_count) == (7, 11)
    learners = alerts.learners(found)
    assert [learner.actor for learner in learners] == ["inactive", "new", "finished"]
    assert (learners[0].current_module, learners[0].active_weeks) == ("m1", 2)
    done = progress.course(found).modules
    assert [(m.finished, m.in_progress, m.not_started, m.stuck) for m in done] == [(1, 1, 1, 1), (1, 0, 2, 0)]
    assert (done[1].median_score, done[1].median_seconds, done[1].median_seconds_10) == (0.75, 900, 450)


def test_people_stuck_in_a_module_have_not_moved_in_it_for_long(store: Store) -> None:
    store.course()
    store.outline("m1")
    for actor, first, last, moved in (("moving", 40, 1, 2), ("still", 40, 1, 15), ("new", 3, 1, 3)):
        store.actor(actor, first, last, last_module="m1")
        store.module(actor, "m1", 1, first=first, last=last, progress=moved)
    found = read(store)
    days = as_days(found.modules["progress_on"]).tolist()
    known = dict(zip(found.learners["actor"].to_numpy()[found.modules["learner"]], days, strict=True))
    assert known == {"moving": at(2).date(), "still": at(15).date(), "new": at(3).date()}
    assert progress.course(found).modules[0].stuck == 1


def test_a_clock_ahead_does_not_bring_days_to_come(store: Store) -> None:
    store.course()
    store.actor("tomorrow", 3, -1)
    store.actor("far", 30, -400)
    store.actor("only", -400)
    found = read(store)
    last = dict(zip(found.learners["actor"], as_days(found.learners["last_on"]).tolist(), strict=True))
    assert last == {"tomorrow": NOW.date(), "far": at(30).date(), "only": NOW.date()}
    assert max(as_days(found.days["day"]).tolist()) == NOW.date()
    states = {learner.actor: learner.state for learner in alerts.learners(found)}
    assert states["far"] == "inactive"


def test_days_are_those_of_the_courses_own_time_zone(store: Store) -> None:
    store.course(time_zone="Pacific/Noumea")
    store.course(8, time_zone="99")
    late = datetime(2026, 11, 17, 14, tzinfo=UTC)  # 01:00 on the 18th in Nouméa
    for course_id in (COURSE, 8):
        store.actor("a", course_id=course_id, enrolled_at=late)
    assert read(store).time_zone == "Pacific/Noumea"
    assert read(store, 8).time_zone == "Europe/Paris"
    assert [as_days(read(store, c).learners["enrolled_on"]).tolist() for c in (COURSE, 8)] == [
        [date(2026, 11, 18)],
        [date(2026, 11, 17)],
    ]


def test_previous_sessions_of_the_path_are_the_reference(store: Store) -> None:
    store.write(t.path, path_id=1, title="Parcours")
    store.course(path_id=1)
    store.actor("a", 1)
    for course_id, starts_on, people in (
        (1, date(2024, 9, 2), 6),  # the third before: not read
        (2, date(2025, 9, 1), 6),
        (3, None, 6),  # its start is its first trace
        (4, date(2026, 3, 2), 4),  # too few people
        (5, date(2026, 11, 2), 6),  # began after
    ):
        store.course(course_id, path_id=1, starts_on=starts_on)
        for person in range(people):
            store.actor(f"p{person}", 100, 90, course_id=course_id)
        store.member("tutor", "tutor", course_id)
    store.course(6, path_id=2, starts_on=date(2026, 1, 5))
    found = read(store)
    assert [(r.enrolled, r.starts_on) for r in found.references] == [
        (6, at(100).date()),
        (6, date(2025, 9, 1)),
    ]
    assert engagement.overview(found).reference_sessions == 2
    assert engagement.overview(found).weeks[0].reference == 0.5


def test_a_learners_traces_and_a_modules_activities(store: Store) -> None:
    store.course()
    store.outline("m1", "m2")
    store.actor("a", 9, 8, last_module="m1")
    store.module("a", "m1", 1, first=9, last=8)
    store.activity("a", "m1a1", 9, 8, score=0.5)
    store.activity("a", "m1a2", 8)
    store.actor("b", 5)
    store.activity("b", "m1a1", 5, attended_at=at(5))
    store.member("tutor", "tutor")
    store.activity("tutor", "m1a1", 5, 5)
    store.write(
        t.activity_fact,
        course_id=COURSE,
        activity="m1a1",
        fact="x",
        activity_type="",
        section="",
        tracked=True,
        first_at=NOW,
        last_at=NOW,
    )
    store.write(
        t.rollup_activity_day,
        course_id=COURSE,
        actor="a",
        day=at(8).date(),
        activity="m1a1",
        events=3,
        **_seconds(60),
        first_at=at(8),
        last_at=at(8),
        attempts=0,
        completed_at=at(8),
    )
    found = read(store)
    first, second = progress.module(found, "m1", frames.module(store.conn, found, "m1"))
    assert (first.reached, first.completed, first.tracked, first.median_score) == (2, 2, True, 0.5)
    assert (second.reached, second.completed, second.tracked, second.median_seconds) == (1, 0, False, 300)
    assert progress.module(found, "gone", frames.module(store.conn, found, "gone")) == ()
    path = progress.path(frames.learner(store.conn, found, "a"))
    assert [(step.status, step.done, step.total) for step in path.steps] == [
        ("current", 1, 2),
        ("todo", 0, 2),
    ]
    assert [(day.day, day.completed) for day in path.days] == [(at(9).date(), ()), (at(8).date(), ("A1",))]


def test_the_sessions_of_a_silo_are_counted_as_their_own_pages_count(store: Store) -> None:
    store.write(t.path, path_id=1, title="Parcours")
    store.course(path_id=1)
    store.course(8, title=None, starts_on=None)
    store.course(-store.silo_id)  # events without a course: not a session
    store.outline("m1")
    for actor, days in (("a", (40, 1)), ("b", (10,)), ("c", (3,)), ("d", (0,)), ("e", (20,))):
        store.actor(actor, *days)
    store.module("a", "m1", 2, first=40, last=1)
    store.module("b", "m1", 1, first=40, last=1)
    store.actor("a", 2, course_id=8, completed_at=at(1))
    store.member("tutor", "tutor")
    store.actor("tutor", 1)
    read_silo = frames.silo(store.conn, store.silo_id, as_of=NOW)
    found = {session.course_id: session for session in sessions.summaries(read_silo, k=K).sessions}
    assert set(found) == {COURSE, 8}
    overview = engagement.overview(read(store))
    main = found[COURSE]
    assert (main.enrolled, main.active.count) == (overview.enrolled, overview.active_now) == (5, 3)
    assert main.completion.count == overview.by_state["finished"] == 1
    assert (main.path_title, main.last_on) == ("Parcours", NOW.date())
    assert (found[8].enrolled, found[8].completion.suppressed) == (1, "few")
    assert sessions.summaries(read_silo, k=K).people == 5
    rows = {row["course_id"]: row for row in read_silo.sessions}
    assert (rows[8]["finished"], bool(rows[COURSE]["active_before"])) == (1, True)
