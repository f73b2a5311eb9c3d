"""Who is in the sandbox: sixty trainees with an origin and a way of learning, tutors, administrators.

Drawn from a fixed seed: the same people at each start. Every name is invented; addresses end in
``.example``, which no network serves.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random
from typing import Literal

from lti_tool.sandbox.programme import Session

SEED = 20261122

Role = Literal["trainee", "tutor", "admin"]
#: How a trainee learns; `behaviour` says what each does.
Profile = Literal[
    "absent", "late_enrolled", "early_stop", "stalled", "stuck", "slow", "weekly", "fast", "finished", "left"
]


@dataclass(frozen=True)
class Origin:
    """Where a trainee comes from: académie, corps and former job."""

    academie: str
    corps: str
    former_job: str


@dataclass(frozen=True)
class Person:
    """A user of one site; `user_id` is Moodle's, and the `sub` of the launches."""

    site: str
    user_id: str
    username: str
    given_name: str
    family_name: str
    role: Role
    #: Courses of the site in which the person is (an administrator opens any).
    courses: tuple[int, ...]
    origin: Origin | None = None
    profile: Profile = "weekly"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def email(self) -> str:
        return f"{self.username}@magistere.example"


def _words(text: str) -> list[str]:
    """Cut a list of names at its spaces; an underscore stands for a space in a name."""
    return [word.replace("_", " ") for word in text.split()]


_GIVEN = _words(
    "Camille Idriss Hélène Thomas Inès Mathieu Sabrina Yann Aurélie Karim Solène Vincent Fatou Grégory "
    "Mélanie Benoît Leïla Quentin Chantal Nicolas Myriam Stéphane Noémie Arnaud Rachida Pascal Émilie "
    "Ludovic Agathe Mehdi Catherine Florian Aïssatou Jérôme Justine Laurent Samira Bastien Véronique "
    "Christophe Anaïs David Louise Olivier Nora Sylvain Maëlle Rémi Assia Guillaume Julie Didier Perrine "
    "Antoine Zineb Fabrice Clémence Romain Odile Adrien"
)
_FAMILY = _words(
    "Renaud Belkacem Pasquier Lemoine Da_Costa Vidal Haddad Le_Goff Marchand Benali Tanguy Roussel Diallo "
    "Kieffer Bonnet Castaing Mansouri Huet Ollivier Fabre Cohen Perrot Guérin Lacroix Zidane Moulin Besson "
    "Charrier Texier Amrani Delorme Schmitt Traoré Gaillard Poulain Barbier Chaouch Nguyen Rolland Jacquet "
    "Mercadier Levasseur Brunet Teixeira Saïdi Collet Kerbrat Payet Boukhari Lefort Tessier Monnier Auger "
    "Rivière Alaoui Maillard Sorel Blanchet Hoarau Prigent"
)
_ACADEMIES = _words(
    "Aix-Marseille Amiens Besançon Bordeaux Clermont-Ferrand Créteil Dijon Grenoble Guadeloupe Lille "
    "Limoges Lyon Montpellier Nancy-Metz Nantes Nice Normandie Orléans-Tours Paris Poitiers Reims Rennes "
    "La_Réunion Strasbourg Toulouse Versailles"
)
#: corps, weight, former jobs
_CORPS = (
    ("Personnel de direction", 10, ("Professeur certifié", "Conseillère principale d’éducation", "PLP")),
    ("Inspection du premier degré", 5, ("Directrice d’école", "Conseiller pédagogique")),
    ("Inspection pédagogique régionale", 3, ("Professeure agrégée", "Formateur académique")),
    ("Inspection ET/EG", 2, ("PLP", "DDFPT")),
    ("Administration", 3, ("Secrétaire général d’EPLE", "Gestionnaire")),
    ("Formation académique", 4, ("Professeur des écoles", "Professeure certifiée")),
)

