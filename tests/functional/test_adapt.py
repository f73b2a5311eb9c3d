"""The page of modules to adapt: evidence of every kind, weights in the address, improvements."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, update

from lti_tool import adapting, paths
from lti_tool.community import keeping, work
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.imports import taken
from tests.factories.opened import Reader
from tests.factories.surveys import Classroom
from tool_config.database import transaction
from tool_config.rules import load
from xapi.tables import course

PATH = "Pilotage"
MODULES = """Parcours;Module;Garant;Thème;À revoir le
Pilotage;Concepts en contexte;Pôle A;Pilotage;30/06/2027
Pilotage;Sens et enjeux;Pôle A;Sens;30/06/2027
Pilotage;Pour réfléchir;Pôle B;Analyse;21/05/2026
Pilotage;Module 1;Pôle C;Équipe;30/06/2027
Pilotage;Module 2;Pôle C;Projet;30/06/2027
"""


def expectations() -> bytes:
    lines = ["Adresse mail;Session;Thème;Exprimée par"]
    lines += [f"p{n}@ac-x.fr;Piloter;{'Projet' if n < 15 else 'Sens'};stagiaire" for n in range(20)]
    lines += [f";Piloter;{theme};employeur" for theme in ("Analyse", "Sens", "Projet")]
    return "\n".join(lines).encode()


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, clock: Clock) -> Reader:
    """A path of two sessions: traces of fifteen people in one, answers of twelve in the other."""
    traced = opened.add_course(engine, silo)
    # Seven of fifteen stop in the second module, three months ago.
    sent = [
        one
        for rank in range(15)
        for one in list(opened.statements(f"s{rank}", 3, 90))[: 5 if rank < 7 else 12]
    ]
    opened.take_in(engine, silo, sent, clock)
    room = Classroom(engine, silo, opened.NOW - timedelta(days=60)).build(12, modules=2)
    for module, points in ((1, 5), (2, 2)):
        asked = room.open(module=module)
        for rank in range(12):
            room.answer(asked, rank, overall=points, objectives=points)
        room.close(asked)
    with transaction(engine, silo) as conn:
        path_id = paths.create(conn, silo, PATH)
        conn.execute(update(course).where(course.c.silo_id == silo).values(path_id=path_id))
    return opened.reader(app, engine, silo, "admin", traced, "chef")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def bring(engine: Engine, silo: int, clock: Clock) -> None:
    assert taken(engine, silo, MODULES.encode(), clock, "modules").refused == 0
    assert taken(engine, silo, expectations(), clock, "expectations").refused == 0


def order(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)


def test_modules_are_ranked_and_open_what_is_known(
    admin: Reader, engine: Engine, silo: int, clock: Clock
) -> None:
    before = text(admin.page("/adapt"))
    # Without files, one piece of evidence each: too little.
    assert "Aucun module n’a encore assez d’indices" in before
    assert "5 modules trop peu connus" in before
    bring(engine, silo, clock)
    page = admin.page("/adapt")
    said = text(page)
    assert order(page)[0] == "Module 2"
    assert "À reprendre d’abord : « Module 2 » (Pilotage) : 0 % d’avis favorables (n = 12)" in said
    assert "moins de 11 (n = 15)" in said  # seven of fifteen stop
    assert "garant : Pôle C" in said
    assert "en retard de 184 jours" in said
    assert "indices connus : 3 sur 6" in said
    files = admin.get("/adapt.csv").get_data().decode("utf-8-sig").splitlines()
    assert len(files) == 6
    assert files[1].startswith("1;1;")
    weights_change_the_order(admin)
    a_line_opens_its_evidence_and_an_improvement(admin)
    the_worker_keeps_what_the_page_reads(engine, silo, clock)
    clock.advance(minutes=1)
    taken(engine, silo, MODULES.replace("21/05/2026", "21/11/2026").encode(), clock, "modules")
    assert "en retard" not in text(admin.page("/adapt"))


def weights_change_the_order(admin: Reader) -> None:
    off = "satisfaction=0&comments=0&expectations=0&employer=0&review=0"
    page = admin.page(f"/adapt?{off}&stopping=10")
    assert order(page)[0] == "Sens et enjeux"
    assert "indices connus : 1 sur 1" in text(page)
    assert "Revenir aux poids d’origine" in page
    assert 'name="stopping" min="0" max="10" step="1" value="10"' in page
    # What is not a weight is that of the institution.
    for wrong in ("11", "-1", "x", "1.5"):
        assert 'name="stopping" min="0" max="10" step="1" value="3"' in admin.page(f"/adapt?stopping={wrong}")


def a_line_opens_its_evidence_and_an_improvement(admin: Reader) -> None:
    listed = admin.page("/adapt?stopping=2")
    link = html.unescape(re.findall(r'<th scope="row"><a href="/c/[^/]+(/adapt/[^"]+)"', listed)[0])
    page = admin.page(link)
    said = text(page)
    assert "« Module 2 » est au rang 1" in said
    assert "0 avis favorables sur 12" in said
    assert "15 personnes sur 20 attendaient ce thème" in said
    assert "Aucune trace d’une activité à terminer" in said
    assert "/satisfaction" in page
    opening = html.unescape(re.findall(r'href="/c/[^/]+(/courses/0/improvements/new[^"]+)"', page)[0])
    form = admin.page(opening)
    assert "Module 2 (Pilotage)" in form
    assert "sur 100, rang 1" in text(form)
    fields = {name: values[-1] for name, values in opened.fields(form).items()}
    token = fields.pop("csrf_token")
    sent = admin.post(
        "/courses/0/improvements/new",
        {**fields, "noticed": "À reprendre.", "object": "content"},
        token=token,
    )
    assert sent.status_code == 303
    assert "Module 2 (Pilotage)" in admin.page("/improvements")
    assert admin.get("/adapt/999?module=module+2").status_code == 404
    assert admin.get("/adapt?path=999").status_code == 404


def the_worker_keeps_what_the_page_reads(engine: Engine, silo: int, clock: Clock) -> None:
    wanted = adapting.source(load())
    assert keeping.refresh(engine, silo, wanted, now=clock())
    assert not keeping.refresh(engine, silo, wanted, now=clock())
    with transaction(engine, silo, write=False) as conn:
        assert any(one.name == wanted.name for one in work.sources(conn, silo))
        made = adapting.build(conn, silo, now=clock(), rules=load())
        kept = wanted.unpack(wanted.pack(made))
        assert kept == made
        assert kept.find(kept.modules[0].reference) == kept.modules[0]


@pytest.mark.parametrize("role", ["tutor", "trainee"])
def test_nobody_else_sees_it(app: Flask, engine: Engine, silo: int, role: str) -> None:
    course_id = opened.add_course(engine, silo)
    other = opened.reader(app, engine, silo, role, course_id, "s1")
    assert other.get("/adapt").status_code == 403
    assert other.get("/adapt.csv").status_code == 403
