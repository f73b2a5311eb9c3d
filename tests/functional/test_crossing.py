"""The page of crossings: any two dimensions of any dataset, declared ones included, under the guard."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Engine

from tests.conftest import Clock
from tests.factories import opened
from tests.factories.imports import taken
from tests.factories.opened import Reader
from tool_config.database import transaction
from xapi import datasets

OWN = """
standard: rooms
version: 1
title: {fr: Salles, en: Rooms}
key: [room]
fields:
  - {id: room, type: text, required: true, label: {fr: Salle, en: Room}}
  - {id: floor, type: text, role: dimension, label: {fr: Étage, en: Floor}}
  - {id: use, type: text, role: dimension, label: {fr: Emploi, en: Use}}
"""


def people(count: int = 120) -> bytes:
    """Return people of two académies and two corps that go together, and one alone in hers."""
    lines = ["Adresse mail;Académie;Corps;Promo"]
    for number in range(count):
        academie, corps = ("Poitiers", "PERDIR") if number % 2 else ("Lille", "IEN")
        if number % 6 == 0:
            corps = "PERDIR"
        lines.append(f"p{number}@ac-x.fr;{academie};{corps};{2025 + number % 3}")
    lines.append("seule@ac-x.fr;Mayotte;IEN;2025")
    return "\n".join(lines).encode()


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, clock: Clock) -> Reader:
    return opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo), "chef")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_before_any_file(admin: Reader) -> None:
    assert "Aucun jeu de données n’a encore deux dimensions" in admin.page("/crossing")


def test_two_dimensions_of_people(admin: Reader, engine: Engine, silo: int, clock: Clock) -> None:
    done = taken(engine, silo, people(), clock, "people")
    assert done.refused == 0
    chosen = admin.page("/crossing?kind=people")
    assert 'value="academie"' in chosen
    page = admin.page("/crossing?kind=people&row=academie&column=corps")
    assert "Lien fort entre «\u202fAcadémie\u202f» et «\u202fCorps ou fonction\u202f»" in page
    assert "p &lt; 0,001" in page
    assert "121 personnes comptées." in page
    assert "fois plus souvent qu’attendu" in page
    assert 'id="figure-crossed"' in page
    # One person alone is gathered with the smallest of the others, never told.
    assert "Mayotte" not in page
    assert "Autres" in page
    answer = admin.get("/crossing.csv?kind=people&row=academie&column=corps")
    lines = answer.get_data().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Académie;Corps ou fonction;Nombre")
    assert len(lines) > 3


def test_origin_against_choices(admin: Reader, engine: Engine, silo: int, clock: Clock) -> None:
    taken(engine, silo, people(), clock, "people")
    lines = ["Adresse mail;Module"]
    for number in range(120):
        lines.append(f"p{number}@ac-x.fr;Paie")
        if number % 2:
            lines.append(f"p{number}@ac-x.fr;Conduite de projet")
    taken(engine, silo, "\n".join(lines).encode(), clock, "module_choices")
    page = text(admin.page("/crossing?kind=module_choices&row=people.corps&column=module"))
    assert "chaque colonne est éprouvée à part" in page
    assert "« Conduite de projet » vient" in page
    assert "Colonne par colonne" in page
    # Nearly everybody took it: who did not would be told.
    assert "« Paie » vient" not in page


def test_a_declared_dataset_is_crossed_too(admin: Reader, engine: Engine, silo: int, clock: Clock) -> None:
    with transaction(engine, silo) as conn:
        datasets.declare(conn, silo, OWN, now=clock())
    rows = "\n".join(["Salle;Étage;Emploi", *(f"s{n};{n % 2};{'ab'[n % 2]}" for n in range(60))])
    taken(engine, silo, rows.encode(), clock, "rooms")
    page = admin.page("/crossing?kind=rooms&row=floor&column=use")
    assert "60 lignes comptées." in page
    assert "Lien fort" in page


def test_too_few_are_not_crossed(admin: Reader, engine: Engine, silo: int, clock: Clock) -> None:
    taken(engine, silo, people(8), clock, "people")
    page = admin.page("/crossing?kind=people&row=academie&column=corps")
    assert "Trop peu de personnes" in page
    assert "figure-crossed" not in page


@pytest.mark.parametrize(
    "query", ["kind=people&row=address&column=corps", "kind=people&row=corps&column=corps", "kind=x"]
)
def test_what_is_not_offered_is_not_answered(
    admin: Reader, engine: Engine, silo: int, clock: Clock, query: str
) -> None:
    taken(engine, silo, people(), clock, "people")
    assert "figure-crossed" not in admin.page(f"/crossing?{query}")
    assert admin.get(f"/crossing.csv?{query}").status_code == 404


@pytest.mark.parametrize("role", ["tutor", "trainee"])
def test_nobody_else_crosses(app: Flask, engine: Engine, silo: int, role: str) -> None:
    reader = opened.reader(app, engine, silo, role, opened.add_course(engine, silo), "7")
    reader.page("/crossing", 403)
    assert reader.get("/crossing.csv?kind=people").status_code == 403
