"""The trainee's and the administrator's pages, and who may open which."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Engine

from tests.conftest import Clock
from tests.factories import opened
from tests.factories.opened import Reader

PEOPLE = {str(number): f"Prénom{number} Nom{number}" for number in range(1, 8)}
PAGES = ("today", "modules", "people", "people.csv", "outline", "outline.csv", "attendance")


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock) -> int:
    """Return a course of seven people who work."""
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, PEOPLE)
    sent = [statement for who in PEOPLE for statement in opened.statements(who, 1 + int(who) % 3, 1)]
    opened.take_in(engine, silo, sent, clock)
    return key


@pytest.fixture
def trainee(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return opened.reader(app, engine, silo, "trainee", course, "1")


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return opened.reader(app, engine, silo, "admin", course, "chef")


def test_a_trainee_sees_what_is_done_and_what_is_next(trainee: Reader) -> None:
    assert trainee.entered().endswith("/me")
    page = trainee.page("/me")
    assert "<b>Vous avez terminé deux modules</b> sur 3" in page
    assert "Pour réfléchir" in page
    assert 'id="figure-pace"' in page
    assert "Prénom2" not in page


def test_the_group_is_not_shown_under_the_threshold(
    app: Flask, engine: Engine, silo: int, clock: Clock
) -> None:
    key = opened.add_course(engine, silo, 5, "Petite session")
    opened.add_people(engine, silo, key, {"11": "Une Personne", "12": "Deux Personnes"})
    opened.take_in(engine, silo, opened.statements("11", 2, 1, number=5), clock)
    page = opened.reader(app, engine, silo, "trainee", key, "11").page("/me")
    assert "Le groupe n’est pas montré" in page
    assert "Médiane du groupe" not in page


def test_a_trainee_opens_no_page_of_the_tutor_nor_of_another(trainee: Reader, course: int) -> None:
    for path in PAGES:
        trainee.page(f"/courses/{course}/{path}", 403)
    trainee.page(f"/courses/{course}/people/{opened.actor('2')}", 404)
    trainee.page("/sessions", 403)
    for path in ("outline", "attendance", "outline/gatherings", "outline/import"):
        assert trainee.post(f"/courses/{course}/{path}", {}).status_code == 403


def test_an_administrator_sees_every_session(
    admin: Reader, course: int, engine: Engine, silo: int, second_silo: int
) -> None:
    opened.add_course(engine, silo, 3, "Session à venir")
    opened.add_course(engine, second_silo, 4, "Session d’à côté")
    assert admin.entered().endswith("/sessions")
    page = admin.page("/sessions")
    assert "<b>2 sessions</b>, 7 personnes" in page
    assert "Session à venir" in page
    assert "moins de 5 personnes" in page
    assert "7 (100" in page
    assert "Session d’à côté" not in page
    assert "Session à venir" not in admin.page("/sessions?q=piloter")
    file = admin.get("/sessions.csv")
    assert file.data.startswith(b"\xef\xbb\xbf")
    assert "Piloter" in file.data.decode()


def test_an_administrator_opens_a_session_with_pseudonyms(admin: Reader, course: int) -> None:
    for path in ("today", "people", "people.csv", f"people/{opened.actor('2')}"):
        page = admin.page(f"/courses/{course}/{path}")
        assert "Prénom2" not in page
        assert "Nom2" not in page
    assert "avec des pseudonymes" in admin.page(f"/courses/{course}/today")
    assert "Préparer un message" not in admin.page(f"/courses/{course}/people/{opened.actor('2')}")
    admin.page(f"/courses/{course}/people/{opened.actor('2')}/message", 403)
    for path in ("outline", "attendance"):
        admin.page(f"/courses/{course}/{path}", 403)


def test_another_silo_does_not_exist(app: Flask, engine: Engine, silo: int, second_silo: int) -> None:
    ours = opened.add_course(engine, silo)
    theirs = opened.add_course(engine, second_silo, 4, "Session d’à côté")
    reader = opened.reader(app, engine, silo, "admin", ours, "chef")
    for path in PAGES[:4]:
        reader.page(f"/courses/{theirs}/{path}", 404)


def test_a_launch_without_a_role_is_refused_in_words(
    app: Flask, engine: Engine, silo: int, course: int
) -> None:
    page = opened.reader(app, engine, silo, "", course, "perdu").page("/", 403)
    assert "Cette page n’est pas pour vous" in page


def test_somebody_else_with_the_address_sees_nothing(trainee: Reader, app: Flask) -> None:
    answer = app.test_client().get(f"/c/{trainee.launch_id}/me", base_url=opened.PUBLIC)
    assert answer.status_code == 404
    assert "Ouvrez Estime depuis la page de votre cours" in answer.get_data(as_text=True)


def test_how_figures_are_computed_is_said_to_each(trainee: Reader, admin: Reader, course: int) -> None:
    assert "Temps en ligne" in trainee.page(f"/courses/{course}/about")
    assert "Qui voit quoi" in admin.page("/about")
