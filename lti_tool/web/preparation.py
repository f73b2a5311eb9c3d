"""Pages where a tutor prepares the course: its outline, its gatherings, who was present."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, attendance, audit, definitions, problems, wording
from lti_tool.exports import Cell, Table
from lti_tool.formatting import day, first_capital, number, short_day
from lti_tool.language import gettext, ngettext, pgettext
from lti_tool.services.marks import PROGRESS
from lti_tool.web import noting, outline_form, services
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import plain
from lti_tool.web.shell import CoursePage, open_course, reading
from tool_config.database import transaction
from xapi import outline
from xapi.outline import Item, OutlineError, Problem


def _writing() -> Any:
    access.require(viewer(), "tutor")
    return transaction(tool().engine, viewer().silo_id)


def _record(conn: Connection, course_id: int) -> None:
    who = viewer()
    audit.write(
        conn,
        who.silo_id,
        at=tool().clock(),
        action="edit",
        accepted=True,
        actor=who.actor,
        course_id=course_id,
    )


# --- outline ------------------------------------------------------------------------------------------


def outline_page(launch: str, course_id: int) -> str:
    """Show the editor of the outline."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        items = outline.read(conn, viewer().silo_id, course_id, hidden=True)
        mark = services.mark_block(conn, page, PROGRESS)
    return _editor(page, items, mark=mark)


def _editor(
    page: CoursePage,
    items: Sequence[Item],
    faults: Sequence[Problem] = (),
    *,
    form: bool = False,
    mark: dict[str, Any] | None = None,
) -> str:
    titles = {item.iri: item.title for item in items}
    modules = [item for item in items if item.level == "module"]
    return render_template(
        "tutor/outline.html",
        page_title=pgettext("tab", "Parcours"),
        shell=page.shell("outline"),
        lead=_outline_lead(modules, items),
        errors=[problems.sentence(fault, titles) for fault in faults],
        errors_title=outline_form.problems_title(),
        rows=outline_form.rows(items, request.form if form else None),
        say=_line_words(),
        modules=[
            {"iri": item.iri, "label": wording.module_label(item.position, item.title)} for item in modules
        ],
        kinds=[(kind, first_capital(wording.gathering_kind(kind))) for kind in outline.GATHERINGS],
        here=page.url("outline"),
        gathering_url=page.url("gathering_add"),
        csv_url=page.url("outline_csv"),
        import_url=page.url("outline_import"),
        mark=mark,
    )


def _line_words() -> dict[str, str]:
    """Return what each line of the editor says, found once; `%(title)s` is left for its title."""
    return {
        "title": gettext("Titre"),
        "rise": gettext("Monter"),
        "fall": gettext("Descendre"),
        "up": gettext("Monter %(title)s"),
        "down": gettext("Descendre %(title)s"),
        "required": gettext("%(title)s : obligatoire"),
        "hidden": gettext("%(title)s : masqué"),
        "in_person": gettext("%(title)s : heures en présence"),
        "distance": gettext("%(title)s : heures à distance"),
        "opens": gettext("%(title)s : ouvre le"),
        "closes": gettext("%(title)s : ferme le"),
    }


def _outline_lead(modules: Sequence[Item], items: Sequence[Item]) -> str:
    if not modules:
        return gettext("Le parcours n’a pas encore de module connu.")
    hours = sum((item.hours_in_person or 0) + (item.hours_distance or 0) for item in modules)
    said = ngettext("%(num)d module", "%(num)d modules", len(modules))
    required = sum(item.required for item in modules)
    if 0 < required < len(modules):
        said += ", " + ngettext("dont un obligatoire", "dont %(num)d obligatoires", required)
    gatherings = sum(item.gathering is not None for item in items if item.level == "activity")
    if gatherings:
        said += ", " + ngettext("un regroupement", "%(num)d regroupements", gatherings)
    if hours:
        said += ", " + gettext("%(hours)s heures prévues", hours=number(hours, 1))
    return said + "."


