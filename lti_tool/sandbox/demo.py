"""The demonstration: the tool and the sandbox platform, furnished and served from one port.

Which of the two answers depends on the name in the address: ``localhost`` is the tool, any other name
(127.0.0.1) the platform. For a browser these are two sites, so that cookies behave as in real life.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import waitress
from flask import Flask

from lti_tool import migrations
from lti_tool.app import create_app
from lti_tool.background import Background
from lti_tool.clock import utcnow
from lti_tool.sandbox.campus import today
from lti_tool.sandbox.platform import Campus, create_platform
from lti_tool.sandbox.seed import furnish
from lti_tool.tool import Tool
from tool_config.settings import Settings, SettingsError

_MARK = "demo.json"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Demo:
    """What is ready to be served: one WSGI application, and its two halves."""

    wsgi: Callable[[dict[str, Any], Any], Iterable[bytes]]
    tool: Flask
    campus: Campus
    worker: Background


def run(settings: Settings, host: str, port: int) -> None:
    """Prepare the demo and serve it until interrupted.

    Raises SettingsError in server mode, when the port is taken, or when the data directory holds
    something else than a demo.
    """
    began = time.monotonic()
    listened = addresses(host, port)
    demo = prepare(settings, port, say=_say)
    server = waitress.create_server(demo.wsgi, listen=" ".join(listened), threads=12)
    demo.worker.start()
    _say(f"Ready in {time.monotonic() - began:.0f} s")
    _say(f"Open http://localhost:{port}")
    try:
        server.run()
    except KeyboardInterrupt:
        _say("Stopped")
    finally:
        demo.worker.stop()
        server.close()


def prepare(
    settings: Settings, port: int, *, say: Callable[[str], None], clock: Callable[[], datetime] = utcnow
) -> Demo:
    """Return the demo, with its store furnished; everything is dated from the clock's day."""
    if settings.is_server:
        raise SettingsError(
            "the demo has a platform open to all: it runs on its own SQLite file only; "
            "unset ESTIME_DATABASE_URL, or use `estime serve`"
        )
    public_url = f"http://localhost:{port}"
    settings = replace(
        settings, database_url="", redis_url="", public_url=public_url, allow_local_network=True
    )
    _claim(settings.data_dir, _Mark(today(clock()).isoformat(), port), say)
    campus = Campus(f"http://127.0.0.1:{port}", public_url, clock, folder=settings.data_dir)
    app = create_app(settings.with_secret(), clock=clock)
    tool: Tool = app.extensions["estime"]
    migrations.upgrade(tool.engine)
    say(f"Database ready in {settings.data_dir}")
    if _Mark.read(settings.data_dir).complete:
        say("Demo data of today found: nothing to make again")
    else:
        made = furnish(app, campus, say)
        _Mark(campus.today.isoformat(), port, complete=True).write(settings.data_dir)
        say(f"{made.people} trainees, {made.statements} statements, {made.silos} communities")
    return Demo(
        crossroads(app, create_platform(campus), public_url, campus.origin), app, campus, Background(tool)
    )


def _say(line: str) -> None:
    print(line, flush=True)


# --- one port, two sites -----------------------------------------------------------------------------


def addresses(host: str, port: int) -> list[str]:
    """Return what to listen on; SettingsError when the port is taken.

    ``localhost`` may mean ::1 to a browser: on loopback, both are listened on where IPv6 exists.
    """
    names = [host] if host not in _LOOPBACK else ["127.0.0.1", "::1"]
    found: list[str] = []
    for name in names:
        family = socket.AF_INET6 if ":" in name else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((name, port))
        except OSError as error:
            if name == "::1" and found:
                continue
            raise SettingsError(
                f"port {port} of {name} cannot be used ({error.strerror}): try --port"
            ) from error
        found.append(f"[{name}]:{port}" if ":" in name else f"{name}:{port}")
    return found


def crossroads(
    tool: Any, platform: Any, public_url: str, origin: str
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Return the WSGI application that answers as the tool under its own name, as the platform otherwise."""
    tool_host = urlsplit(public_url).hostname

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
        if host != tool_host:
            return platform(environ, start_response)  # type: ignore[no-any-return]
        if environ.get("PATH_INFO", "/") == "/":
            start_response("302 Found", [("Location", f"{origin}/"), ("Content-Length", "0")])
            return [b""]
        return tool(environ, start_response)  # type: ignore[no-any-return]

    return answer


# --- the data directory ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mark:
    """What the demo's data were made for; written before them, and again once they are complete."""

    day: str
    port: int
    complete: bool = False
    version: int = 1

    @classmethod
    def read(cls, folder: Path) -> _Mark:
        return cls(**json.loads((folder / _MARK).read_text()))

    def write(self, folder: Path) -> None:
        (folder / _MARK).write_text(json.dumps(self.__dict__))


def _claim(folder: Path, wanted: _Mark, say: Callable[[str], None]) -> None:
    """Make the folder the demo's own; empty it when its data are of another day, port or version.

    Raises SettingsError when it holds a store that no demo made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "estime.db"
    marked = (folder / _MARK).exists()
    if store.exists() and not marked:
        raise SettingsError(f"{folder} holds a store that is not a demo's: give another --data-dir")
    if marked:
        found = _Mark.read(folder)
        if (found.day, found.port, found.version) == (wanted.day, wanted.port, wanted.version):
            return
        say(f"Demo data of {found.day} (port {found.port}) are out of date: made again")
        for name in ("estime.db", "estime.db-wal", "estime.db-shm", "campus.json"):
            (folder / name).unlink(missing_ok=True)
    wanted.write(folder)
