"""Charts: drawn under a policy that lets no page write a style, with nothing said in the console."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Running, Visit

_OUTSIDE = """place => {
  const [seen, box] = [place.querySelector('.main-svg'), place].map((part) => part.getBoundingClientRect());
  return Math.max(box.left - seen.left, seen.right - box.right, box.top - seen.top, seen.bottom - box.bottom);
}"""


def _drawn(seen: Visit) -> None:
    """Wait until every chart of the page is drawn, within its place, and point at the first."""
    places = seen.frame.locator("[data-chart]")
    assert places.count()
    for place in places.all():
        place.scroll_into_view_if_needed()
        place.locator(".main-svg").first.wait_for(state="attached")
        assert place.evaluate(_OUTSIDE) <= 1
    places.first.hover()
    assert seen.errors == [], seen.url


def test_charts_of_every_page_say_nothing_in_the_console(
    running: Running, visit: Callable[..., Visit]
) -> None:
    session = running.demo.campus.sessions[0]
    tutor = visit().open(session, running.person(session, role="tutor"))
    course = tutor.url[tutor.url.index("/courses/") + 1 : tutor.url.rindex("/")]
    _drawn(tutor)
    assert tutor.go(f"{course}/satisfaction/sessions") == 200
    _drawn(tutor)
    assert tutor.go(f"{course}/modules") == 200
    tutor.frame.locator("main tbody a").first.click()
    tutor.frame.locator("[data-chart]").first.wait_for(state="attached")
    _drawn(tutor)
    trainee = visit(width=400, height=800).open(session, running.person(session, role="trainee"))
    _drawn(trainee)
