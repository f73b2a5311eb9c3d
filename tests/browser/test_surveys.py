"""A tutor asks for opinions, trainees answer on any screen and by keyboard, the summary appears at five."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session
from tests.browser.conftest import Running, Visit

pytestmark = pytest.mark.browser


@pytest.fixture
def session(running: Running) -> Session:
    return running.session("-3")


def ask(
    visit: Callable[..., Visit], running: Running, session: Session, *, mode: str, module: str
) -> tuple[Visit, str]:
    """Open a questionnaire as the tutor; return their tab and the name of the module."""
    tab = visit().open(session, running.person(session, role="tutor"))
    tab.tab("Satisfaction")
    tab.frame.get_by_role("link", name="Demander un avis sur un module").click()
    tab.frame.locator("select[name=module]").select_option(label=module)
    tab.frame.locator(f"input[name=mode][value={mode}]").check()
    tab.frame.get_by_role("button", name="Ouvrir le questionnaire").click()
    tab.frame.get_by_text("Le questionnaire est enregistré").wait_for()
    return tab, module.split(". ", 1)[1]


def trainees(running: Running, session: Session) -> list[Person]:
    return [person for person in running.demo.campus.members(session) if person.role == "trainee"]


def arrive(
    visit: Callable[..., Visit], session: Session, person: Person, module: str, **options: Any
) -> Visit:
    """Open the form of a module's questionnaire, as a trainee."""
    tab = visit(**options).open(session, person)
    tab.frame.locator(".invitations li", has_text=module).get_by_role("link").click()
    tab.frame.locator("form.survey[novalidate]").wait_for()
    return tab


def answer(
    visit: Callable[..., Visit], session: Session, person: Person, module: str, overall: int = 4
) -> None:
    tab = arrive(visit, session, person, module)
    tab.frame.locator(f"input[name=q-overall][value='{overall}']").check()
    tab.frame.locator("textarea").first.fill(f"mot de {person.user_id}")
    tab.frame.get_by_role("button", name="Envoyer mes réponses").click()
    tab.frame.get_by_text("Merci de votre réponse").wait_for()
    assert tab.errors == []
    tab.page.context.close()


def answer_by_keyboard(tab: Visit) -> None:
    """Answer every question with the keys alone, one question a screen."""
    keys = tab.page.keyboard
    tab.frame.locator("form.survey").wait_for()
    asked = tab.frame.locator("[data-question]:visible")
    assert asked.count() == 1
    keys.press("Tab")  # the link over the content
    for _ in range(12):
        if tab.inner.evaluate("document.activeElement?.name") == "q-overall":
            break
        keys.press("Tab")
    assert tab.inner.evaluate("document.activeElement?.name") == "q-overall"
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    for rank in range(2, 6):
        tab.frame.get_by_text(f"Question {rank} sur 7").wait_for()
        keys.press("Tab")
        keys.press("Space")
        keys.press("Enter")
    tab.frame.get_by_text("Question 6 sur 7").wait_for()
    keys.press("Tab")
    keys.type("au clavier")
    for rank in (6, 7):
        if rank == 7:
            tab.frame.get_by_text("Question 7 sur 7").wait_for()
            keys.press("Tab")
        keys.press("Tab")  # Précédente
        keys.press("Tab")  # Suivante, or Envoyer
        keys.press("Enter")
    tab.frame.get_by_text("Merci de votre réponse").wait_for()


