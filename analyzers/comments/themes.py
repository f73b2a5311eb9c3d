"""What comments are about: TF-IDF, NMF, a number of themes chosen by its stability. PURE.

Themes: non-negative matrix factorisation of TF-IDF weights (Lee and Seung, Nature 401, 1999), started from
NNDSVD so that the same comments give the same themes (Boutsidis and Gallopoulos, 2008).
Their number: Greene, O'Callaghan and Cunningham, "How Many Topics? Stability Analysis for Topic Models"
(ECML PKDD 2014): the factorisation of all comments against those of samples of them, by the average Jaccard
agreement of their ranked words, themes paired by the Hungarian method. Of the numbers whose agreement is
within one standard error of the best, the largest (the rule of Breiman et al., *Classification and Regression
Trees*, 1984, section 3.4.3, turned towards detail): a broad theme is stable, and says little.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]

from analyzers.comments.picture import TOP

#: Words of a theme kept to know it again.
PROFILE = 40
SEED = 20141
#: Most themes tried.
_MOST = 15
#: Fewest themes tried, by comments that say something: two or three themes of hundreds of comments are the
#: most stable of all, and tell a reader nothing.
_FEWEST = ((400, 6), (150, 5), (60, 4), (30, 3), (0, 2))
_SAMPLES, _SHARE = 8, 0.8
#: Comments that a sample holds at most, that a factorisation is made of at most, and words kept.
_SAMPLE, _FITTED, _VOCABULARY = 1200, 8000, 3000
#: A comment belongs to no theme when it has so little of any (of its length, 1).
_LEAST = 0.06


@dataclass(frozen=True)
class Found:
    """The themes of some comments."""

    #: Number of themes -> agreement, from 0 to 1.
    stability: dict[int, float]
    #: A theme each: lemma -> weight, the heaviest first, of Euclidean length 1.
    profiles: tuple[dict[str, float], ...]
    #: A comment each: its theme, or -1.
    members: tuple[int, ...]
    #: How much of its theme a comment is: cosine, from 0 to 1.
    closeness: tuple[float, ...]


@dataclass(frozen=True)
class Space:
    """Comments as TF-IDF rows of length 1."""

    rows: Any
    words: tuple[str, ...]

    def vector(self, profile: dict[str, float]) -> Any:
        """Return a profile as a column of this space, of length 1 (or 0 when it shares no word)."""
        place = {word: rank for rank, word in enumerate(self.words)}
        column = np.zeros(len(self.words))
        for word, weight in profile.items():
            if word in place:
                column[place[word]] = weight
        length = float(np.linalg.norm(column))
        return column / length if length else column


def space(texts: Sequence[Sequence[str]]) -> Space | None:
    """Return the space of comments given as lemmas; None when too few words are said twice."""
    least = 2 if len(texts) < 400 else 3 if len(texts) < 2000 else 5
    vectorizer = TfidfVectorizer(
        analyzer=_same, min_df=least, max_df=0.5, max_features=_VOCABULARY, sublinear_tf=True
    )
    try:
        rows = vectorizer.fit_transform(texts)
    except ValueError:  # no word is left
        return None
    if rows.shape[1] < TOP:
        return None
    return Space(rows.tocsr(), tuple(str(word) for word in vectorizer.get_feature_names_out()))


def _same(lemmas: Sequence[str]) -> Sequence[str]:
    return lemmas


def find(
    held: Space, each: int = 8, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Found:
    """Return the themes of comments, `each` comments a theme or so at least; none when too few for two."""
    rng = np.random.default_rng(SEED)
    full = held.rows
    said = np.flatnonzero(np.diff(full.indptr))
    fitted = said if len(said) <= _FITTED else np.sort(rng.choice(said, _FITTED, replace=False))
    most = min(_MOST, len(said) // each, full.shape[1] // 3)
    if most < 2:
        return Found({}, (), (-1,) * full.shape[0], (0.0,) * full.shape[0])
    fewest = min(most, next(number for least, number in _FEWEST if len(said) >= least))
    numbers = range(fewest, most + 1)
    samples = [_sample(rng, said) for _ in range(_SAMPLES)]
    stability: dict[int, float] = {}
    spread: dict[int, float] = {}
    for rank, number in enumerate(numbers):
        # The reference is made of as much as a sample at most: all that is needed is its ranked words.
        reference = _ranked(_factors(full[_thin(rng, fitted)], number))
        agreed = [_agreement(reference, _ranked(_factors(full[rows], number))) for rows in samples]
        stability[number] = float(np.mean(agreed))
        spread[number] = float(np.std(agreed, ddof=1) / np.sqrt(len(agreed)))
        progress(rank + 1, len(numbers))
    return _themes(held, full[fitted], _chosen(stability, spread), stability)


def _thin(rng: Any, rows: Any) -> Any:
    wanted = int(_SAMPLE / _SHARE)
    return rows if len(rows) <= wanted else np.sort(rng.choice(rows, wanted, replace=False))


def _sample(rng: Any, said: Any) -> Any:
    size = min(_SAMPLE, int(_SHARE * len(said)))
    return np.sort(rng.choice(said, size, replace=False))


def _chosen(stability: dict[int, float], spread: dict[int, float]) -> int:
    """Return the largest number of themes whose agreement is within a standard error of the best."""
    best = max(stability, key=lambda number: (stability[number], number))
    return max(number for number, agreed in stability.items() if agreed >= stability[best] - spread[best])


def _factors(rows: Any, number: int) -> Any:
    """Return the words' weights of each theme, one row a theme."""
    model = NMF(number, init="nndsvda", max_iter=60, tol=1e-3, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows)
    return model.components_


def _ranked(factors: Any) -> list[list[int]]:
    return [list(map(int, np.argsort(-row, kind="stable")[:TOP])) for row in factors]


def _agreement(first: Sequence[Sequence[int]], second: Sequence[Sequence[int]]) -> float:
    """Return the mean average-Jaccard of themes paired at best."""
    table = np.array([[_average_jaccard(one, other) for other in second] for one in first])
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].mean())


def _average_jaccard(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the mean Jaccard of two rankings cut after 1, 2… words: the first words count most."""
    return float(
        np.mean(
            [len({*one[:d]} & {*other[:d]}) / len({*one[:d]} | {*other[:d]}) for d in range(1, len(one) + 1)]
        )
    )


def _themes(held: Space, fitted: Any, number: int, stability: dict[int, float]) -> Found:
    factors = _factors(fitted, number)
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    factors = factors / np.where(lengths == 0, 1, lengths)
    near = held.rows @ factors.T
    members = np.asarray(near.argmax(axis=1)).ravel()
    closeness = np.asarray(near.max(axis=1)).ravel()
    members = np.where(closeness < _LEAST, -1, members)
    return Found(
        stability={name: round(value, 4) for name, value in stability.items()},
        profiles=tuple(_profile(row, held.words) for row in factors),
        members=tuple(int(theme) for theme in members),
        closeness=tuple(round(float(value), 4) for value in closeness),
    )


def _profile(row: Any, words: Sequence[str]) -> dict[str, float]:
    heaviest = np.argsort(-row, kind="stable")[:PROFILE]
    return {words[int(place)]: round(float(row[place]), 5) for place in heaviest if row[place] > 0}
