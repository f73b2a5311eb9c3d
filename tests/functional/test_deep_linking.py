"""A tutor chooses what a course holds; each link opens on its choice, for each role."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool import surveys
from lti_tool.tables import audit
from lti_tool.tables import launch as launch_table
from tests.conftest import SECRET_KEY, Clock
from tests.factories import opened, traces
from tests.factories.platform import (
    ABSENT,
    CLAIM,
    INSTRUCTOR,
    LEARNER,
    SITE_ADMIN,
    Browser,
    FakePlatform,
    jwks_server,
    refreshed,
)
from tool_config import platforms
from tool_config.database import transaction
from tool_config.surveys import Survey
from xapi.tables import event

SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
DATA = "https://purl.imsglobal.org/spec/lti-dl/claim/data"
RETURN = f"{traces.SITE}/mod/lti/contentitem_return.php?course=2&id=1&sesskey=DsDLq3GWrZ"
DATES = {"opens": "2026-11-21", "closes": "2026-12-05"}
SURVEY = {"template": "a-chaud-module", "mode": "pseudonymous", **DATES}
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def platform(app: Flask, engine: Engine, silo: int, clock: Clock) -> Iterator[FakePlatform]:
    with jwks_server() as server:
        made = FakePlatform(server, clock, "https://estime.test", issuer=traces.SITE)
        made.register(engine, silo)
        with transaction(engine, silo) as conn:
            platforms.ensure_key(conn, silo, SECRET_KEY, clock())
        yield made


@pytest.fixture
def course(engine: Engine, silo: int, clock: Clock, platform: FakePlatform) -> int:
    """Return the course that launches are in, with its modules known from traces."""
    key = opened.add_course(engine, silo)
    opened.add_people(engine, silo, key, {"3": "Sara Student"})
    opened.take_in(engine, silo, opened.statements("3", 3, 1), clock)
    return key


def asking(**changes: Any) -> dict[str, Any]:
    """Return the claims that make a deep linking request of a launch."""
    settings = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_multiple": True,
        "auto_create": False,
        "deep_link_return_url": RETURN,
        **changes,
    }
    kept = {name: value for name, value in settings.items() if value is not ABSENT}
    return {
        "message_type": "LtiDeepLinkingRequest",
        "resource_link": ABSENT,
        "roles": [INSTRUCTOR],
        "sub": "7",
        SETTINGS: kept,
    }


class Placing:
    """A tutor's browser in front of the choice."""

    def __init__(self, app: Flask, platform: FakePlatform, **changes: Any) -> None:
        self.browser = Browser(app, platform.public_url)
        claims = {**asking(**changes.pop("settings", {})), **changes}
        self.place = self.browser.opened(platform, **claims)

    def page(self, status: int = 200) -> str:
        answer = self.browser.get(f"{self.place}placing")
        assert answer.status_code == status, answer.text[:2000]
        return str(answer.text)

    def send(self, *what: str, **more: Any) -> Any:
        token = opened.fields(self.page())["csrf_token"][0]
        return self.browser.post(
            f"{self.place}placing", data={"csrf_token": token, "what": list(what), **SURVEY, **more}
        )


def sent(answer: Any) -> tuple[str, str]:
    """Return where the page posts, and the token that it posts."""
    assert answer.status_code == 200, answer.text
    found = re.search(r'action="(https://campus[^"]+)"( data-auto)?>', answer.text)
    assert found, answer.text
    return found[1].replace("&amp;", "&"), opened.fields(answer.text)["JWT"][0]


def read(app: Flask, token: str, platform: FakePlatform) -> dict[str, Any]:
    """Verify a response as a platform does, and return its claims."""
    keys = jwt.PyJWKSet.from_dict(app.test_client().get("/lti/jwks.json").json)
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["RS256"],
        audience=platform.issuer,
        issuer=platform.client_id,
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims


def all_surveys(engine: Engine, silo: int, course: int) -> tuple[Survey, ...]:
    with transaction(engine, silo, write=False) as conn:
        return surveys.listing(conn, silo, course)


