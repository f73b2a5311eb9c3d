"""A platform's side of dynamic registration, answered from a table instead of the network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lti_tool.outbound import Answer, Outbound, OutboundError

SITE = "https://moodle.example.fr"
CONFIGURATION = f"{SITE}/mod/lti/openid-configuration.php"
ENDPOINT = f"{SITE}/mod/lti/openid-registration.php"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
TOKEN = "eyJ0b2tlbi1vZi10aGUtcGxhdGZvcm0.abc.def"


def configuration(**changes: Any) -> dict[str, Any]:
    """Return a platform's OpenID configuration; ``None`` takes a member away."""
    base = f"{SITE}/mod/lti"
    found = {
        "issuer": SITE,
        "authorization_endpoint": f"{base}/auth.php",
        "token_endpoint": f"{base}/token.php",
        "jwks_uri": f"{base}/certs.php",
        "registration_endpoint": ENDPOINT,
        "https://purl.imsglobal.org/spec/lti-platform-configuration": {"product_family_code": "moodle"},
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def registered(**changes: Any) -> dict[str, Any]:
    """Return a platform's answer to a registration; ``deployment_id=None`` leaves it out."""
    deployment = changes.pop("deployment_id", "3")
    told = {} if deployment is None else {"deployment_id": deployment}
    return {"client_id": "given-by-moodle", TOOL: told, **changes}


@dataclass
class Recorded(Outbound):
    """What answers instead of the network, and what was asked of it."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    #: Called before an address is answered.
    before: Callable[[str], None] | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most_bytes: int = 0,
        seconds: float = 0,
    ) -> Answer:
        self.asked.append((method, url, dict(headers or {}), json.loads(body) if body else None))
        if self.before is not None:
            self.before(url)
        found = self.answers.get(url)
        if found is None:
            raise OutboundError("no answer (ConnectionRefusedError)")
        status, content = found if isinstance(found, tuple) else (200, found)
        return Answer(status, {}, content if isinstance(content, bytes) else json.dumps(content).encode())


def moodle(answer: Any = None, **changes: Any) -> Recorded:
    """Return a platform that registers what is asked of it."""
    return Recorded({CONFIGURATION: configuration(**changes), ENDPOINT: answer or registered()})
