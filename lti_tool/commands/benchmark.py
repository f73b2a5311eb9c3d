"""`estime benchmark FOLDER`: every analysis that fits, on every data set of a folder, and one report."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from lti_tool.benchmarking import report, running
from lti_tool.clock import utcnow


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the report.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@click.option(
    "--database", default="", help="Address of an empty store (default: a file that goes at the end)."
)
def benchmark(folder: Path, out: Path | None, language: Literal["fr", "en"], database: str) -> None:
    """Take every data set of FOLDER through the tool and write one report in Markdown.

    Each folder inside is a data set, and so are the files beside them together. What is read, refused and
    why, what each analysis finds, how long, and against which reference. One bad file never stops the rest.
    """
    with running.store(database) as engine:
        found = running.run(engine, folder, clock=utcnow, say=lambda said: click.echo(said, err=True))
        name = "PostgreSQL" if engine.dialect.name == "postgresql" else "SQLite"
    text = report.written(found, day=utcnow().date(), engine=name, language=language)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{out.name}: {len(found)} data sets", err=True)
