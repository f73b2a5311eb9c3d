"""PURE: the shape of a statement, by tables of property -> check (xAPI 1.0.3 Data 2, xAPI 2.0 4.2).

One table a kind of object: a property that is not in it is refused (Data 2.2.s4.b1: unknown keys, keys
in another case, nulls), and a check gets the property's value. A fault names its property while the
calls unwind, so that a good statement pays nothing for it. Agents, verbs and activities come back in every
statement: those seen to be good are remembered as they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import orjson

from xapi import values
from xapi.errors import XapiError
from xapi.values import Check

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
#: Inverse functional identifiers (Data 2.4.2.3).
IDENTIFIERS = ("account", "mbox", "mbox_sha1sum", "openid")
#: Interaction type -> its lists of components (Data 2.4.4.1, Interaction Components).
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "true-false": (),
    "choice": ("choices",),
    "fill-in": (),
    "long-fill-in": (),
    "matching": ("source", "target"),
    "performance": ("steps",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "numeric": (),
    "other": (),
}
_LISTS = ("choices", "scale", "source", "target", "steps")
_INTERACTION_ONLY = ("correctResponsesPattern", *_LISTS)

Table = Mapping[str, Check]
#: Items of one array, members of a Group for instance; not of the standard: each is a row to be found by.
MOST_ITEMS = 10_000


def statement_1(value: Any) -> None:
    """Refuse what is not a statement of xAPI 1.0.x; raises XapiError with the faulty property."""
    _statement(value, _STATEMENT_1)


def statement_2(value: Any) -> None:
    """Refuse what is not a statement of xAPI 2.0; raises XapiError with the faulty property."""
    _statement(value, _STATEMENT_2)


#: Parts remembered by each check, and bytes of the longest one kept: at most 10 MB each.
_REMEMBERED = 10_000
_LONGEST = 1_000


def _remembering(check: Check) -> Check:
    """Return a check that knows again what it has seen to be good, to the byte."""
    seen: set[bytes] = set()

    @wraps(check)
    def look(value: Any) -> None:
        try:
            written = orjson.dumps(value)
        except TypeError:
            check(value)
            return
        if written in seen:
            return
        check(value)
        if len(written) <= _LONGEST:
            if len(seen) >= _REMEMBERED:
                seen.clear()
            seen.add(written)

    return look


def _object(value: Any, table: Table, required: tuple[str, ...], what: str) -> None:
    """Check every property of an object by its table, then that none is missing."""
    if value.__class__ is not dict:
        raise XapiError(f"must be {what}")
    for key, item in value.items():
        try:
            table[key](item)
        except XapiError as fault:
            fault.steps.append(key)
            raise
        except KeyError:
            raise _unknown(key, table, what) from None
    for key in required:
        if key not in value:
            raise XapiError(f"{key!r} is missing")


def _unknown(key: str, table: Table, what: str) -> XapiError:
    close = [name for name in table if name.lower() == key.lower()]
    hint = f" (in this case: {close[0]!r})" if close else ""
    return XapiError(f"{key[:100]!r} is not a property of {what}{hint}")


def _each(value: Any, check: Check, what: str) -> None:
    if value.__class__ is not list:
        raise XapiError(f"must be an array of {what}")
    if len(value) > MOST_ITEMS:
        raise XapiError(f"has more than {MOST_ITEMS} items, the most that this store takes")
    for position, item in enumerate(value):
        try:
            check(item)
        except XapiError as fault:
            fault.steps.append(position)
            raise


def _only(word: str) -> Check:
    def check(value: Any) -> None:
        if value != word or value.__class__ is not str:
            raise XapiError(f"must be {word!r}")

    return check


# --- agents and groups (Data 2.4.2) -----------------------------------------------------------------


def _account(value: Any) -> None:
    _object(value, _ACCOUNT, ("homePage", "name"), "an account")


def _identified(value: dict[str, Any]) -> int:
    found = ("account" in value) + ("mbox" in value) + ("mbox_sha1sum" in value) + ("openid" in value)
    if found > 1:
        raise XapiError("has more than one of account, mbox, mbox_sha1sum, openid")
    return found


def agent(value: Any) -> None:
    """Refuse what is not an Agent with exactly one identifier (Data 2.4.2.1)."""
    _object(value, _AGENT, (), "an Agent")
    if not _identified(value):
        raise XapiError("needs one of account, mbox, mbox_sha1sum, openid")


def _members(value: Any) -> None:
    _each(value, agent, "Agents")


def group(value: Any) -> None:
    """Refuse what is not a Group, identified or made of its members (Data 2.4.2.2)."""
    _object(value, _GROUP, ("objectType",), "a Group")
    if not _identified(value) and not value.get("member"):
        raise XapiError("a Group without identifier needs its members")


@_remembering
def agent_or_group(value: Any) -> None:
    """Refuse what is neither an Agent nor a Group."""
    if value.__class__ is dict and value.get("objectType", "Agent") != "Agent":
        if value["objectType"] != "Group":
            fault = XapiError("must be 'Agent' or 'Group'")
            fault.steps.append("objectType")
            raise fault
        group(value)
    else:
        agent(value)


def _authority(value: Any) -> None:
    """Refuse what is not an Agent, or a Group of two without identifier (Data 2.4.9)."""
    agent_or_group(value)
    if value.get("objectType") == "Group" and (_identified(value) or len(value["member"]) != 2):
        raise XapiError("must be an Agent, or a Group of exactly two Agents and nothing else")


# --- verb, activities (Data 2.4.3, 2.4.4.1) ----------------------------------------------------------


@_remembering
def _verb(value: Any) -> None:
    _object(value, _VERB, ("id",), "a verb")


def _extensions(value: Any) -> None:
    """Refuse an extensions map whose keys are not IRIs; its values are free (Data 4.1)."""
    if value.__class__ is not dict:
        raise XapiError("must be an object")
    for key in value:
        try:
            values.iri(key)
        except XapiError as fault:
            fault.steps.append(key)
            raise


def _interaction_type(value: Any) -> None:
    if value.__class__ is not str or value not in COMPONENTS:
        raise XapiError(f"must be one of {', '.join(COMPONENTS)}")


def _patterns(value: Any) -> None:
    _each(value, values.string, "strings")


def _component(value: Any) -> None:
    _object(value, _COMPONENT, ("id",), "an interaction component")


def _components(value: Any) -> None:
    _each(value, _component, "interaction components")
    if len({item["id"] for item in value}) != len(value):
        raise XapiError("two components have the same id")


def _definition(value: Any) -> None:
    _object(value, _DEFINITION, (), "an activity definition")
    kind = value.get("interactionType")
    for name in _INTERACTION_ONLY:
        if name in value:
            if kind is None:
                raise XapiError(f"{name!r} needs an interactionType")
            if name in _LISTS and name not in COMPONENTS[kind]:
                raise XapiError(f"{name!r} does not go with the interactionType {kind!r}")


@_remembering
def activity(value: Any) -> None:
    """Refuse what is not an Activity (Data 2.4.4.1)."""
    _object(value, _ACTIVITY, ("id",), "an Activity")


# --- object (Data 2.4.4) ------------------------------------------------------------------------------


def _statement_ref(value: Any) -> None:
    _object(value, _STATEMENT_REF, ("objectType", "id"), "a StatementRef")


def _target(sub: Check | None) -> Check:
    """Return the check of an object; `sub` checks a SubStatement, None where it may not be."""

    def check(value: Any) -> None:
        kind = value.get("objectType", "Activity") if value.__class__ is dict else "Activity"
        if kind == "Activity":
            activity(value)
        elif kind == "Agent":
            agent(value)
        elif kind == "Group":
            group(value)
        elif kind == "StatementRef":
            _statement_ref(value)
        elif kind == "SubStatement" and sub is not None:
            sub(value)
        else:
            allowed = "Activity, Agent, Group, StatementRef" + (" or SubStatement" if sub else "")
            fault = XapiError(f"must be one of {allowed}")
            fault.steps.append("objectType")
            raise fault

    return check


# --- result (Data 2.4.5) -----------------------------------------------------------------------------


def _scaled(value: Any) -> None:
    values.number(value)
    if not -1 <= value <= 1:
        raise XapiError("must be between -1 and 1")


def _score(value: Any) -> None:
    _object(value, _SCORE, (), "a score")
    raw, low, high = value.get("raw"), value.get("min"), value.get("max")
    if low is not None and high is not None and low >= high:
        raise XapiError("'min' must be less than 'max'")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise XapiError("'raw' must be between 'min' and 'max'")


def _result(value: Any) -> None:
    _object(value, _RESULT, (), "a result")


# --- context (Data 2.4.6; 2.0: contextAgents, contextGroups) -----------------------------------------


def _context_activity(value: Any) -> None:
    """Refuse what is neither an Activity nor an array of them (single ones are of 0.95)."""
    if value.__class__ is dict:
        activity(value)
    else:
        _each(value, activity, "Activities")


@_remembering
def _context_activities(value: Any) -> None:
    _object(value, _CONTEXT_ACTIVITIES, (), "a map of context activities")


def _context_1(value: Any) -> None:
    _object(value, _CONTEXT_1, (), "a context")


def _context_2(value: Any) -> None:
    _object(value, _CONTEXT_2, (), "a context")


def _relevant_types(value: Any) -> None:
    _each(value, values.iri, "IRIs")
    if not value:
        raise XapiError("must not be empty")


def _context_agents(value: Any) -> None:
    _each(value, _context_agent, "contextAgent objects")


def _context_agent(value: Any) -> None:
    _object(value, _CONTEXT_AGENT, ("objectType", "agent"), "a contextAgent")


def _context_groups(value: Any) -> None:
    _each(value, _context_group, "contextGroup objects")


def _context_group(value: Any) -> None:
    _object(value, _CONTEXT_GROUP, ("objectType", "group"), "a contextGroup")


# --- attachments (Data 2.4.11) -----------------------------------------------------------------------


def _attachment(value: Any) -> None:
    _object(value, _ATTACHMENT, ("usageType", "display", "contentType", "length", "sha2"), "an attachment")


def _attachments(value: Any) -> None:
    _each(value, _attachment, "attachments")


# --- statements --------------------------------------------------------------------------------------


def _whole(value: dict[str, Any]) -> None:
    """Check what one property alone does not tell (Data 2.3.2, 2.4.6.s4)."""
    target = value["object"]
    kind = target.get("objectType", "Activity")
    context = value.get("context")
    if kind != "Activity" and context:
        for name in ("revision", "platform"):
            if name in context:
                fault = XapiError("is allowed only when the object is an Activity")
                fault.steps += [name, "context"]
                raise fault
    if kind != "StatementRef" and value["verb"]["id"] == VOIDED:
        fault = XapiError("a voiding statement needs a StatementRef")
        fault.steps.append("object")
        raise fault


def _statement(value: Any, table: Table) -> None:
    _object(value, table, ("actor", "verb", "object"), "a statement")
    _whole(value)


def _sub_statement(table: Callable[[], Table]) -> Check:
    def check(value: Any) -> None:
        _object(value, table(), ("objectType", "actor", "verb", "object"), "a SubStatement")
        _whole(value)

    return check


_ACCOUNT: Table = {"homePage": values.iri, "name": values.string}
_ANYBODY: Table = {
    "name": values.string,
    "mbox": values.mbox,
    "mbox_sha1sum": values.sha1,
    "openid": values.iri,
    "account": _account,
}
_AGENT: Table = {"objectType": _only("Agent"), **_ANYBODY}
_GROUP: Table = {"objectType": _only("Group"), "member": _members, **_ANYBODY}
_VERB: Table = {"id": values.iri, "display": values.language_map}
_COMPONENT: Table = {"id": values.string, "description": values.language_map}
_DEFINITION: Table = {
    "name": values.language_map,
    "description": values.language_map,
    "type": values.iri,
    "moreInfo": values.iri,
    "extensions": _extensions,
    "interactionType": _interaction_type,
    "correctResponsesPattern": _patterns,
    **dict.fromkeys(_LISTS, _components),
}
_ACTIVITY: Table = {"objectType": _only("Activity"), "id": values.iri, "definition": _definition}
_STATEMENT_REF: Table = {"objectType": _only("StatementRef"), "id": values.uuid}
_SCORE: Table = {"scaled": _scaled, **dict.fromkeys(("raw", "min", "max"), values.number)}
_RESULT: Table = {
    "score": _score,
    "success": values.boolean,
    "completion": values.boolean,
    "response": values.string,
    "duration": values.duration,
    "extensions": _extensions,
}
_CONTEXT_ACTIVITIES: Table = dict.fromkeys(("parent", "grouping", "category", "other"), _context_activity)
_CONTEXT_1: Table = {
    "registration": values.uuid,
    "instructor": agent_or_group,
    "team": group,
    "contextActivities": _context_activities,
    "revision": values.string,
    "platform": values.string,
    "language": values.language,
    "statement": _statement_ref,
    "extensions": _extensions,
}
_CONTEXT_2: Table = {**_CONTEXT_1, "contextAgents": _context_agents, "contextGroups": _context_groups}
_CONTEXT_AGENT: Table = {
    "objectType": _only("contextAgent"),
    "agent": agent,
    "relevantTypes": _relevant_types,
}
_CONTEXT_GROUP: Table = {
    "objectType": _only("contextGroup"),
    "group": group,
    "relevantTypes": _relevant_types,
}
_ATTACHMENT: Table = {
    "usageType": values.iri,
    "display": values.language_map,
    "description": values.language_map,
    "contentType": values.media_type,
    "length": values.octets,
    "sha2": values.sha2,
    "fileUrl": values.iri,
}
_COMMON_1: Table = {
    "actor": agent_or_group,
    "verb": _verb,
    "result": _result,
    "context": _context_1,
    "timestamp": values.timestamp,
    "attachments": _attachments,
}
_COMMON_2: Table = {**_COMMON_1, "context": _context_2, "timestamp": values.timestamp_strict}
_SUB_1: Table = {**_COMMON_1, "objectType": _only("SubStatement"), "object": _target(None)}
_SUB_2: Table = {**_COMMON_2, "objectType": _only("SubStatement"), "object": _target(None)}
_LRS: Table = {"id": values.uuid, "authority": _authority}
_STATEMENT_1: Table = {
    **_COMMON_1,
    **_LRS,
    "object": _target(_sub_statement(lambda: _SUB_1)),
    "stored": values.timestamp,
    "version": values.version_1,
}
_STATEMENT_2: Table = {
    **_COMMON_2,
    **_LRS,
    "object": _target(_sub_statement(lambda: _SUB_2)),
    "stored": values.timestamp_strict,
    "version": values.version_2,
}
