"""The page of origins: who comes, by académie (a map), corps, former job…, year after year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy import Connection

from analyzers import origins
from analyzers.choice_rows import year_of
from analyzers.community import Community, Scope
from analyzers.figures import publics
from analyzers.origins import ACADEMIE, ZONE, Grid, Line, Picture
from lti_tool import access, community, origins_words
from lti_tool.dimension_words import Traits
from lti_tool.exports import Column, Columns, Table
from lti_tool.formatting import number, percent
from lti_tool.language import gettext
from lti_tool.origins_words import school_year
from lti_tool.web import noting, scoped
from lti_tool.web.guard import tool, viewer
from lti_tool.web.labels import chart_labels
from lti_tool.web.shell import Shell, admin_shell, reading
from tool_config import references
from tool_config.references import plain
from xapi import datasets

#: Order in which traits are offered; those that a silo adds come after.
_ORDER = (
    ACADEMIE,
    ZONE,
    "corps",
    "former_job",
    "seniority",
    "gender",
    "age_band",
    "promotion",
    "establishment",
)
#: Bars drawn; the table has every line.
_BARS = 15


@dataclass(frozen=True)
class _Read:
    """What the page reads: the scope, the trait, its counts, and what may be shown of them."""

    community: Community
    traits: Traits
    #: Traits offered.
    offered: tuple[str, ...]
    by: str
    path: int | None
    year: int | None
    grid: Grid | None
    picture: Picture | None
    sources: tuple[str, ...]

    @property
    def path_title(self) -> str:
        return "" if self.path is None else self.community.paths[self.path].title


def origins_page(launch: str) -> str:
    """Show who came in a school year by a trait: sentence, map, shares, changes."""
    with reading() as conn:
        read = _read(conn)
        shell = _shell(conn, read)
    if read.grid is None or read.picture is None:
        shown: dict[str, Any] = {"shown": None}
    else:
        shown = _context(read, read.grid, read.picture)
    chosen = Scope(year=read.year, path=read.path)
    return render_template(
        "across/origins.html",
        page_title=gettext("Origines"),
        shell=shell,
        lead=_lead(read),
        empty=not read.offered,
        thin=origins_words.thin(read.by, read.path_title, tool().rules.disclosure.across),
        scope=_bar(read, chosen),
        choices=[(name, read.traits.label(name), name == read.by) for name in read.offered],
        imports_url=url_for("pages.imports"),
        **shown,
    )


def _read(conn: Connection) -> _Read:
    silo_id, rules = viewer().silo_id, tool().rules
    found = community.load(conn, silo_id, now=tool().clock())
    scope = scoped.scope(found)
    place = scope.path
    access.require_across(viewer(), None if place is None else found.paths[place].path_id)
    known = datasets.known(conn, silo_id)
    traits = Traits(known["people"])
    offered = [name for name in _ORDER if name in found.traits]
    offered += sorted(name for name in found.traits if name not in _ORDER)
    by = request.args.get("by", "") or (offered[0] if offered else "")
    if by and by not in offered:
        raise access.NotFound
    grid = _grid(found, by, rules.disclosure.across) if by else None
    year = _year(grid, scope.year, place, found.today)
    picture: Picture | None = None
    sources: tuple[str, ...] = ()
    if grid is not None and year is not None:
        population, sources = _reference(conn, silo_id, by, traits, found)
        picture = origins.picture(grid, year, place, population)
    return _Read(found, traits, tuple(offered), by, place, year, grid, picture, sources)


def _grid(found: Community, by: str, k: int) -> Grid | None:
    """Return the counts of a trait, remembered as long as the community stays what it is."""
    came = community.result(("origins units", found.version), lambda: origins.units(found))
    zones = {
        entry.id: entry.attributes.get("zone", "")
        for entry in references.load()["academies"].entries.values()
    }
    made = community.result(
        ("origins", found.version, by, k), lambda: (origins.grid(found, came, by, zones, k=k),)
    )
    return made[0]


def _year(grid: Grid | None, asked: int | None, path: int | None, today: date) -> int | None:
    """Return the year asked for, else the last one begun in which the path may be shown."""
    if asked is not None or grid is None:
        return asked
    now = year_of(today)
    fit = [year for year in grid.years if path is None or path in grid.paths(year)] or list(grid.years)
    return max((year for year in fit if year <= now), default=fit[-1])


def _reference(
    conn: Connection, silo_id: int, by: str, traits: Traits, found: Community
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the people of each category in the population of a file, and what the file calls its source."""
    trait = found.traits.get(ACADEMIE if by == ZONE else by)
    spelled: dict[str, str] = {}
    for value in trait.values if trait else ():
        spelled |= {plain(value): value, plain(traits.value(by, value)): value}
    if by == ZONE:
        spelled = {plain(text): zone for zone in origins.ZONES for text in (zone, f"Zone {zone}")}
    made: dict[str, int] = {}
    sources: dict[str, None] = {}
    for (data,) in datasets.rows(conn, silo_id, "populations", ("data",)):
        if data.get("trait") != by:
            continue
        category = str(data["category"])
        name = spelled.get(plain(category)) or _referenced(by, category) or category
        made[name] = made.get(name, 0) + int(data["number"])
        if data.get("source"):
            sources[str(data["source"])] = None
    return made, tuple(sources)


