"""The administrator's pages of imports: drop a file, see how it is read, correct it, follow it, mend it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from lti_tool import access, audit
from lti_tool.exports import Table
from lti_tool.imports import documents, files, preparation, refusals, sentences, work
from lti_tool.imports.files import File
from lti_tool.imports.preparation import Preparation
from lti_tool.language import gettext
from lti_tool.web import import_view
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import Shell, admin_tabs, done, open_url, reading, set_time
from tool_config import platforms, silos
from tool_config.database import transaction
from tool_config.standards import StandardError
from xapi import datasets
from xapi.sources.cells import TableFault

_FORMS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def import_list(launch: str) -> str:
    """Show where a file is dropped, the files given before, and the datasets."""
    access.require(viewer(), "admin")
    return _list()


def _list(faults: list[str] | None = None) -> str:
    with reading() as conn:
        shell = _shell(conn)
        known = datasets.known(conn, viewer().silo_id)
        context = import_view.listing(
            files.latest(conn, viewer().silo_id, limit=import_view.MOST_FILES + 1),
            known,
            datasets.counts(conn, viewer().silo_id),
            files.saved(conn, viewer().silo_id),
        )
    return render_template(
        "admin/imports.html",
        page_title=gettext("Imports"),
        shell=shell,
        faults=faults or [],
        here=url_for("pages.imports"),
        **context,
    )


def import_add(launch: str) -> Answer | tuple[str, int]:
    """Keep a file and lead to how it would be read."""
    access.require(viewer(), "admin")
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _list([gettext("Choisissez un fichier.")]), 400
    with transaction(tool().engine, viewer().silo_id) as conn:
        file_id = files.keep(
            conn, viewer().silo_id, sent.filename, sent.stream, now=tool().clock(), by=viewer().actor
        )
        _record(conn)
    try:
        _prepare(file_id, kind=request.form.get("kind", ""))
    except TableFault as fault:
        return _list([f"{sent.filename} : {sentences.file_fault(fault.code, fault.params)}"]), 400
    return _to(file_id)


def import_one(launch: str, file_id: str) -> str:
    """Show a file: how it would be read, how far it is, or what became of it."""
    access.require(viewer(), "admin")
    with reading() as conn:
        file = _file(conn, file_id)
    if file.state == files.DRAFT:
        return _draft(file_id)
    with reading() as conn:
        shell = _shell(conn)
        known = datasets.known(conn, viewer().silo_id)
        told = files.refusals(conn, viewer().silo_id, file_id, limit=import_view.MOST_LINES)
        kept = files.refused(conn, viewer().silo_id, file_id)
    return render_template(
        "admin/import_report.html",
        page_title=file.name,
        shell=shell,
        here=url_for("pages.import_one", file_id=file_id),
        list_url=url_for("pages.imports"),
        **import_view.report(file, known, told, kept),
    )


def _draft(file_id: str) -> str:
    try:
        ready = _prepare(file_id)
    except LookupError:
        raise access.NotFound from None
    except TableFault as fault:
        return _list([sentences.file_fault(fault.code, fault.params)])
    return _draft_page(ready)


def _draft_page(ready: Preparation, faults: list[str] | None = None) -> str:
    with reading() as conn:
        shell = _shell(conn)
        known = datasets.known(conn, viewer().silo_id)
        earlier = files.same(conn, viewer().silo_id, ready.file.digest, ready.file.kind)
        sites = sorted({one.issuer for one in platforms.of_silo(conn, viewer().silo_id)})
    return render_template(
        "admin/import_draft.html",
        page_title=ready.file.name,
        shell=shell,
        faults=faults or [],
        here=url_for("pages.import_one", file_id=ready.file.file_id),
        list_url=url_for("pages.imports"),
        **import_view.draft(ready, known, earlier, sites),
    )


def import_change(launch: str, file_id: str) -> Answer | str | tuple[str, int]:
    """Correct how a file is read, take it in, or take it away."""
    access.require(viewer(), "admin")
    asked = request.form.get("do", "read")
    with reading() as conn:
        file = _file(conn, file_id)
    if asked == "forget" and file.state != files.RUNNING:
        with transaction(tool().engine, viewer().silo_id) as conn:
            files.forget(conn, viewer().silo_id, file_id)
            _record(conn)
        return redirect(url_for("pages.imports"), 303)
    if file.state != files.DRAFT:
        return _to(file_id)
    try:
        ready = _prepare(file_id, **import_view.corrections(file, request.form))
    except TableFault as fault:
        return _draft_page(_prepare(file_id), [sentences.file_fault(fault.code, fault.params)]), 400
    name = request.form.get("save", "").strip()
    faults = import_view.missing(ready)
    with transaction(tool().engine, viewer().silo_id) as conn:
        if name and ready.standard is not None:
            preparation.remember(conn, viewer().silo_id, name, ready, now=tool().clock())
        if asked == "run" and not faults:
            work.ask(conn, viewer().silo_id, file_id, now=tool().clock())
            _record(conn)
    if asked == "run" and not faults:
        return _to(file_id)
    return _draft_page(ready, faults if asked == "run" else None), 400 if asked == "run" else 200


def import_replay(launch: str, file_id: str) -> Answer | tuple[str, int]:
    """Take the mended lines of a file in, read as the file was."""
    access.require(viewer(), "admin")
    sent = request.files.get("file")
    with reading() as conn:
        before = _file(conn, file_id)
    if sent is None or not sent.filename:
        return _to(file_id)
    with transaction(tool().engine, viewer().silo_id) as conn:
        again = files.keep(
            conn, viewer().silo_id, sent.filename, sent.stream, now=tool().clock(), by=viewer().actor
        )
        _record(conn)
    try:
        first = _prepare(again, kind=before.kind)
        fits = first.detected.header[: len(before.header)] == before.header
        _prepare(
            again, kind=before.kind, columns=before.columns if fits else None, constants=before.constants,
            reading={"decimal": before.reading.decimal, "days": before.reading.days},
        )  # fmt: skip
    except TableFault as fault:
        return _list([f"{sent.filename} : {sentences.file_fault(fault.code, fault.params)}"]), 400
    return _to(again)


def standard_add(launch: str) -> Answer | tuple[str, int]:
    """Declare a dataset of the institution's own."""
    access.require(viewer(), "admin")
    sent = request.files.get("file")
    try:
        text = sent.read(200_000).decode("utf-8-sig") if sent else ""
        with transaction(tool().engine, viewer().silo_id) as conn:
            datasets.declare(conn, viewer().silo_id, text, now=tool().clock())
            _record(conn)
    except UnicodeDecodeError:
        return _list([gettext("La description du jeu de données n’est pas un texte en UTF-8.")]), 400
    except StandardError as error:
        said = gettext("La description du jeu de données ne peut pas servir : %(reason)s", reason=str(error))
        return _list([said]), 400
    return redirect(url_for("pages.imports"), 303)


