"""An administrator connects a new site: makes an invitation, pastes it into the platform, activates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser

#: Milliseconds that a page may take: each click here is several pages of two sites.
_PATIENCE = 40_000


@pytest.fixture
def platform(running: Running) -> str:
    """Return the sandbox under the name by which it calls itself: another site than the tool's."""
    assert urlsplit(running.demo.campus.origin).hostname == "127.0.0.1"
    return running.demo.campus.origin


@pytest.fixture
def new_site(running: Running) -> Iterator[Any]:
    """Yield the site that is not connected; leave it as it was."""
    from tool_config import platforms
    from tool_config.database import administration

    campus, engine = running.demo.campus, running.demo.tool.extensions["estime"].engine
    site = next(each for each in campus.sites if not each.connected)
    yield site
    campus.registry.tools = [tool for tool in campus.registry.tools if tool.site != site.key]
    campus.registry.links = [link for link in campus.registry.links if link.site != site.key]
    with administration(engine) as conn:
        for each in platforms.find(conn, site.issuer):
            platforms.remove(conn, each.silo_id, each.issuer)


def invite(visit: Callable[..., Visit], running: Running) -> tuple[Visit, str]:
    """Make an invitation as the administrator of a connected site; return their tab and the link."""
    session = running.session("-3")
    admin = visit()
    admin.page.set_default_timeout(_PATIENCE)
    admin.open(session, running.person(session, role="admin")).tab("Réglages").tab("Connexions")
    admin.frame.get_by_role("button", name="Créer une invitation").click()
    link = admin.frame.locator("#value-link")
    link.wait_for()
    return admin, str(link.input_value())


def paste(visit: Callable[..., Visit], platform: str, link: str, **options: Any) -> Visit:
    """Paste an invitation into the tools of the new site."""
    tab = visit(**options)
    tab.page.set_default_timeout(_PATIENCE)
    tab.page.goto(f"{platform}/rectorat/mod/lti/toolconfigure.php?as=2")
    tab.page.locator("#url").fill(link)
    tab.page.get_by_role("button", name="Ajouter LTI Advantage").click()
    tab.frame.locator("main .lead").wait_for()
    return tab


def test_an_administrator_connects_a_site_by_invitation(
    visit: Callable[..., Visit], running: Running, platform: str, new_site: Any
) -> None:
    admin, link = invite(visit, running)
    assert link.startswith(f"{running.tool}/lti/register/")
    assert admin.errors == []
    tab = paste(visit, platform, link)
    assert "Estime est relié" in tab.text
    assert "Cadres de l’éducation" in tab.text
    tab.frame.get_by_role("button", name="Fermer").click()
    card = tab.page.locator(".card.pending")
    card.wait_for()
    assert tab.page.locator("#registration").count() == 0
    assert "Où en est la session" in card.inner_text()
    assert "sans adresse" in card.inner_text()
    image = card.locator("img")
    assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    card.get_by_role("button", name="Activer").click()
    tab.page.locator(".card.active", has_text="Estime").wait_for()
    assert tab.errors == []
    admin.tab("Connexions")
    assert "a servi le" in admin.text
    assert f"{urlsplit(platform).netloc}/rectorat" in admin.text


def test_the_window_closes_by_itself(
    visit: Callable[..., Visit], running: Running, platform: str, new_site: Any
) -> None:
    _, link = invite(visit, running)
    tab = paste(visit, platform, link)
    tab.page.locator(".card.pending").wait_for()
    assert tab.errors == []


def test_a_link_that_has_served_says_so_in_the_frame(
    visit: Callable[..., Visit], running: Running, platform: str, new_site: Any
) -> None:
    _, link = invite(visit, running)
    paste(visit, platform, link)
    again = paste(visit, platform, link, width=400, height=800)
    assert "a déjà servi" in again.text
    extent = again.inner.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert extent[0] <= extent[1]
    again.frame.get_by_role("button", name="Fermer").click()
    again.page.locator(".cards").wait_for()
    assert again.page.locator("#registration").count() == 0


def test_the_new_site_opens_the_tool_in_its_course(
    visit: Callable[..., Visit], running: Running, platform: str, new_site: Any
) -> None:
    _, link = invite(visit, running)
    tab = paste(visit, platform, link)
    tab.frame.get_by_role("button", name="Fermer").click()
    tab.page.get_by_role("button", name="Activer").click()
    tab.page.locator(".card.active").wait_for()
    tutor = visit(tab.page.context)
    tutor.page.set_default_timeout(_PATIENCE)
    tutor.page.goto(f"{platform}/rectorat/course/view.php?id=5&as=3")
    tutor.page.get_by_role("link", name="Ajouter une activité").click()
    tutor.page.get_by_role("button", name="Sélectionner le contenu").click()
    tutor.press(tutor.frame.locator("#told"))
    tutor.frame.get_by_role("checkbox", name="Le tableau de bord").check()
    tutor.frame.get_by_role("button", name="Ajouter au parcours").click()
    tutor.page.get_by_role("button", name="Enregistrer et revenir au cours").click()
    tutor.page.locator(".external a").click()
    tutor.frame.locator("nav.tabs a[aria-current=page]").wait_for()
    assert "Ce matin" in tutor.text
    assert tutor.errors == []
