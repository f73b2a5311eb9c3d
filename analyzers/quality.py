"""What is wrong with the data, source by source, and how serious it is. PURE.

A source is a dataset of imported files, the traces of a platform, a key of the store, the lists of
participants, the presences or the questionnaires. The facts come counted (`analyzers.frames.supply`); here
they are judged: each finding has a code, a level and a count, and the page has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median

#: Levels of a finding: figures are wrong, figures are incomplete, good to know.
WRONG, INCOMPLETE, KNOWN = 3, 2, 1
#: Share of the rows (or people) from which a fault makes figures wrong, and from which it counts at all.
_MANY, _SOME = 0.2, 0.01
#: Share of rows under which a field that is counted by is said to be seldom filled in.
_SELDOM = 0.5
#: Days without a trace that are told, then that are serious; weekdays of a hole in the past.
SILENT, DUMB, HOLE = 7, 21, 5
#: Holes of a platform that are told, the longest.
_MOST_HOLES = 2
#: Dated rows from which months are compared.
_ENOUGH = 50
#: Months of the trend, and days after which a dataset that is not received any more is told.
MONTHS, OLD = 12, 200
#: A month under this share of the usual one is a fall.
_FALL = 0.5


@dataclass(frozen=True)
class Values:
    """Values of a field that are not as they should be: how many rows, and those that may be shown."""

    field: str
    rows: int
    #: (value, rows), the most frequent first; a value of too few people is not here.
    shown: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Files:
    """What became of the files of a dataset."""

    received_at: datetime | None = None
    #: Files that wait for somebody to confirm them, and those that could not be taken at all.
    waiting: int = 0
    failed: int = 0
    #: Lines refused that are kept to be mended, and those of them that say otherwise of the same thing.
    refused: int = 0
    twice: int = 0


@dataclass(frozen=True)
class Dataset:
    """A dataset, counted. Where `seen` < `rows`, counts are estimates drawn from `seen` rows at random."""

    kind: str
    rows: int
    seen: int
    #: Last time that a file changed a row.
    written_at: datetime | None = None
    #: Day that rows are about -> rows.
    days: Mapping[date, int] = field(default_factory=dict)
    #: Field -> rows that have a value; fields that are never kept (addresses) count by their hash.
    filled: Mapping[str, int] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    #: Fields that analyses count by or add up.
    counted: frozenset[str] = frozenset()
    outside: tuple[Values, ...] = ()
    sessions: Values = Values("", 0)
    modules: Values = Values("", 0)
    #: Rows that say again of the same person and session what another row says, under another name.
    doubles: int = 0
    people: int = 0
    matched: int = 0
    files: Files = Files()


@dataclass(frozen=True)
class Platform:
    """The traces that came from one platform. `days`: day -> learners a session, over the last months."""

    name: str
    days: Mapping[date, int]


@dataclass(frozen=True)
class Key:
    """What one key of the store wrote among the latest statements of the silo."""

    key_id: str
    label: str
    #: Statements of it among the latest; of these, without a course, and of a verb not understood.
    recent: int = 0
    last_at: datetime | None = None
    courseless: int = 0
    unknown: Values = Values("", 0)
    quarantined: int = 0
    repaired: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rosters:
    """Sessions with recent activity: how many, and titles of those whose list is partial or refused."""

    sessions: int = 0
    partial: tuple[tuple[int, str], ...] = ()
    refused: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Presences:
    """Gatherings that have taken place, and those where nobody is known to have been."""

    gatherings: int = 0
    unmarked: tuple[tuple[int, str], ...] = ()
    last_on: date | None = None


@dataclass(frozen=True)
class Surveys:
    """Questionnaires opened, over, and over with too few answers for anything to be published."""

    opened: int = 0
    over: int = 0
    silent: int = 0
    last_on: date | None = None


@dataclass(frozen=True)
class Supply:
    """All that the silo receives."""

    today: date
    datasets: tuple[Dataset, ...] = ()
    platforms: tuple[Platform, ...] = ()
    keys: tuple[Key, ...] = ()
    rosters: Rosters = Rosters()
    presences: Presences = Presences()
    surveys: Surveys = Surveys()


@dataclass(frozen=True)
class Finding:
    """One thing to mend. `source`: "dataset:people", "platform:…", "key:…", "rosters"…"""

    source: str
    code: str
    level: int
    count: int
    #: Share of the rows, people or sessions that it touches.
    share: float | None = None
    #: Field that it is about.
    field: str = ""
    #: (value, rows) or (course, title) that may be shown.
    shown: tuple[tuple[str, int], ...] = ()
    places: tuple[tuple[int, str], ...] = ()
    #: First and last day of a hole, or the last day spoken of.
    since: date | None = None
    until: date | None = None


def findings(supply: Supply) -> tuple[Finding, ...]:
    """Return what is to be mended, the most serious first."""
    found: list[Finding] = []
    for dataset in supply.datasets:
        found += _of_dataset(dataset, supply.today)
    for platform in supply.platforms:
        found += _of_traces(platform, supply.today)
    for key in supply.keys:
        found += _of_key(key)
    found += _of_sessions(supply)
    return tuple(sorted(found, key=lambda one: (-one.level, -(one.share or 0), -one.count, one.source)))


def _level(share: float) -> int:
    return WRONG if share >= _MANY else INCOMPLETE if share >= _SOME else KNOWN


# --- datasets ------------------------------------------------------------------------------------------


def _of_dataset(one: Dataset, today: date) -> Iterable[Finding]:
    source = f"dataset:{one.kind}"
    if one.rows:
        yield from _filling(source, one)
        yield from _joining(source, one)
        if one.files.received_at and (today - one.files.received_at.date()).days > OLD:
            yield Finding(source, "old", KNOWN, 0, since=one.files.received_at.date())
        yield from _calendar(source, one.days, today)
    files = one.files
    for code, count, level in (
        ("waiting", files.waiting, INCOMPLETE),
        ("failed", files.failed, INCOMPLETE),
        ("twice", files.twice, INCOMPLETE),
        ("refused", files.refused - files.twice, INCOMPLETE),
    ):
        if count > 0:
            yield Finding(source, code, level, count)


def _filling(source: str, one: Dataset) -> Iterable[Finding]:
    """Return what is not filled in, and what is filled in with values that no table knows."""
    for name, count in one.filled.items():
        share = count / one.rows
        if name in one.required and count < one.rows:
            yield Finding(source, "required", WRONG, one.rows - count, 1 - share, name)
        elif name in one.counted and 0 < share < _SELDOM:
            yield Finding(source, "seldom", KNOWN, one.rows - count, 1 - share, name)
    for values in one.outside:
        if values.rows:
            share = values.rows / one.rows
            yield Finding(
                source, "outside", _level(share), values.rows, share, values.field, shown=values.shown
            )


def _joining(source: str, one: Dataset) -> Iterable[Finding]:
    """Return what keeps rows from being joined with the rest: sessions, modules, people."""
    for code, values in (("sessions", one.sessions), ("modules", one.modules)):
        if values.rows:
            share = values.rows / one.rows
            yield Finding(source, code, _level(share), values.rows, share, values.field, shown=values.shown)
    if one.doubles:
        share = one.doubles / one.rows
        yield Finding(source, "doubles", max(_level(share), INCOMPLETE), one.doubles, share)
    left = one.people - one.matched
    if left:
        yield Finding(source, "people", _level(left / one.people), left, left / one.people)


def _calendar(source: str, days: Mapping[date, int], today: date) -> Iterable[Finding]:
    """Return the months without a row between the first and the last, and a fall of the last whole one."""
    if sum(days.values()) < _ENOUGH:
        return
    empty = empty_months(days, today)
    if empty:
        yield Finding(source, "months", KNOWN, len(empty), since=empty[0], until=empty[-1])
    fall = fallen(trend(days, today))
    if fall is not None:
        yield Finding(source, "fall", INCOMPLETE, fall[1], fall[2], since=fall[0])


# --- traces ----------------------------------------------------------------------------------------------


def _of_traces(one: Platform, today: date) -> Iterable[Finding]:
    source = f"platform:{one.name}"
    past = [day for day in one.days if day <= today]
    if not past:
        yield Finding(source, "never", WRONG, 0)
        return
    last = max(past)
    silent = (today - last).days
    if silent >= SILENT:
        yield Finding(source, "silent", WRONG if silent >= DUMB else INCOMPLETE, silent, since=last)
    for first, end, count in holes(past)[:_MOST_HOLES]:
        yield Finding(source, "hole", INCOMPLETE, count, since=first, until=end)
    fall = fallen(trend(one.days, today))
    if fall is not None:
        yield Finding(source, "fall", INCOMPLETE, fall[1], fall[2], since=fall[0])


def _of_key(one: Key) -> Iterable[Finding]:
    source = f"key:{one.key_id}"
    if one.courseless:
        # Sites say who signs in, which is of no course: only a key that says little else is at fault.
        share = one.courseless / one.recent
        level = INCOMPLETE if share >= _SELDOM else KNOWN
        yield Finding(source, "courseless", level, one.courseless, share)
    if one.unknown.rows:
        share = one.unknown.rows / one.recent
        yield Finding(source, "unknown", _level(share), one.unknown.rows, share, shown=one.unknown.shown)
    if one.quarantined:
        yield Finding(source, "quarantined", INCOMPLETE, one.quarantined)
    repaired = sum(count for rule, count in one.repaired.items() if rule != "quarantined")
    if repaired:
        yield Finding(source, "repaired", KNOWN, repaired)
    if not one.recent:
        yield Finding(source, "unused", KNOWN, 0)


def _of_sessions(supply: Supply) -> Iterable[Finding]:
    lists, presences, surveys = supply.rosters, supply.presences, supply.surveys
    for code, some in (("partial", lists.partial), ("problem", lists.refused)):
        if some:
            share = len(some) / lists.sessions
            yield Finding("rosters", code, INCOMPLETE, len(some), share, places=some)
    if presences.unmarked:
        count = len(presences.unmarked)
        share = count / presences.gatherings
        yield Finding("presences", "unmarked", INCOMPLETE, count, share, places=presences.unmarked)
    if surveys.silent:
        yield Finding("surveys", "few", KNOWN, surveys.silent, surveys.silent / surveys.over)


# --- time --------------------------------------------------------------------------------------------------


def trend(days: Mapping[date, int], today: date) -> tuple[tuple[date, int], ...]:
    """Return the rows of the last twelve months, the running one last: (first of the month, rows)."""
    counts: dict[date, int] = {}
    for day, count in days.items():
        first = day.replace(day=1)
        counts[first] = counts.get(first, 0) + count
    month, found = today.replace(day=1), []
    for _ in range(MONTHS):
        found.append((month, counts.get(month, 0)))
        month = (month - timedelta(days=1)).replace(day=1)
    return tuple(reversed(found))


def fallen(months: Sequence[tuple[date, int]]) -> tuple[date, int, float] | None:
    """Return the last whole month, its rows and how far it is under the usual; None when it is not.

    The usual month is the median of the whole months before it that have rows; three at least.
    """
    whole = months[:-1]
    before = [count for _, count in whole[:-1] if count]
    month, count = whole[-1]
    if len(before) < 3 or count >= _FALL * median(before):
        return None
    return month, count, 1 - count / median(before)


def empty_months(days: Mapping[date, int], today: date) -> tuple[date, ...]:
    """Return the months without a row between the first month and the last, over the last twelve."""
    months = trend(days, today)
    filled = [rank for rank, (_, count) in enumerate(months) if count]
    if not filled:
        return ()
    return tuple(month for month, count in months[filled[0] : filled[-1]] if not count)


def holes(days: Sequence[date]) -> tuple[tuple[date, date, int], ...]:
    """Return the runs of weekdays without anything between days: (first, last, weekdays), the longest first.

    Only those of `HOLE` weekdays or more.
    """
    found = []
    ordered = sorted(set(days))
    for before, after in pairwise(ordered):
        between = [before + timedelta(days=shift) for shift in range(1, (after - before).days)]
        weekdays = [day for day in between if day.weekday() < 5]
        if len(weekdays) >= HOLE:
            found.append((weekdays[0], weekdays[-1], len(weekdays)))
    return tuple(sorted(found, key=lambda hole: (-hole[2], hole[0])))
