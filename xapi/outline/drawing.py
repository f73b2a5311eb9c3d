"""PURE: the outline of a course drawn from what was said of it, under the corrections made by hand.

A section is a module; an activity outside any section is a module that holds itself (two items). Order:
the position given by hand, else the number of the section, else the first time it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any

from xapi.outline.items import Item, Member

_NUMBERED = re.compile(
    r"\b(?:section|module|semaine|week|partie|part|séquence|étape|chapitre|topic|thème)\s*(\d{1,4})\b"
    r"|^\s*(\d{1,3})\s*[.):–-]",
    re.IGNORECASE,
)
_SECTION_NUMBER = re.compile(r"(?:#section-|[?&]section=)(\d{1,6})")
_SECTION_ID = re.compile(r"/section\.php\?id=(\d{1,12})")
_LATE = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Drawing:
    """An outline as drawn: its items (those hidden by hand too), and the title of the course."""

    items: tuple[Item, ...]
    course_title: str | None
    #: IRIs of the activities whose completion the platform tracks.
    tracked: frozenset[str]

    @property
    def visible(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not item.hidden)

    def members(self) -> dict[str, list[Member]]:
        """Return the activities of each visible module, in order."""
        found: dict[str, list[Member]] = {i.iri: [] for i in self.visible if i.level == "module"}
        for item in self.visible:
            if item.level == "activity":
                member = Member(item.iri, item.required, item.iri in self.tracked, item.gathering is not None)
                found[item.module].append(member)
        return found


@dataclass
class _Node:
    """A module or an activity while it is drawn."""

    iri: str
    title: str | None = None
    activity_type: str = ""
    section: str = ""
    tracked: bool = False
    first_at: datetime = _LATE
    gathering: str | None = None


def draw(facts: Iterable[Any], edits: Iterable[Any]) -> Drawing:
    """Draw the outline from rows of activity_fact and of outline_edit.

    Whatever the order of the rows: the latest fact wins, and at the same instant the greatest hash.
    """
    ordered = sorted(facts, key=lambda row: (row.last_at, row.fact))
    by_hand = {row.iri: row for row in edits}
    sections, activities = _nodes(ordered, by_hand)
    modules = _modules(sections, activities, by_hand)
    titles = [row.course_title for row in ordered if row.course_title]
    tracked = frozenset(iri for iri, node in activities.items() if node.tracked)
    return Drawing(
        tuple(_items(sections, activities, modules, by_hand)), titles[-1] if titles else None, tracked
    )


def _nodes(facts: Sequence[Any], by_hand: Mapping[str, Any]) -> tuple[dict[str, _Node], dict[str, _Node]]:
    """Return sections and activities, by IRI; facts come in order, so that the last one said stays."""
    sections: dict[str, _Node] = {}
    activities: dict[str, _Node] = {}
    for row in facts:
        if row.section:
            node = sections.setdefault(row.section, _Node(row.section))
            node.title = row.section_title or node.title
            node.first_at = min(node.first_at, row.first_at)
        if row.activity:
            node = activities.setdefault(row.activity, _Node(row.activity))
            node.title = row.activity_title or node.title
            node.activity_type = row.activity_type or node.activity_type
            node.section = row.section or node.section
            node.tracked = node.tracked or row.tracked
            node.first_at = min(node.first_at, row.first_at)
    for iri, change in by_hand.items():
        if change.gathering is None:
            continue
        node = activities.setdefault(iri, _Node(iri))
        node.gathering = change.gathering
        if change.opens_on is not None:
            node.first_at = datetime.combine(change.opens_on, time.min, UTC)
    return sections, activities


def _modules(
    sections: Mapping[str, _Node], activities: Mapping[str, _Node], by_hand: Mapping[str, Any]
) -> dict[str, str]:
    """Return the module of each activity."""
    chosen = {iri: by_hand[iri].module for iri in activities if iri in by_hand}
    alone = {
        iri
        for iri, node in activities.items()
        if chosen.get(iri) == iri or (not node.section and chosen.get(iri) is None)
    }
    possible = set(sections) | alone
    found = {}
    for iri, node in activities.items():
        wanted = chosen.get(iri)
        found[iri] = wanted if wanted in possible else (node.section or iri)
    return {iri: module or iri for iri, module in found.items()}


def _items(
    sections: Mapping[str, _Node],
    activities: Mapping[str, _Node],
    modules: Mapping[str, str],
    by_hand: Mapping[str, Any],
) -> list[Item]:
    held: dict[str, list[_Node]] = {iri: [] for iri in sections}
    for iri, node in activities.items():
        held.setdefault(modules[iri], []).append(node)
    nodes = [sections.get(iri) or activities[iri] for iri in held]
    any_tracked = any(node.tracked for iri, node in activities.items() if not _hidden(by_hand, iri))
    found: list[Item] = []
    for rank, node in enumerate(_ordered(_by_number(nodes), by_hand), 1):
        inside: list[Item] = []
        for place, child in enumerate(_ordered(sorted(held[node.iri], key=_by_time), by_hand), 1):
            required = child.tracked or child.gathering is not None
            hidden = _hidden(by_hand, node.iri) or _hidden(by_hand, child.iri)
            item = _item(child, "activity", node.iri, place, required, by_hand.get(child.iri))
            inside.append(replace(item, hidden=hidden))
        shown = [item for item in inside if not item.hidden]
        required = any(item.required for item in shown) or (bool(shown) and not any_tracked)
        item = _item(node, "module", node.iri, rank, required, by_hand.get(node.iri))
        found += [replace(item, hidden=_hidden(by_hand, node.iri)), *inside]
    return _renumbered(found)


def _item(node: _Node, level: str, module: str, position: int, required: bool, change: Any) -> Item:
    drawn = Item(
        iri=node.iri,
        level=level,
        module=module,
        title=node.title or _readable(node.iri),
        position=position,
        required=required,
        activity_type=node.activity_type,
        gathering=node.gathering,
    )
    if change is None:
        return drawn
    return replace(
        drawn,
        title=change.title or drawn.title,
        required=drawn.required if change.required is None else change.required,
        hours_in_person=change.hours_in_person,
        hours_distance=change.hours_distance,
        opens_on=change.opens_on,
        closes_on=change.closes_on,
    )


def _renumbered(items: Sequence[Item]) -> list[Item]:
    """Number the visible items from 1 in their list; hidden ones keep the place that they would have."""
    counts: dict[tuple[str, str], int] = {}
    found = []
    for item in items:
        place = ("module", "") if item.level == "module" else ("activity", item.module)
        number = counts.get(place, 0) + 1
        if not item.hidden:
            counts[place] = number
        found.append(replace(item, position=number))
    return found


def _hidden(by_hand: Mapping[str, Any], iri: str) -> bool:
    return iri in by_hand and bool(by_hand[iri].hidden)


def _by_time(node: _Node) -> tuple[datetime, str]:
    return node.first_at, node.iri


def _by_number(nodes: Sequence[_Node]) -> list[_Node]:
    """Order modules by their numbers when all but one have one (the general section comes first),
    by the section's number in the platform's database when all have one, else by first sight."""
    numbers = {node.iri: _number(node) for node in nodes}
    missing = sum(number is None for number in numbers.values())
    if nodes and missing <= min(1, len(nodes) - 1):
        return sorted(nodes, key=lambda n: (-1 if numbers[n.iri] is None else numbers[n.iri], *_by_time(n)))
    ids = {node.iri: _SECTION_ID.search(node.iri) for node in nodes}
    sections = sorted(
        (node for node in nodes if ids[node.iri]),
        key=lambda n: (int(found[1]) if (found := ids[n.iri]) else 0, n.iri),
    )
    # Sections keep the order of the platform among themselves; the others come in at their time.
    result = list(sections)
    for node in sorted((node for node in nodes if not ids[node.iri]), key=_by_time):
        later = [rank for rank, other in enumerate(result) if other.first_at <= node.first_at]
        result.insert(later[-1] + 1 if later else 0, node)
    return result


def _number(node: _Node) -> int | None:
    found = _NUMBERED.search(node.title or "")
    if found:
        return int(found[1] or found[2])
    found = _SECTION_NUMBER.search(node.iri)
    return int(found[1]) if found else None


def _ordered(nodes: Sequence[_Node], by_hand: Mapping[str, Any]) -> list[_Node]:
    """Put the nodes whose position was given by hand at that place among the others."""
    placed = [(by_hand[n.iri].position, n) for n in nodes if n.iri in by_hand]
    moved = sorted(((at, n) for at, n in placed if at is not None), key=lambda pair: pair[0])
    still = {n.iri for _, n in moved}
    result = [node for node in nodes if node.iri not in still]
    for position, node in moved:
        result.insert(max(0, position - 1), node)
    return result


def _readable(iri: str) -> str:
    """Return the last telling word of an IRI, for what no statement names."""
    words = [word for word in re.split(r"[/#]", iri.rstrip("/#")) if word]
    return words[-1] if words else iri
