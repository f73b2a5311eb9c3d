"""The pages of a launch: their addresses, and where each role enters."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask_babel import Babel
from werkzeug.wrappers import Response

from lti_tool import access, definitions
from lti_tool.language import gettext, install_messages
from lti_tool.web import (
    adapting,
    admin,
    aftermath,
    answering,
    by_link,
    bystanding,
    choosing,
    comments,
    comparing,
    competencies,
    complaining,
    compliance,
    connections,
    correspondences,
    council,
    crossing,
    discretion,
    editing,
    erasing,
    evidence,
    filters,
    guard,
    importing,
    improvement_list,
    improvement_place,
    improving,
    invited,
    journal,
    letters,
    modality,
    my_data,
    opening,
    origins,
    participants,
    path_list,
    pathways,
    placing,
    preparation,
    profiling,
    quality,
    received_module,
    registration,
    reminding,
    retaining,
    satisfaction,
    saving,
    services,
    signing_in,
    sizing,
    tables,
    trainee,
    trend,
    tutor,
)
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, admin_tabs, leave_url, open_course, open_person, reading
from tool_config.roles import PROFILES

LANGUAGES = ("fr", "en")

blueprint = Blueprint("pages", __name__, url_prefix="/c/<launch>")
guard.protect(blueprint)

_COURSE = "/courses/<int(signed=True):course_id>"
_SURVEY = f"{_COURSE}/satisfaction/<uuid:survey_id>"
_LOG = f"{_COURSE}/improvements"
#: endpoint, address, view, methods
_ROUTES: tuple[tuple[str, str, Any, tuple[str, ...]], ...] = (
    ("me", "/me", trainee.me, ("GET",)),
    ("complaint", "/complaint", complaining.complaint, ("GET",)),
    ("complaint_send", "/complaint", complaining.complaint_send, ("POST",)),
    ("improvements_all", "/improvements", improvement_list.improvements_all, ("GET",)),
    ("improvements_all_print", "/improvements/print", improvement_list.improvements_all_print, ("GET",)),
    ("improvements", _LOG, improvement_list.improvements, ("GET",)),
    ("improvements_print", f"{_LOG}/print", improvement_list.improvements_print, ("GET",)),
    ("improvement_new", f"{_LOG}/new", improving.improvement_new, ("GET",)),
    ("improvement_add", f"{_LOG}/new", improving.improvement_add, ("POST",)),
    ("improvement", f"{_LOG}/<uuid:improvement_id>", improving.improvement, ("GET",)),
    ("improvement_change", f"{_LOG}/<uuid:improvement_id>", improving.improvement_change, ("POST",)),
    ("sessions", "/sessions", admin.session_list, ("GET",)),
    ("origins", "/origins", origins.origins_page, ("GET",)),
    ("choices", "/choices", choosing.choices_page, ("GET",)),
    ("crossing", "/crossing", crossing.crossing_page, ("GET",)),
    ("sizing", "/sizing", sizing.sizing_page, ("GET",)),
    ("modality", "/modality", modality.modality_page, ("GET",)),
    ("aftermath", "/aftermath", aftermath.aftermath_page, ("GET",)),
    ("pathways", "/pathways", pathways.pathways_page, ("GET",)),
    ("competencies", "/competencies", competencies.competencies_page, ("GET",)),
    ("adapt", "/adapt", adapting.adapt, ("GET",)),
    ("adapt_module", "/adapt/<int:path_id>", adapting.adapt_module, ("GET",)),
    ("comments_all", "/comments", comments.comments_all, ("GET",)),
    ("comments_all_change", "/comments", comments.comments_all_change, ("POST",)),
    ("correspondences", "/correspondences", correspondences.correspondences, ("GET",)),
    ("correspondence_add", "/correspondences", correspondences.correspondence_add, ("POST",)),
    ("path_list", "/paths", path_list.path_list, ("GET",)),
    ("path_assign", "/paths", path_list.path_assign, ("POST",)),
    ("path_change", "/paths/<int:path_id>", path_list.path_change, ("POST",)),
    ("quality", "/quality", quality.quality_page, ("GET",)),
    ("journal", "/journal", journal.journal, ("GET",)),
    ("retention", "/retention", retaining.retention_page, ("GET",)),
    ("retention_set", "/retention", retaining.retention_set, ("POST",)),
    ("erasures", "/erasures", erasing.erasures, ("GET",)),
    ("erasure_add", "/erasures", erasing.erasure_add, ("POST",)),
    ("erasure", "/erasures/<request_id>", erasing.erasure_page, ("GET",)),
    ("erasure_decide", "/erasures/<request_id>", erasing.erasure_decide, ("POST",)),
    ("information", "/information", my_data.told, ("GET",)),
    ("information_seen", "/information", my_data.information_seen, ("POST",)),
    ("my_data", "/my-data", my_data.my_data, ("GET",)),
    ("my_data_ask", "/my-data", my_data.my_data_ask, ("POST",)),
    ("my_data_file", "/my-data/files/<export_id>/<form>", my_data.my_data_file, ("GET",)),
    ("my_data_forget", "/my-data/files/<export_id>", my_data.my_data_forget, ("POST",)),
    ("my_objection", "/my-data/objection", my_data.my_objection, ("POST",)),
    ("my_settings", "/me/settings", discretion.my_settings, ("GET",)),
    ("my_settings_send", "/me/settings", discretion.my_settings_send, ("POST",)),
    ("course_settings", f"{_COURSE}/privacy", discretion.course_settings, ("GET",)),
    ("course_settings_send", f"{_COURSE}/privacy", discretion.course_settings_send, ("POST",)),
    ("person_pause", f"{_COURSE}/people/<actor>/pause", discretion.person_pause, ("POST",)),
    ("my_erasure", "/me/erasure", erasing.my_erasure, ("GET",)),
    ("my_erasure_send", "/me/erasure", erasing.my_erasure_send, ("POST",)),
    ("profiles", "/profiles", profiling.profiles_page, ("GET",)),
    ("profile_grant", "/profiles", profiling.profile_grant, ("POST",)),
    ("profile_change", "/profiles/<grant_id>", profiling.profile_change, ("POST",)),
    ("saved_views", "/views", saving.saved_views, ("GET",)),
    ("saved_view_add", "/views", saving.saved_view_add, ("POST",)),
    ("saved_view_received", "/views/received", saving.saved_view_received, ("POST",)),
    ("saved_view_open", "/views/<view_id>", saving.saved_view_open, ("GET",)),
    ("saved_view_change", "/views/<view_id>", saving.saved_view_change, ("POST",)),
    ("saved_view_file", "/views/files/<export_id>/<form>", saving.saved_view_file, ("GET",)),
    ("leave", "/leave", profiling.leave, ("POST",)),
    ("connections", "/connections", connections.connections, ("GET",)),
    ("invitation_add", "/connections", connections.invitation_add, ("POST",)),
    (
        "invitation_withdraw",
        "/connections/<invitation_id>/withdraw",
        connections.invitation_withdraw,
        ("POST",),
    ),
    ("compliance", "/compliance", compliance.compliance, ("GET",)),
    ("compliance_save", "/compliance", compliance.compliance_save, ("POST",)),
    ("compliance_ask", "/compliance/files", compliance.compliance_ask, ("POST",)),
    ("compliance_file", "/compliance/files/<export_id>/<form>", compliance.compliance_file, ("GET",)),
    ("compliance_forget", "/compliance/files/<export_id>", compliance.compliance_forget, ("POST",)),
    ("evidence", "/evidence", evidence.evidence_page, ("GET",)),
    ("evidence_ask", "/evidence", evidence.evidence_ask, ("POST",)),
    ("evidence_file", "/evidence/<export_id>/<form>", evidence.evidence_file, ("GET",)),
    ("evidence_forget", "/evidence/<export_id>", evidence.evidence_forget, ("POST",)),
    ("comparison", "/comparison", comparing.comparison, ("GET",)),
    ("comparison_add", "/comparison", comparing.comparison_add, ("POST",)),
    ("comparison_export", "/comparison/export", comparing.comparison_export, ("GET",)),
    ("comparison_remove", "/comparison/<file_id>", comparing.comparison_remove, ("POST",)),
    ("council_note", "/council", council.council_note, ("GET",)),
    ("council_ask", "/council", council.council_ask, ("POST",)),
    ("council_file", "/council/<export_id>/<form>", council.council_file, ("GET",)),
    ("council_forget", "/council/<export_id>", council.council_forget, ("POST",)),
    ("imports", "/imports", importing.import_list, ("GET",)),
    ("import_add", "/imports", importing.import_add, ("POST",)),
    ("import_one", "/imports/<file_id>", importing.import_one, ("GET",)),
    ("import_change", "/imports/<file_id>", importing.import_change, ("POST",)),
    ("import_replay", "/imports/<file_id>/replay", importing.import_replay, ("POST",)),
    ("standard_add", "/standards", importing.standard_add, ("POST",)),
    ("standard_file", "/standards/<kind>/<name>", importing.standard_file, ("GET",)),
    ("letters", "/letters", letters.letters_page, ("GET",)),
    ("letters_save", "/letters", letters.letters_save, ("POST",)),
    ("template_list", "/questionnaires", editing.template_list, ("GET",)),
    ("template_copy", "/questionnaires", editing.template_copy, ("POST",)),
    ("template_edit", "/questionnaires/<template_id>", editing.template_edit, ("GET",)),
    ("template_save", "/questionnaires/<template_id>", editing.template_save, ("POST",)),
    ("template_preview", "/questionnaires/<template_id>/preview", editing.template_preview, ("GET",)),
    ("template_withdraw", "/questionnaires/<template_id>/withdraw", editing.template_withdraw, ("POST",)),
    ("placing", "/placing", placing.placing, ("GET",)),
    ("placing_send", "/placing", placing.placing_send, ("POST",)),
    ("gone", "/gone", placing.gone, ("GET",)),
    ("today", f"{_COURSE}/today", tutor.today, ("GET",)),
    ("modules", f"{_COURSE}/modules", tutor.modules, ("GET",)),
    ("module", f"{_COURSE}/modules/one", tutor.module, ("GET",)),
    ("people", f"{_COURSE}/people", participants.people_list, ("GET",)),
    ("roster_update", f"{_COURSE}/people/roster", services.roster_update, ("POST",)),
    ("people_aside", f"{_COURSE}/people/aside", bystanding.people_aside, ("POST",)),
    ("person", f"{_COURSE}/people/<actor>", participants.person, ("GET",)),
    ("message", f"{_COURSE}/people/<actor>/message", participants.message, ("GET",)),
    ("outline", f"{_COURSE}/outline", preparation.outline_page, ("GET",)),
    ("outline_save", f"{_COURSE}/outline", preparation.outline_save, ("POST",)),
    ("gathering_add", f"{_COURSE}/outline/gatherings", preparation.gathering_add, ("POST",)),
    ("outline_import", f"{_COURSE}/outline/import", preparation.outline_import, ("POST",)),
    ("mark_people", f"{_COURSE}/marks/<mark_id>", services.mark_people, ("GET",)),
    ("mark_switch", f"{_COURSE}/marks/<mark_id>", services.mark_switch, ("POST",)),
    ("attendance", f"{_COURSE}/attendance", preparation.attendance_page, ("GET",)),
    ("attendance_save", f"{_COURSE}/attendance", preparation.attendance_save, ("POST",)),
    ("satisfaction", f"{_COURSE}/satisfaction", satisfaction.satisfaction_page, ("GET",)),
    ("received_module", f"{_COURSE}/satisfaction/module", received_module.received_module, ("GET",)),
    ("session_trend", f"{_COURSE}/satisfaction/sessions", trend.session_trend, ("GET",)),
    ("debrief_new", f"{_COURSE}/satisfaction/heard", received_module.debrief_new, ("GET",)),
    ("debrief_add", f"{_COURSE}/satisfaction/heard", received_module.debrief_add, ("POST",)),
    (
        "debrief_remove",
        f"{_COURSE}/satisfaction/heard/<uuid:debrief_id>/remove",
        received_module.debrief_remove,
        ("POST",),
    ),
    ("path_trend", "/paths/<int:path_id>/satisfaction", trend.path_trend, ("GET",)),
    ("comments", f"{_COURSE}/satisfaction/comments", comments.comments_page, ("GET",)),
    ("comments_change", f"{_COURSE}/satisfaction/comments", comments.comments_change, ("POST",)),
    ("survey_new", f"{_COURSE}/satisfaction/new", opening.survey_new, ("GET",)),
    ("survey_open", f"{_COURSE}/satisfaction/new", opening.survey_open, ("POST",)),
    ("survey_summary", _SURVEY, satisfaction.survey_summary, ("GET",)),
    ("survey_waiting", f"{_SURVEY}/waiting", reminding.survey_waiting, ("GET",)),
    ("survey_remind", f"{_SURVEY}/waiting", reminding.survey_remind, ("POST",)),
    ("survey_links", f"{_SURVEY}/links", invited.survey_links, ("GET",)),
    ("survey_links_change", f"{_SURVEY}/links", invited.survey_links_change, ("POST",)),
    ("survey_prolong", f"{_SURVEY}/prolong", opening.survey_prolong, ("POST",)),
    ("survey_close", f"{_SURVEY}/close", opening.survey_close, ("POST",)),
    ("survey_cancel", f"{_SURVEY}/cancel", opening.survey_cancel, ("POST",)),
    ("survey", "/surveys/<uuid:survey_id>", answering.survey, ("GET",)),
    ("survey_send", "/surveys/<uuid:survey_id>", answering.survey_send, ("POST",)),
    ("survey_thanks", "/surveys/<uuid:survey_id>/thanks", answering.survey_thanks, ("GET",)),
)
for _endpoint, _address, _view, _methods in _ROUTES:
    blueprint.add_url_rule(_address, _endpoint, _view, methods=list(_methods))
tables.mount(blueprint)


def install(app: Flask) -> None:
    """Mount the pages and give the application its languages and template filters."""
    if "babel" not in app.extensions:
        Babel(app, default_locale="fr", locale_selector=language)
    install_messages(app)
    filters.install(app)
    app.jinja_env.globals["note_url"] = improvement_place.note_url
    app.jinja_env.globals["leave_url"] = leave_url
    app.jinja_env.globals["own_links"] = my_data.links
    app.jinja_env.globals["save_form"] = saving.form
    tables.install(app)
    app.register_blueprint(registration.blueprint)
    app.register_blueprint(by_link.blueprint)
    app.register_blueprint(signing_in.blueprint)
    app.register_blueprint(saving.blueprint)
    app.register_blueprint(blueprint)


def language() -> str:
    """Return the language of the page: that of the launch, else the browser's, else French."""
    wanted = str(g.get("locale") or "")[:2]
    if wanted in LANGUAGES:
        return wanted
    return request.accept_languages.best_match(LANGUAGES) or "fr" if not wanted else "fr"


