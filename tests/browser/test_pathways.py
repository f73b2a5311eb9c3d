"""An administrator sees where people stop, by corps, and reads the types of ways, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_an_administrator_sees_where_people_stop(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    head = visit().open(session, running.person(session, role="admin"))
    head.go("pathways?path=40&show=by:corps")
    frame = head.frame
    frame.locator("#stops-title").wait_for()
    assert "Numérique éducatif : à son rythme" in head.text
    # The administration stops more than the others, and the page says so, with its test.
    assert "Vont au bout sans s’arrêter" in head.text
    assert "Les groupes ne s’arrêtent pas au même rythme" in head.text
    frame.locator("[data-chart=figure-steps][data-drawn=yes]").wait_for()
    table = frame.locator("section", has=frame.locator("#stops-title")).locator("details[data-table]")
    table.locator("summary").click()
    assert "Attaché d’administration de l’État" in table.inner_text()
    # The types are made in the background: the page shows them once they are there.
    for _ in range(40):
        if frame.locator("ul.types li").count():
            break
        head.page.wait_for_timeout(250)
        head.go("pathways?path=40&show=by:corps")
    assert "suivent l’ordre prévu et vont jusqu’au bout." in head.text
    frame.locator("select[name=show]").select_option("")
    head.press(frame.get_by_role("button", name="Afficher"))
    frame.locator("[data-chart=figure-flow]").wait_for()
    assert "est pris plus tôt que prévu" in head.text
    assert head.errors == []


def test_the_page_fits_a_telephone(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    head = visit(width=400, height=800).open(session, running.person(session, role="admin"))
    head.go("pathways?path=40")
    head.frame.locator("#stops-title").wait_for()
    assert head.inner.evaluate("document.documentElement.scrollWidth") <= 400
    assert head.errors == []
