"""The administrator's page of the file to be signed: what the institution says of itself, its documents."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from lti_tool import access
from lti_tool.compliance import institution, work
from lti_tool.compliance.institution import FIELDS, LONGEST
from lti_tool.exports import kept
from lti_tool.language import gettext, ngettext
from lti_tool.web import made
from lti_tool.web.guard import tool, viewer
from lti_tool.web.made import Made
from lti_tool.web.shell import admin_shell, reading, set_time
from tool_config import silos
from tool_config.database import transaction


def compliance(launch: str) -> str:
    """Show what the institution says of itself, and the files asked for by who looks."""
    access.require(viewer(), "admin")
    return _page()


def compliance_save(launch: str) -> Answer | tuple[str, int]:
    """Keep what the institution says of itself."""
    access.require(viewer(), "admin")
    who = viewer()
    said = {field.id: request.form.get(field.id, "") for field in FIELDS}
    long = [field for field in FIELDS if len(" ".join(said[field.id].split())) > LONGEST]
    if long:
        fault = gettext("%(field)s : %(most)s signes au plus.", field=long[0].label, most=LONGEST)
        return _page(fault, said), 400
    with transaction(tool().engine, who.silo_id) as conn:
        institution.write(conn, who.silo_id, said, by=who.actor, now=tool().clock())
    return redirect(url_for("pages.compliance", done="institution"), 303)


def compliance_ask(launch: str) -> Answer:
    """Ask for the documents; they are made in the background."""
    access.require(viewer(), "admin")
    who = viewer()
    with transaction(tool().engine, who.silo_id) as conn:
        work.ask(conn, who.silo_id, who.actor, now=tool().clock())
    return redirect(url_for("pages.compliance"), 303)


def compliance_file(launch: str, export_id: str, form: str) -> Response:
    """Give the archive to who asked for it."""
    access.require(viewer(), "admin")
    return _made().give(export_id, form)


def compliance_forget(launch: str, export_id: str) -> Answer:
    """Take a file away, made or not."""
    access.require(viewer(), "admin")
    _made().forget(export_id)
    return redirect(url_for("pages.compliance"), 303)


def _page(fault: str = "", said: Mapping[str, str] | None = None) -> str:
    with reading() as conn:
        set_time(tool().clock(), ZoneInfo(silos.get(conn, viewer().silo_id).time_zone))
        known = institution.read(conn, viewer().silo_id)
        found = _made().mine(conn)
        shell = admin_shell(conn, "compliance")
    missing = sum(not known.get(field.id) for field in FIELDS)
    return render_template(
        "admin/compliance.html",
        page_title=gettext("Dossier de conformité"),
        shell=shell,
        lead=_lead(missing),
        fault=fault,
        fields=[(field, (said or known).get(field.id, "")) for field in FIELDS],
        longest=LONGEST,
        documents=_documents(),
        files=[_made().row(one, gettext("Dossier de conformité"), "") for one in found],
        busy=made.busy(found),
        days=kept.KEPT.days,
    )


def _lead(missing: int) -> str:
    if not missing:
        return gettext("Le dossier peut être préparé : il se remplit d’après les réglages en vigueur.")
    return ngettext(
        "Il manque un renseignement que l’outil ne peut pas connaître ; sa place est en pointillés.",
        "Il manque %(num)d renseignements que l’outil ne peut pas connaître ; leur place est en pointillés.",
        missing,
    )


def _documents() -> list[str]:
    return [
        gettext("Registre des activités de traitement (article 30)"),
        gettext("Analyse d’impact (article 35)"),
        gettext("Information des agents (articles 13 et 14)"),
        gettext("Éléments d’homologation de sécurité (RGS)"),
        gettext("Note au comité social d’administration"),
        gettext("Charte des tuteurs"),
        gettext("Accord de sous-traitance (article 28)"),
    ]


def _made() -> Made:
    return Made(
        kind=work.KIND,
        steps={work.READING: gettext("lecture des réglages"), work.WRITING: gettext("mise en page")},
        failures={},
        file_page="pages.compliance_file",
        forget_page="pages.compliance_forget",
        forms=("zip",),
    )
