"""Minutes of questionnaires asked of each person over a session: PURE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tool_config.surveys import Audience, Survey


@dataclass(frozen=True)
class Workload:
    """Minutes asked of one person of an audience over a session."""

    #: Questionnaires over, open now, planned.
    past: int
    under_way: int
    planned: int

    @property
    def total(self) -> int:
        return self.past + self.under_way + self.planned


def of_session(surveys: Iterable[Survey], audience: Audience, now: datetime) -> Workload:
    """Add up the questionnaires of a session that are asked of an audience."""
    minutes = {"closed": 0, "open": 0, "scheduled": 0}
    for survey in surveys:
        if survey.template.audience == audience:
            minutes[survey.state(now)] += survey.template.minutes
    return Workload(minutes["closed"], minutes["open"], minutes["scheduled"])
