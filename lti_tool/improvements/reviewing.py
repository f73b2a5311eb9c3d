"""What keeps a text from being published: an address, a number that calls somebody, a name of the session."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.\w+")
_NUMBER = re.compile(r"(?:\+\d|\b0)(?:[\s./-]?\d){8,}")
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")


def reaches(text: str) -> list[str]:
    """Return the e-mail addresses and telephone numbers of a text."""
    return [found[0] for pattern in (_ADDRESS, _NUMBER) for found in pattern.finditer(text)]


def named(text: str, names: Iterable[str]) -> list[str]:
    """Return the words of a text, written with a capital, that are part of a name of the session's people."""
    known = {_plain(word) for name in names for word in _WORD.findall(name) if len(word) > 2}
    found = [word for word in _WORD.findall(text) if word[0].isupper() and _plain(word) in known]
    return list(dict.fromkeys(found))


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
