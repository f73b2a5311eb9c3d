"""Every analysis of the tool that the data of a silo allow, each with its main figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

from sqlalchemy import Connection, distinct, func, select

from analyzers import (
    aftermath,
    answer_frames,
    engagement,
    frames,
    free_choices,
    modality,
    origins,
    pathways,
    progress,
    recomputed,
    satisfaction,
)
from analyzers.dimensions import ORIGIN, Line, arrange
from lti_tool import adapting, community, journeys, matching, surveys
from lti_tool.benchmarking import columns
from lti_tool.benchmarking.outcomes import (
    NO_REFERENCE,
    AnalysisOutcome,
    Check,
    Figure,
    Said,
    timed,
)
from lti_tool.benchmarking.taking import Room
from lti_tool.community import following
from tool_config import references, rules
from tool_config.database import transaction
from tool_config.rules import Rules
from xapi import datasets
from xapi.tables import course, event

#: Roles of fields that can be crossed.
_ROLES = ("dimension", "path", "session", "module")
_MOST = 6
#: Rows from which fewer dimensions are crossed.
_LARGE = 15_000
#: Datasets with a row a question or a page: crossed as they are, they say nothing.
_APART = {"survey_answers", "consultations", "moodle_logs"}


@dataclass(frozen=True)
class Site:
    """A silo as an analysis reads it."""

    conn: Connection
    silo_id: int
    room: Room
    rules: Rules

    @property
    def k(self) -> int:
        return self.rules.disclosure.across

    def lines(self, kind: str) -> list[Line]:
        """Return the rows of a dataset with who they are about."""
        identity = matching.actors(self.conn, self.silo_id)
        rows = datasets.rows(self.conn, self.silo_id, kind, ("person_key", "valid_on", "data"))
        return [
            Line(identity.get(key, key) if key else _respondent(data), day, data) for key, day, data in rows
        ]


def _respondent(data: object) -> str | None:
    found = data.get("respondent") if isinstance(data, dict) else None
    return f"respondent {found}" if found else None


def run(room: Room, silo_id: int) -> tuple[AnalysisOutcome, ...]:
    """Run each analysis; one that finds nothing to work on is left out, one that fails says why."""
    made = []
    for title, analysis in ANALYSES:
        figures: tuple[Figure, ...] = ()
        failed = ""
        with timed() as clock:
            try:
                with transaction(room.engine, silo_id, write=False) as conn:
                    figures = tuple(analysis(Site(conn, silo_id, room, rules.load())))
            except Exception as error:  # one analysis must not keep the others from being run
                failed = f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"
        if figures or failed:
            made.append(AnalysisOutcome(title, figures, clock, failed))
    return tuple(made)


# --- traces -----------------------------------------------------------------------------------------------


def _courses(site: Site) -> list[tuple[int, str]]:
    query = select(course.c.course_id, course.c.title).where(
        course.c.silo_id == site.silo_id, course.c.course_id >= 0
    )
    events = select(event.c.course_id).where(event.c.silo_id == site.silo_id).distinct()
    rows = site.conn.execute(query.where(course.c.course_id.in_(events)).order_by(course.c.course_id))
    return [(row.course_id, row.title or "?") for row in rows]


def _progress(site: Site) -> Iterator[Figure]:
    """Say who was active in each course, and how far modules were taken."""
    for course_id, title in _courses(site)[:_MOST]:
        read = frames.course(site.conn, site.silo_id, course_id, as_of=site.room.now(), rules=site.rules)
        overview, found = engagement.overview(read), progress.course(read)
        seen = site.conn.scalar(
            select(func.count(distinct(event.c.actor))).where(
                event.c.silo_id == site.silo_id, event.c.course_id == course_id
            )
        )
        finished = max((module.finished for module in found.modules), default=0)
        yield Figure(
            Said(
                f"« {title} » : {overview.enrolled} inscrits, {overview.connected} vus ; "
                f"{len(found.modules)} modules, le plus terminé l’est par {finished}",
                f"“{title}”: {overview.enrolled} enrolled, {overview.connected} seen; "
                f"{len(found.modules)} modules, the most finished one by {finished}",
            ),
            _people(site, int(seen or 0)),
        )


def _people(site: Site, seen: int) -> Check:
    """Set the people counted in the traces against those of the data's own README."""
    if seen > 5 and str(seen) in site.room.readme.replace(",", "").split():
        return Check(Said(f"son README dit {seen} personnes", f"its README says {seen} people"), True)
    return Check(Said(f"{seen} acteurs comptés en SQL", f"{seen} actors counted in SQL"))


