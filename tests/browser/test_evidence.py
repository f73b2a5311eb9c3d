"""An administrator asks for the pack of a path, follows it, and takes the PDF away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pypdf import PdfReader

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_the_pack_of_a_path(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit()
    tab.page.context.set_default_timeout(60_000)
    tab.open(session, running.person(session, role="admin"))
    assert tab.go("evidence") == 200
    tab.frame.get_by_role("button", name="Préparer le dossier").click()
    # Only the page that follows has the list; it reloads itself until the pack is ready.
    tab.frame.get_by_role("heading", name="Dossiers demandés").wait_for()
    link = tab.frame.get_by_role("link", name="PDF")
    link.wait_for()
    with tab.page.expect_download() as kept:
        link.click()
    reader = PdfReader(kept.value.path())
    assert kept.value.suggested_filename.startswith("estime-preuves-")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "Indicateur 32" in " ".join(page.extract_text() for page in reader.pages)
    assert "Un dossier est prêt" in tab.text
    assert tab.errors == []
