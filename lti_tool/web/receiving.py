"""How modules are received, put into the cells and marks that pages draw: every number comes guarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from analyzers import answer_frames, comparison
from analyzers.depth import Depth
from analyzers.results import Share
from analyzers.survey_results import ItemSummary, SessionSatisfaction, SurveySummary
from lti_tool.formatting import number, percent
from lti_tool.surveys import reception
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from lti_tool.web.guard import tool, viewer
from lti_tool.web.shell import CoursePage


@dataclass(frozen=True)
class Whisker:
    """A dot and its interval on an axis from 0 to 100, with the words that say the same."""

    value: float
    low: float
    high: float
    #: The module stands out low.
    least: bool
    words: str


@dataclass(frozen=True)
class Cell:
    """What a table says of one module: answers, and the mark or why there is none."""

    responses: str
    enrolled: str
    mark: Whisker | None
    #: Why no mark is drawn.
    words: str
    url: str
    share: float | None
    received: int


@dataclass(frozen=True)
class Received:
    """The questionnaires of a course, as read for one page."""

    summaries: tuple[SurveySummary, ...]
    modules: Mapping[str, SurveySummary]
    least: str | None
    best: str | None


def read(conn: Connection, page: CoursePage) -> Received:
    """Read what is published of a course's questionnaires."""
    overview = page.overview
    summaries = reception.course(
        conn,
        page.viewer.silo_id,
        page.access.course_id,
        enrolled=overview.enrolled,
        now=tool().clock(),
        k=tool().rules.disclosure.course,
        partial=overview.basis.partial,
    )
    modules = {
        iri: summary
        for iri, summary in comparison.by_module(summaries).items()
        if iri in page.setting.modules
    }
    return Received(summaries, modules, comparison.least(modules), comparison.best(modules))


def depths(conn: Connection, page: CoursePage) -> dict[str, Depth]:
    """Return what is sealed of the closed questionnaires of a course, by questionnaire."""
    return answer_frames.depths(conn, page.viewer.silo_id, page.access.course_id)


def cells(page: CoursePage, received: Received) -> dict[str, Cell]:
    """Return the cells of the modules that had a questionnaire, by IRI."""
    return {
        iri: cell(page, summary, least=iri == received.least) for iri, summary in received.modules.items()
    }


def cell(page: CoursePage, summary: SurveySummary, *, least: bool = False) -> Cell:
    """Put one questionnaire into the cells of a table."""
    share, k = summary.overall.favourable, tool().rules.disclosure.course
    return Cell(
        responses=survey_wording.received(summary, k),
        enrolled=number(max(page.overview.enrolled, summary.received)) if summary.received >= k else "",
        mark=whisker(share, least=least),
        words=survey_wording.withheld(summary, k),
        url=page.url("survey_summary", survey_id=summary.survey_id),
        share=share.value,
        received=summary.received if summary.received >= k else 0,
    )


def whisker(share: Share, *, least: bool = False) -> Whisker | None:
    """Return the mark of a share; None when it may not be shown."""
    if share.value is None or share.low is None or share.high is None:
        return None
    words = survey_wording.favourable(share)
    return Whisker(100 * share.value, 100 * share.low, 100 * share.high, least, words)


@dataclass(frozen=True)
class SessionCell:
    """What the list of sessions says of one session's satisfaction."""

    mark: Whisker | None
    words: str
    share: float | None


def session_cells(conn: Connection) -> dict[int, SessionCell]:
    """Return the satisfaction of each session of the viewer's silo that opened a questionnaire."""
    k = tool().rules.disclosure.course
    found = reception.sessions(conn, viewer().silo_id, k=k)
    return {course_id: _session_cell(item, k) for course_id, item in found.items()}


def _session_cell(item: SessionSatisfaction, k: int) -> SessionCell:
    return SessionCell(whisker(item.favourable), survey_wording.session_words(item, k), item.favourable.value)


# --- the diverging bar ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Segment:
    """A part of a bar: from `x`, `width` wide, in per cent of the chart; `count` answers."""

    kind: str
    x: float
    width: float
    count: int
    words: str

    @property
    def roomy(self) -> bool:
        """Say whether the count can be read inside."""
        return self.width >= 5


@dataclass(frozen=True)
class Bars:
    """The bar of one question beside its figures."""

    label: str
    text: str
    n: str
    median: str
    favourable: str
    interval: str
    segments: tuple[Segment, ...]
    #: Where answers against end and answers for begin, in per cent of the chart.
    centre: float
    words: str
    #: (label of the point, count), the lowest first.
    points: tuple[tuple[str, int], ...]
    suppressed: str
    #: The question that it draws.
    question: str = ""


#: Looks of the points, the lowest first: solid, hatched, plain, hatched, solid.
_KINDS = {5: ("low", "less", "middle", "more", "high"), 4: ("low", "less", "more", "high")}


def bars(items: Sequence[ItemSummary], why: str) -> list[Bars]:
    """Return the bars of closed questions on one axis; `why`: what to say of a question not shown."""
    shown = [item for item in items if item.distribution]
    left = max([_against(item) for item in shown], default=0.0)
    right = max([1 - _against(item) for item in shown], default=1.0)
    left, right = max(left, 0.08), max(right, 0.08)
    return [_bar(item, left, left + right, why) for item in items]


def key(drawn: Sequence[Bars]) -> list[tuple[str, str]]:
    """Return the key of bars on one scale: (look, label of the point); empty when none is drawn."""
    points = next((bar.points for bar in drawn if bar.points), ())
    return [(kind, text) for kind, (text, _) in zip(_KINDS.get(len(points), ()), points, strict=True)]


def _against(item: ItemSummary) -> float:
    """Return the share of a question's answers on the left of the centre; a middle one counts for half."""
    n = sum(bar.count for bar in item.distribution)
    half = len(item.distribution) // 2
    left = float(sum(bar.count for bar in item.distribution[:half]))
    if len(item.distribution) % 2:
        left += item.distribution[half].count / 2
    return left / n if n else 0.5


def _bar(item: ItemSummary, left: float, span: float, why: str) -> Bars:
    question = item.question
    if not item.distribution:
        return Bars(
            label(question.short), label(question.text), "–", "–", "–", "", (), 100 * left / span, "", (), why
        )
    n = sum(bar.count for bar in item.distribution)
    kinds = _KINDS[len(item.distribution)]
    at = left - _against(item)
    segments = []
    for bar, kind in zip(item.distribution, kinds, strict=True):
        width = bar.count / n
        if bar.count:
            words = f"{label(bar.label)}\u202f: {number(bar.count)}"
            segments.append(Segment(kind, 100 * at / span, 100 * width / span, bar.count, words))
        at += width
    return Bars(
        label=label(question.short),
        text=label(question.text),
        n=number(item.n),
        median=number(item.median, 1),
        favourable=percent(item.favourable.value),
        interval=survey_wording.interval(item.favourable),
        segments=tuple(segments),
        centre=100 * left / span,
        words=_said(item),
        points=tuple((label(bar.label), bar.count) for bar in item.distribution),
        suppressed="",
        question=question.id,
    )


def _said(item: ItemSummary) -> str:
    parts: Iterable[str] = (f"{label(bar.label)} {number(bar.count)}" for bar in item.distribution)
    return f"{label(item.question.short)}\u202f: " + ", ".join(parts)
