"""`estime compliance`: the file to be signed, written into a folder."""

from __future__ import annotations

from pathlib import Path

import click

from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from lti_tool.compliance import facts, work
from tool_config import rules, silos
from tool_config.database import administration, transaction


@click.command("compliance")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option(
    "--out", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("conformite"),
    show_default=True, help="Folder in which the documents are written.",
)  # fmt: skip
@data_dir_option
def compliance(name: str, folder: Path, data_dir: Path | None) -> None:
    """Write the documents that the institution signs (DOCX and PDF), from the settings in force."""
    settings = read_settings(data_dir)
    engine = open_store(settings)
    with administration(engine) as conn:
        silo_id = silos.by_name(conn, name).silo_id
    with transaction(engine, silo_id, write=False) as conn:
        found = facts.read(conn, silo_id, settings=settings, rules=rules.load(), now=utcnow())
    engine.dispose()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file, content in work.write(found):
        (folder / file).write_bytes(content)
        written.append(file)
    answer(
        {
            "silo": found.community,
            "folder": str(folder),
            "documents": written,
            "to_fill_in": list(found.missing),
        }
    )
