"""Counts of a path put into lines that may be shown: a lot of sessions each, and their sum. PURE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analyzers import disclosure
from analyzers.results import Share
from analyzers.survey_results import SurveySummary
from lti_tool.documents.content import Whisker, Whiskers
from lti_tool.evidence import lots
from lti_tool.evidence.facts import Session
from lti_tool.exports import Cell, Column, Columns, Table
from lti_tool.formatting import number, percent

#: Lines of one drawing; more are told by their table alone.
MOST_DRAWN = 12


@dataclass(frozen=True)
class Counted:
    """What one session counts for: people whom the guard counts, answers in all, and some of these."""

    people: int
    n: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """A lot of sessions, or their sum."""

    label: str
    #: School year; "" for the sum.
    year: str
    sessions: int
    n: int
    counts: tuple[int, ...]

    def share(self, rank: int, k: int) -> Share:
        """Return one of the counts among n, with its interval."""
        return disclosure.share(min(self.counts[rank], self.n), self.n, k=k)


@dataclass(frozen=True)
class Measured:
    """The lines of one measure; `total` None when nothing may be shown."""

    lines: tuple[Line, ...]
    total: Line | None
    #: Sessions that have something to count, but too little to be shown.
    left_out: int


def measure(sessions: Sequence[Session], counted: Callable[[Session], Counted | None], k: int) -> Measured:
    """Count over sessions by lots of ``k`` enrolled at least, the same lots whatever is counted.

    A lot is told when every session of it has something to count (None: it does not), and ``k`` people
    together. The lots rest on the enrolled alone, so that what is counted later never moves a session from
    one to another.
    """
    known = {one.course_id: one for one in sessions}
    found = {key: counted(one) for key, one in known.items()}
    lines: list[Line] = []
    told: set[int] = set()
    for lot in enrolled(sessions, k).told:
        mine = [(known[key], one) for key in lot.parts if (one := found[key]) is not None]
        people = sum(one.people for _, one in mine)
        if len(mine) == len(lot.parts) and disclosure.enough(people, k):
            lines.append(_line(lot, mine))
            told |= set(lot.parts)
    left = sum(one is not None and one.people > 0 and key not in told for key, one in found.items())
    if not lines:
        return Measured((), None, left)
    sums = tuple(sum(column) for column in zip(*(line.counts for line in lines), strict=True))
    total = Line("Ensemble", "", sum(line.sessions for line in lines), sum(line.n for line in lines), sums)
    return Measured(tuple(lines), total, left)


def enrolled(sessions: Sequence[Session], k: int) -> lots.Lots[int]:
    """Return the lots of sessions, by their numbers."""
    return lots.make([lots.Part(one.course_id, one.year, one.enrolled) for one in sessions], k)


def _line(lot: lots.Lot[int], found: list[tuple[Session, Counted]]) -> Line:
    first = found[0][0]
    return Line(
        label=first.title if len(found) == 1 else f"{len(found)} sessions réunies",
        year=lots.year_label(lot.year),
        sessions=len(found),
        n=sum(counted.n for _, counted in found),
        counts=tuple(sum(column) for column in zip(*(counted.counts for _, counted in found), strict=True)),
    )


# --- as blocks of a document -------------------------------------------------------------------------------


def table(
    name: str,
    title: str,
    found: Measured,
    k: int,
    *,
    n: str,
    shares: Sequence[tuple[int, str]],
    counts: Sequence[tuple[int, str]] = (),
    interval: bool = False,
    notes: Sequence[tuple[str, str]] = (),
) -> Table:
    """Return a line a lot, then their sum; ``interval`` adds that of the first share.

    ``shares`` and ``counts``: rank of the count, title of its column.
    """
    columns: Columns = [
        "Session", "Année", Column(n, digits=0),
        *(Column(heading, digits=0) for _, heading in counts),
        *(Column(heading, percent=True) for _, heading in shares),
        *((Column("de", percent=True), Column("à", percent=True)) if interval else ()),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    lines = [*found.lines, *([found.total] if found.total and len(found.lines) > 1 else [])]
    for line in lines:
        cells: list[Cell] = [line.label, line.year, line.n, *(line.counts[rank] for rank, _ in counts)]
        cells += [line.share(rank, k).value for rank, _ in shares]
        if interval:
            first = line.share(shares[0][0], k)
            cells += [first.low, first.high]
        rows.append(tuple(cells))
    return Table(name, title, columns, rows, notes, left_out(found, k))


def left_out(found: Measured, k: int) -> str:
    """Say how many sessions are not counted because they have too few people; "" when none is."""
    if not found.left_out:
        return ""
    if found.left_out == 1:
        return (
            f"1 session n’a pas {number(k)} personnes à compter, même réunie à d’autres de son année : elle "
            "n’est dans aucun total."
        )
    return (
        f"{number(found.left_out)} sessions n’ont pas {number(k)} personnes à compter, même réunies à "
        "d’autres de leur année : elles ne sont dans aucun total."
    )


def whiskers(title: str, found: Measured, rank: int, k: int) -> list[Whiskers]:
    """Return the drawing of one share a lot; none when there is one line or too many."""
    if not 1 < len(found.lines) <= MOST_DRAWN or found.total is None:
        return []
    rows = [
        Whisker(
            f"{line.label} ({line.year})" if line.year else line.label, s.value, s.low, s.high, in_words(s)
        )
        for line in (*found.lines, found.total)
        if (s := line.share(rank, k)).value is not None and s.low is not None and s.high is not None
    ]
    alt = f"{title}. " + " ; ".join(f"{row.label} : {row.said}" for row in rows) + "."
    return [Whiskers(title, alt, tuple(rows))]


def in_words(share: Share) -> str:
    """Write a share with its interval: "62 % (de 55 % à 68 %)"."""
    return f"{percent(share.value)} (de {percent(share.low)} à {percent(share.high)})"


# --- questionnaires ----------------------------------------------------------------------------------------


def opinions(surveys: Iterable[SurveySummary]) -> Counted | None:
    """Count favourable overall answers of some questionnaires, as published; None when nothing was asked.

    People: the largest questionnaire, since the same people may have answered them all.
    """
    asked = list(surveys)
    if not asked:
        return None
    shown = [one for one in asked if one.overall.favourable.n]
    return Counted(
        people=max((one.overall.favourable.n or 0 for one in shown), default=0),
        n=sum(one.overall.favourable.n or 0 for one in shown),
        counts=(sum(one.overall.favourable.count or 0 for one in shown),),
    )


def replies(surveys: Iterable[SurveySummary]) -> Counted | None:
    """Count who answered among who was asked, of the questionnaires that say both; None when none does."""
    said = [one.response for one in surveys if one.state == "closed" and one.response.n]
    if not said:
        return None
    return Counted(
        people=max(one.count or 0 for one in said),
        n=sum(one.n or 0 for one in said),
        counts=(sum(one.count or 0 for one in said),),
    )