def module(rank: int) -> str:
    return f"module:{traces.section(rank, opened.MODULES[rank - 1])['id']}"


# --- asking and answering ------------------------------------------------------------------------------


def test_a_real_request_leads_to_the_choice_and_its_answer_is_one_of_moodle(
    app: Flask, engine: Engine, silo: int, clock: Clock, shared_data: Path
) -> None:
    folder = shared_data / "moodle-4.5.6"
    captured = json.loads((folder / "deeplinking_request.json").read_text())["payload"]
    with jwks_server() as server:
        platform = FakePlatform(
            server, clock, "https://estime.test", issuer=captured["iss"], client_id=captured["aud"]
        )
        platform.register(engine, silo)
        with transaction(engine, silo) as conn:
            platforms.ensure_key(conn, silo, SECRET_KEY, clock())
        browser = Browser(app, platform.public_url)
        begun = browser.login(platform)
        claims = refreshed(captured, begun.nonce, clock(), platform.public_url)
        answer = browser.send(begun.state, platform.sign(claims))
        assert answer.status_code == 303
        place = answer.headers["Location"]
        assert browser.entered(place) == f"{place}placing"
        page = browser.get(f"{place}placing").text
        token = opened.fields(page)["csrf_token"][0]
        chosen = browser.post(
            f"{place}placing", data={"csrf_token": token, "what": ["dashboard", "progress"]}
        )
        to = re.search(r'action="([^"]+)" data-auto', chosen.text)
        assert to
        assert to[1].replace("&amp;", "&") == captured[SETTINGS]["deep_link_return_url"]
        policy = chosen.headers["Content-Security-Policy"]
        assert "form-action 'self' http://localhost:8170;" in policy
        mine = read(app, opened.fields(chosen.text)["JWT"][0], platform)
    real = json.loads((folder / "deeplinking_responses.json").read_text())[1]["request"]
    assert mine.keys() == real.keys()
    for name in real.keys() - {"iat", "exp", "nonce", ITEMS}:
        assert mine[name] == real[name], name
    for item in mine[ITEMS]:
        assert item.keys() <= {"type", "title", "text", "icon", "custom"}
        assert item["type"] == "ltiResourceLink"
    assert [item["custom"] for item in mine[ITEMS]] == [
        {"estime_page": "dashboard"},
        {"estime_page": "progress"},
    ]


