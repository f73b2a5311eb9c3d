"""Themes, anchors, polarity and the guard of comments: pure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzers.comments import accuracy, anchors, lexicon, themes
from analyzers.comments.anchors import Kept, Known
from analyzers.comments.lemmas import language, lemmas
from analyzers.comments.picture import Choice, Line, draw, people
from analyzers.comments.polarity import CLASSES, Classifier

WORDS = (
    "rythme semaine charge lourd soir", "forum échange collègue pair groupe", "vidéo son écran image montage",
)  # fmt: skip
TEXTS = [
    [word for place, word in enumerate(WORDS[rank % 3].split()) if (rank // 3 + place) % 5]
    for rank in range(90)
]


def test_words_become_lemmas_and_masks_nothing() -> None:
    assert language("The videos were great and clear") == "en"
    assert language("Les vidéos sont claires") == "fr"
    assert lemmas("Les échanges étaient très enrichissants avec [nom]", "fr")[:1] == ["échange"]
    assert "nom" not in lemmas("merci à [nom] pour le forum", "fr")


def test_the_number_of_themes_is_the_stable_one() -> None:
    held = themes.space(TEXTS)
    assert held is not None
    found = themes.find(held)
    assert found.stability[max(found.stability)] <= 1
    tops = [set(list(profile)[:3]) for profile in found.profiles]
    assert all(sum(bool(top & set(group.split())) for group in WORDS) == 1 for top in tops)
    assert themes.find(held) == found
    assert themes.space([["seul"], ["mot"]]) is None


def test_a_readers_theme_stays_and_takes_the_new_comments_that_have_its_words() -> None:
    first = TEXTS[:60]
    held = themes.space(first)
    assert held is not None
    found = themes.find(held)
    of_rhythm = [rank for rank in range(60) if rank % 3 == 0]
    parts = tuple(
        profile
        for rank, profile in enumerate(found.profiles)
        if rank in {found.members[r] for r in of_rhythm}
    )
    kept = Kept("mine", parts, frozenset(of_rhythm))
    again = themes.space(TEXTS)
    assert again is not None
    placed = anchors.place(again, themes.find(again), [kept], [])
    assert placed.themes[0].theme_id == "mine"
    assert {placed.members[rank] for rank in range(90) if rank % 3 == 0} == {0}
    assert all(placed.members[rank] != 0 for rank in range(90) if rank % 3)
    others = [
        Known(f"old-{rank}", theme.profiles[0]) for rank, theme in enumerate(placed.themes) if not theme.kept
    ]
    known = anchors.place(again, themes.find(again), [kept], others)
    assert {theme.theme_id for theme in known.themes} == {"mine", *(one.theme_id for one in others)}


def line(rank: int, **changed: object) -> Line:
    made = Line(1, "s", f"c{rank:02d}", "liked", f"p{rank}", "m", "a-chaud", "", "t", 0.5, "positive")
    return made._replace(**changed)  # type: ignore[arg-type]


def test_people_are_counted_at_least() -> None:
    twice = [line(rank, respondent=f"p{rank // 2}") for rank in range(8)]
    assert people(twice, ()) == 4
    hidden = [line(rank, question="liked" if rank % 2 else "improve") for rank in range(8)]
    assert people(hidden, {"s"}) == 4
    elsewhere = [one._replace(course_id=2, survey_id="r") for one in hidden]
    assert people(hidden + elsewhere, {"s", "r"}) == 8


def test_small_groups_are_not_shown_nor_given_back() -> None:
    lines = [
        line(rank, theme="big" if rank < 8 else "small", module="a" if rank < 9 else "b")
        for rank in range(11)
    ]
    shown = draw(lines, Choice(), anonymous=(), k=5)
    # Three people in the small theme: the other joins it, or the difference would tell.
    assert shown.themes == ()
    assert shown.count == 11
    assert shown.choices is not None
    assert shown.choices["module"] == {"other": 11}
    assert draw(lines[:4], Choice(), anonymous=(), k=5).count is None
    assert draw(lines, Choice(polarity="negative"), anonymous=(), k=5).chosen is None


def test_the_lexicon_turns_words_round() -> None:
    assert lexicon.polarity("Très clair et utile", "fr") == "positive"
    assert lexicon.polarity("Pas très clair", "fr") == "negative"
    assert lexicon.polarity("Une semaine", "fr") == "neutral"


def test_the_weights_are_small_and_give_what_the_card_says(shared_data: Path) -> None:
    from bench import polarity as bench

    made, dev = Classifier.load(), bench.read(shared_data, "dev")
    kept = json.loads((Path(accuracy.__file__).parent / accuracy.FIGURES).read_text("utf-8"))
    known = accuracy.read()
    card = bench.CARD.read_text("utf-8")
    assert bench.digest(made) == kept["digest"]
    for spoken in lexicon.LANGUAGES:
        there = dev.spoken(spoken)
        right = sum(
            a == b for a, b in zip(made.predict(there.texts, there.languages), there.polarities, strict=True)
        )
        assert right / len(there.texts) == pytest.approx(known.scores["model"][spoken].accuracy, abs=1e-4)
        beaten = [known.scores[name][spoken] for name in ("lexicon", "majority")]
        mine = known.scores["model"][spoken]
        assert all(mine.accuracy > other.accuracy and mine.macro_f1 > other.macro_f1 for other in beaten)
    assert bench.card_table(kept) in card
    assert (Path(accuracy.__file__).parent / "polarity.npz").stat().st_size < 1_000_000
    assert made.predict(["Formation passionnante, excellente !"], ["fr"]) == [CLASSES[2]]
