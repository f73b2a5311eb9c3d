"""Modules ranked by evidence: what counts, what is missing, how far the order holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from analyzers import shrinkage
from analyzers.adapt import CRITERIA, Counts, Module, rank, weigh

TODAY = date(2026, 11, 21)
K = 11
EVEN = dict.fromkeys(CRITERIA, 1)


def counts(key: str, **known: object) -> Counts:
    return replace(Counts(1, "Parcours", key, key.capitalize()), **known)  # type: ignore[arg-type]


def many(**first: object) -> list[Counts]:
    """Return eight modules well received, and one more."""
    others = [counts(f"m{n}", favourable=(88, 100), stopped=(4, 100), review_on=TODAY) for n in range(8)]
    return [*others, counts("last", **first)]


def of(modules: tuple[Module, ...], key: str) -> Module:
    return next(one for one in modules if one.counts.key == key)


def test_shares_are_those_of_the_common_law_and_taken_at_their_worse_end() -> None:
    modules = weigh(many(favourable=(30, 60), stopped=(30, 90), review_on=TODAY), today=TODAY, k=K)
    found = of(modules, "last").evidence["satisfaction"]
    common = shrinkage.prior({**{str(n): (12, 100) for n in range(8)}, "last": (30, 60)})
    law = stats.beta(common.mean * common.strength + 30, (1 - common.mean) * common.strength + 30)
    assert found.value == pytest.approx(law.ppf(0.975), abs=1e-9)
    assert (found.count, found.n) == (30, 60)
    assert found.share == pytest.approx(law.mean())
    ranking = rank(modules, EVEN)
    assert ranking.ranked[0].module.counts.key == "last"
    assert ranking.first == 3
    assert ranking.ranked[0].among_first == 1.0
    assert (ranking.ranked[0].low_rank, ranking.ranked[0].high_rank) == (1, 1)


def test_what_is_missing_is_neither_good_nor_bad() -> None:
    known = counts("known", favourable=(60, 100), stopped=(10, 100), blamed=(20, 60), authors=40)
    silent = counts("silent", favourable=(60, 100), stopped=(10, 100))
    modules = weigh([known, silent, *many()[:8]], today=TODAY, k=K)
    line = next(one for one in rank(modules, EVEN).lines if one.module.counts.key == "silent")
    assert line.known == ("satisfaction", "stopping")
    values = [line.module.evidence[name].value for name in line.known]
    assert line.index == pytest.approx(np.mean([value for value in values if value is not None]))
    assert sum(line.parts.values()) == pytest.approx(line.index)
    assert line.module.evidence["comments"].suppressed == "unknown"


def test_a_module_of_which_too_little_is_known_is_not_ranked() -> None:
    modules = weigh(many(review_on=TODAY - timedelta(days=900)), today=TODAY, k=K)
    line = rank(modules, EVEN).lines[-1]
    assert (line.module.counts.key, line.rank, line.index) == ("last", None, 1.0)
    # Alone on, the delay is enough.
    alone = rank(modules, {"review": 1})
    assert alone.ranked[0].module.counts.key == "last"


def test_under_the_threshold_nothing_is_said() -> None:
    few = counts("few", favourable=(2, 10), stopped=(3, 10), blamed=(20, 30), authors=10, expected=(10, 40),
                 met=(20, 40), employer=(3, 5), employees=10, )  # fmt: skip
    evidence = of(weigh([few], today=TODAY, k=K), "few").evidence
    assert {name: found.suppressed for name, found in evidence.items()} == {
        "satisfaction": "few", "stopping": "few", "comments": "few", "expectations": "few",
        "employer": "few", "review": "unknown",
    }  # fmt: skip
    assert all(found.count is None and found.n is None for found in evidence.values())


def test_expectations_and_objectives_weigh_as_much_as_they_are_named() -> None:
    one = counts(
        "one", expected=(30, 40), met=(20, 40), favourable=(39, 40), employer=(1, 4), stopped=(20, 40)
    )
    evidence = of(weigh([one], today=TODAY, k=K), "one").evidence
    worst = stats.beta(21, 21).ppf(0.975)
    assert evidence["expectations"].value == pytest.approx(0.75 * worst, abs=1e-9)
    assert evidence["employer"].value == pytest.approx(0.25 * worst, abs=1e-9)
    assert evidence["expectations"].stake == (30, 40)


@pytest.mark.parametrize(("days", "value"), [(-30, 0.0), (73, 0.2), (365, 1.0), (2000, 1.0)])
def test_a_review_weighs_by_its_delay(days: int, value: float) -> None:
    one = counts("one", review_on=TODAY - timedelta(days=days))
    assert of(weigh([one], today=TODAY, k=K), "one").evidence["review"].value == value


def test_weights_change_the_order_and_zero_switches_off() -> None:
    disliked = counts("disliked", favourable=(40, 100), stopped=(2, 100))
    left = counts("left", favourable=(90, 100), stopped=(60, 100))
    modules = weigh([disliked, left, *many()[:4]], today=TODAY, k=K)
    firsts = {
        name: rank(modules, {"satisfaction": 0, "stopping": 0, name: 1, "review": 0}).ranked[0]
        for name in ("satisfaction", "stopping")
    }
    assert firsts["satisfaction"].module.counts.key == "disliked"
    assert firsts["stopping"].module.counts.key == "left"
    assert firsts["stopping"].known == ("stopping",)
    assert rank(modules, dict.fromkeys(CRITERIA, 0)).ranked == ()
    for wrong in ({"satisfaction": -1}, {"trainer": 1}):
        with pytest.raises(ValueError, match="weights"):
            rank(modules, wrong)


def test_alike_modules_hold_no_place() -> None:
    """Of forty modules alike but one, the ranks of the others are known to be anybody's."""
    alike = [counts(f"m{n:02}", favourable=(80, 100), stopped=(8, 100)) for n in range(40)]
    ranking = rank(
        weigh([*alike, counts("bad", favourable=(20, 100), stopped=(50, 100))], today=TODAY, k=K), EVEN
    )
    first, second = ranking.ranked[:2]
    assert ranking.first == 10
    assert (first.module.counts.key, first.low_rank, first.high_rank) == ("bad", 1, 1)
    assert second.high_rank is not None
    assert second.high_rank > 20
    assert second.among_first is not None
    assert 0.05 < second.among_first < 0.6
    assert rank((), EVEN).lines == ()


def test_few_stops_are_not_told_apart() -> None:
    """One or ten of a hundred: the same words, the same index; none, or eleven, are told."""
    made = [counts(f"m{n}", stopped=(n, 100), favourable=(80, 100)) for n in (0, 1, 10, 11)]
    found = [module.evidence["stopping"] for module in weigh(made, today=TODAY, k=K)]
    assert [one.count for one in found] == [0, None, None, 11]
    assert [one.about for one in found] == [False, True, True, False]
    assert found[1] == found[2]
