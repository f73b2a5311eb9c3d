"""`python -m bench.polarity`: train the classifier of polarity, and measure it.

Trained on the train part of comments-course-reviews-fr-en alone (French and English together), measured on
its dev part, each language apart, beside a lexicon and the commonest class. Writes the weights, the figures
and their table in docs/polarity-model.md; with ``--check`` writes nothing and compares. A minute.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import (  # type: ignore[import-untyped]
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
)

from analyzers.comments import accuracy, lexicon, masking
from analyzers.comments.polarity import CLASSES, WEIGHTS, Classifier, features

ROOT = Path(__file__).parent.parent
DATA = "comments-course-reviews-fr-en"
CARD = ROOT / "docs" / "polarity-model.md"
SEED = 7
#: Chosen by cross-validation inside the train part (five folds, translations of a sentence in one fold).
REGULARISATION = 1.0
console = Console(width=110)


@dataclass(frozen=True)
class Labelled:
    """Sentences with their language and their polarity."""

    texts: tuple[str, ...]
    languages: tuple[str, ...]
    polarities: tuple[str, ...]

    def spoken(self, language: str) -> Labelled:
        rows = [
            row for row in zip(self.texts, self.languages, self.polarities, strict=True) if row[1] == language
        ]
        return Labelled(*map(tuple, zip(*rows, strict=True)))


def read(folder: Path, part: str) -> Labelled:
    """Read a part, train or dev, in both languages; a row is an opinion, a sentence may have several."""
    texts: list[str] = []
    languages: list[str] = []
    polarities: list[str] = []
    for language in lexicon.LANGUAGES:
        sentences: dict[str, tuple[str, set[str]]] = {}
        path = folder / DATA / f"coursera_{language}_{part}.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                sentences.setdefault(row["id"], (row["text"], set()))[1].add(row["polarity"])
        for text, opinions in sentences.values():
            texts.append(masking.mask(text))
            languages.append(language)
            polarities.append(_polarity(opinions))
    return Labelled(tuple(texts), tuple(languages), tuple(polarities))


def _polarity(opinions: set[str]) -> str:
    """Return the polarity of a sentence: neutral without an opinion, or with opinions both ways."""
    sides = opinions - {"", "neutral"}
    return sides.pop() if len(sides) == 1 and sides <= {"positive", "negative"} else "neutral"


def train(known: Labelled) -> Classifier:
    """Fit the classifier; the same sentences give the same weights on one machine."""
    model = LogisticRegression(
        C=REGULARISATION, class_weight="balanced", max_iter=1000, tol=1e-6, random_state=SEED
    )
    model.fit(features(known.texts, known.languages), known.polarities)
    if tuple(model.classes_) != CLASSES:
        raise ValueError(f"the train part has the polarities {', '.join(model.classes_)}")
    return Classifier(
        model.coef_.astype(np.float16).astype(np.float32),
        model.intercept_.astype(np.float16).astype(np.float32),
    )


def packed(made: Classifier) -> bytes:
    """Return the weights as kept in the package: half precision, compressed, no pickle."""
    out = io.BytesIO()
    np.savez_compressed(
        out, weights=made.weights.astype(np.float16), intercepts=made.intercepts.astype(np.float16)
    )
    return out.getvalue()


def digest(made: Classifier) -> str:
    """Return the SHA-256 of the weights themselves, whatever their file is compressed by."""
    kept = (made.weights.astype("<f2"), made.intercepts.astype("<f2"))
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in kept)).hexdigest()


def measure(made: Classifier, known: Labelled, dev: Labelled) -> dict[str, Any]:
    """Return the figures: accuracy and macro-F1 of the model and of both baselines, a language each."""
    majority = Counter(known.polarities).most_common(1)[0][0]
    found: dict[str, dict[str, dict[str, float | int]]] = {"model": {}, "lexicon": {}, "majority": {}}
    for language in lexicon.LANGUAGES:
        there = dev.spoken(language)
        said = {
            "model": made.predict(there.texts, there.languages),
            "lexicon": [lexicon.polarity(text, language) for text in there.texts],
            "majority": [majority] * len(there.texts),
        }
        for name, predicted in said.items():
            found[name][language] = _score(there.polarities, predicted)
    predicted = made.predict(dev.texts, dev.languages)
    each = {"labels": CLASSES, "average": None, "zero_division": 0.0}
    return {
        "dev": found,
        "precision": _by_class(precision_score(dev.polarities, predicted, **each)),
        "recall": _by_class(recall_score(dev.polarities, predicted, **each)),
        "sentences": {"train": len(known.texts), "dev": len(dev.texts)},
        "shares": {
            part: {name: round(count / len(there.texts), 4) for name, count in sorted(_counts(there).items())}
            for part, there in (("train", known), ("dev", dev))
        },
        "digest": digest(made),
        "seed": SEED,
        "scikit-learn": sklearn.__version__,
    }


def _counts(there: Labelled) -> Counter[str]:
    return Counter(there.polarities)


def _score(true: Sequence[str], predicted: Sequence[str]) -> dict[str, float | int]:
    return {
        "n": len(true),
        "accuracy": round(float(accuracy_score(true, predicted)), 4),
        "macro_f1": round(
            float(f1_score(true, predicted, labels=CLASSES, average="macro", zero_division=0.0)), 4
        ),
    }


def _by_class(values: Sequence[float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(CLASSES, values, strict=True)}


def card_table(figures: dict[str, Any]) -> str:
    """Return the table of the model card, in Markdown."""
    names = {"model": "classifier", "lexicon": "lexicon", "majority": "commonest class"}
    lines = [
        "| on dev | French: accuracy | macro-F1 | English: accuracy | macro-F1 |",
        "|---|---|---|---|---|",
    ]
    for name, said in names.items():
        cells = [
            f"{figures['dev'][name][language][value]:.3f}"
            for language in lexicon.LANGUAGES
            for value in ("accuracy", "macro_f1")
        ]
        lines.append(f"| {said} | {' | '.join(cells)} |")
    lines += ["", "| both languages | negative | neutral | positive |", "|---|---|---|---|"]
    for said, values in (("precision", figures["precision"]), ("recall", figures["recall"])):
        lines.append(f"| {said} | {' | '.join(f'{values[name]:.3f}' for name in CLASSES)} |")
    lines += [
        "",
        f"{figures['sentences']['train']:,} sentences of train, {figures['sentences']['dev']:,} of dev, seed "
        f"{figures['seed']}, scikit-learn {figures['scikit-learn']}, SHA-256 of the weights "
        f"`{figures['digest'][:16]}…`.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Train, measure, print, and write or compare."""
    parser = argparse.ArgumentParser(prog="bench.polarity")
    parser.add_argument("--check", action="store_true", help="compare with what is there, write nothing")
    options = parser.parse_args()
    folder = Path(os.environ.get("ESTIME_SHARED", ROOT.parent / "shared" / "data"))
    known, dev = read(folder, "train"), read(folder, "dev")
    made = train(known)
    figures = measure(made, known, dev)
    _print(figures)
    room = Path(accuracy.__file__).parent
    if options.check:
        kept = json.loads((room / accuracy.FIGURES).read_text("utf-8"))
        console.print(
            "the same weights" if kept["digest"] == figures["digest"] else "OTHER WEIGHTS than those kept"
        )
        return int(kept["digest"] != figures["digest"])
    (room / WEIGHTS).write_bytes(packed(made))
    (room / accuracy.FIGURES).write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    fenced = re.compile(r"(<!-- figures -->\n).*?(\n<!-- end -->)", re.DOTALL)
    text = CARD.read_text("utf-8")
    CARD.write_text(fenced.sub(lambda found: found[1] + card_table(figures) + found[2], text), "utf-8")
    return 0


def _print(figures: dict[str, Any]) -> None:
    table = Table(title="Polarity, on the dev part")
    table.add_column("")
    for language in lexicon.LANGUAGES:
        table.add_column(f"{language}: accuracy", justify="right")
        table.add_column("macro-F1", justify="right")
    for name, by_language in figures["dev"].items():
        scores = [f"{score[key]:.3f}" for score in by_language.values() for key in ("accuracy", "macro_f1")]
        table.add_row(name, *scores)
    console.print(table)
    console.print(f"SHA-256 of the weights: {figures['digest']}")


if __name__ == "__main__":
    raise SystemExit(main())
