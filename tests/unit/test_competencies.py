"""Competencies and what supports them, teams, Pix levels, hours exchanged."""

from __future__ import annotations

from datetime import date

import pytest
from scipy import stats

from analyzers import paired
from analyzers.adapt import Counts
from analyzers.competencies import (
    Competency,
    Exchange,
    Link,
    Result,
    balances,
    band,
    distribution,
    levels,
    supports,
    teams,
    together,
    years,
)
from analyzers.disclosure import OTHER

K = 11
FRAMEWORK = [Competency("PERDIR", "A1", "Piloter"), Competency("PERDIR", "A2", "Évaluer")]


def test_a_competency_has_the_evidence_of_its_modules_and_gaps_are_told() -> None:
    counts = Counts(
        1, "P", "m1", "M1", stopped=(5, 40), through=(30, 35), met=(20, 24), hours=6.0, marks=(15.0, 20)
    )
    few = Counts(1, "P", "m2", "M2", stopped=(1, 10), through=(9, 10), favourable=(9, 10), marks=(9.0, 10))
    links = [Link("m1", "PERDIR", "A1", 0.5), Link("m2", "PERDIR", "A1"), Link("gone", "PERDIR", "A2")]
    first, second = supports(FRAMEWORK, links, {"m1": counts, "m2": few}, {}, k=K)
    one, other = first.modules
    assert (one.hours, one.finished.count, one.finished.n, one.met.count, one.marked) == (3.0, 30, 40, 20, 20)
    assert one.mark == pytest.approx(0.75)
    assert (other.finished.suppressed, other.mark, other.marked, other.met.suppressed) == (
        "few",
        None,
        None,
        "few",
    )
    assert (first.hours, first.kinds) == (3.0, 4)
    assert (second.modules, second.hours, second.kinds) == ((), None, 0)


def test_groups_together_move_as_all_their_people_would() -> None:
    """The mean is that of everybody; the error, that of a mean of independent groups."""
    before, after = [[2, 3, 2, 1] * 4, [1, 2, 3] * 5], [[3, 3, 4, 2] * 4, [3, 2, 4] * 5]
    made = [paired.change("A1", *one) for one in zip(before, after, strict=True)]
    moved = together(made, K)
    assert moved is not None
    moves = [[b - a for a, b in zip(*one, strict=True)] for one in zip(before, after, strict=True)]
    everybody = moves[0] + moves[1]
    assert moved.n == 31
    assert moved.mean == pytest.approx(sum(everybody) / 31)
    errors = [stats.sem(one) for one in moves]
    expected = ((16 / 31 * errors[0]) ** 2 + (15 / 31 * errors[1]) ** 2) ** 0.5
    assert moved.high - moved.mean == pytest.approx(1.959964 * expected, rel=1e-4)
    assert together(made[:0], K) is None
    assert together([paired.Change("A1", None, suppressed="few")], K) is None


def test_trainers_are_counted_under_the_threshold() -> None:
    rows = [(f"t{n}", "Animer", "expert" if n < 12 else "able" if n < 30 else "beginner") for n in range(33)]
    rows += [(f"t{n}", "Évaluer", "expert") for n in range(10)]
    shown = {one.competency: one for one in teams(rows, ("beginner", "able", "expert"), k=K)}
    assert shown["Évaluer"].trainers is None
    assert set(shown["Évaluer"].levels.values()) == {None}
    # Three beginners alone would come back by subtraction: the experts go with them.
    assert shown["Animer"].trainers == 33
    assert shown["Animer"].levels == {"beginner": None, "able": 18, "expert": None}


@pytest.mark.parametrize(
    ("level", "name"), [(0, "none"), (0.9, "none"), (1, "novice"), (4.5, "independent"), (8, "expert")]
)
def test_levels_are_in_the_bands_of_pix(level: float, name: str) -> None:
    assert band(level) == name


def test_the_latest_level_counts_and_small_bands_are_gathered() -> None:
    results = [Result(f"p{n}", "Données", 3 if n < 30 else 5, date(2026, 1, 1)) for n in range(45)]
    results += [Result("p0", "Données", 5, date(2026, 2, 1)), Result("p1", "Données", 1, date(2025, 1, 1))]
    results += [Result(f"p{n}", "Réseaux", 2, None) for n in range(10)]
    origins = {f"p{n}": {"promotion": "2025" if n < 20 else "2026"} for n in range(45)}
    found = levels(results, origins, ("promotion",), k=K)
    assert distribution(found["Données"]) == {
        "none": 0,
        "novice": 0,
        "independent": 29,
        "advanced": 16,
        "expert": 0,
    }
    assert distribution(found["Réseaux"]) == {OTHER: None}
    by_group = distribution(found["Données"], "promotion", "2025")
    # One person of that promotion is in the other band: neither number is told.
    assert by_group["advanced"] is None
    assert by_group["independent"] is None


def test_hours_are_owed_by_whom_received_more() -> None:
    first = [
        Exchange("IH2EF", "Lille", 10, 0.4, 0.6, date(2026, 9, 1)),
        Exchange("Lille", "IH2EF", 2, None, None, date(2026, 8, 31)),
    ]
    (one,) = balances([*first, Exchange("IH2EF", "Lille", 5, 0.5, 0.6), Exchange("X", "X", 4)])
    assert (one.first, one.second, one.given, one.received) == ("IH2EF", "Lille", 15, 2)
    assert one.due == pytest.approx(9.0)
    assert one.owing == 2
    assert one.balance == pytest.approx(7.0)
    assert (one.lines, one.without_share, one.odd) == (3, 1, 1)
    # The same seen from the other side: who is owed comes first.
    (other,) = balances([Exchange("A", "B", 1), Exchange("B", "A", 3, taker_share=1.0)])
    assert (other.first, other.second, other.balance) == ("B", "A", 2)
    assert years(first) == (2026,)
