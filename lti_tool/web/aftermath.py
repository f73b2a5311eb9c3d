"""The page of what is used after the training: the spaces of ended sessions, the public site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from babel.dates import format_date
from flask import g, render_template, url_for
from sqlalchemy import Connection

import lti_tool.community as community_frame
from analyzers import aftermath
from analyzers.aftermath import Audience, Cohort, Return, Returns
from analyzers.disclosure import OTHER
from analyzers.figures import across
from analyzers.figures.across import LINK_KEYS, Series
from analyzers.results import Chart
from lti_tool import access, aftermath_words
from lti_tool.community import audience as kept_audience
from lti_tool.community import returning as kept_returning
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.language import gettext, language
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.shell import Shell, admin_shell, reading

#: Promotions shown side by side, the latest first; all are in the file.
_COHORTS = 6


@dataclass(frozen=True, eq=False)
class Ground:
    """What the page rests on."""

    returns: Returns
    site: Audience | None
    shell: Shell


def aftermath_page(launch: str) -> str:
    """Show who comes back after the end of their sessions, and what is consulted on the public site."""
    with reading() as conn:
        ground = read(conn)
    found, site, k = ground.returns, ground.site, tool().rules.disclosure.across
    cohorts = _shown(found)
    return render_template(
        "across/aftermath.html",
        page_title=gettext("Après la formation"),
        shell=ground.shell,
        lead=aftermath_words.lead(found, site, k),
        any_session=bool(found.sessions),
        returns=_returns_chart(found) if found.months else None,
        returns_title=aftermath_words.returns_title(found),
        cohorts=[aftermath_words.size(one) for one in cohorts],
        months=[
            {"name": aftermath_words.month(rank + 1), "cells": [_cell(one.months[rank]) for one in cohorts]}
            for rank in range(len(found.months))
        ],
        returns_reading=aftermath_words.returns_reading(k),
        site=_site(site) if site is not None else None,
        site_reading=aftermath_words.site_reading(k),
        imports_url=url_for("pages.imports") if not viewer().is_profile else "",
    )


def read(conn: Connection) -> Ground:
    """Read what is kept; what may not be seen is refused."""
    access.require_across(viewer())
    silo_id, now, k = viewer().silo_id, tool().clock(), tool().rules.disclosure.across
    made = admin_shell(conn, "aftermath")
    shell = replace(made, threshold=k)
    returning = kept_returning.load(conn, silo_id, now=now)
    totals = kept_audience.load(conn, silo_id, now=now)
    today = g.today
    returns = community_frame.result(
        ("returns", id(returning), k, today),
        lambda: (returning, aftermath.returns(returning, today=today, k=k)),
    )[1]
    site = community_frame.result(
        ("audience", id(totals), k), lambda: (totals, aftermath.audience(totals.seen, totals.pages, k=k))
    )[1]
    return Ground(returns, site, shell)


def _shown(found: Returns) -> Sequence[Cohort]:
    """Return the promotions shown: the latest named ones, then the others."""
    named = [one for one in found.cohorts if one.name and one.name != OTHER]
    rest = [one for one in found.cohorts if one not in named]
    return [*reversed(named[-_COHORTS:]), *rest] if named else rest


def _cell(one: Return) -> str:
    if one.share.value is None:
        return gettext("non montré") if one.share.suppressed else "–"
    return f"{percent(one.share.value)} ({number(one.share.n)})"


def _returns_chart(found: Returns) -> Chart:
    return across.shares(
        [aftermath_words.month(one.month) for one in found.months],
        [one.share for one in found.months],
        line=True,
        columns=(
            gettext("Mois après la fin"), gettext("Sont revenus"), gettext("Au moins"), gettext("Au plus"),
            gettext("Stagiaires (n)"),
        ),
        hidden=gettext("non montré"),
        said=aftermath_words.returns_title(found),
        labels=chart_labels(),
        extra=[one.visits for one in found.months],
        extra_name=gettext("Visites"),
        percent=percent,
    )  # fmt: skip


def _site(found: Audience) -> dict[str, Any]:
    """Return what is shown of the public site."""
    months = [_month(one) for one in found.months]
    links = [
        Series(aftermath_words.link(name), [line[rank] for line in found.cells])
        for rank, name in enumerate(found.links)
    ]
    named = [series for series, name in zip(links, found.links, strict=True) if name]
    ordered = [*named, *(series for series, name in zip(links, found.links, strict=True) if not name)]
    title = aftermath_words.site_title(found)
    chart = across.by_link(
        months,
        ordered,
        columns=(gettext("Mois"), gettext("Tous les liens")),
        totals=found.totals,
        hidden=gettext("non montré"),
        said=title,
        labels=chart_labels(),
    )
    return {
        "title": title,
        "chart": chart,
        "key": [("band", gettext("tous les liens"))]
        + [(key, series.name) for key, series in zip(LINK_KEYS, ordered, strict=False)],
        "said": [aftermath_words.public(found), *filter(None, [aftermath_words.robots(found)])],
        "unit": aftermath_words.unit(found),
        "resources": [(name, number(count)) for name, count in found.resources],
    }


def _month(first: Any) -> str:
    return str(format_date(first, "MMM y", locale=language()))


def aftermath_table() -> Table:
    """Return who came back, by promotion and month after the end."""
    with reading() as conn:
        ground = read(conn)
    columns: Columns = [
        gettext("Promotion"), gettext("Mois après la fin"), gettext("Stagiaires (n)"),
        gettext("Sont revenus"),
        Column(gettext("Part"), percent=True), Column(gettext("Au moins"), percent=True),
        Column(gettext("Au plus"), percent=True), gettext("Visites"),
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = []
    groups = [(gettext("Toutes"), ground.returns.months)]
    groups += [(aftermath_words.cohort(one.name), one.months) for one in ground.returns.cohorts]
    for name, months in groups:
        rows += [
            (name, one.month, one.share.n, one.share.count, one.share.value, one.share.low, one.share.high,
             one.visits)
            for one in months
            if one.share.n
        ]  # fmt: skip
    k = tool().rules.disclosure.across
    words = [(gettext("Comment lire"), one) for one in aftermath_words.returns_reading(k)]
    n = gettext("Stagiaires"), ground.returns.people or 0
    return Table(
        "apres-la-formation", gettext("Après la formation"), columns, rows, noting.community(words, n=n)
    )


def audience_table() -> Table:
    """Return the totals of the public site, by month and link."""
    with reading() as conn:
        ground = read(conn)
    site = ground.site
    links = site.links if site is not None else ()
    columns: Columns = [
        gettext("Mois"), gettext("Tous les liens"), *(aftermath_words.link(name) for name in links),
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = []
    if site is not None:
        rows = [
            (month, total, *cells)
            for month, total, cells in zip(site.months, site.totals, site.cells, strict=True)
        ]
    k = tool().rules.disclosure.across
    words = [(gettext("Comment lire"), one) for one in aftermath_words.site_reading(k)]
    if site is not None:
        words.insert(0, (gettext("Compté"), aftermath_words.unit(site)))
    return Table("site-public", gettext("Site public"), columns, rows, noting.community(words))
