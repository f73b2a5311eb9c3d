"""The sandbox registers tools, takes chosen content and answers services as Moodle's mod/lti does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient

from lti_tool.sandbox.platform import Campus, create_platform
from lti_tool.sandbox.tools import GRADES, NRPS
from tests.factories.platform import key_pair, public_jwk

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TOOL = "http://localhost:8080"
BASE = "/encadrement/mod/lti"
ISSUER = "http://127.0.0.1:8080/encadrement"
SPEC = "https://purl.imsglobal.org/spec/"
CONFIGURATION = f"{SPEC}lti-tool-configuration"
ITEMS = f"{SPEC}lti-dl/claim/content_items"


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def campus(clock: Clock, tmp_path: Path) -> Campus:
    keys = json.dumps({"keys": [public_jwk("tool")]}).encode()
    return Campus("http://127.0.0.1:8080", TOOL, clock, folder=tmp_path, fetch=lambda _url: keys)


@pytest.fixture
def client(campus: Campus) -> FlaskClient:
    return create_platform(campus).test_client()


def started(client: FlaskClient, url: str = f"{TOOL}/lti/register/x") -> dict[str, str]:
    """Begin a registration; return what the tool is sent."""
    answer = client.get(f"{BASE}/startltiadvregistration.php", query_string={"url": url, "as": "2"})
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == url.partition("?")[0]
    return {name: values[0] for name, values in parse_qs(where.query).items()}


def wanted(**changes: Any) -> dict[str, Any]:
    found = {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{TOOL}/login",
        "redirect_uris": [f"{TOOL}/launch"],
        "client_name": "Outil",
        "jwks_uri": f"{TOOL}/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join([NRPS, *GRADES]),
        CONFIGURATION: {
            "domain": "localhost:8080",
            "target_link_uri": f"{TOOL}/launch",
            "claims": ["iss", "sub", "given_name"],
            "custom_parameters": {"username": "$User.username"},
            "messages": [{"type": "LtiDeepLinkingRequest", "target_link_uri": f"{TOOL}/launch"}],
        },
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def register(client: FlaskClient, token: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return client.post(f"{BASE}/openid-registration.php", json=body or wanted(), headers=headers)


# --- registration --------------------------------------------------------------------------------------


def test_the_configuration_is_shaped_as_moodles(client: FlaskClient, shared_data: Path) -> None:
    real = json.loads((shared_data / "moodle-4.5.6" / "openid-configuration.https.json").read_text())
    mine = client.get(f"{BASE}/openid-configuration.php").json
    assert mine.keys() == real.keys()
    about = f"{SPEC}lti-platform-configuration"
    assert mine[about].keys() == real[about].keys()
    assert mine[about]["messages_supported"] == real[about]["messages_supported"]
    for name in ("token_endpoint", "jwks_uri", "authorization_endpoint", "registration_endpoint"):
        assert mine[name].removeprefix(mine["issuer"]) == real[name].removeprefix(real["issuer"])


def test_a_registration_is_answered_as_moodle_answers(client: FlaskClient, shared_data: Path) -> None:
    real = json.loads((shared_data / "moodle-4.5.6" / "dynamic_registration.json").read_text())
    asked = started(client)
    assert asked["openid_configuration"] == f"{ISSUER}/mod/lti/openid-configuration.php"
    said = jwt.decode(asked["registration_token"], options={"verify_signature": False})
    assert said.keys() == real["registration_token_payload"].keys()
    body = {**real["request"], CONFIGURATION: {**real["request"][CONFIGURATION]}}
    answer = register(client, asked["registration_token"], body)
    assert answer.status_code == real["status"]
    assert answer.json.keys() == real["response"].keys()
    assert answer.json["client_id"] == said["sub"]
    assert set(answer.json["scope"].split()) == {
        scope for scope in real["response"]["scope"].split() if "toolsetting" not in scope
    }
    mine, theirs = answer.json[CONFIGURATION], real["response"][CONFIGURATION]
    assert mine.keys() == theirs.keys()
    assert sorted(mine["claims"]) == sorted(theirs["claims"])
    assert mine["messages"] == theirs["messages"]
    assert mine["deployment_id"] == "2"


def test_a_token_serves_once_for_an_hour(client: FlaskClient, clock: Clock) -> None:
    first, second = started(client)["registration_token"], started(client)["registration_token"]
    assert register(client, first).status_code == 200
    assert (register(client, first).status_code, register(client, "x").status_code) == (401, 401)
    clock.now += timedelta(hours=1)
    assert register(client, second).status_code == 401
    assert client.post(f"{BASE}/openid-registration.php", json=wanted()).status_code == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"jwks_uri": None}, "missing_jwks_uri"),
        ({"redirect_uris": "x"}, "invalid_redirect_uris"),
        ({"response_types": ["code"]}, "invalid_response_types"),
        ({"token_endpoint_auth_method": "none"}, "invalid_token_endpoint_auth_method"),
        ({"application_type": "native"}, "invalid_application_type"),
        ({CONFIGURATION: {"target_link_uri": TOOL}}, "missing_domain"),
        ({CONFIGURATION: {"target_link_uri": TOOL, "domain": "localhost"}}, "domain_targetlinkuri_mismatch"),
    ],
)
def test_a_faulty_registration_is_refused(client: FlaskClient, changes: dict[str, Any], error: str) -> None:
    answer = register(client, started(client)["registration_token"], wanted(**changes))
    assert (answer.status_code, answer.json) == (400, {"error": error})


def test_a_tool_waits_until_it_is_activated_and_is_remembered(
    client: FlaskClient, campus: Campus, clock: Clock, tmp_path: Path
) -> None:
    register(client, started(client)["registration_token"])
    assert "en attente" in client.get(f"{BASE}/toolconfigure.php?as=2").text
    add = {"course": "7", "type": "2", "as": "3"}
    assert client.get(f"{BASE}/modedit.php", query_string=add).status_code == 400
    client.post(f"{BASE}/activate.php", data={"as": "2", "type": "2"})
    assert client.get(f"{BASE}/modedit.php", query_string=add).status_code == 200
    again = Campus(campus.origin, TOOL, clock, folder=tmp_path)
    assert again.registry.tools == campus.registry.tools
    assert again.registry.links == campus.registry.links


def test_tools_are_the_business_of_administrators(client: FlaskClient) -> None:
    for user in ("3", "11", "99"):
        assert client.get(f"{BASE}/toolconfigure.php?as={user}").status_code == 403
        assert client.get(f"{BASE}/startltiadvregistration.php?as={user}&url=x").status_code == 403


# --- content -------------------------------------------------------------------------------------------


def response(items: list[dict[str, Any]], **changes: Any) -> str:
    key = key_pair(changes.pop("key", "tool"))
    claims = {
        "iss": "PPSencadrement01",
        "aud": [ISSUER],
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        f"{SPEC}lti/claim/message_type": "LtiDeepLinkingResponse",
        ITEMS: items,
        **changes,
    }
    return jwt.encode(claims, key, "RS256", {"kid": "tool"})


def hand_in(client: FlaskClient, token: str) -> Any:
    query = {"course": "7", "id": "1", "as": "3"}
    return client.post(f"{BASE}/contentitem_return.php", query_string=query, data={"JWT": token})


def test_a_request_to_choose_is_shaped_as_moodles(client: FlaskClient, shared_data: Path) -> None:
    real = json.loads((shared_data / "moodle-4.5.6" / "deeplinking_request.json").read_text())["payload"]
    page = client.get(f"{BASE}/contentitem.php?course=7&id=1&as=3").text
    login = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": login["client_id"],
        "redirect_uri": f"{TOOL}/lti/launch",
        "login_hint": "3",
        "lti_message_hint": login["lti_message_hint"].replace("&#34;", '"'),
        "state": "s",
        "nonce": "n",
    }
    token = re.search(
        r'name="id_token" value="([^"]+)"', client.get(f"{BASE}/auth.php", query_string=asked).text
    )
    assert token
    mine = jwt.decode(token[1], options={"verify_signature": False})
    assert mine.keys() == real.keys()
    settings = f"{SPEC}lti-dl/claim/deep_linking_settings"
    assert mine[settings].keys() == real[settings].keys()
    for name in real[settings].keys() - {"deep_link_return_url", "title", "text"}:
        assert mine[settings][name] == real[settings][name]


def test_what_was_chosen_is_added_once(client: FlaskClient, campus: Campus) -> None:
    item = {"type": "ltiResourceLink", "title": "Suivi", "custom": {"Une Page": "$User.username"}}
    page = hand_in(client, response([item, {"type": "file"}])).text
    draft = re.search(r'data-draft="([^"]+)"', page)
    assert draft
    saved = {"course": "7", "as": "3", "draft": draft[1]}
    assert client.post(f"{BASE}/modedit.php", data=saved).status_code == 303
    assert client.post(f"{BASE}/modedit.php", data=saved).status_code == 400
    (link,) = [each for each in campus.registry.of_course("encadrement", 7) if each.custom]
    assert (link.title, link.cmid) == ("Suivi", 751)
    assert "Suivi" in client.get("/encadrement/course/view.php?id=7&as=11").text


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://elsewhere.test"]},
        {"iss": "another"},
        {"exp": int(NOW.timestamp()) - 1},
        {"key": "thief"},
        {f"{SPEC}lti/claim/message_type": "LtiResourceLinkRequest"},
    ],
)
def test_a_choice_that_is_not_the_tools_is_refused(client: FlaskClient, changes: dict[str, Any]) -> None:
    assert hand_in(client, response([], **changes)).status_code == 400


def test_trainees_place_nothing(client: FlaskClient) -> None:
    assert client.get(f"{BASE}/contentitem.php?course=7&id=1&as=11").status_code == 403


# --- services ------------------------------------------------------------------------------------------


def bearer(client: FlaskClient, *scopes: str) -> dict[str, str]:
    now = int(NOW.timestamp())
    claims = {
        "iss": "PPSencadrement01",
        "sub": "PPSencadrement01",
        "aud": f"{ISSUER}/mod/lti/token.php",
        "iat": now,
        "exp": now + 60,
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion": jwt.encode(claims, key_pair("tool"), "RS256", {"kid": "tool"}),
        "scope": " ".join(scopes),
    }
    answer = client.post(f"{BASE}/token.php", data=form)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def test_members_are_paged_and_asked_for_by_their_media_type(client: FlaskClient, shared_data: Path) -> None:
    real = json.loads((shared_data / "moodle-4.5.6" / "nrps_memberships.json").read_text())
    where, headers = f"{BASE}/services.php/CourseSection/7/bindings/1/memberships", bearer(client, NRPS)
    answer = client.get(where, headers=headers)
    assert answer.json.keys() == real.keys()
    assert answer.json["members"][0].keys() == real["members"][0].keys()
    assert len(answer.json["members"]) == 24 + 2
    page = client.get(f"{where}?limit=20", headers=headers)
    assert 'from=20>; rel="next"' in page.headers["Link"]
    assert "Link" not in client.get(f"{where}?limit=20&from=20", headers=headers).headers
    assert client.get(where, headers={**headers, "Accept": "application/json"}).status_code == 400
    assert client.get(where).status_code == 401
    assert client.get(where, headers=bearer(client, GRADES[0])).status_code == 401


def test_marks_are_taken_as_moodle_takes_them(client: FlaskClient) -> None:
    headers = bearer(client, *GRADES)
    columns, kind = f"{BASE}/services.php/7/lineitems", "application/vnd.ims.lis.v2.lineitem+json"
    said = json.dumps({"label": "Avis", "scoreMaximum": 1, "resourceId": "r", "tag": "t"})
    made = client.post(columns, data=said, headers={**headers, "Content-Type": kind})
    assert made.status_code == 201
    scores = urlsplit(made.json["id"]).path + "/scores"
    mark = {
        "scoreGiven": 1,
        "scoreMaximum": 1,
        "gradingProgress": "FullyGraded",
        "timestamp": NOW.isoformat(),
    }
    sending = {**headers, "Content-Type": "application/vnd.ims.lis.v1.score+json"}

    def send(user: str, **changes: Any) -> int:
        body = json.dumps({**mark, "userId": user, **changes})
        return client.post(scores, data=body, headers=sending).status_code

    assert send("11") == 200
    assert send("11") == 409
    assert send("11", timestamp=(NOW + timedelta(seconds=1)).isoformat()) == 200
    assert (send("3"), send("999"), send("11", timestamp="x")) == (400, 400, 400)
    plain = {**headers, "Content-Type": "application/json"}
    assert client.post(scores, data=json.dumps({**mark, "userId": "12"}), headers=plain).status_code == 400
    results = client.get(scores.replace("/scores", "/results"), headers=headers).json
    assert [(item["userId"], item["resultScore"]) for item in results] == [("11", 1)]
    assert client.get(f"{columns}?tag=none", headers=headers).json == []
    assert client.delete(urlsplit(made.json["id"]).path, headers=headers).status_code == 204
    assert client.get(columns, headers=headers).json == []
