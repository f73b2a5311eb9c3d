"""The file to be signed: what the institution says, seven documents in two forms, live settings in them."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from click.testing import CliRunner
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import Engine

from lti_tool.cli import main
from lti_tool.compliance import institution, work
from lti_tool.compliance.facts import BLANK
from tests.conftest import SECRET_KEY, Clock
from tests.factories import opened
from tests.factories.jobs import drain
from tests.factories.opened import Reader
from tool_config.database import transaction
from xapi import auth

SAID = {"controller": "Institut d’essai", "dpo": "Mission données", "dpo_contact": "dpd@essai.test"}


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int) -> Reader:
    return opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 99, "Autre"), "chef")


def _text(pdf: bytes) -> str:
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(pages))


def test_the_institution_says_who_it_is_and_has_its_file_made(
    app: Flask, engine: Engine, silo: int, admin: Reader, clock: Clock
) -> None:
    with transaction(engine, silo) as conn:
        auth.issue_key(conn, silo, ["statements/write"], now=clock())
    first = admin.page("/compliance")
    assert f"{len(institution.FIELDS)} renseignements" in first
    blank = {field.id: "" for field in institution.FIELDS}
    saved = admin.post("/compliance", {**blank, **SAID})
    assert saved.status_code == 303
    assert 'value="Institut d’essai"' in admin.page("/compliance")
    long = admin.post("/compliance", {**blank, "controller": "x" * 301})
    assert long.status_code == 400
    assert "300 signes au plus" in long.get_data(as_text=True)
    assert admin.post("/compliance/files", {}).status_code == 303
    drain(app.extensions["estime"])
    link = re.search(r'href="[^"]*(/compliance/files/\w+/zip)"', admin.page("/compliance"))
    assert link
    archive = zipfile.ZipFile(io.BytesIO(admin.get(link[1]).get_data()))
    assert sorted(archive.namelist()) == sorted(
        f"{name}.{form}" for name in work.DOCUMENTS for form in work.FORMS
    )
    _the_register(archive)
    for name in archive.namelist():
        if name.endswith(".pdf"):
            catalogue = PdfReader(io.BytesIO(archive.read(name))).trailer["/Root"]
            assert catalogue["/MarkInfo"]["/Marked"]
            assert str(catalogue["/Lang"]).startswith("fr")
    other = opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 98, "X"), "autre")
    assert other.get(link[1]).status_code == 404
    # A field emptied is forgotten: dots again.
    admin.post("/compliance", blank)
    with transaction(engine, silo, write=False) as conn:
        assert institution.read(conn, silo) == {}


def _the_register(archive: zipfile.ZipFile) -> None:
    text = _text(archive.read("1-registre-des-traitements.pdf"))
    for said in (
        "Institut d’essai",
        "dpd@essai.test",
        "21 novembre 2026",
        "1 clé(s) en service",
        "365 jours après la fin",
    ):
        assert said in text, said
    assert "sous 5 personnes dans une session, sous 11" in text
    written = docx.Document(io.BytesIO(archive.read("1-registre-des-traitements.docx")))
    headings = [one.text for one in written.paragraphs if one.style.name.startswith("Heading")]
    assert headings[0] == "À compléter avant signature"
    assert "Durées de conservation" in headings
    everything = "\n".join(
        [one.text for one in written.paragraphs]
        + [cell.text for table in written.tables for row in table.rows for cell in row.cells]
    )
    assert BLANK in everything  # what was not said stays to be written by hand
    assert " :" not in everything.replace("\u202f:", "")
    assert 'w:val="fr-FR"' in written.styles["Normal"].element.xml


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_command_writes_the_file(
    engine: Engine, silo: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTIME_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("ESTIME_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    # The setting of one document alone is enough here: all are set by the page's test.
    monkeypatch.setattr(work, "DOCUMENTS", {"6-charte-des-tuteurs": work.DOCUMENTS["6-charte-des-tuteurs"]})
    done: Any = CliRunner().invoke(main, ["compliance", "--silo", "essai", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "6-charte-des-tuteurs.docx",
        "6-charte-des-tuteurs.pdf",
    ]
    assert "Charte des tuteurs" in _text((tmp_path / "out" / "6-charte-des-tuteurs.pdf").read_bytes())


@pytest.mark.parametrize("role", ["tutor", "trainee"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_nobody_else_opens_it(app: Flask, engine: Engine, silo: int, role: str) -> None:
    reader = opened.reader(app, engine, silo, role, opened.add_course(engine, silo))
    assert reader.get("/compliance").status_code == 403
