"""What a tutor asks of the platform's services: the roster brought now, marks kept or no longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, after_this_request, g, redirect, render_template, request
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, surveys
from lti_tool import wording as course_wording
from lti_tool.exports import Table
from lti_tool.formatting import number, percent, short_day
from lti_tool.language import gettext
from lti_tool.services import marks, memberships, wording
from lti_tool.services.marks import PROGRESS, MarkError
from lti_tool.surveys import SurveyError
from lti_tool.surveys.wording import label
from lti_tool.tables import launch as launch_table
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import CoursePage, note, open_course, reading
from tool_config.database import transaction

#: Seconds after which the page of who asked for the roster is shown again, and for how long it does so.
_AGAIN, _LONGEST = 4, 120


# --- roster ------------------------------------------------------------------------------------------------


def roster_block(conn: Connection, page: CoursePage) -> dict[str, Any]:
    """Return what the list of participants says of the roster."""
    now = tool().clock()
    state = memberships.state(conn, viewer().silo_id, page.access.course_id)
    asked_here = request.args.get("done") == "roster"
    waited = (now - state.asked_at).total_seconds() if state.asked_at is not None else 0.0
    if state.under_way and asked_here and waited < _LONGEST:
        after_this_request(_show_again)
    return {
        "say": wording.roster(state, now, g.zone),
        "warn": bool(state.problem) and not state.under_way,
        "under_way": state.under_way,
        "update_url": page.url("roster_update")
        if state.offered and viewer().role == "tutor" and not state.under_way
        else None,
        "again_url": page.url("people", done="roster") if state.under_way else None,
    }


def _show_again(answer: Response) -> Response:
    """Let the page that follows the button be shown again until the roster is there."""
    answer.headers["Refresh"] = str(_AGAIN)
    return answer


def roster_update(launch: str, course_id: int) -> Answer:
    """Ask for the roster now; a second click while it comes changes nothing."""
    access.require(viewer(), "tutor")
    who, now = viewer(), tool().clock()
    with transaction(tool().engine, who.silo_id) as conn:
        page = open_course(conn, course_id)
        if not memberships.state(conn, who.silo_id, course_id).offered:
            raise access.NotFound
        memberships.ask(conn, who.silo_id, course_id, now=now)
        audit.write(
            conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, course_id=course_id
        )
    return redirect(page.url("people", done="roster"), 303)


# --- marks -------------------------------------------------------------------------------------------------


def mark_block(conn: Connection, page: CoursePage, mark_id: str) -> dict[str, Any] | None:
    """Return what a page says of a mark, or None when there is nothing to say nor to offer."""
    who = viewer()
    if who.role != "tutor":
        return None
    state = marks.state(conn, who.silo_id, page.access.course_id, mark_id)
    progress = mark_id == PROGRESS
    own = _own_column(conn) if progress else None
    offered = marks.is_offered(conn, who.silo_id, page.access.course_id, own[1] if own else None)
    if state is None and not (offered and progress):
        return None
    return {
        "on": state is not None and state.on,
        "say": wording.mark(state, tool().clock(), g.zone) if state is not None else "",
        "warn": state is not None and state.on and bool(state.problem),
        "may_start": offered and progress and not (state is not None and state.on),
        "refused": state.refused if state is not None and state.on else 0,
        "switch_url": page.url("mark_switch", mark_id=mark_id),
        "list_url": page.url("mark_people", mark_id=mark_id)
        if state is not None and (state.sent or state.waiting or state.refused)
        else None,
    }


def _own_column(conn: Connection) -> tuple[str, str] | None:
    """Return the resource link of the launch at hand and its own column of marks, if it has one."""
    who = viewer()
    row = conn.execute(
        select(launch_table.c.resource_link_id, launch_table.c.services).where(
            launch_table.c.silo_id == who.silo_id, launch_table.c.launch_id == who.launch_id
        )
    ).first()
    url = (row.services or {}).get("lineitem") if row is not None else None
    return (str(row.resource_link_id), str(url)) if row is not None and url else None


def mark_switch(launch: str, course_id: int, mark_id: str) -> Answer:
    """Keep a mark from now on, say nothing more, or say again what was refused."""
    access.require(viewer(), "tutor")
    who, now = viewer(), tool().clock()
    wanted = request.form.get("do", "")
    with transaction(tool().engine, who.silo_id) as conn:
        page = open_course(conn, course_id)
        if wanted == "on" and mark_id == PROGRESS:
            try:
                name = gettext("Progression dans le parcours (Estime)")
                marks.switch_on(
                    conn, who.silo_id, course_id, mark_id, name, by=who.actor, now=now, own=_own_column(conn)
                )
            except MarkError:
                raise access.NotFound from None
        elif marks.state(conn, who.silo_id, course_id, mark_id) is None:
            raise access.NotFound
        elif wanted == "off":
            marks.switch_off(conn, who.silo_id, course_id, mark_id, now=now)
        elif wanted == "again":
            marks.try_again(conn, who.silo_id, course_id, mark_id, now=now)
        else:
            raise access.NotFound
        audit.write(
            conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, course_id=course_id
        )
    return redirect(_page_of(page, mark_id), 303)


def start_with_survey(conn: Connection, course_id: int, survey_id: str, title: str) -> None:
    """Keep a mark of taking part in a questionnaire just opened; raises MarkError when it may not be."""
    who = viewer()
    name = gettext("Participation : %(title)s (Estime)", title=title)
    marks.switch_on(conn, who.silo_id, course_id, survey_id, name, by=who.actor, now=tool().clock())


def may_mark_surveys(conn: Connection, course_id: int) -> bool:
    """Tell whether a questionnaire's opening may offer a mark."""
    return marks.is_offered(conn, viewer().silo_id, course_id)


