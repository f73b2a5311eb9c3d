"""Who the trainees of the demo are and what they chose: enrolments, wishes, ages, places of work.

Choices depend on the corps, by odds written here, so that the pages of origins and choices have something to
say; who comes changes from one year to the next.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Protocol

from lti_tool.sandbox.programme import PATH_TITLE

#: Paths that anybody may ask for, and how often each corps does.
_OFFERS: dict[str, tuple[float, float, float, float]] = {
    "Numérique et pilotage": (0.45, 0.35, 0.3, 0.2),
    "Laïcité et valeurs de la République": (0.3, 0.45, 0.4, 0.1),
    "Marchés publics et budget": (0.15, 0.05, 0.05, 0.7),
    "Vie scolaire et climat": (0.5, 0.2, 0.15, 0.1),
}
_CORPS = ("Personnel de direction", "IEN", "IA-IPR", "AAE")
#: Where each corps works, and how often.
_PLACES: dict[str, tuple[tuple[str, int], ...]] = {
    "Personnel de direction": (
        ("collège", 6), ("lycée général et technologique", 3), ("lycée professionnel", 2), ("EREA", 1),
    ),
    "IEN": (("services déconcentrés", 4), ("école", 1)),
    "IA-IPR": (("services déconcentrés", 1),),
    "AAE": (("services déconcentrés", 4), ("collège", 3), ("lycée général et technologique", 3)),
}  # fmt: skip
_AGES = (("30 à 39 ans", 4), ("40 à 49 ans", 8), ("50 à 59 ans", 6), ("60 ans et plus", 1))
#: What weighs more and more, a year, from the first year known.
_GROWING, _GROWTH = "Versailles", 0.7


class Trainee(Protocol):
    """What is read of a trainee of the files."""

    @property
    def address(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def corps(self) -> str: ...
    @property
    def promotion(self) -> str: ...


def academie(chance: random.Random, drawn: str, year: int, first: int) -> str:
    """Return where somebody comes from: one académie takes a part of the others, more each year."""
    return _GROWING if chance.random() < 0.06 * _GROWTH * max(0, year - first) else drawn


def age(chance: random.Random) -> str:
    """Return an age band."""
    return chance.choices([name for name, _ in _AGES], weights=[weight for _, weight in _AGES])[0]


def place(chance: random.Random, corps: str) -> str:
    """Return a kind of establishment that fits a corps."""
    known = _PLACES[corps]
    return chance.choices([name for name, _ in known], weights=[weight for _, weight in known])[0]


def enrolments(trainees: Iterable[Trainee]) -> list[str]:
    """Return the file of enrolments: the path that is given, and those that are asked for."""
    chance = random.Random(45)
    trainees = list(trainees)
    latest = max(int(one.promotion[:4]) for one in trainees)
    lines = [f"{_WHO};Parcours;Session;Mode d’inscription;Statut;Inscrit le"]
    for one in trainees:
        year = int(one.promotion[:4])
        if not one.account:
            lines.append(
                f"{one.address};;{PATH_TITLE};PPS-{year};public désigné;{_over(chance)};15/09/{year}"
            )
        for path, odds in _OFFERS.items():
            if chance.random() < odds[_CORPS.index(one.corps)]:
                when = min(latest, year + chance.randint(0, 1))
                status = "non retenu" if chance.random() < 0.15 else "retenu"
                mode = chance.choice(("candidature individuelle", "candidature individuelle", "accès libre"))
                lines.append(
                    f"{one.address};{one.account};{path};{path} {when};{mode};{status};"
                    f"{chance.randint(1, 28):02}/10/{when}"
                )
    return lines


def wishes(trainees: Iterable[Trainee]) -> list[str]:
    """Return the file of wishes: two a person, the place obtained beside."""
    chance = random.Random(46)
    lines = [f"{_WHO};Rang du vœu;Vœu;Obtenu;Demandé le"]
    for one in trainees:
        weights = [odds[_CORPS.index(one.corps)] for odds in _OFFERS.values()]
        first = chance.choices(list(_OFFERS), weights=weights)[0]
        second = chance.choice([name for name in _OFFERS if name != first])
        won = chance.random() < (0.55 if first == "Marchés publics et budget" else 0.8)
        day = f"{chance.randint(1, 28):02}/09/{one.promotion[:4]}"
        lines.append(f"{one.address};{one.account};1;{first};{_yes(won)};{day}")
        lines.append(f"{one.address};{one.account};2;{second};{_yes(not won)};{day}")
    return lines


def populations(academies: Sequence[str], weights: Sequence[int]) -> list[str]:
    """Return the population to which those who come are compared: where all who could come are."""
    lines = ["Caractéristique;Catégorie de la population;Effectif de la population;Source de la population"]
    for name, weight in zip(academies, weights, strict=True):
        lines.append(f"Académie;{name};{90 + 40 * weight};Effectifs fictifs de la démonstration")
    return lines


_WHO = "Adresse mail;Numéro de compte sur la plateforme"


def _over(chance: random.Random) -> str:
    return "terminé" if chance.random() < 0.85 else "désisté"


def _yes(value: bool) -> str:
    return "oui" if value else "non"
