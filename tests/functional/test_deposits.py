"""A folder of deposits: files taken in once whole, put away with what is to be mended."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from lti_tool.imports import files
from lti_tool.imports.watching import Watcher
from lti_tool.job_kinds import KINDS
from lti_tool.job_runner import Runner
from tool_config.database import transaction
from xapi import datasets

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
GOOD = "adresse;académie\na@b.fr;Lille\n"


@pytest.fixture
def folder(tmp_path: Path, silo: int) -> Path:
    made = tmp_path / "deposits" / str(silo) / "people"
    made.mkdir(parents=True)
    return made


def put(folder: Path, name: str, text: str, clock: Any, age: float = 60) -> None:
    path = folder / name
    path.write_text(text)
    at = clock().timestamp() - age
    os.utime(path, (at, at))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def turn(app: Flask, engine: Engine, folder: Path, clock: Any) -> None:
    watcher = Watcher(engine, folder.parents[1], clock)
    watcher.turn()
    while Runner(app.extensions["estime"], KINDS).turn(plans=False):
        pass
    clock.advance(minutes=2)
    watcher.turn()


def test_deposits_are_taken_in_and_put_away(
    app: Flask, engine: Engine, silo: int, folder: Path, clock: Any
) -> None:
    put(folder, "bon.csv", GOOD, clock)
    put(folder, "fautif.csv", GOOD + "c@d.fr;Nice\nrien;Nice\n", clock)
    put(folder, "numen.csv", "NUMEN\n12E3456789ABC\n", clock)
    put(folder, "inconnu.csv", "x;y\n1;2\n", clock)
    put(folder, "en-cours.csv", GOOD, clock, age=-600)
    turn(app, engine, folder, clock)
    with transaction(engine, silo, write=False) as conn:
        assert datasets.count(conn, silo, "people") == 2
        assert len(files.latest(conn, silo)) == 4
    assert [name.partition("-")[2].partition("-")[2] for name in names(folder / "done")] == ["bon.csv"]
    refused = {
        name.split("-", 2)[2]: (folder / "refused" / name).read_bytes() for name in names(folder / "refused")
    }
    assert set(refused) == {
        name + end for name in ("fautif.csv", "inconnu.csv", "numen.csv") for end in ("", ".report.csv")
    }
    assert refused["fautif.csv.report.csv"].decode("utf-8-sig").splitlines()[1].startswith("rien;Nice;4;")
    assert "NUMEN" in refused["numen.csv.report.csv"].decode("utf-8-sig")
    assert "page Imports" in refused["inconnu.csv.report.csv"].decode("utf-8-sig")
    assert (folder / "en-cours.csv").exists()
    assert names(folder / ".taken") == []


def test_a_file_moved_aside_by_a_worker_that_died_comes_back(
    app: Flask, engine: Engine, silo: int, folder: Path, clock: Any
) -> None:
    (folder / ".taken").mkdir()
    put(folder / ".taken", "perdu.csv", GOOD, clock, age=700)
    turn(app, engine, folder, clock)
    turn(app, engine, folder, clock)
    assert len(names(folder / "done")) == 1


def test_other_folders_are_left_alone(
    app: Flask, engine: Engine, silo: int, second_silo: int, folder: Path, clock: Any
) -> None:
    for other in ("autre", "../99/people"):
        (folder.parent / other).mkdir(parents=True)
        put(folder.parent / other, "bon.csv", GOOD, clock)
    turn(app, engine, folder, clock)
    assert names(folder.parent / "autre") == ["bon.csv"]
    assert names(folder.parents[1] / "99" / "people") == ["bon.csv"]
