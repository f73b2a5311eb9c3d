"""What keys write: how much of the latest is of a course and understood, what was repaired or kept apart.

The store is never walked through: the latest statements are looked at, through the index of `stored`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from tool_config import vocabulary
from tool_config.vocabulary import Vocabulary
from xapi.document_tables import key_repair, quarantine
from xapi.reading import VOIDED
from xapi.tables import event, statement

#: Statements looked at, the latest of the silo.
RECENT = 10_000


@dataclass
class Written:
    """What one key wrote among the latest statements of a silo; the tool's own key is ""."""

    statements: int = 0
    last_at: datetime | None = None
    #: Those that name no course.
    courseless: int = 0
    #: Verb that the vocabulary does not know -> statements.
    unknown: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    #: Rule -> statements, since the key is there.
    repaired: dict[str, int] = field(default_factory=dict)


def by_key(conn: Connection, silo_id: int) -> Mapping[str, Written]:
    """Return what each key wrote among the latest `RECENT` statements, and what was mended of it."""
    found: dict[str, Written] = defaultdict(Written)
    s, e, words = statement.c, event.c, vocabulary.load()
    latest = (
        select(s.id, s.key_id, s.verb, s.stored)
        .where(s.silo_id == silo_id)
        .order_by(s.stored.desc(), s.id.desc())
        .limit(RECENT)
        .subquery("latest")
    )
    astray = and_(e.silo_id == silo_id, e.course_id == -silo_id, e.statement_id == latest.c.id)
    query = (
        select(
            latest.c.key_id, latest.c.verb, func.count(), func.max(latest.c.stored),
            func.count(e.statement_id),
        )
        .select_from(latest.outerjoin(event, astray))
        .group_by(latest.c.key_id, latest.c.verb)
        .order_by(latest.c.key_id, latest.c.verb)
    )  # fmt: skip
    for key_id, verb, count, last_at, courseless in conn.execute(query):
        one = found[key_id]
        one.statements += count
        one.last_at = last_at if one.last_at is None else max(one.last_at, last_at)
        one.courseless += courseless
        if not understood(words, verb):
            one.unknown[verb] = count
    _mended(conn, silo_id, found)
    return found


def _mended(conn: Connection, silo_id: int, found: dict[str, Written]) -> None:
    q, r = quarantine.c, key_repair.c
    kept = select(q.key_id, func.count()).where(q.silo_id == silo_id).group_by(q.key_id)
    for key_id, count in conn.execute(kept):
        found[key_id].quarantined = count
    rules = select(r.key_id, r.rule, r.statements).where(r.silo_id == silo_id)
    for key_id, rule, count in conn.execute(rules):
        found[key_id].repaired[rule] = count


def understood(words: Vocabulary, verb: str) -> bool:
    """Tell whether the vocabulary has a kind for a verb, whatever the object."""
    if verb == VOIDED or verb in words.verbs or any(verb == known for known, _ in words.exceptions):
        return True
    return re.split(r"[/#:]", verb.rstrip("/#"))[-1].lower() in words.words
