"""Kinds of activities: in person, virtual class, conference, self-training, collaborative."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Kind = Literal["in_person", "virtual_class", "conference", "self_training", "collaborative"]
#: In the order in which pages show them.
KINDS: tuple[Kind, ...] = ("in_person", "virtual_class", "conference", "self_training", "collaborative")
#: Types of activities that are no training.
ASIDE = "aside"

_FILE = Path(__file__).with_name("activity_kinds.yaml")


class KindsError(Exception):
    """A file of kinds that cannot be used; the message says where and why."""


@dataclass(frozen=True)
class ActivityKinds:
    """What gatherings and types of activities are."""

    gatherings: Mapping[str, Kind]
    #: Type -> kind, or `ASIDE`.
    types: Mapping[str, str]
    titles: tuple[tuple[re.Pattern[str], Kind], ...]

    def of_gathering(self, gathering: str, title: str) -> Kind:
        """Return the kind of a gathering of the outline."""
        for pattern, kind in self.titles:
            if pattern.search(title):
                return kind
        return self.gatherings.get(gathering, "in_person")

    def of_type(self, activity_type: str) -> Kind | None:
        """Return the kind of an activity that is no gathering; None for what is no training."""
        found = self.types.get(activity_type, "self_training")
        return None if found == ASIDE else found  # type: ignore[return-value]


@cache
def load(path: Path = _FILE) -> ActivityKinds:
    """Read and check the kinds, once a process; raises KindsError."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or set(content) != {"gatherings", "types", "titles"}:
        raise KindsError(f"{path.name} must have exactly: gatherings, types, titles")
    try:
        patterns = tuple(
            (re.compile(text, re.I), kind)
            for kind, texts in _section(content, "titles", KINDS).items()
            for text in texts
        )
    except re.error as error:
        raise KindsError(f"{path.name}: titles: {error}") from None
    return ActivityKinds(
        _turned(_section(content, "gatherings", KINDS)),  # type: ignore[arg-type]
        _turned(_section(content, "types", (*KINDS, ASIDE))),
        patterns,  # type: ignore[arg-type]
    )


def _section(content: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> dict[str, list[str]]:
    given = content[name]
    if not isinstance(given, dict) or not set(given) <= set(allowed):
        raise KindsError(f"{name} may have: {', '.join(allowed)}")
    for kind, texts in given.items():
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise KindsError(f"{name}.{kind} must be a list of texts")
    return given


def _turned(section: Mapping[str, list[str]]) -> dict[str, str]:
    """Return text -> kind; KindsError on a text of two kinds."""
    found: dict[str, str] = {}
    for kind, texts in section.items():
        for text in texts:
            if found.setdefault(text, kind) != kind:
                raise KindsError(f"{text} is of two kinds: {found[text]}, {kind}")
    return found
