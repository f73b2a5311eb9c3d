"""A trainee asks for their erasure, an administrator sees what it would take and decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_a_trainee_asks_and_reads_the_decision(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    # Refused at the end: the demo is shared, and keeps everybody.
    trainee = visit(width=400, height=800).open(session, running.person(session))
    trainee.press(trainee.frame.get_by_role("link", name="Mes réglages de confidentialité"))
    trainee.press(trainee.frame.get_by_role("button", name="Me mettre en pause"))
    trainee.frame.get_by_text("Votre parcours est en pause").wait_for()
    trainee.press(trainee.frame.get_by_role("button", name="Reprendre"))
    trainee.frame.get_by_role("button", name="Me mettre en pause").wait_for()
    trainee.press(trainee.frame.get_by_role("link", name="Effacer mes données"))
    trainee.press(trainee.frame.get_by_role("button", name="Demander l’effacement"))
    trainee.frame.get_by_text("Votre demande est reçue").wait_for()
    assert trainee.inner.evaluate("document.documentElement.scrollWidth") <= 400
    assert trainee.errors == []
    admin = visit().open(session, running.person(session, role="admin"))
    admin.tab("Réglages")
    admin.press(admin.frame.get_by_role("link", name="Effacements", exact=True))
    admin.press(admin.frame.get_by_role("link", name="Voir et décider").first)
    assert "Ce qui sera effacé" in admin.text
    assert "traces d’activité" in admin.text
    admin.frame.locator("textarea[name=reason]").fill("La session court jusqu’en mars.")
    admin.press(admin.frame.get_by_role("button", name="Refuser"))
    admin.frame.get_by_text("La demande est refusée").wait_for()
    assert admin.errors == []
    again = visit(width=400, height=800).open(session, running.person(session))
    again.press(again.frame.get_by_role("link", name="Mes réglages de confidentialité"))
    again.press(again.frame.get_by_role("link", name="Effacer mes données"))
    assert "La session court jusqu’en mars." in again.text
