"""The doors of LTI: login, check of cookies, launch, public keys, hand-over to a new tab."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, g, jsonify, make_response, render_template, request
from flask.blueprints import BlueprintSetupState

from lti_tool import arrival, audit, launch, login, sessions
from lti_tool.keys import KeyRing
from lti_tool.language import gettext as _
from lti_tool.login import Refused
from lti_tool.web import coming_back, guard
from lti_tool.web.guard import tool
from tool_config import platforms, silos
from tool_config.database import locating, transaction
from xapi import store

blueprint = Blueprint("lti", __name__)
#: `/c/<launch>/open`: behind the guard, like every page of a launch.
handing_over = Blueprint("handing_over", __name__, url_prefix="/c/<launch>")
guard.protect(handing_over)

_LOGIN_SECONDS = int(login.LIFETIME.total_seconds())
_COOKIE_SECONDS = int(sessions.KEPT.total_seconds())
#: A launch looks up by keys only, and what it needs is in memory: small tables are not walked through.
_BY_KEY = "SET LOCAL random_page_cost = 1.1"


@blueprint.record_once
def _make_key_ring(state: BlueprintSetupState) -> None:
    tool = state.app.extensions["estime"]
    state.app.extensions["estime.keys"] = KeyRing(
        allow_local=tool.settings.allow_local_network, cache=tool.cache, secret_key=tool.settings.secret_key
    )


@blueprint.after_request
def _seal(response: Response) -> Response:
    return response if response.is_json else guard.seal(response)


# --- login ---------------------------------------------------------------------------------------------


@blueprint.route("/lti/login", methods=["GET", "POST"])
def begin() -> Response:
    """Begin a login: give the browser a secret, and see whether it comes back before going on."""
    here = tool()
    with locating(here.engine) as conn:
        candidates = platforms.find(
            conn, request.values.get("iss", ""), request.values.get("client_id") or None
        )
    g.frames = guard.frames(candidates)
    if len(candidates) == 1:
        g.silo_id = candidates[0].silo_id
    asked = login.parse_login(request.values, here.settings.public_url)
    platform = login.registration(candidates, _deployments(candidates), asked)
    g.silo_id, g.frames = platform.silo_id, platform.frames
    started = login.start(platform, asked, secret_key=here.settings.secret_key, now=here.clock())
    response = _go(f"{_root()}/lti/check?{urlencode({'login': started.ticket})}", 302)
    guard.set_cookie(response, started.cookie, started.secret, _LOGIN_SECONDS)
    return response


def _deployments(candidates: list[platforms.Platform]) -> dict[int, frozenset[str]]:
    """Return the deployments of registrations among which a login must choose, by silo."""
    if len(candidates) < 2:
        return {}
    known = {}
    for each in candidates:
        with transaction(tool().engine, each.silo_id, write=False) as conn:
            known[each.silo_id] = platforms.deployments(conn, each.silo_id, each.issuer)
    return known


@blueprint.get("/lti/check")
def check() -> Response:
    """Go on to the platform if the cookie came back, else offer the same login in a new tab.

    The platform's hint serves once: it must not be spent in a frame where the launch cannot succeed.
    """
    here = tool()
    text = request.args.get("login", "")
    if not text:
        raise Refused(400, "malformed", "check: ticket missing")
    ticket = login.read_ticket(text, secret_key=here.settings.secret_key, now=here.clock())
    g.silo_id = ticket.silo_id
    if not login.kept_by(ticket, request.cookies.get(login.cookie_name(ticket.name))):
        return _blocked(ticket)
    with transaction(here.engine, ticket.silo_id) as conn:
        url = login.authorize(conn, ticket, public_url=here.settings.public_url, now=here.clock())
    return _go(url, 302)


def _blocked(ticket: login.Ticket) -> Response:
    with transaction(tool().engine, ticket.silo_id, write=False) as conn:
        g.frames = guard.frames(platforms.of_silo(conn, ticket.silo_id))
    asked = ticket.asked
    parameters = {
        "iss": asked.issuer,
        "login_hint": asked.login_hint,
        "target_link_uri": asked.target_link_uri,
        "lti_message_hint": asked.message_hint,
        "client_id": asked.client_id,
        "lti_deployment_id": asked.deployment_id,
    }
    query = urlencode({name: value for name, value in parameters.items() if value})
    framed = request.headers.get("Sec-Fetch-Dest") != "document"
    page = render_template("lti/blocked.html", same_login=f"{_root()}/lti/login?{query}", framed=framed)
    return make_response(page)


# --- launch --------------------------------------------------------------------------------------------


@blueprint.post("/lti/launch")
def arrive() -> Response:
    """Verify the platform's answer and open the page of the role that it gives."""
    here = tool()
    state, token = request.form.get("state", ""), request.form.get("id_token", "")
    failed = Refused(400, "platform_error", "launch: the platform answered with an error")
    if request.form.get("error") and not state:
        raise failed
    silo_id, name = login.split_state(state)
    cookie, keys = login.cookie_name(name), current_app.extensions["estime.keys"]
    with store.announced(here.engine, silo_id, here.clock, setting=_BY_KEY) as conn:
        now = here.clock()
        try:
            if request.form.get("error"):
                raise failed
            if not token:
                raise Refused(400, "malformed", "launch: id_token missing")
            waiting = login.pending(conn, silo_id, state, request.cookies.get(cookie), now)
        except Refused:
            _know_silo(conn, silo_id)
            raise
        g.silo_id, g.frames = silo_id, waiting.platform.frames
        # The usual case, in one transaction; no network in it.
        claims = launch.authenticate_at_hand(token, waiting.platform, keys, now)
        entered = _take(conn, waiting, claims, now) if claims is not None else None
    if entered is None:
        claims = launch.authenticate(token, waiting.platform, keys, here.clock())
        with store.announced(here.engine, silo_id, here.clock, setting=_BY_KEY) as conn:
            entered = _take(conn, waiting, claims, here.clock())
    if isinstance(entered, Refused):
        raise entered
    response = _go(f"{_root()}/c/{entered.launch_id}/", 303)
    guard.set_cookie(response, cookie, "", 0)
    return _hand_cookie(response, entered)


