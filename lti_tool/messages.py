"""Drafts of messages to people: proposed to the tutor, sent by nobody but the tutor."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from analyzers.results import Learner
from lti_tool.facts import deadline
from lti_tool.language import gettext, ngettext
from lti_tool.wording import Setting, module_label


@dataclass(frozen=True)
class Message:
    """A draft: subject and body, plain text."""

    subject: str
    body: str


def draft(learner: Learner, name: str, course: str, setting: Setting) -> Message:
    """Write a draft that fits the state: starting, coming back, and keeping pace call for other words.

    No reproach, no count of hours: what is next, and an open door.
    """
    write = {"not_connected": _starting, "inactive": _coming_back, "slow": _keeping_pace}.get(
        learner.state, _encouraging
    )
    subject, paragraphs = write(learner, course, setting)
    greeting = gettext("Bonjour %(name)s,", name=name)
    closing = gettext("Bien cordialement,")
    return Message(subject, "\n\n".join([greeting, *(text for text in paragraphs if text), closing]) + "\n")


def _starting(learner: Learner, course: str, setting: Setting) -> tuple[str, list[str]]:
    return gettext("Au sujet de « %(course)s »", course=course), [
        gettext(
            "Votre inscription à « %(course)s » est faite, et je n’ai pas encore vu de "
            "connexion de votre part. "
            "Il est possible qu’un obstacle d’accès ou de calendrier l’explique : dites-le-moi, nous "
            "chercherons une solution.",
            course=course,
        ),
        _first_step(setting),
        _deadline(learner, setting),
        gettext("Si vous ne suivez plus ce parcours, un mot en retour suffit."),
    ]


def _coming_back(learner: Learner, course: str, setting: Setting) -> tuple[str, list[str]]:
    days = learner.days_since or 0
    return gettext("Reprendre « %(course)s »", course=course), [
        ngettext(
            "Votre dernière activité dans « %(course)s » remonte à hier.",
            "Votre dernière activité dans « %(course)s » remonte à %(num)d jours.",
            days,
            course=course,
        )
        + " "
        + gettext("Ce que vous avez fait est gardé : vous pouvez reprendre là où vous en étiez."),
        _next_step(learner, setting),
        _deadline(learner, setting),
        gettext(
            "Si quelque chose vous gêne (accès, temps, contenu), dites-le-moi : nous chercherons ensemble "
            "comment continuer."
        ),
    ]


def _keeping_pace(learner: Learner, course: str, setting: Setting) -> tuple[str, list[str]]:
    return gettext("Où vous en êtes dans « %(course)s »", course=course), [
        gettext(
            "Vous avancez dans « %(course)s », et je voulais savoir si le rythme vous convient.",
            course=course,
        ),
        _next_step(learner, setting),
        _deadline(learner, setting),
        gettext("Une question, un passage difficile ? Répondez simplement à ce message."),
    ]


def _encouraging(learner: Learner, course: str, setting: Setting) -> tuple[str, list[str]]:
    return gettext("Au sujet de « %(course)s »", course=course), [
        gettext("Je fais le point sur « %(course)s ».", course=course),
        _next_step(learner, setting),
        _deadline(learner, setting),
        gettext("Une question ? Répondez simplement à ce message."),
    ]


def _first_step(setting: Setting) -> str:
    if not setting.modules:
        return ""
    place = min(setting.modules.values(), key=lambda module: module.position)
    return gettext("Pour commencer : %(module)s.", module=module_label(place.position, place.title))


def _next_step(learner: Learner, setting: Setting) -> str:
    place = setting.modules.get(learner.current_module or "")
    if place is None:
        return ""
    return gettext("La suite pour vous : %(module)s.", module=module_label(place.position, place.title))


def _deadline(learner: Learner, setting: Setting) -> str:
    coming = deadline(learner, setting.today, exact=True)
    return gettext("À noter : %(deadline)s.", deadline=coming) if coming else ""


def mailto(address: str, message: Message) -> str:
    """Return a mailto: address (RFC 6068) with subject and body; line breaks are CRLF."""
    body = message.body.replace("\n", "\r\n")
    return f"mailto:{quote(address, safe='@+')}?subject={quote(message.subject)}&body={quote(body)}"
