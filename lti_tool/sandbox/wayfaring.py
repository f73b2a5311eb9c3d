"""A path that people of the demo take at their own pace: three sessions, orders of their own, stops.

Made so that the page of the ways through a path has something to say: most follow the outline, some begin
with the module on assessment, the administration mostly stops after two modules. The last session still
runs, and its outline has two modules the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, select, update

from lti_tool.sandbox import traces
from lti_tool.sandbox.behaviour import Deed
from lti_tool.sandbox.files import take_in
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.platform import Campus
from lti_tool.sandbox.programme import Activity, Module, Session, Site, typeset
from lti_tool.tool import Tool
from tool_config.database import insert, transaction
from xapi import outline, rollup
from xapi.identity import course_id
from xapi.tables import course, outline_item, path

TITLE = typeset("Numérique éducatif : à son rythme")
_PATH_ID = 40
_SEED = 20_240_902
_MODULES = (
    "Se repérer dans les outils",
    "Protéger les données des élèves",
    "Faire travailler ensemble",
    "Évaluer avec le numérique",
    "Partager ses pratiques",
)
#: Course, days before today on which it began, weeks it lasts, order of its outline, people.
_RUNS = (
    (30, 690, 26, (0, 1, 2, 3, 4), 70),
    (31, 330, 26, (0, 1, 2, 3, 4), 70),
    (32, 56, 26, (0, 1, 3, 2, 4), 45),
)
#: Corps, weight, probability of stopping once the second module is done, and elsewhere.
_CORPS = (
    ("Personnel de direction", 10, 0.2, 0.05),
    ("AAE", 9, 0.6, 0.05),
)
_ACADEMIES = ("Créteil", "Lille", "Lyon", "Poitiers", "Toulouse", "Versailles")


@dataclass(frozen=True)
class Run(Session):
    """A session of the path."""

    @property
    def title(self) -> str:
        return f"{TITLE} – session {self.label}"

    @property
    def short_name(self) -> str:
        return f"NUM-{self.label}"


@dataclass(frozen=True)
class _Learner:
    person: Person
    corps: str
    academie: str
    promotion: str
    #: Probability of stopping after the second module, and after another.
    held: float
    tired: float


#: Posts statements as a platform would.
Send = Callable[[list[dict[str, Any]]], None]


def take_ways(tool: Tool, silo_id: int, site: Site, campus: Campus, send: Send) -> int:
    """Bring the path, its people and what they did; return how many statements that was."""
    now, sent = campus.clock(), 0
    runs: list[Run] = []
    lines = ["Numéro de compte sur la plateforme;Académie;Corps;Promotion"]
    for number, ago, weeks, order, count in _RUNS:
        run = _run(site, number, campus.today - timedelta(days=ago), weeks, order)
        people = _people(run, count)
        found = [deed for one in people for deed in _lived(run, one) if deed.at <= now]
        found.sort(key=lambda deed: (deed.at, deed.person.user_id))
        send([traces.statement(deed) for deed in found])
        sent += len(found)
        lines += [f"{one.person.user_id};{one.academie};{one.corps};{one.promotion}" for one in people]
        runs.append(run)
    _settle(tool, silo_id, now)  # modules are known once they are drawn
    for run in runs:
        with transaction(tool.engine, silo_id) as conn:
            _tie(conn, silo_id, run, now)
    _settle(tool, silo_id, now)
    take_in(tool, silo_id, "numerique-personnes.csv", "people", lines)
    return sent


def _settle(tool: Tool, silo_id: int, now: datetime) -> None:
    while True:
        with transaction(tool.engine, silo_id) as conn:
            if not rollup.refresh(conn, silo_id, now=now):
                return


def _run(site: Site, number: int, start: date, weeks: int, order: Sequence[int]) -> Run:
    end = start + timedelta(weeks=weeks)
    modules = tuple(
        Module(rank, number * 10 + rank, _MODULES[place], 0.0, 3.0, start, end,
               (Activity(number * 100 + rank, "page", _MODULES[place], 40, True),))
        for rank, place in enumerate(order, 1)
    )  # fmt: skip
    return Run(site, number, f"{start.year}-{number}", start, end, modules, ())


def _people(run: Run, count: int) -> list[_Learner]:
    chance = Random(f"{_SEED}/{run.site.key}/{run.course_id}")
    year = run.starts_on.year - (run.starts_on.month < 8)
    made = []
    for rank in range(1, count + 1):
        corps, _, held, tired = chance.choices(_CORPS, weights=[weight for _, weight, _, _ in _CORPS])[0]
        person = Person(
            run.site.key, f"{run.course_id}{rank:03}", f"numerique.{run.course_id}.{rank}",
            "Stagiaire", f"Numérique {run.course_id}-{rank}", "trainee", (run.course_id,),
        )  # fmt: skip
        academie = chance.choice(_ACADEMIES)
        made.append(_Learner(person, corps, academie, f"{year}-{year + 2}", held, tired))
    return made


def _lived(run: Run, one: _Learner) -> Iterator[Deed]:
    chance = Random(f"{_SEED}/{run.course_id}/{one.person.user_id}")
    at = datetime.combine(run.starts_on, time(9), UTC)
    yield Deed(at - timedelta(days=4), one.person, run, "enrolled", facts={"by": one.person})
    if chance.random() < 0.2:
        return
    first: Module | None = None
    for rank, module in enumerate(_order(run.modules, chance), 1):
        at += timedelta(days=chance.randint(2, 13), minutes=chance.randint(0, 400))
        yield Deed(at, one.person, run, "viewed", module.activities[0], module)
        if chance.random() < (one.held if rank == 2 else one.tired):
            return
        yield Deed(
            at + timedelta(minutes=25), one.person, run, "module_completed", module.activities[0], module
        )
        if first is None:
            first = module
        elif rank == 3 and chance.random() < 0.3:
            back = at + timedelta(days=1)
            yield Deed(back, one.person, run, "viewed", first.activities[0], first)


def _order(modules: Sequence[Module], chance: Random) -> list[Module]:
    """Return the order that somebody follows: the outline's, or theirs."""
    found = list(modules)
    drawn = chance.random()
    if drawn < 0.22:  # what they will be asked about first
        assessment = next(one for one in found if one.title == _MODULES[3])
        found.remove(assessment)
        found.insert(0, assessment)
    elif drawn < 0.34:
        found[2], found[3] = found[3], found[2]
    return found


def _tie(conn: Connection, silo_id: int, run: Run, now: datetime) -> None:
    """Name the modules of the session, and make it a run of the path."""
    number, o = course_id(silo_id, run.iri), outline_item.c
    # Of a session that has just begun, nobody has opened the last modules yet.
    drawn = set(conn.scalars(select(o.iri).where(o.silo_id == silo_id, o.course_id == number)))
    named = [(traces.section_iri(run, module), module.title) for module in run.modules]
    edits = [outline.Edit(iri, title=title) for iri, title in named if iri in drawn]
    outline.edit(conn, silo_id, number, edits, by="0" * 32, now=now)
    known = conn.execute(path.select().where(path.c.silo_id == silo_id, path.c.path_id == _PATH_ID)).first()
    if known is None:
        conn.execute(insert(conn, path).values(silo_id=silo_id, path_id=_PATH_ID, title=TITLE))
    conn.execute(
        update(course)
        .where(course.c.silo_id == silo_id, course.c.course_id == number)
        .values(path_id=_PATH_ID, starts_on=run.starts_on, ends_on=run.ends_on)
    )
