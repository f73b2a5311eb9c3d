"""LTI 1.3 launches: an id_token verified and read into a frozen Launch, or refused.

The only user of the LTI library beside ``services``. Sources: IMS Security Framework 1.0 (5.1.3), LTI 1.3
core (5.3), OpenID Connect Core 1.0 (3.1.3.7). Nothing after ``read`` sees a claim.
"""

from __future__ import annotations

import base64
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from pylti1p3.exception import LtiException
from pylti1p3.message_validators.deep_link import DeepLinkMessageValidator
from pylti1p3.message_validators.resource_message import ResourceMessageValidator

from lti_tool.keys import KeyRing, KeysUnavailableError, UnknownKeyError
from lti_tool.login import Refused, is_ours
from tool_config.families import family
from tool_config.platforms import Platform, origin
from tool_config.roles import role

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
_DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
_NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

#: A launch of an activity, and a request to choose what a course will hold.
_OPENING, _PLACING = "LtiResourceLinkRequest", "LtiDeepLinkingRequest"
_MESSAGES = {_OPENING: ResourceMessageValidator, _PLACING: DeepLinkMessageValidator}
#: Longest word of the platform's own that a choice takes back to it (deep linking ``data``).
MOST_DATA = 10_000

#: Seconds of difference between the clocks of platform and tool.
LEEWAY = 30.0
#: Older tokens are refused however far their expiry: a token is posted as soon as it is made.
MOST_AGE = 300.0
MOST_TOKEN = 100_000
#: Custom parameters kept: the choice made at placement. Others may hold names and addresses.
CHOICE_PREFIX = "estime_"
#: Longest title kept; the rest of the text says nothing more.
MOST_TITLE = 300
#: Longest list kept of the courses that a course was copied from.
MOST_HISTORY = 4000


@dataclass(frozen=True)
class Launch:
    """A verified launch. Texts are cleaned; addresses are on the platform's own origins, or ""."""

    issuer: str
    client_id: str
    deployment_id: str
    sub: str
    #: trainee, tutor, admin or "" (no right)
    role: str
    context_id: str
    context_title: str | None
    context_label: str | None
    resource_link_id: str
    resource_link_title: str | None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    username: str | None = None
    #: fr, en or "" (the platform did not say)
    locale: str = ""
    #: Holds the platform's sesskey: never in a log.
    return_url: str = field(default="", repr=False)
    choice: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: The number that the institution gives to the course, and the courses it was copied from, or "".
    idnumber: str = ""
    history: str = ""
    #: Where to send what is chosen for the course, and how (``return_url``, ``multiple``, ``data``); None
    #: when an activity is opened.
    placing: Mapping[str, Any] | None = field(default=None, repr=False)


def authenticate(token: str, platform: Platform, keys: KeyRing, now: datetime) -> dict[str, Any]:
    """Return the claims of an id_token once signature, issuer, audience and times are verified.

    Refused: 400 malformed, 401 not verified, 502 keys cannot be had. No network but for the keys.
    """
    kid = _kid(token)
    try:
        key = keys.key(platform, kid, now)
    except UnknownKeyError:
        raise Refused(401, "token", "launch: kid unknown") from None
    except KeysUnavailableError as error:
        raise Refused(502, "keys", f"launch: keys cannot be had: {error}") from None
    return _verified(token, key, platform, now)


def authenticate_at_hand(
    token: str, platform: Platform, keys: KeyRing, now: datetime
) -> dict[str, Any] | None:
    """Do as ``authenticate`` with a key that is known and fresh; None when it would have to be fetched."""
    key = keys.at_hand(platform, _kid(token), now)
    return None if key is None else _verified(token, key, platform, now)