def outline_save(launch: str, course_id: int) -> Answer | str | tuple[str, int]:
    """Save the form of the outline, or one move up or down."""
    try:
        with _writing() as conn:
            access.may_see_course(conn, viewer(), course_id)
            items = outline.read(conn, viewer().silo_id, course_id, hidden=True)
            edits, faults = outline_form.edits(items, request.form)
            if faults:
                raise OutlineError(faults)
            outline.edit(conn, viewer().silo_id, course_id, edits, by=viewer().actor, now=tool().clock())
            _record(conn, course_id)
    except OutlineError as error:
        return _refused(course_id, error.problems, form=True)
    return _back(course_id, "outline", "outline")


def gathering_add(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Plan a gathering."""
    faults: list[Problem] = []
    planned = outline_form.day_of(request.form.get("day", ""), "", faults)
    hours = outline_form.hours_of(request.form.get("hours", ""), "", faults)
    if planned is None and not faults:
        faults.append(Problem("day", params={"text": ""}))
    try:
        if faults or planned is None:
            raise OutlineError(faults)
        with _writing() as conn:
            access.may_see_course(conn, viewer(), course_id)
            outline.add_gathering(
                conn,
                viewer().silo_id,
                course_id,
                title=request.form.get("title", ""),
                kind=request.form.get("kind", ""),
                day=planned,
                module=request.form.get("module") or None,
                hours=hours,
                by=viewer().actor,
                now=tool().clock(),
            )
            _record(conn, course_id)
    except OutlineError as error:
        return _refused(course_id, error.problems)
    return _back(course_id, "outline", "gathering")


def outline_table(course_id: int) -> Table:
    """Return the outline as a file that `outline_import` reads back, corrected in a spreadsheet."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        items = outline.read(conn, viewer().silo_id, course_id, hidden=True)
    return Table(
        "parcours", gettext("Plan du parcours"), outline.HEADINGS, outline.lines(items), noting.course(page)
    )


def outline_import(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Read an outline from a file: all of it, or nothing with the reasons line by line."""
    sent = request.files.get("file")
    read = outline.read_csv(sent.read() if sent else b"")
    try:
        if read.problems:
            raise OutlineError(read.problems)
        with _writing() as conn:
            access.may_see_course(conn, viewer(), course_id)
            outline.edit(conn, viewer().silo_id, course_id, read.edits, by=viewer().actor, now=tool().clock())
            _record(conn, course_id)
    except OutlineError as error:
        return _refused(course_id, error.problems)
    return _back(course_id, "outline", "imported")


def _refused(course_id: int, faults: Sequence[Problem], *, form: bool = False) -> tuple[str, int]:
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        items = outline.read(conn, viewer().silo_id, course_id, hidden=True)
    return _editor(page, items, faults, form=form), 400


def _back(course_id: int, page: str, done: str, **values: Any) -> Answer:
    return redirect(
        url_for(f"pages.{page}", launch=viewer().launch_id, course_id=course_id, done=done, **values), 303
    )


# --- attendance ---------------------------------------------------------------------------------------


def attendance_page(launch: str, course_id: int) -> str:
    """Show who was present at one gathering, to be ticked."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        present = attendance.read(conn, viewer().silo_id, course_id)
        names = page.names(conn)
    return render_template("tutor/attendance.html", **attendance_context(page, present, names))


def attendance_context(page: CoursePage, present: Any, names: Any) -> dict[str, Any]:
    """Return what the template of Présences prints."""
    today = page.frames.today
    items = _gatherings(page)
    past = [item for item in items if item.opens_on is None or item.opens_on <= today]
    asked = request.args.get("gathering", "")
    chosen = next(
        (item for item in items if item.iri == asked), past[-1] if past else items[0] if items else None
    )
    ticked = set(present.get(chosen.iri, ())) if chosen else set()
    people = sorted(
        ({"actor": actor, "name": name, "present": actor in ticked} for actor, name in names.items()),
        key=lambda person: plain(str(person["name"])),
    )
    return {
        "page_title": gettext("Présences"),
        "shell": page.shell("attendance"),
        "lead": _attendance_lead(items, past, present),
        "gatherings": [
            {
                "label": f"{item.title} ({short_day(item.opens_on, today)})" if item.opens_on else item.title,
                "url": page.url("attendance", gathering=item.iri),
                "current": item is chosen,
                "count": number(len(present[item.iri])) if present.get(item.iri) else None,
            }
            for item in items
        ],
        "chosen": {
            "iri": chosen.iri,
            "title": chosen.title,
            "say": _gathering_say(chosen, len(ticked), len(people), page),
        }
        if chosen
        else None,
        "people": people,
        "here": page.url("attendance"),
        "outline_url": page.url("outline") + "#gathering-title",
    }


def _gatherings(page: CoursePage) -> list[Any]:
    """Return the gatherings of a course by day; those without a day are today's."""
    return sorted(
        (item for item in page.frames.activities if item.gathering),
        key=lambda item: (item.opens_on or page.frames.today, item.title),
    )


def _attendance_lead(items: Sequence[Any], past: Sequence[Any], present: Any) -> str:
    if not items:
        return gettext("Qui était là ? Les traces ne le disent pas : cochez-le ici.")
    if not past:
        return gettext("Les présences se cocheront ici, à partir du jour de chaque regroupement.")
    missing = sum(not present.get(item.iri) for item in past)
    if not missing:
        return gettext("Les présences de tous les regroupements passés sont cochées.")
    return ngettext(
        "Un regroupement passé n’a pas encore ses présences.",
        "%(num)d regroupements passés n’ont pas encore leurs présences.",
        missing,
    )


def _gathering_say(item: Any, ticked: int, total: int, page: CoursePage) -> str:
    parts = [first_capital(wording.gathering_kind(item.gathering))]
    if item.opens_on:
        parts.append(day(item.opens_on, page.frames.today))
    said = ", ".join(parts) + ". "
    if not ticked:
        return said + gettext("Personne n’est encore coché.")
    return said + ngettext(
        "%(num)d personne présente sur %(total)s.",
        "%(num)d personnes présentes sur %(total)s.",
        ticked,
        total=number(total),
    )


def attendance_save(launch: str, course_id: int) -> Answer:
    """Write who was present at one gathering; whoever is not of the course is left out."""
    chosen = request.form.get("gathering", "")
    with _writing() as conn:
        page = open_course(conn, course_id)
        if chosen not in {item.iri for item in page.frames.activities if item.gathering}:
            raise access.NotFound
        enrolled = {learner.actor for learner in page.learners}
        # Whoever left the course since is not on the list, and stays as ticked.
        gone = attendance.read(conn, viewer().silo_id, course_id)[chosen] - enrolled
        attendance.mark(
            conn,
            viewer().silo_id,
            course_id,
            chosen,
            gone | (enrolled & set(request.form.getlist("present"))),
            by=viewer().actor,
            now=tool().clock(),
            authority_home=tool().settings.public_url,
        )
        _record(conn, course_id)
    return _back(course_id, "attendance", "attendance", gathering=chosen)


def attendance_table(course_id: int) -> Table:
    """Return who was present at each gathering."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        present = attendance.read(conn, viewer().silo_id, course_id)
        names = page.names(conn)
    items = _gatherings(page)
    headings = [
        item.title if item.opens_on is None else f"{item.title} ({item.opens_on:%d/%m/%Y})" for item in items
    ]
    rows: list[tuple[Cell, ...]] = [
        (name, *(actor in present.get(item.iri, ()) for item in items))
        for actor, name in sorted(names.items(), key=lambda pair: plain(pair[1]))
    ]
    words = [(gettext("Présences"), definitions.presences())]
    return Table(
        "presences", gettext("Présences"), [gettext("Nom"), *headings], rows, noting.course(page, words)
    )
