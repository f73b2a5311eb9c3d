"""The administrator's page of paths: which session is a run of which path, and what says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, paths
from lti_tool.exports import Table
from lti_tool.formatting import number, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.paths import PathError, Paths, TiedSession
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos
from tool_config.database import transaction

#: Choices of the list beside the paths themselves.
_NEW, _NONE, _AUTO = "new", "none", "auto"


@dataclass(frozen=True)
class _Line:
    course_id: str
    title: str
    url: str
    idnumber: str
    dates: str
    tied: str
    sure: bool


def path_list(launch: str) -> str:
    """Show every session by path, what ties it, and the forms that correct it."""
    access.require(viewer(), "admin")
    with reading() as conn:
        return _page(conn)


def path_assign(launch: str) -> Answer | tuple[str, int]:
    """Tie the chosen sessions to a path, a new one, none, or what the platform says."""
    access.require(viewer(), "admin")
    chosen = [int(value) for value in request.form.getlist("course") if value.lstrip("-").isdigit()]
    target, title = request.form.get("path", ""), request.form.get("title", "")
    silo_id = viewer().silo_id
    try:
        if not chosen:
            raise PathError("nothing")
        with transaction(tool().engine, silo_id) as conn:
            if target == _AUTO:
                paths.release(conn, silo_id, chosen)
            else:
                path_id = None if target == _NONE else _target(conn, silo_id, target, title)
                paths.assign(conn, silo_id, chosen, path_id)
            _record(conn)
    except PathError as error:
        return _refused(error)
    return _back("tied")


def path_change(launch: str, path_id: int) -> Answer | tuple[str, int]:
    """Rename a path, add or remove a pattern of its numbers, or merge it into another."""
    access.require(viewer(), "admin")
    asked, text, silo_id = request.form.get("do", ""), request.form.get("text", ""), viewer().silo_id
    try:
        with transaction(tool().engine, silo_id) as conn:
            if asked == "rename":
                paths.rename(conn, silo_id, path_id, text)
            elif asked == "pattern":
                paths.add_pattern(conn, silo_id, path_id, text)
            elif asked == "unpattern":
                paths.remove_pattern(conn, silo_id, path_id, text)
            elif asked == "merge":
                paths.merge(conn, silo_id, path_id, _number(text))
            else:
                raise PathError("unknown", asked)
            _record(conn)
    except PathError as error:
        return _refused(error)
    return _back("path")


def _target(conn: Connection, silo_id: int, target: str, title: str) -> int:
    return paths.create(conn, silo_id, title) if target == _NEW else _number(target)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise PathError("unknown", text)
    return int(text)


def _record(conn: Connection) -> None:
    who = viewer()
    audit.write(conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor)


def _back(word: str) -> Answer:
    return redirect(url_for("pages.path_list", done=word), 303)


def _refused(error: PathError) -> tuple[str, int]:
    with reading() as conn:
        return _page(conn, _sentence(error)), 400


def _sentence(error: PathError) -> str:
    said = {
        "nothing": gettext("Cochez au moins une session avant de la rattacher."),
        "title": gettext("Donnez un nom au parcours."),
        "pattern": gettext(
            "Un modèle de numéro doit contenir des lettres ou des chiffres, comme DIR-2026-* ; "
            "« * » remplace n’importe quelle suite de caractères."
        ),
        "taken": gettext("Le modèle « %(pattern)s » désigne déjà un autre parcours.", pattern=error.text),
    }
    return said.get(error.code, gettext("Ce parcours n’existe plus : la page a été mise à jour."))


def _page(conn: Connection, fault: str = "") -> str:
    now, who = tool().clock(), viewer()
    set_time(now, ZoneInfo(silos.get(conn, who.silo_id).time_zone))
    found = paths.read(conn, who.silo_id)
    groups = [
        {
            "path_id": str(path.path_id),
            "title": path.title,
            "patterns": path.patterns,
            "lines": _lines(path.sessions),
            "change_url": url_for("pages.path_change", path_id=path.path_id),
            "satisfaction_url": url_for("pages.path_trend", path_id=path.path_id),
        }
        for path in found.paths
    ]
    return render_template(
        "admin/paths.html",
        page_title=gettext("Parcours"),
        shell=Shell(
            title=gettext("Parcours de la communauté"),
            meta=ngettext("%(count)s parcours", "%(count)s parcours", len(groups), count=number(len(groups))),
            tabs=admin_tabs("path_list"),
            open_url=open_url(),
            about_url=url_for("pages.about_all", launch=who.launch_id),
            threshold=tool().rules.disclosure.course,
            done=done(),
        ),
        lead=_lead(found),
        fault=fault,
        known=bool(groups or found.untied),
        untied=_lines(found.untied),
        groups=groups,
        assign_url=url_for("pages.path_assign"),
        choices=[(str(path.path_id), path.title) for path in found.paths],
    )


def _lead(found: Paths) -> str:
    count = sum(len(path.sessions) for path in found.paths)
    said = ngettext(
        "%(num)d session est rattachée à son parcours",
        "%(num)d sessions sont rattachées à leur parcours",
        count,
    )
    if not found.untied:
        return gettext("%(tied)s ; aucune n’est à part.", tied=said)
    left = ngettext(
        "une session n’a pas de parcours : elle manque aux chiffres qui comparent les sessions",
        "%(num)d sessions n’ont pas de parcours : elles manquent aux chiffres qui comparent les sessions",
        len(found.untied),
    )
    return gettext("%(tied)s ; %(left)s.", tied=said, left=left)


def _lines(sessions: Sequence[TiedSession]) -> list[_Line]:
    today = tool().clock().date()

    def dates(session: TiedSession) -> str:
        if session.starts_on is None:
            return ""
        start = short_day(session.starts_on, today)
        if session.ends_on is None:
            return gettext("depuis le %(start)s", start=start)
        return gettext("%(start)s → %(end)s", start=start, end=short_day(session.ends_on, today))

    return [
        _Line(
            course_id=str(session.course_id),
            title=session.title or gettext("Session sans titre"),
            url=url_for("pages.today", course_id=session.course_id),
            idnumber=session.idnumber,
            dates=dates(session),
            tied=_tied(session),
            sure=session.tied_by in ("hand", "pattern"),
        )
        for session in sessions
    ]


def _tied(session: TiedSession) -> str:
    words: dict[str, Any] = {
        "hand": gettext("à la main"),
        "pattern": gettext("par son numéro"),
        "copy": gettext("copie d’une session du même parcours"),
        "file": gettext("par un fichier importé"),
    }
    return str(words.get(session.tied_by, ""))


def paths_table() -> Table:
    """Return every session with its path and what ties it."""
    access.require(viewer(), "admin")
    with reading() as conn:
        set_time(tool().clock(), ZoneInfo(silos.get(conn, viewer().silo_id).time_zone))
        found = paths.read(conn, viewer().silo_id)
    columns = [
        gettext("Parcours"), gettext("Session"), gettext("Numéro"), gettext("Début"), gettext("Fin"),
        gettext("Rattachée"), gettext("Modèles de numéro"),
    ]  # fmt: skip
    groups = [("", (), found.untied), *((path.title, path.patterns, path.sessions) for path in found.paths)]
    rows = [
        (
            title, session.title or gettext("Session sans titre"), session.idnumber, session.starts_on,
            session.ends_on, _tied(session), ", ".join(patterns),
        )
        for title, patterns, sessions in groups
        for session in sessions
    ]  # fmt: skip
    return Table("parcours", gettext("Sessions par parcours"), columns, rows, noting.community())
