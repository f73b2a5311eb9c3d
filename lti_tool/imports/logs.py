"""Lines of a Moodle log into statements: once each, and only those that no other source has brought.

The file is read twice: what its lines say together (the course, the module of each activity, who runs the
course) is needed before the first becomes anything.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select

from lti_tool.imports.destined import Destined, Outcome
from tool_config import platforms, roles, vocabulary
from tool_config.database import insert, transaction
from tool_config.families import family
from xapi import ingest, reading, tables, tombstones
from xapi.datasets import Written
from xapi.identity import CHUNK, course_id, resolve
from xapi.sources import moodle_log
from xapi.sources.checking import Record
from xapi.sources.moodle_log import Glossary, Line, Site
from xapi.sources.statements import AUTHORITY
from xapi.statement import account_key, instant_of

#: Key under which the statements of logs are kept, by which they are told from those of the plugin.
KEY = "moodle-log"
#: How a membership that a log tells of came to be known.
SOURCE = "log"
#: Family of a site that the tool has no registration of.
_FAMILY = "moodle"
_MINUTE = timedelta(minutes=1)

#: What a statement counts for: course, actor, kind, activity.
Said = tuple[int, str, str, str]


@dataclass
class Log:
    """One log being taken in."""

    glossary: Glossary
    sites: dict[str, Site]
    #: What other sources have said of the same days, not yet answered by a line.
    left: dict[tuple[Any, datetime], int]
    alike: moodle_log.Alike = field(default_factory=lambda: defaultdict(int))
    #: Lines that another source has brought already.
    known: int = 0
    #: Name of an event -> lines that say nothing of a learner.
    silent: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Made:
    """A statement made of a line, and what it counts for."""

    statement: dict[str, Any]
    said: Said | None
    at: datetime


def begin(engine: Engine, destined: Destined, records: Iterator[Record]) -> Log:
    """Read a whole log and what the store has of its days from elsewhere."""
    glossary, sites = Glossary(), dict[str, Site]()
    first: datetime | None = None
    last: datetime | None = None
    with transaction(engine, destined.silo_id, write=False) as conn:
        families = {one.issuer: one.family for one in platforms.of_silo(conn, destined.silo_id)}
    for record in records:
        line = _line(record)
        glossary.learn(line)
        first = line.at if first is None else min(first, line.at)
        last = line.at if last is None else max(last, line.at)
        address = _address(record)
        if address not in sites:
            sites[address] = _site(address, families.get(address, _FAMILY))
    left: dict[tuple[Any, datetime], int] = {}
    if first is not None and last is not None:
        keys = [
            course_id(destined.silo_id, site.course_iri(number))
            for site in sites.values()
            for number in glossary.courses
        ]
        with transaction(engine, destined.silo_id, write=False) as conn:
            left = _elsewhere(conn, destined.silo_id, keys, first, last + _MINUTE)
    return Log(glossary, sites, left)


def _line(record: Record) -> Line:
    said = record.data
    at = datetime.fromisoformat(said["at"])
    return Line(record.line, at, said.get("context", ""), said["event"], said["description"])


def _address(record: Record) -> str:
    return str(record.data["site"]).rstrip("/")


def _site(address: str, name: str) -> Site:
    found = family(name)
    return Site(address, lambda number: found.course_iri(address, str(number)))


def _elsewhere(
    conn: Connection, silo_id: int, courses: Sequence[int], first: datetime, until: datetime
) -> dict[tuple[Any, datetime], int]:
    """Return how many of each thing were said in each minute by other sources than logs."""
    table = tables.event.c
    found: dict[str, tuple[Said, datetime]] = {}
    for key in sorted(set(courses)):
        query = select(table.statement_id, table.actor, table.kind, table.activity, table.at).where(
            table.silo_id == silo_id, table.course_id == key, table.at >= first, table.at < until
        )
        for row in conn.execute(query):
            minute = row.at.replace(second=0, microsecond=0)
            found[str(row.statement_id)] = (key, row.actor, row.kind, row.activity), minute
    for name in _with_key(conn, silo_id, sorted(found)):
        del found[name]
    return dict(Counter(found.values()))


def _with_key(conn: Connection, silo_id: int, ids: Sequence[str]) -> Iterator[str]:
    """Yield those of some statements that logs have brought."""
    table = tables.statement.c
    for start in range(0, len(ids), CHUNK):
        some = table.id.in_(ids[start : start + CHUNK])
        for name in conn.scalars(select(table.id).where(table.silo_id == silo_id, some, table.key_id == KEY)):
            yield str(name)


# --- line after line ---------------------------------------------------------------------------------------


def write(conn: Connection, destined: Destined, records: Sequence[Record]) -> Outcome:
    """Store the statements that some lines become; Outcome counts them."""
    fresh = _fresh(conn, destined, records)
    there = _stored(conn, destined.silo_id, [made["id"] for made in fresh])
    batch = [made for made in fresh if made["id"] not in there]
    erased = 0
    if batch:
        erased = tombstones.theirs(conn, destined.silo_id, batch)
        ingest.ingest(
            conn, destined.silo_id, batch, now=destined.now, key_id=KEY, authority=AUTHORITY
        )  # fmt: skip
    return Outcome(Written(added=len(batch) - erased, same=len(there)), erased=erased)


def again(engine: Engine, destined: Destined, records: Sequence[Record]) -> None:
    """Go over lines that were written before an interruption, so that what follows is told from them."""
    with transaction(engine, destined.silo_id, write=False) as conn:
        _fresh(conn, destined, records)


def _fresh(conn: Connection, destined: Destined, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the statements of some lines that no other source has brought."""
    log: Log = destined.state
    made = list(_made(destined.silo_id, log, records))
    actors = resolve(conn, destined.silo_id, {one.said[1] for one in made if one.said})
    fresh = []
    for one in made:
        if one.said is not None:
            course, actor, kind, activity = one.said
            if moodle_log.claim(log.left, (course, actors.get(actor, actor), kind, activity), one.at):
                log.known += 1
                continue
        fresh.append(one.statement)
    return fresh


