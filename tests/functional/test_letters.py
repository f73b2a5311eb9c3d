"""The institution's own words in the messages that bring a link: checked, looked at, kept, sent."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import Engine

from lti_tool.compliance import institution
from lti_tool.invited import letters, wordings
from tests.factories import opened
from tool_config.database import transaction

ASKED = letters.Asked("IH2EF", "Avis {x}", "Piloter", "", 3, date(2026, 12, 5), "anonymous", 30)
TEXT = "Chère collègue, cher collègue,\r\n\r\n{institution} attend votre avis sur {session} avant le {date}."


@pytest.mark.parametrize(
    ("part", "text", "found"),
    [
        ("text", "Avant le {date}, {{entre nous}}.", ""),
        ("text", "Avant le {jour}", "{jour}"),
        ("text", "Avant le {date", "braces"),
        ("text", "{date!r}", "braces"),
        ("text", "{date:>99999999}", "braces"),
        ("text", "{date.__class__}", "{date.__class__}"),
        ("text", "x" * 1501, "too_long"),
        ("subject", "Un\nDeux", "line"),
    ],
)
def test_places_are_those_that_are_known(part: str, text: str, found: str) -> None:
    assert wordings.fault(part, text) == found


def test_an_institution_writes_its_own_words(app: Flask, engine: Engine, silo: int) -> None:
    course = opened.add_course(engine, silo)
    admin = opened.reader(app, engine, silo, "admin", course, "admin")
    tutor = opened.reader(app, engine, silo, "tutor", course, "formateur")
    assert tutor.get("/letters").status_code == 403
    assert "/letters" in admin.page("/questionnaires")
    before = admin.page("/letters")
    assert "vous demande votre avis sur la session" in before
    typed = {"fr.invite.text": TEXT, "fr.invite.subject": "{questionnaire}, votre avis", "do": "look"}
    page = admin.post("/letters", typed).get_data(as_text=True)
    assert "attend votre avis sur Session d’exemple avant le" in page
    assert admin.page("/letters") == before, "looked at, not kept"
    wrong = admin.post("/letters", {**typed, "fr.remind.text": "{nom}", "do": "save"})
    assert wrong.status_code == 400
    assert "{nom} ne veut rien dire ici." in wrong.get_data(as_text=True)
    assert admin.page("/letters") == before
    assert admin.post("/letters", {**typed, "do": "save"}).status_code == 303
    with transaction(engine, silo, write=False) as conn:
        words = wordings.read(conn, silo)
        assert not institution.read(conn, silo)
    sent = {
        again: letters.letter(
            ASKED, address="", link="https://x", locale="fr", again=again,
            own=wordings.own(words, "fr", again=again),
        )
        for again in (False, True)
    }  # fmt: skip
    assert sent[False].subject == "Avis {x}, votre avis"
    assert (
        "\n\nIH2EF attend votre avis sur Piloter avant le 5 décembre 2026.\n\nhttps://x\n\n"
        in sent[False].text
    )
    assert "Ce lien est personnel" in sent[False].text
    assert sent[True].subject.startswith("Rappel"), "what is left empty is the tool's"
    assert admin.post("/letters", {"do": "save"}).status_code == 303
    assert admin.page("/letters") == before
