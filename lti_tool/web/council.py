"""The page of the note for the steering council: one button, one PDF of four pages at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Response, g, redirect, render_template, request, url_for
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as Answer

from lti_tool import access
from lti_tool.council import facts, work
from lti_tool.council.note import school_year
from lti_tool.exports import Cell, Table, kept
from lti_tool.exports.kept import Export
from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext
from lti_tool.web import made, noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.made import Made
from lti_tool.web.shell import admin_shell, reading
from tool_config.database import transaction
from tool_config.roles import ADMIN, PROFILES, RESPONSABLE
from xapi.tables import path


def _allowed() -> None:
    access.require(viewer(), ADMIN, *PROFILES)


def council_note(launch: str) -> str:
    """Show the button, and the notes asked for by who looks."""
    _allowed()
    return _page()


def council_ask(launch: str) -> Answer | tuple[str, int]:
    """Ask for the note of a school year, for a path or all of them."""
    _allowed()
    who, now = viewer(), tool().clock()
    year, chosen = request.form.get("year", ""), request.form.get("path", "")
    with transaction(tool().engine, who.silo_id) as conn:
        years, titles = _choices(conn)
        fault = ""
        if year not in {str(one) for one in years}:
            fault = gettext("Choisissez une année de la liste.")
        elif chosen not in {str(one) for one in titles} and (chosen or who.paths is not None):
            fault = gettext("Choisissez un parcours de la liste.")
        else:
            path_id, texts = int(chosen) if chosen else None, who.role in (ADMIN, RESPONSABLE)
            work.ask(conn, who.silo_id, who.actor, int(year), path_id, texts=texts, now=now)
    if fault:
        return _page(fault), 400
    return redirect(url_for("pages.council_note"), 303)


def council_file(launch: str, export_id: str, form: str) -> Response:
    """Give a note to who asked for it, while they may still see what it is about."""
    _allowed()
    with reading() as conn:
        one = next((each for each in _made().mine(conn) if each.export_id == export_id), None)
    if one is None:
        raise access.NotFound
    access.require_across(viewer(), one.asked["path_id"])
    return _made().give(export_id, form)


def council_forget(launch: str, export_id: str) -> Answer:
    """Take a note away, made or not."""
    _allowed()
    _made().forget(export_id)
    return redirect(url_for("pages.council_note"), 303)


def notes_table() -> Table:
    """Return the notes asked for by who looks."""
    _allowed()
    with reading() as conn:
        admin_shell(conn, "council_note")
        found, titles = _made().mine(conn), _titles(conn)
    columns = [
        gettext("Parcours"), gettext("Période"), gettext("Demandé"), gettext("État"),
        gettext("Gardé jusqu’au"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            _title(one, titles), school_year(int(one.asked["year"])), one.created_at.astimezone(g.zone),
            _made().state(one), made.kept_until(one),
        )
        for one in found
    ]  # fmt: skip
    return Table("notes", gettext("Notes demandées"), columns, rows, noting.community())


# --- the page -----------------------------------------------------------------------------------------


def _made() -> Made:
    return Made(
        kind=work.KIND,
        steps={
            work.READING: gettext("lecture des analyses"),
            work.SETTING: gettext("mise en page"),
            work.KEEPING: gettext("enregistrement"),
        },
        failures={
            work.EMPTY: gettext("impossible\u202f: rien de cette année ne peut être montré"),
            work.LONG: gettext("impossible\u202f: la note ne tient pas en quatre pages"),
        },
        file_page="pages.council_file",
        forget_page="pages.council_forget",
        forms=("pdf",),
    )


def _titles(conn: Connection) -> dict[int, str]:
    wanted = select(path.c.path_id, path.c.title).where(path.c.silo_id == viewer().silo_id)
    return {int(row.path_id): row.title for row in conn.execute(wanted.order_by(path.c.title))}


def _choices(conn: Connection) -> tuple[Sequence[int], Mapping[int, str]]:
    """Return the school years with figures, the latest first, and the paths that who looks may choose."""
    found = facts.years(conn, viewer().silo_id, now=tool().clock(), rules=tool().rules)
    paths, titles = viewer().paths, _titles(conn)
    allowed = {key: title for key, title in titles.items() if paths is None or key in paths}
    return tuple(reversed(found.years)), allowed


def _title(one: Export, titles: Mapping[int, str]) -> str:
    key = one.asked["path_id"]
    return gettext("Toute la communauté") if key is None else titles.get(int(key), gettext("Parcours retiré"))


def _page(fault: str = "") -> str:
    with reading() as conn:
        shell = admin_shell(conn, "council_note")
        years, allowed = _choices(conn)
        found, titles = _made().mine(conn), _titles(conn)
    return render_template(
        "admin/council.html",
        page_title=gettext("Note du conseil"),
        shell=replace(shell, threshold=tool().rules.disclosure.across),
        lead=_lead(found),
        fault=fault,
        years=[(str(year), school_year(year)) for year in years],
        paths=[(str(key), title) for key, title in allowed.items()],
        whole=viewer().paths is None,
        chosen={"year": request.form.get("year", ""), "path": request.form.get("path", "")},
        notes=[_made().row(one, _title(one, titles), school_year(int(one.asked["year"]))) for one in found],
        busy=made.busy(found),
        here=url_for("pages.council_ask"),
        days=kept.KEPT.days,
        k=number(tool().rules.disclosure.across),
    )


def _lead(found: Sequence[Export]) -> str:
    if made.busy(list(found)):
        return gettext("La note se prépare. Vous pouvez quitter cette page\u202f: elle continue.")
    ready = sum(bool(one.files) for one in found)
    if ready:
        return ngettext("Une note est prête.", "%(num)d notes sont prêtes.", ready)
    return gettext(
        "Quatre pages au plus pour le conseil d’orientation\u202f: qui est venu, ce qui a été choisi, "
        "comment c’était reçu, ce qui a été décidé, ce qu’il faudrait adapter d’abord."
    )
