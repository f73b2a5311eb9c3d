"""The tutor's tab Satisfaction: how modules are received, questionnaires opened, read and closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import g, render_template, request
from sqlalchemy import Connection

from analyzers import disclosure, shrinkage
from analyzers.comments import masking
from analyzers.survey_results import SurveySummary
from lti_tool import access, depth_words, surveys, wording
from lti_tool.comments import rosters
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number
from lti_tool.imports import opinions
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import SurveyError, reception
from lti_tool.surveys import closing as survey_closing
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import deepening, noting, receiving, services
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import CoursePage, open_course, reading
from lti_tool.web.trend import ranked
from lti_tool.wording import Place
from tool_config.surveys import Survey

#: Comments shown at once under one question.
_COMMENTS = 30


def _k() -> int:
    return tool().rules.disclosure.course


def satisfaction_page(launch: str, course_id: int) -> str:
    """Show how each module is received, and the questionnaires."""
    with reading() as conn:
        page = open_course(conn, course_id)
        received = receiving.read(conn, page)
    places = page.setting.modules
    matrix = _matrix(page, received)
    ranking = shrinkage.rank(_shares(received))
    names = {iri: wording.module_label(place.position, place.title) for iri, place in places.items()}
    return render_template(
        "tutor/satisfaction.html",
        page_title=gettext("Satisfaction"),
        shell=page.shell("satisfaction", page.url("satisfaction_csv")),
        lead=survey_wording.lead(received.modules, places, received.best, received.least),
        modules=_module_rows(page, received, matrix),
        items=matrix,
        questionnaires=[_survey_row(page, summary) for summary in received.summaries],
        ranking=ranked(ranking, names),
        ranking_said=depth_words.ranking(ranking, [names[one.key] for one in ranking.estimates]),
        whole_url=page.url("received_module", module="")
        if any(not summary.module for summary in received.summaries)
        else None,
        trend_url=page.url("session_trend"),
        heard_url=page.url("debrief_new") if viewer().role == "tutor" else None,
        csv_url=page.url("satisfaction_csv"),
        may_open=viewer().role == "tutor",
        comments_url=page.url("comments") if viewer().role == "tutor" else None,
        new_url=page.url("survey_new"),
        reading=reading_notes(),
    )


def _shares(received: receiving.Received) -> dict[str, tuple[int, int]]:
    """Return the favourable overall answers published of each module: (count, n)."""
    shares = {iri: summary.overall.favourable for iri, summary in received.modules.items()}
    return {iri: (share.count or 0, share.n) for iri, share in shares.items() if share.n}


def reading_notes() -> list[str]:
    """Return the sentences of « comment lire »."""
    k = number(_k())
    return [
        gettext(
            "Avis favorables : les deux réponses les plus hautes de la question d’ensemble. Le point est "
            "leur part, le trait son intervalle à 95 % (Wilson ; population finie quand la liste des "
            "inscrits est connue) : plus il est long, moins il y a de réponses."
        ),
        gettext(
            "Le module le moins bien reçu n’est nommé que si tout son intervalle est sous la part des autres "
            "modules réunis."
        ),
        gettext(
            "Rien n’est montré sous %(k)s réponses. Tant que le questionnaire est ouvert, les chiffres "
            "avancent par blocs de %(k)s, pour qu’aucune réponse ne puisse être isolée.",
            k=k,
        ),
    ]


def _matrix(page: CoursePage, received: receiving.Received) -> list[tuple[str, str]]:
    """Return the items asked about modules, once each: (question, short name)."""
    found: dict[str, str] = {}
    for summary in received.modules.values():
        for item in summary.items:
            found.setdefault(item.question.id, label(item.question.short))
    return list(found.items())


def _module_rows(
    page: CoursePage, received: receiving.Received, matrix: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    cells = receiving.cells(page, received)
    rows = []
    for iri, place in page.setting.modules.items():
        summary = received.modules.get(iri)
        shares = {item.question.id: item.favourable for item in summary.items} if summary else {}
        rows.append(
            {
                "label": wording.module_label(place.position, place.title),
                "iri": iri,
                "sides_url": page.url("received_module", module=iri),
                "cell": cells.get(iri),
                "median": _median(summary),
                "items": [shares[name].value if name in shares else None for name, _ in matrix],
                "least": iri == received.least,
                "ask_url": page.url("survey_new", module=iri) if viewer().role == "tutor" else None,
            }
        )
    return rows


def _median(summary: SurveySummary | None) -> str:
    """Write the median of the overall answers, with the points of its own scale."""
    if summary is None or summary.overall.median is None:
        return "–"
    points = number(len(summary.overall.question.values))
    return gettext("%(median)s sur %(points)s", median=number(summary.overall.median, 1), points=points)


def _survey_row(page: CoursePage, summary: SurveySummary) -> dict[str, Any]:
    place = page.setting.modules.get(summary.module)
    return {
        "label": _place_label(place, summary.module),
        "asked": label(summary.title),
        "phase": _phase(summary),
        "url": page.url("survey_summary", survey_id=summary.survey_id),
        "state": summary.state,
        "state_label": survey_wording.state(summary, page.frames.today, g.zone),
        "mode": survey_wording.origin(summary.mode, opinions.from_file(summary.survey_id)),
        "received": survey_wording.received(summary, _k()),
        "words": survey_wording.withheld(summary, _k())
        or ngettext("%(num)d réponse publiée", "%(num)d réponses publiées", summary.basis.n),
    }


def _phase(summary: SurveySummary) -> str:
    """Name when a questionnaire comes, and who answers it when it is not the trainees."""
    phase = depth_words.phases()[summary.phase]
    if summary.audience != "trainees":
        return f"{phase} · {depth_words.audiences()[summary.audience]}"
    return phase if phase != label(summary.title) else ""


def _place_label(place: Place | None, module: str) -> str:
    """Name what a questionnaire speaks of: a module, or the session as a whole."""
    if place is not None:
        return wording.module_label(place.position, place.title)
    return gettext("Module retiré") if module else gettext("La session entière")


# --- one questionnaire --------------------------------------------------------------------------------


def survey_summary(launch: str, course_id: int, survey_id: UUID) -> str:
    """Show what is published of one questionnaire."""
    return summary_page(course_id, survey_id)


def summary_page(course_id: int, survey_id: UUID, errors: Mapping[str, str] | None = None) -> str:
    """Show one questionnaire, with the faults of its form."""
    with reading() as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        summary = reception.one(
            conn,
            asked,
            enrolled=page.overview.enrolled,
            now=tool().clock(),
            k=_k(),
            partial=page.overview.basis.partial,
        )
        comments = _comments(conn, page, asked, summary) if viewer().role == "tutor" else []
        left_out = survey_closing.left_out(conn, asked, k=_k()) if summary.state == "open" else 0
        mark = services.mark_block(conn, page, asked.survey_id)
        made = receiving.depths(conn, page).get(asked.survey_id) if summary.state == "closed" else None
    return render_template(
        "tutor/satisfaction_one.html",
        mark=mark,
        groups_url=page.url("survey_groups_csv", survey_id=asked.survey_id) if made else "",
        **deepening.context(page, asked, summary, made),
        **_summary_context(page, asked, summary, comments, left_out, errors or {}),
    )


def find(conn: Connection, course_id: int, survey_id: UUID) -> Survey:
    """Return a questionnaire of a course; access.NotFound."""
    try:
        return surveys.find(conn, viewer().silo_id, course_id, str(survey_id))
    except SurveyError:
        raise access.NotFound from None


def _summary_context(
    page: CoursePage,
    asked: Survey,
    summary: SurveySummary,
    comments: list[dict[str, Any]],
    left_out: int,
    errors: Mapping[str, str],
) -> dict[str, Any]:
    place = page.setting.modules.get(asked.module)
    name = _place_label(place, asked.module)
    why = survey_wording.wording_few(_k())
    zone, today, before = g.zone, page.frames.today, summary.phase == "avant"
    overall = receiving.bars([summary.overall], why) if not summary.suppressed else []
    items = receiving.bars(summary.items, why) if not summary.suppressed else []
    return {
        "page_title": name,
        "shell": page.shell("satisfaction", page.url("survey_csv", survey_id=asked.survey_id)),
        "back_url": page.url("satisfaction"),
        "name": name,
        "points": len(asked.template.overall.scale),
        "title": label(asked.template.title),
        "summary": summary,
        "state_label": survey_wording.state(summary, today, zone),
        "mode_label": survey_wording.origin(asked.mode, opinions.from_file(asked.survey_id)),
        "received": survey_wording.received(summary, _k()),
        "counted": disclosure.enough(summary.received, _k()),
        "withheld": survey_wording.withheld_long(summary, _k()) if summary.suppressed else "",
        "next_step": survey_wording.next_step(summary),
        "overall_title": survey_wording.overall_title(summary.overall, before=before),
        "favourable": survey_wording.favourable(summary.overall.favourable, before=before),
        "named": survey_wording.favourable_name(before=before),
        "interval": survey_wording.interval(summary.overall.favourable),
        "overall": overall,
        "overall_key": receiving.key(overall),
        "bars": items,
        "objects": deepening.by_object(summary, items) if items else [],
        "object_keys": deepening.keys(items),
        "choices": deepening.choices(summary) if not summary.suppressed else [],
        "positioning": (position := deepening.positioning(summary) if not summary.suppressed else []),
        "position_key": receiving.key(position),
        "module_url": page.url("received_module", module=asked.module),
        "links_url": page.url("survey_links", survey_id=asked.survey_id)
        if summary.state != "closed" and (viewer().role == "tutor" or asked.template.audience != "trainees")
        else None,
        "comments": comments,
        "csv_url": page.url("survey_csv", survey_id=asked.survey_id),
        "may_change": viewer().role == "tutor" and summary.state != "closed",
        "left_out": left_out,
        "closes": request.form.get("closes", survey_wording.last_day(asked.closes_at, zone).isoformat()),
        "errors": {name: survey_wording.error(code) for name, code in errors.items()},
        "prolong_url": page.url("survey_prolong", survey_id=asked.survey_id),
        "close_url": page.url("survey_close", survey_id=asked.survey_id),
        "cancel_url": page.url("survey_cancel", survey_id=asked.survey_id),
        "reading": reading_notes(),
    }


def _comments(
    conn: Connection, page: CoursePage, asked: Survey, summary: SurveySummary
) -> list[dict[str, Any]]:
    """Return the comments of each open question, a page of them at a time; none under the threshold."""
    groups = []
    known = rosters.roster(conn, asked.silo_id, asked.course_id) if summary.comments else masking.NOBODY
    for group in summary.comments:
        if group.count is None:
            continue
        key = f"from-{group.question.id}"
        text = request.args.get(key, "0")
        start = min(int(text), group.count) if text.isascii() and text.isdigit() and len(text) < 7 else 0
        texts = reception.comments(conn, asked, group.question.id, k=_k(), limit=_COMMENTS, offset=start)
        here = {"survey_id": asked.survey_id, "_anchor": f"comments-{group.question.id}"}
        after = start + _COMMENTS
        groups.append(
            {
                "id": group.question.id,
                "title": label(group.question.text),
                "count": group.count,
                "texts": [masking.mask(text, known) for text in texts],
                "more_url": page.url("survey_summary", **here, **{key: after})
                if after < group.count
                else None,
                "first_url": page.url("survey_summary", **here) if start else None,
            }
        )
    return groups


# --- files --------------------------------------------------------------------------------------------


def satisfaction_table(course_id: int) -> Table:
    """Return what is published of every questionnaire of the course, a line a question."""
    with reading() as conn:
        page = open_course(conn, course_id)
        summaries = receiving.read(conn, page).summaries
    return _table(page, gettext("Satisfaction"), summaries)


def survey_table(course_id: int, survey_id: UUID) -> Table:
    """Return what is published of one questionnaire, a line a question."""
    with reading() as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        summaries = receiving.read(conn, page).summaries
    chosen = [item for item in summaries if item.survey_id == str(survey_id)]
    return _table(page, label(asked.template.title), chosen)


def _table(page: CoursePage, title: str, summaries: Sequence[SurveySummary]) -> Table:
    points = _points(summaries)
    columns: Columns = [
        gettext("Module"), gettext("Réponses"), gettext("Ouverture"), gettext("Dernier jour"),
        gettext("Question posée"), gettext("Ont répondu"), gettext("Non montré"), gettext("Médiane"),
        gettext("Avis favorables"), Column(gettext("Part"), percent=True),
        Column(gettext("Borne basse"), percent=True), Column(gettext("Borne haute"), percent=True),
        *(str(point) for point in points),
    ]  # fmt: skip
    rows = [row for summary in summaries for row in _rows(page, summary, points)]
    words = [(gettext("Satisfaction"), survey_wording.definition(_k()))]
    return Table("satisfaction", title, columns, rows, noting.course(page, words))


def _points(summaries: Sequence[SurveySummary]) -> list[int]:
    """Return the points of every scale that was asked: a column each."""
    items = [item for summary in summaries for item in (summary.overall, *summary.items)]
    return sorted({value for item in items for value in item.question.values})


def _rows(page: CoursePage, summary: SurveySummary, points: Sequence[int]) -> list[tuple[Cell, ...]]:
    place = page.setting.modules.get(summary.module)
    name = _place_label(place, summary.module)
    rows: list[tuple[Cell, ...]] = []
    for item in (summary.overall, *summary.items):
        share = item.favourable
        counts = {bar.value: bar.count for bar in item.distribution}
        rows.append(
            (
                name,
                survey_wording.received(summary, _k()),
                summary.opens_at.astimezone(g.zone).date(),
                survey_wording.last_day(summary.closes_at, g.zone),
                label(item.question.text),
                item.n,
                (survey_wording.withheld(summary, _k()) or survey_wording.wording_few(_k()))
                if item.suppressed
                else "",
                item.median,
                share.count,
                share.value,
                share.low,
                share.high,
                *(counts.get(point) for point in points),
            )
        )
    return rows
