"""Engine, transactions and column types: one code for SQLite and PostgreSQL.

On PostgreSQL the login role owns the tables; every transaction of the tool steps down to the role
``estime_silo``, which row-level security confines to the silo named by ``app.silo``. A connection that
names no silo sees no row (fail-closed).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, DisconnectionError

from tool_config import columns
from tool_config.prepared import ask, conclude, forget, tell, watch

#: The one MetaData of the project; tables register on it from tool_config, xapi and lti_tool.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: From an INSERT to what it does when a key is there already; None: it fails.
Conflict = Callable[[Any], Any] | None

#: Seconds after which a connection is asked whether it is alive before it serves again.
_QUIET = 1.0
#: Rows of one statement of SQL: under SQLite's limit of variables.
_ROWS = 500
#: PostgreSQL role without login to which every transaction steps down.
SILO_ROLE = "estime_silo"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC: ``timestamptz`` on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        if dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        return _EPOCH + timedelta(microseconds=value)


def open_engine(url: str) -> Engine:
    """Open the store named by ``url`` (``sqlite:///path`` or ``postgresql://…``); connects lazily."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed)
    raise ValueError(f"unknown kind of database: {parsed.get_backend_name()}")


def _open_postgresql(url: URL) -> Engine:
    """Open a server with the parameters written as PostgreSQL writes them ($1), many rows a statement.

    Otherwise the driver reads each statement again to find its parameters (more work than the rows of a
    batch themselves), and sends the rows of an insertion one by one.
    """
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=10,
        max_overflow=10,
        paramstyle="numeric_dollar",
        connect_args={"cursor_factory": psycopg.RawCursor},
    )
    engine.dialect.use_insertmanyvalues_wo_returning = True
    watch(engine)
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _check_alive)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.server_cursor_factory = psycopg.RawServerCursor
    # Transactions are begun by hand, below, in one exchange with what they begin with.
    connection.autocommit = True


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _check_alive(connection: Any, record: Any, _proxy: Any) -> None:
    """Ask a connection left alone for a while whether it still lives; a dead one is made again."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < _QUIET:
        return
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        raise DisconnectionError from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by hand, below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


@contextmanager
def transaction(
    engine: Engine, silo_id: int, *, write: bool = True, opening: str = ""
) -> Iterator[Connection]:
    """Yield a connection confined to one silo; commits at the end, rolls back on any error.

    ``write=False`` takes a read snapshot only: on SQLite readers never wait for the writer. ``opening``:
    SQL without parameters that PostgreSQL is given in the breath of the beginning.
    """
    confined = f"SET LOCAL ROLE {SILO_ROLE}; SET LOCAL app.silo = {int(silo_id):d}"
    with _begin(engine, f"{confined}; {opening}" if opening else confined, write=write) as conn:
        yield conn


@contextmanager
def locating(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees no silo: only the narrow look-ups of ``silos`` and ``platforms`` work."""
    with _begin(engine, f"SET LOCAL ROLE {SILO_ROLE}", write=False) as conn:
        yield conn


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """Yield a connection for one of the narrow look-ups and nothing else, outside any transaction.

    They are functions that run as their owner, whoever asks: to step down first, and to commit afterwards,
    would be two more exchanges with the server at every request.
    """
    with engine.connect() as conn:
        yield conn


@contextmanager
def administration(engine: Engine) -> Iterator[Connection]:
    """Yield a connection of the tables' owner, above silos: migrations and the command line only."""
    with _begin(engine, "", write=True) as conn:
        yield conn
        # What changed the schema may have made the server forget what it had prepared.
        forget(conn)


@contextmanager
def owning(conn: Connection) -> Iterator[None]:
    """Give a silo's transaction, within it, the right to change what it may otherwise only add to.

    For an erasure and for what is kept long enough, which the law asks of the audit too; nothing else.
    Row-level security no longer helps there: every query names its silo.
    """
    if conn.dialect.name != "postgresql":
        # The triggers that keep rows from being changed go for that long; other connections never see it.
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        kept = conn.exec_driver_sql(query).all()
        for name, _ in kept:
            conn.exec_driver_sql(f'DROP TRIGGER "{name}"')
        yield
        for _, made in kept:
            conn.exec_driver_sql(made)
        return
    role = conn.exec_driver_sql("SELECT current_setting('role')").scalar_one()
    conn.exec_driver_sql("RESET ROLE")
    try:
        yield
    finally:
        if role == SILO_ROLE and _usable(conn):
            conn.exec_driver_sql(f"SET LOCAL ROLE {SILO_ROLE}")


