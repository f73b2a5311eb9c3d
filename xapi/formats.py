"""PURE: the formats of GET /statements: ids and canonical, drawn from the stored JSON (2.1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from xapi.validation import IDENTIFIERS

_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")


def formatted(raw: str, format_: str, languages: Sequence[str] = ()) -> str:
    """Return a stored statement in the format asked for.

    `languages`: tags of Accept-Language, preferred first. The canonical definition of an activity is the
    one of the statement, with one language in each map.
    """
    if format_ == "exact":
        return raw
    whole = orjson.loads(raw)
    made = _identified(whole) if format_ == "ids" else _canonical(whole, languages)
    return orjson.dumps(made).decode()


def accepted_languages(header: str | None) -> list[str]:
    """Return the tags of an Accept-Language header, preferred first; those of quality 0 are left out."""
    weighted: list[tuple[float, int, str]] = []
    for place, part in enumerate((header or "").split(",")[:50]):
        tag, *options = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for option in options:
            name, _, value = option.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if tag and quality > 0:
            weighted.append((-quality, place, tag.lower()))
    return [tag for _, _, tag in sorted(weighted)]


# --- ids --------------------------------------------------------------------------------------------------


def _identified(whole: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(whole)
    made["actor"] = _agent_id(whole["actor"])
    made["verb"] = {"id": whole["verb"]["id"]}
    target = whole["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        made["object"] = _activity_id(target)
    elif kind in ("Agent", "Group"):
        made["object"] = _agent_id(target)
    elif kind == "SubStatement":
        made["object"] = _identified(target)
    if "authority" in whole:
        made["authority"] = _agent_id(whole["authority"])
    if "context" in whole:
        made["context"] = _context_ids(whole["context"])
    return made


def _context_ids(context: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(context)
    for name in ("instructor", "team"):
        if name in made:
            made[name] = _agent_id(made[name])
    if "contextActivities" in made:
        made["contextActivities"] = {
            name: [_activity_id(item) for item in items] for name, items in made["contextActivities"].items()
        }
    for name, part in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in made:
            made[name] = [{**item, part: _agent_id(item[part])} for item in made[name]]
    return made


def _agent_id(agent: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the identifier alone; a Group without one keeps the identifiers of its members."""
    made = {name: agent[name] for name in ("objectType", *IDENTIFIERS) if name in agent}
    if not any(name in agent for name in IDENTIFIERS):
        made["member"] = [_agent_id(member) for member in agent.get("member", ())]
    return made


def _activity_id(activity: Mapping[str, Any]) -> dict[str, Any]:
    # An object without objectType is an Activity.
    return {"id": activity["id"]}


# --- canonical --------------------------------------------------------------------------------------------


def _canonical(whole: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    made = dict(whole)
    if "display" in whole["verb"]:
        made["verb"] = {**whole["verb"], "display": _one_language(whole["verb"]["display"], languages)}
    target = whole["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        made["object"] = _canonical_activity(target, languages)
    elif kind == "SubStatement":
        made["object"] = _canonical(target, languages)
    context = whole.get("context") or {}
    if "contextActivities" in context:
        activities = {
            name: [_canonical_activity(item, languages) for item in items]
            for name, items in context["contextActivities"].items()
        }
        made["context"] = {**context, "contextActivities": activities}
    return made


def _canonical_activity(activity: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    if "definition" not in activity:
        return dict(activity)
    definition = dict(activity["definition"])
    for name in ("name", "description"):
        if name in definition:
            definition[name] = _one_language(definition[name], languages)
    for name in _COMPONENT_LISTS:
        if name in definition:
            definition[name] = [
                {**item, "description": _one_language(item["description"], languages)}
                if "description" in item
                else item
                for item in definition[name]
            ]
    return {**activity, "definition": definition}


def _one_language(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """Keep one language: the most wanted (RFC 4647 basic filtering), else the first that was written."""
    for wanted in languages:
        for tag, text in texts.items():
            lower = tag.lower()
            if wanted == "*" or lower == wanted or lower.startswith(f"{wanted}-"):
                return {tag: text}
    return dict(list(texts.items())[:1])
