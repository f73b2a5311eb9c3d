"""A tutor reads the themes of the comments, renames one, merges two; they stay so when new comments come."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser.conftest import Running, Visit
from tests.factories.commented import publish
from tests.factories.surveys import Classroom
from tool_config import silos
from tool_config.database import administration

pytestmark = pytest.mark.browser


def room(running: Running, iri: str, silo: str) -> Classroom:
    """Return a session of the demo, in which comments may be published."""
    engine = running.demo.tool.extensions["estime"].engine
    with administration(engine) as conn:
        silo_id = silos.by_name(conn, silo).silo_id
    return Classroom(engine, silo_id, datetime.now(UTC), iri=iri)


def read(tab: Visit, sentence: str) -> None:
    """Wait for new comments to be read: the page asks for it, and is opened again until it says so."""
    for _ in range(120):
        if sentence in tab.text:
            return
        tab.page.wait_for_timeout(500)
        tab.inner.goto(tab.url.split("#")[0].split("?")[0])
    raise AssertionError(f"{sentence!r} never came: {tab.text[:500]}")


def change(tab: Visit, title: str) -> Any:
    """Unfold the form of a theme, and return its card."""
    card = tab.frame.locator(f'section.theme:has(h2:has-text("{title}"))').first
    card.locator("details.sure > summary").first.click()
    return card


def test_themes_renamed_and_merged_stay_so(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="tutor"))
    tab.tab("Satisfaction")
    tab.press(tab.frame.get_by_role("link", name="Ce dont parlent les commentaires"))
    # The page of a first reading comes back by itself until it is done.
    tab.frame.locator("#themes-title").wait_for(timeout=90_000)
    before = int(tab.text.split(" commentaires lus")[0].split()[-1])
    first, second, third = (
        tab.frame.locator("section.theme h2").nth(rank).inner_text().split("\n")[0].split(" ")[0].strip(",")
        for rank in range(3)
    )
    card = change(tab, first)
    card.locator("input[name=name]").fill("Ce que nous gardons")
    tab.press(card.get_by_role("button", name="Renommer"))
    tab.frame.get_by_text("Le thème est renommé").wait_for()
    card = change(tab, third)
    card.locator("summary", has_text="Réunir à un autre thème").click()
    card.locator("select[name=into]").select_option(label="Ce que nous gardons")
    tab.press(card.get_by_role("button", name="Réunir les deux thèmes"))
    tab.frame.get_by_text("Les deux thèmes sont réunis").wait_for()
    titles = tab.frame.locator("section.theme h2").all_inner_texts()
    assert any("Ce que nous gardons" in title for title in titles)
    there = room(running, session.iri, session.site.silo)
    new: Any = SimpleNamespace(
        survey_id=str(uuid.uuid4()), module="", template=SimpleNamespace(phase="a-chaud")
    )
    publish(there, new, [(uuid.uuid4().hex, f"Le {second} et le {first}, encore un avis") for _ in range(8)])
    read(tab, f"{before + 8} commentaires lus")
    assert "Ce que nous gardons" in tab.text
    kept = tab.frame.locator("section.theme", has_text="Ce que nous gardons").first
    kept.get_by_role("link", name="Lire tous ses commentaires").wait_for()
    assert tab.errors == []
