"""What a browser may not reach, and what a person reads then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Running, Visit
from tool_config.database import administration
from tool_config.silos import by_name
from xapi.identity import course_id

pytestmark = pytest.mark.browser


def number(running: Running, label: str) -> int:
    """Return the tool's own number of a session's course."""
    session = running.session(label)
    with administration(running.demo.tool.extensions["estime"].engine) as conn:
        return course_id(by_name(conn, session.site.silo).silo_id, session.iri)


def test_a_trainee_does_not_reach_a_tutors_pages(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, profile="weekly"))
    course = number(running, "-3")
    names = [p.name for p in running.demo.campus.members(session)]
    for page in ("today", "people", "modules", "outline", "attendance", "people.csv"):
        tab.open(session, running.person(session, profile="weekly"))
        assert tab.go(f"courses/{course}/{page}") in (403, 404), page
        assert not any(name in tab.text for name in names)
    tab.open(session, running.person(session, profile="weekly"))
    assert tab.go("sessions") in (403, 404)


def test_a_tutor_does_not_reach_another_course(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.named("Marc Aubert"))
    assert tab.go(f"courses/{number(running, '-1')}/today") == 404
    assert "Pour réfléchir" not in tab.text


@pytest.mark.parametrize("role", ["tutor", "admin"])
def test_a_community_does_not_reach_another(visit: Callable[..., Visit], running: Running, role: str) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role=role))
    assert tab.go(f"courses/{number(running, '-2')}/today") == 404
    assert "Pour réfléchir" not in tab.text


def test_the_launch_of_another_browser_is_nothing(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tutor = visit().open(session, running.person(session, role="tutor"))
    other = visit().open(session, running.person(session, profile="weekly"))
    assert other.go(f"/c/{tutor.launch}/courses/{number(running, '-3')}/today") in (401, 403, 404)
    assert "Pour réfléchir" not in other.text


def test_a_spent_hint_is_the_platforms_error_page(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if "auth.php" in request.url else None)
    tab.open(session, running.person(session, role="tutor"))
    assert len(asked) == 1
    answer = tab.inner.goto(asked[0])
    assert answer.status == 400
    assert "a déjà servi" in tab.text


def test_a_page_refreshed_in_its_frame_stays(visit: Callable[..., Visit], running: Running) -> None:
    session = running.session("-3")
    tab = visit().open(session, running.person(session, role="tutor"))
    assert tab.inner.goto(tab.url).status == 200
    assert tab.frame.locator(".lead").count() == 1


def test_third_party_cookies_blocked_change_nothing(
    browser: Any, visit: Callable[..., Visit], running: Running, chromium_with: Callable[..., Any]
) -> None:
    preferences = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}
    context = chromium_with(browser, preferences)
    session = running.session("-3")
    tab = visit(context).open(session, running.person(session, role="tutor"))
    tab.frame.locator(".lead").first.wait_for()
    tab.tab("Modules")
    assert tab.errors == []


def test_without_any_cookie_a_page_says_what_to_do_and_the_hint_is_kept(
    browser: Any, visit: Callable[..., Visit], running: Running, chromium_with: Callable[..., Any]
) -> None:
    context = chromium_with(browser, {"profile": {"default_content_setting_values": {"cookies": 2}}})
    session = running.session("-3")
    tab = visit(context)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if "auth.php" in request.url else None)
    tab.page.goto(running.address(session, running.person(session, role="tutor")))
    tab.frame.locator("main").wait_for()
    assert asked == []
    assert "cookie" in tab.text.lower() or "onglet" in tab.text.lower()
    assert tab.frame.locator("form button, a.button, form [type=submit]").count() >= 1
