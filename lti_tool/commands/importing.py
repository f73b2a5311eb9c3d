"""`estime import KIND FILE`: files of other tools into datasets, straight from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, progress_bar, read_settings
from lti_tool.imports import documents, files, preparation, refusals, running, sentences
from lti_tool.imports.files import File
from lti_tool.imports.preparation import Preparation
from tool_config import silos, standards
from tool_config.database import administration, transaction
from xapi import datasets
from xapi.sources.cells import TableFault
from xapi.sources.checking import SENTENCES

#: Faults printed, line by line; the others are counted, and all are in the file of `--refused`.
_PRINTED = 50


class ImportCommands(click.Group):
    """`estime import`: its own commands, then one for every dataset, declared ones included."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *standards.load()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _dataset_command(cmd_name)


def _dataset_command(kind: str) -> click.Command:
    made = standards.load().get(kind)
    return click.Command(
        kind,
        params=list(_OPTIONS),
        callback=lambda **values: import_dataset(kind, **values),
        help=f"Take the rows of FILE as the dataset {made.title.en if made else kind}.",
        short_help=made.title.en if made else None,
    )


_OPTIONS: tuple[click.Parameter, ...] = (
    click.Argument(["file"], type=click.Path(path_type=Path)),
    click.Option(["--silo", "name"], required=True, help="Name or number of the silo."),
    click.Option(
        ["--column", "columns"], multiple=True, metavar="HEADING=FIELD", help="FIELD empty: left out."
    ),
    click.Option(["--set", "constants"], multiple=True, metavar="FIELD=TEXT", help="For the whole file."),
    click.Option(["--mapping"], help="Name of a saved mapping."),
    click.Option(["--save"], help="Save the mapping under this name."),
    click.Option(["--encoding"], help="Of a CSV file, when it is not the one detected."),
    click.Option(["--separator"], help="Of a CSV file."),
    click.Option(["--header"], type=click.IntRange(1), help="Row of the headings, from 1."),
    click.Option(["--sheet"], help="Of a workbook."),
    click.Option(["--member"], help="File of an archive."),
    click.Option(["--decimal"], type=click.Choice([",", "."])),
    click.Option(["--days"], type=click.Choice(["dmy", "mdy"]), help="Order of a day written with slashes."),
    click.Option(["--check", "only_check"], is_flag=True, help="Say how the file would be read, and stop."),
    click.Option(["--refused", "refused_path"], type=click.Path(path_type=Path), help="Where to write them."),
    click.Option(
        ["--data-dir"],
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the embedded store (default: ESTIME_DATA_DIR, else estime-data).",
    ),
)
_READING = ("encoding", "separator", "header", "sheet", "member", "decimal", "days")


def import_dataset(kind: str, file: Path, name: str, data_dir: Path | None, **values: Any) -> None:
    """Take a file into a dataset: prepared, checked, stored; print the report."""
    settings = read_settings(data_dir)
    engine = open_store(settings)
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    try:
        with file.open("rb") as source, transaction(engine, owner.silo_id) as conn:
            file_id = files.keep(conn, owner.silo_id, file.name, source, now=utcnow())
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror or error}") from error
    try:
        ready = _prepared(engine, owner.silo_id, file_id, kind, values)
        if values["only_check"]:
            answer({"silo": owner.name} | _plan(ready))
            return
        with progress_bar(file.name) as move:
            done = running.run(
                engine, owner.silo_id, file_id, clock=utcnow, home=settings.public_url, progress=move
            )
    except (TableFault, running.NotReady) as fault:
        raise click.ClickException(f"{file.name}: {fault}") from fault
    finally:
        _drop_draft(engine, owner.silo_id, file_id)
    answer({"silo": owner.name} | _report(engine, owner.silo_id, done, ready, values["refused_path"]))
    if done.state == files.REFUSED:
        raise click.ClickException(f"{file.name}: it could not be read to its end: {done.notes['fault']}")


def _drop_draft(engine: Engine, silo_id: int, file_id: str) -> None:
    """Forget a file that was not taken in; one that was keeps its report."""
    with transaction(engine, silo_id) as conn:
        found = files.read(conn, silo_id, file_id)
        if found is not None and found.state == files.DRAFT:
            files.forget(conn, silo_id, file_id)


