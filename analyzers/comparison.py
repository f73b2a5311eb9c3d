"""Modules set beside one another by what is published of their questionnaires: PURE.

The order is that of the lower bound of the Wilson interval, never of the raw share: a module that three
people praised does not pass before one that fifty people did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzers.results import Share
from analyzers.survey_results import SurveySummary


def by_module(summaries: Iterable[SurveySummary]) -> dict[str, SurveySummary]:
    """Return the questionnaire that speaks for each module, of summaries in the order of `reception.course`.

    The latest whose figures are published, else the latest that is open, else the latest. Those that ask
    for no trainee's opinion of what they followed (expectations, tutors' views) speak for none.
    """
    found: dict[str, SurveySummary] = {}
    for summary in summaries:
        if not summary.is_satisfaction:
            continue
        kept = found.get(summary.module)
        if kept is None or _weight(summary) > _weight(kept):
            found[summary.module] = summary
    return found


def _weight(summary: SurveySummary) -> tuple[bool, bool]:
    return summary.suppressed is None, summary.state == "open"


def least(modules: Mapping[str, SurveySummary]) -> str | None:
    """Return the module that stands out low: its whole interval is under the share of the others together.

    None when none does, or when no other module has published figures.
    """
    known = _known(modules)
    low = [iri for iri in known if _stands_low(iri, known)]
    return min(low, key=lambda iri: (known[iri].high or 0.0, iri), default=None)


def best(modules: Mapping[str, SurveySummary]) -> str | None:
    """Return the module with the highest lower bound among two or more with published figures."""
    known = _known(modules)
    if len(known) < 2:
        return None
    return max(sorted(known), key=lambda iri: known[iri].low or 0.0)


def _known(modules: Mapping[str, SurveySummary]) -> dict[str, Share]:
    shares = {iri: summary.overall.favourable for iri, summary in modules.items()}
    return {iri: share for iri, share in shares.items() if share.count is not None and share.n}


def _stands_low(iri: str, known: Mapping[str, Share]) -> bool:
    others = [share for other, share in known.items() if other != iri]
    n = sum(share.n or 0 for share in others)
    count = sum(share.count or 0 for share in others)
    high = known[iri].high
    return bool(n) and high is not None and high < count / n
