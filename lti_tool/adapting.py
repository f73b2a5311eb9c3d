"""What says, module by module over the sessions of each path, that it should be adapted.

`build` gathers counts (of groups: nobody is in them) and weighs them by `analyzers.adapt`, under the
threshold across communities; `read` gives what the worker keeps of it, `ranking` their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, select

from analyzers import adapt, adapt_frames, satisfaction
from analyzers.adapt import Counts, Evidence, Module
from analyzers.adapt_frames import Held
from analyzers.comment_frames import Scope
from analyzers.comments import picture
from analyzers.frames import community as traces
from lti_tool import comments, community
from lti_tool.surveys import rows
from lti_tool.tables import survey
from tool_config import silos
from tool_config.references import plain
from tool_config.rules import Rules
from tool_config.surveys import Survey
from xapi import datasets

#: Questions that say whether what was expected was met; the first one asked speaks.
_MET = ("expectations", "objectives")
_EMPLOYER = "employer"
#: Grows whenever the meaning of what is packed changes.
_LAYOUT = 3


#: Datasets that the evidence is drawn from.
_KINDS = ("modules", "expectations", "sessions")


@dataclass(frozen=True)
class Ground:
    """What the ranking rests on: of when, and the evidence about each module."""

    made_at: datetime
    #: Names this very state.
    version: str
    modules: tuple[Module, ...]
    #: Sessions without a path: none of their modules is here.
    untied: int

    def find(self, reference: str) -> Module | None:
        """Return a module by its reference."""
        return next((one for one in self.modules if one.reference == reference), None)


def read(conn: Connection, silo_id: int, *, now: datetime, rules: Rules) -> Ground:
    """Return the evidence as it is kept; its `made_at` says of when."""
    return community.read(conn, silo_id, source(rules), now=now)


def ranking(ground: Ground, weights: Mapping[str, int]) -> adapt.Ranking:
    """Return the modules in order; remembered, with the draws, as long as the evidence stays."""
    drawn = community.result(("adapt draws", ground.version), lambda: adapt.draw(ground.modules))
    key = ("adapt", ground.version, *sorted(weights.items()))
    return community.result(key, lambda: adapt.rank(ground.modules, weights, drawn))


def source(rules: Rules) -> community.Source[Ground]:
    """Return the frame that the worker keeps."""
    return community.Source(
        "adapt", lambda conn, silo_id, now: build(conn, silo_id, now=now, rules=rules), _pack, _unpack, _state
    )


@dataclass
class _Found:
    """The counts of one module while they are gathered."""

    title: str
    sessions: set[int] = field(default_factory=set)
    pairs: dict[str, tuple[int, int]] = field(default_factory=dict)
    authors: int = 0
    employees: int = 0
    said: dict[str, Any] = field(default_factory=dict)
    #: As the latest session plans them.
    hours: float | None = None
    marks: float = 0.0
    marked: int = 0

    def add(self, name: str, count: int, n: int) -> None:
        before = self.pairs.get(name, (0, 0))
        self.pairs[name] = before[0] + count, before[1] + n


_Modules = dict[tuple[int, str], _Found]


def build(conn: Connection, silo_id: int, *, now: datetime, rules: Rules) -> Ground:
    """Count everything that the ranking needs; seconds on a large silo."""
    today = now.astimezone(ZoneInfo(silos.get(conn, silo_id).time_zone)).date()
    held = adapt_frames.modules(conn, silo_id)
    names = {row.path_id: row.title for row in adapt_frames.paths(conn, silo_id)}
    found: _Modules = {}
    place: dict[tuple[int, str], tuple[int, str]] = {}
    for one in held:
        key = one.path_id, plain(one.title)
        module = found.setdefault(key, _Found(one.title))
        module.sessions.add(one.course_id)
        module.hours = one.hours if module.hours is None else module.hours
        place[one.course_id, one.iri] = key
    _described(conn, silo_id, found, names)
    _passed(conn, silo_id, found, place, now, today, rules)
    _received(conn, silo_id, found, place, rules.disclosure.course)
    _commented(conn, silo_id, found, held, names)
    _expected(conn, silo_id, found, names)
    counts = [_counts(key, one, names) for key, one in found.items()]
    modules = adapt.weigh(counts, today=today, k=rules.disclosure.across)
    return Ground(now, uuid4().hex, modules, adapt_frames.untied(conn, silo_id))


def _counts(key: tuple[int, str], one: _Found, names: Mapping[int, str]) -> Counts:
    pair, review = one.pairs.get, one.said.get("review_on")
    return Counts(
        path_id=key[0],
        path=names.get(key[0], ""),
        key=key[1],
        title=one.title,
        sessions=len(one.sessions),
        favourable=pair("favourable"),
        met=pair("met"),
        stopped=pair("stopped"),
        through=pair("through"),
        blamed=pair("blamed"),
        authors=one.authors,
        expected=pair("expected"),
        employer=pair("employer"),
        employees=one.employees,
        guarantor=str(one.said.get("guarantor") or ""),
        theme=str(one.said.get("theme") or ""),
        release=str(one.said.get("release") or ""),
        review_on=date.fromisoformat(review) if review else None,
        hours=one.said.get("hours", one.hours),
        marks=(one.marks, one.marked) if one.marked else None,
    )


# --- what files say of modules --------------------------------------------------------------------------


def _described(conn: Connection, silo_id: int, found: _Modules, names: Mapping[int, str]) -> None:
    """Take what the dataset of modules says; a row that names no path is for every path with that module."""
    by_title = {plain(title): path_id for path_id, title in names.items()}
    for _, _, _, data in adapt_frames.rows(conn, silo_id, "modules"):
        key, title = plain(str(data.get("module") or "")), plain(str(data.get("path") or ""))
        if not title:
            wanted = [path_id for path_id in names if (path_id, key) in found]
        else:
            wanted = [by_title[title]] if title in by_title else []
        for path_id in wanted:
            one = found.setdefault((path_id, key), _Found(str(data["module"])))
            one.said |= {name: value for name, value in data.items() if value not in (None, "")}


# --- traces ---------------------------------------------------------------------------------------------


def _passed(
    conn: Connection,
    silo_id: int,
    found: _Modules,
    place: Mapping[tuple[int, str], tuple[int, str]],
    now: datetime,
    today: date,
    rules: Rules,
) -> None:
    quiet = now - timedelta(days=rules.adapt.stopped_days)
    for one in adapt_frames.passed(conn, silo_id, as_of=now, today=today, quiet_since=quiet):
        key = place.get((one.course_id, one.iri))
        if key is not None:
            found[key].add("stopped", one.stopped, one.began)
            found[key].add("through", one.through, one.through + one.stopped)
            found[key].marks += one.marks
            found[key].marked += one.marked


# --- questionnaires -------------------------------------------------------------------------------------


def _received(
    conn: Connection,
    silo_id: int,
    found: _Modules,
    place: Mapping[tuple[int, str], tuple[int, str]],
    k: int,
) -> None:
    """Add up what is published after each module, questionnaires of ``k`` respondents or more."""
    query = select(survey).where(survey.c.silo_id == silo_id, survey.c.module != "")
    asked = [one for one in map(rows.from_row, conn.execute(query)) if one.template.is_satisfaction]
    wanted = {one.template.overall.id for one in asked} | set(_MET)
    published = adapt_frames.published(conn, silo_id, wanted) if asked else {}
    for one in asked:
        key, figures = place.get((one.course_id, one.module)), published.get(one.survey_id)
        if key is None or figures is None or figures.n < k or one.template.phase != "a-chaud":
            continue
        for name, question in (("favourable", one.template.overall.id), ("met", _met(one))):
            asked_for = one.template.question(question)
            if asked_for is None:
                continue
            share = satisfaction.item(asked_for, figures.counts.get(question, {}), k=k).favourable
            if share.count is not None and share.n:
                found[key].add(name, share.count, share.n)


def _met(asked: Survey) -> str:
    return next((name for name in _MET if asked.template.question(name)), "")


# --- comments -------------------------------------------------------------------------------------------


def _commented(
    conn: Connection, silo_id: int, found: _Modules, held: Iterable[Held], names: Mapping[int, str]
) -> None:
    """Count the comments of each module that are in themes where more is blamed than praised."""
    of_path: dict[int, dict[tuple[int, str], str]] = defaultdict(dict)
    for one in held:
        of_path[one.path_id][one.course_id, one.iri] = plain(one.title)
    for path_id in names:
        scope = Scope("path", path_id)
        known = comments.themes(conn, silo_id, scope)
        if not known:
            continue
        lines, anonymous = comments.lines(conn, silo_id, scope, known)
        low = low_themes(lines)
        by_module: dict[str, list[picture.Line]] = defaultdict(list)
        for line in lines:
            key = of_path[path_id].get((line.course_id, line.module))
            if key is not None:
                by_module[key].append(line)
        for key, there in by_module.items():
            spoken = found[path_id, key]
            spoken.add("blamed", sum(line.theme in low for line in there), len(there))
            spoken.authors = picture.people(there, anonymous)


def low_themes(lines: Iterable[picture.Line]) -> frozenset[str]:
    """Return the themes where more comments blame than praise."""
    balance: Counter[str] = Counter()
    for line in lines:
        if line.theme:
            balance[line.theme] += (line.polarity == "negative") - (line.polarity == "positive")
    return frozenset(theme for theme, count in balance.items() if count > 0)


# --- expectations ---------------------------------------------------------------------------------------


def _expected(conn: Connection, silo_id: int, found: _Modules, names: Mapping[int, str]) -> None:
    """Count who expected the theme of each module, and the employer's objectives that name it."""
    paths = _paths_of_sessions(conn, silo_id, names)
    people: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    aims: dict[int, Counter[str]] = defaultdict(Counter)
    about: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for person, session, course_id, data in adapt_frames.rows(conn, silo_id, "expectations"):
        path_id = paths.get(course_id) or paths.get(plain(session or ""))
        theme = plain(str(data.get("theme") or ""))
        if path_id is None or not theme:
            continue
        if data.get("source") == _EMPLOYER:
            aims[path_id][theme] += 1
            if person:
                about[path_id][theme].add(person)
        elif person:
            people[path_id][theme].add(person)
    for (path_id, key), one in found.items():
        themes = {key, plain(str(one.said.get("theme") or ""))} - {""}
        everybody = set().union(*people[path_id].values()) if people[path_id] else set()
        if everybody:
            naming = set().union(*(people[path_id].get(theme, set()) for theme in themes))
            one.pairs["expected"] = len(naming), len(everybody)
        named = sum(aims[path_id][theme] for theme in themes)
        if aims[path_id] and (named or "theme" in one.said):
            one.pairs["employer"] = named, aims[path_id].total()
            one.employees = len(set().union(*(about[path_id].get(theme, set()) for theme in themes)))


