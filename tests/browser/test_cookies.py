"""Cookies of a frame on another site: third-party ones blocked, and all of the frame's blocked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Running

pytestmark = pytest.mark.browser

THIRD_PARTY = {"cookie_controls_mode": 1, "block_third_party_cookies": True}


@contextmanager
def profile(browser: Any, folder: Path, preferences: dict[str, Any]) -> Iterator[Any]:
    """Yield a browser context with these preferences of its user."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps({"profile": preferences}))
    context = browser.browser_type.launch_persistent_context(
        folder,
        executable_path=program,
        args=["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        locale="fr-FR",
    )
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        context.close()


def open_as_tutor(context: Any, running: Running) -> Any:
    session = running.session("-3")
    page = context.new_page()
    page.goto(running.address(session, running.person(session, role="tutor")))
    frame = page.frame_locator("#contentframe")
    frame.locator(".lead").first.wait_for()
    return frame


def test_third_party_cookies_blocked_change_nothing(browser: Any, running: Running, tmp_path: Path) -> None:
    with profile(browser, tmp_path / "profile", THIRD_PARTY) as context:
        frame = open_as_tutor(context, running)
        assert "24" in frame.locator(".lead").first.inner_text()


def test_all_cookies_of_the_frame_blocked_lead_to_a_tab_of_its_own(
    browser: Any, running: Running, tmp_path: Path
) -> None:
    pattern = f"{running.tool},{running.platform}"
    blocked = {**THIRD_PARTY, "content_settings": {"exceptions": {"cookies": {pattern: {"setting": 2}}}}}
    with profile(browser, tmp_path / "profile", blocked) as context:
        frame = open_as_tutor(context, running)
        assert frame.locator("a.button").count() == 1
        with context.expect_page() as opened:
            frame.locator("a.button").click()
        opened.value.wait_for_url(f"{running.tool}/c/**")
        opened.value.locator(".lead").first.wait_for()
        assert "24" in opened.value.locator(".lead").first.inner_text()
