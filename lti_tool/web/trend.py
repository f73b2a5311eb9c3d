"""Satisfaction from one session of a path to the next, and its modules over all of them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, url_for

from analyzers import figures, shrinkage, views
from analyzers.figures.satisfaction import KEYS
from analyzers.results import Chart, Share
from analyzers.views import Edition
from lti_tool import access, depth_words, editions
from lti_tool.editions import PathEditions
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, ngettext
from lti_tool.surveys import wording as survey_wording
from lti_tool.web import noting, receiving
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.shell import Shell, admin_tabs, open_course, open_url, reading, set_time
from tool_config import silos


def _k() -> int:
    return tool().rules.disclosure.course


def path_trend(launch: str, path_id: int) -> str:
    """Show every session of a path, for administrators."""
    access.require(viewer(), "admin")
    with reading() as conn:
        zone = ZoneInfo(silos.get(conn, viewer().silo_id).time_zone)
        found = editions.of_path(conn, viewer(), path_id, k=_k())
    set_time(tool().clock(), zone)
    shell = Shell(
        title=found.title,
        meta=ngettext("%(num)d session", "%(num)d sessions", len(found.editions)),
        tabs=admin_tabs("path_list"),
        open_url=open_url(),
        about_url=url_for("pages.about_all", launch=viewer().launch_id),
        threshold=_k(),
    )
    return render_template(
        "tutor/trend.html",
        page_title=found.title,
        shell=shell,
        back_url=url_for("pages.path_list"),
        back=gettext("← Parcours"),
        **_context(found, url_for("pages.path_trend_csv", path_id=path_id)),
    )


def session_trend(launch: str, course_id: int) -> str:
    """Show the sessions of a course's path that the viewer accompanies (an administrator: all)."""
    with reading() as conn:
        page = open_course(conn, course_id)
        found = editions.of_course(conn, viewer(), course_id, k=_k())
    csv_url = page.url("session_trend_csv")
    return render_template(
        "tutor/trend.html",
        page_title=gettext("Session après session"),
        shell=page.shell("satisfaction", csv_url if found else None),
        back_url=page.url("satisfaction"),
        back=gettext("← Satisfaction"),
        **_context(found, csv_url),
    )


def _context(found: PathEditions | None, csv_url: str) -> dict[str, Any]:
    shown = [one for one in found.editions if one.phases] if found else []
    if found is None or not shown:
        return {
            "known": False,
            "lead": gettext("Aucune session de ce parcours n’a encore de résultat publié.")
            if found
            else gettext("Cette session n’est rattachée à aucun parcours : rien ne la compare à d’autres."),
        }
    hot = [one.phases.get("a-chaud") for one in found.editions]
    moved = views.trend(hot)
    ranking = shrinkage.rank(views.totals(found.editions))
    return {
        "known": True,
        "lead": depth_words.trend(moved),
        "title": _title(moved),
        "key": _key(found),
        "chart": _chart(found, depth_words.trend(moved)),
        "modules": _modules(found),
        "sessions": [one.title for one in found.editions],
        "ranking": _ranking(ranking),
        "ranking_said": depth_words.ranking(ranking, [one.key for one in ranking.estimates]),
        "others": found.others,
        "csv_url": csv_url,
        "reading": _reading(),
    }


def _title(moved: views.Trend | None) -> str:
    if moved is None or not moved.clear:
        return gettext("Satisfaction à chaud, session après session")
    return (
        gettext("La satisfaction monte d’une session à l’autre")
        if moved.slope > 0
        else gettext("La satisfaction baisse d’une session à l’autre")
    )


def _reading() -> list[str]:
    return [
        gettext(
            "Chaque point est la part d’avis favorables à la question d’ensemble, tous les questionnaires de "
            "la phase réunis, avec son intervalle à 95 % (Wilson). Une personne peut avoir répondu à "
            "plusieurs : l’intervalle est un peu trop étroit."
        ),
        gettext(
            "L’évolution est la pente de la droite qui passe au mieux par les sessions, chacune pesant "
            "autant que ses réponses (Cochran, 1954). D’une session à l’autre, les personnes changent aussi."
        ),
        gettext(
            "Les modules sont rangés par une estimation qui tire vers l’ensemble ceux qui ont peu de "
            "réponses (bêta-binomiale, Bayes empirique, Kleinman 1973) ; les formateurs ne sont jamais "
            "rangés."
        ),
    ]


