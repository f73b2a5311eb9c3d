"""Names of what questionnaires are made of, in the page's language."""

from __future__ import annotations

from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext
from lti_tool.surveys.wording import label
from lti_tool.surveys.workload import Workload
from tool_config import surveys as templates
from tool_config.surveys import Audience, Phase, Scope, Template


def phase(name: Phase) -> str:
    """Name a phase."""
    return {
        "avant": gettext("avant la formation"),
        "etape": gettext("point d’étape"),
        "a-chaud": gettext("à chaud"),
        "a-froid": gettext("à froid"),
        "regard-croise": gettext("regard croisé"),
    }[name]


def audience(name: Audience) -> str:
    """Name those who are asked."""
    return {
        "trainees": gettext("participants"),
        "tutors": gettext("équipe de formation"),
        "commanditaires": gettext("commanditaires"),
        "heads_of_service": gettext("chefs de service"),
    }[name]


def scope(name: Scope) -> str:
    """Name what a questionnaire is about."""
    return gettext("un module") if name == "module" else gettext("toute la session")


def place(template: Template) -> str:
    """Say when a questionnaire is asked, of what and to whom."""
    return " · ".join((phase(template.phase), scope(template.scope), audience(template.audience)))


def kind(name: str) -> str:
    """Name a kind of question."""
    return {
        "overall": gettext("Question d’ensemble"),
        "item": gettext("Affirmation sur une échelle"),
        "grid": gettext("Grille : plusieurs lignes, une échelle"),
        "choice": gettext("Une seule réponse"),
        "choices": gettext("Plusieurs réponses possibles"),
        "positioning": gettext("Auto-positionnement"),
        "recommendation": gettext("Recommandation de 0 à 10"),
        "comment": gettext("Réponse libre"),
    }[name]


def about(name: str) -> str:
    """Name what a question is about; "" names nothing in particular."""
    return {
        "": gettext("rien de particulier"),
        "content": gettext("contenus"),
        "pedagogy": gettext("pédagogie"),
        "ergonomics": gettext("facilité d’emploi"),
        "technique": gettext("technique"),
        "access": gettext("accès"),
        "organisation": gettext("organisation"),
    }[name]


def scale(name: str) -> str:
    """Describe a scale by its ends and the number of its points."""
    points = templates.scales()[name]
    return gettext(
        "de « %(low)s » à « %(high)s », en %(count)s points",
        low=label(points[0].label),
        high=label(points[-1].label),
        count=number(len(points)),
    )


def minutes(count: int) -> str:
    """Write a number of minutes."""
    return ngettext("%(num)d minute", "%(num)d minutes", count)


def asked_minutes(load: Workload, more: int) -> str:
    """Say how many minutes of questionnaires each person is asked over the session, with one more."""
    total = minutes(load.total + more)
    if not load.total:
        return gettext(
            "%(total)s par personne sur toute la session : c’est le premier questionnaire.",
            total=total,
        )
    return gettext(
        "%(total)s par personne sur toute la session : %(before)s avec ce qui est clos, ouvert ou prévu, et "
        "%(more)s avec celui-ci.",
        total=total,
        before=minutes(load.total),
        more=minutes(more),
    )


def too_long(total: int, most: int) -> str:
    """Warn that people are asked much."""
    return gettext(
        "Chaque personne passerait %(total)s sur des questionnaires pendant cette session, au-delà des "
        "%(most)s conseillées : les réponses se font plus rares et moins soignées. Raccourcissez, ou cochez "
        "« Ouvrir quand même ».",
        total=minutes(total),
        most=minutes(most),
    )
