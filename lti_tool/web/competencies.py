"""Competencies: of a path and what supports each, of teams, Pix levels, hours exchanged; a view at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

from analyzers.competencies import Balance, Exchange
from lti_tool import access, adapting, competencies, competency_words, pix
from lti_tool.competencies import OfPath
from lti_tool.dimension_words import Traits
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import hours, number, percent
from lti_tool.language import gettext
from lti_tool.pix import Levels, Own
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.listing import address
from lti_tool.web.scoped import school_year
from lti_tool.web.shell import Shell, admin_shell, reading
from xapi import datasets


def _k() -> int:
    return tool().rules.disclosure.across


def competencies_page(launch: str) -> str:
    """Show one view: the competencies of a path unless the address names another."""
    asked = request.args.get("view", "path")
    if asked not in _VIEWS:
        raise access.NotFound
    with reading() as conn:
        context = _VIEWS[asked](conn)
        shell = _shell(conn, context.pop("fresh_at", None))
    allowed = list(competency_words.views()) if viewer().paths is None else ["path"]
    here = url_for("pages.competencies")
    return render_template(
        "across/competencies.html",
        page_title=gettext("Compétences"),
        shell=shell,
        view=asked,
        here=here,
        views=[
            (address(here, {"view": name}), label, name == asked)
            for name, label in competency_words.views().items()
            if name in allowed
        ],
        imports_url=url_for("pages.imports"),
        k=_k(),
        **context,
    )


def _shell(conn: Connection, fresh_at: Any) -> Shell:
    made = admin_shell(conn, "competencies")
    return replace(made, threshold=_k(), fresh_at=fresh_at.astimezone(g.zone) if fresh_at else None)


# --- a path -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chosen:
    found: OfPath
    path_id: int | None
    title: str
    paths: list[tuple[int, str]]
    fresh_at: Any


def _chosen(conn: Connection) -> _Chosen:
    """Return the path that the address names, else the first with competencies, and its competencies."""
    who, text = viewer(), request.args.get("path", "")
    path_id = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    access.require_across(who, path_id)
    ground = adapting.read(conn, who.silo_id, now=tool().clock(), rules=tool().rules)
    titles = {one.counts.path_id: one.counts.path for one in ground.modules}
    if text and path_id not in titles and who.paths is None:
        raise access.NotFound
    allowed = [one for one in titles if who.paths is None or one in who.paths]
    order = sorted(allowed, key=lambda one: titles[one].casefold())
    if path_id is None:
        path_id = competencies.first_worked(conn, who.silo_id, ground, order)
    made = competencies.of_path(conn, who.silo_id, path_id or 0, ground, k=_k())
    title = titles.get(path_id or 0, "")
    return _Chosen(made, path_id, title, [(one, titles[one]) for one in order], ground.made_at)


def _of_path(conn: Connection) -> dict[str, Any]:
    chosen = _chosen(conn)
    return {
        "lead": competency_words.path_lead(chosen.found, chosen.title)
        if chosen.paths
        else gettext("Aucun parcours n’a encore de module : rattachez des sessions à leur parcours."),
        "title": competency_words.path_title(chosen.found),
        "paths": [(str(one), title, one == chosen.path_id) for one, title in chosen.paths],
        "frameworks": ", ".join(chosen.found.frameworks),
        "lines": [
            {
                "code": one.competency.code,
                "label": one.competency.label,
                "domain": one.competency.domain,
                "hours": hours(one.hours),
                "said": competency_words.support(one, _k()),
                "kinds": number(one.kinds),
                "gap": not one.modules,
            }
            for one in chosen.found.supports
        ],
        "reading": competency_words.path_reading(_k()),
        "fresh_at": chosen.fresh_at,
    }


def competencies_table() -> Table:
    """Return the competencies of a path, a line a module that works one; gaps have no module."""
    with reading() as conn:
        chosen = _chosen(conn)
        _shell(conn, None)
    columns: Columns = [
        gettext("Référentiel"), gettext("Code"), gettext("Compétence"), gettext("Domaine"), gettext("Module"),
        Column(gettext("Heures"), digits=2), gettext("Terminé"), gettext("Commencé"),
        Column(gettext("Note moyenne"), percent=True), gettext("Notes (n)"),
        Column(gettext("Objectifs atteints"), percent=True), gettext("Réponses (n)"),
        Column(gettext("Positionnement : évolution"), digits=2), gettext("Positionnement : n"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in chosen.found.supports:
        named = one.competency.framework, one.competency.code, one.competency.label, one.competency.domain
        moved = (one.moved.mean, one.moved.n) if one.moved else (None, None)
        rows += [
            (
                *named, work.title, work.hours, work.finished.count, work.finished.n, work.mark, work.marked,
                work.met.value, work.met.n, *moved,
            )
            for work in one.modules
        ] or [(*named, "", None, None, None, None, None, None, None, *moved)]  # fmt: skip
    words = [(gettext("Comment lire"), said) for said in competency_words.path_reading(_k())]
    title = gettext("Compétences : %(path)s", path=chosen.title)
    return Table("competences", title, columns, rows, noting.community(words))


# --- trainers ---------------------------------------------------------------------------------------------


def _trainers(conn: Connection) -> dict[str, Any]:
    access.require_across(viewer())
    found = competencies.teams(conn, viewer().silo_id, k=_k())
    names = competency_words.levels()
    few = gettext("moins de %(k)s", k=number(_k()))
    used = [name for name in names if any(name in team.levels for team in found)]
    return {
        "lead": competency_words.trainers_lead(found, _k()),
        "title": gettext("Combien de formateurs ont chaque compétence"),
        "heads": [names[name] for name in used],
        "lines": [
            {
                "label": team.competency,
                "trainers": few if team.trainers is None else number(team.trainers),
                "cells": [
                    gettext("non montré") if team.levels.get(name) is None and name in team.levels
                    else number(team.levels.get(name, 0))
                    for name in used
                ],
            }
            for team in found
        ],
        "reading": competency_words.trainers_reading(_k()),
    }  # fmt: skip


def trainers_table() -> Table:
    """Return the map of trainers, a line a competency; what is not shown stays empty."""
    access.require_across(viewer())
    with reading() as conn:
        found = competencies.teams(conn, viewer().silo_id, k=_k())
        _shell(conn, None)
    names = competency_words.levels()
    columns: Columns = [gettext("Compétence"), gettext("Formateurs"), *names.values()]
    rows = [(team.competency, team.trainers, *(team.levels.get(name) for name in names)) for team in found]
    words = [(gettext("Comment lire"), said) for said in competency_words.trainers_reading(_k())]
    return Table("equipes", gettext("Équipes de formateurs"), columns, rows, noting.community(words))


# --- Pix --------------------------------------------------------------------------------------------------


def _pix(conn: Connection) -> dict[str, Any]:
    access.require_across(viewer())
    found = pix.read(conn, viewer().silo_id, now=tool().clock())
    traits = Traits(datasets.known(conn, viewer().silo_id)["people"])
    by, value = _group(found)
    groups = [
        (
            name,
            traits.label(name),
            [(each, traits.value(name, each) if each else gettext("non dit")) for each in values],
        )
        for name, values in _groups(found).items()
    ]
    bands = competency_words.bands()
    lines = []
    for domain, there in found.domains.items():
        counts = there.get(by, {}).get(value)
        if counts is None:
            continue
        used = {name: counts[name] for name in bands if name in counts}
        total = None if None in used.values() else sum(count or 0 for count in used.values())
        lines.append(
            {
                "label": domain,
                "n": number(total) if total is not None else gettext("non montré"),
                "cells": [_cell(used, name, total) for name in bands],
            }
        )
    return {
        "lead": competency_words.pix_lead(found, _k()),
        "title": gettext("Part des personnes à chaque niveau, domaine par domaine"),
        "groups": groups,
        "chosen": f"{by}:{value}" if by else "",
        "heads": list(bands.values()),
        "lines": lines,
        "reading": competency_words.pix_reading(_k()),
        "fresh_at": found.made_at if found.domains else None,
    }


def _cell(used: dict[str, int | None], name: str, total: int | None) -> str:
    if name not in used:
        return "–"
    count = used[name]
    if count is None:
        return gettext("non montré")
    return percent(count / total) if total else number(count)


def _groups(found: Levels) -> dict[str, list[str]]:
    """Return the groups that may be chosen: dimension -> its values over the domains."""
    made: dict[str, dict[str, None]] = {}
    for there in found.domains.values():
        for name, values in there.items():
            if name:
                made.setdefault(name, {}).update(dict.fromkeys(values))
    return {name: sorted(values) for name, values in made.items()}


def _group(found: Levels) -> tuple[str, str]:
    """Read the group of the address; NotFound for one that is not offered."""
    text = request.args.get("people", "")
    if not text:
        return "", ""
    by, _, value = text.partition(":")
    if value not in _groups(found).get(by, ()):
        raise access.NotFound
    return by, value


def pix_table() -> Table:
    """Return the levels of all or of a group, a line a domain and band; what is not shown stays empty."""
    access.require_across(viewer())
    with reading() as conn:
        found = pix.read(conn, viewer().silo_id, now=tool().clock())
        _shell(conn, None)
    by, value = _group(found)
    bands = competency_words.bands()
    rows = [
        (domain, bands[name], count)
        for domain, there in found.domains.items()
        for name, count in there.get(by, {}).get(value, {}).items()
    ]
    columns: Columns = [gettext("Domaine"), gettext("Niveau"), gettext("Personnes")]
    words = [(gettext("Comment lire"), said) for said in competency_words.pix_reading(_k())]
    return Table("pix", gettext("Niveaux Pix"), columns, rows, noting.community(words))


def own_pix(conn: Connection) -> dict[str, Any]:
    """Return the viewer's own Pix results for their page; {"pix": ()} without any."""
    return {"pix": [_own(one) for one in pix.own(conn, viewer().silo_id, viewer().actor)]}


