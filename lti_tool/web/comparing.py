"""The page where two institutions stand side by side, by their aggregates."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from analyzers import intervals
from analyzers.results import Share
from lti_tool import access, adapting, audit
from lti_tool.comparing import aggregates, kept
from lti_tool.comparing.aggregates import Aggregates, FileError, Line, Year
from lti_tool.comparing.kept import Kept
from lti_tool.council import facts
from lti_tool.council.note import school_year
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import long_day, number, percent
from lti_tool.language import gettext, ngettext
from lti_tool.web import noting
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import admin_shell, note, reading
from tool_config import silos
from tool_config.database import transaction
from tool_config.references import plain
from tool_config.roles import ADMIN, LECTEUR, RESPONSABLE


@dataclass(frozen=True)
class _Row:
    """One measure of one path: ours, theirs, and how far apart."""

    about: str
    measure: str
    ours: Share
    theirs: Share

    @property
    def apart(self) -> tuple[float, float, float] | None:
        mine, other = self.ours, self.theirs
        if mine.count is None or not mine.n or other.count is None or not other.n:
            return None
        return intervals.difference((mine.count, mine.n), (other.count, other.n))


@dataclass(frozen=True)
class _Shown:
    """What the page compares."""

    ours: Aggregates
    files: tuple[Kept, ...]
    chosen: Kept | None
    year: int | None
    years: tuple[int, ...]
    rows: tuple[_Row, ...]


def comparison(launch: str) -> str:
    """Show the files of other institutions, and one of them beside ours."""
    access.require(viewer(), ADMIN, RESPONSABLE, LECTEUR)
    with reading() as conn:
        return _page(conn)


def comparison_export(launch: str) -> Response:
    """Give our aggregates as a file."""
    access.require(viewer(), ADMIN, RESPONSABLE)
    with reading() as conn:
        admin_shell(conn, "comparison")
        ours = _ours(conn)
    note("export")
    body = json.dumps(aggregates.written(ours), ensure_ascii=False, indent=1)
    answer = Response(body, mimetype="application/json")
    name = f"estime-agregats-{ours.made_on.isoformat()}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def comparison_add(launch: str) -> Answer | tuple[str, int]:
    """Read a file of another institution and keep it."""
    access.require(viewer(), ADMIN, RESPONSABLE)
    who, given = viewer(), request.files.get("file")
    content = given.read(aggregates.MOST_BYTES + 1) if given is not None else b""
    try:
        with transaction(tool().engine, who.silo_id) as conn:
            file_id = kept.add(conn, who.silo_id, content, by=who.actor, k=_k(), now=tool().clock())
            audit.write(
                conn, who.silo_id, at=tool().clock(), action="edit", accepted=True, actor=who.actor,
                role=who.role,
            )  # fmt: skip
    except FileError as error:
        with reading() as conn:
            return _page(conn, _fault(error)), 400
    return redirect(url_for("pages.comparison", file=file_id), 303)


def comparison_remove(launch: str, file_id: str) -> Answer:
    """Take a file away."""
    access.require(viewer(), ADMIN, RESPONSABLE)
    with transaction(tool().engine, viewer().silo_id) as conn:
        if not kept.remove(conn, viewer().silo_id, file_id):
            raise access.NotFound
    return redirect(url_for("pages.comparison"), 303)


def comparison_table() -> Table:
    """Return what the page compares."""
    access.require(viewer(), ADMIN, RESPONSABLE, LECTEUR)
    with reading() as conn:
        admin_shell(conn, "comparison")
        shown = _read(conn)
    other = shown.chosen.says.institution if shown.chosen else gettext("Autre établissement")
    columns: Columns = [
        gettext("Parcours"), gettext("Mesure"), Column(gettext("Ici"), percent=True), Column("n", digits=0),
        Column(other, percent=True), Column(gettext("n (autre)"), digits=0),
        Column(gettext("Écart (points)"), percent=True), Column(gettext("de"), percent=True),
        Column(gettext("à"), percent=True),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (row.about, row.measure, row.ours.value, row.ours.n, row.theirs.value, row.theirs.n)
        + (row.apart or (None, None, None))
        for row in shown.rows
    ]
    words = [(gettext("Année scolaire"), school_year(shown.year) if shown.year else "–")]
    return Table("comparaison", gettext("Comparaison"), columns, rows, noting.community(words))


# --- what is compared -----------------------------------------------------------------------------------


def _k() -> int:
    return tool().rules.disclosure.across


def _ours(conn: Connection) -> Aggregates:
    now, rules, silo_id = tool().clock(), tool().rules, viewer().silo_id
    owner = silos.get(conn, silo_id)
    years = facts.years(conn, silo_id, now=now, rules=rules)
    ground = adapting.read(conn, silo_id, now=now, rules=rules)
    return aggregates.made(years, ground.modules, institution=owner.name, today=g.today, k=_k())


def _read(conn: Connection) -> _Shown:
    ours = _ours(conn)
    files = kept.listing(conn, viewer().silo_id, k=_k())
    wanted = request.args.get("file", "")
    chosen = next((one for one in files if one.file_id == wanted), files[0] if files else None)
    theirs = chosen.says if chosen else None
    years = tuple(
        sorted({one.year for one in (*ours.years, *(theirs.years if theirs else ()))}, reverse=True)
    )
    text = request.args.get("year", "")
    common = [year for year in years if theirs and _in(ours, year) and _in(theirs, year)]
    usual = next(iter([*common, *years]), None)
    year = int(text) if text.isdigit() and len(text) < 5 and int(text) in years else usual
    rows = _rows(ours, theirs, year) if theirs is not None and year is not None else ()
    return _Shown(ours, files, chosen, year, years, rows)


def _in(some: Aggregates, year: int) -> Year | None:
    return next((one for one in some.years if one.year == year), None)


def _rows(ours: Aggregates, theirs: Aggregates, year: int) -> tuple[_Row, ...]:
    mine, other = _in(ours, year), _in(theirs, year)
    pairs: list[tuple[str, Line | None, Line | None]] = [
        (gettext("Tous les parcours"), mine.whole if mine else None, other.whole if other else None)
    ]
    pairs += _matched(mine.paths if mine else (), other.paths if other else ())
    themes = _matched(ours.themes, theirs.themes)
    pairs += [(gettext("Thème : %(theme)s", theme=title), one, two) for title, one, two in themes]
    k = _k()
    made = []
    for about, one, two in pairs:
        for measure, pick in _MEASURES:
            row = _Row(
                about, _measures()[measure],
                aggregates.as_share(pick(one) if one else None, k),
                aggregates.as_share(pick(two) if two else None, k),
            )  # fmt: skip
            if row.ours.value is not None or row.theirs.value is not None:
                made.append(row)
    return tuple(made)


def _matched(mine: Sequence[Line], other: Sequence[Line]) -> list[tuple[str, Line | None, Line | None]]:
    """Put lines of the same title side by side; those of one institution alone are left out."""
    theirs = {plain(one.title): one for one in other}
    return [(one.title, one, theirs[plain(one.title)]) for one in mine if plain(one.title) in theirs]


_MEASURES: tuple[tuple[str, Callable[[Line], tuple[int, int] | None]], ...] = (
    ("favourable", lambda line: line.favourable),
    ("finished", lambda line: line.finished),
    ("came", lambda line: line.came),
)


def _measures() -> dict[str, str]:
    return {
        "favourable": gettext("Avis favorables"),
        "finished": gettext("Ont terminé"),
        "came": gettext("Sont venus, parmi les inscrits"),
    }


# --- the page -------------------------------------------------------------------------------------------


def _page(conn: Connection, fault: str = "") -> str:
    shell = admin_shell(conn, "comparison")
    shown = _read(conn)
    manages = viewer().role in (ADMIN, RESPONSABLE)
    other = shown.chosen.says if shown.chosen else None
    return render_template(
        "admin/comparison.html",
        page_title=gettext("Comparaison"),
        shell=replace(shell, threshold=_k()),
        lead=_lead(shown),
        fault=fault,
        manages=manages,
        here=url_for("pages.comparison"),
        add_url=url_for("pages.comparison_add"),
        export_url=url_for("pages.comparison_export") if manages else "",
        files=[_file(one) for one in shown.files],
        chosen=shown.chosen.file_id if shown.chosen else "",
        year=shown.year,
        years=[(year, school_year(year)) for year in shown.years],
        other=other.institution if other else "",
        rows=[_line(row) for row in shown.rows],
        sizes=_sizes(shown),
        k=number(_k()),
    )


def _file(one: Kept) -> dict[str, Any]:
    return {
        "id": one.file_id,
        "name": one.says.institution,
        "made": long_day(one.says.made_on),
        "url": url_for("pages.comparison", file=one.file_id),
        "remove_url": url_for("pages.comparison_remove", file_id=one.file_id),
    }


def _line(row: _Row) -> dict[str, Any]:
    apart = row.apart
    return {
        "about": row.about,
        "measure": row.measure,
        "ours": _said(row.ours),
        "theirs": _said(row.theirs),
        "apart": _apart(apart) if apart else ("–", ""),
        "sure": apart is not None and not apart[1] <= 0 <= apart[2],
    }


def _said(share: Share) -> tuple[str, str]:
    """Return a share, and its interval with n."""
    if share.value is None:
        return "–", ""
    return percent(share.value), gettext(
        "%(low)s à %(high)s, n = %(n)s", low=percent(share.low), high=percent(share.high), n=number(share.n)
    )


def _apart(apart: tuple[float, float, float]) -> tuple[str, str]:
    """Return a difference in points, and its interval."""
    value, low, high = (round(100 * one) for one in apart)
    return (
        gettext("%(value)s points", value=_signed(value)),
        gettext("%(low)s à %(high)s", low=_signed(low), high=_signed(high)),
    )


def _signed(value: int) -> str:
    return f"+{value}" if value > 0 else f"−{-value}" if value < 0 else "0"


def _sizes(shown: _Shown) -> list[tuple[str, str, str]]:
    """Return the sizes of the year: what is counted, here, there."""
    if shown.chosen is None or shown.year is None:
        return []
    lines = [
        found.whole if (found := _in(some, shown.year)) else None for some in (shown.ours, shown.chosen.says)
    ]

    def both(pick: Callable[[Line], int | float | None]) -> tuple[str, str]:
        first, second = (number(pick(line)) if line and pick(line) is not None else "–" for line in lines)
        return first, second

    def fill(line: Line) -> str:
        return percent(line.filled[0] / line.filled[1]) if line.filled else "–"

    filled = tuple(fill(line) if line else "–" for line in lines)
    return [
        (gettext("Sessions terminées"), *both(lambda line: line.sessions)),
        (gettext("Inscriptions"), *both(lambda line: line.enrolled)),
        (gettext("Remplissage des places"), filled[0], filled[1]),
        (gettext("Journées-stagiaires en présence"), *both(lambda line: line.in_person)),
        (gettext("Journées-stagiaires à distance"), *both(lambda line: line.distance)),
    ]


def _lead(shown: _Shown) -> str:
    if shown.chosen is None:
        return gettext(
            "Deux établissements côte à côte, sans mettre en commun une seule personne : chacun donne à "
            "l’autre un fichier d’agrégats."
        )
    sure = sum(row.apart is not None and not row.apart[1] <= 0 <= row.apart[2] for row in shown.rows)
    name = shown.chosen.says.institution
    if not shown.rows:
        return gettext("Rien n’est commun avec « %(name)s » pour cette année.", name=name)
    if not sure:
        return gettext("Aucun écart avec « %(name)s » ne dépasse le hasard.", name=name)
    return ngettext(
        "Un écart avec « %(name)s » dépasse le hasard.",
        "%(num)d écarts avec « %(name)s » dépassent le hasard.",
        sure,
        name=name,
    )


def _fault(error: FileError) -> str:
    return {
        "bytes": gettext("Ce fichier est trop gros pour être un fichier d’agrégats."),
        "json": gettext("Ce fichier n’est pas lisible : ce n’est pas du JSON, ou il est abîmé."),
        "schema": gettext("Ce n’est pas un fichier d’agrégats d’Estime."),
        "version": gettext(
            "Ce fichier est d’une autre version (%(about)s) : demandez-en un de la version %(version)s.",
            about=error.about,
            version=aggregates.VERSION,
        ),
        "keys": gettext(
            "Ce fichier contient autre chose que des agrégats, ou il en manque (« %(about)s ») : rien n’est "
            "gardé.",
            about=error.about,
        ),
        "text": gettext("Un nom de ce fichier ne peut pas être lu (« %(about)s »).", about=error.about),
        "small": gettext(
            "Ce fichier parle de groupes de moins de %(k)s personnes (« %(about)s ») : rien n’est gardé.",
            k=number(_k()),
            about=error.about,
        ),
        "many": gettext("Ce fichier a trop de lignes (« %(about)s »).", about=error.about),
        "full": gettext("Trop de fichiers sont déjà gardés : retirez-en d’abord."),
    }.get(
        error.code, gettext("Une valeur de ce fichier n’est pas possible (« %(about)s »).", about=error.about)
    )
