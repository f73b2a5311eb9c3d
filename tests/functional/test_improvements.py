"""The improvement log: figures frozen on the server, steps, histories, complaints, what trainees read."""

from __future__ import annotations

import csv
import io
import re
import uuid
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from lti_tool import paths, surveys
from lti_tool.access import Viewer
from lti_tool.improvement_tables import improvement, improvement_change
from lti_tool.improvements import Reading, registry
from lti_tool.surveys import box as survey_box
from lti_tool.tables import audit, launch
from tests.conftest import SECRET_KEY, Clock
from tests.factories import opened, traces
from tests.factories.opened import Reader, actor
from tool_config import rules
from tool_config import surveys as templates
from tool_config.database import transaction
from xapi import tables as t

PEOPLE = {str(number): f"Prénom{number} Nom{number}" for number in range(1, 13)} | {"3": "Camille Renaud"}
MODULE = traces.section(1, opened.MODULES[0])["id"]
K = rules.load().disclosure.course
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@dataclass
class Room:
    """A course whose first module has been asked about, and who looks."""

    app: Flask
    engine: Engine
    silo: int
    course: int
    clock: Clock
    module: str = MODULE

    def reader(self, role: str = "tutor", who: str = "formateur") -> Reader:
        found = opened.reader(self.app, self.engine, self.silo, role, self.course, who)
        with transaction(self.engine, self.silo) as conn:  # days pass in these tests
            conn.execute(update(launch).values(expires_at=opened.NOW + timedelta(days=60)))
        return found

    def ask(self, *answers: int) -> None:
        """Ask about the first module, answered so, and close."""
        with transaction(self.engine, self.silo) as conn:
            asked = surveys.open_survey(
                conn, self.silo, self.course, module=self.module,
                template=templates.load()["a-chaud-module"].asked(), mode="pseudonymous",
                opens_at=self.clock(), closes_at=self.clock() + timedelta(days=1),
                by=actor("formateur"), now=self.clock(),
            )  # fmt: skip
            key = survey_box.key(SECRET_KEY)
            for rank, value in enumerate(answers, 1):
                who = Viewer(self.silo, "x", actor(str(rank)), "trainee", self.course, "fr", False, "")
                surveys.submit(
                    conn, asked, who, {"overall": str(value), "useful": str(value)}, str(uuid.uuid4()),
                    now=self.clock(), key=key, k=K,
                )  # fmt: skip
        self.clock.advance(days=1, minutes=1)
        with transaction(self.engine, self.silo) as conn:
            surveys.settle_due(conn, self.silo, now=self.clock(), key=key, k=K)

    def path(self, of: str = "", ref: str = "") -> str:
        return f"/courses/{self.course}/improvements/new?of={of}&ref={ref}"

    def note(self, reader: Reader, of: str = "module_satisfaction", ref: str = MODULE, **more: str) -> str:
        """Open an entry from a figure as its form does; return its path."""
        form = f"/courses/{self.course}/improvements/new"
        page = reader.get(form, query_string={"of": of, "ref": ref}).get_data(as_text=True)
        sent = {name: values[0] for name, values in opened.fields(page).items()} | more
        answer = reader.post(form, sent)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        found = re.search(r"(/courses/[^?]*)\?done=noted", answer.headers["Location"])
        assert found
        return found[1]

    def rows(self, table: Any) -> list[Any]:
        with transaction(self.engine, self.silo, write=False) as conn:
            return list(conn.execute(select(table).where(table.c.silo_id == self.silo)))


@pytest.fixture
def room(app: Flask, engine: Engine, silo: int, clock: Clock) -> Room:
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, PEOPLE)
    opened.add_people(engine, silo, key, {"formateur": "Nadia Aubert", "autre": "Marc Petit"}, role="tutor")
    opened.take_in(engine, silo, opened.statements("1", 3, 1), clock)
    return Room(app, engine, silo, key, clock)


def plain(page: str) -> str:
    return page.replace("\u202f", " ").replace("\u00a0", " ")


def step(reader: Reader, path: str, name: str, version: int, **fields: str) -> Any:
    return reader.post(path, {"step": name, "version": str(version), **fields})


DECIDED = {"decision": "Ajouter un exemple corrigé.", "owner": "", "owner_name": "Conception"}


