"""What is sealed of a closed questionnaire beyond its figures: groups of its respondents. PURE.

Made once, after the closing, from people; kept as counts, never made again: two looks that differ by what
became known of somebody in between would tell of that one. Every count obeys `partitions.admit`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from analyzers import crossing, disclosure, partitions
from analyzers.disclosure import FEW, OTHER
from analyzers.intervals import Z95, difference, odds_ratio
from analyzers.paired import Change

#: Cuts by traces and by answers; the others are fields of origin.
DONE, TIME, PRESENCE, STRAIGHT = "done", "time", "presence", "straight"
#: In the order in which they are admitted.
CUTS = (STRAIGHT, DONE, PRESENCE, TIME)
#: Of whom nothing is known in a cut.
UNKNOWN = "unknown"
#: Items answered from which somebody can be said to have answered in a straight line.
LEAST_ITEMS = 4


@dataclass(frozen=True)
class Respondent:
    """Somebody whose answers are in the published figures."""

    favourable: bool
    #: Cut -> category; a cut that is missing knows nothing of them.
    traits: Mapping[str, str]


@dataclass(frozen=True)
class Member:
    """Somebody who could answer."""

    answered: bool
    #: Field of origin -> category.
    origins: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """Respondents of one category."""

    name: str
    n: int
    favourable: int


@dataclass(frozen=True)
class Strength:
    """How far two things go together: Cramér's V with its interval, and the p of its test."""

    v: float
    low: float
    high: float
    p: float
    method: str


@dataclass(frozen=True)
class Breakdown:
    """Favourable answers by group; `suppressed` says why there is none: few, linked."""

    cut: str
    groups: tuple[Group, ...]
    suppressed: str | None = None
    strength: Strength | None = None


@dataclass(frozen=True)
class Turnout:
    """People of one origin, and those of them who answered."""

    name: str
    enrolled: int
    answered: int


@dataclass(frozen=True)
class Representation:
    """Who answered against who could, by one field of origin; `suppressed` says why not: few."""

    cut: str
    groups: tuple[Turnout, ...]
    suppressed: str | None = None
    strength: Strength | None = None


@dataclass(frozen=True)
class Depth:
    """All that is sealed of one questionnaire."""

    made_on: date
    n: int
    favourable: int
    breakdowns: tuple[Breakdown, ...] = ()
    representations: tuple[Representation, ...] = ()
    #: Minutes that part the two groups of the cut by time; None without one.
    minutes: int | None = None
    #: Respondents who answered enough items to be said straight or not.
    items: int = 0
    #: Share of the people asked whose origin is known.
    known: float = 0.0
    #: How the group moved since the first self-positioning of the session, one a competency.
    changes: tuple[Change, ...] = ()

    def breakdown(self, cut: str) -> Breakdown | None:
        return next((one for one in self.breakdowns if one.cut == cut), None)


def seal(
    respondents: Sequence[Respondent],
    members: Sequence[Member],
    *,
    cuts: Sequence[str],
    origins: Sequence[str],
    k: int,
    made_on: date,
    minutes: int | None = None,
    items: int = 0,
    changes: Sequence[Change] = (),
) -> Depth:
    """Count respondents by cut, in the order of `cuts` then `origins`: the first to come is served first."""
    told = {name: _turnout(name, members, k) for name in origins}
    wanted = {cut: [one.traits.get(cut, UNKNOWN) for one in respondents] for cut in cuts}
    for name, (_, groups) in told.items():
        wanted[name] = [
            groups.get(value, OTHER) for value in (one.traits.get(name, UNKNOWN) for one in respondents)
        ]
    outcome = [one.favourable for one in respondents]
    enough = disclosure.enough(len(respondents), k)
    found = partitions.admit(wanted, outcome, k) if enough else {name: ([], FEW) for name in wanted}
    known = sum(any(value != UNKNOWN for value in one.origins.values()) for one in members)
    return Depth(
        made_on=made_on,
        n=len(respondents),
        favourable=sum(outcome),
        breakdowns=tuple(_breakdown(cut, groups, outcome, why) for cut, (groups, why) in found.items()),
        representations=tuple(one for one, _ in told.values()),
        minutes=minutes,
        items=items,
        known=known / len(members) if members else 0.0,
        changes=tuple(changes),
    )


def _breakdown(cut: str, groups: Sequence[str], outcome: Sequence[bool], why: str | None) -> Breakdown:
    if why:
        return Breakdown(cut, (), why)
    sizes = Counter(groups)
    favourable = Counter(name for name, liked in zip(groups, outcome, strict=True) if liked)
    made = tuple(
        Group(name, sizes[name], favourable[name]) for name in sorted(sizes, key=lambda n: (n == OTHER, n))
    )
    return Breakdown(cut, made, None, _strength([[one.favourable, one.n - one.favourable] for one in made]))


def _turnout(name: str, members: Sequence[Member], k: int) -> tuple[Representation, dict[str, str]]:
    """Count who answered by origin, categories gathered until each cell is of nobody or of k people.

    Returned with the category under which each origin is shown, everywhere the same.
    """
    enrolled = Counter(one.origins.get(name, UNKNOWN) for one in members)
    answered = Counter(one.origins.get(name, UNKNOWN) for one in members if one.answered)
    groups = _groups(enrolled, answered, k)
    shown: dict[str, list[int]] = {}
    for value, group in groups.items():
        there = shown.setdefault(group, [0, 0])
        there[0] += enrolled[value]
        there[1] += answered[value]
    if len(shown) < 2 or not all(_whole(one[0], one[1], k) for one in shown.values()):
        return Representation(name, (), FEW), dict.fromkeys(enrolled, OTHER)
    made = tuple(Turnout(group, *shown[group]) for group in sorted(shown, key=lambda n: (n == OTHER, n)))
    table = [[one.answered, one.enrolled - one.answered] for one in made]
    return Representation(name, made, None, _strength(table)), groups


