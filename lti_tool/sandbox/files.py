"""The files that an institute keeps beside its platform: people and origin, choices, enrolments, sessions.

Exports as French spreadsheets write them, of the demo's trainees and of the promotions before them,
taken in by the import engine as a person would drop them.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lti_tool.imports import files, preparation, running
from lti_tool.sandbox import publics
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.programme import PATH_TITLE, Session
from lti_tool.tool import Tool
from tool_config.database import transaction

#: Trainees known by files alone, of this year and the three before.
_BEFORE = 760
_ACADEMIES = (
    "Bordeaux",
    "Créteil",
    "Lille",
    "Lyon",
    "Nantes",
    "Poitiers",
    "Toulouse",
    "Versailles",
    "Mayotte",
)
_WEIGHTS = (8, 12, 11, 9, 8, 10, 8, 12, 1)
#: Corps, weight, former jobs, how often each elective is chosen.
_CORPS = (
    ("Personnel de direction", 10, ("CPE", "Professeur certifié", "PLP"), (0.35, 0.25, 0.7, 0.3)),
    ("IEN", 5, ("Directeur d’école", "Conseiller pédagogique"), (0.3, 0.15, 0.25, 0.75)),
    ("IA-IPR", 3, ("Professeur agrégé", "Formateur académique"), (0.3, 0.1, 0.2, 0.7)),
    ("AAE", 4, ("Gestionnaire", "Secrétaire général d’EPLE"), (0.75, 0.7, 0.2, 0.15)),
)
_ELECTIVES = ("Conduite de projet", "Achats et paie", "Climat scolaire", "Évaluer un établissement")


@dataclass(frozen=True)
class _Trainee:
    address: str
    account: str
    academie: str
    corps: str
    former_job: str
    seniority: str
    gender: str
    promotion: str
    chosen: tuple[str, ...]
    age: str
    place: str


def bring(tool: Tool, silo_id: int, sessions: Sequence[Session], people: Sequence[Person]) -> int:
    """Drop the files in a community and take them in; return how many rows went in."""
    chance = random.Random(2026)
    first = min(session.starts_on for session in sessions)
    known = [person for person in people if person.role == "trainee"]
    trainees = [
        _trainee(chance, rank, first.year, first.year, person.user_id) for rank, person in enumerate(known)
    ]
    trainees += [_trainee(chance, rank, first.year - rank % 4, first.year, "") for rank in range(_BEFORE)]
    given = (
        ("personnes.csv", "people", _people(trainees)),
        ("choix-modules.csv", "module_choices", _choices(trainees)),
        ("sessions.csv", "sessions", _sessions(sessions, first)),
        ("inscriptions.csv", "enrolments", publics.enrolments(trainees)),
        ("voeux.csv", "wishes", publics.wishes(trainees)),
        ("populations.csv", "populations", publics.populations(_ACADEMIES, _WEIGHTS)),
    )
    return sum(take_in(tool, silo_id, name, kind, lines) for name, kind, lines in given)


def _trainee(chance: random.Random, rank: int, year: int, first: int, account: str) -> _Trainee:
    corps, _, jobs, odds = chance.choices(_CORPS, weights=[weight for _, weight, _, _ in _CORPS])[0]
    academie = chance.choices(_ACADEMIES, weights=_WEIGHTS)[0]
    # Apart, so that what else is drawn stays what it was.
    more = random.Random(rank)
    return _Trainee(
        address=f"stagiaire.{year}.{rank}@exemple.invalid" if not account else "",
        account=account,
        academie=publics.academie(more, academie, year, first - 3),
        corps=corps,
        former_job=chance.choice(jobs),
        seniority=f"{chance.randint(2, 40) / 2:g}".replace(".", ","),
        gender=chance.choice(("F", "F", "F", "M", "M")),
        promotion=f"{year}-{year + 2}",
        chosen=tuple(name for name, odd in zip(_ELECTIVES, odds, strict=True) if chance.random() < odd),
        age=publics.age(more),
        place=publics.place(more, corps),
    )


def _people(trainees: Iterable[_Trainee]) -> list[str]:
    heading = (
        "Adresse mail;Numéro de compte sur la plateforme;Académie;Corps;Métier précédent;Ancienneté;Genre;"
        "Promotion;Tranche d’âge;Type d’établissement"
    )
    return [heading] + [
        ";".join(
            (
                one.address,
                one.account,
                one.academie,
                one.corps,
                one.former_job,
                one.seniority,
                one.gender,
                one.promotion,
                one.age,
                one.place,
            )
        )
        for one in trainees
    ]


def _choices(trainees: Iterable[_Trainee]) -> list[str]:
    return ["Adresse mail;Numéro de compte sur la plateforme;Module;Choisi le"] + [
        f"{one.address};{one.account};{module};20/10/{one.promotion[:4]}"
        for one in trainees
        for module in one.chosen
    ]


def _sessions(sessions: Sequence[Session], first: date) -> list[str]:
    """Return the sessions of the platform and three that were before it."""
    lines = [
        "Parcours;Session;Début;Fin;Modalité;Places;Heures prévues en présence;Heures prévues à distance"
    ]
    for session in sessions:
        lines.append(
            f"{PATH_TITLE};{session.title};{session.starts_on:%d/%m/%Y};{session.ends_on:%d/%m/%Y};"
            "hybride;60;18;42,5"
        )
    for before in range(1, 4):
        start = first - timedelta(days=365 * before)
        end = start + timedelta(days=300)
        lines.append(f"{PATH_TITLE};PPS-{start.year};{start:%d/%m/%Y};{end:%d/%m/%Y};hybride;150;24;30")
    return lines


def take_in(tool: Tool, silo_id: int, name: str, kind: str, lines: Sequence[str]) -> int:
    """Drop a file in a community as a French spreadsheet writes it; return how many rows went in."""
    content = io.BytesIO("\r\n".join([*lines, ""]).encode("cp1252"))
    with transaction(tool.engine, silo_id) as conn:
        file_id = files.keep(conn, silo_id, name, content, now=tool.clock())
    preparation.prepare(tool.engine, silo_id, file_id, now=tool.clock(), kind=kind)
    done = running.run(tool.engine, silo_id, file_id, clock=tool.clock, home=tool.settings.public_url)
    return done.added