def _referenced(by: str, text: str) -> str | None:
    """Return the entry of a reference table that a text means, though nobody came from it."""
    table = references.load().get({ACADEMIE: "academies", "corps": "corps"}.get(by, ""))
    return table.find(text) if table else None


def _lead(read: _Read) -> str:
    if not read.offered:
        return origins_words.empty()
    if read.picture is None:
        return origins_words.thin(read.by, read.path_title, tool().rules.disclosure.across)
    said = origins_words.lead(read.picture, read.traits, read.path_title)
    return " ".join(filter(None, [said, origins_words.change_sentence(read.picture, read.traits)]))


def _bar(read: _Read, chosen: Scope) -> scoped.Bar:
    """Return the filters: the years and paths that may be shown, those of the viewer's grant."""
    made = scoped.bar(read.community, chosen, read.traits, url_for("pages.origins"))
    years = read.grid.years if read.grid else ()
    allowed = viewer().paths
    return replace(
        made,
        years=[one for one in made.years if int(one.value) in years],
        paths=[one for one in made.paths if allowed is None or one.value in {str(path) for path in allowed}],
    )


def _context(read: _Read, grid: Grid, picture: Picture) -> dict[str, Any]:
    """Return what the template prints of a picture."""
    words, labels = read.traits, chart_labels()
    names = {one.row.key: origins_words.row(words, read.by, one.row) for one in picture.lines}
    has_reference = any(one.reference is not None for one in picture.lines)
    columns = [
        words.label(read.by), gettext("Personnes"), gettext("Part (%)"), gettext("de (%)"), gettext("à (%)"),
        *([gettext("Population de référence (%)")] if has_reference else []),
    ]  # fmt: skip
    title = origins_words.title(picture, words)
    bars = publics.bars(
        [
            publics.Bar(
                names[one.row.key], one.share, one.reference, origins_words.bar(names[one.row.key], one)
            )
            for one in picture.lines[:_BARS]
        ],
        columns=columns,
        reference=gettext("Population de référence"),
        said=f"{title}. {_lead(read)}",
        labels=labels,
    )
    return {
        "shown": {
            "title": title,
            "chart": bars,
            "more": max(0, len(picture.lines) - _BARS),
            "tiles": _tiles(read, picture) if read.by == ACADEMIE else None,
            "lines": [_line(one, names[one.row.key]) for one in picture.lines],
            "reference": has_reference,
            "before": "" if picture.before is None else school_year(picture.before),
            "year": school_year(picture.year),
            "trait": words.label(read.by),
            "basis": origins_words.basis(
                picture, grid, words, (read.community.in_files, read.community.matched)
            ),
            "trend": _trend(read, picture, names) if len(picture.years) > 1 else None,
            "reading": origins_words.reading(grid.k, read.sources),
        }
    }


def _trend(read: _Read, picture: Picture, names: dict[str, str]) -> dict[str, Any]:
    """Return the lines over the years: those that changed for sure, then the largest."""
    first = [*picture.moved, *(one for one in picture.known if one not in picture.moved)]
    rest = [one for one in picture.lines if one not in first]
    title = origins_words.trend_title(picture, read.traits)
    chart = publics.over_years(
        [school_year(year) for year in picture.years],
        [(names[one.row.key], one.years) for one in (*first, *rest)],
        columns=[
            read.traits.label(read.by),
            *(gettext("%(year)s (%%)", year=school_year(year)) for year in picture.years),
        ],
        said=f"{title}. {origins_words.change_sentence(picture, read.traits)}",
        labels=chart_labels(),
    )
    drawn = [names[one.row.key] for one in first[: publics.MOST_LINES]]
    return {
        "title": title,
        "said": origins_words.change_sentence(picture, read.traits),
        "chart": chart,
        "key": list(zip(("circle", "diamond", "square"), drawn, strict=False)),
    }


