"""Who is kept from whom: aggregates only, tutors apart from a person, pauses, pseudonyms, no clock hour."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from lti_tool.privacy import keeping_apart
from tests.factories import opened, traces
from tests.factories.opened import NOW
from tool_config import silos
from tool_config.database import administration, transaction
from xapi.ingest import ingest
from xapi.rollup import refresh

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
NAMES = {"3": "Sara Benali", "4": "Paul Roche", "5": "Inès Moreau"}


@pytest.fixture
def course(engine: Engine, silo: int) -> int:
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, NAMES)
    opened.add_people(engine, silo, key, {"formateur": "Jean Inspecteur", "autre": "Anne Tutrice"}, "tutor")
    parents = [traces.section(3), traces.course(2)]
    said = [
        traces.statement(
            who,
            traces.VIEWED,
            traces.page(rank),
            NOW - timedelta(days=30, minutes=17 * rank),
            parents=parents,
        )
        for who in NAMES
        # One activity that only one of them has seen: the others have not finished.
        for rank in range(4 if who == "5" else 3)
    ]
    with transaction(engine, silo) as conn:
        ingest(conn, silo, said, now=NOW)
        refresh(conn, silo, now=NOW)
    return key


def _pages(app: Any, course: int, person: str) -> list[str]:
    """Return every page and file about one course or its people, as addresses after the launch."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("pages.") or "GET" not in rule.methods:
            continue
        if "course_id" not in rule.arguments or rule.endpoint.endswith("_xlsx"):
            continue
        values = {"launch": "x", "course_id": course, "actor": person, "mark_id": "progress"}
        if rule.arguments - {"launch"} <= {"course_id", "actor", "mark_id"}:
            with app.test_request_context(base_url=opened.PUBLIC):
                address = app.url_map.bind("x").build(
                    rule.endpoint, {name: values[name] for name in rule.arguments}
                )
            found.append(address.split("/c/x", 1)[1])
    return sorted({*found, "/journal", "/journal.csv", "/me", "/sessions"})


def _text(answer: Any) -> str:
    return re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))


@sqlite_only
def test_a_tutor_kept_apart_sees_somebody_nowhere(app: Any, engine: Engine, silo: int, course: int) -> None:
    inspector = opened.reader(app, engine, silo, "tutor", course)
    other = opened.reader(app, engine, silo, "tutor", course, "autre")
    sara = opened.reader(app, engine, silo, "trainee", course, "3")
    assert "Jean Inspecteur" in sara.page("/me/settings")
    form = {"do": "apart", "tutor": opened.actor("formateur")}
    assert sara.post("/me/settings", form).status_code == 303
    assert sara.post("/me/settings", {"do": "apart", "tutor": opened.actor("4")}).status_code == 404
    seen = 0
    for address in _pages(app, course, opened.actor("3")):
        if address.endswith("xlsx"):
            continue
        assert "Benali" not in _text(inspector.get(address)), address
        seen += "Benali" in _text(other.get(address))
    assert seen >= 4  # the list, its file, the person, the morning: where others do see her
    assert inspector.get(f"/courses/{course}/people/{opened.actor('3')}").status_code == 404
    assert "Roche" in inspector.page(f"/courses/{course}/people")
    # What an administrator decided, the person does not undo; what they asked, they do.
    assert sara.post("/me/settings", {**form, "do": "together"}).status_code == 303
    assert "Benali" in inspector.page(f"/courses/{course}/people")
    admin = opened.reader(app, engine, silo, "admin", course, "chef")
    here = f"/courses/{course}/privacy"
    assert inspector.get(here).status_code == 403
    assert admin.post(here, {**form, "name": "nobody"}).status_code == 400
    assert admin.post(here, {**form, "name": "3"}).status_code == 303
    sara.post("/me/settings", {**form, "do": "together"})
    assert "Benali" not in inspector.page(f"/courses/{course}/people")
    lifted = {"do": "together", "tutor": opened.actor("formateur"), "actor": opened.actor("3")}
    assert admin.post(here, lifted).status_code == 303
    assert "Benali" in inspector.page(f"/courses/{course}/people")


