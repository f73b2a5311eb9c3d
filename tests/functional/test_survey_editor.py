"""Questionnaires written through HTTP: copied, reworded, reordered, seen, published, opened, answered."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool import surveys
from lti_tool.survey_template_tables import survey_template_version
from lti_tool.surveys import drafts, library
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.opened import Reader
from tool_config import surveys as templates
from tool_config.database import transaction
from tool_config.surveys import Survey, Template

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


def fields(page: str) -> dict[str, Any]:
    """Return what a browser would send of the editor's form, without a button."""
    part = page[page.index('class="writing"') :]
    part = part[: part.index("</form>")]
    found: dict[str, Any] = {}

    def add(name: str, value: str) -> None:
        value = html.unescape(value)
        found[name] = [*found[name], value] if name in found else [value]

    for kind, name, rest in re.findall(r'<input type="(\w+)"[^>]*? name="([^"]+)"([^>]*)>', part):
        if kind not in ("checkbox",) or " checked" in rest:
            value = re.search(r'value="([^"]*)"', rest)
            add(name, value[1] if value else "")
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)</textarea>', part):
        add(name, text)
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', part, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected>', options) or re.search(
            r'value="([^"]*)"', options
        )
        assert chosen
        add(name, chosen[1])
    return found


class Editor:
    """A questionnaire in the hands of somebody without script."""

    def __init__(self, reader: Reader, source: str = "a-chaud-module") -> None:
        self.reader = reader
        answer = reader.post("/questionnaires", {"source": source})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.name = answer.headers["Location"].split("/questionnaires/")[1].split("?")[0]
        self.page = self.reload()

    def reload(self) -> str:
        self.page = self.reader.page(f"/questionnaires/{self.name}")
        return self.page

    def press(self, do: str, **changed: Any) -> Any:
        """Press a button after changing some fields; None takes a field away."""
        sent = {**fields(self.page), **changed, "do": do}
        answer = self.reader.post(
            f"/questionnaires/{self.name}", {name: value for name, value in sent.items() if value is not None}
        )
        self.page = answer.get_data(as_text=True) if answer.status_code != 303 else self.reload()
        return answer

    @property
    def order(self) -> list[str]:
        return re.findall(r'name="q" value="([^"]+)"', self.page)


def published(engine: Engine, silo: int, name: str) -> Template:
    with transaction(engine, silo, write=False) as conn:
        return library.offered(conn, silo, library.find(conn, silo, name).course_id)[name]


