"""The administrator's page of profiles: who sees aggregates without a course, until when; and leaving."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, mail, profiles, sessions
from lti_tool.exports import Cell, Table
from lti_tool.formatting import short_day
from lti_tool.language import gettext, ngettext
from lti_tool.profile_tables import profile_provider
from lti_tool.profiles import Grant, ProfileError
from lti_tool.web import guard, noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, reading
from tool_config import silos
from tool_config.database import transaction
from tool_config.roles import INGENIEUR, PROFILES
from xapi.tables import path


def names() -> dict[str, str]:
    """Return what each profile is called."""
    return {
        "responsable": gettext("Responsable"),
        "ingenieur": gettext("Ingénieur ou ingénieure de formation"),
        "lecteur": gettext("Lecture d’agrégats"),
    }


def _sees() -> dict[str, str]:
    """Return what each profile sees."""
    return {
        "responsable": gettext("toutes les analyses de la communauté, la note du conseil et les preuves"),
        "ingenieur": gettext("les analyses des parcours choisis, un par un"),
        "lecteur": gettext(
            "les analyses de la communauté et la note du conseil (conseil d’orientation, services "
            "déconcentrés)"
        ),
    }


def profiles_page(launch: str) -> str:
    """Show who has a profile, and the form that grants one."""
    access.require(viewer(), "admin")
    with reading() as conn:
        return _page(conn)


def profile_grant(launch: str) -> Answer | tuple[str, int]:
    """Grant a profile; the one that the address had is replaced."""
    access.require(viewer(), "admin")
    who, here, form = viewer(), tool(), request.form
    try:
        with transaction(here.engine, who.silo_id) as conn:
            zone = ZoneInfo(silos.get(conn, who.silo_id).time_zone)
            found = profiles.grant(
                conn,
                who.silo_id,
                profile=form.get("profile", ""),
                name=form.get("name", ""),
                address=form.get("address", ""),
                paths=[int(one) for one in form.getlist("path") if one.isascii() and one.isdigit()],
                expires_at=_end(form.get("until", ""), zone),
                by=who.actor,
                secret_key=here.settings.secret_key,
                now=here.clock(),
            )
            _record(conn, f"profile: granted {found.profile}", found.actor)
    except ProfileError as error:
        with reading() as conn:
            return _page(conn, error.code, dict(form.items())), 400
    return redirect(url_for("pages.profiles", done="granted"), 303)


def profile_change(launch: str, grant_id: str) -> Answer:
    """Withdraw a profile, or end its sessions."""
    access.require(viewer(), "admin")
    silo_id, asked = viewer().silo_id, request.form.get("do", "")
    with transaction(tool().engine, silo_id) as conn:
        actor = profiles.actor_of(silo_id, grant_id)
        if profiles.read(conn, silo_id, grant_id, secret_key=tool().settings.secret_key) is None:
            raise access.NotFound
        if asked == "withdraw":
            profiles.withdraw(conn, silo_id, grant_id)
            _record(conn, "profile: withdrawn", actor)
        elif asked == "close":
            profiles.close(conn, silo_id, grant_id)
            _record(conn, "profile: sessions closed", actor)
        else:
            raise access.NotFound
    return redirect(url_for("pages.profiles", done="ungranted" if asked == "withdraw" else "closed"), 303)


def leave(launch: str) -> Answer:
    """End the session at hand, of somebody who signed in without a course."""
    who = viewer()
    if not who.is_profile:
        raise access.NotFound
    with transaction(tool().engine, who.silo_id) as conn:
        profiles.close(conn, who.silo_id, who.grant_id, who.launch_id)
    answer = redirect(url_for("signing_in.door", silo_id=who.silo_id), 303)
    guard.set_cookie(answer, sessions.cookie_name(who.launch_id), "", 0)  # type: ignore[arg-type]
    return answer


def profiles_table() -> Table:
    """Return who has a profile."""
    access.require(viewer(), "admin")
    with reading() as conn:
        admin_shell(conn, "profiles")
        found, titles = _granted(conn), _titles(conn)
        zone = ZoneInfo(silos.get(conn, viewer().silo_id).time_zone)
    columns = [
        gettext("Personne"), gettext("Adresse"), gettext("Profil"), gettext("Parcours"),
        gettext("Accordé le"), gettext("Jusqu’au"), gettext("Dernière connexion"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            one.name, one.address, names()[one.profile], _paths(one, titles),
            one.created_at.astimezone(zone).date(), _last_day(one, zone),
            one.used_at.astimezone(zone) if one.used_at else None,
        )
        for one in found
    ]  # fmt: skip
    return Table("profils", gettext("Profils"), columns, rows, noting.community())


# --- the page -----------------------------------------------------------------------------------------


def _end(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant after a last day; ProfileError when it is no day."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
        return datetime.combine(day + timedelta(days=1), time(), zone)
    except (ValueError, OverflowError):
        raise ProfileError("expires") from None


def _record(conn: Connection, reason: str, subject: str) -> None:
    who = viewer()
    audit.write(
        conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor, role=who.role,
        subject=subject, reason=reason,
    )  # fmt: skip


def _granted(conn: Connection) -> tuple[Grant, ...]:
    return profiles.listing(conn, viewer().silo_id, secret_key=tool().settings.secret_key)


def _titles(conn: Connection) -> dict[int, str]:
    wanted = select(path.c.path_id, path.c.title).where(path.c.silo_id == viewer().silo_id)
    return {int(row.path_id): row.title for row in conn.execute(wanted.order_by(path.c.title))}


def _paths(one: Grant, titles: Mapping[int, str]) -> str:
    if one.profile != INGENIEUR:
        return gettext("tous")
    return ", ".join(titles.get(each, gettext("Parcours retiré")) for each in one.paths)


def _last_day(one: Grant, zone: ZoneInfo) -> date | None:
    return (one.expires_at - timedelta(seconds=1)).astimezone(zone).date() if one.expires_at else None


def _page(conn: Connection, fault: str = "", typed: Mapping[str, str] | None = None) -> str:
    shell, silo_id, here = admin_shell(conn, "profiles"), viewer().silo_id, tool()
    zone = ZoneInfo(silos.get(conn, silo_id).time_zone)
    found, titles, today = _granted(conn), _titles(conn), here.clock().astimezone(zone).date()
    provider = conn.execute(
        select(profile_provider.c.issuer).where(profile_provider.c.silo_id == silo_id)
    ).scalar()
    return render_template(
        "profiles/list.html",
        page_title=gettext("Profils"),
        shell=shell,
        lead=_lead(found),
        rows=[_row(one, titles, zone, today) for one in found],
        kinds=[(kind, names()[kind], _sees()[kind]) for kind in PROFILES],
        paths=list(titles.items()),
        fault=_fault(fault),
        fault_of=fault,
        typed=typed or {},
        chosen=request.form.getlist("path"),
        here=url_for("pages.profile_grant"),
        door=[
            {
                "id": "value-door",
                "label": gettext("Adresse de connexion à leur donner"),
                "value": f"{here.settings.public_url}/sign-in/{silo_id}",
            }
        ],
        provider=urlsplit(provider).hostname if provider else "",
        has_mail=mail.is_set(here.settings),
        hours=int(sessions.LIFETIME.total_seconds() // 3600),
        notes=_notes(),
    )


def _row(one: Grant, titles: Mapping[int, str], zone: ZoneInfo, today: date) -> dict[str, Any]:
    last = _last_day(one, zone)
    until = gettext("sans fin") if last is None else short_day(last, today)
    return {
        "name": one.name or gettext("nom illisible : la clé secrète a changé"),
        "address": one.address,
        "profile": names()[one.profile],
        "paths": _paths(one, titles),
        "until": gettext("terminé le %(day)s", day=until) if last is not None and last < today else until,
        "used": short_day(one.used_at.astimezone(zone).date(), today) if one.used_at else "",
        "change_url": url_for("pages.profile_change", grant_id=one.grant_id),
    }


def _lead(found: tuple[Grant, ...]) -> str:
    if not found:
        return gettext(
            "Personne n’a encore de profil. Un profil ouvre les agrégats de la communauté à une personne "
            "qui n’a pas de cours : jamais un nom, jamais une page de session."
        )
    unused = sum(one.used_at is None for one in found)
    said = ngettext("Une personne a un profil", "%(num)d personnes ont un profil", len(found))
    if not unused:
        return gettext("%(who)s ; toutes se sont déjà connectées.", who=said)
    if unused == len(found):
        return gettext("%(who)s ; aucune ne s’est encore connectée.", who=said)
    return gettext("%(who)s, dont %(unused)s pas encore connectées.", who=said, unused=unused)


def _fault(code: str) -> str:
    return {
        "profile": gettext("Choisissez un profil."),
        "name": gettext("Donnez le nom de la personne."),
        "address": gettext("Donnez une adresse et une seule, comme prenom.nom@exemple.fr."),
        "paths": gettext("Cochez au moins un parcours : ce profil ne voit que ceux-là."),
        "expires": gettext("Ce dernier jour est déjà passé, ou n’est pas une date."),
        "many": gettext("La communauté a déjà trop de profils : retirez-en d’abord."),
    }.get(code, "")


def _notes() -> list[str]:
    said = {
        "granted": gettext("Le profil est accordé. Donnez à la personne l’adresse de connexion."),
        "ungranted": gettext("Le profil est retiré, et ses sessions sont fermées."),
        "closed": gettext("Les sessions sont fermées : la personne devra se reconnecter."),
    }.get(request.args.get("done", ""))
    return [said] if said and request.method == "GET" else []