@sqlite_only
def test_a_course_of_aggregates_shows_nobody(app: Any, engine: Engine, silo: int, course: int) -> None:
    tutor = opened.reader(app, engine, silo, "tutor", course)
    admin = opened.reader(app, engine, silo, "admin", course, "chef")
    trainee = opened.reader(app, engine, silo, "trainee", course, "3")
    with transaction(engine, silo, write=False) as conn:
        owner = silos.get(conn, silo)
    shown = {silos.pseudonym(owner, opened.actor(sub)) for sub in NAMES}
    assert admin.post(f"/courses/{course}/privacy", {"do": "aggregates"}).status_code == 303
    assert tutor.post(f"/courses/{course}/privacy", {"do": "people"}).status_code == 403
    for address in _pages(app, course, opened.actor("4")):
        if address.endswith("xlsx") or address.startswith(("/journal", "/erasures")):
            continue
        for reader in (tutor, admin):
            text = _text(reader.get(address))
            assert not [name for name in (*NAMES.values(), *shown) if name in text], address
    assert "agrégats seulement" in tutor.page(f"/courses/{course}/people", 403)
    assert tutor.get(f"/courses/{course}/people.csv").status_code in (403, 404)
    assert tutor.get(f"/courses/{course}/today").status_code == 200
    assert trainee.get("/me").status_code == 200
    admin.post(f"/courses/{course}/privacy", {"do": "people"})
    assert "Roche" in tutor.page(f"/courses/{course}/people")


@sqlite_only
def test_a_pause_asks_no_reason_and_stills_the_alerts(
    app: Any, engine: Engine, silo: int, course: int
) -> None:
    tutor = opened.reader(app, engine, silo, "tutor", course)
    paul = opened.reader(app, engine, silo, "trainee", course, "4")
    need = f"/courses/{course}/people?state=need"
    link = f"people/{opened.actor('4')}"
    assert link in tutor.page(need)
    assert paul.post("/me/settings", {"do": "pause"}).status_code == 303
    assert link not in tutor.page(need)
    assert "Roche" not in tutor.page(f"/courses/{course}/today")
    assert "Roche" in tutor.page(f"/courses/{course}/people")
    person = f"/courses/{course}/people/{opened.actor('4')}"
    assert "En pause" in tutor.page(person)
    assert tutor.post(f"{person}/pause", {"do": "resume"}).status_code == 303
    assert link in tutor.page(need)
    assert tutor.post(f"{person}/pause", {"do": "pause"}).status_code == 303
    with transaction(engine, silo, write=False) as conn:
        assert keeping_apart.paused(conn, silo, course) == {opened.actor("4")}


@sqlite_only
def test_names_are_for_the_tutors_of_the_course_and_no_page_tells_the_hour(
    app: Any, engine: Engine, silo: int, course: int
) -> None:
    elsewhere = opened.add_course(engine, silo, 9, "Ailleurs")
    readers = {
        "tutor": opened.reader(app, engine, silo, "tutor", course),
        "stranger": opened.reader(app, engine, silo, "tutor", elsewhere, "autre"),
        "admin": opened.reader(app, engine, silo, "admin", course, "chef"),
        "colleague": opened.reader(app, engine, silo, "trainee", course, "5"),
    }
    hour = re.compile(r"\b(?:[01]?\d|2[0-3])(?::[0-5]\d| ?h ?[0-5]\d)\b")
    named = 0
    for address in _pages(app, course, opened.actor("3")):
        if address.endswith("xlsx"):
            continue
        for who, reader in readers.items():
            text = _text(reader.get(address))
            if who == "tutor":
                named += "Benali" in text
            else:
                assert "Benali" not in text, (who, address)
            about_a_person = opened.actor("3") in address or "people" in address or "me" in address
            if about_a_person or "journal" in address:
                assert not hour.search(text), (who, address, hour.findall(text)[:3])
    assert named >= 4


def test_pseudonyms_change_with_their_key_and_files_go_on_matching(engine: Engine, silo: int) -> None:
    from tool_config import addresses

    with transaction(engine, silo, write=False) as conn:
        before = silos.get(conn, silo)
    with administration(engine) as conn:
        silos.rotate_pseudonyms(conn, silo)
    with transaction(engine, silo, write=False) as conn:
        after = silos.get(conn, silo)
    some = [opened.actor(sub) for sub in NAMES]
    old, new = ({silos.pseudonym(owner, one) for one in some} for owner in (before, after))
    assert len(new) == len(some)
    assert not old & new
    assert addresses.digest(before, "a@b.fr") == addresses.digest(after, "a@b.fr")
