"""Statements of SQL that a short request runs each time: made once, given to PostgreSQL by its driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_Through = Callable[[Any], Any]


@dataclass(frozen=True)
class _Prepared:
    """A statement as the driver is given it."""

    text: str
    #: Name, value unless another is given, what writes it.
    parameters: tuple[tuple[str, Any, _Through | None], ...]
    #: Place of a column, and what reads its values.
    readers: tuple[tuple[int, _Through], ...]
    returns: bool


def ask(conn: Connection, statement: Any, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that is the same object each time, a query or an insertion; return its rows.

    ``values``: one value a parameter, none that stands for several. What SQLAlchemy does around each
    execution takes the processor longer than the driver itself: the driver is asked, on PostgreSQL, with
    the text and the types that SQLAlchemy made once. Raises DBAPIError as it would.
    """
    if conn.dialect.name != "postgresql":
        done = conn.execute(statement, values)
        return [tuple(row) for row in done] if done.returns_rows else []
    made = _prepared(statement, conn.dialect)
    given = [
        values.get(name, usual) if write is None else write(values.get(name, usual))
        for name, usual, write in made.parameters
    ]
    driver: Any = conn.connection.driver_connection
    try:
        cursor = driver.execute(made.text, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if made.returns else []
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=conn.dialect) from error
    return [_read(row, made.readers) for row in rows] if made.readers else rows


def _read(row: tuple[Any, ...], readers: tuple[tuple[int, _Through], ...]) -> tuple[Any, ...]:
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
    return _Prepared(str(compiled), parameters, known, statement.is_select)
