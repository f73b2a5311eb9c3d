"""A platform that registers itself: the exchange of LTI Dynamic Registration 1.0.

The platform's administrator pastes an invitation; the platform opens it with the address of its OpenID
configuration; the tool reads that, registers itself there, and keeps what the platform answers. The network
is asked between two transactions, never inside one. Source: IMS LTI Dynamic Registration 1.0 (3.4 to 3.6).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from lti_tool import invitations
from lti_tool.invitations import Held, RegistrationError
from lti_tool.outbound import Outbound, OutboundError
from lti_tool.registration_texts import DESCRIPTION, NAME, PLACE_LABEL
from tool_config import families, platforms
from tool_config.platforms import Platform, PlatformError, origin

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
LINE_ITEM, SCORE = f"{_AGS}lineitem", f"{_AGS}score"
#: What the tool asks for, and nothing wider: the roster, its own columns of marks, marks sent.
SCOPES = (MEMBERS, LINE_ITEM, SCORE)
#: Names, for tutors to read them; no address.
CLAIMS = ("iss", "sub", "name", "given_name", "family_name")
#: Parameter -> variable of the platform, asked for only where the platform says that it knows it.
VARIABLES: Mapping[str, str] = {
    "estime_groups": "Moodle.Person.userGroupIds",
    "estime_history": "Context.id.history",
}


@dataclass(frozen=True)
class Configuration:
    """What a platform says of itself; its addresses are checked."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str
    registration_url: str
    family: str
    scopes: tuple[str, ...]
    claims: tuple[str, ...]
    variables: frozenset[str]


@dataclass(frozen=True)
class Registered:
    """What the platform answered; ``deployment_id`` is None when it will come with the first launch."""

    client_id: str
    deployment_id: str | None
    #: Scopes asked for that it did not grant.
    refused: tuple[str, ...]


def discover(http: Outbound, url: str, *, allow_local: bool) -> Configuration:
    """Return the platform's configuration; RegistrationError: unreachable, configuration, issuer."""
    answer = _ask(http, "GET", url, "unreachable", {"Accept": "application/json"})
    said = _object(answer, "configuration")
    names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
    values = [said.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str) or not value:
            raise RegistrationError("configuration", f"registration: configuration without {name}")
    issuer, auth_url, token_url, jwks_url, registration_url = map(str, values)
    if not _is_under(issuer, url):
        raise RegistrationError("issuer", "registration: issuer is not where its configuration is")
    # It gets the platform's registration token: nobody else does.
    if origin(registration_url) != origin(issuer):
        raise RegistrationError("issuer", "registration: registration endpoint is off the platform's origin")
    # Every silo's keys are published in one set: a registration that named somebody else's token endpoint and
    # client id would be given that platform's tokens, to be sent to its own services.
    if origin(token_url) != origin(issuer):
        raise RegistrationError("issuer", "registration: token endpoint is off the platform's origin")
    try:
        platforms.check_addresses(issuer, auth_url, token_url, jwks_url, allow_local=allow_local)
    except PlatformError as error:
        raise RegistrationError("configuration", f"registration: {error}") from None
    about = said.get(PLATFORM_CONFIGURATION)
    about = about if isinstance(about, Mapping) else {}
    return Configuration(
        issuer=issuer,
        auth_url=auth_url,
        token_url=token_url,
        jwks_url=jwks_url,
        registration_url=registration_url,
        family=families.family(str(about.get("product_family_code") or "")).name,
        scopes=_wanted(SCOPES, said.get("scopes_supported")),
        claims=_wanted(CLAIMS, said.get("claims_supported")),
        variables=frozenset(_texts(about.get("variables"))),
    )


def _is_under(issuer: str, url: str) -> bool:
    """Tell whether a configuration's address is under its issuer's.

    The specification asks for the same host; the path too, where there is one, keeps apart platforms that
    share a host.
    """
    try:
        parts, path = urlsplit(issuer), urlsplit(url).path
    except ValueError:
        return False
    if not origin(issuer) or origin(issuer) != origin(url) or parts.query or parts.fragment:
        return False
    return path.startswith(parts.path.rstrip("/") + "/")