def test_a_figure_is_frozen_read_again_after_and_its_history_is_never_rewritten(room: Room) -> None:
    room.ask(1, 1, 1, 2, 4, 5)
    tutor = room.reader()
    # What a browser adds to the form is nothing: the figure is read on the server.
    path = room.note(tutor, noticed="Mal reçu", words="100 % ravis", value="1", n="999")
    before = "33 % d’avis favorables, entre"
    assert before in plain(tutor.page(path))
    due = (room.clock() + timedelta(days=7)).date().isoformat()
    assert step(tutor, path, "decided", 1, **DECIDED, due_on=due).status_code == 303
    assert step(tutor, path, "acted", 2, action="L’exemple est en ligne.").status_code == 303
    room.ask(5, 5, 5, 4, 4, 5)
    assert step(tutor, path, "checked", 3, conclusion="Mieux compris.").status_code == 303
    page = plain(tutor.page(path))
    assert before in page
    assert "100 % d’avis favorables, entre" in page
    assert "De 33 % à 100 %." in page
    kept = room.rows(improvement_change)
    assert [row.step for row in kept] == ["opened", "decided", "acted", "checked"]
    first, last = kept[0].figure, kept[-1].figure
    assert (first["n"], round(first["value"], 3), last["n"], last["value"]) == (6, 0.333, 6, 1.0)
    assert first["low"] < first["value"] < first["high"]
    assert "Nadia Aubert" not in page  # oneself
    assert "999" not in repr(kept)
    for written in (update(improvement_change).values(step="x"), delete(improvement_change)):
        refusal = pytest.raises(DBAPIError, match=r"permission denied|not rewritten")
        with refusal, transaction(room.engine, room.silo) as conn:
            conn.execute(written)
    assert room.rows(improvement_change) == kept


def _next_session(room: Room) -> Room:
    """Return the next session of the path: the same people and tutor, a first module of the same title."""
    key = opened.add_course(room.engine, room.silo, 9, "Piloter, la suite")
    first = f"{traces.SITE}/course/view.php?id=9#section-1"
    with transaction(room.engine, room.silo) as conn:
        paths.assign(conn, room.silo, [room.course, key], paths.create(conn, room.silo, "Piloter"))
        for course_id, label, month in ((room.course, "2026-3", 9), (key, "2027-1", 11)):
            conn.execute(
                update(t.course)
                .where(t.course.c.course_id == course_id)
                .values(label=label, starts_on=date(2026, month, 1))
            )
        conn.execute(
            insert(t.outline_item).values(
                silo_id=room.silo, course_id=key, iri=first, level="module", module=first, position=1,
                required=True, title=opened.MODULES[0].upper(),
            )
        )  # fmt: skip
        there = {"silo_id": room.silo, "course_id": key, "source": "launch", "since": opened.NOW}
        for who in PEOPLE:
            conn.execute(insert(t.membership).values(**there, actor=actor(who), role="trainee"))
        conn.execute(insert(t.membership).values(**there, actor=actor("formateur"), role="tutor"))
    return replace(room, course=key, module=first)


def test_the_same_figure_is_read_in_the_next_session_of_the_path(room: Room) -> None:
    room.ask(1, 1, 1, 2, 4, 5)
    tutor = room.reader()
    path = room.note(tutor, noticed="Mal reçu")
    after = _next_session(room)
    assert "Session suivante" not in tutor.page(path)
    after.ask(5, 5, 5, 4, 4)
    row = "Session suivante"
    assert row in tutor.page(path)
    due = (room.clock() + timedelta(days=7)).date().isoformat()
    step(tutor, path, "decided", 1, **DECIDED, due_on=due)
    page = plain(tutor.page(path))
    assert "(2027-1)</td>" in page, "beside the frozen figure"
    assert f'name="measured_in" value="{after.course}"' in page
    # Who does not accompany that session reads nothing of it, nor keeps it.
    other = room.reader(who="autre")
    assert "2027-1" not in other.page(path)
    kept = {"conclusion": "Mieux reçu.", "measured_in": str(after.course)}
    assert step(other, path, "checked", 2, **kept).status_code == 404
    assert step(tutor, path, "checked", 2, **kept).status_code == 303
    assert room.rows(improvement_change)[-1].figure["value"] == 1.0
    page = plain(other.page(path))
    assert "100 % d’avis favorables" in page
    assert "De 33 % à 100 %." in page


