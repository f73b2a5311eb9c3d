"""Somebody erased from a silo, in one transaction: what is theirs goes, what is others' stays without them.

What is done of each table is told by `lti_tool.privacy.holdings`; this module has the steps that a condition
of SQL cannot do. The silo's gate is taken alone: no statement is written meanwhile, and what comes afterwards
finds the tombstones. Courses are held before anything is deleted, in one order: no deadlock with the worker.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, false, func, or_, select, update

from lti_tool import community
from lti_tool.export_tables import export, export_file
from lti_tool.import_tables import import_chunk, import_file
from lti_tool.imports import files
from lti_tool.improvement_tables import improvement, improvement_change
from lti_tool.privacy import holdings, scanning, traces, whose
from lti_tool.privacy.holdings import Holding
from lti_tool.privacy.whose import Person
from lti_tool.surveys import box
from lti_tool.tables import audit, survey_box
from tool_config.database import owning
from xapi import answers, rollup, store, tombstones
from xapi import statement as statements
from xapi.cutting import ERASED
from xapi.forward_tables import forward
from xapi.survey_tables import answer
from xapi.tables import event, membership, statement_agent

#: Fault of a waiting file that named somebody erased.
FILE_FAULT = "erased"
_CHUNK = 500
#: Places of a statement that make it somebody's own (`xapi.cutting`).
_OWN_PLACES = ("actor", "object", "sub")


@dataclass(frozen=True)
class Preview:
    """What an erasure would do: numbers of things by kind."""

    person: Person
    #: What goes.
    goes: Mapping[str, int]
    #: What stays without the person: (kind, number, why).
    stays: tuple[tuple[str, int, str], ...]
    #: Traces of others in which the person is only named.
    mentions: int
    #: Names of the other stores to which copies were sent.
    copies: tuple[str, ...]


def preview(conn: Connection, silo_id: int, actor: str, *, secret_key: str, home: str) -> Preview:
    """Count what an erasure would take, writing nothing."""
    person = whose.find(conn, silo_id, actor, secret_key=secret_key, home=home)
    goes: Counter[str] = Counter()
    stays: dict[tuple[str, str], int] = {}
    for holding in holdings.HOLDINGS:
        if not holding.counted:
            continue
        number = _number(conn, person, holding)
        if holding.fate == "deleted":
            goes[holding.what] += number
        elif number:
            key = holding.what, holding.why
            stays[key] = stays.get(key, 0) + number
    own = _own_statements(conn, person)
    every = goes["traces"]
    goes["traces"] = own
    names = conn.scalars(select(forward.c.name).where(forward.c.silo_id == silo_id)).all()
    return Preview(
        person,
        {what: number for what, number in goes.items() if number},
        tuple((what, number, why) for (what, why), number in stays.items()),
        max(every - own, 0),
        tuple(sorted(names)),
    )


def _number(conn: Connection, person: Person, holding: Holding) -> int:
    if holding.holds is not None:
        return sum(1 for _ in holdings.rows(conn, person, holding))
    table = holding.table
    query = select(func.count()).select_from(table)
    return int(conn.scalar(query.where(table.c.silo_id == person.silo_id, holding.where(person))) or 0)


def _own_statements(conn: Connection, person: Person) -> int:
    link = statement_agent.c
    query = select(func.count(link.statement_id.distinct())).where(
        link.silo_id == person.silo_id,
        link.agent.in_(sorted(person.keys)),
        link.place.in_(_OWN_PLACES),
    )
    return int(conn.scalar(query) or 0)


# --- erasing ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Erasure:
    """One person being erased."""

    conn: Connection
    person: Person
    #: Written where what stays named them: drawn at random, so that it leads to nobody.
    mark: str
    box_key: bytes
    now: datetime
    counts: Counter[str]


def announce(conn: Connection, silo_id: int, now: datetime) -> None:
    """Take the silo's gate alone, first of all in the transaction: writers wait until it ends."""
    store.announce(conn, silo_id, now, alone=True)


