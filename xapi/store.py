"""The statement store: rows in, rows looked up, voiding, and how far the store is consistent.

**Stored and commit order.** Writers commit out of order, so that "everything up to now" may miss rows that
are about to appear with an earlier `stored`. A writer therefore announces itself before it reads its
clock, and readers go no further than the oldest announced instant:

- PostgreSQL: an advisory lock, shared, whose key holds the silo and the instant in milliseconds; readers
  find the oldest in `pg_locks`. The lock is released after the rows become visible, never before, and a
  writer that announces itself after a reader looked reads its clock later still. (Hosts are kept on time
  by NTP; their difference is the only doubt left.)
- SQLite: writers are one at a time and each stores later than the one before, so that the latest
  committed `stored` is always a true bound; beyond it, an instant is vouched for once no transaction can
  be that long.

Statements that refer to others (StatementRef, voiding) take the gate of their silo alone, so that a target
and its reference that arrive at the same time always see each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    table,
    union_all,
    update,
)

from tool_config.database import among, array, insert, insert_rows, transaction
from xapi import statement as statements
from xapi.tables import (
    actor,
    actor_alias,
    course,
    statement,
    statement_activity,
    statement_agent,
    statement_reference,
)
from xapi.tombstone_tables import tombstone_secret

#: Rows or ids in one statement of SQL.
CHUNK = 500
#: Longest write transaction reckoned with on SQLite.
LONGEST_WRITE = timedelta(seconds=15)
#: Statements that a chain of references is followed through, at most.
LONGEST_CHAIN = 20
#: A name seen again is not written again before this.
NAME_REFRESH = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INSTANT_BITS = 43


# --- announcing and consistency -------------------------------------------------------------------------


def milliseconds(moment: datetime) -> datetime:
    """Return an instant cut to the millisecond, the precision of `stored`."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def begin(conn: Connection, silo_id: int, clock: Callable[[], datetime], *, alone: bool) -> datetime:
    """Announce a write and return the instant at which it is stored.

    `alone`: the statements refer to others; waits for the silo's writers under way, and holds back those
    to come until the transaction ends. Taken once a transaction, before anything is read or written.
    """
    announce(conn, silo_id, clock(), alone=alone)
    return stored_at(conn, silo_id, clock())


def announce(conn: Connection, silo_id: int, now: datetime, *, alone: bool) -> None:
    """Make known that rows stored at `now` or later are about to be committed."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(announcement(silo_id, now, alone=alone))


def announcement(silo_id: int, now: datetime, *, alone: bool) -> str:
    """Return the SQL by which a writer announces itself to PostgreSQL; with it a transaction may open.

    The gate first: its waiting is announced by nobody, and what is announced afterwards is no later.
    """
    shared = "" if alone else "_shared"
    gate, own = _lock_key(silo_id, _EPOCH), _lock_key(silo_id, now)
    return f"SELECT pg_advisory_xact_lock{shared}({gate:d}), pg_advisory_xact_lock_shared({own:d})"


@contextmanager
def announced(
    engine: Engine, silo_id: int, clock: Callable[[], datetime], *, setting: str = ""
) -> Iterator[Connection]:
    """Yield a transaction that announced itself as it began, for statements that refer to no other.

    They are stored at an instant that the clock gives once it has begun. ``setting``: SQL that PostgreSQL
    is given in the same breath (``SET LOCAL …``).
    """
    locks = announcement(silo_id, clock(), alone=False)
    with transaction(engine, silo_id, opening=f"{setting}; {locks}" if setting else locks) as conn:
        yield conn


def stored_at(conn: Connection, silo_id: int, now: datetime) -> datetime:
    """Return `now` in milliseconds; on SQLite always after the latest row of the silo."""
    moment = milliseconds(now)
    if conn.dialect.name == "postgresql":
        return moment
    latest = conn.execute(_latest(silo_id)).scalar()
    return max(moment, latest + _MILLISECOND) if latest else moment


def consistent_through(conn: Connection, silo_id: int, now: datetime) -> datetime:
    """Return the instant before which every statement of the silo is visible, now and for ever.

    To be asked before what it vouches for is read. `now` is read before the call.
    """
    if conn.dialect.name == "postgresql":
        oldest = conn.execute(_OLDEST, {"silo": silo_id << _INSTANT_BITS}).scalar()
        moment = milliseconds(now)
        return moment if oldest is None else min(moment, _EPOCH + int(oldest) * _MILLISECOND)
    latest = conn.execute(_latest(silo_id)).scalar()
    vouched = milliseconds(now - LONGEST_WRITE)
    return max(latest + _MILLISECOND, vouched) if latest else vouched


def lately_consistent(conn: Connection, silo_id: int, now: datetime) -> datetime:
    """Return what `consistent_through` said within a second: true still, and said again for nothing.

    For writers, who vouch for nothing that they read.
    """
    said = _said.setdefault(conn.engine, {})
    known = said.get(silo_id)
    if known is None or not timedelta() <= now - known[0] < _LATELY:
        known = said[silo_id] = (now, consistent_through(conn, silo_id, now))
    return known[1]


_LATELY = timedelta(seconds=1)
#: Engine -> silo -> when it was asked, and what was said.
_said: WeakKeyDictionary[Engine, dict[int, tuple[datetime, datetime]]] = WeakKeyDictionary()


def _latest(silo_id: int) -> Any:
    return select(func.max(statement.c.stored)).where(statement.c.silo_id == silo_id)


def _lock_key(silo_id: int, moment: datetime) -> int:
    """Return silo and milliseconds in one 64-bit key; the instant 0 is the gate of the silo."""
    return (silo_id << _INSTANT_BITS) | (moment - _EPOCH) // _MILLISECOND


def _oldest_announced() -> Any:
    """Return SELECT the oldest announced instant; the parameter `silo` is the number of its gate."""
    names = ("locktype", "database", "classid", "objid", "objsubid", "granted")
    locks = table("pg_locks", *(column(name) for name in names))
    databases = table("pg_database", column("oid"), column("datname"))
    key = cast(locks.c.classid, BigInteger) * literal(1 << 32, BigInteger) + cast(locks.c.objid, BigInteger)
    base = bindparam("silo", type_=BigInteger)
    here = select(databases.c.oid).where(databases.c.datname == func.current_database()).scalar_subquery()
    return select(func.min(key - base)).where(
        locks.c.locktype == "advisory",
        locks.c.database == here,
        locks.c.objsubid == 1,
        locks.c.granted,
        key > base,
        key < base + literal(1 << _INSTANT_BITS, BigInteger),
    )


_OLDEST = _oldest_announced()


# --- writing -----------------------------------------------------------------------------------------------


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert rows of `statement`, sorted by id, and return the ids that were not there yet."""
    return set(insert_rows(conn, statement, rows, conflicts=True, returning="id"))