def standard_file(launch: str, kind: str, name: str) -> Response:
    """Give a blank or an example file of a dataset, or its description."""
    access.require(viewer(), "admin")
    stem, _, form = name.rpartition(".")
    with reading() as conn:
        standard = datasets.known(conn, viewer().silo_id).get(kind)
    if standard is None or form not in _FORMS or stem not in ("modele", "exemple"):
        raise access.NotFound
    content = documents.table(standard, form, example=stem == "exemple")
    answer = Response(content, mimetype=_FORMS[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="estime-{stem}-{kind}.{form}"'
    return answer


# --- shared ------------------------------------------------------------------------------------------------


def _prepare(file_id: str, **corrections: Any) -> Preparation:
    return preparation.prepare(tool().engine, viewer().silo_id, file_id, now=tool().clock(), **corrections)


def _file(conn: Connection, file_id: str) -> File:
    found = files.read(conn, viewer().silo_id, file_id)
    if found is None:
        raise access.NotFound
    return found


def _to(file_id: str) -> Answer:
    return redirect(url_for("pages.import_one", file_id=file_id), 303)


def _record(conn: Connection, action: str = "edit") -> None:
    who = viewer()
    audit.write(
        conn, who.silo_id, at=tool().clock(), action=action, accepted=True, actor=who.actor, role=who.role
    )


def _shell(conn: Connection) -> Shell:
    owner = silos.get(conn, viewer().silo_id)
    set_time(tool().clock(), ZoneInfo(owner.time_zone))
    return Shell(
        title=gettext("Imports"),
        meta=owner.name,
        tabs=admin_tabs("imports"),
        open_url=open_url(),
        about_url=url_for("pages.about_all"),
        threshold=tool().rules.disclosure.course,
        done=done(),
    )


# --- files of what the pages show ----------------------------------------------------------------------


def files_table() -> Table:
    """Return the files given, those of the page."""
    access.require(viewer(), "admin")
    with reading() as conn:
        _shell(conn)
        known = datasets.known(conn, viewer().silo_id)
        found = files.latest(conn, viewer().silo_id, limit=import_view.MOST_FILES + 1)
    return import_view.files_table(found, known)


def datasets_table() -> Table:
    """Return the columns of every dataset that the tool understands."""
    access.require(viewer(), "admin")
    with reading() as conn:
        _shell(conn)
        known = datasets.known(conn, viewer().silo_id)
    return import_view.datasets_table(known)


def counts_table(file_id: str) -> Table:
    """Return what became of the lines of a file."""
    access.require(viewer(), "admin")
    with reading() as conn:
        _shell(conn)
        return import_view.counts_table(_file(conn, file_id))


def refused_table(file_id: str) -> Table:
    """Return the refused lines of a file, each with its reasons, to be mended and sent again."""
    access.require(viewer(), "admin")
    with reading() as conn:
        _shell(conn)
        file = _file(conn, file_id)
        every = list(refusals.every(conn, viewer().silo_id, file_id))
    table = refusals.table(file.header, every, sentences.cell_fault)
    lost = max(file.refused - len(every), 0)
    if not lost:
        return table
    # In the column of reasons: read again, the line says nothing.
    return replace(table, rows=[*table.rows, [*[None] * (len(file.header) + 1), import_view.lost(lost)]])
