"""The note for the steering council: asked for, made, four tagged pages at most, and what it says."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import Engine

from lti_tool import profiles
from lti_tool.council import facts, note, work
from lti_tool.profiles import Grant
from tests.conftest import SECRET_KEY, Clock
from tests.factories import across, jobs, opened
from tests.factories.opened import Reader
from tool_config import rules
from tool_config.database import transaction

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def paths(engine: Engine, silo: int, clock: Clock) -> dict[str, int]:
    return across.build(engine, silo, clock)


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, paths: dict[str, int]) -> Reader:
    return opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 99, "Autre"), "chef")


def token(reader: Reader) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', reader.page("/council"))
    assert found
    return found[1]


def asked(reader: Reader, year: str, path: str = "") -> Any:
    return reader.post("/council", {"year": year, "path": path}, token(reader))


def made(app: Flask, reader: Reader) -> PdfReader:
    jobs.drain(app.extensions["estime"])
    links = re.findall(r'href="[^"]*(/council/\w+/pdf)"', reader.page("/council"))
    answer = reader.get(links[0])
    assert answer.mimetype == "application/pdf"
    return PdfReader(io.BytesIO(answer.get_data()))


def said(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split()).replace("\u202f", " ")


def test_one_button_makes_a_tagged_note_of_four_pages_at_most(app: Flask, admin: Reader) -> None:
    page = admin.page("/council")
    assert re.findall(r'<option value="(\d{4})"', page) == ["2025", "2024"]
    assert asked(admin, "2025").status_code == 303
    assert "<progress" in admin.page("/council")
    assert asked(admin, "2025").status_code == 303  # the same again is the same note
    assert admin.page("/council").count("<progress") == 1
    pdf = made(app, admin)
    assert 1 <= len(pdf.pages) <= work.MOST_PAGES
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    assert root["/StructTreeRoot"]
    text = said(pdf)
    for sentence in (
        "année scolaire 2025-2026, comparée à 2024-2025",
        "rien n’est dit de moins de 11 personnes",
        "94 personnes ont eu une session dans l’année",
        "3 sessions sont terminées, pour 94 inscriptions, 88 % de plus que l’année précédente",
        "77 % (de 50 % à 92 %, n = 13) des avis à chaud sont favorables",
        "65 % (de 54 % à 75 %, n = 80) des inscrits ont terminé, sans écart sûr",
        "Poitiers",
        "« Piloter » est pris par 63 %",
        "Journées-stagiaires en présence",
        "1 fiche d’amélioration ouverte dans l’année : 1 décidée.",
        "Décaler la classe virtuelle",
        "Définitions",
        "Wilson",
    ):
        assert sentence in text, sentence
    assert "Trop de courriels" not in text  # a complaint


def test_the_note_of_a_path_says_that_path_alone(app: Flask, admin: Reader, paths: dict[str, int]) -> None:
    assert asked(admin, "2025", str(paths["Manager"])).status_code == 303
    text = said(made(app, admin))
    assert "Manager" in text
    assert "Piloter" not in text
    assert "40 % (de 25 % à 58 %, n = 30) des inscrits ont terminé" in text
    assert "35 points de moins que l’année précédente" in text
    for year, path in (("2019", ""), ("2025", "99999"), ("", ""), ("2025", "x")):
        assert asked(admin, year, path).status_code == 400
    assert admin.post("/council/nothing", {}, token(admin)).status_code == 404


@sqlite_only
def test_each_profile_asks_for_what_it_sees(
    app: Flask, engine: Engine, silo: int, admin: Reader, paths: dict[str, int], clock: Clock
) -> None:
    def signed_in(profile: str, address: str, *chosen: int) -> tuple[Reader, Grant]:
        with transaction(engine, silo) as conn:
            found = profiles.grant(
                conn, silo, profile=profile, name="Léa Roux", address=address, paths=chosen,
                expires_at=None, by="x", secret_key=SECRET_KEY, now=clock(),
            )  # fmt: skip
            opened_launch = profiles.enter(conn, found, locale="fr", now=clock())
        return Reader(app, opened_launch.launch_id, opened_launch.secret), found

    lecteur, _ = signed_in("lecteur", "l@ac-x.fr")
    engineer, _ = signed_in("ingenieur", "i@ac-x.fr", paths["Manager"])
    assert asked(lecteur, "2025").status_code == 303
    assert asked(engineer, "2025").status_code == 400
    assert asked(engineer, "2025", str(paths["Piloter"])).status_code == 400
    assert "Piloter" not in engineer.page("/council")
    assert asked(engineer, "2025", str(paths["Manager"])).status_code == 303
    jobs.drain(app.extensions["estime"])
    (theirs,) = re.findall(r'href="[^"]*(/council/\w+/pdf)"', lecteur.page("/council"))
    text = said(PdfReader(io.BytesIO(lecteur.get(theirs).get_data())))
    assert "1 fiche d’amélioration ouverte" in text
    assert "Décaler la classe virtuelle" not in text  # what people typed may name somebody
    assert engineer.get(theirs).status_code == 404
    assert admin.get(theirs).status_code == 404
    (own,) = re.findall(r'href="[^"]*(/council/\w+/pdf)"', engineer.page("/council"))
    assert engineer.get(own).status_code == 200
    assert engineer.get("/council/notes.csv").status_code == 200
    tutor = opened.reader(app, engine, silo, "tutor", opened.add_course(engine, silo, 96, "Z"))
    tutor.page("/council", 403)


@sqlite_only
def test_the_longest_note_still_holds_on_four_pages(
    engine: Engine, silo: int, paths: dict[str, int], clock: Clock
) -> None:
    from dataclasses import replace

    with transaction(engine, silo, write=False) as conn:
        found = facts.read(conn, silo, 2025, None, now=clock(), rules=rules.load())
    parts = tuple(
        replace(found.parts[rank % 2], title=f"Un parcours au titre vraiment très long, numéro {rank}, " * 2)
        for rank in range(40)
    )
    choice = found.choices[0]
    decided = facts.Decided(
        "Un parcours au titre long " * 3, "Revoir entièrement " * 30, "decided", date(2026, 9, 1)
    )
    full = replace(
        found, parts=parts, choices=tuple(replace(choice, title=part.title) for part in parts),
        decided=(decided,) * 12,
    )  # fmt: skip
    made_of = work.fitted(full, ZoneInfo("Europe/Paris"))
    from lti_tool.documents import pdf

    assert len(PdfReader(io.BytesIO(pdf.content(made_of))).pages) <= work.MOST_PAGES
    with transaction(engine, silo, write=False) as conn, pytest.raises(facts.Empty):
        facts.read(conn, silo, 2019, None, now=clock(), rules=rules.load())


def test_changes_in_words() -> None:
    from analyzers.disclosure import share

    assert (
        note.change(share(80, 100, k=11), share(50, 100, k=11)) == "30 points de plus que l’année précédente"
    )
    assert note.change(share(52, 100, k=11), share(50, 100, k=11)) == "sans écart sûr avec l’année précédente"
    assert note.change(share(80, 100, k=11), None) == ""
    assert note.change(share(80, 100, k=11), share(5, 6, k=11)) == ""
    assert note.moved(94, 50) == "88 % de plus que l’année précédente".replace(" %", "\u202f%")
    assert note.moved(94, 0) == ""
