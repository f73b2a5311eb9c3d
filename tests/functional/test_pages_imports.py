"""The administrator's pages of imports: drop, check, correct, run, follow, mend; nobody else sees them."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from lti_tool.imports import files
from lti_tool.job_kinds import KINDS
from lti_tool.job_runner import Runner
from lti_tool.web.pages import blueprint
from tests.factories.opened import Reader, add_course, reader
from tool_config.database import transaction
from xapi import datasets

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

PEOPLE = """qui;D'où;Ancienneté
a@ac-lille.fr;Lille;3,5
b@ac-lille.fr;Nice;douze
""".encode("cp1252")


@pytest.fixture
def course(engine: Engine, silo: int) -> int:
    return add_course(engine, silo)


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, course: int) -> Reader:
    return reader(app, engine, silo, "admin", course, who="chef")


def drop(
    admin: Reader, content: bytes, name: str = "gens.csv", kind: str = "", path: str = "/imports"
) -> Any:
    return admin.post(path, {"file": (io.BytesIO(content), name), "kind": kind})


def dropped(admin: Reader, content: bytes, name: str = "gens.csv", kind: str = "") -> str:
    """Drop a file and return the path of its page."""
    answer = drop(admin, content, name, kind)
    assert answer.status_code == 303, answer.get_data(as_text=True)[-3000:]
    return str(re.sub(r"^.*?/c/[^/]+", "", answer.headers["Location"]))


def work(app: Flask) -> None:
    while Runner(app.extensions["estime"], KINDS).turn(plans=False):
        pass


def form(page: str) -> dict[str, str]:
    """Return what a browser would send back of a waiting file's form."""
    found = dict(re.findall(r'<input type="(?:hidden|text)"[^>]* name="([\w-]+)"[^>]*?value="([^"]*)"', page))
    for name, options in re.findall(r'<select name="([\w-]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        found[name] = (chosen[1] if chosen[1] is not None else chosen[2]) if chosen else ""
    return found


def test_a_file_is_read_corrected_imported_and_mended(
    app: Flask, engine: Engine, silo: int, admin: Reader
) -> None:
    where = dropped(admin, PEOPLE, kind="people")
    page = admin.page(where)
    assert "2 lignes, 3 colonnes. Rien n’est encore entré." in page
    given = form(page)
    assert (given["kind"], given["encoding"], given["separator"]) == ("people", "cp1252", ";")
    assert [given[f"column-{rank}"] for rank in range(3)] == ["address", "academie", "seniority"]
    refused = admin.post(where, {**given, "column-0": "former_job", "do": "run"})
    assert refused.status_code == 400
    assert "Aucune colonne ne donne «\u202fAdresse professionnelle\u202f»" in refused.get_data(as_text=True)
    mended = {**given, "column-0": "address", "column-1": "academie", "save": "Rectorat"}
    shown = admin.post(where, {**mended, "do": "read"})
    assert shown.status_code == 200
    assert form(shown.get_data(as_text=True))["column-0"] == "address"
    assert form(admin.page(where))["column-0"] == "address"
    assert admin.post(where, {**mended, "do": "run"}).status_code == 303
    assert "progress" in admin.page(where)
    work(app)
    report = admin.page(where)
    assert "Une ligne n’a pas pu entrer" in report
    assert "Ancienneté\u202f: «\u202fdouze\u202f» n’est pas un nombre." in report
    taken = admin.get(f"{where}/refused.csv")
    assert taken.headers["Content-Disposition"].startswith('attachment; filename="estime-lignes-refusees')
    content = taken.get_data()
    assert content.decode("utf-8-sig").splitlines()[0] == "qui;D'où;Ancienneté;Ligne d’origine;Pourquoi"
    answer = drop(admin, content.replace(b"douze", b"12"), "corrige.csv", path=f"{where}/replay")
    again = re.sub(r"^.*?/c/[^/]+", "", answer.headers["Location"])
    given = form(admin.page(again))
    assert (given["kind"], given["column-0"], given["column-1"]) == ("people", "address", "academie")
    admin.post(again, {**given, "do": "run"})
    work(app)
    assert "Tout est entré." in admin.page(again)
    with transaction(engine, silo, write=False) as conn:
        rows = datasets.rows(conn, silo, "people")
    assert sorted((row.data["academie"], row.data["seniority"]) for row in rows) == [
        ("lille", 3.5),
        ("nice", 12),
    ]
    assert "Rectorat" in admin.page(dropped(admin, PEOPLE))


@sqlite_only
def test_the_same_file_again_is_said_to_change_nothing(app: Flask, admin: Reader) -> None:
    content = "adresse;académie\na@b.fr;Lille\n".encode()
    for rank in range(2):
        where = dropped(admin, content, kind="people")
        page = admin.page(where)
        assert ("déjà entré" in page) is (rank == 1)
        admin.post(where, {**form(page), "do": "run"})
        work(app)
    assert "Tout y était déjà." in admin.page(where)


@sqlite_only
def test_another_reading_and_another_dataset(admin: Reader) -> None:
    where = dropped(admin, b"titre\nadresse,corps\na@b.fr,IEN\n", kind="people")
    given = form(admin.page(where))
    assert (given["separator"], given["header"]) == (",", "2")
    other = form(admin.post(where, {**given, "separator": ";", "header": "1"}).get_data(as_text=True))
    assert (other["separator"], other["header"], other["columns"]) == (";", "1", "1")
    back = form(admin.post(where, {**other, "separator": ",", "header": "2"}).get_data(as_text=True))
    assert (back["column-0"], back["column-1"]) == ("address", "corps")
    asked = form(admin.post(where, {**back, "kind": "attendance"}).get_data(as_text=True))
    assert (asked["kind"], asked["column-0"]) == ("attendance", "address")
    assert "constant-session" in asked
    wrong = admin.post(where, {**asked, "encoding": "utf-16-le"})
    assert wrong.status_code in (200, 400)
    assert admin.get(where).status_code == 200


@sqlite_only
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Le fichier est vide"),
        (b"NUMEN;adresse\n12E3456789ABC;a@b.fr\n", "contient des NUMEN"),
        (b"%PDF-1.7 ...", "Ce n’est pas un tableau"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 2000, "ancien Excel"),
        (b"PK\x03\x04" + b"\0" * 2000, "abîmé"),
    ],
)
def test_a_file_that_cannot_be_taken_is_said_why(
    engine: Engine, silo: int, admin: Reader, content: bytes, said: str
) -> None:
    answer = drop(admin, content)
    assert answer.status_code == 400
    assert said in answer.get_data(as_text=True)
    with transaction(engine, silo, write=False) as conn:
        [file] = files.latest(conn, silo)
    assert file.state == "refused"
    assert "refusé" in admin.page("/imports")
    assert said in admin.page(f"/imports/{file.file_id}")


