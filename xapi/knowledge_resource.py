"""The resources /activities and /agents (xAPI 1.0.3 Communication 2.4, 2.5)."""

from __future__ import annotations

import orjson

from tool_config.database import transaction
from xapi import knowledge, statement, values
from xapi.errors import XapiError
from xapi.exchange import Answer, Exchange


def activity(asked: Exchange) -> Answer:
    """Answer an Activity with its merged definition."""
    iri = _needed(asked, "activityId")
    try:
        values.iri(iri)
    except XapiError as fault:
        raise XapiError(f"the parameter activityId {fault.reason}") from None
    with transaction(asked.engine, asked.credential.silo_id, write=False) as conn:
        return Answer(body=orjson.dumps(knowledge.activity(conn, asked.credential.silo_id, iri)))


def agent(asked: Exchange) -> Answer:
    """Answer the Person of an Agent."""
    text = _needed(asked, "agent")
    try:
        said = statement.parse_agent(text)
    except (XapiError, UnicodeEncodeError) as fault:
        raise XapiError(f"the parameter agent is not usable: {fault}") from None
    if said.get("objectType", "Agent") != "Agent":
        raise XapiError("the parameter agent must be an Agent, not a Group")
    with transaction(asked.engine, asked.credential.silo_id, write=False) as conn:
        return Answer(body=orjson.dumps(knowledge.person(conn, asked.credential.silo_id, said)))


def _needed(asked: Exchange, name: str) -> str:
    given = asked.flat(name)
    if name not in given:
        raise XapiError(f"the parameter {name} is needed")
    return given[name]