def _wanted(ours: tuple[str, ...], supported: Any) -> tuple[str, ...]:
    """Return what the tool asks for of what the platform offers; all of it when it does not say."""
    offered = _texts(supported)
    return tuple(item for item in ours if item in offered) if offered else ours


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def register(http: Outbound, platform: Configuration, token: str, public_url: str) -> Registered:
    """Register the tool on the platform; RegistrationError: unreachable, refused, answer."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(request_body(platform, public_url)).encode()
    answer = _ask(http, "POST", platform.registration_url, "refused", headers, body)
    said = _object(answer, "answer")
    client_id, deployment_id = said.get("client_id"), None
    tool = said.get(TOOL_CONFIGURATION)
    if isinstance(tool, Mapping):
        deployment_id = tool.get("deployment_id")
    # Some platforms write numbers where the specification has strings.
    client_id, deployment_id = (str(v) if type(v) is int else v for v in (client_id, deployment_id))
    for name, value in (("client_id", client_id), ("deployment_id", deployment_id or "-")):
        if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
            raise RegistrationError("answer", f"registration: {name} missing or not usable")
    granted = said.get("scope")
    given = granted.split() if isinstance(granted, str) else list(platform.scopes)
    return Registered(
        str(client_id), deployment_id or None, tuple(item for item in SCOPES if item not in given)
    )


def request_body(platform: Configuration, public_url: str) -> dict[str, Any]:
    """Return the tool as it asks to be registered (OpenID Connect Dynamic Registration, LTI 1.3)."""
    launch, addresses = f"{public_url}/lti/launch", addresses_of(public_url)
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": addresses["login"],
        "redirect_uris": [launch],
        "client_name": NAME,
        **{f"client_name#{language}": NAME for language in DESCRIPTION},
        "client_uri": f"{public_url}/",
        "logo_uri": addresses["icon"],
        "jwks_uri": addresses["jwks"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(platform.scopes),
        TOOL_CONFIGURATION: {
            "domain": urlsplit(public_url).netloc,
            "target_link_uri": launch,
            **_localized("description", DESCRIPTION),
            "claims": list(platform.claims),
            "custom_parameters": {
                name: f"${variable}" for name, variable in VARIABLES.items() if variable in platform.variables
            },
            "messages": [
                {"type": "LtiResourceLinkRequest", "target_link_uri": launch, "label": NAME},
                {
                    "type": "LtiDeepLinkingRequest",
                    "target_link_uri": launch,
                    "placements": ["ContentArea"],
                    "icon_uri": addresses["icon"],
                    **_localized("label", PLACE_LABEL),
                },
            ],
        },
    }


def _localized(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Return a text in its languages; without a tag, in the first: platforms that read no tag show it."""
    first = next(iter(texts.values()))
    return {name: first, **{f"{name}#{language}": text for language, text in texts.items()}}


def addresses_of(public_url: str) -> dict[str, str]:
    """Return the addresses that a platform's administrator types when registering by hand."""
    return {
        "launch": f"{public_url}/lti/launch",
        "jwks": f"{public_url}/lti/jwks.json",
        "login": f"{public_url}/lti/login",
        "icon": f"{public_url}/lti/icon.png",
    }


def _ask(
    http: Outbound, method: str, url: str, refused: str, headers: Mapping[str, str], body: bytes | None = None
) -> bytes:
    """Return the body of a good answer; the error ``refused`` on a bad one."""
    try:
        answer = http.request(method, url, headers=headers, body=body)
    except OutboundError as error:
        raise RegistrationError("unreachable", f"registration: {error}") from None
    if answer.status not in (200, 201):
        raise RegistrationError(refused, f"registration: the platform answered {answer.status}")
    return answer.body


def _object(body: bytes, code: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RegistrationError(code, "registration: the platform's answer is not an object")
    return found


# --- what is kept --------------------------------------------------------------------------------------


def require_unknown(conn: Connection, held: Held, platform: Configuration) -> None:
    """Raise RegistrationError("known") when the silo has that platform already."""
    if platforms.get(conn, held.silo_id, platform.issuer) is not None:
        raise RegistrationError("known", "registration: this silo knows the platform already")


def complete(
    conn: Connection,
    held: Held,
    platform: Configuration,
    answered: Registered,
    *,
    secret_key: str,
    allow_local: bool,
    now: datetime,
) -> Platform:
    """Keep the platform and spend the invitation; ``conn`` is of the silo.

    RegistrationError: known, answer; "withdrawn" or "used" when that happened to the invitation meanwhile.
    """
    invitations.spend(conn, held, platform.issuer, now)
    require_unknown(conn, held, platform)
    try:
        made = platforms.add(
            conn,
            held.silo_id,
            issuer=platform.issuer,
            client_id=answered.client_id,
            deployment_id=answered.deployment_id,
            auth_url=platform.auth_url,
            token_url=platform.token_url,
            jwks_url=platform.jwks_url,
            family=platform.family,
            now=now,
            allow_local=allow_local,
        )
    except PlatformError as error:
        raise RegistrationError("answer", f"registration: {error}") from None
    platforms.ensure_key(conn, held.silo_id, secret_key, now)
    return made
