"""What the demo's communities did before: sessions of other paths, over on the platform or known by files.

Paths of several school years with places, costs and enrolments, some too large, some too small, some held in
person and at a distance; sessions of the platform that are over and to which people come back; what is
consulted of the public site, in totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection

from lti_tool import attendance
from lti_tool.sandbox import traces
from lti_tool.sandbox.behaviour import Deed
from lti_tool.sandbox.files import take_in
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.platform import Campus
from lti_tool.sandbox.programme import Activity, Module, Session, Site, typeset
from lti_tool.tool import Tool
from tool_config.database import transaction
from xapi import outline
from xapi.identity import course_id
from xapi.statement import account_key

_SEED = 20_190_901
#: Years of the public site, and links given to promotions.
_MONTHS = 18


@dataclass(frozen=True)
class _Offer:
    """A path known by files: sessions a year and what each is like."""

    title: str
    code: str
    years: int
    #: (modality, places, enrolled about, share who come, share who finish of those), one a session of a year.
    runs: tuple[tuple[str, int, int, float, float], ...]
    hours: tuple[float, float]
    cost: int


#: By site: what each community runs.
_OFFERS: dict[str, tuple[_Offer, ...]] = {
    "encadrement": (
        _Offer("Prise de poste en collège", "PRISE", 8, (("hybride", 60, 38, 0.9, 0.95),), (18, 9), 14_200),
        _Offer("Paie et carrières", "PAIE", 3,
               (("présence", 24, 24, 0.97, 0.96), ("présence", 24, 23, 0.96, 0.95)), (12, 0), 6_400),
        _Offer("Climat scolaire et inclusion", "CLIMAT", 3,
               (("présence", 30, 26, 0.92, 0.93), ("distance", 45, 40, 0.85, 0.78)), (9, 9), 5_100),
        _Offer("Conduire un entretien", "ENTRETIEN", 3,
               (("présence", 20, 17, 0.94, 0.96), ("distance", 40, 33, 0.86, 0.74)), (6, 6), 3_300),
    ),
    "formateurs": (
        _Offer("Concevoir un parcours hybride", "HYBRIDE", 7,
               (("hybride", 40, 24, 0.88, 0.9),), (12, 12), 4_900),
        _Offer("Animer une classe virtuelle", "CLASSE", 3,
               (("présence", 20, 16, 0.93, 0.95), ("distance", 30, 25, 0.87, 0.8)), (6, 6), 2_100),
    ),
}  # fmt: skip
#: What sessions that are over on the platform teach: kind, title, minutes; two modules.
_TAUGHT: tuple[tuple[str, tuple[tuple[str, str, int], ...]], ...] = (
    ("Comprendre", (("page", "Lire : trois repères", 25), ("quiz", "Vérifier ses repères", 15))),
    ("Agir ensemble", (("forum", "Analyser un cas à plusieurs", 20), ("scorm", "Étude guidée", 28))),
)
#: title, kind, days after the start, hours, share who come
_GATHERED: tuple[tuple[str, str, int, float, float], ...] = (
    ("Journée en présence", "day_in_person", 7, 6.0, 0.9),
    ("Classe virtuelle", "virtual_class", 21, 1.5, 0.8),
    ("Conférence : piloter par les données", "virtual_class", 28, 1.0, 0.7),
)


@dataclass(frozen=True)
class Past(Session):
    """A session of the platform that is over."""

    path: str = ""
    modality: str = "hybride"
    people: int = 0
    promotion: str = ""

    @property
    def title(self) -> str:
        return f"{self.path} – session {self.label}"

    @property
    def short_name(self) -> str:
        return f"{self.path[:3].upper()}-{self.label}"


def sessions(site: Site, today: date) -> tuple[Past, ...]:
    """Return the sessions of a site's platform that are over."""
    offer = _OFFERS[site.key][-1]
    spans = ((20, 480, "présence", 20), (21, 210, "distance", 18))
    return tuple(
        _session(site, number, today - timedelta(days=ago), offer.title, modality, people)
        for number, ago, modality, people in spans
    )


def _session(site: Site, number: int, start: date, path: str, modality: str, people: int) -> Past:
    modules, cmid = [], number * 100
    end = start + timedelta(days=60)
    for rank, (title, content) in enumerate(_TAUGHT, 1):
        activities = []
        for kind, name, minutes in content:
            cmid += 1
            activities.append(Activity(cmid, kind, typeset(name), minutes, True))  # type: ignore[arg-type]
        modules.append(Module(rank, number * 10 + rank, title, 3.0, 3.0, start, end, tuple(activities)))
    label = f"{start.year}-{number}"
    year = start.year - (start.month < 8)
    return Past(
        site, number, label, start, end, tuple(modules), (), path, modality, people, f"{year}-{year + 2}"
    )