# --- files ------------------------------------------------------------------------------------------------


def _satisfaction(site: Site) -> Iterator[Figure]:
    """Say the best and the least received questions, of what is published."""
    published = answer_frames.silo(site.conn, site.silo_id)
    for asked in surveys.in_silo(site.conn, site.silo_id):
        found = published.get(asked.survey_id)
        if found is None or not found.n:
            continue
        items = [
            (satisfaction.item(one, found.counts.get(one.id, {}), k=site.k).favourable, one)
            for one in asked.template.closed
            if one.scale
        ]
        known = [(share, one) for share, one in items if share.count is not None and share.n]
        if not known:
            continue
        known.sort(key=lambda pair: -(pair[0].value or 0))
        for share, one in (known[0], known[-1]) if len(known) > 1 else known[:1]:
            count, n = share.count or 0, share.n or 1
            low, high = recomputed.wilson(count, n)
            close = share.low is not None and share.high is not None
            holds = close and abs((share.low or 0) - low) < 1e-6 and abs((share.high or 0) - high) < 1e-6
            text = (one.text.fr or one.text.en)[:70]
            yield Figure(
                Said(
                    f"« {text} » : {count / n:.1%} de réponses hautes [{share.low:.1%} ; {share.high:.1%}] "
                    f"(n = {n} ; {len(known)} questions)",
                    f"“{text}”: {count / n:.1%} high answers [{share.low:.1%}; {share.high:.1%}] "
                    f"(n = {n}; {len(known)} questions)",
                ),
                Check(Said(f"scipy : [{low:.4f} ; {high:.4f}]", f"scipy: [{low:.4f}; {high:.4f}]"), holds),
            )


def _crossing(site: Site) -> Iterator[Figure]:
    """Cross the dimensions of each dataset two by two, origins included; the strongest first."""
    known, counts = datasets.known(site.conn, site.silo_id), datasets.counts(site.conn, site.silo_id)
    origin = (
        {line.person: line.data for line in site.lines("people") if line.person} if "people" in counts else {}
    )
    for kind in sorted(counts.keys() - _APART):
        fields = [field.id for field in known[kind].fields if field.role in _ROLES]
        if known[kind].of_role("person") and kind != "people" and origin:
            fields += [f"{ORIGIN}{field.id}" for field in known["people"].dimensions]
        lines = site.lines(kind)
        # Of large data sets, fewer pairs: to prove, not to wait.
        used = [name for name in fields if _varies(lines, origin, name)][: 7 if len(lines) < _LARGE else 4]
        found = []
        for row, column in combinations(used, 2):
            if kind != "people" and row.startswith(ORIGIN) and column.startswith(ORIGIN):
                continue  # two origins are crossed with the people themselves
            arranged = arrange(lines, origin, row, column, used)
            crossed = arranged.cross(site.k)
            if crossed.association is not None:
                found.append((crossed.association, row, column, arranged))
        found.sort(key=lambda one: -one[0].v)
        for association, row, column, arranged in found[:3]:
            exact = arranged.pairs if association.method == "chi2" else ()
            yield Figure(
                Said(
                    f"{kind} : {row} × {column}, V = {association.v:.3f} "
                    f"[{association.low:.3f} ; {association.high:.3f}] (n = {association.n})",
                    f"{kind}: {row} × {column}, V = {association.v:.3f} "
                    f"[{association.low:.3f}; {association.high:.3f}] (n = {association.n})",
                ),
                columns.same_chi2(association, exact) if exact else NO_REFERENCE,
            )


