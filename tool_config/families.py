"""What is peculiar to one family of platforms: the one place where the tool knows a platform by its name.

A family is chosen at registration; a platform of a family not listed here is of the generic one, which
follows LTI 1.3 and nothing else. Sources: LTI 1.3 core (5.3, context and ext claims), Moodle ``mod/lti``
and its xAPI plugin (IRI of a course).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Family:
    """How a family departs from the specification; the defaults depart from nothing."""

    name: str
    #: IRI by which the family's traces name a course; ``{issuer}`` and ``{context}`` are filled in.
    course_path: str = "{issuer}#context={context}"
    #: Claim and member that hold the username; the specification has none.
    username: tuple[str, str] | None = None
    #: Member of a roster's entry that holds the username; the specification has none.
    member_username: str | None = None

    def course_iri(self, issuer: str, context_id: str) -> str:
        """Return the IRI of a course; two contexts never share one."""
        return self.course_path.format(issuer=issuer.rstrip("/"), context=quote(context_id, safe=""))

    def username_of(self, claims: Mapping[str, Any]) -> Any:
        """Return what the claims hold where this family puts the username, not checked; None elsewhere."""
        if self.username is None:
            return None
        claim, member = self.username
        found = claims.get(claim)
        return found.get(member) if isinstance(found, Mapping) else None


GENERIC = Family("generic")
_EXT = "https://purl.imsglobal.org/spec/lti/claim/ext"

_FAMILIES: Mapping[str, Family] = {
    each.name: each
    for each in (
        GENERIC,
        Family(
            "moodle", "{issuer}/course/view.php?id={context}", (_EXT, "user_username"), "ext_user_username"
        ),
    )
}
#: Names that a registration may give.
NAMES = tuple(_FAMILIES)


def family(name: str) -> Family:
    """Return a family by its name, in any case; the generic one when the tool has no word on it."""
    return _FAMILIES.get(name.lower(), GENERIC)
