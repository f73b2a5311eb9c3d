"""Take docs/screens/*.png: every page of the demo at 1280 and 400 pixels (`make screens`)."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import waitress
from playwright.sync_api import sync_playwright

from lti_tool.sandbox.demo import Demo, addresses, prepare
from tests import services
from tool_config.settings import Settings

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
#: Nothing above this: a picture is looked at in a browser, not printed.
MOST_BYTES = 120_000
WIDTHS = {1280: 900, 400: 800}
_TABS = {
    "today": "Ce matin",
    "modules": "Modules",
    "people": "Participants",
    "outline": "Parcours",
    "attendance": "Présences",
}


def main() -> int:
    """Write the pictures; return 1 when one of them is too heavy."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = services.free_port()
    with tempfile.TemporaryDirectory(prefix="estime-screens-") as folder:
        demo = prepare(Settings(data_dir=Path(folder)), port, say=print)
        listened = " ".join(addresses("127.0.0.1", port))
        server = waitress.create_server(demo.wsgi, listen=listened, threads=12)
        threading.Thread(target=server.run, daemon=True).start()
        try:
            heavy = list(_take(demo, port))
        finally:
            server.close()
    for path in heavy:
        print(f"too heavy: {path.name}, {path.stat().st_size} bytes", file=sys.stderr)
    return 1 if heavy else 0


def _take(demo: Demo, port: int) -> Iterator[Path]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=program, args=options)
        for width, height in WIDTHS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale="fr-FR", reduced_motion="reduce"
            )
            page = context.new_page()
            for name in _pages(page, demo, port):
                path = FOLDER / f"{name}-{width}.png"
                page.screenshot(path=path, full_page=name != "in-course")
                print(f"{path.name}: {path.stat().st_size // 1000} kB")
                if path.stat().st_size > MOST_BYTES:
                    yield path
            context.close()
        browser.close()


def _pages(page: Any, demo: Demo, port: int) -> Iterator[str]:
    """Bring the page to each screen in turn, and yield its name."""
    session = demo.campus.sessions[0]
    people = demo.campus.members(session)
    here = f"http://127.0.0.1:{port}/{session.site.key}/mod/lti"
    staff = {person.role: person.user_id for person in reversed(people) if person.role != "trainee"}
    trainee = next(p.user_id for p in people if p.profile == "weekly" and p.role == "trainee")

    page.goto(f"http://127.0.0.1:{port}/")
    yield "sandbox"
    page.goto(f"{here}/view.php?id={session.tool.cmid}&as={staff['tutor']}")
    frame = page.frame_locator("#contentframe")
    frame.locator(".lead").first.wait_for()
    frame.locator("svg.main-svg").first.wait_for()
    page.wait_for_timeout(300)
    yield "in-course"

    # In the whole window, as on a telephone: the page alone, from top to bottom.
    page.goto(f"{here}/launch.php?id={session.tool.cmid}&as={staff['tutor']}&window=window")
    page.locator(".lead").first.wait_for()
    for name, tab in _TABS.items():
        page.locator("nav.tabs a", has_text=tab).first.click()
        page.locator("nav.tabs a[aria-current=page]", has_text=tab).wait_for()
        _drawn(page)
        yield f"tutor-{name}"
    yield from _opened(page, "Modules", "Pour réfléchir", "tutor-module")
    yield from _opened(page, "Participants", "", "tutor-person")

    page.goto(f"{here}/launch.php?id={session.tool.cmid}&as={trainee}&window=window")
    page.locator(".lead").first.wait_for()
    _drawn(page)
    yield "trainee"
    page.goto(f"{here}/launch.php?id={session.tool.cmid}&as={staff['admin']}&window=window")
    page.locator(".lead").first.wait_for()
    yield "admin-sessions"


def _opened(page: Any, tab: str, text: str, name: str) -> Iterator[str]:
    page.locator("nav.tabs a", has_text=tab).first.click()
    page.locator("nav.tabs a[aria-current=page]", has_text=tab).wait_for()
    page.locator("main tbody th a", has_text=text).first.click()
    page.locator(".crumb").first.wait_for()
    _drawn(page)
    yield name


def _drawn(page: Any) -> None:
    """Wait until every chart of the page has come into view and is drawn."""
    for place in page.locator("[data-chart]").all():
        place.scroll_into_view_if_needed()
        place.locator("svg.main-svg").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)


if __name__ == "__main__":
    raise SystemExit(main())
