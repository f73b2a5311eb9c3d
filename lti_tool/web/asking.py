"""The questions of a questionnaire as its form shows them: to answer, or to see beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from lti_tool.language import gettext
from lti_tool.surveys import wording as survey_wording
from lti_tool.surveys.wording import label
from tool_config.surveys import Grid, Point, Question, Template

#: Names of fields begin with this: a question never meets another field of the form.
PREFIX = "q-"
#: How points are laid out; those of the other kinds as the points of an item.
_LOOKS = {"overall": "overall", "recommendation": "recommendation", "choice": "list", "choices": "list"}


def sent(form: MultiDict[str, str]) -> dict[str, str]:
    """Return the answers that a form holds, by question; options ticked together are parted by commas."""
    names = [name for name in form if name.startswith(PREFIX)]
    return {name.removeprefix(PREFIX): ",".join(form.getlist(name)) for name in names}


def written(template: Template, values: Mapping[str, int | str]) -> dict[str, str]:
    """Return answers kept as a form holds them."""
    made: dict[str, str] = {}
    for question in template.questions:
        if question.id in values:
            text = question.written(values[question.id])
            made[question.id] = text.replace("[,]", ",") if question.kind == "choices" else text
    return made


def blocks(template: Template, values: Mapping[str, str], errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the form shows, block after block: a question, or a grid with its rows."""
    return [
        _grid(grid, rows, rank, values, errors)
        if grid is not None
        else _question(rows[0], rank, values.get(rows[0].id, ""), errors.get(rows[0].id, ""))
        for rank, (grid, rows) in enumerate(template.blocks, 1)
    ]


def _question(question: Question, rank: int, value: str, code: str) -> dict[str, Any]:
    return {
        "id": question.id,
        "name": PREFIX + question.id,
        "rank": rank,
        "kind": question.kind,
        "text": label(question.text),
        "required": question.required,
        "look": _LOOKS.get(question.kind, "item"),
        "points": _points(question.points),
        "value": value,
        "chosen": value.split(",") if question.kind == "choices" else [value],
        "limit": question.max_length,
        "error": survey_wording.error(code, limit=question.max_length) if code else "",
    }


def _grid(
    grid: Grid,
    rows: tuple[Question, ...],
    rank: int,
    values: Mapping[str, str],
    errors: Mapping[str, str],
) -> dict[str, Any]:
    codes = [errors[row.id] for row in rows if row.id in errors]
    missing = gettext("Chaque ligne attend une réponse.")
    return {
        "id": grid.id,
        "rank": rank,
        "kind": "grid",
        "text": label(grid.text),
        "required": rows[0].required,
        "points": _points(rows[0].scale),
        "rows": [_question(row, rank, values.get(row.id, ""), errors.get(row.id, "")) for row in rows],
        "error": (missing if "required" in codes else survey_wording.error(codes[0])) if codes else "",
        "missing": missing,
    }


def _points(points: tuple[Point, ...]) -> list[tuple[str, str]]:
    return [(str(point.value), label(point.label)) for point in points]
