"""What has been kept long enough leaves; what was counted stays, and a rebuild does not change it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from analyzers import frames
from lti_tool.privacy import purging, retention
from lti_tool.tables import audit, person, survey
from tests.factories import everywhere as scene
from tests.factories import opened, traces
from tests.factories.opened import NOW
from tool_config.database import insert, transaction
from xapi import rollup, tables
from xapi.ingest import ingest
from xapi.survey_tables import answer, survey_comment, survey_figure, survey_step


def _say(engine: Engine, silo: int, course: int, who: str, days_ago: int, number: int) -> None:
    at = NOW - timedelta(days=days_ago)
    parents = [traces.section(3), traces.course(number)]
    said = [
        traces.statement(
            who, traces.VIEWED, traces.page(number * 10 + rank), at + timedelta(minutes=rank), parents=parents
        )
        for rank in range(3)
    ]
    said.append(traces.statement(who, traces.COMPLETED, traces.course(number), at, parents=parents))
    with transaction(engine, silo) as conn:
        ingest(conn, silo, said, now=NOW - timedelta(minutes=5))
        rollup.refresh(conn, silo, now=NOW)


def _ends(engine: Engine, silo: int, course: int, day: date | None) -> None:
    with transaction(engine, silo) as conn:
        conn.execute(update(tables.course).where(tables.course.c.course_id == course).values(ends_on=day))


def _figures(engine: Engine, silo: int) -> list[Any]:
    with transaction(engine, silo, write=False) as conn:
        shown = ("course_id", "title", "enrolled", "finished", "last_on", "starts_on", "ends_on")
        found = [[row[name] for name in shown] for row in frames.silo(conn, silo, as_of=NOW).sessions]
        query = select(survey_figure).where(survey_figure.c.silo_id == silo)
        return [found, sorted(tuple(row) for row in conn.execute(query))]


def test_a_session_long_over_keeps_its_counts_only(engine: Engine, silo: int, clock: Any) -> None:
    clock.now = NOW
    over, running, endless = (opened.add_course(engine, silo, rank, f"Session {rank}") for rank in (2, 3, 4))
    for rank, course in ((2, over), (3, running), (4, endless)):
        names = {f"{rank}0": "Paul Roche"} | ({"3": "Sara Benali"} if rank == 2 else {})
        opened.add_people(engine, silo, course, names)
        for who in ("3", f"{rank}0"):
            # A path of two years: its first year is long ago, and it still runs.
            _say(engine, silo, course, who, 700, rank)
    _ends(engine, silo, over, NOW.date() - timedelta(days=400))
    _ends(engine, silo, running, NOW.date() + timedelta(days=30))
    place = {"silo_id": silo, "course_id": over, "survey_id": scene.SURVEY}
    with transaction(engine, silo) as conn:
        asked = {"module": "", "template": {}, "mode": "pseudonymous", "created_by": "x", "created_at": NOW}
        long_ago = NOW - timedelta(days=390)
        at = {"opens_at": long_ago, "closes_at": long_ago, "settled_at": long_ago}
        conn.execute(insert(conn, survey), {**place, **asked, **at})
        said = {
            "question": "q",
            "module": "",
            "phase": "",
            "at": long_ago,
            "respondent": "r",
            "spoken_by": "r",
        }
        for rank, text in ((1, None), (2, "un avis")):
            number = {"statement_id": f"00000000-0000-4000-8000-00000000000{rank}"}
            row = {**place, **said, **number, "value": None if text else 4, "text": text}
            conn.execute(insert(conn, answer), {**row, "attempt": scene.SURVEY})
        shown = {"comment_id": scene.SURVEY, "question": "q", "statement_id": number["statement_id"]}
        conn.execute(insert(conn, survey_comment), {**place, **shown})
        step = {"n": 5, "closed": True, "received": 5, "comments": {"q": 1}, "day": NOW.date()}
        conn.execute(insert(conn, survey_step), {**place, **step})
        conn.execute(insert(conn, survey_figure), {**place, "question": "q", "value": 4, "count": 5})
        old = {"silo_id": silo, "audit_id": "old", "at": NOW - timedelta(days=366), "action": "look"}
        conn.execute(insert(conn, audit), {**old, "accepted": True})
    before = _figures(engine, silo)
    with transaction(engine, silo, write=False) as conn:
        plan = retention.plan(conn, silo, now=NOW)
    assert [(one.course_id, one.traces) for one in plan.courses] == [(over, 8)]
    assert plan.counts == {"answers": 1, "comments": 0, "imports": 0, "looks": 1}
    assert plan.endless == 1
    gone = purging.purge(engine, silo, clock=clock)
    assert gone == {"traces": 8, "people": 1, "answers": 1, "looks": 1}
    assert _figures(engine, silo) == before
    rollup.rebuild(engine, silo, now=NOW)
    assert _figures(engine, silo) == before
    # A late visit does not open it again; it leaves the next night.
    _say(engine, silo, over, "3", 1, 2)
    assert _figures(engine, silo) == before
    assert purging.purge(engine, silo, clock=clock) == {"traces": 4}
    assert purging.purge(engine, silo, clock=clock) == {}
    with transaction(engine, silo, write=False) as conn:
        left = select(tables.statement.c.raw).where(tables.statement.c.silo_id == silo)
        assert {opened.actor("20")} & set(conn.scalars(select(person.c.actor))) == set()
        assert opened.actor("3") in set(conn.scalars(select(person.c.actor)))
        assert all('id=2"' not in raw for raw in conn.scalars(left))
        assert conn.scalar(select(func.count()).select_from(survey_comment)) == 1
        assert conn.scalar(select(func.count()).select_from(tables.statement)) == 16


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_durations_are_an_administrators(app: Any, engine: Engine, silo: int, clock: Any) -> None:
    clock.now = NOW
    course = opened.add_course(engine, silo)
    _ends(engine, silo, course, NOW.date() - timedelta(days=100))
    admin = opened.reader(app, engine, silo, "admin", course)
    assert opened.reader(app, engine, silo, "tutor", course).get("/retention").status_code == 403
    page = admin.page("/retention")
    assert "Aucune session" in page
    sent = {"traces": "90", "answers": "365", "comments": "730", "imports": "30", "looks": "365"}
    assert admin.post("/retention", {**sent, "looks": "10"}).status_code == 400
    assert admin.post("/retention", sent).status_code == 303
    assert "1 session" in admin.page("/retention")
