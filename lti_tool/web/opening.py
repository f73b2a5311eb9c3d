"""Where a tutor opens a questionnaire, puts off its closing, closes it or takes it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit, invited, surveys, wording
from lti_tool.language import gettext
from lti_tool.surveys import SurveyError, alignment, library, naming, workload
from lti_tool.surveys import box as survey_box
from lti_tool.surveys import closing as survey_closing
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.surveys.workload import Workload
from lti_tool.web import satisfaction_form, services
from lti_tool.web.guard import tool, viewer
from lti_tool.web.satisfaction import find, summary_page
from lti_tool.web.satisfaction_form import Filled, Wanted
from lti_tool.web.shell import CoursePage, open_course, reading
from tool_config import surveys as templates
from tool_config.database import transaction
from tool_config.surveys import Survey, Template


def _k() -> int:
    return tool().rules.disclosure.course


def survey_new(launch: str, course_id: int) -> str:
    """Show the form that opens a questionnaire."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        marked = services.may_mark_surveys(conn, course_id)
        known = _known(conn, course_id)
    modules = page.setting.modules
    asked = request.args.get("module", "")
    first = asked if asked in modules else next(iter(modules), "")
    filled = satisfaction_form.blank(first, page.frames.today)
    wished = request.args.get("template", "")
    return _form(page, replace(filled, template=wished) if wished in known.offered else filled, marked, known)


@dataclass(frozen=True)
class _Known:
    """What may be opened in a course, and what was."""

    offered: Mapping[str, Template]
    opened: Sequence[Survey]

    def load(self, template: Template) -> Workload:
        """Return the minutes already asked of those whom a questionnaire asks."""
        return workload.of_session(self.opened, template.audience, tool().clock())

    def heavy(self, template: Template) -> str:
        """Warn when a questionnaire asks much of each person over the session; "" otherwise."""
        total, most = self.load(template).total + template.minutes, tool().rules.surveys.minutes
        return naming.too_long(total, most) if total > most else ""


def _known(conn: Connection, course_id: int) -> _Known:
    silo_id = viewer().silo_id
    return _Known(library.offered(conn, silo_id, course_id), surveys.listing(conn, silo_id, course_id))


def _form(page: CoursePage, filled: Filled, marked: bool, known: _Known) -> str:
    chosen = known.offered.get(filled.template)
    return render_template(
        "tutor/satisfaction_new.html",
        page_title=gettext("Demander un avis"),
        shell=page.shell("satisfaction"),
        back_url=page.url("satisfaction"),
        here=page.url("survey_open"),
        filled=filled,
        may_mark=marked,
        mark=request.form.get("mark") == "1",
        errors={
            name: known.heavy(chosen) if code == "heavy" and chosen else survey_wording.error(code)
            for name, code in filled.errors.items()
        },
        library_url=url_for("pages.template_list"),
        modules=[
            (iri, wording.module_label(place.position, place.title))
            for iri, place in page.setting.modules.items()
        ],
        templates=[_preview(template, filled, known) for template in known.offered.values()],
        modes=[
            (mode, survey_wording.mode_label(mode), survey_wording.mode_for_tutor(mode, _k()))
            for mode in templates.MODES
        ],
        today=page.frames.today,
    )


def _preview(template: Template, filled: Filled, known: _Known) -> dict[str, Any]:
    chosen = template.name == filled.template
    return {
        "name": template.name,
        "title": label(template.title),
        "minutes": template.minutes,
        "say": naming.place(template),
        "load": naming.asked_minutes(known.load(template), template.minutes),
        "heavy": bool(known.heavy(template)),
        "same": [label(question.text) for question in alignment.changes(template, known.opened)],
        "preview_url": url_for("pages.template_preview", template_id=template.name),
        "chosen": chosen,
        "questions": [
            {
                "text": label(question.text),
                "required": question.required,
                "ends": (label(question.scale[0].label), label(question.scale[-1].label))
                if question.scale
                else None,
                "options": ", ".join(label(option.label) for option in question.options),
            }
            for question in template.questions
            if question.included
        ],
        "options": [
            {"id": name, "text": text, "kind": kind, "on": chosen and name in filled.also}
            for name, text, kind in satisfaction_form.optional(template)
        ],
    }


