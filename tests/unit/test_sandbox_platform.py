"""The sandbox platform behaves as Moodle's mod/lti: one-shot hints, refusals, claims."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from lti_tool.sandbox.demo import crossroads, prepare
from lti_tool.sandbox.platform import Campus, create_platform
from tool_config.settings import Settings, SettingsError

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TOOL = "http://localhost:8080"
LAUNCH = "/encadrement/mod/lti/launch.php?id=702&as=3"
AUTH = "/encadrement/mod/lti/auth.php"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"


@pytest.fixture(scope="module")
def campus() -> Campus:
    return Campus("http://127.0.0.1:8080", TOOL, lambda: NOW)


@pytest.fixture
def client(campus: Campus) -> FlaskClient:
    return create_platform(campus).test_client()


def form(text: str) -> tuple[str, dict[str, str]]:
    """Read a page's form: where it posts, and what."""
    action = re.search(r'<form action="([^"]+)" method="post"', text)
    assert action, text
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', text)
    return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}


def asked(client: FlaskClient, **changes: str) -> dict[str, str]:
    """Begin a launch, and return the authentication request that a tool would send."""
    _, login = form(client.get(LAUNCH).text)
    return {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": login["client_id"],
        "redirect_uri": login["target_link_uri"],
        "login_hint": login["login_hint"],
        "lti_message_hint": login["lti_message_hint"],
        "state": "state-1",
        "nonce": "nonce-1",
    } | changes


def test_login_initiation_is_a_form_posted_to_the_tool(client: FlaskClient, shared_data: Path) -> None:
    action, fields = form(client.get(LAUNCH).text)
    trace = json.loads((shared_data / "moodle-4.5.6" / "oidc_trace_student.json").read_text())
    assert action == f"{TOOL}/lti/login"
    assert fields.keys() == trace["initiate_login"]["params"].keys()
    hint = json.loads(fields["lti_message_hint"])
    assert hint.keys() == json.loads(trace["initiate_login"]["params"]["lti_message_hint"]).keys()
    assert fields["login_hint"] == "3"


def test_the_id_token_is_signed_and_lives_a_minute(client: FlaskClient) -> None:
    action, fields = form(client.get(AUTH, query_string=asked(client)).text)
    assert action == f"{TOOL}/lti/launch"
    assert fields["state"] == "state-1"
    keys = jwt.PyJWKSet.from_dict(client.get("/encadrement/mod/lti/certs.php").json)
    header = jwt.get_unverified_header(fields["id_token"])
    assert header["alg"] == "RS256"
    claims = jwt.decode(
        fields["id_token"],
        keys[header["kid"]],
        algorithms=["RS256"],
        audience="PPSencadrement01",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["exp"] - claims["iat"] == 60
    assert (claims["sub"], claims["nonce"]) == ("3", "nonce-1")
    assert claims[f"{CLAIM}context"]["id"] == "7"
    assert claims[f"{CLAIM}roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]


def test_claims_are_those_of_a_real_moodle(client: FlaskClient, shared_data: Path) -> None:
    _, fields = form(client.get(AUTH, query_string=asked(client)).text)
    mine = jwt.decode(fields["id_token"], options={"verify_signature": False})
    capture = json.loads((shared_data / "moodle-4.5.6" / "idtoken_editing-teacher.json").read_text())
    real = capture["payload"]
    services = {name for name in real if re.search("/spec/lti-(ags|nrps|bo)/", name)}
    outcomes = {name for name in services if "lti-bo" in name}
    assert mine.keys() == real.keys() - outcomes
    assert all(mine[name].keys() <= real[name].keys() for name in services - outcomes)
    for name, value in real.items():
        if name in services or name.endswith("/custom"):
            continue
        assert type(mine[name]) is type(value), name
        if isinstance(value, dict):
            assert mine[name].keys() == value.keys(), name


def test_a_hint_serves_once(client: FlaskClient) -> None:
    query = asked(client)
    assert client.get(AUTH, query_string=query).status_code == 200
    again = client.get(AUTH, query_string=query)
    assert again.status_code == 400
    assert "a déjà servi" in again.text
    assert "id_token" not in again.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_mode": "query"}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"scope": "openid email"}, "invalid_scope"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"login_hint": "11"}, "access_denied"),
    ],
)
def test_a_failure_goes_back_with_its_state(client: FlaskClient, changes: dict[str, str], error: str) -> None:
    action, fields = form(client.get(AUTH, query_string=asked(client, **changes)).text)
    assert action == f"{TOOL}/lti/launch"
    assert fields["error"] == error
    assert fields["state"] == "state-1"
    assert "id_token" not in fields


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://elsewhere.example/lti/launch"},
        {"client_id": "unknown"},
        {"lti_message_hint": "not json"},
        {"lti_message_hint": "[1]"},
        {"lti_message_hint": '{"launchid": "ltilaunch7_1"}'},
    ],
)
def test_nothing_is_posted_to_whoever_is_not_registered(client: FlaskClient, changes: dict[str, str]) -> None:
    answer = client.get(AUTH, query_string=asked(client, **changes))
    assert answer.status_code == 400
    assert "<form" not in answer.text


