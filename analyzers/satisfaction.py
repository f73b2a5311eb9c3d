"""Satisfaction from what is published of questionnaires: PURE.

Nothing here sees an answer: only the sealed figures (`survey_results.Published`), whose steps the guard
decided. Definitions: the median of a scale is that of its points; an answer is favourable in the two
highest points (top-2-box); the recommendation is p₊ − p₋ with variance (p₊ + p₋ − (p₊ − p₋)²)/n
(Rocks, *The American Statistician* 70 (2016), 365–372). Where the people asked are known, intervals are
those of a group without replacement (`intervals.finite`): when all of them answered, nothing is left to
estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import sqrt

from analyzers import choices, disclosure
from analyzers.intervals import Z95, finite
from analyzers.results import Basis, Share
from analyzers.survey_results import (
    Bar,
    CommentGroup,
    ItemSummary,
    Published,
    Recommendation,
    SessionSatisfaction,
    SurveySummary,
)
from tool_config.surveys import Question, Survey

#: Reason given while the first step is still to come.
WAITING = "waiting"
#: Reason given for a rate of response among people whose number is not known.
UNKNOWN = "unknown"


def summary(
    survey: Survey,
    published: Published | None,
    *,
    enrolled: int,
    received: int,
    now: datetime,
    k: int,
    partial: bool = False,
) -> SurveySummary:
    """Summarise one questionnaire from its published figures (None: no step yet).

    `enrolled`: the course's enrolled learners; `received`: `lti_tool.surveys.received`; `partial`: the
    roster is unknown.
    """
    closed = published is not None and published.closed
    n = published.n if published is not None and disclosure.enough(published.n, k) else 0
    reason = None if n else disclosure.FEW if closed else WAITING
    counts: Mapping[str, Mapping[int, int]] = published.counts if published is not None and n else {}
    comments = published.comments if published is not None and n else {}
    template, state = survey.template, survey.state(now)
    # Somebody who left after answering counts on both sides. Of people outside the course none are enrolled.
    asked = max(enrolled, received) if template.audience == "trainees" else None
    people = None if partial else asked

    def items(kind: str) -> tuple[ItemSummary, ...]:
        return tuple(
            item(question, counts.get(question.id, {}), k=k, reason=reason, population=people)
            for question in template.closed
            if question.kind == kind
        )

    scores = [question for question in template.closed if question.kind == "recommendation"]
    return SurveySummary(
        basis=Basis(n=n, definition="satisfaction", period=None, fresh_at=None, partial=partial),
        survey_id=survey.survey_id,
        course_id=survey.course_id,
        module=survey.module,
        phase=template.phase,
        title=template.title,
        audience=template.audience,
        mode=survey.mode,
        state=state,
        opens_at=survey.opens_at,
        closes_at=survey.closes_at,
        published_on=published.day if published is not None else None,
        received=received,
        response=_hidden(UNKNOWN) if asked is None else disclosure.share(received, asked, k=k),
        overall=items("overall")[0],
        items=items("item"),
        choices=tuple(
            choices.summary(question, counts.get(question.id, {}), k=k, reason=reason, population=people)
            for question in template.closed
            if question.options
        ),
        positioning=items("positioning"),
        recommendation=recommendation(counts.get(scores[0].id, {}), k=k, reason=reason, population=people)
        if scores
        else None,
        comments=tuple(
            CommentGroup(question, None if reason else comments.get(question.id, 0), reason)
            for question in template.comments
        ),
        suppressed=reason,
        next_at=None if state == "closed" else _next(survey, n, k),
        population=people,
    )


def _next(survey: Survey, n: int, k: int) -> int:
    """Return how many must have answered for the next step.

    Of an anonymous questionnaire a lot leaves only when another stays behind.
    """
    return n + 2 * k if survey.mode == "anonymous" else n + k


def item(
    question: Question,
    counts: Mapping[int, int],
    *,
    k: int,
    reason: str | None = None,
    population: int | None = None,
) -> ItemSummary:
    """Summarise a closed question: suppressed for `reason`, or when fewer than `k` answered it."""
    n = sum(counts.values())
    reason = reason or (None if disclosure.enough(n, k) else disclosure.FEW)
    if reason:
        return ItemSummary(question, None, (), None, _hidden(reason), reason)
    top = question.values[-2:]
    return ItemSummary(
        question=question,
        n=n,
        distribution=tuple(
            Bar(point.value, point.label, counts.get(point.value, 0)) for point in question.scale
        ),
        median=median(counts),
        favourable=disclosure.share(
            sum(counts.get(value, 0) for value in top), n, k=k, population=_of(population, n)
        ),
    )


def _of(population: int | None, n: int) -> int | None:
    """Return of how many people n are; never fewer, should the enrolled have been counted since."""
    return None if population is None else max(population, n)


def median(counts: Mapping[int, int]) -> float | None:
    """Return the median of values counted; the mean of the two middle ones when even; None of nothing."""
    n = sum(counts.values())
    if n == 0:
        return None
    return (_at(counts, (n - 1) // 2) + _at(counts, n // 2)) / 2


def _at(counts: Mapping[int, int], rank: int) -> int:
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if rank < seen:
            return value
    raise IndexError(rank)


def recommendation(
    counts: Mapping[int, int], *, k: int, reason: str | None = None, population: int | None = None
) -> Recommendation:
    """Return the recommendation score of answers from 0 to 10, with its 95 % normal interval.

    The variance is multiplied by (N − n)/(N − 1) where `population`, N, is known.
    """
    n = sum(counts.values())
    reason = reason or (None if disclosure.enough(n, k) else disclosure.FEW)
    if reason:
        return Recommendation(None, None, None, None, _hidden(reason), _hidden(reason), reason)
    for_it = sum(count for value, count in counts.items() if value >= 9)
    against = sum(count for value, count in counts.items() if value <= 6)
    score = (for_it - against) / n
    people = _of(population, n)
    half = Z95 * sqrt(((for_it + against) / n - score * score) / n * finite(n, people))
    return Recommendation(
        score=100 * score,
        low=100 * max(-1.0, score - half),
        high=100 * min(1.0, score + half),
        n=n,
        promoters=disclosure.share(for_it, n, k=k, population=people),
        detractors=disclosure.share(against, n, k=k, population=people),
    )


def by_session(
    surveys: Iterable[Survey], published: Mapping[str, Published], *, k: int
) -> dict[int, SessionSatisfaction]:
    """Put together the overall answers published in each course that opened a questionnaire.

    Only those that ask trainees what they think of what they followed (`Template.is_satisfaction`).
    Questionnaires that publish nothing are left out on both sides. A session is spoken of from `k`
    respondents to one of its questionnaires on: the same people may have answered them all.
    """
    gathered: dict[int, list[tuple[Survey, Published | None]]] = {}
    for survey in surveys:
        if not survey.template.is_satisfaction:
            continue
        gathered.setdefault(survey.course_id, []).append((survey, published.get(survey.survey_id)))
    return {course_id: _session(course_id, items, k) for course_id, items in sorted(gathered.items())}


def _session(course_id: int, items: list[tuple[Survey, Published | None]], k: int) -> SessionSatisfaction:
    total: dict[int, int] = {}
    scales: set[int] = set()
    favourable, largest, shown = 0, 0, 0
    for survey, published in items:
        if published is None or not disclosure.enough(published.n, k):
            continue
        overall = survey.template.overall
        shown += 1
        largest = max(largest, published.n)
        scales.add(len(overall.values))
        for value, count in published.counts.get(overall.id, {}).items():
            total[value] = total.get(value, 0) + count
            favourable += count if value in overall.values[-2:] else 0
    n = sum(total.values())
    enough = disclosure.enough(largest, k)
    share = disclosure.share(favourable, n, k=k) if enough else _hidden(disclosure.FEW)
    return SessionSatisfaction(
        course_id=course_id,
        published=shown,
        opened=len(items),
        favourable=share,
        # The third point of four and that of five are not the same answer.
        median=median(total) if enough and len(scales) == 1 else None,
    )


def _hidden(reason: str) -> Share:
    return Share(count=None, n=None, suppressed=reason)
