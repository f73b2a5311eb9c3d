"""Themes found again beside those that a reader renamed or merged, which stay. PURE.

The rule, in three steps:

1. a comment that is in a reader's theme stays in it for as long as it is published;
2. a theme found again that has the words of a reader's theme (cosine of half, or a fifth with half of its
   comments) is that theme: the new comments of the one join the other;
3. a new comment nearer to the words of a reader's theme than to those of any theme found joins it too.

What is left makes the themes found, which keep their identifier from one analysis to the next by their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzers.comments.picture import TOP, mixed
from analyzers.comments.themes import Found, Space

#: Cosine from which two lists of words are one theme; that which is enough when half the comments are shared.
SAME, NEAR, SHARED = 0.5, 0.2, 0.5
#: A comment joins a reader's theme from this cosine on.
_JOINS = 0.12

Profile = dict[str, float]


@dataclass(frozen=True)
class Kept:
    """A reader's theme: the words of what it was made of, and the places of its comments among those read."""

    theme_id: str
    profiles: tuple[Profile, ...]
    members: frozenset[int]


@dataclass(frozen=True)
class Known:
    """A theme of the last analysis that nobody touched."""

    theme_id: str
    profile: Profile


@dataclass(frozen=True)
class Theme:
    """A theme of now; `theme_id` is "" for a new one."""

    theme_id: str
    kept: bool
    profiles: tuple[Profile, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Placed:
    """Every comment in a theme, by its place in `themes`, or -1; and how near to its words it is."""

    themes: tuple[Theme, ...]
    members: tuple[int, ...]
    closeness: tuple[float, ...]


def place(held: Space, found: Found, kept: Sequence[Kept], known: Sequence[Known]) -> Placed:
    """Return the themes of now, the reader's first."""
    topics = _columns(held, found.profiles)
    parts = [(rank, held.vector(profile)) for rank, theme in enumerate(kept) for profile in theme.profiles]
    same = _same(found, topics, kept, parts)
    near, nearest = _nearest(held, parts)
    stays = {comment: rank for rank, theme in enumerate(kept) for comment in theme.members}
    left = [topic for topic in range(len(found.profiles)) if topic not in same]
    place_of = {topic: len(kept) + rank for rank, topic in enumerate(left)}
    members: list[int] = []
    closeness: list[float] = []
    for comment, (topic, own) in enumerate(zip(found.members, found.closeness, strict=True)):
        joins = near[comment] >= _JOINS and near[comment] > own
        if comment in stays:
            members.append(stays[comment])
        elif topic in same:
            members.append(same[topic])
        elif joins:
            members.append(int(nearest[comment]))
        else:
            members.append(place_of.get(topic, -1))
        closeness.append(round(max(own, float(near[comment])) if members[-1] < len(kept) else own, 4))
    made = [
        Theme(theme.theme_id, True, theme.profiles, _words(held, members, rank, theme.profiles))
        for rank, theme in enumerate(kept)
    ]
    names = _recognised([found.profiles[topic] for topic in left], known)
    made += [
        Theme(name, False, (found.profiles[topic],), tuple(found.profiles[topic])[:TOP])
        for topic, name in zip(left, names, strict=True)
    ]
    return Placed(tuple(made), tuple(members), tuple(closeness))


def _columns(held: Space, profiles: Sequence[Profile]) -> list[Any]:
    return [held.vector(profile) for profile in profiles]


def _same(
    found: Found, topics: Sequence[Any], kept: Sequence[Kept], parts: Sequence[tuple[int, Any]]
) -> dict[int, int]:
    """Return the themes found that are a reader's: place of the one -> of the other."""
    same: dict[int, int] = {}
    for topic, column in enumerate(topics):
        best = (0.0, -1)
        for rank, part in parts:
            alike = float(column @ part)
            there = kept[rank].members
            shared = sum(found.members[comment] == topic for comment in there) / len(there) if there else 0.0
            if alike >= SAME or (alike >= NEAR and shared >= SHARED):
                best = max(best, (alike + shared, rank))
        if best[1] >= 0:
            same[topic] = best[1]
    return same


def _nearest(held: Space, parts: Sequence[tuple[int, Any]]) -> tuple[Any, Any]:
    """Return how near each comment is to the nearest part of a reader's theme, and whose it is."""
    if not parts:
        return np.zeros(held.rows.shape[0]), np.zeros(held.rows.shape[0], dtype=int)
    near = np.asarray(held.rows @ np.column_stack([column for _, column in parts]))
    best = near.argmax(axis=1)
    return near.max(axis=1), np.array([rank for rank, _ in parts])[best]


def _words(held: Space, members: Sequence[int], rank: int, profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Return the words of a reader's theme: those of its comments now, else those it was made of."""
    rows = [comment for comment, theme in enumerate(members) if theme == rank]
    if rows:
        weights = np.asarray(held.rows[rows].sum(axis=0)).ravel()
        heaviest = [int(word) for word in np.argsort(-weights, kind="stable")[:TOP] if weights[word] > 0]
        if heaviest:
            return tuple(held.words[word] for word in heaviest)
    return mixed(profiles)


def _recognised(profiles: Sequence[Profile], known: Sequence[Known]) -> list[str]:
    """Return the identifier of each theme found: that of the last analysis with its words, once each."""
    pairs = sorted(
        (
            (_cosine(one, other.profile), rank, other.theme_id)
            for rank, one in enumerate(profiles)
            for other in known
        ),
        reverse=True,
    )
    names: dict[int, str] = {}
    for alike, rank, theme_id in pairs:
        if alike >= SAME and rank not in names and theme_id not in names.values():
            names[rank] = theme_id
    return [names.get(rank, "") for rank in range(len(profiles))]


def _cosine(one: Profile, other: Profile) -> float:
    lengths = np.linalg.norm(list(one.values())) * np.linalg.norm(list(other.values()))
    shared = sum(weight * other.get(word, 0.0) for word, weight in one.items())
    return float(shared / lengths) if lengths else 0.0