def _take(
    conn: Any, waiting: login.Pending, claims: dict[str, Any], now: datetime
) -> sessions.Opened | Refused:
    """Take the login and enter; a refusal is returned, so that what the launch spent stays spent."""
    try:
        spent = login.spending(waiting, claims, now)
        try:
            said = launch.read(claims, waiting.platform, waiting.deployments, tool().settings.public_url)
        except Refused:
            login.spend(conn, spent)  # whatever it says, it was signed
            raise
        return _enter(conn, waiting, said, spent, now)
    except Refused as error:
        return error


def _enter(
    conn: Any, waiting: login.Pending, said: launch.Launch, spent: dict[str, Any], now: datetime
) -> sessions.Opened:
    here, platform = tool(), waiting.platform
    g.locale = said.locale or request.accept_languages.best_match(("fr", "en"), default="fr")
    arrived = arrival.arrive(
        conn,
        waiting.silo_id,
        said,
        family=platform.family,
        locale=g.locale,
        public_url=here.settings.public_url,
        now=now,
        spent=spent,
    )
    if not waiting.deployments and not platforms.adopt_deployment(
        conn, waiting.silo_id, platform.issuer, said.deployment_id
    ):
        raise Refused(401, "platform", "launch: deployment unknown")
    sessions.revive(
        conn,
        waiting.silo_id,
        request.cookies,
        actor=arrived.actor,
        role=arrived.role,
        course_id=arrived.course_id,
        now=now,
    )
    return arrived.opened


def _know_silo(conn: Any, silo_id: int) -> None:
    """Remember the silo that a state names, if it exists: its audit and its frames serve refusals."""
    try:
        g.silo_id = silos.get(conn, silo_id).silo_id
    except silos.SiloError:
        raise Refused(401, "stale", "launch: state forged") from None
    g.frames = guard.frames(platforms.of_silo(conn, silo_id))


def _hand_cookie(response: Response, opened: sessions.Opened) -> Response:
    for name in sessions.surplus(request.cookies):
        guard.set_cookie(response, name, "", 0)
    guard.set_cookie(response, sessions.cookie_name(opened.launch_id), opened.secret, _COOKIE_SECONDS)
    return response


@blueprint.get("/lti/jwks.json")
def public_keys() -> Response:
    """Publish the tool's public keys."""
    response = jsonify(platforms.public_jwks(tool().engine, tool().clock()))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


# --- new tab -------------------------------------------------------------------------------------------


@handing_over.route("/open", methods=["GET", "POST"])
def offer(launch: str) -> Response:
    """Offer the launch in a new tab, whose cookies are apart: a page with a link, or its address in JSON.

    A new tab has no cookie to show, so that the code is asked for here, in the frame.
    """
    here, viewer = tool(), guard.viewer()
    to = _page_before(launch)
    if request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document":
        return _go(f"{_root()}/c/{launch}/{to}", 303)  # already in a tab of its own
    with transaction(here.engine, viewer.silo_id) as conn:
        code = sessions.make_code(conn, viewer.silo_id, launch, now=here.clock())
    address = f"{_root()}/lti/open?{urlencode({'code': code, 'to': to})}"
    if request.method == "POST":
        return jsonify(address=address)
    back = f"{_root()}/c/{launch}/{to}"
    return make_response(render_template("lti/open.html", address=address, back=back))


