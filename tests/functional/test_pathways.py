"""The page of the ways through a path: where people stop, in which order they go, by which ways."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Engine

from analyzers import pathways
from lti_tool import community, journeys, typologies
from tests.conftest import Clock
from tests.factories import jobs as working
from tests.factories import opened, ways
from tests.factories.imports import taken
from tests.factories.opened import Reader
from tool_config.database import transaction
from tool_config.settings import Settings


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int) -> Reader:
    return opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo), "chef")


def text(page: str) -> str:
    return re.sub(r"[\s\u202f]+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_frame_of_a_path(engine: Engine, silo: int, clock: Clock) -> None:
    ways.build(engine, silo)
    with transaction(engine, silo, write=False) as conn:
        found = journeys.load(conn, silo, ways.PATH, now=clock())
    assert found.modules == ways.MODULES
    assert found.people == sum(map(len, ways.PEOPLE))
    assert sorted(map(tuple, found.steps[found.session == 2].tolist())) == sorted(
        [(0, 1, 2, -1)] * 25 + [(1, 0, -1, -1)] * 13
    )
    state = found.state(60)
    # The last session still runs: nobody of it has stopped yet.
    assert [int((state[found.session == rank] == 0).sum()) for rank in range(3)] == [32, 26, 0]
    assert int((state == 2).sum()) == 99
    assert int(found.returned.sum()) == 20
    assert sorted(set(found.year.tolist())) == [2024, 2025, 2026]
    picture = pathways.picture(found, k=11, stopped_days=60)
    assert picture is not None
    assert picture.people.straight.count == 129


def test_an_administrator_reads_where_people_stop(admin: Reader, engine: Engine, silo: int) -> None:
    ways.build(engine, silo)
    page = admin.page("/pathways")
    said = text(page)
    assert "« Piloter un établissement » : 195 personnes, 3 sessions." in said
    assert "On s’arrête le plus après 2 modules" in said
    assert "34 personnes s’arrêtent après 2 modules" in said
    assert "modules 1 à 4, dans l’ordre" in said
    assert "Le rapprochement des chemins se calcule" in said
    assert 'id="figure-steps"' in page
    assert 'id="figure-flow"' in page
    year = text(admin.page("/pathways?show=year:2024"))
    assert "77 personnes" in year
    assert "20 personnes s’arrêtent après 2 modules" in year
    rows = admin.get("/pathways/ways.csv").get_data(as_text=True)
    assert "Se situer → Conduire un diagnostic → Animer une équipe → Rendre compte;70;" in rows
    links = admin.get("/pathways/links.csv?show=year:2024").get_data(as_text=True)
    assert "2;Conduire un diagnostic;arrêt;20" in links


def test_groups_are_compared_by_the_log_rank(admin: Reader, engine: Engine, silo: int, clock: Clock) -> None:
    courses = ways.build(engine, silo)
    lines = ["Adresse mail;Corps"]
    rank = 0
    for course, people in zip(courses, ways.PEOPLE, strict=True):
        names = {}
        for _, finished in people:
            names[f"p{rank}"] = f"P{rank} X"
            lines.append(f"p{rank}@ac-poitiers.fr;{'IEN' if finished == (rank % 4 > 0) else 'PERDIR'}")
            rank += 1
        opened.add_people(engine, silo, course, names)
    taken(engine, silo, "\n".join(lines).encode(), clock, "people")
    page = text(admin.page("/pathways?show=by:corps"))
    assert "Les groupes ne s’arrêtent pas au même rythme (log-rank : χ² =" in page
    assert "Vont au bout sans s’arrêter : " in page
    assert "Groupe;Mesure" in admin.get("/pathways/stops.csv?show=by:corps").get_data(as_text=True)
    years = text(admin.page("/pathways?show=by:year"))
    assert "2024-2025" in years


def test_types_are_made_in_the_background(
    admin: Reader, engine: Engine, silo: int, clock: Clock, settings: Settings
) -> None:
    ways.build(engine, silo)
    admin.page("/pathways")
    admin.page("/pathways")
    assert len(working.listed(engine, silo, typologies.KIND)) == 1
    tool = working.make_tool(settings, engine, clock)
    working.drain(tool)
    page = text(admin.page("/pathways"))
    assert "70 personnes suivent l’ordre prévu et vont jusqu’au bout." in page
    assert "59 personnes suivent l’ordre prévu et s’arrêtent après « Conduire un diagnostic »." in page
    assert "silhouette moyenne" in page
    # Made of what has not changed: not made again; and gone with everything else that holds people.
    with transaction(engine, silo) as conn:
        made = typologies.read(conn, silo, ways.PATH)
        typologies.ask(conn, silo, ways.PATH, now=clock())
    working.drain(tool)
    with transaction(engine, silo) as conn:
        assert typologies.read(conn, silo, ways.PATH) is made
        community.forget(conn, silo, now=clock())
        assert typologies.read(conn, silo, ways.PATH) is None


@pytest.mark.parametrize("query", ["show=by:address", "show=year:1999", "path=99", "show=x"])
def test_other_views_are_not_offered(admin: Reader, engine: Engine, silo: int, query: str) -> None:
    ways.build(engine, silo)
    admin.page(f"/pathways?{query}", 404)


def test_before_any_path(admin: Reader) -> None:
    assert "Les cheminements apparaîtront ici" in admin.page("/pathways")


@pytest.mark.parametrize("role", ["tutor", "trainee"])
def test_nobody_else_reads_it(app: Flask, engine: Engine, silo: int, role: str) -> None:
    reader = opened.reader(app, engine, silo, role, opened.add_course(engine, silo), "7")
    reader.page("/pathways", 403)
    assert reader.get("/pathways/stops.csv").status_code == 403
