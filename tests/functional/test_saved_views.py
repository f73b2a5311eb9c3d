"""Saved views: kept, opened with the reader's rights, made as files, every month, and by whom."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, update

from lti_tool import jobs as queue
from lti_tool import paths, profiles, saved
from lti_tool.app import create_app
from lti_tool.profile_tables import profile_grant
from lti_tool.profiles import Grant
from tests.conftest import SECRET_KEY, Clock
from tests.factories import jobs, opened
from tests.factories.imports import taken
from tests.factories.mailbox import Mailbox, mailbox, text
from tests.factories.opened import Reader
from tests.factories.platform import Browser
from tool_config.database import transaction
from tool_config.settings import Settings

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
QUERY = "kind=people&row=academie&column=corps"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture
def app(settings: Settings, engine: Engine, clock: Clock, box: Mailbox) -> Flask:
    sender: Any = {"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_tls": "none"}
    made = replace(settings, **sender, mail_sender="formation@ecole.test")
    return create_app(made, engine=engine, clock=clock)


@pytest.fixture
def admin(app: Flask, engine: Engine, silo: int, clock: Clock) -> Reader:
    people = "Adresse mail;Académie;Corps\n" + "\n".join(
        f"p{n}@ac-x.fr;{('Poitiers', 'Lille')[n % 2]};{('PERDIR', 'IEN')[n % 2]}" for n in range(60)
    )
    taken(engine, silo, people.encode(), clock, "people")
    course = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course, {"chef": "Camille Chef"}, role="tutor")
    return opened.reader(app, engine, silo, "admin", course, "chef")


def token(reader: Reader) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', reader.page("/views"))
    assert found
    return found[1]


def keep(
    reader: Reader, name: str = "Académies et corps", page: str = "/crossing", query: str = QUERY
) -> Any:
    return reader.post("/views", {"name": name, "page": page, "query": query}, token(reader))


def the_view(engine: Engine, silo: int, reader: Reader, owner: str) -> saved.View:
    with transaction(engine, silo, write=False) as conn:
        (view,) = saved.listing(conn, silo, owner)
    return view


def granted(engine: Engine, silo: int, clock: Clock, profile: str, *chosen: int) -> Grant:
    with transaction(engine, silo) as conn:
        return profiles.grant(
            conn, silo, profile=profile, name="Léa Roux", address="lea@ac-x.fr", paths=chosen,
            expires_at=None, by="x", secret_key=SECRET_KEY, now=clock(),
        )  # fmt: skip


def signed_in(app: Flask, engine: Engine, found: Grant, clock: Clock) -> Reader:
    with transaction(engine, found.silo_id) as conn:
        made = profiles.enter(conn, found, locale="fr", now=clock())
    return Reader(app, made.launch_id, made.secret)


def test_a_page_is_saved_made_and_taken_away(
    app: Flask, engine: Engine, silo: int, admin: Reader, clock: Clock
) -> None:
    page = admin.page(f"/crossing?{QUERY}&done=tied")
    sent = opened.fields(page)
    assert sent["page"] == ["/crossing"]
    assert set(sent["query"][0].split("&")) == set(QUERY.split("&"))
    assert (
        admin.post("/views", {"name": "", "page": "/crossing", "query": ""}, token(admin)).status_code == 400
    )
    for elsewhere in ("/profiles", "/journal", "/nowhere", "//evil.test", "/crossing/../profiles", ""):
        assert keep(admin, page=elsewhere).status_code == 404, elsewhere
    assert keep(admin).status_code == 303
    view = the_view(engine, silo, admin, opened.actor("chef"))
    led = admin.get(f"/views/{view.view_id}")
    assert led.status_code == 303
    assert led.headers["Location"].endswith(f"/crossing?{view.query}")
    here = f"/views/{view.view_id}"
    assert admin.post(here, {"do": "files"}, token(admin)).status_code == 303
    assert "en préparation" in admin.page("/views")
    jobs.drain(app.extensions["estime"])
    links = dict(re.findall(r'href="[^"]*(/views/files/\w+/(pdf|xlsx))"', admin.page("/views")))
    assert sorted(links.values()) == ["pdf", "xlsx"]
    files = {form: admin.get(link) for link, form in links.items()}
    assert (
        'filename="estime-academies-et-corps-2026-11-21.pdf"' in files["pdf"].headers["Content-Disposition"]
    )
    reader = PdfReader(io.BytesIO(files["pdf"].get_data()))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    said = " ".join(page.extract_text() for page in reader.pages)
    assert "Académies et corps" in said
    assert "Poitiers" in said
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["xlsx"].get_data()))
    from_page = admin.get(f"/crossing.xlsx?{QUERY}")
    same = CalamineWorkbook.from_filelike(io.BytesIO(from_page.get_data()))
    table = same.get_sheet_by_name(same.sheet_names[0]).to_python()
    assert table in [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    clock.advance(days=14, seconds=1)
    gone = opened.reader(app, engine, silo, "admin", 0, "chef")
    with transaction(engine, silo) as conn:
        conn.execute(update(sessions_table()).values(expires_at=clock() + timedelta(hours=1)))
    assert gone.get(next(iter(links))).status_code == 404
    assert gone.post(here, {"do": "remove"}, token(gone)).status_code == 303
    assert "Aucune vue" in gone.page("/views")


def sessions_table() -> Any:
    from lti_tool.tables import launch

    return launch


@sqlite_only
def test_a_link_opens_with_the_rights_of_its_reader(
    app: Flask, engine: Engine, silo: int, second_silo: int, admin: Reader, clock: Clock
) -> None:
    assert keep(admin).status_code == 303
    view = the_view(engine, silo, admin, opened.actor("chef"))
    lecteur = signed_in(app, engine, granted(engine, silo, clock, "lecteur"), clock)
    assert lecteur.get(f"/views/{view.view_id}").headers["Location"].endswith(view.query)
    assert "Académies et corps" not in lecteur.page("/views")  # theirs only
    assert lecteur.post(f"/views/{view.view_id}", {"do": "remove"}, token(lecteur)).status_code == 404
    link = f"https://estime.test/views/{silo}/{view.view_id}"
    assert lecteur.post("/views/received", {"link": f" {link}\n"}, token(lecteur)).status_code == 303
    for wrong in (
        "",
        "https://x.test/",
        link[:-1],
        f"https://estime.test/views/{second_silo}/{view.view_id}",
    ):
        assert lecteur.post("/views/received", {"link": wrong}, token(lecteur)).status_code == 400, wrong
    # A page beyond a profile is not opened by anybody's link, nor saved.
    assert keep(admin, "Sessions", "/sessions", "").status_code == 303
    with transaction(engine, silo, write=False) as conn:
        other = next(v for v in saved.listing(conn, silo, opened.actor("chef")) if v.page == "/sessions")
    assert lecteur.get(f"/views/{other.view_id}").status_code == 404
    assert keep(lecteur, page="/sessions").status_code == 404
    neighbour = opened.reader(app, engine, second_silo, "admin", opened.add_course(engine, second_silo), "x")
    assert neighbour.get(f"/views/{view.view_id}").status_code == 404
    tutor = opened.reader(app, engine, silo, "tutor", opened.add_course(engine, silo, 9), "7")
    assert tutor.get("/views").status_code == 403
    assert tutor.get(f"/views/{view.view_id}").status_code == 403
    # From outside: a browser with a launch goes on, another is told how to come in, and nothing of the view.
    browser = Browser(app, opened.PUBLIC)
    page = browser.get(f"/views/{silo}/{view.view_id}")
    assert page.status_code == 200
    assert "Académies" not in page.get_data(as_text=True)
    assert f"/sign-in/{silo}?to=views/{view.view_id}" in page.get_data(as_text=True)
    name, secret = next(iter(lecteur.headers().values())).split("=", 1)
    browser.client.set_cookie(name, secret, domain="estime.test", secure=True)
    led = browser.get(f"/views/{silo}/{view.view_id}")
    assert led.headers["Location"] == f"/c/{lecteur.launch_id}/views/{view.view_id}"
    assert browser.get(f"/views/{second_silo}/{view.view_id}").status_code == 200
    assert browser.get(f"/views/{silo}/x").status_code == 404


@sqlite_only
def test_files_of_a_month_come_once_with_a_message_without_figures(
    app: Flask, engine: Engine, silo: int, admin: Reader, clock: Clock, box: Mailbox
) -> None:
    found = granted(engine, silo, clock, "responsable")
    reader = signed_in(app, engine, found, clock)
    assert keep(reader).status_code == 303
    view = the_view(engine, silo, reader, found.actor)
    reader.post(f"/views/{view.view_id}", {"do": "monthly"}, token(reader))
    tool = app.extensions["estime"]

    def night() -> None:
        with transaction(engine, silo) as conn:
            queue.enqueue(conn, silo, saved.NIGHTLY, {}, now=clock())
        jobs.drain(tool)

    night()
    assert not box.received  # this month's is what was just looked at
    clock.now = datetime(2026, 12, 1, 5, tzinfo=UTC)
    night()
    night()
    clock.advance(days=9)
    night()
    (message,) = box.to("lea@ac-x.fr")
    said = text(message)
    assert f"https://estime.test/views/{silo}/{view.view_id}" in said
    assert not re.search(r"\d+\s*%|Poitiers", said)
    again = signed_in(app, engine, found, clock)
    assert "/pdf" in again.page("/views")
    # The grant changes: the files are refused, then no longer made.
    link = re.findall(r'href="[^"]*(/views/files/\w+/pdf)"', again.page("/views"))[0]
    assert again.get(link).status_code == 200
    with transaction(engine, silo) as conn:
        first = paths.create(conn, silo, "Piloter")
        conn.execute(update(profile_grant).values(profile="ingenieur", paths=[first]))
    assert again.get(link).status_code == 404
    clock.now = datetime(2027, 1, 2, 5, tzinfo=UTC)
    night()
    assert len(box.received) == 1
    (last,) = [row for row in jobs.listed(engine, silo, saved.KIND) if row.state == "failed"]
    assert last.message == "rights"
    with transaction(engine, silo) as conn:
        profiles.withdraw(conn, silo, found.grant_id)
        assert saved.listing(conn, silo, found.actor) == ()
