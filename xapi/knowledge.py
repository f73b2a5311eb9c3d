"""What statements say of an activity and of an agent (xAPI 1.0.3 Communication 2.4, 2.5).

Derived when asked from the latest statements that name the activity, so that a corrected definition is the
one answered and nothing has to be kept in step. Only those of keys that may define count (scope `define`,
4.2), with those of the tool itself: what another key says of an activity stays in its own statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, select

from tool_config.tables import lrs_key
from xapi import auth
from xapi import statement as statements
from xapi.tables import actor, statement, statement_activity

#: Statements read for one definition: the latest.
READ = 50
_MAPS = ("name", "description", "extensions")


def activity(conn: Connection, silo_id: int, iri: str) -> dict[str, Any]:
    """Return an Activity with everything that recent statements say of it (2.5).

    Names and descriptions in every language, extensions: the latest of each. The rest of the definition is
    that of the latest statement that has it. An unknown activity is answered by its id alone.
    """
    link = statement_activity.c
    wanted = (
        select(statement.c.raw, link.stored, link.statement_id)
        .distinct()
        .join(statement, (statement.c.silo_id == link.silo_id) & (statement.c.id == link.statement_id))
        .where(
            link.silo_id == silo_id,
            link.activity == iri,
            statement.c.voided.is_(False),
            statement.c.key_id.in_(_defining(conn, silo_id)),
        )
        .order_by(link.stored.desc(), link.statement_id.desc())
        .limit(READ)
    )
    definition: dict[str, Any] = {}
    for row in reversed(conn.execute(wanted).all()):
        for said in _definitions(orjson.loads(row.raw), iri):
            definition = _merged(definition, said)
    made: dict[str, Any] = {"objectType": "Activity", "id": iri}
    return {**made, "definition": definition} if definition else made


def _defining(conn: Connection, silo_id: int) -> list[str]:
    """Return the keys that may define activities, stopped ones too; "" is the tool itself."""
    keys = conn.execute(select(lrs_key.c.key_id, lrs_key.c.scopes).where(lrs_key.c.silo_id == silo_id))
    return ["", *(key_id for key_id, scopes in keys if not auth.DEFINING.isdisjoint(scopes.split()))]


def person(conn: Connection, silo_id: int, agent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Person of an agent: its identifier, and the name that the store knows (2.4)."""
    made: dict[str, Any] = {"objectType": "Person"}
    known = conn.execute(
        select(actor.c.name).where(
            actor.c.silo_id == silo_id,
            actor.c.actor == statements.actor_key(agent),
            actor.c.name.is_not(None),
        )
    ).scalar()
    names = list(dict.fromkeys(name for name in (known, agent.get("name")) if name))
    if names:
        made["name"] = names
    for name, value in (statements.identifier(agent) or {}).items():
        made[name] = [value]
    return made


def _definitions(whole: Mapping[str, Any], iri: str) -> Iterator[Mapping[str, Any]]:
    """Yield the definitions that a statement gives of an activity, wherever it names it."""
    target = whole["object"]
    places = [target]
    contexts = [whole.get("context") or {}]
    if target.get("objectType") == "SubStatement":
        places.append(target["object"])
        contexts.append(target.get("context") or {})
    for context in contexts:
        for items in (context.get("contextActivities") or {}).values():
            places += items if isinstance(items, list) else [items]
    for item in places:
        if (
            item.get("id") == iri
            and item.get("objectType", "Activity") == "Activity"
            and "definition" in item
        ):
            yield item["definition"]


def _merged(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    made = {**before, **said}
    for name in _MAPS:
        if name in before and name in said:
            made[name] = {**before[name], **said[name]}
    return made