def test_two_people_at_once_lose_nothing(room: Room) -> None:
    one, other = room.reader(), room.reader(who="autre")
    path = room.note(one, of="active", ref="")
    due = (room.clock() + timedelta(days=7)).date().isoformat()
    assert step(one, path, "decided", 1, **DECIDED, due_on=due).status_code == 303
    sent = {"decision": "Écrire à chacun <b>", "owner": actor("autre"), "owner_name": "", "due_on": due}
    refused = step(other, path, "decided", 1, **sent)
    page = plain(refused.get_data(as_text=True))
    assert refused.status_code == 409
    assert "modifiée pendant que vous écriviez" in page
    assert "Nadia Aubert" in page  # who, in the list of what changed
    assert "Écrire à chacun &lt;b&gt;</textarea>" in page
    assert 'name="version" value="2"' in page
    assert [row.decision for row in room.rows(improvement)] == ["Ajouter un exemple corrigé."]
    assert step(other, path, "decided", 2, **sent).status_code == 303
    assert [row.decision for row in room.rows(improvement)] == ["Écrire à chacun <b>"]
    assert [row.version for row in room.rows(improvement_change)] == [1, 2, 3]


@sqlite_only
def test_a_figure_that_moved_since_the_form_is_told_and_the_text_kept(room: Room) -> None:
    room.ask(1, 1, 1, 2, 4, 5)
    tutor = room.reader()
    sent = {"of": "module_satisfaction", "ref": MODULE, "attempt": str(uuid.uuid4()), "noticed": "Mal reçu"}
    answer = tutor.post(f"/courses/{room.course}/improvements/new", sent | {"shown": "0" * 24})
    assert answer.status_code == 409
    assert "Mal reçu</textarea>" in answer.get_data(as_text=True)
    assert room.rows(improvement) == []


@sqlite_only
def test_under_the_threshold_nothing_is_frozen_but_that(room: Room) -> None:
    room.ask(1, 1, 1, 2)
    room.note(room.reader())
    figure = room.rows(improvement_change)[0].figure
    assert (figure["value"], figure["n"], figure["low"]) == (None, None, None)
    assert plain(figure["words"]) == f"moins de {K} réponses"


@sqlite_only
def test_every_kind_is_read_and_what_names_nothing_is_not_there(room: Room) -> None:
    room.ask(1, 1, 1, 2, 4, 5)
    page = traces.page(101, "Étape 1.1")["id"]
    references = {
        "module_satisfaction": MODULE, "item": f"{MODULE} useful", "module_progress": MODULE,
        "module_stuck": MODULE, "activity": f"{MODULE} {page}", "alert": "not_connected", "active": "",
        "quality": "surveys few",
    }  # fmt: skip
    assert set(references) <= set(registry.KINDS)
    with transaction(room.engine, room.silo, write=False) as conn:
        for kind, reference in references.items():
            course = 0 if registry.KINDS[kind].scope == "silo" else room.course
            here = Reading(conn, room.silo, course, room.clock(), rules.load())
            seen = registry.read(here, kind, reference)
            assert seen is not None, kind
            assert all((seen.words, seen.definition, seen.subject)), kind
            # A figure of a course is not read for the silo, nor the other way round.
            elsewhere = Reading(conn, room.silo, room.course if not course else 0, room.clock(), rules.load())
            assert registry.read(elsewhere, kind, reference) is None
    tutor = room.reader()
    nothing = (("item", MODULE), ("alert", "ill"), ("module_stuck", "x"), ("nothing", ""), ("quality", ""))
    for of, ref in nothing:
        assert tutor.get(room.path(of, ref)).status_code == 404, of


def test_who_may_follow_what(room: Room, app: Flask, engine: Engine, silo: int, second_silo: int) -> None:
    tutor, admin = room.reader(), room.reader("admin", "admin")
    path = room.note(tutor, of="active", ref="")
    other = opened.add_course(engine, silo, 9, "Autre")
    stranger = opened.reader(app, engine, silo, "tutor", other, "ailleurs")
    neighbour = opened.reader(app, engine, second_silo, "admin", opened.add_course(engine, second_silo), "a")
    learner = room.reader("trainee", "1")
    base = f"/courses/{room.course}/improvements"
    for reader, status in ((stranger, 404), (neighbour, 404), (learner, 403)):
        for page in (base, f"{base}.csv", f"{base}/print", f"{base}/new", path):
            assert reader.get(page).status_code == status, page
    for page in ("/improvements", "/improvements.csv", "/improvements/print"):
        assert tutor.get(page).status_code == 403
        assert admin.get(page).status_code == 200
    # The silo's own entries are the administrators'.
    assert tutor.get("/courses/0/improvements/new").status_code == 404
    assert admin.get("/courses/0/improvements/new").status_code == 200
    # The entry of one course under the number of another.
    moved = path.replace(str(room.course), str(other))
    assert stranger.get(moved).status_code == 404
    assert admin.get(moved).status_code == 404
    assert "Nadia" not in admin.page(path)
    assert step(stranger, moved, "acted", 1, action="x").status_code == 404


