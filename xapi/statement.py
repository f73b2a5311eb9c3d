"""PURE: statements: read and validated, completed as a store must, compared, and whom they are about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from xapi import json_text, values
from xapi.errors import XapiError
from xapi.validation import IDENTIFIERS, VOIDED, statement_1, statement_2

#: A timestamp that is in UTC already, neither at a leap second nor at 24:00.
_USUAL_UTC = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?(?:Z|\+00:00)", re.ASCII
)
_FRACTION = re.compile(r"[.,](\d+)S$")
#: What a store may add or change.
_MUTABLE = frozenset(("stored", "authority", "version", "attachments"))
#: Longest identifier whose key is remembered: bounds the memory (about 10 MB).
_LONGEST = 300

__all__ = [
    "VOIDED",
    "Links",
    "account_key",
    "actor_key",
    "canonical",
    "completed",
    "equivalent",
    "identifier",
    "links",
    "parse",
    "parse_agent",
    "validate",
]


def parse(body: bytes | object, version: str = "1.0.3") -> list[dict[str, Any]]:
    """Read one statement or an array of them, and validate each.

    `body`: JSON text, or what is already read. Raises XapiError at the first fault, with the position of
    the statement in the batch and the path of the faulty property.
    """
    value = json_text.load(body) if isinstance(body, bytes) else body
    if isinstance(value, dict):
        validate(value, version)
        return [value]
    if not isinstance(value, list):
        raise XapiError("the body must be a statement or an array of statements")
    for position, item in enumerate(value):
        try:
            validate(item, version)
        except XapiError as fault:
            fault.index = position
            raise
    return value


def validate(statement: object, version: str = "1.0.3") -> None:
    """Refuse what is not a statement of that version of xAPI; raises XapiError."""
    try:
        if version.startswith("2."):
            statement_2(statement)
        else:
            statement_1(statement)
    except RecursionError:
        raise XapiError("is too deep") from None


def parse_agent(text: str) -> dict[str, Any]:
    """Read the JSON of an Agent or an identified Group, as query parameters give it."""
    from xapi.validation import agent_or_group

    value = json_text.load(text.encode())
    agent_or_group(value)
    if not any(name in value for name in IDENTIFIERS):
        raise XapiError("must have one of account, mbox, mbox_sha1sum, openid")
    return value  # type: ignore[no-any-return]


# --- identity -----------------------------------------------------------------------------------------


def account_key(home_page: str, name: str) -> str:
    """Return the key of an account: 32 hexadecimal digits."""
    return _hashed(f"account\n{home_page}\n{name}")


def actor_key(agent: Mapping[str, Any]) -> str:
    """Return the key of an Agent or a Group: 32 hexadecimal digits of its identifier's SHA-256.

    Equal identifiers give equal keys, whatever the name and the order of keys (Data 2.4.2.3). A Group
    without identifier is known by its members, in any order.
    """
    account = agent.get("account")
    if account is not None:
        return _hashed(f"account\n{account['homePage']}\n{account['name']}")
    for name in ("mbox", "mbox_sha1sum", "openid"):
        value = agent.get(name)
        if value is not None:
            return _hashed(f"{name}\n{value}")
    return _hashed("group\n" + "\n".join(sorted(actor_key(member) for member in agent.get("member", ()))))


def identifier(agent: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the inverse functional identifier alone; None for a Group without one."""
    for name in IDENTIFIERS:
        if name in agent:
            return {name: agent[name]}
    return None


def _hashed(text: str) -> str:
    return _remembered(text) if len(text) <= _LONGEST else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


#: The same few people come back in every batch.
_remembered = lru_cache(maxsize=20_000)(_digest)


def forget_keys() -> None:
    """Drop the identifiers that this process remembers the keys of: one of them was erased."""
    _remembered.cache_clear()


# --- what a store adds ---------------------------------------------------------------------------------