def _whole(enrolled: int, answered: int, k: int) -> bool:
    return answered >= k and (enrolled == answered or enrolled - answered >= k)


def _groups(enrolled: Counter[str], answered: Counter[str], k: int) -> dict[str, str]:
    """Gather the categories with a cell under k, the smallest others with them until they are enough."""
    ranked = sorted(enrolled, key=lambda value: (enrolled[value], value))
    small = [value for value in ranked if not _whole(enrolled[value], answered[value], k)]
    for value in ranked:
        people, said = sum(enrolled[one] for one in small), sum(answered[one] for one in small)
        if not small or _whole(people, said, k):
            break
        if value not in small:
            small.append(value)
    return {value: OTHER if value in small else value for value in enrolled}


def _strength(table: Sequence[Sequence[int]]) -> Strength | None:
    found = crossing.association(np.array(table, dtype=np.int64))
    return None if found is None else Strength(found.v, found.low, found.high, found.p, found.method)


# --- what is worked out from the counts, by those who read them ---------------------------------------


@dataclass(frozen=True)
class Contrast:
    """One group against all the others: difference of shares and odds ratio, each with its interval."""

    group: Group
    rest: tuple[int, int]
    difference: tuple[float, float, float]
    odds_ratio: tuple[float, float, float]

    @property
    def stands_out(self) -> bool:
        return self.difference[1] > 0 or self.difference[2] < 0


def contrasts(found: Breakdown) -> tuple[Contrast, ...]:
    """Return each group against the others; of two groups, only the first against the second."""
    made = []
    for one in found.groups[:1] if len(found.groups) == 2 else found.groups:
        rest = (
            sum(other.favourable for other in found.groups if other is not one),
            sum(other.n for other in found.groups if other is not one),
        )
        own = (one.favourable, one.n)
        made.append(Contrast(one, rest, difference(own, rest), odds_ratio(own, rest)))
    return tuple(made)


def post_stratified(found: Breakdown, turnout: Representation) -> tuple[float, float, float] | None:
    """Return the share weighted as the people asked are, with its interval; None when cells do not allow it.

    p = Σ (Nₕ/N) pₕ, with variance Σ (Nₕ/N)² (1 − nₕ/Nₕ) pₕ(1 − pₕ)/(nₕ − 1). Every stratum must have two
    respondents at least and be shown on both sides. Source: Cochran, *Sampling Techniques* (3rd ed.), 5A.9
    and 5.4.
    """
    groups = {one.name: one for one in found.groups}
    people = {one.name: one.enrolled for one in turnout.groups}
    if not groups or groups.keys() != people.keys() or min(one.n for one in groups.values()) < 2:
        return None
    total, value, variance = sum(people.values()), 0.0, 0.0
    for name, one in groups.items():
        weight, share = people[name] / total, one.favourable / one.n
        value += weight * share
        left = max(0.0, 1 - one.n / people[name])
        variance += weight**2 * left * share * (1 - share) / (one.n - 1)
    half = Z95 * variance**0.5
    return value, max(0.0, value - half), min(1.0, value + half)


# --- kept as JSON ---------------------------------------------------------------------------------------


def dump(depth: Depth) -> dict[str, Any]:
    """Return what is sealed as plain JSON values; `restore` reads it back, equal."""
    return {
        "made_on": depth.made_on.isoformat(),
        "n": depth.n,
        "favourable": depth.favourable,
        "minutes": depth.minutes,
        "items": depth.items,
        "known": depth.known,
        "changes": [asdict(one) for one in depth.changes],
        "breakdowns": [
            {
                "cut": one.cut,
                "suppressed": one.suppressed,
                "groups": [[group.name, group.n, group.favourable] for group in one.groups],
                "strength": _dump_strength(one.strength),
            }
            for one in depth.breakdowns
        ],
        "representations": [
            {
                "cut": one.cut,
                "suppressed": one.suppressed,
                "groups": [[group.name, group.enrolled, group.answered] for group in one.groups],
                "strength": _dump_strength(one.strength),
            }
            for one in depth.representations
        ],
    }


def restore(content: Mapping[str, Any]) -> Depth:
    """Read what `dump` made."""
    return Depth(
        made_on=date.fromisoformat(content["made_on"]),
        n=content["n"],
        favourable=content["favourable"],
        minutes=content["minutes"],
        items=content["items"],
        known=content["known"],
        changes=tuple(Change(**one) for one in content["changes"]),
        breakdowns=tuple(
            Breakdown(
                one["cut"],
                tuple(Group(*group) for group in one["groups"]),
                one["suppressed"],
                _restore_strength(one["strength"]),
            )
            for one in content["breakdowns"]
        ),
        representations=tuple(
            Representation(
                one["cut"],
                tuple(Turnout(*group) for group in one["groups"]),
                one["suppressed"],
                _restore_strength(one["strength"]),
            )
            for one in content["representations"]
        ),
    )


def _dump_strength(found: Strength | None) -> list[Any] | None:
    return None if found is None else [found.v, found.low, found.high, found.p, found.method]


def _restore_strength(found: Sequence[Any] | None) -> Strength | None:
    return None if found is None else Strength(*found)
