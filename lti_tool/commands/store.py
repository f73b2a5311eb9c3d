"""`estime db|rebuild|import|export`: the schema, the derived tables, statements from files and into them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from lti_tool import migrations
from lti_tool.clock import utcnow
from lti_tool.commands.common import (
    answer,
    data_dir_option,
    instant_option,
    open_store,
    progress_bar,
    read_settings,
)
from lti_tool.commands.importing import ImportCommands
from tool_config import silos
from tool_config.database import administration, open_engine, transaction
from xapi import export, rollup
from xapi import repair as repair_rules
from xapi.sources.statements import import_file


@click.group()
def db() -> None:
    """The schema of the database."""


@db.command("upgrade")
@data_dir_option
def db_upgrade(data_dir: Path | None) -> None:
    """Bring the schema to this version of the tool; nothing to do is fine."""
    engine = open_engine(read_settings(data_dir).store_url)
    migrations.upgrade(engine)
    answer({"schema": migrations.revision(engine), "current": True})


@click.command()
@click.option("--silo", "name", help="Only this silo (name or number).")
@data_dir_option
def rebuild(name: str | None, data_dir: Path | None) -> None:
    """Make every derived table again from the statements."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        chosen = [silos.by_name(conn, name)] if name else silos.list_all(conn)
    for one in chosen:
        with progress_bar(one.name) as move:
            rollup.rebuild(engine, one.silo_id, now=utcnow(), progress=move)
    answer({"rebuilt": [one.name for one in chosen]})


@click.group("import", cls=ImportCommands)
def imports() -> None:
    """Files into the store."""


@imports.command("statements")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option(
    "--as-exported",
    is_flag=True,
    help="Keep what FILE says of when each statement was stored and who vouches for it (a trusted export).",
)
@click.option(
    "--repair",
    type=click.Choice(repair_rules.SOURCES),
    help="Mend the known faults of this source first, as for a key made with --repair.",
)
@data_dir_option
def import_statements(
    file: Path, name: str, as_exported: bool, repair: str | None, data_dir: Path | None
) -> None:
    """Take the xAPI statements of FILE: JSON array, JSON lines, either in gzip, or a zip of them.

    The same file again takes up where it stopped, and changes nothing once done.
    """
    if repair and as_exported:
        raise click.UsageError("--repair and --as-exported do not go together: an export is kept as it is")
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    try:
        with progress_bar(file.name) as move:
            report = import_file(
                engine, owner.silo_id, file, now=utcnow(), as_exported=as_exported, repaired=bool(repair),
                progress=move,
            )  # fmt: skip
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror or error}") from error
    content = asdict(report)
    content["refused"] = [one._asdict() for one in report.refused]
    answer({"silo": owner.name, "file": file.name} | content)


@click.group("export")
def exports() -> None:
    """What the store holds into files."""


@exports.command("statements")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@instant_option("--since", "Only what is stored after this instant.")
@instant_option("--until", "Only what is stored up to this instant.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(export.FORMATS),
    help="Default: that of the name of --output, else jsonl.",
)
@click.option("--output", type=click.Path(path_type=Path), help="File to make (default: standard output).")
@click.option("--without-attachments", is_flag=True, help="Leave out the data of attachments.")
@data_dir_option
def export_statements(
    name: str,
    since: datetime | None,
    until: datetime | None,
    kind: str | None,
    output: Path | None,
    without_attachments: bool,
    data_dir: Path | None,
) -> None:
    """Give the xAPI statements of a silo as they are stored, one a line.

    The report goes to standard error when the statements go to standard output. Its `complete_through` is
    the --since of the next export.
    """
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until must come after --since")
    kind = kind or _kind_of(output)
    if output is None and kind != "jsonl" and sys.stdout.isatty():
        raise click.UsageError("a compressed export cannot be shown: give --output")
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    try:
        with (
            _written(output) as out,
            progress_bar(owner.name) as move,
            transaction(engine, owner.silo_id, write=False) as conn,
        ):
            report = export.export(
                conn,
                owner.silo_id,
                out,
                kind=kind,
                now=utcnow(),
                since=since,
                until=until,
                without_attachments=without_attachments,
                progress=move,
            )
    except OSError as error:
        raise click.ClickException(f"{output or 'the export'} cannot be written: {error.strerror}") from error
    content = {"silo": owner.name, "format": kind, "file": output.name if output else None}
    answer(content | asdict(report), err=output is None)


def _kind_of(output: Path | None) -> str:
    named = [kind for kind in export.FORMATS if output is not None and output.name.endswith(f".{kind}")]
    return named[-1] if named else "jsonl"


@contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    """Yield where to write; a file appears under its name only once it is whole, and replaces none."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists():
        raise click.ClickException(f"{output} already exists")
    part = output.with_name(f"{output.name}.part")
    # What people did: for the eyes of whoever exports it.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, output)
    finally:
        part.unlink(missing_ok=True)
