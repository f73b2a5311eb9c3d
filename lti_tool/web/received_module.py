"""One module (or the whole session) as it is received: phases, audiences, expectations, what was heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from analyzers import views
from analyzers.results import Share
from analyzers.survey_results import ItemSummary, SurveySummary
from lti_tool import access, audit, debriefs, depth_words, wording
from lti_tool.debriefs import Debrief, DebriefError
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import day, number, percent
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import deepening, noting, receiving
from lti_tool.web.guard import tool, viewer
from lti_tool.web.satisfaction import find
from lti_tool.web.shell import CoursePage, open_course, reading
from tool_config.database import transaction
from tool_config.surveys import OBJECTS


def _k() -> int:
    return tool().rules.disclosure.course


def received_module(launch: str, course_id: int) -> str:
    """Show how one module is received, from all sides."""
    with reading() as conn:
        page = open_course(conn, course_id)
        module = _module(page)
        received = receiving.read(conn, page)
        heard = debriefs.read(conn, page.viewer.silo_id, course_id)
    spoken = views.speaking(received.summaries, module)
    trainees = {phase: one for (phase, who), one in spoken.items() if who == "trainees"}
    tutor = viewer().role == "tutor"
    return render_template(
        "tutor/satisfaction_module.html",
        page_title=_name(page, module),
        shell=page.shell("satisfaction", page.url("received_csv", module=module)),
        back_url=page.url("satisfaction"),
        name=_name(page, module),
        lead=_lead(trainees),
        phases=_columns(trainees.values(), depth_words.phases(), lambda one: one.phase),
        phase_rows=_item_rows(trainees.values()),
        audiences=_columns(_by_audience(spoken).values(), depth_words.audiences(), lambda one: one.audience),
        audience_rows=_object_rows(_by_audience(spoken).values()),
        before=_before(trainees),
        heard=[_heard(page, one) for one in heard if one.module == module] if tutor else [],
        debrief_url=page.url("debrief_new", module=module) if tutor else "",
        questionnaires=[
            {
                "url": page.url("survey_summary", survey_id=one.survey_id),
                "label": f"{depth_words.phases()[one.phase]} · {depth_words.audiences()[one.audience]}",
                "words": survey_wording.withheld(one, _k())
                or ngettext("%(num)d réponse publiée", "%(num)d réponses publiées", one.basis.n),
            }
            for one in spoken.values()
        ],
        csv_url=page.url("received_csv", module=module),
        trend_url=page.url("session_trend"),
        reading=_reading(),
    )


def _module(page: CoursePage) -> str:
    """Return the module asked for, "" for the whole session; access.NotFound for another."""
    module = request.args.get("module", "")
    if module and module not in page.setting.modules:
        raise access.NotFound
    return module


def _name(page: CoursePage, module: str) -> str:
    place = page.setting.modules.get(module)
    return wording.module_label(place.position, place.title) if place else gettext("La session entière")


def _lead(trainees: Mapping[str, SurveySummary]) -> str:
    names = depth_words.phases()
    after = {phase: one for phase, one in trainees.items() if phase != "avant"} or trainees
    said = [
        names[phase]
        + gettext(" : ")
        + survey_wording.favourable(one.overall.favourable, before=phase == "avant")
        for phase, one in after.items()
        if one.overall.favourable.value is not None
    ]
    if said:
        return ". ".join(said) + "."
    return gettext("Aucun résultat n’est encore publié.")


def _reading() -> list[str]:
    return [
        gettext(
            "Chaque colonne est le dernier questionnaire publié de cette phase, ou de ce public. Ce ne sont "
            "pas forcément les mêmes personnes : les intervalles (Wilson, 95 %, population finie quand la "
            "liste des inscrits est connue) disent ce que le petit nombre laisse dans l’ombre."
        ),
        gettext(
            "Par objet, les réponses à toutes les questions de l’objet sont réunies : une personne y compte "
            "plusieurs fois, et il n’y a donc pas d’intervalle."
        ),
        gettext("Rien n’est montré sous %(k)s réponses.", k=number(_k())),
    ]


# --- phases and audiences side by side ----------------------------------------------------------------


def _columns(found: Iterable[SurveySummary], names: Mapping[str, str], key: Any) -> list[dict[str, str]]:
    return [
        {
            "label": names[key(one)],
            "n": survey_wording.received(one, _k()),
            "rate": percent(one.response.value) if one.response.value is not None else "",
        }
        for one in found
    ]


def _by_audience(
    spoken: Mapping[tuple[str, str], SurveySummary],
) -> dict[str, SurveySummary]:
    """Return what speaks for each audience: of trainees, what they say after, the latest published."""
    found: dict[str, SurveySummary] = {}
    for name in depth_words.audiences():
        some = [one for (phase, who), one in spoken.items() if who == name and phase != "avant"]
        shown = [one for one in some if one.suppressed is None]
        if some:
            hot = [one for one in shown if one.phase == "a-chaud"]
            found[name] = (hot or shown or some)[-1]
    return found


def _cell(share: Share | None, whisker: bool = True) -> dict[str, Any]:
    if share is None or share.value is None:
        return {"mark": None, "share": "–", "interval": "", "n": ""}
    return {
        "mark": receiving.whisker(share) if whisker else None,
        "share": percent(share.value),
        "interval": survey_wording.interval(share),
        "n": number(share.n),
    }


def _item_rows(found: Iterable[SurveySummary]) -> list[dict[str, Any]]:
    """Return the overall opinion, then each item with its share in each phase that asks it."""
    columns = list(found)
    names = depth_words.objects()
    # What is expected and what is thought afterwards are two questions.
    overall: dict[str, list[dict[str, Any]]] = {}
    for place, one in enumerate(columns):
        text = label(one.overall.question.short) if one.phase == "avant" else gettext("Avis d’ensemble")
        overall.setdefault(text, [_cell(None)] * len(columns))[place] = _cell(one.overall.favourable)
    rows: list[dict[str, Any]] = [
        {"label": text, "object": "", "strong": True, "cells": cells} for text, cells in overall.items()
    ]
    for question, items in _shared(columns).items():
        first = next(item for item in items if item is not None)
        rows.append(
            {
                "label": label(first.question.short),
                "object": names[first.question.object or ""],
                "cells": [_cell(item.favourable if item else None) for item in items],
                "id": question,
            }
        )
    return rows


def _shared(columns: Sequence[SurveySummary]) -> dict[str, list[ItemSummary | None]]:
    """Return the items by name, in the order in which they are asked: one a column, or None."""
    found: dict[str, list[ItemSummary | None]] = {}
    for place, summary in enumerate(columns):
        for item in summary.items:
            found.setdefault(item.question.id, [None] * len(columns))[place] = item
    return found


def _object_rows(found: Iterable[SurveySummary]) -> list[dict[str, Any]]:
    """Return the overall opinion, then the answers about each object, a column an audience."""
    columns = list(found)
    pooled = [views.by_object(one) for one in columns]
    rows = [
        {
            "label": gettext("Avis d’ensemble"),
            "cells": [_cell(one.overall.favourable) for one in columns],
        }
    ]
    for name, text in depth_words.objects().items():
        if any(name in one for one in pooled):
            rows.append({"label": text, "cells": [_cell(one.get(name), False) for one in pooled]})
    return rows


def _before(trainees: Mapping[str, SurveySummary]) -> list[dict[str, Any]]:
    """Return what was expected beside what is said after, object by object; nothing without both."""
    before, after = trainees.get("avant"), trainees.get("a-chaud") or trainees.get("a-froid")
    if before is None or before.suppressed is not None or after is None or after.suppressed is not None:
        return []
    names = depth_words.objects()
    rows = []
    for name in (*OBJECTS, ""):
        sides = [
            [
                {"label": label(item.question.short), **_cell(item.favourable)}
                for item in one.items
                if (item.question.object or "") == name
            ]
            for one in (before, after)
        ]
        if any(sides):
            rows.append({"label": names[name], "before": sides[0], "after": sides[1]})
    overall = {
        "label": gettext("Dans l’ensemble"),
        "before": [{"label": label(before.overall.question.short), **_cell(before.overall.favourable)}],
        "after": [{"label": label(after.overall.question.short), **_cell(after.overall.favourable)}],
    }
    return [overall, *rows]


def received_table(course_id: int) -> Table:
    """Return every published share about a module, a line a question and questionnaire."""
    with reading() as conn:
        page = open_course(conn, course_id)
        module = _module(page)
        received = receiving.read(conn, page)
    columns: Columns = [
        gettext("Phase"), gettext("Public"), gettext("Objet"), gettext("Question posée"),
        gettext("Ont répondu"), gettext("Médiane"), gettext("Avis favorables"),
        Column(gettext("Part"), percent=True), Column(gettext("Borne basse"), percent=True),
        Column(gettext("Borne haute"), percent=True), gettext("Non montré"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    names = depth_words.objects()
    for one in views.speaking(received.summaries, module).values():
        for item in (one.overall, *one.items, *one.positioning):
            share = item.favourable
            rows.append(
                (
                    depth_words.phases()[one.phase],
                    depth_words.audiences()[one.audience],
                    names[item.question.object or ""] if item.question.object else "",
                    label(item.question.text),
                    item.n,
                    item.median,
                    share.count,
                    share.value,
                    share.low,
                    share.high,
                    (survey_wording.withheld(one, _k()) or survey_wording.wording_few(_k()))
                    if item.suppressed
                    else "",
                )
            )
    words = [(gettext("Satisfaction"), survey_wording.definition(_k()))]
    return Table("satisfaction-module", _name(page, module), columns, rows, noting.course(page, words))


def groups_table(course_id: int, survey_id: UUID) -> Table:
    """Return the groups of respondents sealed of one questionnaire."""
    with reading() as conn:
        page = open_course(conn, course_id)
        asked = find(conn, course_id, survey_id)
        made = receiving.depths(conn, page).get(asked.survey_id)
    return deepening.table(page, asked, made)


# --- debriefs -------------------------------------------------------------------------------------------


def _heard(page: CoursePage, one: Debrief) -> dict[str, Any]:
    """Return a record; of a group under the threshold its words are not quoted."""
    small = one.present < _k()
    return {
        "day": day(one.day, page.frames.today),
        "about": depth_words.objects()[one.about] if one.about else "",
        "present": wording_present(one.present),
        "said": "" if small else one.said,
        "small": small,
        "remove_url": page.url("debrief_remove", debrief_id=one.debrief_id),
    }


def wording_present(present: int) -> str:
    """Say how many people were there; not how many fewer than the threshold."""
    if present < _k():
        return gettext("moins de %(k)s personnes présentes", k=number(_k()))
    return ngettext("%(num)d personne présente", "%(num)d personnes présentes", present)


def debrief_new(launch: str, course_id: int) -> str:
    """Show the form that writes down what was heard together."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
    asked = {"module": request.args.get("module", ""), "day": page.frames.today.isoformat()}
    return _form(page, asked, {})


