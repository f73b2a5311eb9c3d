"""The id_token of a launch, claim for claim what Moodle 4.5 sends, and the key that signs it."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import Session

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
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


def id_token(
    person: Person, session: Session, *, nonce: str, target: str, window: str, now: datetime
) -> dict[str, Any]:
    """Return the claims of a resource-link launch; `window` is Moodle's document target."""
    site, tool = session.site, session.tool
    return_url = f"{site.issuer}/mod/lti/return.php?course={session.course_id}&launch_container=3"
    issued = int(now.timestamp())
    return {
        "nonce": nonce,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "iss": site.issuer,
        "aud": site.client_id,
        f"{_LTI}deployment_id": site.deployment_id,
        f"{_LTI}target_link_uri": target,
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
        f"{_LTI}message_type": "LtiResourceLinkRequest",
        f"{_LTI}resource_link": {
            "title": tool.title,
            "description": "Ce que disent les traces de la session",
            "id": str(session.course_id * 10 + 1),
        },
        "given_name": person.given_name,
        "family_name": person.family_name,
        "name": person.name,
        "email": person.email,
        f"{_LTI}ext": {"user_username": person.username, "lms": "moodle-2"},
        f"{_LTI}launch_presentation": {
            "locale": "fr",
            "document_target": window,
            "return_url": f"{return_url}&instanceid=1&sesskey={secrets.token_hex(5)}",
        },
        f"{_LTI}tool_platform": {
            "product_family_code": "moodle",
            "version": "2024100706",
            "guid": "127.0.0.1",
            "name": site.key,
            "description": site.name,
        },
        f"{_LTI}version": "1.3.0",
        f"{_LTI}custom": _custom(person, session),
    }


def _custom(person: Person, session: Session) -> dict[str, str]:
    """Return the custom parameters: a resolved one, an unknown one left as it was typed, settings' URLs."""
    services = f"{session.site.issuer}/mod/lti/services.php"
    return {
        "v_context_id_history": "",
        "v_moodle_person_usergroupids": "",
        "v_user_username": person.username,
        "x_user_scope_mentor": "$User.scope.mentor",
        "system_setting_url": f"{services}/tool/1/custom",
        "context_setting_url": f"{services}/CourseSection/{session.course_id}/bindings/tool/1/custom",
    }
