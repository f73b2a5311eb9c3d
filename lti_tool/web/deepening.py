"""One questionnaire in depth, put into what its page draws: objects, options, groups, changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g

from analyzers import depth
from analyzers.depth import Breakdown, Depth, Representation
from analyzers.intervals import wilson
from analyzers.paired import Change
from analyzers.results import Share
from analyzers.survey_results import ChoiceSummary, SurveySummary
from lti_tool import depth_words
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import day, number, percent
from lti_tool.language import gettext
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web import noting, receiving
from lti_tool.web.guard import tool
from lti_tool.web.shell import CoursePage
from tool_config.surveys import OBJECTS, Survey


def _k() -> int:
    return tool().rules.disclosure.course


def by_object(summary: SurveySummary, drawn: Sequence[receiving.Bars]) -> list[dict[str, Any]]:
    """Return the bars of the items under what they are about, in the order of the objects."""
    names = depth_words.objects()
    pairs = list(zip(summary.items, drawn, strict=True))
    found: list[dict[str, Any]] = []
    for name in (*OBJECTS, ""):
        bars = [bar for item, bar in pairs if (item.question.object or "") == name]
        if bars:
            found.append({"label": names[name], "bars": bars})
    return found


def keys(drawn: Sequence[receiving.Bars]) -> list[list[tuple[str, str]]]:
    """Return the key of each scale that bars are drawn on, once each."""
    found: list[list[tuple[str, str]]] = []
    for bar in drawn:
        one = receiving.key([bar])
        if one and one not in found:
            found.append(one)
    return found


def choices(summary: SurveySummary) -> list[dict[str, Any]]:
    """Return the questions with options, each option with its share."""
    return [_choice(one) for one in summary.choices]


def _choice(one: ChoiceSummary) -> dict[str, Any]:
    return {
        "text": label(one.question.text),
        "n": number(one.n),
        "several": one.several,
        "suppressed": survey_wording.wording_few(_k()) if one.suppressed else "",
        "options": [
            {
                "label": label(bar.label),
                "count": bar.share.count,
                "share": percent(bar.share.value),
                "width": 100 * (bar.share.value or 0.0),
                "interval": survey_wording.interval(bar.share),
            }
            for bar in one.bars
        ],
    }


def positioning(summary: SurveySummary) -> list[receiving.Bars]:
    """Return the bars of self-positioning."""
    return receiving.bars(summary.positioning, survey_wording.wording_few(_k()))


# --- what is sealed -------------------------------------------------------------------------------------


def context(page: CoursePage, asked: Survey, summary: SurveySummary, made: Depth | None) -> dict[str, Any]:
    """Return what the page prints of a questionnaire's groups, or why it prints nothing."""
    if summary.suppressed or asked.template.audience != "trainees":
        return {"depth": None, "depth_why": ""}
    if made is None:
        return {"depth": None, "depth_why": _why_nothing(summary)}
    titles = {one.competency: label(one.short) for one in asked.template.positioning}
    traces = [one for one in made.breakdowns if one.cut != depth.STRAIGHT]
    told = [one for one in made.representations if one.groups]
    return {
        "depth_why": "",
        "depth": {
            "made_on": day(made.made_on, page.frames.today),
            "straight": depth_words.straight(made, _k()),
            "straight_rows": _rows(made.breakdown(depth.STRAIGHT), made),
            "representations": [_representation(one, made) for one in told],
            "no_origin": ""
            if told
            else gettext(
                "L’origine des participants n’est pas connue de l’outil, ou trop peu d’entre eux sont dans "
                "les fichiers : on ne peut pas dire si celles et ceux qui ont répondu leur ressemblent."
            )
            if not made.representations
            else depth_words.why_not(made.representations[0], _k()),
            "known": percent(made.known),
            "cuts": [_cut(one, made) for one in traces if not one.suppressed],
            "hidden": _hidden([one for one in traces if one.suppressed]),
            "observational": depth_words.observational(),
            "changes": [_change(one, titles) for one in made.changes],
        },
    }


def _why_nothing(summary: SurveySummary) -> str:
    if summary.mode == "anonymous":
        return gettext(
            "Ce questionnaire est anonyme : ses réponses ne sont rapprochées ni des traces ni de l’origine."
        )
    if summary.state != "closed":
        return gettext(
            "Les groupes (avancement, présence, origine, réponses en ligne droite) seront comptés une seule "
            "fois, après la clôture."
        )
    return gettext(
        "Les groupes ne sont pas encore comptés, ou ne peuvent pas l’être : clos avant son jour, le "
        "questionnaire laisse hors de ses chiffres des personnes que des groupes feraient reconnaître."
    )


