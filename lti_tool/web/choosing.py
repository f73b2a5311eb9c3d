"""The page of choices: what people choose freely, with what else, and which origin avoids what."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

from analyzers import figures, free_choices
from analyzers.choice_rows import Choosing
from analyzers.community import Community
from analyzers.crossing import Crossing
from analyzers.figures import publics
from analyzers.free_choices import Base, Chosen, Option, Outcome, Pair
from lti_tool import access, choices_words, community
from lti_tool.community import choosing
from lti_tool.dimension_words import Traits
from lti_tool.exports import Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.language import gettext
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.scoped import school_year
from lti_tool.web.shell import Shell, admin_shell, reading
from xapi import datasets

#: Traits offered first, in this order.
_ORDER = ("corps", "academie", "former_job", "seniority", "gender", "age_band", "promotion", "establishment")
#: Pairs of options in the table of the page; the file has them all.
_PAIRS = 12


@dataclass(frozen=True)
class _Read:
    """What the page reads: which choices, by which trait, and what may be shown of them."""

    kinds: tuple[str, ...]
    kind: str
    offered: tuple[str, ...]
    by: str
    traits: Traits
    base: Base | None
    options: tuple[Option, ...]
    found: Crossing | None
    pairs: tuple[Pair, ...]
    wishes: Outcome | None
    made_at: Any


def choices_page(launch: str) -> str:
    """Show what is chosen, who avoids what, what goes together, and the first wishes obtained."""
    access.require_across(viewer())
    with reading() as conn:
        read = _read(conn)
        shell = _shell(conn, read)
    return render_template(
        "across/choices.html",
        page_title=gettext("Choix"),
        shell=shell,
        lead=_lead(read),
        empty=not read.kinds,
        here=url_for("pages.choices"),
        kinds=[(name, choices_words.kind(name), name == read.kind) for name in read.kinds],
        traits=[(name, read.traits.label(name), name == read.by) for name in read.offered],
        thin=choices_words.thin(tool().rules.disclosure.across),
        basis=choices_words.basis(read.base, read.kind) if read.base else [],
        reading=choices_words.reading(tool().rules.disclosure.across),
        origin=_origin(read),
        chosen=_chosen(read),
        together=_together(read),
        wishes=_wishes(read),
        imports_url=url_for("pages.imports"),
    )


def _read(conn: Connection) -> _Read:
    silo_id, now, k = viewer().silo_id, tool().clock(), tool().rules.disclosure.across
    files = choosing.load(conn, silo_id, now=now)
    enrolled = community.load(conn, silo_id, now=now)
    traits = Traits(datasets.known(conn, silo_id)["people"])
    sources = _sources(files, enrolled)
    kinds = tuple(name for name, found in sources.items() if len(found.person))
    kind = request.args.get("what", "") or (kinds[0] if kinds else "")
    if kind and kind not in kinds:
        raise access.NotFound
    chosen = sources.get(kind)
    offered = [name for name in _ORDER if chosen and name in chosen.traits]
    offered += sorted(name for name in (chosen.traits if chosen else ()) if name not in _ORDER)
    by = request.args.get("by", "") or (offered[0] if offered else "")
    if by and by not in offered:
        raise access.NotFound
    key = ("choices", files.version, enrolled.version, kind, k)
    base, options, pairs = _NOTHING
    if chosen is not None:
        base, options, pairs = _counted(chosen, key, k)
    found = None
    if chosen is not None and base is not None and by:
        made, own = base, chosen.traits
        found = community.result((*key, by), lambda: free_choices.by_origin(made, own, by))
    wishes = None
    if kind == "wish":
        wishes = community.result(
            (*key, by, "first"), lambda: (free_choices.first_wishes(files.wishes, k=k, dimension=by or None),)
        )[0]
    at = min(files.made_at, enrolled.made_at)
    return _Read(kinds, kind, tuple(offered), by, traits, base, options, found, pairs, wishes, at)


def _sources(files: Choosing, enrolled: Community) -> dict[str, Chosen]:
    return {
        "module": files.modules,
        "wish": free_choices.of_wishes(files.wishes),
        "session": _of_enrolments(enrolled, "session"),
        "path": _of_enrolments(enrolled, "path"),
    }


def _of_enrolments(enrolled: Community, kind: str) -> Chosen:
    key = ("chosen", enrolled.version, kind)
    return community.result(key, lambda: free_choices.of_enrolments(enrolled, kind))


#: The choosers, the options, the pairs.
_Counted = tuple[Base | None, tuple[Option, ...], tuple[Pair, ...]]
_NOTHING: _Counted = (None, (), ())


def _counted(chosen: Chosen, key: tuple[Hashable, ...], k: int) -> _Counted:
    """Return what is counted of some choices, remembered under a key."""

    def count() -> _Counted:
        base = free_choices.base(chosen, k=k)
        if base is None:
            return _NOTHING
        return base, free_choices.options(base), free_choices.together(base)

    return community.result(key, count)


def _lead(read: _Read) -> str:
    if not read.kinds:
        return choices_words.empty()
    if read.base is None or not read.options:
        return choices_words.thin(tool().rules.disclosure.across)
    first = read.options[0]
    return choices_words.lead(read.base, read.found, read.traits, read.by, (first.name, first.share))


# --- the parts of the page ------------------------------------------------------------------------------


def _origin(read: _Read) -> dict[str, Any] | None:
    """Return which origin chooses what more or less often than expected; None: nothing to cross."""
    found = read.found
    if found is None or not found.columns or len(found.rows) < 2:
        return None
    rows = [choices_words.row(read.traits, read.by, name) for name in found.rows]
    people = dict(
        zip(rows, (choices_words.people(read.traits, read.by, name) for name in found.rows), strict=True)
    )
    title = choices_words.title(found, read.traits, read.by)
    less = choices_words.said(found, read.traits, read.by, False)
    more = choices_words.said(found, read.traits, read.by, True)
    words = figures.CrossingWords(
        more=gettext("plus qu’attendu"), less=gettext("moins qu’attendu"), same=gettext("comme attendu"),
        hidden=gettext("non montré"), corner=read.traits.label(read.by), total=gettext("Ont choisi"),
        said=" ".join([title, *less, *more]),
        cell=lambda row, column, cell: choices_words.sentence(people[row], column, cell),
        cell_short=choices_words.short,
    )  # fmt: skip
    return {
        "title": title,
        "less": less,
        "more": more,
        "chart": figures.crossed(found, rows, found.columns, words=words, labels=chart_labels()),
        "tests": [
            choices_words.strength(test, name)
            for name, test in zip(found.columns, found.by_column, strict=True)
            if test is not None
        ],
    }


def _chosen(read: _Read) -> dict[str, Any] | None:
    """Return how often each option is chosen, in all and over the years."""
    base = read.base
    if base is None or not read.options:
        return None
    heading = choices_words.option(read.kind)
    first = read.options[0]
    title = gettext(
        "« %(what)s » est choisi par %(share)s des personnes",
        what=first.name,
        share=percent(first.share.value),
    )
    years = [place for place, year in enumerate(base.years) if year]
    made: dict[str, Any] = {
        "title": title,
        "chart": publics.bars(
            [
                publics.Bar(
                    one.name,
                    one.share,
                    None,
                    gettext("%(name)s : %(share)s", name=one.name, share=choices_words.share(one.share)),
                )
                for one in read.options
            ],
            columns=[heading, gettext("Personnes"), gettext("Part (%)"), gettext("de (%)"), gettext("à (%)")],
            reference="",
            said=title,
            labels=chart_labels(),
        ),
        "trend": None,
    }
    if len(years) > 1:
        names = [school_year(base.years[place]) for place in years]
        made["trend"] = publics.over_years(
            names,
            [(one.name, [one.years[place] for place in years]) for one in read.options],
            columns=[heading, *(gettext("%(year)s (%%)", year=name) for name in names)],
            said=gettext("Part des personnes qui ont choisi chaque option, par année scolaire."),
            labels=chart_labels(),
        )
        drawn = [one.name for one in read.options[: publics.MOST_LINES]]
        made["key"] = list(zip(("circle", "diamond", "square"), drawn, strict=False))
    return made


def _together(read: _Read) -> dict[str, Any] | None:
    if not read.pairs:
        return None
    out = [one for one in read.pairs if one.stands_out]
    ends = [*out[:2], *(one for one in out[::-1][:2] if one.lift < 1 and one not in out[:2])]
    listed = [*read.pairs[: _PAIRS // 2], *read.pairs[_PAIRS // 2 :][-_PAIRS // 2 :]]
    return {
        "title": choices_words.pairs_title(read.pairs),
        "said": [choices_words.pair(one) for one in ends],
        "lines": [
            {
                "first": one.first,
                "second": one.second,
                "count": number(one.count),
                "expected": number(one.expected, 0),
                "lift": number(one.lift, 2),
                "interval": gettext("%(low)s à %(high)s", low=number(one.low, 2), high=number(one.high, 2)),
                "mark": "" if not one.stands_out else "▲" if one.lift > 1 else "▼",
            }
            for one in listed
        ],
        "more": max(0, len(read.pairs) - len(listed)),
    }


def _wishes(read: _Read) -> dict[str, Any] | None:
    found = read.wishes
    if found is None:
        return None
    return {
        "title": choices_words.wishes_title(found),
        "said": choices_words.wishes_lead(found),
        "lines": [(one.name, number(one.first), choices_words.share(one.obtained)) for one in found.wishes],
        "years": [(school_year(year), choices_words.share(share)) for year, share in found.years],
        "trait": read.traits.label(read.by) if read.by else "",
        "origins": [
            (choices_words.row(read.traits, read.by, name), choices_words.share(share))
            for name, share in found.origins
        ],
        "test": choices_words.strength(found.test, gettext("premier vœu obtenu")) if found.test else "",
    }


def _shell(conn: Connection, read: _Read) -> Shell:
    made = admin_shell(conn, "choices")
    return replace(made, threshold=tool().rules.disclosure.across, fresh_at=read.made_at.astimezone(g.zone))


# --- as files -------------------------------------------------------------------------------------------


def _table_read() -> _Read:
    access.require_across(viewer())
    with reading() as conn:
        read = _read(conn)
        _shell(conn, read)
    if read.base is None:
        raise access.NotFound
    return read


def _notes(read: _Read) -> list[tuple[str, str]]:
    said = choices_words.basis(read.base, read.kind) if read.base else []
    return [
        *((gettext("Ce qui est compté"), one) for one in said),
        *((gettext("Comment lire"), one) for one in choices_words.reading(tool().rules.disclosure.across)),
    ]


def choices_table() -> Table:
    """Return the crossing of a trait with the options, a line a cell; what is not shown stays empty."""
    read = _table_read()
    found = read.found
    if found is None:
        raise access.NotFound
    columns: Columns = [
        read.traits.label(read.by), choices_words.option(read.kind), gettext("Nombre"),
        gettext("Ont choisi"), Column(gettext("Part de la ligne"), percent=True), gettext("Attendu"),
        Column(gettext("Rapport à l’attendu"), digits=2), gettext("Résidu ajusté"),
        Column(gettext("p (Holm)"), digits=4),
    ]  # fmt: skip
    rows = [
        (
            choices_words.row(read.traits, read.by, name), column, cell.count, total, cell.share,
            cell.expected, cell.ratio, cell.residual, cell.p,
        )
        for name, line, total in zip(found.rows, found.cells, found.row_totals, strict=True)
        for column, cell in zip(found.columns, line, strict=True)
    ]  # fmt: skip
    name = gettext("Choix : %(what)s", what=choices_words.kind(read.kind))
    return Table("choix", name, columns, rows, noting.community(_notes(read)))


def choices_years_table() -> Table:
    """Return how often each option was chosen, in all and by school year."""
    read = _table_read()
    years: Sequence[int] = read.base.years if read.base else ()
    columns: Columns = [
        choices_words.option(read.kind), gettext("Année scolaire"), gettext("Personnes"),
        gettext("Ont choisi"), Column(gettext("Part"), percent=True),
        Column(gettext("Part, de"), percent=True), Column(gettext("à"), percent=True),
    ]  # fmt: skip
    rows = [
        (one.name, when, share.count, share.n, share.value, share.low, share.high)
        for one in read.options
        for when, share in (
            (gettext("toutes"), one.share),
            *((school_year(year), share) for year, share in zip(years, one.years, strict=True) if year),
        )
    ]
    return Table("choix-annees", gettext("Choix par année"), columns, rows, noting.community(_notes(read)))


def choices_pairs_table() -> Table:
    """Return the options chosen together, with their lift."""
    read = _table_read()
    heading = choices_words.option(read.kind)
    columns: Columns = [
        heading, gettext("et"), gettext("Ont choisi les deux"), Column(gettext("Attendu"), digits=1),
        Column(gettext("Rapport au hasard"), digits=2), Column(gettext("Rapport, de"), digits=2),
        Column(gettext("à"), digits=2), Column(gettext("p (Holm)"), digits=4),
    ]  # fmt: skip
    rows = [
        (one.first, one.second, one.count, one.expected, one.lift, one.low, one.high, one.p)
        for one in read.pairs
    ]
    return Table("choix-ensemble", gettext("Choisis ensemble"), columns, rows, noting.community(_notes(read)))