def _lines(found: PathEditions) -> list[str]:
    asked = ("etape", "a-chaud", "a-froid")
    return [phase for phase in asked if any(phase in one.phases for one in found.editions)]


def _key(found: PathEditions) -> list[tuple[str, str]]:
    """Return the key of the lines, when there are several: (mark, phase)."""
    lines, names = _lines(found), depth_words.phases()
    return [(mark, names[phase]) for mark, phase in zip(KEYS, lines, strict=False)] if len(lines) > 1 else []


def _chart(found: PathEditions, said: str) -> Chart:
    lines, names = _lines(found), depth_words.phases()
    words = figures.TrendWords(
        session=gettext("Session"),
        favourable=gettext("Avis favorables (%)"),
        low=gettext("Borne basse (%)"),
        high=gettext("Borne haute (%)"),
        answers=gettext("Réponses"),
        said=said,
        phases=[names[phase] for phase in lines],
    )
    return figures.trend(
        [one.title for one in found.editions],
        [[one.phases.get(phase) for one in found.editions] for phase in lines],
        words=words,
        labels=chart_labels(),
    )


def _modules(found: PathEditions) -> list[dict[str, Any]]:
    rows = []
    for name in found.modules:
        shares = [one.modules.get(name) for one in found.editions]
        moved = views.trend(shares)
        rows.append(
            {
                "label": name,
                "latest": found.latest.get(name),
                "cells": [_cell(share) for share in shares],
                "trend": depth_words.points(moved.slope) if moved and moved.clear else "–",
            }
        )
    return rows


def _cell(share: Share | None) -> dict[str, Any]:
    if share is None:
        return {"share": "–", "words": ""}
    return {"share": percent(share.value), "words": survey_wording.favourable(share)}


def _ranking(found: shrinkage.Ranking) -> list[dict[str, Any]]:
    return ranked(found, {one.key: one.key for one in found.estimates})


def ranked(found: shrinkage.Ranking, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return the lines of a ranking: the estimate with its mark, what was answered beside."""
    return [
        {
            "label": names[one.key],
            "mark": receiving.Whisker(
                100 * one.value,
                100 * one.low,
                100 * one.high,
                False,
                gettext(
                    "estimée à %(value)s, entre %(low)s et %(high)s",
                    value=percent(one.value),
                    low=percent(one.low),
                    high=percent(one.high),
                ),
            ),
            "value": percent(one.value),
            "interval": gettext("de %(low)s à %(high)s", low=percent(one.low), high=percent(one.high)),
            "raw": gettext("%(count)s sur %(n)s", count=number(one.count), n=number(one.n)),
        }
        for one in found.estimates
    ]


# --- as files -----------------------------------------------------------------------------------------------


def path_trend_table(path_id: int) -> Table:
    """Return the sessions of a path, a line a session, phase and module."""
    access.require(viewer(), "admin")
    with reading() as conn:
        zone = ZoneInfo(silos.get(conn, viewer().silo_id).time_zone)
        found = editions.of_path(conn, viewer(), path_id, k=_k())
    set_time(tool().clock(), zone)
    return _table(found, noting.community(_words()))


def session_trend_table(course_id: int) -> Table:
    """Return the sessions that the viewer accompanies, a line a session, phase and module."""
    with reading() as conn:
        page = open_course(conn, course_id)
        found = editions.of_course(conn, viewer(), course_id, k=_k())
    if found is None:
        raise access.NotFound
    return _table(found, noting.course(page, _words()))


def _words() -> list[tuple[str, str]]:
    return [(gettext("Satisfaction"), survey_wording.definition(_k()))]


def _table(found: PathEditions, notes: noting.Notes) -> Table:
    columns: Columns = [
        gettext("Session"), gettext("Début"), gettext("Phase"), gettext("Module"), gettext("Réponses"),
        gettext("Avis favorables"), Column(gettext("Part"), percent=True),
        Column(gettext("Borne basse"), percent=True), Column(gettext("Borne haute"), percent=True),
    ]  # fmt: skip
    rows = [row for one in found.editions for row in _rows(one)]
    return Table("satisfaction-sessions", found.title, columns, rows, notes)


def _rows(one: Edition) -> list[tuple[Cell, ...]]:
    names = depth_words.phases()
    lines = [(names[phase], "", share) for phase, share in one.phases.items()]
    lines += [(names["a-chaud"], module, share) for module, share in one.modules.items()]
    return [
        (one.title, one.starts_on, phase, module, share.n, share.count, share.value, share.low, share.high)
        for phase, module, share in lines
    ]
