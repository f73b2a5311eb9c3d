"""Published figures set side by side: phases, audiences, objects, sessions of one path. PURE.

Everything here is worked out from figures that are published already, each of k people or more: nothing of
it says more of anybody than they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from analyzers.intervals import Z95, wilson
from analyzers.results import Share
from analyzers.satisfaction import item
from analyzers.survey_results import Published, SurveySummary
from tool_config.survey_model import OBJECTS, PHASES, Survey

#: Sessions with figures from which a trend is spoken of.
LEAST_SESSIONS = 3


def speaking(summaries: Iterable[SurveySummary], module: str) -> dict[tuple[str, str], SurveySummary]:
    """Return the questionnaire that speaks for each phase and audience of a module ("": of the session).

    `summaries` in the order of `reception.course`: the latest with published figures, else the latest.
    """
    found: dict[tuple[str, str], SurveySummary] = {}
    for summary in summaries:
        if summary.module != module:
            continue
        place = (summary.phase, summary.audience)
        kept = found.get(place)
        if kept is None or (kept.suppressed is not None and summary.suppressed is None):
            found[place] = summary
    order: dict[str, int] = {phase: rank for rank, phase in enumerate(PHASES)}
    return dict(sorted(found.items(), key=lambda one: (order[one[0][0]], one[0][1])))


def pooled(shares: Iterable[Share]) -> Share | None:
    """Return the share of several questions' favourable answers taken together; None when none is shown.

    Its n is that of answers: one person gave several, so that the interval is too narrow; it is left out.
    """
    known = [share for share in shares if share.count is not None and share.n]
    if not known:
        return None
    return Share(count=sum(share.count or 0 for share in known), n=sum(share.n or 0 for share in known))


def by_object(summary: SurveySummary) -> dict[str, Share]:
    """Return the favourable answers to the items of each object, those of no object under ""."""
    found = {}
    for name in (*OBJECTS, ""):
        share = pooled(one.favourable for one in summary.items if (one.question.object or "") == name)
        if share is not None:
            found[name] = share
    return found


# --- sessions of one path ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edition:
    """One session of a path: the overall opinion of its trainees by phase, and of each module after it."""

    course_id: int
    title: str
    starts_on: date | None
    #: Phase -> favourable overall answers of its questionnaires together.
    phases: Mapping[str, Share]
    #: Name of the module, the same over the sessions -> favourable overall answers.
    modules: Mapping[str, Share]


@dataclass(frozen=True)
class Trend:
    """How a share moves from one session to the next, with its 95 % interval; n: answers."""

    slope: float
    low: float
    high: float
    sessions: int
    n: int

    @property
    def clear(self) -> bool:
        return self.low > 0 or self.high < 0


def edition(
    course_id: int,
    title: str,
    starts_on: date | None,
    surveys: Sequence[Survey],
    published: Mapping[str, Published],
    names: Mapping[str, str],
    *,
    k: int,
) -> Edition:
    """Put together what one session published; `names`: IRI of a module -> its name over the sessions.

    Only what trainees say of what they followed; the questionnaires of a phase together (one person may
    have answered several), those after a module module by module.
    """
    phases: dict[str, list[Share]] = {}
    modules: dict[str, list[Share]] = {}
    for survey in surveys:
        found = published.get(survey.survey_id)
        if found is None or not survey.template.is_satisfaction or found.n < k:
            continue
        overall = survey.template.overall
        share = item(overall, found.counts.get(overall.id, {}), k=k).favourable
        if share.count is None:
            continue
        phases.setdefault(survey.template.phase, []).append(share)
        if survey.module in names and survey.template.phase == "a-chaud":
            modules.setdefault(names[survey.module], []).append(share)
    return Edition(course_id, title, starts_on, _together(phases), _together(modules))


def _together(found: Mapping[str, Sequence[Share]]) -> dict[str, Share]:
    made = {}
    for name, shares in found.items():
        share = pooled(shares)
        if share is not None and share.count is not None and share.n:
            low, high = wilson(share.count, share.n)
            made[name] = Share(share.count, share.n, low, high)
    return made


def totals(editions: Iterable[Edition]) -> dict[str, tuple[int, int]]:
    """Return the favourable answers to each module over the sessions: (count, n)."""
    found: dict[str, tuple[int, int]] = {}
    for one in editions:
        for name, share in one.modules.items():
            count, n = found.get(name, (0, 0))
            found[name] = count + (share.count or 0), n + (share.n or 0)
    return found


def trend(shares: Sequence[Share | None]) -> Trend | None:
    """Return the slope of shares over sessions in order, weighted by answers; None under three with figures.

    b = Σ nᵢ(tᵢ − t)(pᵢ − p)/Σ nᵢ(tᵢ − t)², variance Σ nᵢ(tᵢ − t)² pᵢ(1 − pᵢ)/(Σ nᵢ(tᵢ − t)²)², t and p the
    weighted means. Source: Cochran, Biometrics 10 (1954), 417–451 (linear trend in proportions).
    """
    known = [
        (rank, share.count / share.n, share.n)
        for rank, share in enumerate(shares)
        if share is not None and share.count is not None and share.n
    ]
    if len(known) < LEAST_SESSIONS:
        return None
    total = sum(n for _, _, n in known)
    middle = sum(n * at for at, _, n in known) / total
    mean = sum(n * p for _, p, n in known) / total
    spread = sum(n * (at - middle) ** 2 for at, _, n in known)
    slope = sum(n * (at - middle) * (p - mean) for at, p, n in known) / spread
    half = Z95 * sqrt(sum(n * (at - middle) ** 2 * p * (1 - p) for at, p, n in known)) / spread
    return Trend(slope, slope - half, slope + half, len(known), total)
