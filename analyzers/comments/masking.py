"""Names, addresses and numbers taken out of what people write, before anything else reads it. PURE.

What is masked becomes a word in brackets: ``[lien]``, ``[courriel]``, ``[numéro]``, ``[nom]``. Masking
twice changes nothing. Names are found four ways: the roster of the course, civilities (« Mme Durand »), a
list of given names, and shapes (« J. Durand », « Durand MARTIN », « la formatrice Xyz »). When in doubt it
masks: a word too many is lost to the reader, a name too few is somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from analyzers.comments.word_lists import fold, section

LINK, MAIL, NUMBER, NAME = "[lien]", "[courriel]", "[numéro]", "[nom]"
#: Every word that masking writes.
MASKS = (LINK, MAIL, NUMBER, NAME)

#: Without those that end inclusive spellings: infirmier.es, formateur.re.
_TOPLEVEL = "fr|com|org|net|eu|edu|gouv|info|io|app|dev|tv"
_URL = re.compile(
    rf"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<>«»\"]+|\b[\w-]+(?:\.[\w-]+)*\.(?:{_TOPLEVEL})\b(?:/[^\s<>«»\"]*)?",
    re.IGNORECASE,
)
_AT = (
    r"(?:@|\s?[(\[]\s?(?:at|arobase|a)\s?[)\]]\s?"
    r"|\s+(?:arobase|arobas|chez)\s+(?=[\w-]+\.(?:fr|com|org|net)\b))"
)
_MAIL = re.compile(
    rf"[\w.+%-]+{_AT}[\w-]+(?:\s?(?:\.|[(\[]\s?(?:point|dot)\s?[)\]])\s?[\w-]+)+", re.IGNORECASE
)
_HANDLE = re.compile(r"(?<![\w@])@[\w.-]{2,}")
#: Six digits and more, however they are spaced: telephone, NUMEN without its letters, social security.
_DIGITS = re.compile(r"(?<![\w])(?:\+|00)?\(?\d(?:[ \u00a0\u202f./()-]{0,2}\d){5,}(?![\w])")
#: Letters and digits together, as in a NUMEN (13 characters), an INE (11), an UAI (8).
_CODE = re.compile(r"\b(?=\w*[A-Za-z])(?=(?:\w*\d){6})\w{7,}\b")
#: Thousands (10 000, 1 250 000) and dates are numbers that name nobody.
_HARMLESS = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f]000){1,2}|\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d"
    r"|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"
)

_WORD = re.compile(r"[^\W\d_]+(?:[-‐‑][^\W\d_]+)*\.?", re.UNICODE)
_INITIALS = re.compile(r"(?:(?<!\w)|(?<=\.)|(?<=-))[A-ZÀ-Ý]\.$")
#: « Véronique D. »
_TRAILING = re.compile(r"[ \u00a0][A-ZÀ-Ý]\.(?!\w)")
_NEAR = re.compile(r"[ \u00a0\u202f'’-]{0,2}")
_CIVILITIES = section("civilities")
#: Civilities that are ordinary words too: what follows must have a capital.
_LOOSE = section("loose civilities")
#: « la formatrice Xyz », « merci à Xyz ».
_ROLES = section("roles")
_PARTICLES = section("particles")
_NOT_NAMES = section("not names")
_KNOWN_CAPITALS = section("known capitals")
#: Characters looked at before a word.
_LOOK = 12
_ENDS = '.!?…:\n«(–—•-;"'


@dataclass(frozen=True)
class Roster:
    """The names of a course's people, folded (no accents, small letters)."""

    #: Words masked with a capital; those that are no ordinary word, in any case.
    capital: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()