#: Label's rank -> profile -> how many.
_MIX: dict[str, dict[Profile, int]] = {
    "3": {
        "absent": 2,
        "late_enrolled": 1,
        "early_stop": 2,
        "stalled": 2,
        "stuck": 5,
        "slow": 3,
        "weekly": 7,
        "fast": 2,
    },
    "1": {"absent": 1, "early_stop": 1, "left": 1, "stalled": 3, "slow": 4, "weekly": 4, "finished": 6},
    "2": {"absent": 1, "early_stop": 1, "stalled": 2, "stuck": 3, "slow": 3, "weekly": 4, "fast": 2},
}

#: site, id, given, family, role, courses
_STAFF: tuple[tuple[str, str, str, str, Role, tuple[int, ...]], ...] = (
    ("encadrement", "2", "Claire", "Vasseur", "admin", (7, 4)),
    ("encadrement", "3", "Marc", "Aubert", "tutor", (7,)),
    ("encadrement", "4", "Nadia", "Ferhat", "tutor", (7, 4)),
    ("encadrement", "5", "Hugues", "Delmas", "tutor", (4,)),
    ("formateurs", "2", "Olivier", "Roche", "admin", (3,)),
    ("formateurs", "3", "Élise", "Castel", "tutor", (3,)),
)


#: The people of the new site: nothing is known of them before the tool is connected there.
_NEWCOMERS: tuple[tuple[str, str, str, Role], ...] = (
    ("2", "Sophie", "Arnoux", "admin"),
    ("3", "Rachid", "Meunier", "tutor"),
    ("11", "Elsa", "Quéméner", "trainee"),
    ("12", "Bruno", "Pichon", "trainee"),
    ("13", "Lina", "Saadi", "trainee"),
    ("14", "Yves", "Marion", "trainee"),
    ("15", "Carole", "Ducasse", "trainee"),
    ("16", "Tom", "Wagner", "trainee"),
)


def newcomers(session: Session) -> tuple[Person, ...]:
    """Return who is in the session of the new site."""
    random, site = Random(SEED), session.site.key
    return tuple(
        Person(
            site, user_id, _username(first, last), first, last, role, (session.course_id,),
            _origin(random) if role == "trainee" else None,
        )
        for user_id, first, last, role in _NEWCOMERS
    )  # fmt: skip


def population(sessions: tuple[Session, ...]) -> tuple[Person, ...]:
    """Return the staff, then the trainees of each session, in a fixed order."""
    random = Random(SEED)
    given, family = list(_GIVEN), list(_FAMILY)
    random.shuffle(given)
    random.shuffle(family)
    people = [
        Person(site, user_id, _username(first, last), first, last, role, courses)
        for site, user_id, first, last, role, courses in _STAFF
    ]
    rank = 0
    next_id = {"encadrement": 11, "formateurs": 11}
    for session in sessions:
        mix = _MIX[session.label.rsplit("-", 1)[1]]
        profiles: list[Profile] = [profile for profile, count in mix.items() for _ in range(count)]
        random.shuffle(profiles)
        for profile in profiles:
            first, last = given[rank], family[rank]
            site = session.site.key
            people.append(
                Person(
                    site=site,
                    user_id=str(next_id[site]),
                    username=_username(first, last),
                    given_name=first,
                    family_name=last,
                    role="trainee",
                    courses=(session.course_id,),
                    origin=_origin(random),
                    profile=profile,
                )
            )
            next_id[site] += 1
            rank += 1
    return tuple(people)


def _origin(random: Random) -> Origin:
    corps, _, jobs = random.choices(_CORPS, weights=[weight for _, weight, _ in _CORPS])[0]
    return Origin(random.choice(_ACADEMIES), corps, random.choice(jobs))


def _username(given: str, family: str) -> str:
    text = unicodedata.normalize("NFKD", f"{given}.{family}").encode("ascii", "ignore").decode()
    return text.lower().replace(" ", "-")
