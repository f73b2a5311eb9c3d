"""`estime import KIND FILE` and `estime standard …`, from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lti_tool.cli import main

PEOPLE = "Adresse;Académie;Corps actuel;Genre\r\na@ac-lille.fr;Lille;IEN;F\r\nb@ac-lille.fr;Nice;IEN;?\r\n"
OWN = """
standard: visits
version: 1
title: {fr: Visites, en: Visits}
key: [session, day]
fields:
  - {id: session, type: text, role: session, required: true, label: {fr: Session, en: Session}}
  - {id: day, type: day, role: day, required: true, label: {fr: Jour, en: Day}}
  - {id: theme, type: choice, role: dimension, label: {fr: Thème, en: Theme}, values: [climat, pilotage]}
"""


class Terminal:
    """Runs commands in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--data-dir", str(self.folder / "data")])

    def said(self, *words: str) -> dict[str, Any]:
        """Run a command that must succeed, and return its answer."""
        done = self.run(*words)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def file(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content, encoding="utf-8")
        return str(self.folder / name)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.said("silo", "add", "Institut")
    return made


def test_a_file_is_looked_at_corrected_taken_in_and_reported(terminal: Terminal) -> None:
    file = terminal.file("agents.csv", PEOPLE)
    plan = terminal.said("import", "people", file, "--silo", "Institut", "--check")
    assert (plan["kind"], plan["rows"], plan["missing"]) == ("people", 2, [])
    assert plan["columns"] == {
        "Adresse": "address", "Académie": "academie", "Corps actuel": "corps", "Genre": "gender",
    }  # fmt: skip
    refused = terminal.folder / "refused.csv"
    words = ("import", "people", file, "--silo", "Institut")
    done = terminal.said(*words, "--column", "Corps actuel=", "--save", "Agents", "--refused", str(refused))
    assert (done["state"], done["added"], done["refused"]) == ("done", 1, 1)
    assert done["lines"][0]["line"] == 3
    assert "Genre (?)" in done["lines"][0]["why"][0]
    assert "b@ac-lille.fr" in refused.read_text(encoding="utf-8-sig")
    again = terminal.said(*words, "--mapping", "Agents")
    assert (again["added"], again["same"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nothing", "{file}", "--silo", "Institut"), "there is no dataset 'nothing'"),
        (("people", "{file}.absent", "--silo", "Institut"), "cannot be read"),
        (("people", "{file}", "--silo", "Autre"), "no silo 'Autre'"),
        (("people", "{file}", "--silo", "Institut", "--mapping", "Autre"), "no saved mapping"),
        (("people", "{file}", "--silo", "Institut", "--column", "Nom=corps"), "no column is headed 'Nom'"),
        (("people", "{file}", "--silo", "Institut", "--column", "Genre=sexe"), "no field 'sexe'"),
        (("people", "{file}", "--silo", "Institut", "--column", "Adresse="), "mapping cannot be used"),
        (("people", "{file}", "--silo", "Institut", "--set", "corps"), "expected NAME=VALUE"),
    ],
)
def test_what_is_wrong_is_said(terminal: Terminal, words: tuple[str, ...], why: str) -> None:
    file = terminal.file("agents.csv", PEOPLE)
    done = terminal.run("import", *(word.format(file=file) for word in words))
    assert done.exit_code == 1
    assert why in done.stderr


def test_a_list_of_participants_says_its_session_once(terminal: Terminal) -> None:
    file = terminal.file("teams.csv", "Email;First Join\r\na@ac-lille.fr;12/11/2026 14:02\r\n")
    words = ("import", "attendance", file, "--silo", "Institut", "--set", "session=S1")
    assert "gathering" in terminal.run(*words).stderr
    done = terminal.said(*words, "--set", "gathering=CV 1")
    assert (done["added"], done["notes"]["unknown_sessions"]) == (1, 1)


def test_a_dataset_of_ones_own(terminal: Terminal) -> None:
    known = {one["standard"] for one in terminal.said("standard", "list")["standards"]}
    assert {"people", "attendance", "assessment_results"} <= known
    made = terminal.said("standard", "add", terminal.file("own.yaml", OWN), "--silo", "Institut")
    assert made["fields"] == ["session", "day", "theme"]
    listed = terminal.said("standard", "list", "--silo", "Institut")["standards"]
    assert {"standard": "visits", "title": "Visits"} in listed
    file = terminal.file("visits.csv", "Session;Jour;Thème\r\nS1;12/11/2026;climat\r\nS1;13/11/2026;x\r\n")
    done = terminal.said("import", "visits", file, "--silo", "Institut")
    assert (done["added"], done["refused"]) == (1, 1)
    wrong = terminal.run("standard", "add", terminal.file("no.yaml", "standard: x"), "--silo", "Institut")
    assert wrong.exit_code == 1
    assert "missing" in wrong.stderr


def test_the_page_of_the_standard_is_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["standard", "write", str(tmp_path)])
    assert done.exit_code == 0
    assert (tmp_path / "data-standard" / "attendance-example.csv").exists()
    assert "## Attendance" in (tmp_path / "data-standard.md").read_text(encoding="utf-8")


def test_statements_of_the_plugin_are_mended_when_asked(terminal: Terminal) -> None:
    said = {
        "actor": {"account": {"homePage": "https://moodle.test", "name": "7"}, "name": None},
        "verb": {"id": "http://id.tincanapi.com/verb/viewed"},
        "object": {"id": "https://moodle.test/course/view.php?id=12"},
        "timestamp": "2026-06-27T08:05:42Z",
    }
    file = terminal.file("traces.json", json.dumps([said]))
    words = ("import", "statements", file, "--silo", "Institut")
    assert terminal.said(*words)["refused_count"] == 1
    assert terminal.said(*words, "--repair", "moodle")["accepted"] == 1
    assert terminal.run(*words, "--repair", "moodle", "--as-exported").exit_code == 2
