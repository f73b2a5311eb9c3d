"""The id_token of a launch, claim for claim what Moodle 4.5 sends, and the key that signs it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session
from lti_tool.sandbox.tools import GRADES, NRPS, Link, Tool

_SPEC = "https://purl.imsglobal.org/spec/"
_LTI = f"{_SPEC}lti/claim/"
_LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
#: How long an id_token of Moodle lives.
LIFETIME = timedelta(seconds=60)

_ROLES = {
    "trainee": [f"{_LIS}membership#Learner"],
    "tutor": [f"{_LIS}membership#Instructor"],
    "admin": [
        f"{_LIS}institution/person#Administrator",
        f"{_LIS}membership#Instructor",
        f"{_LIS}system/person#Administrator",
    ],
}


class SigningKey:
    """An RSA key of the platform, with the JWKS that publishes it."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = secrets.token_hex(10)

    def jwks(self) -> dict[str, Any]:
        """Return the public half as a key set (RFC 7517)."""
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        kept = {name: public[name] for name in ("kty", "e", "n")}
        return {"keys": [kept | {"alg": "RS256", "kid": self.kid, "use": "sig"}]}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._private, algorithm="RS256", headers={"kid": self.kid})

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that this key signed, whenever it was, or None."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._private.public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return None
        return claims


def id_token(
    person: Person,
    session: Session,
    tool: Tool,
    link: Link,
    *,
    nonce: str,
    window: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the claims of a resource-link launch; `window` is Moodle's document target."""
    back = f"{session.site.issuer}/mod/lti/return.php?course={session.course_id}&launch_container=3"
    return {
        **_common(person, session, tool, nonce, now),
        f"{_LTI}target_link_uri": tool.launch_url,
        f"{_LTI}message_type": "LtiResourceLinkRequest",
        f"{_LTI}resource_link": {
            "title": link.title,
            "description": link.text,
            "id": str(link.link_id),
        },
        f"{_LTI}launch_presentation": {
            "locale": "fr",
            "document_target": window,
            "return_url": f"{back}&instanceid=1&sesskey={secrets.token_hex(5)}",
        },
        f"{_LTI}custom": {
            **_parameters(tool.parameters, person),
            **_parameters(link.custom, person),
            **_settings(session, tool),
        },
    }


def placing_token(
    person: Person, session: Session, tool: Tool, *, nonce: str, return_url: str, now: datetime
) -> dict[str, Any]:
    """Return the claims of a deep linking request."""
    return {
        **_common(person, session, tool, nonce, now),
        f"{_LTI}target_link_uri": tool.placing_url,
        f"{_LTI}message_type": "LtiDeepLinkingRequest",
        f"{_LTI}launch_presentation": {"locale": "fr"},
        f"{_LTI}custom": {**_parameters(tool.parameters, person), **_settings(session, tool)},
        f"{_SPEC}lti-dl/claim/deep_linking_settings": {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_copy_advice": False,
            "accept_multiple": True,
            "accept_unsigned": False,
            "auto_create": False,
            "can_confirm": False,
            "deep_link_return_url": return_url,
            "title": "",
            "text": "",
        },
    }


def _common(person: Person, session: Session, tool: Tool, nonce: str, now: datetime) -> dict[str, Any]:
    site, issued = session.site, int(now.timestamp())
    claims: dict[str, Any] = {
        "nonce": nonce,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "iss": site.issuer,
        "aud": tool.client_id,
        f"{_LTI}deployment_id": tool.type_id,
        "sub": person.user_id,
        f"{_LTI}lis": {
            "person_sourcedid": f"ID-{person.username}",
            "course_section_sourcedid": f"PPS/{session.label}",
        },
        f"{_LTI}roles": _ROLES[person.role],
        f"{_LTI}context": {
            "id": str(session.course_id),
            "label": session.short_name,
            "title": session.title,
            "type": ["CourseSection"],
        },
        f"{_LTI}ext": {"user_username": person.username, "lms": "moodle-2"},
        f"{_LTI}tool_platform": {
            "product_family_code": "moodle",
            "version": "2024100706",
            "guid": "127.0.0.1",
            "name": site.key,
            "description": site.name,
        },
        f"{_LTI}version": "1.3.0",
    }
    if tool.names:
        claims |= {"given_name": person.given_name, "family_name": person.family_name, "name": person.name}
    if tool.emails:
        claims["email"] = person.email
    return claims | _services(session, tool)


def _services(session: Session, tool: Tool) -> dict[str, Any]:
    """Return the claims of the services that the tool was granted."""
    base, found = f"{session.site.issuer}/mod/lti/services.php", {}
    if NRPS in tool.scopes:
        found[f"{_SPEC}lti-nrps/claim/namesroleservice"] = {
            "context_memberships_url": f"{base}/CourseSection/{session.course_id}/bindings/"
            f"{tool.type_id}/memberships",
            "service_versions": ["1.0", "2.0"],
        }
    if GRADES[0] in tool.scopes:
        found[f"{_SPEC}lti-ags/claim/endpoint"] = {
            "scope": list(GRADES),
            "lineitems": f"{base}/{session.course_id}/lineitems?type_id={tool.type_id}",
        }
    return found


def _settings(session: Session, tool: Tool) -> dict[str, str]:
    """Return the addresses of settings that Moodle adds to the custom parameters."""
    services = f"{session.site.issuer}/mod/lti/services.php"
    return {
        "system_setting_url": f"{services}/tool/{tool.type_id}/custom",
        "context_setting_url": (
            f"{services}/CourseSection/{session.course_id}/bindings/tool/{tool.type_id}/custom"
        ),
    }


def _parameters(typed: Mapping[str, str], person: Person) -> dict[str, str]:
    """Return custom parameters: variables filled in, unknown ones as typed; names also in lower case."""
    known = {"$Context.id.history": "", "$Moodle.Person.userGroupIds": "", "$User.username": person.username}
    found: dict[str, str] = {}
    for name, value in typed.items():
        found[re.sub(r"[^a-z0-9]", "_", name.lower())] = found[name] = known.get(value, value)
    return found