def complain(reader: Reader, **more: str) -> Any:
    sent = {"noticed": "Les vidéos ne passent pas", "to": "team", "named": "no", "attempt": str(uuid.uuid4())}
    return reader.post("/complaint", sent | more)


def test_without_a_name_nothing_says_whose_complaint_it_is(room: Room) -> None:
    learner = room.reader("trainee", "3")
    token = learner.token()
    before = room.rows(audit)
    attempt = str(uuid.uuid4())
    for _ in range(2):  # a double click
        sent = {"noticed": "Les vidéos ne passent pas", "to": "team", "named": "no", "attempt": attempt}
        assert learner.post("/complaint", sent, token).status_code == 303
    entries = room.rows(improvement)
    assert len(entries) == 1
    everything = repr(entries) + repr(room.rows(improvement_change)) + repr(room.rows(audit)[len(before) :])
    assert actor("3") not in everything
    assert learner.launch_id not in everything
    assert {row.at.hour + row.at.minute for row in room.rows(improvement_change)} == {0}
    assert entries[0].answer_by == entries[0].opened_on + timedelta(days=15)
    assert "Les vidéos ne passent pas" not in learner.page("/complaint")
    page = room.reader().page(f"/courses/{room.course}/improvements/{entries[0].improvement_id}")
    assert "Réclamation envoyée sans nom" in page


def test_a_signed_complaint_is_answered_to_whom_it_is(room: Room) -> None:
    learner, other = room.reader("trainee", "3"), room.reader("trainee", "4")
    assert complain(learner, named="yes").status_code == 303
    path = f"/courses/{room.course}/improvements/{room.rows(improvement)[0].improvement_id}"
    tutor = room.reader()
    assert "Camille Renaud" in tutor.page(path)
    room.clock.advance(days=16)
    assert "réponse en retard de 1 jour" in plain(tutor.page(f"/courses/{room.course}/today"))
    assert step(tutor, path, "answered", 1, answer="Elles sont réencodées.").status_code == 303
    assert "en retard" not in plain(tutor.page(f"/courses/{room.course}/today"))
    assert "Elles sont réencodées." in learner.page("/complaint")
    assert "réencodées" not in other.page("/complaint")


def test_complaints_kept_to_the_administration_are_not_seen_by_tutors(room: Room) -> None:
    assert complain(room.reader("trainee", "3"), to="admin", named="yes").status_code == 303
    path = f"/courses/{room.course}/improvements/{room.rows(improvement)[0].improvement_id}"
    tutor, admin = room.reader(), room.reader("admin", "admin")
    assert tutor.get(path).status_code == 404
    base = f"/courses/{room.course}/improvements"
    for page in (base, f"{base}.csv", f"{base}/print"):
        assert "vidéos" not in tutor.page(page)
        assert "vidéos" in admin.page(page)
    assert "Camille Renaud" in admin.page(path)  # who chose to be named
    assert step(tutor, path, "answered", 1, answer="x").status_code == 404


@sqlite_only
def test_a_complaint_is_checked_and_nothing_is_lost(room: Room) -> None:
    learner = room.reader("trainee", "3")
    answer = complain(learner, named="", to="", noticed="Le son")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="fault-named"' in page
    assert 'id="fault-to"' in page
    assert "Le son</textarea>" in page
    assert complain(learner, noticed=" ").status_code == 400
    assert complain(learner, noticed="x" * 2001).status_code == 400
    assert room.rows(improvement) == []
    assert complain(room.reader(), noticed="x").status_code == 403  # a tutor has the log