def roster(names: Iterable[str]) -> Roster:
    """Return the names of people, as platforms write them (given, family, or both in one string)."""
    found: set[str] = set()
    for name in names:
        parts = [part for part in re.split(r"[\s,'’]+", fold(name)) if part]
        for part in parts:
            found.add(part.strip(".-"))
            found.update(piece for piece in part.split("-") if len(piece) > 2)
    found = {
        part for part in found if len(part) > 1 and part not in _PARTICLES and part.replace("-", "").isalpha()
    }
    plain = {part for part in found if len(part) > 2 and part not in _ordinary()}
    return Roster(frozenset(found), frozenset(plain))


NOBODY = Roster()


def mask(text: str, known: Roster = NOBODY) -> str:
    """Return a text without addresses, numbers or names; `known`: those of the course's people."""
    for mark in MASKS:  # what was masked already stays: its brackets stand aside meanwhile
        text = text.replace(mark, _aside(mark))
    text = _MAIL.sub(_aside(MAIL), text)
    text = _URL.sub(_aside(LINK), text)
    text = _HANDLE.sub(_aside(NAME), text)
    text = _DIGITS.sub(lambda found: found[0] if _HARMLESS.fullmatch(found[0]) else _aside(NUMBER), text)
    text = _CODE.sub(_aside(NUMBER), text)
    text = _mask_names(text, known)
    for mark in MASKS:
        text = text.replace(_aside(mark), mark)
    return text


def _aside(mark: str) -> str:
    """Return a character of private use that stands for a mask while the text is read."""
    return chr(0xE000 + MASKS.index(mark))


@dataclass
class _Word:
    start: int
    end: int
    text: str
    folded: str
    #: Capital first; nothing but capitals (two and more).
    capital: bool
    shouted: bool
    #: First of its sentence.
    first: bool
    masked: bool = False


def _mask_names(text: str, known: Roster) -> str:
    words = _words(text)
    # A text written all in capitals says nothing by them.
    shouting = sum(word.shouted for word in words) > 0.6 * len(words) if len(words) > 3 else False
    for place, word in enumerate(words):
        _by_civility(text, words, place)
        word.masked = word.masked or _is_name(word, known, shouting)
    for place in range(len(words)):
        _by_shape(text, words, place, shouting)
    return _write(text, words)


def _words(text: str) -> list[_Word]:
    found = []
    for match in _WORD.finditer(text):
        raw = match[0].rstrip(".")
        start = match.start()
        before = text[max(0, start - _LOOK) : start].rstrip(" \u00a0\u202f\t'’")
        first = not before or (before[-1] in _ENDS and not _INITIALS.search(before))
        shouted = len(raw) > 1 and raw.isupper()
        found.append(_Word(start, start + len(raw), raw, fold(raw), raw[:1].isupper(), shouted, first))
    return found


def _is_name(word: _Word, known: Roster, shouting: bool) -> bool:
    """Say whether a word alone is a name: of the roster, else of the list of given names."""
    if word.shouted and word.folded in _KNOWN_CAPITALS:
        return False
    sure = word.capital and not (word.first or shouting)
    parts = [word.folded, *word.folded.split("-")] if "-" in word.folded else [word.folded]
    for part in parts:
        if part in known.always or (part in known.capital and sure):
            return True
    given, doubtful = _given()
    if word.folded in given:
        return True
    if "-" in word.folded:
        return all(part in given or part in doubtful for part in word.folded.split("-"))
    return word.folded in doubtful and sure


def _by_civility(text: str, words: list[_Word], place: int) -> None:
    """Mask what follows a civility or a function: « Mme de La Tour », « la formatrice Xyz »."""
    word = words[place]
    if word.folded in _CIVILITIES:
        loose = word.folded in _LOOSE and not (word.folded == "m" and text[word.end : word.end + 1] == ".")
        if word.folded == "mm":
            loose = True
    elif word.folded in _ROLES:
        loose = True
    else:
        return
    after, taken = place + 1, 0
    while after < len(words) and taken < 3 and _close(text, words[after - 1], words[after]):
        last = _past_particles(text, words, after)
        following = words[last]
        named = following.capital if loose or taken or last > after else True
        if not named or following.folded in _NOT_NAMES or following.folded in _CIVILITIES:
            return
        for part in words[after : last + 1]:
            part.masked = True
        after, taken = last + 1, taken + 1


