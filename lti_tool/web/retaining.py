"""How long things are kept: the administrator's page, with what leaves the next night."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit
from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext
from lti_tool.privacy import retention
from lti_tool.privacy.retention import RetentionError
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, reading
from tool_config.database import transaction


def kinds() -> dict[str, tuple[str, str]]:
    """Return what each kind is called, and from when its days are counted."""
    return {
        "traces": (
            gettext("Traces d’activité, avancement, inscriptions"),
            gettext("après la fin de la session"),
        ),
        "answers": (
            gettext("Réponses nominatives, une à une"),
            gettext("après la fermeture du questionnaire"),
        ),
        "comments": (gettext("Commentaires"), gettext("après la fermeture du questionnaire")),
        "imports": (gettext("Lignes refusées des imports"), gettext("après le dépôt du fichier")),
        "looks": (gettext("Journal : qui est entré, qui a regardé qui"), gettext("après le jour noté")),
    }


def retention_page(launch: str) -> str:
    """Show how long each kind is kept, and what leaves the next night."""
    access.require(viewer(), "admin")
    return _page({})


def _page(faults: dict[str, str]) -> str:
    with reading() as conn:
        shell = admin_shell(conn, "retention")
        rules = retention.rules(conn, viewer().silo_id)
        plan = retention.plan(conn, viewer().silo_id, now=tool().clock())
    words = kinds()
    return render_template(
        "admin/retention.html",
        page_title=gettext("Durées de conservation"),
        shell=shell,
        lead=_lead(plan),
        rules=[
            {
                "kind": rule.kind, "label": words[rule.kind][0], "since": words[rule.kind][1],
                "days": request.form.get(rule.kind, rule.days), "fewest": rule.fewest, "most": rule.most,
                "fault": faults.get(rule.kind, ""),
            }
            for rule in rules
        ],
        courses=[
            {"title": one.title, "ends_on": one.ends_on, "traces": number(one.traces)}
            for one in plan.courses
        ],
        others=[(words[kind][0], number(count)) for kind, count in plan.counts.items() if count],
        endless=plan.endless,
        sealed=plan.sealed,
        here=url_for("pages.retention_set"),
    )  # fmt: skip


def _lead(plan: retention.Plan) -> str:
    if not plan.courses:
        return gettext("Aucune session n’a dépassé sa durée de conservation.")
    return ngettext(
        "Les traces de %(num)d session partent la nuit prochaine.",
        "Les traces de %(num)d sessions partent la nuit prochaine.",
        len(plan.courses),
    )


def retention_set(launch: str) -> Answer | tuple[str, int]:
    """Keep the durations sent; none is when one is out of its bounds."""
    access.require(viewer(), "admin")
    who, now = viewer(), tool().clock()
    faults: dict[str, str] = {}
    wanted: dict[str, int] = {}
    for kind, (_, fewest, most) in retention.KINDS.items():
        text: Any = request.form.get(kind, "").strip()
        days = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
        wanted[kind] = days
        if not fewest <= days <= most:
            faults[kind] = gettext(
                "De %(fewest)s à %(most)s jours.", fewest=number(fewest), most=number(most)
            )
    if faults:
        return _page(faults), 400
    try:
        with transaction(tool().engine, who.silo_id) as conn:
            for kind, days in wanted.items():
                retention.set_rule(conn, who.silo_id, kind, days, by=who.actor, now=now)
            audit.write(
                conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, role=who.role,
                reason="privacy: retention",
            )  # fmt: skip
    except RetentionError:
        raise access.NotFound from None
    return redirect(url_for("pages.retention", done="retained"), 303)
