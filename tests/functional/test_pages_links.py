"""Links through HTTP: the tutor's page, the public form, what it refuses, who reaches what."""

from __future__ import annotations

import io
import logging
import re
import uuid
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool import mail
from lti_tool.app import create_app
from lti_tool.tables import audit
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.opened import PUBLIC, Reader
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.survey_tables import answer

PEOPLE = {str(number): f"Personne {number}" for number in range(1, 7)}


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock) -> int:
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, PEOPLE)
    opened.add_people(engine, silo, key, {"formateur": "Nadia Aubert"}, role="tutor")
    opened.take_in(engine, silo, opened.statements("1", 3, 1), clock)
    return key


@pytest.fixture
def tutor(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return opened.reader(app, engine, silo, "tutor", course)


def ask(tutor: Reader, course: int, **changed: str) -> str:
    """Open the questionnaire of commanditaires; return the path of its links."""
    form = {"module": "", "template": "regard-commanditaires", "mode": "pseudonymous"}
    sent = form | {"opens": "2026-11-21", "closes": "2026-12-05"} | changed
    given = tutor.post(f"/courses/{course}/satisfaction/new", sent)
    assert given.status_code == 303, plain(given)[:1500]
    found = re.search(r"(/courses/.*/satisfaction/[0-9a-f-]{36})", given.headers["Location"])
    assert found
    return f"{found[1]}/links"


def plain(answer: Any) -> str:
    text = answer if isinstance(answer, str) else answer.get_data(as_text=True)
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def invite(tutor: Reader, path: str, people: str = "Anne Roy <anne@mairie.test>") -> Any:
    return tutor.post(path, {"do": "add", "recipients": people, "locale": "fr"})


def copied(tutor: Reader, path: str) -> list[str]:
    """Copy the links not given yet, and return their paths."""
    page = tutor.post(path, {"do": "copy"})
    assert page.status_code == 200, plain(page)[:800]
    return re.findall(rf'value="{PUBLIC}(/answer/[^"]+)"', page.get_data(as_text=True))


def visit(app: Flask, path: str, **more: Any) -> Any:
    return app.test_client(use_cookies=False).open(path, base_url=PUBLIC, **more)


def fill(page: str, **changed: str) -> dict[str, str]:
    """Fill a form as somebody satisfied would."""
    fields = {name: values[0] for name, values in opened.fields(page).items()}
    sent = {name: fields[name] for name in ("csrf_token", "attempt")}
    sent |= {name: "4" for name in fields if name.startswith("q-")}
    return sent | changed


def answers(engine: Engine, silo: int) -> int:
    with transaction(engine, silo, write=False) as conn:
        return len(set(conn.scalars(select(answer.c.respondent))))


def test_a_copied_link_is_answered_without_account_and_once(
    app: Flask, engine: Engine, silo: int, tutor: Reader, course: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = ask(tutor, course)
    page = plain(tutor.page(path))
    assert "Aucun serveur de courriel n’est réglé" in page
    assert "Envoyer le lien" not in page
    assert invite(tutor, path).status_code == 303
    assert "lien à copier" not in plain(tutor.page(path))
    (link,) = copied(tutor, path)
    assert "/answer/" not in tutor.page(path).replace("/answer/…", "")  # shown once
    assert visit(app, link, method="HEAD").status_code == 200
    form = visit(app, link)
    assert form.status_code == 200
    assert form.headers["Referrer-Policy"] == "no-referrer"
    assert 'name="referrer" content="no-referrer"' in form.get_data(as_text=True)
    assert "frame-ancestors 'none'" in form.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in form.headers
    text = plain(form)
    assert '<p class="h1">essai</p>' in text
    assert "Personne 1" not in text
    assert 'href="/c/' not in text
    assert visit(app, link).status_code == 200  # opened twice: nothing is used up
    sent = fill(form.get_data(as_text=True))
    given = visit(app, link, method="POST", data=sent)
    assert given.status_code == 303
    assert "Vos réponses sont enregistrées" in plain(visit(app, given.headers["Location"]))
    assert answers(engine, silo) == 1
    assert visit(app, link, method="POST", data=sent).status_code == 303  # the same form again
    again = visit(app, link, method="POST", data=sent | {"attempt": str(uuid.uuid4())})
    assert again.status_code == 410
    assert "Vous avez déjà répondu" in plain(again)
    assert visit(app, link).status_code == 410
    assert answers(engine, silo) == 1
    assert "GET /answer/<token> 200" in caplog.text
    token = link.rpartition("/")[2]
    with transaction(engine, silo, write=False) as conn:
        lines = repr(conn.execute(select(audit)).all())
    for kept in (caplog.text, lines):
        assert token.partition(".")[2] not in kept
        assert "anne@" not in kept


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_faults_of_a_list_are_told_by_line_and_nothing_is_added(tutor: Reader, course: int) -> None:
    path = ask(tutor, course)
    wrong = invite(tutor, path, "anne@mairie.test\nbob\nanne@mairie.test")
    assert wrong.status_code == 400
    page = plain(wrong)
    assert "Ligne 2 : « bob » n’a pas une adresse" in page
    assert "Ligne 3 : la même adresse qu’à la ligne 1." in page
    assert "anne@mairie.test\nbob" in page
    assert "Personne pour l’instant" in page
    file = {"file": (io.BytesIO("Nom;Courriel\nÉva;eva@mairie.test".encode("cp1252")), "liste.csv")}
    assert tutor.post(path, {"do": "add", **file}).status_code == 303
    assert "Éva" in tutor.page(path)
    assert "à envoyer" in plain(tutor.page(path))
    assert tutor.post(path, {"do": "send"}).status_code == 409  # no server
    assert invite(tutor, path, "eva@mairie.test").headers["Location"].endswith("done=invited_already")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_faulty_form_comes_back_whole_and_the_link_still_serves(
    app: Flask, engine: Engine, silo: int, tutor: Reader, course: int
) -> None:
    path = ask(tutor, course)
    invite(tutor, path)
    (link,) = copied(tutor, path)
    sent = fill(visit(app, link).get_data(as_text=True), **{"q-overall": ""})
    wrong = visit(app, link, method="POST", data=sent)
    assert wrong.status_code == 400
    assert "rien n’est encore envoyé" in plain(wrong)
    stolen = visit(app, link, method="POST", data=sent | {"q-overall": "4", "csrf_token": "x"})
    assert stolen.status_code == 403
    data = sent | {"q-overall": "4"}
    crossed = visit(app, link, method="POST", data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert answers(engine, silo) == 0
    assert visit(app, link, method="POST", data=data).status_code == 303


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_links_that_open_nothing_say_why_and_what_to_do(
    app: Flask, engine: Engine, silo: int, second_silo: int, tutor: Reader, course: int, clock: Clock
) -> None:
    path = ask(tutor, course, opens="2026-11-23")
    invite(tutor, path)
    (link,) = copied(tutor, path)
    early = visit(app, link)
    assert early.status_code == 403
    assert "Il ouvre le 23 novembre 2026" in plain(early)
    head, _, secret = link.partition(".")
    unknown = [
        f"/answer/{second_silo}.{secret}",
        f"{head}.{'a' * 43}",
        "/answer/x",
        "/answer/9.x",
        f"{link}x",
    ]
    pages = {visit(app, wrong).get_data() for wrong in unknown}
    assert len(pages) == 1  # nothing tells one unknown link from another
    assert {visit(app, wrong).status_code for wrong in unknown} == {404}
    assert visit(app, unknown[1], method="POST", data={}).status_code == 404
    for _ in range(40):
        last = visit(app, unknown[1])
    assert last.status_code == 429
    clock.advance(days=3)
    sent = fill(visit(app, link).get_data(as_text=True))
    clock.advance(days=30)
    late = visit(app, link, method="POST", data=sent)
    assert late.status_code == 410
    assert "vos réponses n’ont pas été enregistrées" in plain(late)
    assert tutor.get(path).status_code == 401  # launches end; only the point below matters
    assert answers(engine, silo) == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_page_is_for_those_of_the_course_and_of_the_silo(
    app: Flask, engine: Engine, silo: int, second_silo: int, tutor: Reader, course: int
) -> None:
    path = ask(tutor, course)
    own = ask(tutor, course, template="a-froid")
    admin = opened.reader(app, engine, silo, "admin", course, who="gestion")
    trainee = opened.reader(app, engine, silo, "trainee", course, who="1")
    theirs = opened.add_course(engine, second_silo)
    stranger = opened.reader(app, engine, second_silo, "admin", theirs, who="autre")
    other = opened.reader(app, engine, silo, "tutor", opened.add_course(engine, silo, 9, "Autre"), who="8")
    assert invite(admin, path).status_code == 303
    assert admin.get(own).status_code == 403  # names the people of the session
    for who, status in ((trainee, 403), (stranger, 404), (other, 404)):
        token = "0" * 64 if who is trainee else who.token()
        assert who.get(path).status_code == status
        assert who.post(path, {"do": "add", "recipients": "x@y.test"}, token).status_code in (403, 404)
    assert tutor.post(path, {"do": "add", "recipients": "x@y.test"}, "0" * 64).status_code == 403
    page = tutor.page(own)
    assert page.count('name="actor"') == len(PEOPLE)
    chosen = re.findall(r'name="actor" value="([0-9a-f]{32})"', page)[:2]
    assert tutor.post(own, {"do": "choose", "actor": chosen, "locale": "en"}).status_code == 303
    assert len(copied(tutor, own)) == 2
    assert "Personne 1" in tutor.page(own)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_with_a_server_the_page_offers_to_send_and_shows_the_message(
    settings: Settings, engine: Engine, silo: int, course: int, clock: Clock
) -> None:
    told = replace(settings, smtp_host="127.0.0.1", smtp_tls="none", mail_sender="formation@ecole.test")
    assert mail.is_set(told)
    tutor = opened.reader(create_app(told, engine=engine, clock=clock), engine, silo, "tutor", course)
    path = ask(tutor, course)
    invite(tutor, path)
    page = plain(tutor.page(path))
    assert "Envoyer le lien à 1 personne" in page
    assert "essai vous demande votre avis sur la session « Piloter »" in page
    assert "jusqu’au 5 décembre 2026 inclus" in page
    assert "would like your opinion" in page
    assert "Rappeler à qui" not in page
    assert tutor.post(path, {"do": "send"}).headers["Location"].endswith("done=sending")
    assert "envoi en cours" in plain(tutor.page(path))
    assert tutor.post(path, {"do": "send"}).headers["Location"].endswith("done=sending_none")
