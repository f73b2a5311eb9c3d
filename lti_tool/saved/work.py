"""The jobs of saved views: their files, and those of every month with a message that they are ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import Connection, select

from lti_tool import mail, profiles, saved
from lti_tool.exports import kept
from lti_tool.jobs import Failed, JobRun
from lti_tool.mail import Letter
from lti_tool.saved import View
from lti_tool.tables import person
from tool_config import silos
from tool_config.database import transaction
from tool_config.roles import PROFILES

#: Why files cannot be made: the view was taken away, or who saved it may no longer see its page.
GONE, RIGHTS = "view", "rights"


def make(run: JobRun) -> Mapping[str, Any]:
    """Make the files of a view, with the rights of its owner now; done twice, they replace themselves."""
    # Here: the pages, and what sets them, are not loaded by a worker that makes none.
    from lti_tool.web import saved_files

    with transaction(run.engine, run.silo_id, write=False) as conn:
        view = saved.read(conn, run.silo_id, str(run.payload["view"]))
    if view is None:
        raise Failed(GONE)
    files = saved_files.make(run, view)
    if files is None:
        raise Failed(RIGHTS)
    with transaction(run.engine, run.silo_id) as conn:
        for form, (name, content) in files.items():
            kept.keep(conn, run.silo_id, str(run.payload["export"]), form, name, content)
    if run.payload.get("mailed"):
        _tell(run, view)
    return {"files": len(files)}


def monthly(run: JobRun) -> Mapping[str, Any]:
    """Ask for the files of the month, every night until they are asked for."""
    with transaction(run.engine, run.silo_id) as conn:
        zone = ZoneInfo(silos.get(conn, run.silo_id).time_zone)
        found = saved.due(conn, run.silo_id, run.clock().astimezone(zone).date())
        for view in found:
            saved.ask(conn, view, now=run.clock(), mailed=True)
    return {"views": len(found)}


def _tell(run: JobRun, view: View) -> None:
    """Say by mail that the files are ready; a mail that cannot be sent changes nothing to them."""
    with transaction(run.engine, run.silo_id, write=False) as conn:
        address, institution = _address(conn, run, view), silos.get(conn, run.silo_id).name
    if not address or not mail.is_set(run.settings):
        return
    link = f"{run.settings.public_url}/views/{view.silo_id}/{view.view_id}"
    try:
        with mail.connected(run.settings) as server:
            server.send(letter(view, address, institution, link), name=institution, now=run.clock())
    except (mail.Refused, mail.Later, mail.Down):
        return  # the page shows the files all the same


def _address(conn: Connection, run: JobRun, view: View) -> str:
    if view.role in PROFILES:
        secret_key, now = run.settings.secret_key, run.clock()
        found = profiles.of_actor(conn, view.silo_id, view.owner, secret_key=secret_key, now=now)
        return found.address if found else ""
    wanted = select(person.c.email).where(person.c.silo_id == view.silo_id, person.c.actor == view.owner)
    address = conn.execute(wanted).scalar() or ""
    return address if mail.usable(address) else ""


def letter(view: View, address: str, institution: str, link: str) -> Letter:
    """Return the message: that files are ready and where, not a figure."""
    said = [
        "Bonjour,",
        f"Les fichiers du mois de votre vue « {view.name} » sont prêts. Ils vous attendent dans Estime "
        f"(Réglages, Vues enregistrées) pendant {saved.KEPT.days} jours\u202f:",
    ]
    after = ["Pour ne plus recevoir ce message, décochez « chaque mois » sur la même page.", institution]
    body = Markup("").join(Markup("<p>{}</p>\n").format(text) for text in [*said, link, *after])
    page = Markup('<!doctype html>\n<html lang="fr"><head><meta charset="utf-8"><title>Estime</title></head>')
    return Letter(
        address=address,
        subject="Les fichiers du mois sont prêts",
        text="\n\n".join([*said, link, *after]) + "\n",
        html=str(page + Markup("\n<body>\n") + body + Markup("</body></html>\n")),
    )
