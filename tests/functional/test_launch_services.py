"""What a launch must refuse, continued: other people's objects, deep linking, services, registration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select

from lti_tool.app import create_app
from lti_tool.service_tables import course_service
from lti_tool.tables import launch
from tests.conftest import Clock
from tests.factories import registering
from tests.factories.jobs import drain
from tests.factories.platform import ABSENT, INSTRUCTOR, LEARNER, Browser
from tests.factories.registering import CONFIGURATION, ENDPOINT, SITE
from tests.factories.scene import Scene, in_mode, make_scene
from tests.factories.services_platform import Moodle, moodle
from tests.factories.services_room import Room, make_room
from tests.functional.test_registration import Door
from tool_config import platforms
from tool_config.database import administration, transaction
from tool_config.settings import Settings
from tool_config.tables import platform as platform_table
from xapi.tables import course

SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"


@pytest.fixture
def settings(settings: Settings, engine: Engine, request: pytest.FixtureRequest) -> Settings:
    """Return the settings of both modes: SQLite alone, or PostgreSQL with Redis."""
    return in_mode(settings, engine, request)


@pytest.fixture
def scene(
    app: Any,
    settings: Settings,
    engine: Engine,
    silo: int,
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Scene]:
    with make_scene(app, settings, engine, silo, clock, caplog) as made:
        yield made


@pytest.fixture
def room(settings: Settings, engine: Engine, silo: int, clock: Clock) -> Iterator[Room]:
    with make_room(settings, engine, silo, clock) as made:
        yield made


def placing(scene: Scene, **settings: Any) -> dict[str, Any]:
    """Return the claims of a tutor who asks to choose what the course will hold."""
    said = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "accept_multiple": True,
        "deep_link_return_url": f"{scene.platform.issuer}/mod/lti/contentitem_return.php?sesskey=Dg7w4SmCBb",
        **settings,
    }
    return {
        "message_type": "LtiDeepLinkingRequest",
        "resource_link": ABSENT,
        "roles": [INSTRUCTOR],
        "sub": "7",
        SETTINGS: {name: value for name, value in said.items() if value is not ABSENT},
    }


# --- 39: another session's or course's -----------------------------------------------------------------


def test_refusal_39_launch_and_deep_link_ids_of_another_session(scene: Scene) -> None:
    place = scene.visitor.opened(scene.platform, **placing(scene))
    assert scene.visitor.get(f"{place}placing").status_code == 200
    stranger = Browser(scene.app, scene.settings.public_url)
    own = stranger.opened(scene.platform, sub="8", roles=[INSTRUCTOR])
    for path in ("", "placing", "open", "me", "journal"):
        scene.refuses(404, lambda path=path: stranger.get(f"{place}{path}"))
    # One's own launch asked for nothing to be placed.
    scene.refuses(404, lambda: stranger.get(f"{own}placing"))
    token = re.search(r'name="csrf_token" value="(\w+)"', scene.visitor.get(f"{place}placing").text)
    assert token
    data = {"csrf_token": token[1], "what": "dashboard"}
    scene.refuses(404, lambda: stranger.post(f"{place}placing", data=data))


def test_refusal_39_grades_of_another_course(room: Room) -> None:
    _, place = room.launch()
    other, own = room.launch(sub="8", context={"id": "9", "title": "B"}, roles=[INSTRUCTOR])
    courses = {row.context_id: row.course_id for row in room.rows(course)}
    mine, theirs = courses["9"], courses["2"]
    assert other.get(f"{own}courses/{mine}/today").status_code == 200
    pages = [
        str(rule.rule).partition("<launch>/")[2]
        for rule in room.app.url_map.iter_rules()
        if rule.rule.startswith("/c/<launch>/courses/")
        and "GET" in (rule.methods or ())
        and rule.arguments == {"launch", "course_id"}
    ]
    assert len(pages) > 8
    for page in pages:
        path = re.sub(r"<[^>]*course_id>", str(theirs), page)
        answer = other.get(f"{own}{path}")
        assert answer.status_code == 404, page
        assert "Edith" not in answer.text
    assert other.get(place).status_code == 404


# --- 40: deep linking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"roles": [LEARNER]}, 403),
        ({"roles": []}, 403),
        ({SETTINGS: ABSENT}, 400),
        ({"return": ABSENT}, 400),
        ({"return": "https://evil.test/take"}, 401),
        ({"return": "https://moodle.test@evil.test/"}, 401),
        ({"return": "javascript:alert(1)"}, 401),
        ({"return": "//evil.test/"}, 401),
    ],
)
def test_refusal_40_deep_linking_by_a_learner_or_without_a_return_of_the_platform(
    scene: Scene, changes: dict[str, Any], status: int
) -> None:
    claims = placing(scene)
    if "return" in changes:
        claims = placing(scene, deep_link_return_url=changes["return"])
        changes = {}
    scene.refuses_claims(status, **{**claims, **changes})


def test_refusal_40_deep_linking_replayed(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    token = scene.platform.sign(scene.platform.claims(begun.nonce, **placing(scene)))
    cookies = [(each.key, each.value) for each in scene.visitor.client._cookies.values()]
    assert scene.visitor.send(begun.state, token).status_code == 303
    for name, value in cookies:
        scene.visitor.client.set_cookie(name, value, domain="estime.test")
    scene.refuses(401, lambda: scene.visitor.send(begun.state, token))


# --- 43, 44: bearers ---------------------------------------------------------------------------------------


def test_refusal_43_services_off_the_platforms_origin_get_no_bearer(room: Room) -> None:
    with moodle() as thief:
        claims = {
            NRPS: {"context_memberships_url": f"{thief.url}/mod/lti/services.php/CourseSection/2/x"},
            AGS: {"lineitems": f"{thief.url}/mod/lti/services.php/2/lineitems", "scope": []},
        }
        room.launch(**claims)
        assert [row.services.get("memberships") for row in room.rows(launch)] == [None]
        drain(room.tool)
        # Were it there all the same (an older registration, say), no bearer would be sent to it.
        room.launch()
        with transaction(room.engine, room.silo) as conn:
            conn.execute(course_service.update().values(memberships_url=f"{thief.url}/x/memberships"))
        room.sync()
        assert thief.asked == []
        assert room.problem() == "foreign"


def test_refusal_44_the_token_of_one_client_never_serves_another(
    room: Room, second_silo: int, settings: Settings, clock: Clock
) -> None:
    """One Moodle knows the tool under two clients, one a silo; both share the cache."""
    room.moodle.members = []
    room.launch()
    drain(room.tool)
    first = bearers(room.moodle)
    assert len(first) == 1
    with administration(room.engine) as conn:
        platforms.ensure_key(conn, second_silo, settings.secret_key, clock())
    room.platform.client_id, room.platform.deployment_id = "another-client", "2"
    room.platform.register(room.engine, second_silo)
    room.moodle.client_id = "another-client"
    room.moodle.asked.clear()
    room.launch(deployment_id="2")
    drain(replace(room.tool))
    second = bearers(room.moodle)
    assert len(second) == 1
    assert not first & second
    assert [said["sub"] for said in room.moodle.assertions] == ["estime-client", "another-client"]


def bearers(served: Moodle) -> set[str]:
    return {
        one.headers["authorization"] for one in served.asked if one.headers.get("authorization") is not None
    }


# --- 45: registration --------------------------------------------------------------------------------------


def test_refusal_45_an_invitation_reused(settings: Settings, engine: Engine, silo: int, clock: Clock) -> None:
    door = Door(settings, engine, clock, silo, registering.moodle())
    assert door.open().status_code == 200
    door.http.answers[ENDPOINT] = registering.registered(client_id="another")  # type: ignore[attr-defined]
    answer = door.open()
    assert answer.status_code == 410
    assert '<h1 class="lead">' in answer.text
    assert [accepted for accepted, _ in door.lines()] == [True, False]
    made = door.platform()
    assert made is not None
    assert made.client_id == "given-by-moodle"


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({CONFIGURATION: registering.configuration(issuer=f"{SITE}/autre")}, 401),
        ({CONFIGURATION: registering.configuration(issuer="https://evil.test")}, 401),
        ({CONFIGURATION: registering.configuration(token_endpoint="https://other.test/token.php")}, 401),
        ({ENDPOINT: (401, b"{}")}, 502),
        ({ENDPOINT: (403, b"{}")}, 502),
    ],
)
def test_refusal_45_a_registration_unauthenticated_or_of_another_issuer(
    settings: Settings, engine: Engine, silo: int, clock: Clock, answers: dict[str, Any], status: int
) -> None:
    http = registering.moodle()
    http.answers.update(answers)
    door = Door(settings, engine, clock, silo, http)
    answer = door.open()
    assert answer.status_code == status
    assert door.platform() is None
    assert [accepted for accepted, _ in door.lines()] == [False]
    assert not any("__Host-" in item for item in answer.headers.getlist("Set-Cookie"))


def test_refusal_45_without_an_invitation(settings: Settings, engine: Engine, silo: int) -> None:
    app = create_app(settings, engine=engine)
    for link in ("x", f"{silo}-{'a' * 22}", f"999-{'a' * 43}"):
        answer = app.test_client().get(
            f"/lti/register/{link}",
            base_url=settings.public_url,
            query_string={"openid_configuration": CONFIGURATION, "registration_token": "t"},
        )
        assert answer.status_code == 404
    with transaction(engine, silo, write=False) as conn:
        assert conn.execute(select(platform_table.c.issuer)).first() is None
