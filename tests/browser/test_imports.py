"""An administrator drops real files, corrects how they are read and reads what became of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser

Dropped = Callable[..., Visit]


@pytest.fixture
def imports(visit: Callable[..., Visit], running: Running) -> Visit:
    session = running.session("-3")
    tab = visit()
    tab.page.context.set_default_timeout(60_000)
    tab.open(session, running.person(session, role="admin"))
    assert tab.go("imports") == 200
    return tab


def drop(tab: Visit, name: str, content: bytes, kind: str = "") -> None:
    """Drop a file on the page and see how it would be read."""
    chosen = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    tab.frame.locator("input[type=file][name=file]").first.set_input_files(files=[chosen])
    if kind:
        tab.frame.locator("select[name=kind]").select_option(label=kind)
    tab.frame.get_by_role("button", name="Voir ce qu’il contient").click()
    tab.frame.get_by_role("heading", name="Ce que c’est").wait_for()


def correct(tab: Visit, column: str, meaning: str) -> None:
    tab.frame.get_by_label(f"{column} correspond à", exact=True).select_option(label=meaning)


def run(tab: Visit) -> str:
    """Take the file in and return what the page says once it is over."""
    tab.frame.get_by_role("button", name="Importer").click()
    tab.frame.get_by_role("button", name="Effacer ce compte rendu").wait_for(timeout=60_000)
    return tab.text


def counts(tab: Visit) -> dict[str, str]:
    rows = tab.frame.locator("section[aria-labelledby=report-title] tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    return {name: value.replace("\u202f", " ").replace("\u00a0", " ") for name, value in cells}


def test_a_limesurvey_file_read_wrongly_then_corrected(imports: Visit, shared_data: Path) -> None:
    tab = imports
    content = (shared_data / "survey-limesurvey-rse/public_data_2017_can.csv").read_bytes()
    drop(tab, "public_data_2017_can.csv", content, "Personnes et origine")
    assert "Aucune colonne ne donne « Adresse professionnelle »" in tab.text
    tab.frame.get_by_role("button", name="Importer").click()
    tab.frame.locator("[role=alert]").wait_for()
    tab.frame.locator("select[name=kind]").select_option(label="Réponses à des questionnaires")
    tab.frame.get_by_role("button", name="Relire", exact=True).click()
    tab.frame.get_by_text("L’export d’un questionnaire").wait_for()
    asked = tab.frame.get_by_label("socio1. In which country do you work? correspond à", exact=True)
    assert asked.locator("option:checked").inner_text() == "Question (une colonne par question)"
    assert (
        tab.frame.get_by_label("Questionnaire *")
        .or_(tab.frame.locator("input[name=constant-questionnaire]"))
        .first.input_value()
        == "public_data_2017_can"
    )
    correct(tab, "socio1. In which country do you work?", "laissée de côté")
    correct(tab, "currentEmp7. In which application area do you primarily work?", "Module")
    correct(
        tab, "currentEmp5. What is your current job title?", "Question ouverte (une colonne par question)"
    )
    tab.frame.locator("input[name=save]").fill("Enquête du réseau")
    said = run(tab)
    assert "Tout est entré." in said
    assert counts(tab)["Nouvelles"] == "110"
    assert "réponses sont entrées" in said
    assert "questions lues comme : fréquence" in said
    assert "leurs réponses ne sont liées à personne" in said
    assert tab.go("imports") == 200
    drop(tab, "encore.csv", content)
    assert "Lu comme « Enquête du réseau »" in tab.text
    again = tab.frame.get_by_label("socio1. In which country do you work? correspond à", exact=True)
    assert again.input_value() == ""
    tab.frame.get_by_role("button", name="Abandonner").click()
    # The refusal of the first try is told by the browser too.
    assert [error for error in tab.errors if "status of 400" not in error] == []


def test_a_french_log_in_windows_1252(imports: Visit, shared_data: Path) -> None:
    tab = imports
    path = shared_data / "moodle-logs-fr-derived/journaux_Module_3_SP17.csv"
    drop(tab, "journaux.csv", path.read_text(encoding="utf-8").encode("cp1252"))
    assert tab.frame.locator("select[name=kind]").input_value() == "moodle_logs"
    tab.frame.get_by_text("Comment il est lu").click()
    assert tab.frame.locator("select[name=encoding]").input_value() == "cp1252"
    site = tab.frame.locator("input[name=constant-site]")
    site.fill("https://moodle.example.fr")
    said = run(tab)
    assert (counts(tab)["Lignes lues"], counts(tab)["Nouvelles"]) == ("696", "507")
    assert "189 lignes ne disent rien d’un stagiaire" in said
    assert tab.errors == []


def hundred_faults() -> bytes:
    out = io.BytesIO()
    rows: list[list[Any]] = [["Adresse mail", "Académie", "Ancienneté", "Genre"]]
    for rank in range(50):
        rows.append([f"p{rank}@ac-lille.fr", "Lille", "beaucoup", "?"])
    rows += [[f"q{rank}@ac-lille.fr", "Nice", 4, "F"] for rank in range(20)]
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Stagiaires")
        for rank, cells in enumerate(rows):
            sheet.write_row(rank, 0, cells)
    return out.getvalue()


def test_a_workbook_with_a_hundred_faults(imports: Visit) -> None:
    tab = imports
    drop(tab, "stagiaires.xlsx", hundred_faults())
    said = run(tab)
    assert "50 lignes n’ont pas pu entrer" in said
    assert (counts(tab)["Nouvelles"], counts(tab)["Refusées"]) == ("20", "50")
    told = tab.frame.locator("section[aria-labelledby=lines-title] tbody tr")
    assert told.count() == 50
    assert "Ancienneté : « beaucoup » n’est pas un nombre." in said
    assert said.count("n’est pas un nombre") == 50
    assert said.count("n’est pas dans la liste") == 50
    with tab.page.expect_download() as waiting:
        tab.frame.locator("section[aria-labelledby=lines-title] .files a", has_text="CSV").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 51
    mended = "\n".join(lines).replace("beaucoup", "12").replace(";?;", ";F;")
    chosen = {"name": "corrigé.csv", "mimeType": "text/csv", "buffer": mended.encode()}
    tab.frame.locator("section[aria-labelledby=lines-title] input[type=file]").set_input_files(files=[chosen])
    tab.frame.get_by_role("button", name="Renvoyer").click()
    tab.frame.get_by_role("heading", name="Ce que c’est").wait_for()
    assert "Tout est entré." in run(tab)
    assert counts(tab)["Nouvelles"] == "50"
    assert tab.errors == []
