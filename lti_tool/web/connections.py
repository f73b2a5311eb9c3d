"""The administrator's page of connections: platforms, invitations, the addresses to type by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, invitations
from lti_tool.exports import Table
from lti_tool.formatting import long_day, short_day
from lti_tool.invitations import Invitation
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.registration import manual_values
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import platforms, silos
from tool_config.database import transaction
from tool_config.platforms import Platform

#: Days of validity that the form offers.
_DAYS = (1, 7, 30)


@dataclass(frozen=True)
class _Link:
    """An invitation just made: shown once."""

    address: str
    expires: str


def connections(launch: str) -> str:
    """Show the platforms of the community, its invitations, and what is typed by hand."""
    access.require(viewer(), "admin")
    with reading() as conn:
        return _page(conn, None)


def invitation_add(launch: str) -> str | tuple[str, int]:
    """Make an invitation and show its link, this once."""
    access.require(viewer(), "admin")
    here, now, who = tool(), tool().clock(), viewer()
    text = request.form.get("days", "")
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    with transaction(here.engine, who.silo_id) as conn:
        if not 1 <= days <= invitations.MOST_DAYS:
            return _page(conn, None, fault=gettext("Choisissez une durée de 1 à 30 jours.")), 400
        address, expires_at = invitations.invite(
            conn, who.silo_id, days=days, public_url=here.settings.public_url, now=now
        )
        _record(conn)
        zone = ZoneInfo(silos.get(conn, who.silo_id).time_zone)
        expires = long_day(expires_at.astimezone(zone).date())
        return _page(conn, _Link(address, expires))


def invitation_withdraw(launch: str, invitation_id: str) -> Answer:
    """Take an invitation back; once it has served there is nothing to take."""
    access.require(viewer(), "admin")
    with transaction(tool().engine, viewer().silo_id) as conn:
        if not invitations.withdraw(conn, viewer().silo_id, invitation_id):
            raise access.NotFound
        _record(conn)
    return redirect(url_for("pages.connections", done="withdrawn"), 303)


def _record(conn: Connection) -> None:
    who = viewer()
    audit.write(conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor)


def _page(conn: Connection, made: _Link | None, fault: str = "") -> str:
    here, now, silo_id = tool(), tool().clock(), viewer().silo_id
    owner = silos.get(conn, silo_id)
    zone = ZoneInfo(owner.time_zone)
    set_time(now, zone)
    known = platforms.of_silo(conn, silo_id)
    listed = [_invitation(item, zone) for item in invitations.invitations(conn, silo_id)]
    return render_template(
        "admin/connections.html",
        page_title=gettext("Connexions"),
        shell=_shell(owner.name),
        lead=_lead(len(known)),
        platforms=[
            _platform(each, sorted(platforms.deployments(conn, silo_id, each.issuer))) for each in known
        ],
        invitations=listed,
        made=made,
        fault=fault,
        days=[(count, ngettext("%(num)d jour", "%(num)d jours", count)) for count in _DAYS],
        usual=invitations.USUAL_DAYS,
        here=url_for("pages.invitation_add"),
        values=manual_values(),
        redirection=f"{here.settings.public_url}/lti/launch",
    )


def _lead(count: int) -> str:
    return ngettext(
        "%(num)d plateforme est reliée à cette communauté.",
        "%(num)d plateformes sont reliées à cette communauté.",
        count,
    )


def _platform(each: Platform, deployments: list[str]) -> dict[str, Any]:
    return {
        "issuer": each.issuer,
        "site": _site(each.issuer),
        "client_id": each.client_id,
        "deployments": ", ".join(deployments) or gettext("au premier lancement"),
        "frames": [item for item in each.frame_origins if item not in each.origins],
    }


def _site(issuer: str) -> str:
    return issuer.partition("://")[2]


def _invitation(item: Invitation, zone: ZoneInfo) -> dict[str, Any]:
    now = tool().clock()
    today, state = now.astimezone(zone).date(), item.state(now)
    expires = short_day(item.expires_at.astimezone(zone).date(), today)
    used = short_day(item.used_at.astimezone(zone).date(), today) if item.used_at else ""
    return {
        "made": item.created_at.astimezone(zone).date(),
        "state": state,
        "say": {
            "waiting": gettext("attend, jusqu’au %(day)s", day=expires),
            "used": gettext("a servi le %(day)s à %(site)s", day=used, site=_site(item.issuer or "")),
            "expired": gettext("n’est plus valable depuis le %(day)s", day=expires),
        }[state],
        "withdraw_url": url_for("pages.invitation_withdraw", invitation_id=item.invitation_id)
        if state != "used"
        else None,
    }


def _shell(community: str) -> Shell:
    return Shell(
        title=gettext("Connexions"),
        meta=community,
        tabs=admin_tabs("connections"),
        open_url=open_url(),
        about_url=url_for("pages.about_all"),
        threshold=tool().rules.disclosure.course,
        done=done(),
    )


# --- files --------------------------------------------------------------------------------------------


def platforms_table() -> Table:
    """Return the platforms of the community."""
    access.require(viewer(), "admin")
    with reading() as conn:
        silo_id = viewer().silo_id
        set_time(tool().clock(), ZoneInfo(silos.get(conn, silo_id).time_zone))
        found = [
            _platform(each, sorted(platforms.deployments(conn, silo_id, each.issuer)))
            for each in platforms.of_silo(conn, silo_id)
        ]
    columns = [
        gettext("Plateforme"), gettext("Adresse"), gettext("Identifiant client"), gettext("Déploiements"),
        gettext("Autres adresses qui l’affichent"),
    ]  # fmt: skip
    rows = [
        (each["site"], each["issuer"], each["client_id"], each["deployments"], ", ".join(each["frames"]))
        for each in found
    ]
    return Table("plateformes", gettext("Plateformes reliées"), columns, rows, noting.community())


def invitations_table() -> Table:
    """Return the invitations of the community; their links are not kept."""
    access.require(viewer(), "admin")
    with reading() as conn:
        zone = ZoneInfo(silos.get(conn, viewer().silo_id).time_zone)
        set_time(tool().clock(), zone)
        found = [_invitation(item, zone) for item in invitations.invitations(conn, viewer().silo_id)]
    rows = [(each["say"], each["made"]) for each in found]
    columns = [gettext("État"), gettext("Créée")]
    return Table("invitations", gettext("Invitations"), columns, rows, noting.community())