def erase(
    conn: Connection,
    silo_id: int,
    actor: str,
    *,
    erasure_id: str,
    secret_key: str,
    home: str,
    now: datetime,
) -> Mapping[str, int]:
    """Erase somebody and return how many things went, by kind.

    In a transaction of its own that began by `announce`. The tables drawn from traces are right at its end.
    `forget_memory` is to be called once it is committed.
    """
    person = whose.find(conn, silo_id, actor, secret_key=secret_key, home=home)
    courses = _courses(conn, person)
    rollup.hold(conn, silo_id, courses, now=now)
    done = _Erasure(conn, person, f"erased:{secrets.token_hex(4)}", box.key(secret_key), now, Counter())
    tombstones.raise_for(conn, silo_id, person.keys | person.person_keys, erasure_id=erasure_id, now=now)
    for step in _STEPS.values():
        step(done)
    for holding in holdings.HOLDINGS:
        if not holding.step:
            _plainly(done, holding)
    rollup.redraw(conn, silo_id, courses, now=now)
    return {what: number for what, number in sorted(done.counts.items()) if number}


def forget_memory() -> None:
    """Drop what this process remembers of identifiers; the others drop it as they go, or when they end."""
    statements.forget_keys()


def _courses(conn: Connection, person: Person) -> list[int]:
    """Return the courses whose tables change, sorted."""
    keys, found = sorted(person.keys), set[int]()
    for table in (event, membership):
        query = (
            select(table.c.course_id)
            .distinct()
            .where(table.c.silo_id == person.silo_id, table.c.course_id >= 0)
        )
        if table is event:
            # Those of statements that name the person, whoever speaks: a group may lose its last member.
            link = statement_agent.c
            ids = select(link.statement_id).where(link.silo_id == person.silo_id, link.agent.in_(keys))
            known = rollup.courses_of(person.silo_id)
            query = query.where(
                table.c.course_id.in_(known), or_(table.c.actor.in_(keys), table.c.statement_id.in_(ids))
            )
        else:
            query = query.where(table.c.actor.in_(keys))
        found.update(conn.scalars(query))
    return sorted(found)


def _plainly(done: _Erasure, holding: Holding) -> None:
    """Delete the rows of a holding, or write over what names the person in them."""
    table, person = holding.table, done.person
    here = and_(table.c.silo_id == person.silo_id, holding.where(person))
    if holding.fate == "deleted":
        if holding.holds is not None:
            here = _these(table, list(holdings.rows(done.conn, person, holding)))
        number = done.conn.execute(delete(table).where(table.c.silo_id == person.silo_id, here)).rowcount
        done.counts[holding.what] += number
        return
    for name in holding.columns:
        column = table.c[name]
        named = and_(table.c.silo_id == person.silo_id, column.in_(sorted(person.keys)))
        value = None if column.nullable else done.mark
        done.conn.execute(update(table).where(named).values({name: value}))


def _these(table: Table, rows: list[dict[str, Any]]) -> Any:
    """Return the condition that names some rows by their keys."""
    keys = [column.name for column in table.primary_key.columns]
    return or_(false(), *(and_(*(table.c[name] == row[name] for name in keys)) for row in rows))


# --- steps ------------------------------------------------------------------------------------------------


def _attachments(done: _Erasure) -> None:
    """Delete the contents that no statement names any more."""
    gone = traces.forget_files(done.conn, done.person.silo_id, done.person.attachments)
    done.counts["files"] += gone


def _statements(done: _Erasure) -> None:
    gone, cut = traces.erase(done.conn, done.person, mark=done.mark)
    done.counts["traces"] += gone
    done.counts["mentions"] += cut


def _answers(done: _Erasure) -> None:
    """Delete the answers, with the comments published from them; figures published stay."""
    holding = holdings.of(answer)[0]
    here = answer.c.silo_id == done.person.silo_id, holding.where(done.person)
    ids = [str(one) for one in done.conn.scalars(select(answer.c.statement_id).where(*here))]
    done.counts["answers"] += answers.forget(done.conn, done.person.silo_id, ids)


def _boxes(done: _Erasure) -> None:
    """Write a drawn number in the place of the one that says that the person answered."""
    b = survey_box.c
    held = select(b.course_id, b.survey_id, b.participants).where(
        b.silo_id == done.person.silo_id, b.participants != b""
    )
    for row in done.conn.execute(held).all():
        known = {box.digest(done.box_key, row.survey_id, key) for key in done.person.keys}
        changed = box.without(bytes(row.participants), known, os.urandom)
        if changed != bytes(row.participants):
            mine = (
                b.silo_id == done.person.silo_id,
                b.course_id == row.course_id,
                b.survey_id == row.survey_id,
            )
            done.conn.execute(update(survey_box).where(*mine).values(participants=changed))


