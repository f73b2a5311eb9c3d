"""What commands share: the settings, the store, one JSON object on standard output, progress bars."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from lti_tool import migrations
from lti_tool.moving import MoveError
from tool_config.database import open_engine
from tool_config.platforms import PlatformError
from tool_config.settings import Settings, SettingsError
from tool_config.silos import SiloError
from tool_config.standards import StandardError
from xapi import values
from xapi.errors import XapiError
from xapi.export import ExportFault
from xapi.forward import ForwardFault
from xapi.sources.statement_files import ImportFault

#: Errors whose message is a sentence for the person who typed the command.
REFUSALS = (
    SettingsError,
    SiloError,
    StandardError,
    PlatformError,
    migrations.SchemaError,
    MoveError,
    XapiError,
    ImportFault,
    ExportFault,
    ForwardFault,
)


class Commands(click.Group):
    """A group of commands whose refusals end as one sentence on standard error, exit code 1.

    `places`: name of a command -> "module:object", imported only when that command is asked for.
    """

    def __init__(self, *asked: Any, places: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*asked, **options)
        self._places = dict(places or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._places})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._places:
            return super().get_command(ctx, name)
        module, _, attribute = self._places[name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except REFUSALS as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            raise click.ClickException(f"the database cannot be reached or used: {_first(error)}") from error


def _first(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def data_dir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--data-dir` to a command."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the embedded store (default: ESTIME_DATA_DIR, else estime-data).",
    )(command)


class _Instant(click.ParamType[datetime]):
    """An instant of ISO 8601, in UTC when it names no zone; a day is its midnight."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            values.timestamp(value)
            return values.instant(value)
        except XapiError:
            self.fail(f"{value!r} is not an instant such as 2026-09-01 or 2026-09-01T08:00:00Z", param, ctx)


def instant_option(name: str, help_text: str) -> Callable[..., Any]:
    """Return an option that takes an instant."""
    return click.option(name, type=_Instant(), help=help_text)


def read_settings(data_dir: Path | None, **defaults: str) -> Settings:
    """Return the settings of the environment; `defaults` stand where it says nothing."""
    environment = {f"ESTIME_{key.upper()}": value for key, value in defaults.items()}
    environment.update({key: value for key, value in os.environ.items() if value.strip()})
    settings = Settings.from_environment(environment)
    return settings if data_dir is None else replace(settings, data_dir=data_dir)


def open_store(settings: Settings) -> Engine:
    """Open the store with its schema: made or brought up to date on SQLite, required on a server."""
    engine = open_engine(settings.store_url)
    if settings.is_server:
        migrations.require_current(engine)
    elif not migrations.is_current(engine):
        migrations.upgrade(engine)
    return engine


def answer(content: dict[str, Any], *, err: bool = False) -> None:
    """Print the one JSON object of a command; on standard error when the output is something else."""
    click.echo(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode(), err=err)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (done, total) that moves a bar on standard error; total 0: not known yet."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        task = progress.add_task(title, total=None)

        def move(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        yield move
