"""Time, days, completion and modules from the traces of one course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, select

from tests.factories import traces
from tool_config.database import transaction
from xapi import events, outline, rollup
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.rollup import buckets
from xapi.statement import account_key
from xapi.tables import (
    course,
    event,
    rollup_activity,
    rollup_activity_day,
    rollup_actor,
    rollup_actor_day,
    rollup_module,
    rollup_pending,
    rollup_state,
)

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
NINE = datetime(2026, 11, 20, 8, tzinfo=UTC)

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


# --- capped gaps: pure --------------------------------------------------------------------------------


def row(minutes: float, kind: str = "viewed", activity: str = "a", score: float | None = None) -> Any:
    at = NINE + timedelta(minutes=minutes)
    return SimpleNamespace(at=at, kind=kind, activity=activity, score=score)


def spent(rows: Sequence[Any], wanted: set[date] | None = None) -> dict[tuple[date, str], tuple[int, ...]]:
    _, cells = buckets.days(rows, wanted, PARIS, {})
    return {(c["day"], c["activity"]): tuple(c[name] // 60 for name in buckets.SECONDS) for c in cells}


def test_gaps_count_for_the_earlier_activity_up_to_each_cap() -> None:
    rows = [row(0), row(10, activity="b"), row(40), row(100), row(161)]
    day = date(2026, 11, 20)
    assert spent(rows) == {(day, "a"): (10, 10, 70), (day, "b"): (0, 30, 30)}


def test_the_last_click_counts_nothing() -> None:
    assert spent([row(0)]) == {(date(2026, 11, 20), "a"): (0, 0, 0)}


def test_a_gap_across_midnight_counts_for_the_earlier_day() -> None:
    rows = [row(14 * 60 + 50), row(15 * 60 + 10), row(15 * 60 + 15)]  # 23:50, 00:10, 00:15 in Paris
    friday, saturday = date(2026, 11, 20), date(2026, 11, 21)
    assert spent(rows) == {(friday, "a"): (0, 20, 20), (saturday, "a"): (5, 5, 5)}
    assert spent(rows, {friday}) == {(friday, "a"): (0, 20, 20)}


def test_presence_and_what_others_did_count_no_time() -> None:
    rows = [row(0), row(5, "attended", "g"), row(8, "scored"), row(9, "enrolled", ""), row(10)]
    days, cells = buckets.days(rows, None, PARIS, {})
    assert [(d["events"], d["seconds_10"]) for d in days] == [(3, 600)]
    by_activity = {cell["activity"]: cell for cell in cells}
    assert by_activity["g"]["attended_at"] == NINE + timedelta(minutes=5)
    assert by_activity["g"]["seconds_60"] == 0
    assert by_activity["a"]["events"] == 2
    assert "" not in by_activity


def test_the_completion_of_a_course_is_no_visit() -> None:
    days, cells = buckets.days([row(0, "completed", "")], None, PARIS, {})
    assert days == []
    assert cells[0]["completed_at"] == NINE


@pytest.mark.parametrize(
    ("kinds", "completed"),
    [
        ([(0, "completed"), (5, "completed")], 0),
        ([(0, "completed"), (5, "uncompleted")], None),
        ([(0, "completed"), (5, "uncompleted"), (9, "passed")], 9),
        ([(0, "completed"), (1440, "uncompleted"), (3000, "completed"), (4500, "completed")], 3000),
        ([(0, "uncompleted"), (0, "completed")], 0),
        ([(0, "completed"), (0, "uncompleted")], 0),
        ([(0, "completed"), (9, "failed")], 0),
        ([(0, "failed")], None),
    ],
)
def test_completion_is_the_first_after_the_last_undoing(
    kinds: list[tuple[int, str]], completed: int | None
) -> None:
    _, cells = buckets.days([row(at, kind) for at, kind in kinds], None, PARIS, {})
    found = buckets.activity([SimpleNamespace(**cell) for cell in cells], {})
    instant = found["completed_at"] if found else None
    assert instant == (None if completed is None else NINE + timedelta(minutes=completed))


def test_an_undone_completion_alone_reaches_nothing() -> None:
    _, cells = buckets.days([row(0, "uncompleted")], None, PARIS, {})
    assert buckets.activity([SimpleNamespace(**cell) for cell in cells], {}) is None


def naive(minutes: Sequence[int], cap: int) -> int:
    """Return the time spent, said as simply as can be: pairs of neighbours, no day, no activity."""
    ordered = sorted(minutes)
    gaps = [after - before for before, after in pairwise(ordered)]
    return sum(gap for gap in gaps if gap <= cap) * 60


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6000), st.sampled_from("abc")), max_size=40), st.randoms())
def test_time_spent_agrees_with_its_definition(clicks: list[tuple[int, str]], chance: Any) -> None:
    rows = sorted((row(at, activity=name) for at, name in clicks), key=lambda r: r.at)
    days, cells = buckets.days(rows, None, PARIS, {})
    for name, cap in zip(buckets.SECONDS, (10, 30, 60), strict=True):
        expected = naive([at for at, _ in clicks], cap)
        assert sum(day[name] for day in days) == expected
        assert sum(cell[name] for cell in cells) == expected
    assert sum(day["events"] for day in days) == len(clicks)


def test_enrolled_left_and_enrolled_again() -> None:
    def steps(*kinds: str) -> list[Any]:
        return [row(rank, kind) for rank, kind in enumerate(kinds)]

    def minute(at: datetime | None) -> float | None:
        return None if at is None else (at - NINE).total_seconds() / 60

    for kinds, expected in (
        (("enrolled", "enrolled"), (0, None)),
        (("enrolled", "left"), (0, 1)),
        (("enrolled", "left", "enrolled", "enrolled"), (2, None)),
        (("left",), (None, 0)),
        ((), (None, None)),
    ):
        enrolled, left = buckets.enrolment(steps(*kinds))
        assert (minute(enrolled), minute(left)) == expected


# --- one course in the store -----------------------------------------------------------------------------

SECTION = traces.section(7, "Concepts")
COURSE = traces.course()
NUMBER_IRI = str(COURSE["id"])
READ, QUIZ = traces.page(4, "Lire"), traces.page(5, "Quiz", traces.QUIZ)
FREE = traces.page(6, "Forum")


def tell(conn: Connection, silo: int, *items: dict[str, Any]) -> int:
    """Store statements, roll everything up, return the course."""
    ingest(conn, silo, items, now=NOW)
    while rollup.refresh(conn, silo, now=NOW):
        pass
    return course_id(silo, NUMBER_IRI)


def said(who: str, verb: str, target: dict[str, Any], minutes: float = 0, **result: Any) -> dict[str, Any]:
    inside = [COURSE] if target is FREE else [SECTION, COURSE]
    at = NINE + timedelta(minutes=minutes)
    return traces.statement(
        who, verb, target, at, parents=None if target is COURSE else inside, result=result or None
    )


def rows(conn: Connection, table: Table, *order: str) -> list[Any]:
    return list(conn.execute(select(table).order_by(*(table.c[name] for name in order))))


def actor(name: str) -> str:
    return account_key(traces.SITE, name)


def test_a_learner_from_click_to_module(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        tell(
            conn,
            silo,
            said("3", traces.ENROLLED, COURSE, -600),
            said("3", traces.VIEWED, READ, 0),
            said("3", traces.COMPLETED, READ, 5),
            said("3", traces.STARTED, QUIZ, 6),
            said("3", traces.SCORED, QUIZ, 90, score={"raw": 15, "min": 0, "max": 20}),
            said("4", traces.COMPLETED, QUIZ, 50),
        )
        learner = rows(conn, rollup_actor, "events")
        assert [(one.events, one.days, one.seconds_30) for one in learner] == [(1, 1, 0), (3, 1, 360)]
        assert learner[1].enrolled_at == NINE - timedelta(minutes=600)
        assert (learner[1].first_at, learner[1].last_at) == (NINE, NINE + timedelta(minutes=6))
        assert learner[1].last_module == SECTION["id"]
        module = next(one for one in rows(conn, rollup_module, "actor") if one.actor == actor("3"))
        assert (module.done, module.required, module.completed_at, module.score) == (1, 2, None, 0.75)
        quiz = next(
            one
            for one in rows(conn, rollup_activity, "activity")
            if one.actor == actor("3") and one.activity == QUIZ["id"]
        )
        assert (quiz.attempts, quiz.events, quiz.score, quiz.completed_at) == (1, 1, 0.75, None)


def test_a_module_is_completed_with_its_last_required_activity(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number = tell(
            conn,
            silo,
            said("3", traces.COMPLETED, QUIZ, 9),
            said("3", traces.VIEWED, FREE),
            said("3", traces.VIEWED, READ),
        )
        items = {(item.level, item.iri): item for item in outline.read(conn, silo, number)}
        assert items["activity", QUIZ["id"]].required
        assert not items["activity", READ["id"]].required
        assert items["module", SECTION["id"]].required
        assert not items["module", FREE["id"]].required
        modules = {one.module: one for one in rows(conn, rollup_module, "module")}
        assert modules[SECTION["id"]].completed_at == NINE + timedelta(minutes=9)
        assert modules[SECTION["id"]].progress_at == NINE + timedelta(minutes=9)
        assert modules[FREE["id"]].progress_at == NINE
        assert modules[FREE["id"]].completed_at == NINE  # nothing required: all reached
        # Now reading is tracked, by what is said of somebody else: it is required of everybody.
        tell(conn, silo, said("4", traces.UNCOMPLETED, READ, 10))
        modules = {(one.actor, one.module): one for one in rows(conn, rollup_module, "module")}
        assert modules[actor("3"), SECTION["id"]].completed_at is None
        assert (actor("4"), SECTION["id"]) not in modules
        edit = outline.Edit(READ["id"], required=False)
        outline.edit(conn, silo, number, [edit], by="formateur", now=NOW)
        tell(conn, silo)
        modules = {(one.actor, one.module): one for one in rows(conn, rollup_module, "module")}
        assert modules[actor("3"), SECTION["id"]].completed_at is not None


def test_without_any_tracking_every_module_is_required_and_done_when_reached(
    engine: Engine, silo: int
) -> None:
    with transaction(engine, silo) as conn:
        number = tell(
            conn,
            silo,
            said("3", traces.VIEWED, READ),
            said("3", traces.VIEWED, FREE, 3),
            said("4", traces.VIEWED, QUIZ),
        )
        assert all(item.required for item in outline.read(conn, silo, number) if item.level == "module")
        modules = {(one.actor, one.module): one for one in rows(conn, rollup_module, "module")}
        assert (modules[actor("3"), SECTION["id"]].done, modules[actor("3"), SECTION["id"]].required) == (
            1,
            2,
        )
        assert modules[actor("3"), FREE["id"]].completed_at is not None


def test_voiding_takes_back_time_titles_and_tracking(engine: Engine, silo: int) -> None:
    wrong = said("3", traces.COMPLETED, traces.page(4, "Mauvais titre"), 20)
    with transaction(engine, silo) as conn:
        number = tell(conn, silo, said("3", traces.VIEWED, READ), wrong, said("3", traces.VIEWED, READ, 25))
        before = {item.iri: item for item in outline.read(conn, silo, number)}
        assert before[READ["id"]].required
        tell(conn, silo, traces.voiding(wrong["id"], NOW))
        after = {item.iri: item for item in outline.read(conn, silo, number)}
        assert after[READ["id"]].title == "Lire"
        assert rows(conn, rollup_actor, "actor")[0].events == 2
        assert rows(conn, rollup_activity, "actor")[0].completed_at is None
        assert not [one for one in conn.execute(select(event)) if one.statement_id == wrong["id"]]


def test_last_word_voided_leaves_nothing(engine: Engine, silo: int) -> None:
    only = said("3", traces.VIEWED, READ)
    with transaction(engine, silo) as conn:
        tell(conn, silo, only)
        tell(conn, silo, traces.voiding(only["id"], NOW))
        for table in (rollup_actor_day, rollup_activity_day, rollup_activity, rollup_module, rollup_actor):
            assert not conn.execute(select(table)).all(), table.name


def test_alias_made_later_moves_what_was_counted(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        tell(conn, silo, said("durand", traces.VIEWED, READ), said("3", traces.VIEWED, READ, 4))
        assert len(rows(conn, rollup_actor, "actor")) == 2
        assert events.rename_actor(conn, silo, actor("durand"), actor("3"))
        assert not events.rename_actor(conn, silo, actor("durand"), actor("3"))
        tell(conn, silo, said("durand", traces.VIEWED, READ, 6))
        (learner,) = rows(conn, rollup_actor, "actor")
        assert (learner.actor, learner.events, learner.seconds_10) == (actor("3"), 3, 360)


def test_an_event_recorded_while_its_alias_was_made_is_moved(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        tell(conn, silo, said("durand", traces.VIEWED, READ))
        events.rename_actor(conn, silo, actor("durand"), actor("3"))
        tell(conn, silo)
        # As another transaction would have written it, not yet seeing the alias.
        conn.execute(event.update().values(actor=actor("durand")))
        events.queue(conn, silo, [(course_id(silo, NUMBER_IRI), actor("durand"), NINE.date())])
        tell(conn, silo)
        assert [one.actor for one in rows(conn, rollup_actor, "actor")] == [actor("3")]


def test_time_zone_of_a_course_moves_its_days(engine: Engine, silo: int) -> None:
    late = said("3", traces.VIEWED, READ, 15 * 60)  # midnight in Paris
    with transaction(engine, silo) as conn:
        number = tell(conn, silo, late)
        assert [one.day for one in rows(conn, rollup_actor_day, "day")] == [date(2026, 11, 21)]
        rollup.change_time_zone(conn, silo, number, "America/Martinique")
        tell(conn, silo)
        assert [one.day for one in rows(conn, rollup_actor_day, "day")] == [date(2026, 11, 20)]
        rollup.change_time_zone(conn, silo, number, None)
        tell(conn, silo)
        assert [one.day for one in rows(conn, rollup_actor_day, "day")] == [date(2026, 11, 21)]


def test_title_of_a_course_is_the_latest_said_unless_a_launch_gave_it(engine: Engine, silo: int) -> None:
    def visit(title: str, minutes: int) -> dict[str, Any]:
        return traces.statement(
            "3", traces.VIEWED, traces.course(title=title), NINE + timedelta(minutes=minutes)
        )

    with transaction(engine, silo) as conn:
        tell(conn, silo, visit("Nouveau", 9), visit("Ancien", 1))
        assert conn.execute(select(course.c.title)).scalar_one() == "Nouveau"
        conn.execute(course.update().values(title="De la plateforme", issuer=traces.SITE))
        tell(conn, silo, visit("Plus nouveau", 20))
        assert conn.execute(select(course.c.title)).scalar_one() == "De la plateforme"


@sqlite_only
def test_version_grows_and_nothing_stays_pending(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        tell(conn, silo, said("3", traces.VIEWED, READ))
        first = conn.execute(select(rollup_state.c.version)).scalar_one()
        tell(conn, silo, said("3", traces.VIEWED, READ, 1))
        state = conn.execute(select(rollup_state)).one()
        assert state.version > first
        assert state.refreshed_at == NOW
        assert not rollup.is_pending(conn, silo)
        assert not conn.execute(select(rollup_pending)).all()


@sqlite_only
def test_a_gap_that_a_late_statement_splits_across_days(engine: Engine, silo: int) -> None:
    """The first click after midnight arrives last: the day before must be counted again."""
    with transaction(engine, silo) as conn:
        tell(conn, silo, said("3", traces.VIEWED, READ, 14 * 60 + 50))
        tell(conn, silo, said("3", traces.VIEWED, READ, 15 * 60 + 10))
        days = rows(conn, rollup_actor_day, "day")
        assert [(one.day.day, one.seconds_30) for one in days] == [(20, 1200), (21, 0)]


@sqlite_only
def test_statements_without_a_course_wait_for_nothing(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        ingest(conn, silo, [traces.statement("3", traces.VIEWED, traces.page(1), NINE)], now=NOW)
        assert not rollup.is_pending(conn, silo)
        assert conn.execute(select(event.c.course_id)).scalar_one() == -silo


@sqlite_only
def test_an_instant_out_of_reason_is_no_event(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
            item = traces.statement("3", traces.VIEWED, READ, text, parents=[COURSE])
            ingest(conn, silo, [item], now=NOW)
        assert not conn.execute(select(event)).all()
