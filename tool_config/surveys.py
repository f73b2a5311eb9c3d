"""Questionnaire templates: `surveys/*.yaml`, checked when they are loaded, frozen afterwards.

`surveys/_scales.yaml` holds the scales that every template may name. The questions themselves are in
`survey_model`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tool_config.survey_model import (
    ANSWERED_IT,
    AUDIENCES,
    LANGUAGES,
    MODES,
    MOST_OPTIONS,
    OBJECTS,
    PHASES,
    SCOPES,
    Audience,
    Grid,
    Kind,
    Label,
    Language,
    Mode,
    Object,
    Phase,
    Point,
    Question,
    Scope,
    Survey,
    Template,
    TemplateError,
    mask,
    ticked,
)

__all__ = [
    "ANSWERED_IT", "AUDIENCES", "LANGUAGES", "LONGEST", "MODES", "MOST_OPTIONS", "OBJECTS", "PHASES",
    "SCALES", "SCOPES", "Audience", "Grid", "Kind", "Label", "Language", "Mode", "Object", "Phase", "Point",
    "Question", "Scope", "Survey", "Template", "TemplateError", "dump", "load", "mask", "parse", "restore",
    "scales", "ticked",
]  # fmt: skip

#: Longest comment that a template may allow, characters.
LONGEST = 5000

_FOLDER = Path(__file__).with_name("surveys")
_SHARED = "_scales.yaml"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
#: The values that suit each kind of question on a scale.
SCALES: Mapping[Kind, tuple[tuple[int, ...], ...]] = {
    "overall": ((1, 2, 3, 4, 5), (1, 2, 3, 4)),
    "item": ((1, 2, 3, 4, 5), (1, 2, 3, 4)),
    "positioning": ((1, 2, 3, 4, 5), (1, 2, 3, 4)),
    "recommendation": (tuple(range(11)),),
}
_TEMPLATE_NEEDS = {"template", "version", "phase", "minutes", "title", "questions"}
_TEMPLATE_KEYS = _TEMPLATE_NEEDS | {"audience", "scope", "languages", "scales"}
_EVERY = {"id", "kind", "required", "included", "text", "short"}
_QUESTION_KEYS: Mapping[str, set[str]] = {
    "overall": _EVERY | {"scale", "object"},
    "item": _EVERY | {"scale", "object"},
    "recommendation": _EVERY | {"scale", "object"},
    "positioning": _EVERY | {"scale", "competency"},
    "choice": _EVERY | {"options", "object"},
    "choices": _EVERY | {"options", "object"},
    "comment": _EVERY | {"max_length", "object"},
    "grid": _EVERY | {"of", "scale", "rows"},
}
_ROW_KEYS = {"id", "text", "short", "object", "competency"}
_Scales = Mapping[str, tuple[Point, ...]]
_Languages = tuple[Language, ...]


# --- files ----------------------------------------------------------------------------------------


@cache
def load(folder: Path = _FOLDER) -> Mapping[str, Template]:
    """Read every template of a folder, by name; TemplateError says which file, where and why."""
    found: dict[str, Template] = {}
    for path in sorted(folder.glob("[!_]*.yaml")):
        try:
            template = parse(_read(path))
        except (yaml.YAMLError, TemplateError) as error:
            raise TemplateError(f"{path.name}: {error}") from None
        if template.name != path.stem:
            raise TemplateError(f"{path.name}: template: {template.name!r} is not the name of the file")
        found[template.name] = template
    if not found:
        raise TemplateError(f"no questionnaire template in {folder.name}")
    return found


@cache
def scales() -> _Scales:
    """Return the scales that every template may name."""
    try:
        return _scales(_read(_FOLDER / _SHARED), LANGUAGES, "")
    except (yaml.YAMLError, TemplateError) as error:
        raise TemplateError(f"{_SHARED}: {error}") from None


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)


class _Loader(yaml.SafeLoader):
    """YAML in which a key written twice is a fault, not a silent choice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names: set[str] = set()
        for key, _ in node.value:
            name = str(self.construct_object(key))
            if name in names:
                raise TemplateError(f"line {key.start_mark.line + 1}: {name!r} is written twice")
            names.add(name)
        return super().construct_mapping(node, deep)


def parse(content: Any) -> Template:
    """Check the content of a template and return it frozen; raises TemplateError."""
    root = _mapping(content, "the file", _TEMPLATE_KEYS, required=_TEMPLATE_NEEDS)
    spoken = _spoken(root.get("languages", list(LANGUAGES)))
    known = {**scales(), **_scales(root.get("scales", {}), spoken, "scales.")}
    items = root["questions"]
    if not isinstance(items, list) or not items:
        raise TemplateError("questions: expected a list of questions")
    questions = tuple(
        question
        for rank, item in enumerate(items)
        for question in _questions(item, f"questions[{rank}]", known, spoken)
    )
    _check_together(questions)
    return Template(
        name=_name(root["template"], "template"),
        version=_positive(root["version"], "version"),
        phase=_among(root["phase"], PHASES, "phase"),
        minutes=_positive(root["minutes"], "minutes"),
        title=_label(root["title"], "title", spoken),
        questions=questions,
        audience=_among(root.get("audience", "trainees"), AUDIENCES, "audience"),
        scope=_among(root.get("scope", "module"), SCOPES, "scope"),
        languages=spoken,
    )


