"""A person opens the tool from the course, in a frame on another site, and reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser

MODULES = (
    "Concepts en contexte",
    "Sens et enjeux",
    "Pour réfléchir",
    "Analyse de situations",
    "Expérimentations",
)


def test_a_newcomer_arrives_and_opens_the_tool_in_one_click(
    visit: Callable[..., Visit], running: Running
) -> None:
    tab = visit()
    tab.page.goto(f"{running.tool}/")
    assert tab.page.url == f"http://127.0.0.1:{running.port}/"
    tab.page.locator(".first .door").first.click()
    tab.frame.locator(".lead").wait_for()
    assert tab.url.startswith(f"{running.tool}/c/")
    assert tab.errors == []


def test_the_tutor_reads_this_morning(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="tutor"))
    lead = tab.frame.locator(".lead").first.inner_text().replace("\u202f", " ").replace("\u00a0", " ")
    assert re.search(r"\b\d+ des 24 inscrits", lead), lead
    for title in MODULES:
        assert title in tab.text
    absent = [p.name for p in running.demo.campus.members(session) if p.profile == "absent"]
    contacts = tab.frame.locator("section", has=tab.page.locator("#contact-title")).inner_text()
    assert all(name in contacts for name in absent)
    assert "Le module 3 bloque" in tab.text
    tutors = [p.name for p in running.demo.campus.members(session) if p.role == "tutor"]
    tab.tab("Participants")
    assert not any(name in tab.text for name in tutors)
    assert tab.errors == []


def test_charts_appear_when_they_come_into_view_with_their_table(
    visit: Callable[..., Visit], running: Running
) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="tutor"))
    chart = tab.frame.locator("[data-chart]").first
    chart.scroll_into_view_if_needed()
    tab.frame.locator("[data-chart] svg.main-svg").first.wait_for()
    details = tab.frame.locator("details[data-table]").first
    details.locator("summary").click()
    assert details.locator("table tbody tr").count() >= 5
    assert tab.errors == []


@pytest.mark.parametrize("name", ["Modules", "Participants", "Parcours", "Présences"])
def test_every_tab_of_the_tutor_opens(visit: Callable[..., Visit], running: Running, name: str) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="tutor")).tab(name)
    assert tab.frame.locator(".lead").first.inner_text().strip()
    assert tab.errors == []
    assert tab.hosts <= {f"{host}:{running.port}" for host in ("localhost", "campus.test", "127.0.0.1")}


def test_the_trainee_reads_the_path_and_nobody_else(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    person = running.person(session, profile="weekly")
    tab = visit().open(session, person)
    for title in MODULES:
        assert title in tab.text
    others = [p.name for p in running.demo.campus.members(session) if p != person]
    assert [name for name in others if name in tab.text] == []
    assert tab.errors == []


def test_the_administrator_reads_the_sessions_of_one_community(
    visit: Callable[..., Visit], running: Running
) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="admin"))
    mine = [s.title for s in running.demo.campus.sessions if s.site == session.site]
    others = [s.title for s in running.demo.campus.sessions if s.site != session.site]
    assert all(title in tab.text for title in mine)
    assert not any(title in tab.text for title in others)
    tab.frame.locator("table a", has_text=session.label).first.click()
    tab.frame.locator(".lead").first.wait_for()
    tab.tab("Participants")
    names = [p.name for p in running.demo.campus.members(session)]
    assert [name for name in names if name in tab.text] == []
    assert tab.errors == []


def test_the_tool_takes_what_the_viewport_leaves(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit(height=1000).open(session, running.person(session, role="tutor"))
    box = tab.page.locator("#contentframe").bounding_box()
    assert box["height"] > 600
    assert box["y"] + box["height"] <= 1000


def test_first_paint_needs_no_script(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit(java_script_enabled=False)
    tab.page.goto(running.address(session, running.person(session, role="tutor")))
    # The two forms that the platform posts by script, here by hand.
    for page in ("launch.php", "auth.php"):
        tab.inner.wait_for_url(f"**/{page}?**")
        tab.inner.locator("button", has_text="Ouvrir l’outil").click()
    tab.frame.locator(".lead").first.wait_for()
    assert "24" in tab.frame.locator(".lead").first.inner_text()
    assert tab.frame.locator("table", has_text="Pour réfléchir").count() >= 1


def test_two_courses_in_two_tabs(visit: Callable[..., Visit], running: Running) -> None:
    tutor = running.named("Nadia Ferhat")
    now, older = running.session("-3"), running.session("-1")
    first = visit().open(now, tutor)
    second = visit(first.page.context).open(older, tutor)
    first.tab("Modules")
    second.tab("Modules")
    first.inner.goto(first.url)
    assert now.label in first.text
    assert older.label in second.text
    assert first.launch != second.launch


def test_a_telephone_opens_the_tool_in_the_whole_window(
    visit: Callable[..., Visit], running: Running
) -> None:
    session = running.session("-3")
    tab = visit(width=400, height=800, user_agent="Mozilla/5.0 (Linux; Android 15) Chrome/156 Mobile")
    tab.page.goto(running.address(session, running.person(session, profile="weekly")))
    tab.page.locator(".lead").first.wait_for()
    assert tab.page.url.startswith(f"{running.tool}/c/")


def test_opening_in_a_new_tab_carries_the_launch(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="tutor"))
    with tab.page.context.expect_page() as opened:
        tab.frame.locator("a[data-large]").click()
    opened.value.locator(".lead").first.wait_for()
    assert "24" in opened.value.locator(".lead").first.inner_text()


def test_narrow_screens_never_scroll_sideways(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit(width=400, height=800).open(session, running.person(session, role="tutor"))
    wide: dict[str, Any] = {}
    for name in ("Ce matin", "Modules", "Participants", "Parcours", "Présences"):
        tab.tab(name)
        extent = tab.inner.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if extent[0] > extent[1]:
            wide[name] = extent
    outside = tab.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if outside[0] > outside[1]:
        wide["platform"] = outside
    trainee = visit(width=400, height=800).open(session, running.person(session, profile="weekly"))
    extent = trainee.inner.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if extent[0] > extent[1]:
        wide["trainee"] = extent
    assert wide == {}
