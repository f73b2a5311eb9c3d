"""Statements of SQL that a short request runs each time: made once, given to PostgreSQL by libpq itself.

What SQLAlchemy does around each execution, and the driver around each exchange, takes the processor several
times longer than libpq: the texts and the types that SQLAlchemy made once go to ``psycopg.pq``, which lets
other threads run while the server answers. Errors are those that SQLAlchemy would raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DataError, DBAPIError

_Through = Callable[[Any], Any]

#: Where a connection keeps which statements it has run, by name: True for those that the server prepared.
_RUN = "estime.run"
#: Statements that a connection keeps prepared.
_MOST = 100
_DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_numbers = count(1)


@dataclass(frozen=True)
class _Prepared:
    """A statement as libpq is given it."""

    #: Unique in this process.
    name: str
    text: bytes
    #: Name, value unless another is given, what writes it.
    parameters: tuple[tuple[str, Any, _Through | None], ...]
    #: Place of a column, and what reads its values.
    readers: tuple[tuple[int, _Through], ...]
    returns: bool

    def given(self, values: Mapping[str, Any]) -> list[bytes | None]:
        """Return the parameters as text, in their order."""
        return [
            _text(values.get(name, usual) if write is None else write(values.get(name, usual)))
            for name, usual, write in self.parameters
        ]


def ask(conn: Connection, statement: Any, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that is the same object each time, a query or an insertion; return its rows.

    ``values``: one value a parameter, none that stands for several. Raises DBAPIError.
    """
    if conn.dialect.name != "postgresql":
        done = conn.execute(statement, values)
        return [tuple(row) for row in done] if done.returns_rows else []
    made = _prepared(statement, conn.dialect)
    given = made.given(values)
    driver: Any = conn.connection.driver_connection
    if _is_prepared(conn, driver.pgconn, made):
        result = driver.pgconn.exec_prepared(made.name.encode(), given)
    else:
        result = driver.pgconn.exec_params(made.text, given)
    _check(conn, result)
    if not made.returns:
        return []
    reader = Transformer(driver)
    reader.set_pgresult(result)
    rows: list[tuple[Any, ...]] = reader.load_rows(0, result.ntuples, tuple)
    return [_read(row, made.readers) for row in rows] if made.readers else rows


def conclude(conn: Connection, statement: Any, values: Mapping[str, Any]) -> None:
    """Run a statement that returns nothing, and commit with it, in one exchange; PostgreSQL only."""
    made = _prepared(statement, conn.dialect)
    driver: Any = conn.connection.driver_connection
    if not _is_prepared(conn, driver.pgconn, made):
        ask(conn, statement, values)
        tell(conn, "COMMIT")
        return
    quoted = pq.Escaping(driver.pgconn)
    given = (b"NULL" if text is None else bytes(quoted.escape_literal(text)) for text in made.given(values))
    command = b"EXECUTE %s (%s); COMMIT" % (made.name.encode(), b", ".join(given))
    _check(conn, driver.pgconn.exec_(command))


def tell(conn: Connection, commands: str) -> None:
    """Give the server commands of the tool's own, without parameters, in one exchange; PostgreSQL only."""
    driver: Any = conn.connection.driver_connection
    _check(conn, driver.pgconn.exec_(commands.encode()))


def watch(engine: Engine) -> None:
    """Look again, after anything is rolled back on a connection, which statements the server has there.

    The driver, which prepares statements too, then makes the server forget all, these with its own.
    """
    event.listen(engine, "rollback", forget)
    event.listen(engine, "rollback_savepoint", lambda conn, _name, _context: forget(conn))


def forget(conn: Connection) -> None:
    """Forget which statements the server has prepared on a connection: it is asked at the next."""
    if not conn.invalidated:
        conn.info.pop(_RUN, None)


def _is_prepared(conn: Connection, pgconn: Any, made: _Prepared) -> bool:
    """Tell whether the server has the statement; from the second time on it is prepared here."""
    run: dict[str, bool] | None = conn.info.get(_RUN)
    if run is None:
        found = _check(conn, pgconn.exec_(b"SELECT name FROM pg_prepared_statements"))
        names = (found.get_value(row, 0).decode() for row in range(found.ntuples))
        run = conn.info[_RUN] = {name: True for name in names if name.startswith("estime_")}
    known = run.pop(made.name, None)
    if known is False:
        _check(conn, pgconn.prepare(made.name.encode(), made.text))
    elif known is None and len(run) >= _MOST:
        oldest = next(iter(run))
        if run.pop(oldest):
            _check(conn, pgconn.exec_(f"DEALLOCATE {oldest}".encode()))
    run[made.name] = known is not None  # last, as the latest used
    return known is not None


def _check(conn: Connection, result: Any) -> Any:
    """Return the server's answer; raise DBAPIError when it is a refusal, and leave a dead connection."""
    if result.status in _DONE:
        return result
    driver: Any = conn.connection.driver_connection
    error: psycopg.Error = error_from_result(result, driver.info.encoding)
    if driver.closed:
        error = psycopg.OperationalError(str(error))
    made = DBAPIError.instance(None, None, error, psycopg.Error, dialect=conn.dialect)
    if driver.closed:
        conn.invalidate(error)
    raise made from error


def _text(value: Any) -> bytes | None:
    """Write a parameter as PostgreSQL reads it; libpq takes what follows a NUL for nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        if "\x00" in value:
            raise DataError(
                None, None, psycopg.DataError("a text for PostgreSQL cannot hold the character NUL")
            )
        return value.encode()
    if isinstance(value, datetime):
        return value.isoformat().encode()
    if isinstance(value, bool | int):
        return str(value).lower().encode()
    raise TypeError(f"no parameter of SQL: {type(value).__name__}")


def _read(row: Sequence[Any], readers: tuple[tuple[int, _Through], ...]) -> tuple[Any, ...]:
    values = list(row)
    for place, read in readers:
        values[place] = read(values[place])
    return tuple(values)


@lru_cache(maxsize=500)
def _prepared(statement: Any, dialect: Any) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    usual = compiled.params
    parameters = tuple(
        (name, usual[name], compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in compiled.positiontup
    )
    columns = tuple(statement.selected_columns) if statement.is_select else ()
    readers = (
        (place, one.type.dialect_impl(dialect).result_processor(dialect, None))
        for place, one in enumerate(columns)
    )
    known = tuple((place, read) for place, read in readers if read is not None)
    text = str(compiled).encode()
    return _Prepared(f"estime_{next(_numbers)}", text, parameters, known, statement.is_select)
