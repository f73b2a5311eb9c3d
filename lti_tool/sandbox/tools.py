"""The external tools of the sandbox's sites and the activities that open them, kept in a file of the demo."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
#: What Moodle grants to a tool that synchronises grades and manages its columns.
GRADES = tuple(f"{_AGS}{name}" for name in ("lineitem", "lineitem.readonly", "result.readonly", "score"))
#: Parameters of the tools that the demo has from the start: variables known and unknown, as people type them.
SEEDED_PARAMETERS: Mapping[str, str] = {
    "v_context_id_history": "$Context.id.history",
    "v_moodle_person_usergroupids": "$Moodle.Person.userGroupIds",
    "v_user_username": "$User.username",
    "x_user_scope_mentor": "$User.scope.mentor",
}


@dataclass(frozen=True)
class Tool:
    """A tool of a site; Moodle's deployment id is the number of its type. ``state``: active, pending."""

    site: str
    type_id: str
    client_id: str
    name: str
    login_url: str
    launch_url: str
    placing_url: str
    redirect_uris: tuple[str, ...]
    jwks_url: str
    description: str = ""
    icon: str = ""
    state: str = "active"
    scopes: tuple[str, ...] = ()
    #: Whether launches carry names, and addresses.
    names: bool = True
    emails: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """An activity that opens a tool; ``link_id`` is what launches call it, not the cmid."""

    site: str
    course_id: int
    cmid: int
    link_id: int
    type_id: str
    title: str
    text: str = ""
    icon: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)


class Registry:
    """Tools and links, in memory and in a file, if there is one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.tools: list[Tool] = []
        self.links: list[Link] = []
        if file is not None and file.exists():
            kept = json.loads(file.read_text())
            self.tools = [_frozen(item) for item in kept["tools"]]
            self.links = [Link(**item) for item in kept["links"]]

    def tool(self, site: str, type_id: str) -> Tool | None:
        return next((t for t in self.tools if (t.site, t.type_id) == (site, type_id)), None)

    def client(self, site: str, client_id: str) -> Tool | None:
        return next((t for t in self.tools if (t.site, t.client_id) == (site, client_id)), None)

    def link(self, site: str, cmid: int) -> Link | None:
        return next((k for k in self.links if (k.site, k.cmid) == (site, cmid)), None)

    def of_course(self, site: str, course_id: int) -> list[Link]:
        return [k for k in self.links if (k.site, k.course_id) == (site, course_id)]

    def add_tool(self, tool: Tool) -> Tool:
        """Add a tool under the site's next number."""
        with self._lock:
            numbers = [int(t.type_id) for t in self.tools if t.site == tool.site]
            made = replace(tool, type_id=str(max(numbers, default=0) + 1))
            self.tools.append(made)
            self._keep()
        return made

    def activate(self, tool: Tool) -> None:
        with self._lock:
            self.tools = [replace(t, state="active") if t == tool else t for t in self.tools]
            self._keep()

    def add_link(self, link: Link) -> Link:
        """Add an activity under the course's next numbers."""
        with self._lock:
            there = self.of_course(link.site, link.course_id)
            number = max([k.cmid % 100 for k in there if k.cmid % 100 > 50], default=50) + 1
            cmid = link.course_id * 100 + number
            made = replace(link, cmid=cmid, link_id=link.course_id * 10_000 + number)
            self.links.append(made)
            self._keep()
        return made

    def _keep(self) -> None:
        if self._file is not None:
            content = {"tools": [asdict(t) for t in self.tools], "links": [asdict(k) for k in self.links]}
            self._file.write_text(json.dumps(content))


def _frozen(item: dict[str, Any]) -> Tool:
    return Tool(**{**item, "redirect_uris": tuple(item["redirect_uris"]), "scopes": tuple(item["scopes"])})