def _usable(conn: Connection) -> bool:
    """Tell whether a transaction of PostgreSQL still takes statements (one failed, it takes none)."""
    driver: Any = conn.connection.driver_connection
    return bool(driver.info.transaction_status != psycopg.pq.TransactionStatus.INERROR)


@contextmanager
def _begin(engine: Engine, confined: str, *, write: bool) -> Iterator[Connection]:
    """Yield a transaction; ``confined``: what PostgreSQL is told in the same breath as to begin it."""
    with engine.connect() as conn, conn.begin():
        if conn.dialect.name == "sqlite":
            # The driver begins nothing by itself: a write takes its lock at once, so that it never
            # fails half-way for having read first.
            conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
        else:
            tell(conn, f"BEGIN; {confined}")
        conn.info.pop(_LAST, None)
        yield conn
        if last := conn.info.pop(_LAST, None):
            _end_with(conn, last)


def spare_memory(conn: Connection) -> None:
    """Keep few pages of SQLite in memory: a long walk through a table gains nothing by more."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA cache_size = -16384")


def insert(conn: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's dialect, with ``on_conflict_do_nothing`` and ``…_do_update``."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def among(column: Any, name: str, is_server: bool) -> Any:
    """Return whether a column is one of the values of a parameter: an `array` on PostgreSQL, else a list.

    The statement is the same however many there are, so that it is written and planned once.
    """
    if not is_server:
        return column.in_(bindparam(name, expanding=True))
    return column == any_(cast(bindparam(name, type_=Text), postgresql.ARRAY(column.type)))


def array(values: Iterable[object]) -> str:
    """Write numbers, UUIDs or hashes as PostgreSQL writes an array: none needs a quotation mark."""
    return f"{{{','.join(map(str, values))}}}"


def insert_rows(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    conflicts: bool = False,
    returning: str | None = None,
) -> list[Any]:
    """Insert many rows at once; return the values of the column `returning` of those inserted.

    Every row gives the same columns. `conflicts`: rows whose key is there already are left out. PostgreSQL
    is given them as columns (`tool_config.columns`); thousands of parameters cost the client more than the
    rows themselves. Rows go at most 500 at a time.
    """
    found: list[Any] = []
    conflict = leaving if conflicts else None
    for start in range(0, len(rows), _ROWS):
        some = list(rows[start : start + _ROWS])
        if conn.dialect.name == "postgresql":
            adding = _insert_columns(table, tuple(some[0]), conflict, returning)
            done = conn.execute(adding, _parameters([Rows(table, some)]))
        else:
            done = conn.execute(_insert_values(conn, table, conflict, returning), some)
        if returning:
            found += done.scalars()
    return found


def _insert_values(conn: Connection, table: Table, conflict: Conflict, returning: str | None) -> Any:
    adding = insert(conn, table)
    if conflict:
        adding = conflict(adding)
    return adding.returning(table.c[returning]) if returning else adding


@lru_cache(maxsize=200)
def _insert_columns(table: Table, names: tuple[str, ...], conflict: Conflict, returning: str | None) -> Any:
    """Return an INSERT of the rows of the parameters `c0_0`, `c0_1`…"""
    adding = _from_columns(table, names, conflict, 0)
    return adding.returning(table.c[returning]) if returning else adding


def _from_columns(table: Table, names: tuple[str, ...], conflict: Conflict, rank: int) -> Any:
    given = (columns.unnested(table.c[name].type, f"c{rank}_{place}") for place, name in enumerate(names))
    adding = postgresql.insert(table).from_select(names, select(*given))
    return conflict(adding) if conflict else adding


def _parameters(parts: Sequence[Rows]) -> dict[str, columns.Array]:
    """Return the columns of several tables' rows, by the parameters of `_from_columns`."""
    return {
        f"c{rank}_{place}": written
        for rank, part in enumerate(parts)
        for place, written in enumerate(columns.packed(part.table, part.rows))
    }


