"""The polarity of a comment, by the classifier trained by `python -m bench.polarity`. PURE.

Logistic regression over hashed words and pairs of words, hashed groups of characters, and the counts of the
lexicon: the weights (`polarity.npz`) are numbers at hashed places and hold no text. How often it is right is
in `polarity.json`, read by `accuracy`. scikit-learn: imported by the child process only.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]

from analyzers.comments import lexicon
from analyzers.comments.masking import MASKS

CLASSES = ("negative", "neutral", "positive")
WEIGHTS = "polarity.npz"

#: Places of words and pairs of words, and of groups of 2 to 5 characters.
_PLACES = 2**15
#: Weight of a count of the lexicon beside a text of length 1.
_SCALE = 0.3
_WORDS = r"(?u)\b\w+\b|[!?]"
_MASKED = re.compile("|".join(re.escape(mark) for mark in MASKS))
#: Comments put into features at once.
_LOT = 1000


def features(texts: Sequence[str], languages: Sequence[str]) -> Any:
    """Return masked comments as rows of a sparse matrix; languages: fr or en, one a comment."""
    plain = [_plain(text) for text in texts]
    words = HashingVectorizer(n_features=_PLACES, ngram_range=(1, 2), token_pattern=_WORDS)
    letters = HashingVectorizer(n_features=_PLACES, ngram_range=(2, 5), analyzer="char_wb")
    counts = np.array(
        [_counts(text, spoken) for text, spoken in zip(texts, languages, strict=True)], dtype=float
    ).reshape(len(texts), 5)
    return hstack([words.transform(plain), letters.transform(plain), csr_matrix(_SCALE * counts)]).tocsr()


def _plain(text: str) -> str:
    """Return a comment as it is hashed: small letters, one apostrophe, no mask."""
    return " ".join(_MASKED.sub(" ", text).casefold().replace("’", "'").replace(" ' ", "'").split())


def _counts(text: str, spoken: str) -> tuple[int, int, bool, bool, bool]:
    positive, negative = lexicon.count(text, spoken)
    return (
        min(positive, 3),
        min(negative, 3),
        positive > negative,
        negative > positive,
        positive == negative == 0,
    )


@dataclass(frozen=True)
class Classifier:
    """Weights (a class a row) and intercepts, as kept: half precision."""

    weights: Any
    intercepts: Any

    @classmethod
    def load(cls) -> Classifier:
        """Read the weights that come with the package."""
        content = resources.files("analyzers.comments").joinpath(WEIGHTS).read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            return cls(kept["weights"].astype(np.float32), kept["intercepts"].astype(np.float32))

    def predict(self, texts: Sequence[str], languages: Sequence[str]) -> list[str]:
        """Return negative, neutral or positive for each masked comment."""
        found: list[str] = []
        for start in range(0, len(texts), _LOT):
            rows = features(texts[start : start + _LOT], languages[start : start + _LOT])
            scores = rows @ self.weights.T + self.intercepts
            found += [CLASSES[int(place)] for place in np.asarray(scores).argmax(axis=1)]
        return found
