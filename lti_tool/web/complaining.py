"""The trainee's side of the improvement log: a complaint sent, its answer, what the team did."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access
from lti_tool.improvements import Entry, ImprovementError, entries, log, wording
from lti_tool.language import gettext
from lti_tool.web import improvement_place
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import CoursePage, open_person, reading
from tool_config.database import transaction

#: What the team did, shown on the trainee's page.
_MOST_TOLD = 12


def heard(conn: Connection) -> dict[str, Any]:
    """Return what the trainee's page prints: what was published, the way to a complaint."""
    return {
        "told": log.published(conn, viewer().silo_id, viewer().course_id, limit=_MOST_TOLD),
        "complaint_url": url_for("pages.complaint"),
        "complaint_delay": wording.answer_delay(),
    }


def complaint(launch: str) -> str:
    """Show the form of a complaint, and those that one sent under one's name."""
    access.require(viewer(), "trainee")
    with reading() as conn:
        page, _ = open_person(conn, viewer().course_id, viewer().actor)
        mine = log.complaints_of(conn, viewer().silo_id, viewer().course_id, viewer().actor)
    return _form(page, mine, {})


def complaint_send(launch: str) -> Answer | tuple[str, int]:
    """Take in a complaint; without a name, nothing is kept of who sent it."""
    access.require(viewer(), "trainee")
    who, errors = viewer(), {}
    named, to = request.form.get("named", ""), request.form.get("to", "")
    try:
        attempt = str(UUID(request.form.get("attempt", "")))
    except ValueError:
        raise access.NotFound from None
    with transaction(tool().engine, who.silo_id) as conn:
        page, _ = open_person(conn, who.course_id, who.actor)
        if named not in ("yes", "no"):
            errors["named"] = "unknown"
        if to not in ("team", "admin"):
            errors["to"] = "unknown"
        module = request.form.get("module", "")
        try:
            if errors:
                raise ImprovementError(**errors)
            entries.complain(
                conn,
                who.silo_id,
                who.course_id,
                improvement_id=attempt,
                text=request.form.get("noticed", ""),
                about=request.form.get("object", ""),
                module=module if module in page.setting.modules else "",
                author=who.actor if named == "yes" else None,
                reserved=to == "admin",
                today=page.frames.today,
            )
            # Whoever did not give their name leaves none in the audit either.
            if named == "yes":
                improvement_place.record(conn, who.course_id)
            return redirect(url_for("pages.complaint", done="complaint"), 303)
        except ImprovementError as error:
            errors = error.fields
        mine = log.complaints_of(conn, who.silo_id, who.course_id, who.actor)
    return _form(page, mine, errors), 400


def _form(page: CoursePage, mine: list[Entry], errors: dict[str, str]) -> str:
    states = wording.states()
    return render_template(
        "trainee/complaint.html",
        page_title=gettext("Faire une réclamation"),
        shell=page.shell("me"),
        attempt=request.form.get("attempt") or uuid.uuid4(),
        sent=request.form,
        errors={name: wording.fault(code) for name, code in errors.items()},
        modules=[(iri, f"{place.position}. {place.title}") for iri, place in page.setting.modules.items()],
        objects=wording.objects(),
        delay=wording.answer_delay(),
        mine=[_mine(entry, states) for entry in mine],
        here=url_for("pages.complaint_send"),
        back_url=url_for("pages.me"),
    )


def _mine(entry: Entry, states: dict[str, str]) -> dict[str, Any]:
    return {
        "text": entry.noticed,
        "sent_on": entry.opened_on,
        "state": states[entry.state] if entry.state != "observed" else gettext("reçue"),
        "answer": entry.answer,
        "answered_on": entry.answered_on,
        "answer_by": entry.answer_by,
        "to": gettext("à l’administration seule") if entry.reserved else gettext("à l’équipe de la session"),
    }
