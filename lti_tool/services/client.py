"""Requests to a platform's services, under an access token.

Sources: IMS Security Framework 1.0 (4.1, client credentials with a signed assertion), RFC 7523, LTI Names and
Role Provisioning Services 2.0, LTI Assignment and Grade Services 2.0.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
import orjson

from lti_tool.jobs import JobRun
from lti_tool.outbound import Answer, OutboundError
from tool_config import platforms, sealing
from tool_config.database import transaction
from tool_config.platforms import Platform, PlatformError, origin

ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM, LINE_ITEM_READONLY, SCORE = f"{_AGS}lineitem", f"{_AGS}lineitem.readonly", f"{_AGS}score"

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Seconds for which the assertion can be used, and that a token is believed to be dead too early.
_ASSERTION_LIFE, _MARGIN = 60, 60
#: Lifetime of a token whose answer does not say; and the longest that it is kept, whatever it says.
_USUAL_LIFE, _LONGEST_LIFE = 3600, 24 * 3600
#: Longest wait that a platform may ask for, seconds.
_LONGEST_WAIT = 3600.0

#: Words for what went wrong that will pass by itself.
PASSING = frozenset({"away", "busy"})


class ServiceError(Exception):
    """A service that did not do what it was asked. ``reason`` is a word that pages put into a sentence:

    away (no answer), busy (5xx, 429), blocked (an address that may not be asked), foreign (not the
    platform's), token (no access token), forbidden (401, 403), gone (404), nonsense (not understood).
    """

    def __init__(self, reason: str, detail: str = "", wait: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        #: For the log of the process: no address, nothing that was sent.
        self.detail = detail
        #: Seconds, when the platform said how long.
        self.wait = wait

    @property
    def passing(self) -> bool:
        return self.reason in PASSING


@dataclass(frozen=True)
class Client:
    """One platform's services, asked in the course of one job."""

    run: JobRun
    platform: Platform

    def ask(
        self,
        method: str,
        url: str,
        *,
        scopes: Iterable[str],
        accept: str | None = None,
        content: Any = None,
        content_type: str | None = None,
        most_bytes: int = 1_000_000,
        accepted: Iterable[int] = (),
    ) -> Answer:
        """Return the answer 2xx of a service, or one of those ``accepted``; raises ServiceError otherwise.

        The token goes to the platform's own origins only. A token refused is asked again once.
        """
        if origin(url) not in self.platform.origins:
            raise ServiceError("foreign")
        wanted = " ".join(sorted(scopes))
        headers = {"Accept": accept or "*/*"}
        body = None if content is None else orjson.dumps(content)
        if content_type is not None:
            headers["Content-Type"] = content_type
        for last in (False, True):
            token = self._token(wanted, fresh=last)
            headers["Authorization"] = f"Bearer {token}"
            answer = self._send(method, url, headers, body, most_bytes)
            if answer.status != 401 or last:
                return _checked(answer, frozenset(accepted))
        raise AssertionError  # the loop returns

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most_bytes: int
    ) -> Answer:
        try:
            return self.run.http.request(
                method, url, headers=headers, body=body, most_bytes=most_bytes, seconds=30.0
            )
        except OutboundError as error:
            word = str(error)
            if word.startswith("address"):
                raise ServiceError("blocked", word) from None
            if word == "answer too large":
                raise ServiceError("nonsense", word) from None
            raise ServiceError("away", word) from None

    # --- access token ------------------------------------------------------------------------------------

    def _token(self, scopes: str, *, fresh: bool) -> str:
        """Return an access token for exactly these scopes: the cached one until it ends, unless ``fresh``."""
        of = f"{self.platform.silo_id}\n{self.platform.issuer}\n{self.platform.client_id}\n{scopes}"
        name = f"token:{hashlib.sha256(of.encode()).hexdigest()}"
        secret = self.run.settings.secret_key
        kept = None if fresh else self.run.cache.get(name)
        if kept is not None:
            try:
                return sealing.unseal(secret, name, kept.decode())
            except (sealing.SealError, ValueError):
                self.run.cache.delete(name)
        token, seconds = self._ask_token(scopes)
        if seconds > _MARGIN:
            self.run.cache.set(name, sealing.seal(secret, name, token).encode(), seconds - _MARGIN)
        return token

    def _ask_token(self, scopes: str) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion(),
            "scope": scopes,
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._send("POST", self.platform.token_url, headers, urlencode(form).encode(), 100_000)
        if answer.status == 429 or answer.status >= 500:
            raise ServiceError("busy", f"token {answer.status}", _wait(answer))
        said = read_json(answer, Mapping) if answer.status == 200 else {}
        token, seconds, granted = (said.get(key) for key in ("access_token", "expires_in", "scope"))
        if not isinstance(token, str) or not token or not token.isprintable():
            raise ServiceError("token", f"answer {answer.status}")
        if isinstance(granted, str) and not set(scopes.split()) <= set(granted.split()):
            raise ServiceError("forbidden", "scope not granted")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
            return token, _USUAL_LIFE
        return token, min(float(seconds), _LONGEST_LIFE)

    def _assertion(self) -> str:
        """Return the signed assertion that stands for a password (IMS Security Framework 1.0, 4.1.1)."""
        run, now = self.run, self.run.clock()
        try:
            with transaction(run.engine, run.silo_id, write=False) as conn:
                kid, pem = platforms.private_key(conn, run.silo_id, run.settings.secret_key, now)
        except PlatformError as error:
            raise ServiceError("token", str(error)) from None
        issued = int(now.timestamp())
        claims = {
            "iss": self.platform.client_id,
            "sub": self.platform.client_id,
            "aud": self.platform.token_url,
            "iat": issued,
            "exp": issued + _ASSERTION_LIFE,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": kid})


def _checked(answer: Answer, accepted: frozenset[int]) -> Answer:
    status = answer.status
    if 200 <= status < 300 or status in accepted:
        return answer
    if status in (401, 403):
        raise ServiceError("forbidden", f"answer {status}")
    if status in (404, 410):
        raise ServiceError("gone", f"answer {status}")
    if status == 429 or status >= 500:
        raise ServiceError("busy", f"answer {status}", _wait(answer))
    raise ServiceError("nonsense", f"answer {status}")


def _wait(answer: Answer) -> float | None:
    """Return the seconds of Retry-After, when it says seconds (RFC 9110, 10.2.3)."""
    said = answer.headers.get("retry-after", "").strip()
    return min(float(said), _LONGEST_WAIT) if said.isascii() and said.isdigit() and len(said) < 8 else None


def read_json(answer: Answer, kind: Any) -> Any:
    """Return the JSON of an answer, of the kind expected; ServiceError("nonsense") otherwise."""
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ServiceError("nonsense", "not JSON") from None
    if not isinstance(content, kind):
        raise ServiceError("nonsense", "JSON of another kind")
    return content