def completed(
    statement: Mapping[str, Any],
    *,
    statement_id: str,
    stored: str,
    authority: Mapping[str, Any],
    version: str = "1.0.3",
) -> dict[str, Any]:
    """Return a copy with id, timestamp, stored, authority and version (Data 2.3.1, 2.4.7 to 2.4.10).

    A context activity alone becomes an array of one (2.4.6.2); version 2.0 also turns the timestamp into
    UTC. Everything else stays as it was said.
    """
    modern = version.startswith("2.")
    made = {"id": statement_id, **statement}
    made["timestamp"] = made.get("timestamp", stored)
    if modern and made["timestamp"][-1] not in "Zz":
        made["timestamp"] = _in_utc(made["timestamp"])
    made["stored"] = stored
    made["authority"] = authority
    made.setdefault("version", "2.0.0" if modern else "1.0.0")
    context = made.get("context")
    if context:
        made["context"] = _with_arrays(context)
    target = made["object"]
    if target.get("objectType") == "SubStatement" and target.get("context"):
        made["object"] = {**target, "context": _with_arrays(target["context"])}
    return made


def _in_utc(text: str) -> str:
    """Write a valid timestamp in UTC, to the microsecond."""
    found = _USUAL_UTC.fullmatch(text)
    if found is not None:
        return f"{found[1]}.{(found[2] or '')[:6]:0<6}Z"
    return values.instant(text).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _with_arrays(context: Mapping[str, Any]) -> Mapping[str, Any]:
    activities = context.get("contextActivities")
    if not activities or all(item.__class__ is list for item in activities.values()):
        return context
    arrays = {name: item if isinstance(item, list) else [item] for name, item in activities.items()}
    return {**context, "contextActivities": arrays}


# --- whom and what it is about ---------------------------------------------------------------------------


@dataclass(slots=True)
class Links:
    """Whom and what a statement names, and where: pairs (actor key, place) and (IRI, place)."""

    agents: set[tuple[str, str]]
    activities: set[tuple[str, str]]
    #: Agents and identified Groups as written, by key: the store keeps their names.
    people: dict[str, Mapping[str, Any]]


def links(statement: Mapping[str, Any]) -> Links:
    """Return whom and what a completed statement names.

    Places of agents: actor, object, member (of the Group that is actor or object), authority, instructor,
    team, context (2.0), sub. Places of activities: object, parent, grouping, category, other, sub.
    """
    found = Links(set(), set(), {})
    _add_agent(found, statement["actor"], "actor", "member")
    _add_object(found, statement["object"])
    context = statement.get("context")
    if context:
        _add_context(found, context, None)
    authority = statement.get("authority")
    if authority:
        for item in (authority, *authority.get("member", ())):
            if _is_identified(item):
                found.agents.add((actor_key(item), "authority"))
    return found


def _is_identified(agent: Mapping[str, Any]) -> bool:
    """Tell whether a valid Agent or Group has an identifier: only a Group of members may have none."""
    return "account" in agent or "member" not in agent or any(name in agent for name in IDENTIFIERS)


def _add_agent(found: Links, agent: Mapping[str, Any], place: str, members: str) -> None:
    if _is_identified(agent):
        key = actor_key(agent)
        found.agents.add((key, place))
        found.people[key] = agent
    if "member" in agent:
        for member in agent["member"]:
            _add_agent(found, member, members, members)


def _add_object(found: Links, target: Mapping[str, Any]) -> None:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        found.activities.add((target["id"], "object"))
    elif kind in ("Agent", "Group"):
        _add_agent(found, target, "object", "member")
    elif kind == "SubStatement":
        _add_agent(found, target["actor"], "sub", "sub")
        inner = target["object"]
        inner_kind = inner.get("objectType", "Activity")
        if inner_kind == "Activity":
            found.activities.add((inner["id"], "sub"))
        elif inner_kind in ("Agent", "Group"):
            _add_agent(found, inner, "sub", "sub")
        _add_context(found, target.get("context") or {}, "sub")


