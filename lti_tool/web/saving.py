"""Saved views: a page across courses kept under a name, its link for another reader, its files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

from lti_tool import access, jobs, saved, sessions
from lti_tool.access import Viewer
from lti_tool.exports import Cell, Table, kept, xlsx_file
from lti_tool.exports.kept import Export
from lti_tool.formatting import short_day
from lti_tool.language import gettext, ngettext
from lti_tool.saved import View, ViewError
from lti_tool.web import guard, noting, reach
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, note, page_names, reading
from tool_config import silos
from tool_config.database import transaction
from tool_config.roles import ADMIN, PROFILES

blueprint = Blueprint("views", __name__)

#: Pages that may be saved: those across courses.
PAGES = (
    "sessions", "sizing", "modality", "aftermath", "pathways", "competencies", "origins", "choices",
    "crossing", "comments_all", "adapt", "improvements_all",
)  # fmt: skip
_MIMES = {"pdf": "application/pdf", "xlsx": xlsx_file.MIME}
#: Parameters that say what was just done, not what is looked at.
_PASSING = ("done", "page", "launch", "form")


@dataclass(frozen=True)
class Place:
    """A page that may be saved: its endpoint, its rule after the launch, what its address holds."""

    endpoint: str
    rule: str
    arguments: Mapping[str, Any]


def place(app: Flask, page: str) -> Place | None:
    """Return the page at an address ("/crossing"), or None when it cannot be saved."""
    try:
        rule, arguments = app.url_map.bind("localhost").match(f"/c/x{page}", method="GET", return_rule=True)
    except HTTPException:
        return None
    name = str(rule.endpoint).partition(".")[2]
    if rule.endpoint != f"pages.{name}" or name not in PAGES:
        return None
    rest = {key: value for key, value in arguments.items() if key != "launch"}
    return Place(rule.endpoint, rule.rule.removeprefix("/c/<launch>"), rest)


def reaches(who: Viewer, at: Place, query: Mapping[str, Sequence[str]]) -> bool:
    """Say whether somebody may see a page with these parameters."""
    if who.role == ADMIN:
        return True
    if not reach.may(who.role, at.endpoint):
        return False
    return who.paths is None or reach.within(who.paths, at.arguments, query.get("path", ()))


def title(page: str) -> str:
    """Name a page as its tab does."""
    at = place(current_app, page)
    return page_names().get(at.endpoint.partition(".")[2], page) if at else page


def filters(query: str) -> str:
    """Say the filters of a view, as its address holds them."""
    words = {
        "year": gettext("année scolaire"), "path": gettext("parcours"), "people": gettext("personnes"),
        "kind": gettext("données"), "row": gettext("lignes"), "column": gettext("colonnes"),
        "q": gettext("recherche"), "sort": gettext("tri"),
    }  # fmt: skip
    return ", ".join(f"{words.get(name, name)}\u202f: {value}" for name, value in parse_qsl(query))


def slug(text: str) -> str:
    """Return a name as a part of a file's name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "vue"


def form() -> dict[str, str] | None:
    """Return what the form that saves the page at hand sends; None where nothing may be saved."""
    name = (request.endpoint or "").partition(".")[2]
    if "viewer" not in g or request.method != "GET" or name not in PAGES:
        return None
    if viewer().role != ADMIN and not viewer().is_profile:
        return None
    page = request.path.partition(f"/c/{viewer().launch_id}")[2]
    query = [(key, value) for key, value in request.args.items(multi=True) if value and key not in _PASSING]
    return {"here": url_for("pages.saved_view_add"), "page": page, "query": urlencode(query)}


# --- the page -----------------------------------------------------------------------------------------


def _allowed() -> Viewer:
    access.require(viewer(), ADMIN, *PROFILES)
    return viewer()


def saved_views(launch: str) -> str:
    """Show the views that who looks has saved, and their files."""
    _allowed()
    return _page()


def saved_view_add(launch: str) -> Answer | tuple[str, int]:
    """Save the page that the form names."""
    who = _allowed()
    page, query = request.form.get("page", ""), request.form.get("query", "")
    at = place(current_app, page)
    if at is None or not reaches(who, at, parse_qs(query)):
        raise access.NotFound
    try:
        with transaction(tool().engine, who.silo_id) as conn:
            saved.add(
                conn, who.silo_id, owner=who.actor, role=who.role, name=request.form.get("name", ""),
                page=page, query=query, now=tool().clock(),
            )  # fmt: skip
    except ViewError as error:
        return _page(_fault(error.code)), 400
    return redirect(url_for("pages.saved_views", done="saved"), 303)