@handing_over.get("/alive")
def alive(launch: str) -> Response:
    """Say that the launch is still open: asked before a form leaves a page that would be lost with it."""
    return make_response("", 204)


def _page_before(launch_id: str) -> str:
    """Return the page of this launch from which the request comes, without its front part."""
    came = urlsplit(request.headers.get("Referer", ""))
    front = f"{_root()}/c/{launch_id}/"
    path = came.path[len(front) :] if came.path.startswith(front) else ""
    if path == "open":
        return ""
    return f"{path}?{came.query}" if came.query else path


@blueprint.get("/lti/open")
def take() -> Response:
    """Open the launch that a one-time code stands for."""
    here, code = tool(), request.args.get("code", "")
    silo_id = sessions.silo_of(code)
    if silo_id is None:
        raise Refused(400, "stale", "open: code missing or malformed")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise Refused(401, "stale", "open: code brought by another site")
    with transaction(here.engine, silo_id) as conn:
        opened = sessions.spend_code(conn, silo_id, code, now=here.clock())
        if opened:
            g.silo_id = silo_id
    if opened is None:
        raise Refused(401, "stale", "open: code unknown, spent or late")
    to = request.args.get("to", "")
    to = to if to.isprintable() and len(to) < 2000 else ""
    return _hand_cookie(_go(f"{_root()}/c/{opened.launch_id}/{to}", 303), opened)


# --- refusals ------------------------------------------------------------------------------------------


@blueprint.errorhandler(Refused)
def refuse(refusal: Refused) -> Response:
    """Make a page that a person understands of a refusal, and write its one line of audit."""
    if isinstance(refusal, arrival.Erased):
        return coming_back.welcome(refusal)
    here, silo_id = tool(), g.get("silo_id")
    action = "launch" if refusal.reason.startswith("launch") else "login"
    if silo_id is None:
        reference = audit.log(at=here.clock(), action=action, reason=refusal.reason)
    else:
        with transaction(here.engine, silo_id) as conn:
            reference = audit.write(
                conn,
                silo_id,
                action=action,
                accepted=False,
                reason=refusal.reason,
                actor=refusal.actor,
                course_id=refusal.course_id,
                at=here.clock(),
            )
    title, message, advice = _words(refusal.code)
    page = render_template(
        "lti/refused.html", title=title, message=message, advice=[advice], reference=reference
    )
    return make_response(page, refusal.status)


def _words(code: str) -> tuple[str, str, str]:
    """Return title, sentence and advice for a refusal."""
    reopen = _("Revenez à la page de votre cours, rechargez-la, puis ouvrez de nouveau Estime.")
    match code:
        case "role":
            return (
                _("Votre rôle dans ce cours n’ouvre pas Estime"),
                _("La plateforme n’a transmis aucun rôle qui donne accès à une page."),
                _("Demandez à la personne qui gère le cours de vérifier votre inscription et votre rôle."),
            )
        case "keys":
            return (
                _("La plateforme ne répond pas"),
                _("Estime n’a pas pu vérifier que cette ouverture vient bien de votre plateforme."),
                _("Réessayez dans quelques minutes. Si cela dure, prévenez l’assistance."),
            )
        case "platform":
            return (
                _("Cette plateforme n’est pas connue d’Estime"),
                _("L’ouverture vient d’une plateforme, ou d’un déploiement, qui n’est pas enregistré ici."),
                _("Transmettez cette page à la personne qui administre la plateforme."),
            )
        case "platform_error":
            return (
                _("La plateforme n’a pas terminé l’ouverture"),
                _("Votre connexion au cours a peut-être expiré, ou la page a été rechargée."),
                reopen,
            )
        case "browser":
            return (
                _("Cette ouverture a commencé dans un autre navigateur"),
                _("Ou bien votre navigateur n’a pas gardé le cookie d’Estime."),
                reopen,
            )
        case "stale":
            return (
                _("Cette ouverture n’est plus valable"),
                _("Elle a déjà servi, ou elle est trop ancienne."),
                reopen,
            )
        case "message":
            return (
                _("Estime ne sait pas répondre à cette demande"),
                _("La plateforme a demandé autre chose que l’ouverture d’une activité."),
                _("Transmettez cette page à la personne qui administre la plateforme."),
            )
    return (
        _("L’ouverture d’Estime a échoué"),
        _("Ce que la plateforme a envoyé est incomplet, ou n’a pas pu être vérifié."),
        reopen,
    )


def _root() -> str:
    """Return the path under which the tool is reached, without a final slash: "" at the root of a host."""
    return urlsplit(tool().settings.public_url).path.rstrip("/")


def _go(url: str, status: int) -> Response:
    response = make_response("", status)
    response.headers["Location"] = url
    return response


blueprint.add_url_rule("/lti/return", "come_back", coming_back.come_back, methods=["POST"])
blueprint.register_blueprint(handing_over)
