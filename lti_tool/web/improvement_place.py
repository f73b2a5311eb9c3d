"""Where the improvement log is looked at: a course or the whole silo, and how people are called there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, request, url_for
from sqlalchemy import Connection, select

from lti_tool import access, audit, people
from lti_tool.improvements import Author, Reading
from lti_tool.language import gettext
from lti_tool.privacy import keeping_apart
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import CoursePage, Shell, admin_tabs, done, open_course, open_url, set_time
from tool_config import silos
from xapi.tables import membership


@dataclass(frozen=True)
class Place:
    """A course, or the whole silo (course 0): the shell of its pages, its day."""

    course_id: int
    today: date
    shell: Shell
    page: CoursePage | None

    def url(self, name: str, **values: Any) -> str:
        """Return the address of a page of the log, here."""
        return url_for(f"pages.{name}", course_id=self.course_id, **values)

    @property
    def list_url(self) -> str:
        return url_for("pages.improvements_all") if not self.course_id else self.url("improvements")

    @property
    def modules(self) -> list[tuple[str, str]]:
        """Return the modules of the course: (IRI, title)."""
        if self.page is None:
            return []
        return [(item.iri, f"{item.position}. {item.title}") for item in self.page.frames.outline_modules]


def open_place(conn: Connection, course_id: int, export_url: str | None = None) -> Place:
    """Open a course for the log, or the silo (0) for an administrator; Forbidden or NotFound otherwise."""
    access.may_follow_improvement(conn, viewer(), course_id, reserved=False)
    if course_id:
        page = open_course(conn, course_id)
        return Place(course_id, page.frames.today, page.shell("improvements", export_url), page)
    owner, now = silos.get(conn, viewer().silo_id), tool().clock()
    set_time(now, ZoneInfo(owner.time_zone))
    return Place(0, g.today, silo_shell(export_url), None)


def silo_shell(export_url: str | None = None) -> Shell:
    """Return the header and footer of the log of the whole silo."""
    return Shell(
        title=gettext("Améliorations de la communauté"),
        meta="",
        tabs=admin_tabs("improvements_all"),
        open_url=open_url(),
        about_url=url_for("pages.about_all"),
        threshold=tool().rules.disclosure.course,
        export_url=export_url,
        done=done(),
    )


def reader(conn: Connection, course_id: int) -> Reading:
    """Return where the figures of a course (0: of the silo) are read, as its pages show them."""
    return Reading(conn, viewer().silo_id, course_id, tool().clock(), tool().rules)


def author() -> Author:
    """Return who makes a change."""
    return Author(viewer().actor, viewer().role)


def called(
    conn: Connection, actors: Iterable[str | None], *, named: bool = False, on_paper: bool = False
) -> dict[str, str]:
    """Return how people of the team are called: "vous", a name for tutors, a pseudonym for administrators.

    `named`: people who chose that their name be known; `on_paper`: where "vous" would be nobody.
    """
    who = viewer()
    wanted = {actor for actor in actors if actor}
    if who.role == "admin" and not named:
        owner = silos.get(conn, who.silo_id)
        found = {actor: silos.pseudonym(owner, actor) for actor in wanted}
    else:
        hidden = keeping_apart.hidden_from(conn, who.silo_id, who.actor)
        known = people.names(conn, who.silo_id, wanted - hidden)
        unnamed = gettext("une personne de la session") if named else gettext("une personne de l’équipe")
        found = {actor: (known[actor].text if actor in known else None) or unnamed for actor in wanted}
    if who.actor in found and not on_paper:
        found[who.actor] = gettext("vous")
    return found


def team(conn: Connection, course_id: int) -> list[str]:
    """Return who accompanies a course, for "who does it": the viewer first."""
    who = viewer()
    query = select(membership.c.actor).where(
        membership.c.silo_id == who.silo_id, membership.c.course_id == course_id,
        membership.c.role == "tutor", membership.c.until.is_(None),
    )  # fmt: skip
    return [who.actor, *sorted(actor for actor in conn.scalars(query) if actor != who.actor)]


def record(conn: Connection, course_id: int, action: str = "edit") -> None:
    """Write in the audit that the viewer changed something of the log."""
    who = viewer()
    audit.write(
        conn, who.silo_id, at=tool().clock(), action=action, accepted=True, actor=who.actor, role=who.role,
        course_id=course_id or None,
    )  # fmt: skip


def note_url(kind: str, reference: str, course_id: int | None = None) -> str:
    """Return where an entry is opened from a figure; "" for who may not open one.

    `course_id`: that of the page by default, 0 for the whole silo.
    """
    if "viewer" not in g or viewer().role == "trainee":
        return ""
    here = (request.view_args or {}).get("course_id", 0) if course_id is None else course_id
    return url_for("pages.improvement_new", course_id=here, of=kind, ref=reference)
