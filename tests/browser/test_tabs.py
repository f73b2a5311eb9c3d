"""The tabs on a telephone: the one that is open is seen whole."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Running, Visit

TABS = ("Ce matin", "Modules", "Participants", "Satisfaction", "Parcours", "Présences")
_EDGES = """bar => {
  const [tab, box] = [bar.querySelector('[aria-current]'), bar].map((seen) => seen.getBoundingClientRect());
  return [tab.left - box.left, box.right - tab.right];
}"""


def test_the_open_tab_is_in_view_at_400_pixels(running: Running, visit: Callable[..., Visit]) -> None:
    session = running.demo.campus.sessions[0]
    seen = visit(width=400, height=800).open(session, running.person(session, role="tutor"))
    for name in TABS:
        seen.tab(name)
        seen.frame.locator("html").evaluate("page => page.ownerDocument.fonts.ready")
        assert min(seen.frame.locator("nav.tabs").evaluate(_EDGES)) >= 0, name
    assert seen.errors == []
