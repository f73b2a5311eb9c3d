"""The page that ranks the modules of every path by what says to adapt them, and the evidence of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import current_app, g, render_template, request, url_for
from sqlalchemy import Connection

from analyzers.adapt import CRITERIA, Module, Ranked, Ranking
from lti_tool import access, adapt_words, adapting
from lti_tool.adapting import Ground
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number, short_day
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting, reach
from lti_tool.web.guard import tool, viewer
from lti_tool.web.improvement_place import note_url
from lti_tool.web.listing import address
from lti_tool.web.shell import Shell, admin_shell, reading
from tool_config.roles import LECTEUR

#: Highest weight that the page takes.
MOST_WEIGHT = 10
#: Modules shown before the rest is asked for.
_SHOWN = 20


def adapt(launch: str) -> str:
    """Show the modules in order, with the weights and what is known of each."""
    with reading() as conn:
        ground, path_id = _ground(conn)
        shell = _shell(conn, ground)
    weights = _weights()
    ranking = adapting.ranking(ground, weights)
    chosen = _of_path(ranking, path_id)
    everything = request.args.get("all") == "1"
    return render_template(
        "across/adapt.html",
        page_title=gettext("À adapter"),
        shell=shell,
        lead=adapt_words.lead(chosen),
        first=_action(chosen),
        title=adapt_words.title(ranking) if path_id is None else gettext("Les modules du parcours"),
        here=url_for("pages.adapt"),
        weights=[(name, label, weights[name]) for name, label in adapt_words.criteria().items()],
        most=MOST_WEIGHT,
        changed=weights != adapt_words.weights(tool().rules),
        paths=_paths(ground, path_id),
        heads=adapt_words.heads(),
        lines=[_line(line, ranking) for line in chosen.ranked[: None if everything else _SHOWN]],
        unranked=[_line(line, ranking) for line in chosen.lines if line.rank is None],
        more=0 if everything else max(0, len(chosen.ranked) - _SHOWN),
        more_url=address(url_for("pages.adapt"), {**request.args.to_dict(), "all": "1"}),
        untied=ground.untied if path_id is None else 0,
        reading=adapt_words.reading(ranking, tool().rules),
    )


def adapt_module(launch: str, path_id: int) -> str:
    """Show what is known of one module: each figure with its definition and where it comes from."""
    with reading() as conn:
        ground, _ = _ground(conn)
        shell = _shell(conn, ground)
    module = ground.find(f"{path_id} {request.args.get('module', '')}")
    if module is None:
        raise access.NotFound
    ranking = adapting.ranking(ground, _weights())
    line = next(one for one in ranking.lines if one.module.reference == module.reference)
    return render_template(
        "across/adapt_module.html",
        page_title=module.counts.title,
        shell=shell,
        back_url=address(url_for("pages.adapt"), _kept()),
        lead=_lead(line, ranking),
        about=_about(module),
        note=_note(module),
        evidence=_evidence(line, ranking),
        reading=adapt_words.reading(ranking, tool().rules)[:3],
    )


def _ground(conn: Connection) -> tuple[Ground, int | None]:
    """Return the evidence and the path that the address chooses; NotFound for a path that has no module."""
    text = request.args.get("path", "") or str((request.view_args or {}).get("path_id", ""))
    path_id = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
    access.require_across(viewer(), path_id)
    ground = adapting.read(conn, viewer().silo_id, now=tool().clock(), rules=tool().rules)
    if text and not any(one.counts.path_id == path_id for one in ground.modules) and viewer().paths is None:
        raise access.NotFound
    return ground, path_id


def _shell(conn: Connection, ground: Ground) -> Shell:
    made = admin_shell(conn, "adapt")
    return replace(made, threshold=tool().rules.disclosure.across, fresh_at=ground.made_at.astimezone(g.zone))


def _weights() -> dict[str, int]:
    """Read the weights of the address, from 0 to 10; the institution's where it says nothing."""
    found = dict(adapt_words.weights(tool().rules))
    for name in found:
        text = request.args.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= MOST_WEIGHT:
            found[name] = int(text)
    return found


def _kept() -> dict[str, str]:
    """Return what the address says of the weights, to go along."""
    return {name: request.args[name] for name in CRITERIA if name in request.args}


def _of_path(ranking: Ranking, path_id: int | None) -> Ranking:
    if path_id is None:
        return ranking
    return replace(ranking, lines=tuple(one for one in ranking.lines if one.module.counts.path_id == path_id))


def _paths(ground: Ground, path_id: int | None) -> list[tuple[str, str, bool]]:
    """Return the paths that may be chosen: (value, title, chosen)."""
    titles = {one.counts.path_id: one.counts.path for one in ground.modules}
    allowed = viewer().paths
    there = sorted(
        (title, number) for number, title in titles.items() if allowed is None or number in allowed
    )
    return [(str(number), title, number == path_id) for title, number in there]


def _action(ranking: Ranking) -> dict[str, str] | None:
    """Return what can be done about the first module."""
    ranked = ranking.ranked
    if not ranked or not ranked[0].index:
        return None
    module = ranked[0].module
    return {"title": module.counts.title, "url": _url(module), "note": _note(module)}


def _url(module: Module) -> str:
    here = url_for("pages.adapt_module", path_id=module.counts.path_id)
    return address(here, {"module": module.counts.key, **_kept()})


def _note(module: Module) -> str:
    """Return where an improvement is opened from this module; "" for who may not open one."""
    return note_url("adapt_module", module.reference, 0) if _reaches("improvement_new") else ""


def _reaches(page: str) -> bool:
    """Say whether a page is there, and for who looks."""
    endpoint, who = f"pages.{page}", viewer()
    return endpoint in current_app.view_functions and (not who.is_profile or reach.may(who.role, endpoint))


