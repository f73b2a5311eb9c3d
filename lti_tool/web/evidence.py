"""The administrator's page of evidence packs: ask for one, follow it, take it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Response, g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, paths
from lti_tool.evidence import facts, work
from lti_tool.evidence.lots import year_label
from lti_tool.evidence.pack import period
from lti_tool.exports import Table, kept
from lti_tool.exports.kept import Export
from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext
from lti_tool.web import made, noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.made import Made
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos
from tool_config.database import transaction


@dataclass(frozen=True)
class _Choices:
    """What the form offers: paths that have sessions, and every school year in which one began."""

    paths: tuple[tuple[int, str], ...]
    years: tuple[int, ...]
    of_path: Mapping[int, Sequence[int]]


def evidence_page(launch: str) -> str:
    """Show the form, and the packs asked for by who looks."""
    access.require(viewer(), "admin", "responsable")
    return _page()


def evidence_ask(launch: str) -> Answer | tuple[str, int]:
    """Ask for the pack of a path over some school years; it is made in the background."""
    access.require(viewer(), "admin", "responsable")
    who, now = viewer(), tool().clock()
    path_id, first, last = (_number(request.form.get(name, "")) for name in ("path", "first", "last"))
    with transaction(tool().engine, who.silo_id) as conn:
        choices = _choices(conn)
        fault = _fault(choices, path_id, first, last)
        if not fault:
            work.ask(conn, who.silo_id, who.actor, path_id, (first, last), now=now)
    if fault:
        return _page(fault), 400
    return redirect(url_for("pages.evidence"), 303)


def evidence_file(launch: str, export_id: str, form: str) -> Response:
    """Give a pack's file to who asked for it."""
    access.require(viewer(), "admin", "responsable")
    return _made().give(export_id, form)


def evidence_forget(launch: str, export_id: str) -> Answer:
    """Take a pack away, made or not."""
    access.require(viewer(), "admin", "responsable")
    _made().forget(export_id)
    return redirect(url_for("pages.evidence"), 303)


def packs_table() -> Table:
    """Return the packs asked for by who looks."""
    access.require(viewer(), "admin", "responsable")
    with reading() as conn:
        _set_time(conn)
        titles, found = dict(_choices(conn).paths), _mine(conn)
    columns = [
        gettext("Parcours"), gettext("Période"), gettext("Demandé"), gettext("État"),
        gettext("Gardé jusqu’au"),
    ]  # fmt: skip
    rows = [
        (
            _title(pack, titles), period(_years(pack)), pack.created_at.astimezone(g.zone),
            _made().state(pack), made.kept_until(pack),
        )
        for pack in found
    ]  # fmt: skip
    return Table("dossiers", gettext("Dossiers demandés"), columns, rows, noting.community())


# --- the form ----------------------------------------------------------------------------------------------


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _choices(conn: Connection) -> _Choices:
    years = facts.every_year(conn, viewer().silo_id)
    known = [(one.path_id, one.title) for one in paths.read(conn, viewer().silo_id).paths]
    every = sorted({year for found in years.values() for year in found}, reverse=True)
    return _Choices(tuple(one for one in known if one[0] in years), tuple(every), years)


def _fault(choices: _Choices, path_id: int, first: int, last: int) -> str:
    """Say what keeps a pack from being asked for; "" when nothing does."""
    if path_id not in choices.of_path:
        return gettext("Choisissez un parcours de la liste.")
    if first not in choices.years or last not in choices.years or first > last:
        return gettext("Choisissez la première année, puis la dernière.")
    if not any(first <= year <= last for year in choices.of_path[path_id]):
        return gettext("Ce parcours n’a aucune session commencée dans ces années.")
    return ""


# --- the page ----------------------------------------------------------------------------------------------


def _page(fault: str = "") -> str:
    with reading() as conn:
        _set_time(conn)
        choices, found = _choices(conn), _mine(conn)
        owner = silos.get(conn, viewer().silo_id)
    titles = dict(choices.paths)
    chosen = {name: _number(request.form.get(name, "")) for name in ("path", "first", "last")}
    latest = choices.years[0] if choices.years else 0
    # The first path proposed is one with a session in the year proposed: the button then works as it is.
    usual = next((path_id for path_id, _ in choices.paths if latest in choices.of_path[path_id]), 0)
    return render_template(
        "admin/evidence.html",
        page_title=gettext("Preuves Qualiopi"),
        shell=_shell(owner.name),
        lead=_lead(found),
        fault=fault,
        paths=choices.paths,
        years=[(year, year_label(year)) for year in choices.years],
        chosen={
            "path": chosen["path"] or usual,
            "first": chosen["first"] or latest,
            "last": chosen["last"] or latest,
        },
        packs=[_made().row(pack, _title(pack, titles), period(_years(pack))) for pack in found],
        busy=made.busy(found),
        here=url_for("pages.evidence_ask"),
        days=kept.KEPT.days,
        k=number(tool().rules.disclosure.across),
    )


def _set_time(conn: Connection) -> None:
    set_time(tool().clock(), ZoneInfo(silos.get(conn, viewer().silo_id).time_zone))


def _mine(conn: Connection) -> list[Export]:
    return _made().mine(conn)


def _lead(found: Sequence[Export]) -> str:
    if made.busy(list(found)):
        return gettext("Un dossier se prépare. Vous pouvez quitter cette page : il continue.")
    ready = sum(bool(pack.files) for pack in found)
    if ready:
        return ngettext("Un dossier est prêt.", "%(num)d dossiers sont prêts.", ready)
    return gettext(
        "Un dossier par parcours et par année : ce que vos données disent de huit indicateurs, et ce "
        "qu’elles ne disent pas."
    )


def _years(pack: Export) -> tuple[int, int]:
    return int(pack.asked["first"]), int(pack.asked["last"])


def _title(pack: Export, titles: Mapping[int, str]) -> str:
    return titles.get(int(pack.asked["path_id"]), gettext("Parcours retiré"))


def _made() -> Made:
    return Made(
        kind=work.KIND,
        steps={
            work.READING: gettext("lecture des sessions"),
            work.SETTING: gettext("mise en page"),
            work.KEEPING: gettext("enregistrement"),
        },
        failures={work.GONE: gettext("impossible : ce parcours n’a plus de session dans ces années")},
        file_page="pages.evidence_file",
        forget_page="pages.evidence_forget",
    )


def _shell(community: str) -> Shell:
    return Shell(
        title=gettext("Preuves Qualiopi"),
        meta=community,
        tabs=admin_tabs("evidence"),
        open_url=open_url(),
        about_url=url_for("pages.about_all"),
        threshold=tool().rules.disclosure.across,
        done=done(),
    )
