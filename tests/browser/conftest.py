"""The demo, served once for all browser tests, and visits to it as anybody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import waitress

from lti_tool.privacy import information
from lti_tool.sandbox.demo import Demo, addresses, prepare
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session
from lti_tool.tool import Tool
from tests import services
from tool_config import platforms
from tool_config.database import transaction
from tool_config.settings import Settings
from tool_config.silos import list_ids
from xapi.statement import account_key


@dataclass(frozen=True)
class Running:
    """The demo that listens; the platform is looked at under a name that is another site than the tool's."""

    port: int
    demo: Demo
    lines: list[str]

    @property
    def tool(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def platform(self) -> str:
        return f"http://campus.test:{self.port}"

    def session(self, label: str) -> Session:
        return next(s for s in self.demo.campus.sessions if s.label.endswith(label))

    def person(self, session: Session, *, role: str = "trainee", profile: str | None = None) -> Person:
        people = self.demo.campus.members(session)
        return next(p for p in people if p.role == role and profile in (None, p.profile))

    def named(self, name: str) -> Person:
        return next(p for p in self.demo.campus.people if p.name == name)

    def address(self, session: Session, person: Person) -> str:
        return (
            f"{self.platform}/{session.site.key}/mod/lti/view.php?id={session.tool.cmid}&as={person.user_id}"
        )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield the demo on a free port, furnished as `estime demo` does."""
    port = services.free_port()
    lines: list[str] = []
    demo = prepare(Settings(data_dir=tmp_path_factory.mktemp("demo")), port, say=lines.append)
    _tell_everybody(demo)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(demo.wsgi, listen=" ".join(addresses("127.0.0.1", port)), threads=12)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    demo.worker.start()
    yield Running(port, demo, lines)
    demo.worker.stop()
    server.close()
    thread.join(5)


def _tell_everybody(demo: Demo) -> None:
    """Let the people of the campus have read the information: each visit then opens the page it is about."""
    tool: Tool = demo.tool.extensions["estime"]
    for silo_id in list_ids(tool.engine):
        with transaction(tool.engine, silo_id) as conn:
            found = information.holds(conn, silo_id, settings=tool.settings, rules=tool.rules)
            issuers = [one.issuer for one in platforms.of_silo(conn, silo_id)]
            for person in demo.campus.people:
                for actor in (account_key(issuer, person.user_id) for issuer in issuers):
                    role = information.role_of(person.role)
                    information.saw(conn, silo_id, actor, role, found, now=tool.clock())


@dataclass
class Visit:
    """One tab of a browser: the platform's page, the tool in its frame, and what went wrong."""

    page: Any
    running: Running
    #: Errors of the console and of scripts.
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text} {message.location.get('url', '')}")

    def open(self, session: Session, person: Person) -> Visit:
        """Open the tool in the course page, as a person, through a real launch."""
        self.page.goto(self.running.address(session, person))
        self.frame.locator("main").wait_for()
        return self.told()

    def told(self) -> Visit:
        """Go past the information, which who comes for the first time reads before anything."""
        if self.frame.locator("#told").count():
            self.press(self.frame.locator("#told"))
        return self

    @property
    def frame(self) -> Any:
        return self.page.frame_locator("#contentframe")

    @property
    def inner(self) -> Any:
        """The frame itself (its address, scripts run in it)."""
        return next(frame for frame in self.page.frames if frame.parent_frame == self.page.main_frame)

    @property
    def url(self) -> str:
        return str(self.inner.url)

    def go(self, path: str) -> int:
        """Send the frame to a path of the launch (or of the tool, from a /); return the HTTP status."""
        base = self.url[: self.url.index("/c/")] + "/c/" + self.launch if "/c/" in self.url else ""
        target = f"{self.running.tool}{path}" if path.startswith("/") else f"{base}/{path}"
        answer = self.inner.goto(target)
        return int(answer.status)

    @property
    def launch(self) -> str:
        return urlsplit(self.url).path.split("/")[2]

    @property
    def text(self) -> str:
        """What a person reads in the frame, no-break spaces made plain."""
        text = self.inner.locator("body").inner_text()
        return str(text).replace("\u202f", " ").replace("\u00a0", " ")

    def press(self, target: Any) -> Visit:
        """Click what sends the frame to another page; return when that page is there.

        To be used wherever the old page may show what the new one is waited for by.
        """
        with self.inner.expect_navigation():
            target.click()
        return self

    def tab(self, name: str) -> Visit:
        """Follow one of the tool's tabs."""
        self.press(self.frame.locator("nav.tabs a", has_text=name).first)
        self.frame.locator("nav.tabs a[aria-current]", has_text=name).first.wait_for()
        return self


@pytest.fixture
def visit(browser: Any, running: Running) -> Iterator[Callable[..., Visit]]:
    """Return a way to open tabs; those of one call chain share a browser's cookies."""
    contexts: list[Any] = []

    def start(context: Any = None, *, width: int = 1280, height: int = 900, **options: Any) -> Visit:
        if context is None:
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale="fr-FR", **options
            )
            context.set_default_timeout(15_000)
            contexts.append(context)
        return Visit(context.new_page(), running)

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def chromium_with(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a way to start a Chromium of its own with preferences (cookies refused, for instance)."""
    import json
    import shutil

    from playwright.sync_api import Browser

    started: list[Any] = []
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

    def start(browser: Browser, preferences: dict[str, Any]) -> Any:
        profile = tmp_path / f"profile-{len(started)}"
        (profile / "Default").mkdir(parents=True)
        (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
        context = browser.browser_type.launch_persistent_context(
            str(profile),
            executable_path=program,
            headless=True,
            locale="fr-FR",
            args=["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
            viewport={"width": 1280, "height": 900},
        )
        context.set_default_timeout(15_000)
        started.append(context)
        return context

    yield start
    for context in started:
        context.close()
