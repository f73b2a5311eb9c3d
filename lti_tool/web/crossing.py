"""The administrator's page that crosses any two dimensions of a dataset, its origins included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from sqlalchemy import Connection

from analyzers import figures
from analyzers.crossing import Crossing
from analyzers.dimensions import ORIGIN, Arranged, Line, arrange
from lti_tool import access, crossing_words, definitions, matching
from lti_tool.dimension_words import label, value_label
from lti_tool.exports import Column, Columns, Table
from lti_tool.language import gettext
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.import_view import kinds
from lti_tool.web.labels import chart_labels
from lti_tool.web.listing import address
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import silos
from tool_config.standards import Field, Standard
from xapi import datasets

#: Dataset of people, whose dimensions are offered for every dataset that names people.
_PEOPLE = "people"
#: Roles of the fields that can be counted by.
_ROLES = ("dimension", "path", "session", "module")


@dataclass(frozen=True)
class _Crossed:
    """Two dimensions of a dataset, crossed."""

    row: Field
    column: Field
    arranged: Arranged
    found: Crossing
    rows: tuple[str, ...]
    columns: tuple[str, ...]


def crossing_page(launch: str) -> str:
    """Show the choice of two dimensions and, once made, what they say together."""
    access.require_across(viewer())
    with reading() as conn:
        known, counts = _datasets(conn)
        standard = known.get(request.args.get("kind", ""))
        axes = _axes(standard, known) if standard else {}
        crossed = _crossed(conn, standard, axes) if standard else None
        shell = _shell(conn, crossed)
    return render_template(
        "admin/crossing.html",
        page_title=gettext("Croisements"),
        shell=shell,
        lead=_lead(crossed, bool(counts)),
        here=url_for("pages.crossing"),
        groups=kinds({name: known[name] for name in counts}, standard.name if standard else ""),
        chosen=standard is not None,
        axes=[(name, _axis(name, field)) for name, field in axes.items()],
        row=request.args.get("row", ""),
        column=request.args.get("column", ""),
        imports_url=url_for("pages.imports"),
        **_context(crossed),
    )


def crossing_table() -> Table:
    """Return a crossing, a line a cell; what is not shown stays empty."""
    access.require_across(viewer())
    with reading() as conn:
        known, _ = _datasets(conn)
        standard = known.get(request.args.get("kind", ""))
        crossed = _crossed(conn, standard, _axes(standard, known)) if standard else None
        _shell(conn, crossed)
    if crossed is None:
        raise access.NotFound
    columns: Columns = [
        label(crossed.row), label(crossed.column), gettext("Nombre"),
        Column(gettext("Part de la ligne"), percent=True), gettext("Attendu"), gettext("Résidu ajusté"),
        Column(gettext("p (Holm)"), digits=4),
    ]  # fmt: skip
    rows = [
        (row, column, cell.count, cell.share, cell.expected, cell.residual, cell.p)
        for row, line in zip(crossed.rows, crossed.found.cells, strict=True)
        for column, cell in zip(crossed.columns, line, strict=True)
    ]
    k = tool().rules.disclosure.across
    words = [
        *((gettext("Ce qui est compté"), said) for said in crossing_words.basis(crossed.arranged, k)),
        (gettext("Comment lire"), definitions.crossing()),
    ]
    name = gettext("%(row)s et %(column)s", row=label(crossed.row), column=label(crossed.column))
    return Table("croisement", name, columns, rows, noting.community(words))


def _datasets(conn: Connection) -> tuple[Mapping[str, Standard], Sequence[str]]:
    """Return the standards of the silo, and the names of those with rows and two dimensions at least."""
    known = datasets.known(conn, viewer().silo_id)
    counts = datasets.counts(conn, viewer().silo_id)
    return known, [name for name in known if name in counts and len(_axes(known[name], known)) > 1]


def _axes(standard: Standard, known: Mapping[str, Standard]) -> dict[str, Field]:
    """Return the dimensions offered for a dataset: its own, then the origin of its people."""
    found = {field.id: field for field in standard.fields if field.role in _ROLES}
    if standard.of_role("person") and standard.name != _PEOPLE and _PEOPLE in known:
        origin = known[_PEOPLE].dimensions
        found |= {f"{ORIGIN}{field.id}": field for field in origin}
    return found


def _crossed(conn: Connection, standard: Standard, axes: Mapping[str, Field]) -> _Crossed | None:
    row, column = request.args.get("row", ""), request.args.get("column", "")
    if row not in axes or column not in axes or row == column:
        return None
    identity = matching.actors(conn, viewer().silo_id)
    columns = ("person_key", "valid_on", "data")

    def lines(kind: str) -> list[Line]:
        rows = datasets.rows(conn, viewer().silo_id, kind, columns)
        return [Line(_unit(identity, key, data), day, data) for key, day, data in rows]

    origins = {
        line.person: line.data
        for line in (lines(_PEOPLE) if any(name.startswith(ORIGIN) for name in axes) else ())
        if line.person
    }
    arranged = arrange(lines(standard.name), origins, row, column, list(axes))
    if arranged.exchanged:
        row, column = column, row
    found = arranged.cross(tool().rules.disclosure.across)
    first, second = axes[row], axes[column]
    return _Crossed(
        first, second, arranged, found,
        tuple(value_label(first, name) for name in found.rows),
        tuple(value_label(second, name) for name in found.columns),
    )  # fmt: skip


def _unit(identity: Mapping[str, str], key: str | None, data: Mapping[str, Any]) -> str | None:
    """Return who counts for a row: its person, else its respondent; None: the row itself.

    One respondent has as many rows as a questionnaire has questions: rows would soon be over the threshold.
    """
    if key:
        return identity.get(key, key)
    return f"respondent {data['respondent']}" if data.get("respondent") else None


def _context(crossed: _Crossed | None) -> dict[str, Any]:
    """Return what the template prints of a crossing."""
    if crossed is None:
        return {"crossed": None}
    found, k = crossed.found, tool().rules.disclosure.across
    if not any(cell.count is not None for line in found.cells for cell in line):
        return {"crossed": {"shown": False, "basis": crossing_words.basis(crossed.arranged, k)}}
    row, column = label(crossed.row), label(crossed.column)
    said = crossing_words.pairs(found, crossed.rows, crossed.columns)
    title = crossing_words.title(found, crossed.rows, crossed.columns)
    words = figures.CrossingWords(
        more=gettext("plus qu’attendu"), less=gettext("moins qu’attendu"), same=gettext("comme attendu"),
        hidden=gettext("non montré"), corner=row, total=gettext("Total"), said=" ".join([title, *said]),
        cell=crossing_words.pair, cell_short=crossing_words.short,
    )  # fmt: skip
    return {
        "crossed": {
            "shown": True,
            "title": title,
            "strength": crossing_words.strength(found.association, row, column) if found.association else "",
            "said": said,
            "basis": crossing_words.basis(crossed.arranged, k),
            "chart": figures.crossed(
                found, crossed.rows, crossed.columns, words=words, labels=chart_labels()
            ),
            "columns": _tests(crossed),
            "csv_url": address(url_for("pages.crossing_csv"), request.args.to_dict()),
            "reading": definitions.reading("crossing", tool().rules),
        }
    }


def _tests(crossed: _Crossed) -> list[str]:
    """Say the test of each choice, where people may have several."""
    return [
        crossing_words.strength(test, label(crossed.row), column)
        for column, test in zip(crossed.columns, crossed.found.by_column, strict=False)
        if test is not None
    ]


def _lead(crossed: _Crossed | None, known: bool) -> str:
    if not known:
        return gettext("Aucun jeu de données n’a encore deux dimensions à croiser.")
    if crossed is None:
        return gettext("Choisissez un jeu de données, puis deux dimensions à croiser.")
    if crossed.found.suppressed:
        return gettext("Trop peu de personnes pour croiser ces deux dimensions sans en reconnaître une.")
    if crossed.found.association is not None:
        return crossing_words.strength(crossed.found.association, label(crossed.row), label(crossed.column))
    said = crossing_words.pairs(crossed.found, crossed.rows, crossed.columns)
    return said[0] if said else crossing_words.title(crossed.found, crossed.rows, crossed.columns)


def _axis(name: str, field: Field) -> str:
    return (
        gettext("%(dimension)s (origine)", dimension=label(field))
        if name.startswith(ORIGIN)
        else label(field)
    )


def _shell(conn: Connection, crossed: _Crossed | None) -> Shell:
    set_time(tool().clock(), ZoneInfo(silos.get(conn, viewer().silo_id).time_zone))
    return Shell(
        title=gettext("Croisements"),
        meta="" if crossed is None else f"{label(crossed.row)} × {label(crossed.column)}",
        tabs=admin_tabs("crossing"),
        open_url=open_url(),
        about_url=url_for("pages.about_all", launch=viewer().launch_id),
        threshold=tool().rules.disclosure.across,
        done=done(),
    )
