"""Thresholds that an institution may change: `rules.yaml`, read once into frozen objects."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

#: Caps, minutes, for which the rollups hold the time spent.
CAPS = (10, 30, 60)

T = TypeVar("T")

_FILE = Path(__file__).with_name("rules.yaml")


class RulesError(Exception):
    """A rule that cannot be used; the message names it."""


@dataclass(frozen=True)
class TimeSpent:
    """Capped-gap estimate: gaps longer than the cap are not counted."""

    cap_minutes: int
    sensitivity_minutes: tuple[int, ...]


@dataclass(frozen=True)
class States:
    """When a learner's or a module's state becomes worth a look; days, modules, people."""

    inactive_days: int
    not_connected_days: int
    slow_modules_behind: int
    stuck_people: int
    stuck_days: int


@dataclass(frozen=True)
class Disclosure:
    """Smallest group shown: threshold k of one course, and across communities."""

    course: int
    across: int


@dataclass(frozen=True)
class SurveyRules:
    """What is asked of people by questionnaires: minutes of one session in all; days."""

    minutes: int
    reminder_days: int
    addresses_days: int


@dataclass(frozen=True)
class Adapt:
    """What weighs in the ranking of modules to adapt (0: does not count), and when somebody has stopped."""

    satisfaction: int
    stopping: int
    comments: int
    expectations: int
    employer: int
    review: int
    stopped_days: int

    @property
    def weights(self) -> dict[str, int]:
        """Return the weight of each criterion."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "stopped_days"}


@dataclass(frozen=True)
class SessionRules:
    """How places, days and fill of sessions are counted: hours of a day; shares in a hundred."""

    hours_a_day: int
    capacity_percent: int
    large_percent: int
    full_percent: int


@dataclass(frozen=True)
class Rules:
    """Every threshold of the tool."""

    time_spent: TimeSpent
    states: States
    disclosure: Disclosure
    surveys: SurveyRules
    adapt: Adapt
    sessions: SessionRules


@cache
def load(path: Path = _FILE) -> Rules:
    """Read the rules; RulesError on one that is missing, unknown or not usable."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or set(content) != {item.name for item in fields(Rules)}:
        raise RulesError(f"{path.name} must have exactly: {', '.join(item.name for item in fields(Rules))}")
    rules = Rules(
        time_spent=_section(TimeSpent, "time_spent", content),
        states=_section(States, "states", content),
        disclosure=_section(Disclosure, "disclosure", content),
        surveys=_section(SurveyRules, "surveys", content),
        adapt=_section(Adapt, "adapt", content, zero=True),
        sessions=_section(SessionRules, "sessions", content),
    )
    for minutes in (rules.time_spent.cap_minutes, *rules.time_spent.sensitivity_minutes):
        if minutes not in CAPS:
            raise RulesError(f"time_spent: {minutes} minutes is not one of the caps computed: {CAPS}")
    if min(rules.disclosure.course, rules.disclosure.across) < 2:
        raise RulesError("disclosure: a threshold under 2 protects nobody")
    if rules.sessions.capacity_percent > 99:
        raise RulesError("sessions: capacity_percent must be under 100, which no number of places reaches")
    return rules


def _section(kind: type[T], name: str, content: dict[str, Any], *, zero: bool = False) -> T:
    given = content[name]
    expected = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(given, dict) or set(given) != expected:
        raise RulesError(f"{name} must have exactly: {', '.join(sorted(expected))}")
    values: dict[str, Any] = {}
    for key, value in given.items():
        if isinstance(value, list) and value and all(_positive(item) for item in value):
            values[key] = tuple(value)
        elif _positive(value) or (zero and value == 0 and not isinstance(value, bool)):
            values[key] = value
        else:
            raise RulesError(f"{name}.{key} must be a positive whole number")
    return kind(**values)


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
