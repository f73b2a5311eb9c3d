"""Questionnaire templates: `surveys/*.yaml`, checked when they are loaded, frozen afterwards."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Kind = Literal["overall", "item", "recommendation", "comment"]
Mode = Literal["pseudonymous", "anonymous"]
MODES: tuple[Mode, ...] = ("pseudonymous", "anonymous")
LANGUAGES = ("fr", "en")
#: Longest comment that a template may allow, characters.
LONGEST = 5000

_FOLDER = Path(__file__).with_name("surveys")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
_SCALES: dict[Kind, tuple[tuple[int, ...], ...]] = {
    "overall": ((1, 2, 3, 4, 5),),
    "item": ((1, 2, 3, 4, 5), (1, 2, 3, 4)),
    "recommendation": (tuple(range(11)),),
}
_TEMPLATE_KEYS = {"template", "version", "phase", "minutes", "title", "scales", "questions"}
_QUESTION_KEYS = {"id", "kind", "scale", "required", "included", "max_length", "text", "short"}


class TemplateError(Exception):
    """A template that cannot be used; the message says where in the file and why."""


@dataclass(frozen=True)
class Label:
    """A text in the languages of the pages."""

    fr: str
    en: str

    def in_language(self, locale: str) -> str:
        """Return the English text for an English locale, the French one otherwise."""
        return self.en if locale.lower().startswith("en") else self.fr

    def as_map(self) -> dict[str, str]:
        """Return an xAPI language map."""
        return {"fr": self.fr, "en": self.en}


@dataclass(frozen=True)
class Point:
    """One point of a scale."""

    value: int
    label: Label


@dataclass(frozen=True)
class Question:
    """One question; `scale` is empty for a comment, `max_length` 0 for a closed question."""

    id: str
    kind: Kind
    text: Label
    #: For tables and charts.
    short: Label
    scale: tuple[Point, ...] = ()
    required: bool = False
    #: Asked unless the person who opens the questionnaire says otherwise.
    included: bool = True
    max_length: int = 0

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(point.value for point in self.scale)


@dataclass(frozen=True)
class Template:
    """A questionnaire, in the order in which it is asked."""

    name: str
    version: int
    phase: str
    #: Minutes that an answer takes, said to the person asked.
    minutes: int
    title: Label
    questions: tuple[Question, ...]

    @property
    def overall(self) -> Question:
        """The one required question: its answers count the respondents."""
        return next(question for question in self.questions if question.kind == "overall")

    @property
    def closed(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.kind != "comment")

    @property
    def comments(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.kind == "comment")

    def question(self, name: str) -> Question | None:
        return next((question for question in self.questions if question.id == name), None)

    def asked(self, *, also: Sequence[str] = (), without: Sequence[str] = ()) -> Template:
        """Return the questionnaire as opened: the questions included, those added, less those left out.

        Raises TemplateError on a name that is not in the template, or on leaving out the overall question.
        """
        unknown = sorted({*also, *without} - {question.id for question in self.questions})
        if unknown:
            raise TemplateError(f"{self.name}: no question {unknown[0]!r}")
        if self.overall.id in without:
            raise TemplateError(f"{self.name}: the overall question is always asked")
        kept = tuple(
            replace(question, included=True)
            for question in self.questions
            if (question.included or question.id in also) and question.id not in without
        )
        return replace(self, questions=kept)

    def check(self, answers: Mapping[str, str]) -> tuple[dict[str, int | str], dict[str, str]]:
        """Read answers as a form sends them; return (values by question, error codes by question).

        Codes: unknown_question, required, out_of_scale, too_long. A blank answer is no answer.
        """
        values: dict[str, int | str] = {}
        errors: dict[str, str] = {name: "unknown_question" for name in answers if self.question(name) is None}
        for question in self.questions:
            text = _clean(answers.get(question.id, ""))
            if not text:
                if question.required:
                    errors[question.id] = "required"
            elif question.kind == "comment":
                if len(text) > question.max_length:
                    errors[question.id] = "too_long"
                values[question.id] = text
            else:
                known = {str(value): value for value in question.values}
                if text in known:
                    values[question.id] = known[text]
                else:
                    errors[question.id] = "out_of_scale"
        return values, errors


@dataclass(frozen=True)
class Survey:
    """A questionnaire opened on a module of a course."""

    silo_id: int
    course_id: int
    survey_id: str
    #: IRI of the module.
    module: str
    template: Template
    mode: Mode
    opens_at: datetime
    closes_at: datetime
    created_at: datetime
    created_by: str
    settled_at: datetime | None = None

    def state(self, now: datetime) -> Literal["scheduled", "open", "closed"]:
        """Return where `now` falls in its window; the closing instant is outside."""
        if now >= self.closes_at or self.settled_at is not None:
            return "closed"
        return "open" if now >= self.opens_at else "scheduled"


def _clean(text: str) -> str:
    """Normalise line ends, drop control characters (C0, C1, surrogates), trim."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(kept)).strip()


# --- files ----------------------------------------------------------------------------------------


