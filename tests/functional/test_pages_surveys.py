"""Questionnaires through HTTP: opened by the tutor, answered by trainees, read by who may."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select

from lti_tool import surveys
from tests.conftest import SECRET_KEY, Clock
from tests.factories import opened
from tests.factories.opened import Reader
from tool_config.database import transaction
from xapi.survey_tables import answer
from xapi.tables import statement

PEOPLE = {str(number): f"Personne {number}" for number in range(1, 13)}


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


def modules(tutor: Reader, course: int) -> list[str]:
    page = tutor.page(f"/courses/{course}/satisfaction/new")
    select_part = page[page.index('<select name="module"') : page.index("</select>")]
    return re.findall(r'<option value="([^"]+)"', select_part)


def form(module: str, **changed: str) -> dict[str, str]:
    filled = {"module": module, "template": "a-chaud-module", "mode": "pseudonymous"}
    return filled | {"opens": "2026-11-21", "closes": "2026-12-05"} | changed


def open_one(tutor: Reader, course: int, rank: int = 0, **changed: str) -> str:
    """Open a questionnaire and return its number."""
    answer = tutor.post(f"/courses/{course}/satisfaction/new", form(modules(tutor, course)[rank], **changed))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    found = re.search(r"/satisfaction/([0-9a-f-]{36})\?done=survey", answer.headers["Location"])
    assert found
    return found[1]


def trainee(app: Flask, engine: Engine, silo: int, course: int, who: str) -> Reader:
    return opened.reader(app, engine, silo, "trainee", course, who)


def say(reader: Reader, survey: str, attempt: str | None = None, **answers: str) -> Any:
    sent = {f"q-{name}": value for name, value in answers.items()}
    return reader.post(f"/surveys/{survey}", {**sent, "attempt": attempt or str(uuid.uuid4())})


def answer_all(
    app: Flask, engine: Engine, silo: int, course: int, survey: str, count: int, **answers: str
) -> None:
    for who in list(PEOPLE)[:count]:
        sent = {"overall": "5", "useful": "4", "liked": f"les cas {who}"} | answers
        assert say(trainee(app, engine, silo, course, who), survey, **sent).status_code == 303


def plain(page: str) -> str:
    return page.replace("\u202f", " ").replace("\u00a0", " ")


# --- opening ------------------------------------------------------------------------------------------


def test_the_form_shows_what_will_be_asked_and_what_modes_mean(tutor: Reader, course: int) -> None:
    page = plain(tutor.page(f"/courses/{course}/satisfaction/new"))
    assert "Les objectifs annoncés ont été atteints." in page
    assert "Rien ne relie une réponse à une personne, pas même dans la base de données" in page
    assert 'name="also-a-chaud-module:recommendation" value="1">' in page  # off unless ticked


def test_faults_stand_beside_their_fields_and_nothing_is_lost(tutor: Reader, course: int) -> None:
    module = modules(tutor, course)[1]
    wrong = form(module, closes="2026-11-20", mode="anonymous", **{"also-recommendation": "1"})
    answer = tutor.post(f"/courses/{course}/satisfaction/new", wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="fault-closes">La clôture doit venir après l’ouverture.' in page
    assert 'name="closes" value="2026-11-20" required aria-invalid="true"' in page
    assert f'<option value="{module}" selected>' in page
    assert 'value="anonymous" checked' in page
    assert 'name="also-a-chaud-module:recommendation" value="1" checked' in page


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("closes", "", "fault-closes"),
        ("opens", "demain", "fault-opens"),
        ("module", "https://elsewhere.test/", "fault-module"),
        ("mode", "nominatif", "fault-mode"),
        ("template", "inconnu", "fault-template"),
        ("also-unknown", "1", "fault-template"),
        ("closes", "9999-12-31", "fault-closes"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_each_fault_is_told(tutor: Reader, course: int, field: str, value: str, fault: str) -> None:
    wrong = form(modules(tutor, course)[0]) | {field: value}
    answer = tutor.post(f"/courses/{course}/satisfaction/new", wrong)
    assert answer.status_code == 400
    assert f'id="{fault}"' in answer.get_data(as_text=True)


def test_the_same_module_is_not_asked_twice_at_once(tutor: Reader, course: int) -> None:
    open_one(tutor, course)
    again = tutor.post(f"/courses/{course}/satisfaction/new", form(modules(tutor, course)[0]))
    assert again.status_code == 400
    assert "déjà ouvert à ces dates" in again.get_data(as_text=True)


def test_only_the_tutor_of_the_course_opens_and_closes(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey, module = open_one(tutor, course), modules(tutor, course)[1]
    other = opened.add_course(engine, silo, 9, "Autre")
    stranger = opened.reader(app, engine, silo, "tutor", other, "ailleurs")
    admin = opened.reader(app, engine, silo, "admin", course, "admin")
    learner = trainee(app, engine, silo, course, "1")
    base = f"/courses/{course}/satisfaction"
    for reader, status in ((stranger, 404), (admin, 403), (learner, 403)):
        assert reader.post(f"{base}/new", form(module)).status_code == status
        for action in ("prolong", "close", "cancel"):
            sent = reader.post(f"{base}/{survey}/{action}", {"closes": "2026-12-20"})
            assert sent.status_code == status, action
    for path in ("", "/new", f"/{survey}", f"/{survey}/answers.csv", ".csv"):
        assert stranger.get(base + path).status_code == 404, path
        assert learner.get(base + path).status_code == 403, path
    assert admin.get(f"{base}/{survey}").status_code == 200
    # A questionnaire of another course is not found under one's own.
    assert stranger.get(f"/courses/{other}/satisfaction/{survey}").status_code == 404
    assert tutor.post(f"{base}/new", form(module), token="0" * 64).status_code == 403


# --- answering ----------------------------------------------------------------------------------------


def test_a_trainee_finds_it_answers_and_changes_their_mind(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    reader = trainee(app, engine, silo, course, "1")
    mine = plain(reader.page("/me"))
    assert "Donner mon avis" in mine
    assert "2 minutes environ · sous pseudonyme · jusqu’au 5 déc. inclus" in mine
    page = plain(reader.page(f"/surveys/{survey}"))
    assert "Qui lit ?" in page
    assert "7 questions, 2 minutes environ" in page
    sent = say(reader, survey, overall="4", liked="L’étude de cas", improve="")
    assert sent.status_code == 303
    where = sent.headers["Location"].split(reader.launch_id, 1)[1]
    assert "Vos réponses sont enregistrées." in reader.page(where)
    assert "Changer mes réponses" in reader.page("/me")
    again = reader.page(f"/surveys/{survey}")
    assert re.search(r'name="q-overall" value="4" checked', again)
    assert "L’étude de cas</textarea>" in again
    assert say(reader, survey, overall="2").headers["Location"].endswith("done=replaced")


def test_a_double_click_counts_once(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    reader = trainee(app, engine, silo, course, "1")
    attempt = re.search(r'name="attempt" value="([0-9a-f-]{36})"', reader.page(f"/surveys/{survey}"))
    assert attempt
    before = _statements(engine, silo)
    first = say(reader, survey, attempt[1], overall="4", useful="3")
    second = say(reader, survey, attempt[1], overall="4", useful="3")
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.headers["Location"].endswith("done=repeated")
    assert _statements(engine, silo) == before + 2


def _statements(engine: Engine, silo: int) -> int:
    with transaction(engine, silo, write=False) as conn:
        return int(conn.execute(select(func.count()).select_from(statement)).scalar_one())


def test_what_is_missing_is_said_beside_the_question_and_the_rest_is_kept(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey, attempt = open_one(tutor, course), str(uuid.uuid4())
    reader = trainee(app, engine, silo, course, "1")
    answer = say(reader, survey, attempt, useful="3", liked="<b>tout</b>", pedagogy="9")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="fault-overall" data-fault="Cette question attend une réponse.">Cette question attend' in page
    assert "Choisissez l’une des réponses proposées." in page
    assert 'name="q-useful" value="3" checked' in page
    assert "&lt;b&gt;tout&lt;/b&gt;</textarea>" in page
    assert f'name="attempt" value="{attempt}"' in page


def test_an_attempt_that_is_no_number_gives_the_form_back_with_a_new_one(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    answer = say(trainee(app, engine, silo, course, "1"), survey, "x", overall="3")
    assert answer.status_code == 400
    assert 'name="q-overall" value="3" checked' in answer.get_data(as_text=True)
    assert 'name="attempt" value="x"' not in answer.get_data(as_text=True)


def test_a_closed_or_coming_questionnaire_says_so(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    later = open_one(tutor, course, 1, opens="2026-11-28")
    reader = trainee(app, engine, silo, course, "1")
    assert "Il ouvre dans 7 jours." in reader.page(f"/surveys/{later}")
    assert tutor.post(f"/courses/{course}/satisfaction/{survey}/close", {}).status_code == 303
    assert "Ce questionnaire est clos" in reader.page(f"/surveys/{survey}")
    late = say(reader, survey, overall="3")
    assert late.status_code == 409
    assert "vos réponses n’ont pas été enregistrées" in late.get_data(as_text=True)
    assert "Donner mon avis" not in reader.page("/me")


def test_a_questionnaire_is_answered_by_trainees_of_its_course_only(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    other = opened.add_course(engine, silo, 9, "Autre")
    opened.add_people(engine, silo, other, {"77": "Ailleurs"})
    assert trainee(app, engine, silo, other, "77").get(f"/surveys/{survey}").status_code == 404
    assert say(trainee(app, engine, silo, other, "77"), survey, overall="1").status_code == 404
    assert tutor.get(f"/surveys/{survey}").status_code == 403
    reader = trainee(app, engine, silo, course, "1")
    assert reader.post(f"/surveys/{survey}", {"q-overall": "3"}, token="0" * 64).status_code == 403
    assert reader.get(f"/surveys/{uuid.uuid4()}").status_code == 404


def test_an_anonymous_answer_is_given_once_and_listed_nowhere(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course, mode="anonymous")
    reader = trainee(app, engine, silo, course, "1")
    assert "Anonyme." in reader.page(f"/surveys/{survey}")
    assert say(reader, survey, overall="4").headers["Location"].endswith("done=recorded")
    assert say(reader, survey, overall="1").headers["Location"].endswith("done=already")
    assert "Vous avez déjà répondu" in reader.page(f"/surveys/{survey}")
    assert "Changer mes réponses" not in reader.page("/me")
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(func.count()).select_from(answer)).scalar_one() == 0
    for path in ("", f"/{survey}"):
        page = tutor.page(f"/courses/{course}/satisfaction{path}")
        assert not any(name in page for name in PEOPLE.values())


# --- the summary --------------------------------------------------------------------------------------


def test_four_answers_show_nothing_five_do(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    base = f"/courses/{course}/satisfaction/{survey}"
    answer_all(app, engine, silo, course, survey, 4)
    for path in (base, f"{base}/answers.csv", f"/courses/{course}/satisfaction"):
        page = plain(tutor.page(path))
        assert not any(said in page for said in ("les cas", "100 %", 'class="whisker')), path
    assert "quand 5 personnes au moins auront répondu" in plain(tutor.page(base))
    assert "moins de 5" in plain(tutor.page(base))
    answer_all(app, engine, silo, course, survey, 5)
    page = plain(tutor.page(base))
    assert "100 % d’avis favorables, entre 57 % et 100 %, sur 5 réponses publiées" in page
    assert "sur 12, soit 42 %" in page
    assert "les cas 3" in page
    assert "Très satisfait : 5" in page
    # The sixth moves nothing until the tenth.
    sixth = trainee(app, engine, silo, course, "6")
    assert say(sixth, survey, overall="1", liked="la sixième").status_code == 303
    later = plain(tutor.page(base))
    assert "100 % d’avis favorables, entre 57 % et 100 %, sur 5 réponses publiées" in later
    assert "la sixième" not in later


def test_this_morning_and_modules_draw_the_dot_and_name_the_least_received(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    good, bad = open_one(tutor, course, 0), open_one(tutor, course, 2)
    answer_all(app, engine, silo, course, good, 10)
    answer_all(app, engine, silo, course, bad, 10, overall="2")
    for path in ("today", "modules", "satisfaction"):
        page = plain(tutor.page(f"/courses/{course}/{path}"))
        assert page.count('class="whisker') == 2, path
        assert page.count('class="whisker least"') == 1, path
        assert "0 % d’avis favorables, entre 0 % et 28 %, sur 10 réponses publiées" in page
    assert "e module 3 est le moins bien reçu" in tutor.page(f"/courses/{course}/today")
    lead = tutor.page(f"/courses/{course}/satisfaction")
    assert "est le module le mieux reçu\u202f: 10 avis favorables sur 10" in lead
    ordered = tutor.page(f"/courses/{course}/modules?sort=satisfaction&dir=asc")
    assert ordered.index("Pour réfléchir") < ordered.index("Concepts en contexte")


def test_the_administrator_reads_figures_not_comments(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    answer_all(app, engine, silo, course, survey, 5)
    admin = opened.reader(app, engine, silo, "admin", course, "admin")
    assert "100 % d’avis favorables" in plain(admin.page("/sessions"))
    page = admin.page(f"/courses/{course}/satisfaction/{survey}")
    assert "avis favorables" in page
    assert "les cas" not in page
    assert "Clore" not in page
    assert "Demander un avis" not in admin.page(f"/courses/{course}/satisfaction")
    last = csv.reader(io.StringIO(admin.page("/sessions.csv").lstrip("\ufeff")), delimiter=";")
    assert [row[-1] for row in last] == ["Avis favorables (%)", "100"]


def test_the_file_says_what_the_page_says(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    answer_all(app, engine, silo, course, survey, 5)
    say(trainee(app, engine, silo, course, "6"), survey, overall="1")
    text = tutor.page(f"/courses/{course}/satisfaction/{survey}/answers.csv").lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    overall = rows[0]
    assert (overall["Ont répondu"], overall["Avis favorables"], overall["5"], overall["1"]) == (
        "5",
        "5",
        "5",
        "0",
    )
    assert overall["Borne basse (%)"] == "56,55"
    # Nobody answered the others: a cell of nobody is not said either.
    assert [row["Ont répondu"] for row in rows[1:]] == ["", "5", "", ""]
    assert "les cas" not in text


# --- closing ------------------------------------------------------------------------------------------


def test_closing_early_adds_nobody_alone(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    base = f"/courses/{course}/satisfaction/{survey}"
    answer_all(app, engine, silo, course, survey, 5)
    say(trainee(app, engine, silo, course, "6"), survey, overall="1", liked="la sixième")
    assert "1 réponse arrivée depuis la dernière étape restera hors des chiffres" in plain(tutor.page(base))
    assert tutor.post(f"{base}/close", {}).status_code == 303
    assert tutor.post(f"{base}/close", {}).status_code == 303
    page = plain(tutor.page(base))
    assert "sur 5 réponses publiées" in page
    assert "la sixième" not in page
    assert "clos aujourd’hui" in page


def test_closing_an_anonymous_one_early_lets_its_lot_out(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course, mode="anonymous")
    base = f"/courses/{course}/satisfaction/{survey}"
    answer_all(app, engine, silo, course, survey, 7)
    assert "quand 10 personnes au moins" in plain(tutor.page(base))
    assert tutor.post(f"{base}/close", {}).status_code == 303
    assert "sur 7 réponses publiées" in plain(tutor.page(base))


def test_a_closing_is_put_off_never_brought_forward(tutor: Reader, course: int) -> None:
    survey = open_one(tutor, course)
    base = f"/courses/{course}/satisfaction/{survey}"
    assert tutor.post(f"{base}/prolong", {"closes": "2026-12-20"}).status_code == 303
    assert "ouvert jusqu’au 20 déc. inclus" in tutor.page(base)
    for wrong in ("2026-12-01", "", "bientôt"):
        answer = tutor.post(f"{base}/prolong", {"closes": wrong})
        assert answer.status_code == 400
        assert 'id="fault-closes"' in answer.get_data(as_text=True)


def test_a_questionnaire_is_taken_back_while_nobody_answered(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey, other = open_one(tutor, course), open_one(tutor, course, 1)
    say(trainee(app, engine, silo, course, "1"), other, overall="3")
    assert tutor.post(f"/courses/{course}/satisfaction/{survey}/cancel", {}).status_code == 303
    assert tutor.get(f"/courses/{course}/satisfaction/{survey}").status_code == 404
    kept = tutor.post(f"/courses/{course}/satisfaction/{other}/cancel", {})
    assert kept.headers["Location"].endswith("done=answered")
    assert tutor.get(f"/courses/{course}/satisfaction/{other}").status_code == 200


def test_taking_back_an_anonymous_one_says_nothing_of_its_answers(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    empty, answered = open_one(tutor, course, mode="anonymous"), open_one(tutor, course, 1, mode="anonymous")
    say(trainee(app, engine, silo, course, "1"), answered, overall="3")
    told = []
    for survey in (empty, answered):
        base = f"/courses/{course}/satisfaction/{survey}"
        assert "Retirer ce questionnaire" not in tutor.page(base)
        sent = tutor.post(f"{base}/cancel", {})
        told.append((sent.status_code, sent.headers["Location"].replace(survey, "")))
        assert tutor.get(base).status_code == 200
    assert told[0] == told[1]
    later = open_one(tutor, course, 2, mode="anonymous", opens="2026-12-01", closes="2026-12-20")
    assert (
        tutor.post(f"/courses/{course}/satisfaction/{later}/cancel", {})
        .headers["Location"]
        .endswith("done=cancelled")
    )


def test_at_its_hour_the_worker_publishes_everybody(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    survey = open_one(tutor, course, closes="2026-11-21")
    answer_all(app, engine, silo, course, survey, 6)
    clock.now += timedelta(hours=15)
    close = surveys.closer(SECRET_KEY, 5)
    with transaction(engine, silo) as conn:
        assert close(conn, silo, clock()) == 1
    clock.now -= timedelta(hours=15)  # launches last eight hours
    assert "sur 6 réponses publiées" in plain(tutor.page(f"/courses/{course}/satisfaction/{survey}"))


def test_pages_of_questionnaires_have_no_inline_script_or_style(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    answer_all(app, engine, silo, course, survey, 5)
    base = f"/courses/{course}/satisfaction"
    pages = [tutor.page(path) for path in (base, f"{base}/new", f"{base}/{survey}")]
    reader = trainee(app, engine, silo, course, "9")
    pages += [reader.page(f"/surveys/{survey}"), reader.page(f"/surveys/{survey}/thanks")]
    for page in pages:
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick=" not in page


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_everything_is_said_in_english_too(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    answer_all(app, engine, silo, course, survey, 5)
    english = opened.reader(app, engine, silo, "tutor", course, locale="en")
    page = english.page(f"/courses/{course}/satisfaction/{survey}")
    assert "100% favourable, between 57% and 100%, of 5 published answers" in page
    reader = opened.reader(app, engine, silo, "trainee", course, "9", locale="en")
    assert "Overall, are you satisfied with this module?" in reader.page(f"/surveys/{survey}")
