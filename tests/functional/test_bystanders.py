"""Somebody given as a trainee by the platform, whom the tutor sets aside: counted nowhere, until undone."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Engine, select, update

from analyzers import frames
from lti_tool.services import marks
from lti_tool.tables import audit
from tests.conftest import Clock
from tests.factories import opened, traces
from tests.factories.opened import Reader
from tool_config import rules
from tool_config.database import Rows, replacing, transaction, write_together
from xapi.tables import membership

PEOPLE = {"1": "Camille Renaud", "2": "Idriss Belkacem", "3": "Hélène Pasquier"}


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock) -> int:
    """Return a course of three people, of whom the second works, and a fourth whom only traces show."""
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, PEOPLE)
    opened.take_in(engine, silo, [*opened.statements("2", 2, 1), *opened.statements("4", 1, 1)], clock)
    return key


@pytest.fixture
def tutor(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return opened.reader(app, engine, silo, "tutor", course)


def _enrolled(engine: Engine, silo: int, course: int, clock: Clock) -> set[str]:
    with transaction(engine, silo, write=False) as conn:
        read = frames.course(conn, silo, course, as_of=clock(), rules=rules.load())
    return set(read.learner_columns["actor"].tolist())


def _said(tutor: Reader, course: int, who: str, aside: str) -> int:
    answer = tutor.post(f"/courses/{course}/people/aside", {"actor": opened.actor(who), "aside": aside})
    return int(answer.status_code)


def test_who_is_set_aside_counts_nowhere_until_counted_again(
    engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    assert "4 participants" in tutor.page(f"/courses/{course}/people")
    assert _said(tutor, course, "2", "1") == 303
    page = tutor.page(f"/courses/{course}/people?done=aside")
    assert "3 participants" in page
    assert re.search(r"<span>Idriss Belkacem</span>.*Compter de nouveau", page)
    assert opened.actor("2") not in _enrolled(engine, silo, course, clock)
    assert "3 inscrits" in tutor.page(f"/courses/{course}/today")
    with transaction(engine, silo, write=False) as conn:
        said = marks.gradable(conn, silo, course, traces.SITE)  # of whom a mark is sent
    assert set(said) == {opened.actor("1"), opened.actor("3")}

    assert _said(tutor, course, "2", "0") == 303
    page = tutor.page(f"/courses/{course}/people")
    assert "4 participants" in page
    assert "Compter de nouveau" not in page
    with transaction(engine, silo, write=False) as conn:
        lines = conn.execute(
            select(audit.c.subject, audit.c.reason)
            .where(audit.c.reason.like("people:%"))
            .order_by(audit.c.reason)
        ).all()
    assert [tuple(one) for one in lines] == [
        (opened.actor("2"), "people: counted again"),
        (opened.actor("2"), "people: set aside"),
    ]


def test_neither_a_launch_nor_a_roster_brings_them_back(
    engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    assert _said(tutor, course, "2", "1") == 303
    here = {"silo_id": silo, "course_id": course, "actor": opened.actor("2"), "since": clock()}
    with transaction(engine, silo) as conn:
        # As a launch writes (acquaintance.place_rows), then as a roster does after a departure.
        joined = {**here, "role": "trainee", "source": "launch", "until": None}
        write_together(conn, [Rows(membership, [joined], replacing("role", "until"))])
        mine = membership.c.actor == opened.actor("2"), membership.c.silo_id == silo
        conn.execute(update(membership).where(*mine).values(role="trainee", until=None, source="roster"))
    assert opened.actor("2") not in _enrolled(engine, silo, course, clock)


def test_who_is_shown_by_traces_alone_can_be_set_aside(
    engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    assert _said(tutor, course, "4", "1") == 303
    assert opened.actor("4") not in _enrolled(engine, silo, course, clock)
    assert _said(tutor, course, "4", "0") == 303
    assert opened.actor("4") in _enrolled(engine, silo, course, clock)


def test_only_the_tutor_of_the_course_may_and_only_of_its_people(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    trainee = opened.reader(app, engine, silo, "trainee", course)
    other = opened.add_course(engine, silo, 3)
    assert _said(trainee, course, "2", "1") in (403, 404)
    assert _said(opened.reader(app, engine, silo, "tutor", other), course, "2", "1") == 404
    for nobody in ("nobody", "a\x00b", ""):
        answer = tutor.post(f"/courses/{course}/people/aside", {"actor": nobody, "aside": "1"})
        assert answer.status_code == 404
    assert opened.actor("2") in _enrolled(engine, silo, course, clock)


def test_who_is_set_aside_still_opens_their_own_page(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    theirs = opened.reader(app, engine, silo, "trainee", course, who="2")
    assert _said(tutor, course, "2", "1") == 303
    assert theirs.get("/me").status_code == 200
