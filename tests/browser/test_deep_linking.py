"""A tutor adds a dashboard and a questionnaire to a course; the links open on their choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lti_tool import surveys
from lti_tool.sandbox.programme import Session
from tests.browser.conftest import Running, Visit
from tool_config import silos
from tool_config.database import administration, transaction
from xapi.identity import course_id

pytestmark = pytest.mark.browser

#: Milliseconds that a page may take: each click here is several pages of two sites.
_PATIENCE = 40_000


@pytest.fixture
def session(running: Running) -> Iterator[Session]:
    """Yield the older session of the first site; take away what was placed and opened in it."""
    found, tool = running.session("-1"), running.demo.tool.extensions["estime"]
    with administration(tool.engine) as conn:
        silo = silos.by_name(conn, found.site.silo).silo_id
        key = course_id(silo, found.iri)
        before = {each.survey_id for each in surveys.listing(conn, silo, key)}
    yield found
    registry = running.demo.campus.registry
    registry.links = [link for link in registry.links if link.cmid % 100 < 51]
    with transaction(tool.engine, silo) as conn:
        for each in surveys.listing(conn, silo, key):
            if each.survey_id not in before:
                surveys.cancel(conn, each)


def start(visit: Callable[..., Visit], running: Running, session: Session, **options: Any) -> Visit:
    """Open the choice of content as a tutor; return the tab."""
    tutor = running.person(session, role="tutor")
    tab = visit(**options)
    tab.page.set_default_timeout(_PATIENCE)
    tab.page.goto(
        f"{running.demo.campus.origin}/{session.site.key}/course/view.php"
        f"?id={session.course_id}&as={tutor.user_id}"
    )
    tab.page.get_by_role("link", name="Ajouter une activité").click()
    tab.page.get_by_role("button", name="Sélectionner le contenu").click()
    tab.frame.locator("form.place").wait_for()
    return tab


def module(session: Session, rank: int) -> str:
    return f"Module {rank}. {session.modules[rank].title}"


def test_a_tutor_places_a_dashboard_and_a_questionnaire(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    tab = start(visit, running, session)
    assert not tab.frame.locator("input[name=closes]").is_visible()
    tab.frame.get_by_role("checkbox", name="Le tableau de bord").check()
    tab.frame.locator("input[name=what][value^='module:']").nth(3).check()
    tab.frame.locator("input[name=mode][value=anonymous]").check()
    tab.frame.get_by_role("button", name="Ajouter au parcours").click()
    chosen = tab.page.locator("#chosen li")
    chosen.first.wait_for()
    assert chosen.count() == 2
    assert tab.page.locator("#contentframe").is_hidden()
    tab.page.get_by_role("button", name="Enregistrer et revenir au cours").click()
    links = tab.page.locator(".external a")
    links.nth(2).wait_for()
    assert tab.errors == []
    for person, opens in (
        (running.person(session, role="tutor"), "anonyme"),
        (running.person(session, profile="weekly"), "anonyme"),
    ):
        seen = visit()
        seen.page.set_default_timeout(_PATIENCE)
        seen.page.goto(tab.page.url.rpartition("&as=")[0] + f"&as={person.user_id}")
        seen.page.locator(".external a").nth(2).click()
        seen.frame.locator("main .lead, main form.survey").first.wait_for()
        assert opens in seen.text
        assert (seen.frame.locator("form.survey").count() == 1) == (person.role == "trainee")
        assert ("/satisfaction/" in seen.url) == (person.role == "tutor")
        assert seen.errors == []
    seen = visit()
    seen.page.set_default_timeout(_PATIENCE)
    seen.page.goto(tab.page.url)
    seen.page.locator(".external a").nth(1).click()
    seen.frame.locator("nav.tabs a[aria-current=page]", has_text="Ce matin").wait_for()


def test_cancelling_comes_back_to_the_platform_with_nothing(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    tab = start(visit, running, session)
    tab.frame.get_by_role("checkbox", name="La progression").check()
    tab.frame.get_by_role("button", name="Annuler").click()
    tab.page.locator("#nothing").wait_for()
    assert tab.page.locator("#chosen").is_hidden()
    assert tab.errors == []


def test_a_fault_is_said_in_place_and_what_was_chosen_is_kept(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    tab = start(visit, running, session, width=400, height=800)
    tab.frame.get_by_role("button", name="Ajouter au parcours").click()
    tab.frame.locator("[role=alert]").wait_for()
    assert "Choisissez au moins un élément" in tab.text
    tab.frame.locator("input[name=what][value^='module:']").first.check()
    tab.frame.locator("input[name=closes]").fill("2020-01-01")
    tab.frame.get_by_role("button", name="Ajouter au parcours").click()
    tab.frame.locator("#fault-closes").wait_for()
    assert tab.frame.locator("input[name=what][value^='module:']").first.is_checked()
    extent = tab.inner.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert extent[0] <= extent[1]


def test_without_scripts_the_choice_is_sent_by_its_button(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    tutor = running.person(session, role="tutor")
    tab = visit(java_script_enabled=False)
    tab.page.set_default_timeout(_PATIENCE)
    base = f"{running.demo.campus.origin}/{session.site.key}/mod/lti"
    tab.page.goto(f"{base}/contentitem.php?course={session.course_id}&id=1&as={tutor.user_id}")
    for _ in range(2):
        tab.page.get_by_role("button", name="Ouvrir l’outil").click()
    tab.page.get_by_role("checkbox", name="Le tableau de bord").check()
    tab.page.get_by_role("button", name="Ajouter au parcours").click()
    tab.page.get_by_role("button", name="Envoyer à la plateforme").click()
    tab.page.get_by_text("Contenu sélectionné").wait_for()
    assert "Où en est la session" in tab.page.locator("main").inner_text()
