"""A platform registers itself by invitation: what the tool asks for, what it keeps, what it refuses."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool import invitations
from lti_tool.app import create_app
from lti_tool.cli import main
from lti_tool.outbound import Outbound
from lti_tool.registration_tables import invitation
from lti_tool.tables import audit, person
from tests.conftest import Clock
from tests.factories import registering
from tests.factories.platform import Browser, FakePlatform, jwks_server
from tests.factories.registering import CONFIGURATION, ENDPOINT, SITE, TOKEN, TOOL, Recorded
from tool_config import platforms
from tool_config.database import open_engine, transaction
from tool_config.settings import Settings

PUBLIC = "https://estime.test"
Make = Callable[..., "Door"]
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Door:
    """The tool with an invitation waiting, and a platform behind the network."""

    def __init__(self, settings: Settings, engine: Engine, clock: Clock, silo: int, http: Outbound) -> None:
        self.app: Flask = create_app(settings, engine=engine, clock=clock, http=http)
        self.engine, self.silo, self.http, self.clock = engine, silo, http, clock
        with transaction(engine, silo) as conn:
            self.link, _ = invitations.invite(conn, silo, days=7, public_url=PUBLIC, now=clock())

    def open(
        self, url: str | None = CONFIGURATION, link: str | None = None, method: str = "GET", **headers: str
    ) -> Any:
        """Open the invitation as a platform does."""
        asked = {} if url is None else {"openid_configuration": url, "registration_token": TOKEN}
        return self.app.test_client().open(
            (link or self.link).removeprefix(PUBLIC),
            method=method,
            base_url=PUBLIC,
            query_string=asked,
            headers={"Accept-Language": "fr", **headers},
        )

    def platform(self, issuer: str = SITE) -> platforms.Platform | None:
        with transaction(self.engine, self.silo, write=False) as conn:
            return platforms.get(conn, self.silo, issuer)

    def deployments(self, issuer: str = SITE) -> frozenset[str]:
        with transaction(self.engine, self.silo, write=False) as conn:
            return platforms.deployments(conn, self.silo, issuer)

    def state(self) -> str:
        with transaction(self.engine, self.silo, write=False) as conn:
            return invitations.invitations(conn, self.silo)[0].state(self.clock())

    def lines(self) -> list[tuple[bool, str | None]]:
        with transaction(self.engine, self.silo, write=False) as conn:
            wanted = select(audit.c.accepted, audit.c.reason).where(audit.c.action == "registration")
            return [(row.accepted, row.reason) for row in conn.execute(wanted.order_by(audit.c.at))]


@pytest.fixture
def make(settings: Settings, engine: Engine, clock: Clock, silo: int) -> Make:
    def door(http: Outbound | None = None, **changes: Any) -> Door:
        return Door(replace(settings, **changes), engine, clock, silo, http or registering.moodle())

    return door


# --- what a real Moodle said ---------------------------------------------------------------------------


def test_a_real_moodle_registers_the_tool(make: Make, shared_data: Path) -> None:
    folder = shared_data / "moodle-4.5.6"
    said = json.loads((folder / "openid-configuration.https.json").read_text())
    captured = json.loads((folder / "dynamic_registration.json").read_text())
    where = f"{said['issuer']}/mod/lti/openid-configuration.php"
    door = make(Recorded({where: said, said["registration_endpoint"]: captured["response"]}))
    answer = door.open(where)
    assert answer.status_code == 200
    assert "Estime est relié à localhost:8143" in answer.text
    assert "essai" in answer.text
    assert "Activer" in answer.text
    made = door.platform(said["issuer"])
    assert made is not None
    assert (made.client_id, made.family) == ("fir0McKVwLHoZI3", "moodle")
    assert made.auth_url == said["authorization_endpoint"]
    assert (made.token_url, made.jwks_url) == (said["token_endpoint"], said["jwks_uri"])
    assert door.deployments(said["issuer"]) == {"3"}
    method, _, headers, body = door.http.asked[-1]
    assert (method, headers["Authorization"]) == ("POST", f"Bearer {TOKEN}")
    assert captured["request"].keys() <= body.keys() | {"contacts"}
    assert captured["request"][TOOL].keys() <= body[TOOL].keys()
    assert body[TOOL]["custom_parameters"] == {
        "estime_groups": "$Moodle.Person.userGroupIds",
        "estime_history": "$Context.id.history",
    }
    assert door.state() == "used"
    assert door.lines() == [(True, None)]


@sqlite_only
def test_the_tool_asks_for_no_more_than_it_needs(make: Make) -> None:
    door = make()
    door.open()
    body = door.http.asked[-1][3]
    assert set(body["scope"].split()) == {
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
        "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    }
    assert set(body[TOOL]["claims"]) == {"iss", "sub", "name", "given_name", "family_name"}
    assert body[TOOL]["domain"] == "estime.test"
    assert body[TOOL]["custom_parameters"] == {}
    assert body["redirect_uris"] == [f"{PUBLIC}/lti/launch"]
    assert (body["initiate_login_uri"], body["jwks_uri"]) == (
        f"{PUBLIC}/lti/login",
        f"{PUBLIC}/lti/jwks.json",
    )
    assert body["token_endpoint_auth_method"] == "private_key_jwt"
    assert body[TOOL]["description"] == body[TOOL]["description#fr"] != body[TOOL]["description#en"]
    assert {"client_name", "client_name#fr", "client_name#en"} <= body.keys()
    opening, placing = body[TOOL]["messages"]
    assert opening["type"] == "LtiResourceLinkRequest"
    assert (placing["type"], placing["placements"]) == ("LtiDeepLinkingRequest", ["ContentArea"])
    assert placing["label#en"] != placing["label#fr"] == placing["label"]
    icon = door.app.test_client().get(body["logo_uri"].removeprefix(PUBLIC))
    assert (icon.status_code, icon.mimetype, icon.data[:4]) == (200, "image/png", b"\x89PNG")


@sqlite_only
def test_what_a_platform_does_not_offer_is_not_asked_for(make: Make) -> None:
    offered = ["openid", "https://purl.imsglobal.org/spec/lti-ags/scope/score"]
    door = make(registering.moodle(scopes_supported=offered, claims_supported=["sub", "iss"]))
    page = door.open().text
    body = door.http.asked[-1][3]
    assert body["scope"] == offered[1]
    assert body[TOOL]["claims"] == ["iss", "sub"]
    assert "liste des inscrits" in page
    assert 'data-close-window="0"' in page


@sqlite_only
def test_the_page_closes_its_window_inside_the_platform_only(make: Make) -> None:
    answer = make().open()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors {SITE}")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert 'data-close-window="8"' in answer.text
    assert TOKEN not in answer.text


# --- once, and for some days ---------------------------------------------------------------------------


def test_a_second_opening_says_that_it_has_served(make: Make) -> None:
    door = make()
    assert door.open().status_code == 200
    again = door.open()
    assert again.status_code == 410
    assert "a déjà servi" in again.text
    assert len(door.http.asked) == 2
    assert door.lines()[-1] == (False, "registration: invitation already used")


@sqlite_only
def test_an_invitation_expires(make: Make) -> None:
    door = make()
    door.clock.advance(days=7)
    assert door.open().status_code == 410
    assert door.http.asked == []
    assert door.platform() is None


def test_only_the_whole_link_opens(make: Make, second_silo: int) -> None:
    door = make()
    silo, name, secret = door.link.rpartition("/")[2].split(".")
    before = door.link.rpartition("/")[0]
    for wrong in (
        f"{silo}.{name}.{'A' * 32}",
        f"{silo}.{'A' * 12}.{secret}",
        f"{second_silo}.{name}.{secret}",
        f"999.{name}.{secret}",
        f"99999999999.{name}.{secret}",
        f"{silo}.{name}",
        "nothing",
    ):
        answer = door.open(link=f"{before}/{wrong}")
        assert answer.status_code == 404, wrong
        assert "n’existe pas" in answer.text
    assert door.http.asked == []
    assert door.lines() == []
    assert door.open().status_code == 200


@sqlite_only
def test_opened_in_a_browser_it_says_what_to_do_and_stays_good(make: Make) -> None:
    door = make()
    page = door.open(url=None)
    assert page.status_code == 200
    assert door.link in page.text
    assert "Gérer les outils" in page.text
    assert door.open(method="HEAD").status_code == 200
    assert door.http.asked == []
    english = door.open(url=None, **{"Accept-Language": "en"})
    assert "paste" in english.text.lower()
    assert door.open().status_code == 200


def test_the_secret_is_neither_stored_nor_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    door = make()
    with caplog.at_level(logging.DEBUG):
        door.open(f"{SITE}/elsewhere")
        door.open()
    secret = door.link.rpartition(".")[2]
    with transaction(door.engine, door.silo, write=False) as conn:
        rows = [*conn.execute(select(invitation)), *conn.execute(select(audit))]
    for text in (*map(repr, rows), caplog.text):
        assert secret not in text
        assert TOKEN not in text


def test_two_registrations_at_once_take_turns(make: Make) -> None:
    http = registering.moodle()
    door = make(http)
    statuses: list[int] = []

    def meanwhile(url: str) -> None:
        if url == ENDPOINT and not statuses:
            statuses.append(door.open().status_code)

    http.before = meanwhile
    assert door.open().status_code == 200
    assert statuses == [409]
    assert [url for _, url, _, _ in http.asked].count(ENDPOINT) == 1


@sqlite_only
def test_an_invitation_withdrawn_while_it_is_used_says_so(make: Make) -> None:
    http = registering.moodle()
    door = make(http)

    def meanwhile(url: str) -> None:
        if url == ENDPOINT:
            with transaction(door.engine, door.silo) as conn:
                assert invitations.withdraw(conn, door.silo, door.link.split(".")[-2])

    http.before = meanwhile
    answer = door.open()
    assert answer.status_code == 410
    page = answer.get_data(as_text=True)
    assert "Cette invitation a été retirée" in page
    assert "déjà servi" not in page
    with transaction(door.engine, door.silo, write=False) as conn:
        assert platforms.of_silo(conn, door.silo) == []


@sqlite_only
def test_a_registration_cut_short_lets_another_try(make: Make) -> None:
    door = make()
    with transaction(door.engine, door.silo) as conn:
        invitations.hold(conn, door.link.rpartition("/")[2], door.clock())
    assert door.open().status_code == 409
    door.clock.advance(minutes=2)
    assert door.open().status_code == 200


# --- refusals ------------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no answer": ({CONFIGURATION: None}, 502, "ne répond pas"),
    "an error": ({CONFIGURATION: (500, b"")}, 502, "ne répond pas"),
    "a redirection": ({CONFIGURATION: (302, b"")}, 502, "ne répond pas"),
    "no JSON": ({CONFIGURATION: b"<html>"}, 502, "autrement que prévu"),
    "deep JSON": ({CONFIGURATION: b"[" * 100_000}, 502, "autrement que prévu"),
    "a list": ({CONFIGURATION: b"[]"}, 502, "autrement que prévu"),
    "no keys": ({CONFIGURATION: registering.configuration(jwks_uri=None)}, 502, "autrement que prévu"),
    "a number": ({CONFIGURATION: registering.configuration(token_endpoint=3)}, 502, "autrement que prévu"),
    "another issuer": (
        {CONFIGURATION: registering.configuration(issuer="https://bank.example.fr")},
        401,
        "ne dit pas qui elle est",
    ),
    "an issuer beside": (
        {CONFIGURATION: registering.configuration(issuer=f"{SITE}/autre")},
        401,
        "ne dit pas qui elle est",
    ),
    "an issuer with a query": (
        {CONFIGURATION: registering.configuration(issuer=f"{SITE}/?a=1")},
        401,
        "ne dit pas qui elle est",
    ),
    "an endpoint elsewhere": (
        {CONFIGURATION: registering.configuration(registration_endpoint="https://thief.example.fr/take")},
        401,
        "ne dit pas qui elle est",
    ),
    # It would be given an assertion signed by a key that every platform of every silo believes.
    "access tokens of another platform": (
        {
            CONFIGURATION: registering.configuration(
                token_endpoint="https://other.example.fr/mod/lti/token.php"
            )
        },
        401,
        "ne dit pas qui elle est",
    ),
    "a token refused": ({ENDPOINT: (401, b"{}")}, 502, "a refusé"),
    "a demand refused": ({ENDPOINT: (400, b"{}")}, 502, "a refusé"),
    "an answer without client": ({ENDPOINT: {"client_name": "Estime"}}, 502, "autrement que prévu"),
    "an answer with an odd client": ({ENDPOINT: registering.registered(client_id="a\nb")}, 502, "autrement"),
    "an answer with an odd deployment": (
        {ENDPOINT: registering.registered(deployment_id={"a": 1})},
        502,
        "autrement que prévu",
    ),
}


@sqlite_only
@pytest.mark.parametrize("name", REFUSALS)
def test_refusal_45_nothing_is_kept_and_the_invitation_stays_good(make: Make, name: str) -> None:
    answers, status, said = REFUSALS[name]
    http = registering.moodle()
    good = dict(http.answers)
    http.answers.update(answers)
    door = make(http)
    answer = door.open()
    assert answer.status_code == status
    assert said in answer.text
    assert "Référence à donner" in answer.text
    assert TOKEN not in answer.text
    assert door.platform() is None
    assert len(door.lines()) == 1
    assert all(url.startswith(SITE) for _, url, _, _ in http.asked)
    http.answers.update(good)
    assert door.open().status_code == 200


@sqlite_only
@pytest.mark.parametrize(
    "url", ["", "not an address", "ftp://moodle.example.fr/x", "https://moodle.example.fr@evil.fr/", "/x"]
)
def test_refusal_45_an_address_that_is_none(make: Make, url: str) -> None:
    door = make()
    assert door.open(url).status_code == 400
    assert door.http.asked == []


@sqlite_only
@pytest.mark.parametrize(
    "url",
    [
        "http://moodle.example.fr/mod/lti/openid-configuration.php",
        "https://127.0.0.1/openid-configuration.php",
        "https://[::1]/openid-configuration.php",
        "https://10.0.0.8/openid-configuration.php",
        "https://169.254.169.254/latest",
        "https://localhost:8143/openid-configuration.php",
    ],
)
def test_refusal_9_private_addresses_and_plain_http(make: Make, url: str) -> None:
    door = make(Outbound(allow_local=False), allow_local_network=False)
    answer = door.open(url)
    assert answer.status_code == 502
    reason = door.lines()[0][1]
    assert reason in (
        "registration: address is not https",
        "registration: address is private",
        "registration: name does not resolve",
    )


@sqlite_only
def test_refusal_9_addresses_of_the_configuration_are_public_too(make: Make) -> None:
    http = registering.moodle(jwks_uri="https://192.168.1.1/certs")
    door = make(http, allow_local_network=False)
    assert door.open().status_code == 502
    assert len(http.asked) == 1


def test_refusal_45_a_platform_known_already_is_left_as_it_is(make: Make) -> None:
    door = make()
    assert door.open().status_code == 200
    with transaction(door.engine, door.silo) as conn:
        door.link, _ = invitations.invite(conn, door.silo, days=1, public_url=PUBLIC, now=door.clock())
    door.http.answers[ENDPOINT] = registering.registered(client_id="another")
    answer = door.open()
    assert answer.status_code == 409
    assert "déjà reliée" in answer.text
    assert [url for _, url, _, _ in door.http.asked].count(ENDPOINT) == 1
    made = door.platform()
    assert made is not None
    assert made.client_id == "given-by-moodle"


def test_refusal_45_a_client_of_another_silo(make: Make, second_silo: int, clock: Clock) -> None:
    door = make()
    other = Door(
        door.app.extensions["estime"].settings, door.engine, clock, second_silo, registering.moodle()
    )
    assert other.open().status_code == 200
    assert door.open().status_code == 502
    assert door.platform() is None


# --- deployments ---------------------------------------------------------------------------------------


def test_a_deployment_not_told_is_that_of_the_first_launch(make: Make, clock: Clock) -> None:
    with jwks_server() as keys:
        site = keys.url.removesuffix("/certs")
        said = registering.configuration(
            issuer=site,
            token_endpoint=f"{site}/token.php",
            jwks_uri=keys.url,
            registration_endpoint=f"{site}/register",
            **{"https://purl.imsglobal.org/spec/lti-platform-configuration": None},
        )
        answered = registering.registered(deployment_id=None)
        door = make(Recorded({f"{site}/openid": said, f"{site}/register": answered}))
        assert door.open(f"{site}/openid").status_code == 200
        made = door.platform(site)
        assert made is not None
        assert made.family == "generic"
        assert door.deployments(site) == frozenset()
        platform = FakePlatform(
            keys, clock, PUBLIC, issuer=site, client_id="given-by-moodle", deployment_id="d-1"
        )
        browser = Browser(door.app, PUBLIC)
        assert browser.launch(platform).status_code == 303
        assert door.deployments(site) == {"d-1"}
        assert browser.launch(platform, deployment_id="d-2").status_code == 401
        assert door.deployments(site) == {"d-1"}


def test_of_two_first_launches_at_once_one_tells_the_deployment(make: Make) -> None:
    http = registering.moodle()
    http.answers[ENDPOINT] = registering.registered(deployment_id=None)
    door = make(http)
    assert door.open().status_code == 200

    def second() -> bool:
        with transaction(door.engine, door.silo) as conn:
            return platforms.adopt_deployment(conn, door.silo, SITE, "d-2")

    with ThreadPoolExecutor(1) as pool:
        with transaction(door.engine, door.silo) as conn:
            assert platforms.adopt_deployment(conn, door.silo, SITE, "d-1")
            late = pool.submit(second)
            time.sleep(0.3)
            assert not late.done()
        assert late.result(timeout=20) is False
    assert door.deployments(SITE) == {"d-1"}


# --- the administrator's page --------------------------------------------------------------------------


def test_an_administrator_makes_and_withdraws_invitations(
    make: Make, clock: Clock, engine: Engine, silo: int
) -> None:
    from tests.factories import opened

    door = make()
    course = opened.add_course(engine, silo)
    admin = opened.reader(door.app, engine, silo, "admin", course, "chef")
    page = admin.page("/connections")
    assert f"{PUBLIC}/lti/jwks.json" in page
    assert door.link not in page
    token = opened.fields(page)["csrf_token"][0]
    shown = admin.post("/connections", {"days": "7"}, token).text
    link = opened.fields(shown.replace('id="value-link"', 'name="link"'))["link"][0]
    assert door.open(link=link).status_code == 200
    listed = admin.page("/connections")
    assert link not in listed
    assert "given-by-moodle" in listed
    assert "a servi le" in listed
    waiting = door.link.split(".")[-2]
    assert admin.post(f"/connections/{waiting}/withdraw", {}, token).status_code == 303
    assert door.open().status_code == 404
    assert admin.post(f"/connections/{waiting}/withdraw", {}, token).status_code == 404
    for days in ("0", "31", "", "x", "999999"):
        assert admin.post("/connections", {"days": days}, token).status_code == 400


@sqlite_only
def test_only_administrators_see_connections(app: Flask, engine: Engine, silo: int) -> None:
    from tests.factories import opened

    course = opened.add_course(engine, silo)
    for role in ("tutor", "trainee"):
        reader = opened.reader(app, engine, silo, role, course, "1")
        reader.page("/connections", 403)
        assert reader.post("/connections", {"days": "7"}, "x").status_code == 403


@sqlite_only
def test_values_to_type_by_hand_are_public(app: Flask) -> None:
    page = app.test_client().get("/lti/connect").text
    for value in ("/lti/launch", "/lti/jwks.json", "/lti/login", "/lti/icon.png"):
        assert f"{PUBLIC}{value}" in page


@sqlite_only
def test_an_invitation_lasts_one_to_thirty_days(engine: Engine, silo: int, clock: Clock) -> None:
    with transaction(engine, silo) as conn:
        for days in (0, 31, -1):
            with pytest.raises(invitations.RegistrationError):
                invitations.invite(conn, silo, days=days, public_url=PUBLIC, now=clock())
        _, until = invitations.invite(conn, silo, days=30, public_url=PUBLIC, now=clock())
    assert until - clock() == timedelta(days=30)


# --- the command line ----------------------------------------------------------------------------------


@pytest.fixture
def estime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return the command, on a folder of its own that has the silo "a"."""
    for name in [name for name in os.environ if name.startswith("ESTIME_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ESTIME_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ESTIME_PUBLIC_URL", PUBLIC)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, list(arguments))

    assert run("silo", "add", "a").exit_code == 0
    return run