def saved_view_change(launch: str, view_id: str) -> Answer:
    """Make the files of a view, have them made every month or no more, or take it away."""
    who, asked = _allowed(), request.form.get("do", "")
    with transaction(tool().engine, who.silo_id) as conn:
        view = _own(conn, who, view_id)
        today = tool().clock().astimezone(_zone(conn)).date()
        if asked == "files":
            saved.ask(conn, view, now=tool().clock())
        elif asked in ("monthly", "never"):
            saved.every_month(conn, who.silo_id, view_id, asked == "monthly", today)
        elif asked == "remove":
            saved.remove(conn, who.silo_id, view_id)
        else:
            raise access.NotFound
    word = {"files": "asked", "remove": "unsaved"}.get(asked, asked)
    return redirect(url_for("pages.saved_views", done=word), 303)


def saved_view_open(launch: str, view_id: str) -> Answer:
    """Lead to the page of a view, whoever saved it, with the rights of who opens it."""
    who = _allowed()
    with reading() as conn:
        view = saved.read(conn, who.silo_id, view_id)
    at = place(current_app, view.page) if view else None
    if view is None or at is None or not reaches(who, at, parse_qs(view.query)):
        raise access.NotFound
    front = url_for(at.endpoint, **at.arguments)
    return redirect(f"{front}?{view.query}" if view.query else front, 303)


def saved_view_received(launch: str) -> Answer | tuple[str, int]:
    """Open a link that somebody sent, pasted where a launch is open."""
    _allowed()
    found = re.search(r"/views/([1-9][0-9]{0,9})/([A-Za-z0-9_-]{22})(?:\s|$)", request.form.get("link", ""))
    if not found or int(found[1]) != viewer().silo_id:
        return _page(gettext("Ce n’est pas le lien d’une vue de cette communauté.")), 400
    return redirect(url_for("pages.saved_view_open", view_id=found[2]), 303)