def _made(silo_id: int, log: Log, records: Sequence[Record]) -> Iterator[_Made]:
    """Yield what lines become; count those that become nothing."""
    words = vocabulary.load()
    for record in records:
        site = log.sites[_address(record)]
        for line, statement in moodle_log.statements([_line(record)], log.glossary, site, log.alike):
            if statement is None:
                log.silent[line.event] += 1
                continue
            drawn = reading.from_statement(statement, words)
            said = None
            if drawn is not None and drawn.course_iri is not None:
                actor = account_key(site.address, statement["actor"]["account"]["name"])
                said = course_id(silo_id, drawn.course_iri), actor, drawn.kind, drawn.activity
            yield _Made(statement, said, instant_of(statement))


def _stored(conn: Connection, silo_id: int, ids: Sequence[str]) -> frozenset[str]:
    """Return those of some statements that the store has."""
    table = tables.statement.c
    found: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        some = table.id.in_(ids[start : start + CHUNK])
        found.update(map(str, conn.scalars(select(table.id).where(table.silo_id == silo_id, some))))
    return frozenset(found)


# --- at the end --------------------------------------------------------------------------------------------


def finish(engine: Engine, destined: Destined) -> Mapping[str, int]:
    """Make tutors of those who run the course; return the notes of the report."""
    log: Log = destined.state
    with transaction(engine, destined.silo_id) as conn:
        staff = _appoint(conn, destined, log)
    silent = {f"silent {_plainly(name)}": count for name, count in sorted(log.silent.items())}
    return {"known_elsewhere": log.known, "staff": staff, "silent": log.silent.total(), **silent}


def _plainly(name: str) -> str:
    return re.sub(r"\s+", " ", name)[:100]


def _appoint(conn: Connection, destined: Destined, log: Log) -> int:
    """Write as tutors, in the course of the log, those who run it; what is known of them already stays."""
    if log.glossary.course is None:
        return 0
    rows = []
    for site in log.sites.values():
        key = course_id(destined.silo_id, site.course_iri(log.glossary.course))
        known = select(tables.course.c.course_id).where(
            tables.course.c.silo_id == destined.silo_id, tables.course.c.course_id == key
        )
        if conn.scalar(known) is None:
            continue
        names = {number: account_key(site.address, number) for number in sorted(log.glossary.staff)}
        actors = resolve(conn, destined.silo_id, names.values())
        rows += [
            {"silo_id": destined.silo_id, "course_id": key, "actor": actors.get(actor, actor),
             "role": roles.TUTOR, "source": SOURCE, "since": destined.now}
            for actor in sorted(names.values())
        ]  # fmt: skip
    if rows:
        conn.execute(insert(conn, tables.membership).on_conflict_do_nothing(), rows)
    return len(rows)