def _own(one: Own) -> dict[str, Any]:
    parts = []
    if one.level is not None:
        parts.append(gettext("niveau %(level)s", level=number(one.level, 1)))
    if one.pix is not None:
        parts.append(gettext("%(pix)s pix", pix=number(one.pix)))
    if one.mastery is not None:
        parts.append(gettext("%(share)s de réussite", share=percent(one.mastery / 100)))
    return {"domain": one.domain, "said": ", ".join(parts) or "–", "day": one.day}


# --- hours ------------------------------------------------------------------------------------------------


def _hours(conn: Connection) -> dict[str, Any]:
    access.require_across(viewer())
    known = competencies.exchanges(conn, viewer().silo_id)
    year, years = _year(known)
    found = _balances(known, year)
    return {
        "lead": competency_words.hours_lead(found),
        "title": gettext("Solde de chaque couple d’institutions"),
        "years": [(str(one), school_year(one), one == year) for one in years],
        "lines": [
            {
                "label": gettext("%(first)s et %(second)s", first=one.first, second=one.second),
                "given": gettext("%(who)s : %(hours)s", who=one.first, hours=hours(one.given)),
                "received": gettext("%(who)s : %(hours)s", who=one.second, hours=hours(one.received)),
                "owes": competency_words.owes(one),
                "doubts": competency_words.doubts(one),
            }
            for one in found
        ],
        "reading": competency_words.hours_reading(),
    }


