"""The audit in a person's words: what happened, and why something was refused."""

from __future__ import annotations

import re

from lti_tool import audit
from lti_tool.language import gettext as _
from lti_tool.language import pgettext


def kinds() -> dict[str, str]:
    """Return what each kind of line is called."""
    return {
        "launch": _("Ouverture"),
        "login": _("Début d’ouverture"),
        "registration": _("Enregistrement d’une plateforme"),
        "look": _("Page d’une personne regardée"),
        "export": _("Fichier exporté"),
        "edit": _("Modification"),
        "page": _("Page ou formulaire"),
        audit.REFUSAL: _("Refus"),
    }


def role(name: str | None) -> str:
    """Return what a role is called; "" without one."""
    return {
        "trainee": pgettext("role", "stagiaire"),
        "tutor": pgettext("role", "tutorat"),
        "admin": pgettext("role", "administration"),
        "responsable": pgettext("role", "responsable"),
        "ingenieur": pgettext("role", "ingénierie de formation"),
        "lecteur": pgettext("role", "lecture d’agrégats"),
    }.get(name or "", "")


def reason(text: str | None) -> str:
    """Say why something was refused; words that have no sentence of their own stand as they are."""
    if not text:
        return ""
    return next((sentence for pattern, sentence in _sentences() if re.search(pattern, text)), text)


def _sentences() -> list[tuple[str, str]]:
    stale = _("Elle avait déjà servi, ou avait été demandée trop longtemps avant.")
    unsigned = _("Le message n’est pas signé par la plateforme comme il doit l’être.")
    return [
        (r"^people: set aside", _("Quelqu’un n’est plus compté parmi les stagiaires d’une session.")),
        (r"^people: counted again",
         _("Quelqu’un est de nouveau compté parmi les stagiaires d’une session.")),
        (r"^privacy: erasure", _("Demande d’effacement.")),
        (r"^privacy: (settings|retention)", _("Réglage de confidentialité.")),
        (r"^privacy: back", _("Retour d’une personne après un effacement.")),
        (r"erased at their own request", _("Les données de cette personne ont été effacées à sa demande.")),
        (r"^profile: granted", _("Profil accordé.")),
        (r"^profile: withdrawn", _("Profil retiré.")),
        (r"^profile: sessions closed", _("Sessions d’un profil fermées.")),
        (r"^profile: another browser|^profile: .* another browser",
         _("La connexion avait commencé dans un autre navigateur.")),
        (r"^profile: (state|link)", _("Le lien ou la réponse avait déjà servi, ou était trop ancien.")),
        (r"^profile: (no address|address)", _("Le fournisseur d’identité n’a pas garanti l’adresse.")),
        (r"^profile: no grant", _("L’adresse n’a aucun profil.")),
        (r"^profile: too many", _("Trop de demandes à la fois.")),
        (r"^profile: ", _("Le fournisseur d’identité n’a pas donné une réponse valable.")),
        (r"^registration: (invitation|another)",
         _("L’invitation n’était plus valable, ou servait déjà ailleurs.")),
        (r"^registration: (this silo|the client id)", _("La plateforme était déjà reliée.")),
        (r"^registration: (name|no answer|address|answer|the platform answered)",
         _("La plateforme n’a pas répondu, ou a refusé.")),
        (r"^registration: ", _("Ce que la plateforme disait d’elle-même n’était pas utilisable.")),
        (r"^launch: (signature|algorithm|kid)", unsigned),
        (r"keys cannot be had", _("Les clés de la plateforme n’ont pas pu être obtenues.")),
        (r"unknown issuer|registration gone|deployment unknown|single registration|issuer is not",
         _("La plateforme, ou son déploiement, n’est pas enregistrée.")),
        (r"audience|audiences|another client|^launch: aud|^launch: azp",
         _("Le message était destiné à un autre outil.")),
        (r"token expired|too old|future", _("Le message est trop ancien, ou daté du futur.")),
        (r"another browser", _("Elle avait commencé dans un autre navigateur.")),
        (r"^open: ", _("Le lien vers un nouvel onglet avait déjà servi, ou venait d’un autre site.")),
        (r"state|nonce|ticket expired|ticket altered", stale),
        (r"no role|only tutors", _("Le rôle dans le cours ne donne pas ce droit.")),
        (r"answered with an error", _("La plateforme n’a pas terminé l’ouverture.")),
        (r"is not this tool|off the platform", _("Le message menait ailleurs.")),
        (r"missing|malformed|not usable|not a |not an |too large|refused by the library",
         _("Le message est incomplet, ou illisible.")),
        (r"^page: role", _("Page d’un autre rôle.")),
        (r"^page: ", _("Page d’un cours ou d’une personne que ce rôle ne voit pas.")),
        (r"^form: ", _("Formulaire qui ne venait pas d’une page encore ouverte.")),
    ]  # fmt: skip
