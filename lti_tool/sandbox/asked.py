"""What is answered in the sandbox about the whole session: by trainees and by their heads of service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from random import Random

from lti_tool.sandbox.programme import Session, typeset
from tool_config.surveys import Question, Template

#: Weights of the points, the lowest first, by number of points; where people stand before and after.
_KIND: Mapping[int, tuple[int, ...]] = {
    4: (1, 2, 8, 6),
    5: (0, 1, 3, 9, 6),
    11: (0, 0, 0, 1, 1, 2, 3, 5, 8, 6, 4),
}
#: The questionnaire whose links are under way: who is invited, and how far each link is.
BY_LINK = "regard-commanditaires"
INVITED = (
    ("Direction des ressources humaines", "drh", "sent"),
    ("Inspection académique", "inspection", "sent"),
    ("Délégation à la formation", "formation", "sent"),
    ("Secrétariat général", "secretariat", "sent"),
    ("Cabinet", "cabinet", "refused"),
    ("Mission numérique", "numerique", "copied"),
    ("Vie scolaire", "vie-scolaire", "new"),
)
#: Heads of service who answer.
HEADS = 7
_BEFORE, _AFTER = (5, 8, 4, 1), (1, 3, 9, 4)
_WORDS = {
    "expect": (
        "Des outils que je puisse utiliser dès la rentrée.",
        "Prendre du recul sur ma pratique.",
        "Rencontrer des collègues dans la même situation.",
    ),
    "change": (
        "Annoncer les classes virtuelles plus tôt.",
        "Regrouper les consignes au même endroit.",
        "Rien, le rythme me convient.",
    ),
    "liked": (
        "La progression d’un module à l’autre.",
        "Les classes virtuelles, courtes et préparées.",
        "Pouvoir avancer à mon rythme.",
    ),
    "improve": (
        "Étaler davantage les travaux à rendre.",
        "Plus d’exemples du second degré.",
        "Un temps de bilan avec les formateurs.",
    ),
}


def windows(session: Session, now: datetime) -> list[tuple[str, datetime, datetime]]:
    """Return the questionnaires about the session as a whole: (template, opens, closes)."""
    starts = datetime.combine(session.starts_on, time(8), UTC)
    current = now.date() <= session.ends_on - timedelta(weeks=6)
    found = [("attentes", starts - timedelta(days=10), starts + timedelta(days=7))]
    if current:
        found.append(("point-etape", now - timedelta(days=6), now + timedelta(days=8)))
        found.append(("regard-chefs-de-service", now - timedelta(days=12), now - timedelta(days=2)))
        found.append((BY_LINK, now - timedelta(days=4), now + timedelta(days=9)))
    else:
        ends = datetime.combine(session.ends_on, time(8), UTC)
        found.append(("a-chaud-session", ends - timedelta(days=10), ends + timedelta(days=7)))
        found.append(("regard-chefs-de-service", ends - timedelta(days=3), ends + timedelta(days=12)))
    return [one for one in found if one[1] < now]


def heads(opens: datetime, closes: datetime) -> list[tuple[datetime, str]]:
    """Return when heads of service answer, and the name under which each does, in order."""
    return [(opens + (closes - opens) * rank / (HEADS + 1), f"chef-{rank}") for rank in range(1, HEADS + 1)]


def words(template: Template, random: Random) -> dict[str, str]:
    """Return the answers of one person, as a form sends them."""
    said = {}
    for question in template.questions:
        answer = _answer(question, template.phase == "avant", random)
        if answer:
            said[question.id] = answer
    return said


def _answer(question: Question, before: bool, random: Random) -> str:
    if question.kind == "comment":
        known = _WORDS.get(question.id, ())
        return typeset(random.choice(known)) if known and random.random() < 0.4 else ""
    if question.kind == "choices":
        ticked = [str(value) for value in question.values if random.random() < 0.3]
        return ",".join(ticked)
    if question.kind == "choice":
        middle = [4 if 0 < rank < len(question.values) - 1 else 1 for rank in range(len(question.values))]
        return str(random.choices(question.values, weights=middle)[0])
    weights = _KIND[len(question.values)]
    if question.kind == "positioning":
        weights = _BEFORE if before else _AFTER
    return str(random.choices(question.values, weights=weights)[0])
