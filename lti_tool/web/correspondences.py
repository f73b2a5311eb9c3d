"""The administrator's page of names: people and sessions of the files recognised, those to resolve."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, matching, paths
from lti_tool.exports import Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.imports import work as imports_work
from lti_tool.language import gettext, language, ngettext
from lti_tool.matching import MOST_LISTED, MatchingError
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos
from tool_config.database import transaction
from xapi import datasets


def correspondences(launch: str) -> str:
    """Show how many people of the files are recognised, and who is left."""
    access.require(viewer(), "admin")
    with reading() as conn:
        return _page(conn)


def correspondence_add(launch: str) -> Answer | tuple[str, int]:
    """Say whose account somebody of the files has, or undo it."""
    access.require(viewer(), "admin")
    who, now, form = viewer(), tool().clock(), request.form
    try:
        with transaction(tool().engine, who.silo_id) as conn:
            if form.get("do") == "session":
                _name_session(conn, form.get("session", ""), form.get("course", ""))
            elif form.get("do") == "unlink":
                matching.unlink(conn, who.silo_id, form.get("person", ""))
            else:
                matching.link(
                    conn,
                    who.silo_id,
                    address=form.get("address", "").strip(),
                    person_key=form.get("person", ""),
                    account=form.get("account", ""),
                    by=who.actor,
                    now=now,
                )
            audit.write(conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor)
    except MatchingError as error:
        with reading() as conn:
            return _page(conn, _sentence(error)), 400
    return redirect(url_for("pages.correspondences", done="linked"), 303)


def _name_session(conn: Connection, written: str, chosen: str) -> None:
    """Say which session a name of the files means ("": undo); MatchingError("session")."""
    who, now = viewer(), tool().clock()
    number = int(chosen) if re.fullmatch(r"\d{1,19}", chosen) else None
    try:
        if chosen and number is None:
            raise LookupError(chosen)
        datasets.name_session(conn, who.silo_id, written, number, by=who.actor, now=now)
    except LookupError:
        raise MatchingError("session") from None
    imports_work.ask_again(conn, who.silo_id, now=now)


def _sentence(error: MatchingError) -> str:
    return {
        "session": gettext("Choisissez l’une des sessions de la liste : rien n’a été changé."),
        "address": gettext("Ce n’est pas une adresse de courriel."),
        "person": gettext("Aucun fichier importé ne parle de cette personne."),
        "account": gettext(
            "Aucun compte connu ne porte ce numéro, ce nom d’utilisateur ou cette adresse, ou plusieurs les "
            "portent."
        ),
    }[error.code]


def _page(conn: Connection, fault: str = "") -> str:
    now, who = tool().clock(), viewer()
    owner = silos.get(conn, who.silo_id)
    set_time(now, ZoneInfo(owner.time_zone))
    known = matching.actors(conn, who.silo_id)
    rates = matching.rates(conn, who.silo_id, known)
    left, count = matching.unmatched(conn, who.silo_id, known)
    standards = datasets.known(conn, who.silo_id)
    return render_template(
        "admin/correspondences.html",
        page_title=gettext("Correspondances"),
        shell=Shell(
            title=gettext("Personnes des fichiers et des traces"),
            meta="",
            tabs=admin_tabs("correspondences"),
            open_url=open_url(),
            about_url=url_for("pages.about_all", launch=who.launch_id),
            threshold=tool().rules.disclosure.course,
            done=done(),
        ),
        lead=_lead(rates, count),
        fault=fault,
        kept=request.form if fault else {},
        rates=[
            {
                "title": standards[rate.kind].title.in_language(language())
                if rate.kind in standards
                else rate.kind,
                "people": number(rate.people),
                "matched": number(rate.matched),
                "share": percent(rate.matched / rate.people),
            }
            for rate in rates
        ],
        left=left,
        more=_more(len(left), count),
        links=[
            {"key": each.person_key, "account": silos.pseudonym(owner, each.actor), "at": each.made_at.date()}
            for each in matching.links(conn, who.silo_id)
        ],
        here=url_for("pages.correspondences"),
        names=_names(conn),
        sessions=_sessions(conn),
    )


def _names(conn: Connection) -> list[dict[str, Any]]:
    """Return the names of sessions that files give and that mean none, then those said by hand."""
    return [
        {
            "written": each.written,
            "rows": number(each.rows),
            "course": "" if each.course_id is None else str(each.course_id),
        }
        for each in datasets.session_names(conn, viewer().silo_id)[:MOST_LISTED]
    ]


def _sessions(conn: Connection) -> list[tuple[str, str]]:
    """Return the sessions of the community by number, under their title and their own number."""
    found = paths.read(conn, viewer().silo_id)
    some = [*found.untied, *(session for path in found.paths for session in path.sessions)]
    named = [
        (
            str(one.course_id),
            " · ".join(filter(None, (one.title or gettext("Session sans titre"), one.idnumber))),
        )
        for one in some
    ]
    return sorted(named, key=lambda item: item[1].casefold())


def _lead(rates: tuple[matching.Rate, ...], left: int) -> str:
    if not rates:
        return gettext("Aucun fichier importé ne parle encore de personnes.")
    if not left:
        return gettext("Toutes les personnes des fichiers sont reconnues dans les traces.")
    return ngettext(
        "Une personne des fichiers n’est reconnue dans aucune trace.",
        "%(num)d personnes des fichiers ne sont reconnues dans aucune trace.",
        left,
    )


def _more(listed: int, count: int) -> str:
    if listed == count:
        return ""
    return gettext(
        "Les %(listed)s premières sont montrées, sur %(count)s.", listed=number(listed), count=number(count)
    )


# --- files --------------------------------------------------------------------------------------------


def rates_table() -> Table:
    """Return how many people of each dataset are recognised."""
    access.require(viewer(), "admin")
    with reading() as conn:
        set_time(tool().clock(), ZoneInfo(silos.get(conn, viewer().silo_id).time_zone))
        rates = matching.rates(conn, viewer().silo_id, matching.actors(conn, viewer().silo_id))
        known = datasets.known(conn, viewer().silo_id)
    columns: Columns = [
        gettext("Jeu de données"), gettext("Personnes"), gettext("Reconnues"),
        Column(gettext("Part"), percent=True),
    ]  # fmt: skip
    rows = [
        (
            known[rate.kind].title.in_language(language()) if rate.kind in known else rate.kind,
            rate.people, rate.matched, rate.matched / rate.people,
        )
        for rate in rates
    ]  # fmt: skip
    name = gettext("Personnes reconnues, par jeu de données")
    return Table("correspondances", name, columns, rows, noting.community())


def links_table() -> Table:
    """Return the people recognised by hand."""
    access.require(viewer(), "admin")
    with reading() as conn:
        owner = silos.get(conn, viewer().silo_id)
        zone = ZoneInfo(owner.time_zone)
        set_time(tool().clock(), zone)
        rows = [
            (silos.pseudonym(owner, each.actor), each.made_at.astimezone(zone))
            for each in matching.links(conn, viewer().silo_id)
        ]
    columns: Columns = [gettext("Compte"), gettext("Le")]
    return Table("reconnues", gettext("Reconnues à la main"), columns, rows, noting.community())


def left_table() -> Table:
    """Return the people of files whom no trace knows, those of the page."""
    access.require(viewer(), "admin")
    with reading() as conn:
        set_time(tool().clock(), ZoneInfo(silos.get(conn, viewer().silo_id).time_zone))
        known = matching.actors(conn, viewer().silo_id)
        left, count = matching.unmatched(conn, viewer().silo_id, known)
    columns: Columns = [gettext("Fichier"), gettext("Ligne"), gettext("Session"), gettext("Lignes en tout")]
    rows = [(each.file, each.line, each.session, each.rows) for each in left]
    name, counted = gettext("Personnes des fichiers sans trace"), (gettext("Personnes"), count)
    return Table("a-resoudre", name, columns, rows, noting.community(n=counted), _more(len(left), count))
