"""Positioning questions come back word for word over a session: PURE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tool_config.surveys import Question, Survey, Template


def aligned(template: Template, opened: Iterable[Survey]) -> Template:
    """Return a questionnaire whose positioning questions are those first asked, competency by competency.

    `opened`: the questionnaires of the session. The wording and the scale of the first time are forced, the
    identifiers stay its own; the competencies asked for the first time stay as they are.
    """
    first: dict[str, Question] = {}
    for survey in sorted(opened, key=lambda one: (one.created_at, one.survey_id)):
        for question in survey.template.positioning:
            first.setdefault(question.competency, question)
    return replace(template, questions=tuple(_same(question, first) for question in template.questions))


def _same(question: Question, first: dict[str, Question]) -> Question:
    known = first.get(question.competency) if question.kind == "positioning" else None
    if known is None:
        return question
    return replace(question, text=known.text, short=known.short, scale=known.scale)


def changes(template: Template, opened: Iterable[Survey]) -> tuple[Question, ...]:
    """Return the questions that `aligned` would word otherwise, as they will be asked."""
    after = aligned(template, opened).questions
    return tuple(new for old, new in zip(template.questions, after, strict=True) if new != old)
