"""Comments read, filtered and counted under the guard: what a page may show of them. PURE and light.

Everything shown of a comment is drawn from its published text. A group is shown when people enough wrote it:
people are counted at least, never at most, because the comments of an anonymous questionnaire are not tied
to each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from analyzers import disclosure
from analyzers.results import Share

#: What comments may be narrowed by, one at a time; then by theme, then by polarity.
DIMENSIONS = ("module", "phase", "object")
POLARITIES = ("negative", "neutral", "positive")
VERBATIMS = 3
#: Words that name a theme, and on which its stability is judged.
TOP = 10


class Line(NamedTuple):
    """A comment, without its text. `theme` is "" for none; `object` "" where nothing says it."""

    course_id: int
    survey_id: str
    comment_id: str
    question: str
    respondent: str
    module: str
    phase: str
    object: str
    theme: str
    closeness: float
    polarity: str


@dataclass(frozen=True)
class Choice:
    """What a page is narrowed to; empty: everything."""

    dimension: str = ""
    value: str = ""
    theme: str = ""
    polarity: str = ""


@dataclass(frozen=True)
class ThemePicture:
    """A theme as it may be shown."""

    theme_id: str
    count: int
    #: Of the comments in view.
    share: float
    polarities: Mapping[str, int]
    positive: Share
    #: The comments nearest to its words, of different people.
    verbatims: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """What is shown of comments."""

    #: None under the threshold: nothing else is shown then.
    count: int | None
    themes: tuple[ThemePicture, ...] = ()
    #: Comments of no theme, or of themes too small; None when nothing may be said of them.
    others: int | None = None
    polarities: Mapping[str, int] | None = None
    positive: Share | None = None
    #: Dimension -> value -> number of comments, of those that may be chosen; "other" gathers the small ones.
    choices: Mapping[str, Mapping[str, int]] | None = None
    #: Comments chosen, in the order drawn for them; None when too few people wrote them.
    chosen: tuple[str, ...] | None = ()


def people(lines: Iterable[Line], anonymous: Collection[str]) -> int:
    """Return how many people at least wrote comments; `anonymous`: the questionnaires that are so.

    Of an anonymous questionnaire a person answers once, and writes one comment a question at most: the
    question with most comments counts, in the questionnaire of the course that has most. Courses add up.
    """
    named: dict[int, set[str]] = {}
    hidden: dict[int, Counter[tuple[str, str]]] = {}
    for line in lines:
        if line.survey_id in anonymous:
            hidden.setdefault(line.course_id, Counter())[line.survey_id, line.question] += 1
        else:
            named.setdefault(line.course_id, set()).add(line.respondent)
    everybody = set().union(*named.values()) if named else set()
    more = sum(
        max(0, max(counts.values()) - len(named.get(course_id, ()))) for course_id, counts in hidden.items()
    )
    return len(everybody) + more


def draw(
    lines: Sequence[Line],
    choice: Choice,
    *,
    anonymous: Collection[str],
    k: int,
    found: Collection[str] | None = None,
) -> Picture:
    """Return what may be shown of comments; `found`: the comments that a search keeps among those chosen."""
    if not disclosure.enough(people(lines, anonymous), k):
        return Picture(None)
    choices, groups = _choices(lines, anonymous, k)
    here = list(lines)
    if choice.dimension:
        group = groups.get(choice.dimension, {})
        here = [line for line in lines if group.get(getattr(line, choice.dimension)) == choice.value]
    if not disclosure.enough(people(here, anonymous), k):
        return Picture(None, choices=choices)
    shown = _grouped(here, lambda line: line.theme or disclosure.OTHER, anonymous, k)
    by_theme: dict[str, list[Line]] = {}
    for line in here:
        by_theme.setdefault(shown[line.theme or disclosure.OTHER], []).append(line)
    others = by_theme.pop(disclosure.OTHER, [])
    drawn = [_theme(name, of_one, len(here), anonymous, k) for name, of_one in by_theme.items()]
    counts = Counter(line.polarity for line in here)
    chosen = [
        line
        for line in here
        if (not choice.theme or shown[line.theme or disclosure.OTHER] == choice.theme)
        and (not choice.polarity or line.polarity == choice.polarity)
    ]
    listed: tuple[str, ...] | None = None
    if disclosure.enough(people(chosen, anonymous), k):
        listed = tuple(
            sorted(line.comment_id for line in chosen if found is None or line.comment_id in found)
        )
    return Picture(
        count=len(here),
        themes=tuple(sorted(drawn, key=lambda theme: (-theme.count, theme.theme_id))),
        others=len(others) if disclosure.enough(people(others, anonymous), k) else None,
        polarities={name: counts[name] for name in POLARITIES},
        positive=disclosure.share(counts["positive"], len(here), k=k),
        choices=choices,
        chosen=listed,
    )


def _choices(
    lines: Sequence[Line], anonymous: Collection[str], k: int
) -> tuple[dict[str, dict[str, int]], dict[str, Mapping[str, str]]]:
    """Return what may be chosen in each dimension, with its comments; and value -> the choice it is under."""
    choices: dict[str, dict[str, int]] = {}
    groups: dict[str, Mapping[str, str]] = {}
    for name in DIMENSIONS:
        values = Counter(getattr(line, name) for line in lines)
        if len(values) == 1:  # there is no choice, and counting people costs
            groups[name] = {value: value for value in values}
            choices[name] = dict(values)
            continue
        groups[name] = _grouped(lines, lambda line, name=name: getattr(line, name), anonymous, k)  # type: ignore[misc]
        of_group: dict[str, list[Line]] = {}
        for line in lines:
            of_group.setdefault(groups[name][getattr(line, name)], []).append(line)
        choices[name] = {
            value: len(there)
            for value, there in of_group.items()
            if disclosure.enough(people(there, anonymous), k)
        }
    return choices, groups


def _grouped(
    lines: Iterable[Line], value: Callable[[Line], str], anonymous: Collection[str], k: int
) -> Mapping[str, str]:
    of_value: dict[str, list[Line]] = {}
    for line in lines:
        of_value.setdefault(value(line), []).append(line)
    counts = {name: people(there, anonymous) for name, there in of_value.items()}
    return disclosure.grouped(counts, k=k, other=disclosure.OTHER)


def _theme(name: str, lines: Sequence[Line], total: int, anonymous: Collection[str], k: int) -> ThemePicture:
    counts = Counter(line.polarity for line in lines)
    return ThemePicture(
        theme_id=name,
        count=len(lines),
        share=len(lines) / total,
        polarities={polarity: counts[polarity] for polarity in POLARITIES},
        positive=disclosure.share(counts["positive"], len(lines), k=k),
        verbatims=_verbatims(lines),
    )


def _verbatims(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the comments nearest to the words of their theme, one a person, and not the same words twice.

    Comments of the same words are exactly as near.
    """
    found: dict[str, str] = {}
    near: set[float] = set()
    for line in sorted(lines, key=lambda line: (-line.closeness, line.comment_id)):
        if line.respondent in found or line.closeness in near:
            continue
        near.add(line.closeness)
        found[line.respondent] = line.comment_id
        if len(found) == VERBATIMS:
            break
    return tuple(found.values())


def mixed(profiles: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """Return the first words of several themes, in turn, each once."""
    rows = [sorted(profile, key=lambda word: (-profile[word], word)) for profile in profiles]
    turns = [row[turn] for turn in range(TOP) for row in rows if turn < len(row)]
    return tuple(dict.fromkeys(turns))[:TOP]
