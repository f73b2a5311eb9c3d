"""What the pages of the improvement log say: states, steps, faults, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from lti_tool import depth_words
from lti_tool.formatting import number, percent, short_day
from lti_tool.improvements.entries import (
    ANSWER_DAYS,
    COMPLAINT,
    LONGEST,
    LONGEST_NAME,
    OBSERVATION,
    OPEN,
    Entry,
)
from lti_tool.improvements.figures import Seen
from lti_tool.improvements.log import Line
from lti_tool.improvements.registry import KINDS
from lti_tool.language import gettext, ngettext, pgettext


def states() -> dict[str, str]:
    """Return what each state is called, in the order of the work."""
    return {
        "observed": pgettext("improvement", "observé"),
        "decided": pgettext("improvement", "décidé"),
        "ongoing": pgettext("improvement", "en cours"),
        "checked": pgettext("improvement", "vérifié"),
        "abandoned": pgettext("improvement", "abandonné"),
    }


def kinds() -> dict[str, str]:
    """Return what each kind of entry is called."""
    return {
        **{name: kind.label() for name, kind in KINDS.items()},
        OBSERVATION: gettext("Observation"),
        COMPLAINT: gettext("Réclamation"),
    }


def objects() -> dict[str, str]:
    """Return what a remark may be about: what a question may be, something in particular."""
    return {name: label for name, label in depth_words.objects().items() if name}


def steps() -> dict[str, str]:
    """Return what each step of a history is called."""
    return {
        "opened": gettext("Fiche ouverte"),
        "decided": gettext("Décision notée"),
        "acted": gettext("Action notée"),
        "checked": gettext("Effet vérifié"),
        "abandoned": gettext("Fiche abandonnée"),
        "reopened": gettext("Fiche reprise"),
        "answered": gettext("Réponse à la réclamation"),
        "published": gettext("Publié aux participants"),
        "withdrawn": gettext("Retiré de la page des participants"),
    }


def columns() -> dict[str, str]:
    """Return what each part of an entry is called in its history."""
    return {
        "state": gettext("État"),
        "decision": gettext("Décision"),
        "owner": gettext("Qui s’en charge"),
        "owner_name": gettext("Qui s’en charge"),
        "due_on": gettext("Échéance"),
        "action": gettext("Ce qui est fait"),
        "conclusion": gettext("Conclusion"),
        "answer": gettext("Réponse"),
        "told": gettext("Vous avez dit"),
        "done": gettext("Nous avons fait"),
    }


def title(entry: Entry, seen: Seen | None) -> str:
    """Name an entry: what its figure is about, else the first words of what was noticed."""
    if seen is not None:
        return gettext("%(subject)s : %(measure)s", subject=seen.subject, measure=_lower(seen.measure))
    words = " ".join(entry.noticed.split())
    return words if len(words) <= 90 else f"{words[:88].rsplit(' ', 1)[0]}…"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def due(entry: Entry, today: date) -> str:
    """Say when something is due or by how much it is late; "" when nothing is."""
    if entry.unanswered(today) and entry.answer_by is not None:
        return ngettext(
            "réponse en retard de %(num)d jour",
            "réponse en retard de %(num)d jours",
            (today - entry.answer_by).days,
        )
    if entry.state in ("decided", "ongoing") and entry.due_on is not None:
        late = (today - entry.due_on).days
        if late > 0:
            return ngettext("en retard de %(num)d jour", "en retard de %(num)d jours", late)
        return gettext("pour le %(day)s", day=short_day(entry.due_on, today))
    if entry.kind == COMPLAINT and entry.answered_on is None and entry.answer_by is not None:
        if entry.state == "abandoned":
            return ""
        return gettext("à répondre avant le %(day)s", day=short_day(entry.answer_by + timedelta(1), today))
    return ""


def moved(seen: Seen, measured: Seen) -> str:
    """Say how a figure moved between two readings, without claiming more than it shows; "" when unknown."""
    if seen.value is None or measured.value is None:
        return gettext("L’une des deux mesures n’est pas montrée : rien ne peut être comparé.")
    if (seen.unit, seen.measure) != (measured.unit, measured.measure):
        return ""
    if (seen.value, seen.n, seen.day) == (measured.value, measured.n, measured.day):
        return gettext("La mesure n’a pas bougé : aucune donnée nouvelle depuis.")
    if seen.unit == "share":
        said = gettext(
            "De %(before)s à %(after)s.", before=percent(seen.value), after=percent(measured.value)
        )
        if _overlap(seen, measured):
            said += " " + gettext(
                "Les deux intervalles se recouvrent : la différence peut tenir au hasard des réponses."
            )
        return said
    return gettext("De %(before)s à %(after)s.", before=number(seen.value), after=number(measured.value))


def _overlap(one: Seen, other: Seen) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


def lead(found: Sequence[Line], today: date) -> str:
    """Say what is to be done, what is late, what was checked."""
    if not found:
        return gettext(
            "Rien n’est encore noté. Une amélioration s’ouvre d’un chiffre, par « Noter une amélioration »."
        )
    doing = sum(line.entry.state in OPEN for line in found)
    late = sum(line.entry.late(today) for line in found)
    checked = sum(line.entry.state == "checked" for line in found)
    said = ngettext("%(num)d amélioration à mener", "%(num)d améliorations à mener", doing)
    if late:
        said += ", " + ngettext("dont une en retard", "dont %(num)d en retard", late)
    if checked:
        said += " ; " + ngettext("une vérifiée", "%(num)d vérifiées", checked)
    return said + "."


def fault(code: str) -> str:
    """Say a fault of a form beside its field."""
    return {
        "required": gettext("Cette partie est à remplir."),
        "too_long": gettext(
            "Ce texte est trop long : %(most)s caractères au plus (%(name)s pour un nom).",
            most=number(LONGEST),
            name=number(LONGEST_NAME),
        ),
        "day": gettext("Écrivez une date, jour, mois et année."),
        "past": gettext("Cette date est déjà passée."),
        "many": gettext(
            "Trop de réclamations sont arrivées aujourd’hui : réessayez demain, ou écrivez aux personnes qui "
            "accompagnent la session."
        ),
        "unknown": gettext("Choisissez dans la liste."),
        "state": gettext("Cette étape n’est plus possible dans l’état de la fiche."),
        "moved": gettext("Le chiffre a changé depuis que vous avez ouvert ce formulaire : relisez-le."),
        "silo": gettext("Une fiche sur toute la communauté n’a pas de page de participants."),
        "reviewed": gettext("Cochez après avoir relu."),
        "reaches": gettext("Une adresse ou un numéro de téléphone s’y trouve : retirez-le."),
    }.get(code, gettext("Cette partie n’a pas pu être lue."))


def done() -> dict[str, str]:
    """Say what a form of the log did, by the word that its address carries."""
    return {
        "noted": gettext("La fiche est ouverte : ce qui a été vu y est gardé tel quel."),
        "improvement": gettext("La fiche est enregistrée."),
        "told": gettext("C’est publié : les participants le lisent dans leur page."),
        "untold": gettext("C’est retiré de la page des participants."),
        "complaint": gettext("Votre réclamation est enregistrée."),
    }


def answer_delay() -> str:
    """Say in how many days a complaint is answered."""
    return ngettext("sous %(num)d jour", "sous %(num)d jours", ANSWER_DAYS)


def value(name: str, text: Any, people: Mapping[str, str], today: date) -> str:
    """Put a value of the history into words; "" for nothing."""
    if text in (None, ""):
        return ""
    if name == "owner":
        return people.get(str(text), "")
    if name == "state":
        return states()[str(text)]
    if name == "due_on":
        return short_day(date.fromisoformat(str(text)), today)
    return str(text)