def _add_context(found: Links, context: Mapping[str, Any], place: str | None) -> None:
    for name, said in context.items():
        if name == "contextActivities":
            for kind, items in said.items():
                for item in items if items.__class__ is list else (items,):
                    found.activities.add((item["id"], place or kind))
        elif name in ("instructor", "team"):
            _add_agent(found, said, place or name, place or name)
        elif name in ("contextAgents", "contextGroups"):
            for item in said:
                who = item["agent" if name == "contextAgents" else "group"]
                _add_agent(found, who, place or "context", place or "context")


def instant_of(statement: Mapping[str, Any]) -> datetime:
    """Return the timestamp of a validated statement, in UTC."""
    text = statement["timestamp"]
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return values.instant(text)


# --- comparison (Data 2.3.1) -----------------------------------------------------------------------------


def equivalent(received: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Tell whether a statement says the same as the one kept under its id (Data 2.3.1.s9).

    What a store may add or change is ignored: stored, authority, version, a timestamp that was not
    given, its zone, definitions of activities, display of verbs, order of members, attachments.
    """
    left, right = canonical(received), canonical(kept)
    for name in ("id", "timestamp"):
        if name not in left:
            right.pop(name, None)
    return _same(left, right)


def canonical(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is immutable of a statement, written in one way; its own canonical form is itself."""
    made: dict[str, Any] = {}
    for name, item in statement.items():
        if name == "actor":
            made[name] = _canonical_agent(item)
        elif name == "verb":
            made[name] = {"id": item["id"]}
        elif name == "object":
            made[name] = _canonical_object(item)
        elif name == "context":
            made[name] = _canonical_context(item)
        elif name == "result" and "duration" in item:
            made[name] = {**item, "duration": _truncated(item["duration"])}
        elif name == "id":
            made[name] = item.lower()
        elif name == "timestamp":
            made[name] = _in_utc(item)
        elif name not in _MUTABLE:
            made[name] = item
    return made


def _truncated(duration: str) -> str:
    """Cut a duration to the hundredth of a second, beyond which nothing is compared (Data 4.6)."""
    found = _FRACTION.search(duration)
    if found is None:
        return duration
    digits = found[1][:2].rstrip("0")
    return f"{duration[: found.start()]}{'.' + digits if digits else ''}S"


def _canonical_agent(agent: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(agent)
    if made.get("objectType") == "Agent":
        del made["objectType"]
    if "mbox" in made:
        # The domain of an address is the same in any case (2.3.1.b7).
        local, _, domain = made["mbox"].rpartition("@")
        made["mbox"] = f"{local}@{domain.lower()}"
    if "mbox_sha1sum" in made:
        made["mbox_sha1sum"] = made["mbox_sha1sum"].lower()
    if "member" in made:
        made["member"] = sorted((_canonical_agent(item) for item in made["member"]), key=_sorted_text)
    return made


def _sorted_text(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _canonical_object(target: Mapping[str, Any]) -> dict[str, Any]:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        return {"id": target["id"]}
    if kind in ("Agent", "Group"):
        return {**_canonical_agent(target), "objectType": kind}
    if kind == "StatementRef":
        return {"objectType": kind, "id": target["id"].lower()}
    return canonical(target)


def _canonical_context(context: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(context)
    for name, said in context.items():
        if name == "contextActivities":
            made[name] = {
                kind: [{"id": item["id"]} for item in (items if items.__class__ is list else (items,))]
                for kind, items in said.items()
            }
        elif name in ("instructor", "team"):
            made[name] = _canonical_agent(said)
        elif name == "registration":
            made[name] = said.lower()
        elif name == "statement":
            made[name] = _canonical_object(said)
    return made


def _same(left: object, right: object) -> bool:
    """Compare two JSON values: 1 is 1.0 but not true, which Python holds equal."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def references(statements: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, bool]]:
    """Yield (id, id referred to, whether it voids) of each statement about another (Data 2.4.4.3)."""
    for item in statements:
        target = item["object"]
        if target.get("objectType") == "StatementRef":
            yield item.get("id", ""), target["id"].lower(), item["verb"]["id"] == VOIDED
