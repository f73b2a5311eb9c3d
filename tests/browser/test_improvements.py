"""From a figure to an improvement, told to the trainees: the whole way in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def test_a_tutor_opens_an_improvement_from_a_figure_and_a_trainee_reads_what_was_done(
    visit: Callable[..., Visit], running: Running
) -> None:
    session = running.session("-3")
    tutor = visit().open(session, running.person(session, role="tutor"))
    tutor.tab("Satisfaction")
    row = tutor.frame.locator("tr", has_text="Concepts en contexte").first
    tutor.press(row.locator("a.note-mark"))
    said = tutor.frame.locator("table.figures td").first.inner_text()
    assert "d’avis favorables" in said
    tutor.frame.locator("textarea[name=noticed]").fill("Le module plaît, sauf la lecture.")
    tutor.press(tutor.frame.get_by_role("button", name="Ouvrir la fiche"))
    assert tutor.frame.locator("table.figures td").first.inner_text() == said
    day = (running.demo.campus.today + timedelta(days=10)).isoformat()
    tutor.frame.locator("textarea[name=decision]").fill("Découper la lecture en trois.")
    tutor.frame.locator("input[name=due_on]").fill(day)
    tutor.press(tutor.frame.get_by_role("button", name="Enregistrer la décision"))
    tutor.frame.locator("textarea[name=action]").fill("La lecture est en trois parties.")
    tutor.press(tutor.frame.get_by_role("button", name="Enregistrer l’action"))
    tutor.frame.locator("textarea[name=conclusion]").fill("À relire à la prochaine session.")
    tutor.press(tutor.frame.get_by_role("button", name="Vérifier et clore"))
    assert tutor.frame.locator(".tag.state-checked").inner_text() == "vérifié"
    assert "La mesure n’a pas bougé" in tutor.text
    tutor.frame.locator("summary", has_text="Publier aux participants").click()
    tutor.frame.locator("textarea[name=told]").fill("La lecture vous paraît longue.")
    tutor.frame.locator("input[name=reviewed]").check()
    tutor.press(tutor.frame.get_by_role("button", name="Publier aux participants"))
    tutor.frame.get_by_text("les participants le lisent dans leur page").wait_for()
    assert tutor.frame.locator(".history > li").count() == 5
    assert tutor.errors == []
    trainee = visit(width=400, height=800).open(session, running.person(session))
    assert "La lecture vous paraît longue." in trainee.text
    assert "La lecture est en trois parties." in trainee.text
    assert trainee.inner.evaluate("document.documentElement.scrollWidth") <= 400
    assert trainee.errors == []
