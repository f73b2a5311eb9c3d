"""The audit: what it keeps of comings, refusals and looks, who reads it, and what is never in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from lti_tool import audit as audits
from lti_tool.audit import Wanted
from lti_tool.cli import main
from lti_tool.tables import audit
from lti_tool.web import guard
from tests.factories.platform import INSTRUCTOR, SITE_ADMIN, Browser, FakePlatform, jwks_server
from tool_config import silos
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from xapi.statement import account_key

#: What nothing of the audit may hold: names, addresses, tokens, session keys, titles.
PERSONAL = re.compile(r"Sara|Student|student1|@|sesskey|Dg7w4SmCBb|eyJ|LTI Course|moodle\.test")


@pytest.fixture
def platform(clock: Any, settings: Settings, engine: Engine, silo: int) -> Iterator[FakePlatform]:
    with jwks_server() as server:
        made = FakePlatform(server, clock, settings.public_url)
        made.register(engine, silo)
        yield made


@pytest.fixture
def visitor(app: Any, settings: Settings) -> Browser:
    return Browser(app, settings.public_url)


def rows(engine: Engine, silo: int) -> list[Any]:
    with transaction(engine, silo, write=False) as conn:
        return list(
            conn.execute(select(audit).where(audit.c.silo_id == silo).order_by(audit.c.at, audit.c.audit_id))
        )


def furnish(app: Any, settings: Settings, platform: FakePlatform, clock: Any) -> Browser:
    """Let a learner come, a tutor look and export, and several be refused; return the tutor's browser."""
    Browser(app, settings.public_url).opened(platform)
    clock.advance(minutes=1)
    tutor = Browser(app, settings.public_url)
    place = tutor.opened(platform, sub="7", roles=[INSTRUCTOR])
    course = tutor.entered(place).split("/courses/")[1].split("/")[0]
    clock.advance(minutes=1)
    learner = account_key(platform.issuer, "3")
    assert tutor.get(f"{place}courses/{course}/people/{learner}").status_code == 200
    assert tutor.get(f"{place}courses/{course}/people.csv").status_code == 200
    assert tutor.get(f"{place}sessions").status_code == 403
    assert tutor.get(f"{place}courses/1234/today").status_code == 404
    assert tutor.post(f"{place}courses/{course}/outline", data={"csrf_token": "x"}).status_code == 403
    clock.advance(minutes=1)
    assert tutor.launch(platform, sub="9", roles=[]).status_code == 403
    assert tutor.launch(platform, name="Sara <Student>", aud="student1@example.test").status_code == 401
    assert (
        tutor.try_login(platform, login_hint="student1@example.test", target_link_uri="x").status_code == 400
    )
    return tutor


def test_a_line_says_who_came_as_what_and_where_and_who_was_refused_and_why(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int, clock: Any
) -> None:
    furnish(app, settings, platform, clock)
    found = rows(engine, silo)
    learner, tutor = (account_key(platform.issuer, sub) for sub in ("3", "7"))
    course = found[0].course_id
    told = [(row.action, row.accepted, row.role, row.actor) for row in found]
    assert told[0] == ("launch", True, "trainee", learner)
    assert told[1] == ("launch", True, "tutor", tutor)
    assert course is not None
    assert found[1].course_id == course
    looked = next(row for row in found if row.action == "look")
    assert (looked.actor, looked.subject, looked.course_id) == (tutor, learner, course)
    assert ("export", True, "tutor", tutor) in told
    refused = {row.reason: row for row in found if not row.accepted}
    assert refused["page: role"].actor == tutor
    assert refused["page: not theirs, or not there"].actor == tutor
    assert refused["form: not from a page still open"].actor == tutor
    nobody = refused["launch: no role gives access"]
    assert (nobody.actor, nobody.course_id) == (account_key(platform.issuer, "9"), course)
    assert "launch: token is for another client" in refused
    assert "login: target_link_uri is not this tool" in refused
    assert {row.action for row in found} <= set(audits.ACTIONS)


def test_no_token_name_address_or_title_is_in_the_audit(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int, clock: Any
) -> None:
    furnish(app, settings, platform, clock)
    found = rows(engine, silo)
    assert len(found) >= 9
    for row in found:
        assert not PERSONAL.search(repr(tuple(row))), row


def test_strangers_guesses_fill_only_so_many_lines_a_minute(
    visitor: Browser,
    platform: FakePlatform,
    engine: Engine,
    silo: int,
    second_silo: int,
    monkeypatch: pytest.MonkeyPatch,
    clock: Any,
) -> None:
    monkeypatch.setattr(guard, "STRANGERS", 3)
    for _ in range(5):
        assert visitor.get(f"/c/{silo}-{'a' * 22}/journal").status_code == 404
    found = rows(engine, silo)
    assert [(row.accepted, row.actor, row.reason) for row in found] == [
        (False, None, "page: launch not of this browser")
    ] * 3
    clock.advance(minutes=1)
    assert visitor.get(f"/c/{silo}-{'a' * 22}/journal").status_code == 404
    assert len(rows(engine, silo)) == 4
    for nowhere in ("999", str(second_silo)):  # no such silo; one without any platform
        assert visitor.get(f"/c/{nowhere}-{'a' * 22}/journal").status_code == 404
    assert rows(engine, second_silo) == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_silo_adds_lines_and_can_neither_change_nor_delete_them(
    visitor: Browser, platform: FakePlatform, engine: Engine, silo: int
) -> None:
    visitor.opened(platform)
    before = rows(engine, silo)
    for written in (update(audit).values(reason="other"), delete(audit)):
        with pytest.raises(DBAPIError, match="permission denied"), transaction(engine, silo) as conn:
            conn.execute(written)
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        transaction(engine, silo) as conn,
    ):
        conn.exec_driver_sql("TRUNCATE audit")
    assert rows(engine, silo) == before != []


