"""What is used after the training: the spaces of ended sessions, and the public site: PURE.

Inside the platform people are known. A visit is a day on which somebody left a trace in the space of a
session that was over; month 1 begins the day after its end. A month counts for those whose session ended long
enough ago for it to be whole. Denominators have k people, promotion by promotion, the same in every view.

On the public site nobody is known: only totals of pages by month and by link arrive here. A page seen is no
person, but fewer pages than k are fewer people than k, so that small totals are hidden all the same, others
with them so that no margin gives them back (`analyzers.suppression`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers import disclosure
from analyzers.disclosure import FEW, OTHER
from analyzers.results import Share
from analyzers.shapes import Columns
from analyzers.suppression import protect

#: Months after the end that are followed: spaces stay open two years.
MONTHS = 24
#: Links told apart on the public site; the less used ones are taken together.
_LINKS = 8
#: Months shown of the public site.
_SHOWN = 24


@dataclass(frozen=True, eq=False)
class Returning:
    """Who was in ended sessions of the platform, and the days on which they came back.

    members: course_id, person, ends (day), promotion (place in `promotions`, −1 unknown). visits: course_id,
    person, ends, month (0 for the first one after the end), days.
    """

    promotions: tuple[str, ...]
    members: Columns
    visits: Columns


@dataclass(frozen=True)
class Return:
    """One month after the end: who came back, among those for whom that month is over."""

    #: From 1.
    month: int
    share: Share
    #: Days with a trace of all of them; None where fewer than k came back.
    visits: int | None


@dataclass(frozen=True)
class Cohort:
    """A promotion (or several small ones, or those of which it is not known) after the end."""

    #: Name of the promotion; `OTHER` for small ones together, "" where it is not known.
    name: str
    people: int
    months: tuple[Return, ...]


@dataclass(frozen=True)
class Returns:
    """Use of the spaces after the end; nothing under k people in all."""

    people: int | None
    sessions: int
    #: Everybody, a month each that is whole for k people at least.
    months: tuple[Return, ...]
    cohorts: tuple[Cohort, ...]


def months_after(ends: NDArray[np.datetime64], days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return how many whole months lie between the end and each later day: 0 in the first month after."""
    first, second = ends.astype("datetime64[M]"), days.astype("datetime64[M]")
    early = (days - second) <= (ends - first)
    made: NDArray[np.int64] = (second.astype(np.int64) - first.astype(np.int64)) - early
    return made


def returns(found: Returning, *, today: date, k: int) -> Returns:
    """Count who came back after the end of their sessions, month by month."""
    members = found.members
    people = np.unique(members["person"])
    if len(people) < k:
        return Returns(None, len(np.unique(members["course_id"])), (), ())
    promotion = np.full(int(people.max()) + 1, -1)
    promotion[members["person"]] = members["promotion"]
    held = np.bincount(promotion[people] + 1, minlength=len(found.promotions) + 1)
    sizes = {name: int(n) for name, n in zip(("", *found.promotions), held, strict=True) if n}
    groups = disclosure.grouped(sizes, k=k, other=OTHER)
    names = sorted(set(groups.values()), key=lambda name: (name in ("", OTHER), name))
    place = np.array([names.index(groups.get(name, name)) if name in groups else -1
                      for name in (*found.promotions, "")])  # fmt: skip
    counts = _count(found, place[promotion], len(names), today)
    hidden = [_hidden(counts[0, :, month], k) for month in range(MONTHS)]
    cohorts = [
        Cohort(
            name,
            sum(sizes[one] for one, group in groups.items() if group == name),
            tuple(_return(m, counts[:, rank, m], k, rank in hidden[m]) for m in range(MONTHS)),
        )
        for rank, name in enumerate(names)
    ]
    totals = counts.sum(axis=1)
    return Returns(
        people=len(people),
        sessions=len(np.unique(members["course_id"])),
        months=tuple(_return(m, totals[:, m], k, False) for m in range(MONTHS) if totals[0, m] >= k),
        cohorts=tuple(cohorts),
    )