def _past_particles(text: str, words: list[_Word], place: int) -> int:
    """Return where the name begins after its particles: « de La Tour »; `place` itself without one."""
    at = place
    while at + 1 < len(words) and words[at].folded in _PARTICLES and _close(text, words[at], words[at + 1]):
        at += 1
    return at


def _by_shape(text: str, words: list[_Word], place: int, shouting: bool) -> None:
    """Mask the family name beside a given name, after initials, or in capitals."""
    word = words[place]
    previous = words[place - 1] if place else None
    alone = word.capital and not word.masked and len(word.text) > 1 and word.folded not in _CIVILITIES
    if alone and word.folded not in _NOT_NAMES:
        word.masked = bool(_INITIALS.search(text[max(0, word.start - _LOOK) : word.start].rstrip()))
    if previous is None or not _close(text, previous, word) or word.folded in _NOT_NAMES:
        return
    family = word.shouted and len(word.text) > 2 and word.folded not in _KNOWN_CAPITALS and not shouting
    if previous.masked and not word.masked and ((word.capital and not shouting) or family) and not word.first:
        word.masked = previous.folded not in _CIVILITIES
    elif family and previous.capital and not previous.shouted and not previous.first and not word.masked:
        if previous.folded not in _NOT_NAMES and len(previous.text) > 2:
            previous.masked = word.masked = True
    elif word.masked and previous.shouted and not shouting and not previous.masked and len(previous.text) > 2:
        # « MARTIN Julie »
        previous.masked = previous.folded not in _KNOWN_CAPITALS and previous.folded not in _NOT_NAMES


def _close(text: str, before: _Word, after: _Word) -> bool:
    """Say whether nothing parts two words but a space, an apostrophe, the dot of an initial or of « M. »."""
    between = text[before.end : after.start]
    if between.startswith(".") and (len(before.text) == 1 or before.folded in _CIVILITIES):
        between = between[1:]
    return _NEAR.fullmatch(between) is not None


def _write(text: str, words: list[_Word]) -> str:
    """Write the masks; names that follow each other, with their initials and particles, make one."""
    made: list[str] = []
    at = place = 0
    while place < len(words):
        if not words[place].masked:
            place += 1
            continue
        start = _begins(text, words, place, at)
        while (after := _next_name(text, words, place)) is not None:
            place = after
        end = words[place].end
        trailing = _TRAILING.match(text, end)
        end = trailing.end() if trailing else end
        made += [text[at:start], _aside(NAME)]
        at, place = end, place + 1
    made.append(text[at:])
    return "".join(made)


def _begins(text: str, words: list[_Word], place: int, at: int) -> int:
    """Return where a name begins, with the initials and the capitalised particles before it."""
    start = words[place].start
    before = place - 1
    while before >= 0 and words[before].start >= at and _close(text, words[before], words[before + 1]):
        word = words[before]
        initial = len(word.text) == 1 and word.capital and text[word.end : word.end + 1] == "."
        particle = word.folded in _PARTICLES and word.capital and not word.first
        if not ((initial and word.folded != "m") or particle):
            break
        start, before = word.start, before - 1
    return start


def _next_name(text: str, words: list[_Word], place: int) -> int | None:
    after = place + 1
    if after >= len(words) or not _close(text, words[place], words[after]):
        return None
    last = _past_particles(text, words, after)
    return last if words[last].masked else None


@cache
def _given() -> tuple[frozenset[str], frozenset[str]]:
    """Return the given names that are nothing else, and those that are ordinary words too; folded."""
    names = section("given names")
    return (
        frozenset(name for name in names if name[0] != "?"),
        frozenset(name[1:] for name in names if name[0] == "?"),
    )


@cache
def _ordinary() -> frozenset[str]:
    """Return words of the language that are also names of people: masked with a capital only."""
    return _given()[1] | section("ordinary surnames")
