"""Satisfaction from published figures, against statsmodels, numpy and closed forms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from analyzers import satisfaction
from analyzers.intervals import wilson
from analyzers.survey_results import Published, SurveySummary
from tool_config import surveys as templates
from tool_config.surveys import Survey

K = 5
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TEMPLATE = templates.load()["a-chaud-module"].asked(also=("recommendation",))

scale = st.dictionaries(st.integers(1, 5), st.integers(0, 60), max_size=5)
tens = st.dictionaries(st.integers(0, 10), st.integers(0, 60), max_size=11)


def survey(survey_id: str = "s", course_id: int = 7, mode: Any = "pseudonymous", days: int = 7) -> Survey:
    return Survey(
        silo_id=1,
        course_id=course_id,
        survey_id=survey_id,
        module="https://campus.test/m",
        template=TEMPLATE,
        mode=mode,
        opens_at=NOW - timedelta(days=1),
        closes_at=NOW + timedelta(days=days),
        created_at=NOW,
        created_by="t",
    )


def figures(n: int, *, survey_id: str = "s", closed: bool = False, **counts: dict[int, int]) -> Published:
    return Published(
        survey_id=survey_id,
        course_id=7,
        n=n,
        closed=closed,
        received=n if closed else None,
        day=date(2026, 11, 22),
        counts=counts,
        comments={"liked": 3},
    )


def summary(published: Published | None, received: int, **other: Any) -> SurveySummary:
    asked = other.pop("survey", survey())
    return satisfaction.summary(asked, published, enrolled=24, received=received, now=NOW, k=K, **other)


def test_wilson_equals_statsmodels() -> None:
    for n, count in product((1, 2, 5, 23, 240, 9000), (0, 1, 2, 5, 17, 239, 9000)):
        if count <= n:
            expected = proportion_confint(count, n, alpha=0.05, method="wilson")
            assert wilson(count, n) == pytest.approx(expected, abs=1e-9)


@given(scale)
def test_an_item_equals_numpy_and_statsmodels(counts: dict[int, int]) -> None:
    values = np.repeat(list(counts), list(counts.values())) if counts else np.array([])
    found = satisfaction.item(TEMPLATE.overall, counts, k=K)
    if len(values) < K:
        assert (found.suppressed, found.n, found.median, found.distribution) == ("few", None, None, ())
        assert found.favourable.suppressed == "few"
        return
    assert found.n == len(values)
    assert found.median == pytest.approx(float(np.median(values)), abs=1e-9)
    assert [bar.value for bar in found.distribution] == [1, 2, 3, 4, 5]
    assert {bar.value: bar.count for bar in found.distribution if bar.count} == {
        value: count for value, count in counts.items() if count
    }
    low, high = proportion_confint(int((values >= 4).sum()), len(values), method="wilson")
    assert found.favourable.value == pytest.approx(float((values >= 4).mean()), abs=1e-9)
    assert (found.favourable.low, found.favourable.high) == pytest.approx((low, high), abs=1e-9)


@given(tens)
def test_a_recommendation_is_the_mean_of_signs(counts: dict[int, int]) -> None:
    signs = [
        1 if value >= 9 else -1 if value <= 6 else 0 for value, count in counts.items() for _ in range(count)
    ]
    found = satisfaction.recommendation(counts, k=K)
    if len(signs) < K:
        assert (found.suppressed, found.score, found.promoters.count) == ("few", None, None)
        return
    assert found.score == pytest.approx(100 * fmean(signs), abs=1e-9)
    half = 1.959963984540054 * float(np.std(signs)) / len(signs) ** 0.5
    assert found.low == pytest.approx(100 * max(-1, fmean(signs) - half), abs=1e-6)
    assert found.high == pytest.approx(100 * min(1, fmean(signs) + half), abs=1e-6)


def test_a_summary_shows_what_is_published_and_says_what_was_received() -> None:
    published = figures(10, overall={5: 6, 4: 2, 2: 2}, useful={4: 3}, recommendation={10: 6, 3: 4})
    found = summary(published, received=12)
    assert found.suppressed is None
    assert (found.basis.n, found.received, found.next_at, found.state) == (10, 12, 15, "open")
    assert (found.response.count, found.response.n) == (12, 24)
    assert (found.overall.n, found.overall.median, found.overall.favourable.count) == (10, 5, 8)
    assert [item.question.id for item in found.items] == ["objectives", "useful", "pedagogy", "organisation"]
    assert [item.suppressed for item in found.items] == ["few"] * 4
    assert found.recommendation is not None
    assert found.recommendation.score == pytest.approx(20)
    assert [(group.question.id, group.count) for group in found.comments] == [("liked", 3), ("improve", 0)]


@pytest.mark.parametrize(
    ("published", "reason"), [(None, "waiting"), (figures(0, closed=True), "few"), (figures(4), "waiting")]
)
def test_under_the_threshold_nothing_is_shown(published: Published | None, reason: str) -> None:
    found = summary(published, received=4)
    assert found.suppressed == reason
    assert (found.basis.n, found.overall.n, found.overall.distribution) == (0, None, ())
    assert {item.favourable.value for item in (found.overall, *found.items)} == {None}
    assert [group.count for group in found.comments] == [None, None]
    assert found.recommendation is not None
    assert found.recommendation.score is None


def test_the_next_step_of_an_anonymous_one_waits_for_two_lots() -> None:
    assert summary(None, received=5, survey=survey(mode="anonymous")).next_at == 10
    assert summary(None, received=9, survey=survey(days=-1)).next_at is None


def test_more_answers_than_enrolled_are_not_over_a_hundred_per_cent() -> None:
    found = satisfaction.summary(survey(), None, enrolled=6, received=8, now=NOW, k=K)
    assert (found.response.count, found.response.n) == (8, 8)


def test_a_session_adds_up_what_is_published_and_only_that() -> None:
    surveys = [survey("a"), survey("b"), survey("c"), survey("d", course_id=8)]
    published = {
        "a": figures(10, survey_id="a", overall={5: 6, 2: 4}),
        "b": figures(5, survey_id="b", overall={4: 1, 3: 4}),
        "c": figures(3, survey_id="c", overall={1: 3}),
    }
    found = satisfaction.by_session(surveys, published, k=K)
    assert (found[7].published, found[7].opened) == (2, 3)
    assert (found[7].favourable.count, found[7].favourable.n, found[7].median) == (7, 15, 3)
    assert (found[8].published, found[8].favourable.suppressed, found[8].median) == (0, "few", None)
    strict = satisfaction.by_session(surveys, published, k=11)
    assert (strict[7].published, strict[7].favourable.suppressed) == (0, "few")


def test_points_of_four_and_of_five_have_no_median_together() -> None:
    of_four = replace(TEMPLATE.overall, scale=TEMPLATE.overall.scale[:4])
    rest = tuple(question for question in TEMPLATE.questions if question.kind != "overall")
    imported = replace(survey("b"), template=replace(TEMPLATE, questions=(of_four, *rest)))
    published = {
        "a": figures(10, survey_id="a", overall={5: 6, 2: 4}),
        "b": figures(10, survey_id="b", overall={4: 5, 3: 5}),
    }
    (found,) = satisfaction.by_session([survey("a"), imported], published, k=K).values()
    assert (found.favourable.count, found.favourable.n, found.median) == (16, 20, None)
    (alone,) = satisfaction.by_session([imported], published, k=K).values()
    assert alone.median == 3.5


def test_the_median_of_nothing_is_none() -> None:
    assert satisfaction.median({}) is None
    assert satisfaction.median({1: 1, 4: 1}) == 2.5
