"""A tutor copies a questionnaire, changes it by keyboard, sees it, publishes it; a trainee answers it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


def publish(tab: Visit) -> None:
    """Copy the questionnaire of the end of a session, shorten it, and publish it."""
    frame = tab.frame
    frame.get_by_role("row", name="Votre avis sur la formation").get_by_role("button", name="Copier").click()
    title = frame.get_by_label("Titre (français)")
    title.fill("Bilan de la journée")
    move = frame.get_by_role("button", name="Descendre « Dans l’ensemble")
    move.focus()
    tab.page.keyboard.press("Enter")  # what was typed is kept with the move
    frame.locator("#b-overall h2", has_text="2.").wait_for()
    frame.get_by_role("button", name="Supprimer La durée de la formation").click()
    frame.locator("#b-length").wait_for(state="detached")
    frame.locator("select[name=new_kind]").select_option("choices")
    frame.get_by_role("button", name="Ajouter", exact=True).click()
    frame.locator("#b-choices-1").wait_for()
    frame.get_by_role("button", name="Publier la version 1").click()
    frame.get_by_text("champs sont à corriger avant de publier").wait_for()
    new = frame.locator("#b-choices-1")
    assert new.locator("[aria-invalid]").count() == 6
    for language, words in (
        ("fr", ("Quels moments", "Le matin", "Le soir")),
        ("en", ("When", "Morning", "Evening")),
    ):
        for field, text in zip(new.locator(f"[aria-invalid][lang={language}]").all(), words, strict=True):
            field.fill(text)
    frame.get_by_role("button", name="Aperçu").click()
    frame.get_by_text("Rien n’est envoyé").wait_for()
    assert frame.get_by_text("Quels moments").count() == 1
    assert frame.locator("[data-send]").is_disabled()
    frame.get_by_role("link", name="← Revenir au questionnaire").click()
    frame.get_by_role("button", name="Publier la version 1").click()
    frame.get_by_text("Le questionnaire est publié").wait_for()


def test_a_questionnaire_is_written_seen_published_and_answered(
    visit: Callable[..., Visit], running: Running
) -> None:
    session = running.session("-3")
    tutor = visit().open(session, running.person(session, role="tutor"))
    tutor.tab("Satisfaction")
    tutor.frame.get_by_role("link", name="Demander un avis sur un module").click()
    tutor.frame.get_by_role("link", name="Copier et adapter un questionnaire").click()
    publish(tutor)
    tutor.tab("Satisfaction")
    tutor.frame.get_by_role("link", name="Demander un avis sur un module").click()
    tutor.frame.get_by_label("Bilan de la journée").check()
    tutor.frame.get_by_role("button", name="Ouvrir le questionnaire").click()
    tutor.frame.get_by_text("Le questionnaire est enregistré").wait_for()
    assert [said for said in tutor.errors if "400 (BAD REQUEST)" not in said] == []

    phone = visit(width=400, height=800).open(session, running.person(session, profile="weekly"))
    phone.frame.locator(".invitations li", has_text="Bilan de la journée").get_by_role("link").click()
    frame = phone.frame
    frame.locator("form.survey[novalidate]").wait_for()
    assert frame.locator("[data-question]:visible").count() == 1
    rows = frame.locator("[data-question]:visible [data-row]")
    assert rows.count() == 10
    rows.nth(3).get_by_label("Plutôt d’accord").check()
    frame.get_by_role("button", name="Suivante").click()
    frame.get_by_label("Satisfait", exact=True).check()
    for rank in (3, 4, 5):
        frame.get_by_role("button", name="Suivante").click()
        frame.get_by_text(f"Question {rank} sur 6").wait_for()
    frame.get_by_role("button", name="Suivante").click()
    frame.get_by_label("Le matin").check()
    frame.get_by_label("Le soir").check()
    frame.get_by_role("button", name="Envoyer mes réponses").click()
    frame.get_by_text("Merci de votre réponse").wait_for()
    frame.get_by_role("link", name="Revenir à mon parcours").click()
    frame.locator(".invitations li", has_text="Bilan de la journée").get_by_role("link").click()
    frame.locator("form.survey[novalidate]").wait_for()
    assert frame.locator("input[name=q-choices-1]:checked").count() == 2
    assert frame.locator("input[name=q-received-pedagogy][value='4']").is_checked()
    assert phone.errors == []
