"""The trainee's questionnaires: those to answer, the form, thanks."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, surveys
from lti_tool.formatting import day, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.services import marks
from lti_tool.surveys import SurveyError, reminders
from lti_tool.surveys import box as survey_box
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import asking
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import CoursePage, open_person, reading
from tool_config.database import transaction
from tool_config.surveys import Survey


def _key() -> bytes:
    return survey_box.key(tool().settings.secret_key)


def _k() -> int:
    return tool().rules.disclosure.course


def invitations(conn: Connection, page: CoursePage) -> list[dict[str, Any]]:
    """Return the questionnaires open to the viewer, those to answer first."""
    today, now, who = page.frames.today, tool().clock(), viewer()
    reminded = reminders.reminded(conn, who.silo_id, who.course_id)
    return [
        {
            "title": item.module_title or label(item.survey.template.title),
            "late": not item.answered and _is_late(item.survey, reminded, now),
            "url": url_for("pages.survey", survey_id=item.survey.survey_id),
            "answered": item.answered,
            "again": item.answered and item.survey.mode != "anonymous",
            "say": _invitation(item.survey, today),
        }
        for item in surveys.for_trainee(conn, who, now=now, key=_key())
    ]


def _is_late(asked: Survey, reminded: Collection[str], now: datetime) -> bool:
    """Say whether a questionnaire is recalled: its tutor asks for it, or it closes soon; no anonymous one."""
    soon = asked.closes_at - now <= timedelta(days=tool().rules.surveys.reminder_days)
    return asked.mode == "pseudonymous" and (soon or asked.survey_id in reminded)


def _invitation(asked: Survey, today: Any) -> str:
    return " · ".join(
        (
            ngettext("%(num)d minute environ", "%(num)d minutes environ", asked.template.minutes),
            survey_wording.mode_label(asked.mode),
            gettext(
                "jusqu’au %(day)s inclus",
                day=short_day(survey_wording.last_day(asked.closes_at, g.zone), today),
            ),
        )
    )


def survey(launch: str, survey_id: UUID) -> str:
    """Show the form of a questionnaire, with one's own answers if they may be changed."""
    access.require(viewer(), "trainee")
    with reading() as conn:
        page, _ = open_person(conn, viewer().course_id, viewer().actor)
        asked = _find(conn, survey_id)
        answered = surveys.has_answered(conn, asked, viewer().actor, key=_key())
        own = surveys.own_answers(conn, asked, viewer().actor)
    if asked.state(tool().clock()) != "open":
        return _not_open(page, asked)
    if answered and asked.mode == "anonymous":
        return _said(page, asked, "already")
    return _form(page, asked, asking.written(asked.template, own), str(uuid.uuid4()), {})


def _find(conn: Connection, survey_id: UUID) -> Survey:
    try:
        return surveys.find(conn, viewer().silo_id, viewer().course_id, str(survey_id))
    except SurveyError:
        raise access.NotFound from None


def _form(
    page: CoursePage, asked: Survey, values: Mapping[str, str], attempt: str, errors: Mapping[str, str]
) -> str:
    questions = asking.blocks(asked.template, values, errors)
    place = page.setting.modules.get(asked.module)
    return render_template(
        "trainee/survey.html",
        page_title=label(asked.template.title),
        shell=page.shell("me"),
        back_url=url_for("pages.me"),
        here=url_for("pages.survey_send", survey_id=asked.survey_id),
        title=label(asked.template.title),
        module=place.title if place else "" if asked.module else gettext("toute la session"),
        length=ngettext("%(num)d question", "%(num)d questions", len(questions)),
        minutes=ngettext("%(num)d minute environ", "%(num)d minutes environ", asked.template.minutes),
        mode=survey_wording.mode_for_trainee(asked.mode, _k()),
        marked=_is_marked(asked),
        readers=survey_wording.readers(_k()),
        anonymous=asked.mode == "anonymous",
        again=bool(values) and not errors,
        questions=questions,
        faults=sum(1 for question in questions if question["error"]),
        attempt=attempt,
        draft=_draft(asked),
        closes=asked.closes_at.isoformat(timespec="seconds"),
    )


def _is_marked(asked: Survey) -> bool:
    """Tell whether taking part is told to the gradebook: who answers must know."""
    with reading() as conn:
        return marks.is_on(conn, asked.silo_id, asked.course_id, asked.survey_id)


