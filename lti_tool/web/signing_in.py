"""The door of those who have no course: OpenID Connect, or a one-time link by e-mail.

Nothing here tells whether an address has a grant before its owner has proved it. Nobody frames these pages.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from lti_tool import audit, mail, profiles, sessions
from lti_tool.language import gettext as _
from lti_tool.profiles import Grant, links, openid
from lti_tool.profiles.openid import Provider, SignInError
from lti_tool.web import guard
from lti_tool.web.guard import tool
from tool_config import silos
from tool_config.database import transaction
from tool_config.platforms import origin

blueprint = Blueprint("signing_in", __name__)

#: What one address of the network may begin a minute, links that one address may ask for in a quarter of an
#: hour, and links of a silo a minute.
BEGUN = 20
ASKED = 3
ASKED_TOGETHER = 30
_QUARTER = 900.0
_LONGEST = 254
_COOKIE_SECONDS = int(sessions.LIFETIME.total_seconds())


@blueprint.after_request
def _seal(response: Response) -> Response:
    sealed = guard.seal(response)
    # Addresses here hold codes.
    sealed.headers["Referrer-Policy"] = "no-referrer"
    sealed.headers["X-Robots-Tag"] = "noindex, nofollow"
    return sealed


@blueprint.get("/sign-in/<int:silo_id>")
def door(silo_id: int) -> str:
    """Offer the ways in of a silo."""
    with_provider, name = _ways(silo_id)
    return render_template(
        "profiles/door.html",
        institution=name,
        provider=urlsplit(with_provider.issuer).hostname if with_provider else "",
        openid_url=url_for("signing_in.begin", silo_id=silo_id, **_to()),
        link_url=url_for("signing_in.ask_link", silo_id=silo_id, **_to()) if _has_mail() else "",
    )


@blueprint.get("/sign-in/<int:silo_id>/openid")
def begin(silo_id: int) -> Answer:
    """Send the browser to the provider of a silo."""
    here = tool()
    _limit(silo_id)
    who, _name = _ways(silo_id)
    if who is None:
        raise SignInError(404, "unknown", "profile: no provider")
    to = openid.discover(here.http, who.issuer)
    with transaction(here.engine, silo_id) as conn:
        begun = openid.begin(
            conn, who, to, public_url=here.settings.public_url, secret_key=_key(), now=here.clock()
        )
    answer = _go(begun.url, 302)
    _set(answer, begun.cookie, f"{begun.secret}.{request.args.get('to', '')[:1500]}", openid.LIFETIME)
    return answer


@blueprint.get("/sign-in/callback")
def callback() -> Answer:
    """Take the provider's answer: state, code, ID token, address, grant."""
    here, state = tool(), request.args.get("state", "")
    silo_id = openid.silo_of(state)
    who, _name = _ways(silo_id)
    cookie = openid.cookie_name(state)
    secret, _dot, to = request.cookies.get(cookie, "").partition(".")
    with transaction(here.engine, silo_id) as conn:
        openid.spend(conn, silo_id, state, secret, here.clock())
    code = request.args.get("code", "")
    if who is None or request.args.get("error") or not code or len(code) > openid.MOST_TOKEN:
        raise SignInError(400, "provider", "profile: the provider answered with an error")
    if request.args.get("iss", who.issuer) != who.issuer:
        raise SignInError(401, "token", "profile: answer of another issuer")
    given = _proved(who, code, secret)
    with transaction(here.engine, silo_id) as conn:
        found = profiles.of_address(conn, silo_id, given, secret_key=_key(), now=here.clock())
    if found is None:
        raise SignInError(403, "address", "profile: no grant for this address")
    answer = _enter(found, to)
    _set(answer, cookie, "", timedelta(0))
    return answer


def _proved(who: Provider, code: str, secret: str) -> str:
    """Return the address that the provider vouches for; the network, outside any transaction."""
    here = tool()
    to = openid.discover(here.http, who.issuer)
    verifier = openid.drawn(_key(), "verifier", secret)
    public_url = here.settings.public_url
    token, access = openid.redeem(here.http, who, to, code, verifier, public_url=public_url)
    claims = openid.verified(
        token, access, who, to, current_app.extensions["estime.keys"],
        nonce=openid.drawn(_key(), "nonce", secret), now=here.clock(),
    )  # fmt: skip
    return openid.address(here.http, claims, to, access)


