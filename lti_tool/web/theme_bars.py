"""The bar of a theme: its comments by polarity, on an axis from 0 to 100."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lti_tool.formatting import number
from lti_tool.web.receiving import Segment

#: Looks, as in the bars of questions: negative solid, neutral plain, positive solid.
_KINDS = {"negative": "low", "neutral": "middle", "positive": "high"}


@dataclass(frozen=True)
class PolarityBar:
    """What the macro of diverging bars draws; its line at the very start."""

    segments: tuple[Segment, ...]
    words: str
    centre: float = 0.0


def bar(counts: Mapping[str, int], said: Mapping[str, str], title: str) -> PolarityBar:
    """Return the bar of a theme; `said`: what each polarity is called."""
    total = sum(counts.values())
    at, parts = 0.0, []
    for name, count in counts.items():
        width = 100 * count / total if total else 0.0
        if count:
            parts.append(Segment(_KINDS[name], at, width, count, f"{said[name]}\u202f: {number(count)}"))
        at += width
    words = ", ".join(f"{said[name]} {number(count)}" for name, count in counts.items())
    return PolarityBar(tuple(parts), f"{title}\u202f: {words}")


def key(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the key of the bars: (look, what it means)."""
    return [(_KINDS[name], text) for name, text in said.items()]