def _check_together(questions: tuple[Question, ...]) -> None:
    grids = {question.grid.id for question in questions if question.grid}
    names = Counter([*(question.id for question in questions), *grids])
    if max(names.values()) > 1:
        raise TemplateError(f"questions: {names.most_common(1)[0][0]!r} is there twice")
    competencies = Counter(question.competency for question in questions if question.competency)
    if competencies and max(competencies.values()) > 1:
        raise TemplateError(f"questions: two for the competency {competencies.most_common(1)[0][0]!r}")
    overall = [question for question in questions if question.kind == "overall"]
    if len(overall) != 1 or not overall[0].required or not overall[0].included:
        raise TemplateError("questions: exactly one must be of kind overall, required and included")


def _spoken(content: Any) -> _Languages:
    if not isinstance(content, list) or not content or not set(content) <= set(LANGUAGES):
        raise TemplateError(f"languages: expected some of: {', '.join(LANGUAGES)}")
    return tuple(language for language in LANGUAGES if language in content)


def _questions(content: Any, where: str, known: _Scales, spoken: _Languages) -> tuple[Question, ...]:
    """Return the question of a block, or one a row of a grid."""
    kind = _mapping(content, where, required={"kind"})["kind"]
    if kind not in _QUESTION_KEYS:
        raise TemplateError(f"{where}.kind: unknown kind {kind!r}")
    fields = _mapping(content, where, _QUESTION_KEYS[kind], required={"id", "text"})
    if kind == "grid":
        return _rows(fields, where, known, spoken)
    return (_question(kind, fields, where, known, spoken),)


def _question(
    kind: Kind, fields: Mapping[str, Any], where: str, known: _Scales, spoken: _Languages
) -> Question:
    length = 0
    if kind == "comment":
        length = _positive(fields.get("max_length"), f"{where}.max_length")
        if length > LONGEST:
            raise TemplateError(f"{where}: a comment has at most {LONGEST} characters")
    text = _label(fields["text"], f"{where}.text", spoken)
    return Question(
        id=_name(fields["id"], f"{where}.id"),
        kind=kind,
        text=text,
        short=_label(fields["short"], f"{where}.short", spoken) if "short" in fields else text,
        scale=_scale_of(kind, fields.get("scale"), where, known, spoken) if kind in SCALES else (),
        required=_flag(fields.get("required", False), f"{where}.required"),
        included=_flag(fields.get("included", True), f"{where}.included"),
        max_length=length,
        options=_options(fields.get("options"), where, spoken) if kind in ("choice", "choices") else (),
        object=_object(fields, where),
        competency=_competency(kind, fields, where),
    )


def _rows(fields: Mapping[str, Any], where: str, known: _Scales, spoken: _Languages) -> tuple[Question, ...]:
    kind: Kind = _among(fields.get("of", "item"), ("item", "positioning"), f"{where}.of")
    name = _name(fields["id"], f"{where}.id")
    text = _label(fields["text"], f"{where}.text", spoken)
    grid = Grid(name, text, _label(fields["short"], f"{where}.short", spoken) if "short" in fields else text)
    rows = fields.get("rows")
    if not isinstance(rows, list) or not rows:
        raise TemplateError(f"{where}.rows: expected a list of rows")
    made = []
    for rank, row in enumerate(rows):
        here = f"{where}.rows[{rank}]"
        own = _mapping(row, here, _ROW_KEYS, required={"id", "text"})
        said = _label(own["text"], f"{here}.text", spoken)
        made.append(
            Question(
                id=_name(f"{name}-{_name(own['id'], f'{here}.id')}", f"{here}.id"),
                kind=kind,
                text=said,
                short=_label(own["short"], f"{here}.short", spoken) if "short" in own else said,
                scale=_scale_of(kind, fields.get("scale"), where, known, spoken),
                required=_flag(fields.get("required", False), f"{where}.required"),
                included=_flag(fields.get("included", True), f"{where}.included"),
                object=_object(own, here),
                competency=_competency(kind, own, here),
                grid=grid,
            )
        )
    return tuple(made)


def _scale_of(kind: Kind, named: Any, where: str, known: _Scales, spoken: _Languages) -> tuple[Point, ...]:
    """Return a scale known by its name, or written in the question itself."""
    if isinstance(named, list):
        scale = _points(named, f"{where}.scale", spoken)
    elif isinstance(named, str) and named in known:
        scale = known[named]
    else:
        raise TemplateError(f"{where}.scale: expected one of: {', '.join(known)}")
    if tuple(point.value for point in scale) not in SCALES[kind]:
        raise TemplateError(f"{where}.scale: the values do not suit a question of kind {kind}")
    return scale


