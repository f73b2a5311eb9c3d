"""The improvement log as lists: of a course for who accompanies it, of the whole silo for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import Connection, select

from lti_tool import access
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.improvements import Seen, log, wording
from lti_tool.improvements.log import Line, Wanted
from lti_tool.language import gettext, ngettext
from lti_tool.web import improvement_place, noting
from lti_tool.web.guard import viewer
from lti_tool.web.improvement_place import Place, open_place
from lti_tool.web.listing import address
from lti_tool.web.shell import reading
from xapi.tables import path

#: Entries of one page of the list.
PAGE = 50
#: Of what is late, shown on the first page of a role before "voir les autres".
_FIRST = 4


@dataclass(frozen=True)
class Row:
    """An entry as lists print it."""

    title: str
    url: str
    kind: str
    object: str
    state: str
    state_label: str
    owner: str
    due: str
    late: bool
    course: str
    course_url: str
    published: bool
    words: str


@dataclass(frozen=True)
class _Asked:
    """What the filters ask; what is not on offer is no filter."""

    wanted: Wanted
    page: int

    def arguments(self) -> dict[str, str]:
        wanted = self.wanted
        return {
            "state": wanted.state,
            "kind": wanted.kind,
            "module": wanted.module,
            "path": "" if wanted.path_id is None else str(wanted.path_id),
            "late": "1" if wanted.late else "",
        }


def _asked(place: Place, *, across: bool) -> _Asked:
    """Read the filters of the address."""
    state, kind = request.args.get("state", ""), request.args.get("kind", "")
    module, number = request.args.get("module", ""), request.args.get("page", "1")
    path_id = request.args.get("path", "")
    return _Asked(
        Wanted(
            course_id=None if across else place.course_id,
            reserved=viewer().role == "admin",
            state=state if state in (*wording.states(), log.TO_DO) else "",
            kind=kind if kind in wording.kinds() else "",
            module=module if module in dict(place.modules) else "",
            path_id=int(path_id) if path_id.isascii() and path_id.isdigit() and len(path_id) < 9 else None,
            late=request.args.get("late") == "1",
        ),
        int(number) if number.isascii() and number.isdigit() and 0 < len(number) < 5 and int(number) else 1,
    )


def improvements(launch: str, course_id: int) -> str:
    """Show the log of a course."""
    if not course_id:
        raise access.NotFound
    with reading() as conn:
        place = open_place(conn, course_id)
        return _list(conn, place, _asked(place, across=False))


def improvements_all(launch: str) -> str:
    """Show the log of the whole silo."""
    access.require(viewer(), "admin")
    with reading() as conn:
        place = open_place(conn, 0)
        return _list(conn, place, _asked(place, across=True))


def _list(conn: Connection, place: Place, asked: _Asked) -> str:
    silo_id, today = viewer().silo_id, place.today
    everything = log.lines(conn, silo_id, Wanted(asked.wanted.course_id, asked.wanted.reserved), today=today)
    found = log.lines(
        conn, silo_id, asked.wanted, today=today, limit=PAGE + 1, offset=(asked.page - 1) * PAGE
    )
    across, kept, here = asked.wanted.course_id is None, asked.arguments(), place.list_url
    return render_template(
        "improvements/list.html",
        page_title=gettext("Améliorations"),
        shell=place.shell,
        lead=wording.lead(everything, today),
        rows=_rows(conn, found[:PAGE], today),
        any=bool(everything),
        across=across,
        states=wording.states(),
        to_do=log.TO_DO,
        kinds=wording.kinds(),
        modules=place.modules,
        paths=_paths(conn) if across else [],
        asked=asked.wanted,
        filtered=any(kept.values()),
        here=here,
        new_url=place.url("improvement_new"),
        table="improvements_all" if across else "improvements",
        print_url=address(_print_url(place, across=across), kept),
        newer=address(here, {**kept, "page": str(asked.page - 1)}) if asked.page > 1 else "",
        older=address(here, {**kept, "page": str(asked.page + 1)}) if len(found) > PAGE else "",
    )


def _print_url(place: Place, *, across: bool) -> str:
    return url_for("pages.improvements_all_print") if across else place.url("improvements_print")


def _paths(conn: Connection) -> list[tuple[int, str]]:
    query = select(path.c.path_id, path.c.title).where(path.c.silo_id == viewer().silo_id)
    return [(row[0], row[1]) for row in conn.execute(query.order_by(path.c.title))]


def _rows(conn: Connection, lines: Sequence[Line], today: date, *, on_paper: bool = False) -> list[Row]:
    owners = [line.entry.owner for line in lines]
    persons = improvement_place.called(conn, owners, on_paper=on_paper)
    states, kinds, objects = wording.states(), wording.kinds(), wording.objects()
    return [
        Row(
            title=wording.title(line.entry, line.seen),
            url=url_for(
                "pages.improvement",
                course_id=line.entry.course_id,
                improvement_id=line.entry.improvement_id,
            ),
            kind=kinds.get(line.entry.kind, line.entry.kind),
            object=objects.get(line.entry.object, ""),
            state=line.entry.state,
            state_label=states[line.entry.state],
            owner=persons.get(line.entry.owner or "", line.entry.owner_name),
            due=wording.due(line.entry, today),
            late=line.entry.late(today),
            course=line.course_title
            or (gettext("Session sans titre") if line.entry.course_id else gettext("Toute la communauté")),
            course_url=url_for("pages.improvements", course_id=line.entry.course_id)
            if line.entry.course_id
            else "",
            published=line.entry.published_on is not None,
            words=line.seen.words if line.seen else "",
        )
        for line in lines
    ]


# --- on other pages ----------------------------------------------------------------------------------------


def late(conn: Connection, course_id: int | None, today: date) -> dict[str, Any] | None:
    """Return what is late and concerns the viewer, for the first page of their role; None when nothing is."""
    who = viewer()
    reserved = who.role == "admin"
    found = log.late_for(conn, who.silo_id, course_id, who.actor, reserved=reserved, today=today)
    if not found:
        return None
    here = url_for("pages.improvements_all") if course_id is None else url_for(
        "pages.improvements", course_id=course_id
    )  # fmt: skip
    return {
        "title": ngettext(
            "Une amélioration attend depuis son échéance",
            "%(num)d améliorations attendent depuis leur échéance",
            len(found),
        ),
        "rows": _rows(conn, found[:_FIRST], today),
        "more": max(0, len(found) - _FIRST),
        "url": address(here, {"late": "1"}),
    }


# --- to keep -----------------------------------------------------------------------------------------------


def improvements_print(launch: str, course_id: int) -> str:
    """Show every entry in full, to be printed."""
    if not course_id:
        raise access.NotFound
    return _print(course_id)


def improvements_all_print(launch: str) -> str:
    """Show every entry of the silo in full, to be printed."""
    access.require(viewer(), "admin")
    return _print(0)


def _print(course_id: int) -> str:
    with reading() as conn:
        place = open_place(conn, course_id)
        asked = _asked(place, across=not course_id)
        lines = log.lines(conn, viewer().silo_id, asked.wanted, today=place.today)
        rows = _rows(conn, lines, place.today, on_paper=True)
    return render_template(
        "improvements/print.html",
        page_title=gettext("Améliorations"),
        shell=place.shell,
        lead=wording.lead(lines, place.today),
        across=not course_id,
        items=[
            {
                "row": row,
                "entry": line.entry,
                "seen": line.seen,
                "measured": line.measured,
                "moved": wording.moved(line.seen, line.measured) if line.seen and line.measured else "",
            }
            for row, line in zip(rows, lines, strict=True)
        ],
        back_url=address(place.list_url, asked.arguments()),
    )


def course_table(course_id: int) -> Table:
    """Return the log of a course as its page filters it."""
    if not course_id:
        raise access.NotFound
    return _table(course_id)


def silo_table() -> Table:
    """Return the log of the silo as its page filters it."""
    access.require(viewer(), "admin")
    return _table(0)


def _table(course_id: int) -> Table:
    with reading() as conn:
        place = open_place(conn, course_id)
        asked = _asked(place, across=not course_id)
        lines = log.lines(conn, viewer().silo_id, asked.wanted, today=place.today)
        rows = _rows(conn, lines, place.today)
    share = Column(gettext("Valeur"), digits=4)
    columns: Columns = [
        gettext("Session"), gettext("Parcours"), gettext("Nature"), gettext("Objet"),
        gettext("Ce qui a été vu"), gettext("Mesure"), share, "n", gettext("Borne basse"),
        gettext("Borne haute"), gettext("Date de la mesure"), gettext("Définition"), gettext("Constat"),
        gettext("Ouverte le"), gettext("État"), gettext("Décision"), gettext("Qui s’en charge"),
        gettext("Échéance"), gettext("En retard"), gettext("Ce qui est fait"), gettext("Mesure après"),
        gettext("Valeur après"), gettext("n après"), gettext("Date de la mesure après"),
        gettext("Conclusion"), gettext("Répondre avant le"), gettext("Répondu le"), gettext("Publié le"),
    ]  # fmt: skip
    body = [_cells(row, line, place.today) for row, line in zip(rows, lines, strict=True)]
    words = [(gettext("Entrées"), str(len(body)))]
    notes = noting.course(place.page, words) if place.page else noting.community(words)
    return Table(gettext("ameliorations"), gettext("Améliorations"), columns, body, notes)


def _cells(row: Row, line: Line, today: date) -> tuple[Cell, ...]:
    entry = line.entry
    return (
        row.course, line.path_title, row.kind, row.object, row.title, *_figure(line.seen),
        line.seen.definition if line.seen else "", entry.noticed, entry.opened_on, row.state_label,
        entry.decision, row.owner, entry.due_on, entry.late(today), entry.action, *_after(line.measured),
        entry.conclusion, entry.answer_by, entry.answered_on, entry.published_on,
    )  # fmt: skip


def _figure(seen: Seen | None) -> tuple[Cell, ...]:
    if seen is None:
        return ("", None, None, None, None, None)
    return (seen.words, seen.value, seen.n, seen.low, seen.high, seen.day)


def _after(measured: Seen | None) -> tuple[Cell, ...]:
    if measured is None:
        return ("", None, None, None)
    return (measured.words, measured.value, measured.n, measured.day)