def _varies(lines: list[Line], origin: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    """Say whether a dimension has two values at least, and not one a row."""
    if name.startswith(ORIGIN):
        key = name.removeprefix(ORIGIN)
        values = {str(data.get(key)) for data in origin.values() if data.get(key)}
    else:
        values = {str(line.data.get(name)) for line in lines if line.data.get(name) not in (None, "", [])}
    return 1 < len(values) <= 60


def _origins(site: Site) -> Iterator[Figure]:
    """Say who comes, by each trait known: its commonest category."""
    found = community.load(site.conn, site.silo_id, now=site.room.now())
    came = origins.units(found)
    zones = {
        entry.id: entry.attributes["zone"]
        for entry in references.load()["academies"].entries.values()
        if "zone" in entry.attributes
    }
    for name in list(found.traits)[:_MOST]:
        grid = origins.grid(found, came, name, zones, k=site.k)
        picture = origins.picture(grid, grid.years[-1]) if grid is not None and grid.years else None
        if picture is None or not picture.lines:
            trait = found.traits[name]
            known = int((trait.codes >= 0).sum())
            values = Counter(trait.codes[trait.codes >= 0].tolist()).most_common(1)
            if known >= site.k and values and values[0][1] >= site.k:
                share = values[0][1] / known
                said = f"{name} : « {trait.values[values[0][0]]} » {share:.1%} (n = {known})"
                yield Figure(Said(said, said.replace(" :", ":")))
            continue
        first = picture.lines[0]
        if first.share.value is not None:
            said = (
                f"{name}, {picture.year} : « {first.row.key} » {first.share.value:.1%} (n = {first.share.n})"
            )
            yield Figure(Said(said, said.replace(" :", ":")))


def _choices(site: Site) -> Iterator[Figure]:
    """Say what is chosen most, among free choices."""
    rows = [line for line in site.lines("module_choices") if line.person and line.data.get("module")]
    picked = Counter(str(line.data["module"]) for line in rows)
    people = len({line.person for line in rows})
    if people >= site.k:
        name, count = picked.most_common(1)[0]
        yield Figure(
            Said(
                f"« {name} » choisi par {count} personnes sur {people}",
                f"“{name}” chosen by {count} of {people}",
            )
        )
    found = community.load(site.conn, site.silo_id, now=site.room.now())
    base = free_choices.base(free_choices.of_enrolments(found, "path"), k=site.k)
    if base is not None:
        options = free_choices.options(base)
        if options:
            yield Figure(
                Said(f"{len(options)} parcours choisis librement", f"{len(options)} paths freely chosen")
            )


def _sizing(site: Site) -> Iterator[Figure]:
    """Say how sessions are filled."""
    found = community.load(site.conn, site.silo_id, now=site.room.now())
    if not len(found.enrolments["person"]) or len(found.names) < 2:
        return
    sizes = Counter(found.enrolments["session"].tolist())
    counts = sorted(sizes.values())
    yield Figure(
        Said(
            f"{len(counts)} sessions avec des inscrits, de {counts[0]} à {counts[-1]} (médiane "
            f"{median(counts):g})",
            f"{len(counts)} sessions with people, from {counts[0]} to {counts[-1]} (median "
            f"{median(counts):g})",
        ),
    )


def _pathways(site: Site) -> Iterator[Figure]:
    """Say how the modules of each path are gone through: order, returns, where people stop."""
    for path_id in journeys.paths(site.conn, site.silo_id)[:_MOST]:
        ways = journeys.load(site.conn, site.silo_id, path_id, now=site.room.now())
        found = pathways.picture(ways, k=site.k, stopped_days=site.rules.adapt.stopped_days)
        if found is None or found.agreement is None:
            continue
        order = found.agreement
        yield Figure(
            Said(
                f"{ways.people} personnes, {len(found.placed)} modules situés ; accord avec l’ordre prévu "
                f"τ = {order.mean:.2f} [{order.low:.2f} ; {order.high:.2f}] (n = {order.n})",
                f"{ways.people} people, {len(found.placed)} modules placed; agreement with the design "
                f"τ = {order.mean:.2f} [{order.low:.2f}; {order.high:.2f}] (n = {order.n})",
            )
        )


def _modality(site: Site) -> Iterator[Figure]:
    """Say what was followed at a distance and in person."""
    found = community.load(site.conn, site.silo_id, now=site.room.now())
    followed = following.load(site.conn, site.silo_id, now=site.room.now())
    if not len(followed.hours["hours"]):
        return
    study = modality.study(found, followed, k=site.k)
    told = sum(count for count in study.sessions)
    hours = float(followed.hours["hours"].sum())
    yield Figure(
        Said(
            f"{hours:.0f} heures suivies en ligne ou en présence, {told} sessions terminées comparées",
            f"{hours:.0f} hours followed on line or in person, {told} ended sessions compared",
        )
    )


def _adapt(site: Site) -> Iterator[Figure]:
    """Say which module comes first among those to adapt."""
    ground = adapting.read(site.conn, site.silo_id, now=site.room.now(), rules=site.rules)
    ranking = adapting.ranking(ground, site.rules.adapt.weights)
    if not ranking.lines:
        return
    first = ranking.lines[0]
    known = len(first.known)
    yield Figure(
        Said(
            f"{len(ranking.lines)} modules, {len(ranking.ranked)} rangés ; le premier : "
            f"« {first.module.counts.title} » ({known} indices connus)",
            f"{len(ranking.lines)} modules, {len(ranking.ranked)} ranked; the first: "
            f"“{first.module.counts.title}” ({known} pieces of evidence known)",
        )
    )


def _marks(site: Site) -> Iterator[Figure]:
    """Say the marks; their mean is set against pandas."""
    rows = datasets.rows(site.conn, site.silo_id, "assessment_results", ("data",))
    scores = [float(data["score"]) for (data,) in rows if data.get("score") is not None]
    if len(scores) < site.k:
        return
    mean, other = sum(scores) / len(scores), recomputed.mean_of(scores)
    yield Figure(
        Said(
            f"{len(scores)} notes, moyenne {mean:.2f}, médiane {median(scores):g}",
            f"{len(scores)} marks, mean {mean:.2f}, median {median(scores):g}",
        ),
        Check(Said(f"pandas : {other:.4f}", f"pandas: {other:.4f}"), abs(mean - other) < 1e-9),
    )


def _audience(site: Site) -> Iterator[Figure]:
    """Say how much the public site is seen, by month."""
    seen: dict[tuple[object, str], list[int]] = {}
    resources: dict[str, tuple[int, int]] = {}
    for day, data in datasets.rows(site.conn, site.silo_id, "consultations", ("valid_on", "data")):
        views, visits = int(data.get("views") or 0), int(data.get("visits") or 0)
        name = str(data.get("resource") or "")
        before = resources.get(name, (0, 0))
        resources[name] = before[0] + views, before[1] + visits
        if day is not None:
            months = seen.setdefault((day.replace(day=1), str(data.get("promotion") or "")), [0, 0, 0])
            for place, value in enumerate((views, visits, int(data.get("robots") or 0))):
                months[place] += value
    rows = [aftermath.Seen(month, link, *counts) for (month, link), counts in sorted(seen.items(), key=str)]  # type: ignore[arg-type]
    found = aftermath.audience(rows, resources, k=site.k)
    if found is None:
        return
    robots = sum(row.robots for row in rows)
    yield Figure(
        Said(
            f"{len(resources)} pages, {found.total} consultations montrées sur "
            f"{len({row.month for row in rows})} "
            f"mois, {robots} passages de robots écartés",
            f"{len(resources)} pages, {found.total} views shown over {len({row.month for row in rows})} "
            f"months, "
            f"{robots} visits of robots left out",
        )
    )


# --- columns ----------------------------------------------------------------------------------------------


def _columns_crossed(site: Site) -> Iterator[Figure]:
    for raw in site.room.tables:
        if raw.kind in ("", "survey_answers"):
            yield from _named(raw.name, columns.crossings(raw, site.k))


def _interruption(site: Site) -> Iterator[Figure]:
    for raw in site.room.tables:
        yield from _named(raw.name, columns.interruptions(raw))


def _comments(site: Site) -> Iterator[Figure]:
    for raw in site.room.tables:
        if raw.kind in ("", "survey_answers", "expectations"):
            yield from _named(raw.name, columns.comments(raw))


def _named(name: str, found: Iterable[Figure]) -> Iterator[Figure]:
    for one in found:
        yield Figure(Said(f"{name} : {one.said.fr}", f"{name}: {one.said.en}"), one.check)


Analysis = Callable[[Site], Iterable[Figure]]
ANALYSES: tuple[tuple[Said, Analysis], ...] = (
    (Said("Avancement", "Progress"), _progress),
    (Said("Satisfaction", "Satisfaction"), _satisfaction),
    (Said("Origines", "Origins"), _origins),
    (Said("Choix", "Choices"), _choices),
    (Said("Croisements", "Crossings"), _crossing),
    (Said("Croisements de colonnes", "Crossings of columns"), _columns_crossed),
    (Said("Interruption (Kaplan–Meier)", "Interruption (Kaplan–Meier)"), _interruption),
    (Said("Effectifs", "Sizes"), _sizing),
    (Said("Cheminements", "Pathways"), _pathways),
    (Said("Présence et distance", "Presence and distance"), _modality),
    (Said("À adapter", "To adapt"), _adapt),
    (Said("Notes", "Marks"), _marks),
    (Said("Commentaires", "Comments"), _comments),
    (Said("Site public", "Public site"), _audience),
)
