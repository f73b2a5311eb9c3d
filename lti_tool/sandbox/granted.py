"""Profiles of the sandbox's community, and a view that its administrator saved."""

from __future__ import annotations

from datetime import timedelta

from lti_tool import profiles, saved
from lti_tool.tool import Tool
from tool_config.database import transaction

#: Profile, name, address.
_PEOPLE = (
    ("responsable", "Hélène Maurin", "helene.maurin@sandbox.example"),
    ("ingenieur", "Karim Belaïd", "karim.belaid@sandbox.example"),
    ("lecteur", "Conseil d’orientation, Anne Collet", "anne.collet@sandbox.example"),
)


def grant(tool: Tool, silo_id: int, admin: str, path_id: int) -> int:
    """Grant a profile of each kind and save a view for an administrator; return how many people got one."""
    now = tool.clock()
    with transaction(tool.engine, silo_id) as conn:
        for profile, name, address in _PEOPLE:
            profiles.grant(
                conn, silo_id, profile=profile, name=name, address=address, paths=[path_id],
                expires_at=now + timedelta(days=300) if profile == "lecteur" else None, by=admin,
                secret_key=tool.settings.secret_key, now=now,
            )  # fmt: skip
        saved.add(
            conn, silo_id, owner=admin, role="admin", name="Origines par académie et corps",
            page="/crossing", query="kind=people&row=academie&column=corps", now=now,
        )  # fmt: skip
    return len(_PEOPLE)
