"""An administrator asks which origin avoids a module, and who comes from where."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_which_origin_avoids_a_module(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit()
    tab.page.context.set_default_timeout(20_000)
    tab.open(session, running.person(session, role="admin"))
    assert tab.go("origins") == 200
    # The map is drawn by the server: squares with their share, before any script.
    tiles = tab.frame.locator("svg.tiles g")
    assert tiles.count() >= 30
    tab.frame.get_by_role("link", name="Choix", exact=True).click()
    title = tab.frame.locator("#origin-title")
    title.wait_for()
    assert re.search(r"Les .+ évitent « .+ »", title.inner_text().replace("\u202f", " "))
    less = tab.frame.locator("ul.said").first.locator("li").first.inner_text().replace("\u202f", " ")
    assert re.fullmatch(r"Les .+ choisissent « .+ » \d(,\d)? fois moins souvent qu’attendu ; n = \d+\.", less)
    # The same by another trait: the sentence changes, and the drawing is there.
    tab.frame.locator("select[name=by]").select_option("establishment")
    tab.frame.get_by_role("button", name="Afficher").click()
    tab.frame.locator("option[value=establishment][selected]").wait_for(state="attached")
    # A chart is drawn when it comes into view.
    tab.frame.locator("[data-chart=figure-choices-origin]").scroll_into_view_if_needed()
    tab.frame.locator("[data-chart=figure-choices-origin] svg").first.wait_for()
    with tab.page.expect_download() as kept:
        tab.frame.locator("section[aria-labelledby=origin-title]").get_by_role("link", name="CSV").click()
    assert kept.value.suggested_filename.startswith("estime-choix-")
    assert tab.errors == []
