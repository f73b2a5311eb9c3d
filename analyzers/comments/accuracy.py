"""How often the classifier of polarity is right: figures written by `python -m bench.polarity`. PURE."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

FIGURES = "polarity.json"


@dataclass(frozen=True)
class Score:
    """Share of right answers and macro-averaged F1, on `n` sentences of the dev part of one language."""

    n: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class Accuracy:
    """The classifier and what it is compared with: model, lexicon, majority -> language -> score."""

    scores: Mapping[str, Mapping[str, Score]]
    #: SHA-256 of the weights, sixteen digits: names the model that read a comment.
    digest: str
    #: Of the comments that it says are of a polarity, the share that are; both languages.
    precision: Mapping[str, float]
    #: Of the comments that are of a polarity, the share that it says are.
    recall: Mapping[str, float]

    @property
    def both(self) -> Score:
        """The model's score over the two languages together."""
        found = self.scores["model"].values()
        n = sum(score.n for score in found)
        return Score(
            n,
            sum(score.n * score.accuracy for score in found) / n,
            sum(score.n * score.macro_f1 for score in found) / n,
        )


@cache
def read() -> Accuracy:
    """Read the figures that come with the package."""
    content = json.loads(resources.files("analyzers.comments").joinpath(FIGURES).read_text("utf-8"))
    return Accuracy(
        scores={
            name: {spoken: Score(**score) for spoken, score in by_language.items()}
            for name, by_language in content["dev"].items()
        },
        digest=content["digest"][:16],
        precision=content["precision"],
        recall=content["recall"],
    )
