"""What the sandbox teaches: sites, sessions, modules, activities and gatherings, dated from today.

One path, "Pilotage pédagogique stratégique" (36 hours over two years), runs as three sessions on two
sites. Numbers look like Moodle's: course ids, section ids and course-module ids are small integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PATH_TITLE = "Parcours pilotage pédagogique stratégique"

Kind = Literal["page", "url", "scorm", "quiz", "forum", "assign", "feedback", "lti"]
GatheringKind = Literal["day_in_person", "virtual_class"]


@dataclass(frozen=True)
class Activity:
    """One activity of a course; `minutes` is the time it asks for, in one or several visits."""

    cmid: int
    kind: Kind
    title: str
    minutes: int
    required: bool
    visits: int = 1


@dataclass(frozen=True)
class Module:
    """One section of a course; number 0 is the general section, which holds the tool."""

    number: int
    section_id: int
    title: str
    hours_in_person: float
    hours_distance: float
    opens_on: date
    closes_on: date
    activities: tuple[Activity, ...]


@dataclass(frozen=True)
class Gathering:
    """A planned day in person or virtual class, attached to a module."""

    title: str
    kind: GatheringKind
    day: date
    module: int
    hours: float


@dataclass(frozen=True)
class Site:
    """One Moodle site, registered in one silo of the tool."""

    key: str
    name: str
    silo: str
    issuer: str
    client_id: str
    deployment_id: str
    #: Whether the tool is there from the start; else somebody is to invite it.
    connected: bool = True


@dataclass(frozen=True)
class Session:
    """One run of the path: a Moodle course."""

    site: Site
    course_id: int
    label: str
    starts_on: date
    ends_on: date
    modules: tuple[Module, ...]
    gatherings: tuple[Gathering, ...]

    @property
    def title(self) -> str:
        return f"{PATH_TITLE} – session {self.label}"

    @property
    def short_name(self) -> str:
        return f"PPS-{self.label}"

    @property
    def iri(self) -> str:
        """The course's IRI, as Moodle's plugin writes it."""
        return f"{self.site.issuer}/course/view.php?id={self.course_id}"

    @property
    def tool(self) -> Activity:
        """The activity that opens the tool."""
        return next(a for a in self.modules[0].activities if a.kind == "lti")

    def week(self, today: date) -> tuple[int, int]:
        """Rank of today's week, from 1, and the number of weeks."""
        return (today - self.starts_on).days // 7 + 1, ((self.ends_on - self.starts_on).days + 1) // 7


#: kind, title, minutes, required, visits; a list a module, from the general section on.
_CONTENT: tuple[tuple[tuple[Kind, str, int, bool, int], ...], ...] = (
    (
        ("forum", "Annonces", 3, False, 1),
        ("lti", "Où en est la session ?", 5, False, 1),
    ),
    (
        ("page", "Bienvenue : le parcours en dix minutes", 10, True, 1),
        ("page", "Pilotage, gouvernance, stratégie : s’entendre sur les mots", 25, True, 1),
        ("scorm", "Du projet d’établissement au contrat d’objectifs", 40, True, 1),
        ("quiz", "Testez vos repères", 15, True, 1),
        ("forum", "Se présenter et dire d’où l’on vient", 12, False, 1),
        ("feedback", "Votre avis sur le module 1", 6, False, 1),
    ),
    (
        ("page", "Pourquoi piloter les apprentissages ?", 25, True, 1),
        ("url", "Entretien avec une cheffe d’établissement (vidéo, 18 min)", 20, True, 1),
        ("scorm", "Cartographier les acteurs", 35, True, 1),
        ("quiz", "Enjeux : vrai ou faux ?", 15, True, 1),
        ("forum", "Un enjeu de mon établissement", 15, False, 1),
        ("feedback", "Votre avis sur le module 2", 6, False, 1),
    ),
    (
        ("page", "Lire : ce que dit la recherche de l’évaluation interne", 45, True, 1),
        ("scorm", "Étude de données : les indicateurs de mon établissement", 90, True, 2),
        ("assign", "Note d’analyse : deux pages argumentées", 120, True, 3),
        ("quiz", "Lire un indicateur sans se tromper", 20, True, 1),
        ("forum", "Questions à un pair", 15, False, 1),
        ("feedback", "Votre avis sur le module 3", 6, False, 1),
    ),
    (
        ("page", "Trois situations à démêler", 30, True, 1),
        ("scorm", "Conduire un entretien difficile", 40, True, 1),
        ("assign", "Étude de cas : proposer un plan d’action", 90, True, 2),
        ("quiz", "Décider avec des données incomplètes", 20, True, 1),
        ("feedback", "Votre avis sur le module 4", 6, False, 1),
    ),
    (
        ("page", "Concevoir une expérimentation", 30, True, 1),
        ("assign", "Journal d’expérimentation", 90, True, 2),
        ("forum", "Retour d’expérience", 20, True, 1),
        ("feedback", "Votre avis sur le parcours", 8, False, 1),
    ),
)

