"""What a launch must refuse, one test for each: status, a page for people, no session, one audit line."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from sqlalchemy import Engine, func, select

from lti_tool import keys, outbound
from lti_tool.app import create_app
from lti_tool.tables import launch, login_state
from tests.factories.platform import (
    ABSENT,
    CLAIM,
    INSTRUCTOR,
    LEARNER,
    SITE_ADMIN,
    Begun,
    Browser,
    FakePlatform,
    jwks_server,
    key_pair,
    public_jwk,
)
from tests.factories.scene import Scene, in_mode, make_scene
from tool_config import platforms
from tool_config.database import administration, transaction
from tool_config.platforms import PlatformError
from tool_config.settings import Settings


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


def test_refusal_01_bad_signature(scene: Scene) -> None:
    scene.refuses_token(
        401, lambda begun: scene.platform.sign(scene.platform.claims(begun.nonce), key="somebody else")
    )


def test_refusal_01_altered_payload(scene: Scene) -> None:
    def make(begun: Begun) -> str:
        head, _, signature = scene.platform.sign(scene.platform.claims(begun.nonce)).split(".")
        other = json.dumps(scene.platform.claims(begun.nonce, roles=[INSTRUCTOR])).encode()
        return f"{head}.{base64.urlsafe_b64encode(other).rstrip(b'=').decode()}.{signature}"

    scene.refuses_token(401, make)


@pytest.mark.parametrize(
    "fault", ["parts", "alphabet", "length", "extension", "list", "no JSON", "no signature"]
)
def test_refusal_01_what_is_no_token(scene: Scene, fault: str) -> None:
    def make(begun: Begun) -> str:
        claims = scene.platform.claims(begun.nonce)
        whole = scene.platform.sign(claims)
        head, payload, signature = whole.split(".")
        key, headers = key_pair(scene.platform.kid), {"kid": scene.platform.kid}
        made = {
            "parts": f"{whole}.{signature}",
            "alphabet": f"{head}.{payload}.{signature[:-4]}+/==",
            "length": f"{head}.{payload}.{signature[:5]}",
            "extension": scene.platform.sign(claims, crit=["exp"], exp=1),
            "list": jwt.PyJWS().encode(b"[]", key, algorithm="RS256", headers=headers),
            "no JSON": jwt.PyJWS().encode(b"{", key, algorithm="RS256", headers=headers),
            "no signature": f"{head}.{payload}.",
        }
        return made[fault]

    scene.refuses_token(400, make)


def test_refusal_02_alg_none(scene: Scene) -> None:
    scene.refuses_token(401, lambda begun: scene.platform.unsigned(scene.platform.claims(begun.nonce)))


def test_refusal_03_hs256_with_the_public_key(scene: Scene) -> None:
    scene.refuses_token(
        401, lambda begun: scene.platform.sign_with_public_key(scene.platform.claims(begun.nonce))
    )


def test_refusal_04_no_kid(scene: Scene) -> None:
    scene.refuses_token(
        400, lambda begun: scene.platform.sign(scene.platform.claims(begun.nonce), kid=ABSENT)
    )


def test_refusal_05_unknown_kid_after_one_refetch(scene: Scene) -> None:
    scene.visitor.opened(scene.platform)
    asked = scene.platform.server.asked
    scene.refuses_token(
        401, lambda begun: scene.platform.sign(scene.platform.claims(begun.nonce), kid="unheard-of")
    )
    assert scene.platform.server.asked == asked + 1


def test_refusal_06_flood_of_kids_is_throttled(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    claims = scene.platform.claims(begun.nonce)
    for number in range(20):
        token = scene.platform.sign(claims, kid=f"flood-{number}")
        scene.refuses(401, lambda token=token: scene.visitor.send(begun.state, token))
    assert scene.platform.server.asked <= keys.MOST_FETCHES
    assert scene.visitor.send(begun.state, scene.platform.sign(claims)).status_code == 303
    scene.clock.advance(seconds=61)
    scene.platform.publish("rotated-after-the-flood")
    scene.visitor.opened(scene.platform)


def test_refusal_06_one_registration_does_not_throttle_another(scene: Scene) -> None:
    with jwks_server() as server:
        other = FakePlatform(
            server, scene.clock, scene.settings.public_url, issuer="https://other.test", client_id="other"
        )
        other.register(scene.engine, scene.silo)
        begun = scene.visitor.login(scene.platform)
        for number in range(6):
            token = scene.platform.sign(scene.platform.claims(begun.nonce), kid=f"flood-{number}")
            assert scene.visitor.send(begun.state, token).status_code == 401
        scene.visitor.opened(other)


def test_accepted_07_rotated_key(scene: Scene) -> None:
    scene.visitor.opened(scene.platform)
    scene.platform.publish("key-1", "key-2")
    scene.visitor.opened(scene.platform)
    assert scene.platform.server.asked == 2
    scene.visitor.opened(scene.platform)
    assert scene.platform.server.asked == 2


@pytest.mark.parametrize("mode", ["malformed", "empty", "error", "huge", "redirecting"])
def test_refusal_08_keys_that_cannot_be_had(scene: Scene, mode: str) -> None:
    scene.platform.server.mode = mode
    scene.refuses_claims(502)
    scene.platform.server.mode = "ok"
    scene.visitor.opened(scene.platform)


@pytest.mark.parametrize("mode", ["slow", "dripping"])
def test_refusal_08_slow_keys(scene: Scene, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "STEP_SECONDS", 1.0)
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 1.5)
    scene.platform.server.mode = mode
    scene.refuses_claims(502)


def test_refusal_08_known_keys_still_serve_when_the_platform_is_out_of_reach(scene: Scene) -> None:
    scene.visitor.opened(scene.platform)
    scene.clock.advance(hours=2)
    scene.platform.server.mode = "error"
    for _ in range(keys.MOST_FETCHES + 2):
        scene.visitor.opened(scene.platform)
    scene.clock.advance(hours=30)
    scene.refuses_claims(502)


def strict(scene: Scene) -> Browser:
    """Return a browser on the same tool without the development setting."""
    settings = replace(scene.settings, allow_local_network=False)
    return Browser(create_app(settings, engine=scene.engine, clock=scene.clock), settings.public_url)


def test_refusal_09_plain_http_and_private_addresses(scene: Scene) -> None:
    visitor = strict(scene)
    scene.refuses(502, lambda: visitor.launch(scene.platform))
    assert scene.platform.server.asked == 0
    for url in (
        "https://127.0.0.1:9/certs",
        "https://[::1]:9/certs",
        "https://[::ffff:10.0.0.1]/certs",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost:9/certs",
        "https://0.0.0.0/certs",
    ):
        with pytest.raises(keys.KeysUnavailableError, match="private"):
            keys.fetch(url, allow_local=False)
    with pytest.raises(keys.KeysUnavailableError, match="private"):
        keys.fetch("http://169.254.169.254/latest/meta-data", allow_local=True)


def test_refusal_09_registration_on_a_private_address(scene: Scene) -> None:
    good = {
        "issuer": "https://new.test",
        "client_id": "c",
        "deployment_id": "1",
        "auth_url": "https://new.test/auth",
        "token_url": "https://new.test/token",
        "jwks_url": "https://new.test/certs",
        "now": scene.clock(),
    }
    for change in (
        {"jwks_url": "http://new.test/certs"},
        {"jwks_url": "https://10.0.0.8/certs"},
        {"token_url": "https://localhost/token"},
        {"auth_url": "ftp://new.test/auth"},
        {"auth_url": "javascript:alert(1)"},
        {"issuer": "new"},
        {"frame_origins": ["https://evil.test; script-src *"]},
    ):
        with administration(scene.engine) as conn, pytest.raises(PlatformError):
            platforms.add(conn, scene.silo, **{**good, **change})
    with administration(scene.engine) as conn:
        platforms.add(conn, scene.silo, **good)


def test_refusal_09_dns_rebinding(scene: Scene) -> None:
    answers = [["203.0.113.9", "127.0.0.1"]]
    with pytest.raises(keys.KeysUnavailableError, match="private"):
        keys.fetch("https://rebind.test/certs", allow_local=False, resolve=lambda *_: answers[0])
    # What was checked is what is connected to: the name is looked up once.
    port = int(scene.platform.server.url.rpartition(":")[2].partition("/")[0])
    asked: list[str] = []

    def once(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    body = keys.fetch(f"http://rebind.test:{port}/certs", allow_local=True, resolve=once)
    assert json.loads(body)["keys"]
    assert asked == ["rebind.test"]


def test_refusal_10_unknown_issuer(scene: Scene) -> None:
    scene.refuses(401, lambda: scene.visitor.try_login(scene.platform, iss="https://nobody.test"))
    scene.refuses(401, lambda: scene.visitor.try_login(scene.platform, client_id="nobody"))
    scene.refuses(400, lambda: scene.visitor.try_login(scene.platform, iss=ABSENT))
    scene.refuses_claims(401, iss="https://nobody.test")
    scene.refuses_claims(400, iss=ABSENT)
    scene.refuses_claims(401, iss=["https://moodle.test"])


def test_refusal_11_wrong_audience(scene: Scene) -> None:
    scene.refuses_claims(401, aud="another-client")
    scene.refuses_claims(400, aud=ABSENT)


def test_refusal_12_several_audiences_without_azp(scene: Scene) -> None:
    scene.refuses_claims(401, aud=[scene.platform.client_id, "another-client"])


def test_refusal_13_azp_is_another_client(scene: Scene) -> None:
    scene.refuses_claims(401, azp="another-client")
    scene.refuses_claims(401, aud=[scene.platform.client_id], azp="another-client")


def test_refusal_14_other_audience_unless_trusted(scene: Scene) -> None:
    changes = {"aud": ["another-client", scene.platform.client_id], "azp": scene.platform.client_id}
    scene.refuses_claims(401, **changes)
    scene.platform.register(scene.engine, scene.silo, trusted_audiences=["another-client"])
    scene.visitor.opened(scene.platform, **changes)


@pytest.mark.parametrize("audience", [[], "", [1], [None], {"a": 1}, 7, [["estime-client"]]])
def test_refusal_15_audience_empty_or_not_strings(scene: Scene, audience: Any) -> None:
    scene.refuses_claims(401, aud=audience)


def test_refusal_16_expired(scene: Scene) -> None:
    now = int(scene.clock().timestamp())
    scene.refuses_claims(401, iat=now - 120, exp=now - 60)
    scene.visitor.opened(scene.platform, iat=now - 70, exp=now - 10)


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_refusal_17_times_missing_or_not_numbers(scene: Scene, name: str) -> None:
    scene.refuses_claims(400, **{name: ABSENT})
    scene.refuses_claims(400, **{name: "soon"})
    scene.refuses_claims(400, **{name: True})
    scene.refuses_claims(400, **{name: float("nan")})
    scene.refuses_claims(400, **{name: float("inf")})


def test_refusal_18_issued_in_the_future(scene: Scene) -> None:
    now = int(scene.clock().timestamp())
    scene.visitor.opened(scene.platform, iat=now + 2, exp=now + 62)
    scene.refuses_claims(401, iat=now + 300, exp=now + 360)
    scene.refuses_claims(401, nbf=now + 300)


def test_refusal_19_old_token_with_far_expiry(scene: Scene) -> None:
    now = int(scene.clock().timestamp())
    scene.refuses_claims(401, iat=now - 3600, exp=now + 86400)


def test_refusal_20_nonce_missing_or_unknown(scene: Scene) -> None:
    scene.refuses_claims(400, nonce=ABSENT)
    scene.refuses_claims(400, nonce="")
    scene.refuses_claims(400, nonce=["x"])
    begun = scene.visitor.login(scene.platform)
    token = scene.platform.sign(scene.platform.claims("made-up"))
    scene.refuses(401, lambda: scene.visitor.send(begun.state, token))


def test_refusal_21_replay(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    token = scene.platform.sign(scene.platform.claims(begun.nonce))
    cookies = [(each.key, each.value) for each in scene.visitor.client._cookies.values()]
    assert scene.visitor.send(begun.state, token).status_code == 303
    for name, value in cookies:
        scene.visitor.client.set_cookie(name, value, domain="estime.test")
    scene.refuses(401, lambda: scene.visitor.send(begun.state, token))


def test_refusal_21_what_a_refused_token_spent_stays_spent(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    bad = scene.platform.sign(scene.platform.claims(begun.nonce, roles=[]))
    scene.refuses(403, lambda: scene.visitor.send(begun.state, bad))
    good = scene.platform.sign(scene.platform.claims(begun.nonce))
    scene.refuses(401, lambda: scene.visitor.send(begun.state, good))


def test_refusal_22_state_of_one_login_nonce_of_another(scene: Scene) -> None:
    one, two = scene.visitor.login(scene.platform), scene.visitor.login(scene.platform)
    token = scene.platform.sign(scene.platform.claims(two.nonce))
    scene.refuses(401, lambda: scene.visitor.send(one.state, token))


def test_refusal_23_state_missing_or_forged(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    token = scene.platform.sign(scene.platform.claims(begun.nonce))
    scene.refuses(400, lambda: scene.visitor.post("/lti/launch", data={"id_token": token}))
    scene.refuses(400, lambda: scene.visitor.send("", token))
    scene.refuses(400, lambda: scene.visitor.post("/lti/launch", data={"state": begun.state}))
    for state in (
        "forged",
        f"{scene.silo}.{'x' * 32}",
        f"999.{'x' * 32}",
        f"99999999999999999999.{'x' * 32}",
        f"-1.{'x' * 32}",
        f"{begun.state}x",
        f"{scene.silo}." + "\x00" * 32,
    ):
        scene.refuses(401, lambda state=state: scene.visitor.send(state, token))


def test_refusal_24_state_of_another_browser(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    token = scene.platform.sign(scene.platform.claims(begun.nonce))
    other = Browser(scene.app, scene.settings.public_url)
    other.login(scene.platform)
    scene.refuses(401, lambda: other.send(begun.state, token))
    name = f"__Host-estime-login-{begun.state.partition('.')[2]}"
    other.client.set_cookie(name, "guessed", domain="estime.test", secure=True)
    scene.refuses(401, lambda: other.send(begun.state, token))
    assert scene.visitor.send(begun.state, token).status_code == 303


def test_refusal_25_state_expired(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    scene.clock.advance(minutes=10, seconds=1)
    token = scene.platform.sign(scene.platform.claims(begun.nonce))
    scene.refuses(401, lambda: scene.visitor.send(begun.state, token))
    first = scene.visitor.post("/lti/login", data=scene.platform.login())
    scene.clock.advance(minutes=11)
    scene.refuses(401, lambda: scene.visitor.get(first.headers["Location"]))


def test_refusal_26_login_by_one_client_token_for_another(scene: Scene) -> None:
    other = FakePlatform(
        scene.platform.server,
        scene.clock,
        scene.settings.public_url,
        issuer="https://other.test",
        client_id="other-client",
    )
    other.register(scene.engine, scene.silo)
    begun = scene.visitor.login(scene.platform)
    token = other.sign(other.claims(begun.nonce))
    scene.refuses(401, lambda: scene.visitor.send(begun.state, token))
    scene.refuses_claims(401, aud="other-client")


def test_refusal_27_deployment_wrong_or_missing(scene: Scene) -> None:
    scene.refuses_claims(401, deployment_id="2")
    for value in (ABSENT, "", 1, None, ["1"]):
        scene.refuses_claims(400, deployment_id=value)


def test_refusal_28_version_wrong_or_missing(scene: Scene) -> None:
    for value in (ABSENT, "1.1", 1.3, ["1.3.0"]):
        scene.refuses_claims(400, version=value)


def test_refusal_29_message_type_wrong_or_missing(scene: Scene) -> None:
    for value in (ABSENT, "LtiSomething", "LtiDeepLinkingRequest", ["LtiResourceLinkRequest"]):
        scene.refuses_claims(400, message_type=value)


def test_refusal_30_sub_missing_or_not_a_string(scene: Scene) -> None:
    for value in (ABSENT, 3, "", None, ["3"], "3\x00", "\ud800", "x" * 256):
        scene.refuses_claims(400, sub=value)


def test_refusal_31_roles_missing_or_a_string(scene: Scene) -> None:
    for value in (ABSENT, LEARNER, None, [1], {"a": LEARNER}):
        scene.refuses_claims(400, roles=value)
    scene.refuses_claims(403, roles=[])


def test_refusal_32_resource_link_id_missing_or_of_wrong_type(scene: Scene) -> None:
    for value in (ABSENT, {}, {"id": 1}, {"id": ""}, "1", ["1"], {"id": ["1"]}, {"id": None}):
        scene.refuses_claims(400, resource_link=value)


def test_refusal_32_context_missing(scene: Scene) -> None:
    for value in (ABSENT, {}, {"id": 2}, "2", {"title": "LTI"}):
        scene.refuses_claims(400, context=value)


def test_refusal_33_target_missing_or_foreign(scene: Scene) -> None:
    for value in (ABSENT, "", 7):
        scene.refuses_claims(400, target_link_uri=value)
    for value in ("https://evil.test/lti/launch", "https://estime.test@evil.test/", "//estime.test/", "x"):
        scene.refuses_claims(401, target_link_uri=value)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "https://estime.test.evil.test/",
        "//evil.test",
        "javascript:alert(1)",
        "https://[",
    ],
)
def test_refusal_34_foreign_target_of_a_login_is_never_gone_to(scene: Scene, target: str) -> None:
    answer = scene.refuses(400, lambda: scene.visitor.try_login(scene.platform, target_link_uri=target))
    assert "Location" not in answer.headers
    scene.refuses(400, lambda: scene.visitor.try_login(scene.platform, target_link_uri=ABSENT))


def test_refusal_35_hints_tampered(scene: Scene) -> None:
    first = scene.visitor.post("/lti/login", data=scene.platform.login())
    address = first.headers["Location"]
    front, _, ticket = address.partition("login=")
    body, _, signature = ticket.partition(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    content["asked"][1] = "2"
    other = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    scene.refuses(401, lambda: scene.visitor.get(f"{front}login={other}.{signature}"))
    scene.refuses(401, lambda: scene.visitor.get(f"{front}login=é.é"))
    scene.refuses(400, lambda: scene.visitor.get("/lti/check"))
    scene.refuses(400, lambda: scene.visitor.try_login(scene.platform, login_hint=ABSENT))
    # A hint is the platform's: whatever it holds comes back as it was, and adds no parameter.
    hint = '3&redirect_uri=https://evil.test#"\r\nX: y'
    begun = scene.visitor.login(scene.platform, login_hint=hint, lti_message_hint="{<&>")
    assert begun.parameters["login_hint"] == hint
    assert begun.parameters["lti_message_hint"] == "{<&>"
    assert begun.parameters["redirect_uri"] == f"{scene.settings.public_url}/lti/launch"


@pytest.mark.parametrize(
    "look_alike",
    [
        "http://purl.imsglobal.org/vocab/lis/v2/membership/Learner#Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant",
        "http://purl.imsglobal.org/vocab/lis/v2/membership#instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/membership#InstructorX",
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor ",
        "http://evil.test/vocab/lis/v2/membership#Instructor",
        "https://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
        "Instructor",
        "urn:lti:role:ims/lis/Instructor",
    ],
)
def test_refusal_36_look_alike_roles(scene: Scene, look_alike: str) -> None:
    scene.refuses_claims(403, roles=[look_alike])


def test_refusal_36_a_look_alike_beside_a_learner_stays_a_learner(scene: Scene) -> None:
    look_alike = "http://purl.imsglobal.org/vocab/lis/v2/membership/Learner#Instructor"
    scene.visitor.opened(scene.platform, roles=[look_alike, LEARNER])
    with transaction(scene.engine, scene.silo, write=False) as conn:
        assert conn.execute(select(launch.c.role)).scalar_one() == "trainee"


@pytest.mark.parametrize(
    "role",
    [
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student",
        "http://purl.imsglobal.org/vocab/lis/v2/system/person#User",
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor",
    ],
)
def test_refusal_37_institution_roles_give_no_course_rights(scene: Scene, role: str) -> None:
    scene.refuses_claims(403, roles=[role])


def test_refusal_37_a_role_map_decides_for_its_platform(scene: Scene) -> None:
    assistant = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"
    with administration(scene.engine) as conn:
        table = platforms.platform
        conn.execute(table.update().values(role_map={assistant: "tutor", SITE_ADMIN: ""}))
    scene.visitor.opened(scene.platform, roles=[assistant])
    scene.refuses_claims(403, roles=[SITE_ADMIN])


def test_refusal_38_same_sub_and_context_on_another_issuer_or_client(scene: Scene, second_silo: int) -> None:
    neighbour = FakePlatform(
        scene.platform.server, scene.clock, scene.settings.public_url, client_id="neighbour-client"
    )
    neighbour.register(scene.engine, second_silo)
    other = FakePlatform(
        scene.platform.server,
        scene.clock,
        scene.settings.public_url,
        issuer="https://other.test",
        client_id="other-client",
    )
    other.register(scene.engine, scene.silo)
    places = [scene.visitor.opened(each) for each in (scene.platform, neighbour, other)]
    with transaction(scene.engine, scene.silo, write=False) as conn:
        rows = conn.execute(
            select(launch.c.actor, launch.c.course_id).where(launch.c.silo_id == scene.silo)
        ).all()
        assert len({row.actor for row in rows}) == len({row.course_id for row in rows}) == 2
    with transaction(scene.engine, second_silo, write=False) as conn:
        found = conn.execute(select(launch.c.course_id).where(launch.c.silo_id == second_silo)).scalars()
        assert not set(found) & {row.course_id for row in rows}
    stranger = Browser(scene.app, scene.settings.public_url)
    stranger.opened(neighbour)
    for place in places:
        assert stranger.get(place + "open").status_code == 404


def test_refusal_38_one_client_in_two_silos_is_told_apart_by_its_deployment(
    scene: Scene, second_silo: int
) -> None:
    twin = FakePlatform(scene.platform.server, scene.clock, scene.settings.public_url, deployment_id="2")
    twin.register(scene.engine, second_silo)
    with pytest.raises(PlatformError):
        scene.platform.register(scene.engine, second_silo)
    assert scene.visitor.opened(scene.platform).startswith(f"/c/{scene.silo}-")
    assert scene.visitor.opened(twin).startswith(f"/c/{second_silo}-")
    scene.refuses(400, lambda: scene.visitor.try_login(twin, lti_deployment_id=ABSENT))
    scene.refuses_claims(401, deployment_id="2")


def test_refusal_41_error_answer_is_a_friendly_page(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    sent = {"state": begun.state, "error": "login_required", "error_description": "<b>Sara</b>"}
    answer = scene.refuses(400, lambda: scene.visitor.post("/lti/launch", data=sent))
    assert "ouvrez de nouveau Estime" in html.unescape(answer.get_data(as_text=True))
    assert f"frame-ancestors {scene.platform.issuer}" in answer.headers["Content-Security-Policy"]
    scene.refuses(400, lambda: scene.visitor.post("/lti/launch", data={"error": "unauthorized_client"}))


def test_refusal_42_markup_in_titles_names_and_custom(scene: Scene) -> None:
    evil = "<script>alert(1)</script>"
    place = scene.visitor.opened(
        scene.platform,
        context={"id": evil, "title": evil, "label": evil},
        resource_link={"id": evil, "title": evil},
        name=evil,
        custom={"estime_choice": evil, evil: evil},
        roles=[INSTRUCTOR],
    )
    answer = scene.visitor.get(place + "open", headers={"Referer": f"https://estime.test{place}{evil}"})
    assert answer.status_code == 200
    assert evil not in answer.get_data(as_text=True)
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    page = scene.visitor.get("/lti/check", query_string={"login": evil}).get_data(as_text=True)
    assert evil not in page


def test_malformed_tokens_end_in_a_page(scene: Scene) -> None:
    begun = scene.visitor.login(scene.platform)
    for token in (
        "x",
        "a.b.c",
        "....",
        "é",
        "\ud83c.\x00.",
        "e30.e30.",
        "x" * 200_000,
        f"{'W10'}.{'W10'}.x",
        scene.platform.sign({}) + "x",
    ):
        answer = scene.visitor.send(begun.state, token.encode("utf-8", "replace").decode())
        assert answer.status_code in (400, 401), (token[:20], answer.status_code)
    assert scene.visitor.send(begun.state, scene.platform.sign({})).status_code == 400


def test_a_key_that_is_not_for_signatures_or_too_short_is_no_key(scene: Scene) -> None:
    good = public_jwk("key-1")
    scene.platform.server.keys = [{**good, "use": "enc"}, {**good, "kty": "oct", "k": "AA"}, {"kid": 3}, 7]
    scene.refuses_claims(502)


def test_refused_page_speaks_the_language_of_the_browser(scene: Scene) -> None:
    answer = scene.visitor.post("/lti/launch", headers={"Accept-Language": "en-GB"})
    assert '<html lang="en"' in answer.get_data(as_text=True)
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_login_states_are_swept(scene: Scene) -> None:
    for _ in range(3):
        scene.visitor.login(scene.platform)
        scene.clock.advance(minutes=11)
    with transaction(scene.engine, scene.silo, write=False) as conn:
        assert conn.execute(select(func.count()).select_from(login_state)).scalar_one() == 1


def test_every_claim_of_every_type_ends_in_a_page(scene: Scene) -> None:
    for name in ("context", "resource_link", "roles", "custom", "launch_presentation", "ext", "lis"):
        for value in (None, 1, "x", [], {}, [[]], {"id": {}}, True):
            answer = scene.visitor.launch(scene.platform, **{f"{CLAIM}{name}": value})
            assert answer.status_code in (303, 400, 403), (name, value, answer.status_code)
