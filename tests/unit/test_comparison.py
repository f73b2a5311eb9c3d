"""Modules beside one another: who speaks for a module, who stands out, what titles say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analyzers import comparison, satisfaction
from analyzers.survey_results import SurveySummary
from tests.unit.test_satisfaction import NOW, K, figures, survey


def received(module: str, favourable: int, n: int, *, state: str = "open", **more: Any) -> SurveySummary:
    """Return the summary of a module of which `favourable` of `n` published answers are favourable."""
    asked = survey(module)
    counts = {5: favourable, 2: n - favourable}
    published = figures(n, survey_id=module, overall=counts) if n else None
    now = NOW + timedelta(days=30) if state == "closed" else NOW
    made = satisfaction.summary(asked, published, enrolled=100, received=n, now=now, k=K)
    return SurveySummary(**{**made.__dict__, "module": module, **more})


def test_a_module_whose_interval_is_under_the_others_stands_out() -> None:
    modules = {name: received(name, count, 16) for name, count in (("1", 15), ("2", 14), ("3", 7))}
    assert comparison.least(modules) == "3"
    assert comparison.best(modules) == "1"


def test_a_few_answers_never_make_a_module_stand_out() -> None:
    modules = {"1": received("1", 15, 16), "2": received("2", 4, 5)}
    assert comparison.least(modules) is None


def test_one_module_alone_is_neither_best_nor_least() -> None:
    modules = {"1": received("1", 0, 30), "2": received("2", 0, 0)}
    assert comparison.least(modules) is None
    assert comparison.best(modules) is None


def test_many_good_answers_pass_before_a_few_perfect_ones() -> None:
    modules = {"few": received("few", 5, 5), "many": received("many", 58, 60)}
    assert comparison.best(modules) == "many"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(5, 40)), min_size=2, max_size=6))
def test_the_least_is_under_the_share_of_the_others(cells: list[tuple[int, int]]) -> None:
    modules = {str(rank): received(str(rank), min(count, n), n) for rank, (count, n) in enumerate(cells)}
    found = comparison.least(modules)
    if found is None:
        return
    others = [item.overall.favourable for name, item in modules.items() if name != found]
    share = sum(item.count or 0 for item in others) / sum(item.n or 0 for item in others)
    assert (modules[found].overall.favourable.high or 0) < share


def test_the_latest_published_speaks_for_its_module_else_the_open_one() -> None:
    waiting = received("1", 0, 0)
    older = received("1", 9, 10, survey_id="older")
    assert comparison.by_module([waiting, older])["1"].survey_id == "older"
    closed = received("1", 0, 0, state="closed", survey_id="closed")
    assert comparison.by_module([closed, waiting])["1"] is waiting