def _line(line: Ranked, ranking: Ranking) -> dict[str, Any]:
    counts, on = line.module.counts, sum(weight > 0 for weight in ranking.weights.values())
    k = tool().rules.disclosure.across
    return {
        "title": counts.title,
        "path": counts.path,
        "url": _url(line.module),
        "note": _note(line.module),
        "rank": number(line.rank),
        "between": adapt_words.between(line),
        "holds": adapt_words.holds(line, ranking),
        "index": number(None if line.index is None else 100 * line.index),
        "why": adapt_words.reasons(line),
        "known": adapt_words.known(line, on),
        "owner": _owner(line.module, g.today),
        "cells": [adapt_words.short(name, line.module.evidence[name], k) for name in CRITERIA],
    }


def _owner(module: Module, today: date) -> str:
    """Say who answers for a module and when it is reviewed; readers of aggregates see no guarantor."""
    parts = []
    if module.counts.guarantor and viewer().role != LECTEUR:
        parts.append(gettext("garant : %(who)s", who=module.counts.guarantor))
    if module.counts.review_on is not None:
        parts.append(gettext("revue : %(day)s", day=short_day(module.counts.review_on, today)))
    return " · ".join(parts)


# --- one module -------------------------------------------------------------------------------------------


def _lead(line: Ranked, ranking: Ranking) -> str:
    if line.rank is None:
        return gettext(
            "« %(module)s » n’est pas rangé : trop peu d’indices sont connus.",
            module=line.module.counts.title,
        )
    return gettext(
        "« %(module)s » est au rang %(rank)s sur %(count)s, avec un indice de %(index)s sur 100 ; %(holds)s.",
        module=line.module.counts.title, rank=adapt_words.place(line), count=number(len(ranking.ranked)),
        index=number(100 * (line.index or 0)), holds=adapt_words.holds(line, ranking),
    )  # fmt: skip


def _about(module: Module) -> Sequence[tuple[str, str]]:
    counts = module.counts
    owner = counts.guarantor if viewer().role != LECTEUR else ""
    facts = [
        (gettext("Parcours"), counts.path),
        (gettext("Sessions"), number(counts.sessions)),
        (gettext("Garant"), owner),
        (gettext("Version"), counts.release),
        (gettext("Thème"), counts.theme),
        (gettext("À revoir le"), short_day(counts.review_on, g.today) if counts.review_on else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _evidence(line: Ranked, ranking: Ranking) -> list[dict[str, Any]]:
    names, how = adapt_words.criteria(), adapt_words.definitions(tool().rules)
    places, k = _places(line.module), tool().rules.disclosure.across
    return [
        {
            "title": names[name],
            "said": adapt_words.said(name, line.module, k),
            "adds": number(100 * line.parts[name], 1) if name in line.parts else "",
            "off": not ranking.weights.get(name),
            "weight": number(ranking.weights.get(name, 0)),
            "definition": how[name],
            "link": places.get(name),
        }
        for name in CRITERIA
    ]


def _places(module: Module) -> Mapping[str, tuple[str, str]]:
    """Return where each figure comes from, (address, name), of the pages that the viewer reaches."""
    path_id = module.counts.path_id
    wanted: dict[str, tuple[str, dict[str, Any], str]] = {
        "satisfaction": ("path_trend", {"path_id": path_id}, gettext("Satisfaction, session après session")),
        "stopping": ("pathways", {"path": path_id}, gettext("Cheminements")),
        "comments": ("comments_all", {}, gettext("Commentaires")),
        "expectations": ("crossing", {"kind": "expectations"}, gettext("Croisements des attentes")),
        "employer": ("crossing", {"kind": "expectations"}, gettext("Croisements des attentes")),
        "review": ("imports", {}, gettext("Imports")),
    }
    return {
        name: (url_for(f"pages.{page}", **values), text)
        for name, (page, values, text) in wanted.items()
        if _reaches(page)
    }


# --- as a file --------------------------------------------------------------------------------------------


def adapt_table() -> Table:
    """Return the modules in the order of the page, with all evidence; what is missing stays empty."""
    with reading() as conn:
        ground, path_id = _ground(conn)
        _shell(conn, ground)
    ranking = adapting.ranking(ground, _weights())
    names = adapt_words.criteria()
    guarded = viewer().role == LECTEUR
    columns: Columns = [
        gettext("Rang"), gettext("Rang, de"), gettext("à"), gettext("Parcours"), gettext("Module"),
        gettext("Garant"), gettext("À revoir le"), Column(gettext("Indice (0 à 100)"), digits=1),
        gettext("Indices connus"),
        *(
            column
            for name in CRITERIA
            for column in (
                Column(gettext("%(what)s : valeur (0 à 1)", what=names[name]), digits=3),
                gettext("%(what)s : nombre", what=names[name]),
                gettext("%(what)s : n", what=names[name]),
            )
        ),
    ]  # fmt: skip
    rows = [_row(line, guarded) for line in _of_path(ranking, path_id).lines]
    words = [(gettext("Comment lire"), said) for said in adapt_words.reading(ranking, tool().rules)]
    title = ngettext("%(num)d module à adapter", "Modules à adapter (%(num)d)", len(rows))
    return Table("a-adapter", title, columns, rows, noting.community(words))


def _row(line: Ranked, guarded: bool) -> tuple[Cell, ...]:
    counts = line.module.counts
    evidence: list[Cell] = []
    for name in CRITERIA:
        found = line.module.evidence[name]
        evidence += [found.value, found.count, found.n]
    return (
        line.rank, line.low_rank, line.high_rank, counts.path, counts.title,
        "" if guarded else counts.guarantor, counts.review_on,
        None if line.index is None else 100 * line.index, len(line.known), *evidence,
    )  # fmt: skip