def _line(one: Line, name: str) -> dict[str, Any]:
    share = one.share
    return {
        "name": name,
        "count": NONE if share.count is None else number(share.count),
        "share": percent(share.value) if share.value is not None else origins_words.hidden(share),
        "mark": None
        if share.value is None
        else {
            "low": 100 * (share.low or 0), "high": 100 * (share.high or 0), "value": 100 * share.value,
            "words": origins_words.share(share),
        },
        "change": "" if one.change is None else origins_words.points(one.change.value),
        "interval": ""
        if one.change is None
        else gettext(
            "de %(low)s à %(high)s",
            low=origins_words.points(one.change.low), high=origins_words.points(one.change.high),
        ),
        "sure": one.change is not None and one.change.sure,
        "reference": "" if one.reference is None else percent(one.reference),
        "weight": "" if one.weight is None else gettext("× %(times)s", times=number(one.weight, 1)),
    }  # fmt: skip


NONE = "–"


def _tiles(read: _Read, picture: Picture) -> dict[str, Any]:
    """Return the squares of the map, from the very lines of the table."""
    top = max((one.share.value or 0.0 for one in picture.known), default=0.0)
    of = {name: one for one in picture.lines for name in one.row.gathered or (one.row.key,)}
    tiles = []
    for academie in publics.TILES:
        line = of.get(academie)
        name = read.traits.value(ACADEMIE, academie)
        if line is None:
            if publics.TILES[academie][2] == 6 and academie != "corse":
                continue
            share, written, said = None, NONE, gettext("%(name)s : personne", name=name)
        elif line.row.gathered:
            share, written = None, gettext("réunie")
            group = origins_words.row(read.traits, ACADEMIE, line.row)
            said = gettext("%(name)s : réunie à d’autres (%(group)s)", name=name, group=group)
        else:
            share = line.share.value
            written = percent(share) if share is not None else gettext("trop peu")
            said = origins_words.bar(name, line)
        made = publics.tile(academie, share, top, written=written, said=said, nobody=line is None)
        if made is not None:
            tiles.append(made)
    first = [one for one in picture.known if one.share.value][:3]
    named = [origins_words.bar(origins_words.row(read.traits, ACADEMIE, one.row), one) for one in first]
    return {
        "tiles": tiles,
        "rows": 1 + max(one.y for one in tiles),
        "said": gettext(
            "Carte des académies, un carré chacune, plus foncé quand la part est plus grande. %(first)s.",
            first=" ; ".join(named),
        ),
    }


def _shell(conn: Connection, read: _Read) -> Shell:
    made = admin_shell(conn, "origins")
    return replace(
        made, threshold=tool().rules.disclosure.across, fresh_at=read.community.made_at.astimezone(g.zone)
    )


def origins_table() -> Table:
    """Return who came by a trait in every school year, from the very cells of the page; hidden ones empty."""
    with reading() as conn:
        read = _read(conn)
        _shell(conn, read)
    if read.grid is None or read.picture is None:
        raise access.NotFound
    columns: Columns = [
        gettext("Année scolaire"), read.traits.label(read.by), gettext("Personnes"),
        Column(gettext("Part"), percent=True), Column(gettext("Part, de"), percent=True),
        Column(gettext("à"), percent=True), Column(gettext("Évolution (points)"), digits=1),
        Column(gettext("Évolution, de"), digits=1), Column(gettext("à"), digits=1),
        Column(gettext("Population de référence"), percent=True),
    ]  # fmt: skip
    reference = {one.row.key: one.reference for one in read.picture.lines}
    rows = []
    for year in read.grid.years:
        found = origins.picture(read.grid, year, read.path)
        rows += [
            _cells(year, one, origins_words.row(read.traits, read.by, one.row), reference.get(one.row.key))
            for one in (found.lines if found else ())
        ]
    k = tool().rules.disclosure.across
    notes = _notes(read, origins_words.reading(k, read.sources))
    name = gettext("Origines : %(trait)s", trait=read.traits.label(read.by))
    return Table("origines", name, columns, rows, noting.community(notes))


def _cells(year: int, one: Line, name: str, reference: float | None) -> tuple[Any, ...]:
    change = one.change
    return (
        school_year(year), name, one.share.count, one.share.value, one.share.low, one.share.high,
        None if change is None else 100 * change.value, None if change is None else 100 * change.low,
        None if change is None else 100 * change.high, reference,
    )  # fmt: skip


def _notes(read: _Read, sentences: Sequence[str]) -> list[tuple[str, str]]:
    path = [(gettext("Parcours"), read.path_title)] if read.path_title else []
    return [*path, *((gettext("Comment lire"), said) for said in sentences)]
