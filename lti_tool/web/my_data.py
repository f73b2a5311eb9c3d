"""What people are told, and what is held of them: the information, « Mes données », the objection."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit
from lti_tool.access import Viewer
from lti_tool.exports import Table, kept
from lti_tool.language import gettext
from lti_tool.privacy import information, objecting, own, whose
from lti_tool.privacy.information import Holds
from lti_tool.privacy.whose import Person
from lti_tool.web import made
from lti_tool.web.guard import tool, viewer
from lti_tool.web.made import Made
from lti_tool.web.shell import Shell, admin_shell, open_course, open_person, reading
from tool_config import silos
from tool_config.database import transaction

#: Looks shown on the page; the file has them all.
_SHOWN = 20


def must_be_told(conn: Connection) -> bool:
    """Tell whether who looks has not read the information that holds now; of no role, nothing is asked."""
    who = viewer()
    role = information.role_of(who.role)
    return bool(who.role) and not information.has_seen(conn, who.silo_id, who.actor, role, _holds(conn))


def told(launch: str) -> str:
    """Show the information of the viewer's role, with the way on where it has not been read yet."""
    who = _somebody()
    with reading() as conn:
        shell = _shell(conn)
        found = _holds(conn)
        role = information.role_of(who.role)
        seen = information.has_seen(conn, who.silo_id, who.actor, role, found)
        at = information.seen_at(conn, who.silo_id, who.actor, role)
    return render_template(
        "privacy/information.html",
        page_title=gettext("Vos données et vos droits"),
        shell=shell,
        parts=information.notice(found, role),
        seen=seen,
        before=at is not None,
        mine_url=url_for("pages.my_data"),
        here=url_for("pages.information_seen"),
    )


def information_seen(launch: str) -> Answer:
    """Keep that it was read, and lead on."""
    who = _somebody()
    with transaction(tool().engine, who.silo_id) as conn:
        role = information.role_of(who.role)
        information.saw(conn, who.silo_id, who.actor, role, _holds(conn), now=tool().clock())
    return redirect(url_for("pages.enter"), 303)


def my_data(launch: str) -> str:
    """Show what is held of who looks, who looked at it, and what they may do."""
    who = _somebody()
    with reading() as conn:
        shell = _shell(conn)
        person, zone = _person(conn), ZoneInfo(silos.get(conn, who.silo_id).time_zone)
        seen = own.looks(conn, person, zone, limit=_SHOWN + 1)
        files = _made().mine(conn)
        held = own.told(conn, person)
        since = objecting.since(conn, who.silo_id, person.actor)
    return render_template(
        "privacy/my_data.html",
        page_title=gettext("Mes données"),
        shell=shell,
        held=held,
        looks=seen[:_SHOWN],
        more=len(seen) > _SHOWN,
        roles={"tutor": gettext("tuteur"), "admin": gettext("administrateur")},
        files=[_made().row(one, gettext("Mes données"), "") for one in files],
        busy=made.busy(files),
        days=kept.KEPT.days,
        trainee=who.role == "trainee",
        since=since.astimezone(zone).date() if since else None,
        information_url=url_for("pages.information"),
        erasure_url=url_for("pages.my_erasure"),
    )


def my_data_ask(launch: str) -> Answer:
    """Ask for one's own file; it is made in the background."""
    who = _somebody()
    with transaction(tool().engine, who.silo_id) as conn:
        own.ask(conn, who.silo_id, who.actor, now=tool().clock())
    return redirect(url_for("pages.my_data"), 303)


def my_data_file(launch: str, export_id: str, form: str) -> Response:
    """Give one's own file."""
    return _made().give(export_id, form)


def my_data_forget(launch: str, export_id: str) -> Answer:
    """Take one's own file away."""
    _made().forget(export_id)
    return redirect(url_for("pages.my_data"), 303)


def my_objection(launch: str) -> Answer:
    """Take the objection of who looks, or end it."""
    access.require(viewer(), "trainee")
    who, now = viewer(), tool().clock()
    ends = request.form.get("ends") == "yes"
    with transaction(tool().engine, who.silo_id) as conn:
        change = objecting.withdraw if ends else objecting.object_to
        change(conn, who.silo_id, _person(conn).actor, now=now)
        audit.write(
            conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, role=who.role,
            reason="privacy: objection ended" if ends else "privacy: objection",
        )  # fmt: skip
    return redirect(url_for("pages.my_data", done="objection_ended" if ends else "objection"), 303)


def looks_table() -> Table:
    """Return who looked at the viewer's data, every line."""
    with reading() as conn:
        zone = ZoneInfo(silos.get(conn, viewer().silo_id).time_zone)
        return own.looks_table(own.looks(conn, _person(conn), zone))


def _somebody() -> Viewer:
    """Return who looks; access.Forbidden for a launch that gave no role."""
    who = viewer()
    if not who.role:
        raise access.Forbidden
    return who


def _holds(conn: Connection) -> Holds:
    here = tool()
    return information.holds(conn, viewer().silo_id, settings=here.settings, rules=here.rules)


def _person(conn: Connection) -> Person:
    who, settings = viewer(), tool().settings
    return whose.find(conn, who.silo_id, who.actor, secret_key=settings.secret_key, home=settings.public_url)


def _shell(conn: Connection) -> Shell:
    """Return the header of the viewer's own pages."""
    who = viewer()
    if who.role == "trainee":
        page, _ = open_person(conn, who.course_id, who.actor)
        return page.shell("me")
    if who.role == "tutor":
        return open_course(conn, who.course_id).shell("my_data")
    return admin_shell(conn, "my_data")


def _made() -> Made:
    return Made(
        kind=own.KIND,
        steps={own.READING: gettext("lecture de vos données"), own.WRITING: gettext("enregistrement")},
        failures={},
        file_page="pages.my_data_file",
        forget_page="pages.my_data_forget",
        forms=("zip",),
    )


def links() -> dict[str, Any]:
    """Return the way to one's own data, for the foot of every page."""
    return {"information": url_for("pages.information"), "mine": url_for("pages.my_data")}
