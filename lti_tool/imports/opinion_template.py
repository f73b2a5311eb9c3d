"""PURE: the questions of an imported questionnaire -> a template of the tool's own, where they suit one.

Kept: questions on a scale of four or five degrees, the recommendation from 0 to 10, and open questions that
ask for an opinion. The others (choices, numbers, who one is) stay rows of the dataset, to be crossed: a
published choice could name somebody (an académie, a school), a degree of satisfaction does not.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tool_config import surveys
from tool_config.references import plain
from tool_config.surveys import Phase, Template
from xapi.sources import questions, scales

#: Name of every template made so.
NAME = "from-a-file"
#: (code, wording, line of the grid) of a question.
Key = tuple[str, str, str]
_OVERALL = re.compile(
    r"\b(ensemble|globale?|globalement|overall|in general|satisfaits?|satisfaction|satisfied)\b"
)
_RECOMMENDS = re.compile(r"\brecomm(and|end)")
_OPINION = re.compile(
    r"\b(commentaires?|comments?|remarques?|suggestions?|precis\w+|pourquoi|why|amelior\w+|improve\w*"
    r"|points? forts?|points? faibles?|avis|opinion|attentes?|apprecie\w*|liked?|manque\w*)\b"
)
#: Scales whose degrees say how well something is received; the others serve as items only.
_APPRECIATION = ("satisfaction", "quality", "agreement", "usefulness", "rating_5", "rating_4")
_OTHERS = ("frequency", "importance")
_LONGEST_SHORT = 60


@dataclass
class Asked:
    """A question, as the rows of its answers tell it."""

    scale: str
    #: Degree -> labels under which it came.
    labels: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@lru_cache(maxsize=2_000)
def name_of(key: Key) -> str:
    """Return the identifier of a question: the same in every file that words it alike."""
    return "q-" + hashlib.sha256("\n".join(map(plain, key)).encode()).hexdigest()[:12]


def template(title: str, asked: Mapping[Key, Asked], *, scope: str) -> Template | None:
    """Return the questionnaire as the tool would have asked it; None when nothing in it is an opinion."""
    overall = _overall(asked)
    if overall is None:
        return None
    made = [_question(key, asked[key], overall) for key in sorted(asked, key=lambda key: _rank(key, overall))]
    return surveys.parse(
        {
            "template": NAME,
            "version": 1,
            "phase": phase(title),
            "audience": "trainees",
            "scope": scope,
            "minutes": 1,
            "languages": ["fr"],
            "title": {"fr": title},
            "questions": [one for one in made if one is not None],
        }
    )


def phase(title: str) -> Phase:
    """Say when a questionnaire is asked, from its name: later, before, else at the end."""
    said = f" {plain(title)} "
    if " froid " in said or " later " in said:
        return "a-froid"
    return "avant" if re.search(r" (avant|attentes|before|expectations) ", said) else "a-chaud"


def _rank(key: Key, overall: Key) -> tuple[bool, list[tuple[int, str]], str, str]:
    """Order questions: the overall one, then by their codes as people count (Q2 before Q10)."""
    code, text, item = key
    parts = [(int(part), "") if part.isdigit() else (0, part) for part in re.findall(r"\d+|\D+", code)]
    return key != overall, parts, text, item


def _overall(asked: Mapping[Key, Asked]) -> Key | None:
    """Return the question that speaks of the whole: by its words, else the first that appreciates."""
    known = [
        (_APPRECIATION.index(one.scale), key) for key, one in asked.items()
        if one.scale in _APPRECIATION and degrees(one)
    ]  # fmt: skip
    if not known:
        return None
    worded = [item for item in known if _OVERALL.search(plain(item[1][1])) and not item[1][2]]
    alone = [item for item in known if not item[1][2]]
    return min(worded or alone or known)[1]


def degrees(one: Asked) -> tuple[str, ...]:
    """Return the label of each degree of a question, the least first; () when it has none."""
    if one.scale not in (*_APPRECIATION, *_OTHERS):
        return ()
    return scales.degrees(one.scale, one.labels)


def _question(key: Key, one: Asked, overall: Key) -> dict[str, Any] | None:
    _code, text, item = key
    words = f"{text}\u202f: {item}" if item else text
    base = {
        "id": name_of(key),
        "text": {"fr": words},
        "short": {"fr": (item or text)[:_LONGEST_SHORT]},
    }
    points = degrees(one)
    if points:
        scale = [{"value": value, "fr": label} for value, label in enumerate(points, 1)]
        kind = "overall" if key == overall else "item"
        return base | {"kind": kind, "scale": scale, "required": key == overall}
    if one.scale == "rating_10" and _RECOMMENDS.search(plain(text)):
        return base | {"kind": "recommendation", "scale": [{"value": n, "fr": str(n)} for n in range(11)]}
    if one.scale == "text" and _is_opinion(text, item):
        return base | {"kind": "comment", "max_length": surveys.LONGEST}
    return None


def _is_opinion(text: str, item: str) -> bool:
    """Tell an open question from a field that says who or where one is."""
    return not questions.technical(text) and _OPINION.search(plain(f"{text} {item}")) is not None


def gathered(rows: Iterable[tuple[str, str, str, str, float | None, str | None]]) -> dict[Key, Asked]:
    """Return the questions of rows (code, question, item, scale, value, answer), each row once."""
    found: dict[Key, Asked] = {}
    for code, text, item, scale, value, answer in rows:
        one = found.setdefault((code or "", text, item or ""), Asked(scale or ""))
        if value is not None and float(value).is_integer():
            one.labels[int(value)][answer or f"{value:g}"] += 1
    return found