def test_a_hint_of_one_site_is_nothing_to_the_other(client: FlaskClient) -> None:
    query = asked(client, client_id="PPSformateurs02")
    assert client.get("/formateurs/mod/lti/auth.php", query_string=query).status_code == 400


def test_home_lists_everybody(client: FlaskClient, campus: Campus) -> None:
    text = html.unescape(client.get("/").text)
    assert all(person.name in text for person in campus.people)
    assert all(f"Session {session.label}" in text for session in campus.sessions)


def test_the_course_page_frames_the_tool_at_600_pixels(client: FlaskClient) -> None:
    text = client.get("/encadrement/mod/lti/view.php?id=702&as=3").text
    assert re.search(r'<iframe[^>]+height="600"[^>]+src="launch\.php\?id=702&amp;as=3"', text)
    assert "Pour réfléchir" in text


def test_a_telephone_gets_the_whole_window(client: FlaskClient) -> None:
    answer = client.get("/encadrement/mod/lti/view.php?id=702&as=3", headers={"User-Agent": "Mobile Safari"})
    assert answer.status_code == 302
    assert "window=window" in answer.headers["Location"]


@pytest.mark.parametrize(
    "address",
    [
        "/encadrement/mod/lti/view.php?id=702&as=999",
        "/encadrement/mod/lti/view.php?id=1&as=3",
        "/encadrement/course/view.php?id=3",
        "/nowhere/course/view.php?id=7",
        "/nowhere/mod/lti/certs.php",
    ],
)
def test_what_does_not_exist_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("host", "path", "answered"),
    [
        ("localhost:8080", "/c/x/", "tool"),
        ("localhost:8080", "/lti/login", "tool"),
        ("LOCALHOST:8080", "/xapi/about", "tool"),
        ("127.0.0.1:8080", "/lti/login", "platform"),
        ("campus.test:8080", "/", "platform"),
        ("", "/", "platform"),
    ],
)
def test_one_port_two_sites(host: str, path: str, answered: str) -> None:
    def half(name: str) -> Any:
        return lambda _environ, _start: [name.encode()]

    both = crossroads(half("tool"), half("platform"), TOOL, "http://127.0.0.1:8080")
    assert both({"HTTP_HOST": host, "PATH_INFO": path}, None) == [answered.encode()]


def test_the_tools_own_address_leads_to_the_platform() -> None:
    both = crossroads(None, None, TOOL, "http://127.0.0.1:8080")
    said: list[Any] = []
    environ = {"HTTP_HOST": "localhost:8080", "PATH_INFO": "/"}
    both(environ, lambda status, headers: said.append((status, dict(headers)["Location"])))
    assert said == [("302 Found", "http://127.0.0.1:8080/")]


def test_no_demo_on_a_server(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://localhost/estime")
    with pytest.raises(SettingsError, match="SQLite"):
        prepare(settings, 8080, say=lambda _: None)


def test_the_demo_leaves_another_store_alone(tmp_path: Path) -> None:
    (tmp_path / "estime.db").write_bytes(b"something precious")
    with pytest.raises(SettingsError, match="--data-dir"):
        prepare(Settings(data_dir=tmp_path), 8080, say=lambda _: None)
    assert (tmp_path / "estime.db").read_bytes() == b"something precious"


def test_the_tool_itself_knows_no_sandbox() -> None:
    import lti_tool.app as app

    source = Path(app.__file__).read_text()
    assert "sandbox" not in source
