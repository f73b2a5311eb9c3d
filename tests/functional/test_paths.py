"""Sessions and their path: by copies, by number, by hand; the page that corrects; silos apart."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool import paths
from lti_tool.paths import PathError
from tests.conftest import Clock
from tests.factories import opened, traces
from tests.factories.platform import CLAIM, Browser, FakePlatform, jwks_server
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.tables import course, path

COPIED, MODEL = "estime_history", "77"


def tied(engine: Engine, silo: int) -> dict[str, tuple[str | None, str]]:
    """Return session -> title of its path, what tied it."""
    with transaction(engine, silo, write=False) as conn:
        found = paths.read(conn, silo)
    known = {each.title: (one.title, each.tied_by) for one in found.paths for each in one.sessions}
    return known | {each.title: (None, each.tied_by) for each in found.untied}


@pytest.fixture
def sessions(engine: Engine, silo: int) -> dict[str, int]:
    """Return three sessions as launches make them: two copies of one model never opened, and another."""
    made = {}
    for number, title in ((11, "Piloter un EPLE (2026-1)"), (12, "Piloter un EPLE (2026-2)"), (13, "Paie")):
        made[title] = opened.add_course(engine, silo, number, title)
        with transaction(engine, silo) as conn:
            conn.execute(
                course.update()
                .where(course.c.silo_id == silo, course.c.course_id == made[title])
                .values(issuer=traces.SITE, context_id=str(number))
            )
    return made


def see(engine: Engine, silo: int, key: int, number: int, idnumber: str = "", history: str = "") -> None:
    with transaction(engine, silo) as conn:
        paths.seen(
            conn,
            silo,
            key,
            issuer=traces.SITE,
            context_id=str(number),
            idnumber=idnumber,
            history=history,
        )


def test_history_is_read_as_the_platform_writes_it() -> None:
    assert paths.ancestors("8, 3,,8,a%2Cb") == ("8", "3", "a,b")
    assert paths.ancestors("$Context.id.history") == ()
    assert paths.ancestors("") == ()


def test_copies_of_one_model_are_one_path(engine: Engine, silo: int, sessions: dict[str, int]) -> None:
    first, second, other = sessions.values()
    see(engine, silo, first, 11, history=MODEL)
    assert tied(engine, silo)["Piloter un EPLE (2026-1)"] == (None, "")
    see(engine, silo, second, 12, history=f"{MODEL},5")
    see(engine, silo, other, 13, history="$Context.id.history")
    assert tied(engine, silo) == {
        "Piloter un EPLE (2026-1)": ("Piloter un EPLE", "copy"),
        "Piloter un EPLE (2026-2)": ("Piloter un EPLE", "copy"),
        "Paie": (None, ""),
    }


def test_a_copy_of_a_session_joins_its_path(engine: Engine, silo: int, sessions: dict[str, int]) -> None:
    first, second, _ = sessions.values()
    with transaction(engine, silo) as conn:
        made = paths.create(conn, silo, "  Diriger ")
        paths.assign(conn, silo, [first], made)
    see(engine, silo, second, 12, history="11")
    assert tied(engine, silo)["Piloter un EPLE (2026-2)"] == ("Diriger", "copy")


def test_a_number_passes_before_a_copy_and_a_hand_before_both(
    engine: Engine, silo: int, sessions: dict[str, int]
) -> None:
    first, second, other = sessions.values()
    see(engine, silo, first, 11, "DIR-2026-1", MODEL)
    see(engine, silo, second, 12, "dir-2026-2", MODEL)
    see(engine, silo, other, 13, "DIR-2026-9")
    with transaction(engine, silo) as conn:
        pay = paths.create(conn, silo, "Payer")
        paths.assign(conn, silo, [other], pay)
        lead = paths.create(conn, silo, "Diriger")
        assert paths.add_pattern(conn, silo, lead, "DIR-2026-*") == 3
    assert tied(engine, silo) == {
        "Piloter un EPLE (2026-1)": ("Diriger", "pattern"),
        "Piloter un EPLE (2026-2)": ("Diriger", "pattern"),
        "Paie": ("Payer", "hand"),
    }
    with transaction(engine, silo) as conn:
        assert paths.release(conn, silo, [other]) == 1
    assert tied(engine, silo)["Paie"] == ("Diriger", "pattern")
    with transaction(engine, silo) as conn:
        paths.remove_pattern(conn, silo, lead, "DIR-2026-*")
    assert tied(engine, silo)["Paie"] == (None, "")
    assert tied(engine, silo)["Piloter un EPLE (2026-1)"][1] == "copy"


def test_the_longest_pattern_speaks(engine: Engine, silo: int, sessions: dict[str, int]) -> None:
    see(engine, silo, sessions["Paie"], 13, "DIR-2026-9")
    with transaction(engine, silo) as conn:
        wide, narrow = paths.create(conn, silo, "Tous"), paths.create(conn, silo, "Neuf")
        paths.add_pattern(conn, silo, narrow, "DIR-2026-9*")
        paths.add_pattern(conn, silo, wide, "DIR-*")
        for pattern, code in ((" * ", "pattern"), ("dir-*", "taken")):
            with pytest.raises(PathError) as refused:
                paths.add_pattern(conn, silo, narrow, pattern)
            assert refused.value.code == code
    assert tied(engine, silo)["Paie"] == ("Neuf", "pattern")


def test_merging_keeps_sessions_and_patterns(engine: Engine, silo: int, sessions: dict[str, int]) -> None:
    first, second, _ = sessions.values()
    with transaction(engine, silo) as conn:
        one, other = paths.create(conn, silo, "Un"), paths.create(conn, silo, "Deux")
        paths.assign(conn, silo, [first], one)
        paths.assign(conn, silo, [second], other)
        paths.add_pattern(conn, silo, one, "U-*")
        paths.merge(conn, silo, one, other)
        found = paths.read(conn, silo)
    assert [(each.title, each.patterns, len(each.sessions)) for each in found.paths] == [
        ("Deux", ("U-*",), 2)
    ]


def test_ansecond_silos_sessions_and_paths_cannot_be_named(
    engine: Engine, silo: int, second_silo: int, sessions: dict[str, int]
) -> None:
    with transaction(engine, second_silo) as conn:
        theirs = paths.create(conn, second_silo, "Ailleurs")
        assert paths.assign(conn, second_silo, list(sessions.values()), theirs) == 0
    with transaction(engine, silo) as conn, pytest.raises(PathError):
        paths.assign(conn, silo, list(sessions.values()), theirs)
    assert set(tied(engine, silo).values()) == {(None, "")}


def test_a_launch_says_where_a_course_comes_from(
    app: Flask, engine: Engine, silo: int, clock: Clock, settings: Settings
) -> None:
    with jwks_server() as server:
        platform = FakePlatform(server, clock, settings.public_url)
        platform.register(engine, silo)
        for number in ("31", "32"):
            said: dict[str, Any] = {
                "context": {"id": number, "title": f"Gérer {number}"},
                f"{CLAIM}lis": {"course_section_sourcedid": f"G-{number}"},
                "custom": {COPIED: MODEL},
            }
            Browser(app, settings.public_url).opened(platform, **said)
    with transaction(engine, silo, write=False) as conn:
        (only,) = paths.read(conn, silo).paths
    assert only.title == "Gérer"
    assert {each.idnumber for each in only.sessions} == {"G-31", "G-32"}


def test_an_administrator_corrects_the_ties(
    app: Flask, engine: Engine, silo: int, clock: Clock, sessions: dict[str, int]
) -> None:
    first, second, _ = sessions.values()
    admin = opened.reader(app, engine, silo, "admin", first, "chef")
    page = admin.page("/paths")
    assert "3 sessions n’ont pas de parcours" in page
    ids = [str(first), str(second)]
    refused = admin.post("/paths", {"course": ids, "path": "new", "title": " "})
    assert refused.status_code == 400
    assert "Donnez un nom au parcours." in refused.get_data(as_text=True)
    assert admin.post("/paths", {"path": "none"}).status_code == 400
    made = admin.post("/paths", {"course": ids, "path": "new", "title": "Piloter"})
    assert made.status_code == 303
    assert made.headers["Location"].endswith("/paths?done=tied")
    with transaction(engine, silo, write=False) as conn:
        path_id = conn.execute(select(path.c.path_id).where(path.c.silo_id == silo)).scalar_one()
    change = f"/paths/{path_id}"
    assert admin.post(change, {"do": "rename", "text": "<b>Diriger</b>"}).status_code == 303
    assert admin.post(change, {"do": "pattern", "text": "**"}).status_code == 400
    assert admin.post(change, {"do": "pattern", "text": "DIR-*"}).status_code == 303
    assert admin.post(change, {"do": "burn", "text": ""}).status_code == 400
    assert admin.post("/paths/12", {"do": "rename", "text": "x"}).status_code == 400
    page = admin.page("/paths?done=path")
    assert "&lt;b&gt;Diriger&lt;/b&gt;" in page
    assert "DIR-*" in page
    assert "à la main" in page
    assert tied(engine, silo)["Paie"] == (None, "")
    listed = admin.page("/sessions")
    assert "&lt;b&gt;Diriger&lt;/b&gt;" in listed


@pytest.mark.parametrize("role", ["tutor", "trainee"])
def test_nobody_else_opens_the_page(
    app: Flask, engine: Engine, silo: int, sessions: dict[str, int], role: str
) -> None:
    reader = opened.reader(app, engine, silo, role, sessions["Paie"], "7")
    reader.page("/paths", 403)
    assert reader.post("/paths", {"path": "none"}).status_code == 403
    assert reader.post("/paths/1", {"do": "rename", "text": "x"}).status_code == 403