def _count(found: Returning, group: NDArray[np.int64], groups: int, today: date) -> NDArray[np.int64]:
    """Return (3, groups, months): people whose month is over, those who came back, days of visits.

    `group`: that of each person.
    """
    members, visits = found.members, found.visits
    lived = np.zeros(len(group), dtype=np.int64)
    np.maximum.at(lived, members["person"], _whole(members["ends"], today))
    people = np.unique(members["person"])
    counts = np.zeros((3, groups, MONTHS), dtype=np.int64)
    ends = np.zeros((groups, MONTHS + 1), dtype=np.int64)
    np.add.at(ends, (group[people], lived[people]), 1)
    # Whoever has lived m months counts in each of the months before.
    counts[0] = np.cumsum(ends[:, ::-1], axis=1)[:, ::-1][:, 1:]
    over = visits["month"] < _whole(visits["ends"], today)
    person, month = visits["person"][over].astype(np.int64), visits["month"][over].astype(np.int64)
    back = np.unique(person * MONTHS + month)
    np.add.at(counts[1], (group[back // MONTHS], back % MONTHS), 1)
    np.add.at(counts[2], (group[person], month), visits["days"][over].astype(np.int64))
    return counts


def _whole(ends: NDArray[Any], today: date) -> NDArray[np.int64]:
    """Return how many months after each end are over."""
    now = np.full(len(ends), np.datetime64(today, "D"))
    made: NDArray[np.int64] = np.clip(months_after(ends, now), 0, MONTHS)
    return made


def _hidden(counts: NDArray[np.int64], k: int) -> set[int]:
    """Return the promotions not shown in a month: those under k, and the smallest while these are too few.

    Promotions that have nobody that far are no secret: their absence is that of time.
    """
    some = {rank: int(n) for rank, n in enumerate(counts) if n}
    return {rank for rank, group in disclosure.grouped(some, k=k, other=-1).items() if group == -1}


def _return(month: int, counts: NDArray[np.int64], k: int, hidden: bool) -> Return:
    n, back, visits = (int(one) for one in counts)
    if not n:
        return Return(month + 1, Share(None, None), None)
    share = Share(None, None, suppressed=FEW) if hidden else disclosure.share(back, n, k=k)
    return Return(month + 1, share, visits if share.count is not None and back >= k else None)


# --- the public site --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Audience:
    """Pages of the public site by month and by link; nothing under k in all."""

    #: "views" (pages seen), or "visits" where the files count nothing else.
    unit: str
    months: tuple[date, ...]
    #: Links, the most used first; `OTHER` for small ones together, "" for pages reached without any.
    links: tuple[str, ...]
    #: (months, links); None: hidden.
    cells: tuple[tuple[int | None, ...], ...]
    #: By month, of all links; None: hidden.
    totals: tuple[int | None, ...]
    robots: int
    #: Pages of the months shown that have k or more, the most seen first.
    resources: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(total or 0 for total in self.totals)


@dataclass(frozen=True)
class Seen:
    """Totals of one month and link, as files give them."""

    month: date
    link: str
    views: int
    visits: int
    robots: int


def audience(rows: Sequence[Seen], resources: Mapping[str, tuple[int, int]], *, k: int) -> Audience | None:
    """Arrange the totals of the public site; None when there is none.

    `resources`: page -> (views, visits).
    """
    if not rows:
        return None
    unit = "views" if any(row.views for row in rows) else "visits"
    months = sorted({row.month for row in rows})[-_SHOWN:]
    counts: defaultdict[tuple[date, str], int] = defaultdict(int)
    for row in rows:
        if row.month in months:
            counts[row.month, row.link] += getattr(row, unit)
    small = {month for month in months if sum(n for (one, _), n in counts.items() if one == month) < k}
    shown = [month for month in months if month not in small]
    link_of = _links({key: n for key, n in counts.items() if key[0] not in small}, k)
    totals: Counter[str] = Counter()
    for (month, link), n in counts.items():
        if month not in small:
            totals[link_of[link]] += n
    links = sorted(totals, key=lambda link: (link == OTHER, link == "", -totals[link], link))
    table = [[0] * len(links) for _ in shown]
    for (month, link), n in counts.items():
        if month not in small:
            table[shown.index(month)][links.index(link_of[link])] += n
    hidden = protect(table, k) if table else frozenset()
    place = 0 if unit == "views" else 1
    ranked = sorted(
        ((name, said[place]) for name, said in resources.items()), key=lambda one: (-one[1], one[0])
    )
    return Audience(
        unit=unit,
        months=tuple(months),
        links=tuple(links),
        cells=tuple(
            (None,) * len(links)
            if month in small
            else tuple(
                None if (shown.index(month), j) in hidden else n
                for j, n in enumerate(table[shown.index(month)])
            )
            for month in months
        ),
        totals=tuple(None if month in small else sum(table[shown.index(month)]) for month in months),
        robots=sum(row.robots for row in rows if row.month in months),
        resources=tuple((name, n) for name, n in ranked[:10] if n >= k),
    )


def _links(counts: Mapping[tuple[date, str], int], k: int) -> dict[str, str]:
    """Return the link under which each is shown: few, and each of k pages."""
    totals: Counter[str] = Counter()
    for (_, link), n in counts.items():
        totals[link] += n
    ranked = sorted((link for link in totals if link), key=lambda link: (-totals[link], link))
    kept = {link: totals[link] for link in (*ranked[:_LINKS], *([""] if "" in totals else []))}
    left = sum(totals[link] for link in ranked[_LINKS:])
    groups = disclosure.grouped({**kept, **({OTHER: left} if left else {})}, k=k, other=OTHER)
    return {link: groups.get(link, OTHER) for link in totals}
