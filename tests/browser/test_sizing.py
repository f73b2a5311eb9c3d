"""An administrator asks whether a session is too large, and reads how many places would do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_is_a_session_too_large(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit()
    tab.page.context.set_default_timeout(60_000)
    tab.open(session, running.person(session, role="admin"))
    assert tab.go("sizing") == 200
    row = tab.frame.get_by_role("row").filter(
        has=tab.frame.get_by_role("link", name="Prise de poste en collège")
    )
    assert "trop grande" in row.inner_text()
    row.get_by_role("link").click()
    tab.frame.get_by_role("heading", name="Une session est-elle trop grande").wait_for()
    said = re.sub(r"\s+", " ", tab.text)
    assert re.search(r"Une session est trop grande : 1\d\d inscrits pour 300 places", said)
    assert re.search(r"[34]\d places suffiraient 80 fois sur 100\.", said)
    assert "inscrits attendus, entre" in said
    # The chart is drawn, and its table says the same.
    tab.frame.locator("[data-chart=figure-sessions] svg").first.wait_for()
    assert tab.errors == []
