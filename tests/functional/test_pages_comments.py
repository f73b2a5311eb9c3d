"""Pages of comments: what is shown, to whom, what a reader changes; the child process that reads."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from analyzers.comment_frames import Scope
from analyzers.comments import accuracy
from lti_tool import jobs
from lti_tool.comments import child, work
from lti_tool.jobs import Failed
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.commented import publish, publish_all, read_by_hand, run_job
from tests.factories.opened import Reader
from tests.factories.surveys import Classroom
from tool_config.database import transaction
from xapi.comment_tables import comment_reading
from xapi.survey_tables import survey_figure, survey_step
from xapi.tables import course, path

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
both = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def room(engine: Engine, silo: int, clock: Clock) -> Classroom:
    made = Classroom(engine, silo, clock()).build(26, modules=2)
    publish_all(made, made.open(), range(18))
    return made


def tutor(app: Flask, room: Classroom, **more: Any) -> Reader:
    return opened.reader(app, room.engine, room.silo_id, "tutor", room.course_id, **more)


def here(room: Classroom) -> str:
    return f"/courses/{room.course_id}/satisfaction/comments"


def words(page: str) -> str:
    """Return what a page says, without markup, spaces made plain."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def ids(page: str) -> list[str]:
    return re.findall(r'<section class="card theme" id="theme-([0-9a-z-]+)"', page)


@only_sqlite
def test_a_first_look_asks_for_the_reading_and_shows_its_progress(
    app: Flask, room: Classroom, clock: Clock
) -> None:
    reader = tutor(app, room)
    page = reader.page(here(room))
    assert "Les commentaires sont en cours de lecture" in page
    assert 'http-equiv="refresh"' in page
    assert "<progress" in page
    reader.page(here(room))
    with transaction(room.engine, room.silo_id) as conn:
        found = jobs.latest(conn, room.silo_id, f"comments course {room.course_id}")
        assert found is not None
        jobs.cancel(conn, room.silo_id, found.job_id, now=room.now)
    page = reader.page(here(room))
    assert "Relancer la lecture" in page
    clock.advance(minutes=1)
    assert reader.post(here(room), {"do": "again"}).status_code == 303
    assert "en cours de lecture" in reader.page(here(room))


@both
def test_themes_are_shown_with_words_verbatims_and_how_sure_they_are(app: Flask, room: Classroom) -> None:
    read_by_hand(room, Scope("course", room.course_id))
    page = tutor(app, room).page(here(room))
    said = words(page)
    assert "18 commentaires lus. On parle le plus de" in said
    assert len(ids(page)) == 3
    assert page.count("<li>Le rythme est") == 1  # six people said the same sentence: shown once
    assert "6 commentaires, 33 %" in said
    assert "50 % plutôt positifs (entre 29 % et 71 %)" in said
    known = accuracy.read()
    assert f"il a raison {100 * known.scores['model']['fr'].accuracy:.0f} % du temps en français" in said
    assert "Comment lire" in said
    assert not re.search(r"\b\d\d:\d\d\b", said.split("Données de")[0].split("Comment lire")[0])


@only_sqlite
def test_a_search_a_polarity_and_a_theme_narrow_the_list(app: Flask, room: Classroom) -> None:
    read_by_hand(room, Scope("course", room.course_id))
    reader = tutor(app, room)
    page = reader.page(f"{here(room)}?q=FORUM%20penible")
    assert "3 commentaires" in words(page)
    assert page.count("<li>Le forum est pénible") == 3
    theme = ids(reader.page(here(room)))[0]
    assert "6 commentaires" in words(reader.page(f"{here(room)}?theme={theme}"))
    assert "9 commentaires" in words(reader.page(f"{here(room)}?polarity=negative"))
    assert "Moins de 5 personnes" in words(reader.page(f"{here(room)}?theme={theme}&polarity=negative"))
    assert "Aucun commentaire ne contient" in reader.page(f"{here(room)}?q=girafe")
    assert "<script" not in reader.page(f"{here(room)}?q=%3Cscript%3E").split("</head>")[1].split("<main")[1]


@both
def test_a_reader_renames_merges_and_gives_back(app: Flask, room: Classroom) -> None:
    read_by_hand(room, Scope("course", room.course_id))
    reader = tutor(app, room)
    first, second, third = ids(reader.page(here(room)))
    answer = reader.post(here(room), {"do": "rename", "theme": first, "name": "Rythme & charge"})
    assert answer.status_code == 303
    assert "Rythme &amp; charge" in reader.page(here(room) + "?done=theme-rename")
    assert reader.post(here(room), {"do": "merge", "theme": second, "into": third}).status_code == 303
    assert ids(reader.page(here(room))) == [third, first]
    refused = reader.post(here(room), {"do": "rename", "theme": first, "name": "x" * 81})
    assert refused.status_code == 400
    assert "80 caractères au plus" in refused.get_data(as_text=True)
    gone = reader.post(here(room), {"do": "rename", "theme": second, "name": "x"})
    assert "n’existe plus" in gone.get_data(as_text=True)
    assert reader.post(here(room), {"do": "release", "theme": third}).status_code == 303
    assert (
        reader.post(here(room), {"do": "rename", "theme": first, "name": "x"}, token="0").status_code == 403
    )


