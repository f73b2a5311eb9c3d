"""A session ends while a form is half filled: nothing of it is lost, whatever the browser keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from lti_tool.tables import launch
from tests.browser.conftest import Running, Visit
from tests.browser.test_cookies import profile
from tool_config.database import administration

pytestmark = pytest.mark.browser

#: A browser that lets frames of other sites keep something: this one's default refuses it to them.
ALLOWED = {"cookie_controls_mode": 0, "block_third_party_cookies": False}


def end(running: Running, tab: Visit) -> None:
    """Let the launch of a tab be over, as after eight hours."""
    engine = running.demo.tool.extensions["estime"].engine
    with administration(engine) as conn:
        conn.execute(
            update(launch).where(launch.c.launch_id == tab.launch).values(expires_at=launch.c.created_at)
        )


def tutor(tab: Visit, running: Running, page: str) -> Visit:
    session = running.session("-3")
    return tab.open(session, running.person(session, role="tutor")).tab(page)


def notice(tab: Visit, text: str) -> Any:
    found = tab.frame.locator(".notice", has_text=text)
    found.wait_for()
    return found


def open_again(tab: Visit, running: Running, role: str = "tutor", **chosen: Any) -> Visit:
    """Come back by another tab of the same browser, as the page says to."""
    session = running.session("-3")
    return Visit(tab.page.context.new_page(), running).open(
        session, running.person(session, role=role, **chosen)
    )


def test_presences_stay_on_the_page_until_the_session_is_open_again(
    visit: Callable[..., Visit], running: Running
) -> None:
    tab = tutor(visit(), running, "Présences")
    boxes = tab.frame.locator("input[name=present]")
    before = boxes.first.is_checked()
    boxes.first.set_checked(not before)
    end(running, tab)
    save = tab.frame.get_by_role("button", name="Enregistrer les présences")
    save.click()
    back = notice(tab, "Votre session a pris fin").get_by_role("link")
    assert back.get_attribute("href").startswith(
        running.platform.rsplit(":", 1)[0].replace("campus.test", "")
    )
    assert back.get_attribute("target") == "_blank"
    assert boxes.first.is_checked() is not before
    open_again(tab, running)
    tab.press(save)
    notice(tab, "Les présences sont enregistrées")
    assert boxes.first.is_checked() is not before
    boxes.first.set_checked(before)
    tab.press(save)
    notice(tab, "Les présences sont enregistrées")


def test_a_stranger_who_comes_in_the_same_browser_opens_nothing_again(
    visit: Callable[..., Visit], running: Running
) -> None:
    tab = tutor(visit(), running, "Présences")
    end(running, tab)
    open_again(tab, running, "trainee", profile="weekly")
    tab.frame.get_by_role("button", name="Enregistrer les présences").click()
    notice(tab, "Votre session a pris fin")


def test_a_questionnaire_stays_on_the_screen_until_the_session_is_open_again(
    visit: Callable[..., Visit], running: Running
) -> None:
    session = running.session("-3")
    person = [each for each in running.demo.campus.members(session) if each.role == "trainee"][11]
    tab = visit().open(session, person)
    tab.frame.locator(".invitations li", has_text="Analyse de situations").get_by_role("link").click()
    tab.frame.locator("form.survey[novalidate]").wait_for()
    tab.frame.locator("input[name=q-overall][value='2']").check()
    tab.frame.locator("textarea").first.fill("écrit avant la fin")
    end(running, tab)
    tab.frame.locator("[data-send]").click()
    notice(tab, "Votre session a pris fin")
    assert tab.frame.locator("textarea").first.input_value() == "écrit avant la fin"
    Visit(tab.page.context.new_page(), running).open(session, person)
    tab.frame.locator("[data-send]").click()
    tab.frame.get_by_text("Merci de votre réponse").wait_for()


def test_a_frame_loaded_again_finds_the_outline_as_it_was_being_edited(
    browser: Any, running: Running, tmp_path: Path
) -> None:
    with profile(browser, tmp_path / "profile", ALLOWED) as context:
        tab = tutor(Visit(context.new_page(), running), running, "Parcours")
        title = tab.frame.locator("form[data-guard] input[name^=title-]").nth(1)
        required = tab.frame.locator("form[data-guard] input[name^=required-]").nth(1)
        was, ticked = title.input_value(), required.is_checked()
        title.fill(f"{was} (revu)")
        required.set_checked(not ticked)
        end(running, tab)
        # The page is left for the course, then Estime is opened again in the same tab.
        tab.page.on("dialog", lambda dialog: dialog.accept())
        session = running.session("-3")
        tab.open(session, running.person(session, role="tutor"))
        tab.tab("Parcours")
        said = notice(tab, "est revenu")
        assert title.input_value() == f"{was} (revu)"
        assert required.is_checked() is not ticked
        tab.press(tab.frame.get_by_role("button", name="Enregistrer le plan"))
        notice(tab, "Le plan est enregistré")
        assert title.input_value() == f"{was} (revu)"
        assert said.count() == 0
        title.fill(was)
        required.set_checked(ticked)
        tab.press(tab.frame.get_by_role("button", name="Enregistrer le plan"))
        notice(tab, "Le plan est enregistré")
        kept = tab.inner.evaluate(
            "Object.keys(sessionStorage).filter((key) => key.startsWith('estime-form'))"
        )
        assert kept == []


def test_without_scripts_in_time_the_page_of_the_end_says_where_the_form_is(
    browser: Any, running: Running, tmp_path: Path
) -> None:
    with profile(browser, tmp_path / "profile", ALLOWED) as context:
        tab = tutor(Visit(context.new_page(), running), running, "Présences")
        boxes = tab.frame.locator("input[name=present]")
        before = boxes.nth(2).is_checked()
        boxes.nth(2).set_checked(not before)
        end(running, tab)
        # Sent by the browser itself, as when the question of the session finds no answer.
        tab.inner.evaluate(
            "HTMLFormElement.prototype.submit.call(document.querySelector('form[data-guard]'))"
        )
        tab.frame.get_by_text("Cette ouverture d’Estime a pris fin").wait_for()
        tab.frame.get_by_text("Ce que vous aviez rempli est gardé").wait_for()
        assert tab.frame.locator("a[target=_top]").count() == 1
        session = running.session("-3")
        tab.open(session, running.person(session, role="tutor"))
        notice(tab, "n’a pas été enregistré").get_by_role("link", name="Le reprendre").click()
        notice(tab, "est revenu")
        assert boxes.nth(2).is_checked() is not before
        tab.frame.get_by_role("button", name="Tout remettre comme avant").click()
        assert boxes.nth(2).is_checked() is before
        assert tab.inner.evaluate("Object.keys(sessionStorage).length") == 0
