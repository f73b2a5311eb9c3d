"""Who has not answered a pseudonymous questionnaire, and the reminder put on their page."""

from __future__ import annotations

from uuid import UUID

from flask import g, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, wording
from lti_tool.formatting import day, number
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import SurveyError, reminders
from lti_tool.surveys.reminders import Listed
from lti_tool.surveys.wording import label
from lti_tool.web.guard import tool, viewer
from lti_tool.web.satisfaction import find
from lti_tool.web.shell import note, open_course, reading
from tool_config.database import transaction


def survey_waiting(launch: str, course_id: int, survey_id: UUID) -> str:
    """List who had not answered when the figures last moved; tutors only, since it names people."""
    access.require(viewer(), "tutor")
    k, now = tool().rules.disclosure.course, tool().clock()
    with reading() as conn:
        page = open_course(conn, course_id)
        access.require_people(page.access)
        asked = find(conn, course_id, survey_id)
        try:
            found = reminders.listed(conn, asked, now=now, k=k)
        except SurveyError:
            raise access.NotFound from None
        sent = reminders.sent(conn, asked)
        names = page.names(conn)
    note("look", course_id=course_id)
    place = page.setting.modules.get(asked.module)
    people = [
        {"name": names[actor], "url": page.url("person", actor=actor)}
        for actor in found.actors
        if actor in names
    ]
    return render_template(
        "tutor/survey_waiting.html",
        page_title=gettext("Qui n’a pas encore répondu"),
        shell=page.shell("satisfaction"),
        back_url=page.url("survey_summary", survey_id=survey_id),
        title=wording.module_label(place.position, place.title) if place else label(asked.template.title),
        lead=_lead(found, len(people), k),
        people=sorted(people, key=lambda one: one["name"].casefold()),
        lag=gettext(
            "La liste bouge avec les chiffres, par étapes : les réponses arrivées depuis (au plus "
            "%(most)s) n’en sont pas encore retirées, pour qu’aucune ne puisse être reconnue. Sous %(k)s "
            "personnes, personne n’est nommé.",
            most=number(k - 1),
            k=number(k),
        ),
        remind_url=url_for("pages.survey_remind", course_id=course_id, survey_id=survey_id),
        last=day(sent[0].astimezone(g.zone).date(), page.frames.today) if sent else "",
        waiting=bool(found.actors) or found.few,
    )


def _lead(found: Listed, count: int, k: int) -> str:
    if found.few:
        return gettext(
            "Moins de %(k)s personnes n’ont pas encore répondu : elles ne sont pas nommées.", k=number(k)
        )
    return (
        ngettext(
            "%(num)d personne n’avait pas répondu à la dernière étape.",
            "%(num)d personnes n’avaient pas répondu à la dernière étape.",
            count,
        )
        if count
        else gettext("Tout le monde a répondu.")
    )


def survey_remind(launch: str, course_id: int, survey_id: UUID) -> Answer:
    """Put a reminder on the page of each person who has not answered."""
    access.require(viewer(), "tutor")
    who, now = viewer(), tool().clock()
    with transaction(tool().engine, who.silo_id) as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        try:
            reminders.remind(conn, asked, by=who.actor, now=now)
        except SurveyError:
            raise access.NotFound from None
        audit.write(
            conn, who.silo_id, at=now, action="edit", accepted=True, actor=who.actor, course_id=course_id
        )
    return redirect(page.url("survey_waiting", survey_id=survey_id, done="recalled"), 303)
