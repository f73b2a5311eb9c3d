"""`estime db|rebuild|import`: the schema, the derived tables, statements from files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lti_tool import migrations
from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, progress_bar, read_settings
from tool_config import silos
from tool_config.database import administration, open_engine
from xapi import rollup
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


@click.group("import")
def imports() -> None:
    """Files into the store."""


@imports.command("statements")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def import_statements(file: Path, name: str, data_dir: Path | None) -> None:
    """Take the xAPI statements of FILE (JSON array, JSON lines; gzip or not).

    The same file again takes up where it stopped, and changes nothing once done.
    """
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    try:
        with progress_bar(file.name) as move:
            report = import_file(engine, owner.silo_id, file, now=utcnow(), progress=move)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror or error}") from error
    content = asdict(report)
    content["refused"] = [{"line": line, "reason": reason} for line, reason in report.refused]
    answer({"silo": owner.name, "file": file.name} | content)