def _year(known: list[Exchange]) -> tuple[int | None, tuple[int, ...]]:
    """Read the school year of the address; NotFound for one without an exchange."""
    years, text = competencies.years(known), request.args.get("year", "")
    if text and text not in {str(year) for year in years}:
        raise access.NotFound
    return (int(text) if text else None), years


def _balances(known: list[Exchange], year: int | None) -> tuple[Balance, ...]:
    kept = [one for one in known if year is None or (one.day and competencies.school_year(one.day) == year)]
    return competencies.balances(kept)


def hours_table() -> Table:
    """Return the balance of each pair of institutions."""
    access.require_across(viewer())
    with reading() as conn:
        known = competencies.exchanges(conn, viewer().silo_id)
        _shell(conn, None)
    found = _balances(known, _year(known)[0])
    columns: Columns = [
        gettext("Institution"), gettext("Autre institution"), Column(gettext("Heures données"), digits=2),
        Column(gettext("Heures reçues"), digits=2), Column(gettext("Dues à la première"), digits=2),
        Column(gettext("Dues à l’autre"), digits=2), Column(gettext("Solde dû à la première"), digits=2),
        gettext("Lignes"), gettext("Lignes sans part"), gettext("Lignes dont les parts ne font pas 100 %"),
    ]  # fmt: skip
    rows = [
        (
            one.first, one.second, one.given, one.received, one.due, one.owing, one.balance, one.lines,
            one.without_share, one.odd,
        )
        for one in found
    ]  # fmt: skip
    words = [(gettext("Comment lire"), said) for said in competency_words.hours_reading()]
    return Table("heures-echangees", gettext("Heures échangées"), columns, rows, noting.community(words))


_VIEWS = {"path": _of_path, "trainers": _trainers, "pix": _pix, "hours": _hours}