def _complaints(done: _Erasure) -> None:
    """Take text and author from the complaints that the person signed, in their history too."""
    i, person = improvement.c, done.person
    query = select(improvement).where(i.silo_id == person.silo_id, i.author.in_(sorted(person.keys)))
    for row in done.conn.execute(query).all():
        said = {row.noticed}
        done.conn.execute(
            update(improvement).where(*_entry(improvement, row)).values(author=None, noticed=ERASED)
        )
        c = improvement_change.c
        changes = select(c.version, c.fields).where(*_entry(improvement_change, row))
        with owning(done.conn):
            for change in done.conn.execute(changes).all():
                fields = _replaced(change.fields, said)
                if fields != change.fields:
                    one = (*_entry(improvement_change, row), c.version == change.version)
                    done.conn.execute(update(improvement_change).where(*one).values(fields=fields))
        done.counts["complaints"] += 1


def _entry(table: Table, row: Any) -> tuple[Any, ...]:
    return (
        table.c.silo_id == row.silo_id,
        table.c.course_id == row.course_id,
        table.c.improvement_id == row.improvement_id,
    )


def _replaced(value: Any, texts: set[str]) -> Any:
    if isinstance(value, str):
        return ERASED if value in texts else value
    if isinstance(value, Mapping):
        return {name: _replaced(item, texts) for name, item in value.items()}
    return [_replaced(item, texts) for item in value] if isinstance(value, list) else value


def _names(done: _Erasure) -> None:
    """Take the person's names out of what others wrote in the improvement log."""
    for table in (improvement, improvement_change):
        for holding in (one for one in holdings.of(table) if one.step == "names"):
            found = list(holdings.rows(done.conn, done.person, holding))
            with owning(done.conn):
                for row in found:
                    keys = {column.name for column in table.primary_key.columns}
                    changed = {
                        name: scanning.without(value, done.person, mark=done.mark)
                        for name, value in row.items()
                        if name not in keys and isinstance(value, str | dict | list)
                    }
                    one = _these(table, [row])
                    done.conn.execute(
                        update(table).where(table.c.silo_id == done.person.silo_id, one).values(changed)
                    )


def _exports(done: _Erasure) -> None:
    for table in (export_file, export):
        gone = done.conn.execute(delete(table).where(table.c.silo_id == done.person.silo_id))
        done.counts["exports"] += gone.rowcount if table is export else 0


def _waiting_files(done: _Erasure) -> None:
    """Take back files that wait for their import and name the person: they are to be given again."""
    f, c, silo_id = import_file.c, import_chunk.c, done.person.silo_id
    ids = done.conn.scalars(select(c.file_id).where(c.silo_id == silo_id).distinct()).all()
    for file_id in ids:
        parts = select(c.content).where(c.silo_id == silo_id, c.file_id == file_id).order_by(c.rank)
        content = b"".join(bytes(part) for part in done.conn.scalars(parts))
        if not scanning.file_says(content, done.person):
            continue
        done.conn.execute(delete(import_chunk).where(c.silo_id == silo_id, c.file_id == file_id))
        notes = {"fault": FILE_FAULT, "params": {}}
        files.end(done.conn, silo_id, file_id, files.REFUSED, now=done.now, notes=notes)
        done.counts["refused"] += 1
    named = done.conn.execute(select(f.file_id, f.name).where(f.silo_id == silo_id)).all()
    for file_id, name in named:
        if scanning.says(name, done.person):
            plain = scanning.without(name, done.person, mark=done.mark)
            files.change(done.conn, silo_id, file_id, name=plain)


def _frames(done: _Erasure) -> None:
    community.forget(done.conn, done.person.silo_id, now=done.now)


def _looks(done: _Erasure) -> None:
    """Write a drawn name over the person's in the audit, which the silo itself may only add to."""
    with owning(done.conn):
        for name in ("actor", "subject"):
            mine = audit.c.silo_id == done.person.silo_id, audit.c[name].in_(sorted(done.person.keys))
            done.conn.execute(update(audit).where(*mine).values({name: done.mark}))


#: What a condition of SQL cannot do, in this order: statements give up their links last of all they lead to.
_STEPS: Mapping[str, Callable[[_Erasure], None]] = {
    "answers": _answers,
    "boxes": _boxes,
    "complaints": _complaints,
    "names": _names,
    "exports": _exports,
    "waiting files": _waiting_files,
    "statements": _statements,
    "attachments": _attachments,
    "frames": _frames,
    "append only": _looks,
}
assert {one.step for one in holdings.HOLDINGS if one.step} == set(_STEPS)
