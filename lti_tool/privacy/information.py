"""What people are told before they use the tool (RGPD, articles 12 to 14), by role; who read it when.

The text says what holds now: a change of a duration, of a recipient, of whom to write to makes another
version, shown again to everybody at their next coming.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

from lti_tool.compliance import institution
from lti_tool.formatting import number
from lti_tool.information_tables import information_seen, information_version
from lti_tool.language import gettext
from lti_tool.privacy import retention
from tool_config import platforms
from tool_config.database import insert
from tool_config.rules import Rules
from tool_config.settings import Settings
from xapi import forward

#: Roles as notices know them; everybody without a course is told what an administrator is.
ROLES = ("trainee", "tutor", "admin")


class Say(Protocol):
    """Put values into a message: `gettext`, or the message as it is, in French."""

    def __call__(self, message: str, /, **values: object) -> str: ...


def plainly(message: str, /, **values: object) -> str:
    """Return the message in French whatever the page: what is kept as a version."""
    return message % values if values else message


@dataclass(frozen=True)
class Holds:
    """What the notices say that changes from one institution to another, and in time."""

    controller: str
    dpo: str
    rights: str
    legal_basis: str
    platforms: tuple[str, ...]
    copies: tuple[str, ...]
    k: int
    days: tuple[tuple[str, int], ...]
    backup_days: int


Part = tuple[str, tuple[str, ...]]


def role_of(role: str) -> str:
    """Return which notice a role of `access.Viewer` reads."""
    return role if role in ROLES else "admin"


def holds(conn: Connection, silo_id: int, *, settings: Settings, rules: Rules) -> Holds:
    """Read what holds now in a silo."""
    said = institution.read(conn, silo_id)
    return Holds(
        controller=said.get("controller", ""),
        dpo=said.get("dpo_contact", ""),
        rights=said.get("rights_contact", ""),
        legal_basis=said.get("legal_basis", ""),
        platforms=tuple(sorted({_host(one.issuer) for one in platforms.of_silo(conn, silo_id)})),
        copies=tuple(_host(one.url) for one in forward.list_all(conn, silo_id)),
        k=rules.disclosure.course,
        days=tuple((rule.kind, rule.days) for rule in retention.rules(conn, silo_id)),
        backup_days=settings.backup_days,
    )


def notice(found: Holds, role: str, gettext: Say = gettext) -> tuple[Part, ...]:
    """Return the information of a role: parts, each a title and its sentences."""
    return (
        (gettext("Ce qu’Estime recueille"), tuple(_collected(found, role, gettext))),
        (gettext("Pourquoi"), tuple(_purposes(role, gettext))),
        (gettext("Qui le voit"), tuple(_recipients(found, role, gettext))),
        (gettext("Combien de temps"), tuple(_durations(found, gettext))),
        (gettext("Vos droits"), tuple(_rights(found, role, gettext))),
    )


def current(conn: Connection, silo_id: int, role: str, found: Holds) -> int:
    """Return the version that holds now: the last one kept when it says the same, else the next."""
    last = _last(conn, silo_id, role)
    text = _kept(notice(found, role, plainly))
    return last.version if last is not None and last.text == text else (last.version if last else 0) + 1


def has_seen(conn: Connection, silo_id: int, actor: str, role: str, found: Holds) -> bool:
    """Tell whether somebody has read what holds now."""
    c = information_seen.c
    query = select(c.version).where(
        c.silo_id == silo_id, c.actor == actor, c.role == role,
        c.version == current(conn, silo_id, role, found),
    )  # fmt: skip
    return conn.execute(query).first() is not None


def saw(conn: Connection, silo_id: int, actor: str, role: str, found: Holds, *, now: datetime) -> int:
    """Keep that somebody read what holds now, and what it says if nobody had; return its version."""
    version = current(conn, silo_id, role, found)
    text = _kept(notice(found, role, plainly))
    kept = {"silo_id": silo_id, "role": role, "version": version}
    first = insert(conn, information_version).values(**kept, text=text, since=now)
    conn.execute(first.on_conflict_do_nothing(index_elements=["silo_id", "role", "version"]))
    read = insert(conn, information_seen).values(**kept, actor=actor, seen_at=now)
    conn.execute(read.on_conflict_do_nothing(index_elements=["silo_id", "actor", "role", "version"]))
    return version


def seen_at(conn: Connection, silo_id: int, actor: str, role: str) -> datetime | None:
    """Return when somebody last read a notice; None: never."""
    c = information_seen.c
    query = select(func.max(c.seen_at)).where(c.silo_id == silo_id, c.actor == actor, c.role == role)
    found: datetime | None = conn.scalar(query)
    return found


def _last(conn: Connection, silo_id: int, role: str) -> Any:
    c = information_version.c
    query = select(c.version, c.text).where(c.silo_id == silo_id, c.role == role)
    return conn.execute(query.order_by(c.version.desc()).limit(1)).first()


def _kept(parts: tuple[Part, ...]) -> list[list[Any]]:
    return [[title, list(sentences)] for title, sentences in parts]


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


# --- the parts ---------------------------------------------------------------------------------------------


def _collected(found: Holds, role: str, gettext: Say) -> list[str]:
    source = ", ".join(found.platforms) or gettext("votre plateforme de formation")
    if role == "trainee":
        return [
            gettext(
                "Ce que vous ouvrez et achevez dans la formation, vos notes, vos présences et vos réponses "
                "aux "
                "questionnaires. Cela vient de %(source)s, de vos formulaires et de fichiers de "
                "l’institution.",
                source=source,
            ),
            gettext(
                "Votre nom et votre adresse professionnelle, si la plateforme les donne. Jamais votre NUMEN."
            ),
            gettext(
                "Un questionnaire anonyme l’est vraiment : l’outil lui-même ne sait pas qui a répondu quoi."
            ),
        ]
    if role == "tutor":
        return [
            gettext(
                "Des stagiaires : activité, notes, présences, réponses. Cela vient de %(source)s.",
                source=source,
            ),
            gettext(
                "De vous : votre nom, vos sessions, les pages de personnes que vous ouvrez, les fichiers que "
                "vous "
                "emportez, ce que vous écrivez dans l’outil."
            ),
        ]
    return [
        gettext(
            "Des personnes : des chiffres d’ensemble, et des pseudonymes. Cela vient de %(source)s.",
            source=source,
        ),
        gettext("De vous : votre identité, vos connexions, ce que vous changez et ce que vous emportez."),
    ]


def _purposes(role: str, gettext: Say) -> list[str]:
    wanted = {
        "trainee": gettext(
            "Vous montrer où vous en êtes, aider vos tuteurs à vous accompagner, améliorer la formation "
            "d’après "
            "vos avis."
        ),
        "tutor": gettext("Accompagner les stagiaires de vos sessions, et améliorer les modules."),
        "admin": gettext("Adapter l’offre, dimensionner les sessions, équilibrer présence et distance."),
    }[role]
    return [
        wanted,
        gettext(
            "Jamais pour l’évaluation professionnelle, l’inspection, l’avancement ni le contrôle du temps. "
            "Aucune décision n’est prise par la machine."
        ),
    ]


def _recipients(found: Holds, role: str, gettext: Say) -> list[str]:
    said = {
        "trainee": [
            gettext(
                "Vous ; les tuteurs de votre session, par votre nom. Ni votre hiérarchie, ni les autres "
                "stagiaires."
            ),
            gettext(
                "Les administrateurs, sous un pseudonyme. Chaque regard porté sur votre page est noté : vous "
                "le voyez."
            ),
        ],
        "tutor": [
            gettext(
                "Vous voyez les personnes de vos sessions, et d’aucune autre. Elles voient que vous avez "
                "regardé."
            ),
            gettext("Ne transmettez rien à une hiérarchie. Retirez-vous du suivi de qui vous inspectez."),
        ],
        "admin": [gettext("Vous ne voyez aucun nom de stagiaire. Ce que vous emportez est noté.")],
    }[role]
    said.append(gettext("Rien n’est montré d’un groupe de moins de %(k)s personnes.", k=number(found.k)))
    if found.copies:
        said.append(gettext("Une copie des traces va à %(peers)s.", peers=", ".join(found.copies)))
    return said


def _durations(found: Holds, gettext: Say) -> list[str]:
    words: dict[str, Callable[[int], str]] = {
        "traces": lambda days: gettext(
            "Traces : %(days)s jours après la fin de la session.", days=number(days)
        ),
        "answers": lambda days: gettext(
            "Réponses à votre nom : %(days)s jours après la clôture.", days=number(days)
        ),
        "comments": lambda days: gettext(
            "Commentaires : %(days)s jours après la clôture.", days=number(days)
        ),
        "imports": lambda days: gettext("Lignes de fichiers refusées : %(days)s jours.", days=number(days)),
        "looks": lambda days: gettext("Journal des consultations : %(days)s jours.", days=number(days)),
    }
    said = [words[kind](days) for kind, days in found.days if kind in words]
    said.append(gettext("Sauvegardes : %(days)s jours de plus.", days=number(found.backup_days)))
    return said


def _rights(found: Holds, role: str, gettext: Say) -> list[str]:
    said = [gettext("Savoir ce qui est détenu de vous et l’emporter : page « Mes données ».")]
    if role == "trainee":
        said.append(
            gettext(
                "Vous opposer : plus d’alerte, de profil ni de comparaison, tout de suite, et c’est "
                "réversible."
            )
        )
        said.append(gettext("Demander l’effacement : réponse dans le mois."))
    said.append(
        gettext(
            "Le traitement relève d’une mission d’intérêt public (RGPD, article 6.1.e)%(basis)s.",
            basis=f", {found.legal_basis}" if found.legal_basis else "",
        )
    )
    contacts = ", ".join(filter(None, (found.controller, found.rights, found.dpo)))
    said.append(
        gettext("Écrire : %(contacts)s ; ou saisir la CNIL (cnil.fr).", contacts=contacts)
        if contacts
        else gettext(
            "Écrire au délégué à la protection des données de votre institution, ou saisir la CNIL (cnil.fr)."
        )
    )
    return said
