"""Aggregates exported by one institution and read by another; files that hold anything else."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select

from lti_tool import profiles
from lti_tool.comparing import aggregates
from lti_tool.comparing.aggregates import FileError
from lti_tool.saved_tables import comparison_file
from tests.conftest import SECRET_KEY, Clock
from tests.factories import across, opened
from tests.factories.opened import Reader
from tool_config.database import transaction

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def here(app: Flask, engine: Engine, silo: int, clock: Clock) -> Reader:
    across.build(engine, silo, clock)
    return opened.reader(app, engine, silo, "admin", opened.add_course(engine, silo, 99, "Autre"), "chef")


@pytest.fixture
def there(app: Flask, engine: Engine, second_silo: int, clock: Clock) -> Reader:
    across.build(engine, second_silo, clock, opinions=False, shift=10)
    course = opened.add_course(engine, second_silo, 99, "Autre")
    return opened.reader(app, engine, second_silo, "admin", course, "chef")


def token(reader: Reader) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', reader.page("/comparison"))
    assert found
    return found[1]


def sent(reader: Reader, content: bytes) -> Any:
    return reader.post("/comparison", {"file": (io.BytesIO(content), "agregats.json")}, token(reader))


def test_two_silos_side_by_side(app: Flask, engine: Engine, here: Reader, there: Reader) -> None:
    assert "sans mettre en commun" in here.page("/comparison")
    taken = there.get("/comparison/export")
    assert taken.mimetype == "application/json"
    text = taken.get_data(as_text=True)
    # Counts of groups, and not a person, an account, an address nor the name of a session.
    assert not re.search(r"m:\d|@|Piloter 20|[0-9a-f]{32}", text)
    said = json.loads(text)
    assert [one["year"] for one in said["years"]] == [2024, 2025]
    counts = [
        pair[1]
        for year in said["years"]
        for line in (year["whole"], *year["paths"])
        for name in ("came", "finished", "favourable", "filled")
        if (pair := line[name]) is not None
    ]
    assert counts
    assert min(counts) >= 11
    # Read again, it says the same.
    again = aggregates.read(taken.get_data(), k=11)
    assert aggregates.written(again) == said

    assert sent(here, taken.get_data()).status_code == 303
    page = here.page("/comparison").replace("\u202f", " ")
    assert "« voisine »" in page
    cells = '</td><td class="num">(.*?)' * 3
    whole = re.search(f"Tous les parcours.*?Ont terminé{cells}</td>", page, re.DOTALL)
    assert whole
    assert whole[1] == '65 %<br><span class="dim">54 % à 75 %, n = 80</span>'
    assert whole[2] == '40 %<br><span class="dim">30 % à 51 %, n = 80</span>'
    assert "<b>+25 points</b>" in whole[3]
    assert "Manager" in page
    assert re.search(r"Inscriptions</th><td class=\"num\">94</td><td class=\"num\">80</td>", page)
    older = here.page("/comparison?year=2024").replace("\u202f", " ")
    assert "n = 50<" in older
    rows = here.get("/comparison.csv").get_data(as_text=True)
    assert "voisine" in rows
    # Theirs to keep and to take away, and nobody else's.
    remove = re.findall(r'action="[^"]*(/comparison/[\w-]+)"', here.page("/comparison"))[0]
    assert there.post(remove, {}, token(there)).status_code == 404
    assert here.post(remove, {}, token(here)).status_code == 303
    assert "sans mettre en commun" in here.page("/comparison")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return what puts a value at a place of a file: "years.0.whole.enrolled"."""

    def done(said: dict[str, Any]) -> None:
        at: Any = said
        *before, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in before:
            at = at[part]
        at[last] = value

    return done


