"""Published figures side by side: sessions of a path, their trend, objects; against closed forms."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from analyzers import satisfaction, views
from analyzers.results import Share
from analyzers.survey_results import Published, SurveySummary
from tool_config import surveys as templates
from tool_config.surveys import Survey

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
K = 5


def survey(name: str, template: str = "a-chaud-module", module: str = "m1", days: int = 0) -> Survey:
    asked = templates.load()[template].asked()
    opens = NOW - timedelta(days=30 - days)
    return Survey(1, 7, name, module, asked, "pseudonymous", opens, opens + timedelta(days=5), NOW, "t", NOW)


def published(name: str, n: int, **counts: dict[int, int]) -> Published:
    return Published(name, 7, n, True, n, date(2026, 11, 1), dict(counts), {})


def summary(asked: Survey, found: Published | None, **more: Any) -> SurveySummary:
    n = found.n if found else 0
    return satisfaction.summary(asked, found, enrolled=24, received=n, now=NOW, k=K, **more)


def test_a_trend_is_the_weighted_line_of_statsmodels() -> None:
    shares = [Share(30, 40), Share(20, 30), None, Share(12, 24), Share(40, 90)]
    found = views.trend(shares)
    assert found is not None
    at, p, n = (
        np.array([0, 1, 3, 4]),
        np.array([30 / 40, 20 / 30, 12 / 24, 40 / 90]),
        np.array([40, 30, 24, 90]),
    )
    line = sm.WLS(p, sm.add_constant(at), weights=n).fit()
    assert found.slope == pytest.approx(line.params[1], abs=1e-9)
    # The variance of a weighted sum of independent shares.
    weights = n * (at - np.average(at, weights=n)) / (n * (at - np.average(at, weights=n)) ** 2).sum()
    half = 1.959963984540054 * np.sqrt((weights**2 * p * (1 - p) / n).sum())
    assert (found.low, found.high) == pytest.approx((found.slope - half, found.slope + half), abs=1e-9)
    assert (found.sessions, found.n, found.clear) == (4, 184, True)
    assert views.trend([Share(1, 5), None, Share(2, 5)]) is None


def test_a_session_puts_its_phases_and_modules_together() -> None:
    surveys = [
        survey("a"), survey("b", module="m2"), survey("c", "a-froid", ""), survey("d", "attentes", ""),
        survey("e", module="gone"), survey("f", "regard-formateurs", ""),
    ]  # fmt: skip
    found = {
        "a": published("a", 10, overall={5: 6, 2: 4}),
        "b": published("b", 10, overall={4: 9, 1: 1}),
        "c": published("c", 6, overall={4: 3, 3: 3}),
        "d": published("d", 10, overall={4: 10}),
        "e": published("e", 3, overall={4: 3}),
        "f": published("f", 9, overall={4: 9}),
    }
    one = views.edition(7, "2026-1", None, surveys, found, {"m1": "Un", "m2": "Deux"}, k=K)
    assert {name: (share.count, share.n) for name, share in one.phases.items()} == {
        "a-chaud": (15, 20),
        "a-froid": (3, 6),
    }
    assert {name: (share.count, share.n) for name, share in one.modules.items()} == {
        "Un": (6, 10),
        "Deux": (9, 10),
    }
    assert views.totals([one, one]) == {"Un": (12, 20), "Deux": (18, 20)}


def test_the_latest_published_speaks_for_its_phase_and_audience() -> None:
    early, late = survey("early", days=1), survey("late", days=9)
    some = [summary(late, None), summary(early, published("early", 8, overall={4: 8}))]
    some.append(summary(survey("tutors", "regard-formateurs", "m1"), None))
    found = views.speaking(some, "m1")
    assert found["a-chaud", "trainees"].survey_id == "early"
    assert list(found) == [("a-chaud", "trainees"), ("regard-croise", "tutors")]
    assert views.speaking(some, "") == {}


def test_objects_take_the_answers_of_their_items_together() -> None:
    found = published("a", 10, overall={4: 10}, objectives={4: 6, 1: 4}, useful={5: 10}, pedagogy={2: 3})
    pooled = views.by_object(summary(survey("a"), found))
    assert (pooled["content"].count, pooled["content"].n, pooled["content"].low) == (16, 20, None)
    assert "pedagogy" not in pooled  # three answered: not shown, not counted


def test_a_summary_of_known_people_has_the_intervals_of_a_finite_group() -> None:
    found = published("a", 20, overall={5: 15, 2: 5})
    asked = summary(survey("a"), found)
    endless = summary(survey("a"), found, partial=True)
    assert (asked.population, endless.population) == (24, None)
    assert (asked.overall.favourable.low or 0) > (endless.overall.favourable.low or 1)
    # Of tutors nobody knows how many could answer.
    tutors = summary(survey("t", "regard-formateurs", ""), published("t", 9, overall={4: 9}))
    assert (tutors.population, tutors.response.suppressed) == (None, "unknown")
