"""The web application, put together: rooms, health, errors, headers, static files."""

from __future__ import annotations

import gc
import logging
import os
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Flask, Response, g, jsonify, render_template, request
from flask.sessions import NullSession, SessionInterface
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from whitenoise import WhiteNoise

from lti_tool import migrations
from lti_tool.background import Background
from lti_tool.clock import utcnow as utcnow
from lti_tool.language import gettext
from lti_tool.outbound import Outbound
from lti_tool.tool import Tool
from lti_tool.web import lti, pages
from lti_tool.web.assets import DIST
from tool_config import rules, surveys, vocabulary
from tool_config.database import open_engine
from tool_config.settings import Settings
from xapi import api
from xapi.cache import open_cache

_log = logging.getLogger(__name__)
_requests = logging.getLogger("estime.requests")

#: Built files carry a hash of their content in their name.
_HASHED = re.compile(r"[.-][0-9A-Za-z_]{8,}\.\w+$")
_DEFAULT_CSP = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'"
#: Answered in JSON whatever goes wrong.
_MACHINES = ("/xapi", "/health", "/lti/jwks.json")


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    clock: Callable[[], datetime] = utcnow,
    http: Outbound | None = None,
    worker: bool = False,
) -> Flask:
    """Return the application; connects to nothing before the first request, unless ``worker``.

    ``settings`` hold a usable secret key (``Settings.with_secret``). ``worker`` starts the threads that
    keep derived tables fresh and do the jobs (embedded mode).
    """
    engine = engine or open_engine(settings.store_url)
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=settings.max_body, SECRET_KEY=settings.secret_key)
    app.session_interface = _NoSession()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["estime"] = Tool(
        settings=settings,
        engine=engine,
        clock=clock,
        http=http or Outbound(allow_local=settings.allow_local_network),
        cache=open_cache(settings.redis_url),
        rules=rules.load(),
    )
    _install_rooms(app)
    _install_health(app)
    _install_errors(app)
    _install_headers(app)
    if DIST.is_dir():
        app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
            app.wsgi_app,
            root=str(DIST),
            prefix="/static/",
            max_age=3600,
            immutable_file_test=_is_immutable,
            add_headers_function=_add_static_headers,
        )
    if worker:
        _start_worker(app)
    return app


class _NoSession(SessionInterface):
    """Flask's own session, which nobody uses here: not a cookie of it is read nor written."""

    def open_session(self, app: Flask, request: Any) -> NullSession:
        return NullSession()


def settle() -> None:
    """Set the process for serving: what was loaded at the start is never looked through again.

    Without it, the collector walks every library's objects in the middle of a page, for 50 to 200 ms. The
    words of verbs are read now, which takes as long, and not by the first who sends a trace.
    """
    vocabulary.load()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def warm(app: Flask) -> None:
    """Do at the start what the first visitors would wait for, then settle the process for serving.

    Templates are compiled (2 s of processor, 6 MB in all; 150 to 250 ms a page) and the scales of
    questionnaires read (60 ms).
    """
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    surveys.scales()
    settle()


def create_app_from_environment() -> Flask:
    """Return the application of a server's process (gunicorn), from ``ESTIME_*``.

    Raises SettingsError when a setting cannot be used, SchemaError when the schema is not up to date.
    """
    settings = Settings.from_environment(os.environ).with_secret()
    app = create_app(settings)
    migrations.require_current(app.extensions["estime"].engine)
    warm(app)
    return app


def _install_rooms(app: Flask) -> None:
    """Mount the store, the launches and the pages."""
    tool: Tool = app.extensions["estime"]
    app.register_blueprint(api.blueprint(tool.engine, tool.settings, tool.clock), url_prefix="/xapi")
    app.register_blueprint(lti.blueprint)
    pages.install(app)


def _start_worker(app: Flask) -> None:
    tool: Tool = app.extensions["estime"]
    background = Background(tool)
    app.extensions["estime.worker"] = background
    background.start()


def _is_immutable(_path: str, url: str) -> bool:
    return _HASHED.search(url) is not None


def _add_static_headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


# --- health ---------------------------------------------------------------------------------------


def _install_health(app: Flask) -> None:
    tool: Tool = app.extensions["estime"]

    @app.get("/health/live")
    def live() -> Response:
        return jsonify(live=True)

    @app.get("/health/ready")
    def ready() -> tuple[Response, int]:
        try:
            current = migrations.is_current(tool.engine)
        except SQLAlchemyError as error:
            _log.warning("the database is out of reach: %s", type(error).__name__)
            return jsonify(ready=False, database="unreachable", schema="unknown"), 503
        state = "current" if current else "outdated"
        return jsonify(ready=current, database="reachable", schema=state), 200 if current else 503


# --- errors ---------------------------------------------------------------------------------------


def _install_errors(app: Flask) -> None:
    @app.get("/")
    def home() -> str:
        return _page(
            title=gettext("Estime s’ouvre depuis un cours"),
            message=gettext(
                "Ouvrez l’activité Estime dans votre cours : cette adresse seule ne montre rien."
            ),
        )

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        status = error.code or 500
        if error.response is not None and status < 400:
            return error.response
        if request.path.startswith(_MACHINES):
            answer = jsonify(error=error.description or error.name)
            answer.status_code = status
            return _keeping_headers(error, answer)
        title, message = _words(status)
        return _keeping_headers(error, Response(_page(title=title, message=message), status))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        reference = uuid4().hex[:12]
        _log.error("unexpected error, reference %s", reference, exc_info=error)
        if request.path.startswith(_MACHINES):
            return jsonify(error="unexpected error", reference=reference), 500
        title, message = _words(500)
        return _page(title=title, message=message, reference=reference), 500


def _keeping_headers(error: HTTPException, answer: Response) -> Response:
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def _words(status: int) -> tuple[str, str]:
    """Return the title and the sentence of an error that no room has worded."""
    if status == 404:
        return (
            gettext("Cette page n’existe pas"),
            gettext(
                "L’adresse est fausse, ou la page n’est pas pour vous. Revenez au cours et rouvrez Estime."
            ),
        )
    if status == 405:
        return gettext("Cette page ne s’ouvre pas ainsi"), gettext("Revenez au cours et rouvrez Estime.")
    if status == 413:
        return gettext("Le fichier est trop gros"), gettext(
            "Envoyez un fichier plus petit, ou en plusieurs fois."
        )
    if status >= 500:
        return (
            gettext("Quelque chose n’a pas marché chez nous"),
            gettext("Rien de ce qui était enregistré n’est perdu. Réessayez dans un instant."),
        )
    return gettext("La demande n’a pas été comprise"), gettext("Revenez au cours et rouvrez Estime.")


def _page(**words: str) -> str:
    return render_template("error.html", **words)


# --- headers and log ------------------------------------------------------------------------------


def _install_headers(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        # Not "no-referrer": browsers would then send "Origin: null" with the tool's own forms.
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        if "Content-Security-Policy" not in headers:
            # An error must show inside the frame where it happens, and has nothing to steal.
            framing = "" if response.status_code >= 400 else "; frame-ancestors 'none'"
            headers["Content-Security-Policy"] = _DEFAULT_CSP + framing
        headers.setdefault("Cache-Control", "no-store")
        _write_log(response.status_code)
        return response


def _write_log(status: int) -> None:
    """Log the route, never the address: it may hold a person's identifier or a one-time code."""
    route = request.url_rule.rule if request.url_rule else "(no route)"
    elapsed = (time.perf_counter() - g.began) * 1000 if "began" in g else 0.0
    _requests.info("%s %s %d %.1f ms", request.method, route, status, elapsed)
