"""Erasures: the administrator's list and decision, the person's own page, the way back afterwards."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, people
from lti_tool.language import gettext, ngettext
from lti_tool.privacy import erasure, requests, whose, wording
from lti_tool.privacy.requests import Request, RequestError
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, open_person, reading
from tool_config import silos
from tool_config.database import transaction

_STATES = (requests.ASKED, requests.WITHDRAWN, requests.REFUSED, requests.ERASED)


def erasures(launch: str) -> str:
    """List what was asked, the most urgent first."""
    access.require(viewer(), "admin")
    return _list("")


def _list(fault: str) -> str:
    with reading() as conn:
        shell = admin_shell(conn, "erasures")
        owner, today = silos.get(conn, viewer().silo_id), tool().clock().date()
        rows = [_row(owner, one) | {"late": one.state == requests.ASKED and one.due_on < today}
                for one in requests.listing(conn, owner.silo_id)]  # fmt: skip
    waiting = [row for row in rows if row["state"] == requests.ASKED]
    return render_template(
        "admin/erasures.html",
        page_title=gettext("Effacements"),
        shell=shell,
        waiting=waiting,
        past=[row for row in rows if row["state"] != requests.ASKED],
        lead=ngettext(
            "%(num)d demande d’effacement attend une décision.",
            "%(num)d demandes d’effacement attendent une décision.",
            len(waiting),
        )
        if waiting
        else gettext("Aucune demande d’effacement n’attend de décision."),
        fault=fault,
        here=url_for("pages.erasure_add"),
    )


def _row(owner: silos.Silo, one: Request) -> dict[str, Any]:
    return {
        "url": url_for("pages.erasure", request_id=one.request_id),
        "who": silos.pseudonym(owner, one.actor) if one.actor and ":" not in one.actor else "",
        "state": one.state,
        "asked_on": one.asked_at.date(),
        "asked_by": one.asked_by,
        "due_on": one.due_on,
        "decided_on": one.decided_at.date() if one.decided_at else None,
        "reason": one.reason,
        "gone": wording.listed(one.counts),
    }


def erasure_add(launch: str) -> Answer | tuple[str, int]:
    """Write down a request that came by letter or by message."""
    access.require(viewer(), "admin")
    here, who = tool(), viewer()
    with transaction(here.engine, who.silo_id) as conn:
        actor = whose.by_name(conn, who.silo_id, request.form.get("name", "")[:300])
        if actor is not None:
            now = here.clock()
            asked = requests.ask(conn, who.silo_id, actor, now=now, by=requests.ADMINISTRATOR)
            _note(conn)
    if actor is None:
        fault = gettext(
            "Personne, ou plusieurs personnes, sous ce nom : donnez le numéro du compte, l’identifiant ou "
            "l’adresse, tels que la plateforme les écrit."
        )
        return _list(fault), 400
    return redirect(url_for("pages.erasure", request_id=asked.request_id), 303)


def erasure_page(launch: str, request_id: str) -> str:
    """Show what an erasure would take, or what was decided."""
    access.require(viewer(), "admin")
    return _one(request_id, "")


def _one(request_id: str, fault: str) -> str:
    here, who = tool(), viewer()
    with reading() as conn:
        shell = admin_shell(conn, "erasures")
        owner = silos.get(conn, who.silo_id)
        try:
            one = requests.find(conn, who.silo_id, request_id)
        except RequestError:
            raise access.NotFound from None
        seen = None
        if one.state == requests.ASKED:
            settings = here.settings
            seen = erasure.preview(
                conn, who.silo_id, one.actor, secret_key=settings.secret_key, home=settings.public_url
            )
    row = _row(owner, one)
    return render_template(
        "admin/erasure.html",
        page_title=gettext("Demande d’effacement"),
        shell=shell,
        one=row,
        goes=wording.listed({**seen.goes, "mentions": seen.mentions}) if seen else (),
        kept=_kept(seen) if seen else (),
        stays=wording.stays(),
        backups=wording.backups(here.settings.backup_days),
        copies=seen.copies if seen else (),
        deposits=bool(here.settings.watched_dir),
        fault=fault,
        back_url=url_for("pages.erasures"),
        here=url_for("pages.erasure_decide", request_id=request_id),
    )


def _kept(seen: erasure.Preview) -> list[str]:
    return list(dict.fromkeys(text for _, _, why in seen.stays if (text := wording.why(why))))


def erasure_decide(launch: str, request_id: str) -> Answer | tuple[str, int]:
    """Erase, or refuse with a reason."""
    access.require(viewer(), "admin")
    here, who, now = tool(), viewer(), tool().clock()
    choice = request.form.get("decision", "")
    if choice == "erase" and request.form.get("sure") != "yes":
        return _one(request_id, gettext("Cochez la case : un effacement ne se défait pas.")), 400
    if choice not in ("erase", "refuse"):
        raise access.NotFound
    try:
        with transaction(here.engine, who.silo_id) as conn:
            if choice == "erase":
                requests.erase(
                    conn, who.silo_id, request_id, by=who.actor, secret_key=here.settings.secret_key,
                    home=here.settings.public_url, now=now,
                )  # fmt: skip
            else:
                reason = request.form.get("reason", "")
                requests.refuse(conn, who.silo_id, request_id, reason, by=who.actor, now=now)
            _note(conn)
    except RequestError as error:
        if error.code in ("reason", "too_long"):
            fault = gettext("Donnez le motif du refus : la personne le lira. Mille signes au plus.")
            return _one(request_id, fault), 400
        raise access.NotFound from None
    if choice == "erase":
        erasure.forget_memory()
    return redirect(url_for("pages.erasures", done="erased" if choice == "erase" else "refused"), 303)


def _note(conn: Connection) -> None:
    who = viewer()
    audit.write(
        conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor, role=who.role,
        reason="privacy: erasure",
    )  # fmt: skip


# --- the person's own page ---------------------------------------------------------------------------------


def my_erasure(launch: str) -> str:
    """Show a trainee what an erasure does, where their request stands, and the way to ask."""
    access.require(viewer(), "trainee")
    with reading() as conn:
        page, _ = open_person(conn, viewer().course_id, viewer().actor)
        one = requests.of(conn, viewer().silo_id, viewer().actor)
        names = people.names(conn, viewer().silo_id, [viewer().actor])
    return render_template(
        "trainee/erasure.html",
        page_title=gettext("Effacer mes données"),
        shell=page.shell("me"),
        one=one,
        name=names[viewer().actor].text if viewer().actor in names else "",
        stays=wording.stays(),
        backups=wording.backups(tool().settings.backup_days),
        back_url=url_for("pages.me"),
        here=url_for("pages.my_erasure_send"),
    )


def my_erasure_send(launch: str) -> Answer:
    """Ask for one's own erasure, or take the request back."""
    access.require(viewer(), "trainee")
    here, who = tool(), viewer()
    with transaction(here.engine, who.silo_id) as conn:
        if request.form.get("withdraw"):
            requests.withdraw(conn, who.silo_id, who.actor, now=here.clock())
        else:
            requests.ask(conn, who.silo_id, who.actor, now=here.clock())
    return redirect(url_for("pages.my_erasure"), 303)
