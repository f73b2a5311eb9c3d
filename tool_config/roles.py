"""LTI role URIs and what they allow here: an exact list, never a pattern.

Source: LTI 1.3 core specification, appendix A.2 (role vocabularies). A role of the institution says what
somebody is elsewhere and gives no right on a course. Sub-roles are other URIs: an institution that wants
them lists them in its platform's ``role_map``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TRAINEE = "trainee"
TUTOR = "tutor"
ADMIN = "admin"
#: Strongest first: who holds several is the first of them.
ROLES = (ADMIN, TUTOR, TRAINEE)

#: Profiles that an administrator grants by name to people who need no course: the head of the institution, a
#: training designer (chosen paths), a reader of aggregates. No platform gives them.
RESPONSABLE = "responsable"
INGENIEUR = "ingenieur"
LECTEUR = "lecteur"
PROFILES = (RESPONSABLE, INGENIEUR, LECTEUR)

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

#: Managers and administrators of a course see that course only: they are tutors here.
DEFAULT: Mapping[str, str] = {
    f"{_MEMBERSHIP}Learner": TRAINEE,
    f"{_MEMBERSHIP}Instructor": TUTOR,
    f"{_MEMBERSHIP}ContentDeveloper": TUTOR,
    f"{_MEMBERSHIP}Manager": TUTOR,
    f"{_MEMBERSHIP}Administrator": TUTOR,
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator": ADMIN,
}


def role(uris: Iterable[str], role_map: Mapping[str, str] | None = None) -> str:
    """Return admin, tutor, trainee or "" (no right) for the roles of a launch.

    ``role_map`` is the platform's own list, over the default one; "" takes a right away.
    """
    known = {**DEFAULT, **(role_map or {})}
    held = {known.get(uri, "") for uri in uris}
    return next((name for name in ROLES if name in held), "")
