"""The tutor's pages through HTTP, on a course with traces."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool.tables import audit
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.opened import Reader
from tool_config.database import transaction

PEOPLE = {
    "1": "Camille Renaud",
    "2": "Idriss Belkacem",
    "3": "Hélène Pasquier",
    "4": "Zoé Quéré",
    "5": "=cmd|' /C calc'!A0",
    "6": "Bruno <b>Noël</b>",
}


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock) -> int:
    """Return a course: 1 never came, 2 came long ago, the others work."""
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, PEOPLE)
    opened.add_people(engine, silo, key, {"formateur": "Nadia Aubert"}, role="tutor")
    sent = [*opened.statements("2", 1, 20)]
    for who, modules in (("3", 3), ("4", 2), ("5", 2), ("6", 1)):
        sent += opened.statements(who, modules, 1)
    opened.take_in(engine, silo, sent, clock)
    return key


@pytest.fixture
def tutor(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return opened.reader(app, engine, silo, "tutor", course)


def test_the_launch_leads_to_this_morning(tutor: Reader, course: int) -> None:
    assert tutor.entered().endswith(f"/courses/{course}/today")


def test_this_morning_says_who_needs_a_word(tutor: Reader, course: int) -> None:
    page = tutor.page(f"/courses/{course}/today")
    assert "<b>4 des 6 inscrits</b> ont été actifs ces sept derniers jours" in page
    assert "ont besoin d’un mot de votre part" in page
    assert page.index("Camille Renaud") < page.index("Préparer un message")
    assert "pas encore de connexion" in page
    assert "rien depuis 20 jours" in page
    assert "Activité en ligne seulement" in page
    assert '<script type="application/json" id="figure-weeks">' in page
    assert "Voir le tableau" in page


def test_no_page_has_an_inline_script_or_style(tutor: Reader, course: int) -> None:
    for path in ("today", "modules", "people", "outline", "attendance", "about"):
        page = tutor.page(f"/courses/{course}/{path}")
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick=" not in page
        for script in page.split("<script")[1:]:
            assert script.startswith((' type="module" src="/static/', ' type="application/json"'))


def test_titles_and_names_are_escaped(tutor: Reader, course: int) -> None:
    page = tutor.page(f"/courses/{course}/people")
    assert "Bruno &lt;b&gt;Noël&lt;/b&gt;" in page
    assert "<b>Noël" not in page


def _names(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*">(.*?)</a></th>', page)


def test_participants_sort_search_and_filter(tutor: Reader, course: int) -> None:
    people = f"/courses/{course}/people"
    by_name = _names(tutor.page(f"{people}?sort=name&dir=asc"))
    assert by_name[1:] == [
        "Bruno &lt;b&gt;Noël&lt;/b&gt;", "Camille Renaud", "Hélène Pasquier", "Idriss Belkacem", "Zoé Quéré",
    ]  # fmt: skip
    assert _names(tutor.page(f"{people}?sort=name&dir=desc")) == by_name[::-1]
    assert _names(tutor.page(f"{people}?q=helene")) == ["Hélène Pasquier"]
    assert _names(tutor.page(f"{people}?state=not_connected")) == ["Camille Renaud"]
    assert set(_names(tutor.page(f"{people}?state=need"))) >= {"Camille Renaud", "Idriss Belkacem"}
    page = tutor.page(f"{people}?sort=done")
    assert 'aria-sort="descending"' in page
    assert _names(page)[0] == "Hélène Pasquier"
    assert "Personne ne correspond" in tutor.page(f"{people}?q=inconnue")


def test_the_file_of_participants_opens_in_a_spreadsheet_and_runs_nothing(tutor: Reader, course: int) -> None:
    answer = tutor.get(f"/courses/{course}/people.csv?sort=name&dir=asc")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 7
    assert {len(row) for row in rows} == {13}
    assert "'=cmd|' /C calc'!A0" in {row[0] for row in rows}


def test_one_module_shows_its_activities(tutor: Reader, course: int) -> None:
    page = tutor.page(f"/courses/{course}/modules")
    assert "1. Concepts en contexte" in page
    link = page.split(f"/courses/{course}/modules/one?iri=")[1].split('"')[0].replace("&amp;", "&")
    one = tutor.page(f"/courses/{course}/modules/one?iri={link}")
    assert "Étape 1.1" in one
    assert "5 personnes sur 6 l’ont terminé" in one
    tutor.page(f"/courses/{course}/modules/one?iri=https://nowhere.test/", 404)


def test_one_person_is_shown_and_the_look_is_written_down(
    tutor: Reader, course: int, engine: Engine, silo: int
) -> None:
    who = opened.actor("2")
    page = tutor.page(f"/courses/{course}/people/{who}")
    assert "Idriss Belkacem" in page
    assert "1. Concepts en contexte" in page
    assert "sans activité récente" in page
    with transaction(engine, silo) as conn:
        lines = conn.execute(select(audit.c.action, audit.c.subject).where(audit.c.subject == who)).all()
    assert lines == [("look", who)]
    tutor.page(f"/courses/{course}/people/{'0' * 32}", 404)


def test_a_message_is_drafted_by_state(tutor: Reader, course: int) -> None:
    first = tutor.page(f"/courses/{course}/people/{opened.actor('1')}/message")
    assert "Bonjour Camille," in first
    assert "je n’ai pas encore vu de connexion" in first
    assert "mailto:1@ac-poitiers.fr?subject=" in first
    second = tutor.page(f"/courses/{course}/people/{opened.actor('2')}/message")
    assert "vous pouvez reprendre là où vous en étiez" in second


def test_the_pages_are_english_for_who_reads_english(
    app: Flask, engine: Engine, silo: int, course: int
) -> None:
    reader = opened.reader(app, engine, silo, "tutor", course, locale="en")
    page = reader.page(f"/courses/{course}/today")
    assert '<html lang="en">' in page
    assert "<b>4 of the 6 enrolled</b> were active in the last seven days" in page
    assert "This morning" in page


def test_a_course_without_a_trace_says_what_will_come(app: Flask, engine: Engine, silo: int) -> None:
    key = opened.add_course(engine, silo, 9, "Vide")
    reader = opened.reader(app, engine, silo, "tutor", key)
    for path in ("today", "modules", "people", "outline", "attendance"):
        page = reader.page(f"/courses/{key}/{path}")
        assert "Vide" in page
    assert "Les premières traces arriveront bientôt" in reader.page(f"/courses/{key}/today")


def test_another_course_does_not_exist_for_a_tutor(tutor: Reader, engine: Engine, silo: int) -> None:
    other = opened.add_course(engine, silo, 3, "Autre")
    for path in ("today", "people", "modules", "outline", "attendance", "people.csv", "outline.csv"):
        tutor.page(f"/courses/{other}/{path}", 404)


def test_the_outline_is_corrected_moved_and_kept(
    tutor: Reader, course: int, engine: Engine, silo: int, clock: Clock
) -> None:
    address = f"/courses/{course}/outline"
    fields = opened.fields(tutor.page(address))
    row = next(index for index, iri in enumerate(fields["iri"]) if "section.php?id=2" in iri)
    fields[f"title-{row}"] = ["Sens, enjeux et cadre"]
    fields[f"distance-{row}"] = ["4,5"]
    fields[f"closes-{row}"] = ["2026-11-10"]
    answer = tutor.post(address, {**fields, "save": "1"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    opened.settle(engine, silo, clock)
    page = tutor.page(address)
    assert 'value="Sens, enjeux et cadre"' in page
    assert 'value="4,5"' in page
    assert tutor.post(address, {**opened.fields(page), "move": f"up-{row}"}).status_code == 303
    opened.settle(engine, silo, clock)
    modules = tutor.page(f"/courses/{course}/modules")
    assert "1. Sens, enjeux et cadre" in modules
    assert "2. Concepts en contexte" in modules


def test_a_faulty_outline_is_refused_and_shown_again(tutor: Reader, course: int) -> None:
    address = f"/courses/{course}/outline"
    fields = opened.fields(tutor.page(address))
    fields["distance-0"] = ["quatre"]
    answer = tutor.post(address, {**fields, "save": "1"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "n’est pas un nombre d’heures" in page
    assert 'value="quatre"' in page


def test_an_outline_file_is_refused_line_by_line_or_taken_whole(tutor: Reader, course: int) -> None:
    address = f"/courses/{course}/outline"
    exported = tutor.get(f"{address}.csv").data.decode("utf-8-sig")
    assert "Concepts en contexte" in exported
    wrong = exported.replace(";oui;", ";peut-être;", 1)
    refused = tutor.post(f"{address}/import", {"file": (io.BytesIO(wrong.encode()), "plan.csv")})
    assert refused.status_code == 400
    assert "Ligne 2" in refused.get_data(as_text=True)
    changed = exported.replace("Concepts en contexte", "Concepts")
    taken = tutor.post(f"{address}/import", {"file": (io.BytesIO(changed.encode("cp1252")), "plan.csv")})
    assert taken.status_code == 303
    assert 'value="Concepts"' in tutor.page(address)


def test_presences_are_ticked_unticked_and_count(
    tutor: Reader, course: int, engine: Engine, silo: int, clock: Clock
) -> None:
    day = {"title": "Journée d’ouverture", "kind": "day_in_person", "day": "2026-11-20", "hours": "6"}
    assert tutor.post(f"/courses/{course}/outline/gatherings", day).status_code == 303
    opened.settle(engine, silo, clock)
    page = tutor.page(f"/courses/{course}/attendance")
    gathering = page.split('name="gathering" value="')[1].split('"')[0]
    present = [opened.actor("1"), opened.actor("2"), "0" * 32]
    answer = tutor.post(f"/courses/{course}/attendance", {"gathering": gathering, "present": present})
    assert answer.status_code == 303
    opened.settle(engine, silo, clock)
    page = tutor.page(f"/courses/{course}/attendance")
    assert page.count(" checked") == 2
    today = tutor.page(f"/courses/{course}/today")
    assert "<b>Les 6 inscrits</b> ont été actifs" in today
    assert "Activité en ligne seulement" not in today
    tutor.post(f"/courses/{course}/attendance", {"gathering": gathering, "present": present[:1]})
    assert tutor.page(f"/courses/{course}/attendance").count(" checked") == 1


def test_a_form_without_its_token_changes_nothing(tutor: Reader, course: int) -> None:
    answer = tutor.post(f"/courses/{course}/outline", {"iri": []}, token="0" * 64)
    assert answer.status_code == 403
