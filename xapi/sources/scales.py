"""PURE: the scale of a question, recognised from the words of its answers, in French or in English.

A label is looked for whatever its case, accents and punctuation. A scale gives its labels a number, from 1
for the least. Without a middle among the answers, degrees count 1 to 4 unless something says that there is
one: a number before the label, another question of the same labels, or a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tool_config.references import plain

#: Scale -> spellings of each degree, from the least to the most; the middle one may be missing.
_WORDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "agreement": (
        ("pas du tout d'accord", "tout à fait en désaccord", "fortement en désaccord", "strongly disagree",
         "totally disagree", "completely disagree"),
        ("plutôt pas d'accord", "pas d'accord", "en désaccord", "plutôt en désaccord", "peu d'accord",
         "somewhat disagree", "disagree"),
        ("ni d'accord ni pas d'accord", "ni d'accord, ni pas d'accord", "ni en accord ni en désaccord",
         "ni d'accord ni en désaccord", "moyennement d'accord", "neutre", "indifférent",
         "neither agree nor disagree", "neither agree or disagree", "neutral", "undecided"),
        ("plutôt d'accord", "d'accord", "assez d'accord", "somewhat agree", "agree"),
        ("tout à fait d'accord", "totalement d'accord", "fortement d'accord", "très d'accord",
         "strongly agree", "totally agree", "completely agree"),
    ),
    "satisfaction": (
        ("pas du tout satisfait", "très insatisfait", "pas satisfait du tout", "very dissatisfied",
         "not at all satisfied", "very unsatisfied"),
        ("peu satisfait", "plutôt pas satisfait", "plutôt insatisfait", "insatisfait", "pas satisfait",
         "somewhat dissatisfied", "dissatisfied", "unsatisfied"),
        ("ni satisfait ni insatisfait", "moyennement satisfait", "neutre",
         "neither satisfied nor dissatisfied", "neutral"),
        ("plutôt satisfait", "satisfait", "assez satisfait", "somewhat satisfied", "satisfied"),
        ("très satisfait", "tout à fait satisfait", "totalement satisfait", "very satisfied",
         "completely satisfied"),
    ),
    "frequency": (
        ("jamais", "never"),
        ("rarement", "presque jamais", "rarely", "seldom", "almost never"),
        ("parfois", "quelquefois", "de temps en temps", "occasionnellement", "sometimes", "occasionally"),
        ("souvent", "régulièrement", "often", "frequently", "usually"),
        ("toujours", "très souvent", "systématiquement", "always", "very often"),
    ),
    "quality": (
        ("très mauvais", "très mauvaise", "très insuffisant", "very bad", "very poor", "terrible"),
        ("mauvais", "mauvaise", "insuffisant", "médiocre", "bad", "poor"),
        ("moyen", "moyenne", "passable", "acceptable", "average", "fair"),
        ("bon", "bonne", "bien", "good"),
        ("très bon", "très bonne", "très bien", "excellent", "excellente", "very good"),
    ),
    "usefulness": (
        ("pas du tout utile", "inutile", "not useful at all", "not at all useful", "useless"),
        ("peu utile", "plutôt inutile", "plutôt pas utile", "slightly useful", "not very useful"),
        ("moyennement utile", "moderately useful", "neutral", "neutre"),
        ("plutôt utile", "utile", "assez utile", "useful", "somewhat useful"),
        ("très utile", "tout à fait utile", "indispensable", "very useful", "extremely useful"),
    ),
    "importance": (
        ("pas du tout important", "sans importance", "not at all important", "unimportant"),
        ("peu important", "plutôt pas important", "not very important", "slightly important"),
        ("moyennement important", "moderately important"),
        ("plutôt important", "important", "assez important", "somewhat important"),
        ("très important", "essentiel", "very important", "essential"),
    ),
}  # fmt: skip
#: Scales that a few answers are enough to know.
WORDED = frozenset({*_WORDS, "yes_no"})
_YES, _NO = frozenset({"oui", "yes", "vrai", "true"}), frozenset({"non", "no", "faux", "false"})
#: What says that there is no answer.
_ASIDE = frozenset(
    plain(text)
    for text in (
        "sans opinion", "ne se prononce pas", "nsp", "ne sait pas", "je ne sais pas", "sans objet",
        "non concerné", "pas concerné", "sans réponse", "no answer", "don't know", "i don't know",
        "not applicable", "no opinion", "prefer not to say", "not sure", "unsure", "refus",
    )
)  # fmt: skip
_LONGEST_ASIDE = max(map(len, _ASIDE)) + 10
#: What ticks an option, and what leaves it.
TICKED = frozenset({"oui", "yes", "1", "x", "vrai", "true", "coche", "checked", "selected"})
LEFT = frozenset({"non", "no", "0", "faux", "false", "non coche", "not selected", "unchecked", ""})
#: Different answers over which a column is no choice of one, and longest label of a choice.
_MOST_CHOICES, _LONGEST_LABEL = 60, 150
_INTEGER = re.compile(r"[-+]?\d{1,9}(?:[.,]0+)?")


@dataclass(frozen=True)
class Scale:
    """What a question's answers are; `numbers`: answer as plainly written -> its value."""

    #: agreement, satisfaction… yes_no, rating_4, rating_5, rating_10, number, single, multiple, text
    name: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Tell whether the answers are those of a list, that may be counted."""
        return self.name not in ("text", "number")


@lru_cache(maxsize=10_000)
def word(text: str) -> str:
    """Return an answer as scales know it: plain, in the masculine, without a number before it."""
    made = plain(re.sub(r"\((?:e|s|es)\)|·e·?s?|-e-?s?\b", "", text))
    made = re.sub(r"^\d+ (?=[a-z])", "", made)
    return re.sub(r"\b(satisfai|insatisfai|importan)te?s?\b", r"\1t", made)


_DEGREES: dict[str, dict[str, int]] = {
    name: {word(text): rank for rank, texts in enumerate(degrees) for text in texts}
    for name, degrees in _WORDS.items()
}


def recognise(answers: Mapping[str, int], size: int = 0) -> Scale:
    """Return the scale of a question from its answers and how many times each was given.

    `size`: how many degrees a worded scale has where its answers do not say so, 4 or 5; 0: not known.
    """
    said = {text: count for text, count in answers.items() if plain(text) not in _ASIDE and text.strip()}
    if not said:
        return Scale("text")
    words = {word(text) for text in said}
    if len(words) <= 2 and words <= _YES | _NO:
        return Scale("yes_no", {one: float(one in _YES) for one in words})
    for name, degrees in _DEGREES.items():
        if words <= degrees.keys():
            return Scale(name, _numbered(words, degrees, size or _counted(said, degrees)))
    numbers = {text: number(text) for text in said}
    if all(value is not None for value in numbers.values()):
        return _rated([value for value in numbers.values() if value is not None])
    if _several(said):
        return Scale("multiple")
    return Scale("single" if _is_choice(said) else "text")


def degrees(name: str, said: Mapping[int, Mapping[str, int]]) -> tuple[str, ...]:
    """Return the labels of a scale's degrees, the least first, as they were said or else as usually written.

    `said`: degree -> labels under which it came, and how many times. () for what is no scale of degrees.
    """
    if name in ("rating_4", "rating_5"):
        return tuple(str(value) for value in range(1, int(name[-1]) + 1))
    if name not in _WORDS or not said or not all(1 <= value <= 5 for value in said):
        return ()
    ranks = {
        (value, _DEGREES[name].get(word(label), 0)) for value, labels in said.items() for label in labels
    }
    size = (
        5 if 5 in said or any(rank == 2 or (rank > 2 and value == rank + 1) for value, rank in ranks) else 4
    )
    found = []
    for value in range(1, size + 1):
        labels = said.get(value, {})
        usual = _WORDS[name][value - 1 if size == 5 or value < 3 else value][0]
        found.append(max(sorted(labels), key=lambda one: labels[one]) if labels else usual.capitalize())
    return tuple(found)


def is_aside(text: str) -> bool:
    """Tell whether an answer says that there is none."""
    return len(text) <= _LONGEST_ASIDE and word(text) in _ASIDE


@dataclass(frozen=True)
class Spelt:
    """The degrees of a worded scale that were chosen: rank (0 to 4) -> the words that say it."""

    name: str
    words: Mapping[int, frozenset[str]]

    @property
    def middle(self) -> bool:
        """Whether somebody chose the middle."""
        return 2 in self.words

    @property
    def doubtful(self) -> bool:
        """Whether it may have a middle that nobody chose: « plutôt » is mostly of scales that have none."""
        halves = self.words.get(1, frozenset()) | self.words.get(3, frozenset())
        return not self.middle and not any(_HALF.match(one) for one in halves)

    def goes_with(self, other: Spelt) -> bool:
        """Tell whether two questions may have the same scale: no degree is said in two ways."""
        both = self.words.keys() | other.words.keys()
        return self.name == other.name and all(
            len(self.words.get(rank, frozenset()) | other.words.get(rank, frozenset())) == 1 for rank in both
        )


_HALF = re.compile(r"plutot|somewhat")


def spelt(answers: Collection[str]) -> Spelt | None:
    """Return the degrees that the answers to a question say; None when they are of no worded scale."""
    words = {word(text) for text in answers if plain(text) and plain(text) not in _ASIDE}
    for name, degrees in _DEGREES.items():
        if words and words <= degrees.keys():
            said: dict[int, set[str]] = {}
            for one in words:
                said.setdefault(degrees[one], set()).add(one)
            return Spelt(name, {rank: frozenset(some) for rank, some in said.items()})
    return None


def _counted(said: Collection[str], degrees: Mapping[str, int]) -> int:
    """Return 5 where the numbers before the labels leave room for a middle ("4 - Satisfait"); else 0."""
    ranks = [(int(found[1]), degrees[word(text)]) for text in said if (found := _BEFORE.match(text))]
    up = all(number == rank + 1 for number, rank in ranks)
    down = all(number == 5 - rank for number, rank in ranks)
    return 5 if len({rank for _, rank in ranks}) > 1 and (up or down) and _astride(ranks) else 0


def _astride(ranks: Collection[tuple[int, int]]) -> bool:
    """Tell whether degrees of both sides of the middle are numbered."""
    return any(rank < 2 for _, rank in ranks) and any(rank > 2 for _, rank in ranks)


_BEFORE = re.compile(r"\s*(\d)(?=\D)")


def _numbered(words: Collection[str], degrees: Mapping[str, int], size: int) -> dict[str, float]:
    middle = size == 5 or any(degrees[one] == 2 for one in words)
    numbers = {}
    for one, rank in degrees.items():
        if middle or rank < 2:
            numbers[one] = float(rank + 1)
        elif rank > 2:
            numbers[one] = float(rank)
    return numbers


def number(text: str) -> float | None:
    """Return the number that an answer is, with either decimal mark; None when it is none."""
    bare = re.sub(r"[\s\u00a0\u202f]", "", text).replace(",", ".")
    return float(bare) if re.fullmatch(r"[-+]?\d{1,12}(\.\d{1,12})?", bare) else None


def _rated(values: Collection[float]) -> Scale:
    low, high = min(values), max(values)
    if len(set(values)) > 1 and all(value.is_integer() for value in values):
        if low >= 1 and high in (4, 5):
            return Scale(f"rating_{int(high)}")
        if low >= 0 and 7 <= high <= 10:
            return Scale("rating_10")
    return Scale("number")


def _several(said: Mapping[str, int]) -> bool:
    """Tell whether answers are lists of options separated by `;`, that come back."""
    listed = [text for text in said if ";" in text]
    if not listed:
        return False
    parts = [part.strip() for text in said for part in text.split(";") if part.strip()]
    most = max(map(len, parts), default=0)
    return most <= _LONGEST_LABEL and len(set(parts)) <= min(_MOST_CHOICES, 0.7 * len(parts))


def _is_choice(said: Mapping[str, int]) -> bool:
    total = sum(said.values())
    if len(said) > _MOST_CHOICES or max(map(len, said)) > _LONGEST_LABEL:
        return False
    return len(said) <= 0.5 * total
