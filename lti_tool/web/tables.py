"""Every table of the pages as files: one function gives the table, CSV and XLSX say the same.

A page adds its table by a line of `TABLES`: a name, the address without its suffix, and a function that
takes what the address holds, authorises it like the page, and returns a `Table` of the same figures. The page
then prints ``{{ marks.files(table_url("name")) }}``: the filters of its address go along.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, g, request, url_for

from lti_tool.exports import Table, csv_file, xlsx_file
from lti_tool.exports.tables import Written
from lti_tool.language import gettext
from lti_tool.web import (
    adapting,
    admin,
    aftermath,
    choosing,
    comments,
    comparing,
    competencies,
    connections,
    correspondences,
    council,
    crossing,
    evidence,
    importing,
    improvement_list,
    journal,
    modality,
    my_data,
    origins,
    participants,
    path_list,
    pathways_tables,
    preparation,
    profiling,
    quality,
    received_module,
    satisfaction,
    saving,
    services,
    sizing,
    trainee,
    trend,
    tutor,
)
from lti_tool.web.guard import tool
from lti_tool.web.shell import note

FORMS = ("csv", "xlsx")
_MIMES = {"csv": "text/csv", "xlsx": xlsx_file.MIME}
_COURSE = "/courses/<int(signed=True):course_id>"
#: name, address without its suffix, function that gives the table
TABLES: tuple[tuple[str, str, Callable[..., Table]], ...] = (
    ("sessions", "/sessions", admin.sessions_table),
    ("origins", "/origins", origins.origins_table),
    ("choices", "/choices", choosing.choices_table),
    ("choices_years", "/choices/years", choosing.choices_years_table),
    ("choices_pairs", "/choices/pairs", choosing.choices_pairs_table),
    ("crossing", "/crossing", crossing.crossing_table),
    ("sizing", "/sizing", sizing.sizing_table),
    ("sizing_paths", "/sizing/paths", sizing.sizing_paths_table),
    ("modality", "/modality", modality.modality_table),
    ("modality_hours", "/modality/hours", modality.hours_table),
    ("aftermath", "/aftermath", aftermath.aftermath_table),
    ("aftermath_site", "/aftermath/site", aftermath.audience_table),
    ("adapt", "/adapt", adapting.adapt_table),
    ("competencies", "/competencies", competencies.competencies_table),
    ("trainer_teams", "/competencies/teams", competencies.trainers_table),
    ("pix_levels", "/competencies/pix", competencies.pix_table),
    ("hours_owed", "/competencies/hours", competencies.hours_table),
    ("pathways_stops", "/pathways/stops", pathways_tables.stops_table),
    ("pathways_ways", "/pathways/ways", pathways_tables.ways_table),
    ("pathways_links", "/pathways/links", pathways_tables.links_table),
    ("correspondences", "/correspondences", correspondences.rates_table),
    ("links", "/correspondences/links", correspondences.links_table),
    ("unmatched", "/correspondences/left", correspondences.left_table),
    ("paths", "/paths", path_list.paths_table),
    ("quality", "/quality", quality.sources_table),
    ("findings", "/quality/findings", quality.findings_table),
    ("source_fields", "/quality/fields", quality.fields_table),
    ("source_facts", "/quality/facts", quality.facts_table),
    ("source_months", "/quality/months", quality.months_table),
    ("journal", "/journal", journal.journal_table),
    ("looks", "/my-data/looks", my_data.looks_table),
    ("profiles", "/profiles", profiling.profiles_table),
    ("saved_views", "/views", saving.views_table),
    ("connections", "/connections", connections.platforms_table),
    ("invitations", "/connections/invitations", connections.invitations_table),
    ("packs", "/evidence/packs", evidence.packs_table),
    ("comparison", "/comparison", comparing.comparison_table),
    ("notes", "/council/notes", council.notes_table),
    ("imports", "/imports", importing.files_table),
    ("datasets", "/imports/datasets", importing.datasets_table),
    ("import_counts", "/imports/<file_id>/counts", importing.counts_table),
    ("import_refused", "/imports/<file_id>/refused", importing.refused_table),
    ("my_path", "/me/path", trainee.path_table),
    ("my_pace", "/me/pace", trainee.pace_table),
    ("weeks", f"{_COURSE}/today", tutor.weeks_table),
    ("modules", f"{_COURSE}/modules", tutor.modules_table),
    ("activities", f"{_COURSE}/modules/one", tutor.activities_table),
    ("people", f"{_COURSE}/people", participants.people_table),
    ("path_of", f"{_COURSE}/people/<actor>/path", participants.path_table),
    ("outline", f"{_COURSE}/outline", preparation.outline_table),
    ("attendance", f"{_COURSE}/attendance", preparation.attendance_table),
    ("marks", f"{_COURSE}/marks/<mark_id>", services.marks_table),
    ("satisfaction", f"{_COURSE}/satisfaction", satisfaction.satisfaction_table),
    ("themes", f"{_COURSE}/satisfaction/comments", comments.course_table),
    ("themes_all", "/comments", comments.all_table),
    ("improvements", f"{_COURSE}/improvements", improvement_list.course_table),
    ("improvements_all", "/improvements", improvement_list.silo_table),
    ("survey", f"{_COURSE}/satisfaction/<uuid:survey_id>/answers", satisfaction.survey_table),
    ("survey_groups", f"{_COURSE}/satisfaction/<uuid:survey_id>/groups", received_module.groups_table),
    ("received", f"{_COURSE}/satisfaction/module", received_module.received_table),
    ("session_trend", f"{_COURSE}/satisfaction/sessions", trend.session_trend_table),
    ("path_trend", "/paths/<int:path_id>/satisfaction", trend.path_trend_table),
)


def of_page(rule: str) -> list[Callable[..., Table]]:
    """Return what gives the tables of a page, by its address without what stands before it."""
    placed = _arguments(rule)
    return [
        maker
        for _name, address, maker in TABLES
        if (address == rule or address.startswith(f"{rule}/")) and _arguments(address) == placed
    ]


def _arguments(address: str) -> set[str]:
    return set(re.findall(r"<(?:[^:<>]+:)?(\w+)>", address))


def mount(blueprint: Blueprint) -> None:
    """Give every table its two addresses."""
    for name, address, maker in TABLES:
        for form in FORMS:
            blueprint.add_url_rule(f"{address}.{form}", f"{name}_{form}", _view(maker, form))


def install(app: Flask) -> None:
    """Give the templates the addresses of the files."""
    app.jinja_env.globals.update(table_url=table_url, forms=forms)


def _view(maker: Callable[..., Table], form: str) -> Callable[..., Response]:
    def view(launch: str, **arguments: Any) -> Response:
        table = maker(**arguments)
        note("export", course_id=arguments.get("course_id"), subject=arguments.get("actor"))
        return answer(table, form)

    return view


def table_url(name: str, **values: Any) -> str:
    """Return the address of a table's CSV, with what the address of the page at hand chooses."""
    kept = {
        key: value
        for key, value in request.args.items()
        if not key.startswith("_") and key not in ("done", "page", "launch", "form")
    }
    return url_for(f"pages.{name}_csv", **{**kept, **(request.view_args or {}), **values})


def forms(csv_url: str) -> list[tuple[str, str]]:
    """Return the files of a table, from the address of its CSV: (form, address)."""
    path, mark, query = csv_url.partition("?")
    stem = path.removesuffix(".csv")
    return [(form.upper(), f"{stem}.{form}{mark}{query}") for form in FORMS]


def answer(table: Table, form: str) -> Response:
    """Return a table as a file to keep, named and dated."""
    now = tool().clock().astimezone(g.get("zone") or ZoneInfo("UTC"))
    body = csv_file.content(table) if form == "csv" else _workbook(table, now)
    made = Response(body, mimetype=_MIMES[form])
    name = f"estime-{table.name}-{now.date().isoformat()}.{form}"
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made


def _workbook(table: Table, now: datetime) -> bytes:
    about: list[tuple[str, Written]] = [
        (gettext("Tableau"), table.title),
        (gettext("Fait le"), now),
        (gettext("Fuseau horaire"), str(now.tzinfo)),
    ]
    return xlsx_file.content([table], about, title=table.title, made_at=now)
