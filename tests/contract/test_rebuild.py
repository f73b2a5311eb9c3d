"""Derived tables depend on the statements alone: not on their order, lots, repetitions or concurrency."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from tests.factories import traces
from tool_config import silos
from tool_config.database import administration, transaction
from xapi import events, outline, rollup
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.statement import account_key
from xapi.tables import (
    activity_fact,
    course,
    event,
    outline_item,
    rollup_activity,
    rollup_activity_day,
    rollup_actor,
    rollup_actor_day,
    rollup_module,
    rollup_pending,
    statement,
)

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
#: Late in the evening in Paris: half an hour before midnight, so that gaps cross it.
BASE = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
DERIVED = (
    event,
    activity_fact,
    outline_item,
    rollup_actor_day,
    rollup_activity_day,
    rollup_activity,
    rollup_module,
    rollup_actor,
)
_names = count(1)

Lot = list[dict[str, Any]]


def snapshot(engine: Engine, silo_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every derived table, and the titles of courses."""
    with transaction(engine, silo_id, write=False) as conn:
        found = {
            table.name: sorted(
                (tuple(row) for row in conn.execute(select(table).where(table.c.silo_id == silo_id))),
                key=repr,
            )
            for table in DERIVED
        }
        titles = select(course.c.iri, course.c.title).where(course.c.silo_id == silo_id)
        found["course"] = sorted((tuple(row) for row in conn.execute(titles)), key=repr)
        return found


def drain(engine: Engine, silo_id: int, limit: int = 2000) -> None:
    for _ in range(10_000):
        with transaction(engine, silo_id) as conn:
            if not rollup.refresh(conn, silo_id, now=NOW, limit=limit):
                return
    raise AssertionError("what is pending never ends")


def same_as_rebuilt(engine: Engine, silo_id: int) -> None:
    drain(engine, silo_id)
    before = snapshot(engine, silo_id)
    rollup.rebuild(engine, silo_id, now=NOW + timedelta(hours=1))
    after = snapshot(engine, silo_id)
    for name, rows in before.items():
        assert rows == after[name], name
    with transaction(engine, silo_id, write=False) as conn:
        left = conn.execute(select(rollup_pending).where(rollup_pending.c.silo_id == silo_id)).all()
    assert not left


def new_silo(engine: Engine) -> int:
    with administration(engine) as conn:
        return silos.add(conn, f"silo {next(_names)} essai", now=NOW)


def put(engine: Engine, silo_id: int, lot: Sequence[dict[str, Any]]) -> None:
    with transaction(engine, silo_id) as conn:
        ingest(conn, silo_id, lot, now=NOW)


def key(name: str) -> str:
    return account_key(traces.SITE, name)


# --- anything, in any order -------------------------------------------------------------------------------

ACTORS = ("3", "4", "5", "durand")
VERBS = (
    *(traces.VIEWED, traces.VIEWED, traces.VIEWED),
    *(traces.COMPLETED, traces.UNCOMPLETED, traces.ATTENDED, traces.SCORED, traces.STARTED),
    f"{traces.ADL}/verbs/passed",
    f"{traces.ADL}/verbs/failed",
)
#: Minutes after BASE: clusters with gaps around every cap, across midnight and the change of hour.
MINUTES = st.sampled_from((0, 5, 9, 10, 20, 29, 31, 45, 60, 61, 120, 140, 155, 200, 215, 1440, 1445, 60_000))


#: In UTC the day that is queued is the local one: the gap before its first hour is another bucket's.
ZONES = ("Europe/Paris", "UTC", "UTC", "Pacific/Noumea", "America/Martinique")


