"""Evidence packs: asked for on the page, made in the background, taken away, and what they say."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, select, update

from lti_tool import jobs, paths
from lti_tool.evidence import facts, pack, work
from lti_tool.evidence.facts import Facts
from lti_tool.export_tables import export_file
from lti_tool.improvements import entries
from lti_tool.improvements.entries import Author
from lti_tool.job_kinds import KINDS
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.jobs import drain
from tests.factories.opened import Reader
from tests.factories.surveys import ISSUER, Classroom
from tool_config import rules
from tool_config.database import transaction
from xapi.tables import course, rollup_actor

#: Sessions of the path: people, first day, those who finished.
SESSIONS = (
    (14, date(2025, 10, 6), 9),
    (4, date(2026, 1, 12), 1),
    (12, date(2025, 11, 3), 12),
    (5, date(2026, 9, 7), 2),
)


@pytest.fixture
def path_id(engine: Engine, silo: int, clock: Clock) -> int:
    """Return a path of four sessions: three of one school year, one of them small, and a small one alone."""
    clock.now -= timedelta(days=300)
    rooms = []
    with transaction(engine, silo) as conn:
        found = paths.create(conn, silo, "Piloter *un* EPLE #1")
    for rank, (size, began, finished) in enumerate(SESSIONS):
        room = Classroom(engine, silo, clock(), iri=f"{ISSUER}/course/view.php?id={20 + rank}").build(size)
        rooms.append(room)
        with transaction(engine, silo) as conn:
            paths.assign(conn, silo, [room.course_id], found)
            one = course.c.silo_id == silo, course.c.course_id == room.course_id
            ends = began + timedelta(days=60)
            conn.execute(
                update(course).where(*one).values(title=f"Session {rank}", starts_on=began, ends_on=ends)
            )
            for actor in room.trainees[:finished]:
                conn.execute(_finished(silo, room.course_id, actor, clock()))
    survey = rooms[0].open()
    for rank in range(13):
        rooms[0].answer(survey, rank, overall=5 if rank < 10 else 2)
    rooms[0].close(survey)
    with transaction(engine, silo) as conn:
        _improve(conn, silo, rooms[0].course_id, rooms[0].now)
    clock.now += timedelta(days=300)
    return found


def _finished(silo: int, number: int, actor: str, at: Any) -> Any:
    seconds = dict.fromkeys(("seconds_10", "seconds_30", "seconds_60"), 600)
    return rollup_actor.insert().values(
        silo_id=silo, course_id=number, actor=actor, events=3, days=1, attended=0, first_at=at, last_at=at,
        completed_at=at, days_seen=at.date().isoformat(), **seconds,
    )  # fmt: skip


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, path_id: int) -> Reader:
    return opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 99, "Autre"), "chef")


def asked(admin: Reader, path_id: int, first: int = 2025, last: int = 2026) -> Any:
    return admin.post("/evidence", {"path": path_id, "first": first, "last": last}, token(admin))


def token(reader: Reader) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', reader.page("/evidence"))
    assert found
    return found[1]


def made(app: Flask, admin: Reader, path_id: int) -> tuple[bytes, bytes]:
    """Ask for a pack, have it made and return its files: PDF, XLSX."""
    assert asked(admin, path_id).status_code == 303
    drain(app.extensions["estime"])
    links = re.findall(r'href="[^"]*(/evidence/\w+/(?:pdf|xlsx))"', admin.page("/evidence"))
    pdf, xlsx = (admin.get(link) for link in links)
    assert pdf.mimetype == "application/pdf"
    assert re.search(r'"estime-preuves-piloter-un-eple-1-2025-2027\.pdf"', pdf.headers["Content-Disposition"])
    return pdf.get_data(), xlsx.get_data()


def test_a_pack_is_asked_for_followed_and_taken_away(
    app: Flask, engine: Engine, silo: int, admin: Reader, path_id: int, clock: Clock
) -> None:
    page = admin.page("/evidence")
    assert "Piloter *un* EPLE #1" in page
    assert "2025-2026" in page
    assert asked(admin, path_id).status_code == 303
    waiting = admin.page("/evidence")
    assert "en attente" in waiting
    assert 'http-equiv="refresh"' in waiting
    # The same again is the same pack.
    assert asked(admin, path_id).status_code == 303
    assert admin.page("/evidence").count("<progress") == 1
    drain(app.extensions["estime"])
    ready = admin.page("/evidence")
    assert "Un dossier est prêt" in ready
    assert 'http-equiv="refresh"' not in ready
    link = re.search(r'href="[^"]*(/evidence/\w+/pdf)"', ready)
    assert link
    assert admin.get(link[1]).status_code == 200
    other = opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 98, "X"), "autre")
    assert "Un dossier est prêt" not in other.page("/evidence")
    assert other.get(link[1]).status_code == 404
    assert admin.get(link[1].replace("/pdf", "/html")).status_code == 404
    clock.advance(days=8)
    reader = opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 97, "Y"), "chef")
    with transaction(engine, silo) as conn:
        assert conn.scalar(select(export_file.c.form).limit(1))
    drain(app.extensions["estime"], plans=True)
    with transaction(engine, silo) as conn:
        assert conn.scalar(select(export_file.c.form).limit(1)) is None
    assert reader.launch_id


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_pdf_is_tagged_and_says_what_the_data_says(app: Flask, admin: Reader, path_id: int) -> None:
    content, as_xlsx = made(app, admin, path_id)
    reader = PdfReader(io.BytesIO(content))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("fr")
    assert reader.metadata is not None
    assert reader.metadata.title == "Preuves Qualiopi · Piloter *un* EPLE #1"
    assert "pdfuaid" in root["/Metadata"].get_data().decode()
    tags = structure(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/L", "/Figure"} <= set(tags)
    embedded = [font for page in reader.pages for font in fonts(page)]
    assert embedded
    assert all(embedded)
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split()).replace("\u202f", " ")
    for number in (2, 4, 8, 11, 12, 30, 31, 32):
        assert f"Indicateur {number} ·" in text
    # 22 of the 30 people of 2025-2026; the small year is in no sum, the small session is told with another.
    assert "73 % (de 56 % à 86 %) des 30 personnes inscrites ont terminé" in text
    assert "2 sessions réunies" in text
    assert "1 session n’a pas 11 personnes" in text
    assert "77 % (de 50 % à 92 %) des avis sont favorables" in text
    assert "Les données ne disent rien" in text
    assert "Décaler la classe virtuelle" in text
    assert "Trop de courriels" not in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(as_xlsx))
    assert book.sheet_names[0] == "À lire"
    rows = book.get_sheet_by_name("Inscrits qui ont terminé le par").to_python()
    assert rows[0] == ["Session", "Année", "Inscrits", "Ont terminé", "Part (%)", "de (%)", "à (%)"]
    assert rows[-2][:4] == ["Ensemble", "", 30.0, 22.0]
    assert str(rows[-1][0]).startswith("1 session n’a pas 11 personnes")


def structure(element: Any) -> list[str]:
    """Return the kinds of every structure element."""
    found: list[str] = []
    queue = [element]
    while queue:
        one = queue.pop()
        one = one.get_object() if hasattr(one, "get_object") else one
        if isinstance(one, list):
            queue += one
        elif isinstance(one, dict):
            found += [one["/S"]] if "/S" in one else []
            if one.get("/S") == "/Figure":
                assert one.get("/Alt")
            queue += [one["/K"]] if "/K" in one else []
    return found


def fonts(page: Any) -> list[bool]:
    """Say, for each font of a page, whether the file holds it."""
    found = []
    for font in page["/Resources"]["/Font"].values():
        inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        found.append("/FontFile2" in inner or "/FontFile3" in inner)
    return found


def _improve(conn: Any, silo: int, number: int, now: datetime) -> None:
    said: dict[str, Any] = {"by": Author("x" * 32, "tutor"), "now": now, "today": now.date()}
    names = (str(uuid4()), str(uuid4()))
    entry = entries.open_entry(
        conn, silo, number, improvement_id=names[0], kind="observation", noticed="Trop tard", **said
    )
    decision: dict[str, Any] = {
        "decision": "Décaler la classe virtuelle",
        "owner": None,
        "owner_name": "La responsable du parcours",
    }
    due_on = now.date() + timedelta(days=30)
    entries.decide(conn, entry, entry.version, **decision, due_on=due_on, **said)
    entries.complain(
        conn, silo, number, improvement_id=names[1], text="Trop de courriels", about="", module="",
        author=None, reserved=False, today=now.date(),
    )  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_cannot_be_asked_for(app: Flask, engine: Engine, silo: int, admin: Reader, path_id: int) -> None:
    with transaction(engine, silo) as conn:
        empty = paths.create(conn, silo, "Vide")
    for path, first, last, said in (
        (empty, 2025, 2026, "Choisissez un parcours de la liste"),
        (path_id, 2026, 2025, "Choisissez la première année"),
        (path_id, 2019, 2026, "Choisissez la première année"),
    ):
        answer = asked(admin, path, first, last)
        assert answer.status_code == 400
        assert said in answer.get_data(as_text=True)
    tutor = opened.reader(app, engine, silo, "tutor", opened.add_course(engine, silo, 96, "Z"))
    tutor.page("/evidence", 403)
    assert tutor.post("/evidence", {"path": path_id}).status_code == 403
    assert tutor.get("/evidence/0/pdf").status_code == 403


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_path_that_goes_meanwhile_and_a_pack_taken_back(
    app: Flask, engine: Engine, silo: int, admin: Reader, path_id: int
) -> None:
    assert asked(admin, path_id).status_code == 303
    with transaction(engine, silo) as conn:
        paths.assign(conn, silo, list(conn.scalars(select(course.c.course_id))), None)
    drain(app.extensions["estime"])
    page = admin.page("/evidence")
    assert "impossible" in page
    where = re.search(r'action="[^"]*(/evidence/\w+)"', page)
    assert where
    assert admin.post(where[1], {}, re.search(r'value="([0-9a-f]{64})"', page)[1]).status_code == 303  # type: ignore[index]
    assert "impossible" not in admin.page("/evidence")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_pack_taken_back_while_it_waits_is_not_made(
    app: Flask, engine: Engine, silo: int, admin: Reader, path_id: int
) -> None:
    asked(admin, path_id)
    page = admin.page("/evidence")
    where = re.search(r'action="[^"]*(/evidence/\w+)"', page)
    assert where
    assert admin.post(where[1], {}, token(admin)).status_code == 303
    assert drain(app.extensions["estime"], {work.KIND: KINDS[work.KIND]}) == 0
    with transaction(engine, silo) as conn:
        assert jobs.failed(conn, silo, since=opened.NOW - timedelta(days=900)) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_nothing_at_all_is_said_of_a_path_of_few(
    engine: Engine, silo: int, path_id: int, clock: Clock
) -> None:
    with transaction(engine, silo, write=False) as conn:
        found: Facts = facts.read(conn, silo, path_id, (2026, 2026), now=clock(), rules=rules.load())
    made = pack.document(found, found.made_at.tzinfo)  # type: ignore[arg-type]
    said = " ".join(getattr(block, "said", "") for _, block in made.walk())
    assert "Moins de 11 personnes par année" in said
    assert not re.search(r"\d\s*%", said)
