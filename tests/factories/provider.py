"""A provider of identities of the tests (OpenID Connect): discovery, keys, tokens, userinfo on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt

from tests.factories.platform import ABSENT, key_pair, public_jwk

CLIENT, CLIENT_SECRET = "estime & co", "s:cret/+"


@dataclass
class Provider:
    """What it answers with may be changed before it is asked: ``claims``, ``sign``, ``discovery``."""

    clock: Any
    #: Over the claims of an ID token; ABSENT takes one away.
    claims: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    #: Names of keys: signed with one, published others.
    key: str = "oidc-1"
    algorithm: str = "RS256"
    #: Codes given and not redeemed yet: what the browser was sent with.
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: int = 0
    url: str = ""

    def authorize(self, address: str) -> tuple[str, dict[str, str]]:
        """Do as somebody who signs in there: return the code, and what the tool asked with."""
        parts = urlsplit(address)
        assert address.startswith(f"{self.url}/authorize?"), address
        asked = dict(parse_qsl(parts.query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert set(asked["scope"].split()) == {"openid", "email"}
        code = f"code-{len(self.codes) + self.redeemed}"
        self.codes[code] = asked
        return code, asked

    def token(self, asked: dict[str, str]) -> str:
        now = int(self.clock().timestamp())
        said: dict[str, Any] = {
            "iss": self.url, "aud": CLIENT, "sub": "u-1", "iat": now, "exp": now + 60,
            "nonce": asked["nonce"], "email": "Lea.Roux@ac-lille.fr", "email_verified": True, **self.claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not ABSENT}
        head = {"kid": "oidc-1"}
        if self.algorithm == "none":
            return jwt.PyJWS().encode(json.dumps(said).encode(), "", algorithm="none", headers=head)
        secret: Any = "x" * 40 if self.algorithm == "HS256" else key_pair(self.key)
        return jwt.PyJWS().encode(json.dumps(said).encode(), secret, algorithm=self.algorithm, headers=head)

    def answer(self, method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, Any]]:
        if path == "/.well-known/openid-configuration":
            said = {
                "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
            }  # fmt: skip
            return 200, {**said, **self.discovery}
        if path == "/keys":
            return 200, {"keys": [public_jwk("oidc-1")]}
        if path == "/userinfo":
            return (200, self.userinfo) if headers["Authorization"] == "Bearer access-1" else (401, {})
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(b"estime%20%26%20co:s%3Acret%2F%2B").decode()
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        good = (
            path == "/token" and method == "POST" and asked is not None
            and headers["Authorization"] == f"Basic {pair}"
            and form["redirect_uri"] == asked["redirect_uri"]
            and base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
        )  # fmt: skip
        if not good or asked is None:
            return 400, {"error": "invalid_grant"}
        self.redeemed += 1
        return 200, {"id_token": self.token(asked), "access_token": "access-1", "token_type": "Bearer"}


@contextmanager
def provider(clock: Any) -> Iterator[Provider]:
    made = Provider(clock)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, said = made.answer(self.command, self.path, self.headers, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  (the name that the library calls)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