def _form(page: CoursePage, filled: Mapping[str, str], errors: Mapping[str, str]) -> str:
    return render_template(
        "tutor/debrief.html",
        page_title=gettext("Noter ce qui a été dit"),
        shell=page.shell("satisfaction"),
        back_url=page.url("received_module", module=filled.get("module", "")),
        here=page.url("debrief_add"),
        filled=filled,
        errors={name: depth_words.debrief_error(code) for name, code in errors.items()},
        modules=[
            ("", gettext("La session entière")),
            *(
                (iri, wording.module_label(place.position, place.title))
                for iri, place in page.setting.modules.items()
            ),
        ],
        objects=[(name, text) for name, text in depth_words.objects().items() if name],
        today=page.frames.today.isoformat(),
        longest=debriefs.LONGEST,
        k=_k(),
    )


def debrief_add(launch: str, course_id: int) -> Answer | tuple[str, int]:
    """Write down what was heard, or give the form back with its faults."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
    filled = {name: request.form.get(name, "") for name in ("module", "about", "said", "day", "present")}
    try:
        when = date.fromisoformat(filled["day"])
    except ValueError:
        return _form(page, filled, {"day": "day"}), 400
    people = filled["present"].strip()
    try:
        with transaction(tool().engine, viewer().silo_id) as conn:
            debriefs.write(
                conn,
                viewer().silo_id,
                course_id,
                module=filled["module"],
                about=filled["about"],
                said=filled["said"],
                day=when,
                present=int(people) if people.isascii() and people.isdigit() and len(people) < 5 else 0,
                by=viewer().actor,
                now=tool().clock(),
            )
            _record(conn, course_id)
    except DebriefError as error:
        return _form(page, filled, error.fields), 400
    return redirect(page.url("received_module", module=filled["module"], done="heard"), 303)


def debrief_remove(launch: str, course_id: int, debrief_id: UUID) -> Answer:
    """Take a record back."""
    access.require(viewer(), "tutor")
    with reading() as conn:
        page = open_course(conn, course_id)
        found = {one.debrief_id: one for one in debriefs.read(conn, page.viewer.silo_id, course_id)}
    one = found.get(str(debrief_id))
    if one is None:
        raise access.NotFound
    with transaction(tool().engine, viewer().silo_id) as conn:
        debriefs.remove(
            conn, viewer().silo_id, course_id, one.debrief_id, by=viewer().actor, now=tool().clock()
        )
        _record(conn, course_id)
    return redirect(page.url("received_module", module=one.module, done="unheard"), 303)


def _record(conn: Connection, course_id: int) -> None:
    who = viewer()
    audit.write(
        conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor, role=who.role,
        course_id=course_id,
    )  # fmt: skip