@blueprint.post("/sign-in/<int:silo_id>/link")
def ask_link(silo_id: int) -> Answer:
    """Note that a link is asked for; the same answer for every address."""
    here = tool()
    _ours()
    _limit(silo_id)
    _who, name = _ways(silo_id)
    if not _has_mail():
        raise SignInError(404, "unknown", "profile: no server of mail")
    typed = request.form.get("address", "").strip()
    if not mail.usable(typed) or len(typed) > _LONGEST:
        page = render_template("profiles/asked.html", institution=name, fault=True, back=_door(silo_id))
        return make_response(page, 400)
    often = here.cache.increment(f"signin-to:{asked_for(_key(), silo_id, typed)}", _QUARTER) > ASKED
    minute = int(here.clock().timestamp() // 60)
    often = here.cache.increment(f"signin-all:{silo_id}:{minute}", 60.0) > ASKED_TOGETHER or often
    with transaction(here.engine, silo_id) as conn:
        cookie, secret = links.ask(conn, silo_id, typed, secret_key=_key(), now=here.clock(), write=not often)
    answer = make_response(render_template("profiles/asked.html", institution=name, fault=False))
    _set(answer, cookie, f"{secret}.{request.args.get('to', '')[:1500]}", links.LIFETIME)
    return answer


@blueprint.get("/sign-in/link/<token>")
def link(token: str) -> Answer:
    """Show the button that uses a link; opening it uses nothing up, for scanners follow links too."""
    if request.method == "HEAD":
        return make_response("")
    silo_id, login_id = _link(token)
    secret = request.cookies.get(links.cookie_name(login_id), "").partition(".")[0]
    with transaction(tool().engine, silo_id, write=False) as conn:
        links.check(conn, silo_id, login_id, secret, tool().clock())
        name = silos.get(conn, silo_id).name
    here = url_for("signing_in.use_link", token=token)
    return make_response(render_template("profiles/confirm.html", institution=name, here=here))


@blueprint.post("/sign-in/link/<token>")
def use_link(token: str) -> Answer:
    """Use a link."""
    _ours()
    silo_id, login_id = _link(token)
    cookie = links.cookie_name(login_id)
    secret, _dot, to = request.cookies.get(cookie, "").partition(".")
    with transaction(tool().engine, silo_id) as conn:
        found = links.spend(conn, silo_id, login_id, secret, secret_key=_key(), now=tool().clock())
    answer = _enter(found, to)
    _set(answer, cookie, "", timedelta(0))
    return answer


def asked_for(secret_key: str, silo_id: int, address: str) -> str:
    """Return the mark under which messages to one address are counted; the cache never has the address."""
    message = f"estime sign-in\n{silo_id}\n{address.casefold()}".encode()
    return hmac.digest(secret_key.encode(), message, "sha256").hex()


def _link(token: str) -> tuple[int, str]:
    silo_id, login_id = links.read(token, secret_key=_key())
    g.silo_id = silo_id
    return silo_id, login_id


# --- what stands before -------------------------------------------------------------------------------


def _key() -> str:
    return tool().settings.secret_key


def _has_mail() -> bool:
    return mail.is_set(tool().settings)


def _ways(silo_id: int) -> tuple[Provider | None, str]:
    """Return the provider of a silo and its name; every silo that is not there gets the same answer."""
    here = tool()
    if not 0 < silo_id < 2**31:
        raise SignInError(404, "unknown", "profile: no such silo")
    with transaction(here.engine, silo_id, write=False) as conn:
        try:
            name = silos.get(conn, silo_id).name
        except silos.SiloError:
            raise SignInError(404, "unknown", "profile: no such silo") from None
        g.silo_id = silo_id
        usual = here.settings.oidc_client_secret
        return openid.provider(conn, silo_id, secret_key=_key(), usual_secret=usual), name


def _limit(silo_id: int) -> None:
    here = tool()
    minute = int(here.clock().timestamp() // 60)
    if here.cache.increment(f"signin:{silo_id}:{request.remote_addr}:{minute}", 60.0) > BEGUN:
        raise SignInError(429, "many", "profile: too many sign-ins")


def _ours() -> None:
    """Refuse a form that another site sent."""
    source = request.headers.get("Origin", "null")
    foreign = source != "null" and origin(source) != origin(tool().settings.public_url)
    if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise SignInError(403, "malformed", "profile: form of another site")


def _to() -> dict[str, Any]:
    to = request.args.get("to", "")
    return {"to": to} if to.isprintable() and 0 < len(to) <= 1500 and to.startswith("views/") else {}


def _door(silo_id: int) -> str:
    return url_for("signing_in.door", silo_id=silo_id)


# --- coming in ----------------------------------------------------------------------------------------


def _enter(found: Grant, to: str) -> Response:
    """Open the session, say so in the audit, give the browser its secret."""
    here = tool()
    locale = request.accept_languages.best_match(("fr", "en"), default="fr")
    with transaction(here.engine, found.silo_id) as conn:
        opened = profiles.enter(conn, found, locale=locale, now=here.clock())
        audit.write(
            conn, found.silo_id, at=here.clock(), action="login", accepted=True, actor=found.actor,
            role=found.profile,
        )  # fmt: skip
    root = urlsplit(here.settings.public_url).path.rstrip("/")
    to = to if to.isprintable() and to.startswith("views/") else ""
    answer = _go(f"{root}/c/{opened.launch_id}/{to}", 303)
    for name in sessions.surplus(request.cookies):
        guard.set_cookie(answer, name, "", 0)
    guard.set_cookie(answer, sessions.cookie_name(opened.launch_id), opened.secret, _COOKIE_SECONDS)
    return answer


def _set(response: Answer, name: str, value: str, life: timedelta) -> None:
    """Set a cookie that comes back from another site's page: the provider's, or that of a mailbox."""
    response.set_cookie(
        name, value, max_age=int(life.total_seconds()), path="/", secure=True, httponly=True, samesite="Lax"
    )


def _go(url: str, status: int) -> Response:
    response = make_response("", status)
    response.headers["Location"] = url
    return response


# --- refusals -----------------------------------------------------------------------------------------


@blueprint.errorhandler(SignInError)
def refuse(refusal: SignInError) -> Response:
    """Make a page of a refusal, and write its one line of audit."""
    here, silo_id = tool(), g.get("silo_id")
    if silo_id is None:
        reference = audit.log(at=here.clock(), action="login", reason=refusal.reason)
    else:
        with transaction(here.engine, silo_id) as conn:
            reference = audit.write(
                conn, silo_id, at=here.clock(), action="login", accepted=False, reason=refusal.reason
            )
    title, message = _words(refusal.code)
    again = {"action_url": _door(silo_id), "action_label": _("Recommencer")} if silo_id is not None else {}
    page = render_template("error.html", title=title, message=message, reference=reference, **again)
    return make_response(page, refusal.status)


def _words(code: str) -> tuple[str, str]:
    return {
        "browser": (
            _("Cette connexion a commencé dans un autre navigateur"),
            _("Un lien ne s’ouvre que dans le navigateur où il a été demandé. Demandez-en un ici."),
        ),
        "stale": (
            _("Ce lien n’est plus valable"),
            _("Il a déjà servi, ou il a plus de quinze minutes. Demandez-en un autre."),
        ),
        "address": (
            _("Cette adresse n’ouvre pas Estime"),
            _(
                "Le fournisseur d’identité ne la garantit pas, ou aucun profil ne lui est accordé. Demandez "
                "à l’administration de la communauté de vérifier."
            ),
        ),
        "provider": (
            _("Le fournisseur d’identité n’a pas terminé la connexion"),
            _("Réessayez dans quelques minutes. Si cela dure, prévenez l’administration de la communauté."),
        ),
        "token": (
            _("La connexion n’a pas pu être vérifiée"),
            _("Ce que le fournisseur d’identité a envoyé n’est pas valable. Recommencez."),
        ),
        "many": (_("Trop de demandes à la fois"), _("Attendez une minute, puis recommencez.")),
    }.get(code, (_("Cette adresse n’ouvre rien"), _("Elle est incomplète, ou elle ne mène nulle part.")))
