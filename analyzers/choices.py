"""Questions with options, from what is published of them: PURE.

A single choice parts those who answered; of several choices each option has the share of those who answered
the question, so that the shares do not add up to 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping

from analyzers import disclosure
from analyzers.results import Share
from analyzers.survey_results import ChoiceSummary, OptionBar
from tool_config.survey_model import ANSWERED_IT, Question


def summary(
    question: Question,
    counts: Mapping[int, int],
    *,
    k: int,
    reason: str | None = None,
    population: int | None = None,
) -> ChoiceSummary:
    """Summarise a question of kind choice or choices: suppressed for `reason`, or under `k` answers.

    `counts`: respondents by number of the option, as published (see `survey_tables.survey_figure`);
    `population`: the people asked, where their number is known.
    """
    several = question.kind == "choices"
    n = counts.get(ANSWERED_IT, 0) if several else sum(counts.values())
    reason = reason or (None if disclosure.enough(n, k) else disclosure.FEW)
    if reason:
        return ChoiceSummary(question, several, None, (), reason)
    bars = tuple(
        OptionBar(option.value, option.label, _share(counts.get(option.value, 0), n, k, population))
        for option in question.options
    )
    return ChoiceSummary(question, several, n, bars)


def _share(count: int, n: int, k: int, population: int | None) -> Share:
    return disclosure.share(count, n, k=k, population=None if population is None else max(population, n))