def administrator(app: Any, settings: Settings, platform: FakePlatform) -> tuple[Browser, str]:
    browser = Browser(app, settings.public_url)
    return browser, browser.opened(platform, sub="2", roles=[SITE_ADMIN], name="Ada Admin")


def test_the_administrator_reads_it_filters_it_and_keeps_a_file(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int, clock: Any
) -> None:
    furnish(app, settings, platform, clock)
    browser, place = administrator(app, settings, platform)
    page = browser.get(f"{place}journal").get_data(as_text=True)
    with administration(engine) as conn:
        owner = silos.get(conn, silo)
    learner, tutor = (silos.pseudonym(owner, account_key(platform.issuer, sub)) for sub in ("3", "7"))
    assert learner in page
    assert tutor in page
    assert "Sara" not in page
    assert "sesskey" not in page
    assert "Le rôle dans le cours ne donne pas ce droit." in page
    only = browser.get(f"{place}journal?kind=refusal").get_data(as_text=True)
    assert only.count("<tr>") - 1 == 6
    looks = browser.get(f"{place}journal?kind=look").get_data(as_text=True)
    assert looks.count("<tr>") - 1 == 1
    assert browser.get(f"{place}journal?from=2026-11-22").get_data(as_text=True).count("<tr>") == 0
    assert browser.get(f"{place}journal?to=2026-11-20").get_data(as_text=True).count("<tr>") == 0
    assert browser.get(f"{place}journal?kind=x&from=hier&page=-3&to=9999-12-31").status_code == 200
    file = browser.get(f"{place}journal.csv?kind=refusal").get_data().decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(file), delimiter=";"))
    assert len(lines) == 7
    assert lines[0][0] == "Instant"
    assert not PERSONAL.search("".join("".join(line[:5] + line[6:]) for line in lines))
    assert [row.action for row in rows(engine, silo)].count("export") == 2


def test_it_is_paged_and_each_line_stands_on_one_page(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, silo: int, clock: Any
) -> None:
    browser, place = administrator(app, settings, platform)
    with transaction(engine, silo) as conn:
        for _ in range(120):
            audits.write(conn, silo, at=clock(), action="edit", accepted=True)
    seen: list[str] = []
    address: str | None = f"{place}journal?kind=edit"
    pages = 0
    while address:
        page = browser.get(address).get_data(as_text=True)
        seen += re.findall(r'class="extra dim">([0-9a-f]{12})<', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following[1].replace("&amp;", "&") if following else None
        pages += 1
    assert (pages, len(seen), len(set(seen))) == (3, 120, 120)


def test_tutors_trainees_and_other_silos_do_not_read_it(
    app: Any, settings: Settings, platform: FakePlatform, engine: Engine, second_silo: int, clock: Any
) -> None:
    for claims in ({}, {"sub": "7", "roles": [INSTRUCTOR]}):
        browser = Browser(app, settings.public_url)
        place = browser.opened(platform, **claims)
        for name in ("journal", "journal.csv"):
            assert browser.get(f"{place}{name}").status_code == 403
    neighbour = FakePlatform(
        platform.server, clock, settings.public_url, issuer="https://n.test", client_id="n"
    )
    neighbour.register(engine, second_silo)
    other = Browser(app, settings.public_url)
    other.opened(neighbour, sub="77")
    browser, place = administrator(app, settings, platform)
    with administration(engine) as conn:
        theirs = silos.pseudonym(silos.get(conn, second_silo), account_key("https://n.test", "77"))
    page = browser.get(f"{place}journal").get_data(as_text=True)
    assert theirs not in page
    assert page.count("<tr>") - 1 == 7  # three launches, four pages refused


def test_the_command_lists_it_with_pseudonyms(
    app: Any,
    settings: Settings,
    platform: FakePlatform,
    engine: Engine,
    silo: int,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    furnish(app, settings, platform, clock)
    monkeypatch.setenv("ESTIME_DATABASE_URL", engine.url.render_as_string(hide_password=False))

    def listed(*options: str) -> Any:
        result = CliRunner().invoke(main, ["audit", "list", "--silo", "essai", *options])
        assert result.exit_code == 0, result.output
        assert not PERSONAL.search(result.stdout)
        assert account_key(platform.issuer, "3") not in result.stdout
        return json.loads(result.stdout)["lines"]

    assert len(listed()) == len(rows(engine, silo))
    assert {line["accepted"] for line in listed("--kind", "refusal")} == {False}
    assert [line["role"] for line in listed("--kind", "launch")] == ["tutor", "trainee"]
    assert len(listed("--limit", "2")) == 2
    assert listed("--from", "2026-11-22") == []
    assert len(listed("--from", "2026-11-21", "--to", "2026-11-21")) == len(listed())


def test_lines_come_the_latest_first(engine: Engine, silo: int, clock: Any) -> None:
    with transaction(engine, silo) as conn:
        first = audits.write(conn, silo, at=clock(), action="edit", accepted=True)
        second = audits.write(conn, silo, at=clock.advance(minutes=1), action="edit", accepted=True)
        found = audits.lines(conn, silo, Wanted(), limit=10)
        since = audits.lines(conn, silo, Wanted(since=clock()), limit=10)
        until = audits.lines(conn, silo, Wanted(until=clock()), limit=10)
    assert [line.audit_id for line in found] == [second, first]
    assert [line.audit_id for line in since] == [second]
    assert [line.audit_id for line in until] == [first]
