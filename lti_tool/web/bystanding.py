"""Who is in the list of participants and is no trainee: said by the tutor, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, bystanders
from lti_tool.web import shell
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import plain
from lti_tool.web.shell import CoursePage, open_course
from tool_config.database import transaction


def block(conn: Connection, page: CoursePage, names: Mapping[str, str]) -> dict[str, Any] | None:
    """Return whom the tutor may set aside, and whom they did; None to anybody else, and without anybody."""
    who, course_id = viewer(), page.access.course_id
    if who.role != "tutor":
        return None
    aside = bystanders.of_course(conn, who.silo_id, course_id)
    if not aside and not page.learners:
        return None
    called = shell.names(conn, page.access, who, aside) if aside else {}

    def sorted_by_name(some: Mapping[str, str]) -> list[tuple[str, str]]:
        return sorted(some.items(), key=lambda one: (plain(one[1]), one[0]))

    return {
        "here": page.url("people_aside"),
        "counted": sorted_by_name(names),
        "aside": sorted_by_name(called),
        "open": request.args.get("done") == "aside",
    }


def people_aside(launch: str, course_id: int) -> Answer:
    """Set somebody aside, or count them again; tutors of the course only."""
    access.require(viewer(), "tutor")
    who, actor = viewer(), request.form.get("actor", "")
    if not actor.isprintable():
        raise access.NotFound
    with transaction(tool().engine, who.silo_id) as conn:
        page = open_course(conn, course_id)
        done = bystanders.set_aside(
            conn,
            who.silo_id,
            course_id,
            actor,
            aside=request.form.get("aside") == "1",
            by=who.actor,
            now=tool().clock(),
        )
        if not done:
            raise access.NotFound
    return redirect(page.url("people", done="aside"), 303)