#: title, hours in person, hours at a distance; 36 hours in all.
_MODULES = (
    ("Accueil", 0.0, 0.0),
    ("Concepts en contexte", 0.0, 6.0),
    ("Sens et enjeux", 0.0, 6.0),
    ("Pour réfléchir", 6.0, 4.0),
    ("Analyse de situations", 0.0, 7.0),
    ("Expérimentations", 3.0, 4.0),
)

#: First week in which a module opens and last week before it closes, out of 20.
_CALENDAR = ((1, 20), (1, 2), (2, 4), (3, 8), (5, 12), (13, 20))

#: title, kind, week out of 20, weekday from Monday = 0, module, hours
_GATHERINGS: tuple[tuple[str, GatheringKind, int, int, int, float], ...] = (
    ("Classe virtuelle de lancement", "virtual_class", 1, 3, 1, 1.5),
    ("Regroupement en présence", "day_in_person", 4, 1, 3, 6.0),
    ("Classe virtuelle : analyser ensemble", "virtual_class", 8, 3, 4, 1.5),
    ("Regroupement final", "day_in_person", 18, 1, 5, 3.0),
)


def typeset(text: str) -> str:
    """Return French text with the no-break spaces that go before : and ?."""
    return text.replace(" :", "\u00a0:").replace(" ?", "\u202f?")


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def sites(origin: str) -> tuple[Site, Site]:
    """Return the two sites under the sandbox's origin (a Moodle address may hold a path)."""
    return (
        Site(
            "encadrement",
            "M@gistère – Cadres (bac à sable)",
            "Cadres de l’éducation",
            f"{origin}/encadrement",
            "PPSencadrement01",
            "1",
        ),
        Site(
            "formateurs",
            "M@gistère – Formateurs (bac à sable)",
            "Formateurs académiques",
            f"{origin}/formateurs",
            "PPSformateurs02",
            "1",
        ),
    )


def new_site(origin: str) -> Site:
    """Return the site that no tool is connected to yet: the demo shows how one is."""
    return Site(
        "rectorat", "M@gistère – Rectorat (bac à sable)", "", f"{origin}/rectorat", "", "", connected=False
    )


def new_session(site: Site, today: date) -> Session:
    """Return the session of the new site, which begins this week."""
    return _session(site, 5, 4, monday(today), 20)


def sessions(origin: str, today: date) -> tuple[Session, ...]:
    """Return the three sessions: one in its sixth week of twenty, two older ones."""
    first, second = sites(origin)
    return (
        _session(first, 7, 3, monday(today) - timedelta(weeks=5), 20),
        _session(first, 4, 1, monday(today) - timedelta(weeks=38), 44),
        _session(second, 3, 2, monday(today) - timedelta(weeks=11), 20),
    )


def _session(site: Site, course_id: int, rank: int, start: date, weeks: int) -> Session:
    stretch = weeks / 20

    def week(number: float) -> date:
        """Monday that begins a week counted from 1 out of 20, stretched to the session's length."""
        return start + timedelta(weeks=round((number - 1) * stretch))

    modules = []
    cmid = course_id * 100
    for number, (title, in_person, distance) in enumerate(_MODULES):
        opens, closes = _CALENDAR[number]
        activities = []
        for kind, name, minutes, required, visits in _CONTENT[number]:
            cmid += 1
            activities.append(Activity(cmid, kind, typeset(name), minutes, required, visits))
        modules.append(
            Module(
                number=number,
                section_id=course_id * 10 + number,
                title=title,
                hours_in_person=in_person,
                hours_distance=distance,
                opens_on=week(opens),
                closes_on=week(closes + 1) - timedelta(days=1),
                activities=tuple(activities),
            )
        )
    gatherings = tuple(
        Gathering(typeset(title), kind, _term_day(week(at) + timedelta(days=weekday)), module, hours)
        for title, kind, at, weekday, module, hours in _GATHERINGS
    )
    return Session(
        site=site,
        course_id=course_id,
        label=f"{start.year}-{rank}",
        starts_on=start,
        ends_on=start + timedelta(weeks=weeks) - timedelta(days=1),
        modules=tuple(modules),
        gatherings=gatherings,
    )


def _term_day(day: date) -> date:
    """Return the same weekday of the first week in term."""
    while is_holiday(day):
        day += timedelta(weeks=1)
    return day


def is_holiday(day: date) -> bool:
    """Tell whether a day falls in the French school holidays, by rules rather than by decree.

    Toussaint, Noël, the widest span of winter and spring over the three zones, summer: enough for
    behaviours that slow down when they should.
    """
    spans = (
        ((10, 17), (11, 2)),
        ((12, 19), (12, 31)),
        ((1, 1), (1, 4)),
        ((2, 14), (2, 28)),
        ((4, 11), (4, 25)),
        ((7, 5), (8, 28)),
    )
    return any(first <= (day.month, day.day) <= last for first, last in spans)
