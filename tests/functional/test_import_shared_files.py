"""What becomes of every file of the folders that imports are made for: where it goes, or why it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from lti_tool.imports import running
from lti_tool.imports.preparation import Preparation
from tests.factories.imports import HOME, prepared
from xapi.sources.cells import SENTENCES, TableFault

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
FOLDERS = ("survey-*", "moodle-logs-*", "weblogs-*", "matomo-exports", "oulad", "ref-france")
SAID = {
    "questionnaire": "Enquête", "site": "https://moodle.test", "session": "S1", "framework": "Sigles",
}  # fmt: skip

#: File -> (dataset proposed, rows that go in, rows refused); a word alone: refused, and why ("none": no
#: dataset is proposed, the page says so and lets one be chosen).
FILES: dict[str, tuple[str, int, int] | str] = {
    "survey-hdv2003-fr/hdv2003.csv": ("survey_answers", 1190, 0),
    "survey-limesurvey-rse/public_data_2017_can.csv": ("survey_answers", 110, 0),
    "survey-limesurvey-rse/public_data_2017_nl.csv": ("survey_answers", 77, 0),
    "survey-limesurvey-rse/public_data_2017_uk.csv": ("survey_answers", 253, 0),
    "survey-online-science/pre_survey.csv": ("survey_answers", 1102, 0),
    "survey-online-science/sci_mo_processed.csv": ("survey_answers", 354, 0),
    "survey-turkiye-evaluation/questions.csv": "none",
    "survey-turkiye-evaluation/turkiye-student-evaluation.csv": ("survey_answers", 3507, 0),
    # Marks, minutes and records in tables of their own shape, one column a thing: no standard is so.
    **{
        f"moodle-logs-edify/{kind} Module {module}.csv": "none"
        for kind in ("Activity", "KMS", "Result", "VL")
        for module in ("1 F19", "3 SP17", "5 SP18")
    },
    "moodle-logs-edify/Moodle Module 1 F19.csv": ("moodle_logs", 7033, 0),
    "moodle-logs-edify/Moodle Module 3 SP17.csv": ("moodle_logs", 696, 0),
    "moodle-logs-edify/Moodle Module 5 SP18.csv": ("moodle_logs", 2137, 3),
    "moodle-logs-fr-derived/journaux_Module_3_SP17.csv": ("moodle_logs", 696, 0),
    "weblogs-apache/access_1.log": ("consultations", 658, 0),
    # A log may hold no page that was found: nothing goes in, and the report says so.
    **{
        f"weblogs-formats/{name}.log": ("consultations", rows, 0)
        for name, rows in {
            "alb": 1, "amazon_cloudfront_rtmp": 1, "amazon_cloudfront_web": 1, "caddy_json": 1, "common": 0,
            "common_complete": 0, "common_encoding_big5": 0, "common_vhost": 0, "elb": 1, "gandi": 1,
            "haproxy": 0, "icecast2": 0, "iis": 1, "iis_custom": 1, "incapsula_w3c": 1, "logs_to_tests": 1,
            "ncsa_extended": 0, "netscaler": 0, "nginx_json": 1, "ovh": 0, "s3": 1, "shoutcast": 1,
            "splitted_date_and_time": 1, "static_ignores": 1, "traefik_json": 1,
        }.items()
    },
    "weblogs-formats/custom_regex_custom_date.log": "unknown_log",
    "matomo-exports/exportDataSubject_oneVisitGiven.json": "visits",
    "matomo-exports/live_visit_example.json": "visits",
    "matomo-exports/matomo_columns_en_fr.csv": "none",
    "matomo-exports/test_Contents__Live.getLastVisitsDetails_day.xml": "visits",
    "matomo-exports/test_csvExport__Live.getLastVisitsDetails_day.csv": "visits",
    "matomo-exports/test_OneVisitorTwoVisits_bulk_json__API.getBulkRequest.json": "several_reports",
    "matomo-exports/test_OneVisitorTwoVisits_csv__API.get_month.csv": ("consultations", 1, 0),
    "matomo-exports/test_TwoVisitors_twoWebsites_differentDays_schedrep_in_csv__ScheduledReports."
    "generateReport_month.original.csv": ("consultations", 2, 0),
    "matomo-exports/test_csvExport_multi__VisitsSummary.get_week.csv": ("consultations", 1, 0),
    "matomo-exports/test_csvExport_xp1_inner0_trans-en__VisitsSummary.get_day.csv": ("consultations", 1, 0),
    "matomo-exports/test_csvExport_xp1_inner1_trans-de__VisitsSummary.get_day.csv": ("consultations", 1, 0),
    "matomo-exports/test_trackGoals_pages__Actions.getPageUrls_week.xml": ("consultations", 4, 0),
    # What is assessed, what is clicked: a dataset has neither, and proposes none of its own instead.
    "oulad/assessments.csv": "none",
    "oulad/courses.csv": ("sessions", 12, 0),
    "oulad/studentAssessment.csv": ("assessment_results", 95985, 0),
    "oulad/studentInfo.csv": ("people", 18008, 1355),
    "oulad/studentRegistration.csv": ("enrolments", 19363, 0),
    "oulad/studentVle_sample_AAA_2013J.csv": "none",
    "oulad/vle.csv": "none",
    # The tool has its own tables of academies, corps and zones: these serve no import.
    **{
        f"ref-france/{name}.csv": "none"
        for name in (
            "academies", "annuaire_etablissements", "cog_departements", "cog_regions", "corps_en_enesr",
            "departements_academies", "sigles_encadrement",
        )
    },
}  # fmt: skip
#: Those that take seconds: each is imported whole by another test, or in `make soak`.
_LONG = {
    "moodle-logs-edify/Moodle Module 1 F19.csv", "moodle-logs-edify/Moodle Module 5 SP18.csv",
    "survey-limesurvey-rse/public_data_2017_uk.csv",
    "survey-turkiye-evaluation/turkiye-student-evaluation.csv",
    "oulad/studentAssessment.csv", "oulad/studentInfo.csv", "oulad/studentRegistration.csv",
    "survey-online-science/pre_survey.csv", "survey-hdv2003-fr/hdv2003.csv",
    "moodle-logs-edify/Moodle Module 3 SP17.csv", "weblogs-apache/access_1.log",
    "survey-limesurvey-rse/public_data_2017_nl.csv", "moodle-logs-fr-derived/journaux_Module_3_SP17.csv",
}  # fmt: skip


def test_every_file_is_named(shared_data: Path) -> None:
    there = {
        str(path.relative_to(shared_data))
        for folder in FOLDERS
        for path in shared_data.glob(f"{folder}/*")
        if not path.name.startswith(("README", "LICENSE"))
    }
    assert there == set(FILES)


def look(engine: Engine, silo: int, clock: Any, path: Path) -> Preparation:
    ready = prepared(engine, silo, path, clock())
    given = {field.field.id: SAID[field.field.id] for field in ready.faults}
    if not given:
        return ready
    return prepared(
        engine, silo, path, clock(), ready.file.kind, constants={**ready.file.constants, **given}
    )  # fmt: skip


@sqlite_only
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in _LONG else name for name in FILES]
)
def test_each_file_goes_in_or_is_refused_with_a_reason(
    engine: Engine, silo: int, clock: Any, shared_data: Path, name: str
) -> None:
    expected = FILES[name]
    if isinstance(expected, str) and expected != "none":
        with pytest.raises(TableFault) as fault:
            look(engine, silo, clock, shared_data / name)
        assert fault.value.code == expected
        assert len(SENTENCES[expected]) > 20
        return
    ready = look(engine, silo, clock, shared_data / name)
    if expected == "none":
        assert (ready.standard, ready.file.kind) == (None, "")
        return
    assert ready.faults == ()
    done = running.run(engine, silo, ready.file.file_id, clock=clock, home=HOME)
    taken = done.position - done.refused
    assert (done.state, done.kind, taken, done.refused) == ("done", *expected)
