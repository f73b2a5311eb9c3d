"""Presences ticked by a tutor, and the thread that counts them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from lti_tool import attendance
from lti_tool.attendance import AttendanceError
from lti_tool.tables import person
from lti_tool.worker import Worker
from tests.factories import traces
from tool_config.database import transaction
from xapi import events, outline, rollup
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.statement import account_key
from xapi.tables import rollup_activity, rollup_actor, rollup_module, statement

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
HOME = "https://estime.test"
TUTOR = account_key(traces.SITE, "9")
SECTION = traces.section(7, "Concepts")


def actor(name: str) -> str:
    return account_key(traces.SITE, name)


def visit(name: str) -> dict[str, Any]:
    return traces.statement(
        name, traces.VIEWED, traces.page(1), "2026-11-20T09:00:00Z", parents=[SECTION, traces.course()]
    )


def drained(conn: Connection, silo: int) -> None:
    while rollup.refresh(conn, silo, now=NOW):
        pass


def planned(conn: Connection, silo: int, **changed: Any) -> tuple[int, str]:
    """Store a course with two visitors and a day in person; return both keys."""
    ingest(conn, silo, [visit("3"), visit("4")], now=NOW)
    drained(conn, silo)
    number = course_id(silo, traces.course()["id"])
    wanted = {"title": "Jour 1", "kind": "day_in_person", "day": date(2026, 10, 2), "module": SECTION["id"]}
    iri = outline.add_gathering(conn, silo, number, **{**wanted, **changed}, by=TUTOR, now=NOW)
    drained(conn, silo)
    return number, iri


def tick(conn: Connection, silo: int, number: int, iri: str, *names: str) -> tuple[int, int]:
    present = {actor(name) for name in names}
    return attendance.mark(conn, silo, number, iri, present, by=TUTOR, now=NOW, authority_home=HOME)


def test_a_presence_counts_like_any_event(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo)
        assert tick(conn, silo, number, iri, "3") == (1, 0)
        assert attendance.read(conn, silo, number) == {iri: {actor("3")}}
        drained(conn, silo)
        learner = conn.execute(select(rollup_actor).where(rollup_actor.c.actor == actor("3"))).one()
        noon = datetime(2026, 10, 2, 10, tzinfo=UTC)  # noon in Paris, in summer time
        assert (learner.attended, learner.first_at, learner.events) == (1, noon, 2)
        assert learner.seconds_60 == 0
        row = conn.execute(select(rollup_activity).where(rollup_activity.c.activity == iri)).one()
        assert row.attended_at == noon
        module = conn.execute(select(rollup_module).where(rollup_module.c.actor == actor("3"))).one()
        assert (module.module, module.done, module.required) == (SECTION["id"], 1, 1)
        item = next(i for i in outline.read(conn, silo, number) if i.iri == iri)
        assert (item.title, item.module, item.gathering) == ("Jour 1", SECTION["id"], "day_in_person")
        section = next(i for i in outline.read(conn, silo, number) if i.iri == SECTION["id"])
        assert section.title == "Concepts"


def test_the_same_ticks_twice_write_nothing_again(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo)
        assert tick(conn, silo, number, iri, "3", "4") == (2, 0)
        count = select(func.count()).select_from(statement)
        before = conn.execute(count).scalar_one()
        assert tick(conn, silo, number, iri, "4", "3") == (0, 0)
        assert conn.execute(count).scalar_one() == before


def test_unticked_and_ticked_again(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo)
        for names, expected in (
            (("3", "4"), (2, 0)),
            (("4",), (0, 1)),
            ((), (0, 1)),
            (("3",), (1, 0)),
            ((), (0, 1)),
            (("3",), (1, 0)),
        ):
            assert tick(conn, silo, number, iri, *names) == expected
            assert attendance.read(conn, silo, number) == {iri: {actor(name) for name in names}}
            drained(conn, silo)
            attended = conn.execute(select(rollup_actor.c.actor).where(rollup_actor.c.attended > 0))
            assert set(attended.scalars()) == {actor(name) for name in names}


def test_somebody_known_only_by_a_launch_or_another_name(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo, module=None)
        row = {"silo_id": silo, "actor": actor("8"), "issuer": traces.SITE, "sub": "8", "created_at": NOW}
        conn.execute(person.insert(), row)
        assert tick(conn, silo, number, iri, "8") == (1, 0)
        ingest(conn, silo, [visit("durand")], now=NOW)
        events.rename_actor(conn, silo, actor("durand"), actor("8"))
        assert tick(conn, silo, number, iri, "durand") == (0, 0)
        drained(conn, silo)
        learner = conn.execute(select(rollup_actor).where(rollup_actor.c.actor == actor("8"))).one()
        assert (learner.attended, learner.events) == (1, 2)


def test_who_ticked_is_the_authority(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo)
        tick(conn, silo, number, iri, "3")
        raw = conn.execute(select(statement.c.raw).where(statement.c.activity == iri)).scalar_one()
        assert f'"homePage":"{HOME}"' in raw
        assert TUTOR in raw


def test_what_cannot_be_ticked(engine: Engine, silo: int) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo)
        for place, who, code in (
            (iri, "unseen", "unknown_person"),
            (traces.page(1)["id"], "3", "unknown_gathering"),
            ("urn:uuid:none", "3", "unknown_gathering"),
        ):
            with pytest.raises(AttendanceError) as caught:
                tick(conn, silo, number, place, who)
            assert caught.value.code == code


# --- the worker ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [(), ("3", "4")], ids=["unticking", "ticking"])
def test_two_tutors_who_save_at_once_agree(engine: Engine, silo: int, names: tuple[str, ...]) -> None:
    with transaction(engine, silo) as conn:
        number, iri = planned(conn, silo)
        tick(conn, silo, number, iri, "3")
    done: list[tuple[int, int] | Exception] = []

    def save() -> None:
        present = {actor(name) for name in names}
        try:
            with transaction(engine, silo) as conn:
                found = attendance.mark(
                    conn, silo, number, iri, present, by=actor("10"), now=NOW, authority_home=HOME
                )
        except Exception as error:
            done.append(error)
        else:
            done.append(found)

    other = threading.Thread(target=save)
    with transaction(engine, silo) as conn:
        tick(conn, silo, number, iri, *names)
        other.start()
        other.join(0.4)
        assert done == []  # it waits for this one
    other.join(20)
    assert done == [(0, 0)]
    with transaction(engine, silo, write=False) as conn:
        assert attendance.read(conn, silo, number) == {iri: {actor(name) for name in names}}


def waited(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Return after how long a condition held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it never came"
        time.sleep(0.02)
    return time.monotonic() - start


def test_a_statement_is_counted_within_two_seconds(engine: Engine, silo: int, second_silo: int) -> None:
    worker = Worker(engine, lambda: NOW)
    worker.start()
    worker.start()
    try:
        for where in (silo, second_silo):
            with transaction(engine, where) as conn:
                ingest(conn, where, [visit("3")], now=NOW)

            def counted(silo_id: int = where) -> bool:
                with transaction(engine, silo_id, write=False) as conn:
                    query = select(rollup_actor.c.events).where(rollup_actor.c.silo_id == silo_id)
                    return conn.execute(query).scalars().all() == [1]

            assert waited(counted) < 2
    finally:
        worker.stop()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_faulty_silo_does_not_keep_the_others_stale(
    engine: Engine,
    silo: int,
    second_silo: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = rollup.refresh

    def refresh(conn: Connection, silo_id: int, **options: Any) -> int:
        if silo_id == silo:
            raise RuntimeError("broken")
        return real(conn, silo_id, **options)

    for where in (silo, second_silo):
        with transaction(engine, where) as conn:
            ingest(conn, where, [visit("3")], now=NOW)
    monkeypatch.setattr(rollup, "refresh", refresh)
    worker = Worker(engine, lambda: NOW)
    with caplog.at_level(logging.ERROR):
        assert worker.turn()
    assert f"silo {silo} " in caplog.text
    with transaction(engine, second_silo, write=False) as conn:
        assert not rollup.is_pending(conn, second_silo)
    with transaction(engine, silo, write=False) as conn:
        assert rollup.is_pending(conn, silo)
    monkeypatch.undo()
    while worker.turn():
        pass
    with transaction(engine, silo, write=False) as conn:
        assert not rollup.is_pending(conn, silo)