# --- what people did on the platform ------------------------------------------------------------------


def deeds(session: Past, now: datetime) -> list[Deed]:
    """Return what the people of a session that is over did, during it and since."""
    found = [one for person in _people(session) for one in _lived(session, person)]
    return sorted((one for one in found if one.at <= now), key=lambda one: (one.at, one.person.user_id))


def _people(session: Past) -> list[Person]:
    return [
        Person(session.site.key, f"{session.course_id}{rank:02}", f"ancien.{session.course_id}.{rank}",
               "Ancienne", f"Stagiaire {session.course_id}-{rank}", "trainee", (session.course_id,))
        for rank in range(1, session.people + 1)
    ]  # fmt: skip


def _lived(session: Past, person: Person) -> Iterator[Deed]:
    chance = Random(f"{_SEED}/{session.course_id}/{person.user_id}")
    start = datetime.combine(session.starts_on, time(9), UTC)
    yield Deed(start - timedelta(days=5), person, session, "enrolled", facts={"by": person})
    if chance.random() < 0.08:
        return
    keeps_on = 0.97 if session.modality == "présence" else 0.86
    ability = chance.uniform(0.5, 0.95)
    for rank, module in enumerate(session.modules):
        at = start + timedelta(days=8 + 20 * rank + chance.randint(0, 9), minutes=chance.randint(0, 500))
        for activity in module.activities:
            if chance.random() > keeps_on:
                return
            yield from _followed(session, person, module, activity, at, ability, chance)
            at += timedelta(minutes=activity.minutes + chance.randint(1, 4))
    yield from _returns(session, person, chance)


def _followed(
    session: Past,
    person: Person,
    module: Module,
    activity: Activity,
    at: datetime,
    ability: float,
    chance: Random,
) -> Iterator[Deed]:
    yield Deed(at, person, session, "viewed", activity, module)
    end = at + timedelta(minutes=activity.minutes)
    if activity.kind == "quiz":
        marks = tuple(chance.random() < ability for _ in range(5))
        facts: dict[str, object] = {
            "number": int(person.user_id), "attempt": 1, "marks": marks, "seconds": 60 * activity.minutes
        }  # fmt: skip
        yield Deed(end - timedelta(minutes=1), person, session, "quiz_submitted", activity, module, facts)
    yield Deed(end, person, session, "module_completed", activity, module)


def _returns(session: Past, person: Person, chance: Random) -> Iterator[Deed]:
    """Yield the days on which somebody comes back to a space that stays open."""
    end = datetime.combine(session.ends_on, time(18), UTC)
    for month in range(12):
        if chance.random() < 0.75 * 0.72**month:
            at = end + timedelta(days=30 * month + chance.randint(1, 28))
            module = chance.choice(session.modules)
            yield Deed(at, person, session, "viewed", chance.choice(module.activities), module)


def describe(conn: Connection, silo_id: int, session: Past, *, now: datetime) -> dict[str, set[str]]:
    """Say what a session that is over was made of; return who was at each gathering, by its IRI."""
    number, by = course_id(silo_id, session.iri), "0" * 32
    edits = [
        outline.Edit(
            traces.section_iri(session, module), title=module.title, hours_distance=module.hours_distance
        )
        for module in session.modules
    ]
    outline.edit(conn, silo_id, number, edits, by=by, now=now)
    there: dict[str, set[str]] = {}
    for title, kind, after, hours, share in _GATHERED:
        iri = outline.add_gathering(
            conn, silo_id, number, title=typeset(title), kind=kind,
            day=session.starts_on + timedelta(days=after),
            module=traces.section_iri(session, session.modules[0]), hours=hours, by=by, now=now,
        )  # fmt: skip
        outline.edit(conn, silo_id, number, [outline.Edit(iri, required=False)], by=by, now=now)
        chance = Random(f"{_SEED}/{title}/{session.course_id}")
        there[iri] = {
            account_key(session.site.issuer, person.user_id)
            for person in _people(session)
            if chance.random() < share
        }
    return there


def attend(tool: Tool, silo_id: int, session: Past, there: dict[str, set[str]], *, now: datetime) -> None:
    """Mark who was at the gatherings of a session that is over."""
    number = course_id(silo_id, session.iri)
    with transaction(tool.engine, silo_id) as conn:
        for iri, actors in there.items():
            attendance.mark(
                conn, silo_id, number, iri, actors, by="0" * 32, now=now,
                authority_home=tool.settings.public_url,
            )  # fmt: skip


# --- files --------------------------------------------------------------------------------------------


