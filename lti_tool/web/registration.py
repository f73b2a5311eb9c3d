"""Where a platform registers itself: its invitation opened, the addresses to type by hand, the icon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, send_from_directory

from lti_tool import audit, invitations, registration
from lti_tool.invitations import Held, RegistrationError
from lti_tool.language import gettext as _
from lti_tool.registration import Configuration, Registered
from lti_tool.web import guard
from lti_tool.web.guard import tool
from tool_config import platforms, silos
from tool_config.database import locating, transaction
from tool_config.platforms import origin

blueprint = Blueprint("registration", __name__)

_ICONS = Path(__file__).parent.parent / "static" / "icon"
#: Seconds after which the window of a registration that succeeded closes by itself.
_CLOSES_AFTER = 8
_STATUS = {
    "request": 400,
    "unknown": 404,
    "used": 410,
    "withdrawn": 410,
    "expired": 410,
    "held": 409,
    "known": 409,
    "issuer": 401,
}


@blueprint.after_request
def _seal(response: Response) -> Response:
    if response.mimetype != "text/html":
        return response
    sealed = guard.seal(response)
    # The address holds the invitation and the platform's token.
    sealed.headers["Referrer-Policy"] = "no-referrer"
    return sealed


@blueprint.get("/lti/register/<link>")
def register(link: str) -> Response:
    """Register the tool on the platform that opens an invitation; elsewhere, say what the link is for."""
    if request.method == "HEAD":
        return make_response("")
    url = request.args.get("openid_configuration", "")
    g.frames = (origin(url),) if origin(url) else ()
    try:
        return _register(link, url)
    except RegistrationError as error:
        return _refused(link, error)


def _register(link: str, url: str) -> Response:
    here = tool()
    silo_id = invitations.silo_of(link)
    if silo_id is None:
        raise RegistrationError("unknown", "registration: invitation malformed")
    if "openid_configuration" not in request.args:
        with transaction(here.engine, silo_id, write=False) as conn:
            invitations.check(conn, link, here.clock())
        whole = f"{here.settings.public_url}/lti/register/{link}"
        return make_response(render_template("lti/invitation.html", link=whole))
    with transaction(here.engine, silo_id) as conn:
        held = invitations.hold(conn, link, here.clock())
    try:
        platform, answered = _exchange(held, url)
        community = _keep(held, platform, answered)
    except Exception:
        with transaction(here.engine, silo_id) as conn:
            invitations.release(conn, held)
        raise
    page = render_template(
        "lti/registered.html",
        site=platform.issuer.partition("://")[2],
        community=community,
        moodle=platform.family == "moodle",
        refused=_refusals(answered),
        seconds=_CLOSES_AFTER,
    )
    return make_response(page)


def _exchange(held: Held, url: str) -> tuple[Configuration, Registered]:
    """Ask the platform, outside any transaction."""
    here = tool()
    if not origin(url) or len(url) > 2000:
        raise RegistrationError("request", "registration: openid_configuration is not an address")
    token = request.args.get("registration_token", "")
    if len(token) > 8000 or not (token.isascii() and token.isprintable()):
        raise RegistrationError("request", "registration: registration_token not usable")
    platform = registration.discover(here.http, url, allow_local=here.settings.allow_local_network)
    with transaction(here.engine, held.silo_id, write=False) as conn:
        registration.require_unknown(conn, held, platform)
    return platform, registration.register(here.http, platform, token, here.settings.public_url)


def _keep(held: Held, platform: Configuration, answered: Registered) -> str:
    """Keep the platform and return the name of its community."""
    here = tool()
    with locating(here.engine) as conn:
        taken = platforms.find(conn, platform.issuer, answered.client_id)
    if any(each.silo_id != held.silo_id for each in taken):
        raise RegistrationError("answer", "registration: the client id is another silo's already")
    with transaction(here.engine, held.silo_id) as conn:
        made = registration.complete(
            conn,
            held,
            platform,
            answered,
            secret_key=here.settings.secret_key,
            allow_local=here.settings.allow_local_network,
            now=here.clock(),
        )
        audit.write(conn, held.silo_id, at=here.clock(), action="registration", accepted=True)
        name = silos.get(conn, held.silo_id).name
    g.frames = made.frames
    return name


def _refusals(answered: Registered) -> list[str]:
    """Say what the platform did not grant, and what follows from it."""
    said = []
    if registration.MEMBERS in answered.refused:
        said.append(
            _(
                "La plateforme n’a pas accordé la liste des inscrits : les personnes n’apparaîtront "
                "qu’une fois venues, ou vues par les traces."
            )
        )
    if registration.SCORE in answered.refused or registration.LINE_ITEM in answered.refused:
        said.append(
            _("La plateforme n’a pas accordé le carnet de notes : aucun achèvement n’y sera inscrit.")
        )
    return said


def _refused(link: str, error: RegistrationError) -> Response:
    """Make a page of what went wrong, and write its one line of audit."""
    here, silo_id = tool(), invitations.silo_of(link)
    if silo_id is None or error.code == "unknown":
        reference = audit.log(at=here.clock(), action="registration", reason=error.reason)
    else:
        with transaction(here.engine, silo_id) as conn:
            reference = audit.write(
                conn, silo_id, at=here.clock(), action="registration", accepted=False, reason=error.reason
            )
    title, message, advice = _words(error.code)
    page = render_template(
        "lti/not_registered.html", title=title, message=message, advice=[advice], reference=reference
    )
    return make_response(page, _STATUS.get(error.code, 502))


def _words(code: str) -> tuple[str, str, str]:
    """Return title, sentence and advice for a registration that did not come about."""
    again = _("L’invitation reste bonne : corrigez, puis recommencez depuis la plateforme.")
    anew = _("Demandez une nouvelle invitation à la personne qui administre Estime.")
    match code:
        case "unknown":
            return (
                _("Cette invitation n’existe pas"),
                _("Le lien est incomplet, ou l’invitation a été retirée. Rien n’a été enregistré."),
                anew,
            )
        case "used":
            return (
                _("Cette invitation a déjà servi"),
                _("Une plateforme est déjà reliée par ce lien : s’il s’agit de la vôtre, tout est en place."),
                _("Pour relier une autre plateforme, demandez une nouvelle invitation."),
            )
        case "withdrawn":
            return (
                _("Cette invitation a été retirée"),
                _("Elle l’a été pendant l’enregistrement : Estime n’a rien gardé de la plateforme."),
                _("Retirez l’outil de la plateforme s’il y apparaît, puis demandez une nouvelle invitation."),
            )
        case "expired":
            return (
                _("Cette invitation n’est plus valable"),
                _("Sa date est passée. Rien n’a été enregistré."),
                anew,
            )
        case "held":
            return (
                _("Un enregistrement est déjà en cours"),
                _("Cette invitation est ouverte ailleurs au même moment."),
                _("Attendez deux minutes, puis recommencez depuis la plateforme si rien n’apparaît."),
            )
        case "known":
            return (
                _("Cette plateforme est déjà reliée à cette communauté"),
                _("Rien n’a été changé, ni ici ni sur la plateforme."),
                _("Pour la relier de nouveau, faites d’abord retirer l’ancienne connexion dans Estime."),
            )
        case "issuer":
            return (
                _("La plateforme ne dit pas qui elle est"),
                _("Ses adresses ne sont pas toutes à elle : par prudence, rien n’a été enregistré."),
                again,
            )
        case "refused":
            return (
                _("La plateforme a refusé l’enregistrement"),
                _("Elle n’a pas accepté le jeton qu’elle avait donné, ou ce qu’Estime lui demandait."),
                again,
            )
    return _words_of_platform(code, again)


def _words_of_platform(code: str, again: str) -> tuple[str, str, str]:
    match code:
        case "unreachable":
            return (
                _("La plateforme ne répond pas à Estime"),
                _("Son adresse doit pouvoir être jointe en https depuis le serveur d’Estime."),
                again,
            )
        case "request":
            return (
                _("La demande est incomplète"),
                _("La plateforme n’a pas donné l’adresse de sa configuration."),
                again,
            )
    return (
        _("La plateforme a répondu autrement que prévu"),
        _("Ce qu’elle dit d’elle-même, ou de l’outil, ne peut pas être utilisé."),
        again,
    )


# --- by hand -------------------------------------------------------------------------------------------


def manual_values() -> list[dict[str, Any]]:
    """Return the addresses that a platform's administrator copies, as the platform names their fields."""
    found = registration.addresses_of(tool().settings.public_url)
    named = [
        (_("URL de l’outil"), "launch"),
        (_("URL du jeu de clés publiques"), "jwks"),
        (_("URL de connexion"), "login"),
        (_("URL de redirection"), "launch"),
        (_("URL de sélection de contenu"), "launch"),
        (_("URL de l’icône"), "icon"),
    ]
    values = [(label, found[name]) for label, name in named]
    for name, variable in registration.VARIABLES.items():
        values.append((_("Paramètre personnalisé"), f"{name}=${variable}"))
    return [{"id": f"value-{n}", "label": label, "value": value} for n, (label, value) in enumerate(values)]


@blueprint.get("/lti/connect")
def connect() -> str:
    """Give every value that is typed when a platform is registered by hand."""
    return render_template("lti/connect.html", values=manual_values())


@blueprint.get("/lti/icon.<any(png, svg):kind>")
def icon(kind: str) -> Response:
    """Give the tool's icon, at an address that never changes: platforms keep it."""
    response = send_from_directory(_ICONS, f"icon.{kind}", max_age=86_400)
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
