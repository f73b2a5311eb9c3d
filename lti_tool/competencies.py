"""Competencies of a path with their evidence, teams of trainers, hours exchanged: read for the pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from analyzers import competencies, depth
from analyzers.competencies import (
    Competency,
    Exchange,
    Link,
    Moved,
    Support,
    Team,
    balances,
    school_year,
    years,
)
from analyzers.paired import Change
from lti_tool.adapting import Ground
from lti_tool.tables import survey
from tool_config.references import plain
from xapi import datasets
from xapi.depth_tables import survey_depth
from xapi.tables import course

__all__ = ["OfPath", "balances", "exchanges", "first_worked", "of_path", "school_year", "teams", "years"]

#: Levels of trainers, as the standard has them.
LEVELS = ("beginner", "able", "expert")
#: The phase whose positioning speaks for the end of a session, first.
_ENDS = ("a-chaud", "a-froid")


@dataclass(frozen=True)
class OfPath:
    """The competencies of a path: those of the frameworks that its modules work."""

    supports: tuple[Support, ...]
    #: Names of the frameworks.
    frameworks: tuple[str, ...]

    @property
    def gaps(self) -> tuple[Support, ...]:
        return tuple(one for one in self.supports if not one.modules)


def of_path(conn: Connection, silo_id: int, path_id: int, ground: Ground, *, k: int) -> OfPath:
    """Return each competency of the frameworks that the modules of a path work, with its evidence."""
    modules = {one.counts.key: one.counts for one in ground.modules if one.counts.path_id == path_id}
    links = [link for link in _links(conn, silo_id) if link.module in modules]
    used = {plain(link.framework) for link in links}
    framework = [one for one in _framework(conn, silo_id) if plain(one.framework) in used]
    moved = _moved(conn, silo_id, path_id, k)
    found = competencies.supports(framework, _fitted(links, framework), modules, moved, k=k)
    return OfPath(found, tuple(dict.fromkeys(one.framework for one in framework)))


def first_worked(conn: Connection, silo_id: int, ground: Ground, order: Sequence[int]) -> int | None:
    """Return the first path, in an order, with a module that works a competency; else the first of all."""
    worked = {link.module for link in _links(conn, silo_id)}
    found = {one.counts.path_id for one in ground.modules if one.counts.key in worked}
    return next((path_id for path_id in order if path_id in found), order[0] if order else None)


def _framework(conn: Connection, silo_id: int) -> list[Competency]:
    rows = datasets.rows(conn, silo_id, "competencies", ("data",))
    made = [
        Competency(
            str(data["framework"]), str(data["code"]), str(data["competency"]), str(data.get("domain") or "")
        )
        for (data,) in rows
    ]
    return sorted(made, key=lambda one: (one.framework.casefold(), one.code.casefold()))


def _links(conn: Connection, silo_id: int) -> list[Link]:
    rows = datasets.rows(conn, silo_id, "module_competencies", ("data",))
    return [
        Link(
            plain(str(data["module"])), str(data["framework"]), str(data["code"]),
            None if data.get("weight") is None else float(data["weight"]) / 100,
        )
        for (data,) in rows
    ]  # fmt: skip


def _fitted(links: Sequence[Link], framework: Sequence[Competency]) -> list[Link]:
    """Return links under the spelling of the framework: files write codes and names in several ways."""
    known = {(plain(one.framework), plain(one.code)): one for one in framework}
    made = []
    for link in links:
        one = known.get((plain(link.framework), plain(link.code)))
        if one is not None:
            made.append(Link(link.module, one.framework, one.code, link.weight))
    return made


def _moved(conn: Connection, silo_id: int, path_id: int, k: int) -> dict[str, Moved]:
    """Return how groups moved by competency, the sessions of a path together: one questionnaire a session."""
    s, d, c = survey.c, survey_depth.c, course.c
    rows = conn.execute(
        select(d.course_id, d.content, s.template)
        .select_from(
            survey_depth.join(
                survey,
                and_(s.silo_id == d.silo_id, s.course_id == d.course_id, s.survey_id == d.survey_id),
            ).join(course, and_(c.silo_id == d.silo_id, c.course_id == d.course_id))
        )
        .where(d.silo_id == silo_id, c.path_id == path_id)
        .order_by(s.closes_at)
    ).all()
    ends: dict[int, dict[str, tuple[Change, ...]]] = defaultdict(dict)
    for row in rows:
        phase = str(row.template.get("phase", ""))
        if row.content and phase in _ENDS:
            changes = depth.restore(row.content).changes
            if changes:
                ends[row.course_id].setdefault(phase, changes)
    by_code: dict[str, list[Change]] = defaultdict(list)
    for phases in ends.values():
        for change in next(phases[phase] for phase in _ENDS if phase in phases):
            by_code[change.competency].append(change)
    found = {code: competencies.together(changes, k) for code, changes in by_code.items()}
    return {code: moved for code, moved in found.items() if moved is not None}


def teams(conn: Connection, silo_id: int, *, k: int) -> tuple[Team, ...]:
    """Return how many trainers have each competency, by level; never who."""
    rows = datasets.rows(conn, silo_id, "trainer_competencies", ("person_key", "data"))
    known = [
        (key, str(data["competency"]), str(data.get("level") or ""))
        for key, data in rows
        if key and data.get("competency")
    ]
    return competencies.teams(known, LEVELS, k=k)


def exchanges(conn: Connection, silo_id: int) -> list[Exchange]:
    """Return the hours that institutions gave each other."""
    rows = datasets.rows(conn, silo_id, "trainer_hours", ("valid_on", "data"))

    def share(value: float | None) -> float | None:
        return None if value is None else float(value) / 100

    return [
        Exchange(
            str(data["giver"]), str(data["taker"]), float(data["hours"]), share(data.get("giver_share")),
            share(data.get("taker_share")), day,
        )
        for day, data in rows
    ]  # fmt: skip
