"""An administrator asks which module to adapt first, and why; the answer becomes an improvement."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_which_module_to_adapt_first_and_why(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit()
    tab.page.context.set_default_timeout(60_000)
    tab.open(session, running.person(session, role="admin"))
    assert tab.go("adapt") == 200
    assert "À reprendre d’abord" in tab.text
    # Without what files say, what people said and did decides.
    tab.frame.get_by_label("Revue").fill("0")
    tab.press(tab.frame.get_by_role("button", name="Ranger"))
    assert "review=0" in tab.url
    first = tab.frame.locator("tbody th a").first
    name = first.inner_text()
    tab.press(first)
    assert name in tab.text
    assert "ne compte pas (poids 0)" in tab.text
    assert "avis favorables sur" in tab.text
    tab.press(tab.frame.get_by_role("link", name="Noter une amélioration"))
    assert name in tab.frame.locator("main").inner_text()
    tab.frame.get_by_label("Ce que vous en comprenez").fill("À reprendre avec le garant avant la rentrée.")
    tab.press(tab.frame.get_by_role("button", name="Ouvrir la fiche"))
    assert "La fiche est ouverte" in tab.text
    assert name in tab.text
    assert tab.errors == []
