"""A fake LTI platform: keys, a JWK set on a real socket, id_tokens, and a browser that launches."""

from __future__ import annotations

import base64
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import Engine

from tool_config import platforms
from tool_config.database import administration

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
SITE_ADMIN = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
LEARNER, INSTRUCTOR = f"{MEMBERSHIP}Learner", f"{MEMBERSHIP}Instructor"
#: Take a claim, or a header of the token, away.
ABSENT = object()


@cache
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """Return the same RSA key for the same name, made once for all tests."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str) -> dict[str, Any]:
    jwk = json.loads(RSAAlgorithm.to_jwk(key_pair(name).public_key()))
    return {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": name, "alg": "RS256", "use": "sig"}


class JwksServer:
    """A JWK set over HTTP. ``mode``: ok, malformed, empty, error, slow, dripping, huge, redirecting."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.mode = "ok"
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                try:
                    outer._answer(self)
                except OSError:
                    self.close_connection = True  # the client hung up, as it should

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/certs"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps({"keys": self.keys}).encode()
        match self.mode:
            case "malformed":
                body = b'{"keys": [{"kty": "RSA"'
            case "empty":
                body = b'{"keys": []}'
            case "huge":
                body = json.dumps({"keys": self.keys, "padding": "x" * 2_000_000}).encode()
            case "slow":
                time.sleep(20)
            case "redirecting" if handler.path == "/certs":
                handler.send_response(302)
                handler.send_header("Location", "/elsewhere")
                handler.end_headers()
                return
            case "error":
                handler.send_error(500)
                return
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.mode == "dripping":
            for byte in body:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(0.5)
            return
        handler.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def jwks_server() -> Iterator[JwksServer]:
    server = JwksServer()
    try:
        yield server
    finally:
        server.close()


