"""Comments as lemmas: the language of each, its words brought to their dictionary form. PURE.

simplemma's dictionaries take 100 MB: imported by the child process only. A lemma keeps its accents.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

import simplemma

from analyzers.comments.masking import MASKS
from analyzers.comments.word_lists import fold, section

LANGUAGES = ("fr", "en")

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MASKED = re.compile("|".join(re.escape(mark) for mark in MASKS))
_SHORTEST = 3


def language(text: str) -> str:
    """Return fr or en: by the words that only one of them has, else by its dictionary, else French."""
    words = [fold(word) for word in _WORD.findall(_MASKED.sub(" ", text))]
    french, english = (sum(word in section(f"signs {name}") for word in words) for name in LANGUAGES)
    if french != english:
        return "fr" if french > english else "en"
    if not words:
        return "fr"
    known = {
        name: sum(simplemma.is_known(word, lang=name) for word in _WORD.findall(text)) for name in LANGUAGES
    }
    return "en" if known["en"] > known["fr"] else "fr"


def lemmas(text: str, spoken: str) -> list[str]:
    """Return the words of a masked comment that carry meaning, as lemmas, in their order."""
    found = []
    for word in _WORD.findall(_MASKED.sub(" ", text).replace("’", "'")):
        lemma = _lemma(word, spoken)
        if lemma:
            found.append(lemma)
    return found


@lru_cache(maxsize=60_000)
def _lemma(word: str, spoken: str) -> str:
    """Return the lemma of a word, or "" when it says nothing."""
    stop = section(f"stop words {spoken}")
    small = word.casefold()
    if fold(small) in stop or len(small) < _SHORTEST:
        return ""
    lemma: str = simplemma.lemmatize(small, lang=spoken).casefold()
    return "" if fold(lemma) in stop or len(lemma) < _SHORTEST else lemma


def spellings(texts: list[list[str]]) -> Counter[str]:
    """Count lemmas over comments, once a comment."""
    return Counter(lemma for lemmas_of_one in texts for lemma in set(lemmas_of_one))
