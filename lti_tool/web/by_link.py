"""The questionnaire of somebody who comes by a link: the form alone, thanks, or why the link opens nothing.

The link is the only authority here: no cookie is read, no other page of the tool is linked to. The form
carries a token made of the link, so that no other page may send it, and no address is told to anybody
(`Referrer-Policy: no-referrer`; requests are logged by route).
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool.formatting import day, long_day, number, short_day
from lti_tool.invited import links
from lti_tool.invited.links import Found, LinkError
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import SurveyError, rows
from lti_tool.surveys import box as survey_box
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import asking, guard
from lti_tool.web.guard import tool
from lti_tool.web.shell import set_time
from tool_config import silos
from tool_config.database import transaction
from tool_config.surveys import Survey

blueprint = Blueprint("by_link", __name__)

#: Unknown links that one address may try a minute, and requests that one link may make.
GUESSES = 30
REQUESTS = 60
_STATUS = {"unknown": 404, "used": 410, "closed": 410, "not_open_yet": 403, "form": 403, "many": 429}


@blueprint.after_request
def _seal(response: Response) -> Response:
    sealed = guard.seal(response)
    # The address is the link.
    sealed.headers["Referrer-Policy"] = "no-referrer"
    sealed.headers["X-Robots-Tag"] = "noindex, nofollow"
    return sealed


def _key() -> bytes:
    return survey_box.key(tool().settings.secret_key)


def _k() -> int:
    return tool().rules.disclosure.course


@blueprint.get("/answer/<token>")
def form(token: str) -> Response:
    """Show the form; opening it uses nothing up."""
    if request.method == "HEAD":
        return make_response("")
    try:
        with _reading(token) as conn:
            found = links.check(
                conn, token, secret_key=tool().settings.secret_key, key=_key(), now=tool().clock()
            )
            _limit(token)
            _settle(conn, found)
            return make_response(_form(conn, token, found, {}, str(uuid.uuid4()), {}))
    except LinkError as error:
        return _refused(token, error)


@blueprint.post("/answer/<token>")
def send(token: str) -> Answer:
    """Take the answers; the link is good for these only."""
    here, answers, attempt = tool(), asking.sent(request.form), request.form.get("attempt", "")
    try:
        with transaction(here.engine, _silo(token)) as conn:
            found = links.find(conn, token, secret_key=here.settings.secret_key)
            _limit(token)
            if not _is_ours(token):
                raise LinkError("form", found)
            try:
                _, outcome = links.submit(
                    conn, token, answers, attempt,
                    secret_key=here.settings.secret_key, key=_key(), k=_k(), now=here.clock(),
                )  # fmt: skip
            except SurveyError as error:
                if error.code not in ("invalid", "bad_attempt"):
                    raise LinkError("closed", found) from None
                _settle(conn, found)
                fresh = attempt if error.code == "invalid" else str(uuid.uuid4())
                return make_response(_form(conn, token, found, answers, fresh, error.fields), 400)
    except LinkError as error:
        return _refused(token, error)
    return redirect(url_for("by_link.thanks", token=token, done=outcome), 303)


@blueprint.get("/answer/<token>/thanks")
def thanks(token: str) -> Response:
    """Thank; the page holds nothing of what was answered."""
    try:
        with _reading(token) as conn:
            found = links.find(conn, token, secret_key=tool().settings.secret_key)
            institution = _settle(conn, found)
    except LinkError as error:
        return _refused(token, error)
    kept = (
        gettext("Vos réponses étaient déjà arrivées : elles sont comptées une seule fois.")
        if request.args.get("done") == "repeated"
        else gettext("Vos réponses sont enregistrées.")
    )
    said = [kept, gettext("Vous pouvez fermer cette page : le lien a servi.")]
    return _said(200, institution, gettext("Merci de votre réponse"), said, found)


# --- what stands before -------------------------------------------------------------------------------


def _silo(token: str) -> int:
    silo_id = links.silo_of(token)
    if silo_id is None:
        raise LinkError("unknown")
    return silo_id


def _reading(token: str) -> Any:
    return transaction(tool().engine, _silo(token), write=False)


def _limit(token: str) -> None:
    """Count the requests of one link; LinkError("many")."""
    here = tool()
    minute = int(here.clock().timestamp() // 60)
    mark = links.digest(here.settings.secret_key, token)[:32]
    if here.cache.increment(f"link:{mark}:{minute}", 60.0) > REQUESTS:
        raise LinkError("many")


def _form_token(token: str) -> str:
    """Return what the form sends back: made of the link, so that only its own page knows it."""
    message = f"answer form\n{token}".encode()
    return hmac.new(tool().settings.secret_key.encode(), message, hashlib.sha256).hexdigest()


def _is_ours(token: str) -> bool:
    sent = request.form.get("csrf_token", "").encode("utf-8", "replace")
    same_site = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    return same_site and hmac.compare_digest(sent, _form_token(token).encode())


def _settle(conn: Connection, found: Found) -> str:
    """Fix the language and the time of the page; return the name of the institution."""
    owner = silos.get(conn, found.survey.silo_id)
    g.locale = found.one.locale
    set_time(tool().clock(), ZoneInfo(owner.time_zone))
    return owner.name


# --- pages --------------------------------------------------------------------------------------------


def _form(
    conn: Connection,
    token: str,
    found: Found,
    values: Mapping[str, str],
    attempt: str,
    errors: Mapping[str, str],
) -> str:
    asked = found.survey
    questions = asking.blocks(asked.template, values, errors)
    modules = rows.module_titles(conn, asked.silo_id, asked.course_id)
    return render_template(
        "invited/answer.html",
        page_title=label(asked.template.title),
        institution=silos.get(conn, asked.silo_id).name,
        here=url_for("by_link.send", token=token),
        title=label(asked.template.title),
        about=modules.get(asked.module) or rows.place_of(conn, asked).course_title or "",
        length=ngettext("%(num)d question", "%(num)d questions", len(questions)),
        minutes=ngettext("%(num)d minute environ", "%(num)d minutes environ", asked.template.minutes),
        until=short_day(survey_wording.last_day(asked.closes_at, g.zone), g.today),
        readers=survey_wording.readers(_k()),
        mode=_mode(asked),
        anonymous=asked.mode == "anonymous",
        kept_days=number(tool().rules.surveys.addresses_days),
        questions=questions,
        faults=sum(1 for question in questions if question["error"]),
        attempt=attempt,
        draft=_draft(found),
        closes=asked.closes_at.isoformat(timespec="seconds"),
        csrf=_form_token(token),
    )


def _mode(asked: Survey) -> str:
    if asked.mode == "anonymous":
        return gettext(
            "Rien ne relie vos réponses à vous ni à votre lien, pas même dans la base de données. À moins de "
            "%(k)s réponses, elles sont détruites à la clôture.",
            k=number(_k()),
        )
    return gettext("Vos réponses sont gardées sous un pseudonyme : personne ne voit qui a répondu quoi.")


def _draft(found: Found) -> str:
    message = f"draft\n{found.survey.survey_id}\n{found.one.invited_id}".encode()
    return hmac.new(tool().settings.secret_key.encode(), message, hashlib.sha256).hexdigest()[:24]


def _refused(token: str, error: LinkError) -> Response:
    """Say why a link opens nothing and what to do; all unknown links get the same page."""
    institution, found = "", error.found
    if found is not None:
        with _reading(token) as conn:
            institution = _settle(conn, found)
    code = error.code
    if code == "unknown" and _guesses_too_much():
        code = "many"
    title, said = _why(code, found)
    return _said(_STATUS[code], institution, title, said, found if code == "used" else None)


def _guesses_too_much() -> bool:
    here = tool()
    minute = int(here.clock().timestamp() // 60)
    return here.cache.increment(f"link-guess:{request.remote_addr}:{minute}", 60.0) > GUESSES


def _why(code: str, found: Found | None) -> tuple[str, list[str]]:
    if code == "used":
        return gettext("Vous avez déjà répondu"), [
            gettext("Ce lien servait pour une seule réponse, et elle est arrivée : merci."),
            gettext("Si ce n’était pas vous, répondez au message qui portait le lien."),
        ]
    if code == "closed" and found is not None:
        last = survey_wording.last_day(found.survey.closes_at, g.zone)
        said = [gettext("Il s’est fermé %(when)s.", when=day(last, g.today))]
        if request.method == "POST":
            said = [gettext("Il s’est fermé avant votre envoi : vos réponses n’ont pas été enregistrées.")]
        return gettext("Ce questionnaire est clos"), [
            *said,
            gettext("Pour dire votre avis malgré tout, répondez au message qui portait le lien."),
        ]
    if code == "not_open_yet" and found is not None:
        when = long_day(found.survey.opens_at.astimezone(g.zone).date())
        return gettext("Ce questionnaire n’est pas encore ouvert"), [
            gettext("Il ouvre le %(day)s : gardez votre lien, il servira alors.", day=when)
        ]
    if code == "form":
        return gettext("Votre envoi n’a pas été pris en compte"), [
            gettext(
                "Le formulaire ne venait pas de la page du questionnaire. Rouvrez votre lien et renvoyez."
            )
        ]
    if code == "many":
        return gettext("Trop de demandes à la fois"), [
            gettext("Attendez une minute, puis rouvrez votre lien.")
        ]
    return gettext("Ce lien ne mène à aucun questionnaire"), [
        gettext("Il est incomplet, il a été remplacé, ou il a été supprimé après la clôture."),
        gettext(
            "Ouvrez-le depuis le message reçu, ou copiez-le en entier. S’il ne s’ouvre toujours pas, "
            "répondez à ce message."
        ),
    ]


def _said(status: int, institution: str, title: str, said: list[str], found: Found | None) -> Response:
    page = render_template(
        "invited/said.html",
        page_title=title,
        institution=institution,
        title=title,
        said=said,
        draft=_draft(found) if found is not None else "",
    )
    return make_response(page, status)