def bring(tool: Tool, silo_id: int, site: Site, campus: Campus) -> int:
    """Drop the files of the past in a community and take them in; return how many rows went in."""
    over = sessions(site, campus.today)
    given: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("anciennes-sessions.csv", "sessions", list(_programme(site, over, campus.today))),
        ("anciennes-inscriptions.csv", "enrolments", list(_enrolled(site, campus.today))),
        ("anciens.csv", "people", list(_alumni(over))),
        ("film-annuel.csv", "consultations", list(_audience(campus.today))),
    )
    return sum(take_in(tool, silo_id, name, kind, lines) for name, kind, lines in given)


def _editions(site: Site, today: date) -> Iterator[tuple[_Offer, str, date, int]]:
    """Yield the sessions that files alone know: path, name, first day, rank in its year."""
    last = today.year - (today.month < 8)
    for offer in _OFFERS[site.key]:
        for year in range(last - offer.years, last):
            for rank in range(len(offer.runs)):
                start = date(year, 10, 5) + timedelta(days=100 * rank)
                yield offer, f"{offer.code}-{year}-{rank + 1}", start, rank


def _programme(site: Site, over: Sequence[Past], today: date) -> Iterator[str]:
    yield (
        "Parcours;Session;Début;Fin;Modalité;Places;Heures prévues en présence;Heures prévues à distance;"
        "Coût prévu;Coût réel"
    )
    for offer, name, start, rank in _editions(site, today):
        modality, places = offer.runs[rank][:2]
        yield _line(offer, name, start, modality, places, Random(name).uniform(0.92, 1.08))
    for session in over:
        offer = next(one for one in _OFFERS[site.key] if one.title == session.path)
        yield _line(offer, session.title, session.starts_on, session.modality, 30, 1.0, session.ends_on)
    for offer in _OFFERS[site.key]:
        start = today + timedelta(days=24)
        modality, places = offer.runs[0][:2]
        yield _line(offer, f"{offer.code}-{start.year}-A-VENIR", start, modality, places, 0.0)


def _line(
    offer: _Offer, name: str, start: date, modality: str, places: int, spent: float, end: date | None = None
) -> str:
    here, away = offer.hours
    if modality == "distance":
        here, away = 0, here + away
    elif modality == "présence":
        here, away = here + away, 0
    end = end or start + timedelta(days=12)
    cost = f"{offer.cost * spent:.0f}" if spent else ""
    return (
        f"{offer.title};{name};{start:%d/%m/%Y};{end:%d/%m/%Y};{modality};{places};{here:g};{away:g};"
        f"{offer.cost};{cost}"
    )


def _enrolled(site: Site, today: date) -> Iterator[str]:
    yield "Adresse mail;Session;Suite donnée;Mode d’inscription"
    for offer, name, _, rank in _editions(site, today):
        _, places, about, comes, finishes = offer.runs[rank]
        chance = Random(f"{_SEED}/{name}")
        count = min(places, round(chance.gauss(about, 0.07 * about)))
        for person in range(count):
            status = "retenu"
            if chance.random() < comes:
                status = "terminé" if chance.random() < finishes else "non terminé"
            elif chance.random() < 0.3:
                status = "désisté"
            yield f"{name.lower()}.{person}@exemple.invalid;{name};{status};public désigné"
    for offer in _OFFERS[site.key]:
        start = today + timedelta(days=24)
        for person in range(round(offer.runs[0][2] * 0.9)):
            name = f"{offer.code}-{start.year}-A-VENIR"
            yield f"{name.lower()}.{person}@exemple.invalid;{name};retenu;public désigné"


def _alumni(over: Sequence[Past]) -> Iterator[str]:
    yield "Numéro de compte sur la plateforme;Promotion"
    for session in over:
        for person in _people(session):
            yield f"{person.user_id};{session.promotion}"


def _audience(today: date) -> Iterator[str]:
    """Yield the totals of the public site, the months that are over."""
    yield "Page;Date;Site;Lien de la promotion;Vues;Passages de robots écartés"
    pages = ("/film-annuel", "/film-annuel/chapitre-1", "/film-annuel/chapitre-2", "/ressources/entretien")
    chance = Random(_SEED)
    month = today.replace(day=1)
    for back in range(1, _MONTHS + 1):
        month = (month - timedelta(days=1)).replace(day=1)
        busy = 2.2 if month.month in (6, 9) else 0.5 if month.month in (7, 8) else 1.0
        for rank, page in enumerate(pages):
            for link, weight in (
                ("", 90), (f"{today.year - 1}-{today.year + 1}", 40 if back < 15 else 0),
                (f"{today.year}-{today.year + 2}", 70 if back < 4 else 0),
            ):  # fmt: skip
                views = round(weight * busy / (rank + 1) * chance.uniform(0.7, 1.3))
                if views:
                    yield f"{page};{month:%d/%m/%Y};Film annuel;{link};{views};{round(views * 0.3)}"


def statements(session: Past, now: datetime) -> list[dict[str, Any]]:
    """Return what a session that is over leaves in the store."""
    return [traces.statement(deed) for deed in deeds(session, now)]