def survey_open(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Open a questionnaire, or say beside each field what keeps it from opening."""
    access.require(viewer(), "tutor")
    now = tool().clock()
    with transaction(tool().engine, viewer().silo_id) as conn:
        page = open_course(conn, course_id)
        marked = services.may_mark_surveys(conn, course_id)
        mark = marked and request.form.get("mark") == "1"
        known = _known(conn, course_id)
        wanted, errors = satisfaction_form.read(request.form, now, g.zone, known.offered)
        if wanted is not None and request.form.get("anyway") != "1" and known.heavy(wanted.template):
            wanted, errors = None, {"anyway": "heavy"}
        if wanted is not None and mark and wanted.mode == "anonymous":
            wanted, errors = None, {"mode": "marked"}
        if wanted is not None:
            try:
                made = surveys.open_survey(
                    conn,
                    viewer().silo_id,
                    course_id,
                    module=_module(wanted, page),
                    template=wanted.template,
                    mode=wanted.mode,
                    opens_at=wanted.opens_at,
                    closes_at=wanted.closes_at,
                    by=viewer().actor,
                    now=now,
                )
                if mark:
                    place = page.setting.modules.get(wanted.module)
                    title = place.title if place else label(made.template.title)
                    services.start_with_survey(conn, course_id, made.survey_id, title)
                _record(conn, course_id)
                if wanted.template.audience != "trainees":
                    return redirect(
                        page.url("survey_links", survey_id=made.survey_id, done="survey_links"), 303
                    )
                return redirect(page.url("survey_summary", survey_id=made.survey_id, done="survey"), 303)
            except SurveyError as error:
                errors = satisfaction_form.errors_of(error.fields)
    return _form(page, satisfaction_form.filled(request.form, errors), marked, known), 400


def _module(wanted: Wanted, page: CoursePage) -> str:
    """Return the module asked about; what is no module of the course is refused by the domain."""
    known = wanted.template.scope == "session" or wanted.module in page.setting.modules
    return wanted.module if known else ""


def _record(conn: Connection, course_id: int) -> None:
    who = viewer()
    audit.write(
        conn,
        who.silo_id,
        at=tool().clock(),
        action="edit",
        accepted=True,
        actor=who.actor,
        course_id=course_id,
    )


def survey_prolong(launch: str, course_id: int, survey_id: UUID) -> Answer | tuple[str, int]:
    """Put off the closing."""
    access.require(viewer(), "tutor")
    last = satisfaction_form.day(request.form.get("closes", ""))
    error = "day"
    with transaction(tool().engine, viewer().silo_id) as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        if last is not None:
            try:
                surveys.prolong(conn, asked, satisfaction_form.end_of(last, g.zone), now=tool().clock())
                _record(conn, course_id)
                return redirect(page.url("survey_summary", survey_id=survey_id, done="prolonged"), 303)
            except SurveyError as caught:
                error = caught.fields.get("closes_at", "past")
    return summary_page(course_id, survey_id, {"closes": error}), 400


def survey_close(launch: str, course_id: int, survey_id: UUID) -> Answer:
    """Close now; a second click finds it closed and says so."""
    access.require(viewer(), "tutor")
    with transaction(tool().engine, viewer().silo_id) as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        key = survey_box.key(tool().settings.secret_key)
        try:
            survey_closing.close(conn, asked, now=tool().clock(), key=key, k=_k())
            _record(conn, course_id)
        except SurveyError as error:
            if error.code != "closed":
                raise access.NotFound from None
    return redirect(page.url("survey_summary", survey_id=survey_id, done="survey_closed"), 303)


def survey_cancel(launch: str, course_id: int, survey_id: UUID) -> Answer:
    """Take back a questionnaire that nobody answered."""
    access.require(viewer(), "tutor")
    with transaction(tool().engine, viewer().silo_id) as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        if asked.mode == "anonymous" and asked.state(tool().clock()) != "scheduled":
            # Whether it can be taken back would tell if anybody answered.
            return redirect(page.url("survey_summary", survey_id=survey_id, done="kept_anonymous"), 303)
        try:
            surveys.cancel(conn, asked)
            invited.forget(conn, asked)
        except SurveyError:
            return redirect(page.url("survey_summary", survey_id=survey_id, done="answered"), 303)
        _record(conn, course_id)
    return redirect(page.url("satisfaction", done="cancelled"), 303)
