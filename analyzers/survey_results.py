"""What the analyses of questionnaires give back: frozen values; `results` has what they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from analyzers.results import Basis, Share
from tool_config.survey_model import Audience, Label, Mode, Question


@dataclass(frozen=True)
class Published:
    """The sealed figures of one questionnaire, as its last step published them."""

    survey_id: str
    course_id: int
    #: Respondents in the figures; 0: none may be published.
    n: int
    closed: bool
    #: People who answered in all; None while it is open.
    received: int | None
    day: date
    #: Question -> point of the scale or number of the option -> respondents. Under several choices, the
    #: value `survey_model.ANSWERED_IT` counts all who answered the question.
    counts: dict[str, dict[int, int]]
    #: Question -> comments published.
    comments: dict[str, int]


@dataclass(frozen=True)
class Bar:
    """Respondents at one point of a scale."""

    value: int
    label: Label
    count: int


@dataclass(frozen=True)
class ItemSummary:
    """One closed question among those who answered it; nothing in it when `suppressed` says why."""

    question: Question
    #: Respondents to this question; None when suppressed.
    n: int | None
    #: A bar a point, the lowest first, empty ones included; () when suppressed.
    distribution: tuple[Bar, ...]
    median: float | None
    #: Answers in the two highest points of the scale, with the 95 % Wilson interval.
    favourable: Share
    suppressed: str | None = None


@dataclass(frozen=True)
class Recommendation:
    """Promoters (9–10) less detractors (0–6), from −100 to 100, with its 95 % interval."""

    score: float | None
    low: float | None
    high: float | None
    n: int | None
    promoters: Share
    detractors: Share
    suppressed: str | None = None


@dataclass(frozen=True)
class CommentGroup:
    """The comments published on one open question; `answer_frames.comments` reads them."""

    question: Question
    #: None when suppressed.
    count: int | None
    suppressed: str | None = None


@dataclass(frozen=True)
class OptionBar:
    """Respondents who chose one option, among those who answered the question."""

    value: int
    label: Label
    share: Share


@dataclass(frozen=True)
class ChoiceSummary:
    """One question with options; nothing in it when `suppressed` says why."""

    question: Question
    #: Several options may be ticked: the shares do not add up to 100 %.
    several: bool
    #: Respondents to this question; None when suppressed.
    n: int | None
    #: A bar an option, in the order asked; () when suppressed.
    bars: tuple[OptionBar, ...]
    suppressed: str | None = None


@dataclass(frozen=True)
class SurveySummary:
    """One questionnaire of a module, or of the session as a whole."""

    #: `n`: respondents in the figures shown (0 when suppressed); `fresh_at` None: see `published_on`.
    basis: Basis
    survey_id: str
    course_id: int
    #: IRI of the module; "" for the whole session.
    module: str
    phase: str
    title: Label
    mode: Mode
    state: Literal["scheduled", "open", "closed"]
    opens_at: datetime
    closes_at: datetime
    #: Day of the last step published.
    published_on: date | None
    #: People who answered so far; by blocks while an anonymous questionnaire is open.
    received: int
    #: `received` among the enrolled.
    response: Share
    overall: ItemSummary
    items: tuple[ItemSummary, ...]
    #: None when it was not asked.
    recommendation: Recommendation | None
    comments: tuple[CommentGroup, ...]
    #: Why no figure is shown: "few" (under the threshold, closed), "waiting" (not yet enough answers for
    #: the first step), None when they are.
    suppressed: str | None
    #: Respondents in the figures when the next step comes; None when closed.
    next_at: int | None
    #: People whom the intervals are about; None: not known, they are those of an endless group.
    population: int | None = None
    audience: Audience = "trainees"
    #: Questions with options, in the order asked.
    choices: tuple[ChoiceSummary, ...] = ()
    #: Questions of self-positioning; "favourable" there is the share in the two highest points.
    positioning: tuple[ItemSummary, ...] = ()

    @property
    def is_satisfaction(self) -> bool:
        """Say whether its overall question is a trainee's opinion of what they followed."""
        return self.phase != "avant" and self.audience == "trainees"


@dataclass(frozen=True)
class SessionSatisfaction:
    """All the questionnaires of one session put together, for the administrator's list."""

    course_id: int
    #: Questionnaires whose figures are published and are counted here, of those opened.
    published: int
    opened: int
    #: Favourable overall answers among all the overall answers published; one person may have given
    #: several (one a module), so the interval is a little too narrow.
    favourable: Share
    #: Median of the overall answers published; None where their scales do not have as many points.
    median: float | None