def _rows(found: Breakdown | None, made: Depth) -> list[dict[str, Any]]:
    """Return the groups of a cut, each with its share, its mark and its distance from the others."""
    if found is None:
        return []
    apart = {one.group.name: one for one in depth.contrasts(found)}
    rows = []
    for one in found.groups:
        low, high = wilson(one.favourable, one.n)
        share = Share(one.favourable, one.n, low, high)
        contrast = apart.get(one.name)
        rows.append(
            {
                "label": depth_words.group(found.cut, one.name, made),
                "n": number(one.n),
                "share": percent(share.value),
                "interval": survey_wording.interval(share),
                "mark": receiving.whisker(share),
                "difference": depth_words.points(contrast.difference[0]) if contrast else "",
                "difference_interval": _between(contrast.difference) if contrast else "",
                "odds": number(contrast.odds_ratio[0], 1) if contrast else "",
                "odds_interval": gettext(
                    "de %(low)s à %(high)s",
                    low=number(contrast.odds_ratio[1], 1),
                    high=number(contrast.odds_ratio[2], 1),
                )
                if contrast
                else "",
            }
        )
    return rows


def _between(found: tuple[float, float, float]) -> str:
    return gettext(
        "de %(low)s à %(high)s", low=depth_words.points(found[1]), high=depth_words.points(found[2])
    )


def _hidden(some: Sequence[Breakdown]) -> list[str]:
    """Say which cuts are not shown, and why, those of one reason together."""
    told: dict[str, list[str]] = {}
    for one in some:
        told.setdefault(depth_words.why_not(one, _k()), []).append(depth_words.cut(one.cut))
    return [f"{', '.join(names)}{gettext(' : ')}{why[:1].lower()}{why[1:]}" for why, names in told.items()]


def _cut(found: Breakdown, made: Depth) -> dict[str, Any]:
    apart = depth.contrasts(found)
    clear = [one for one in apart if one.stands_out] or apart[:1] * (len(found.groups) == 2)
    return {
        "label": depth_words.cut(found.cut),
        "rows": _rows(found, made),
        "said": " ".join(depth_words.contrast(found.cut, one, made) for one in clear)
        or (gettext("Rien ne distingue nettement ces groupes.") if apart else ""),
    }


def _representation(found: Representation, made: Depth) -> dict[str, Any]:
    return {
        "label": depth_words.cut(found.cut),
        "said": depth_words.representation(found),
        "warn": depth_words.differs(found),
        "weighted": depth_words.post_stratified(made.breakdown(found.cut), found, made),
        "rows": [
            {
                "label": depth_words.group(found.cut, one.name, made),
                "enrolled": number(one.enrolled),
                "answered": number(one.answered),
                "rate": percent(one.answered / one.enrolled),
            }
            for one in found.groups
        ],
    }


def _change(one: Change, titles: dict[str, str]) -> dict[str, Any]:
    name = titles.get(one.competency, one.competency)
    if one.suppressed or one.mean is None or one.p is None:
        return {"label": name, "why": survey_wording.wording_few(_k()), "n": "–"}
    sign = "+" if one.mean > 0 else "−" if one.mean < 0 else ""
    return {
        "label": name,
        "why": "",
        "n": number(one.n),
        "before": number(one.before, 1),
        "after": number(one.after, 1),
        "mean": f"{sign}{number(abs(one.mean), 2)}",
        "interval": gettext("de %(low)s à %(high)s", low=number(one.low, 2), high=number(one.high, 2)),
        "dz": "–" if one.dz is None else number(one.dz, 2),
        "p": gettext("p < 0,001") if one.p < 0.001 else gettext("p = %(p)s", p=number(one.p, 3)),
    }


# --- as a file --------------------------------------------------------------------------------------------


def table(page: CoursePage, asked: Survey, made: Depth | None) -> Table:
    """Return every group that the page of a questionnaire shows, a line a group."""
    columns: Columns = [
        gettext("Découpage"), gettext("Groupe"), gettext("Inscrits"), gettext("Ont répondu"),
        gettext("Avis favorables"), Column(gettext("Part"), percent=True),
        Column(gettext("Écart avec les autres"), percent=True), Column(gettext("Borne basse"), percent=True),
        Column(gettext("Borne haute"), percent=True), gettext("Rapport des chances"), gettext("Non montré"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for found in made.breakdowns if made else ():
        name = depth_words.cut(found.cut)
        if found.suppressed or made is None:
            rows.append((name, *[None] * 9, depth_words.why_not(found, _k())))
            continue
        turnout = next((one for one in made.representations if one.cut == found.cut), None)
        asked_of = {one.name: one.enrolled for one in turnout.groups} if turnout else {}
        apart = {one.group.name: one for one in depth.contrasts(found)}
        for one in found.groups:
            contrast = apart.get(one.name)
            rows.append(
                (
                    name,
                    depth_words.group(found.cut, one.name, made),
                    asked_of.get(one.name),
                    one.n,
                    one.favourable,
                    one.favourable / one.n,
                    *(contrast.difference if contrast else (None, None, None)),
                    contrast.odds_ratio[0] if contrast else None,
                    "",
                )
            )
    words = [
        (gettext("Groupes"), depth_words.observational()),
        (gettext("Compté le"), made.made_on.isoformat() if made else "–"),
        (gettext("Fuseau"), str(g.zone)),
    ]
    return Table(
        "satisfaction-groups", label(asked.template.title), columns, rows, noting.course(page, words)
    )
