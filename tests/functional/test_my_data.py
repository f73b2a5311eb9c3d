"""What people are told before the first use, what is held of them, who looked, and their objection."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool.information_tables import information_seen, information_version
from lti_tool.privacy import holdings, own, retention
from tests.conftest import Clock
from tests.factories import opened
from tests.factories.jobs import drain
from tests.factories.opened import Reader
from tool_config.database import metadata, transaction


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock) -> int:
    number = opened.add_course(engine, silo)
    opened.add_people(engine, silo, number, {"1": "Camille Renaud", "2": "Idriss Belkacem"})
    opened.add_people(engine, silo, number, {"formateur": "Nadia Aubert"}, role="tutor")
    sent = [one for who, modules in (("1", 1), ("2", 3)) for one in opened.statements(who, modules, 2)]
    opened.take_in(engine, silo, sent, clock)
    return number


def trainee(app: Flask, engine: Engine, silo: int, course: int, who: str = "1") -> Reader:
    return opened.reader(app, engine, silo, "trainee", course, who)


def entered(reader: Reader) -> str:
    """Return where a launch leads."""
    answer = reader.get("/")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"]).partition(reader.launch_id)[2]


def token(reader: Reader, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', reader.page(path))
    assert found
    return found[1]


def test_the_information_is_read_before_anything_and_again_when_it_changes(
    app: Flask, engine: Engine, silo: int, course: int, clock: Clock
) -> None:
    camille = trainee(app, engine, silo, course)
    assert entered(camille) == "/information"
    page = camille.page("/information")
    assert "Avant de commencer" in page
    assert "365 jours après la fin de la session" in page
    assert camille.post("/information", {}, token(camille, "/information")).status_code == 303
    assert entered(camille) == "/me"
    # One click away from every page.
    assert f"/c/{camille.launch_id}/information" in camille.page("/me")
    # Another role reads its own; another person has not read it.
    tutor = opened.reader(app, engine, silo, "tutor", course, "formateur")
    assert entered(tutor) == "/information"
    assert "Elles voient que vous avez regardé" in tutor.page("/information")
    assert entered(trainee(app, engine, silo, course, "2")) == "/information"
    clock.advance(hours=1)
    with transaction(engine, silo) as conn:
        retention.set_rule(conn, silo, "traces", 200, by="chef", now=clock())
    assert entered(camille) == "/information"
    assert "a changé depuis votre dernière venue" in camille.page("/information")
    camille.post("/information", {}, token(camille, "/information"))
    assert entered(camille) == "/me"
    with transaction(engine, silo, write=False) as conn:
        versions = conn.execute(select(information_version.c.version, information_version.c.text)).all()
        seen = conn.execute(select(information_seen.c.version).order_by(information_seen.c.version))
        assert seen.scalars().all() == [1, 2]
    assert [number for number, _ in sorted(versions)] == [1, 2]
    assert "200 jours" in json.dumps(sorted(versions)[1][1], ensure_ascii=False)
    assert "365 jours" in json.dumps(sorted(versions)[0][1], ensure_ascii=False)


def test_what_is_held_is_told_and_taken_away(
    app: Flask, engine: Engine, silo: int, course: int, clock: Clock
) -> None:
    camille = trainee(app, engine, silo, course)
    assert "Personne n’a ouvert votre page" in camille.page("/my-data")
    tutor = opened.reader(app, engine, silo, "tutor", course, "formateur")
    assert tutor.get(f"/courses/{course}/people/{opened.actor('1')}").status_code == 200
    page = camille.page("/my-data")
    assert "Nadia Aubert" in page
    assert re.search(r"\d+ traces d’activité", page)
    assert camille.post("/my-data", {}, token(camille, "/my-data")).status_code == 303
    drain(app.extensions["estime"])
    link = re.search(r'href="[^"]*(/my-data/files/\w+/zip)"', camille.page("/my-data"))
    assert link
    packed = zipfile.ZipFile(io.BytesIO(camille.get(link[1]).get_data()))
    said = {name: packed.read(name).decode() for name in packed.namelist()}
    statements = json.loads(said["donnees/statement.json"])
    assert len(statements) == len(list(opened.statements("1", 1, 2)))
    assert all(row["raw"]["actor"]["account"]["name"] == "1" for row in statements)
    everything = "\n".join(said.values())
    assert "Idriss" not in everything
    assert opened.actor("2") not in everything
    rows = list(csv.reader(io.StringIO(said["qui-a-regarde.csv"].lstrip("\ufeff")), delimiter=";"))
    assert rows[1][1:] == ["Nadia Aubert", "tuteur", "a ouvert votre page"]
    assert "traces d’activité" in said["lisez-moi.txt"]
    # Nobody else's.
    assert trainee(app, engine, silo, course, "2").get(link[1]).status_code == 404
    tutors = opened.reader(app, engine, silo, "tutor", course, "formateur").page("/my-data")
    assert "S’opposer" not in tutors


def test_every_table_that_holds_a_person_is_in_the_file() -> None:
    given = {holding.table.name for holding in own.given()}
    told_otherwise = {
        name for name in metadata.tables
        if name not in holdings.NOBODY and name not in given
    }  # fmt: skip
    # Rows of others, or of everybody, in which a person may be written: never given away to one of them.
    for name in told_otherwise:
        assert not any(one.own for one in holdings.of(metadata.tables[name])), name
    assert {"person", "statement", "answer", "audit", "membership", "rollup_actor", "mark_sent"} <= given


def test_an_objection_is_taken_at_once_and_lifted(
    app: Flask, engine: Engine, silo: int, course: int, clock: Clock
) -> None:
    camille = trainee(app, engine, silo, course)
    done: Any = camille.post("/my-data/objection", {}, token(camille, "/my-data"))
    assert done.status_code == 303
    assert "Vous vous opposez depuis" in camille.page("/my-data")
    tutor = opened.reader(app, engine, silo, "tutor", course, "formateur")
    assert tutor.post("/my-data/objection", {}).status_code == 403
    hers = f"/courses/{course}/people/{opened.actor('1')}"
    listed, page = tutor.page(f"/courses/{course}/people"), tutor.page(hers)
    assert "s’oppose au suivi" in listed
    assert "Jour après jour" not in page
    assert "Temps en ligne" not in page
    assert tutor.get(f"{hers}/path.csv").status_code == 404
    csv_row = next(
        line for line in tutor.page(f"/courses/{course}/people.csv").splitlines() if "Camille" in line
    )
    assert csv_row.split(";")[1] == "s’oppose au suivi"
    assert csv_row.split(";")[3:6] == ["", "", "0"]
    assert "Camille Renaud" not in tutor.page(f"/courses/{course}/today")
    camille.post("/my-data/objection", {"ends": "yes"}, token(camille, "/my-data"))
    assert "Vous vous opposez depuis" not in camille.page("/my-data")
    assert "Jour après jour" in tutor.page(hers)
    assert "s’oppose au suivi" not in tutor.page(f"/courses/{course}/people")
