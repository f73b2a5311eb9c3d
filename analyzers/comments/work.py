"""`python -m analyzers.comments.work`: the child process that reads comments, and gives its memory back.

One JSON object comes in (`Asked`), lines of JSON go out: ``{"step": [done, total, word]}`` meanwhile, then
``{"made": …}`` (`Made`), or ``{"failed": name of the error}``: no text of a comment leaves but in ``made``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import orjson

from analyzers.comments import anchors, masking, themes
from analyzers.comments.lemmas import language, lemmas
from analyzers.comments.picture import mixed
from analyzers.comments.polarity import Classifier
from analyzers.comments.word_lists import fold

#: Steps of the progress: masking and lemmas, themes, polarity; out of a hundred.
_READ, _THEMED, _WHOLE = 40, 85, 100


class KeptJson(TypedDict):
    """A reader's theme; members are places in `Asked.texts`."""

    theme_id: str
    profiles: list[dict[str, float]]
    members: list[int]


class KnownJson(TypedDict):
    """A theme of the last analysis."""

    theme_id: str
    profile: dict[str, float]


class Asked(TypedDict):
    """Comments to be read; `rosters` are the names of people, `roster_of` says which for each comment."""

    texts: list[str]
    #: Comments that a theme should have at least: those of fewer people than the threshold are not shown.
    each: int
    roster_of: list[int]
    rosters: list[list[str]]
    kept: list[KeptJson]
    known: list[KnownJson]


class ThemeJson(TypedDict):
    """A theme found; `theme_id` is "" for a new one."""

    theme_id: str
    kept: bool
    profiles: list[dict[str, float]]
    words: list[str]


class Made(TypedDict):
    """What was read; lists follow `Asked.texts`; `members` are places in `themes`, or -1."""

    texts: list[str]
    plain: list[str]
    languages: list[str]
    polarities: list[str]
    themes: list[ThemeJson]
    members: list[int]
    closeness: list[float]
    stability: dict[str, float]


def read(asked: Asked, say: Callable[[int, int, str], None]) -> Made:
    """Mask, lemmatise, put into themes, judge the polarity; `say` is told how far it is."""
    rosters = [masking.roster(names) for names in asked["rosters"]]
    texts: list[str] = []
    spoken: list[str] = []
    words: list[list[str]] = []
    for rank, text in enumerate(asked["texts"]):
        masked = masking.mask(text, rosters[asked["roster_of"][rank]])
        texts.append(masked)
        spoken.append(language(masked))
        words.append(lemmas(masked, spoken[-1]))
        if rank % 200 == 0:
            say(_READ * rank // len(asked["texts"]), _WHOLE, "reading")
    placed, stability = _placed(asked, words, say)
    say(_THEMED, _WHOLE, "polarity")
    polarities = Classifier.load().predict(texts, spoken)
    return {
        "texts": texts,
        "plain": [fold(text) for text in texts],
        "languages": spoken,
        "polarities": polarities,
        "themes": [
            {
                "theme_id": theme.theme_id,
                "kept": theme.kept,
                "profiles": list(theme.profiles),
                "words": list(theme.words),
            }
            for theme in placed.themes
        ],
        "members": list(placed.members),
        "closeness": list(placed.closeness),
        "stability": {str(number): value for number, value in stability.items()},
    }


def _placed(
    asked: Asked, words: Sequence[Sequence[str]], say: Callable[[int, int, str], None]
) -> tuple[anchors.Placed, dict[int, float]]:
    kept = [
        anchors.Kept(one["theme_id"], tuple(one["profiles"]), frozenset(one["members"]))
        for one in asked["kept"]
    ]
    held = themes.space(words)
    if held is None:
        return _unmoved(kept, len(words)), {}

    def step(done: int, total: int) -> None:
        say(_READ + (_THEMED - _READ) * done // total, _WHOLE, "themes")

    found = themes.find(held, asked["each"], step)
    known = [anchors.Known(one["theme_id"], one["profile"]) for one in asked["known"]]
    return anchors.place(held, found, kept, known), found.stability


def _unmoved(kept: Sequence[anchors.Kept], count: int) -> anchors.Placed:
    """Return the reader's themes as they are: too little is said to find any other."""
    stays = {comment: rank for rank, theme in enumerate(kept) for comment in theme.members}
    made = tuple(anchors.Theme(one.theme_id, True, one.profiles, mixed(one.profiles)) for one in kept)
    return anchors.Placed(made, tuple(stays.get(comment, -1) for comment in range(count)), (0.0,) * count)


def main() -> int:
    """Read what is asked from the standard input, answer on the standard output."""

    def write(line: dict[str, Any]) -> None:
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
        sys.stdout.buffer.flush()

    try:
        asked: Asked = orjson.loads(sys.stdin.buffer.read())
        made = read(asked, lambda done, total, word: write({"step": [done, total, word]}))
    except Exception as error:  # its message might hold a comment: only its name leaves
        write({"failed": type(error).__name__})
        return 1
    write({"made": made})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
