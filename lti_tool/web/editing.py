"""Where tutors (for their course) and administrators (for the silo) write questionnaires and publish them.

The whole form is sent at each button, so that nothing typed is lost, with or without script: the draft is
kept first, then the button does its work. A form sent from a tab that is late is not kept: it is shown again
as typed, with what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit
from lti_tool.language import gettext
from lti_tool.surveys import drafts, library
from lti_tool.surveys.drafts import Draft
from lti_tool.surveys.library import LibraryError, Written
from lti_tool.web import editing_view
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import Shell, admin_shell, open_course, reading
from tool_config import surveys as templates
from tool_config.database import transaction


def _course() -> int | None:
    """Return the course whose questionnaires the viewer writes; None for an administrator: the silo's."""
    access.require(viewer(), "tutor", "admin")
    return viewer().course_id if viewer().role == "tutor" else None


def _shell(conn: Connection) -> Shell:
    course_id = _course()
    if course_id is None:
        return admin_shell(conn, "template_list")
    return open_course(conn, course_id).shell("satisfaction")


def _find(conn: Connection, template_id: str, *, write: bool = True) -> Written:
    """Return a questionnaire that the viewer may write, or at least read; access.NotFound otherwise."""
    course_id = _course()
    try:
        found = library.find(conn, viewer().silo_id, template_id)
    except LibraryError:
        raise access.NotFound from None
    mine = found.course_id == course_id
    if not mine and (write or found.course_id is not None or not found.version):
        raise access.NotFound
    return found


def _record(conn: Connection) -> None:
    who = viewer()
    audit.write(
        conn,
        who.silo_id,
        at=tool().clock(),
        action="edit",
        accepted=True,
        actor=who.actor,
        course_id=_course(),
    )


# --- the list -----------------------------------------------------------------------------------------


def template_list(launch: str) -> str:
    """List what may be copied, and what the viewer writes."""
    with reading() as conn:
        course_id = _course()
        shell = _shell(conn)
        found = library.listing(conn, viewer().silo_id, course_id)
    return render_template(
        "tutor/templates.html",
        page_title=gettext("Questionnaires à adapter"),
        shell=shell,
        back_url=None if course_id is None else url_for("pages.satisfaction", course_id=course_id),
        tutor=course_id is not None,
        copy_url=url_for("pages.template_copy"),
        mine=[editing_view.listed(each) for each in found if each.course_id == course_id],
        shared=[editing_view.listed(each) for each in found if each.course_id != course_id],
        shipped=[editing_view.shipped(each) for each in templates.load().values()],
    )


def template_copy(launch: str) -> Answer:
    """Begin a questionnaire from another."""
    source = request.form.get("source", "")
    with transaction(tool().engine, viewer().silo_id) as conn:
        shipped = templates.load().get(source)
        draft = drafts.of_template(shipped) if shipped else _find(conn, source, write=False).draft
        now = tool().clock()
        made = library.create(conn, viewer().silo_id, _course(), draft, by=viewer().actor, now=now)
        _record(conn)
    return redirect(url_for("pages.template_edit", template_id=made.template_id, done="copied"), 303)


def template_withdraw(launch: str, template_id: str) -> Answer:
    """Offer a questionnaire no longer, or again."""
    with transaction(tool().engine, viewer().silo_id) as conn:
        found = _find(conn, template_id)
        library.withdraw(conn, found, now=tool().clock())
        _record(conn)
    done = "offered" if found.withdrawn_at else "unoffered"
    return redirect(url_for("pages.template_list", done=done), 303)


# --- the editor ---------------------------------------------------------------------------------------


def template_edit(launch: str, template_id: str) -> str:
    """Show a questionnaire being written."""
    with reading() as conn:
        found = _find(conn, template_id)
        shell = _shell(conn)
    return _page(shell, found, found.draft, {})


def template_save(launch: str, template_id: str) -> Answer | tuple[str, int]:
    """Keep what is typed, then do what the button asks."""
    action, now = request.form.get("do", "save"), tool().clock()
    with transaction(tool().engine, viewer().silo_id) as conn:
        found = _find(conn, template_id)
        shell = _shell(conn)
        typed = drafts.read(request.form, found.draft)
        try:
            kept = library.save(conn, found, typed, token=_token(), now=now)
        except LibraryError:
            return _page(shell, found, typed, {}, conflict=True), 409
        _record(conn)
        if action in ("publish", "preview"):
            faults = drafts.faults(kept.draft)
            if faults:
                return _page(shell, kept, kept.draft, faults), 400
            if action == "preview":
                return redirect(url_for("pages.template_preview", template_id=template_id), 303)
            library.publish(conn, kept, by=viewer().actor, now=now)
            return redirect(url_for("pages.template_list", done="published"), 303)
        form = request.form
        draft, shown = drafts.act(
            kept.draft, action, kind=form.get("new_kind", ""), after=form.get("new_after", "")
        )
        if draft != kept.draft:
            library.save(conn, kept, draft, token=kept.token, now=now)
    values: dict[str, Any] = {"_anchor": f"b-{shown}"} if shown else {"done": "draft_kept"}
    return redirect(url_for("pages.template_edit", template_id=template_id, **values), 303)


def _token() -> int:
    text = request.form.get("token", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _page(
    shell: Shell, found: Written, draft: Draft, errors: Mapping[str, str], *, conflict: bool = False
) -> str:
    here: dict[str, Any] = {"template_id": found.template_id}
    return render_template(
        "tutor/template_edit.html",
        page_title=gettext("Écrire un questionnaire"),
        shell=shell,
        back_url=url_for("pages.template_list"),
        here=url_for("pages.template_save", **here),
        other_url=url_for("pages.template_edit", **here),
        token=found.token,
        conflict=conflict,
        errors={name: editing_view.error(code) for name, code in errors.items()},
        state=editing_view.state(found),
        next_version=found.version + 1,
        **editing_view.form(draft),
    )


# --- what a trainee will see --------------------------------------------------------------------------


def template_preview(launch: str, template_id: str) -> str | Answer:
    """Show the form of a questionnaire as a trainee will meet it; nothing is sent."""
    shipped = templates.load().get(template_id)
    with reading() as conn:
        shell = _shell(conn)
        found = None if shipped else _find(conn, template_id, write=False)
        offered = library.offered(conn, viewer().silo_id, _course())
    back = url_for("pages.template_list")
    template = shipped
    if found is not None and found.course_id == _course():
        back = url_for("pages.template_edit", template_id=template_id)
        if drafts.faults(found.draft):
            return redirect(back, 303)
        template = templates.parse(drafts.content(found.draft, template_id, found.version + 1))
    template = template or offered.get(template_id)
    if template is None:
        raise access.NotFound
    return editing_view.preview(template, shell, back, request.args.get("lang", ""))
