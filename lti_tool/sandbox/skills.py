"""What an institute keeps of its modules and skills: guarantors, expectations, competencies, Pix, hours.

Dropped in the demo's communities as a person would drop the files, with one competency that no module works,
one module whose review is late, and one that many expect.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from lti_tool.sandbox import files
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import PATH_TITLE, Session
from lti_tool.tool import Tool

_FRAMEWORK = "Référentiel des cadres"
#: Module, guarantor, theme, months until its review (under 0: late), competencies that it works.
_MODULES = (
    ("Concepts en contexte", "Pôle pilotage", "Pilotage", 8, ("C1",)),
    ("Sens et enjeux", "Pôle pilotage", "Acteurs", 14, ("C1", "C3")),
    ("Pour réfléchir", "Pôle données", "Données", -5, ("C4", "C6")),
    ("Analyse de situations", "Pôle relations", "Entretiens", 3, ("C1", "C3")),
    ("Expérimentations", "Pôle données", "Expérimentation", 20, ("C2", "C4")),
)
#: The first four are those of the questionnaires.
_COMPETENCIES = (
    ("C1", "Analyser une situation professionnelle", "Analyse"),
    ("C2", "Conduire un projet", "Pilotage"),
    ("C3", "Animer une équipe", "Relations"),
    ("C4", "Mesurer les effets d’une action", "Évaluation"),
    ("C5", "Conduire le changement", "Pilotage"),
    ("C6", "Lire des indicateurs", "Évaluation"),
)
#: How often each theme is expected; the employer's own objectives.
_EXPECTED = (("Données", 0.6), ("Entretiens", 0.45), ("Pilotage", 0.35), ("Expérimentation", 0.2))
_EMPLOYER = ("Données", "Données", "Entretiens")
#: Skills of trainers, how often each is stated.
_TRAINERS = (
    ("Animation de classe virtuelle", 0.7), ("Conduite d’entretien", 0.5), ("Analyse de données", 0.35),
    ("Conception de parcours", 0.4), ("Facilitation graphique", 0.08),
)  # fmt: skip
_TEAM = 150
#: Domains of Pix, and the level around which people are.
_PIX = (
    ("Information et données", 3.4), ("Communication et collaboration", 4.2), ("Création de contenu", 2.6),
    ("Protection et sécurité", 3.0), ("Environnement numérique", 3.8),
)  # fmt: skip
#: People of earlier promotions with results.
_BEFORE = 160
_ACCOUNT = "Numéro de compte sur la plateforme"


def bring(tool: Tool, silo_id: int, sessions: Sequence[Session], people: Sequence[Person]) -> int:
    """Drop the files in a community; return how many rows went in."""
    chance, today = random.Random(77), tool.clock().date()
    trainees = [person for person in people if person.role == "trainee"]
    given = (
        ("modules.csv", "modules", _modules(today)),
        ("attentes.csv", "expectations", _expectations(chance, sessions, trainees)),
        ("referentiel.csv", "competencies", _competencies()),
        ("competences-modules.csv", "module_competencies", _worked()),
        ("competences-formateurs.csv", "trainer_competencies", _trainers(chance)),
        ("pix.csv", "pix_results", _pix(chance, sessions, trainees, today)),
        ("heures-formateurs.csv", "trainer_hours", _hours(chance, today)),
    )
    return sum(files.take_in(tool, silo_id, name, kind, list(lines)) for name, kind, lines in given)


def _modules(today: date) -> Iterator[str]:
    yield "Parcours;Module;Garant;Version;À revoir le;Thème"
    for rank, (title, guarantor, theme, months, _) in enumerate(_MODULES):
        day = today + timedelta(days=30 * months)
        yield f"{PATH_TITLE};{title};{guarantor};{rank % 2 + 1}.{rank};{day:%d/%m/%Y};{theme}"


def _expectations(
    chance: random.Random, sessions: Sequence[Session], trainees: Sequence[Person]
) -> Iterator[str]:
    yield f"{_ACCOUNT};Session;Thème;Importance;Exprimée par"
    for session in sessions:
        for person in trainees:
            if session.course_id in person.courses:
                for theme, odds in _EXPECTED:
                    if chance.random() < odds:
                        yield f"{person.user_id};{session.title};{theme};{chance.randint(3, 5)};stagiaire"
    for theme in sorted(set(_EMPLOYER)):
        yield f";{sessions[0].title};{theme};5;employeur"


def _competencies() -> Iterator[str]:
    yield "Référentiel;Code;Libellé;Domaine"
    for code, label, domain in _COMPETENCIES:
        yield f"{_FRAMEWORK};{code};{label};{domain}"


def _worked() -> Iterator[str]:
    yield "Module;Référentiel;Code;Poids"
    for title, _, _, _, codes in _MODULES:
        for code in codes:
            yield f"{title};{_FRAMEWORK};{code};{100 // len(codes)} %"


def _trainers(chance: random.Random) -> Iterator[str]:
    yield "Adresse mail;Compétence;Niveau"
    for rank in range(_TEAM):
        for name, odds in _TRAINERS:
            if chance.random() < odds:
                level = chance.choices(("débutant", "confirmé", "expert"), weights=(3, 5, 3))[0]
                yield f"formateur.{rank}@exemple.invalid;{name};{level}"


def _pix(
    chance: random.Random, sessions: Sequence[Session], trainees: Sequence[Person], today: date
) -> Iterator[str]:
    """Yield the results of the trainees, and of some of the promotions before them."""
    yield f"Adresse mail;{_ACCOUNT};Domaine;Niveau;Score en pix;Mesuré le"
    day, first = today - timedelta(days=60), min(session.starts_on for session in sessions).year
    before = [f"stagiaire.{first - 1 - rank % 3}.{rank}@exemple.invalid;" for rank in range(_BEFORE)]
    for named in [*(f";{person.user_id}" for person in trainees), *before]:
        for domain, around in _PIX:
            level = min(8, max(0, round(chance.gauss(around, 1.1))))
            yield f"{named};{domain};{level};{8 * level + chance.randint(0, 7)};{day:%d/%m/%Y}"


def _hours(chance: random.Random, today: date) -> Iterator[str]:
    yield (
        "Institution qui donne;Institution qui reçoit;Objet;Jour;Heures;Part due par qui donne;"
        "Part due par qui reçoit"
    )
    for rank in range(24):
        day = today - timedelta(days=21 * rank)
        giver, taker = ("IFC", "Académie de Lille") if rank % 3 else ("Académie de Lille", "IFC")
        if rank % 5 == 4:
            taker, giver = giver, "Académie de Poitiers"
        shares = ";" if rank == 7 else "40 %;60 %"
        yield f"{giver};{taker};Animation {rank};{day:%d/%m/%Y};{chance.choice((3, 6, 12))};{shares}"
