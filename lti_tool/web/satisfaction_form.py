"""The form that opens a questionnaire: read with its faults by field, shown again as it was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lti_tool.surveys.wording import label
from tool_config import surveys as templates
from tool_config.surveys import Template

#: Days that a questionnaire stays open unless told otherwise.
_USUAL_DAYS = 14


@dataclass(frozen=True)
class Filled:
    """What the fields hold, as text, and the fault of each."""

    module: str
    template: str
    mode: str
    also: tuple[str, ...]
    opens: str
    closes: str
    #: The warning about what is asked of each person was read.
    anyway: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A form without fault."""

    #: "" when the template is about the whole session.
    module: str
    template: Template
    mode: str
    opens_at: datetime
    closes_at: datetime


def blank(module: str, today: date) -> Filled:
    """Return the form as it is first shown."""
    return Filled(
        module=module,
        template=next(iter(templates.load())),
        mode="pseudonymous",
        also=(),
        opens=today.isoformat(),
        closes=(today + timedelta(days=_USUAL_DAYS)).isoformat(),
    )


def filled(form: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Filled:
    """Return the form as it was sent."""
    return Filled(
        module=form.get("module", ""),
        template=form.get("template", ""),
        mode=form.get("mode", ""),
        also=tuple(_chosen(form)),
        opens=form.get("opens", ""),
        closes=form.get("closes", ""),
        anyway=form.get("anyway") == "1",
        errors=errors or {},
    )


def _chosen(form: Mapping[str, str]) -> list[str]:
    """Return the questions added: "also-question", or "also-template:question" where several are shown."""
    names = [name.removeprefix("also-") for name in form if name.startswith("also-")]
    own = f"{form.get('template', '')}:"
    return [name.removeprefix(own) for name in names if ":" not in name or name.startswith(own)]


def read(
    form: Mapping[str, str], now: datetime, zone: ZoneInfo, offered: Mapping[str, Template]
) -> tuple[Wanted | None, dict[str, str]]:
    """Read the form; return what it asks for, or the fault of each field. `offered`: `library.offered`."""
    sent, errors = filled(form), {}
    template = offered.get(sent.template)
    if template is None:
        errors["template"] = "template"
    opens, closes = day(sent.opens), day(sent.closes)
    for name, value in (("opens", opens), ("closes", closes)):
        if value is None:
            errors[name] = "day"
    if errors or template is None or opens is None or closes is None:
        return None, errors
    try:
        asked = template.asked(also=sent.also)
    except templates.TemplateError:
        return None, {"template": "template"}
    # What was to open on a past day, or today, opens now.
    opens_at = max(now, datetime.combine(opens, time(), zone))
    module = "" if asked.scope == "session" else sent.module
    return Wanted(module, asked, sent.mode, opens_at, end_of(closes, zone)), {}


def optional(template: Template) -> list[tuple[str, str, str]]:
    """Return what may be added to a questionnaire, a grid as a whole: (name, text, kind)."""
    return [
        (grid.id, label(grid.text), "grid") if grid else (rows[0].id, label(rows[0].text), rows[0].kind)
        for grid, rows in template.blocks
        if not rows[0].included
    ]


def end_of(last: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a questionnaire closes whose last day is `last`: the midnight after."""
    return datetime.combine(last + timedelta(days=1), time(), zone)


def day(text: str) -> date | None:
    """Read a day as the browser sends it (ISO 8601); None when it cannot be read or is out of reason."""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


def errors_of(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the faults that the domain found, by field of the form."""
    named = {"closes_at": "closes", "opens_at": "opens"}
    return {named.get(name, name): name if code == "unknown" else code for name, code in fields.items()}
