"""Words for and words against, counted in a comment; the baseline that the classifier must beat. PURE.

A negation up to three words before turns a word round: « pas très clair », "not very clear".
"""

from __future__ import annotations

import re

from analyzers.comments.word_lists import fold, section

LANGUAGES = ("fr", "en")

_WORD = re.compile(r"[^\W\d_]+|[.,;:!?]")
_REACH = 3


def count(text: str, language: str) -> tuple[int, int]:
    """Return how many words for, and against, a comment has."""
    positive, negative = section(f"positive {language}"), section(f"negative {language}")
    negations = section(f"negations {language}")
    found = {True: 0, False: 0}
    since = _REACH + 1
    for word in _WORD.findall(fold(text)):
        since = _REACH + 1 if word in ".,;:!?" else since + 1
        if word in negations:
            since = 0
            found[False] += word in negative
        elif word in positive or word in negative:
            found[(word in positive) == (since > _REACH)] += 1
    return found[True], found[False]


def polarity(text: str, language: str) -> str:
    """Return positive, negative or neutral, by the larger count: the baseline."""
    positive, negative = count(text, language)
    return "neutral" if positive == negative else "positive" if positive > negative else "negative"
