"""The outline as a form: rows to show, edits read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from werkzeug.datastructures import MultiDict

from lti_tool import wording
from lti_tool.formatting import number
from lti_tool.language import gettext
from xapi.outline import KEEP, Edit, Item, Problem

Form = MultiDict[str, str]


@dataclass(frozen=True)
class Row:
    """A line of the editor, with texts as the fields hold them."""

    iri: str
    level: str
    module: str
    title: str
    required: bool
    hidden: bool
    hours_in_person: str
    hours_distance: str
    opens_on: str
    closes_on: str
    kind: str
    first: bool
    last: bool


def rows(items: Sequence[Item], form: Form | None = None) -> list[Row]:
    """Return the lines to show; a form refused is shown again as it was filled in."""
    shown = listed(items)
    found = []
    for index, item in enumerate(shown):
        group = [other.iri for other in shown if _siblings(other, item)]
        row = Row(
            iri=item.iri,
            level=item.level,
            module=item.module,
            title=item.title,
            required=item.required,
            hidden=item.hidden,
            hours_in_person=_hours_text(item.hours_in_person),
            hours_distance=_hours_text(item.hours_distance),
            opens_on=item.opens_on.isoformat() if item.opens_on else "",
            closes_on=item.closes_on.isoformat() if item.closes_on else "",
            kind=wording.gathering_kind(item.gathering) if item.gathering else "",
            first=item.iri == group[0],
            last=item.iri == group[-1],
        )
        found.append(_filled(row, form, index) if form is not None else row)
    return found


def listed(items: Sequence[Item]) -> list[Item]:
    """Return one item a line: a module that holds itself is one line."""
    return [item for item in items if item.level == "module" or item.module != item.iri]


def _siblings(one: Item, other: Item) -> bool:
    return one.level == other.level and (one.level == "module" or one.module == other.module)


def _hours_text(value: float | None) -> str:
    return "" if value is None else number(value, 2)


def _filled(row: Row, form: Form, index: int) -> Row:
    if f"title-{index}" not in form:
        return row
    return replace(
        row,
        title=form[f"title-{index}"],
        required=f"required-{index}" in form,
        hidden=f"hidden-{index}" in form,
        hours_in_person=form.get(f"in_person-{index}", ""),
        hours_distance=form.get(f"distance-{index}", ""),
        opens_on=form.get(f"opens-{index}", ""),
        closes_on=form.get(f"closes-{index}", ""),
    )


def edits(items: Sequence[Item], form: Form) -> tuple[list[Edit], list[Problem]]:
    """Read the form back: what changed, and what cannot be read.

    Lines are found by the identifier sent with each, so that a form older than the outline never writes
    one line's values on another.
    """
    known = {item.iri: item for item in listed(items)}
    found: list[Edit] = []
    problems: list[Problem] = []
    for index, iri in enumerate(form.getlist("iri")):
        if (item := known.get(iri)) is not None and f"title-{index}" in form:
            found.append(_edit(item, form, index, problems))
    return _moved(found, items, form), problems


def _edit(item: Item, form: Form, index: int, problems: list[Problem]) -> Edit:
    title, required, hidden = (
        form[f"title-{index}"].strip(),
        f"required-{index}" in form,
        f"hidden-{index}" in form,
    )
    hours = {
        name: hours_of(form.get(f"{key}-{index}", ""), item.iri, problems)
        for name, key in (("hours_in_person", "in_person"), ("hours_distance", "distance"))
    }
    days = {
        name: day_of(form.get(f"{key}-{index}", ""), item.iri, problems)
        for name, key in (("opens_on", "opens"), ("closes_on", "closes"))
    }
    # What is shown and sent back unchanged is not an edit: the outline goes on following the traces.
    return Edit(
        item.iri,
        title=title if title != item.title else KEEP,
        required=required if required != item.required else KEEP,
        hidden=hidden if hidden != item.hidden else KEEP,
        hours_in_person=hours["hours_in_person"]
        if hours["hours_in_person"] != item.hours_in_person
        else KEEP,
        hours_distance=hours["hours_distance"] if hours["hours_distance"] != item.hours_distance else KEEP,
        opens_on=days["opens_on"] if days["opens_on"] != item.opens_on else KEEP,
        closes_on=days["closes_on"] if days["closes_on"] != item.closes_on else KEEP,
    )


def _moved(found: list[Edit], items: Sequence[Item], form: Form) -> list[Edit]:
    """Apply the button that moves a line up or down: its group is numbered again."""
    way, _, rank = form.get("move", "").partition("-")
    sent = form.getlist("iri")
    if way not in ("up", "down") or not rank.isdigit() or len(rank) > 5 or int(rank) >= len(sent):
        return found
    shown = listed(items)
    item = next((one for one in shown if one.iri == sent[int(rank)]), None)
    if item is None:
        return found
    group = [other.iri for other in shown if _siblings(other, item)]
    at = group.index(item.iri)
    to = at - 1 if way == "up" else at + 1
    if not 0 <= to < len(group):
        return found
    group[at], group[to] = group[to], group[at]
    positions = {iri: position for position, iri in enumerate(group, 1)}
    known = {one.iri: one for one in found}
    return [
        replace(known.get(one.iri, Edit(one.iri)), position=positions[one.iri])
        if one.iri in positions
        else known.get(one.iri, Edit(one.iri))
        for one in shown
    ]


def hours_of(text: str, iri: str, problems: list[Problem]) -> float | None:
    """Read planned hours, with a comma or a point; note what cannot be read."""
    cleaned = (
        text.strip()
        .replace("\u202f", "")
        .replace("\u00a0", "")
        .replace(" ", "")
        .removesuffix("h")
        .replace(",", ".")
    )
    if not cleaned:
        return None
    try:
        return float(cleaned)
    except ValueError:
        problems.append(Problem("hours", iri, params={"text": text.strip()[:40]}))
        return None


def day_of(text: str, iri: str, problems: list[Problem]) -> date | None:
    """Read a day as the browser sends it (ISO 8601); note what cannot be read."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        problems.append(Problem("day", iri, params={"text": text.strip()[:40]}))
        return None


def problems_title() -> str:
    """Say what a refusal kept."""
    return gettext("Rien n’a été enregistré : corrigez ce qui suit, puis recommencez.")