def _verified(token: str, key: RSAPublicKey, platform: Platform, now: datetime) -> dict[str, Any]:
    """Return the claims of a token signed with RS256 by that key (RFC 7515, 5.2; RFC 7518, 3.3).

    Nothing of the payload is read before the signature passed. The library of tokens looks at each
    character on its own, for longer than all the rest takes.
    """
    signed, _, signature = token.rpartition(".")
    payload = signed.partition(".")[2]
    try:
        key.verify(_decoded(signature), signed.encode("utf-8", "replace"), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise Refused(401, "token", "launch: signature") from None
    claims = _object(payload)
    _check_issuer(claims, platform)
    _check_audience(claims, platform)
    _check_times(claims, now.timestamp())
    return claims


#: Base64 as tokens are written: its own alphabet, without padding (RFC 7515, 2).
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


def _decoded(part: str) -> bytes:
    if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
        raise Refused(400, "malformed", "launch: id_token malformed")
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _object(part: str) -> dict[str, Any]:
    """Read a part of a token that must be a JSON object; Refused (400) when it is not."""
    try:
        found = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise Refused(400, "malformed", "launch: id_token malformed") from None
    if not isinstance(found, dict):
        raise Refused(400, "malformed", "launch: id_token malformed")
    return found


def _kid(token: str) -> str:
    if len(token) > MOST_TOKEN:
        raise Refused(400, "malformed", "launch: id_token too large")
    header = _object(token.partition(".")[0])
    if header.get("alg") != "RS256":
        raise Refused(401, "token", "launch: algorithm is not RS256")
    if "crit" in header or token.count(".") != 2:
        # Extensions that must be understood (RFC 7515, 4.1.11): none is. Parts: three, no more.
        raise Refused(400, "malformed", "launch: id_token malformed")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Refused(400, "malformed", "launch: kid missing")
    return kid


def _check_issuer(claims: Mapping[str, Any], platform: Platform) -> None:
    issuer = claims.get("iss")
    if issuer is None:
        raise Refused(400, "malformed", "launch: iss missing")
    if issuer != platform.issuer:
        raise Refused(401, "platform", "launch: issuer is not that of the login")


def _check_audience(claims: Mapping[str, Any], platform: Platform) -> None:
    """Apply OpenID Connect Core 3.1.3.7, rules 3 to 5."""
    audience, azp = claims.get("aud"), claims.get("azp")
    if audience is None:
        raise Refused(400, "malformed", "launch: aud missing")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not named or not all(isinstance(item, str) for item in named):
        raise Refused(401, "token", "launch: aud is not a list of strings")
    if platform.client_id not in named:
        raise Refused(401, "token", "launch: token is for another client")
    if azp is not None and azp != platform.client_id:
        raise Refused(401, "token", "launch: azp is another client")
    others = set(named) - {platform.client_id}
    if others and azp is None:
        raise Refused(401, "token", "launch: several audiences without azp")
    if others - platform.trusted_audiences:
        raise Refused(401, "token", "launch: audience not trusted")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times: dict[str, float] = {}
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is None and name != "nbf":
            raise Refused(400, "malformed", f"launch: {name} missing")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused(400, "malformed", f"launch: {name} is not a number")
        times[name] = value
    if times["exp"] + LEEWAY <= now:
        raise Refused(401, "stale", "launch: token expired")
    if times["iat"] > now + LEEWAY or times.get("nbf", now) > now + LEEWAY:
        raise Refused(401, "token", "launch: token from the future")
    if times["iat"] < now - MOST_AGE - LEEWAY:
        raise Refused(401, "stale", "launch: token too old")


# --- claims --------------------------------------------------------------------------------------------


def read(
    claims: Mapping[str, Any], platform: Platform, deployments: frozenset[str], public_url: str
) -> Launch:
    """Read verified claims into a Launch; Refused when a part is missing, of a wrong type or not ours."""
    message = _message(claims)
    roles = claims.get(f"{CLAIM}roles")
    if not isinstance(roles, list) or not all(isinstance(item, str) for item in roles):
        raise _malformed("roles is not a list of strings")
    link = _mapping(claims, "resource_link", needed=message == _OPENING)
    sub = _identifier(claims.get("sub"), "sub")
    resource_link_id = _identifier(link.get("id"), "resource_link.id") if message == _OPENING else ""
    deployment_id = _identifier(claims.get(f"{CLAIM}deployment_id"), "deployment_id")
    # A platform that registered itself without telling its deployment tells it by its first launch.
    if deployments and deployment_id not in deployments:
        raise Refused(401, "platform", "launch: deployment unknown")
    target = claims.get(f"{CLAIM}target_link_uri")
    if not isinstance(target, str) or not target:
        raise _malformed("target_link_uri missing")
    if not is_ours(target, public_url):
        raise Refused(401, "token", "launch: target_link_uri is not this tool")
    placing = _placing(claims, platform) if message == _PLACING else None
    _check_with_library(claims, message)
    context = _mapping(claims, "context")
    custom = _mapping(claims, "custom", needed=False)
    presentation = _mapping(claims, "launch_presentation", needed=False)
    return Launch(
        issuer=platform.issuer,
        client_id=platform.client_id,
        deployment_id=deployment_id,
        sub=sub,
        role=role(roles, platform.role_map),
        context_id=_identifier(context.get("id"), "context.id"),
        context_title=clean(context.get("title")),
        context_label=clean(context.get("label")),
        resource_link_id=resource_link_id,
        resource_link_title=clean(link.get("title")),
        name=clean(claims.get("name")),
        given_name=clean(claims.get("given_name")),
        family_name=clean(claims.get("family_name")),
        email=_email(claims.get("email")),
        username=clean(family(platform.family).username_of(claims)),
        locale=_locale(presentation.get("locale")),
        return_url=_on_platform(presentation.get("return_url"), platform),
        choice=_choice(custom),
        idnumber=clean(_mapping(claims, "lis", needed=False).get("course_section_sourcedid")) or "",
        history=clean(custom.get("estime_history"), MOST_HISTORY) or "",
        services=_services(claims, platform),
        placing=placing,
    )


def _malformed(what: str) -> Refused:
    return Refused(400, "malformed", f"launch: {what}")


def _message(claims: Mapping[str, Any]) -> str:
    """Return the type of the message; Refused when it, or its version, is not one that the tool answers."""
    for name, expected in (("version", ("1.3.0",)), ("message_type", tuple(_MESSAGES))):
        found = claims.get(f"{CLAIM}{name}")
        if found is None:
            raise _malformed(f"{name} missing")
        if found not in expected:
            raise Refused(400, "message", f"launch: {name} is not {' nor '.join(expected)}")
    return str(found)


def _check_with_library(claims: Mapping[str, Any], message: str) -> None:
    """Let the library have its word on the message, once the types are known to be right."""
    try:
        _MESSAGES[message]().validate(claims)
    except LtiException:
        raise _malformed("message refused by the library") from None


def _mapping(claims: Mapping[str, Any], name: str, *, needed: bool = True) -> Mapping[str, Any]:
    """Return a claim that is an object; an optional one of another type counts as not given."""
    found = claims.get(f"{CLAIM}{name}")
    if isinstance(found, Mapping):
        return found
    if needed:
        raise _malformed(f"{name} missing or not an object")
    return {}


def _identifier(value: Any, name: str) -> str:
    """Return an identifier: a string of 1 to 255 printable characters, kept as it is (LTI 1.3, 5.3)."""
    if not isinstance(value, str) or not value:
        raise _malformed(f"{name} missing or not a string")
    if len(value) > 255 or not value.isprintable() or value != value.strip():
        raise _malformed(f"{name} not usable")
    return value


def clean(value: Any, most: int = MOST_TITLE) -> str | None:
    """Return a text for people to read, on one line, or None when there is none.

    Control characters go, and so do the marks that turn the direction of what follows (U+202A to U+202E,
    U+2066 to U+2069): right-to-left text does not need them, a title could disorder a page with them.
    Markup stays as text: templates escape it.
    """
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isprintable():
        return " ".join(value.split())[:most] or None
    kept = "".join(" " if character in "\t\n\r\u2028\u2029" else character for character in value)
    kept = "".join(
        character
        for character in kept
        if unicodedata.category(character) not in ("Cc", "Cs", "Cn")
        and not "\u202a" <= character <= "\u202e"
        and not "\u2066" <= character <= "\u2069"
    )
    kept = " ".join(kept.split())
    return kept[:most] or None


def _email(value: Any) -> str | None:
    text = clean(value, 255)
    if text is None or text != value or text.count("@") != 1 or " " in text or not text.isascii():
        return None
    return text if all(text.split("@")) else None


def _locale(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return ""
    return "en" if value.lower().replace("_", "-").split("-")[0] == "en" else "fr"


def _on_platform(value: Any, platform: Platform) -> str:
    """Return an address of the platform's own origins, or "": no other gets anything from the tool."""
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or "\\" in value:
        return ""
    return value if origin(value) in platform.origins else ""


def _choice(custom: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: clean(value) or ""
        for key, value in list(custom.items())[:200]
        if isinstance(key, str)
        and key.startswith(CHOICE_PREFIX)
        and len(key) < 60
        and key.isprintable()
        and isinstance(value, str)
    }


def _placing(claims: Mapping[str, Any], platform: Platform) -> dict[str, Any]:
    """Return where a choice goes and what it may hold (LTI Deep Linking 2.0, 4.4.1)."""
    settings = claims.get(_DEEP_LINKING)
    if not isinstance(settings, Mapping):
        raise _malformed("deep_linking_settings missing or not an object")
    return_url, types = settings.get("deep_link_return_url"), settings.get("accept_types")
    if not isinstance(return_url, str) or not return_url:
        raise _malformed("deep_link_return_url missing")
    if not _on_platform(return_url, platform):
        raise Refused(401, "token", "launch: deep_link_return_url is off the platform's origin")
    if not isinstance(types, list) or "ltiResourceLink" not in types:
        raise Refused(400, "message", "launch: the platform does not accept links to the tool")
    data = settings.get("data")
    if data is not None and (not isinstance(data, str) or len(data) > MOST_DATA):
        raise _malformed("deep linking data not usable")
    return {"return_url": return_url, "multiple": settings.get("accept_multiple") is True, "data": data}


def _services(claims: Mapping[str, Any], platform: Platform) -> dict[str, Any]:
    """Return the services' addresses that are the platform's own, with the scopes granted."""
    found: dict[str, Any] = {}
    grades, members = claims.get(_AGS), claims.get(_NRPS)
    if isinstance(grades, Mapping):
        for name in ("lineitems", "lineitem"):
            found[name] = _on_platform(grades.get(name), platform)
        scopes = grades.get("scope")
        found["scope"] = (
            [item for item in scopes if isinstance(item, str) and item.isprintable()][:20]
            if isinstance(scopes, list)
            else []
        )
    if isinstance(members, Mapping):
        found["memberships"] = _on_platform(members.get("context_memberships_url"), platform)
    return {name: value for name, value in found.items() if value}