def _prepared(
    engine: Engine, silo_id: int, file_id: str, kind: str, values: Mapping[str, Any]
) -> Preparation:
    """Prepare a file with what the options correct; raises ClickException, TableFault."""
    with transaction(engine, silo_id, write=False) as conn:
        saved = {one.name: one for one in files.saved(conn, silo_id)}
    chosen = saved.get(values["mapping"]) if values["mapping"] else None
    if values["mapping"] and chosen is None:
        raise click.ClickException(f"no saved mapping is named {values['mapping']!r}")
    ready = preparation.prepare(
        engine, silo_id, file_id, now=utcnow(), kind=kind,
        columns=chosen.columns if chosen else None, constants=chosen.constants if chosen else None,
    )  # fmt: skip
    if ready.standard is None or ready.standard.name != kind:
        known = ", ".join(standards.load())
        raise click.ClickException(f"there is no dataset {kind!r}; those of the tool: {known}")
    reading = {name: values[name] for name in _READING if values[name] is not None}
    if reading:
        ready = preparation.prepare(engine, silo_id, file_id, now=utcnow(), kind=kind, reading=reading)
    if values["columns"] or values["constants"]:
        columns = _columns(ready, values["columns"])
        constants = {**ready.file.constants, **dict(map(_pair, values["constants"]))}
        ready = preparation.prepare(
            engine, silo_id, file_id, now=utcnow(), kind=kind, reading=reading, columns=columns,
            constants=constants,
        )  # fmt: skip
    if values["save"]:
        with transaction(engine, silo_id) as conn:
            preparation.remember(conn, silo_id, values["save"], ready, now=utcnow())
    return ready


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.rpartition("=") if text.count("=") > 1 else text.partition("=")
    if not mark:
        raise click.ClickException(f"{text!r}: expected NAME=VALUE")
    return name.strip(), value.strip()


def _columns(ready: Preparation, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the mapping with the corrections of `--column`."""
    header, columns = ready.detected.header, list(ready.file.columns)
    for heading, field in map(_pair, given):
        if heading not in header:
            raise click.ClickException(f"no column is headed {heading!r}; there are: {', '.join(header)}")
        if field and (ready.standard is None or ready.standard.field(field) is None):
            raise click.ClickException(f"the dataset has no field {field!r}")
        columns[header.index(heading)] = field
    return tuple(columns)


def _plan(ready: Preparation) -> dict[str, Any]:
    """Return how a file would be read."""
    return {
        "file": ready.file.name,
        "kind": ready.file.kind,
        "reading": asdict(ready.detected.reading),
        "rows": ready.detected.count,
        "columns": dict(zip(ready.detected.header, ready.file.columns, strict=True)),
        "saved": ready.saved,
        "missing": [fault.field.id for fault in ready.faults if fault.code == "missing"],
        "sheets": list(ready.detected.sheets),
        "members": list(ready.detected.members),
    }


def _report(
    engine: Engine, silo_id: int, done: File, ready: Preparation, path: Path | None
) -> dict[str, Any]:
    """Return what became of a file, and write its refused lines where asked."""
    with transaction(engine, silo_id, write=False) as conn:
        first = files.refusals(conn, silo_id, done.file_id, limit=_PRINTED)
        if path is not None:
            every = refusals.every(conn, silo_id, done.file_id)
            path.write_bytes(refusals.as_csv(ready.detected.header, every, sentences.cell_fault))
    return {
        "file": done.name,
        "kind": done.kind,
        "state": done.state,
        "rows": done.position,
        "added": done.added,
        "changed": done.changed,
        "same": done.same,
        "refused": done.refused,
        "notes": dict(done.notes),
        "lines": [{"line": one.line, "why": [_sentence(fault) for fault in one.faults]} for one in first],
    }


def _sentence(fault: Any) -> str:
    column, code, text, params = fault
    said = f"{column} ({text})" if text else column
    return f"{said}: {SENTENCES[code].format(**params)}".removeprefix(": ") + "."


@click.group()
def standard() -> None:
    """The datasets that the tool understands, and those that an institution declares."""


@standard.command("list")
@click.option("--silo", "name", help="Also those declared in this silo (name or number).")
@data_dir_option
def standard_list(name: str | None, data_dir: Path | None) -> None:
    """List the datasets."""
    found: Mapping[str, standards.Standard] = standards.load()
    if name:
        with administration(open_store(read_settings(data_dir))) as conn:
            found = datasets.known(conn, silos.by_name(conn, name).silo_id)
    answer({"standards": [{"standard": one.name, "title": one.title.en} for one in found.values()]})


@standard.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def standard_add(file: Path, name: str, data_dir: Path | None) -> None:
    """Declare the dataset that FILE (YAML) describes, or a new version of it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from error
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    with transaction(engine, owner.silo_id) as conn:
        made = datasets.declare(conn, owner.silo_id, text, now=utcnow())
    answer({"silo": owner.name, "standard": made.name, "fields": [field.id for field in made.fields]})


@standard.command("write")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def standard_write(folder: Path) -> None:
    """Write the page of the standard into FOLDER, with a blank and an example file of each dataset."""
    answer({"written": [str(path) for path in documents.write(folder)]})