@dataclass
class FakePlatform:
    """A platform with one course; ``clock`` dates its tokens."""

    server: JwksServer
    clock: Any
    public_url: str
    issuer: str = "https://moodle.test"
    client_id: str = "estime-client"
    deployment_id: str = "1"
    kid: str = "key-1"
    context: dict[str, Any] = field(
        default_factory=lambda: {
            "id": "2",
            "label": "LTI101",
            "title": "LTI Course 101",
            "type": ["CourseSection"],
        }
    )

    def __post_init__(self) -> None:
        self.publish(self.kid)

    def publish(self, *names: str) -> None:
        """Publish these keys; tokens are signed with the last one."""
        self.server.keys = [public_jwk(name) for name in names]
        self.kid = names[-1]

    @property
    def auth_url(self) -> str:
        return f"{self.issuer}/mod/lti/auth.php"

    def register(self, engine: Engine, silo_id: int, **changes: Any) -> platforms.Platform:
        """Register the platform in a silo."""
        values: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "deployment_id": self.deployment_id,
            "auth_url": self.auth_url,
            "token_url": f"{self.issuer}/mod/lti/token.php",
            "jwks_url": self.server.url,
            "now": self.clock(),
            "allow_local": True,
            **changes,
        }
        with administration(engine) as conn:
            return platforms.add(conn, silo_id, **values)

    def login(self, **changes: Any) -> dict[str, str]:
        """Return the parameters of a login initiation, as Moodle posts them."""
        values = {
            "iss": self.issuer,
            "target_link_uri": f"{self.public_url}/lti/launch",
            "login_hint": "3",
            "lti_message_hint": '{"cmid":1,"launchid":"ltilaunch1_195391785"}',
            "client_id": self.client_id,
            "lti_deployment_id": self.deployment_id,
            **changes,
        }
        return {name: value for name, value in values.items() if value is not ABSENT}

    def claims(self, nonce: str, /, **changes: Any) -> dict[str, Any]:
        """Return the claims of a token for a learner; keys of LTI may be given without their prefix."""
        now = int(self.clock().timestamp())
        found: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "3",
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            "name": "Sara Student",
            "given_name": "Sara",
            "family_name": "Student",
            "email": "student1@example.test",
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}deployment_id": self.deployment_id,
            f"{CLAIM}target_link_uri": f"{self.public_url}/lti/launch",
            f"{CLAIM}roles": [LEARNER],
            f"{CLAIM}context": self.context,
            f"{CLAIM}resource_link": {"id": "1", "title": "Estime"},
            f"{CLAIM}launch_presentation": {
                "locale": "fr",
                "document_target": "iframe",
                "return_url": f"{self.issuer}/mod/lti/return.php?course=2&sesskey=Dg7w4SmCBb",
            },
            f"{CLAIM}ext": {"user_username": "student1", "lms": "moodle-2"},
        }
        for name, value in changes.items():
            key = name if name in found or f"{CLAIM}{name}" not in found else f"{CLAIM}{name}"
            if name in ("custom",):
                key = f"{CLAIM}{name}"
            found[key] = value
        return {name: value for name, value in found.items() if value is not ABSENT}

    def sign(self, claims: Mapping[str, Any], *, key: str | None = None, **headers: Any) -> str:
        """Sign with the platform's key (or another); ``kid=ABSENT`` leaves the header out."""
        head = {"kid": self.kid, **headers}
        head = {name: value for name, value in head.items() if value is not ABSENT}
        body = json.dumps(claims).encode()  # as it is: the library would refuse to write bad claims
        return jwt.PyJWS().encode(body, key_pair(key or self.kid), algorithm="RS256", headers=head)

    def sign_with_public_key(self, claims: Mapping[str, Any]) -> str:
        """Sign with HS256 and the public key as secret: the classic confusion of algorithms."""
        pem = (
            key_pair(self.kid)
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': self.kid})}.{_part(claims)}"
        return f"{signed}.{_encode(hmac.digest(pem, signed.encode(), sha256))}"

    def unsigned(self, claims: Mapping[str, Any]) -> str:
        return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': self.kid})}.{_part(claims)}."


def _part(value: Mapping[str, Any]) -> str:
    return _encode(json.dumps(value).encode())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Begun:
    """A login that the tool has sent to the platform."""

    state: str
    nonce: str
    url: str
    parameters: dict[str, str]


class Browser:
    """A browser of its own on the tool: keeps cookies, follows what a launch needs and no more."""

    def __init__(self, app: Any, public_url: str) -> None:
        self.client = app.test_client()
        self.public_url = public_url

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, base_url=self.public_url, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.client.post(path, base_url=self.public_url, **options)

    def try_login(self, platform: FakePlatform, **changes: Any) -> Any:
        """Post a login initiation; return the last answer, before leaving for the platform."""
        answer = self.post("/lti/login", data=platform.login(**changes))
        if answer.status_code == 302 and answer.headers["Location"].startswith("/lti/check"):
            answer = self.get(answer.headers["Location"])
        return answer

    def login(self, platform: FakePlatform, **changes: Any) -> Begun:
        answer = self.try_login(platform, **changes)
        assert answer.status_code == 302, answer.get_data(as_text=True)
        url = answer.headers["Location"]
        parameters = dict(parse_qsl(urlsplit(url).query))
        return Begun(parameters["state"], parameters["nonce"], url, parameters)

    def send(self, state: str, token: str) -> Any:
        """Post the platform's answer."""
        return self.post("/lti/launch", data={"state": state, "id_token": token})

    def launch(self, platform: FakePlatform, **changes: Any) -> Any:
        """Go through a whole launch; return the tool's answer to the token."""
        begun = self.login(platform)
        return self.send(begun.state, platform.sign(platform.claims(begun.nonce, **changes)))

    def entered(self, place: str) -> str:
        """Return where a launch leads, once the information that comes first was read."""
        where = str(self.get(place).headers["Location"])
        if not where.endswith("/information"):
            return where
        token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', self.get(where).get_data(as_text=True))
        assert token
        self.post(where, data={"csrf_token": token[1]}, headers={"Origin": self.public_url})
        return str(self.get(place).headers["Location"])

    def opened(self, platform: FakePlatform, **changes: Any) -> str:
        """Go through a launch that succeeds; return the path of its pages, such as ``/c/1-abc/``."""
        answer = self.launch(platform, **changes)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.headers["Location"])


def refreshed(captured: Mapping[str, Any], nonce: str, now: datetime, public_url: str) -> dict[str, Any]:
    """Return the claims of a captured token, dated now, for the tool at its address of today."""
    seconds = int(now.timestamp())
    return {
        **captured,
        "iat": seconds,
        "exp": seconds + 60,
        "nonce": nonce,
        f"{CLAIM}target_link_uri": f"{public_url}/lti/launch",
    }