@only_sqlite
def test_texts_of_a_course_are_for_its_tutor(app: Flask, room: Classroom, second_silo: int) -> None:
    read_by_hand(room, Scope("course", room.course_id))
    for role in ("admin", "trainee"):
        other = opened.reader(app, room.engine, room.silo_id, role, room.course_id, role)
        assert other.get(here(room)).status_code == 403
        assert other.get(here(room) + ".csv").status_code == 403
    elsewhere = opened.add_course(room.engine, room.silo_id, 99)
    stranger = opened.reader(app, room.engine, room.silo_id, "tutor", elsewhere, "autre")
    assert stranger.get(here(room)).status_code == 404
    assert tutor(app, room).get("/comments").status_code == 403


@both
def test_an_administrator_reads_a_path_under_the_wider_threshold(app: Flask, room: Classroom) -> None:
    publish_all(room, room.open(module=2), range(18, 26), more=" encore")
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(path.insert().values(silo_id=room.silo_id, path_id=7, title="Piloter"))
        conn.execute(course.update().values(path_id=7))
    read_by_hand(room, Scope("path", 7))
    admin = opened.reader(app, room.engine, room.silo_id, "admin", room.course_id, "admin")
    page = admin.page("/comments?path=7")
    assert "26 commentaires lus" in words(page)
    assert "Piloter" in page
    assert len(ids(page)) == 0  # themes of nine people at most: fewer than eleven
    assert admin.get("/comments?path=8").status_code == 404
    assert "en cours de lecture" in admin.page("/comments")


@only_sqlite
def test_under_the_threshold_nothing_is_said(app: Flask, engine: Engine, silo: int, clock: Clock) -> None:
    room = Classroom(engine, silo, clock()).build(8)
    assert "Les commentaires apparaîtront ici" in tutor(app, room).page(here(room))
    survey = room.open()
    publish(room, survey, [(room.trainees[rank % 4], f"Le rythme, avis {rank}") for rank in range(8)])
    with transaction(engine, silo) as conn:
        conn.execute(survey_step.update().values(n=8))
    read_by_hand(room, Scope("course", room.course_id))
    page = tutor(app, room).page(here(room))
    assert "Trop peu de commentaires" in page
    assert "avis" not in page.split("<main")[1].split("footer")[0].replace("Trop peu", "")


@only_sqlite
def test_the_file_and_the_english_page_say_the_same(app: Flask, room: Classroom) -> None:
    read_by_hand(room, Scope("course", room.course_id))
    text = tutor(app, room).page(here(room) + ".csv").lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["Commentaires"] for row in rows[:3]] == ["6", "6", "6"]
    page = words(tutor(app, room, who="anglaise", locale="en").page(here(room)))
    assert "18 comments read." in page


@only_sqlite
def test_the_comments_of_one_questionnaire_are_masked_too(app: Flask, room: Classroom) -> None:
    survey = room.open(module=2)
    people = [(who, "Merci à Mme Durand, joignable au 06 12 34 56 78") for who in room.trainees[:5]]
    publish(room, survey, people)
    with transaction(room.engine, room.silo_id) as conn:
        conn.execute(survey_step.update().values(comments={"liked": 5}))
        key = {"silo_id": room.silo_id, "course_id": room.course_id, "survey_id": survey.survey_id}
        conn.execute(survey_figure.insert().values(key | {"question": "overall", "value": 4, "count": 5}))
    page = tutor(app, room).page(f"/courses/{room.course_id}/satisfaction/{survey.survey_id}")
    assert "Merci à Mme [nom], joignable au [numéro]" in page
    assert "Durand" not in page


def test_the_application_does_not_hold_the_libraries_of_the_child() -> None:
    held = (
        "import sys, lti_tool.app, lti_tool.job_kinds, lti_tool.web.pages;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'sklearn', 'simplemma'}))"
    )
    found = subprocess.run([sys.executable, "-c", held], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@only_sqlite
def test_a_child_reads_masks_and_tells_its_progress(room: Classroom) -> None:
    survey = room.open(module=2)
    texts = [
        f"{start} {subject}, merci à Julie PETIT (julie.petit@ac-x.fr)"
        for start in ("J’ai aimé", "Très clair,", "Excellent travail sur", "Décevant :", "Trop long,")
        for subject in ("le forum et les échanges", "les vidéos de la plateforme", "le rythme des semaines")
    ]
    publish(room, survey, [(room.trainees[rank], text) for rank, text in enumerate(texts)])
    steps: list[tuple[int, int, str]] = []
    scope = Scope("course", room.course_id)
    done = work.run(run_job(room, scope, steps))
    assert done["comments"] == 33
    assert [done for done, _, _ in steps] == sorted(done for done, _, _ in steps)
    assert {word for _, _, word in steps} >= {"reading", "polarity"}
    with transaction(room.engine, room.silo_id, write=False) as conn:
        rows = conn.execute(select(comment_reading)).all()
    assert len(rows) == 33
    assert not any("PETIT" in row.text or "petit@" in row.text for row in rows)
    assert {row.polarity for row in rows} >= {"positive", "negative"}
    assert {row.model for row in rows} == {accuracy.read().digest}


@only_sqlite
def test_a_child_that_fails_says_only_why(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    loud = 'import sys; print(\'{"failed":"MemoryError"}\')'
    monkeypatch.setattr(child, "_COMMAND", (sys.executable, "-c", loud))
    with pytest.raises(Failed, match="MemoryError"):
        work.run(run_job(room, Scope("course", room.course_id), []))
    monkeypatch.setattr(child, "_COMMAND", (sys.executable, "-c", ""))
    with pytest.raises(Failed, match="ended"):
        work.run(run_job(room, Scope("course", room.course_id), []))