def test_several_at_once_with_questionnaires_opened(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    tutor = Placing(app, platform, settings={"data": "csrftoken:c7fbba78"})
    page = tutor.page()
    assert all(title in page for title in opened.MODULES)
    assert all_surveys(engine, silo, course) == ()
    where, token = sent(tutor.send("dashboard", module(1), module(2), mode="anonymous"))
    assert where == RETURN
    claims = read(app, token, platform)
    assert claims[DATA] == "csrftoken:c7fbba78"
    assert claims[f"{CLAIM}deployment_id"] == "1"
    made = {each.module: each for each in all_surveys(engine, silo, course)}
    assert {f"module:{iri}" for iri in made} == {module(1), module(2)}
    assert {each.mode for each in made.values()} == {"anonymous"}
    first = made[module(1).removeprefix("module:")]
    assert first.closes_at.isoformat() == "2026-12-05T23:00:00+00:00"
    items = claims[ITEMS]
    assert len(items) == 3
    assert items[1]["custom"] == {"estime_page": "survey", "estime_survey": first.survey_id}
    assert opened.MODULES[0] in items[1]["title"]
    assert "url" not in items[0]


def test_sent_twice_it_opens_nothing_twice(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    tutor = Placing(app, platform)
    token = opened.fields(tutor.page())["csrf_token"][0]
    form = {"csrf_token": token, "what": [module(1)], **SURVEY}
    first = tutor.browser.post(f"{tutor.place}placing", data=form)
    again = tutor.browser.post(f"{tutor.place}placing", data={**form, "what": ["dashboard"]})
    one, two = (read(app, sent(answer)[1], platform) for answer in (first, again))
    assert one[ITEMS] == two[ITEMS]
    assert one["nonce"] != two["nonce"]
    assert len(all_surveys(engine, silo, course)) == 1
    back = tutor.page()
    assert "déjà été envoyés" in back
    assert "data-auto" not in back
    assert RETURN.replace("&", "&amp;") in back


@sqlite_only
def test_cancelling_leaves_nothing(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    tutor = Placing(app, platform)
    _, token = sent(tutor.send(module(1), cancel="1"))
    assert read(app, token, platform)[ITEMS] == []
    assert all_surveys(engine, silo, course) == ()


@sqlite_only
def test_one_only_where_the_platform_takes_one(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    tutor = Placing(app, platform, settings={"accept_multiple": False})
    page = tutor.page()
    assert 'type="radio" name="what"' in page
    assert 'type="checkbox" name="what"' not in page
    assert tutor.send("dashboard", module(1)).status_code == 400
    assert all_surveys(engine, silo, course) == ()
    assert len(read(app, sent(tutor.send(module(1)))[1], platform)[ITEMS]) == 1


@sqlite_only
def test_a_questionnaire_already_open_is_placed_as_it_is(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    Placing(app, platform).send(module(1))
    (known,) = all_surveys(engine, silo, course)
    tutor = Placing(app, platform)
    assert f"survey:{known.survey_id}" in tutor.page()
    (item,) = read(app, sent(tutor.send(f"survey:{known.survey_id}"))[1], platform)[ITEMS]
    assert item["custom"]["estime_survey"] == known.survey_id
    assert len(all_surveys(engine, silo, course)) == 1


@pytest.mark.parametrize(
    ("what", "more", "said"),
    [
        ([], {}, "Choisissez au moins un élément"),
        (["nothing"], {}, "Choisissez au moins un élément"),
        (["survey:not-one"], {}, "Choisissez au moins un élément"),
        (["module:https://elsewhere.example.fr/section"], {}, "Ce module"),
        ([module(1)], {"closes": "2026-11-01"}, "fault-closes"),
        ([module(1)], {"closes": "x"}, "fault-closes"),
        ([module(1)], {"mode": "public"}, "fault-mode"),
        ([module(1)], {"template": "none"}, "fault-template"),
    ],
)
@sqlite_only
def test_a_faulty_form_is_shown_again_and_opens_nothing(
    app: Flask,
    platform: FakePlatform,
    course: int,
    engine: Engine,
    silo: int,
    what: list[str],
    more: dict[str, str],
    said: str,
) -> None:
    tutor = Placing(app, platform)
    answer = tutor.send(*what, **more)
    assert answer.status_code == 400
    assert said in answer.text.replace("\u202f", " ") or "module" in said.lower()
    assert "Rien n’est encore ajouté" in answer.text
    assert all_surveys(engine, silo, course) == ()


def test_of_two_questionnaires_none_is_opened_when_one_cannot_be(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    Placing(app, platform).send(module(2))
    answer = Placing(app, platform).send(module(1), module(2))
    assert answer.status_code == 400
    assert [each.module for each in all_surveys(engine, silo, course)] == [module(2).removeprefix("module:")]


@sqlite_only
def test_an_administrator_places_pages_and_opens_no_questionnaire(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    admin = Placing(app, platform, roles=[INSTRUCTOR, SITE_ADMIN])
    assert module(1) not in admin.page()
    assert admin.send(module(1)).status_code == 403
    assert all_surveys(engine, silo, course) == ()
    assert len(read(app, sent(admin.send("dashboard"))[1], platform)[ITEMS]) == 1


@sqlite_only
def test_titles_are_in_the_language_of_the_launch(app: Flask, platform: FakePlatform, course: int) -> None:
    english = Placing(app, platform, launch_presentation={"locale": "en"})
    (item,) = read(app, sent(english.send("progress"))[1], platform)[ITEMS]
    assert item["title"] == "Participants’ progress"


@sqlite_only
def test_to_choose_is_not_to_open_an_activity(
    app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int
) -> None:
    with transaction(engine, silo, write=False) as conn:
        before = len(conn.execute(select(event)).all())
    Placing(app, platform)
    with transaction(engine, silo, write=False) as conn:
        assert len(conn.execute(select(event)).all()) == before


# --- refusals ------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"roles": [LEARNER]}, 403),
        ({"roles": []}, 403),
        ({SETTINGS: ABSENT}, 400),
        ({SETTINGS: "x"}, 400),
        ({"settings": {"deep_link_return_url": ABSENT}}, 400),
        ({"settings": {"deep_link_return_url": 3}}, 400),
        ({"settings": {"deep_link_return_url": "https://thief.example.fr/take"}}, 401),
        ({"settings": {"deep_link_return_url": "https://campus.test@thief.fr/"}}, 401),
        ({"settings": {"deep_link_return_url": "javascript:alert(1)"}}, 401),
        ({"settings": {"accept_types": ["link", "file"]}}, 400),
        ({"settings": {"accept_types": "ltiResourceLink"}}, 400),
        ({"settings": {"data": {"a": 1}}}, 400),
        ({"settings": {"data": "x" * 10_001}}, 400),
        ({"settings": {"accept_presentation_document_targets": []}}, 400),
        ({"deployment_id": "9"}, 401),
        ({"context": ABSENT}, 400),
    ],
)
def test_refusal_40_a_request_that_is_not_right_opens_nothing(
    app: Flask,
    platform: FakePlatform,
    course: int,
    engine: Engine,
    silo: int,
    changes: dict[str, Any],
    status: int,
) -> None:
    browser = Browser(app, platform.public_url)
    settings = changes.pop("settings", {}) if "settings" in changes else {}
    answer = browser.launch(platform, **{**asking(**settings), **changes})
    assert answer.status_code == status, answer.text
    assert "Set-Cookie" not in answer.headers or "/c/" not in answer.headers.get("Location", "")
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(launch_table)).all() == []
        lines = conn.execute(select(audit.c.accepted)).scalars().all()
    assert lines == [False]


@sqlite_only
def test_refusal_40_a_request_serves_once(app: Flask, platform: FakePlatform, course: int) -> None:
    browser = Browser(app, platform.public_url)
    begun = browser.login(platform)
    token = platform.sign(platform.claims(begun.nonce, **asking()))
    assert browser.send(begun.state, token).status_code == 303
    assert browser.send(begun.state, token).status_code == 401


@sqlite_only
def test_refusal_39_the_choice_belongs_to_its_launch_and_its_browser(
    app: Flask, platform: FakePlatform, course: int
) -> None:
    tutor = Placing(app, platform)
    assert Browser(app, platform.public_url).get(f"{tutor.place}placing").status_code == 404
    other = tutor.browser.opened(platform, roles=[INSTRUCTOR], sub="7")
    assert tutor.browser.get(f"{other}placing").status_code == 404


# --- where links lead ----------------------------------------------------------------------------------


def led(app: Flask, platform: FakePlatform, custom: dict[str, str], **changes: Any) -> tuple[Browser, str]:
    """Open a link; return the browser and where it is led, without the front of its launch."""
    browser = Browser(app, platform.public_url)
    place = browser.opened(platform, custom=custom, **changes)
    return browser, browser.entered(place)


@pytest.fixture
def survey_id(app: Flask, platform: FakePlatform, course: int, engine: Engine, silo: int) -> str:
    Placing(app, platform).send(module(1))
    return all_surveys(engine, silo, course)[0].survey_id


def test_each_link_opens_on_its_choice_for_each_role(
    app: Flask, platform: FakePlatform, course: int, survey_id: str
) -> None:
    tutor, admin = {"roles": [INSTRUCTOR], "sub": "7"}, {"roles": [SITE_ADMIN], "sub": "2"}
    survey = {"estime_page": "survey", "estime_survey": survey_id}
    for custom, changes, page in (
        ({"estime_page": "dashboard"}, tutor, f"/courses/{course}/today"),
        ({"estime_page": "dashboard"}, admin, f"/courses/{course}/today"),
        ({"estime_page": "dashboard"}, {}, "/me"),
        ({"estime_page": "progress"}, tutor, f"/courses/{course}/people"),
        ({"estime_page": "progress"}, {}, "/me"),
        (survey, tutor, f"/courses/{course}/satisfaction/{survey_id}"),
        (survey, admin, f"/courses/{course}/satisfaction/{survey_id}"),
        (survey, {}, f"/surveys/{survey_id}"),
        ({"estime_page": "unheard-of"}, tutor, f"/courses/{course}/today"),
        ({"viz": "abc"}, admin, "/sessions"),
    ):
        browser, where = led(app, platform, custom, **changes)
        assert where.endswith(page), (custom, changes, where)
        assert browser.get(where).status_code == 200


@sqlite_only
def test_a_captured_launch_of_a_placed_link_is_led_by_its_own_words(
    app: Flask, engine: Engine, silo: int, clock: Clock, shared_data: Path
) -> None:
    file = shared_data / "moodle-4.5.6" / "idtoken_student_deeplinked_activity.json"
    captured = json.loads(file.read_text())["payload"]
    custom = {**captured[f"{CLAIM}custom"], "estime_page": "survey", "estime_survey": str(uuid4())}
    with jwks_server() as server:
        platform = FakePlatform(
            server, clock, "https://estime.test", issuer=captured["iss"], client_id=captured["aud"]
        )
        platform.register(engine, silo)
        browser = Browser(app, platform.public_url)
        begun = browser.login(platform)
        claims = refreshed({**captured, f"{CLAIM}custom": custom}, begun.nonce, clock(), platform.public_url)
        place = browser.send(begun.state, platform.sign(claims)).headers["Location"]
        assert browser.entered(place) == f"{place}gone"
        page = browser.get(f"{place}gone")
    assert page.status_code == 404
    assert "This questionnaire is no longer here" in page.text  # the platform said English


def test_a_choice_is_authorised_by_the_object_it_names(
    app: Flask,
    platform: FakePlatform,
    course: int,
    survey_id: str,
    engine: Engine,
    second_silo: int,
    clock: Clock,
) -> None:
    survey = {"estime_page": "survey", "estime_survey": survey_id}
    elsewhere = {"id": "9", "title": "Ailleurs"}
    for changes in ({"roles": [INSTRUCTOR], "sub": "7"}, {}):
        browser, where = led(app, platform, survey, context=elsewhere, **changes)
        assert where.endswith("/gone")
        page = browser.get(where)
        assert page.status_code == 404
        assert opened.MODULES[0] not in page.text
    neighbour = FakePlatform(
        platform.server, clock, platform.public_url, issuer="https://n.test", client_id="n"
    )
    neighbour.register(engine, second_silo)
    browser, where = led(app, neighbour, survey, roles=[INSTRUCTOR])
    assert where.endswith("/gone")
    browser, where = led(app, platform, {"estime_page": "survey", "estime_survey": "x' or 1=1"})
    assert where.endswith("/gone")


def test_an_old_link_says_that_its_questionnaire_was_withdrawn(
    app: Flask, platform: FakePlatform, course: int, survey_id: str, engine: Engine, silo: int
) -> None:
    with transaction(engine, silo) as conn:
        surveys.cancel(conn, surveys.find(conn, silo, course, survey_id))
    survey = {"estime_page": "survey", "estime_survey": survey_id}
    browser, where = led(app, platform, survey)
    trainee = browser.get(where)
    assert (trainee.status_code, "rien à répondre" in trainee.text) == (404, True)
    browser, where = led(app, platform, survey, roles=[INSTRUCTOR], sub="7")
    tutor = browser.get(where)
    assert tutor.status_code == 404
    assert f"/courses/{course}/satisfaction/new" in tutor.text


@sqlite_only
def test_a_trainee_reached_by_a_closed_questionnaire_is_told(
    app: Flask, platform: FakePlatform, course: int, survey_id: str, clock: Clock
) -> None:
    clock.advance(days=20)
    browser, where = led(app, platform, {"estime_page": "survey", "estime_survey": survey_id})
    assert "Ce questionnaire est clos" in browser.get(where).text