def _paths_of_sessions(conn: Connection, silo_id: int, names: Mapping[int, str]) -> dict[Any, int]:
    """Return the path of each course, and of each session that files alone know, by its plain name."""
    found: dict[Any, int] = dict(adapt_frames.paths_of_courses(conn, silo_id))
    by_title = {plain(title): path_id for path_id, title in names.items()}
    for row in datasets.rows(conn, silo_id, "sessions", ("session", "data")):
        path_id = by_title.get(plain(str(row.data.get("path") or "")))
        if path_id is not None and row.session:
            found.setdefault(plain(row.session), path_id)
    return found


# --- kept -------------------------------------------------------------------------------------------------


def _pack(ground: Ground) -> bytes:
    kept = {
        "layout": _LAYOUT,
        "made_at": ground.made_at.isoformat(),
        "version": ground.version,
        "untied": ground.untied,
        "modules": [
            [asdict(one.counts), {name: asdict(found) for name, found in one.evidence.items()}]
            for one in ground.modules
        ],
    }
    return orjson.dumps(kept)


def _unpack(packed: bytes) -> Ground | None:
    kept = orjson.loads(packed)
    if kept["layout"] != _LAYOUT:
        return None
    modules = tuple(
        Module(_restored(counts), {name: Evidence(**_pairs(one)) for name, one in evidence.items()})
        for counts, evidence in kept["modules"]
    )
    return Ground(datetime.fromisoformat(kept["made_at"]), kept["version"], modules, kept["untied"])


def _restored(counts: Mapping[str, Any]) -> Counts:
    review = counts["review_on"]
    return Counts(**{**_pairs(counts), "review_on": date.fromisoformat(review) if review else None})


def _pairs(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return pairs as they were: JSON has lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}


def _state(conn: Connection, silo_id: int, now: datetime) -> tuple[Any, ...]:
    """Return figures that change whenever `build` would find something else."""
    owner = silos.get(conn, silo_id)
    return (
        now.astimezone(ZoneInfo(owner.time_zone)).date(),
        *traces.traces_state(conn, silo_id),
        *adapt_frames.state(conn, silo_id, _KINDS),
    )
