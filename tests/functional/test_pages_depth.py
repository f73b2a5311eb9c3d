"""Pages of the depth through HTTP: one module from all sides, groups sealed, debriefs, sessions of a path."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, update

from lti_tool import depth, paths, surveys
from tests.conftest import SECRET_KEY, Clock
from tests.factories import opened
from tests.factories.opened import Reader
from tests.functional.test_pages_surveys import answer_all, course, open_one, plain, say, trainee, tutor
from tool_config import rules
from tool_config.database import insert, transaction
from xapi import tables as t
from xapi.dataset_tables import dataset_row

__all__ = ["course", "tutor"]


def close_and_seal(engine: Engine, silo: int, clock: Clock) -> None:
    """Close what is over and count it further, as the worker and its job do."""
    clock.now += timedelta(hours=15)
    with transaction(engine, silo) as conn:
        surveys.closer(SECRET_KEY, 5)(conn, silo, clock())
        for one in depth.due(conn, silo):
            depth.seal(conn, one, now=clock(), rules=rules.load())
    clock.now -= timedelta(hours=15)  # launches last eight hours


def known(engine: Engine, silo: int) -> None:
    """Tell where the twelve come from: two corps by turns."""
    with transaction(engine, silo) as conn:
        for rank in range(1, 13):
            row = {
                "silo_id": silo, "kind": "people", "row_key": f"{rank:032x}", "digest": "x", "file_id": "f",
                "person_key": f"a:{opened.actor(str(rank))}", "line": rank, "updated_at": opened.NOW,
                "data": {"academie": "Poitiers" if rank % 2 else "Lille"},
            }  # fmt: skip
            conn.execute(insert(conn, dataset_row), row)


def answer_everything(
    app: Flask, engine: Engine, silo: int, course: int, survey: str, count: int, *, lines: int = 5
) -> None:
    """Answer in a straight line, all at 5 (the last ones), and not, half of these unfavourable."""
    for rank in range(1, count + 1):
        straight = rank > count - lines
        items = dict.fromkeys(("objectives", "useful", "pedagogy", "organisation"), "5")
        if not straight:
            items |= {"objectives": "3", "pedagogy": "2"}
        point = "5" if straight or rank % 4 > 1 else "2"
        reader = trainee(app, engine, silo, course, str(rank))
        assert say(reader, survey, overall=point, **items).status_code == 303


def test_a_closed_questionnaire_shows_its_groups(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    survey = open_one(tutor, course, closes="2026-11-21")
    known(engine, silo)
    base = f"/courses/{course}/satisfaction/{survey}"
    answer_everything(app, engine, silo, course, survey, 12)
    assert "seront comptés une seule fois, après la clôture" in plain(tutor.page(base))
    close_and_seal(engine, silo, clock)
    page = plain(tutor.page(base))
    assert "5 personnes sur 12 ont donné le même point à toutes les questions. Avec elles, 75 %" in page
    assert "sans elles, 57 %" in page
    assert page.count("Noter une amélioration") > 2
    assert (
        "Rien n’indique que celles et ceux qui ont répondu diffèrent" not in page
    )  # all answered: nobody left
    assert "Origine connue de 100 % des inscrits." in page
    # All who answered in a straight line are favourable: Académie would tell of the four others of each.
    assert "Académie : non montré : rapproché des autres découpages" in page
    rows = list(csv.DictReader(io.StringIO(tutor.page(f"{base}/groups.csv").lstrip("\ufeff")), delimiter=";"))
    straight = [row for row in rows if row["Découpage"] == "Réponses en ligne droite"]
    assert [(row["Ont répondu"], row["Avis favorables"]) for row in straight] == [("5", "5"), ("7", "4")]
    admin = opened.reader(app, engine, silo, "admin", course, "admin")
    assert "ont donné le même point" in admin.page(base)


def test_origin_is_shown_where_nothing_else_cuts_the_same_people(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    survey = open_one(tutor, course, closes="2026-11-21")
    known(engine, silo)
    answer_everything(app, engine, silo, course, survey, 12, lines=0)
    close_and_seal(engine, silo, clock)
    page = plain(tutor.page(f"/courses/{course}/satisfaction/{survey}"))
    assert "<h3>Académie</h3>" in page
    table = page[page.index("<h3>Académie</h3>") :]
    assert table.index("Lille") < table.index("Poitiers")


def test_an_anonymous_questionnaire_has_no_groups(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    survey = open_one(tutor, course, closes="2026-11-21", mode="anonymous")
    answer_everything(app, engine, silo, course, survey, 12)
    close_and_seal(engine, silo, clock)
    page = plain(tutor.page(f"/courses/{course}/satisfaction/{survey}"))
    assert "Ce questionnaire est anonyme : ses réponses ne sont rapprochées" in page
    assert "même point" not in page


def test_modules_are_ranked_by_what_is_left_of_chance(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    for rank, point in enumerate(("5", "4", "2")):
        answer_all(app, engine, silo, course, open_one(tutor, course, rank), 10, overall=point)
    page = plain(tutor.page(f"/courses/{course}/satisfaction"))
    ranking = page[page.index('id="ranking-title"') :]
    assert "est mieux reçu que « 3. Pour réfléchir »" in ranking
    ranking = ranking[ranking.index("<tbody>") :]
    assert ranking.index("Sens et enjeux") < ranking.index("Pour réfléchir")
    assert "10 sur 10" in ranking


def test_one_module_is_read_from_all_sides(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    survey = open_one(tutor, course)
    answer_all(app, engine, silo, course, survey, 5)
    page = tutor.page(f"/courses/{course}/satisfaction")
    link = page[page.index(f"/courses/{course}/satisfaction/module?module=") :]
    address = link[: link.index('"')].replace("&amp;", "&")
    sides = plain(tutor.page(address))
    assert "D’une phase à l’autre" in sides
    assert "À chaud" in sides
    assert "Avis d’ensemble" in sides
    assert "Les regards côte à côte" not in sides  # trainees alone
    assert tutor.get(f"/courses/{course}/satisfaction/module?module=https://elsewhere/").status_code == 404
    rows = list(
        csv.DictReader(
            io.StringIO(tutor.page(address.replace("/module?", "/module.csv?")).lstrip("\ufeff")),
            delimiter=";",
        )
    )
    assert rows[0]["Public"] == "Participants"
    assert rows[0]["Ont répondu"] == "5"
    assert {row["Non montré"] for row in rows[1:]} == {"", "moins de 5 réponses"}
    whole = plain(tutor.page(f"/courses/{course}/satisfaction/module"))
    assert "Rien n’a encore été demandé ici" in whole


def heard(**changed: str) -> dict[str, str]:
    filled = {
        "module": "",
        "about": "ergonomics",
        "day": "2026-11-20",
        "present": "9",
        "said": "Le forum est introuvable.",
    }
    return filled | changed


def test_what_was_heard_together_is_written_and_taken_back(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader
) -> None:
    base = f"/courses/{course}/satisfaction"
    assert "Ce qui a été dit" in tutor.page(f"{base}/heard")
    sent = tutor.post(f"{base}/heard", heard())
    assert sent.status_code == 303
    page = plain(tutor.page(f"{base}/module"))
    assert "Le forum est introuvable." in page
    assert "9 personnes présentes" in page
    assert (
        tutor.post(f"{base}/heard", heard(present="3", said="À trois, on se reconnaît.")).status_code == 303
    )
    page = plain(tutor.page(f"{base}/module"))
    assert "on se reconnaît" not in page
    assert "moins de 5 personnes présentes" in page
    for wrong, field in (({"said": ""}, "said"), ({"day": "hier"}, "day"), ({"present": "x"}, "present")):
        answer = tutor.post(f"{base}/heard", heard(**wrong))
        assert answer.status_code == 400
        assert f'id="fault-{field}"' in answer.get_data(as_text=True)
    where = page[page.index(f"{base}/heard/") :]
    gone = tutor.post(where[: where.index('"')], {})
    assert gone.status_code == 303
    assert tutor.post(where[: where.index('"')], {}).status_code == 404
    # The administrator reads figures, and neither comments nor what was heard.
    admin = opened.reader(app, engine, silo, "admin", course, "admin")
    assert "introuvable" not in admin.page(f"{base}/module")
    assert admin.get(f"{base}/heard").status_code == 403
    assert admin.post(f"{base}/heard", heard()).status_code == 403
    stranger = opened.reader(
        app, engine, silo, "tutor", opened.add_course(engine, silo, 9, "Autre"), "ailleurs"
    )
    for path in ("/module", "/heard", "/sessions", "/module.csv", "/sessions.csv"):
        assert stranger.get(base + path).status_code == 404, path


def test_sessions_of_a_path_stand_side_by_side(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    assert "n’est rattachée à aucun parcours" in tutor.page(f"/courses/{course}/satisfaction/sessions")
    other = opened.add_course(engine, silo, 9, "Piloter, autre")
    with transaction(engine, silo) as conn:
        path_id = paths.create(conn, silo, "Piloter")
        paths.assign(conn, silo, [course, other], path_id)
        conn.execute(update(t.course).where(t.course.c.course_id == other).values(label="Session 2026-1"))
    admin = opened.reader(app, engine, silo, "admin", course, "admin")
    assert "n’a encore de résultat publié" in admin.page(f"/paths/{path_id}/satisfaction")
    answer_all(app, engine, silo, course, open_one(tutor, course), 10)
    page = plain(admin.page(f"/paths/{path_id}/satisfaction"))
    assert "Session 2026-3" in page
    assert "Il faut trois sessions" in page
    assert "Concepts en contexte" in page
    note = re.search(rf"/courses/{course}/improvements/new\?[^\"]*of=module_satisfaction[^\"]*", page)
    assert note, "an improvement starts from the trend as from every figure"
    assert "Concepts en contexte" in admin.page(html.unescape(note[0]))
    rows = list(
        csv.DictReader(
            io.StringIO(admin.page(f"/paths/{path_id}/satisfaction.csv").lstrip("\ufeff")), delimiter=";"
        )
    )
    assert [(row["Session"], row["Réponses"], row["Module"]) for row in rows] == [
        ("Session 2026-3", "10", ""),
        ("Session 2026-3", "10", "Concepts en contexte"),
    ]
    mine = plain(tutor.page(f"/courses/{course}/satisfaction/sessions"))
    assert "1 autre session de ce parcours ne vous est pas ouverte" in mine
    assert "Session 2026-1" not in mine
    assert tutor.get(f"/paths/{path_id}/satisfaction").status_code == 403
    assert admin.get(f"/paths/{path_id + 1}/satisfaction").status_code == 404
    learner = trainee(app, engine, silo, course, "1")
    for path in (f"/paths/{path_id}/satisfaction", f"/courses/{course}/satisfaction/sessions"):
        assert learner.get(path).status_code == 403


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_in_english_too_and_without_inline_style(
    app: Flask, engine: Engine, silo: int, course: int, tutor: Reader, clock: Clock
) -> None:
    survey = open_one(tutor, course, closes="2026-11-21")
    answer_everything(app, engine, silo, course, survey, 12)
    close_and_seal(engine, silo, clock)
    english = opened.reader(app, engine, silo, "tutor", course, locale="en")
    base = f"/courses/{course}/satisfaction"
    page = english.page(f"{base}/{survey}")
    assert "gave the same point to every question" in page
    for path in (f"{base}/{survey}", f"{base}/module", f"{base}/heard", f"{base}/sessions", base):
        assert " style=" not in english.page(path)