def _draft(asked: Survey) -> str:
    """Return the name under which a browser keeps the draft: of this person, in this questionnaire."""
    message = f"draft\n{asked.survey_id}\n{viewer().actor}".encode()
    return hmac.new(tool().settings.secret_key.encode(), message, hashlib.sha256).hexdigest()[:24]


def survey_send(launch: str, survey_id: UUID) -> Answer | tuple[str, int]:
    """Take the answers; the same form sent twice changes nothing."""
    access.require(viewer(), "trainee")
    answers = asking.sent(request.form)
    attempt = request.form.get("attempt", "")
    try:
        with transaction(tool().engine, viewer().silo_id) as conn:
            asked = _find(conn, survey_id)
            outcome = surveys.submit(
                conn, asked, viewer(), answers, attempt, now=tool().clock(), key=_key(), k=_k()
            )
    except SurveyError as error:
        return _refused(survey_id, error, answers, attempt)
    return redirect(url_for("pages.survey_thanks", survey_id=survey_id, done=outcome), 303)


def _refused(
    survey_id: UUID, error: SurveyError, answers: Mapping[str, str], attempt: str
) -> tuple[str, int]:
    if error.code == "not_trainee":
        raise access.Forbidden
    with reading() as conn:
        page, _ = open_person(conn, viewer().course_id, viewer().actor)
        asked = _find(conn, survey_id)
    if error.code in ("closed", "not_open_yet"):
        return _not_open(page, asked, sent=True), 409
    if error.code == "bad_attempt":
        attempt = str(uuid.uuid4())
    return _form(page, asked, answers, attempt, error.fields), 400


def survey_thanks(launch: str, survey_id: UUID) -> str:
    """Thank, and say what became of the answers."""
    access.require(viewer(), "trainee")
    with reading() as conn:
        page, _ = open_person(conn, viewer().course_id, viewer().actor)
        asked = _find(conn, survey_id)
        others = [item for item in invitations(conn, page) if not item["answered"]]
    return _said(page, asked, request.args.get("done", ""), others)


def _said(page: CoursePage, asked: Survey, outcome: str, others: list[dict[str, Any]] | None = None) -> str:
    anonymous = asked.mode == "anonymous"
    kept = {
        "replaced": gettext("Vos nouvelles réponses ont pris la place des précédentes."),
        "repeated": gettext("Vos réponses étaient déjà arrivées : elles sont comptées une seule fois."),
        "already": gettext(
            "Vous aviez déjà répondu : comme le questionnaire est anonyme, cette réponse ne peut être ni "
            "relue ni changée, et une seule est comptée."
        ),
    }.get(outcome, gettext("Vos réponses sont enregistrées."))
    advice = (
        gettext("Rien ne les relie à vous.")
        if anonymous
        else gettext("Vous pouvez les changer jusqu’à la clôture, depuis votre page.")
    )
    return render_template(
        "trainee/thanks.html",
        page_title=gettext("Merci"),
        shell=page.shell("me"),
        title=gettext("Vous avez déjà répondu")
        if outcome == "already"
        else gettext("Merci de votre réponse"),
        kept=kept,
        advice="" if outcome == "already" else advice,
        readers=survey_wording.readers(_k()),
        back_url=url_for("pages.me"),
        draft=_draft(asked),
        others=others or [],
    )


def _not_open(page: CoursePage, asked: Survey, *, sent: bool = False) -> str:
    today = page.frames.today
    if asked.state(tool().clock()) == "scheduled":
        when = asked.opens_at.astimezone(g.zone).date()
        title = gettext("Ce questionnaire n’est pas encore ouvert")
        kept = gettext("Il ouvre %(when)s.", when=day(when, today))
    else:
        last = survey_wording.last_day(asked.closes_at, g.zone)
        title = gettext("Ce questionnaire est clos")
        kept = (
            gettext("Il s’est fermé avant votre envoi : vos réponses n’ont pas été enregistrées.")
            if sent
            else gettext("Il s’est fermé %(when)s.", when=day(last, today))
        )
    return render_template(
        "trainee/thanks.html",
        page_title=title,
        shell=page.shell("me"),
        title=title,
        kept=kept,
        advice=gettext("Votre parcours reste ouvert comme avant."),
        readers="",
        back_url=url_for("pages.me"),
        draft="",
        others=[],
    )
