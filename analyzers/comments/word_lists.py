"""The lists of words of this room, read once from `word_lists.txt`; small letters, without accents. PURE."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib import resources


@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Return a text in small letters, without accents, its hyphens and apostrophes made plain."""
    plain = text.replace("‐", "-").replace("‑", "-").replace("’", "'").casefold()
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFKD", plain)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def section(name: str) -> frozenset[str]:
    """Return the words of a section; KeyError when there is none of that name."""
    return _sections()[name]


@cache
def _sections() -> dict[str, frozenset[str]]:
    text = resources.files("analyzers.comments").joinpath("word_lists.txt").read_text("utf-8")
    found: dict[str, set[str]] = {}
    here: set[str] = set()
    for line in text.splitlines():
        if line.startswith("["):
            here = found.setdefault(line.strip("[] "), set())
        elif not line.startswith("#"):
            here.update(line.split())
    return {name: frozenset(words) for name, words in found.items()}