def add_links(
    conn: Connection, agents: Sequence[Mapping[str, Any]], activities: Sequence[Mapping[str, Any]]
) -> None:
    """Insert link rows of statements just added."""
    insert_rows(conn, statement_agent, agents)
    insert_rows(conn, statement_activity, activities)


def kept(conn: Connection, silo_id: int, ids: Iterable[str]) -> dict[str, str]:
    """Return the stored JSON of the statements that are there, by id."""
    found: dict[str, str] = {}
    for chunk in _chunks(list(ids)):
        wanted = select(statement.c.id, statement.c.raw).where(
            statement.c.silo_id == silo_id, statement.c.id.in_(chunk)
        )
        found.update((row.id, row.raw) for row in conn.execute(wanted))
    return found


def void(conn: Connection, silo_id: int, new_ids: Iterable[str], targets: Iterable[str]) -> set[str]:
    """Mark as voided what is to be, and return its ids.

    `targets` are named by voiding statements just added; `new_ids` may be named by ones that came before
    them. A voiding statement is never voided (Data 2.3.2).
    """
    named = set(targets)
    for chunk in _chunks(list(new_ids)):
        voiding = select(statement.c.refers_to).where(
            statement.c.silo_id == silo_id,
            statement.c.refers_to.in_(chunk),
            statement.c.verb == statements.VOIDED,
        )
        named.update(conn.execute(voiding).scalars())
    done: set[str] = set()
    for chunk in _chunks(sorted(named)):
        marking = (
            update(statement)
            .where(
                statement.c.silo_id == silo_id,
                statement.c.id.in_(chunk),
                statement.c.verb != statements.VOIDED,
                statement.c.voided.is_(False),
            )
            .values(voided=True)
            .returning(statement.c.id)
        )
        done.update(conn.execute(marking).scalars())
    return done


def refer(conn: Connection, silo_id: int, statement_id: str, target_id: str, stored: datetime) -> None:
    """Keep that a statement refers to another, through which it refers to what that one refers to."""
    known = statement_reference.c
    onwards = (
        select(known.target_id)
        .where(known.silo_id == silo_id, known.statement_id == target_id)
        .limit(LONGEST_CHAIN)
    )
    targets = [target_id, *conn.execute(onwards).scalars()]
    before = select(known.statement_id, known.stored).where(
        known.silo_id == silo_id, known.target_id == statement_id
    )
    sources = [(statement_id, stored), *((row.statement_id, row.stored) for row in conn.execute(before))]
    rows = [
        {"silo_id": silo_id, "statement_id": source, "target_id": target, "stored": moment}
        for source, moment in sorted(sources)
        for target in sorted(targets)
    ]
    for chunk in _chunks(rows):
        conn.execute(insert(conn, statement_reference).on_conflict_do_nothing(), chunk)


_NAMED = select(actor.c.actor, actor.c.name, actor.c.name_at).where(
    actor.c.silo_id == bindparam("silo"), actor.c.actor.in_(bindparam("keys", expanding=True))
)