@blueprint.get("/")
def enter(launch: str) -> Response:
    """Lead to what the link holds, else to the page of the role; first to what must be read before."""
    with reading() as conn:
        if my_data.must_be_told(conn):
            return redirect(url_for("pages.information", launch=launch), 303)
        chosen = None if viewer().is_profile else placing.destination(conn, viewer())
    if chosen is not None:
        return redirect(chosen, 303)
    match viewer().role:
        case "tutor":
            return redirect(url_for("pages.today", launch=launch, course_id=viewer().course_id), 303)
        case "trainee":
            return redirect(url_for("pages.me", launch=launch), 303)
        case "admin":
            return redirect(url_for("pages.sessions", launch=launch), 303)
    if not viewer().is_profile:
        raise access.Forbidden
    first = next(iter(admin_tabs("")), None)
    return redirect(first.url if first else url_for("pages.about_all", launch=launch), 303)


@blueprint.get(f"{_COURSE}/about")
def about(launch: str, course_id: int) -> str:
    """Say how the figures of a course are computed."""
    with reading() as conn:
        if viewer().role == "trainee":
            page, _ = open_person(conn, course_id, viewer().actor)
        else:
            page = open_course(conn, course_id)
    return _about(page.shell("about"))


@blueprint.get("/about")
def about_all(launch: str) -> str:
    """Say how the figures of the sessions are computed."""
    access.require(viewer(), "admin", *PROFILES)
    with reading() as conn:
        return _about(admin_shell(conn, "") if viewer().is_profile else admin.shell(conn))


def _about(shell: Any) -> str:
    return render_template(
        "about.html",
        page_title=gettext("Comment ces chiffres sont calculés"),
        shell=shell,
        definitions=definitions.glossary(tool().rules),
    )