@sqlite_only
def test_a_draft_and_a_report_may_be_taken_away(engine: Engine, silo: int, admin: Reader) -> None:
    where = dropped(admin, PEOPLE, kind="people")
    assert admin.post(where, {"do": "forget"}).status_code == 303
    assert admin.get(where).status_code == 404
    with transaction(engine, silo, write=False) as conn:
        assert files.latest(conn, silo) == []


@sqlite_only
def test_blank_and_example_files_of_every_dataset(
    app: Flask, engine: Engine, silo: int, admin: Reader
) -> None:
    from tool_config import standards

    page = admin.page("/imports")
    for name in standards.load():
        assert f"/standards/{name}/modele.xlsx" in page
    assert admin.get("/standards/people/modele.xlsx").get_data().startswith(b"PK")
    content = admin.get("/standards/people/exemple.csv").get_data()
    where = dropped(admin, content, "exemple.csv", "people")
    admin.post(where, {**form(admin.page(where)), "do": "run"})
    work(app)
    assert "Tout est entré." in admin.page(where)
    for path in ("people/autre.csv", "people/modele.exe", "inconnu/modele.csv"):
        assert admin.get(f"/standards/{path}").status_code == 404


@sqlite_only
def test_a_dataset_of_ones_own_is_declared_on_the_page(engine: Engine, silo: int, admin: Reader) -> None:
    own = "standard: visits\nversion: 1\ntitle: Visites\nfields:\n  - {id: day, type: day, label: Jour}\n"
    assert drop(admin, own.encode(), "v.yaml", path="/standards").status_code == 303
    assert "Visites" in admin.page("/imports")
    wrong = drop(admin, own.replace("type: day", "type: jour").encode(), "v.yaml", path="/standards")
    assert wrong.status_code == 400
    assert "day.type" in wrong.get_data(as_text=True)


def _import_paths() -> list[tuple[str, str]]:
    app = Flask(__name__)
    app.register_blueprint(blueprint)
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"^/c/<launch>", "", rule.rule)
        if path.startswith(("/imports", "/standards")):
            found += [(path, method) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


@sqlite_only
def test_only_administrators_and_only_their_own_silo(
    app: Flask, engine: Engine, silo: int, second_silo: int, course: int, admin: Reader
) -> None:
    where = dropped(admin, PEOPLE, kind="people")
    file_id = where.rsplit("/", 1)[1]
    theirs = add_course(engine, second_silo)
    stranger = reader(app, engine, second_silo, "admin", theirs, who="autre")
    paths = _import_paths()
    assert len(paths) >= 8
    for pattern, method in paths:
        path = (
            pattern.replace("<file_id>", file_id).replace("<kind>", "people").replace("<name>", "modele.csv")
        )
        for role in ("tutor", "trainee"):
            someone = reader(app, engine, silo, role, course, who=role)
            answer = someone.get(path) if method == "GET" else someone.post(path, {"do": "run"})
            assert answer.status_code == 403, (role, method, path)
        if "<file_id>" in pattern:
            answer = stranger.get(path) if method == "GET" else stranger.post(path, {"do": "forget"})
            assert answer.status_code == 404, (method, path)
    assert admin.get(where).status_code == 200


@sqlite_only
def test_the_pages_in_english(app: Flask, engine: Engine, silo: int, course: int) -> None:
    chief = reader(app, engine, silo, "admin", course, who="chief", locale="en")
    assert "Drop a file" in chief.page("/imports")
    where = dropped(chief, PEOPLE, kind="people")
    assert "2 lines, 3 columns. Nothing has gone in yet." in chief.page(where)