# --- rows of several tables at once -------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """Rows of one table, to be written with those of others; every row gives the same columns.

    ``conflict``: from an INSERT to what it does when the key is there already; the same object each time,
    so that the statement is built once.
    """

    table: Table
    rows: Sequence[Mapping[str, Any]]
    conflict: Conflict = None


def leaving(adding: Any) -> Any:
    """Leave what is there under the same key as it is."""
    return adding.on_conflict_do_nothing()


@lru_cache(maxsize=200)
def replacing(*names: str) -> Callable[[Any], Any]:
    """Return a conflict that gives these columns of the row that is there their new values."""

    def replace(adding: Any) -> Any:
        changed = {name: adding.excluded[name] for name in names}
        return adding.on_conflict_do_update(index_elements=list(adding.table.primary_key), set_=changed)

    return replace


def write_together(conn: Connection, parts: Sequence[Rows]) -> None:
    """Write rows of several tables; PostgreSQL is given them all in one statement.

    None may depend on another: each part sees the tables as they were before. A short transaction spends
    more on going to the server and back than the server on its rows.
    """
    wanted = [part for part in parts if part.rows]
    if conn.dialect.name == "postgresql" and wanted:
        if few := _few(wanted):
            ask(conn, *few)
        else:
            conn.execute(_insert_together(_shapes(wanted)), _parameters(wanted))
        return
    for part in wanted:
        conn.execute(_insert_values(conn, part.table, part.conflict, None), list(part.rows))


#: Rows of several tables that go as one text a table: their columns are more than they are.
_FEW = 20


def _few(wanted: Sequence[Rows]) -> tuple[Any, dict[str, str]] | None:
    """Return the statement that writes few rows, and its values; None when they are many."""
    if sum(len(part.rows) for part in wanted) > _FEW:
        return None
    return _insert_few(_shapes(wanted)), {f"given_{rank}": _json(part) for rank, part in enumerate(wanted)}


def _shapes(wanted: Sequence[Rows]) -> tuple[tuple[Table, tuple[str, ...], Conflict], ...]:
    return tuple((part.table, tuple(part.rows[0]), part.conflict) for part in wanted)


def _json(part: Rows) -> str:
    """Write rows as JSON; raises ValueError on what JSON cannot hold."""
    try:
        return orjson.dumps(list(part.rows)).decode()
    except TypeError as error:
        raise ValueError(f"a row cannot be written: {error}") from None


@lru_cache(maxsize=500)
def _insert_few(shapes: tuple[tuple[Table, tuple[str, ...], Conflict], ...]) -> Any:
    """Return one statement that inserts the rows of the parameters `given_0`, `given_1`…, JSON arrays."""
    made = []
    for rank, (table, names, conflict) in enumerate(shapes):
        text = cast(bindparam(f"given_{rank}", type_=Text), postgresql.JSON)
        rows = func.json_to_recordset(text).table_valued(
            *(column(name, table.c[name].type) for name in names)
        )
        rows = rows.render_derived(name="given", with_types=True)
        adding = postgresql.insert(table).from_select(names, select(*(rows.c[name] for name in names)))
        made.append(conflict(adding) if conflict else adding)
    *others, last = made
    return last.add_cte(*(adding.cte(f"part_{rank}") for rank, adding in enumerate(others)))


#: Where a connection keeps the rows that its transaction ends with.
_LAST = "estime.last"


def write_last(conn: Connection, parts: Sequence[Rows]) -> None:
    """Write rows as `write_together` does, at the end of the transaction, with which nothing more is done.

    PostgreSQL is given them and COMMIT in one exchange: others who wait for one of the rows wait for the
    server alone, and not for this process to be given its turn. They fail as the transaction ends.
    """
    if conn.dialect.name == "postgresql":
        conn.info[_LAST] = list(parts)
    else:
        write_together(conn, parts)


def _end_with(conn: Connection, parts: Sequence[Rows]) -> None:
    wanted = [part for part in parts if part.rows]
    if few := _few(wanted) if wanted else None:
        conclude(conn, *few)
        return
    driver: Any = conn.connection.driver_connection
    try:
        with driver.pipeline():
            write_together(conn, parts)
            conn.exec_driver_sql("COMMIT")
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=conn.dialect) from error


@lru_cache(maxsize=500)
def _insert_together(shapes: tuple[tuple[Table, tuple[str, ...], Conflict], ...]) -> Any:
    """Return one statement that inserts the rows of `_parameters`.

    The server runs the last part first and the first one last.
    """
    made = [_from_columns(*shape, rank) for rank, shape in enumerate(shapes)]
    *others, last = made
    return last.add_cte(*(adding.cte(f"part_{rank}") for rank, adding in enumerate(others)))