def test_four_answers_show_nothing_the_fifth_by_keyboard_on_a_telephone_shows_all(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    tutor, module = ask(visit, running, session, mode="pseudonymous", module="5. Expérimentations")
    people = trainees(running, session)
    for person in people[:4]:
        answer(visit, session, person, module)
    tutor.inner.goto(tutor.url)
    assert "quand 5 personnes au moins auront répondu" in tutor.text
    assert "mot de" not in tutor.text
    assert tutor.frame.locator("svg.diverging").count() == 0
    phone = arrive(visit, session, people[4], module, width=400, height=800)
    small = phone.inner.evaluate(
        "[...document.querySelectorAll('.choice, .steps-move button')].filter((item) => item.offsetParent)"
        ".map((item) => item.getBoundingClientRect().height).filter((height) => height < 44)"
    )
    assert small == []
    answer_by_keyboard(phone)
    assert phone.errors == []
    tutor.inner.goto(tutor.url)
    assert re.search(r"% d’avis favorables, entre \d+ % et \d+ %, sur 5 réponses publiées", tutor.text)
    assert "au clavier" in tutor.text
    assert tutor.frame.locator("svg.diverging").count() > 1
    tutor.tab("Ce matin")
    row = tutor.frame.locator("tr", has_text="Expérimentations")
    assert row.locator("svg.whisker").count() == 1
    assert tutor.errors == []


def test_a_draft_survives_and_a_lost_connection_loses_and_doubles_nothing(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    _, module = ask(visit, running, session, mode="anonymous", module="2. Sens et enjeux")
    person = trainees(running, session)[7]
    # In a window of its own: a frame of another site is refused storage by this browser's settings.
    page = visit().page
    launch = running.address(session, person).replace("/view.php", "/launch.php")
    page.goto(f"{launch}&window=window")
    page.locator(".invitations li", has_text=module).get_by_role("link").click()
    page.locator("form.survey[novalidate]").wait_for()
    page.locator("input[name=q-overall][value='2']").check()
    page.locator("textarea").last.fill("plus d’exemples")
    page.reload()
    page.locator("form.survey[novalidate]").wait_for()
    assert page.locator("input[name=q-overall][value='2']").is_checked()
    assert page.locator("textarea").last.input_value() == "plus d’exemples"
    form, send = page.url, page.locator("[data-send]")
    page.route("**/surveys/*", lambda route: route.abort())
    send.click()
    page.get_by_text("L’envoi n’a pas abouti").wait_for()
    assert page.locator("textarea").last.input_value() == "plus d’exemples"
    page.unroute("**/surveys/*")
    send.dblclick()
    page.get_by_text("Vos réponses sont enregistrées").wait_for()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('estime-draft'))") == []
    page.goto(form)
    page.get_by_text("Vous avez déjà répondu").first.wait_for()


def test_a_form_without_scripts_is_one_page_that_works(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    _, module = ask(visit, running, session, mode="pseudonymous", module="3. Pour réfléchir")
    person = trainees(running, session)[8]
    # The launch posts itself by a script: it is made with scripts, the form is read without.
    tab = arrive(visit, session, person, module, width=320, height=640)
    assert tab.inner.evaluate("document.documentElement.scrollWidth") <= 320
    plain = visit(tab.page.context.browser.new_context(java_script_enabled=False, locale="fr-FR"))
    # A window of its own has its own jar: the cookie of the frame is carried over.
    kept = ("name", "value", "domain", "path", "expires", "httpOnly")
    plain.page.context.add_cookies(
        [
            {**{name: cookie[name] for name in kept}, "secure": True, "sameSite": "None"}
            for cookie in tab.page.context.cookies()
            if cookie["domain"] == "localhost"
        ]
    )
    plain.page.goto(tab.url)
    assert plain.page.locator("[data-question]:visible").count() == 7
    plain.page.locator("input[name=q-overall][value='5']").check()
    plain.page.get_by_role("button", name="Envoyer mes réponses").click()
    plain.page.get_by_text("Merci de votre réponse").wait_for()
    plain.page.context.close()


def test_without_storage_the_form_still_works(
    visit: Callable[..., Visit], running: Running, session: Session
) -> None:
    person = trainees(running, session)[9]
    tab = visit()
    tab.page.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })"
    )
    tab.open(session, person)
    tab.frame.locator(".invitations li", has_text="Analyse de situations").get_by_role("link").click()
    tab.frame.locator("input[name=q-overall][value='3']").check()
    tab.frame.locator("[data-send]").click()
    tab.frame.get_by_text("Merci de votre réponse").wait_for()