@dataclass(frozen=True)
class Known:
    """What is there of whom and what statements name."""

    #: Actor key -> name, instant of the statement that gave it.
    names: Mapping[str, tuple[str | None, datetime | None]]
    #: Alias -> whom it is counted for.
    aliases: Mapping[str, str]
    courses: frozenset[int]
    #: Actor keys that were looked for among the aliases.
    asked: frozenset[str]
    #: A statement is there under one of the ids, or voids one of them.
    taken: bool = False
    #: Secret of the silo's tombstones; "" where nobody was erased (`xapi.tombstones`).
    secret: str = ""


def known(
    conn: Connection,
    silo_id: int,
    people: Iterable[str],
    speakers: Iterable[str],
    courses: Iterable[int],
    ids: Iterable[str] = (),
) -> Known:
    """Look up actors, aliases, courses and ids (written as the store keeps them) in one query.

    For few statements. The silo's gate is to be held, so that what voids one of the ids is there or waits.
    """
    names: dict[str, tuple[str | None, datetime | None]] = {}
    aliases: dict[str, str] = {}
    keys: set[int] = set()
    asked = frozenset(speakers)
    is_server = conn.dialect.name == "postgresql"
    wanted: dict[str, Iterable[Any]] = {"people": people, "speakers": asked, "courses": courses, "ids": ids}
    given = {name: array(sorted(some)) if is_server else sorted(some) for name, some in wanted.items()}
    found = conn.execute(_known(is_server), {"silo": silo_id, **given}).all()
    for what, key, text, at in found:
        if what == "actor":
            names[key] = text, at
        elif what == "alias":
            aliases[key] = text
        elif what == "course":
            keys.add(int(key))
    taken = any(row[0] == "id" for row in found)
    secret = next((row[1] for row in found if row[0] == "secret"), "")
    return Known(names, aliases, frozenset(keys), asked, taken, secret)


@cache
def _known(is_server: bool) -> Any:
    """Return SELECT what, key, text, instant of all that is asked for; made once."""

    def looked(table: Table, what: str, key: Any, wanted: str, *rest: Any) -> Any:
        here = table.c.silo_id == bindparam("silo", type_=Integer)
        row = rest or (null(), null())
        return select(literal_column(f"'{what}'"), cast(key, Text), *row).where(
            here, among(key, wanted, is_server)
        )

    row = statement.c
    return union_all(
        looked(actor, "actor", actor.c.actor, "people", actor.c.name, actor.c.name_at),
        looked(actor_alias, "alias", actor_alias.c.alias, "speakers", actor_alias.c.actor, null()),
        looked(course, "course", course.c.course_id, "courses"),
        looked(statement, "id", row.id, "ids"),
        looked(statement, "id", row.refers_to, "ids").where(row.verb == literal(statements.VOIDED)),
        select(literal_column("'secret'"), tombstone_secret.c.secret, null(), null()).where(
            tombstone_secret.c.silo_id == bindparam("silo", type_=Integer)
        ),
    )


def know(conn: Connection, silo_id: int, people: Mapping[str, tuple[Mapping[str, Any], datetime]]) -> None:
    """Keep who agents are: identifier, and the name that the latest statement gave.

    `people`: actor key -> (agent, timestamp of the statement).
    """
    fresh: list[dict[str, Any]] = []
    for chunk in _chunks(sorted(people)):
        found = conn.execute(_NAMED, {"silo": silo_id, "keys": chunk})
        there = {row.actor: (row.name, row.name_at) for row in found}
        fresh += named_rows(silo_id, {key: people[key] for key in chunk}, there)
    # Returning something, the rows go many a statement.
    adding = naming(insert(conn, actor)).returning(actor.c.actor)
    for chunk in _chunks(fresh):
        conn.execute(adding, chunk)


def named_rows(
    silo_id: int,
    people: Mapping[str, tuple[Mapping[str, Any], datetime]],
    there: Mapping[str, tuple[str | None, datetime | None]],
) -> list[dict[str, Any]]:
    """Return the rows of `actor` that say more than is there (key -> name, its instant), sorted by key."""
    fresh: list[dict[str, Any]] = []
    for key in sorted(people):
        agent, moment = people[key]
        name = agent.get("name")
        if key in there:
            said, at = there[key]
            if (
                name is None
                or (said == name and at and moment < at + NAME_REFRESH)
                or (at is not None and moment < at)
            ):
                continue
        identified = orjson.dumps(statements.identifier(agent), option=orjson.OPT_SORT_KEYS).decode()
        fresh.append(
            {
                "silo_id": silo_id,
                "actor": key,
                "identifier": identified,
                "name": name,
                "name_at": None if name is None else moment,
            }
        )
    return fresh


def naming(adding: Any) -> Any:
    """Let the latest name of an actor win, in an INSERT of rows of `actor`."""
    new = adding.excluded
    return adding.on_conflict_do_update(
        index_elements=[actor.c.silo_id, actor.c.actor],
        set_={"name": new.name, "name_at": new.name_at},
        where=and_(new.name.is_not(None), or_(actor.c.name_at.is_(None), actor.c.name_at <= new.name_at)),
    )


def _chunks(items: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), CHUNK):
        yield list(items[start : start + CHUNK])
