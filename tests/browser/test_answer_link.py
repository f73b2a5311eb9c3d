"""Somebody outside the course reads a message, opens its link on a telephone, and answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.conftest import Clock, Live
from tests.factories import jobs, opened
from tests.factories.mailbox import Mailbox, link, mailbox
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.survey_tables import answer

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"], indirect=True)]

WIDTH = 400


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    sender = "formation@ecole.test"
    return replace(settings, smtp_host="127.0.0.1", smtp_port=box.port, smtp_tls="none", mail_sender=sender)


def received(live: Live, silo: int, clock: Clock, box: Mailbox) -> str:
    """Open the questionnaire, send its link from the tutor's page; return the link that was received."""
    engine = live.engine
    course = opened.add_course(engine, silo)
    opened.add_people(engine, silo, course, {"formateur": "Nadia Aubert"}, role="tutor")
    opened.take_in(engine, silo, opened.statements("1", 3, 1), clock)
    # The same browser, looking at the tool under its public name.
    tutor = opened.reader(live.app, engine, silo, "tutor", course)
    sent = {"module": "", "template": "regard-commanditaires", "mode": "pseudonymous"}
    form = sent | {"opens": "2026-11-21", "closes": "2026-12-05"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened, "PUBLIC", live.url)
        made = tutor.post(f"/courses/{course}/satisfaction/new", form)
        found = re.search(r"(/courses/.*/satisfaction/[0-9a-f-]{36})", made.headers["Location"])
        assert found
        people = {"do": "add", "recipients": "Anne Roy <anne@mairie.test>", "locale": "fr"}
        for step in (people, {"do": "send"}):
            assert tutor.post(f"{found[1]}/links", step).status_code == 303
    jobs.drain(live.app.extensions["estime"])
    (message,) = box.to("anne@mairie.test")
    return link(message)


def test_a_mailed_link_is_answered_on_a_telephone(
    browser: Any, live_server: Live, silo: int, clock: Clock, box: Mailbox, engine: Engine
) -> None:
    address = received(live_server, silo, clock, box)
    context = browser.new_context(viewport={"width": WIDTH, "height": 800}, locale="fr-FR")
    context.set_default_timeout(8_000)
    page, errors = context.new_page(), []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.locator("form.survey[novalidate]").wait_for()
    assert page.locator(".head").inner_text() == "essai"
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert page.locator("[data-question]:visible").count() == 1
    if folder := os.environ.get("ESTIME_SCREENS"):
        page.screenshot(path=f"{folder}/link-400.png", full_page=True)
    page.locator("[data-question]:visible input").first.focus()
    page.keyboard.press("Space")
    page.reload()  # the draft is kept here, and the link still serves
    page.locator("form.survey[novalidate]").wait_for()
    assert page.locator("[data-question]:visible input").first.is_checked()
    total = page.locator("[data-question]").count()
    for rank in range(1, total + 1):
        shown = page.locator("[data-question]:visible")
        for name in {field.get_attribute("name") for field in shown.locator("input[type=radio]").all()}:
            shown.locator(f"input[name='{name}']").first.check()
        if rank < total:
            page.get_by_role("button", name="Suivante").click()
            page.get_by_text(f"Question {rank + 1} sur {total}").wait_for()
    page.get_by_role("button", name="Envoyer mes réponses").click()
    page.get_by_text("Merci de votre réponse").wait_for()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('estime-draft-'))") == []
    page.goto(address)
    page.get_by_text("Vous avez déjà répondu").wait_for()
    assert [said for said in errors if "410" not in said] == []
    context.close()
    with transaction(engine, silo, write=False) as conn:
        assert len(set(conn.scalars(select(answer.c.respondent)))) == 1