def _options(content: Any, where: str, spoken: _Languages) -> tuple[Point, ...]:
    options = _points(content, f"{where}.options", spoken)
    values = [option.value for option in options]
    if not 2 <= len(set(values)) == len(values) or min(values) < 1 or max(values) > MOST_OPTIONS:
        raise TemplateError(f"{where}.options: expected two or more, of numbers from 1 to {MOST_OPTIONS}")
    return options


def _scales(content: Any, spoken: _Languages, where: str) -> dict[str, tuple[Point, ...]]:
    named = _mapping(content, where.rstrip(".") or "the file")
    return {name: _points(points, f"{where}{name}", spoken) for name, points in named.items()}


def _points(content: Any, where: str, spoken: _Languages) -> tuple[Point, ...]:
    if not isinstance(content, list) or not content:
        raise TemplateError(f"{where}: expected a list of points")
    points = []
    for rank, item in enumerate(content):
        fields = _mapping(item, f"{where}[{rank}]", {"value", *LANGUAGES}, required={"value"})
        value = fields["value"]
        if not isinstance(value, int) or isinstance(value, bool):
            raise TemplateError(f"{where}[{rank}].value: expected a whole number")
        labels = {key: text for key, text in fields.items() if key != "value"}
        points.append(Point(value, _label(labels, f"{where}[{rank}]", spoken)))
    return tuple(points)


def _object(fields: Mapping[str, Any], where: str) -> Object | None:
    return _among(fields["object"], OBJECTS, f"{where}.object") if "object" in fields else None


def _competency(kind: Kind, fields: Mapping[str, Any], where: str) -> str:
    if kind != "positioning":
        if "competency" in fields:
            raise TemplateError(f"{where}.competency: only a positioning question has one")
        return ""
    code = fields.get("competency")
    if not isinstance(code, str) or not code.strip() or len(code) > 60:
        raise TemplateError(f"{where}.competency: expected the code of a competency")
    return code.strip()


def _label(content: Any, where: str, spoken: _Languages) -> Label:
    fields = _mapping(content, where, set(LANGUAGES), required=set(spoken))
    for language, text in fields.items():
        if not isinstance(text, str) or not text.strip():
            raise TemplateError(f"{where}.{language}: expected a text")
    return Label(fr=fields.get("fr", ""), en=fields.get("en", ""))


def _mapping(
    value: Any, where: str, known: set[str] | None = None, *, required: set[str] | None = None
) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TemplateError(f"{where}: expected names with values")
    if known is not None and set(value) - known:
        raise TemplateError(f"{where}: unknown key {sorted(set(value) - known)[0]!r}")
    if required and required - set(value):
        raise TemplateError(f"{where}: {sorted(required - set(value))[0]!r} is missing")
    return value


def _among(value: Any, known: tuple[Any, ...], where: str) -> Any:
    if value not in known:
        raise TemplateError(f"{where}: expected one of: {', '.join(known)}")
    return value


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise TemplateError(f"{where}: expected small letters, digits and hyphens, found {value!r}")
    return value


def _positive(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TemplateError(f"{where}: expected a positive whole number")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise TemplateError(f"{where}: expected true or false")
    return value


# --- the copy kept with an open questionnaire -------------------------------------------------------


def dump(template: Template) -> dict[str, Any]:
    """Return a template as plain JSON values, scales written out; `restore` reads it back, equal."""
    return {
        "template": template.name,
        "version": template.version,
        "phase": template.phase,
        "audience": template.audience,
        "scope": template.scope,
        "languages": list(template.languages),
        "minutes": template.minutes,
        "title": template.title.as_map(),
        "questions": [
            _dump_grid(grid, rows) if grid else _dump_question(rows[0]) for grid, rows in template.blocks
        ],
    }


def _dump_question(question: Question) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "text": question.text.as_map(),
        "short": question.short.as_map(),
        "required": question.required,
        "included": question.included,
    }
    if question.max_length:
        made["max_length"] = question.max_length
    if question.scale:
        made["scale"] = _dump_points(question.scale)
    if question.options:
        made["options"] = _dump_points(question.options)
    return made | _about(question)


def _dump_grid(grid: Grid, rows: tuple[Question, ...]) -> dict[str, Any]:
    first = rows[0]
    return {
        "id": grid.id,
        "kind": "grid",
        "of": first.kind,
        "text": grid.text.as_map(),
        "short": grid.short.as_map(),
        "required": first.required,
        "included": first.included,
        "scale": _dump_points(first.scale),
        "rows": [
            {"id": row.id.removeprefix(f"{grid.id}-"), "text": row.text.as_map(), "short": row.short.as_map()}
            | _about(row)
            for row in rows
        ],
    }


def _about(question: Question) -> dict[str, str]:
    made: dict[str, str] = {"object": question.object} if question.object else {}
    return made | ({"competency": question.competency} if question.competency else {})


def _dump_points(points: tuple[Point, ...]) -> list[dict[str, Any]]:
    return [{"value": point.value, **point.label.as_map()} for point in points]


def restore(content: Mapping[str, Any]) -> Template:
    """Read a copy made by `dump`, checked like a file; raises TemplateError."""
    return parse(content)
