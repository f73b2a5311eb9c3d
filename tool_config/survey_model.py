"""Questionnaires: their questions, what an answer may be, a questionnaire opened. Frozen values, PURE.

A grid is written as one block and asked as one, but each of its rows is a question of its own here: whoever
counts answers never meets a grid. An answer to several choices is one whole number, a bit an option (`mask`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Kind = Literal["overall", "item", "recommendation", "choice", "choices", "positioning", "comment"]
#: What a question is about; None: nothing in particular.
Object = Literal["content", "pedagogy", "ergonomics", "technique", "access", "organisation"]
OBJECTS: tuple[Object, ...] = ("content", "pedagogy", "ergonomics", "technique", "access", "organisation")
#: When in the life of a session it is asked.
Phase = Literal["avant", "etape", "a-chaud", "a-froid", "regard-croise"]
PHASES: tuple[Phase, ...] = ("avant", "etape", "a-chaud", "a-froid", "regard-croise")
Audience = Literal["trainees", "tutors", "commanditaires", "heads_of_service"]
AUDIENCES: tuple[Audience, ...] = ("trainees", "tutors", "commanditaires", "heads_of_service")
Scope = Literal["module", "session"]
SCOPES: tuple[Scope, ...] = ("module", "session")
Mode = Literal["pseudonymous", "anonymous"]
MODES: tuple[Mode, ...] = ("pseudonymous", "anonymous")
Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")

#: Options of one question, at most: a bit each of a 32-bit whole number.
MOST_OPTIONS = 30
#: What the figures of a question with several choices count under this value: those who answered it.
ANSWERED_IT = 0


class TemplateError(Exception):
    """A template that cannot be used; the message says where in the file and why."""


@dataclass(frozen=True)
class Label:
    """A text in the languages of a questionnaire; "" where it is not written in one."""

    fr: str
    en: str

    def in_language(self, locale: str) -> str:
        """Return the English text for an English locale, the French one otherwise, the other failing that."""
        return self.en or self.fr if locale.lower().startswith("en") else self.fr or self.en

    def as_map(self) -> dict[str, str]:
        """Return an xAPI language map."""
        return {name: text for name, text in (("fr", self.fr), ("en", self.en)) if text}


@dataclass(frozen=True)
class Point:
    """One point of a scale, or one option (then `value` is its number, from 1)."""

    value: int
    label: Label


@dataclass(frozen=True)
class Grid:
    """What stands over the rows of a grid."""

    id: str
    text: Label
    short: Label


@dataclass(frozen=True)
class Question:
    """One question; `scale` only of those on a scale, `options` only of choices, `max_length` of comments."""

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
    options: tuple[Point, ...] = ()
    object: Object | None = None
    #: Code of the competency of a positioning question, as in the frameworks imported; "" otherwise.
    competency: str = ""
    #: The grid of which it is a row.
    grid: Grid | None = None

    @property
    def points(self) -> tuple[Point, ...]:
        """What may be chosen: the points of its scale or its options."""
        return self.scale or self.options

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(point.value for point in self.points)

    def read(self, text: str) -> int | str | None:
        """Return the value of an answer as a form or a statement writes it; None when it is out of reach.

        `text`: a number of `values`; several, parted by "," or "[,]", for choices; a text for a comment.
        """
        if self.kind == "comment":
            return text
        known = {str(value): value for value in self.values}
        if self.kind != "choices":
            return known.get(text)
        chosen = [part.strip() for part in text.replace("[,]", ",").split(",")]
        return mask(known[part] for part in chosen) if all(part in known for part in chosen) else None

    def written(self, value: int | str) -> str:
        """Return the response of an xAPI statement: the inverse of `read`."""
        if self.kind == "choices" and isinstance(value, int):
            return "[,]".join(str(one) for one in ticked(value))
        return str(value)


def mask(options: Iterable[int]) -> int:
    """Return the whole number that stands for options ticked together: the sum of 2^(option - 1)."""
    return sum(1 << (option - 1) for option in set(options))


def ticked(value: int) -> tuple[int, ...]:
    """Return the options that a `mask` holds, in order."""
    return tuple(option for option in range(1, MOST_OPTIONS + 1) if value >> (option - 1) & 1)


@dataclass(frozen=True)
class Template:
    """A questionnaire, in the order in which it is asked."""

    name: str
    version: int
    phase: Phase
    #: Minutes that an answer takes, said to the person asked.
    minutes: int
    title: Label
    questions: tuple[Question, ...]
    audience: Audience = "trainees"
    #: Whether it speaks of one module, or of the session as a whole.
    scope: Scope = "module"
    languages: tuple[Language, ...] = LANGUAGES

    @property
    def overall(self) -> Question:
        """The one required question that each has: its answers count the respondents."""
        return next(question for question in self.questions if question.kind == "overall")

    @property
    def closed(self) -> tuple[Question, ...]:
        """All but the comments; the rows of grids are there one by one."""
        return tuple(question for question in self.questions if question.kind != "comment")

    @property
    def comments(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.kind == "comment")

    @property
    def positioning(self) -> tuple[Question, ...]:
        """The questions of self-positioning, one a competency."""
        return tuple(question for question in self.questions if question.kind == "positioning")

    @property
    def multiple(self) -> frozenset[str]:
        """Names of the questions where several options may be ticked: their answers are masks."""
        return frozenset(question.id for question in self.questions if question.kind == "choices")

    @property
    def is_satisfaction(self) -> bool:
        """Say whether its overall question is a trainee's opinion of what they followed."""
        return self.phase != "avant" and self.audience == "trainees"

    @property
    def blocks(self) -> tuple[tuple[Grid | None, tuple[Question, ...]], ...]:
        """The questions as they are shown: each alone under None, the rows of a grid together."""
        found: list[tuple[Grid | None, tuple[Question, ...]]] = []
        for question in self.questions:
            if question.grid is not None and found and found[-1][0] == question.grid:
                found[-1] = (question.grid, (*found[-1][1], question))
            else:
                found.append((question.grid, (question,)))
        return tuple(found)

    def question(self, name: str) -> Question | None:
        return next((question for question in self.questions if question.id == name), None)

    def asked(self, *, also: Sequence[str] = (), without: Sequence[str] = ()) -> Template:
        """Return the questionnaire as opened: the questions included, those added, less those left out.

        A grid is named as a whole. Raises TemplateError on a name that is not in the template, or on
        leaving out the overall question.
        """
        unknown = sorted({*also, *without} - {_block(question) for question in self.questions})
        if unknown:
            raise TemplateError(f"{self.name}: no question {unknown[0]!r}")
        if self.overall.id in without:
            raise TemplateError(f"{self.name}: the overall question is always asked")
        kept = tuple(
            replace(question, included=True)
            for question in self.questions
            if (question.included or _block(question) in also) and _block(question) not in without
        )
        return replace(self, questions=kept)

    def check(self, answers: Mapping[str, str]) -> tuple[dict[str, int | str], dict[str, str]]:
        """Read answers as a form sends them; return (values by question, error codes by question).

        Codes: unknown_question, required, out_of_scale, too_long. A blank answer is no answer. The options
        ticked of a question come parted by commas.
        """
        values: dict[str, int | str] = {}
        errors: dict[str, str] = {name: "unknown_question" for name in answers if self.question(name) is None}
        for question in self.questions:
            text = _clean(answers.get(question.id, ""))
            if not text:
                if question.required:
                    errors[question.id] = "required"
                continue
            value = question.read(text)
            if value is None:
                errors[question.id] = "out_of_scale"
                continue
            if question.kind == "comment" and len(text) > question.max_length:
                errors[question.id] = "too_long"
            values[question.id] = value
        return values, errors


def _block(question: Question) -> str:
    return question.grid.id if question.grid else question.id


@dataclass(frozen=True)
class Survey:
    """A questionnaire opened on a module of a course, or on the course as a whole."""

    silo_id: int
    course_id: int
    survey_id: str
    #: IRI of the module; "" when it is about the whole session.
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
