"""`estime move`: silos from one store to another."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError

from lti_tool import migrations, moving
from lti_tool.commands.common import answer, data_dir_option, progress_bar, read_settings
from tool_config.database import open_engine
from tool_config.settings import Settings

_SECRET_FILE = "secret.key"  # noqa: S105  (a file's name)


@click.command()
@click.option("--from", "source", required=True, help="sqlite:///PATH or postgresql://…")
@click.option("--to", "target", required=True, help="sqlite:///PATH or postgresql://…")
@click.option("--silo", "name", help="Only this silo (name or number); every one otherwise.")
@data_dir_option
def move(source: str, target: str, name: str | None, data_dir: Path | None) -> None:
    """Copy whole silos into another store and verify them there; stop the tool meanwhile.

    The source stays as it is. The target needs the schema (`estime db upgrade`; a new SQLite file gets it)
    and the same ESTIME_SECRET_KEY: what is encrypted travels as it is.
    """
    settings = read_settings(data_dir)
    began = time.monotonic()
    with ExitStack() as stack:
        origin, destination = _open(source, "from"), _open(target, "to")
        for engine in (origin, destination):
            stack.callback(engine.dispose)
        if origin.url == destination.url:
            raise moving.MoveError("--from and --to are the same store")
        _prepare(origin, destination)
        bar = stack.enter_context(progress_bar("rows"))
        moved = moving.move(
            origin,
            destination,
            name,
            secret_key=_secret_key(settings, origin),
            progress=lambda _silo, done, total: bar(done, total),
        )
    _say_sealed(moved)
    content = [{**asdict(one), "rows": sum(table.rows for table in one.tables.values())} for one in moved]
    answer({"moved": content, "verified": True, "seconds": round(time.monotonic() - began, 1)})


def _open(address: str, option: str) -> Engine:
    try:
        return open_engine(address)
    except (ArgumentError, ValueError) as error:
        raise click.BadParameter(
            "an address such as sqlite:///PATH or postgresql://user@host/database is needed",
            param_hint=f"--{option}",
        ) from error


def _prepare(source: Engine, target: Engine) -> None:
    """Refuse a source that is not there, without making it; give a new SQLite target its schema."""
    if source.dialect.name == "sqlite" and not Path(str(source.url.database)).is_file():
        raise moving.MoveError(f"there is no file {source.url.database}")
    if target.dialect.name == "sqlite" and not Path(str(target.url.database)).exists():
        migrations.upgrade(target)


def _secret_key(settings: Settings, source: Engine) -> str:
    """Return the secret key of the environment, else the one beside an embedded source, else nothing."""
    if settings.secret_key or source.dialect.name != "sqlite":
        return settings.secret_key
    file = Path(str(source.url.database)).parent / _SECRET_FILE
    return file.read_text().strip() if file.is_file() else ""


def _say_sealed(moved: list[moving.Moved]) -> None:
    for one in moved:
        if one.opened is False:
            click.echo(
                f"{one.name}: the secret key at hand does not open what is encrypted; start the target with "
                "the ESTIME_SECRET_KEY of the source",
                err=True,
            )
        elif one.sealed:
            click.echo(
                f"{one.name}: {one.sealed} encrypted rows need the source's secret key: give it to the "
                "target as ESTIME_SECRET_KEY",
                err=True,
            )
