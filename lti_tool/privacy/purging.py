"""What has been kept long enough leaves, in short transactions: the job of every night, and the command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from analyzers import frames
from lti_tool.jobs import JobRun
from lti_tool.people_tables import course_number
from lti_tool.privacy import retention, traces
from lti_tool.privacy_tables import pause
from lti_tool.service_tables import course_group, mark_sent
from lti_tool.tables import launch, person
from tool_config.database import insert, owning, transaction
from xapi import answers, attachments, debriefs, events, rollup, statement
from xapi import tables as x
from xapi.answers import ANSWERED, FROM_FILES
from xapi.dataset_tables import dataset_row
from xapi.document_tables import document
from xapi.sealed_tables import sealed_course
from xapi.survey_tables import answer

NIGHTLY = "retention"
#: Statements, answers or people of one transaction.
_CHUNK = 500
#: Tables that say, person by person, what was drawn from traces or who is in a session.
_DRAWN = (
    x.rollup_actor_day, x.rollup_activity_day, x.rollup_activity, x.rollup_module, x.rollup_actor,
    x.rollup_pending, x.membership, course_number, course_group, mark_sent, pause,
)  # fmt: skip


def nightly(job: JobRun) -> Mapping[str, int]:
    """Purge a silo: the job of each night."""
    return purge(job.engine, job.silo_id, clock=job.clock)


def purge(engine: Engine, silo_id: int, *, clock: Callable[[], datetime]) -> Mapping[str, int]:
    """Take away all that has been kept long enough; return how many things went, by kind."""
    now, gone = clock(), Counter[str]()
    with transaction(engine, silo_id, write=False) as conn:
        ended = retention.over(conn, silo_id, now=now)
        days = retention.days_of(conn, silo_id)
    for course_id, _, _ in ended:
        gone += _purge_course(engine, silo_id, course_id, now)
    for kind, (table, where) in retention.conditions(silo_id, days, now).items():
        if table is answer:
            gone[kind] += _purge_answers(engine, silo_id, where)
        else:
            with transaction(engine, silo_id) as conn, owning(conn):
                gone[kind] += conn.execute(delete(table).where(where)).rowcount
    return {kind: number for kind, number in gone.items() if number}


# --- a session --------------------------------------------------------------------------------------------


def _purge_course(engine: Engine, silo_id: int, course_id: int, now: datetime) -> Counter[str]:
    """Seal a session, then take its traces away, and the people of whom nothing else is known."""
    gone: Counter[str] = Counter()
    with transaction(engine, silo_id) as conn:
        rollup.hold(conn, silo_id, [course_id], now=now)
        people = _seal(conn, silo_id, course_id, now)
    files: set[str] = set()
    while True:
        with transaction(engine, silo_id) as conn:
            ids = _of_course(conn, silo_id, course_id)
            if not ids:
                break
            people |= _speakers(conn, silo_id, ids)
            files |= _files(conn, silo_id, ids)
            traces.forget(conn, silo_id, ids)
            conn.execute(delete(x.rollup_pending).where(*_here(x.rollup_pending, silo_id, course_id)))
            gone["traces"] += len(ids)
    with transaction(engine, silo_id) as conn:
        traces.forget_files(conn, silo_id, files)
    some = sorted(people)
    for start in range(0, len(some), _CHUNK):
        with transaction(engine, silo_id) as conn:
            gone["people"] += _forget_unknown(conn, silo_id, some[start : start + _CHUNK])
    return gone


def _here(table: Any, silo_id: int, course_id: int) -> tuple[Any, Any]:
    return table.c.silo_id == silo_id, table.c.course_id == course_id


def _seal(conn: Connection, silo_id: int, course_id: int, now: datetime) -> set[str]:
    """Write what was counted of a session, once; take away what is drawn of its people, whom this returns."""
    if not rollup.is_sealed(conn, silo_id, course_id):
        found = frames.silo(conn, silo_id, as_of=now)
        counted = next((row for row in found.sessions if row["course_id"] == course_id), None)
        last = select(func.max(x.rollup_actor.c.last_at)).where(*_here(x.rollup_actor, silo_id, course_id))
        row = {
            "silo_id": silo_id, "course_id": course_id, "sealed_at": now, "last_at": conn.scalar(last),
            "enrolled": counted["enrolled"] if counted else 0,
            "finished": counted["finished"] if counted else 0,
        }  # fmt: skip
        conn.execute(insert(conn, sealed_course).values(row))
    people: set[str] = set()
    for table in (x.membership, x.rollup_actor):
        people.update(conn.scalars(select(table.c.actor).where(*_here(table, silo_id, course_id))))
    for table in _DRAWN:
        conn.execute(delete(table).where(*_here(table, silo_id, course_id)))
    return people


def _of_course(conn: Connection, silo_id: int, course_id: int) -> list[str]:
    """Return the next statements of a session: those of its events, then those that only name it.

    Answers have their own duration; what a group said in a debrief names nobody.
    """
    e = x.event.c
    ids = conn.scalars(select(e.statement_id).where(*_here(x.event, silo_id, course_id)).limit(_CHUNK)).all()
    if ids:
        return _with_voiding(conn, silo_id, [str(one) for one in ids])
    iri = conn.scalar(select(x.course.c.iri).where(*_here(x.course, silo_id, course_id)))
    link = x.statement_activity.c
    last = ""
    while True:
        query = (
            select(link.statement_id)
            .where(
                link.silo_id == silo_id, link.activity == iri, link.verb != ANSWERED,
                link.place.in_(("object", "parent", "grouping")),
            )
            .distinct().order_by(link.statement_id).limit(_CHUNK)
        )  # fmt: skip
        some = [str(one) for one in conn.scalars(query.where(link.statement_id > last) if last else query)]
        if not some:
            return []
        own = _only_here(conn, silo_id, course_id, some)
        if own:
            return _with_voiding(conn, silo_id, own)
        last = some[-1]


def _only_here(conn: Connection, silo_id: int, course_id: int, ids: Sequence[str]) -> list[str]:
    """Return those of some statements that count for no other course, and are no debrief."""
    s = x.statement.c
    rows = [
        dict(row)
        for row in conn.execute(
            select(s.id, s.stored, s.timestamp, s.actor, s.raw).where(s.silo_id == silo_id, s.id.in_(ids))
        ).mappings()
    ]
    said = {row["id"]: orjson.loads(row["raw"]) for row in rows}
    drawn, _ = events.drawn_rows(silo_id, rows, said)
    elsewhere = {row["statement_id"] for row in drawn if row["course_id"] != course_id}
    return [
        str(key) for key, one in said.items() if str(key) not in elsewhere and not debriefs.is_debrief(one)
    ]


def _with_voiding(conn: Connection, silo_id: int, ids: list[str]) -> list[str]:
    """Return statements with those that void them."""
    s = x.statement.c
    query = select(s.id).where(s.silo_id == silo_id, s.refers_to.in_(ids), s.verb == statement.VOIDED)
    return sorted({*ids, *(str(one) for one in conn.scalars(query))})


def _speakers(conn: Connection, silo_id: int, ids: Sequence[str]) -> set[str]:
    link = x.statement_agent.c
    return set(
        conn.scalars(select(link.agent).where(link.silo_id == silo_id, link.statement_id.in_(ids)).distinct())
    )


def _files(conn: Connection, silo_id: int, ids: Sequence[str]) -> set[str]:
    s = x.statement.c
    query = select(s.raw).where(s.silo_id == silo_id, s.id.in_(ids), s.raw.contains('"attachments"'))
    return {
        item["sha2"].lower() for raw in conn.scalars(query) for item, _ in attachments.of(orjson.loads(raw))
    }


def _forget_unknown(conn: Connection, silo_id: int, people: Collection[str]) -> int:
    """Take away those of some people who are in no session and in no statement any more."""
    known: set[str] = set()
    a = x.actor_alias.c
    aliases = conn.execute(
        select(a.alias, a.actor).where(a.silo_id == silo_id, or_(a.alias.in_(people), a.actor.in_(people)))
    )
    named = {row.alias: row.actor for row in aliases}
    every = {*people, *named, *named.values()}
    for table, column in (
        (x.membership, "actor"), (x.rollup_actor, "actor"), (x.statement_agent, "agent"),
        (launch, "actor"), (answer, "respondent"),
    ):  # fmt: skip
        where = table.c.silo_id == silo_id, table.c[column].in_(sorted(every))
        known.update(conn.scalars(select(table.c[column]).where(*where).distinct()))
    # Whoever is known under one name is known under all of theirs.
    known |= {named[one] for one in known if one in named}
    left = [one for one in every if one not in known and named.get(one, one) not in known]
    for table, column in (
        (person, "actor"),
        (x.actor, "actor"),
        (x.actor_alias, "alias"),
        (document, "agent"),
    ):
        conn.execute(delete(table).where(table.c.silo_id == silo_id, table.c[column].in_(left)))
    return len(left)


# --- answers ----------------------------------------------------------------------------------------------


def _purge_answers(engine: Engine, silo_id: int, where: Any) -> int:
    """Take answers away one by one, and the comments published of them; published figures stay.

    Those of files are drawn again from their rows: they stay, and no longer say whose they are.
    """
    gone = 0
    of_file = answer.c.spoken_by.startswith(FROM_FILES)
    while True:
        with transaction(engine, silo_id) as conn:
            query = select(answer.c.statement_id).where(where, ~of_file).limit(_CHUNK)
            ids = [str(one) for one in conn.scalars(query)]
            if not ids:
                break
            answers.forget(conn, silo_id, ids)
            traces.forget(conn, silo_id, ids)
            gone += len(ids)
    with transaction(engine, silo_id) as conn:
        named = answer.c.respondent != answer.c.spoken_by
        surveys = select(answer.c.course_id).where(where, of_file, named).distinct()
        d = dataset_row.c
        for course_id in conn.scalars(surveys).all():
            mine = d.silo_id == silo_id, d.kind == "survey_answers", d.course_id == course_id
            conn.execute(update(dataset_row).where(*mine, d.person_key.is_not(None)).values(person_key=None))
        unnamed = update(answer).where(where, of_file, named).values(respondent=answer.c.spoken_by)
        gone += conn.execute(unnamed).rowcount
    return gone
