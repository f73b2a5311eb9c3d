"""Claims that nobody would choose: names withheld, markup, right to left, three hundred characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from lti_tool.worker import Worker
from tests.conftest import Live
from tests.factories.platform import INSTRUCTOR, SITE_ADMIN, Browser, FakePlatform, jwks_server
from tool_config.database import transaction
from xapi.tables import course

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"], indirect=True)]

SCRIPT = "<script>alert(1)</script>"
QUOTE = '" onmouseover="alert(1)" x=\''
HEBREW = "שרה לוי"
LONG = "Une session au titre interminable " * 12
NAMES = (
    "",
    SCRIPT,
    QUOTE,
    HEBREW,
    "محمد بن عبد الله",
    "🎉👩‍🏫 Zoé",
    "N" * 300,
    "{{ 7*7 }} %(name)s",
    "Ana\u202eflip",
)
TITLE = f"{SCRIPT} {HEBREW} {LONG}"


#: Says which elements stick out of the window, for the message of a failure.
_TOO_WIDE = """[...document.querySelectorAll("main *, header *")]
    .filter((item) => item.getBoundingClientRect().right > innerWidth + 1 && !item.closest(".wide"))
    .map((item) => item.tagName + "." + item.className).slice(0, 9)"""


class Opened:
    """Pages of one launch in a real browser, and what went wrong on them."""

    def __init__(self, live: Live, context: Any, visitor: Browser, place: str) -> None:
        jar = visitor.client._cookies.values()
        context.add_cookies(
            [
                {
                    "name": each.key,
                    "value": each.value,
                    "domain": "localhost",
                    "path": "/",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "None",
                }
                for each in jar
            ]
        )
        self.page = context.new_page()
        self.base = f"{live.url}{place}"
        self.wrong: list[str] = []
        self.page.on(
            "dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.message}"), dialog.dismiss())
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)

    def go(self, path: str) -> str:
        answer = self.page.goto(f"{self.base}{path}")
        assert answer.status == 200, (path, answer.status)
        wide = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], (path, wide, self.page.evaluate(_TOO_WIDE))
        assert self.wrong == [], path
        return str(self.page.locator("body").inner_text())


@pytest.fixture
def platform(live_server: Live, engine: Any, silo: int, clock: Any) -> Iterator[FakePlatform]:
    with jwks_server() as server:
        made = FakePlatform(server, clock, live_server.url)
        made.context = {"id": "2", "title": TITLE, "label": SCRIPT}
        made.register(engine, silo)
        yield made


@pytest.fixture
def furnished(live_server: Live, platform: FakePlatform, engine: Any, silo: int, clock: Any) -> int:
    """Let everybody come once; return the course's number."""
    for rank, name in enumerate(NAMES):
        Browser(live_server.app, live_server.url).opened(
            platform,
            sub=str(100 + rank),
            name=name,
            given_name="",
            family_name="",
            email="",
            ext={},
            zoneinfo="99",
            custom={"timezone": "99", "estime_choice": SCRIPT},
            launch_presentation={"locale": "xx-Zzzz-99"},
            resource_link={"id": "1", "title": TITLE},
        )
        clock.advance(minutes=1)
    while Worker(engine, clock).turn():
        pass
    with transaction(engine, silo, write=False) as conn:
        return int(conn.execute(select(course.c.course_id)).scalar_one())


@pytest.fixture(params=[1280, 400])
def context(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    made = browser.new_context(viewport={"width": request.param, "height": 800}, locale="fr-FR")
    yield made
    made.close()


def test_a_tutors_pages_show_them_as_text(
    live_server: Live, platform: FakePlatform, furnished: int, context: Any
) -> None:
    visitor = Browser(live_server.app, live_server.url)
    place = visitor.opened(platform, sub="7", name="Edith", roles=[INSTRUCTOR])
    opened = Opened(live_server, context, visitor, place)
    for page in ("today", "modules", "outline", "attendance", "satisfaction", "about"):
        opened.go(f"courses/{furnished}/{page}")
    people = opened.go(f"courses/{furnished}/people")
    for name in (
        SCRIPT,
        QUOTE,
        HEBREW,
        "🎉👩‍🏫 Zoé",
        "N" * 300,
        "{{ 7*7 }} %(name)s",
        "Anaflip",
        "Participant 1",
    ):
        assert name in people.replace("\u202f", " "), name
    title = opened.page.locator("h1").first.get_attribute("title")
    assert title is not None
    assert len(title) == 300
    assert title.startswith(f"{SCRIPT} {HEBREW}")
    links = opened.page.locator("main table a[href*='/people/'], main li a[href*='/people/']")
    for address in {links.nth(rank).get_attribute("href") for rank in range(links.count())}:
        opened.go(str(address).partition(place)[2])


def test_a_trainee_and_an_administrator_read_their_pages(
    live_server: Live, platform: FakePlatform, furnished: int, context: Any
) -> None:
    trainee = Browser(live_server.app, live_server.url)
    place = trainee.opened(platform, sub="101", name=SCRIPT, email="")
    opened = Opened(live_server, context, trainee, place)
    opened.go("me")
    admin = Browser(live_server.app, live_server.url)
    place = admin.opened(platform, sub="2", name=HEBREW, roles=[SITE_ADMIN])
    opened = Opened(live_server, context, admin, place)
    assert SCRIPT in opened.go("sessions")
    journal = opened.go("journal")
    assert HEBREW not in journal.replace(TITLE[:300].strip(), "")
    assert "Ouverture" in journal
    opened.go("connections")
    opened.go("paths")


def test_words_around_a_name_from_right_to_left_stay_where_they_are(
    live_server: Live, platform: FakePlatform, furnished: int, context: Any
) -> None:
    """The figure after a name is drawn at its right, though the name is written from right to left."""
    visitor = Browser(live_server.app, live_server.url)
    place = visitor.opened(platform, sub="7", name="Edith", roles=[INSTRUCTOR])
    opened = Opened(live_server, context, visitor, place)
    opened.go(f"courses/{furnished}/people")
    drawn = opened.page.evaluate(
        """(name) => {
            const line = document.createElement("p");
            const who = document.createElement("a");
            who.textContent = name;
            line.append(who, " 12 (7)");
            document.querySelector("main").append(line);
            const after = document.createRange();
            after.selectNode(line.lastChild);
            return [who.getBoundingClientRect().right, after.getBoundingClientRect().left];
        }""",
        HEBREW,
    )
    assert drawn[0] <= drawn[1] + 1
