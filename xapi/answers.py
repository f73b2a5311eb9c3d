"""Answers to questionnaires, drawn from `answered` statements like events.

A statement is an answer when its verb is `answered` and its context carries the extension `EXTENSION`,
which names the questionnaire and the question. Such a statement is no learning event: what people say
of a module is not counted as activity, and an anonymous respondent is nobody's learner. It counts in the
figures when the tool itself said it, not a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select, update

from tool_config.database import insert
from tool_config.survey_model import MOST_OPTIONS, mask
from xapi import publication
from xapi.identity import TOOL, course_id, resolve
from xapi.survey_tables import answer
from xapi.tables import statement

ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
#: Context extension: {"survey", "question", "kind", "course", "module", "phase", …}, all texts.
EXTENSION = "urn:estime:answer"
SURVEY_TYPE = "http://id.tincanapi.com/activitytype/survey"
INTERACTION_TYPE = "http://adlnet.gov/expapi/activities/cmi.interaction"

#: What the voice of an answer begins with when a file gave it, and no statement.
FROM_FILES = "file:"

#: Rows of one statement of SQL: under SQLite's limit of variables.
CHUNK = 500


@dataclass(frozen=True)
class Answer:
    """What a statement answers; the row adds who, when and which statement."""

    survey_id: str
    question: str
    course_iri: str
    module: str
    phase: str
    attempt: str
    #: Point of the scale, number of an option, `mask` of several; None for a text.
    value: int | None
    text: str | None


def is_answer(statement: Mapping[str, Any]) -> bool:
    """Say whether a validated statement answers a questionnaire (and so is no event)."""
    if statement["verb"]["id"] != ANSWERED:
        return False
    return EXTENSION in ((statement.get("context") or {}).get("extensions") or {})


def from_statement(statement: Mapping[str, Any]) -> Answer | None:
    """Draw the answer of one validated statement; None when it is none, or says too little."""
    if not is_answer(statement) or statement["object"].get("objectType", "Activity") != "Activity":
        return None
    context = statement["context"]
    told = context["extensions"][EXTENSION]
    response = (statement.get("result") or {}).get("response")
    if not isinstance(told, Mapping) or not isinstance(response, str):
        return None
    names = [told.get(key, "") for key in ("survey", "question", "course", "module", "phase")]
    attempt = context.get("registration")
    if not all(isinstance(name, str) for name in names) or not all(names[:3]) or not attempt:
        return None
    definition = statement["object"].get("definition") or {}
    closed = definition.get("interactionType") in ("likert", "choice")
    value = _closed(response, several=told.get("kind") == "choices") if closed else None
    if closed and value is None:
        return None
    survey_id, question, course_iri, module, phase = names
    return Answer(
        survey_id=survey_id,
        question=question,
        course_iri=course_iri,
        module=module,
        phase=phase,
        attempt=str(attempt),
        value=value,
        text=response if value is None else None,
    )


def _closed(response: str, *, several: bool) -> int | None:
    """Return the value of a closed question: xAPI parts the options ticked by "[,]" (Data 2.4.4.1)."""
    if not several:
        return _point(response)
    options = [_point(part) for part in response.split("[,]")]
    known = [option for option in options if option is not None and 1 <= option <= MOST_OPTIONS]
    return mask(known) if len(known) == len(options) else None


def _point(response: str) -> int | None:
    return int(response) if response.isascii() and response.isdigit() and len(response) < 4 else None


# --- writing: called in the transaction of the statements ---------------------------------------------


def record(conn: Connection, silo_id: int, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert the answer rows of statements just stored; return how many there were.

    `rows`: rows of the table `statement` (id, timestamp, verb, actor, voided and raw are read).
    Safe to call again: what is there stays.
    """
    made: list[dict[str, Any]] = []
    for row in rows:
        if row["verb"] != ANSWERED or row["voided"] or EXTENSION not in row["raw"]:
            continue
        said = orjson.loads(row["raw"])
        # Its forms alone count people once and by blocks: a key would answer for four beside a fifth.
        if said.get("authority") != TOOL:
            continue
        found = from_statement(said)
        if found is None:
            continue
        key = course_id(silo_id, found.course_iri)
        made.append(_row(silo_id, key, row, found))
    aliases = resolve(conn, silo_id, {item["spoken_by"] for item in made})
    for item in made:
        item["respondent"] = aliases.get(item["spoken_by"], item["spoken_by"])
    # The rows of a lot of anonymous answers go in by identifier: an order that says nothing.
    made.sort(key=lambda item: item["statement_id"])
    for start in range(0, len(made), CHUNK):
        adding = insert(conn, answer).on_conflict_do_nothing().returning(answer.c.statement_id)
        conn.execute(adding, made[start : start + CHUNK])
    return len(made)


def _row(silo_id: int, key: int, row: Mapping[str, Any], found: Answer) -> dict[str, Any]:
    return {
        "silo_id": silo_id,
        "course_id": key,
        "statement_id": row["id"],
        "survey_id": found.survey_id,
        "question": found.question,
        "module": found.module,
        "phase": found.phase,
        "spoken_by": row["actor"],
        "respondent": row["actor"],
        "attempt": found.attempt,
        "at": row["timestamp"],
        "value": found.value,
        "text": found.text,
    }


def forget(conn: Connection, silo_id: int, statement_ids: Sequence[str]) -> int:
    """Delete the answer rows of voided statements; return how many.

    A comment published from one leaves; figures already published stay until the next step.
    """
    publication.forget(conn, silo_id, statement_ids)
    gone = 0
    for start in range(0, len(statement_ids), CHUNK):
        chunk = statement_ids[start : start + CHUNK]
        gone += conn.execute(
            delete(answer).where(answer.c.silo_id == silo_id, answer.c.statement_id.in_(chunk))
        ).rowcount
    return gone


def rename_actor(conn: Connection, silo_id: int, alias: str, actor: str) -> int:
    """Count the answers of `alias` for `actor`; return how many rows changed hands."""
    return conn.execute(
        update(answer)
        .where(answer.c.silo_id == silo_id, answer.c.spoken_by == alias)
        .values(respondent=actor)
    ).rowcount


def rebuild(conn: Connection, silo_id: int) -> int:
    """Empty the answer rows of a silo and draw them again from its statements; return how many.

    What was published (steps, figures) stays: it was seen. Its comments find their texts again.
    """
    # Those of imported files come from no statement: they stay.
    conn.execute(
        delete(answer).where(answer.c.silo_id == silo_id, answer.c.spoken_by.not_like(f"{FROM_FILES}%"))
    )
    drawn = 0
    query = (
        select(*(statement.c[name] for name in ("id", "timestamp", "verb", "actor", "voided", "raw")))
        .where(statement.c.silo_id == silo_id, statement.c.verb == ANSWERED, statement.c.voided.is_(False))
        .order_by(statement.c.id)
        .execution_options(yield_per=2000)
    )
    for batch in conn.execute(query).mappings().partitions():
        drawn += record(conn, silo_id, [dict(row) for row in batch])
    return drawn