def test_the_command_line_invites(estime: Callable[..., Any]) -> None:
    said = json.loads(estime("platform", "invite", "--silo", "a", "--days", "3").stdout)
    assert re.fullmatch(rf"{PUBLIC}/lti/register/1\.[\w-]{{12}}\.[\w-]{{32}}", said["invitation"])
    until = datetime.fromisoformat(said["expires_at"])
    assert timedelta(days=2.9) < until - datetime.now(UTC) <= timedelta(days=3)
    for wrong in (("--days", "31"), ("--days", "0"), ("--silo", "b")):
        assert estime("platform", "invite", "--silo", "a", *wrong).exit_code != 0


def test_the_command_line_removes_a_platform_and_keeps_its_people(
    estime: Callable[..., Any], tmp_path: Path, clock: Clock
) -> None:
    base = ["platform", "add", "--silo", "a", "--issuer", SITE, "--client-id", "abc", "--deployment-id", "1"]
    urls = [part for name in ("auth", "token", "jwks") for part in (f"--{name}-url", f"{SITE}/{name}")]
    assert estime(*base, *urls).exit_code == 0
    engine = open_engine(f"sqlite:///{tmp_path / 'data' / 'estime.db'}")
    with transaction(engine, 1) as conn:
        conn.execute(person.insert().values(silo_id=1, actor="x", issuer=SITE, sub="3", created_at=clock()))
    assert estime("platform", "remove", "--silo", "a", "--issuer", SITE).exit_code == 0
    assert json.loads(estime("platform", "list", "--silo", "a").stdout)["platforms"] == []
    assert estime("platform", "remove", "--silo", "a", "--issuer", SITE).exit_code == 1
    with transaction(engine, 1, write=False) as conn:
        assert len(conn.execute(select(person)).all()) == 1
    assert estime(*base, *urls).exit_code == 0
    engine.dispose()
