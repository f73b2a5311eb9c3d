"""`estime serve|demo|worker`: the processes that stay.

The application is imported by the commands that serve it: the others start without pandas and plotly.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lti_tool import listening
from lti_tool.clock import utcnow
from lti_tool.commands.common import data_dir_option, open_store, read_settings
from tool_config.settings import Settings

_THREADS = 8
_ANYWHERE = ("", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost")  # noqa: S104  (names, nothing listens)


def _local_url(host: str, port: int) -> str:
    """Return the address to open for a server that listens there."""
    return f"http://{'localhost' if host in _ANYWHERE else host}:{port}"


def set_logging() -> None:
    """Log to standard error: instant, level, room, message."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # These log addresses, whose parameters may hold codes and identifiers.
    for name in ("httpx", "httpcore", "alembic", "waitress.queue"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _stop_on_term() -> None:
    def stop(_signal: int, _frame: Any) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@data_dir_option
def serve(host: str, port: int, data_dir: Path | None) -> None:
    """Serve the tool from one process; the worker is threads of it."""
    from lti_tool.app import create_app, warm

    settings = read_settings(data_dir, public_url=_local_url(host, port)).with_secret()
    set_logging()
    engine = open_store(settings)
    app = create_app(settings, engine=engine, worker=True)
    warm(app)
    _stop_on_term()
    try:
        server = listening.server(app, max_body=settings.max_body, threads=_THREADS, host=host, port=port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    click.echo(f"Estime listens on {_local_url(host, port)} (store: {_shown(settings)})", err=True)
    try:
        server.run()
    finally:
        app.extensions["estime.worker"].stop()
        engine.dispose()


def _shown(settings: Settings) -> str:
    return "server" if settings.is_server else str(settings.data_dir)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@data_dir_option
def demo(host: str, port: int, data_dir: Path | None) -> None:
    """Serve the tool with a small platform that looks like a course, invented people and their traces."""
    from lti_tool.sandbox import demo as sandbox

    settings = read_settings(None)
    settings = replace(settings, data_dir=data_dir or settings.data_dir / "demo")
    set_logging()
    logging.getLogger().setLevel(logging.WARNING)
    _stop_on_term()
    sandbox.run(settings, host, port)


@click.command()
@data_dir_option
def worker(data_dir: Path | None) -> None:
    """Keep derived tables fresh and do the jobs: the worker of a server, beside the web processes."""
    from lti_tool.background import Background
    from lti_tool.outbound import Outbound
    from lti_tool.tool import Tool
    from tool_config import rules
    from xapi.cache import open_cache

    settings = read_settings(data_dir).with_secret()
    set_logging()
    engine = open_store(settings)
    http, cache = Outbound(allow_local=settings.allow_local_network), open_cache(settings.redis_url)
    thread = Background(Tool(settings, engine, utcnow, http, cache, rules.load()))
    _stop_on_term()
    thread.start()
    click.echo("Estime's worker runs", err=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("Stopping", err=True)
    finally:
        thread.stop()
        engine.dispose()