@st.composite
def said(draw: st.DrawFn) -> dict[str, Any]:
    who = draw(st.sampled_from(ACTORS))
    at = BASE + timedelta(minutes=draw(MINUTES), seconds=draw(st.sampled_from((0, 0, 1))))
    number = draw(st.sampled_from((2, 2, 2, 3)))
    whole = traces.course(number, draw(st.sampled_from(("Piloter", "Piloter (2026)"))))
    if draw(st.integers(0, 5)) == 0:
        verb = draw(st.sampled_from((traces.VIEWED, traces.ENROLLED, traces.LEFT, traces.COMPLETED)))
        return traces.statement(who, verb, whole, at)
    rank = draw(st.sampled_from((1, 1, 2, 3, 4)))
    page = traces.page(number * 10 + rank, draw(st.sampled_from((None, "Autre titre"))))
    parents = [whole]
    if rank < 4:
        parents.insert(0, traces.section(number * 10 + rank % 2, draw(st.sampled_from((None, "Concepts")))))
    verb = draw(st.sampled_from(VERBS))
    result = None
    if verb in (traces.SCORED, VERBS[-1], VERBS[-2]):
        result = {"score": {"raw": draw(st.integers(0, 20)), "min": 0, "max": 20}}
    return traces.statement(who, verb, page, at, parents=parents, result=result)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Draw steps: lots of statements shuffled and repeated, refreshes, voidings, aliases, edits, zones."""
    drawn = draw(st.lists(said(), min_size=1, max_size=25))
    whole = list({item["id"]: item for item in drawn}.values())
    voided = draw(st.lists(st.sampled_from(whole), max_size=3))
    undone = {target["id"]: traces.voiding(target["id"], BASE + timedelta(days=1)) for target in voided}
    items = draw(
        st.permutations([*whole, *undone.values(), *draw(st.lists(st.sampled_from(whole), max_size=5))])
    )
    steps: list[tuple[str, Any]] = [("zone", draw(st.sampled_from(ZONES)))]
    while items:
        size = draw(st.integers(1, 8))
        lot = list({item["id"]: item for item in items[:size]}.values())
        steps.append(("put", lot))
        items = items[size:]
        limit = draw(st.sampled_from((0, 0, 1, 3, 1000, 1000)))
        if limit:
            steps.append(("refresh", limit))
    extra = st.one_of(
        st.tuples(st.just("alias"), st.sampled_from((("durand", "3"), ("durand", "4"), ("5", "4")))),
        st.tuples(st.just("zone"), st.sampled_from(ZONES)),
        st.tuples(st.just("edit"), st.tuples(st.booleans(), st.booleans(), st.integers(1, 3))),
    )
    for step in draw(st.lists(extra, max_size=5)):
        steps.insert(draw(st.integers(0, len(steps))), step)
    return steps


def play(engine: Engine, silo_id: int, steps: Sequence[tuple[str, Any]]) -> None:
    for name, value in steps:
        # The time zone of the silo is an administrator's.
        with administration(engine) if name == "zone" else transaction(engine, silo_id) as conn:
            if name == "put":
                ingest(conn, silo_id, value, now=NOW)
            elif name == "refresh":
                rollup.refresh(conn, silo_id, now=NOW, limit=value)
            elif name == "alias":
                events.rename_actor(conn, silo_id, key(value[0]), key(value[1]))
            elif name == "zone":
                rollup.change_time_zone(conn, silo_id, None, value)
            else:
                _edit(conn, silo_id, value)


def _edit(conn: Any, silo_id: int, value: tuple[bool, bool, int]) -> None:
    """Change the first item of the first course, where it has one."""
    number = course_id(silo_id, traces.course(2)["id"])
    items = outline.read(conn, silo_id, number, hidden=True)
    if items:
        required, hidden, position = value
        change = outline.Edit(items[-1].iri, required=required, hidden=hidden, position=position)
        outline.edit(conn, silo_id, number, [change], by="formateur", now=NOW)


BOUNDED = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _visit(who: str, minutes: int, verb: str = traces.VIEWED) -> tuple[str, Any]:
    parents = [traces.section(20), traces.course()]
    at = BASE + timedelta(minutes=minutes)
    return "put", [traces.statement(who, verb, traces.page(21), at, parents=parents)]


REFRESH = ("refresh", 1000)
#: In UTC, the click after midnight comes once the evening has been counted.
LATE_NEIGHBOUR = [("zone", "UTC"), _visit("3", 140), REFRESH, _visit("3", 155)]
#: What one learner reached is required by hand, then found to be tracked, by somebody else's traces.
TRACKED_LATER = [
    _visit("3", 0),
    REFRESH,
    ("edit", (True, False, 1)),
    REFRESH,
    _visit("4", 5, traces.UNCOMPLETED),
    REFRESH,
]


@BOUNDED
@example(steps=LATE_NEIGHBOUR)
@example(steps=TRACKED_LATER)
@given(steps=histories())
def test_any_history_gives_what_a_rebuild_gives(engine: Engine, steps: list[tuple[str, Any]]) -> None:
    silo_id = new_silo(engine)
    play(engine, silo_id, steps)
    same_as_rebuilt(engine, silo_id)


# --- several at once --------------------------------------------------------------------------------------


def _class(learners: int, acts: int) -> Lot:
    chance = random.Random(7)
    lot = []
    for learner in range(learners):
        at = BASE
        for _ in range(acts):
            at += timedelta(seconds=chance.choice((20, 300, 1500, 3000, 40_000)))
            rank = chance.randrange(8)
            verb = chance.choice((traces.VIEWED, traces.VIEWED, traces.COMPLETED, traces.UNCOMPLETED))
            parents = [traces.section(rank % 3), traces.course()]
            lot.append(traces.statement(f"u{learner}", verb, traces.page(rank), at, parents=parents))
    return list({item["id"]: item for item in lot}.values())


def test_concurrent_ingestion_and_refresh(engine: Engine, silo: int) -> None:
    lot = _class(8, 25)
    faults: list[BaseException] = []
    over = threading.Event()

    def sender(seed: int) -> None:
        mine = lot[:]
        random.Random(seed).shuffle(mine)
        try:
            for start in range(0, len(mine), 20):
                put(engine, silo, mine[start : start + 20])
        except BaseException as error:
            faults.append(error)

    def refresher() -> None:
        try:
            while not over.is_set():
                with transaction(engine, silo) as conn:
                    rollup.refresh(conn, silo, now=NOW, limit=10)
        except BaseException as error:
            faults.append(error)

    def mender() -> None:
        chance = random.Random(3)
        try:
            for number in range(4):
                with transaction(engine, silo) as conn:
                    events.rename_actor(conn, silo, key(f"u{number}"), key("u7"))
                target = chance.choice(lot)["id"]
                put(engine, silo, [traces.voiding(target, NOW)])
                zone = chance.choice(("Europe/Paris", "Indian/Reunion"))
                with administration(engine) as conn:
                    rollup.change_time_zone(conn, silo, None, zone)
        except BaseException as error:
            faults.append(error)

    senders = [threading.Thread(target=sender, args=(seed,)) for seed in range(3)]
    others = [threading.Thread(target=refresher), threading.Thread(target=refresher)]
    mends = threading.Thread(target=mender)
    for thread in (*senders, *others, mends):
        thread.start()
    for thread in (*senders, mends):
        thread.join(120)
    over.set()
    for thread in others:
        thread.join(60)
    assert not faults
    with transaction(engine, silo, write=False) as conn:
        stored = len(conn.execute(select(statement.c.id).where(statement.c.silo_id == silo)).all())
    assert stored >= len(lot)
    same_as_rebuilt(engine, silo)


# --- what only a rebuild mends ------------------------------------------------------------------------------


def test_rebuild_makes_again_what_was_damaged(engine: Engine, silo: int) -> None:
    put(engine, silo, _class(3, 10))
    drain(engine, silo)
    right = snapshot(engine, silo)
    with transaction(engine, silo) as conn:
        for table in DERIVED:
            if table is event:
                some = conn.execute(select(table.c.statement_id)).scalars().first()
                conn.execute(table.delete().where(table.c.statement_id == some))
                conn.execute(table.update().values(kind="other", course_title="faux"))
            else:
                conn.execute(table.delete())
    assert snapshot(engine, silo) != right
    seen: list[tuple[int, int]] = []
    read = rollup.rebuild(engine, silo, now=NOW, progress=lambda done, total: seen.append((done, total)))
    assert snapshot(engine, silo) == right
    assert seen[-1] == (read, read)


def test_rebuild_drops_an_event_without_statement(engine: Engine, silo: int) -> None:
    put(engine, silo, _class(1, 5))
    drain(engine, silo)
    right = snapshot(engine, silo)
    with transaction(engine, silo) as conn:
        row = dict(conn.execute(select(event)).mappings().first() or {})
        conn.execute(event.insert(), {**row, "statement_id": "00000000-0000-4000-8000-000000000001"})
        conn.execute(event.insert(), {**row, "course_id": 12})
    rollup.rebuild(engine, silo, now=NOW)
    assert snapshot(engine, silo) == right


def test_a_silo_leaves_the_other_alone(engine: Engine, silo: int, second_silo: int) -> None:
    lot = _class(2, 6)
    put(engine, silo, lot)
    put(engine, second_silo, lot)
    drain(engine, silo)
    assert snapshot(engine, second_silo)["rollup_actor"] == []
    drain(engine, second_silo)
    before = snapshot(engine, second_silo)
    put(engine, silo, [traces.voiding(lot[0]["id"], NOW)])
    rollup.rebuild(engine, silo, now=NOW)
    assert snapshot(engine, second_silo) == before


def test_what_is_pending_is_done_in_small_shares(engine: Engine, silo: int) -> None:
    put(engine, silo, _class(6, 10))
    with transaction(engine, silo) as conn:
        first = rollup.refresh(conn, silo, now=NOW, limit=3)
    assert 0 < first < 12
    same_as_rebuilt(engine, silo)


def test_zone_that_is_nonsense_is_refused(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        for name in ("99", "../etc/passwd", "", None):
            with pytest.raises(ValueError, match="time zone"):
                rollup.change_time_zone(conn, silo, None, name)
