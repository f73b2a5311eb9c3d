"""An administrator makes the note for the council and takes the PDF away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pypdf import PdfReader

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_make_the_note(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit()
    tab.page.context.set_default_timeout(60_000)
    tab.open(session, running.person(session, role="admin"))
    assert tab.go("council") == 200
    tab.frame.get_by_role("button", name="Préparer la note").click()
    # Only the page that follows has the list; it reloads itself until the note is ready.
    tab.frame.get_by_role("heading", name="Notes demandées").wait_for()
    link = tab.frame.get_by_role("link", name="PDF")
    link.wait_for()
    with tab.page.expect_download() as kept:
        link.click()
    reader = PdfReader(kept.value.path())
    assert kept.value.suggested_filename.startswith("estime-note-conseil-")
    assert 1 < len(reader.pages) <= 4
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = " ".join(page.extract_text() for page in reader.pages)
    for title in ("En bref", "Qui est venu", "Places et journées", "Ce qu’il faudrait adapter d’abord"):
        assert title in text
    assert "Une note est prête" in tab.text
    assert tab.errors == []
