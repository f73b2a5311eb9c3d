"""PURE: somebody cut out of a statement: dropped where it is theirs, else said without them.

A statement is somebody's when they are its actor, or the person that it is about (its object, or the actor or
the object of its sub-statement). Where they only stand beside (member of a group of others, instructor, team,
agent of the context, authority), what it says of the others stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xapi.validation import IDENTIFIERS

#: Written where words that name somebody were.
ERASED = "[effacé]"
#: Authority of what somebody erased had vouched for.
NOBODY = {"objectType": "Agent", "account": {"homePage": "urn:estime", "name": "erased"}}

#: Tells of an Agent or a Group with an identifier whether it is to be cut out.
Erased = Callable[[Mapping[str, Any]], bool]


def cut(said: Mapping[str, Any], erased: Erased) -> dict[str, Any] | None:
    """Return a valid statement without somebody: itself, a copy that does not name them, or None: theirs."""
    made = dict(said)
    for name, cleaned in (("actor", _agent(said["actor"], erased)), ("object", _object(said, erased))):
        if cleaned is None:
            return None
        made[name] = cleaned
    if said.get("context"):
        made["context"] = _context(said["context"], erased)
    authority = said.get("authority")
    if authority and any(
        _identified(one) and erased(one) for one in (authority, *authority.get("member", ()))
    ):
        made["authority"] = NOBODY
    return made


def _identified(agent: Mapping[str, Any]) -> bool:
    return any(name in agent for name in IDENTIFIERS)


def _agent(agent: Mapping[str, Any], erased: Erased) -> Mapping[str, Any] | None:
    """Return an Agent or a Group without somebody; None when nobody is left."""
    if _identified(agent) and erased(agent):
        return None
    members = agent.get("member")
    if not members:
        return agent
    left = [one for one in members if _agent(one, erased) is not None]
    if len(left) == len(members):
        return agent
    made = {name: value for name, value in agent.items() if name != "member"}
    if left:
        return {**made, "member": left}
    return made if _identified(agent) else None


def _object(said: Mapping[str, Any], erased: Erased) -> Mapping[str, Any] | None:
    target: Mapping[str, Any] = said["object"]
    kind = target.get("objectType", "Activity")
    if kind in ("Agent", "Group"):
        return _agent(target, erased)
    return cut(target, erased) if kind == "SubStatement" else target


def _context(context: Mapping[str, Any], erased: Erased) -> dict[str, Any]:
    made = dict(context)
    for name in ("instructor", "team"):
        if name in context:
            left = _agent(context[name], erased)
            if left is None:
                del made[name]
            else:
                made[name] = left
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in context:
            some = [{**item, inner: _agent(item[inner], erased)} for item in context[name]]
            some = [item for item in some if item[inner] is not None]
            if some:
                made[name] = some
            else:
                del made[name]
    return made


def redacted(value: Any, words: Iterable[str]) -> Any:
    """Return a JSON value in which `words` (in any case, four letters or more) are written ``[effacé]``."""
    wanted = sorted({word for word in words if len(word) >= 4}, key=len, reverse=True)
    return _redacted(value, wanted) if wanted else value


def _redacted(value: Any, words: list[str]) -> Any:
    if isinstance(value, str):
        for word in words:
            value = _without(value, word)
        return value
    if isinstance(value, Mapping):
        return {_redacted(name, words): _redacted(item, words) for name, item in value.items()}
    return [_redacted(item, words) for item in value] if isinstance(value, list) else value


def _without(text: str, word: str) -> str:
    low, wanted, start = text.lower(), word.lower(), 0
    if len(low) != len(text):  # a letter that is two in lower case: compared as written
        return text.replace(word, ERASED)
    made = ""
    while (found := low.find(wanted, start)) >= 0:
        made += text[start:found] + ERASED
        start = found + len(wanted)
    return made + text[start:]
