"""The institution's own words in the messages that bring a link, with what each message becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit
from lti_tool.formatting import number
from lti_tool.invited import letters, links, wordings
from lti_tool.language import gettext
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, reading
from tool_config import silos
from tool_config.database import transaction


def letters_page(launch: str) -> str:
    """Show the words kept and each message as it will be sent."""
    access.require(viewer(), "admin")
    with reading() as conn:
        return _page(conn, wordings.read(conn, viewer().silo_id), {})


def letters_save(launch: str) -> Answer | str | tuple[str, int]:
    """Show what the words typed give, or keep them; nothing is kept while one has a fault."""
    access.require(viewer(), "admin")
    typed = {key: request.form.get(".".join(key), "").replace("\r\n", "\n").strip() for key in wordings.EVERY}
    faults = {key: code for key, text in typed.items() if (code := wordings.fault(key[2], text))}
    if faults or request.form.get("do") != "save":
        with reading() as conn:
            page = _page(conn, typed, faults)
        return (page, 400) if faults else page
    who, now = viewer(), tool().clock()
    with transaction(tool().engine, who.silo_id) as conn:
        wordings.write(conn, who.silo_id, typed, by=who.actor, now=now)
        audit.write(conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, role=who.role)
    return redirect(url_for("pages.letters", done="saved"), 303)


def _page(conn: Connection, words: wordings.Words, faults: Mapping[tuple[str, str, str], str]) -> str:
    shell = admin_shell(conn, "template_list")
    sample = letters.Asked(
        institution=silos.get(conn, viewer().silo_id).name,
        title=gettext("Votre avis sur la formation"),
        session=gettext("Session d’exemple"),
        module="",
        minutes=4,
        last_day=g.today + timedelta(days=14),
        mode="pseudonymous",
        kept_days=tool().rules.surveys.addresses_days,
    )
    return render_template(
        "admin/letters.html",
        page_title=gettext("Le texte des messages"),
        shell=shell,
        back_url=url_for("pages.template_list"),
        here=url_for("pages.letters_save"),
        places=wordings.PLACES,
        faults=bool(faults),
        blocks=[_block(sample, words, faults, locale, kind) for locale, kind in _BLOCKS],
    )


_BLOCKS = tuple((locale, kind) for locale in letters.LOCALES for kind in wordings.KINDS)


def _block(
    sample: letters.Asked,
    words: wordings.Words,
    faults: Mapping[tuple[str, str, str], str],
    locale: str,
    kind: str,
) -> dict[str, Any]:
    bad = any((locale, kind, part) in faults for part in wordings.PARTS)
    own = letters.Own() if bad else wordings.own(words, locale, again=kind == "remind")
    made = letters.letter(
        sample, address="", link=links.address(tool().settings.public_url, "…"), locale=locale,
        again=kind == "remind", own=own,
    )  # fmt: skip
    return {
        "locale": locale,
        "title": _titles()[locale, kind],
        "fields": [
            {
                "name": f"{locale}.{kind}.{part}",
                "long": part == "text",
                "most": wordings.LONGEST[part],
                "text": words.get((locale, kind, part), ""),
                "fault": _fault(faults.get((locale, kind, part), ""), part),
            }
            for part in wordings.PARTS
        ],
        "bad": bad,
        "subject": made.subject,
        "body": made.text.strip(),
    }


def _titles() -> dict[tuple[str, str], str]:
    return {
        ("fr", "invite"): gettext("L’invitation, en français"),
        ("fr", "remind"): gettext("Le rappel, en français"),
        ("en", "invite"): gettext("L’invitation, en anglais"),
        ("en", "remind"): gettext("Le rappel, en anglais"),
    }


def _fault(code: str, part: str) -> str:
    if not code:
        return ""
    return {
        "too_long": gettext("Trop long : %(most)s signes au plus.", most=number(wordings.LONGEST[part])),
        "line": gettext("L’objet tient en une ligne."),
        "braces": gettext("Une accolade n’est pas fermée, ou entoure autre chose qu’un nom."),
    }.get(code) or gettext("%(place)s ne veut rien dire ici.", place=code)