@cache
def load(folder: Path = _FOLDER) -> Mapping[str, Template]:
    """Read every template of a folder, by name; TemplateError says which file, where and why."""
    found: dict[str, Template] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            template = parse(yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader))  # noqa: S506 (a SafeLoader)
        except (yaml.YAMLError, TemplateError) as error:
            raise TemplateError(f"{path.name}: {error}") from None
        if template.name != path.stem:
            raise TemplateError(f"{path.name}: template: {template.name!r} is not the name of the file")
        found[template.name] = template
    if not found:
        raise TemplateError(f"no questionnaire template in {folder.name}")
    return found


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
    root = _mapping(content, "the file", _TEMPLATE_KEYS, required=_TEMPLATE_KEYS)
    scales = {
        name: _scale(points, f"scales.{name}") for name, points in _mapping(root["scales"], "scales").items()
    }
    items = root["questions"]
    if not isinstance(items, list) or not items:
        raise TemplateError("questions: expected a list of questions")
    questions = tuple(_question(item, f"questions[{rank}]", scales) for rank, item in enumerate(items))
    names = Counter(question.id for question in questions)
    if max(names.values()) > 1:
        raise TemplateError(f"questions: {names.most_common(1)[0][0]!r} is there twice")
    overall = [question for question in questions if question.kind == "overall"]
    if len(overall) != 1 or not overall[0].required or not overall[0].included:
        raise TemplateError("questions: exactly one must be of kind overall, required and included")
    return Template(
        name=_name(root["template"], "template"),
        version=_positive(root["version"], "version"),
        phase=_name(root["phase"], "phase"),
        minutes=_positive(root["minutes"], "minutes"),
        title=_label(root["title"], "title"),
        questions=questions,
    )


def _question(content: Any, where: str, scales: Mapping[str, tuple[Point, ...]]) -> Question:
    fields = _mapping(content, where, _QUESTION_KEYS, required={"id", "kind", "text"})
    kind = fields["kind"]
    if kind not in ("overall", "item", "recommendation", "comment"):
        raise TemplateError(f"{where}.kind: unknown kind {kind!r}")
    scale: tuple[Point, ...] = ()
    length = 0
    if kind == "comment":
        length = _positive(fields.get("max_length"), f"{where}.max_length")
        if length > LONGEST or "scale" in fields:
            raise TemplateError(f"{where}: a comment has no scale and at most {LONGEST} characters")
    else:
        if fields.get("scale") not in scales or "max_length" in fields:
            raise TemplateError(f"{where}.scale: expected one of: {', '.join(scales)}, and no max_length")
        scale = scales[fields["scale"]]
        if tuple(point.value for point in scale) not in _SCALES[kind]:
            raise TemplateError(f"{where}.scale: the values do not suit a question of kind {kind}")
    text = _label(fields["text"], f"{where}.text")
    return Question(
        id=_name(fields["id"], f"{where}.id"),
        kind=kind,
        text=text,
        short=_label(fields["short"], f"{where}.short") if "short" in fields else text,
        scale=scale,
        required=_flag(fields.get("required", False), f"{where}.required"),
        included=_flag(fields.get("included", True), f"{where}.included"),
        max_length=length,
    )


def _scale(content: Any, where: str) -> tuple[Point, ...]:
    if not isinstance(content, list) or not content:
        raise TemplateError(f"{where}: expected a list of points")
    points = []
    for rank, item in enumerate(content):
        fields = _mapping(item, f"{where}[{rank}]", {"value", *LANGUAGES}, required={"value"})
        value = fields["value"]
        if not isinstance(value, int) or isinstance(value, bool):
            raise TemplateError(f"{where}[{rank}].value: expected a whole number")
        labels = {key: text for key, text in fields.items() if key != "value"}
        points.append(Point(value, _label(labels, f"{where}[{rank}]")))
    return tuple(points)


def _label(content: Any, where: str) -> Label:
    fields = _mapping(content, where, set(LANGUAGES), required=set(LANGUAGES))
    for language, text in fields.items():
        if not isinstance(text, str) or not text.strip():
            raise TemplateError(f"{where}.{language}: expected a text")
    return Label(fr=fields["fr"], en=fields["en"])


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
    """Return a template as plain JSON values; `restore` reads it back, equal."""
    return {
        "template": template.name,
        "version": template.version,
        "phase": template.phase,
        "minutes": template.minutes,
        "title": template.title.as_map(),
        "questions": [_dump_question(question) for question in template.questions],
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
    if question.kind == "comment":
        return made | {"max_length": question.max_length}
    return made | {"scale": [{"value": point.value, **point.label.as_map()} for point in question.scale]}


def restore(content: Mapping[str, Any]) -> Template:
    """Read a copy made by `dump`, checked like a file; raises TemplateError."""
    scales: dict[str, Any] = {}
    questions = []
    for question in content["questions"]:
        kept = dict(question)
        if "scale" in kept:
            scales[kept["id"]] = kept["scale"]
            kept["scale"] = kept["id"]
        questions.append(kept)
    return parse({**content, "scales": scales, "questions": questions})
