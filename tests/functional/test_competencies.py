"""The pages of competencies: a path's with gaps, teams without names, Pix levels, hours owed; one's own."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, update

from lti_tool import paths, pix
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.imports import taken
from tests.functional.test_adapt import MODULES
from tool_config.database import transaction
from xapi.tables import course

COMPETENCIES = """Référentiel;Code;Libellé;Domaine
Référentiel PERDIR;A1;Piloter un établissement;Pilotage
Référentiel PERDIR;A2;Conduire un entretien;Relations
Référentiel PERDIR;A3;Évaluer une action;Pilotage
Autre cadre;Z1;Ailleurs;Rien
"""
WORKED = """Module;Référentiel;Code;Poids
Sens et enjeux;Référentiel PERDIR;A1;50 %
Pour réfléchir;referentiel perdir;a2;
Inconnu;Autre cadre;Z1;
"""
HOURS = """Institution qui donne;Institution qui reçoit;Jour;Heures;Part due par qui reçoit
IH2EF;Académie de Lille;12/11/2026;10;60 %
Académie de Lille;IH2EF;13/11/2025;2;
"""


def trainers() -> str:
    lines = ["Adresse mail;Compétence;Niveau"]
    lines += [f"f{n}@ac-x.fr;Animer;{'expert' if n < 12 else 'confirmé'}" for n in range(30)]
    return "\n".join([*lines, "f1@ac-x.fr;Évaluer;expert"])


def results() -> str:
    lines = ["Adresse mail;Domaine;Niveau;Mesuré le"]
    for n in range(30):
        lines.append(f"s{n}@ac-poitiers.fr;Données;{5 if n < 15 else 3};01/09/2026")
        lines.append(f"s{n}@ac-poitiers.fr;Réseaux;{2 if n < 28 else 4};01/09/2026")
    return "\n".join([*lines, "s0@ac-poitiers.fr;Données;6;01/10/2026"])


def people() -> str:
    return "\n".join(
        ["Adresse mail;Promotion", *(f"s{n}@ac-poitiers.fr;{2025 if n < 15 else 2026}" for n in range(30))]
    )


@pytest.fixture
def session(engine: Engine, silo: int, clock: Clock) -> int:
    """A path of one session, fifteen people in it, and every file."""
    made = opened.add_course(engine, silo)
    opened.add_people(engine, silo, made, {"s0": "Sara Un", "s1": "Zoé Deux"})
    sent = [one for rank in range(15) for one in opened.statements(f"s{rank}", 3, 90)]
    opened.take_in(engine, silo, sent, clock)
    with transaction(engine, silo) as conn:
        path_id = paths.create(conn, silo, "Pilotage")
        conn.execute(update(course).where(course.c.silo_id == silo).values(path_id=path_id))
    for kind, lines in (
        ("modules", MODULES.replace("Thème;", "Thème;Durée;").replace(";Sens;", ";Sens;6;")),
        ("competencies", COMPETENCIES), ("module_competencies", WORKED), ("trainer_hours", HOURS),
        ("trainer_competencies", trainers()), ("pix_results", results()), ("people", people()),
    ):  # fmt: skip
        done = taken(engine, silo, lines.encode(), clock, kind)
        assert done.state == "done", kind
    return made


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_each_view_says_what_is_known(app: Flask, engine: Engine, silo: int, session: int) -> None:
    admin = opened.reader(app, engine, silo, "admin", session, "chef")
    page = text(admin.page("/competencies"))
    assert "« Pilotage » travaille 2 compétences sur 3. Sans module : Évaluer une action." in page
    assert "Sens et enjeux (3 h) ; terminé par 15 sur 15" in page
    assert "Aucun module ne la travaille." in page
    assert "Ailleurs" not in page  # a framework that the path does not use
    lines = admin.get("/competencies.csv").get_data().decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    page = admin.page("/competencies?view=trainers")
    assert "2 compétences sont déclarées par des formateurs ; 1 par moins de 11 personnes." in text(page)
    assert "ac-x.fr" not in page
    assert re.search(r"Animer.*?>30<.*?>18<.*?>12<", page, re.S)
    page = text(admin.page("/competencies?view=pix"))
    assert "C’est en « Données »" not in page  # two bands of a domain are too rare to be told
    assert re.search(r"Données 30 0 % 0 % 50 % 50 % 0 %", page)
    assert "Réseaux" in page
    group = text(admin.page("/competencies?view=pix&people=promotion:2025"))
    assert re.search(r"Données 15 0 % 0 % 0 % 100 % 0 %", group)
    page = text(admin.page("/competencies?view=hours"))
    assert "Académie de Lille doit 4 h à IH2EF." in page
    assert "1 ligne sans part" in page
    assert "Académie de Lille doit 6 h à IH2EF." in text(admin.page("/competencies?view=hours&year=2026"))
    for wrong in ("view=x", "view=hours&year=1999", "view=pix&people=corps:x", "path=12"):
        assert admin.get(f"/competencies?{wrong}").status_code == 404
    for name in ("teams", "pix", "hours"):
        assert admin.get(f"/competencies/{name}.xlsx").status_code == 200


def test_ones_own_results_are_on_ones_own_page(
    app: Flask, engine: Engine, silo: int, session: int, clock: Clock
) -> None:
    mine = text(opened.reader(app, engine, silo, "trainee", session, "s0").page("/me"))
    assert "Vos résultats Pix" in mine
    assert "Données niveau 6" in mine
    assert "niveau 2" in mine
    tutor = opened.reader(app, engine, silo, "tutor", session, "prof")
    assert "Pix" not in text(tutor.page(f"/courses/{session}/people/{opened.actor('s0')}"))
    assert tutor.get("/competencies").status_code == 403
    with transaction(engine, silo, write=False) as conn:
        made = pix.read(conn, silo, now=clock() + timedelta(days=1))
        assert pix.SOURCE.unpack(pix.SOURCE.pack(made)) == made
        assert pix.own(conn, silo, opened.actor("nobody")) == ()


def test_before_any_file(app: Flask, engine: Engine, silo: int) -> None:
    admin = opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo), "chef")
    for view in ("path", "trainers", "pix", "hours"):
        assert "Il manque un fichier" in admin.page(f"/competencies?view={view}")
