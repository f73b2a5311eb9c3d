"""What pages say of a roster and of marks: where they stand, and in words what keeps them from coming."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lti_tool.formatting import clock_time, day, number
from lti_tool.language import gettext, ngettext
from lti_tool.services.marks import MarkState
from lti_tool.services.memberships import RosterState

#: Problems that pass by themselves.
_PASSING = frozenset({"away", "busy", "later"})


def reason(word: str) -> str:
    """Put into words why a service did not do what it was asked, after a colon."""
    return {
        "away": gettext("la plateforme n’a pas répondu"),
        "busy": gettext("la plateforme est occupée ou en maintenance"),
        "blocked": gettext("l’adresse que donne la plateforme n’est pas de celles qu’Estime peut interroger"),
        "foreign": gettext("la plateforme a donné une adresse qui n’est pas la sienne"),
        "token": gettext("la plateforme n’a pas reconnu la clé d’Estime"),
        "forbidden": gettext("la plateforme ne donne pas ce droit à Estime"),
        "gone": gettext("la plateforme ne connaît plus cette adresse"),
        "later": gettext("le carnet de notes contient une note plus récente"),
        "refused": gettext("le carnet de notes ne prend pas de note pour cette personne"),
    }.get(word, gettext("la réponse de la plateforme n’a pas été comprise"))


def advice(word: str) -> str:
    """Say what comes next after a failure."""
    if word in _PASSING:
        return gettext("Un nouvel essai aura lieu tout seul.")
    return gettext("Un nouvel essai aura lieu la nuit prochaine ; si cela dure, prévenez la personne qui "
                   "administre la plateforme.")  # fmt: skip


def moment(value: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write an instant inside a sentence: "hier à 3 h 10"."""
    local = value.astimezone(zone)
    return gettext(
        "%(day)s à %(hour)s", day=day(local.date(), now.astimezone(zone).date()), hour=clock_time(local)
    )


def roster(state: RosterState, now: datetime, zone: ZoneInfo) -> str:
    """Say how whole and how fresh a course's roster is."""
    if state.roster_at is not None:
        said = gettext("Liste des inscrits mise à jour %(when)s.", when=moment(state.roster_at, now, zone))
        if state.under_way:
            return f"{said} {gettext('Une mise à jour est en cours.')}"
        if state.problem and state.tried_at is not None:
            failed = gettext(
                "Le dernier essai, %(when)s, a échoué : %(reason)s.",
                when=moment(state.tried_at, now, zone),
                reason=reason(state.problem),
            )
            return f"{said} {failed} {advice(state.problem)}"
        return said
    return gettext("Liste partielle : %(why)s.", why=_why_partial(state)) + " " + _partial_advice(state)


def _why_partial(state: RosterState) -> str:
    if not state.offered:
        return gettext("la plateforme ne transmet pas la liste des inscrits de cette session")
    if state.under_way:
        if state.done:
            return ngettext(
                "la liste des inscrits est en cours de lecture, %(count)s personne lue",
                "la liste des inscrits est en cours de lecture, %(count)s personnes lues",
                state.done,
                count=number(state.done),
            )
        return gettext("la liste des inscrits est en cours de lecture")
    if state.problem:
        return gettext("la liste des inscrits n’a pas pu être lue, %(reason)s", reason=reason(state.problem))
    return gettext("la liste des inscrits n’a pas encore été lue")


def _partial_advice(state: RosterState) -> str:
    counted = gettext("Seules les personnes inscrites ou vues par les traces sont comptées.")
    return f"{counted} {advice(state.problem)}" if state.problem and not state.under_way else counted


def mark(state: MarkState, now: datetime, zone: ZoneInfo) -> str:
    """Say where the marks of a column stand."""
    counts = []
    if state.sent:
        counts.append(ngettext("%(count)s note envoyée", "%(count)s notes envoyées", state.sent,
                               count=number(state.sent)))  # fmt: skip
    if state.waiting:
        counts.append(ngettext("%(count)s en attente", "%(count)s en attente", state.waiting,
                               count=number(state.waiting)))  # fmt: skip
    if state.refused:
        counts.append(ngettext("%(count)s refusée", "%(count)s refusées", state.refused,
                               count=number(state.refused)))  # fmt: skip
    said = ", ".join(counts) or gettext("aucune note à envoyer pour l’instant")
    said = said[:1].upper() + said[1:] + "."
    if not state.on:
        return f"{said} {gettext('Plus rien n’est envoyé.')}"
    if state.problem:
        failed = gettext("L’envoi a échoué : %(reason)s.", reason=reason(state.problem))
        return f"{said} {failed} {advice(state.problem)}"
    if state.tried_at is None:
        return f"{said} {gettext('La colonne est en cours de création dans le carnet de notes.')}"
    return f"{said} {gettext('Dernier envoi %(when)s.', when=moment(state.tried_at, now, zone))}"


def mark_state(state: str, word: str) -> str:
    """Say what became of one person's mark."""
    if state == "sent":
        return gettext("envoyée")
    if state == "refused":
        return gettext("refusée : %(reason)s", reason=reason(word))
    return gettext("en attente")
