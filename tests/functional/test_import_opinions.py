"""Answers of files on the satisfaction pages of their session: same summary, same guard, source said."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, update

from analyzers import answer_frames
from lti_tool import surveys
from lti_tool.imports import opinions
from lti_tool.imports.files import File
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.imports import taken
from tests.factories.opened import Reader
from tool_config.database import transaction
from xapi import datasets
from xapi.rollup import rebuild
from xapi.survey_tables import answer, survey_figure
from xapi.tables import course as course_table
from xapi.tables import outline_item

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
HEAD = "Id;Session;Module;Dans l’ensemble, êtes-vous satisfait ?;Les supports sont clairs;Académie ?;Que faut-il améliorer ?\r\n"  # noqa: E501
DEGREES = ["Très satisfait", "Satisfait", "Peu satisfait"]
AGREED = ["Tout à fait d’accord", "Plutôt d’accord", "Ni d’accord ni pas d’accord"]


def export(
    count: int, *, session: str = "PERDIR-7", first: int = 0, module: str = "Prendre son poste"
) -> bytes:
    lines = [
        f"{n};{session};{module};{DEGREES[n % 3]};{AGREED[n % 3]};Lille;Moins long {n}\r\n"
        for n in range(first, first + count)
    ]
    return (HEAD + "".join(lines)).encode("utf-8-sig")


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock) -> int:
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, {str(n): f"Personne {n}" for n in range(1, 13)})
    opened.add_people(engine, silo, key, {"formateur": "Nadia Aubert"}, role="tutor")
    opened.take_in(engine, silo, opened.statements("1", 3, 1), clock)
    name(engine, silo, key, "PERDIR-7")
    return key


def name(engine: Engine, silo: int, key: int, label: str) -> None:
    with transaction(engine, silo) as conn:
        conn.execute(update(course_table).where(course_table.c.course_id == key).values(label=label))
        first = select(func.min(outline_item.c.iri)).where(outline_item.c.level == "module").scalar_subquery()
        conn.execute(
            update(outline_item).where(outline_item.c.iri == first).values(title="Prendre son poste")
        )


def take(engine: Engine, silo: int, content: bytes, clock: Any) -> File:
    done = taken(engine, silo, content, clock, "survey_answers", {"questionnaire": "Fin de module"})
    assert done.state == "done"
    return done


def figures(engine: Engine, silo: int) -> dict[str, Any]:
    with transaction(engine, silo, write=False) as conn:
        return answer_frames.silo(conn, silo)


def counted(engine: Engine, silo: int, table: Any) -> int:
    with transaction(engine, silo, write=False) as conn:
        return int(conn.scalar(select(func.count()).select_from(table).where(table.c.silo_id == silo)) or 0)


def test_answers_of_a_file_are_published_like_the_others(
    engine: Engine, silo: int, clock: Any, course: int
) -> None:
    assert take(engine, silo, export(12), clock).notes["opinions"] == 1
    [(survey_id, found)] = figures(engine, silo).items()
    assert opinions.from_file(survey_id)
    with transaction(engine, silo, write=False) as conn:
        [asked] = surveys.listing(conn, silo, course)
        rows = conn.execute(select(answer).where(answer.c.silo_id == silo)).all()
    assert (found.n, found.closed, found.received, asked.mode) == (12, True, 12, "anonymous")
    assert found.counts[asked.template.overall.id] == {4: 4, 3: 4, 2: 4}
    # The académie, which could name somebody, is in no published figure; the comments are.
    assert [question.kind for question in asked.template.questions] == ["overall", "item", "comment"]
    assert list(found.comments.values()) == [12]
    assert [row.course_id for row in rows] == [course] * 36
    scores = {row.respondent for row in rows if row.text is None}
    assert len(scores) == 12
    assert not scores & {row.respondent for row in rows if row.text is not None}


def test_a_longer_export_never_shows_the_answer_that_it_adds(
    engine: Engine, silo: int, clock: Any, course: int
) -> None:
    take(engine, silo, export(4), clock)
    assert [one.n for one in figures(engine, silo).values()] == [0]
    assert counted(engine, silo, survey_figure) == 0
    take(engine, silo, export(7), clock)
    before = figures(engine, silo)
    assert [one.n for one in before.values()] == [7]
    take(engine, silo, export(8), clock)
    assert figures(engine, silo) == before
    take(engine, silo, export(12), clock)
    assert [one.n for one in figures(engine, silo).values()] == [12]
    take(engine, silo, export(12), clock)
    assert counted(engine, silo, answer) == 36


def test_a_session_known_later_gets_its_answers(engine: Engine, silo: int, clock: Any, course: int) -> None:
    done = take(engine, silo, export(6, session="PERDIR-8"), clock)
    assert (done.notes["unplaced"], figures(engine, silo)) == (24, {})
    name(engine, silo, course, "PERDIR-8")
    with transaction(engine, silo) as conn:
        assert datasets.settle(conn, silo) == 24
    assert opinions.publish(engine, silo, file_id=None, by="", now=clock())["opinions"] == 1
    assert [one.n for one in figures(engine, silo).values()] == [6]


@sqlite_only
def test_they_outlive_a_rebuild(engine: Engine, silo: int, clock: Any, course: int) -> None:
    take(engine, silo, export(6), clock)
    before = figures(engine, silo)
    rebuild(engine, silo, now=clock())
    assert counted(engine, silo, answer) == 18
    assert figures(engine, silo) == before


@sqlite_only
def test_four_degrees_make_a_scale_of_four(engine: Engine, silo: int, clock: Any, course: int) -> None:
    words = ["Pas du tout satisfait", "Plutôt pas satisfait", "Plutôt satisfait", "Très satisfait"]
    text = "Id;Session;Êtes-vous satisfait de cette session ?\r\n"
    text += "".join(f"{n};PERDIR-7;{words[n % 4]}\r\n" for n in range(8))
    take(engine, silo, text.encode(), clock)
    with transaction(engine, silo, write=False) as conn:
        [asked] = surveys.listing(conn, silo, course)
    assert [point.label.fr for point in asked.template.overall.scale] == words
    assert (asked.module, asked.template.scope) == ("", "session")


@sqlite_only
def test_the_pages_say_that_they_come_from_a_file(
    app: Flask, engine: Engine, silo: int, clock: Any, course: int
) -> None:
    take(engine, silo, export(9), clock)
    tutor: Reader = opened.reader(app, engine, silo, "tutor", course)
    page = tutor.page(f"/courses/{course}/satisfaction")
    assert "venant d’un fichier" in page
    assert "Prendre son poste" in page
    [survey_id] = figures(engine, silo)
    page = tutor.page(f"/courses/{course}/satisfaction/{survey_id}")
    assert "venant d’un fichier" in page
    assert "Moins long 3" in page
    assert "Académie" not in page
    assert "Retirer ce questionnaire" not in page


@sqlite_only
def test_what_is_no_opinion_makes_no_questionnaire(
    engine: Engine, silo: int, clock: Any, course: int
) -> None:
    text = "Id;Session;Combien d’heures ?;Quelle ville ?\r\n" + "".join(
        f"{n};PERDIR-7;{n * 3};Ville {n}\r\n" for n in range(9)
    )
    assert "opinions" not in take(engine, silo, text.encode(), clock).notes
    assert (figures(engine, silo), counted(engine, silo, answer)) == ({}, 0)