def test_a_copy_says_what_it_copies_in_full(tutor: Reader, engine: Engine, silo: int) -> None:
    editor = Editor(tutor, "a-chaud-session")
    assert editor.press("publish").status_code == 303
    made, shipped = published(engine, silo, editor.name), templates.load()["a-chaud-session"]
    assert made.questions == shipped.questions
    assert (made.title, made.phase, made.minutes) == (shipped.title, shipped.phase, shipped.minutes)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_questions_are_reworded_moved_added_and_removed_without_script(
    tutor: Reader, engine: Engine, silo: int
) -> None:
    editor = Editor(tutor)
    before = editor.order
    editor.press("down:objectives", **{"q.useful.text.fr": "Cela me servira dès demain\u202f?"})
    assert editor.order[:3] == ["overall", "useful", "objectives"]
    assert editor.press("remove:liked").headers["Location"].endswith("#b-improve")
    editor.press("remove:overall")  # always asked: nothing happens
    for kind in drafts.KINDS:
        editor.press("add", new_kind=kind, new_after="overall")
    assert [name for name in editor.order if name not in before] == [
        f"{kind}-1" for kind in reversed(drafts.KINDS)
    ]
    assert set(before) - set(editor.order) == {"liked"}
    editor.press("row-add:grid-1")
    editor.press("row-remove:grid-1:r1")
    editor.press("option-add:choice-1")
    editor.press("option-up:choice-1:3")
    said = {
        name: [f"texte {rank}"]
        for rank, name in enumerate(name for name in fields(editor.page) if re.search(r"\.(fr|en)$", name))
        if not fields(editor.page)[name][0] and ".short." not in name
    }
    said |= {"q.positioning-1.competency": ["B2"], "q.grid-1.row.r2.object": ["technique"]}
    assert editor.press("publish", **said).status_code == 303, re.findall(r'class="fault"[^<]*<', editor.page)
    made = published(engine, silo, editor.name)
    assert made.version == 1
    assert made.question("useful").text.fr == "Cela me servira dès demain\u202f?"  # type: ignore[union-attr]
    choice, grid = made.question("choice-1"), [q for q in made.questions if q.grid]
    assert choice is not None
    assert [option.value for option in choice.options] == [1, 3, 2]
    assert [(row.id, row.object) for row in grid] == [("grid-1-r2", "technique"), ("grid-1-r3", None)]
    assert [question.competency for question in made.positioning] == ["B2"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_faulty_is_told_at_its_place_and_nothing_is_lost(tutor: Reader) -> None:
    editor = Editor(tutor)
    editor.press("add", new_kind="choices")
    wrong = {
        "minutes": "deux",
        "q.useful.text.en": "",
        "q.choices-1.option.1.fr": "Oui",
        "title.fr": "Mon avis",
    }
    answer = editor.press("publish", **wrong)
    assert answer.status_code == 400
    for name in ("minutes", "q.useful.text.en", "q.choices-1.text.fr", "q.choices-1.option.2.en"):
        assert f'id="fault-{name}"' in editor.page
        assert f'aria-describedby="fault-{name}"' in editor.page
    assert 'id="fault-title.fr"' not in editor.page
    kept = fields(editor.page)
    assert [kept[name][0] for name in wrong] == list(wrong.values())
    assert fields(editor.reload())["minutes"] == ["deux"]
    assert tutor.get(f"/questionnaires/{editor.name}/preview").status_code == 303


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_of_two_tabs_the_late_one_is_told_and_keeps_what_it_typed(tutor: Reader) -> None:
    first = Editor(tutor)
    late = fields(first.page)
    first.press("save", **{"title.fr": "Premier onglet"})
    answer = tutor.post(f"/questionnaires/{first.name}", {**late, "title.fr": "Second onglet", "do": "save"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "enregistré ailleurs entre-temps" in page
    assert fields(page)["title.fr"] == ["Second onglet"]
    assert fields(first.reload())["title.fr"] == ["Premier onglet"]
    assert tutor.post(f"/questionnaires/{first.name}", {**fields(page), "do": "save"}).status_code == 303
    assert fields(first.reload())["title.fr"] == ["Second onglet"]


def test_a_version_published_never_changes_and_what_is_open_keeps_its_own(
    app: Flask, tutor: Reader, engine: Engine, silo: int, course: int
) -> None:
    editor = Editor(tutor, "point-etape")
    editor.press("publish", **{"title.fr": "Version une"})
    first = open_one(tutor, engine, silo, course, editor.name)
    editor.reload()
    editor.press("remove:pace", **{"title.fr": "Version deux"})
    assert published(engine, silo, editor.name).title.fr == "Version une"
    assert "version 1 publiée, modifiée depuis" in tutor.page("/questionnaires")
    editor.press("publish")
    made = published(engine, silo, editor.name)
    assert (made.version, made.title.fr, made.question("pace")) == (2, "Version deux", None)
    with transaction(engine, silo, write=False) as conn:
        kept = surveys.find(conn, silo, course, first.survey_id)
        versions = conn.execute(
            select(survey_template_version.c.version, survey_template_version.c.content)
        ).all()
    assert (kept.template.version, kept.template.title.fr) == (1, "Version une")
    assert [(row.version, row.content["title"]["fr"]) for row in sorted(versions)] == [
        (1, "Version une"), (2, "Version deux")
    ]  # fmt: skip
    editor.press("publish")  # nothing changed: no third version
    assert published(engine, silo, editor.name).version == 2
    tutor.post(f"/questionnaires/{editor.name}/withdraw", {})
    assert editor.name not in tutor.page(f"/courses/{course}/satisfaction/new")


def open_one(tutor: Reader, engine: Engine, silo: int, course: int, template: str, **more: str) -> Survey:
    """Open a questionnaire about the whole session and return it."""
    filled = {"template": template, "mode": "pseudonymous", "opens": "2026-11-21", "closes": "2026-12-05"}
    answer = tutor.post(f"/courses/{course}/satisfaction/new", filled | more)
    assert answer.status_code == 303, re.findall(r'class="fault"[^<]*<', answer.get_data(as_text=True))
    name = answer.headers["Location"].split("/satisfaction/")[1].split("?")[0]
    with transaction(engine, silo, write=False) as conn:
        return surveys.find(conn, silo, course, name)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_tutor_writes_for_their_course_an_administrator_for_the_silo(
    app: Flask, tutor: Reader, engine: Engine, silo: int, course: int
) -> None:
    opened.add_people(engine, silo, course, {"chef": "Administration"}, role="admin")
    admin = opened.reader(app, engine, silo, "admin", course, "chef")
    other = opened.add_course(engine, silo, number=9, title="Ailleurs")
    opened.add_people(engine, silo, other, {"voisin": "Autre"}, role="tutor")
    neighbour = opened.reader(app, engine, silo, "tutor", other, "voisin")
    trainee = opened.reader(app, engine, silo, "trainee", course, "1")
    mine, common = Editor(tutor), Editor(admin)
    for reader, name, status in [
        (neighbour, mine.name, 404), (admin, mine.name, 404),
        (tutor, common.name, 404), (trainee, mine.name, 403),
    ]:  # fmt: skip
        assert reader.get(f"/questionnaires/{name}").status_code == status
        assert reader.get(f"/questionnaires/{name}/preview").status_code == status
    assert neighbour.post(f"/questionnaires/{mine.name}", {"do": "publish"}).status_code == 404
    assert neighbour.post(f"/questionnaires/{mine.name}/withdraw", {}).status_code == 404
    assert tutor.post("/questionnaires", {"source": common.name}).status_code == 404  # not published yet
    common.press("publish", **{"title.fr": "Pour toute la communauté"})
    assert "Pour toute la communauté" in neighbour.page("/questionnaires")
    assert tutor.post("/questionnaires", {"source": common.name}).status_code == 303
    assert tutor.get(f"/questionnaires/{common.name}").status_code == 404  # read and copied, never written
    assert tutor.page(f"/questionnaires/{common.name}/preview").count("data-question") > 5
    assert "Questionnaires" in admin.page("/questionnaires")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_preview_is_the_form_that_a_trainee_gets(
    app: Flask, tutor: Reader, engine: Engine, silo: int, course: int
) -> None:
    survey = open_one(tutor, engine, silo, course, "attentes", **{"also-attentes:adapt": "1"})
    trainee = opened.reader(app, engine, silo, "trainee", course, "1")

    def asked(page: str) -> str:
        return page[
            page.index('<fieldset class="question"') : page.index(
                '<div class="notice warn" role="alert" data-f'
            )
        ]

    seen = tutor.page("/questionnaires/attentes/preview")
    assert asked(seen) == asked(trainee.page(f"/surveys/{survey.survey_id}"))
    assert "Does this training meet a need" in tutor.page("/questionnaires/attentes/preview?lang=en")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_minutes_asked_of_each_are_said_and_too_many_are_warned_of(
    tutor: Reader, engine: Engine, silo: int, course: int
) -> None:
    page = tutor.page(f"/courses/{course}/satisfaction/new")
    assert "4 minutes par personne sur toute la session\u202f: c’est le premier questionnaire." in page
    editor = Editor(tutor, "attentes")
    editor.press("publish", minutes="28")
    open_one(tutor, engine, silo, course, editor.name)
    filled = {
        "template": "a-chaud-session",
        "mode": "anonymous",
        "opens": "2026-11-21",
        "closes": "2026-12-05",
    }
    answer = tutor.post(f"/courses/{course}/satisfaction/new", filled)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "Chaque personne passerait 33 minutes" in page
    assert 'value="anonymous" checked' in page
    open_one(tutor, engine, silo, course, "a-chaud-session", anyway="1", mode="anonymous")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_faulty_answer_to_a_grid_is_told_and_ticks_are_kept(
    app: Flask, tutor: Reader, engine: Engine, silo: int, course: int
) -> None:
    survey = open_one(tutor, engine, silo, course, "attentes")
    trainee = opened.reader(app, engine, silo, "trainee", course, "1")
    sent: dict[str, Any] = {
        "q-overall": "4",
        "q-reasons": ["2", "4"],
        "q-position-c1": "9",
        "q-position-c2": "3",
    }
    sent["attempt"] = str(uuid.uuid4())
    answer = trainee.post(f"/surveys/{survey.survey_id}", sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert re.search(r'id="fault-position"[^>]*>Choisissez l’une des réponses proposées\.', page)
    assert 'name="q-reasons" value="2" checked' in page
    assert 'name="q-reasons" value="4" checked' in page
    assert 'name="q-position-c2" value="3" checked' in page
    sent["q-position-c1"] = "2"
    assert trainee.post(f"/surveys/{survey.survey_id}", sent).status_code == 303
    again = trainee.page(f"/surveys/{survey.survey_id}")
    assert 'name="q-reasons" value="4" checked' in again
    assert 'name="q-position-c1" value="2" checked' in again