def _page_of(page: CoursePage, mark_id: str) -> str:
    if mark_id == PROGRESS:
        return page.url("outline") + "#mark-title"
    return page.url("survey_summary", survey_id=mark_id) + "#mark-title"


def mark_people(launch: str, course_id: int, mark_id: str) -> str:
    """List whose marks were sent, wait, or were refused and why; tutors only, since it names people."""
    page, state, found, names, title = _marks(course_id, mark_id)
    note("look", course_id=course_id)
    rows = [
        {
            "name": names[row.actor],
            "url": page.url("person", actor=row.actor),
            "score": percent(row.score / 100),
            "state": wording.mark_state(row.state, row.reason),
            "said": short_day(row.said_at.astimezone(g.zone).date(), page.frames.today)
            if row.said_at is not None and row.state == marks.SENT
            else "–",
        }
        for row in found
    ]
    return render_template(
        "tutor/marks.html",
        page_title=title,
        shell=page.shell("outline" if mark_id == PROGRESS else "satisfaction"),
        back_url=_page_of(page, mark_id),
        lead=wording.mark(state, tool().clock(), g.zone),
        rows=rows,
        count=number(len(rows)),
    )


def marks_table(course_id: int, mark_id: str) -> Table:
    """Return whose marks were sent, wait, or were refused and why."""
    page, _, found, names, title = _marks(course_id, mark_id)
    columns = [gettext("Nom"), gettext("Note"), gettext("État"), gettext("Envoyée le")]
    rows = [
        (
            names[row.actor], row.score, wording.mark_state(row.state, row.reason),
            row.said_at.astimezone(g.zone).date()
            if row.said_at is not None and row.state == marks.SENT else None,
        )
        for row in found
    ]  # fmt: skip
    return Table("notes", title, columns, rows, noting.course(page))


def _marks(
    course_id: int, mark_id: str
) -> tuple[CoursePage, marks.MarkState, list[Any], Mapping[str, str], str]:
    """Return a mark of a course with its people, those to see to first, their names and its title."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        state = marks.state(conn, viewer().silo_id, course_id, mark_id)
        if state is None:
            raise access.NotFound
        found = marks.people(conn, viewer().silo_id, course_id, mark_id)
        present = {learner.actor for learner in page.learners}
        found = [row for row in found if row.actor in present]
        names = page.names(conn)
        title = _title(conn, page, mark_id)
    rank = {marks.REFUSED: 0, marks.WAITING: 1, marks.SENT: 2}
    found.sort(key=lambda row: (rank[row.state], names[row.actor]))
    return page, state, found, names, title


def _title(conn: Connection, page: CoursePage, mark_id: str) -> str:
    if mark_id == PROGRESS:
        return gettext("Notes de progression")
    try:
        asked = surveys.find(conn, viewer().silo_id, page.access.course_id, mark_id)
    except SurveyError:
        raise access.NotFound from None
    place = page.setting.modules.get(asked.module)
    name = course_wording.module_label(place.position, place.title) if place else label(asked.template.title)
    return gettext("Notes de participation : %(name)s", name=name)
