"""The files of a saved view: the tables of its page, as the page itself would give them to who saved it."""

from __future__ import annotations

from urllib.parse import parse_qs

from flask import Flask, g
from sqlalchemy import Connection
from werkzeug.exceptions import HTTPException

from lti_tool import access, profiles
from lti_tool.access import Viewer
from lti_tool.documents import pdf, workbook
from lti_tool.documents.content import Document, Section, Text
from lti_tool.exports import Table
from lti_tool.formatting import clock_time, long_day, number
from lti_tool.jobs import JobRun
from lti_tool.language import gettext
from lti_tool.saved import View
from lti_tool.web import saving, tables
from lti_tool.web.shell import set_time
from tool_config import silos
from tool_config.database import transaction
from tool_config.roles import ADMIN, PROFILES

from zoneinfo import ZoneInfo  # isort: skip

#: The launch that a page made without a browser names in its addresses.
_NO_LAUNCH = "0-" + "A" * 22


def make(run: JobRun, view: View) -> dict[str, tuple[str, bytes]] | None:
    """Return the files of a view, {form: (name, content)}; None when its owner may see its page no more."""
    from lti_tool.app import create_app  # here: the application loads this module with the others

    with transaction(run.engine, run.silo_id, write=False) as conn:
        who, owner = _viewer(conn, run, view), silos.get(conn, run.silo_id)
    if who is None:
        return None
    app = create_app(run.settings, engine=run.engine, clock=run.clock, http=run.http)
    address = f"/c/{_NO_LAUNCH}{view.page}" + (f"?{view.query}" if view.query else "")
    with app.test_request_context(address, base_url=run.settings.public_url):
        g.viewer, g.locale = who, who.locale
        set_time(run.clock(), ZoneInfo(owner.time_zone))
        try:
            found = _tables(app, view, who)
        except (access.AccessError, HTTPException):
            return None
        run.progress(1, 3, "")
        made = _document(run, view, found, owner.name)
        files = {"pdf": pdf.content(made)}
        run.progress(2, 3, "")
        files["xlsx"] = workbook.content(made)
    day = run.clock().astimezone(ZoneInfo(owner.time_zone)).date().isoformat()
    stem = f"estime-{saving.slug(view.name)}-{day}"
    return {form: (f"{stem}.{form}", content) for form, content in files.items()}


def _viewer(conn: Connection, run: JobRun, view: View) -> Viewer | None:
    """Return who saved a view, with the rights of now; an administrator is asked again when they take it."""
    role, paths, grant_id = view.role, None, ""
    if view.role in PROFILES:
        found = profiles.of_actor(
            conn, view.silo_id, view.owner, secret_key=run.settings.secret_key, now=run.clock()
        )
        if found is None:
            return None
        role, grant_id = found.profile, found.grant_id
        paths = frozenset(found.paths) if found.profile == "ingenieur" else None
    elif view.role != ADMIN:
        return None
    return Viewer(
        silo_id=view.silo_id, launch_id=_NO_LAUNCH, actor=view.owner, role=role, course_id=0, locale="fr",
        names=False, return_url="", paths=paths, grant_id=grant_id,
    )  # fmt: skip


def _tables(app: Flask, view: View, who: Viewer) -> list[Table]:
    """Return the tables of a page, each under the page's own authorisation."""
    place = saving.place(app, view.page)
    if place is None or not saving.reaches(who, place, parse_qs(view.query)):
        raise access.Forbidden
    return [maker(**place.arguments) for maker in tables.of_page(place.rule)]


def _document(run: JobRun, view: View, found: list[Table], community: str) -> Document:
    here = run.clock().astimezone(g.zone)
    facts = [
        (gettext("Communauté"), community),
        (gettext("Page"), saving.title(view.page)),
        (gettext("Filtres"), saving.filters(view.query) or gettext("aucun")),
        (gettext("Seuil de publication"), gettext("%(k)s personnes", k=number(run.rules.disclosure.across))),
        (gettext("Fait le"), f"{long_day(here.date())}, {clock_time(here)}"),
    ]
    return Document(
        title=view.name,
        subtitle=gettext("Vue enregistrée, d’après les données d’Estime"),
        language=g.locale,
        made_at=here,
        facts=tuple(facts),
        sections=tuple(
            Section(one.title, (one if one.rows else Text(gettext("Rien à montrer.")),)) for one in found
        ),
    )
