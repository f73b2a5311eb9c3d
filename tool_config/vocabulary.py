"""The vocabulary: which verbs and activity types mean viewed, completed, section, course…"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

#: Every kind of event. The analyses rely on these words; verbs are mapped to them.
# fmt: off
KINDS = frozenset((
    "viewed", "launched", "started", "resumed", "stopped", "completed", "uncompleted", "passed", "failed",
    "answered", "scored", "submitted", "attended", "posted", "played", "paused", "interacted", "enrolled",
    "left", "login", "logout", "achieved", "notified", "edited", "other",
))
# fmt: on

_DEFAULT = Path(__file__).with_name("vocabulary.yaml")
_KEYS = {"languages", "exceptions", "verbs", "words", "types", "iris"}
_TYPES = ("site", "course", "section", "part")


class VocabularyError(Exception):
    """A vocabulary that cannot be used; the message says where in the file and why."""


@dataclass(frozen=True)
class Part:
    """A type of activity that is part of another: what of it counts for the enclosing activity."""

    scores: bool = False
    completes: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """What verbs, activity types and IRIs mean."""

    languages: tuple[str, ...]
    #: (verb, object type) -> kind
    exceptions: Mapping[tuple[str, str], str]
    verbs: Mapping[str, str]
    words: Mapping[str, str]
    sites: frozenset[str]
    courses: frozenset[str]
    sections: frozenset[str]
    parts: Mapping[str, Part]
    course_iris: tuple[re.Pattern[str], ...]
    section_iris: tuple[re.Pattern[str], ...]

    def kind(self, verb: str, object_type: str) -> str:
        """Return the kind of a verb said of an object of this type; "other" when nothing tells."""
        found = self.exceptions.get((verb, object_type)) or self.verbs.get(verb)
        if found:
            return found
        word = re.split(r"[/#:]", verb.rstrip("/#"))[-1].lower()
        return self.words.get(word, "other")


@lru_cache(maxsize=8)
def load(path: Path | None = None) -> Vocabulary:
    """Read and check a vocabulary, once a process and a path.

    Raises VocabularyError with the place in the file.
    """
    file = path or _DEFAULT
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise VocabularyError(f"{file.name}: not YAML: {error}") from None
    except OSError as error:
        raise VocabularyError(f"{file.name}: cannot be read: {error.strerror}") from None
    try:
        return parse(content)
    except VocabularyError as error:
        raise VocabularyError(f"{file.name}: {error}") from None


def parse(content: Any) -> Vocabulary:
    """Check the content of a vocabulary file and return it frozen; raises VocabularyError."""
    root = _mapping(content, "the file")
    unknown = sorted(set(root) - _KEYS)
    if unknown:
        raise VocabularyError(f"unknown key {unknown[0]!r} (known: {', '.join(sorted(_KEYS))})")
    types = _mapping(root.get("types"), "types")
    for name in types:
        if name not in _TYPES:
            raise VocabularyError(f"types: unknown key {name!r} (known: {', '.join(_TYPES)})")
    iris = _mapping(root.get("iris", {}), "iris")
    return Vocabulary(
        languages=tuple(_texts(root.get("languages", ["fr", "en"]), "languages")),
        exceptions=_exceptions(root.get("exceptions", [])),
        verbs=_by_kind(root.get("verbs", {}), "verbs"),
        words=_by_kind(root.get("words", {}), "words", lower=True),
        sites=frozenset(_texts(types.get("site", []), "types.site")),
        courses=frozenset(_texts(types.get("course", []), "types.course")),
        sections=frozenset(_texts(types.get("section", []), "types.section")),
        parts=_parts(types.get("part", [])),
        course_iris=_patterns(iris.get("course", []), "iris.course"),
        section_iris=_patterns(iris.get("section", []), "iris.section"),
    )


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise VocabularyError(f"{where}: expected names with values")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise VocabularyError(f"{where}: expected a list")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise VocabularyError(f"{where}: expected a text, found {value!r}")
    return value


def _texts(value: Any, where: str) -> list[str]:
    return [_text(item, f"{where}[{rank}]") for rank, item in enumerate(_list(value, where))]


def _kind(value: Any, where: str) -> str:
    if not isinstance(value, str) or value not in KINDS:
        raise VocabularyError(f"{where}: unknown kind {value!r} (known: {', '.join(sorted(KINDS))})")
    return value


def _by_kind(value: Any, where: str, *, lower: bool = False) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for kind, names in _mapping(value, where).items():
        _kind(kind, where)
        for name in _texts(names, f"{where}.{kind}"):
            key = name.lower() if lower else name
            if found.setdefault(key, kind) != kind:
                raise VocabularyError(f"{where}.{kind}: {name!r} already means {found[key]!r}")
    return MappingProxyType(found)


def _exceptions(value: Any) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for rank, item in enumerate(_list(value, "exceptions")):
        where = f"exceptions[{rank}]"
        fields = _mapping(item, where)
        if set(fields) != {"verb", "types", "kind"}:
            raise VocabularyError(f"{where}: expected verb, types and kind")
        for object_type in _texts(fields["types"], f"{where}.types"):
            verb = _text(fields["verb"], f"{where}.verb")
            found.setdefault((verb, object_type), _kind(fields["kind"], f"{where}.kind"))
    return MappingProxyType(found)


def _parts(value: Any) -> Mapping[str, Part]:
    found: dict[str, Part] = {}
    for rank, item in enumerate(_list(value, "types.part")):
        where = f"types.part[{rank}]"
        fields = _mapping(item, where)
        extra = set(fields) - {"type", "scores", "completes"}
        if extra:
            raise VocabularyError(f"{where}: unknown key {sorted(extra)[0]!r}")
        for flag in ("scores", "completes"):
            if not isinstance(fields.get(flag, False), bool):
                raise VocabularyError(f"{where}.{flag}: expected true or false")
        name = _text(fields.get("type"), f"{where}.type")
        found[name] = Part(bool(fields.get("scores", False)), bool(fields.get("completes", False)))
    return MappingProxyType(found)


def _patterns(value: Any, where: str) -> tuple[re.Pattern[str], ...]:
    found = []
    for rank, text in enumerate(_texts(value, where)):
        try:
            found.append(re.compile(text))
        except re.error as error:
            raise VocabularyError(f"{where}[{rank}]: not a regular expression: {error}") from None
    return tuple(found)