@sqlite_only
def test_what_is_published_is_reviewed_and_names_nobody(room: Room) -> None:
    tutor, learner = room.reader(), room.reader("trainee", "1")
    path = room.note(tutor, of="active", ref="")
    told = {"told": "Vous manquez de temps.", "done": "Les délais sont allongés.", "reviewed": "1"}
    assert step(tutor, path, "published", 1, **{**told, "reviewed": ""}).status_code == 400
    for wrong in ("Écrivez à camille@ac-x.fr.", "Appelez le 06 12 34 56 78."):
        answer = step(tutor, path, "published", 1, **{**told, "done": wrong})
        assert answer.status_code == 400
        assert 'id="fault-done"' in answer.get_data(as_text=True)
    named = {**told, "told": "Merci à Renaud, qui l’a dit."}
    answer = step(tutor, path, "published", 1, **named)
    assert answer.status_code == 400
    assert "noms de la session" in plain(answer.get_data(as_text=True))
    assert "Vous avez dit" not in learner.page("/me")
    assert step(tutor, path, "published", 1, **told).status_code == 303
    page = learner.page("/me")
    assert "Vous manquez de temps." in page
    assert "Les délais sont allongés." in page
    elsewhere = opened.add_course(room.engine, room.silo, 9, "Autre")
    stranger = opened.reader(room.app, room.engine, room.silo, "trainee", elsewhere, "2")
    assert "Vous manquez de temps." not in stranger.page("/me")
    assert step(tutor, path, "withdrawn", 2).status_code == 303
    assert "Vous manquez de temps." not in learner.page("/me")
    assert step(tutor, path, "published", 3, **named, nobody="1").status_code == 303


@sqlite_only
def test_the_list_filters_says_what_is_late_to_whom_it_concerns_and_leaves_as_a_file(room: Room) -> None:
    tutor, other = room.reader(), room.reader(who="autre")
    mine, stuck = room.note(tutor, of="active", ref=""), room.note(tutor, of="module_stuck", ref=MODULE)
    soon = (room.clock() + timedelta(days=1)).date().isoformat()
    owned = {"decision": "=Relancer", "owner": actor("formateur"), "owner_name": "", "due_on": soon}
    assert step(tutor, mine, "decided", 1, **owned).status_code == 303
    assert "attend depuis son échéance" not in tutor.page(f"/courses/{room.course}/today")
    past = (room.clock() - timedelta(days=1)).date().isoformat()
    assert step(tutor, stuck, "decided", 1, **{**owned, "due_on": past}).status_code == 400
    with transaction(room.engine, room.silo) as conn:
        conn.execute(update(improvement).where(improvement.c.kind == "active").values(
            due_on=(room.clock() - timedelta(days=3)).date()))  # fmt: skip
    assert "en retard de 3 jours" in plain(tutor.page(f"/courses/{room.course}/today"))
    assert "en retard" not in plain(other.page(f"/courses/{room.course}/today"))  # a colleague's
    base = f"/courses/{room.course}/improvements"

    def listed(query: str) -> set[str]:
        page = tutor.page(f"{base}?{query}")
        return {path for path in (mine, stuck) if path in page}

    assert listed("") == {mine, stuck}
    assert listed("late=1") == listed("state=decided") == listed("kind=active") == {mine}
    assert (
        listed(f"module={MODULE.replace('#', '%23').replace('&', '%26')}")
        == listed("state=observed")
        == {stuck}
    )
    assert listed("state=abandoned") == set()
    text = tutor.get(f"{base}.csv?late=1").get_data().decode("utf-8-sig")
    table = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [(row["État"], row["Décision"], row["En retard"]) for row in table] == [
        ("décidé", "'=Relancer", "oui")
    ]
    assert table[0]["n"] == "12"
    assert "Relancer" in tutor.page(f"{base}/print?late=1")


@sqlite_only
def test_a_step_that_the_state_does_not_allow_is_refused(room: Room) -> None:
    tutor = room.reader()
    path = room.note(tutor, of="active", ref="")
    assert step(tutor, path, "checked", 1, conclusion="x").status_code == 409
    assert step(tutor, path, "nothing", 1).status_code == 404
    assert step(tutor, path, "abandoned", 1, reason="").status_code == 400
    assert step(tutor, path, "abandoned", 1, reason="Réglé par la plateforme").status_code == 303
    assert "Réglé par la plateforme" in tutor.page(path)
    assert step(tutor, path, "acted", 2, action="x").status_code == 409
    assert step(tutor, path, "reopened", 2).status_code == 303
    assert [row.state for row in room.rows(improvement)] == ["observed"]
