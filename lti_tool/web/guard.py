"""What stands before every page of a launch: who looks, one's own requests only, what the browser may load.

``protect(blueprint)`` for every blueprint mounted under ``/c/<launch>``. Views then find ``g.viewer``
(``lti_tool.access.Viewer``) and ``csrf`` in their templates; forms send it back as ``csrf_token``, scripts
in the header ``X-CSRF-Token``. Views still receive ``launch`` among their arguments; ``url_for`` fills it in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from lti_tool import access, audit, sessions
from lti_tool.language import gettext as _
from lti_tool.tool import Tool
from lti_tool.web import reach
from tool_config import platforms
from tool_config.database import transaction
from tool_config.platforms import origin

#: Lines of audit that strangers' guesses may fill, a minute and a silo.
STRANGERS = 60
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Unsent(access.AccessError):
    """A form that did not come from a page of ours, or from one too old."""


def tool() -> Tool:
    """Return what the running application was made of."""
    return current_app.extensions["estime"]  # type: ignore[no-any-return]


def viewer() -> access.Viewer:
    """Return who looks, as found in the launch of the path."""
    return g.viewer  # type: ignore[no-any-return]


def protect(blueprint: Blueprint) -> None:
    """Guard every page of a blueprint mounted under ``/c/<launch>``."""
    blueprint.before_request(_enter)
    blueprint.after_request(seal)
    blueprint.context_processor(lambda: {"csrf": csrf_token(), "person": _person()})
    blueprint.url_defaults(_fill_launch)
    blueprint.register_error_handler(access.AccessError, explain)


def allow_form_to(url: str) -> None:
    """Let the page at hand send a form to another origin: that of the platform, for what was chosen."""
    g.form_target = origin(url)


def csrf_token() -> str:
    """Return the token that unsafe requests of this launch carry; "" outside a launch."""
    if "viewer" not in g:
        return ""
    cookie = request.cookies.get(sessions.cookie_name(g.viewer.launch_id), "")
    message = f"csrf\n{g.viewer.launch_id}\n{cookie}".encode("utf-8", "replace")
    return hmac.new(tool().settings.secret_key.encode(), message, hashlib.sha256).hexdigest()


def _person() -> str:
    """Return the mark of who looks, under which a browser keeps what they have not saved; "" for nobody."""
    if "viewer" not in g:
        return ""
    message = f"person\n{g.viewer.silo_id}\n{g.viewer.actor}".encode()
    return hmac.new(tool().settings.secret_key.encode(), message, hashlib.sha256).hexdigest()[:16]


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """Set a cookie that reaches a tool framed by another site: one jar for each framing site (CHIPS).

    ``seconds=0`` takes it away.
    """
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )


def _enter() -> BaseResponse | None:
    arguments = request.view_args or {}
    launch_id = str(arguments.get("launch", ""))
    silo_id = sessions.silo_of(launch_id)
    if silo_id is None:
        raise access.NotFound
    here = tool()
    cookie = request.cookies.get(sessions.cookie_name(launch_id))
    with transaction(here.engine, silo_id, write=False) as conn:
        g.frames = frames(platforms.of_silo(conn, silo_id))
        g.viewer = access.viewer(conn, launch_id, cookie, here.clock())
    g.locale = g.viewer.locale
    if g.viewer.is_profile:
        g.frames = ()  # signed in from no course: nobody frames it
        if not reach.may(g.viewer.role, request.endpoint or ""):
            raise access.Forbidden
    if request.method not in SAFE:
        check_sent()
    if reach.narrowed(g.viewer.role, request.endpoint or ""):
        return _narrow(g.viewer.paths or frozenset())
    return None


def _narrow(paths: frozenset[int]) -> BaseResponse | None:
    """Keep who sees chosen paths to these, one at a time; lead a page that names none to the first."""
    arguments = request.view_args or {}
    named = request.args.getlist("path") + request.form.getlist("path")
    if reach.within(paths, arguments, named):
        return None
    if not paths or named or "path_id" in arguments or request.method not in SAFE:
        raise access.NotFound
    query = urlencode([*request.args.items(multi=True), ("path", min(paths))])
    return redirect(f"{request.path}?{query}", 303)


def frames(registered: Iterable[platforms.Platform]) -> tuple[str, ...]:
    """Return the origins that may frame the pages of a silo."""
    return tuple(dict.fromkeys(item for each in registered for item in each.frames))


def check_sent() -> None:
    """Raise Unsent unless an unsafe request comes from a page of this launch."""
    site = request.headers.get("Sec-Fetch-Site")
    source = request.headers.get("Origin")
    if site is not None and site != "same-origin":
        raise Unsent
    if source is not None and origin(source) != origin(tool().settings.public_url):
        raise Unsent
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), csrf_token().encode()):
        raise Unsent


def _fill_launch(_endpoint: str, values: dict[str, Any]) -> None:
    if "viewer" in g:
        values.setdefault("launch", g.viewer.launch_id)


def seal(response: Response) -> Response:
    """Say to the browser what a page may load, who may frame it, and that nobody keeps it."""
    framed = " ".join(g.get("frames") or ()) or "'none'"
    target = f" {g.form_target}" if g.get("form_target") else ""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; "
        "style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        f"form-action 'self'{target}; base-uri 'none'; frame-ancestors {framed}"
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def explain(error: Exception) -> Response:
    """Make a page of what somebody may not see: what happened, and what to do."""
    if isinstance(error, access.Expired):
        g.locale = error.locale
        again = url_for("signing_in.door", silo_id=error.silo_id) if error.silo_id else ""
        page = render_template("lti/expired.html", way_back=error.way_back, again=again)
        return make_response(page, 401)
    _note_refusal(error)
    if isinstance(error, access.Withheld):
        title = _("Cette session ne montre personne en particulier")
        message = _(
            "L’administration l’a réglée sur « agrégats seulement » : aucune liste, aucune page de personne."
        )
        return _page(403, title, message, [_("Les modules et la satisfaction du groupe restent ouverts.")])
    if isinstance(error, access.Forbidden):
        title = _("Cette page n’est pas pour vous")
        if "viewer" in g and viewer().is_profile:
            message = _("Votre profil n’y donne pas accès.")
            advice = _("Si vous devriez y avoir accès, demandez à l’administration de la communauté.")
            return _page(403, title, message, [advice])
        message = _("Votre rôle dans ce cours n’y donne pas accès.")
        advice = _("Si vous devriez y avoir accès, demandez à qui gère le cours de vérifier votre rôle.")
        return _page(403, title, message, [advice])
    if isinstance(error, Unsent):
        title = _("Votre envoi n’a pas été pris en compte")
        message = _("Le formulaire ne venait pas d’une page d’Estime encore ouverte. Rien n’a été modifié.")
        return _page(403, title, message, [_("Revenez à la page, rechargez-la, puis envoyez de nouveau.")])
    title = _("Cette page n’est pas ouverte dans ce navigateur")
    message = _("Elle n’existe pas, ou elle a été ouverte par quelqu’un d’autre ou dans un autre navigateur.")
    return _page(404, title, message, [_("Ouvrez Estime depuis la page de votre cours.")])


def _note_refusal(error: Exception) -> None:
    """Write that somebody asked for what is not theirs; guesses of strangers, only so many a minute."""
    if "viewer" not in g:
        _note_stranger()
        return
    reason = "page: not theirs, or not there"
    if isinstance(error, access.Forbidden):
        reason = "page: role"
    elif isinstance(error, Unsent):
        reason = "form: not from a page still open"
    who, here = viewer(), tool()
    with transaction(here.engine, who.silo_id) as conn:
        audit.write(
            conn,
            who.silo_id,
            at=here.clock(),
            action="page",
            accepted=False,
            actor=who.actor,
            role=who.role,
            course_id=who.course_id,
            reason=reason,
        )


def _note_stranger() -> None:
    silo_id = sessions.silo_of(str((request.view_args or {}).get("launch", "")))
    here = tool()
    if silo_id is None or not g.get("frames"):
        return  # no such silo, or one without a platform: nobody's line
    minute = int(here.clock().timestamp() // 60)
    if here.cache.increment(f"strangers:{silo_id}:{minute}", 60.0) > STRANGERS:
        return
    with transaction(here.engine, silo_id) as conn:
        reason = "page: launch not of this browser"
        audit.write(conn, silo_id, at=here.clock(), action="page", accepted=False, reason=reason)


def _page(status: int, title: str, message: str, advice: list[str]) -> Response:
    return make_response(render_template("error.html", title=title, message=message, advice=advice), status)
