"""What a school year holds, for the community or a path, from the frames that pages across courses read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from analyzers import (
    adapt,
    adapt_frames,
    disclosure,
    free_choices,
    origins,
    pathways,
    satisfaction,
    sizing,
    stopping,
)
from analyzers.community import Community
from analyzers.origins import Picture
from analyzers.results import Share
from analyzers.yearly import Figures, Years
from lti_tool import adapting, community, journeys, pathways_words
from lti_tool.dimension_words import Traits
from lti_tool.improvements import log
from lti_tool.improvements.entries import COMPLAINT
from lti_tool.surveys import rows
from lti_tool.tables import survey
from tool_config import references, silos
from tool_config.references import plain
from tool_config.rules import Rules
from xapi import datasets
from xapi.tables import path

#: Dimension of the origin, as files of people name it.
ACADEMIE = "academie"
#: Entries of the improvement log that are listed; all are counted.
MOST_DECIDED = 12
#: Paths of which it is said where people stop.
MOST_STOPS = 3

Step = Callable[[int], None]


class Empty(Exception):  # noqa: N818
    """Nothing of that year, or of that path, may be told."""


@dataclass(frozen=True)
class Choice:
    """A path among the free choices: its share of those who chose, and that of the year before."""

    title: str
    share: Share
    before: Share | None


@dataclass(frozen=True)
class Part:
    """A path of the year: its figures, and those of the year before."""

    title: str
    now: Figures
    before: Figures


@dataclass(frozen=True)
class Decided:
    """What was decided: on what, in which words, how far it is."""

    about: str
    decision: str
    state: str
    due_on: date | None


@dataclass(frozen=True)
class Facts:
    """Everything that the note says."""

    community: str
    #: First calendar year of the school year.
    year: int
    #: Title of the path; "" for all of them.
    path: str
    made_at: datetime
    #: Of when the frame is.
    read_at: datetime
    k: int
    now: Figures
    before: Figures
    people: int | None
    came: Picture | None
    traits: Traits
    choosers: int | None
    choices: tuple[Choice, ...]
    parts: tuple[Part, ...]
    #: Where people of a path stop the most, all years: (path, sentence).
    stops: tuple[tuple[str, str], ...]
    #: Entries opened in the year, by state.
    log: Counter[str]
    decided: tuple[Decided, ...]
    ranking: adapt.Ranking


def years(conn: Connection, silo_id: int, *, now: datetime, rules: Rules) -> Years:
    """Return the figures of every school year."""
    found = community.load(conn, silo_id, now=now)
    k = rules.disclosure.across
    sized = community.result(
        ("council sizing", found.version, k), lambda: sizing.size(found, rules.sessions, k=k)
    )
    return Years(sized, received(conn, silo_id, rules))


def received(conn: Connection, silo_id: int, rules: Rules) -> dict[int, tuple[int, int]]:
    """Return (favourable, answers) published at the end of modules and sessions with a path, by course."""
    k = rules.disclosure.course
    asked = [
        one
        for one in map(rows.from_row, conn.execute(select(survey).where(survey.c.silo_id == silo_id)))
        if one.template.is_satisfaction and one.template.phase == "a-chaud"
    ]
    wanted = {one.template.overall.id for one in asked}
    published = adapt_frames.published(conn, silo_id, wanted) if wanted else {}
    found: dict[int, tuple[int, int]] = {}
    for one in asked:
        figures, question = published.get(one.survey_id), one.template.overall
        if figures is None or figures.n < k:
            continue
        share = satisfaction.item(question, figures.counts.get(question.id, {}), k=k).favourable
        if share.count is not None and share.n:
            before = found.get(one.course_id, (0, 0))
            found[one.course_id] = before[0] + share.count, before[1] + share.n
    return found


def path_place(conn: Connection, silo_id: int, found: Community, path_id: int) -> int | None:
    """Return the place of a path in the community: by its number, else by its title."""
    p = path.c
    title = conn.scalar(select(p.title).where(p.silo_id == silo_id, p.path_id == path_id))
    by_number = [place for place, one in enumerate(found.paths) if one.path_id == path_id]
    named = [
        place
        for place, one in enumerate(found.paths)
        if title is not None and one.path_id <= 0 and plain(one.title) == plain(title)
    ]
    return next(iter([*by_number, *named]), None)


def read(
    conn: Connection,
    silo_id: int,
    year: int,
    path_id: int | None,
    *,
    now: datetime,
    rules: Rules,
    step: Step = lambda _done: None,
) -> Facts:
    """Read a year, or a path of it; Empty when nothing may be told."""
    whole = years(conn, silo_id, now=now, rules=rules)
    found = whole.sizing.community
    place = None if path_id is None else path_place(conn, silo_id, found, path_id)
    if path_id is not None and place is None:
        raise Empty
    now_figures, before = whole.of(year, place), whole.of(year - 1, place)
    step(1)
    came, people = _came(found, year, place, rules)
    if now_figures.filled is None and people is None:
        raise Empty
    step(2)
    choosers, choices = _choices(found, year, place, rules)
    step(3)
    log_count, decided = _decided(conn, silo_id, year, path_id, found.today)
    ground = adapting.read(conn, silo_id, now=now, rules=rules)
    ranking = adapting.ranking(ground, rules.adapt.weights)
    step(4)
    return Facts(
        community=silos.get(conn, silo_id).name,
        year=year,
        path="" if place is None else found.paths[place].title,
        made_at=now,
        read_at=found.made_at,
        k=rules.disclosure.across,
        now=now_figures,
        before=before,
        people=people,
        came=came,
        traits=Traits(datasets.known(conn, silo_id)["people"]),
        choosers=choosers,
        choices=choices,
        parts=_parts(whole, found, year) if place is None else (),
        stops=_stops(conn, silo_id, found, place, now=now, rules=rules),
        log=log_count,
        decided=decided,
        ranking=_of_path(ranking, path_id),
    )


def _of_path(ranking: adapt.Ranking, path_id: int | None) -> adapt.Ranking:
    if path_id is None:
        return ranking
    kept = tuple(line for line in ranking.lines if line.module.counts.path_id == path_id)
    return adapt.Ranking(kept, ranking.first, ranking.weights, ranking.draws)


def _came(found: Community, year: int, place: int | None, rules: Rules) -> tuple[Picture | None, int | None]:
    """Return who came by académie, and how many people; None where it may not be told."""
    k = rules.disclosure.across
    units = community.result(("council units", found.version), lambda: origins.units(found))
    picture = None
    if ACADEMIE in found.traits:
        grid = community.result(
            ("council grid", found.version, k),
            lambda: origins.grid(found, units, ACADEMIE, _zones(), k=k),
        )
        offered = grid is not None and (place is None or (year in grid.years and place in grid.paths(year)))
        picture = origins.picture(grid, year, place) if grid is not None and offered else None
    if picture is not None:
        return picture, picture.n
    count = len(set(units.person[units.year == year].tolist())) if place is None else 0
    return None, count if disclosure.enough(count, k) else None


def _zones() -> dict[str, str]:
    """Return the zone of each académie."""
    academies = references.load()["academies"].entries.values()
    return {entry.id: entry.attributes["zone"] for entry in academies if "zone" in entry.attributes}


def _choices(
    found: Community, year: int, place: int | None, rules: Rules
) -> tuple[int | None, tuple[Choice, ...]]:
    """Return how many chose freely in the year, and the paths that they chose."""
    k = rules.disclosure.across
    base = community.result(
        ("council choices", found.version, k),
        lambda: free_choices.base(free_choices.of_enrolments(found, "path"), k=k),
    )
    if base is None or year not in base.years:
        return None, ()
    now = base.years.index(year)
    before = base.years.index(year - 1) if year - 1 in base.years else None
    made = [
        Choice(one.name, one.years[now], None if before is None else one.years[before])
        for one in free_choices.options(base)
        if one.years[now].value is not None
    ]
    made.sort(key=lambda one: -(one.share.value or 0.0))
    if place is not None:
        made = [one for one in made if one.title == found.paths[place].title]
    return int((base.year == now).sum()), tuple(made)


def _parts(whole: Years, found: Community, year: int) -> tuple[Part, ...]:
    """Return the paths that have figures of their own in a year, the one that most stop in first."""
    made = [
        Part(found.paths[one].title, whole.of(year, one), whole.of(year - 1, one))
        for one in whole.paths(year)
    ]
    return tuple(sorted(made, key=lambda part: (_rank(part.now.finished), part.title)))


def _stops(
    conn: Connection, silo_id: int, found: Community, place: int | None, *, now: datetime, rules: Rules
) -> tuple[tuple[str, str], ...]:
    """Return where people stop, of the path or of the paths with the most enrolments."""
    k, days = rules.disclosure.across, rules.adapt.stopped_days
    there, places = set(journeys.paths(conn, silo_id)), found.paths_of_enrolments()
    sizes = {
        rank: int((places == rank).sum())
        for rank, one in enumerate(found.paths)
        if one.path_id in there and place in (None, rank)
    }
    told = []
    for rank in sorted(sizes, key=lambda one: (-sizes[one], one))[:MOST_STOPS]:
        frame = journeys.load(conn, silo_id, found.paths[rank].path_id, now=now)
        picture = pathways.picture(frame, k=k, stopped_days=days)
        course = stopping.by_step((picture.people,)) if picture is not None else None
        if picture is not None and course is not None and course.worst is not None:
            said = pathways_words.stops(course, (), picture.people, frame.modules)
            told += [(found.paths[rank].title, said[0])] if said else []
    return tuple(told)


def _rank(share: Share) -> float:
    return 2.0 if share.value is None else share.value


def _decided(
    conn: Connection, silo_id: int, year: int, path_id: int | None, today: date
) -> tuple[Counter[str], tuple[Decided, ...]]:
    """Return the entries opened in a school year, complaints and reserved ones aside."""
    first, last = date(year, 8, 1), date(year + 1, 8, 1)
    wanted = log.Wanted(None, reserved=False, path_id=path_id)
    lines = [
        line
        for line in log.lines(conn, silo_id, wanted, today=today)
        if first <= line.entry.opened_on < last and line.entry.kind != COMPLAINT and not line.entry.reserved
    ]
    told = [
        Decided(
            line.path_title or line.course_title or "toute la communauté", line.entry.decision,
            line.entry.state, line.entry.due_on,
        )
        for line in lines
        if line.entry.decision
    ]  # fmt: skip
    return Counter(line.entry.state for line in lines), tuple(told[:MOST_DECIDED])