def saved_view_file(launch: str, export_id: str, form: str) -> Response:
    """Give a file of a view to who saved it, while they may still see its page."""
    who = _allowed()
    with reading() as conn:
        mine = kept.mine(conn, who.silo_id, saved.KIND, who.actor, now=tool().clock())
        export = next((one for one in mine if one.export_id == export_id), None)
        view = saved.read(conn, who.silo_id, str(export.asked["view"])) if export else None
        at = place(current_app, view.page) if view else None
        if view is None or at is None or not reaches(who, at, parse_qs(view.query)):
            raise access.NotFound
        found = kept.read(conn, who.silo_id, export_id, who.actor, form, now=tool().clock())
    if found is None or form not in _MIMES:
        raise access.NotFound
    note("export")
    name, content = found
    answer = Response(content, mimetype=_MIMES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def views_table() -> Table:
    """Return the views that who looks has saved."""
    who = _allowed()
    with reading() as conn:
        admin_shell(conn, "saved_views")
        found = saved.listing(conn, who.silo_id, who.actor)
    columns = [
        gettext("Vue"), gettext("Page"), gettext("Filtres"), gettext("Chaque mois"), gettext("Enregistrée le")
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (one.name, title(one.page), filters(one.query), one.monthly, one.created_at.astimezone(g.zone).date())
        for one in found
    ]
    return Table("vues", gettext("Vues enregistrées"), columns, rows, noting.community())


def _zone(conn: Connection) -> ZoneInfo:
    return ZoneInfo(silos.get(conn, viewer().silo_id).time_zone)


def _own(conn: Connection, who: Viewer, view_id: str) -> View:
    view = saved.read(conn, who.silo_id, view_id)
    if view is None or view.owner != who.actor:
        raise access.NotFound
    return view


def _page(fault: str = "") -> str:
    who = viewer()
    with reading() as conn:
        shell = admin_shell(conn, "saved_views")
        found = saved.listing(conn, who.silo_id, who.actor)
        made = kept.mine(conn, who.silo_id, saved.KIND, who.actor, now=tool().clock())
    rows = [_row(one, [each for each in made if each.asked.get("view") == one.view_id]) for one in found]
    return render_template(
        "profiles/views.html",
        page_title=gettext("Vues enregistrées"),
        shell=shell,
        lead=_lead(found),
        fault=fault,
        rows=rows,
        busy=any(row["running"] for row in rows),
        days=saved.KEPT.days,
        received_url=url_for("pages.saved_view_received"),
        notes=_notes(),
    )


def _row(view: View, made: Sequence[Export]) -> dict[str, Any]:
    latest = made[0] if made else None
    job = latest.job if latest else None
    running = job is not None and not job.is_over
    at = place(current_app, view.page)
    return {
        "name": view.name,
        "page": title(view.page),
        "filters": filters(view.query),
        "open_url": url_for("pages.saved_view_open", view_id=view.view_id) if at else "",
        "change_url": url_for("pages.saved_view_change", view_id=view.view_id),
        "link": {
            "id": f"link-{view.view_id}",
            "label": gettext("Lien pour une autre personne de la communauté"),
            "value": f"{tool().settings.public_url}/views/{view.silo_id}/{view.view_id}",
        },
        "monthly": view.monthly,
        "running": running,
        "state": _state(latest, running=running),
        "files": [
            (each.form.upper(), url_for("pages.saved_view_file", export_id=latest.export_id, form=each.form))
            for each in latest.files
        ]
        if latest
        else [],
    }


def _state(latest: Export | None, *, running: bool) -> str:
    if latest is None:
        return ""
    if latest.files:
        day = short_day(latest.created_at.astimezone(g.zone).date(), g.today)
        return gettext("faits le %(day)s", day=day)
    if running:
        return gettext("en préparation")
    if latest.job is not None and latest.job.state == jobs.FAILED and latest.job.message == "rights":
        return gettext("impossible\u202f: vous ne voyez plus cette page")
    return gettext("échec\u202f: demandez-les de nouveau")


def _lead(found: Sequence[View]) -> str:
    if not found:
        return gettext(
            "Aucune vue enregistrée. Ouvrez une page d’analyse, choisissez ses filtres, puis « Enregistrer "
            "cette vue » en bas de la page."
        )
    return ngettext("Vous avez une vue enregistrée.", "Vous avez %(num)d vues enregistrées.", len(found))


def _fault(code: str) -> str:
    return {
        "name": gettext("Donnez un nom à la vue (80 signes au plus)."),
        "many": gettext("Vous avez déjà trop de vues\u202f: retirez-en d’abord."),
    }.get(code, gettext("Cette page ne peut pas être enregistrée."))


def _notes() -> list[str]:
    said = {
        "saved": gettext("La vue est enregistrée."),
        "unsaved": gettext("La vue est retirée."),
        "asked": gettext("Les fichiers se préparent\u202f: ils apparaîtront ici."),
        "monthly": gettext("Les fichiers seront préparés chaque mois, et un message vous le dira."),
        "never": gettext("Les fichiers ne seront plus préparés chaque mois."),
    }.get(request.args.get("done", ""))
    return [said] if said and request.method == "GET" else []


# --- the link, from outside -----------------------------------------------------------------------------


@blueprint.after_request
def _seal(response: Response) -> Response:
    return guard.seal(response)


@blueprint.get("/views/<int:silo_id>/<view_id>")
def arrive(silo_id: int, view_id: str) -> Answer | str:
    """Open a view in a launch of this browser, else say how to come in; tells nothing of the view."""
    front = urlsplit(tool().settings.public_url).path.rstrip("/")
    if not 0 < silo_id < 2**31 or not re.fullmatch(r"[A-Za-z0-9_-]{22}", view_id):
        raise access.NotFound
    with transaction(tool().engine, silo_id, write=False) as conn:
        for launch_id, secret in sessions.held(request.cookies, silo_id):
            try:
                who = access.viewer(conn, launch_id, secret, tool().clock())
            except access.AccessError:
                continue
            if who.role == ADMIN or who.is_profile:
                return redirect(f"{front}/c/{launch_id}/views/{view_id}", 303)
    door = url_for("signing_in.door", silo_id=silo_id, to=f"views/{view_id}")
    link = f"{tool().settings.public_url}/views/{silo_id}/{view_id}"
    return render_template("profiles/view_door.html", door=door, link=link)


blueprint.register_error_handler(access.AccessError, guard.explain)