#: (what is changed, code of the refusal)
HOSTILE: list[tuple[str, Any, str]] = [
    ("schema", "autre", "schema"),
    ("version", 2, "version"),
    ("version", "1", "version"),
    ("people", [{"name": "Léa"}], "keys"),
    ("years.0.whole.people", ["m:1"], "keys"),
    ("years.0.names", ["Léa"], "keys"),
    ("years.0.whole.enrolled", 10, "small"),
    ("years.0.paths.0.enrolled", 3, "small"),
    ("years.0.whole.finished", [1, 4], "small"),
    ("years.0.whole.finished", [40, 30], "type"),
    ("years.0.whole.finished", [-1, 30], "type"),
    ("years.0.whole.finished", [1.5, 30], "type"),
    ("years.0.whole.finished", [True, 30], "type"),
    ("years.0.whole.finished", ["1", "30"], "type"),
    ("years.0.whole.finished", [1, 30, 3], "type"),
    ("years.0.whole.finished", {"count": 1}, "type"),
    ("years.0.whole.enrolled", 10**30, "type"),
    ("years.0.whole.enrolled", None, "type"),
    ("years.0.whole", None, "type"),
    ("years.0.whole", [], "type"),
    ("years.0.year", 1, "type"),
    ("years.0.year", 2025, "type"),
    ("years", {}, "type"),
    ("years.0.paths", [{}] * 601, "many"),
    ("years.0.paths.0.title", "x" * 300, "text"),
    ("years.0.paths.0.title", "a\u0000b", "text"),
    ("years.0.paths.0.title", ["x"], "text"),
    ("institution", "", "text"),
    ("institution", 3, "text"),
    ("made_on", "hier", "type"),
    ("made_on", 3, "type"),
    ("k", -1, "type"),
]


@sqlite_only
def test_hostile_files_are_refused_whole(engine: Engine, silo: int, here: Reader) -> None:
    good = json.loads(here.get("/comparison/export").get_data())
    for path, value, code in HOSTILE:
        said = copy.deepcopy(good)
        change(path, value)(said)
        with pytest.raises(FileError) as refused:
            aggregates.read(json.dumps(said).encode(), k=11)
        assert refused.value.code == code, (path, value)
    for missing in good:
        said = {name: value for name, value in good.items() if name != missing}
        with pytest.raises(FileError):
            aggregates.read(json.dumps(said).encode(), k=11)
    text = json.dumps(good)
    for raw, code in (
        (b"", "json"), (b"\xff\xfe", "json"), (b"PK\x03\x04", "json"), (b"[]", "schema"), (b"null", "schema"),
        (b"[" * 100_000, "json"), (text.replace("94", "NaN", 1).encode(), "json"),
        (text.replace("{", '{"k": 11, ', 1).encode(), "json"), (b" " * 500_001, "bytes"),
    ):  # fmt: skip
        with pytest.raises(FileError) as refused:
            aggregates.read(raw, k=11)
        assert refused.value.code == code, raw[:30]
    # On the page: a sentence, and nothing kept.
    for path, value, words in (
        ("version", 2, "autre version (2)"), ("people", [], "autre chose que des agrégats"),
        ("years.0.whole.enrolled", 4, "moins de 11 personnes"), ("schema", "x", "pas un fichier d’agrégats"),
    ):  # fmt: skip
        said = copy.deepcopy(good)
        change(path, value)(said)
        answer = sent(here, json.dumps(said).encode())
        assert answer.status_code == 400
        assert words in answer.get_data(as_text=True).replace("\u202f", " ")
    spaced = copy.deepcopy(good)
    spaced["years"][0]["paths"][0]["title"] = "Piloter\u202f: le conseil\u00a0!"
    assert aggregates.read(json.dumps(spaced).encode(), k=11).years[0].paths[0].title.startswith("Piloter")
    named = copy.deepcopy(good)
    named["institution"] = "<script>alert(1)</script>"
    assert sent(here, json.dumps(named).encode()).status_code == 303
    assert "<script>alert" not in here.page("/comparison")
    with transaction(engine, silo, write=False) as conn:
        assert conn.scalar(select(func.count()).select_from(comparison_file)) == 1


@sqlite_only
def test_who_compares(app: Flask, engine: Engine, silo: int, here: Reader, clock: Clock) -> None:
    for profile, page, export in (("lecteur", 200, 403), ("responsable", 200, 200), ("ingenieur", 403, 403)):
        with transaction(engine, silo) as conn:
            found = profiles.grant(
                conn, silo, profile=profile, name="Léa", address="lea@ac-x.fr",
                paths=list(conn.scalars(_paths(silo))), expires_at=None, by="x",
                secret_key=SECRET_KEY, now=clock(),
            )  # fmt: skip
            made = profiles.enter(conn, found, locale="fr", now=clock())
        reader = Reader(app, made.launch_id, made.secret)
        assert reader.get("/comparison").status_code == page
        assert reader.get("/comparison/export").status_code == export
        assert reader.post("/comparison/x", {}, "none").status_code == 403


def _paths(silo: int) -> Any:
    from xapi.tables import path

    return select(path.c.path_id).where(path.c.silo_id == silo)
